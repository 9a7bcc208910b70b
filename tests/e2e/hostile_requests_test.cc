// Requests that are malformed around their body: size, media type, ids, paths, methods, query,
// cursors, headers.
#include <catch2/catch_test_macros.hpp>

#include "tests/support/raw_connection.h"
#include "tests/support/refusals.h"
#include "tests/support/running_vault.h"

using namespace coffer::testing;
using nlohmann::json;

namespace {

const json kHostileContact = {{"last_name", "Bergmann"}};

}  // namespace

TEST_CASE("a body that is too large is refused, with its entry in the log") {
  RunningVault vault;
  const std::string client = vault.NewClient("A-1");
  const std::string records = "/v1/clients/" + client + "/records";
  const std::string record = records + "/" + vault.NewContact(client, kHostileContact);
  auto crm = vault.As("crm-service");
  Refusals refusals(vault);
  refusals.Expect(crm.Send("POST", records, std::string(512 * 1024 + 1, ' '), "application/json"),
                  413, "body_too_large", "record.create");
  refusals.Expect(crm.Send("PUT", record, std::string(512 * 1024 + 1, ' '), "application/json"),
                  413, "body_too_large", "record.update");
  refusals.Expect(crm.Send("POST", "/v1/import?class=contact",
                           std::string(8 * 1024 * 1024 + 1, ' '), "application/x-ndjson"),
                  413, "body_too_large", "record.import");
  refusals.CheckNothingChanged();
}

TEST_CASE("a body that is compressed or of another kind is not read as JSON") {
  RunningVault vault;
  const std::string client = vault.NewClient("A-1");
  const std::string records = "/v1/clients/" + client + "/records";
  const std::string record = records + "/" + vault.NewContact(client, kHostileContact);
  auto crm = vault.As("crm-service");
  const std::string body = json{{"class", "contact"}, {"data", kHostileContact}}.dump();
  Refusals refusals(vault);

  // Large for a document, not for a request.
  std::string summary;
  while (summary.size() < 256 * 1024) summary += "\U0001F5DD";
  refusals.Expect(crm.Post(records, {{"class", "interaction"},
                                     {"data",
                                      {{"occurred_at", "2026-01-02T10:00:00Z"},
                                       {"channel", "phone"},
                                       {"subject", kSentinel},
                                       {"summary", summary}}}}),
                  413, "document_too_large", "record.create");
  for (const char* type :
       {"", "text/plain", "application/x-www-form-urlencoded", "text/json", "application/json5",
        "application/xml", "application/x-ndjson", "multipart/form-data; boundary=x", "json"}) {
    INFO(type);
    refusals.Expect(crm.Send("POST", records, body, type), 415, "media_type_unsupported",
                    "record.create");
  }
  refusals.Expect(crm.Send("POST", "/v1/import?class=contact", "{}\n", "application/json"), 415,
                  "media_type_unsupported", "record.import");
  for (const char* coding : {"gzip", "deflate", "br", "identity", "x"}) {
    INFO(coding);
    refusals.Expect(
        crm.Send("POST", records, body, "application/json", {{"Content-Encoding", coding}}), 415,
        "media_type_unsupported", "record.create");
  }
  CHECK(crm.Send("POST", records, body, "Application/JSON; charset=utf-8").status == 201);
  CHECK(crm.Send("DELETE", records, "", "").status == 405);
}

TEST_CASE("ids, versions and sequence numbers have one spelling") {
  RunningVault vault;
  const std::string client = vault.NewClient("A-1");
  const std::string record = vault.NewContact(client, kHostileContact);
  auto crm = vault.As("crm-service");
  auto officer = vault.As("security-officer", "");
  Refusals refusals(vault);
  std::string upper = client;
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  const std::string sentinel = kSentinel;
  for (const std::string& id :
       {upper, client.substr(4), client + "0", client.substr(0, 29), "rec_" + client.substr(4),
        record, sentinel, std::string("0"), std::string("cli_"),
        std::string("cli_8zzzzzzzzzzzzzzzzzzzzzzzzz"),
        std::string("cli_0000000000000000000000000l"), std::string("null"), std::string("*")}) {
    INFO(id);
    refusals.Expect(crm.Get("/v1/clients/" + id), 404, "not_found", "client.read");
    refusals.Expect(crm.Get("/v1/clients/" + id + "/records/" + record), 404, "not_found",
                    "record.read");
    refusals.Expect(crm.Post("/v1/clients/" + id + "/records",
                             {{"class", "contact"}, {"data", kHostileContact}}),
                    404, "not_found", "record.create");
  }
  const std::string record_path = "/v1/clients/" + client + "/records/" + record;
  for (const char* version : {"0", "2", "01", "-1", "1.0", "x", "99999999999999999999"}) {
    INFO(version);
    refusals.Expect(crm.Get(record_path + "/versions/" + version), 404, "not_found", "record.read");
    if (version[0] == '2' || version[0] == '0') continue;
    refusals.Expect(officer.Get(std::string("/v1/log/entries/") + version), 404, "not_found",
                    "log.read");
  }
  refusals.Expect(vault.As("administrator", "").Delete("/v1/tokens/tok_" + sentinel), 404,
                  "not_found", "token.revoke");
  refusals.CheckNothingChanged();
}

