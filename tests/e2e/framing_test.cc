// How requests stand on a connection: heads are judged as their bytes came, requests are answered
// in their order or not at all, and whatever is refused is refused in the documented form.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cctype>
#include <set>

#include "tests/support/problem_schema.h"
#include "tests/support/raw_connection.h"
#include "tests/support/running_vault.h"

using namespace coffer::testing;
using nlohmann::json;
using std::chrono::seconds;

namespace {

struct DocumentedRoute {
  std::string method, path;  // the latter without braces
  bool body = false;
};

std::vector<DocumentedRoute> DocumentedRoutes(const json& document) {
  std::vector<DocumentedRoute> routes;
  for (const auto& [path, item] : document.at("paths").items()) {
    for (const auto& [method, operation] : item.items()) {
      if (!operation.contains("operationId")) continue;
      DocumentedRoute one{method, path, operation.contains("requestBody")};
      for (char& c : one.method) c = static_cast<char>(std::toupper(c));
      std::erase_if(one.path, [](char c) { return c == '{' || c == '}'; });
      routes.push_back(std::move(one));
    }
  }
  return routes;
}

// One answer, after which the connection ends whatever else was sent on it.
HttpReply AnswerAndEnd(RunningVault& vault, const std::string& bytes) {
  RawConnection peer(vault.port());
  REQUIRE(peer.connected());
  peer.Send(bytes);
  auto reply = peer.Read();
  CHECK(reply.Header("connection") == "close");
  CHECK(peer.Read(seconds(5)).status == 0);
  CHECK_FALSE(peer.connected());
  return reply;
}

const std::string kJsonType = "Content-Type: application/json\r\n";

// Spellings of a head that readers understand differently, or not at all.
const std::vector<std::string>& AmbiguousHeaders() {
  static const std::vector<std::string> headers = {
      "Content-Length: %32\r\n",
      "Content-Length: 2%0d%0aX-Other: y\r\n",
      "Content-Length: 2%20\r\n",
      "Content-Length: %2B2\r\n",
      "Transfer-Encoding: chun%6bed\r\n",
      "Transfer-Encoding: %63hunked\r\n",
      "Transfer-Encoding: chunked%00\r\n",
      "Content-Length: 2, 2\r\n",
      "Content-Length: 2\r\nContent-Length: 2\r\n",
      "Content-Length: 2\r\nContent-Length: 3\r\n",
      "Content-Length: 2\r\ncontent-length: 2\r\n",
      "Content-Length:\r\n",
      "Content-Length: +2\r\n",
      "Content-Length: -2\r\n",
      "Content-Length: 0x2\r\n",
      "Content-Length: 2 2\r\n",
      "Content-Length: 9999999999999999999999\r\n",
      "Content-Length : 2\r\n",
      " Content-Length: 2\r\n",
      "Content-Length\r\n",
      "Content-Length: 2\n",
      "X-Other: y\nContent-Length: 2\r\n",
      "X-Other: y\rContent-Length: 2\r\n",
      "X-Other: y\r\n Content-Length: 2\r\n",
      "X-Other: y\r\n\tContent-Length: 2\r\n",
      "Content-Length:\r\n 2\r\n",
      std::string("Content-Length: 2\0\r\n", 20),
      std::string("Content-Length\0: 2\r\n", 20),
      "Transfer-Encoding: gzip, chunked\r\n",
      "Transfer-Encoding: chunked, chunked\r\n",
      "Transfer-Encoding: identity\r\n",
      "Transfer-Encoding: \"chunked\"\r\n",
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
      "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n",
      "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
      "Content-Length: 2\r\nTransfer-Encoding:\r\n",
      "Transfer-Encoding : chunked\r\n",
      "Transfer-Encoding\t: chunked\r\n",
      ": value\r\n",
      "X(Other): y\r\n",
      "Host: localhost\r\n",
      "host: other\r\n",
  };
  return headers;
}

}  // namespace

