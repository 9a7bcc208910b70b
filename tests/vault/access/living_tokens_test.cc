// How many tokens and sessions there may be, what goes with a token that is revoked, and that what
// ended does not stay for ever.
#include "vault/access/living_tokens.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <set>

#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

constexpr std::int64_t kTokenLife = 24 * 3600;

class RotatingVault : public TestVault {
 public:
  using TestVault::TestVault;

  NewToken First() {
    auto made = NewTokenFor("case-worker", kTokenLife, "a service");
    REQUIRE(made);
    return *std::move(made);
  }
  // By itself, which needs nobody's permission.
  Result<NewToken> Rotate(const NewToken& token, std::int64_t overlap_s = 3600) {
    clock.Advance(1);
    return (*this)->tokens().RotateToken(Stranger(token.secret), token.info.id, overlap_s);
  }
  NewToken Rotated(const NewToken& token, std::int64_t overlap_s = 3600) {
    auto made = Rotate(token, overlap_s);
    INFO(AnswerOf(made));
    REQUIRE(made);
    return *std::move(made);
  }
  std::string Use(const NewToken& token) {
    return AnswerOf((*this)->tokens().WhoAmI(Stranger(token.secret)));
  }
  std::string Revoke(const NewToken& token) {
    last = As(kAdministrator);
    return AnswerOf((*this)->tokens().RevokeToken(last, token.info.id));
  }
  std::int64_t RowsOf(const NewToken& token) {
    return Number("SELECT count(*) FROM tokens WHERE principal = ?", token.info.principal.bytes());
  }
  void Reopen() {
    Close();
    Open();
  }
  Caller last;
};

TEST_CASE("a service has no more tokens than fifty, however they are made") {
  RotatingVault vault;
  const NewToken first = vault.First();
  std::size_t living = 1;
  // The oldest one makes all the others, and each makes the next.
  for (NewToken newest = first; living < kMaxLivingTokens; ++living) {
    newest = vault.Rotated(living % 2 == 0 ? first : newest);
  }
  CHECK(AnswerOf(vault.Rotate(first)) == "too_many_tokens");
  CHECK(AnswerOf(vault->tokens().CreateToken(vault.As(kAdministrator),
                                             {.name = "one more",
                                              .principal = first.info.principal,
                                              .role = {},
                                              .lifetime_s = kTokenLife,
                                              .limits = {}})) == "too_many_tokens");
  CHECK(vault.RowsOf(first) == static_cast<std::int64_t>(kMaxLivingTokens));
  // One that ends at once makes room for the one in its place.
  const NewToken next = vault.Rotated(first, 0);
  CHECK(vault.Use(first) == "unauthenticated");
  CHECK(vault.Use(next) == "ok");
  // Another service is not concerned.
  CHECK(vault.Use(vault.First()) == "ok");
  vault.CheckInvariants();
}

TEST_CASE("a token that rotates itself for ever leaves no more rows than are kept") {
  RotatingVault vault;
  NewToken token = vault.First();
  for (int i = 0; i < 400; ++i) token = vault.Rotated(token, 0);
  CHECK(vault.Use(token) == "ok");
  CHECK(vault.RowsOf(token) <= static_cast<std::int64_t>(kMaxEndedTokens) + 2);
  CHECK(vault->tokens().ListTokens(vault.As(kAdministrator), {}, {200, ""})->items.size() <=
        kMaxEndedTokens + 2 + 7);
  vault.Reopen();
  CHECK(vault.Use(token) == "ok");
  vault.CheckInvariants();
}

