#include "vault/base/ids.h"

#include <algorithm>
#include <atomic>
#include <span>

#include "crypto/random.h"

namespace coffer::vault {
namespace {

// Ids of services made before there were users end in any byte: one that is no other kind's.
constexpr std::uint8_t kServiceByte = 's';
constexpr std::uint8_t kUserByte = 'u';
constexpr std::uint8_t kTeamByte = 't';

std::string_view PrefixOf(PrincipalKind kind) {
  switch (kind) {
    case PrincipalKind::kUser:
      return "usr_";
    case PrincipalKind::kTeam:
      return "team_";
    case PrincipalKind::kService:
      break;
  }
  return "svc_";
}

}  // namespace

PrincipalId PrincipalId::New(audit::Timestamp now, PrincipalKind kind) {
  PrincipalId id{NewId(now)};
  id.value.back() = kind == PrincipalKind::kUser   ? kUserByte
                    : kind == PrincipalKind::kTeam ? kTeamByte
                                                   : kServiceByte;
  return id;
}

PrincipalKind PrincipalId::kind() const {
  return value.back() == kUserByte   ? PrincipalKind::kUser
         : value.back() == kTeamByte ? PrincipalKind::kTeam
                                     : PrincipalKind::kService;
}

Result<PrincipalId> PrincipalId::Parse(std::string_view text) {
  for (const auto kind : {PrincipalKind::kService, PrincipalKind::kUser, PrincipalKind::kTeam}) {
    if (!text.starts_with(PrefixOf(kind))) continue;
    const auto decoded = crypto::Base32Decode(text.substr(PrefixOf(kind).size()));
    if (decoded && PrincipalId{*decoded}.kind() == kind) return PrincipalId{*decoded};
  }
  return Fail(Code::kNotFound, "not_found");
}

std::string PrincipalId::Text() const {
  return std::string(PrefixOf(kind())) + crypto::Base32Encode(value);
}

Id128 NewId(audit::Timestamp now) {
  static std::atomic<std::uint64_t> last{0};
  Id128 id;
  crypto::FillRandom(id);

  const auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(now.ms, 0)) & 0xffff'ffff'ffff;
  // A fresh millisecond starts low in the sequence's range, which leaves room to count upwards.
  const std::uint64_t fresh = ms << 15 | (static_cast<std::uint64_t>(id[6]) << 5 | id[7] >> 3);
  std::uint64_t previous = last.load(std::memory_order_relaxed);
  std::uint64_t next = 0;
  do {
    next = std::max(fresh, previous + 1);
  } while (!last.compare_exchange_weak(previous, next, std::memory_order_relaxed));

  std::uint64_t high = next << 1 | (id[7] & 1);
  for (int i = 7; i >= 0; --i, high >>= 8) {
    id[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(high);
  }
  return id;
}

}  // namespace coffer::vault
