// Looking into the access log and proving it. Each look is itself an entry.
#include <algorithm>
#include <initializer_list>

#include "audit/log_reader.h"
#include "audit/proof.h"
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
    Want("rule", filter.rule);
    Want("address", filter.address);
    if (!filter.field.empty()) field_ = "\"" + filter.field + "\"";
  }

  bool Matches(std::string_view bytes) const {
    for (const auto& needle : needles_) {
      if (bytes.find(needle) == bytes.npos) return false;
    }
    if (!field_.empty() && !HasField(bytes)) return false;
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
  bool HasField(std::string_view bytes) const {
    static constexpr std::string_view kFields = "\"fields\":[";
    const auto at = bytes.find(kFields);
    if (at == bytes.npos) return false;
    const auto list = bytes.substr(at + kFields.size());
    return list.substr(0, list.find(']')).find(field_) != list.npos;
  }

  std::vector<std::string> needles_;
  std::string field_;
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
  return std::ranges::all_of(
      std::initializer_list<const std::string*>{&f.client, &f.record, &f.actor, &f.action,
                                                &f.class_name, &f.purpose, &f.decision, &f.request,
                                                &f.outcome, &f.rule, &f.address, &f.field},
      [](const std::string* value) { return IsPlain(*value); });
}

// True when the columns of the index say all that the filter asks for, but for fields and times.
bool IsEmpty(const LogFilter& f) {
  return (f.client + f.record + f.actor + f.action + f.class_name + f.purpose + f.decision +
          f.request + f.outcome + f.rule + f.address)
      .empty();
}

// One page of the log: what the index has is found there, the rest by reading.
class LogSearch {
 public:
  LogSearch(SnapshotReader& reader, const LogFilter& filter, const LogPageRequest& page,
            LogPage& result)
      : reader_(reader), filter_(filter), page_(page), matcher_(filter), result_(result) {}

  Status Run() {
    COFFER_ASSIGN(result_.size, reader_.log().Size());
    if (result_.size == 0) return {};
    if (auto bounded = Bound(); !bounded) {
      reader_.DropIndex();
      indexed_ = 0;
    }
    return page_.oldest_first ? Upwards() : Downwards();
  }

 private:
  bool IsFull() const { return result_.entries.size() >= page_.limit; }
  bool UsesIndex() const { return indexed_ > 0 && !IsEmpty(filter_); }

  // [low_, high_) is what the times leave, as far as the index knows them.
  Status Bound() {
    high_ = result_.size;
    LogIndexReader* const index = reader_.index();
    if (index == nullptr) return {};
    COFFER_ASSIGN(indexed_, index->Size());
    indexed_ = std::min(indexed_, result_.size);
    if (filter_.from) {
      COFFER_ASSIGN(low_, index->FirstSince(*filter_.from));
    }
    if (filter_.to) {
      COFFER_ASSIGN(const auto end, index->FirstSince(*filter_.to));
      if (end < indexed_) high_ = end;
    }
    return {};
  }

  Status Upwards() {
    std::uint64_t at = std::max(page_.start.value_or(0), low_);
    if (UsesIndex() && at < std::min(indexed_, high_)) {
      COFFER_ASSIGN(const auto stopped, FromIndex(at, std::min(indexed_, high_)));
      at = stopped.value_or(std::min(indexed_, high_));
      if (stopped || IsFull()) return GoOnAt(at, at < high_);
    }
    const std::uint64_t end = std::min(high_, at + std::min(kLogScan, high_));
    while (at < end && !IsFull()) {
      // In steps, so that a full page stops soon.
      const std::uint64_t to = std::min<std::uint64_t>(end, at + 1000);
      COFFER_TRY(reader_.log().ReadEntries(
          at, to, [&](std::uint64_t seq, std::string_view bytes) -> Status {
            if (IsFull()) return {};
            Take(bytes);
            at = seq + 1;
            return {};
          }));
      if (!IsFull()) at = to;
    }
    return GoOnAt(at, at < high_);
  }

