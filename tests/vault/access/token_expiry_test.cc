// When services' tokens end, as metrics and status say it.
#include <algorithm>

#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

constexpr std::int64_t kExpiryDay = std::int64_t{24} * 3600;

struct ExpiryVault : TestVault {
  TokenExpiry Expiry() {
    const auto status = (*this)->monitoring().ReadStatus(As(kAdministrator));
    REQUIRE(status);
    const auto statistics = (*this)->monitoring().ReadStatistics(As(kAdministrator));
    REQUIRE(statistics);
    CHECK(statistics->tokens.within_7_days == status->tokens.within_7_days);
    CHECK(statistics->tokens.within_30_days == status->tokens.within_30_days);
    CHECK(statistics->tokens.next == status->tokens.next);
    CHECK(statistics->tokens.services.size() == status->tokens.services.size());
    return status->tokens;
  }
  const ServiceTokens* Find(const TokenExpiry& expiry, const PrincipalId& service) {
    const auto found = std::ranges::find(expiry.services, service, &ServiceTokens::service);
    return found == expiry.services.end() ? nullptr : &*found;
  }
  NewToken Make(std::int64_t lifetime_s, std::optional<PrincipalId> service = {}) {
    auto token =
        (*this)->tokens().CreateToken(As(kAdministrator), {.name = "a service",
                                                           .principal = service,
                                                           .role = service ? "" : "case-worker",
                                                           .lifetime_s = lifetime_s,
                                                           .limits = {}});
    INFO(AnswerOf(token));
    REQUIRE(token);
    return *std::move(token);
  }
};

TEST_CASE("tokens that end soon are counted, with the services that have no other one") {
  ExpiryVault vault;
  const TokenExpiry before = vault.Expiry();
  const auto soon = vault.Make(7 * kExpiryDay);
  const auto later = vault.Make(30 * kExpiryDay);
  const auto far = vault.Make(31 * kExpiryDay);
  TokenExpiry expiry = vault.Expiry();
  CHECK(expiry.within_7_days == before.within_7_days + 1);
  CHECK(expiry.within_30_days == before.within_30_days + 2);
  CHECK(expiry.next == soon.info.expires);
  CHECK(expiry.services.front().service == soon.info.principal);
  CHECK(expiry.services.front().name == "a service");
  CHECK(std::ranges::is_sorted(expiry.services, {}, &ServiceTokens::last));
  REQUIRE(vault.Find(expiry, far.info.principal) != nullptr);
  CHECK(vault.Find(expiry, far.info.principal)->last == far.info.expires);

  // Another token: the service goes on beyond the first.
  const auto second = vault.Make(60 * kExpiryDay, soon.info.principal);
  expiry = vault.Expiry();
  const ServiceTokens* const service = vault.Find(expiry, soon.info.principal);
  REQUIRE(service != nullptr);
  CHECK(service->tokens == 2);
  CHECK(service->next == soon.info.expires);
  CHECK(service->last == second.info.expires);

  // What does not count any more is not counted.
  REQUIRE(vault->tokens().RevokeToken(vault.As(kAdministrator), later.info.id));
  CHECK(vault.Expiry().within_30_days == before.within_30_days + 1);
  CHECK(vault.Find(vault.Expiry(), later.info.principal) == nullptr);
  PrincipalChange disable;
  disable.disabled = true;
  REQUIRE(
      vault->principals().UpdatePrincipal(vault.As(kAdministrator), far.info.principal, disable));
  CHECK(vault.Find(vault.Expiry(), far.info.principal) == nullptr);
  vault.clock.Advance(7 * kExpiryDay * 1000);
  expiry = vault.Expiry();
  REQUIRE(vault.Find(expiry, soon.info.principal) != nullptr);
  CHECK(vault.Find(expiry, soon.info.principal)->tokens == 1);
  CHECK(expiry.next != soon.info.expires);
}

}  // namespace
}  // namespace coffer::vault
