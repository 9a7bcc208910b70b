// Who calls, decided before the rest of a request is there.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

TEST_CASE("whoever is known may go on, without an entry, whatever he is then refused") {
  TestVault vault;
  const ClientId client = vault.NewClient("A-1");
  for (const Role role : kRoles) {
    const Caller caller = vault.As(role);
    CHECK_FALSE(caller.authenticated);
    CHECK(vault->operations().Authenticate(caller, Action::kClientErase, client));
    CHECK(caller.authenticated);
    CHECK(std::ranges::none_of(vault.WholeLog(), [&](const audit::Entry& entry) {
      return entry.request == caller.call.Text();
    }));
  }
}

TEST_CASE("whoever is not known is refused, with an entry like that of the request itself") {
  TestVault vault;
  const ClientId client = vault.NewClient("A-1");
  const auto revoked = vault.As(kCrmService);
  REQUIRE(vault->tokens().RevokeToken(vault.As(kSecurityOfficer), vault.TokenOf(kCrmService).id));
  for (const Caller& shown : {TestVault::Stranger(), TestVault::Stranger("nobody's"), revoked}) {
    Caller before = shown;
    before.call = CallId::New(vault.clock.Now());
    const auto refused = vault->operations().Authenticate(before, Action::kClientUpdate, client);
    REQUIRE(!refused);
    CHECK(refused.error().code == Code::kUnauthenticated);
    CHECK_FALSE(before.authenticated);
    Caller whole = shown;
    whole.call = CallId::New(vault.clock.Now());
    CHECK(vault->operations()
              .Refuse(whole, Action::kClientUpdate, client, std::nullopt,
                      {Code::kInvalidArgument, "json_invalid", {}, {}})
              .code == Code::kUnauthenticated);
    CHECK(vault.EntryOf(before) == vault.EntryOf(whole));
  }
}

TEST_CASE("what becomes of a request does not hide that its caller is known") {
  TestVault vault;
  const ClientId client = vault.NewClient("A-1");
  const Caller refused = vault.As(kAdministrator);
  CHECK(!vault->clients().GetClient(refused, client));
  CHECK(refused.authenticated);
  const Caller stranger = TestVault::Stranger("nobody's");
  CHECK(!vault->clients().GetClient(stranger, client));
  CHECK_FALSE(stranger.authenticated);
}

}  // namespace
}  // namespace coffer::vault
