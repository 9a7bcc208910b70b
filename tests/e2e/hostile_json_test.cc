// Bodies that are no JSON, or JSON made to hurt: refused with the documented problem, a bounded
// amount of work, and an entry in the log.
#include <catch2/catch_test_macros.hpp>

#include "tests/support/refusals.h"
#include "tests/support/running_vault.h"

using namespace coffer::testing;
using nlohmann::json;

namespace {

std::string Repeated(const std::string& text, int times) {
  std::string all;
  all.reserve(text.size() * static_cast<std::size_t>(times));
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

struct Body {
  const char* why;
  std::string text;
  const char* code;
};

std::vector<Body> HostileBodies() {
  const std::string s = kSentinel;
  const auto inside = [&](const std::string& value) {
    return R"({"class":"contact","data":{"last_name":)" + value + "}}";
  };
  return {
      {"nothing", "", "body_required"},
      {"white space", "  \r\n\t ", "json_invalid"},
      {"cut off", R"({"class":"contact","data":{"last_name":")" + s, "json_invalid"},
      {"a comma too many", inside("\"" + s + "\","), "json_invalid"},
      {"a bare word", inside(s), "json_invalid"},
      {"single quotes", inside("'" + s + "'"), "json_invalid"},
      {"a comment", "/* " + s + " */" + inside("\"x\""), "json_invalid"},
      {"two documents", inside("\"" + s + "\"") + inside("\"x\""), "json_invalid"},
      {"trailing garbage", inside("\"" + s + "\"") + "x", "json_invalid"},
      {"trailing NUL", inside("\"" + s + "\"") + std::string(1, '\0'), "json_not_utf8"},
      {"NaN", inside("NaN"), "json_invalid"},
      {"Infinity", inside("-Infinity"), "json_invalid"},
      {"a number beyond doubles", inside("1e400"), "json_invalid"},
      {"a leading zero", inside("012"), "json_invalid"},
      {"a leading plus", inside("+1"), "json_invalid"},
      {"a hexadecimal number", inside("0x1F"), "json_invalid"},
      {"a raw newline in text", inside("\"" + s + "\n\""), "json_invalid"},
      {"an unknown escape", inside("\"" + s + "\\x41\""), "json_invalid"},
      {"a lone high surrogate", inside("\"" + s + "\\ud800\""), "json_invalid"},
      {"a lone low surrogate", inside("\"" + s + "\\udc00\""), "json_invalid"},
      {"surrogates the wrong way", inside("\"" + s + "\\udc00\\ud800\""), "json_invalid"},
      {"a surrogate cut off", inside("\"" + s + "\\ud800\\u00\""), "json_invalid"},
      {"an encoded surrogate", inside("\"" + s + "\xed\xa0\x80\""), "json_not_utf8"},
      {"an overlong slash", inside("\"" + s + "\xc0\xaf\""), "json_not_utf8"},
      {"a byte that is no UTF-8", inside("\"" + s + "\xff\""), "json_not_utf8"},
      {"a character cut off", inside("\"" + s + "\xe2\x82\""), "json_not_utf8"},
      {"beyond U+10FFFF", inside("\"" + s + "\xf4\x90\x80\x80\""), "json_not_utf8"},
      {"UTF-16", std::string("\xff\xfe{\0}\0", 6), "json_not_utf8"},
      {"a member twice", R"({"class":"contact","class":")" + s + R"(","data":{}})",
       "json_duplicate_key"},
      {"a member twice, spelled differently",
       R"({"class":"contact","data":{"last_name":"x","\u006cast_name":")" + s + "\"}}",
       "json_duplicate_key"},
      {"arrays 100,000 deep", Repeated("[", 100'000), "json_too_deep"},
      {"arrays 100,000 deep, closed", Repeated("[", 100'000) + Repeated("]", 100'000),
       "json_too_deep"},
      {"objects 50,000 deep", Repeated(R"({"a":)", 50'000), "json_too_deep"},
      {"objects 33 deep", Repeated(R"({"a":)", 32) + "{}" + Repeated("}", 32), "json_too_deep"},
      {"form data", "class=contact&last_name=" + s, "json_invalid"},
  };
}

}  // namespace

TEST_CASE("hostile JSON is refused by name, wherever a body is taken") {
  RunningVault vault;
  const std::string client = vault.NewClient("A-1");
  const std::string record = vault.NewContact(client, {{"last_name", "Bergmann"}});
  const std::string path = "/v1/clients/" + client;
  auto crm = vault.As("crm-service");
  auto admin = vault.As("administrator", "");
  Refusals refusals(vault);
  for (const auto& body : HostileBodies()) {
    INFO(body.why);
    const auto send = [&](Caller& caller, const std::string& method, const std::string& target,
                          const std::string& action) {
      INFO(method + " " + target);
      refusals.Expect(
          caller.Send(method, target, body.text, "application/json", {{"If-Match", "\"1\""}}), 400,
          body.code, action);
    };
    send(crm, "POST", path + "/records", "record.create");
    send(crm, "PUT", path + "/records/" + record, "record.update");
  }
  // One of each kind everywhere else.
  for (const auto& [text, code] :
       {std::pair("{", "json_invalid"), std::pair("\"\xff\"", "json_not_utf8"),
        std::pair(R"({"title":1,"title":2})", "json_duplicate_key")}) {
    for (const auto& [method, target, action] :
         {std::tuple("POST", std::string("/v1/clients"), "client.create"),
          std::tuple("POST", std::string("/v1/clients/search"), "client.search"),
          std::tuple("PATCH", path, "client.update")}) {
      refusals.Expect(crm.Send(method, target, text, "application/json", {{"If-Match", "\"1\""}}),
                      400, code, action);
    }
    for (const auto& [method, target, action] :
         {std::tuple("PUT", "/v1/classes/contact", "class.write"),
          std::tuple("PUT", "/v1/purposes/client-care", "purpose.write"),
          std::tuple("POST", "/v1/tokens", "token.create")}) {
      refusals.Expect(admin.Send(method, target, text, "application/json"), 400, code, action);
    }
    auto officer = vault.As("security-officer", "");
    refusals.Expect(officer.Send("POST", "/v1/log/verify", text, "application/json"), 400, code,
                    "log.verify");
  }
  // 32 deep is allowed, and then is simply not what a field asks for.
  refusals.Expect(crm.Send("POST", path + "/records",
                           R"({"class":"contact","data":{"last_name":)" + Repeated("[", 30) +
                               Repeated("]", 30) + "}}",
                           "application/json"),
                  422, "document_invalid", "record.create");
  refusals.CheckNothingChanged();
}

TEST_CASE("a byte order mark is no JSON") {
  RunningVault vault;
  const std::string records = "/v1/clients/" + vault.NewClient("A-1") + "/records";
  Refusals refusals(vault);
  refusals.Expect(vault.As("crm-service")
                      .Send("POST", records,
                            "\xef\xbb\xbf{\"class\":\"contact\",\"data\":{\"last_name\":\"x\"}}",
                            "application/json"),
                  400, "json_invalid", "record.create");
  refusals.CheckNothingChanged();
}

TEST_CASE("an import refuses its bad lines by number and keeps the good ones") {
  RunningVault vault;
  auto crm = vault.As("crm-service");
  std::string lines;
  std::vector<std::string> codes;
  const auto add = [&](const std::string& line, const std::string& code) {
    lines += line + "\n";
    codes.push_back(code);
  };
  add(R"({"external_ref":"I-1","data":{"last_name":"Erste"}})", "");
  for (const auto& body : HostileBodies()) {
    if (body.text.find('\n') != std::string::npos) continue;  // two lines, each its own fault
    if (std::string(body.why) == "nothing") {
      add("", "json_invalid");
    } else if (body.text.size() < 1000) {
      add(body.text, body.code);
    }
  }
  add(R"({"external_ref":"I-2","data":{"last_name":")" + std::string(kSentinel) +
          R"(","iban":"x"}})",
      "document_invalid");
  add(R"({"external_ref":"","data":{"last_name":"x"}})", "import_invalid");
  add(R"({"external_ref":"I-3"})", "import_invalid");
  add(R"({"external_ref":7,"data":{"last_name":"x"}})", "import_invalid");
  add(R"({"external_ref":"I-4","data":{"last_name":"Letzte"}})", "");

  const auto reply = crm.Send("POST", "/v1/import?class=contact", lines, "application/x-ndjson");
  REQUIRE(reply.status == 200);
  CHECK(reply.body.find(kSentinel) == std::string::npos);
  std::istringstream answers(reply.body);
  std::string text;
  std::size_t n = 0;
  while (std::getline(answers, text)) {
    REQUIRE(n < codes.size());
    const auto answer = json::parse(text);
    INFO(n + 1 << ": " << text);
    CHECK(answer.at("line") == n + 1);
    CHECK(answer.at("outcome") == (codes[n].empty() ? "created" : "refused"));
    if (!codes[n].empty()) CHECK(answer.at("code") == codes[n]);
    ++n;
  }
  CHECK(n == codes.size());
  CHECK(vault.Counts().at("clients") == 2);
  CHECK(vault.Counts().at("records") == 2);
  // Each line that was refused has its entry, as each that was kept.
  std::size_t imports = 0;
  for (const auto& entry : vault.EntriesOf(reply.Header("coffer-request-id"))) {
    imports += entry.at("action") == "record.import";
    CHECK(entry.dump().find(kSentinel) == std::string::npos);
  }
  CHECK(imports == codes.size());
  CHECK(vault.Verify().at("ok") == true);
}
