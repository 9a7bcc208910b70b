// Looking into the access log, proving it, verifying it. Each look is itself an entry.
#include <algorithm>
#include <unordered_map>

#include "audit/log_reader.h"
#include "audit/proof.h"
#include "audit/verify.h"
#include "crypto/atomic_file.h"
#include "vault/internal/core.h"
#include "vault/vault.h"

namespace coffer::vault {
namespace {

// One page looks at so many entries; a rarer match is found by following `next`.
constexpr std::uint64_t kLogScan = 200'000;

// Entries are canonical: a member and its value stand in the bytes in exactly one spelling, and the
// quotes of a string value are escaped, so finding the text is finding the member.
class EntryMatcher {
 public:
  explicit EntryMatcher(const LogFilter& filter) : from_(filter.from), to_(filter.to) {
    Want("client", filter.client);
    Want("record", filter.record);
    Want("actor", filter.actor);
    Want("action", filter.action);
    Want("class", filter.class_name);
    Want("purpose", filter.purpose);
    Want("decision", filter.decision);
    Want("request", filter.request);
    Want("outcome", filter.outcome);
  }

  bool Matches(std::string_view bytes) const {
    for (const auto& needle : needles_) {
      if (bytes.find(needle) == bytes.npos) return false;
    }
    if (!from_ && !to_) return true;
    static constexpr std::string_view kTs = "\"ts\":\"";
    const auto at = bytes.rfind(kTs);
    if (at == bytes.npos) return false;
    const auto ts = audit::ParseTimestamp(bytes.substr(at + kTs.size(), 24));
    return ts && (!from_ || *ts >= *from_) && (!to_ || *ts < *to_);
  }

 private:
  void Want(std::string_view member, const std::string& value) {
    if (!value.empty()) {
      needles_.push_back("\"" + std::string(member) + "\":\"" + value + "\"");
    }
  }
  std::vector<std::string> needles_;
  std::optional<Timestamp> from_, to_;
};

// Filter values are looked for as they are; anything that a canonical entry would escape cannot be
// part of one that we wrote.
bool IsPlain(const std::string& value) {
  return value.size() <= 200 && std::ranges::all_of(value, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
                  c == '.' || c == ':';
         });
}

bool IsPlain(const LogFilter& f) {
  return IsPlain(f.client) && IsPlain(f.record) && IsPlain(f.actor) && IsPlain(f.action) &&
         IsPlain(f.class_name) && IsPlain(f.purpose) && IsPlain(f.decision) && IsPlain(f.request) &&
         IsPlain(f.outcome);
}

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

  void Take(const audit::Entry& entry) {
    if (entry.decision != audit::Decision::kAllow) return;
    if (entry.action == Name(Action::kClientErase) && entry.outcome == "ok") {
      for (const auto& record : records_of[entry.client]) records.erase(record);
      records_of.erase(entry.client);
      clients.erase(entry.client);
    } else if (entry.action == Name(Action::kRecordDelete) && entry.outcome == "ok") {
      records.erase(entry.record);
    } else if (entry.payload_hash && !entry.record.empty()) {
      auto [known, made] = records.try_emplace(entry.record);
      if (made) {
        records_of[entry.client].push_back(entry.record);
      } else {
        known->second.earlier.push_back(known->second.payload);
      }
      known->second.version = entry.version;
      known->second.payload = *entry.payload_hash;
      known->second.seq = entry.seq;
    } else if (entry.payload_hash && !entry.client.empty()) {
      clients.insert_or_assign(entry.client,
                               State{entry.version, *entry.payload_hash, entry.seq, {}});
    }
  }
};

void AddFinding(DeepReport& report, std::optional<std::uint64_t> seq, std::string message) {
  if (report.log.findings.size() < 20) {
    report.log.findings.push_back({seq, "state", std::move(message)});
  }
}

