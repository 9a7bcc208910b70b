// Looking into the access log and proving it. Each look is itself an entry.
#include <algorithm>

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

}  // namespace coffer::vault