TEST_CASE("a head that two readers understand differently is refused on every route") {
  RunningVault vault;
  ProblemSchema problems(vault);
  const std::string token = vault.Token("crm-service");
  const std::string smuggled = RequestHead("GET", "/v1/me", token) + "\r\n";
  const auto asked = [&] { return vault.Entries("action=self.read").size(); };
  const auto before = asked();
  // Every spelling for each method, a few of them on each route.
  std::set<std::string> seen;
  std::size_t turn = 0;
  for (const auto& route : DocumentedRoutes(problems.document())) {
    const bool all = seen.insert(route.method).second;
    const auto& headers = AmbiguousHeaders();
    for (std::size_t i = 0; i < (all ? headers.size() : 3); ++i) {
      const std::string& spelling = headers[all ? i : turn++ % headers.size()];
      INFO(route.method << " " << route.path << " " << spelling);
      const auto reply =
          AnswerAndEnd(vault, RequestHead(route.method, route.path, token) + kJsonType + spelling +
                                  "\r\n{}" + smuggled + smuggled);
      problems.Check(reply, 400, "header_invalid");
    }
  }
  CHECK(asked() == before);
  CHECK(problems.checked() > 300);
}

TEST_CASE("a request names one host, and a request line says one thing") {
  RunningVault vault;
  ProblemSchema problems(vault);
  const std::string rest = "Authorization: Bearer " + vault.Token("crm-service") + "\r\n\r\n";
  const auto send = [&](const std::string& head) { return AnswerAndEnd(vault, head + rest); };
  for (const char* hosts :
       {"", "Host:\r\n", "Host: a\r\nHost: a\r\n", "Host: a\r\nhost: b\r\n", "Host: a, b\r\n",
        "Host: a b\r\n", "Host: https://a\r\n", "Host: u@a\r\n", "Host: a/b\r\n", "Host: a:b\r\n",
        "Host: :1\r\n", "Host: [::1\r\n", "Host: a:123456\r\n", "Host: a#b\r\n"}) {
    INFO(hosts);
    problems.Check(send("GET /v1/me HTTP/1.1\r\n" + std::string(hosts)), 400, "header_invalid");
  }
  for (const char* line : {"GET  /v1/me HTTP/1.1",
                           "GET /v1/me  HTTP/1.1",
                           " GET /v1/me HTTP/1.1",
                           "GET /v1/me HTTP/1.1 ",
                           "GET\t/v1/me HTTP/1.1",
                           "GET /v1/me",
                           "GET",
                           "GET /v1/ me HTTP/1.1",
                           "GET /v1/me HTTP/1.10",
                           "GET /v1/me http/1.1",
                           "GET v1/me HTTP/1.1",
                           "GET * HTTP/1.1",
                           "GET /v1/me#x HTTP/1.1",
                           "GET /v1/m\xc3\xa9 HTTP/1.1",
                           "GET /v1/me\x7f HTTP/1.1",
                           "GE(T /v1/me HTTP/1.1",
                           "GET http://localhost/v1/me HTTP/1.1",
                           "GET https:///v1/me HTTP/1.1",
                           "GET https://u:p@localhost/v1/me HTTP/1.1",
                           "GET ftp://localhost/v1/me HTTP/1.1",
                           "GET localhost:443 HTTP/1.1"}) {
    INFO(line);
    problems.Check(send(std::string(line) + "\r\nHost: localhost\r\n"), 400,
                   "request_line_invalid");
  }
  for (const char* end : {"\n", "\r", "\r\r\n"}) {
    problems.Check(send("GET /v1/me HTTP/1.1" + std::string(end) + "Host: localhost\r\n"), 400,
                   "request_line_invalid");
  }
  for (const char* version : {"HTTP/2.0", "HTTP/1.2", "HTTP/0.9", "HTTP/3.0"}) {
    INFO(version);
    problems.Check(send("GET /v1/me " + std::string(version) + "\r\nHost: localhost\r\n"), 505,
                   "version_not_supported");
  }
  for (const char* good :
       {"GET /v1/me HTTP/1.1\r\nHost: localhost:8443\r\nConnection: close\r\n",
        "GET /v1/me HTTP/1.1\r\nHost: [::1]:8443\r\nConnection: keep-alive, Close\r\n",
        "\r\nGET /v1/me HTTP/1.1\r\nHOST:127.0.0.1\r\nConnection: close\r\n",
        "GET https://localhost/v1/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n",
        "GET HTTPS://[::1]:8443/v1/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n",
        "GET /v1/me HTTP/1.0\r\n"}) {
    INFO(good);
    CHECK(send(good).status == 200);
  }
  problems.Check(send("GET https://localhost HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"),
                 404, "not_found");
  problems.Check(send("GET https://localhost/v1/clients?x=1 HTTP/1.1\r\nHost: localhost\r\n"
                      "Coffer-Purpose: client-care\r\nConnection: close\r\n"),
                 400, "parameter_unknown");
}

