// Codes as people type them: whatever stands between their letters and digits, and in whichever
// case these are, is the same code; and nothing else is.
#include "vault/access/typed_code.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "tests/support/authenticator.h"
#include "tests/vault/test_vault.h"
#include "vault/access/login.h"

namespace coffer::vault {
namespace {

using enum Role;

constexpr std::string_view kTypedPassword = "correct horse battery staple";

crypto::SecretBytes TypedPassword() {
  return crypto::SecretBytes::CopyOf(crypto::AsBytes(kTypedPassword));
}

std::string Capitals(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}
std::string WithoutCharacters(std::string text, std::string_view dropped) {
  std::erase_if(text, [&](char c) { return dropped.contains(c); });
  return text;
}
// `between` behind every `size` characters.
std::string Grouped(const std::string& text, std::size_t size, const std::string& between) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i > 0 && i % size == 0) out += between;
    out += text[i];
  }
  return out;
}
std::string Wide(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const int code = 0xff00 + (c - 0x20);
    if (c <= ' ' || c == '_' || c == '-') {
      out += c;
    } else {
      out += {'\xef', static_cast<char>(0x80 | (code >> 6 & 0x3f)),
              static_cast<char>(0x80 | (code & 0x3f))};
    }
  }
  return out;
}
std::string Misread(std::string text) {
  std::ranges::replace(text, '0', 'O');
  std::ranges::replace(text, '1', 'l');
  return text;
}

// Everything that a code may come out as between a sheet of paper and a form.
std::vector<std::string> WaysToType(const std::string& code) {
  const std::string bare = WithoutCharacters(code, "-");
  std::vector<std::string> ways = {
      code,          Capitals(code),        bare,       Capitals(bare),       " " + code + " ",
      code + "\r\n", "\xef\xbb\xbf" + code, Wide(code), Wide(Capitals(bare)), Misread(code)};
  for (const char* between : {" ", "-", "\xc2\xa0", "\xe2\x80\x93", "\xe2\x80\x91", "\t", " - "}) {
    for (const std::size_t size : {3U, 4U}) ways.push_back(Grouped(bare, size, between));
  }
  return ways;
}

// One that is not the code, however near.
std::vector<std::string> Others(const std::string& code) {
  std::string last = code, first = code;
  last.back() = last.back() == '7' ? '8' : '7';
  const auto at = code.starts_with("cfe_") ? 4U : 0U;
  first[at] = first[at] == '2' ? '3' : '2';
  return {last, first, code + "0", code.substr(0, code.size() - 1), "", "-", code + code};
}

}  // namespace

TEST_CASE("a code is its letters and digits, however it is typed") {
  for (int i = 0; i < 20; ++i) {
    const std::string enrolment = NewEnrolmentCode(), recovery = NewRecoveryCode();
    for (const std::string& typed : WaysToType(enrolment)) {
      INFO(typed);
      CHECK(EnrolmentCodeOf(typed) == enrolment);
    }
    CHECK(EnrolmentCodeOf(enrolment.substr(4)) == enrolment);
    CHECK(EnrolmentCodeOf("CFE-" + Capitals(enrolment.substr(4))) == enrolment);
    for (const std::string& typed : WaysToType(recovery)) {
      INFO(typed);
      CHECK(SecondFactorCodeOf(typed) == recovery);
    }
    for (const std::string& other : Others(enrolment)) CHECK(EnrolmentCodeOf(other) != enrolment);
    for (const std::string& other : Others(recovery)) CHECK(SecondFactorCodeOf(other) != recovery);
  }
  for (const std::string& typed : WaysToType("120456"))
    CHECK(SecondFactorCodeOf(typed) == "120456");
  CHECK(SecondFactorCodeOf("120457") != "120456");
}

TEST_CASE("every place that takes a code takes it as it is typed") {
  TestVault vault;
  int users = 0;
  const auto enrolled = [&](const std::string& typed_with, std::size_t way) {
    const auto made = vault->principals().CreateUser(
        vault.As(kAdministrator),
        {"user" + std::to_string(users++), "Tamsin Tealeaf", std::string(Name(kCaseWorker))});
    REQUIRE(made);
    const std::string& login = made->user.login;
    const std::string code = WaysToType(made->code)[way];
    const auto offer = vault->sessions().ReadEnrolment(TestVault::Stranger(), login, code);
    INFO(typed_with << ": " << code);
    REQUIRE(offer);
    testing::Authenticator app(offer->totp_uri);
    const auto totp = WaysToType(app.CodeAt(vault.clock.Now()))[way];
    const auto done = vault->sessions().CompleteEnrolment(TestVault::Stranger(), login, code,
                                                          TypedPassword(), totp);
    INFO(AnswerOf(done));
    REQUIRE(done);
    vault.clock.Advance(30'000);
    return std::tuple(login, app, done->recovery_codes);
  };
  const std::size_t ways = WaysToType("x").size();
  for (std::size_t way = 0; way < ways; ++way) {
    auto [login, app, recovery] = enrolled("enrolment", way);
    const auto code = [&] {
      vault.clock.Advance(30'000);
      return WaysToType(app.CodeAt(vault.clock.Now()))[way];
    };
    const auto session =
        vault->sessions().LogIn(TestVault::Stranger(), login, TypedPassword(), code());
    REQUIRE(session);
    CHECK(vault->sessions().LogIn(TestVault::Stranger(), login, TypedPassword(),
                                  WaysToType(recovery[0])[way]));
    // It is used up, in every spelling.
    CHECK(AnswerOf(vault->sessions().LogIn(TestVault::Stranger(), login, TypedPassword(),
                                           recovery[0])) == "login_failed");
    CHECK(vault->sessions().StepUp(TestVault::Stranger(session->secret), code()));
    CHECK(vault->sessions().StepUp(TestVault::Stranger(session->secret),
                                   WaysToType(recovery[1])[way]));
    const auto fresh = crypto::SecretBytes::CopyOf(crypto::AsBytes("another horse for the day"));
    CHECK(vault->sessions().ChangePassword(TestVault::Stranger(session->secret), TypedPassword(),
                                           fresh, code()));
  }
}

}  // namespace coffer::vault