Status CheckState(Database& database, Latest& latest, DeepReport& report) {
  COFFER_ASSIGN(auto clients, ClientStore::Open(database));
  COFFER_ASSIGN(auto records, RecordStore::Open(database));
  std::int64_t after = -1;
  for (;;) {
    COFFER_ASSIGN(const auto ids, clients.List(after, {}, 500));
    if (ids.empty()) break;
    after = ids.back();
    for (const std::int64_t id : ids) {
      COFFER_ASSIGN(const auto client, clients.FindRow(id));
      if (!client) continue;
      ++report.clients_checked;
      const std::string client_id = client->id.Text();
      const auto known = latest.clients.find(client_id);
      if (known == latest.clients.end()) {
        AddFinding(report, {},
                   "client " + client_id +
                       " is stored, but the log has no such client "
                       "(restored after its erasure, or never created)");
      } else {
        if (known->second.version != client->version ||
            known->second.payload != crypto::Sha256(client->profile)) {
          AddFinding(report, known->second.seq,
                     "client " + client_id + " is not what the log last recorded (version " +
                         std::to_string(client->version) + " stored, " +
                         std::to_string(known->second.version) + " logged)");
        }
        latest.clients.erase(known);
      }
      COFFER_ASSIGN(const auto owned, records.ListOf(id, {}, -1, 1U << 30));
      for (const std::int64_t row : owned) {
        COFFER_ASSIGN(const auto record, records.FindRow(row));
        if (!record) continue;
        ++report.records_checked;
        const std::string record_id = record->id.Text();
        const auto last = latest.records.find(record_id);
        if (last == latest.records.end()) {
          AddFinding(report, {},
                     "record " + record_id + " of client " + client_id +
                         " is stored, but the log has no such record");
          continue;
        }
        const auto& mine = latest.records_of[client_id];
        if (std::ranges::find(mine, record_id) == mine.end()) {
          AddFinding(report, last->second.seq,
                     "record " + record_id + " was moved to client " + client_id);
        } else if (last->second.version != record->version ||
                   last->second.payload != crypto::Sha256(record->payload)) {
          AddFinding(report, last->second.seq,
                     "record " + record_id + " is not what the log last recorded (version " +
                         std::to_string(record->version) + " stored, " +
                         std::to_string(last->second.version) + " logged)");
        }
        for (std::size_t i = 0; i < last->second.earlier.size(); ++i) {
          ++report.versions_checked;
          COFFER_ASSIGN(const auto old, records.FindVersion(row, i + 1));
          if (!old || crypto::Sha256(old->payload) != last->second.earlier[i]) {
            AddFinding(
                report, last->second.seq,
                "version " + std::to_string(i + 1) + " of record " + record_id +
                    (old ? " is not what the log recorded" : " is in the log, but not stored"));
          }
        }
        latest.records.erase(last);
      }
    }
  }
  for (const auto& [id, state] : latest.clients) {
    AddFinding(report, state.seq, "client " + id + " is in the log, but not stored");
  }
  for (const auto& [id, state] : latest.records) {
    AddFinding(report, state.seq, "record " + id + " is in the log, but not stored");
  }
  return {};
}

}  // namespace

Result<DeepReport> VerifyAll(Database& database, const audit::VerifierKey& key,
                             std::vector<std::string> checkpoints, bool deep) {
  // One transaction: log and state are read as they were at one moment.
  COFFER_TRY(database.Execute("BEGIN"));
  COFFER_ASSIGN(const auto log, LogStore::Open(database));
  DeepReport report;
  Latest latest;
  audit::VerifyOptions options;
  options.key = key;
  options.checkpoints = std::move(checkpoints);
  if (deep) {
    options.on_entry = [&](const audit::Entry& entry, std::string_view) -> Status {
      latest.Take(entry);
      return {};
    };
  }
  COFFER_ASSIGN(report.log, audit::VerifyLog(*log, options));
  if (deep) COFFER_TRY(CheckState(database, latest, report));
  COFFER_TRY(database.Execute("COMMIT"));
  return report;
}

