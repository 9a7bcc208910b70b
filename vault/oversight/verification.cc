// Verifying the log and, deep, what is stored: every page of the databases, every client and record
// against what the log last said of it, and every client's key.
#include "vault/oversight/verification.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>

#include "audit/verify/verify.h"
#include "crypto/atomic_file.h"
#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/clients/clients_state.h"
#include "vault/clients/sealing_contexts.h"
#include "vault/deletion/erase.h"
#include "vault/engine/committed_state.h"
#include "vault/engine/log_keys.h"
#include "vault/oversight/logged_state.h"
#include "vault/oversight/scrub_store.h"
#include "vault/oversight/verification_source.h"
#include "vault/oversight/verify_directory.h"
#include "vault/storage/data_directory.h"
#include "vault/storage/keys_database.h"
#include "vault/storage/vault_database.h"

namespace coffer::vault {
namespace {

constexpr std::size_t kMaxFindings = 20;
constexpr int kMaxListed = 20;
constexpr std::size_t kClientsAtOnce = 100;  // whose keys are looked up in one operation

using Findings = std::vector<audit::VerifyReport::Finding>;

void AddFinding(Findings& findings, std::optional<std::uint64_t> seq, std::string message) {
  if (findings.size() < kMaxFindings) findings.push_back({seq, "state", std::move(message)});
}

Status CheckPages(Database& database, std::string_view name, Findings& findings) {
  COFFER_ASSIGN(const auto faults, database.CheckPages());
  for (const auto& fault : faults) AddFinding(findings, {}, std::string(name) + ": " + fault);
  return {};
}

Result<std::optional<Bytes>> FindOlder(KeyStore& keys, const ClientKeyId& current) {
  if (current.generation == 0) return std::nullopt;
  return keys.Find({current.client, current.generation - 1});
}

Result<bool> IsDestroyed(ErasureStore& erasures, const ClientId& client, std::uint64_t generation) {
  COFFER_ASSIGN(const auto rows, erasures.ListOf(client));
  return std::ranges::any_of(rows,
                             [&](const ErasureRow& row) { return row.generation >= generation; });
}

// One pass over the stored clients, their keys, records and old versions.
class StateCheck {
 public:
  StateCheck(const VerificationSource& source, LoggedState& logged, DeepReport& report)
      : source_(source), logged_(logged), report_(report) {}

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
    std::vector<std::string> orphans;
    COFFER_TRY(CheckOwners(orphans));
    COFFER_ASSIGN(const auto left, logged_.ListLeft(kMaxListed));
    for (const auto& [is_client, id, seq] : left) {
      Add(seq, (is_client ? "client " : "record ") + id + " is in the log, but not stored");
    }
    for (std::string& orphan : orphans) Add({}, std::move(orphan));
    return {};
  }

 private:
  void Add(std::optional<std::uint64_t> seq, std::string message) {
    AddFinding(report_.log.findings, seq, std::move(message));
  }

  Status CheckClient(const ClientRow& client, const FoundKey& key) {
    ++report_.clients_checked;
    const std::string id = client.id.Text();
    COFFER_ASSIGN(const auto logged, logged_.HandOutClient(id));
    if (!logged) {
      Add({}, "client " + id +
                  " is stored, but the log has no such client "
                  "(restored after its erasure, or never created)");
    } else if (logged->version != client.version ||
               logged->payload != crypto::Sha256(client.profile)) {
      Add(logged->seq, "client " + id + " is not what the log last recorded (version " +
                           std::to_string(client.version) + " stored, " +
                           std::to_string(logged->version) + " logged)");
    } else {
      COFFER_TRY(CheckKey(client, key));
    }
    COFFER_ASSIGN(const auto owned, records_.ListOf(client.id.Row(), {}, -1, 1U << 30));
    for (const std::int64_t row : owned) {
      COFFER_ASSIGN(const auto record, records_.FindRow(row));
      if (record) COFFER_TRY(CheckRecord(id, *record));
    }
    return {};
  }