TEST_CASE("what ended a month ago is gone with the next token of the service") {
  RotatingVault vault;
  const NewToken first = vault.First();
  const NewToken second = vault.Rotated(first, 0);
  vault.clock.Advance(kTokenLife * 1000 - 60'000);
  const NewToken third = vault.Rotated(second, 0);
  CHECK(vault.RowsOf(first) == 3);
  const auto again = [&] {
    return AnswerOf(
        vault->tokens().CreateToken(vault.As(kAdministrator), {.name = "again",
                                                               .principal = first.info.principal,
                                                               .role = {},
                                                               .lifetime_s = kTokenLife,
                                                               .limits = {}}));
  };
  vault.clock.Advance(kEndedTokensKeptMs + 120'000);
  CHECK(again() == "ok");
  CHECK(vault.RowsOf(first) == 2);  // the third ended a day later
  CHECK(AnswerOf(vault->tokens().RevokeToken(vault.As(kAdministrator), first.info.id)) ==
        "not_found");
  vault.CheckInvariants();
}

// Two branches below the first:  first - a - b - c,  first - d.
TEST_CASE("with a token go all that were issued in its place, and no others") {
  RotatingVault vault;
  const NewToken first = vault.First();
  const NewToken a = vault.Rotated(first), b = vault.Rotated(a), c = vault.Rotated(b);
  const NewToken d = vault.Rotated(first);
  const NewToken other = vault.First();
  const bool reopened = GENERATE(false, true);
  if (reopened) vault.Reopen();
  SECTION("from the middle") {
    CHECK(vault.Revoke(a) == "ok");
    for (const auto* gone : {&a, &b, &c}) CHECK(vault.Use(*gone) == "unauthenticated");
    for (const auto* left : {&first, &d, &other}) CHECK(vault.Use(*left) == "ok");
    const auto entries = vault.EntriesOf(vault.last);
    REQUIRE(entries.size() == 3);  // each with an entry of its own
    std::set<std::string> named;
    for (const json& entry : entries) {
      CHECK(entry.at("action") == "token.revoke");
      named.insert(entry.at("detail").get<std::string>().substr(0, a.info.id.Text().size()));
    }
    CHECK(named == std::set<std::string>{a.info.id.Text(), b.info.id.Text(), c.info.id.Text()});
  }
  SECTION("from the first, also one that ended already") {
    const NewToken e = vault.Rotated(first, 0);
    CHECK(vault.Use(first) == "unauthenticated");
    CHECK(vault.Revoke(first) == "ok");
    for (const auto* gone : {&a, &b, &c, &d, &e}) CHECK(vault.Use(*gone) == "unauthenticated");
    CHECK(vault.Use(other) == "ok");
  }
  if (reopened) vault.Reopen();
  CHECK(vault.Use(c) == "unauthenticated");
  vault.CheckInvariants();
}

TEST_CASE("what is forgotten in the middle does not part a token from those before it") {
  RotatingVault vault;
  const NewToken first = vault.First();
  NewToken newest = vault.Rotated(first);  // goes on for an hour
  for (std::size_t i = 0; i < 2 * kMaxEndedTokens; ++i) newest = vault.Rotated(newest, 0);
  REQUIRE(vault.RowsOf(first) < static_cast<std::int64_t>(kMaxEndedTokens) + 4);
  if (GENERATE(false, true)) vault.Reopen();
  CHECK(vault.Use(newest) == "ok");
  CHECK(vault.Revoke(first) == "ok");
  CHECK(vault.Use(newest) == "unauthenticated");
  vault.CheckInvariants();
}

TEST_CASE("who logs in too often ends what was used longest ago, and is not locked out") {
  RotatingVault vault;
  const auto made =
      vault->principals().CreateUser(vault.As(kAdministrator), {"tamsin", "Tamsin", "case-worker"});
  REQUIRE(made);
  const auto password =
      crypto::SecretBytes::CopyOf(crypto::AsBytes("correct horse battery staple"));
  REQUIRE(vault->sessions().CompleteEnrolment(TestVault::Stranger(), "tamsin", made->code, password,
                                              ""));
  std::vector<std::string> secrets;
  for (std::size_t i = 0; i < kMaxLivingSessions + kMaxEndedTokens + 20; ++i) {
    vault.clock.Advance(1000);
    const auto session = vault->sessions().LogIn(TestVault::Stranger(), "tamsin", password, "");
    REQUIRE(session);
    secrets.push_back(session->secret);
  }
  CHECK(vault->sessions().ListSessions(vault.As(kSecurityOfficer))->size() == kMaxLivingSessions);
  CHECK(AnswerOf(vault->tokens().WhoAmI(TestVault::Stranger(secrets.front()))) ==
        "unauthenticated");
  CHECK(AnswerOf(vault->tokens().WhoAmI(TestVault::Stranger(secrets.back()))) == "ok");
  CHECK(vault.Number("SELECT count(*) FROM tokens WHERE idle > 0") <=
        static_cast<std::int64_t>(kMaxLivingSessions + kMaxEndedTokens) + 1);
  vault.CheckInvariants();
}

}  // namespace
}  // namespace coffer::vault
