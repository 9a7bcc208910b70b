#include "audit/entries/succession.h"

#include <utility>

#include "audit/text/decimal.h"

namespace coffer::audit {
namespace {

// Who reads names may have to go through all below.
constexpr std::uint64_t kMaxSuccession = 9999;
constexpr std::string_view kClosed = "closed ";
constexpr std::string_view kSize = "; size ";

struct NameParts {
  std::string_view first;
  std::uint32_t number = 1;
};

NameParts PartsOf(std::string_view log) {
  const auto mark = log.rfind('~');
  if (mark == std::string_view::npos || mark == 0) return {log, 1};
  const auto number = ParseDecimal(log.substr(mark + 1));
  if (!number || *number < 2 || *number > kMaxSuccession) return {log, 1};
  return {log.substr(0, mark), static_cast<std::uint32_t>(*number)};
}

std::unexpected<Error> NoSuccession(std::string detail) {
  return Fail(Code::kCorrupted, "succession_invalid", std::move(detail));
}

}  // namespace

std::uint32_t SuccessionNumber(std::string_view log) { return PartsOf(log).number; }

std::string_view FirstLogName(std::string_view log) { return PartsOf(log).first; }

std::string SuccessorName(std::string_view log) {
  const NameParts parts = PartsOf(log);
  return std::string(parts.first) + "~" + std::to_string(parts.number + 1);
}

bool IsOrSucceeds(std::string_view log, std::string_view earlier) {
  const NameParts later = PartsOf(log), before = PartsOf(earlier);
  return later.first == before.first && later.number >= before.number;
}

std::vector<VerifierKey> UnderAllNames(const VerifierKey& key) {
  const NameParts parts = PartsOf(key.name);
  std::vector<VerifierKey> keys{{std::string(parts.first), key.key}};
  for (std::uint32_t number = 2; number <= parts.number; ++number) {
    keys.push_back({std::string(parts.first) + "~" + std::to_string(number), key.key});
  }
  return keys;
}

Entry SuccessionEntry(const Checkpoint& closed) {
  Entry entry;
  entry.action = kLogSucceeded;
  entry.actor = "vault";
  entry.actor_kind = ActorKind::kSystem;
  entry.decision = Decision::kAllow;
  entry.outcome = "ok";
  entry.detail =
      std::string(kClosed) + closed.origin + std::string(kSize) + std::to_string(closed.size);
  entry.payload_hash = closed.root;
  return entry;
}

Status LogNames::Take(std::uint64_t seq, const Entry& entry) {
  const bool succeeded = entry.action == kLogSucceeded && entry.actor_kind == ActorKind::kSystem &&
                         entry.decision == Decision::kAllow && entry.outcome == "ok";
  if (!succeeded) {
    if (entry.log == name_) return {};
    Error wrong{Code::kCorrupted, "log_name_wrong", "is not of the log " + name_};
    if (IsOrSucceeds(entry.log, name_)) name_ = entry.log;
    return std::unexpected(std::move(wrong));
  }
  std::string_view detail = entry.detail;
  // The name has no white space, and the number is last.
  const auto between = detail.rfind(kSize);
  if (!detail.starts_with(kClosed) || between == std::string_view::npos || !entry.payload_hash) {
    return NoSuccession("does not say which log it follows");
  }
  Succession succession;
  succession.successor = entry.log;
  succession.from = seq;
  succession.closed.origin = detail.substr(kClosed.size(), between - kClosed.size());
  succession.closed.root = *entry.payload_hash;
  const auto size = ParseDecimal(detail.substr(between + kSize.size()));
  if (!size) return NoSuccession("does not say how long the log was that it follows");
  succession.closed.size = *size;
  // A copy from before a succession may follow the successor of its own log.
  if (!IsOrSucceeds(succession.closed.origin, name_)) {
    return NoSuccession("follows " + succession.closed.origin + ", which is another log");
  }
  if (succession.successor == succession.closed.origin ||
      !IsOrSucceeds(succession.successor, succession.closed.origin)) {
    return NoSuccession("has no name for a successor of " + succession.closed.origin);
  }
  if (succession.closed.origin == name_ && succession.closed.size < seq) {
    return NoSuccession("says that the log which it follows was shorter than what is left of it");
  }
  succession.before = name_;
  name_ = succession.successor;
  successions_.push_back(std::move(succession));
  return {};
}

}  // namespace coffer::audit