Result<DeepReport> VerifyDirectory(const OfflineVerifyOptions& options,
                                   crypto::RootKeyProvider& root) {
  COFFER_ASSIGN(const auto keyring, crypto::Keyring::Open(KeyringPath(options.directory), root));
  COFFER_ASSIGN(auto database,
                Database::Open(VaultDatabasePath(options.directory), keyring.vault_db_key(),
                               {.read_only = true, .cache_kib = 8192}));
  const audit::VerifierKey key = options.log_key.value_or(
      audit::VerifierKey{keyring.log_origin(), keyring.log_signing_key().public_key()});
  std::vector<std::string> checkpoints = options.checkpoints;
  const auto bytes =
      crypto::ReadFile(AnchorPath(options.directory, options.anchor_path), 64 * 1024);
  if (bytes) {
    COFFER_ASSIGN(const auto anchor, audit::ParseAnchor(crypto::AsText(*bytes)));
    checkpoints.push_back(anchor.note);
  } else if (checkpoints.empty()) {
    return Fail(Code::kNotFound, "anchor_missing",
                "there is no anchor beside the copy and no checkpoint was given: a cut log could "
                "not be told from a whole one");
  }
  return VerifyAll(database, key, std::move(checkpoints), options.deep);
}

Result<LogPage> Vault::ReadLog(const Caller& caller, const LogFilter& filter,
                               const LogPageRequest& page) {
  if (!IsPlain(filter)) {
    return std::unexpected(Refuse(caller, Action::kLogRead, std::nullopt, std::nullopt,
                                  Error{Code::kInvalidArgument, "filter_invalid", {}, {}}));
  }
  Call call = core_->StartCall(caller, Action::kLogRead);
  if (ClientId::Parse(filter.client)) call.entry.client = filter.client;  // whose history it was
  LogPage result;
  COFFER_TRY(core_->Perform(OperationKind::kRead, call, std::nullopt, nullptr,
                            [](Transaction&) -> Status { return {}; }));
  COFFER_ASSIGN(auto reader, SnapshotReader::Open(*core_));
  COFFER_ASSIGN(result.size, reader->log().Size());
  const EntryMatcher matcher(filter);
  if (page.oldest_first) {
    std::uint64_t at = page.start.value_or(0);
    const std::uint64_t end = std::min(result.size, at + kLogScan);
    while (at < end && result.entries.size() < page.limit) {
      // In steps, so that a full page stops soon.
      const std::uint64_t to = std::min<std::uint64_t>(end, at + 1000);
      COFFER_TRY(reader->log().ReadEntries(
          at, to, [&](std::uint64_t seq, std::string_view bytes) -> Status {
            if (result.entries.size() < page.limit) {
              if (matcher.Matches(bytes)) result.entries.emplace_back(bytes);
              at = seq + 1;
            }
            return {};
          }));
    }
    if (at < result.size) result.next = at;
    return result;
  }
  if (result.size == 0) return result;
  const std::uint64_t start = std::min(page.start.value_or(result.size - 1), result.size - 1);
  COFFER_TRY(reader->log().ReadBackwards(start, [&](std::uint64_t seq, std::string_view bytes) {
    if (result.entries.size() == page.limit || start - seq >= kLogScan) {
      result.next = seq;
      return false;
    }
    if (matcher.Matches(bytes)) result.entries.emplace_back(bytes);
    return true;
  }));
  return result;
}