  Status Downwards() {
    std::uint64_t above = high_;  // entries from here on are done with
    if (page_.start) above = std::min(above, *page_.start + 1);
    if (above <= low_) return {};
    const std::uint64_t floor = std::max(low_, UsesIndex() ? indexed_ : 0);
    std::uint64_t read = 0;
    if (above > floor) {
      COFFER_TRY(
          reader_.log().ReadBackwards(above - 1, [&](std::uint64_t seq, std::string_view bytes) {
            if (seq < floor || IsFull() || read == kLogScan) return false;
            ++read;
            Take(bytes);
            above = seq;
            return true;
          }));
    }
    if (above > low_ && above <= floor && !IsFull()) {
      COFFER_ASSIGN(const auto stopped, FromIndex(low_, above));
      above = stopped.value_or(low_);
    }
    return GoOnAt(above - 1, above > low_);
  }

  // Where the index stopped short of the range's end; nothing when it did not.
  Result<std::optional<std::uint64_t>> FromIndex(std::uint64_t from, std::uint64_t to) {
    while (from < to && !IsFull()) {
      const std::size_t wanted = page_.limit - result_.entries.size();
      COFFER_ASSIGN(const auto found,
                    reader_.index()->Find(filter_, from, to, page_.oldest_first, wanted));
      for (const std::uint64_t seq : found.seqs) {
        COFFER_ASSIGN(const auto bytes, reader_.log().ReadEntry(seq));
        if (bytes) Take(*bytes);
      }
      if (found.stopped_at) return found.stopped_at;
      if (found.seqs.size() < wanted) return std::nullopt;
      // The page is full, or some of these had the columns but not the field.
      if (page_.oldest_first) {
        from = found.seqs.back() + 1;
      } else {
        to = found.seqs.back();
      }
    }
    return page_.oldest_first ? from : to;
  }

  void Take(std::string_view bytes) {
    if (!matcher_.Matches(bytes)) return;
    result_.entries.emplace_back(bytes);
  }

  Status GoOnAt(std::uint64_t seq, bool more) {
    if (more) result_.next = seq;
    return {};
  }

  SnapshotReader& reader_;
  const LogFilter& filter_;
  const LogPageRequest& page_;
  const EntryMatcher matcher_;
  LogPage& result_;
  std::uint64_t low_ = 0, high_ = 0, indexed_ = 0;
};

// A member that may be counted by, as the index calls it.
bool IsCounted(std::string_view member) {
  static constexpr std::string_view kCounted[] = {"action",   "actor",   "address", "class",
                                                  "decision", "outcome", "purpose", "rule"};
  return std::ranges::find(kCounted, member) != std::end(kCounted);
}

constexpr std::int64_t kHourMs = std::int64_t{3600} * 1000;

}  // namespace

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
  COFFER_TRY(LogSearch(*reader, filter, page, result).Run());
  return result;
}

Result<LogSummary> Vault::SummariseLog(const Caller& caller, const LogSummaryRequest& request) {
  if (!IsPlain(request.filter) || !IsCounted(request.by) || !request.filter.field.empty()) {
    return std::unexpected(Refuse(caller, Action::kLogRead, std::nullopt, std::nullopt,
                                  Error{Code::kInvalidArgument, "filter_invalid", {}, {}}));
  }
  Call call = core_->StartCall(caller, Action::kLogRead);
  if (ClientId::Parse(request.filter.client)) call.entry.client = request.filter.client;
  call.entry.detail = "summary by " + request.by;
  COFFER_TRY(core_->Perform(OperationKind::kRead, call, std::nullopt, nullptr,
                            [](Transaction&) -> Status { return {}; }));
  COFFER_ASSIGN(auto reader, SnapshotReader::Open(*core_));
  LogIndexReader* const index = reader->index();
  if (index == nullptr) return Fail(Code::kUnavailable, "index_behind");
  LogSummary summary;
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
                                             request.daily ? 24 * kHourMs : kHourMs));
  return summary;
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
        *note, entry.request, key ? key->ExposeSecret() : core_->keyring.note_key().ExposeSecret());
    if (!opened || audit::NoteCommitment(opened->first, opened->second) != *entry.note_hash) {
      return std::unexpected(core_->IntegrityAlarm(call, "note_not_authentic"));
    }
    view.note_salt = crypto::HexEncode(opened->first);
    view.note_text = opened->second;
  }
  return view;
}

