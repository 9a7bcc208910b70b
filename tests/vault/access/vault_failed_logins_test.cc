// What counts as a failed login, and what does not: only what may have been a guess.
#include <catch2/catch_test_macros.hpp>
#include <functional>

#include "tests/support/authenticator.h"
#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

constexpr std::string_view kKnown = "correct horse battery staple";
constexpr std::string_view kPlace = "192.0.2.7";

crypto::SecretBytes SecretOf(std::string_view text) {
  return crypto::SecretBytes::CopyOf(crypto::AsBytes(text));
}

class CountedVault : public TestVault {
 public:
  explicit CountedVault(bool with_factor) {
    auto made =
        (*this)->principals().CreateUser(As(kAdministrator), {"tamsin", "Tamsin", "case-worker"});
    REQUIRE(made);
    user = made->user.id;
    std::string totp;
    if (with_factor) {
      const auto offer = (*this)->sessions().ReadEnrolment(Stranger(), "tamsin", made->code);
      REQUIRE(offer);
      app.emplace(offer->totp_uri);
      totp = app->CodeAt(clock.Now());
    }
    REQUIRE((*this)->sessions().CompleteEnrolment(Stranger(), "tamsin", made->code,
                                                  SecretOf(kKnown), totp));
    clock.Advance(30'000);
    const auto opened = LogIn();
    INFO(AnswerOf(opened));
    REQUIRE(opened);
    session = opened->secret;
    clock.Advance(30'000);
  }
  Result<NewSession> LogIn(std::string_view password = kKnown) {
    return (*this)->sessions().LogIn(Stranger(), "tamsin", SecretOf(password),
                                     app ? app->CodeAt(clock.Now()) : std::string());
  }
  Caller InSession() { return Stranger(session); }
  // Whether so many of it make the next login wait.
  bool Counts(const std::function<void()>& attempt) {
    for (int i = 0; i < 30; ++i) attempt();
    const auto next = LogIn();
    return !next && next.error().reason == "login_throttled";
  }

  PrincipalId user;
  std::optional<testing::Authenticator> app;
  std::string session;
};

TEST_CASE("a second factor asked of who has none is no failed login, and nobody waits for it") {
  CountedVault vault(false);
  CHECK(!vault.Counts([&] {
    CHECK(AnswerOf(vault->sessions().StepUp(vault.InSession(), "123456")) == "no_second_factor");
  }));
  // Nor does somebody else's guessing change the answer.
  for (int i = 0; i < 30; ++i) (void)vault.LogIn("a guess");
  CHECK(AnswerOf(vault->sessions().StepUp(vault.InSession(), "123456")) == "no_second_factor");
}

TEST_CASE("a code that is given without need is no failed login") {
  CountedVault vault(false);
  CHECK(!vault.Counts([&] {
    CHECK(AnswerOf(vault->sessions().ChangePassword(vault.InSession(), SecretOf(kKnown),
                                                    SecretOf("short"), "123456")) ==
          "password_invalid");
  }));
}

TEST_CASE("guesses count, wherever they are made") {
  using Guess = std::function<void(CountedVault&)>;
  const std::pair<const char*, Guess> guesses[] = {
      {"login", [](CountedVault& vault) { (void)vault.LogIn("a guess"); }},
      {"step-up",
       [](CountedVault& vault) { (void)vault->sessions().StepUp(vault.InSession(), "000000"); }},
      {"password change",
       [](CountedVault& vault) {
         (void)vault->sessions().ChangePassword(vault.InSession(), SecretOf("a guess"),
                                                SecretOf(kKnown), "");
       }},
      {"password change, second factor",
       [](CountedVault& vault) {
         (void)vault->sessions().ChangePassword(vault.InSession(), SecretOf(kKnown),
                                                SecretOf("another horse battery"), "000000");
       }},
      {"enrolment", [](CountedVault& vault) {
         (void)vault->sessions().ReadEnrolment(TestVault::Stranger(), "tamsin", "cfe_guess");
       }}};
  for (const auto& [name, guess] : guesses) {
    INFO(name);
    CountedVault vault(true);
    CHECK(vault.Counts([&] { guess(vault); }));
  }
}

TEST_CASE("that the vault cannot answer is no failed login") {
  CountedVault vault(true);
  const Bytes totp =
      vault.Blob("SELECT totp FROM user_credentials WHERE pid = ?", vault.user.bytes());
  vault.Tamper("UPDATE user_credentials SET totp = zeroblob(64) WHERE pid = ?", vault.user.bytes());
  for (int i = 0; i < 15; ++i) {
    CHECK(AnswerOf(vault->sessions().StepUp(vault.InSession(), "000000")) == "integrity_failed");
    const auto refused = vault.LogIn();
    REQUIRE(!refused);
    CHECK(refused.error().code == Code::kCorrupted);
  }
  vault.Tamper("UPDATE user_credentials SET totp = ? WHERE pid = ?", ByteView(totp),
               vault.user.bytes());
  CHECK(AnswerOf(vault.LogIn()) == "ok");
}

}  // namespace
}  // namespace coffer::vault