TEST_CASE("unknown paths and methods are told apart, and no path has a second spelling") {
  RunningVault vault;
  const std::string client = vault.NewClient("A-1");
  auto crm = vault.As("crm-service");
  Refusals refusals(vault);
  const std::string s = kSentinel;
  for (const std::string& path :
       {"/" + s, std::string("/"), std::string("/v1"), std::string("/v1/"), "/v2/clients/" + client,
        std::string("/v1/clients/"), "/v1/clients/" + client + "/", "/v1//clients/" + client,
        "/v1/clients/" + client + "/records/", "/v1/clients/../clients/" + client,
        "/v1/./clients/" + client, "/v1/%63lients/" + client, "/v1/clients%2F" + client,
        "/v1/clients/" + client + "%00", std::string("/v1/clients/%2e%2e/status"),
        "/V1/clients/" + client, std::string("/index.html"), std::string("/.env"),
        std::string("/etc/passwd")}) {
    INFO(path);
    refusals.Expect(crm.Get(path), 404, "not_found");
    refusals.Expect(crm.Send("POST", path, "{\"x\":\"" + s + "\"}", "application/json"), 404,
                    "not_found");
  }
  const auto allow = [&](const std::string& method, const std::string& path,
                         const std::string& methods) {
    INFO(method + " " + path);
    const auto reply = crm.Send(method, path, "", "");
    refusals.Expect(reply, 405, "method_not_allowed");
    CHECK(reply.Header("allow") == methods);
  };
  allow("DELETE", "/v1/clients", "POST, GET, HEAD, OPTIONS");
  allow("PUT", "/v1/clients/" + client, "GET, HEAD, PATCH, DELETE, OPTIONS");
  const std::string record = "/v1/clients/" + client + "/records/rec_x";
  allow("POST", record, "GET, HEAD, PUT, PATCH, DELETE, OPTIONS");
  // What a PATCH takes is said where it was wrong, and where it is asked for (RFC 5789).
  auto administrator = vault.As("administrator", "");
  const auto accept_patch = [&](Caller& caller, const std::string& path, const std::string& action,
                                const std::string& type) {
    for (const std::string wrong :
         {"text/plain", "application/json", "application/merge-patch+json",
          "application/json-patch+json"}) {
      if (wrong == type) continue;
      INFO(path << " " << wrong);
      const auto reply = caller.Send("PATCH", path, "{}", wrong);
      refusals.Expect(reply, 415, "media_type_unsupported", action);
      CHECK(reply.Header("accept-patch") == type);
    }
    const auto options = caller.Send("OPTIONS", path, "", "");
    CHECK(options.status == 204);
    CHECK(options.Header("accept-patch") == type);
  };
  accept_patch(crm, record, "record.update", "application/merge-patch+json");
  accept_patch(crm, "/v1/clients/" + client, "client.update", "application/json");
  accept_patch(administrator, "/v1/users/usr_x", "principal.write", "application/json");
  accept_patch(administrator, "/v1/services/svc_x", "principal.write", "application/json");
  CHECK(crm.Send("PUT", record, "{}", "text/plain").Header("accept-patch").empty());
  allow("POST", "/v1/status", "GET, HEAD, OPTIONS");
  allow("PATCH", "/v1/classes/contact", "GET, HEAD, PUT, OPTIONS");
  allow("DELETE", "/v1/log/entries", "GET, HEAD, OPTIONS");
  allow("DELETE", "/v1/log/entries/1", "GET, HEAD, OPTIONS");
  for (const char* method : {"TRACE", "CONNECT", "PRI", "FOO", "get"}) {
    INFO(method);
    RawConnection raw(vault.port());
    REQUIRE(raw.Send(RequestHead(method, "/v1/clients/" + client, vault.Token("crm-service")) +
                     "\r\n"));
    const auto reply = raw.Read();
    refusals.Expect(reply, 405, "method_not_allowed");
    CHECK(reply.Header("allow") == "GET, HEAD, PATCH, DELETE, OPTIONS");
  }
  const std::string longest(600, 'a');
  refusals.Expect(crm.Get("/v1/clients/" + longest), 414, "path_too_long");
  refusals.CheckNothingChanged();
}

