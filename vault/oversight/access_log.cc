// Looking into the access log and proving it. Each look is itself an entry.
#include <algorithm>

#include "audit/entries/log_reader.h"
#include "audit/tlog/proof.h"
#include "vault/access/access_state.h"
#include "vault/access/core.h"
#include "vault/catalog/catalog_state.h"
#include "vault/oversight/log_filter.h"
#include "vault/oversight/log_search.h"
#include "vault/vault.h"

namespace coffer::vault {
namespace {

// A member that may be counted by, as the index calls it.
bool IsCounted(std::string_view member) {
  static constexpr std::string_view kCounted[] = {"action",   "actor",   "address", "class",
                                                  "decision", "outcome", "purpose", "rule"};
  return std::ranges::find(kCounted, member) != std::end(kCounted);
}

constexpr std::int64_t kSummaryHourMs = std::int64_t{3600} * 1000;

Error NoSuchFilter(const std::vector<Issue>& faults) {
  return {Code::kInvalidArgument, "filter_invalid", {}, faults};
}

// Whose history is looked at: ids, and nothing else of what was asked for.
void NameSubjects(const LogFilter& filter, audit::Entry& entry) {
  entry.client = filter.client;
  if (PrincipalId::Parse(filter.actor)) AddDetail(entry, filter.actor);
}

// An actor given by name gets its id. Returns whether somebody like that is known.
Result<bool> FindActor(const PrincipalRegister& principals, LogFilter& filter,
                       audit::Entry& entry) {
  const std::string asked = filter.actor;
  COFFER_TRY(ReplaceByActor(principals, filter.actor));
  if (filter.actor != asked) AddDetail(entry, filter.actor);
  return IsActor(filter.actor, principals);
}

// What is looked up by a record or a request is about a client, and does not say which.
ReasonRule ReasonRuleOf(const LogFilter& filter) {
  return filter.client.empty() && filter.record.empty() && filter.request.empty()
             ? ReasonRule::kVault
             : ReasonRule::kClients;
}

// Whose entry it is that is looked at.
Result<audit::Entry> NameSubject(std::string_view bytes, Call& call) {
  COFFER_ASSIGN(auto entry, audit::ParseEntry(bytes));
  call.entry.client = entry.client;
  call.reason_rule = ReasonRule::kVault;
  return entry;
}

}  // namespace

Result<LogPage> Vault::ReadLog(const Caller& caller, const LogFilter& asked,
                               const LogPageRequest& page) {
  LogFilter filter = asked;
  if (auto faults = NormaliseFilter(filter); !faults.empty()) {
    return std::unexpected(
        Refuse(caller, Action::kLogRead, std::nullopt, std::nullopt, NoSuchFilter(faults)));
  }
  Call call = core_->StartCall(caller, Action::kLogRead);
  call.reason_rule = ReasonRuleOf(filter);
  NameSubjects(filter, call.entry);
  LogPage result;
  bool actor_known = false;
  COFFER_TRY(core_->Perform(
      OperationKind::kRead, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
        COFFER_ASSIGN(actor_known,
                      FindActor(transaction.Of<AccessState>().principals(), filter, call.entry));
        result.principals = transaction.Of<AccessState>().principals().Names();
        return {};
      }));
  const auto search = [&]() -> Status {
    COFFER_ASSIGN(auto reader, SnapshotReader::Open(*core_));
    COFFER_TRY(SearchLog(*reader, filter, page, result));
    if (!result.entries.empty()) return {};
    return CheckNames(filter, actor_known, *core_->engine->Of<CatalogState>().Published(), *reader);
  };
  if (auto searched = search(); !searched) {
    return std::unexpected(core_->FailedLater(call, std::move(searched).error()));
  }
  return result;
}