  Status CheckOrphan(std::int64_t owner, std::int64_t row, std::vector<std::string>& found) {
    COFFER_ASSIGN(const auto record, records_.FindRow(row));
    if (!record) return {};
    const std::string id = record->id.Text();
    COFFER_ASSIGN(const auto logged, logged_.HandOutRecord(id));
    if (found.size() >= kMaxFindings) return {};
    found.push_back("record " + id + " is stored, but its client is not (row " +
                    std::to_string(owner) + ")" +
                    (logged.empty() ? ", and the log has no such record" : ""));
    return {};
  }

  // Rows whose client or record is not stored, in words.
  Status CheckOwners(std::vector<std::string>& found) {
    COFFER_ASSIGN(auto rows, ScrubStore::Open(source_.vault));
    COFFER_ASSIGN(const auto owners, rows.ListOwnersOfOrphanedRecords(kMaxListed));
    for (const std::int64_t owner : owners) {
      for (std::int64_t after = -1;;) {
        COFFER_ASSIGN(const auto owned, records_.ListOf(owner, {}, after, kClientsAtOnce));
        if (owned.empty()) break;
        after = owned.back();
        for (const std::int64_t row : owned) COFFER_TRY(CheckOrphan(owner, row, found));
      }
    }
    for (const OwnedTable table : kOwnedTables) {
      COFFER_ASSIGN(const auto orphans, rows.ListOrphans(table, kMaxListed));
      for (const std::int64_t owner : orphans) {
        found.push_back(std::string(Describe(table)) + " belongs to a " +
                        (BelongsToRecord(table) ? "record" : "client") +
                        " that is not stored (row " + std::to_string(owner) + ")");
      }
    }
    return {};
  }

  // The profile is what was logged: the right key opens it.
  Status CheckKey(const ClientRow& client, const FoundKey& key) {
    if (key.erased || key.generation != client.generation) return {};
    const std::string id = client.id.Text();
    if (!key.wrapped) {
      Add({}, "the key of client " + id + " is not in keys.db: nothing of it can be read");
      return {};
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
      return {};
    }
    if (!key.has_older && client.generation > 0) COFFER_TRY(CheckOlderKey(client));
    return {};
  }

  // It is missing where something names another key than the client's, and is not what an earlier
  // version, which named none, sealed under that.
  Status CheckOlderKey(const ClientRow& client) {
    const ClientKeys keys{data_key_.ExposeSecret(), client.generation};
    const auto is_missing = [&](const RecordRow& record, std::uint64_t version,
                                ByteView sealed) -> bool {
      if (keys.IsCurrent(sealed)) return false;
      auto plain = keys.Open(
          RecordContext(source_.keyring, client.id, record.id, record.class_name, version), sealed);
      if (plain) crypto::Wipe(*plain);
      return !plain;
    };
    std::uint64_t missing = 0;
    COFFER_ASSIGN(const auto owned, records_.ListOf(client.id.Row(), {}, -1, 1U << 30));
    for (const std::int64_t row : owned) {
      COFFER_ASSIGN(const auto record, records_.FindRow(row));
      if (!record) continue;
      if (is_missing(*record, record->version, record->payload)) ++missing;
      COFFER_ASSIGN(const auto versions, records_.ListVersions(row));
      for (const auto& listed : versions) {
        COFFER_ASSIGN(const auto old, records_.FindVersion(row, listed.version));
        if (old && is_missing(*record, old->version, old->payload)) ++missing;
      }
    }
    if (missing > 0) {
      Add({}, "the older key of client " + client.id.Text() + " is not in keys.db: " +
                  std::to_string(missing) + " records and old versions of it cannot be read");
    }
    return {};
  }

