// Verifying the log and, deep, what is stored: every page of the databases, every client and record
// against what the log last said of it, and every client's key.
#include <unistd.h>

#include <algorithm>
#include <unordered_map>

#include "audit/verify.h"
#include "crypto/atomic_file.h"
#include "vault/internal/core.h"
#include "vault/internal/erase.h"
#include "vault/internal/keys_database.h"
#include "vault/vault.h"

namespace coffer::vault {
namespace {

constexpr std::size_t kMaxFindings = 20;
constexpr std::size_t kClientsAtOnce = 100;  // whose keys are looked up in one operation

// What the log last said of each record and client.
struct Latest {
  struct State {
    std::uint64_t version = 0;
    crypto::Hash payload{};
    std::uint64_t seq = 0;
    std::vector<crypto::Hash> earlier;  // payloads of the versions before, oldest first
  };
  std::unordered_map<std::string, State> records, clients;
  std::unordered_map<std::string, std::vector<std::string>> records_of;

  // The same versions as before, other bytes.
  void TakeReseal(const audit::Entry& entry) {
    const auto known = records.find(entry.record);
    if (known == records.end()) return;
    State& state = known->second;
    if (entry.version == state.version) {
      state.payload = *entry.payload_hash;
      state.seq = entry.seq;
    } else if (entry.version > 0 && entry.version <= state.earlier.size()) {
      state.earlier[entry.version - 1] = *entry.payload_hash;
    }
  }

  void Take(const audit::Entry& entry) {
    if (entry.decision != audit::Decision::kAllow) return;
    if (ErasesClient(entry)) {
      for (const auto& record : records_of[entry.client]) records.erase(record);
      records_of.erase(entry.client);
      clients.erase(entry.client);
    } else if ((entry.action == Name(Action::kRecordDelete) ||
                entry.action == Name(Action::kRecordErase)) &&
               entry.outcome == "ok" && !entry.record.empty()) {
      records.erase(entry.record);
    } else if (entry.action == kRecordReseal && entry.payload_hash) {
      TakeReseal(entry);
    } else if (entry.payload_hash && entry.version > 0 && !entry.record.empty()) {
      auto [known, made] = records.try_emplace(entry.record);
      if (made) {
        records_of[entry.client].push_back(entry.record);
      } else {
        known->second.earlier.push_back(known->second.payload);
      }
      known->second.version = entry.version;
      known->second.payload = *entry.payload_hash;
      known->second.seq = entry.seq;
    } else if (entry.payload_hash && entry.version > 0 && !entry.client.empty()) {
      clients.insert_or_assign(entry.client,
                               State{entry.version, *entry.payload_hash, entry.seq, {}});
    }
  }
};

using Findings = std::vector<audit::VerifyReport::Finding>;

void AddFinding(Findings& findings, std::optional<std::uint64_t> seq, std::string message) {
  if (findings.size() < kMaxFindings) findings.push_back({seq, "state", std::move(message)});
}

Status CheckPages(Database& database, std::string_view name, Findings& findings) {
  COFFER_ASSIGN(const auto faults, database.CheckPages());
  for (const auto& fault : faults) AddFinding(findings, {}, std::string(name) + ": " + fault);
  return {};
}

// One pass over the stored clients, their keys, records and old versions.
class StateCheck {
 public:
  StateCheck(const VerificationSource& source, Latest& latest, DeepReport& report)
      : source_(source), latest_(latest), report_(report) {}

  Status Run() {
    COFFER_ASSIGN(clients_, ClientStore::OpenForReading(source_.vault));
    COFFER_ASSIGN(records_, RecordStore::OpenForReading(source_.vault));
    std::int64_t after = -1;
    for (;;) {
      COFFER_ASSIGN(const auto rows, clients_.List(after, {}, kClientsAtOnce));
      if (rows.empty()) break;
      after = rows.back();
      std::vector<ClientRow> clients;
      std::vector<ClientId> ids;
      for (const std::int64_t row : rows) {
        COFFER_ASSIGN(auto client, clients_.FindRow(row));
        if (!client) continue;
        ids.push_back(client->id);
        clients.push_back(*std::move(client));
      }
      COFFER_ASSIGN(const auto keys, source_.find_keys(ids));
      for (std::size_t i = 0; i < clients.size(); ++i) {
        COFFER_TRY(CheckClient(clients[i], keys[i]));
      }
    }
    for (const auto& [id, state] : latest_.clients) {
      Add(state.seq, "client " + id + " is in the log, but not stored");
    }
    for (const auto& [id, state] : latest_.records) {
      Add(state.seq, "record " + id + " is in the log, but not stored");
    }
    return {};
  }

 private:
  void Add(std::optional<std::uint64_t> seq, std::string message) {
    AddFinding(report_.log.findings, seq, std::move(message));
  }