TEST_CASE("queries and cursors are checked against the route") {
  RunningVault vault;
  for (int i = 0; i < 5; ++i) (void)vault.NewClient("A-" + std::to_string(i));
  auto crm = vault.As("crm-service");
  auto officer = vault.As("security-officer", "");
  const std::string cursor = crm.Get("/v1/clients?limit=2").Json().at("next_cursor");
  Refusals refusals(vault);
  const std::string s = kSentinel;
  for (const std::string& query : {"name=" + s, std::string("Limit=5"), std::string("x"),
                                   "limit=5&other=" + s, std::string("data=true")}) {
    INFO(query);
    refusals.Expect(crm.Get("/v1/clients?" + query), 400, "parameter_unknown", "client.list");
  }
  for (const std::string& query :
       {std::string("limit=0"), std::string("limit=201"), std::string("limit=-1"),
        std::string("limit=1e2"), std::string("limit=05"), "limit=" + s,
        std::string("limit=1&limit=2"), "tag=" + std::string(301, 'x')}) {
    INFO(query);
    refusals.Expect(crm.Get("/v1/clients?" + query), 400, "parameter_invalid", "client.list");
  }
  refusals.Expect(crm.Get("/v1/clients?tag=Upper"), 400, "tag_invalid", "client.list");
  refusals.Expect(crm.Get("/v1/clients?class=" + s), 422, "class_unknown", "client.list");
  std::string forged = cursor;
  forged[3] = forged[3] == 'A' ? 'B' : 'A';
  for (const std::string& wrong : {forged, cursor + "A", cursor.substr(0, 10), s, std::string("0"),
                                   std::string("AAAA"), std::string("1%27%20OR%201=1")}) {
    INFO(wrong);
    refusals.Expect(crm.Get("/v1/clients?cursor=" + wrong), 400, "cursor_invalid", "client.list");
    refusals.Expect(crm.Post("/v1/clients/search", {{"class", "contact"},
                                                    {"field", "email"},
                                                    {"value", "a@example.com"},
                                                    {"cursor", wrong}}),
                    400, "cursor_invalid", "client.search");
  }
  // A cursor belongs to the list that gave it.
  refusals.Expect(crm.Get("/v1/clients?tag=vip&cursor=" + cursor), 400, "cursor_invalid",
                  "client.list");
  for (const char* query :
       {"limit=0", "limit=1001", "order=up", "cursor=x", "cursor=-1", "cursor=+1", "cursor=01",
        "cursor=9007199254740993", "cursor=18446744073709551615", "cursor=18446744073709551616",
        "cursor=1e3", "from=yesterday", "to=2026-13-01T00:00:00Z"}) {
    INFO(query);
    refusals.Expect(officer.Get(std::string("/v1/log/entries?") + query), 400, "parameter_invalid",
                    "log.read");
  }
  for (const char* query : {"client=a%22b", "action=%25", "action=*", "actor=a%0ab", "class=A",
                            "client=cli_%25", "request=%25%25"}) {
    INFO(query);
    refusals.Expect(officer.Get(std::string("/v1/log/entries?") + query), 400, "filter_invalid",
                    "log.read");
  }
  // A login, or a name: nobody's.
  refusals.Expect(officer.Get("/v1/log/entries?actor=%25"), 400, "filter_unknown", "log.read",
                  "allow");
  refusals.CheckNothingChanged();
}

