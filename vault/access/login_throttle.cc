#include "vault/access/login_throttle.h"

#include <algorithm>

#include "vault/base/network.h"

namespace coffer::vault {
namespace {

constexpr std::int64_t kSecondMs = 1000;
constexpr std::int64_t kMinuteMs = 60 * kSecondMs;
constexpr std::int64_t kHourMs = 60 * kMinuteMs;
constexpr std::int64_t kLongestWaitMs = 15 * kMinuteMs;
constexpr std::uint32_t kFreeOfPair = 5;
constexpr std::uint32_t kFreeOfAddress = 20;
constexpr std::uint32_t kFreeOfAccount = 100;
constexpr std::int64_t kPairKeptMs = 24 * kHourMs;
constexpr std::int64_t kAddressKeptMs = kHourMs;
constexpr std::int64_t kFailureOfAccountKeptMs = kMinuteMs;
constexpr std::int64_t kKnownMs = 30 * 24 * kHourMs;
constexpr std::int64_t kSweepMs = kHourMs;

// 1, 2, 4 ... seconds.
std::int64_t BackOffMs(std::uint32_t failures, std::uint32_t free) {
  if (failures < free) return 0;
  return std::min(kSecondMs << std::min(failures - free, 20U), kLongestWaitMs);
}

}  // namespace

LoginThrottle::LoginThrottle(const Capacity& capacity)
    : most_known_accounts_(capacity.accounts),
      most_known_addresses_(capacity.known_addresses),
      pairs_{Rule::kPair, capacity.pairs},
      addresses_{Rule::kAddress, capacity.addresses},
      accounts_{Rule::kAccount, capacity.accounts} {}

// What is left of them now. A time in the future is of a clock that was set back since: it becomes
// now, so that what has been counted stays, and no wait is longer than from now.
LoginThrottle::Failures LoginThrottle::Settled(Rule rule, Failures failures, std::int64_t now) {
  failures.at_ms = std::min(failures.at_ms, now);
  const std::int64_t age = now - failures.at_ms;
  switch (rule) {
    case Rule::kPair:
      return age < kPairKeptMs ? failures : Failures();
    case Rule::kAddress:
      return age < kAddressKeptMs ? failures : Failures();
    case Rule::kAccount:
      break;
  }
  const std::int64_t forgotten = age / kFailureOfAccountKeptMs;
  if (forgotten >= failures.count) return {};
  failures.count -= static_cast<std::uint32_t>(forgotten);
  failures.at_ms += forgotten * kFailureOfAccountKeptMs;
  return failures;
}

std::int64_t LoginThrottle::WaitMs(Rule rule, const Failures& failures, std::int64_t now) {
  std::int64_t from_then_on = 0;
  switch (rule) {
    case Rule::kPair:
      from_then_on = BackOffMs(failures.count, kFreeOfPair);
      break;
    case Rule::kAddress:
      from_then_on = BackOffMs(failures.count, kFreeOfAddress);
      break;
    case Rule::kAccount:
      from_then_on = failures.count < kFreeOfAccount ? 0 : kFailureOfAccountKeptMs;
      break;
  }
  if (from_then_on == 0) return 0;
  return std::max<std::int64_t>(0, failures.at_ms + from_then_on - now);
}

LoginThrottle::Failures LoginThrottle::Table::Get(const Key& key, std::int64_t now) {
  const auto found = failures.find(key);
  if (found == failures.end()) return {};
  found->second = Settled(rule, found->second, now);
  return found->second;
}

void LoginThrottle::Table::Add(const Key& key, std::int64_t now) {
  if (!failures.contains(key)) MakeRoom(now);
  Failures& counted = failures[key];
  counted = Settled(rule, counted, now);
  if (counted.count == 0 || rule != Rule::kAccount) counted.at_ms = now;
  ++counted.count;
}

void LoginThrottle::Table::TakeBack(const Key& key, std::int64_t at, const Failures& before) {
  const auto found = failures.find(key);
  if (found == failures.end()) return;
  Failures& counted = found->second;
  if (counted.count <= 1) {
    failures.erase(found);
    return;
  }
  --counted.count;
  // The latest failure is the one before again, if no other has come since.
  if (before.count > 0 && counted.at_ms == at) {
    counted.at_ms = std::min(before.at_ms, at);
  }
}

void LoginThrottle::Table::Settle(std::int64_t now) {
  for (auto& [key, counted] : failures) counted = Settled(rule, counted, now);
  std::erase_if(failures, [](const auto& entry) { return entry.second.count == 0; });
}

// Evicts a sixteenth of a full table: of pairs and addresses those whose latest failure is oldest,
// of accounts those that will be forgotten first.
//
// An attacker who wants his own counter evicted has to fill the table behind it, with attempts that
// were let through, at the price of a password hash each, and of addresses: each brings 20 new
// entries, and then waits.
//   - A pair or an address: 61,440 attempts from 3,072 addresses. Whoever has those does not need
//     the eviction, as each of them has free attempts of its own; all of them together have what
//     the account's counter leaves.
//   - An account: each has one failure forgotten a minute, so the table is full only while 65,536
//     strangers' attempts a minute are let through, which is beyond the password hashes of a host.
//     Even then junk of a few failures goes before an account of a hundred, whose limit falls only
//     when 61,440 others have been tried about as often.
//   - Known addresses are in none of these tables: only logins that succeed can fill theirs, and
//     16 addresses are all that one account can take.
void LoginThrottle::Table::MakeRoom(std::int64_t now) {
  if (failures.size() < capacity) return;
  Settle(now);
  const std::size_t kept = capacity - std::max<std::size_t>(capacity / 16, 1);
  if (failures.size() <= kept) return;
  auto rank = [this](const Failures& counted) {
    return rule == Rule::kAccount ? counted.at_ms + counted.count * kFailureOfAccountKeptMs
                                  : counted.at_ms;
  };
  std::vector<std::pair<std::int64_t, std::map<Key, Failures>::iterator>> ranked;
  ranked.reserve(failures.size());
  for (auto entry = failures.begin(); entry != failures.end(); ++entry) {
    ranked.emplace_back(rank(entry->second), entry);
  }
  const std::size_t evicted = failures.size() - kept;
  std::ranges::nth_element(ranked, ranked.begin() + static_cast<std::ptrdiff_t>(evicted), {},
                           [](const auto& entry) { return entry.first; });
  for (std::size_t i = 0; i < evicted; ++i) failures.erase(ranked[i].second);
}

bool LoginThrottle::IsKnown(const Key& key, std::int64_t now) const {
  const auto account = known_.find(key.account);
  if (account == known_.end()) return false;
  const auto found = std::ranges::find(account->second, key.address, &KnownAddress::address);
  return found != account->second.end() && now - found->at_ms < kKnownMs;
}

void LoginThrottle::Remember(const Key& key, std::int64_t now) {
  if (key.address.empty()) return;
  if (!known_.contains(key.account) && known_.size() >= most_known_accounts_) {
    known_.erase(std::ranges::min_element(
        known_, {}, [](const auto& entry) { return entry.second.back().at_ms; }));
  }
  auto& addresses = known_[key.account];
  std::erase_if(addresses, [&](const KnownAddress& known) { return known.address == key.address; });
  if (addresses.size() >= most_known_addresses_) addresses.erase(addresses.begin());
  addresses.push_back({key.address, now});
}

// So that no address stays in memory for much longer than it counts. Whatever was noted before a
// clock was set back is of now.
void LoginThrottle::Sweep(std::int64_t now) {
  if (now >= swept_ms_ && now - swept_ms_ < kSweepMs) return;
  swept_ms_ = now;
  pairs_.Settle(now);
  addresses_.Settle(now);
  accounts_.Settle(now);
  for (auto& [account, addresses] : known_) {
    for (auto& known : addresses) known.at_ms = std::min(known.at_ms, now);
    std::erase_if(addresses, [&](const auto& known) { return now - known.at_ms >= kKnownMs; });
  }
  std::erase_if(known_, [](const auto& entry) { return entry.second.empty(); });
}

std::expected<LoginThrottle::Attempt, LoginThrottle::Wait> LoginThrottle::Begin(
    const crypto::Hash& account, std::string_view address, audit::Timestamp now) {
  Attempt attempt;
  attempt.key_ = {account, AddressBlock(address).value_or("")};
  attempt.at_ms_ = now.ms;
  const Key& pair = attempt.key_;
  const Key of_address{{}, pair.address}, of_account{account, {}};
  const std::lock_guard lock(mutex_);
  Sweep(now.ms);
  attempt.known_ = IsKnown(pair, now.ms);
  attempt.pair_before_ = pairs_.Get(pair, now.ms);
  attempt.address_before_ = addresses_.Get(of_address, now.ms);
  std::int64_t wait = std::max(WaitMs(Rule::kPair, attempt.pair_before_, now.ms),
                               WaitMs(Rule::kAddress, attempt.address_before_, now.ms));
  if (!attempt.known_) {
    wait = std::max(wait, WaitMs(Rule::kAccount, accounts_.Get(of_account, now.ms), now.ms));
  }
  if (wait > 0) return std::unexpected(Wait{wait});
  pairs_.Add(pair, now.ms);
  addresses_.Add(of_address, now.ms);
  if (!attempt.known_) accounts_.Add(of_account, now.ms);
  attempt.throttle_ = this;
  return attempt;
}

void LoginThrottle::Attempt::Succeed(audit::Timestamp now) {
  LoginThrottle* const throttle = throttle_;
  Withdraw();
  if (throttle == nullptr) return;
  const std::lock_guard lock(throttle->mutex_);
  throttle->pairs_.failures.erase(key_);
  throttle->Remember(key_, now.ms);
}

void LoginThrottle::Attempt::Withdraw() {
  LoginThrottle* const throttle = std::exchange(throttle_, nullptr);
  if (throttle == nullptr) return;
  const std::lock_guard lock(throttle->mutex_);
  throttle->pairs_.TakeBack(key_, at_ms_, pair_before_);
  throttle->addresses_.TakeBack({{}, key_.address}, at_ms_, address_before_);
  if (!known_) throttle->accounts_.TakeBack({key_.account, {}}, at_ms_, {});
}

}  // namespace coffer::vault
