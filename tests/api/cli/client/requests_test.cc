// What is typed becomes these requests and no others.
#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "api/cli/client/client_lookup.h"
#include "api/cli/client/connection.h"
#include "api/cli/client/log_query.h"
#include "crypto/secret_bytes.h"
#include "tests/api/cli/client/fake_server.h"

namespace coffer::cli {

using nlohmann::json;

TEST_CASE("log filters become query parameters") {
  LogQuery query;
  CHECK(TargetOf(query).text() == "/v1/log/entries?limit=100");
  query.filter = {"cli_1",
                  "rec_1",
                  "svc_1",
                  "record.read",
                  "contact",
                  "email",
                  "client-care",
                  "deny",
                  "check:scope",
                  "ok",
                  "192.0.2.7",
                  "call_1",
                  "2026-01-01T00:00:00.000Z",
                  "2026-02-01T00:00:00.000Z"};
  query.oldest_first = true;
  query.start = 17;
  query.limit = 5;
  CHECK(TargetOf(query).text() ==
        "/v1/log/entries?client=cli_1&record=rec_1&actor=svc_1&action=record.read&class=contact"
        "&field=email&purpose=client-care&decision=deny&rule=check%3Ascope&outcome=ok"
        "&address=192.0.2.7&request=call_1"
        "&from=2026-01-01T00%3A00%3A00.000Z&to=2026-02-01T00%3A00%3A00.000Z"
        "&order=asc&limit=5&cursor=17");
}

TEST_CASE("times are taken as days and as moments") {
  LogFilterOptions filter;
  filter.from = "2026-01-31";
  filter.to = "2026-01-31T09:30:00+01:00";
  const auto normalised = Normalised(filter);
  REQUIRE(normalised);
  CHECK(normalised->from == "2026-01-31T00:00:00.000Z");
  CHECK(normalised->to == "2026-01-31T08:30:00.000Z");
  filter.from = "yesterday";
  REQUIRE_FALSE(Normalised(filter));
  CHECK(Normalised(filter).error().exit == Exit::kUsage);
}

TEST_CASE("a page of entries keeps their exact bytes") {
  const FakeServer server(InTurn({Reply(
      200, "{\"b\":1 }\n{}\n",
      {{"coffer-log-size", "9"}, {"coffer-next-cursor", "2"}, {"coffer-request-id", "call_1"}})}));
  ApiClient client = server.Client();
  const auto page = ReadEntriesPage(client, {});
  REQUIRE(page);
  CHECK(page->entries == std::vector<std::string>{"{\"b\":1 }", "{}"});
  CHECK(page->next == 2);
  CHECK(page->size == 9);
  CHECK(page->request == "call_1");
  CHECK(HeaderOf(server.requests()[0], "Accept") == "application/x-ndjson");
}

TEST_CASE("a page that does not say how long the log is is not believed") {
  for (const Headers& headers :
       {Headers{}, Headers{{"coffer-log-size", "many"}}, Headers{{"coffer-log-size", "-1"}}}) {
    const FakeServer server(InTurn({Reply(200, "", headers)}));
    ApiClient client = server.Client();
    CHECK_FALSE(ReadEntriesPage(client, {}));
  }
}

TEST_CASE("a client is found by its reference, which stays out of the URL") {
  const FakeServer server(InTurn({Reply(200, R"({"items":[{"client":"cli_1"}]})")}));
  ApiClient client = server.Client({.purpose = "client-care"});
  CHECK(*ResolveClient(client, "A-1 & co", true) == "cli_1");
  REQUIRE(server.requests().size() == 1);
  CHECK(server.requests()[0].method == "POST");
  CHECK(server.requests()[0].target == "/v1/clients/search");
  CHECK(server.requests()[0].body == R"({"external_ref":"A-1 & co"})");
  CHECK(server.requests()[0].content_type == "application/json");
  CHECK(HeaderOf(server.requests()[0], "Coffer-Purpose") == "client-care");
}

TEST_CASE("an id is taken as it is, and a reference nobody has is a failure") {
  const FakeServer server(InTurn({Reply(200, R"({"items":[]})")}));
  ApiClient client = server.Client();
  CHECK(*ResolveClient(client, "cli_1", false) == "cli_1");
  CHECK(server.requests().empty());
  CHECK_FALSE(ResolveClient(client, "nobody", true));
  CHECK_FALSE(ResolveClient(client, "\xff", true));
  CHECK(server.requests().size() == 1);
}

TEST_CASE("a search goes on until the end or the limit") {
  const FakeServer server(InTurn({Reply(200, R"({"items":[{"client":"a"}],"next_cursor":"x"})"),
                                  Reply(200, R"({"items":[],"next_cursor":"y"})"),
                                  Reply(200, R"({"items":[{"client":"b"}]})")}));
  ApiClient client = server.Client();
  const auto hits = SearchClients(client, {"contact", "email", "a@b.c", 500});
  REQUIRE(hits);
  CHECK(hits->at("items").size() == 2);
  CHECK(hits->at("more") == false);
  REQUIRE(server.requests().size() == 3);
  CHECK(json::parse(server.requests()[0].body) ==
        json::parse(R"({"class":"contact","field":"email","value":"a@b.c","limit":200})"));
  CHECK(json::parse(server.requests()[2].body)["cursor"] == "y");
  for (const HttpRequest& request : server.requests()) {
    CHECK(request.target.find("a@b.c") == std::string::npos);
  }
}

TEST_CASE("a list whose pages name themselves ends in a failure") {
  const FakeServer server(InTurn({Reply(200, R"({"items":[1],"next_cursor":"x"})")}));
  ApiClient client = server.Client();
  CHECK_FALSE(CollectPages(client, Target("/v1/x")));
  CHECK(server.requests().size() == 2);
}

TEST_CASE("server and token come from options or the environment, the token never from an option") {
  REQUIRE(crypto::InitializeCrypto());
  const Environment environment = [](const char* name) -> std::optional<std::string> {
    if (std::string_view(name) == "COFFER_URL") return "https://vault.example:8443";
    if (std::string_view(name) == "COFFER_CA") return "/ca.pem";
    if (std::string_view(name) == "COFFER_TOKEN") return "cft_made-up";
    return std::nullopt;
  };
  ConnectionOptions options;
  auto connection = OpenConnection(options, environment);
  REQUIRE(connection);
  CHECK(connection->https.server == ServerAddress{"vault.example", 8443});
  CHECK(connection->https.ca_file == "/ca.pem");
  CHECK(crypto::AsText(connection->https.token->ExposeSecret()) == "cft_made-up");

  options.url = "https://other.example";
  options.ca_file = "/other.pem";
  connection = OpenConnection(options, environment);
  REQUIRE(connection);
  CHECK(connection->https.server.host == "other.example");
  CHECK(connection->https.ca_file == "/other.pem");
}

TEST_CASE("what is missing for a connection is wrong use and named") {
  REQUIRE(crypto::InitializeCrypto());
  ConnectionOptions options;
  const Environment none = [](const char*) { return std::optional<std::string>(); };
  CHECK(OpenConnection(options, none).error().message == "no server was named");
  options.url = "https://vault.example";
  CHECK(OpenConnection(options, none).error().message == "no token was given");
  const Environment broken = [](const char*) {
    return std::optional<std::string>("cft_a\nHost: b");
  };
  CHECK(OpenConnection(options, broken).error().exit == Exit::kUsage);
}

TEST_CASE("purpose and reason cannot smuggle another header in") {
  ConnectionOptions options;
  options.purpose = "client-care";
  options.reason = "Anruf von Frau Müller";
  REQUIRE(CheckDeclaration(options));
  CHECK(CheckDeclaration(options)->reason == options.reason);
  for (const std::string& reason :
       {std::string("a\r\nX: y"), std::string("a\tb"), std::string("\x7f"), std::string("\xff"),
        std::string(1001, 'x')}) {
    options.reason = reason;
    CHECK(CheckDeclaration(options).error().exit == Exit::kUsage);
  }
  options.reason.clear();
  for (const char* purpose : {"Client", "a b", "a\nb", "-a"}) {
    options.purpose = purpose;
    CHECK_FALSE(CheckDeclaration(options));
  }
}

}  // namespace coffer::cli
