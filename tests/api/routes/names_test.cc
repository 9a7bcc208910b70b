// Names beside ids: over every route whose answers hold ids of principals or clients.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <map>
#include <set>

#include "api/openapi/document.h"
#include "tests/api/routes/api_calls.h"

namespace coffer::api {
namespace {

using enum vault::Role;
using enum Method;

const json& NamedDocument() {
  static const json document = *vault::ParseStrictJson(OpenApiDocument());
  return document;
}

bool IsNamedId(const std::string& schema) {
  static const std::set<std::string> kIds = {"ClientId", "PrincipalId", "ServiceId", "UserId",
                                             "TeamId"};
  return kIds.contains(schema);
}

// Whether the schema, or what it is made of, says a principal or a client other than as its own id.
bool HoldsIds(const json& schema, const std::string& member, std::set<std::string>& seen) {
  if (schema.is_array()) {
    return std::ranges::any_of(schema,
                               [&](const json& part) { return HoldsIds(part, member, seen); });
  }
  if (!schema.is_object()) return false;
  if (const auto ref = schema.find("$ref"); ref != schema.end()) {
    const auto& text = ref->get_ref<const std::string&>();
    const std::string name = text.substr(text.rfind('/') + 1);
    if (IsNamedId(name)) return member != "id";
    if (name == "LogEntry") return true;
    if (!seen.insert(name).second) return false;
    return HoldsIds(NamedDocument().at(json::json_pointer(text.substr(1))), member, seen);
  }
  for (const auto& [name, part] : schema.items()) {
    if (name == "properties") {
      for (const auto& [property, value] : part.items()) {
        if (HoldsIds(value, property, seen)) return true;
      }
    } else if (HoldsIds(part, member, seen)) {
      return true;
    }
  }
  return false;
}

const json& Followed(const json& schema) {
  const auto ref = schema.find("$ref");
  if (ref == schema.end()) return schema;
  const auto& text = ref->get_ref<const std::string&>();
  return Followed(NamedDocument().at(json::json_pointer(text.substr(1))));
}

// Why an answer with ids has no names beside them.
const std::map<std::string, std::string>& Reasons() {
  static const std::map<std::string, std::string> reasons = {
      {"searchClients", "the hot path; what a hit is called is read with the client"},
      {"createRecord", "the client is the one that the path names, and so below"},
      {"listRecords", "the path's client"},
      {"getRecord", "the path's client"},
      {"updateRecord", "the path's client"},
      {"patchRecord", "the path's client"},
      {"getRecordVersion", "the path's client"},
      {"exportClients", "each client is in it with its reference"},
      {"packageClient", "the client is in it with its reference"},
      {"handOutPackage", "it is the client's, and names nobody else"},
      {"listPendingOfNotice", "ids of those to be told; who tells them looks up each"},
      {"listObjectionsToNotice", "each client is looked up by who answers it"},
      {"findBreachScope", "as many as there are; who tells them looks up each for a purpose"},
      {"listDisclosedClients", "as many as there are; who tells them looks up each for a purpose"},
      {"listToTell", "as many as there are; who tells them looks up each for a purpose"},
      {"getStatus", "each service is in it with its name"},
      {"countReaders", "each reader is in it with their login"},
      {"getMe", "whoever asks is in it with their name"},
      {"listSessions", "each session has its login"},
      {"logIn", "the session has its login"},
      {"stepUp", "the session has its login"},
      {"endSession", "the session has its login"},
      {"issueCertificate", "of a service that was named to be given one"},
  };
  return reasons;
}

}  // namespace

TEST_CASE("each answer with ids of principals or clients has their names, or a reason why not") {
  std::size_t named = 0;
  for (const auto& [path, methods] : NamedDocument().at("paths").items()) {
    for (const auto& [method, operation] : methods.items()) {
      if (!operation.is_object() || !operation.contains("operationId")) continue;
      const std::string id = operation.at("operationId");
      CAPTURE(id);
      for (const auto& [status, answer] : operation.at("responses").items()) {
        if (!status.starts_with('2')) continue;
        const json& response = Followed(answer);
        if (!response.contains("content")) continue;
        const json& content = response.at("content");
        if (!content.contains("application/json")) continue;
        const json& schema = Followed(content.at("application/json").at("schema"));
        std::set<std::string> seen;
        const bool names =
            schema.contains("properties") && schema.at("properties").contains("names");
        named += names ? 1 : 0;
        CHECK((names || Reasons().contains(id)) ==
              (names || Reasons().contains(id) || HoldsIds(schema, "", seen)));
        CHECK_FALSE((names && Reasons().contains(id)));
      }
    }
  }
  CHECK(named >= 40);
}

TEST_CASE("every list that can be read has names beside the ids that are in it") {
  ApiCalls api;
  const vault::ClientId client = api.NewClient("A-1");
  const std::string at = "/v1/clients/" + client.Text();
  const json user = ApiCalls::Parsed(api.Post(
      "/v1/users", kAdministrator, {{"login", "bert"}, {"name", "Bert"}, {"role", "case-worker"}}));
  const std::string bert = user.at("user").at("id");
  REQUIRE(api.Do(kPut, "/v1/teams/north", kSupervisor, json{{"members", {bert}}}.dump()).status ==
          200);
  REQUIRE(api.Do(kPut, at + "/assignments/" + bert, kSupervisor, "{}").status == 200);
  REQUIRE(api.Post(at + "/leases", kSupervisor,
                   {{"principal", bert},
                    {"class", "contact"},
                    {"fields", {"last_name"}},
                    {"purpose", "client-care"},
                    {"ticket", "T-1"},
                    {"lifetime_s", 3600}})
              .status == 201);
  REQUIRE(api.Post("/v1/holds", kPrivacyOfficer,
                   {{"client", client.Text()},
                    {"reason", "a claim"},
                    {"case_number", "C-1"},
                    {"review_due", "2027-01-01T00:00:00Z"}})
              .status == 201);
  const auto names = [&](const std::string& path, vault::Role role, const char* purpose) {
    const Reply reply = api.Get(path, role, [&](Call& call) { call.caller.purpose = purpose; });
    INFO(path << " " << reply.body);
    REQUIRE(reply.status == 200);
    return ApiCalls::Parsed(reply).at("names");
  };
  const json is_bert = {{"name", "bert"}}, is_client = {{"name", "A-1"}};
  for (const std::string& path :
       {at + "/assignments", at + "/leases", std::string("/v1/teams"),
        "/v1/principals/" + bert + "/access-log", "/v1/clients/" + client.Text() + "/access-log",
        std::string("/v1/log/entries")}) {
    CAPTURE(path);
    const bool of_bert = path.find("principals") == path.npos;  // who did nothing yet
    if (of_bert) CHECK(names(path, kSecurityOfficer, "").at(bert) == is_bert);
    CHECK_FALSE(names(path, kSecurityOfficer, "client-care").contains(client.Text()));
  }
  // A client is named where a purpose is stated, and by role.
  for (const std::string path : {"/v1/holds", "/v1/log/entries"}) {
    CAPTURE(path);
    CHECK(names(path, kPrivacyOfficer, "client-care").at(client.Text()) == is_client);
    CHECK_FALSE(names(path, kPrivacyOfficer, "").contains(client.Text()));
    CHECK_FALSE(names(path, kSecurityOfficer, "client-care").contains(client.Text()));
  }
  // What one person has is read about clients.
  const auto assigned = [&](const char* purpose) {
    const Reply reply = api.Get("/v1/assignments", kPrivacyOfficer, [&](Call& call) {
      call.query.emplace_back("principal", bert);
      call.caller.purpose = purpose;
    });
    INFO(reply.body);
    REQUIRE(reply.status == 200);
    return ApiCalls::Parsed(reply).at("names");
  };
  CHECK(assigned("client-care").at(client.Text()) == is_client);
  CHECK_FALSE(assigned("").contains(client.Text()));
  // Where the path names it, it is known.
  CHECK_FALSE(names(at + "/assignments", kPrivacyOfficer, "client-care").contains(client.Text()));
  // What was done for many is told with those it was done for.
  const auto done = [&](const std::string& path, const json& body, vault::Role role = kSupervisor) {
    const Reply reply = api.Post(path, role, body);
    INFO(reply.body);
    REQUIRE(reply.status == 200);
    return ApiCalls::Parsed(reply).at("names");
  };
  CHECK(done("/v1/assignments", {{"principal", bert}, {"clients", {{{"client", client.Text()}}}}})
            .at(bert) == is_bert);
  const json explained = done("/v1/access/explain",
                              {{"principal", bert},
                               {"action", "client.read"},
                               {"client", client.Text()},
                               {"purpose", "client-care"}},
                              kSecurityOfficer);
  CHECK(explained.at(bert) == is_bert);
  const json team = ApiCalls::Parsed(api.Get("/v1/teams", kSupervisor)).at("items")[0];
  CHECK(done("/v1/assignments/hand-over", {{"from", bert}, {"to", team.at("id")}})
            .at(team.at("id").get<std::string>()) == json{{"name", "north"}});
  // Entries in their exact bytes have none.
  const Reply lines = api.Get("/v1/log/entries", kSecurityOfficer,
                              [](Call& call) { call.accept = "application/x-ndjson"; });
  CHECK(lines.body.find("bert") == lines.body.npos);
  api.CheckInvariants();
}

TEST_CASE("tokens are listed by state and by service, page by page") {
  ApiCalls api;
  const json made = ApiCalls::Parsed(
      api.Post("/v1/tokens", kAdministrator, {{"name", "mail"}, {"role", "case-worker"}}));
  CHECK(made.at("state") == "active");
  const auto list = [&](const std::vector<std::pair<std::string, std::string>>& query) {
    return api.Get("/v1/tokens", kSecurityOfficer, [&](Call& call) {
      for (const auto& [name, value] : query) call.query.emplace_back(name, value);
    });
  };
  const json mine = ApiCalls::Parsed(list({{"principal", "mail"}}));
  REQUIRE(mine.at("items").size() == 1);
  CHECK(mine.at("items")[0].at("id") == made.at("id"));
  CHECK(mine.at("items")[0].at("expires_in_s") > 0);
  CHECK(mine.at("names").at(made.at("principal").get<std::string>()).at("name") == "mail");
  REQUIRE(
      api.Do(kDelete, "/v1/tokens/" + made.at("id").get<std::string>(), kAdministrator).status ==
      200);
  CHECK(ApiCalls::Parsed(list({{"state", "revoked"}})).at("items").size() == 1);
  CHECK(ApiCalls::Parsed(list({{"state", "active"}, {"principal", "mail"}})).at("items").empty());
  const json page = ApiCalls::Parsed(list({{"limit", "1"}}));
  CHECK(page.at("items").size() == 1);
  CHECK(page.contains("next_cursor"));
  CHECK(ApiCalls::Answer(list({{"state", "lost"}})) == "400 parameter_invalid");
  const Reply unknown = list({{"principal", "nobody"}});
  CHECK(ApiCalls::Answer(unknown) == "400 filter_unknown");
  CHECK(ApiCalls::Pointers(unknown) == std::vector<std::string>{"query:principal"});
}

}  // namespace coffer::api