  Status CheckRecord(const std::string& client_id, const RecordRow& record) {
    ++report_.records_checked;
    const std::string id = record.id.Text();
    COFFER_ASSIGN(const auto logged, logged_.HandOutRecord(id));
    if (logged.empty()) {
      Add({}, "record " + id + " of client " + client_id +
                  " is stored, but the log has no such record");
      return {};
    }
    const LoggedState::Version& last = logged.back();
    if (last.client != client_id) {
      Add(last.seq, "record " + id + " was moved to client " + client_id);
    } else if (last.version != record.version || last.payload != crypto::Sha256(record.payload)) {
      Add(last.seq, "record " + id + " is not what the log last recorded (version " +
                        std::to_string(record.version) + " stored, " +
                        std::to_string(last.version) + " logged)");
    }
    for (std::size_t i = 0; i + 1 < logged.size(); ++i) {
      ++report_.versions_checked;
      const std::uint64_t version = logged[i].version;
      COFFER_ASSIGN(const auto old, records_.FindVersion(record.id.Row(), version));
      if (!old || crypto::Sha256(old->payload) != logged[i].payload) {
        Add(last.seq,
            "version " + std::to_string(version) + " of record " + id +
                (old ? " is not what the log recorded" : " is in the log, but not stored"));
      }
    }
    COFFER_ASSIGN(const auto stored, records_.ListVersions(record.id.Row()));
    for (const auto& old : stored) {
      const bool known = std::ranges::any_of(
          logged, [&](const auto& version) { return version.version == old.version; });
      if (known && old.version != last.version) continue;
      Add(last.seq, "version " + std::to_string(old.version) + " of record " + id +
                        " is stored as an old one, but the log has no such");
    }
    return {};
  }

  const VerificationSource& source_;
  LoggedState& logged_;
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
  COFFER_ASSIGN(const auto signed_last, log->ReadCheckpoint());
  if (signed_last) options.checkpoints.push_back(*signed_last);
  DeepReport report;
  std::optional<LoggedState> logged;
  Status taken;
  std::uint64_t indexed = 0;
  if (deep && source.index != nullptr) {
    COFFER_ASSIGN(indexed, source.index->Size());
  }
  if (deep) {
    COFFER_ASSIGN(logged, LoggedState::Create());
    options.on_entry = [&](const audit::Entry& entry, std::string_view) -> Status {
      // A full disk is no finding.
      if (taken) taken = logged->Take(entry);
      if (entry.seq < indexed) COFFER_TRY(source.index->Check(entry.seq, entry));
      return {};
    };
  }
  COFFER_ASSIGN(report.log, audit::VerifyLog(*log, options));
  COFFER_TRY(taken);
  const bool log_is_whole = report.log.ok();
  if (deep) COFFER_TRY(StateCheck(source, *logged, report).Run());
  if (deep && log_is_whole) {
    COFFER_ASSIGN(const auto committed, CommittedState::Open(source.vault, source.keyring));
    COFFER_ASSIGN(const auto difference, committed->FindDifference(*log));
    if (difference) AddFinding(report.log.findings, {}, *difference);
  }
  COFFER_TRY(source.vault.Execute("COMMIT"));
  return report;
}

// Of the keyring's keys the newest that signed a note: a copy may be of before the newest one.
std::optional<audit::VerifierKey> SignerOf(const std::string& note,
                                           const crypto::Keyring& keyring) {
  std::optional<audit::VerifierKey> signer;
  for (const audit::VerifierKey& key : VerifierKeysOf(keyring)) {
    if (audit::VerifyCheckpoint(note, key)) signer = {keyring.log_origin(), key.key};
  }
  return signer;
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
  COFFER_ASSIGN(VaultDatabase opened,
                OpenVaultDatabase(VaultDatabasePath(options.directory), keyring,
                                  {.read_only = true, .cache_kib = 8192}));
  Database& vault = opened.database;
  audit::VerifyOptions verify;
  verify.key = options.log_key.value_or(
      audit::VerifierKey{keyring.log_origin(), keyring.log_signing_key()->public_key()});
  verify.checkpoints = options.checkpoints;
  const auto bytes =
      crypto::ReadFile(AnchorPath(options.directory, options.anchor_path), audit::kMaxAnchorBytes);
  if (bytes) {
    COFFER_ASSIGN(const auto anchor, audit::ParseAnchor(crypto::AsText(*bytes)));
    verify.checkpoints.push_back(anchor.note);
    if (!options.log_key) verify.key = SignerOf(anchor.note, keyring).value_or(verify.key);
  } else if (bytes.error().code != Code::kNotFound) {
    return std::unexpected(bytes.error());
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
      COFFER_ASSIGN(const auto older, FindOlder(key_store, {client, generation}));
      found.push_back({std::move(wrapped), false, generation, older.has_value()});
    }
    return found;
  };
  std::unique_ptr<LogIndexReader> index;
  const std::string index_path = LogIndexPath(options.directory);
  // It may be left out of a copy, or of a backup, or a starting vault is just making it.
  std::error_code none;
  if (const auto size = std::filesystem::file_size(index_path, none); !none && size > 0) {
    auto read = LogIndexReader::Open(index_path, keyring.vault_db_key());
    // While that key is exchanged it is made anew.
    const bool exchanged = keyring.vault_db_keys().versions().size() > 1;
    if (!read && !exchanged && read.error().reason != "index_missing") {
      return std::unexpected(std::move(read).error());
    }
    if (read) index = *std::move(read);
  }
  return VerifyAll({vault, &keys, keyring, index.get(), find}, std::move(verify), true);
}

