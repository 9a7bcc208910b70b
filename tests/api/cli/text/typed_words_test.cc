// What is typed into an option, and what a file of one line holds, as the server gets it.
#include "api/cli/text/typed_words.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "tests/api/cli/run_tool.h"
#include "vault/catalog/purpose.h"

namespace coffer::cli {
namespace {

const std::string kTypedApproval = "apr_" + std::string(25, '0') + "a";

std::string Capital(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

// "%41" is the byte that it encodes; a percent sign before anything else is one.
std::string AsTheServerReads(const std::string& header) {
  std::string text;
  for (std::size_t i = 0; i < header.size(); ++i) {
    const auto code = header.substr(i + 1, 2);
    const bool encoded = header[i] == '%' && code.size() == 2 &&
                         code.find_first_not_of("0123456789abcdefABCDEF") == code.npos;
    text += encoded ? static_cast<char>(std::stoi(code, nullptr, 16)) : header[i];
    if (encoded) i += 2;
  }
  return text;
}

}  // namespace

TEST_CASE("a reason reaches the server to the byte, whatever is typed") {
  Tool coffer(InTurn({Reply(200, R"({"items":[]})")}));
  std::vector<std::string> reasons = {
      "Client asked",  "-urgent", "--reason", "[call] him", "[a,b]",
      "{\"a\": [1]}",  "100%41",  "a % b",    "\"quoted\"", "'x'",
      "a=b",           "\\n",     "  both  ", " ",          "%20",
      "Anruf: Müller", "Иск № 5", "来电",     "a;b,c",      "%%",
      "x\xc2\xa0y",    "@file",   "#7",       "~",          "$HOME"};
  for (char c = '!'; c < 0x7f; ++c) {
    reasons.push_back(std::string(1, c));
    reasons.push_back(std::string(1, c) + " x " + c);
    reasons.push_back(" " + std::string(3, c) + " ");
  }
  for (const std::string& reason : reasons) {
    const Ran ran = coffer({"hold", "list", "--reason", reason});
    CAPTURE(reason, ran.err);
    if (reason == " ") {
      CHECK(ran.exit == 2);  // no words are no reason
      continue;
    }
    REQUIRE(ran.exit == 0);
    const std::string header = HeaderOf(coffer.server.requests().back(), "Coffer-Reason");
    // Blanks around a header's value are no part of it.
    CHECK_FALSE(header.starts_with(' '));
    CHECK_FALSE(header.ends_with(' '));
    CHECK(AsTheServerReads(header) == reason);
  }
}

TEST_CASE("codes and ids of ours are taken in any case and with any blanks") {
  Tool coffer(InTurn({Reply(200, R"({"items":[]})")}));
  for (const char* typed : {"client-care", "Client-Care", "CLIENT CARE", " client care ",
                            "client_care", "Client  Care", "client - care", "client-care\r"}) {
    for (const std::string& approval :
         {kTypedApproval, Capital(kTypedApproval), " " + kTypedApproval + "\r\n"}) {
      const Ran ran = coffer({"get", "cli_1", "--purpose", typed, "--approval", approval});
      CAPTURE(typed, ran.err);
      const HttpRequest& sent = coffer.server.requests().back();
      CHECK(HeaderOf(sent, "Coffer-Purpose") == "client-care");
      CHECK(HeaderOf(sent, "Coffer-Approval") == kTypedApproval);
    }
  }
  REQUIRE(coffer({"erase", "CLI_1", "--purpose", "dsr", "--basis", "Consent withdrawn", "--yes"})
              .exit != 2);
  CHECK(coffer.server.requests().back().target.ends_with("?basis=consent-withdrawn"));
  // Of what it asks, not of what this server knows to answer.
  (void)coffer({"log", "--purpose", "Client Care", "--outcome", "VERSION_MISMATCH", "--client",
                Capital("cli_1")});
  const std::string& asked = coffer.server.requests().back().target;
  CHECK(asked.contains("purpose=client-care"));
  CHECK(asked.contains("outcome=version_mismatch"));
  CHECK(asked.contains("client=cli_1"));
  // Codes that there may be are left as they are.
  for (const char* code : {"a", "a--b", "a-1-b", "a-"}) CHECK(PurposeCodeOf(code) == code);
  for (const char* none : {"client/care", "1 care", "кли"}) {
    CHECK_FALSE(vault::IsPurposeCode(PurposeCodeOf(none)));
  }
}

TEST_CASE("a token is its one word, whatever its file or variable has around it") {
  Tool coffer(InTurn({Reply(200, R"({"items":[]})")}));
  for (const char* before : {"", " ", "\xef\xbb\xbf"}) {
    for (const char* after : {"", "\r", " ", "\t \r", "\r\nnote"}) {
      const std::string file =
          coffer.Secret("typed.token", std::string(before) + "cft_abc" + after);
      REQUIRE(coffer({"hold", "list", "--token-file", file}).exit == 0);
      CHECK(coffer.TokenSent(coffer.reached.size() - 1) == "cft_abc");
    }
  }
  for (const char* value : {"cft_abc", " cft_abc", "cft_abc\r\n", "\tcft_abc "}) {
    setenv("COFFER_TOKEN", value, 1);
    REQUIRE(coffer({"hold", "list"}).exit == 0);
    CHECK(coffer.TokenSent(coffer.reached.size() - 1) == "cft_abc");
  }
  const std::string two = coffer.Secret("typed.token", "cft_a bc");
  CHECK(coffer({"hold", "list", "--token-file", two}).exit == 2);
}

TEST_CASE(
    "passwords and codes from files lose their line end, and a password no blank of its own") {
  Tool coffer(InTurn({Reply(201, R"({"id":"ses_1","token":"cfs_new"})")}));
  for (const char* before : {"", "\xef\xbb\xbf"}) {
    for (const char* after : {"", "\r", "\r\nnote"}) {
      const std::string password =
          coffer.Secret("typed.password", std::string(before) + " two  words " + after);
      const std::string code = coffer.Secret("typed.code", std::string(before) + "123 456" + after);
      const Ran ran = coffer(
          {"login", "--login", "anna", "--password-file", password, "--second-factor-file", code});
      CAPTURE(ran.err);
      const auto& requests = coffer.server.requests();
      const auto sent = std::find_if(requests.rbegin(), requests.rend(), [](const auto& request) {
        return request.target == "/v1/sessions";
      });
      REQUIRE(sent != requests.rend());
      CHECK(sent->body ==
            R"({"login":"anna","password":" two  words ","second_factor":"123 456"})");
    }
  }
}

}  // namespace coffer::cli
