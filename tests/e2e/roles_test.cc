// Every route for every role: the cells come from the OpenAPI document and the role table, so that
// a route that is added without a thought for who may use it is noticed.
#include "tests/support/roles.h"

#include <catch2/catch_test_macros.hpp>

#include "tests/support/running_vault.h"
#include "vault/access/access_policy.h"

using namespace coffer;
using namespace coffer::testing;
using nlohmann::json;

namespace {

std::optional<vault::Action> ActionNamed(const std::string& name) {
  for (int i = 0; i < vault::kActionCount; ++i) {
    if (vault::Name(static_cast<vault::Action>(i)) == name) return static_cast<vault::Action>(i);
  }
  return std::nullopt;
}

// The path with ids that exist, so that a refusal is about the role and nothing else.
std::string Fill(std::string path, const std::map<std::string, std::string>& values) {
  for (const auto& [name, value] : values) {
    const std::string slot = "{" + name + "}";
    if (const auto at = path.find(slot); at != std::string::npos)
      path.replace(at, slot.size(), value);
  }
  return path;
}

}  // namespace

TEST_CASE("every route answers every role as the tables say") {
  RunningVault vault;
  const std::string client = vault.NewClient("R-1");
  const std::string record = vault.NewContact(client, {{"last_name", "Role"}});
  const json document = vault.As("auditor").Get("/openapi.json").Json();
  const std::map<std::string, std::string> values = {
      {"client", client},
      {"record", record},
      {"version", "1"},
      {"principal", "svc_00000000000000000000000000"},
      {"lease", "lease_00000000000000000000000000"},
      {"session", "ses_00000000000000000000000000"},
      {"approval", "apr_00000000000000000000000000"},
      {"hold", "hold_00000000000000000000000000"},
      {"emergency", "emg_00000000000000000000000000"},
      {"erasure", "era_00000000000000000000000000"},
      {"run", "run_00000000000000000000000000"},
      {"name", "contact"},
      {"code", "client-care"},
      {"token", "tok_00000000000000000000000000"},
      {"seq", "0"},
      {"path", "0/000.p/1"}};

  int cells = 0;
  for (const auto role : vault::kRoles) {
    const std::string role_name(vault::Name(role));
    // A purpose that every class allows: what is refused is the action.
    auto caller = vault.As(role_name, "data-subject-request");
    for (const auto& [path, operations] : document.at("paths").items()) {
      for (const auto& [method, operation] : operations.items()) {
        if (!operation.is_object() || !operation.contains("x-permission")) continue;
        const std::string permission = operation.at("x-permission");
        if (permission == "none") continue;
        const auto action = ActionNamed(permission);
        INFO(role_name << " " << method << " " << path << " " << permission);
        REQUIRE(action);
        if (vault::KindOf(*action) == vault::ActionKind::kOpen) continue;  // nobody has a role yet
        const bool may =
            vault::RoleAllows(role, *action) || vault::KindOf(*action) == vault::ActionKind::kOwn;
        // Changing requests get a body that is refused after the decision: nothing is changed here.
        std::string verb = method;
        for (char& c : verb) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        if (verb == "DELETE" && may) continue;  // its own tests do that
        const bool ndjson = path == "/v1/import";
        const bool body = verb == "POST" || verb == "PUT" || verb == "PATCH";
        const auto reply = body ? caller.Send(verb, Fill(path, values), ndjson ? "{}\n" : "[]",
                                              ndjson ? "application/x-ndjson" : "application/json",
                                              {{"If-Match", "\"1\""}})
                                : caller.Send(verb, Fill(path, values), "", "");
        INFO(reply.status << " " << reply.body);
        ++cells;
        if (may) {
          CHECK(reply.status != 401);
          CHECK(reply.status != 403);
        } else {
          CHECK(reply.status == 403);
          CHECK(reply.Code() == "permission_denied");
        }
        // Nobody known is nobody allowed, on every route.
        if (role == vault::Role::kAuditor) {
          auto stranger = vault.WithToken("", "data-subject-request");
          CHECK(stranger
                    .Send(verb, Fill(path, values), body ? "{}" : "",
                          body ? (ndjson ? "application/x-ndjson" : "application/json") : "")
                    .status == 401);
        }
      }
    }
  }
  CHECK(cells > 150);
}

TEST_CASE("administrators and security officers never see what is in the vault") {
  RunningVault vault;
  const std::string client = vault.NewClient("R-2");
  const std::string record = vault.NewContact(client, {{"last_name", "Unseen"}});
  for (const char* role : {"administrator", "security-officer", "auditor"}) {
    auto caller = vault.As(role);
    const std::vector<std::string> paths = {"/v1/clients/" + client,
                                            "/v1/clients/" + client + "/records/" + record,
                                            "/v1/clients/" + client + "/records", "/v1/clients"};
    for (const auto& path : paths) {
      INFO(role << " " << path);
      const auto reply = caller.Get(path);
      CHECK(reply.status == 403);
      CHECK(reply.body.find("Unseen") == std::string::npos);
    }
    CHECK(caller.Post("/v1/clients/search", {{"external_ref", "R-2"}}).status == 403);
  }
}

TEST_CASE("a revoked token is refused from the next request on") {
  RunningVault vault;
  auto admin = vault.As("administrator", "");
  const auto made =
      admin.Post("/v1/tokens", {{"name", "short"}, {"role", "crm-service"}, {"lifetime_s", 60}});
  REQUIRE(made.status == 201);
  auto service = vault.WithToken(made.Json().at("token"));
  CHECK(service.Get("/v1/me").status == 200);
  CHECK(admin.Delete("/v1/tokens/" + made.Json().at("id").get<std::string>()).status == 200);
  CHECK(service.Get("/v1/me").status == 401);
  CHECK(service.Get("/v1/clients").status == 401);
  vault.Kill();
  vault.Start();
  CHECK(vault.WithToken(made.Json().at("token")).Get("/v1/me").status == 401);
}