// The tree as it is, for proofs about any earlier one.
struct Vault::Core::PublishedTree {
  audit::Checkpoint checkpoint;
  std::string note;
  audit::LogHead head;  // of the log then, which is no smaller
};

Result<Vault::Core::PublishedTree> Vault::Core::LookAtTree(Call& call) const {
  PublishedTree tree;
  tree.note = publisher->published();
  COFFER_TRY(
      Perform(OperationKind::kRead, call, std::nullopt, nullptr, [&](Transaction&) -> Status {
        tree.head = engine->HeadInTransaction();
        return {};
      }));
  COFFER_ASSIGN(tree.checkpoint,
                audit::VerifyCheckpoint(
                    tree.note, {keyring.log_origin(), keyring.log_signing_key().public_key()}));
  return tree;
}

Result<std::string> Vault::ProveLogEntry(const Caller& caller, std::uint64_t seq) {
  Call call = core_->StartCall(caller, Action::kLogRead);
  call.entry.detail = std::to_string(seq);
  COFFER_ASSIGN(const auto tree, core_->LookAtTree(call));
  if (seq >= tree.checkpoint.size) return Fail(Code::kNotFound, "not_found");
  COFFER_ASSIGN(auto reader, SnapshotReader::Open(*core_));
  COFFER_ASSIGN(auto hashes,
                audit::InclusionProof(seq, tree.checkpoint.size,
                                      audit::MakeHashReader(reader->log(), tree.head)));
  return audit::FormatProof({seq, std::move(hashes), tree.note});
}

Result<ConsistencyProof> Vault::ProveConsistency(const Caller& caller, std::uint64_t old_size,
                                                 std::uint64_t size) {
  Call call = core_->StartCall(caller, Action::kLogRead);
  call.entry.detail = std::to_string(old_size) + " to " + std::to_string(size);
  COFFER_ASSIGN(const auto tree, core_->LookAtTree(call));
  if (old_size > size || size > tree.checkpoint.size) {
    return Fail(Code::kInvalidArgument, "size_invalid");
  }
  COFFER_ASSIGN(auto reader, SnapshotReader::Open(*core_));
  ConsistencyProof proof{old_size, size, {}};
  COFFER_ASSIGN(proof.hashes, audit::ConsistencyProof(
                                  old_size, size, audit::MakeHashReader(reader->log(), tree.head)));
  return proof;
}

Result<std::string> Vault::ReadLogTile(const Caller& caller, const audit::TilePath& path) {
  Call call = core_->StartCall(caller, Action::kLogRead);
  call.entry.detail = "tile " + audit::FormatTilePath(path);
  COFFER_ASSIGN(const auto tree, core_->LookAtTree(call));
  if (audit::TileWidth(tree.checkpoint.size, path.level, path.n) < path.width) {
    return Fail(Code::kNotFound, "not_found");
  }
  COFFER_ASSIGN(auto reader, SnapshotReader::Open(*core_));
  if (path.entries) return audit::ReadBundleAt(reader->log(), path, tree.checkpoint.size);
  COFFER_ASSIGN(const auto tile, audit::ReadTileAt(reader->log(), path, tree.checkpoint.size));
  return std::string(crypto::AsText(tile));
}

Result<std::string> Vault::ReadCheckpoint(const Caller& caller) {
  Call call = core_->StartCall(caller, Action::kLogRead);
  COFFER_TRY(core_->Perform(OperationKind::kRead, call, std::nullopt, nullptr,
                            [](Transaction&) -> Status { return {}; }));
  return core_->publisher->published();
}

}  // namespace coffer::vault