Result<DeepReport> Verification::VerifyLog(const Caller& caller, bool deep) {
  Call call = operations_.Start(caller, {Action::kLogVerify});
  call.entry.detail = deep ? "deep" : "log";
  COFFER_TRY(operations_.Perform(call, [](Transaction&) -> Status { return {}; }));
  audit::VerifyOptions options;
  options.checkpoints = {publisher_.published()};
  options.key =
      SignerOf(options.checkpoints.front(), operations_.keyring())
          .value_or(audit::VerifierKey{operations_.keyring().log_origin(),
                                       operations_.keyring().log_signing_key()->public_key()});
  COFFER_ASSIGN(auto reader, readers_.Open());
  Result<Database> keys;
  if (deep) {
    // On the engine's thread, where nothing replaces keys.db between its key and its file. What is
    // opened stays the same database when one does so later.
    audit::Entry none;
    COFFER_TRY(operations_.Look([&](Transaction&) -> Status {
      keys = OpenKeysDatabase(KeysDatabasePath(directory_), operations_.keyring(),
                              {.read_only = true});
      return {};
    }));
    if (!keys) return std::unexpected(std::move(keys).error());
  }
  // The engine looks the keys up: a reader of keys.db would stand in the way of an erasure, which
  // must truncate its WAL. Whoever was erased since the snapshot has no key any more.
  const auto find = [&](std::span<const ClientId> clients) -> Result<std::vector<FoundKey>> {
    std::vector<FoundKey> found;
    COFFER_TRY(operations_.Look([&](Transaction& transaction) -> Status {
      Stores& stores = transaction.stores();
      for (const ClientId& client : clients) {
        COFFER_ASSIGN(const auto generation,
                      transaction.Of<ClientsState>().stores.clients.FindGeneration(client));
        COFFER_ASSIGN(auto wrapped, stores.keys.Find({client, generation.value_or(0)}));
        const ClientKeyId key{client, generation.value_or(0)};
        COFFER_ASSIGN(const auto older, FindOlder(stores.keys, key));
        bool has_older = older.has_value();
        if (!has_older && key.generation > 0) {
          COFFER_ASSIGN(has_older, IsDestroyed(stores.erasures, client, key.generation - 1));
        }
        found.push_back({std::move(wrapped), !generation, key.generation, has_older});
      }
      return {};
    }));
    return found;
  };
  auto report =
      VerifyAll({reader->database(), &*keys, operations_.keyring(), reader->index(), find},
                std::move(options), deep);
  if (report && !report->log.ok()) {
    COFFER_TRY(operations_.LogSystemEvent("integrity.alarm", report->log.findings.front().check));
  }
  return report;
}

}  // namespace coffer::vault