TEST_CASE("targets and headers that are too long are refused as that") {
  RunningVault vault;
  ProblemSchema problems(vault);
  const std::string token = vault.Token("crm-service");
  for (const std::size_t size : {513U, 5'000U, 8'100U, 8'300U, 70'000U, 1'000'000U}) {
    INFO(size);
    for (const char* method : {"GET", "POST", "OPTIONS", "FOO"}) {
      const std::string path = "/v1/clients/" + std::string(size - 12, 'a');
      problems.Check(AnswerAndEnd(vault, RequestHead(method, path, token) + "\r\n"), 414,
                     "path_too_long");
    }
    const std::string query = "/v1/clients?tag=" + std::string(size, 'a');
    if (size > 8'192) {
      problems.Check(AnswerAndEnd(vault, RequestHead("GET", query, token) + "\r\n"), 414,
                     "path_too_long");
    }
  }
  const std::string head = RequestHead("GET", "/v1/me", token);
  std::string many, large;
  for (int i = 0; i < 101; ++i) many += "X-" + std::to_string(i) + ": y\r\n";
  for (int i = 0; i < 60; ++i) large += "X: " + std::string(1'900, 'y') + "\r\n";
  for (const std::string& headers :
       {"X: " + std::string(8'300, 'y') + "\r\n", std::string(8'300, 'x') + ": y\r\n",
        "X: " + std::string(1'000'000, 'y') + "\r\n", many, large}) {
    INFO(headers.size() << " " << headers.substr(0, 10));
    problems.Check(AnswerAndEnd(vault, head + headers + "\r\n"), 431, "headers_too_large");
  }
  // Of a request that is known to be one: it is told, and logged, and the connection goes on.
  RawConnection peer(vault.port());
  for (int i = 0; i < 2; ++i) {
    peer.Send(head + "X: " + std::string(2'001, 'y') + "\r\n\r\n");
    const auto reply = peer.Read();
    problems.Check(reply, 431, "headers_too_large");
    const auto entries = vault.EntriesOf(reply.Header("coffer-request-id"));
    REQUIRE(entries.size() == 1);
    CHECK(entries[0].at("outcome") == "headers_too_large");
  }
  peer.Send(head + "X: " + std::string(2'000, 'y') + "\r\n\r\n");
  CHECK(peer.Read().status == 200);
  // Encoded, a reason may have three times its length.
  std::string reason;
  for (int i = 0; i < 500; ++i) reason += "%D0%B0";
  peer.Send(head + "Coffer-Reason: " + reason + "\r\n\r\n");
  CHECK(peer.Read().status == 200);
}

TEST_CASE("HEAD is answered as GET on every route, without the body, and logged as the same read") {
  RunningVault vault;
  ProblemSchema problems(vault);
  const std::string client = vault.NewClient("A-1");
  const std::string record = vault.NewContact(client, {{"last_name", "Bergmann"}});
  auto routes = DocumentedRoutes(problems.document());
  routes.push_back({"GET", "/v1/clients/" + client});
  routes.push_back({"GET", "/v1/clients/" + client + "/records"});
  routes.push_back({"GET", "/v1/clients/" + client + "/records/" + record});
  routes.push_back({"GET", "/v1/clients/" + client + "/records/" + record + "/versions/1"});
  // What says how often it was asked, or when, has no length of its own.
  const std::set<std::string> alive = {"/metrics",       "/v1/status",         "/v1/log/entries",
                                       "/v1/me",         "/v1/log/checkpoint", "/log/checkpoint",
                                       "/v1/log/summary"};
  for (const char* role : {"crm-service", "security-officer", "administrator"}) {
    RawConnection peer(vault.port());
    for (const auto& route : routes) {
      if (route.method != "GET") continue;
      INFO(role << " " << route.path);
      // Both in one piece: a body after HEAD's answer would be taken for the next answer.
      peer.Send(RequestHead("HEAD", route.path, vault.Token(role)) + "\r\n" +
                RequestHead("GET", route.path, vault.Token(role)) + "\r\n");
      auto head = peer.ReadHead();
      auto get = peer.Read();
      CHECK(head.status == get.status);
      CHECK(head.Header("coffer-request-id") != get.Header("coffer-request-id"));
      const auto as_read = [&](HttpReply& reply) {
        json told = json::array();
        for (const auto& entry : vault.EntriesOf(reply.Header("coffer-request-id"))) {
          told.push_back({entry.at("action"), entry.at("decision"), entry.at("outcome")});
        }
        reply.headers.erase("coffer-request-id");
        if (alive.contains(route.path)) reply.headers.erase("content-length");
        return told;
      };
      CHECK(as_read(head) == as_read(get));
      CHECK(head.headers == get.headers);
      if (get.status >= 400) continue;
      CHECK(get.status == 200);
      CHECK_FALSE(get.body.empty());
    }
  }
}

TEST_CASE("every path says which methods it has, to OPTIONS and to a method that it has not") {
  RunningVault vault;
  ProblemSchema problems(vault);
  const auto routes = DocumentedRoutes(problems.document());
  std::map<std::string, std::set<std::string>> methods;
  for (const auto& route : routes) methods[route.path].insert(route.method);
  methods["/v1/clients/search"].insert({"GET", "PATCH", "DELETE"});  // also a client's path
  RawConnection peer(vault.port());
  for (auto& [path, has] : methods) {
    if (has.contains("GET")) has.insert("HEAD");
    has.insert("OPTIONS");
    const auto allowed = [](const HttpReply& reply) {
      std::set<std::string> names;
      std::string word;
      for (const char c : reply.Header("allow") + ",") {
        if (c == ',') {
          names.insert(word);
          word.clear();
        } else if (c != ' ') {
          word += c;
        }
      }
      return names;
    };
    INFO(path);
    peer.Send(RequestHead("OPTIONS", path, "", "") + "\r\n");
    const auto told = peer.Read();
    CHECK(told.status == 204);
    CHECK(told.Header("content-length").empty());
    CHECK(allowed(told) == has);
    for (const char* method : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT",
                               "PROPFIND", "options"}) {
      if (has.contains(method)) continue;
      INFO(method);
      RawConnection other(vault.port());
      other.Send(RequestHead(method, path, "", "") + "Content-Length: 0\r\n\r\n");
      const auto refused = std::string(method) == "HEAD" ? other.ReadHead() : other.Read();
      CHECK(refused.status == 405);
      CHECK(allowed(refused) == has);
      if (std::string(method) != "HEAD") problems.Check(refused, 405, "method_not_allowed");
    }
  }
  peer.Send("OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const auto all = peer.Read();
  CHECK(all.status == 204);
  CHECK(all.Header("allow") == "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
  peer.Send(RequestHead("OPTIONS", "/v1/nothing", "", "") + "\r\n");
  problems.Check(peer.Read(), 404, "not_found");
}

TEST_CASE("the scheme's word has no case, and nothing but a token follows it") {
  RunningVault vault;
  ProblemSchema problems(vault);
  const std::string token = vault.Token("crm-service");
  RawConnection peer(vault.port());
  const auto send = [&](const std::string& credentials) {
    peer.Send("GET /v1/me HTTP/1.1\r\nHost: localhost\r\nAuthorization: " + credentials +
              "\r\n\r\n");
    return peer.Read();
  };
  for (const char* scheme : {"Bearer ", "bearer ", "BEARER ", "bEaReR ", "Bearer   "}) {
    INFO(scheme);
    CHECK(send(scheme + token).status == 200);
  }
  for (const std::string& wrong :
       {"Bearer" + token, "Bear " + token, "Basic " + token, "Bearer " + token + " x",
        "Bearer, " + token, "Bearer %63" + token.substr(1), std::string("Bearer"), token}) {
    INFO(wrong);
    problems.Check(send(wrong), 401, "unauthenticated");
  }
}

TEST_CASE("requests of one connection are answered in their order, however they are cut") {
  RunningVault vault;
  const std::string token = vault.Token("crm-service");
  const std::string first = vault.NewClient("A-1"), second = vault.NewClient("A-2");
  const std::string body = R"({"class":"contact","data":{"last_name":"Doe"}})";
  const std::string record =
      RequestHead("POST", "/v1/clients/" + first + "/records", token) + kJsonType;
  const std::string requests = RequestHead("GET", "/v1/clients/" + first, token) + "\r\n" + record +
                               "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                               body + RequestHead("GET", "/v1/clients/" + second, token) + "\r\n" +
                               record + "Transfer-Encoding: chunked\r\n\r\n10\r\n" +
                               body.substr(0, 16) + "\r\n" + "1E;x=y\r\n" + body.substr(16, 30) +
                               "\r\n0\r\nX-Trailer: y\r\n\r\n" + "\r\n" +
                               RequestHead("GET", "/v1/clients/nobody", token) + "\r\n" +
                               RequestHead("POST", "/v1/holds/nothing/lift", token) + "\r\n" +
                               RequestHead("GET", "/v1/me", token) + "Connection: close\r\n\r\n";
  REQUIRE(body.size() == 46);
  const std::string ignored = RequestHead("GET", "/v1/status", token) + "\r\n";
  const auto before = vault.Entries("action=status.read").size();
  for (std::size_t cut = 0; cut < requests.size(); cut += 1 + requests.size() / 40) {
    INFO("cut at " << cut);
    RawConnection peer(vault.port());
    peer.Send(requests.substr(0, cut));
    peer.Send(requests.substr(cut) + ignored);
    const auto one = peer.Read();
    CHECK(one.status == 200);
    CHECK(one.Json().value("id", "") == first);
    CHECK(peer.Read().status == 201);
    CHECK(peer.Read().Json().value("id", "") == second);
    CHECK(peer.Read().status == 201);
    CHECK(peer.Read().status == 404);
    CHECK(peer.Read().status == 403);
    const auto last = peer.Read();
    CHECK(last.status == 200);
    CHECK(last.Header("connection") == "close");
    CHECK(peer.Read(seconds(5)).status == 0);
  }
  CHECK(vault.Entries("action=status.read").size() == before);
}

TEST_CASE("a chunked body is read as its bytes came, or refused") {
  RunningVault vault;
  ProblemSchema problems(vault);
  const std::string token = vault.Token("crm-service");
  const std::string head =
      RequestHead("POST", "/v1/clients/" + vault.NewClient("A-1") + "/records", token) + kJsonType +
      "Transfer-Encoding: chunked\r\n\r\n";
  const std::string body = R"({"class":"contact","data":{"last_name":"Doe"}})";
  const std::string smuggled = RequestHead("GET", "/v1/status", token) + "\r\n";
  const json before = vault.Counts();
  for (const std::string& chunks :
       {"0x2E\r\n" + body + "\r\n0\r\n\r\n", "+2E\r\n" + body + "\r\n0\r\n\r\n",
        "-2E\r\n" + body + "\r\n0\r\n\r\n", " 2E\r\n" + body + "\r\n0\r\n\r\n",
        "2E x\r\n" + body + "\r\n0\r\n\r\n", "2E\n" + body + "\n0\n\n",
        "2E\r\n" + body + "\n0\r\n\r\n", "2E\r\n" + body + "0\r\n\r\n",
        "2E\r\n" + body + "\r\n\r\n0\r\n\r\n", "2E\r\n" + body + "\r\n0\r\n\n",
        "00000002E\r\n" + body + "\r\n0\r\n\r\n", "FFFFFFFFFFFFFFFF\r\n" + body + "\r\n0\r\n\r\n",
        "\r\n" + body, "2E;" + std::string(2'000, 'x') + "\r\n" + body + "\r\n0\r\n\r\n",
        "%32E\r\n" + body + "\r\n0\r\n\r\n"}) {
    INFO(chunks.substr(0, 60));
    problems.Check(AnswerAndEnd(vault, head + chunks + smuggled), 400, "header_invalid");
  }
  CHECK(vault.Counts() == before);
  RawConnection peer(vault.port());
  for (std::size_t size = 1; size <= body.size(); ++size) {
    std::string chunks;
    for (std::size_t at = 0; at < body.size(); at += size) {
      const std::string piece = body.substr(at, size);
      char text[16];
      std::snprintf(text, sizeof text, "%zx\r\n", piece.size());
      chunks += text + piece + "\r\n";
    }
    peer.Send(head + chunks + "0\r\n\r\n");
    CHECK(peer.Read().status == 201);
  }
}

TEST_CASE("every refusal of every route is a problem as it is documented") {
  RunningVault vault;
  ProblemSchema problems(vault);
  const std::string token = vault.Token("crm-service");
  for (const auto& route : DocumentedRoutes(problems.document())) {
    INFO(route.method << " " << route.path);
    const auto ask = [&](const std::string& with, const std::string& more,
                         const std::string& target) {
      RawConnection peer(vault.port());
      peer.Send(RequestHead(route.method, target, with) + more);
      const auto reply = peer.Read();
      if (reply.status >= 400) problems.Check(reply);
      return reply;
    };
    // Unless it is not this caller's to do, which is said before what is wrong with it.
    const auto check = [&](const HttpReply& reply, int status, const char* code) {
      if (reply.status != 403) problems.Check(reply, status, code);
    };
    const std::string body = kJsonType + "Content-Length: 2\r\n\r\n{}";
    (void)ask("", route.body ? body : "\r\n", route.path);
    (void)ask("cft_nothing", route.body ? body : "\r\n", route.path);
    (void)ask(token, route.body ? body : "\r\n", route.path);
    check(ask(token, "X: " + std::string(2'001, 'x') + "\r\n\r\n", route.path),
          route.body ? 411 : 431, route.body ? "length_required" : "headers_too_large");
    check(ask(token, "Content-Length: 99999999\r\n\r\n", route.path), 413, "body_too_large");
    check(ask(token, "Content-Length: x\r\n\r\n", route.path), 400, "header_invalid");
    check(
        ask(token, "Coffer-Reason: a\r\nCoffer-Reason: b\r\nContent-Length: 0\r\n\r\n", route.path),
        400, "header_invalid");
    check(ask(token, "Coffer-Reason: %20\r\nContent-Length: 0\r\n\r\n", route.path), 400,
          "header_invalid");
    check(ask(token, "Content-Length: 0\r\n\r\n", route.path + "?no_such=1"), 400,
          "parameter_unknown");
    check(ask(token, "\r\n", route.path + std::string(600, 'x')), 414, "path_too_long");
    if (!route.body) continue;
    check(ask(token, "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}", route.path), 415,
          "media_type_unsupported");
    const bool lines = route.path == "/v1/import";
    for (const char* text : {"{", "[]", R"({"no_such_member":1})", "{\"\\ud800\":1}", "\xff\xff"}) {
      const std::string type = lines ? "Content-Type: application/x-ndjson\r\n" : kJsonType;
      (void)ask(
          token,
          type + "Content-Length: " + std::to_string(std::string(text).size()) + "\r\n\r\n" + text,
          route.path);
    }
  }
  CHECK(problems.checked() > 1'000);
}