Result<LogSummary> Vault::SummariseLog(const Caller& caller, const LogSummaryRequest& asked) {
  LogSummaryRequest request = asked;
  auto faults = NormaliseFilter(request.filter);
  if (!IsCounted(request.by)) {
    faults.push_back(
        {"/by", "must be action, actor, address, class, decision, outcome, purpose or rule"});
  }
  if (!request.filter.field.empty()) faults.push_back({"/field", "cannot be counted by"});
  if (!faults.empty()) {
    return std::unexpected(
        Refuse(caller, Action::kLogRead, std::nullopt, std::nullopt, NoSuchFilter(faults)));
  }
  Call call = core_->StartCall(caller, Action::kLogRead);
  call.entry.detail = "summary by " + request.by;
  call.reason_rule = ReasonRuleOf(request.filter);
  NameSubjects(request.filter, call.entry);
  bool actor_known = false;
  COFFER_TRY(core_->Perform(
      OperationKind::kRead, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
        COFFER_ASSIGN(actor_known, FindActor(transaction.Of<AccessState>().principals(),
                                             request.filter, call.entry));
        return {};
      }));
  LogSummary summary;
  if (auto counted = core_->CountLog(request, actor_known, summary); !counted) {
    return std::unexpected(core_->FailedLater(call, std::move(counted).error()));
  }
  return summary;
}

Status Vault::Core::CountLog(const LogSummaryRequest& request, bool actor_known,
                             LogSummary& summary) {
  COFFER_ASSIGN(auto reader, SnapshotReader::Open(*this));
  LogIndexReader* const index = reader->index();
  if (index == nullptr) return Fail(Code::kUnavailable, "index_behind");
  COFFER_ASSIGN(summary.size, index->Size());
  std::uint64_t from = 0;
  std::uint64_t to = summary.size;
  if (request.filter.from) {
    COFFER_ASSIGN(from, index->FirstSince(*request.filter.from));
  }
  if (request.filter.to) {
    COFFER_ASSIGN(to, index->FirstSince(*request.filter.to));
  }
  COFFER_ASSIGN(summary.counts, index->Count(request.filter, from, to, request.by,
                                             request.daily ? 24 * kSummaryHourMs : kSummaryHourMs));
  if (!summary.counts.empty()) return {};
  return CheckNames(request.filter, actor_known, *engine->Of<CatalogState>().Published(), *reader);
}

Result<LogEntryView> Vault::ReadLogEntry(const Caller& caller, std::uint64_t seq) {
  Call call = core_->StartCall(caller, Action::kLogRead);
  call.entry.detail = std::to_string(seq);
  LogEntryView view;
  std::optional<Bytes> note;
  std::optional<PinnedKeys> key;
  audit::Entry entry;
  COFFER_TRY(core_->Perform(
      OperationKind::kRead, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
        LogStore& log = *transaction.stores().log;
        COFFER_ASSIGN(auto bytes, log.ReadEntry(seq));
        if (!bytes) return NotFound(call);
        view.entry = *std::move(bytes);
        COFFER_ASSIGN(entry, NameSubject(view.entry, call));
        if (!entry.note_hash) return {};
        // Reasons may name people: they are for those who answer for the
        // vault's use.
        COFFER_ASSIGN(const auto may, core_->DecideFor(transaction, call, Action::kNoteRead,
                                                       std::nullopt, nullptr));
        if (!may.allowed) return {};
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
        *note, entry.request,
        key ? key->Expose() : ClientKeys{core_->keyring.note_key().ExposeSecret()});
    if (!opened || audit::NoteCommitment(opened->first, opened->second) != *entry.note_hash) {
      return std::unexpected(core_->IntegrityAlarm(call, "note_not_authentic"));
    }
    view.note_salt = crypto::HexEncode(opened->first);
    view.note_text = opened->second;
  }
  return view;
}

Result<audit::Checkpoint> Vault::Core::Published(std::string& note) const {
  note = publisher->published();
  return audit::VerifyCheckpoint(note,
                                 {keyring.log_origin(), keyring.log_signing_key().public_key()});
}

Result<Vault::Core::PublishedTree> Vault::Core::LookAtTree(
    Call& call, FunctionRef<Status(Transaction&, std::uint64_t)> check) const {
  PublishedTree tree;
  COFFER_ASSIGN(tree.checkpoint, Published(tree.note));
  COFFER_TRY(Perform(OperationKind::kRead, call, std::nullopt, nullptr,
                     [&](Transaction& transaction) -> Status {
                       tree.head = engine->HeadInTransaction();
                       return check(transaction, tree.checkpoint.size);
                     }));
  return tree;
}