TEST_CASE("searches are refused for fields that have no index and values that fit none") {
  RunningVault vault;
  const std::string client = vault.NewClient("A-1");
  (void)vault.NewContact(client, {{"last_name", "Bergmann"}, {"email", "b@example.com"}});
  auto crm = vault.As("crm-service");
  Refusals refusals(vault);
  const std::string s = kSentinel;
  const auto search = [&](const json& body) { return crm.Post("/v1/clients/search", body); };
  refusals.Expect(search({{"class", s}, {"field", "email"}, {"value", s}}), 422, "class_unknown",
                  "client.search");
  for (const std::string& field : {std::string("city"), s, std::string("last_name' --")}) {
    refusals.Expect(search({{"class", "contact"}, {"field", field}, {"value", s}}), 422,
                    "field_not_indexed", "client.search");
  }
  refusals.Expect(search({{"class", "contact"}, {"field", "phone"}, {"value", s}}), 422,
                  "value_not_normalisable", "client.search");
  for (const json& body :
       {json{{"external_ref", "A-1"}, {"class", "contact"}},
        json{{"external_ref", s + std::string(200, 'x')}},
        json{{"class", "contact"}, {"field", "email"}, {"value", s}, {"limit", 0}},
        json{{"class", "contact"}, {"field", "email"}, {"value", s}, {"limit", 201}}}) {
    INFO(body.dump());
    refusals.Expect(search(body), 422, "search_invalid", "client.search");
  }
  for (const json& body :
       {json{{"class", "contact"}}, json{{"class", "contact"}, {"field", "email"}},
        json{{"value", s}}, json{{"regex", s}}, json{{"external_ref", 7}},
        json{{"external_ref", ""}}, json{{"class", "contact"}, {"field", "email"}, {"value", 7}}}) {
    INFO(body.dump());
    refusals.Expect(search(body), 422, "request_invalid", "client.search");
  }
  refusals.CheckNothingChanged();
}

TEST_CASE("headers stand once, without control characters, and mean what they say") {
  RunningVault vault;
  const std::string client = vault.NewClient("A-1");
  const std::string path = "/v1/clients/" + client;
  const std::string token = vault.Token("crm-service");
  Refusals refusals(vault);
  const std::string s = kSentinel;
  const auto send = [&](const std::string& more, const std::string& purpose = "client-care") {
    RawConnection raw(vault.port());
    REQUIRE(raw.Send(RequestHead("GET", path, token, purpose) + more + "\r\n"));
    return raw.Read();
  };
  REQUIRE(send("").status == 200);
  for (const std::string& more :
       {std::string("Coffer-Purpose: billing\r\n"),
        std::string("Coffer-Reason: a\r\nCoffer-Reason: b\r\n"), "Coffer-Reason: " + s + "\x01\r\n",
        "Coffer-Reason: " + s + "\x7f\r\n", "Coffer-Reason: " + s + "\xff\r\n",
        "Coffer-Reason: " + s + std::string(1001, 'r') + "\r\n",
        std::string("If-Match: \"1\"\r\nIf-Match: \"2\"\r\n"), "X-Other: " + s + "\tx\x1b\r\n"}) {
    INFO(more);
    refusals.Expect(send(more), 400, "header_invalid", "client.read");
  }
  refusals.Expect(send("X-Other: " + std::string(2001, 'x') + "\r\n"), 431, "headers_too_large",
                  "client.read");
  // Two callers in one request are none: whichever is looked at, it is refused.
  const auto two = send("Authorization: Bearer " + s + "\r\n").status;
  CHECK((two == 400 || two == 401));
  // A reason is decoded as in URLs; what is no code stands for itself.
  const auto read = send("Coffer-Reason: 100% sure of 50%25\r\n");
  REQUIRE(read.status == 200);
  const auto entries = vault.EntriesOf(read.Header("coffer-request-id"));
  REQUIRE(entries.size() == 1);
  const auto entry = vault.As("security-officer", "")
                         .Get("/v1/log/entries/" + std::to_string(entries[0].at("seq").get<int>()))
                         .Json();
  CHECK(entry.at("note").at("text") == "100% sure of 50%");
  refusals.Expect(send("Coffer-Reason: a%0d%0aCoffer-Purpose: billing\r\n"), 400, "header_invalid",
                  "client.read");
  // Names of headers have no case, and white space around a value is not part of it.
  RawConnection raw(vault.port());
  REQUIRE(raw.Send("GET " + path + " HTTP/1.1\r\nhost: localhost\r\nAUTHORIZATION:Bearer " + token +
                   "\r\ncoffer-purpose:   client-care  \r\n\r\n"));
  CHECK(raw.Read().status == 200);
  refusals.CheckNothingChanged();
}
