// What is given without a value is not taken for absent: every parameter of every query and every
// header that the server reads, over every route that it documents.
#include <catch2/catch_test_macros.hpp>
#include <set>

#include "tests/support/raw_connection.h"
#include "tests/support/running_vault.h"

using namespace coffer::testing;
using nlohmann::json;

namespace {

// A blank purpose is refused as none, or as one that is not registered, where one is needed.
constexpr const char* kHeaders[] = {"Coffer-Reason", "Coffer-Ticket", "Coffer-Approval", "If-Match",
                                    "Idempotency-Key"};
constexpr const char* kRoles[] = {"administrator", "privacy-officer", "auditor",
                                  "supervisor",    "crm-service",     "security-officer"};

struct Operation {
  std::string method, path;  // the latter without braces
  std::string permission;
  std::vector<std::string> query;
};

std::vector<Operation> OperationsOf(RunningVault& vault) {
  const json document = vault.WithToken("").Get("/openapi.json").Json();
  std::vector<Operation> operations;
  for (const auto& [path, item] : document.at("paths").items()) {
    for (const auto& [method, operation] : item.items()) {
      if (!operation.contains("x-permission")) continue;
      Operation one{method, path, operation.at("x-permission"), {}};
      for (char& c : one.method) c = static_cast<char>(std::toupper(c));
      std::erase_if(one.path, [](char c) { return c == '{' || c == '}'; });
      for (const json& parameter : operation.value("parameters", json::array())) {
        const json& resolved =
            parameter.contains("$ref")
                ? document.at(json::json_pointer(parameter.at("$ref").get<std::string>().substr(1)))
                : parameter;
        if (resolved.at("in") == "query") one.query.push_back(resolved.at("name"));
      }
      operations.push_back(std::move(one));
    }
  }
  return operations;
}

// One caller who asks the same connection again and again, and what the log should say of it.
class Asking {
 public:
  explicit Asking(RunningVault& vault) : vault_(vault) {
    for (const char* role : kRoles) callers_.emplace_back(vault.As(role));
  }

  // The answer of the first role that may do this at all.
  HttpReply Ask(const Operation& operation, const std::string& query, const HeaderList& headers) {
    HttpReply reply;
    const bool body = operation.method != "GET" && operation.method != "DELETE";
    for (Caller& caller : callers_) {
      reply = caller.Send(operation.method, operation.path + query, body ? "{}" : "",
                          body ? "application/json" : "", headers);
      if (reply.status != 403 && reply.status != 401) return reply;
    }
    return reply;
  }
  void CheckRefused(const Operation& operation, const HttpReply& reply, const std::string& code,
                    const std::string& place) {
    INFO(reply.status << " " << reply.body);
    CHECK(reply.status == 400);
    const json problem = reply.Json();
    CHECK(problem.value("code", "") == code);
    REQUIRE(problem.contains("errors"));
    CHECK(problem.at("errors")[0].at("pointer") == place);
    if (operation.permission == "none") return;
    requests_.insert(reply.Header("coffer-request-id"));
  }
  // Each in the log once, as a refusal of its form.
  void CheckLogged() {
    std::size_t found = 0;
    for (const json& entry : vault_.Entries("rule=check:input")) {
      if (requests_.erase(entry.at("request")) == 0) continue;
      CHECK(entry.at("decision") == "deny");
      ++found;
    }
    CHECK(found > 0);
    CHECK(requests_.empty());
  }

 private:
  RunningVault& vault_;
  std::vector<Caller> callers_;
  std::set<std::string> requests_;
};

}  // namespace

TEST_CASE("a parameter without a value, or given twice, is refused by name on every route") {
  RunningVault vault;
  Asking asking(vault);
  (void)vault.NewClient("A-1");
  const json before = vault.Counts();
  int asked = 0;
  for (const Operation& operation : OperationsOf(vault)) {
    for (const std::string& name : operation.query) {
      for (const std::string& wrong : {name + "=", name, name + "=%20", name + "=a&" + name + "=b",
                                       name + "=a&" + name + "=a"}) {
        INFO(operation.method << " " << operation.path << "?" << wrong);
        // An import is told of its media type first.
        if (operation.path == "/v1/import") continue;
        ++asked;
        asking.CheckRefused(operation, asking.Ask(operation, "?" + wrong, {}), "parameter_invalid",
                            "query:" + name);
      }
    }
  }
  CHECK(asked > 300);
  asking.CheckLogged();
  CHECK(vault.Counts() == before);
}

TEST_CASE("a header without a value is refused by name on every route") {
  RunningVault vault;
  Asking asking(vault);
  const json before = vault.Counts();
  std::size_t routes = 0;
  for (const Operation& operation : OperationsOf(vault)) {
    // Each refusal ends its connection, which takes time: a route is asked with each third of them.
    std::size_t at = routes++;
    for (const std::string header : kHeaders) {
      if (at++ % 3 != 0) continue;
      // A reason is the only header that is written as in URLs.
      const bool reason = header == "Coffer-Reason";
      for (const std::string value : {"", "%20", "%C2%A0%E3%80%80", "%E2%80%8B%EF%BB%BF"}) {
        if (!value.empty() && !reason) continue;
        INFO(operation.method << " " << operation.path << " " << header << ": " << value);
        asking.CheckRefused(operation, asking.Ask(operation, "", {{header, value}}),
                            "header_invalid", "header:" + header);
      }
    }
  }
  asking.CheckLogged();
  CHECK(vault.Counts() == before);
}

TEST_CASE("a purpose that is blank, and a token that is none, are not left out") {
  RunningVault vault;
  const std::string path = "/v1/clients/" + vault.NewClient("A-1");
  const std::string token = vault.Token("crm-service");
  const auto ask = [&](const std::string& head) {
    RawConnection raw(vault.port());
    REQUIRE(raw.Send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + head + "\r\n"));
    return raw.Read();
  };
  const std::string bearer = "Authorization: Bearer " + token + "\r\n";
  CHECK(ask(bearer + "Coffer-Purpose: client-care\r\n").status == 200);
  for (const char* purpose :
       {"Coffer-Purpose:\r\n", "Coffer-Purpose:   \r\n", "Coffer-Purpose: \xc2\xa0\r\n"}) {
    const auto reply = ask(bearer + purpose);
    INFO(purpose << reply.status << reply.body);
    CHECK((reply.Code() == "purpose_required" || reply.Code() == "purpose_unknown"));
    // Also where none is needed.
    RawConnection raw(vault.port());
    REQUIRE(raw.Send("GET /v1/me HTTP/1.1\r\nHost: localhost\r\n" + bearer + purpose + "\r\n"));
    CHECK(raw.Read().Code() == "header_invalid");
  }
  for (const char* none : {"Authorization:\r\n", "Authorization: Bearer\r\n",
                           "Authorization: Bearer \r\n", "Authorization: Basic abc\r\n"}) {
    INFO(none);
    CHECK(ask(std::string(none) + "Coffer-Purpose: client-care\r\n").status == 401);
  }
}