Result<Vault::Core::PublishedTree> Vault::Core::LookAtNewestTree() const {
  COFFER_TRY(publisher->Publish(false));
  PublishedTree tree;
  COFFER_ASSIGN(tree.checkpoint, Published(tree.note));
  audit::Entry none;
  COFFER_TRY(
      engine->Run(OperationKind::kRead, EntryRule::kNever, none, [&](Transaction&) -> Status {
        tree.head = engine->HeadInTransaction();
        return {};
      }));
  return tree;
}

Result<std::string> Vault::ProveLogEntry(const Caller& caller, std::uint64_t seq) {
  Call call = core_->StartCall(caller, Action::kLogRead);
  call.entry.detail = std::to_string(seq);
  COFFER_ASSIGN(
      const auto tree,
      core_->LookAtTree(call, [&](Transaction& transaction, std::uint64_t published) -> Status {
        if (seq >= published) return Fail(Code::kNotFound, "not_found");
        COFFER_ASSIGN(const auto bytes, transaction.stores().log->ReadEntry(seq));
        if (bytes) COFFER_TRY(NameSubject(*bytes, call));
        return {};
      }));
  COFFER_ASSIGN(auto reader, SnapshotReader::Open(*core_, SnapshotReader::Kind::kShort));
  COFFER_ASSIGN(auto hashes,
                audit::InclusionProof(seq, tree.checkpoint.size,
                                      audit::MakeHashReader(reader->log(), tree.head)));
  return audit::FormatProof({seq, std::move(hashes), tree.note});
}

Result<ConsistencyProof> Vault::ProveConsistency(const Caller& caller, std::uint64_t old_size,
                                                 std::uint64_t size) {
  Call call = core_->StartCall(caller, Action::kLogRead);
  call.entry.detail = std::to_string(old_size) + " to " + std::to_string(size);
  call.reason_rule = ReasonRule::kVault;
  COFFER_ASSIGN(const auto tree,
                core_->LookAtTree(call, [&](Transaction&, std::uint64_t published) -> Status {
                  if (old_size > size || size > published) {
                    return Fail(Code::kInvalidArgument, "size_invalid");
                  }
                  return {};
                }));
  COFFER_ASSIGN(auto reader, SnapshotReader::Open(*core_, SnapshotReader::Kind::kShort));
  ConsistencyProof proof{old_size, size, {}};
  COFFER_ASSIGN(proof.hashes, audit::ConsistencyProof(
                                  old_size, size, audit::MakeHashReader(reader->log(), tree.head)));
  return proof;
}

Result<std::string> Vault::ReadLogTile(const Caller& caller, const audit::TilePath& path) {
  Call call = core_->StartCall(caller, Action::kLogRead);
  call.entry.detail = "tile " + audit::FormatTilePath(path);
  call.reason_rule = ReasonRule::kVault;
  COFFER_ASSIGN(const auto tree,
                core_->LookAtTree(call, [&](Transaction&, std::uint64_t published) -> Status {
                  if (audit::TileWidth(published, path.level, path.n) >= path.width) return {};
                  return Fail(Code::kNotFound, "not_found");
                }));
  COFFER_ASSIGN(auto reader, SnapshotReader::Open(*core_, SnapshotReader::Kind::kShort));
  if (path.entries) return audit::ReadBundleAt(reader->log(), path, tree.checkpoint.size);
  COFFER_ASSIGN(const auto tile, audit::ReadTileAt(reader->log(), path, tree.checkpoint.size));
  return std::string(crypto::AsText(tile));
}

Result<std::string> Vault::ReadCheckpoint(const Caller& caller) {
  Call call = core_->StartCall(caller, Action::kLogRead);
  call.reason_rule = ReasonRule::kVault;
  COFFER_TRY(core_->Perform(OperationKind::kRead, call, std::nullopt, nullptr,
                            [](Transaction&) -> Status { return {}; }));
  return core_->publisher->published();
}

}  // namespace coffer::vault