  Status CheckClient(const ClientRow& client, const FoundKey& key) {
    ++report_.clients_checked;
    const std::string id = client.id.Text();
    const auto known = latest_.clients.find(id);
    if (known == latest_.clients.end()) {
      Add({}, "client " + id +
                  " is stored, but the log has no such client "
                  "(restored after its erasure, or never created)");
    } else {
      if (known->second.version != client.version ||
          known->second.payload != crypto::Sha256(client.profile)) {
        Add(known->second.seq, "client " + id + " is not what the log last recorded (version " +
                                   std::to_string(client.version) + " stored, " +
                                   std::to_string(known->second.version) + " logged)");
      } else {
        CheckKey(client, key);
      }
      latest_.clients.erase(known);
    }
    COFFER_ASSIGN(const auto owned, records_.ListOf(client.id.Row(), {}, -1, 1U << 30));
    for (const std::int64_t row : owned) {
      COFFER_ASSIGN(const auto record, records_.FindRow(row));
      if (record) COFFER_TRY(CheckRecord(id, *record));
    }
    return {};
  }

  // The profile is what was logged: the right key opens it.
  void CheckKey(const ClientRow& client, const FoundKey& key) {
    if (key.erased || key.generation != client.generation) return;
    const std::string id = client.id.Text();
    if (!key.wrapped) {
      Add({}, "the key of client " + id + " is not in keys.db: nothing of it can be read");
      return;
    }
    const bool opens =
        source_.keyring
            .UnwrapDataKey(*key.wrapped, client.id.value, data_key_.ExposeSecretForWriting())
            .has_value() &&
        crypto::Open(data_key_.ExposeSecret(),
                     ClientContext(source_.keyring, client.id, client.version), client.profile)
            .has_value();
    if (!opens) {
      Add({}, "the key of client " + id +
                  " in keys.db is not the one that its profile was sealed with");
    }
  }

  Status CheckRecord(const std::string& client_id, const RecordRow& record) {
    ++report_.records_checked;
    const std::string id = record.id.Text();
    const auto last = latest_.records.find(id);
    if (last == latest_.records.end()) {
      Add({}, "record " + id + " of client " + client_id +
                  " is stored, but the log has no such record");
      return {};
    }
    const auto& mine = latest_.records_of[client_id];
    if (std::ranges::find(mine, id) == mine.end()) {
      Add(last->second.seq, "record " + id + " was moved to client " + client_id);
    } else if (last->second.version != record.version ||
               last->second.payload != crypto::Sha256(record.payload)) {
      Add(last->second.seq, "record " + id + " is not what the log last recorded (version " +
                                std::to_string(record.version) + " stored, " +
                                std::to_string(last->second.version) + " logged)");
    }
    for (std::size_t i = 0; i < last->second.earlier.size(); ++i) {
      ++report_.versions_checked;
      COFFER_ASSIGN(const auto old, records_.FindVersion(record.id.Row(), i + 1));
      if (!old || crypto::Sha256(old->payload) != last->second.earlier[i]) {
        Add(last->second.seq,
            "version " + std::to_string(i + 1) + " of record " + id +
                (old ? " is not what the log recorded" : " is in the log, but not stored"));
      }
    }
    latest_.records.erase(last);
    return {};
  }

