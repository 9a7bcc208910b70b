// How often logins may be tried. Guessing is slowed down in three ways; the longest wait counts:
//
//   account from address   5 failures without a wait, then 1, 2, 4 ... seconds up to 15 minutes
//                          after the latest; forgotten by a login that succeeds, or after 24 hours
//   address                the same after 20 failures at any accounts (one password tried at many);
//                          forgotten an hour after the latest, never by logins that succeed, which
//                          an attacker with an account could make at will
//   account                100 failures from addresses it is not known from, of which one is
//                          forgotten each minute: from then on one attempt a minute is left to all
//                          strangers together, however many addresses they have. An address is
//                          known for 30 days after a login from it; it neither counts here nor
//                          waits, so that nobody elsewhere can lock out people where they usually
//                          are
//
// IPv6 addresses of one /64 are one address. Whoever calls from what is no address shares one
// address, from which no account is known.
//
// Names that no account has must be asked about alike: nothing here knows which accounts exist, and
// what it answers to a stranger does not tell. All is in memory, and gone after a restart.
#pragma once

#include <compare>
#include <cstdint>
#include <expected>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "audit/text/clock.h"
#include "crypto/bytes.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

class LoginThrottle {
  struct Key {  // the part that does not matter is empty
    crypto::Hash account{};
    std::string address;
    auto operator<=>(const Key&) const = default;
  };
  struct Failures {
    std::uint32_t count = 0;
    std::int64_t at_ms = 0;  // of the latest; for an account, since when they are being forgotten
  };

 public:
  struct Capacity {              // each at least 1
    std::size_t pairs = 65'536;  // of account and address
    std::size_t addresses = 65'536;
    std::size_t accounts = 65'536;
    std::size_t known_addresses = 16;  // of one account
  };

  struct Wait {
    std::int64_t ms = 0;  // 1 to 900,000
  };

  // An attempt that may be made. It has been counted as a failure already, so that of a thousand
  // guesses at the same time not each is the first, and stays one unless it is told otherwise: by
  // the first call of either function, once. Must not outlive the throttle.
  class Attempt {
   public:
    Attempt(Attempt&& other) noexcept
        : throttle_(std::exchange(other.throttle_, nullptr)),
          key_(std::move(other.key_)),
          pair_before_(other.pair_before_),
          address_before_(other.address_before_),
          at_ms_(other.at_ms_),
          known_(other.known_) {}
    Attempt& operator=(Attempt&&) = delete;
    ~Attempt() = default;

    // All factors were right: forgets the pair's failures, and the address is known from now on.
    void Succeed(audit::Timestamp now);
    // As if it had not been made: the password was not looked at (no memory, too many at once), or
    // nothing was guessed.
    void Withdraw();

   private:
    friend class LoginThrottle;
    Attempt() = default;
    LoginThrottle* throttle_ = nullptr;
    Key key_;
    Failures pair_before_, address_before_;
    std::int64_t at_ms_ = 0;
    bool known_ = false;
  };

  LoginThrottle() : LoginThrottle(Capacity()) {}
  explicit LoginThrottle(const Capacity& capacity);

  // `account`: a keyed hash of the name that was given, so that no names are held here, and nobody
  // can choose which are close together. `address`: see ClientAddress. An attempt that must wait
  // counts nowhere; trying early makes no wait longer.
  [[nodiscard]] std::expected<Attempt, Wait> Begin(const crypto::Hash& account,
                                                   std::string_view address, audit::Timestamp now);

 private:
  enum class Rule { kPair, kAddress, kAccount };
  struct Table {
    Rule rule;
    std::size_t capacity;
    // Ordered: there is no hash whose collisions a caller could look for.
    std::map<Key, Failures> failures = {};

    Failures Get(const Key& key, std::int64_t now);
    void Add(const Key& key, std::int64_t now);
    // Of one failure that was counted at `at`. Its time goes back to that of `before`, if that has
    // any failures and none has come since; an account's has no need to.
    void TakeBack(const Key& key, std::int64_t at, const Failures& before);
    void Settle(std::int64_t now);
    void MakeRoom(std::int64_t now);
  };
  struct KnownAddress {
    std::string address;
    std::int64_t at_ms = 0;  // of the latest login
  };

  static Failures Settled(Rule rule, Failures failures, std::int64_t now);
  static std::int64_t WaitMs(Rule rule, const Failures& failures, std::int64_t now);
  bool IsKnown(const Key& key, std::int64_t now) const;
  void Remember(const Key& key, std::int64_t now);
  void Sweep(std::int64_t now);

  const std::size_t most_known_accounts_, most_known_addresses_;
  std::mutex mutex_;
  Table pairs_, addresses_, accounts_;
  std::map<crypto::Hash, std::vector<KnownAddress>> known_;  // by account; oldest login first
  std::int64_t swept_ms_ = 0;
};

}  // namespace coffer::vault