Result<LogEntryView> Vault::ReadLogEntry(const Caller& caller, std::uint64_t seq) {
  Call call = core_->StartCall(caller, Action::kLogRead);
  call.entry.detail = std::to_string(seq);
  LogEntryView view;
  std::optional<Bytes> note;
  std::optional<KeyCache::Pin> key;
  audit::Entry entry;
  COFFER_TRY(core_->Perform(
      OperationKind::kRead, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
        LogStore& log = *transaction.stores().log;
        COFFER_ASSIGN(auto bytes, log.ReadEntry(seq));
        if (!bytes) return NotFound(call);
        view.entry = *std::move(bytes);
        COFFER_ASSIGN(entry, audit::ParseEntry(view.entry));
        if (!entry.note_hash) return {};
        // Reasons may name people: they are for those who answer for the vault's use.
        if (call.role != Role::kSecurityOfficer && call.role != Role::kPrivacyOfficer) return {};
        COFFER_ASSIGN(note, log.ReadNote(0, seq));
        if (note || entry.client.empty()) return {};
        const auto client = ClientId::Parse(entry.client);
        if (!client) return {};
        COFFER_ASSIGN(note, log.ReadNote(client->Row(), seq));
        if (!note) return {};
        auto pin = transaction.PinKey(*client);
        if (pin) {
          key = *std::move(pin);
        } else {
          note.reset();
        }
        return {};
      }));
  if (note) {
    const auto opened = core_->OpenReason(
        *note, entry.request, key ? key->ExposeSecret() : core_->keyring.note_key().ExposeSecret());
    if (!opened || audit::NoteCommitment(opened->first, opened->second) != *entry.note_hash) {
      return std::unexpected(core_->IntegrityAlarm(call, "note_not_authentic"));
    }
    view.note_salt = crypto::HexEncode(opened->first);
    view.note_text = opened->second;
  }
  return view;
}

Result<std::string> Vault::ProveLogEntry(const Caller& caller, std::uint64_t seq) {
  Call call = core_->StartCall(caller, Action::kLogRead);
  call.entry.detail = std::to_string(seq);
  COFFER_TRY(core_->Perform(OperationKind::kRead, call, std::nullopt, nullptr,
                            [](Transaction&) -> Status { return {}; }));
  const std::string note = core_->publisher->published();
  const audit::VerifierKey key{core_->keyring.log_origin(),
                               core_->keyring.log_signing_key().public_key()};
  COFFER_ASSIGN(const auto checkpoint, audit::VerifyCheckpoint(note, key));
  if (seq >= checkpoint.size) return Fail(Code::kNotFound, "not_found");
  COFFER_ASSIGN(auto reader, SnapshotReader::Open(*core_));
  COFFER_ASSIGN(const std::uint64_t size, reader->log().Size());
  COFFER_ASSIGN(auto hashes, audit::InclusionProof(seq, checkpoint.size,
                                                   audit::MakeHashReader(reader->log(), size)));
  return audit::FormatProof({seq, std::move(hashes), note});
}

Result<std::string> Vault::ReadCheckpoint(const Caller& caller) {
  Call call = core_->StartCall(caller, Action::kLogRead);
  COFFER_TRY(core_->Perform(OperationKind::kRead, call, std::nullopt, nullptr,
                            [](Transaction&) -> Status { return {}; }));
  return core_->publisher->published();
}

Result<DeepReport> Vault::VerifyLog(const Caller& caller, bool deep) {
  Call call = core_->StartCall(caller, Action::kLogVerify);
  call.entry.detail = deep ? "deep" : "log";
  COFFER_TRY(core_->Perform(OperationKind::kRead, call, std::nullopt, nullptr,
                            [](Transaction&) -> Status { return {}; }));
  const std::string note = core_->publisher->published();
  COFFER_ASSIGN(auto reader, SnapshotReader::Open(*core_));
  auto report = VerifyAll(
      reader->database(),
      {core_->keyring.log_origin(), core_->keyring.log_signing_key().public_key()}, {note}, deep);
  if (report && !report->log.ok()) {
    COFFER_TRY(core_->LogSystemEvent("integrity.alarm", report->log.findings.front().check));
  }
  return report;
}

}  // namespace coffer::vault
