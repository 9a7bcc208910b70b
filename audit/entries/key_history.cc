#include "audit/entries/key_history.h"

#include <algorithm>
#include <utility>

#include "audit/entries/entry_limits.h"
#include "audit/text/json_string.h"

namespace coffer::audit {
namespace {

constexpr std::string_view kPart = "key ";
constexpr std::string_view kBetweenParts = "; ";

std::unexpected<Error> Invalid(std::string detail) {
  return Fail(Code::kCorrupted, "key_history_invalid", std::move(detail));
}

bool SameKey(const VerifierKey& a, const VerifierKey& b) {
  return a.key == b.key && IsSameLog(a.name, b.name);
}

// The keys named in an entry's detail. Neither names of keys nor their base64 hold spaces.
std::vector<std::string_view> KeyParts(std::string_view detail) {
  std::vector<std::string_view> keys;
  while (true) {
    const auto end = detail.find(kBetweenParts);
    const std::string_view part = detail.substr(0, end);
    if (part.starts_with(kPart)) keys.push_back(part.substr(kPart.size()));
    if (end == detail.npos) return keys;
    detail.remove_prefix(end + kBetweenParts.size());
  }
}

}  // namespace

Result<std::string> KeyDetail(const VerifierKey& key) {
  std::string detail = std::string(kPart) + FormatVerifierKey(key);
  std::string written;
  AppendJsonString(detail, std::string::npos, written);
  if (written.size() > kMaxStringBytes + 2) {
    return Fail(Code::kInvalidArgument, "key_detail_too_long", "the log's name is too long");
  }
  return detail;
}

Status KeyHistory::Take(std::uint64_t seq, const Entry& entry) {
  const bool created = seq == 0 && entry.action == kLogCreated;
  const bool announced = entry.action == kKeyAnnounced;
  const bool retired = entry.action == kKeyRetired;
  if (!created && !announced && !retired) return {};
  if (entry.actor_kind != ActorKind::kSystem || entry.decision != Decision::kAllow ||
      entry.outcome != "ok") {
    return {};
  }
  const auto parts = KeyParts(entry.detail);
  if (created && parts.empty()) return {};
  if (parts.size() != 1) return Invalid("does not name one key");
  auto key = ParseVerifierKey(parts.front());
  if (!key) return Invalid("names a malformed key");
  if (!IsSameLog(key->name, log_)) return Invalid("names a key of another log");
  if (retired) return Retire(seq, *std::move(key));
  COFFER_TRY(Announce(seq, *std::move(key), created ? 0 : seq + 1));
  first_named_ = first_named_ || created;
  return {};
}

Status KeyHistory::Announce(std::uint64_t seq, VerifierKey key, std::uint64_t from) {
  if (Find(key) != nullptr) return Invalid("announces a key a second time");
  if (epochs_.size() == kMaxKeys) return Invalid("announces more keys than a log may have");
  epochs_.push_back({std::move(key), seq, from, std::nullopt});
  return {};
}

Status KeyHistory::Retire(std::uint64_t seq, VerifierKey key) {
  const auto same = [&](const Epoch& epoch) { return SameKey(epoch.key, key); };
  const auto known = std::ranges::find_if(epochs_, same);
  const bool is_first = known == epochs_.end() && !first_named_;
  if (known == epochs_.end() && !is_first) return Invalid("retires a key that was not announced");
  if (known != epochs_.end() && known->until) return Invalid("retires a key a second time");
  const bool another =
      (!first_named_ && !is_first) || std::ranges::any_of(epochs_, [&](const Epoch& epoch) {
        return !same(epoch) && !epoch.until;
      });
  if (!another) return Invalid("retires the last key");
  if (is_first) {
    epochs_.push_back({std::move(key), seq, 0, seq});
    first_named_ = true;
  } else {
    known->until = seq;
  }
  return {};
}

const KeyHistory::Epoch* KeyHistory::Find(const VerifierKey& key) const {
  const auto found =
      std::ranges::find_if(epochs_, [&](const Epoch& epoch) { return SameKey(epoch.key, key); });
  return found == epochs_.end() ? nullptr : &*found;
}

std::vector<VerifierKey> KeyHistory::MaySign(std::uint64_t size) const {
  std::vector<VerifierKey> keys;
  for (const Epoch& epoch : epochs_) {
    if (epoch.MaySign(size)) keys.push_back(epoch.key);
  }
  return keys;
}

}  // namespace coffer::audit