  const VerificationSource& source_;
  Latest& latest_;
  DeepReport& report_;
  ClientStore clients_;
  RecordStore records_;
  crypto::SecretBytes data_key_{crypto::kAeadKeyBytes};
};

Result<DeepReport> VerifyLogAndState(const VerificationSource& source,
                                     audit::VerifyOptions& options, bool deep) {
  // One transaction: log and state are read as they were at one moment.
  COFFER_TRY(source.vault.Execute("BEGIN"));
  COFFER_ASSIGN(const auto log, LogStore::Open(source.vault));
  DeepReport report;
  Latest latest;
  std::uint64_t indexed = 0;
  if (deep && source.index != nullptr) {
    COFFER_ASSIGN(indexed, source.index->Size());
  }
  if (deep) {
    options.on_entry = [&](const audit::Entry& entry, std::string_view) -> Status {
      latest.Take(entry);
      if (entry.seq < indexed) COFFER_TRY(source.index->Check(entry.seq, entry));
      return {};
    };
  }
  COFFER_ASSIGN(report.log, audit::VerifyLog(*log, options));
  if (deep) COFFER_TRY(StateCheck(source, latest, report).Run());
  COFFER_TRY(source.vault.Execute("COMMIT"));
  return report;
}

}  // namespace

Result<DeepReport> VerifyAll(const VerificationSource& source, audit::VerifyOptions options,
                             bool deep) {
  // Pages first: what the rest stumbles over is then named already.
  Findings pages;
  if (deep) {
    COFFER_TRY(CheckPages(source.vault, "vault.db", pages));
    COFFER_TRY(CheckPages(*source.keys, "keys.db", pages));
  }
  auto report = VerifyLogAndState(source, options, deep);
  if (pages.empty()) return report;
  if (!report && report.error().code != Code::kCorrupted) return report;
  // An end at a damaged page is not all that is known.
  if (!report) {
    report = DeepReport{};
    AddFinding(pages, {}, "what stands on the damaged pages could not be verified");
  }
  Findings& findings = report->log.findings;
  findings.insert(findings.begin(), pages.begin(), pages.end());
  if (findings.size() > kMaxFindings) findings.resize(kMaxFindings);
  return report;
}

Result<DeepReport> VerifyDirectory(const OfflineVerifyOptions& options,
                                   crypto::RootKeyProvider& root) {
  COFFER_ASSIGN(const auto keyring, crypto::Keyring::Open(KeyringPath(options.directory), root));
  COFFER_ASSIGN(auto vault,
                Database::Open(VaultDatabasePath(options.directory), keyring.vault_db_key(),
                               {.read_only = true, .cache_kib = 8192}));
  audit::VerifyOptions verify;
  verify.key = options.log_key.value_or(
      audit::VerifierKey{keyring.log_origin(), keyring.log_signing_key().public_key()});
  verify.checkpoints = options.checkpoints;
  const auto bytes =
      crypto::ReadFile(AnchorPath(options.directory, options.anchor_path), 64 * 1024);
  if (bytes) {
    COFFER_ASSIGN(const auto anchor, audit::ParseAnchor(crypto::AsText(*bytes)));
    verify.checkpoints.push_back(anchor.note);
  } else if (verify.checkpoints.empty()) {
    return Fail(Code::kNotFound, "anchor_missing",
                "there is no anchor beside the copy and no checkpoint was given: a cut log could "
                "not be told from a whole one");
  }
  if (!options.deep)
    return VerifyAll({vault, nullptr, keyring, nullptr, {}}, std::move(verify), false);

  COFFER_ASSIGN(auto keys, OpenKeysDatabase(KeysDatabasePath(options.directory), keyring,
                                            {.read_only = true}));
  COFFER_ASSIGN(auto key_store, KeyStore::OpenForReading(keys));
  COFFER_ASSIGN(auto client_store, ClientStore::OpenForReading(vault));
  const auto find = [&](std::span<const ClientId> clients) -> Result<std::vector<FoundKey>> {
    std::vector<FoundKey> found;
    for (const ClientId& client : clients) {
      COFFER_ASSIGN(const auto row, client_store.Find(client));
      const std::uint64_t generation = row ? row->generation : 0;
      COFFER_ASSIGN(auto wrapped, key_store.Find({client, generation}));
      found.push_back({std::move(wrapped), false, generation});
    }
    return found;
  };
  std::unique_ptr<LogIndexReader> index;
  const std::string index_path = LogIndexPath(options.directory);
  // It may be left out of a copy, or of a backup.
  if (access(index_path.c_str(), F_OK) == 0) {
    COFFER_ASSIGN(index, LogIndexReader::Open(index_path, keyring.vault_db_key()));
  }
  return VerifyAll({vault, &keys, keyring, index.get(), find}, std::move(verify), true);
}

Result<DeepReport> Vault::VerifyLog(const Caller& caller, bool deep) {
  Call call = core_->StartCall(caller, Action::kLogVerify);
  call.entry.detail = deep ? "deep" : "log";
  COFFER_TRY(core_->Perform(OperationKind::kRead, call, std::nullopt, nullptr,
                            [](Transaction&) -> Status { return {}; }));
  audit::VerifyOptions options;
  options.key = {core_->keyring.log_origin(), core_->keyring.log_signing_key().public_key()};
  options.checkpoints = {core_->publisher->published()};
  COFFER_ASSIGN(auto reader, SnapshotReader::Open(*core_));
  Result<Database> keys;
  if (deep) {
    // On the engine's thread, where nothing replaces keys.db between its key and its file. What is
    // opened stays the same database when one does so later.
    audit::Entry none;
    COFFER_TRY(core_->engine->Run(
        OperationKind::kRead, EntryRule::kNever, none, [&](Transaction&) -> Status {
          keys = OpenKeysDatabase(KeysDatabasePath(core_->options.directory), core_->keyring,
                                  {.read_only = true});
          return {};
        }));
    if (!keys) return std::unexpected(std::move(keys).error());
  }
  // The engine looks the keys up: a reader of keys.db would stand in the way of an erasure, which
  // must truncate its WAL. Whoever was erased since the snapshot has no key any more.
  const auto find = [&](std::span<const ClientId> clients) -> Result<std::vector<FoundKey>> {
    std::vector<FoundKey> found;
    audit::Entry none;
    COFFER_TRY(core_->engine->Run(
        OperationKind::kRead, EntryRule::kNever, none, [&](Transaction& transaction) -> Status {
          Stores& stores = transaction.stores();
          for (const ClientId& client : clients) {
            COFFER_ASSIGN(const auto generation, stores.clients.FindGeneration(client));
            COFFER_ASSIGN(auto wrapped, stores.keys.Find({client, generation.value_or(0)}));
            found.push_back({std::move(wrapped), !generation, generation.value_or(0)});
          }
          return {};
        }));
    return found;
  };
  auto report = VerifyAll({reader->database(), &*keys, core_->keyring, reader->index(), find},
                          std::move(options), deep);
  if (report && !report->log.ok()) {
    COFFER_TRY(core_->LogSystemEvent("integrity.alarm", report->log.findings.front().check));
  }
  return report;
}

}  // namespace coffer::vault
