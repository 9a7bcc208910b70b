#include "vault/oversight/scope_search.h"

#include <algorithm>
#include <unordered_map>

namespace coffer::vault {
namespace {

// A reader that holds one state of the database keeps its WAL from being emptied: so many entries,
// some tens of milliseconds, at a time.
constexpr std::uint64_t kScopeStep = 20'000;
constexpr std::size_t kMostAddresses = 10'000;

// A member and its value stand in the bytes of an entry in one spelling only, and the quotes of a
// value are escaped: what has not the text is not the subject's, and is not parsed.
std::string Member(std::string_view name, std::string_view value) {
  return "\"" + std::string(name) + "\":\"" + std::string(value) + "\"";
}

// Of an entry that can be read.
Result<std::optional<Timestamp>> TimeOf(LogStore& log, std::uint64_t seq) {
  COFFER_ASSIGN(const auto bytes, log.ReadEntry(seq));
  const auto entry = audit::ParseEntry(bytes.value_or(""));
  if (!entry) return std::nullopt;
  return entry->ts;
}

// The first entry that is not older than `time`. No entry is older than the one before it. Those
// that cannot be read are passed over, and lie behind the end rather than before it: they are
// counted.
Result<std::uint64_t> FirstEntrySince(LogStore& log, std::uint64_t size, Timestamp time) {
  std::uint64_t low = 0;
  std::uint64_t high = size;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    std::uint64_t at = middle;
    std::optional<Timestamp> ts;
    for (; at < high && !ts; ++at) {
      COFFER_ASSIGN(ts, TimeOf(log, at));
    }
    if (ts && *ts < time) {
      low = at;
    } else {
      high = middle;
    }
  }
  return low;
}

class ScopeSearch {
 public:
  ScopeSearch(LogStore& log, const ScopeSubject& subject, BreachScope& scope, ScopeCounter& counter)
      : log_(log), subject_(subject), scope_(scope), counter_(counter) {
    if (!subject.auth.empty()) auth_ = Member("auth", subject.auth);
    if (!subject.owner.empty()) {
      old_auth_ = Member("auth", subject.old_auth);
      owner_ = Member("actor", subject.owner);
    }
    if (!subject.actor.empty()) actor_ = Member("actor", subject.actor);
  }

  Status Run() {
    COFFER_ASSIGN(scope_.size, log_.Size());
    if (subject_.size) scope_.size = std::min(scope_.size, *subject_.size);
    std::uint64_t end = scope_.size;
    if (subject_.from) {
      COFFER_ASSIGN(scope_.first_seq, FirstEntrySince(log_, scope_.size, *subject_.from));
    }
    if (subject_.to) {
      COFFER_ASSIGN(end, FirstEntrySince(log_, scope_.size, *subject_.to));
    }
    end = std::max(end, scope_.first_seq);
    scope_.searched = end - scope_.first_seq;
    for (std::uint64_t at = scope_.first_seq; at < end; at += kScopeStep) {
      const std::uint64_t to = std::min(end, at + kScopeStep);
      std::uint64_t read = 0;
      COFFER_TRY(log_.ReadEntries(at, to, [&](std::uint64_t, std::string_view bytes) -> Status {
        ++read;
        return Look(bytes);
      }));
      scope_.unreadable += to - at - read;
    }
    return {};
  }

 private:
  bool MayMatch(std::string_view bytes) {
    if (!actor_.empty() && !bytes.contains(actor_)) return false;
    if (subject_.network && !MayBeFrom(bytes)) return false;
    if (auth_.empty() || bytes.contains(auth_)) return true;
    return !owner_.empty() && bytes.contains(old_auth_) && bytes.contains(owner_);
  }

  Status Look(std::string_view bytes) {
    if (!MayMatch(bytes)) return {};
    const auto entry = audit::ParseEntry(bytes);
    if (!entry) {
      ++scope_.unreadable;
      return {};
    }
    if (!subject_.actor.empty() && entry->actor != subject_.actor) return {};
    bool possible = false;
    if (!subject_.auth.empty() && entry->auth != subject_.auth) {
      const bool was_usable = subject_.usable_from && entry->ts >= *subject_.usable_from &&
                              entry->ts <= *subject_.usable_to;
      if (entry->auth != subject_.old_auth || entry->actor != subject_.owner || !was_usable) {
        return {};
      }
      possible = true;
    }
    if (subject_.network && !IsFrom(*entry)) return {};
    return counter_.Take(*entry, possible);
  }

  bool IsFrom(const audit::Entry& entry) {
    if (entry.address.empty()) {
      if (entry.actor_kind != audit::ActorKind::kSystem) ++scope_.without_address;
      return false;
    }
    return IsOfNetwork(entry.address);
  }

  // One without an address is looked at: it is counted.
  bool MayBeFrom(std::string_view bytes) {
    static constexpr std::string_view kAddress = "\"address\":\"";
    const auto at = bytes.find(kAddress);
    if (at == bytes.npos) return true;
    const std::string_view rest = bytes.substr(at + kAddress.size());
    return IsOfNetwork(rest.substr(0, rest.find('"')));
  }

  bool IsOfNetwork(std::string_view address) {
    if (addresses_.size() > kMostAddresses) addresses_.clear();
    const auto [found, fresh] = addresses_.try_emplace(std::string(address), false);
    if (fresh) found->second = subject_.network->Contains(address);
    return found->second;
  }

  LogStore& log_;
  const ScopeSubject& subject_;
  BreachScope& scope_;
  ScopeCounter& counter_;
  std::string auth_, old_auth_, owner_, actor_;
  std::unordered_map<std::string, bool> addresses_;  // whether it is of the network
};

}  // namespace

Status SearchScope(LogStore& log, const ScopeSubject& subject, BreachScope& scope,
                   ScopeCounter& counter) {
  return ScopeSearch(log, subject, scope, counter).Run();
}

}  // namespace coffer::vault
