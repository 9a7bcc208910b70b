// Which clients' consents stand, of the purposes that require one: asked with each decision.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vault/base/ids.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

// To one purpose. By the client's row, and until when: 16 bytes each in one open table of which
// half to three quarters are used, so that two million take 64 MiB at most, and finding one touches
// a line of memory or two. What has expired stays until the next start.
class StandingConsents {
 public:
  static constexpr Timestamp kForever{std::numeric_limits<std::int64_t>::max()};

  void Put(std::int64_t client, Timestamp until);     // in place of what is there
  void Extend(std::int64_t client, Timestamp until);  // the later of both
  void Remove(std::int64_t client);
  bool Has(std::int64_t client, Timestamp now) const;
  std::size_t size() const { return used_; }

 private:
  struct Slot {
    std::int64_t client = 0, until = kEmpty;
  };
  static constexpr std::int64_t kEmpty = std::numeric_limits<std::int64_t>::min();

  std::size_t HomeOf(std::int64_t client) const;
  std::size_t After(std::size_t place) const { return place + 1 == slots_.size() ? 0 : place + 1; }
  // Where it is, or may be put. Precondition: there are slots.
  std::size_t Find(std::int64_t client) const;
  Slot& SlotOf(std::int64_t client);
  void Grow();

  std::vector<Slot> slots_;
  std::size_t used_ = 0;
};

// Engine thread only.
class ConsentRegister {
 public:
  void Clear() { by_purpose_.clear(); }
  // From now on the purpose requires a consent, of which these stand; or requires none any more.
  void Require(std::string purpose, StandingConsents standing);
  void RequireNone(std::string_view purpose);
  bool IsRequired(std::string_view purpose) const { return by_purpose_.contains(purpose); }

  // Of a purpose that requires none nothing is kept.
  void Put(const ClientId& client, std::string_view purpose, Timestamp until);
  void Remove(const ClientId& client, std::string_view purpose);
  void Forget(const ClientId& client);
  bool Has(const ClientId& client, std::string_view purpose, Timestamp now) const;

 private:
  std::map<std::string, StandingConsents, std::less<>> by_purpose_;
};

}  // namespace coffer::vault
