// Each route's handler on a vault, without HTTP: what it takes, what it answers, what it logs. The
// server in front of it is tested end to end.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "tests/api/routes/api_calls.h"

namespace coffer::api {
namespace {

using enum Role;
using enum Method;
using Strings = std::vector<std::string>;

class ClientCalls : public ApiCalls {
 public:
  ClientCalls() {
    const Reply made =
        Post("/v1/clients", kCrmService, {{"external_ref", "A-1"}, {"tags", {"vip"}}});
    REQUIRE(made.status == 201);
    client = Header(made, "Location");
    const Reply record = Post(client + "/records", kCrmService,
                              {{"class", "contact"}, {"data", {{"last_name", "Doe"}}}});
    REQUIRE(record.status == 201);
    contact = Header(record, "Location");
  }
  std::string client, contact;  // paths
};

TEST_CASE("a client is created, read, changed and erased") {
  ApiCalls api;
  const Reply made =
      api.Post("/v1/clients", kCrmService, {{"external_ref", "A-1"}, {"tags", {"vip"}}});
  CHECK(made.status == 201);
  CHECK(ApiCalls::Header(made, "ETag") == "\"1\"");
  const std::string path = ApiCalls::Header(made, "Location");
  const json body = ApiCalls::Parsed(made);
  CHECK(path == "/v1/clients/" + body.at("id").get<std::string>());
  CHECK(body.at("external_ref") == "A-1");

  const Reply read = api.Get(path, kCrmService);
  CHECK(read.status == 200);
  CHECK(ApiCalls::Parsed(read) == body);
  CHECK(ApiCalls::Header(read, "ETag") == "\"1\"");

  const auto patch = [&](const std::string& text, const std::string& tag) {
    return api.Do(kPatch, path, kCrmService, text, ApiCalls::IfMatch(tag));
  };
  const Reply changed = patch(R"({"external_ref": ""})", "\"1\"");
  CHECK(changed.status == 200);
  CHECK(ApiCalls::Header(changed, "ETag") == "\"2\"");
  CHECK(!ApiCalls::Parsed(changed).contains("external_ref"));
  CHECK(ApiCalls::Parsed(changed).at("tags") == json{"vip"});
  CHECK(ApiCalls::Answer(patch("{}", "\"1\"")) == "412 version_mismatch");
  CHECK(ApiCalls::Answer(patch("{}", "")) == "428 if_match_required");

  const Reply erased = api.Do(kDelete, path, kPrivacyOfficer);
  CHECK(erased.status == 200);
  CHECK(ApiCalls::Parsed(erased).at("records") == 0);
  CHECK(api.Do(kDelete, path, kPrivacyOfficer).body == erased.body);
  CHECK(ApiCalls::Answer(api.Get(path, kCrmService)) == "404 not_found");
  api.CheckInvariants();
}

TEST_CASE("an erased client's reference is taken only where that is said") {
  ApiCalls api;
  const Reply made = api.Post("/v1/clients", kCrmService, {{"external_ref", "A-1"}});
  REQUIRE(api.Do(kDelete, ApiCalls::Header(made, "Location"), kPrivacyOfficer).status == 200);
  const auto create = [&](const json& body) {
    return ApiCalls::Answer(api.Post("/v1/clients", kCrmService, body));
  };
  CHECK(create({{"external_ref", "A-1"}}) == "409 erased_before");
  CHECK(create({{"external_ref", "A-1"}, {"erased_before", "refuse"}}) == "422 client_invalid");
  CHECK(create({{"external_ref", "A-1"}, {"erased_before", ""}}) == "422 request_invalid");
  CHECK(create({{"external_ref", "A-1"}, {"erased_before", true}}) == "422 request_invalid");
  CHECK(create({{"external_ref", "A-1"}, {"erased_before", "accept"}}) == "201");
}

TEST_CASE("what is wrong with a client's body is told with pointers") {
  ApiCalls api;
  const auto answer = [&](const json& body) {
    const Reply reply = api.Post("/v1/clients", kCrmService, body);
    Strings told = ApiCalls::Pointers(reply);
    told.insert(told.begin(), ApiCalls::Answer(reply));
    return told;
  };
  CHECK(answer({{"external_ref", 7}}) == Strings{"422 request_invalid", "/external_ref"});
  CHECK(answer({{"external_ref", nullptr}}) == Strings{"422 request_invalid", "/external_ref"});
  CHECK(answer({{"tags", "vip"}}) == Strings{"422 client_invalid", "/tags"});
  CHECK(answer({{"tags", {1}}}) == Strings{"422 client_invalid", "/tags"});
  CHECK(answer({{"tags", {"ok", "NOT"}}}) == Strings{"422 client_invalid", "/tags/1"});
  CHECK(answer({{"name", "x"}}) == Strings{"422 request_invalid", "/name"});
  CHECK(answer(json::array()) == Strings{"422 request_invalid", ""});
  CHECK(ApiCalls::Answer(api.Do(kPost, "/v1/clients", kCrmService)) == "400 body_required");
  CHECK(ApiCalls::Answer(api.Do(kPost, "/v1/clients", kCrmService, "{")) == "400 json_invalid");
  CHECK(api.LastEntry() == api.Denied(kCrmService, {{"action", "client.create"},
                                                    {"rule", "check:input"},
                                                    {"outcome", "json_invalid"}}));
}

TEST_CASE("an idempotency key makes one object, whatever route it is used on") {
  ApiCalls api;
  const auto key = [](Call& call) { call.idempotency_key = "key-1"; };
  const Reply first = api.Post("/v1/clients", kCrmService, {{"external_ref", "A-1"}}, key);
  const Reply again = api.Post("/v1/clients", kCrmService, {{"external_ref", "A-1"}}, key);
  CHECK(first.status == 201);
  CHECK(again.status == 201);
  CHECK(again.body == first.body);
  CHECK(again.headers == first.headers);
  CHECK(ApiCalls::Answer(api.Post("/v1/clients", kCrmService, {{"external_ref", "A-2"}}, key)) ==
        "422 idempotency_key_reused");
  const std::string records = ApiCalls::Header(first, "Location") + "/records";
  const json body = {{"class", "contact"}, {"data", {{"last_name", "Doe"}}}};
  const Reply record = api.Post(records, kCrmService, body, key);
  CHECK(record.status == 201);
  CHECK(api.Post(records, kCrmService, body, key).body == record.body);
}

TEST_CASE("a record is created, read, changed and deleted") {
  ClientCalls api;
  const Reply read = api.Get(api.contact, kCrmService);
  CHECK(read.status == 200);
  CHECK(ApiCalls::Header(read, "ETag") == "\"1\"");
  const json body = ApiCalls::Parsed(read);
  CHECK(body.at("data") == json{{"last_name", "Doe"}});
  CHECK(body.at("masked") == json::array());

  const auto put = [&](const json& data, const std::string& tag) {
    return api.Do(kPut, api.contact, kCrmService, json{{"data", data}}.dump(),
                  ApiCalls::IfMatch(tag));
  };
  const Reply changed = put({{"last_name", "Roe"}}, "\"1\"");
  CHECK(changed.status == 200);
  CHECK(ApiCalls::Header(changed, "ETag") == "\"2\"");
  CHECK(!ApiCalls::Parsed(changed).contains("data"));
  CHECK(ApiCalls::Answer(put({{"last_name", "Roe"}}, "\"1\"")) == "412 version_mismatch");
  CHECK(ApiCalls::Answer(put({{"last_name", "Roe"}}, "")) == "428 if_match_required");
  const Reply bad = put({{"email", "x"}, {"a/b", 1}}, "\"2\"");
  CHECK(ApiCalls::Answer(bad) == "422 document_invalid");
  CHECK(ApiCalls::Pointers(bad) == Strings{"/data/a~1b", "/data/email", "/data/last_name"});

  const auto patch = [&](const json& patched, const std::string& tag) {
    return api.Do(kPatch, api.contact, kCrmService, patched.dump(), ApiCalls::IfMatch(tag));
  };
  CHECK(ApiCalls::Answer(patch({{"data", {{"city", "Bern"}}}}, "")) == "428 if_match_required");
  CHECK(ApiCalls::Answer(patch({{"data", {{"city", "Bern"}}}}, "\"1\"")) == "412 version_mismatch");
  for (const json& patched :
       {json{{"city", "Bern"}}, json::object(), json{{"data", {}}, {"id", "x"}}}) {
    CHECK(ApiCalls::Answer(patch(patched, "\"2\"")) == "422 request_invalid");
  }
  const Reply wrong = patch({{"data", {{"email", "x"}, {"last_name", nullptr}}}}, "\"2\"");
  CHECK(ApiCalls::Pointers(wrong) == Strings{"/data/email", "/data/last_name"});
  const Reply same = patch({{"data", {{"city", nullptr}}}}, "\"2\"");
  CHECK(ApiCalls::Header(same, "ETag") == "\"2\"");

  const Reply versions = api.Get(api.contact + "/versions", kCrmService);
  CHECK(ApiCalls::Parsed(versions).at("items").size() == 2);
  const Reply old = api.Get(api.contact + "/versions/1", kCrmService);
  CHECK(ApiCalls::Parsed(old).at("data") == json{{"last_name", "Doe"}});
  CHECK(ApiCalls::Header(old, "ETag") == "\"1\"");
  for (const char* none : {"/versions/3", "/versions/0", "/versions/01", "/versions/x",
                           "/versions/99999999999999999999"}) {
    CHECK(ApiCalls::Answer(api.Get(api.contact + none, kCrmService)) == "404 not_found");
  }

  CHECK(ApiCalls::Answer(api.Do(kDelete, api.contact, kCrmService, {},
                                ApiCalls::IfMatch("\"1\""))) == "412 version_mismatch");
  const Reply deleted = api.Do(kDelete, api.contact, kCrmService);
  CHECK(deleted.status == 204);
  CHECK(deleted.body.empty());
  CHECK(ApiCalls::Answer(api.Get(api.contact, kCrmService)) == "404 not_found");
  api.CheckInvariants();
}

TEST_CASE("a record's body has a class and data, and nothing else") {
  ClientCalls api;
  const auto answer = [&](const json& body) {
    const Reply reply = api.Post(api.client + "/records", kCrmService, body);
    Strings told = ApiCalls::Pointers(reply);
    told.insert(told.begin(), ApiCalls::Answer(reply));
    return told;
  };
  const json data = {{"last_name", "Doe"}};
  CHECK(answer({{"data", data}}) == Strings{"422 request_invalid", "/class"});
  CHECK(answer({{"class", 1}, {"data", data}}) == Strings{"422 request_invalid", "/class"});
  CHECK(answer({{"class", "contact"}}) == Strings{"422 request_invalid", "/data"});
  CHECK(answer({{"class", "contact"}, {"data", data}, {"id", "x"}}) ==
        Strings{"422 request_invalid", "/id"});
  CHECK(answer({{"class", "contact"}, {"data", nullptr}}) ==
        Strings{"422 document_invalid", "/data"});
  CHECK(answer({{"class", "contact"}, {"data", {{"phone", 1}}}}) ==
        Strings{"422 document_invalid", "/data/last_name", "/data/phone"});
  CHECK(answer({{"class", "nonsense"}, {"data", data}}) == Strings{"422 class_unknown"});
}

TEST_CASE("records are listed with or without data, and the log says which") {
  ClientCalls api;
  const std::string path = api.client + "/records";
  const json plain = ApiCalls::Parsed(api.Get(path, kCrmService));
  CHECK(plain.at("items").size() == 1);
  CHECK(!plain.at("items")[0].contains("data"));
  CHECK(api.EntriesOf(api.last)[0].at("action") == "record.list");
  const json full = ApiCalls::Parsed(api.Get(path, kCrmService, ApiCalls::Query("data", "true")));
  CHECK(full.at("items")[0].at("data") == json{{"last_name", "Doe"}});
  CHECK(api.EntriesOf(api.last)[0].at("action") == "record.read");
  CHECK(ApiCalls::Answer(api.Get(path, kCrmService, ApiCalls::Query("data", "yes"))) ==
        "400 parameter_invalid");
  CHECK(ApiCalls::Answer(api.Get(path, kCrmService, ApiCalls::Query("limit", "0"))) ==
        "400 parameter_invalid");
  CHECK(ApiCalls::Answer(api.Get(path, kCrmService, ApiCalls::Query("cursor", "x"))) ==
        "400 cursor_invalid");
  CHECK(ApiCalls::Answer(api.Get(path, kCrmService, ApiCalls::Query("class", "nonsense"))) ==
        "422 class_unknown");
}

TEST_CASE("clients are searched by field or by reference, not by both") {
  ClientCalls api;
  const auto search = [&](const json& body) {
    return api.Post("/v1/clients/search", kCrmService, body);
  };
  const json by_field = {{"class", "contact"}, {"field", "last_name"}, {"value", "doe"}};
  const json hits = ApiCalls::Parsed(search(by_field));
  REQUIRE(hits.at("items").size() == 1);
  CHECK("/v1/clients/" + hits.at("items")[0].at("client").get<std::string>() == api.client);
  CHECK(ApiCalls::Parsed(search({{"external_ref", "A-1"}})).at("items").size() == 1);
  const auto with = [&](const char* name, const json& value) {
    json body = by_field;
    body[name] = value;
    return ApiCalls::Answer(search(body));
  };
  CHECK(with("limit", 1) == "200");
  CHECK(with("external_ref", "A-1") == "422 search_invalid");
  CHECK(with("limit", 0) == "422 search_invalid");
  CHECK(with("limit", 201) == "422 search_invalid");
  CHECK(with("limit", "10") == "422 request_invalid");
  CHECK(with("value", 7) == "422 request_invalid");
  CHECK(with("field", "first_name") == "422 field_not_indexed");
  CHECK(with("cursor", "x") == "400 cursor_invalid");
  CHECK(ApiCalls::Answer(search({{"class", "contact"}})) == "422 request_invalid");
}

TEST_CASE("a client that may not be processed stops its own line of an import, and no other") {
  ClientCalls api;
  REQUIRE(api.Post(api.client + "/restrictions", kPrivacyOfficer,
                   {{"basis", "objection"}, {"stops", {{"all_but", json::array()}}}})
              .status == 201);
  const auto line = [](const std::string& reference) {
    return json{{"external_ref", reference}, {"data", {{"last_name", "Roe"}}}}.dump() + "\n";
  };
  const auto import = [&](const std::string& lines) {
    return api.Do(kPost, "/v1/import", kCrmService, lines, ApiCalls::Query("class", "contact"));
  };
  const Reply reply = import(line("A-1") + line("A-2"));
  REQUIRE(reply.status == 200);
  const auto end = reply.body.find('\n');
  const json first = json::parse(reply.body.substr(0, end));
  CHECK(first.at("outcome") == "refused");
  CHECK(first.at("code") == "restricted");
  CHECK(json::parse(reply.body.substr(end + 1)).at("outcome") == "created");
  CHECK(ApiCalls::Answer(import(line("A-1"))) == "403 restricted");
}

TEST_CASE("an import answers each line in order, and refuses bad ones one by one") {
  ApiCalls api;
  const auto import = [&](const std::string& lines, Role role = kCrmService) {
    return api.Do(kPost, "/v1/import", role, lines, ApiCalls::Query("class", "contact"));
  };
  const std::string good = R"({"external_ref":"A-1","data":{"last_name":"Doe"}})";
  const Reply reply = import(good + "\n" + R"({"external_ref":"A-2","data":{"city":1}})" + "\n" +
                             "{\n" + "\n" + R"({"external_ref":"A-3"})" + "\n" +
                             R"({"external_ref":7,"data":{},"x":1})" + "\n" + good);
  CHECK(reply.status == 200);
  CHECK(reply.content_type == "application/x-ndjson");
  std::vector<json> lines;
  for (std::size_t at = 0; at < reply.body.size();) {
    const auto end = reply.body.find('\n', at);
    REQUIRE(end != std::string::npos);
    lines.push_back(json::parse(reply.body.substr(at, end - at)));
    at = end + 1;
  }
  REQUIRE(lines.size() == 7);
  for (std::size_t i = 0; i < lines.size(); ++i) CHECK(lines[i].at("line") == i + 1);
  CHECK(lines[0].at("outcome") == "created");
  CHECK(lines[1].at("outcome") == "refused");
  CHECK(lines[1].at("status") == 422);
  CHECK(lines[1].at("code") == "document_invalid");
  CHECK(lines[1].at("errors")[0].at("pointer") == "/data/city");
  CHECK(lines[2].at("code") == "json_invalid");
  CHECK(lines[3].at("code") == "json_invalid");
  CHECK(lines[4].at("code") == "import_invalid");
  CHECK(lines[4].at("errors")[0].at("pointer") == "/data");
  CHECK(lines[5].at("errors").size() == 2);
  CHECK(lines[6].at("outcome") == "unchanged");
  CHECK(lines[6].at("record") == lines[0].at("record"));
  api.CheckInvariants();
}

TEST_CASE("an import keeps what a line leaves out, unless it is to replace") {
  ApiCalls api;
  const auto import = [&](const json& data, const std::string& mode) {
    const std::string line = json{{"external_ref", "A-1"}, {"data", data}}.dump();
    return api.Do(kPost, "/v1/import", kCrmService, line, [&](Call& call) {
      call.query.emplace_back("class", "contact");
      if (!mode.empty()) call.query.emplace_back("mode", mode);
    });
  };
  const json first = json::parse(import({{"last_name", "Doe"}, {"city", "Bern"}}, "").body);
  const auto stored = [&] {
    const std::string path = "/v1/clients/" + first.at("client").get<std::string>() + "/records/" +
                             first.at("record").get<std::string>();
    return ApiCalls::Parsed(api.Get(path, kCrmService)).at("data");
  };
  CHECK_FALSE(first.contains("removed"));
  for (const char* mode : {"", "merge"}) {
    const json merged = json::parse(import({{"email", "doe@example.com"}}, mode).body);
    CHECK(merged.at("outcome") == (*mode == 0 ? "updated" : "unchanged"));
    CHECK(stored().size() == 3);
  }
  const json taken = json::parse(import({{"email", nullptr}}, "merge").body);
  CHECK(taken.at("removed") == 1);
  const json replaced = json::parse(import({{"last_name", "Doe"}}, "replace").body);
  CHECK(replaced.at("outcome") == "updated");
  CHECK(replaced.at("removed") == 1);
  CHECK(stored() == json{{"last_name", "Doe"}});
  for (const json& data : {json{{"city", "Bern"}}, json{{"last_name", "Doe"}, {"city", nullptr}}}) {
    CHECK(json::parse(import(data, "replace").body).at("code") == "document_invalid");
  }
  CHECK(ApiCalls::Answer(import({{"last_name", "Doe"}}, "Merge")) == "400 parameter_invalid");
}

TEST_CASE("an import that nobody may make is refused as a whole") {
  ApiCalls api;
  const std::string line = R"({"external_ref":"A-1","data":{"last_name":"Doe"}})";
  const auto answer = [&](Role role, const std::string& body, const std::string& class_name,
                          const ApiCalls::Change& change = {}) {
    return ApiCalls::Answer(api.Do(kPost, "/v1/import", role, body, [&](Call& call) {
      if (!class_name.empty()) call.query.emplace_back("class", class_name);
      if (change) change(call);
    }));
  };
  CHECK(answer(kCaseWorker, line, "contact") == "403 permission_denied");
  CHECK(answer(kCrmService, line, "contact", [](Call& c) { c.caller.token = "x"; }) ==
        "401 unauthenticated");
  CHECK(answer(kCrmService, line, "contact", [](Call& c) { c.caller.purpose = ""; }) ==
        "400 purpose_required");
  CHECK(answer(kCrmService, line, "contact", [](Call& c) { c.caller.purpose = "x"; }) ==
        "422 purpose_unknown");
  CHECK(answer(kCrmService, line, "nonsense") == "422 class_unknown");
  CHECK(answer(kCrmService, line, "") == "400 parameter_invalid");
  CHECK(answer(kCrmService, "", "contact") == "400 body_required");
  std::string many;
  for (int i = 0; i < 1001; ++i) many += line + "\n";
  CHECK(answer(kCrmService, many, "contact") == "413 body_too_large");
  CHECK(ApiCalls::Parsed(api.Get("/v1/status", kAuditor)).at("clients") == 0);
}

TEST_CASE("who may import nothing leaves one entry, whatever the lines are and however many") {
  ApiCalls api;
  std::string good;
  for (int i = 0; i < 300; ++i) {
    good += R"({"external_ref":"A-)" + std::to_string(i) +
            R"(","data":{"last_name":"Doe"}})"
            "\n";
  }
  std::string bad;
  for (int i = 0; i < 1000; ++i) bad += "x\n";
  const auto stranger = [](Call& call) { call.caller.token = "x"; };
  const auto no_purpose = [](Call& call) { call.caller.purpose = ""; };
  const auto wrong_purpose = [](Call& call) { call.caller.purpose = "nonsense"; };
  struct Case {
    Role role;
    ApiCalls::Change change;
    std::string answer;
  };
  for (const auto& [role, change, expected] :
       {Case{kCaseWorker, {}, "403 permission_denied"}, Case{kAuditor, {}, "403 permission_denied"},
        Case{kCrmService, stranger, "401 unauthenticated"},
        Case{kCrmService, no_purpose, "400 purpose_required"},
        Case{kCrmService, wrong_purpose, "422 purpose_unknown"}}) {
    for (const std::string& body :
         {good, bad, bad.substr(0, 100) + good, good + bad.substr(0, 100)}) {
      const Reply reply = api.Do(kPost, "/v1/import", role, body, [&](Call& call) {
        call.query.emplace_back("class", "contact");
        if (change) change(call);
      });
      INFO(expected << " " << body.substr(0, 10));
      CHECK(ApiCalls::Answer(reply) == expected);
      CHECK(api.EntriesOf(api.last).size() == 1);
    }
  }
  CHECK(ApiCalls::Parsed(api.Get("/v1/status", kAuditor)).at("clients") == 0);
  // Who may: an entry for each line, and none beside them.
  api.Do(kPost, "/v1/import", kCrmService, "x\nx\n", ApiCalls::Query("class", "contact"));
  CHECK(api.EntriesOf(api.last).size() == 2);
}

TEST_CASE("classes and purposes are put, read and listed") {
  ApiCalls api;
  const json definition = {
      {"name", "note"}, {"purposes", {"client-care"}}, {"fields", {{"a", {{"type", "string"}}}}}};
  const auto put = [&](const std::string& path, const json& body) {
    return api.Do(kPut, path, kAdministrator, body.dump());
  };
  const Reply stored = put("/v1/classes/note", definition);
  CHECK(stored.status == 200);
  CHECK(ApiCalls::Parsed(stored) ==
        json{{"name", "note"}, {"version", 1}, {"definition", definition}});
  CHECK(put("/v1/classes/note", definition).body == stored.body);
  CHECK(ApiCalls::Answer(put("/v1/classes/other", definition)) == "422 class_invalid");
  CHECK(api.Get("/v1/classes/note", kCaseWorker).body == stored.body);
  CHECK(api.Get("/v1/classes/note", kCaseWorker, ApiCalls::Query("version", "1")).body ==
        stored.body);
  CHECK(ApiCalls::Answer(api.Get("/v1/classes/note", kCaseWorker,
                                 ApiCalls::Query("version", "2"))) == "404 not_found");
  CHECK(ApiCalls::Answer(api.Get("/v1/classes/note", kCaseWorker,
                                 ApiCalls::Query("version", "x"))) == "400 parameter_invalid");
  CHECK(ApiCalls::Parsed(api.Get("/v1/classes", kCaseWorker)).at("items").size() == 7);

  const json purpose = {{"title", "T"}, {"legal_basis", "consent"}};
  CHECK(ApiCalls::Parsed(put("/v1/purposes/statistics", purpose)).at("code") == "statistics");
  CHECK(ApiCalls::Answer(put("/v1/purposes/Bad", purpose)) == "422 purpose_invalid");
  CHECK(api.Get("/v1/purposes/statistics", kAuditor).status == 200);
  CHECK(ApiCalls::Answer(api.Get("/v1/purposes/none", kAuditor)) == "404 not_found");
  CHECK(ApiCalls::Parsed(api.Get("/v1/purposes", kAuditor)).at("items").size() == 8);
}

TEST_CASE("tokens are made, listed, used and revoked") {
  ApiCalls api;
  const Reply made =
      api.Post("/v1/tokens", kAdministrator, {{"name", "CRM"}, {"role", "crm-service"}});
  CHECK(made.status == 201);
  const json token = ApiCalls::Parsed(made);
  CHECK(token.at("role") == "crm-service");
  const std::string secret = token.at("token");
  const auto with_it = [&](Call& call) { call.caller.token = secret; };
  const json me = ApiCalls::Parsed(api.Get("/v1/me", kAuditor, with_it));
  CHECK(me.at("token").at("id") == token.at("id"));
  CHECK(me.at("principal").at("id") == token.at("principal"));
  CHECK(!me.at("token").contains("token"));
  CHECK(ApiCalls::Parsed(api.Get("/v1/tokens", kSecurityOfficer)).at("items").size() == 8);
  const std::string path = "/v1/tokens/" + token.at("id").get<std::string>();
  const Reply revoked = api.Do(kDelete, path, kSecurityOfficer);
  CHECK(revoked.status == 200);
  CHECK(ApiCalls::Parsed(revoked).contains("revoked"));
  const Reply after = api.Get("/v1/me", kAuditor, with_it);
  CHECK(ApiCalls::Answer(after) == "401 unauthenticated");
  CHECK(ApiCalls::Header(after, "WWW-Authenticate") == "Bearer");
  CHECK(ApiCalls::Answer(api.Do(kDelete, "/v1/tokens/tok_x", kSecurityOfficer)) == "404 not_found");

  const auto answer = [&](const json& body) {
    return ApiCalls::Answer(api.Post("/v1/tokens", kAdministrator, body));
  };
  CHECK(answer({{"name", "x"}, {"role", "root"}}) == "422 token_invalid");
  CHECK(answer({{"name", "x"}}) == "422 request_invalid");
  CHECK(answer({{"role", "auditor"}}) == "422 request_invalid");
  CHECK(answer({{"name", "x"}, {"role", "auditor"}, {"lifetime_s", 1}}) == "422 token_invalid");
  CHECK(answer({{"name", "x"}, {"role", "auditor"}, {"lifetime_s", -1}}) == "422 request_invalid");
  CHECK(answer({{"name", "x"}, {"role", "auditor"}, {"lifetime_s", 18446744073709551615U}}) ==
        "422 token_invalid");
}

TEST_CASE("a client and a principal have a history, also after the one is erased") {
  ClientCalls api;
  const auto history = [&](const std::string& path, const std::string& name,
                           const std::string& value) {
    return ApiCalls::Parsed(api.Get(path + "/access-log", kAuditor, ApiCalls::Query(name, value)))
        .at("items");
  };
  REQUIRE(api.Get(api.client, kCrmService).status == 200);
  REQUIRE(api.Do(kDelete, api.client, kPrivacyOfficer).status == 200);
  const std::string client = api.client.substr(std::string("/v1/clients/").size());
  std::vector<std::string> actions;
  for (const json& entry : history(api.client, "order", "asc")) {
    CHECK(entry.at("client") == client);
    actions.push_back(entry.at("action"));
  }
  REQUIRE(actions.size() > 3);
  CHECK(actions[0] == "client.create");
  CHECK(actions[1] == "record.create");
  CHECK(actions[2] == "client.read");
  CHECK(std::ranges::count(actions, "client.erase") >= 1);

  const json reads = history(api.client, "action", "client.read");
  REQUIRE(reads.size() == 1);
  const std::string reader = reads[0].at("actor");
  const json done = history("/v1/principals/" + reader, "client", client);
  CHECK(done.size() == 3);
  for (const json& entry : done) CHECK(entry.at("actor") == reader);

  for (const char* unknown : {"clients/cli_x", "principals/svc_x", "principals/vault"}) {
    CHECK(ApiCalls::Answer(api.Get("/v1/" + std::string(unknown) + "/access-log", kAuditor)) ==
          "404 not_found");
  }
}

TEST_CASE("the log is read as JSON and as its exact lines") {
  ClientCalls api;
  const json page =
      ApiCalls::Parsed(api.Get("/v1/log/entries", kAuditor, ApiCalls::Query("limit", "3")));
  CHECK(page.at("items").size() == 3);
  CHECK(page.at("items")[0].at("action") == "log.read");
  CHECK(page.at("next_cursor").get<std::string>() ==
        std::to_string(page.at("size").get<int>() - 4));
  const Reply lines = api.Get("/v1/log/entries", kAuditor, [](Call& call) {
    call.accept = "application/x-ndjson";
    call.query = {{"order", "asc"}, {"limit", "2"}};
  });
  CHECK(lines.content_type == "application/x-ndjson");
  CHECK(ApiCalls::Header(lines, "Coffer-Next-Cursor") == "2");
  CHECK(!ApiCalls::Header(lines, "Coffer-Log-Size").empty());
  CHECK(lines.body.starts_with(R"({"action":"log.created")"));
  CHECK(std::ranges::count(lines.body, '\n') == 2);
  CHECK(lines.body.ends_with("}\n"));

  const json one = ApiCalls::Parsed(api.Get("/v1/log/entries/0", kAuditor));
  CHECK(one.at("entry").at("action") == "log.created");
  CHECK(!one.contains("note"));
  CHECK(ApiCalls::Answer(api.Get("/v1/log/entries/999999", kAuditor)) == "404 not_found");
  CHECK(ApiCalls::Answer(api.Get("/v1/log/entries/x", kAuditor)) == "404 not_found");
  CHECK(api.Get("/v1/log/entries/0/proof", kAuditor).body.starts_with("c2sp.org/tlog-proof@v1\n"));
  CHECK(api.Get("/v1/log/checkpoint", kAuditor).body.starts_with("vault.example/log\n"));
  for (const auto& [name, value] :
       {std::pair("order", "up"), std::pair("limit", "1001"), std::pair("limit", "0"),
        std::pair("cursor", "x"), std::pair("from", "yesterday"), std::pair("to", "2026-01-01")}) {
    INFO(name << "=" << value);
    CHECK(ApiCalls::Answer(api.Get("/v1/log/entries", kAuditor, ApiCalls::Query(name, value))) ==
          "400 parameter_invalid");
  }
  CHECK(ApiCalls::Answer(api.Get("/v1/log/entries", kAuditor, ApiCalls::Query("actor", "a\nb"))) ==
        "400 filter_invalid");
}

TEST_CASE("a reason is shown with its entry to who may see it") {
  ClientCalls api;
  api.Get(api.client, kCrmService, [](Call& call) { call.caller.reason = "because \"so\""; });
  const auto request = api.last.call.Text();
  const json found =
      ApiCalls::Parsed(api.Get("/v1/log/entries", kAuditor, ApiCalls::Query("request", request)));
  const std::string path =
      "/v1/log/entries/" + std::to_string(found.at("items")[0].at("seq").get<int>());
  CHECK(ApiCalls::Parsed(api.Get(path, kPrivacyOfficer)).at("note").at("text") == "because \"so\"");
  CHECK(!ApiCalls::Parsed(api.Get(path, kAuditor)).contains("note"));
}

TEST_CASE("verification, status, metrics and health answer") {
  ClientCalls api;
  const Reply verified = api.Post("/v1/log/verify", kAuditor, {{"deep", true}});
  CHECK(ApiCalls::Parsed(verified).at("ok") == true);
  CHECK(ApiCalls::Parsed(verified).at("records_checked") == 1);
  CHECK(ApiCalls::Parsed(api.Do(kPost, "/v1/log/verify", kAuditor)).at("records_checked") == 0);
  CHECK(ApiCalls::Answer(api.Post("/v1/log/verify", kAuditor, {{"deep", 1}})) ==
        "422 request_invalid");
  CHECK(ApiCalls::Parsed(api.Get("/v1/status", kAuditor)).at("clients") == 1);
  const auto expiry = ApiCalls::Parsed(api.Get("/v1/status", kAuditor)).at("token_expiry");
  CHECK(expiry.at("within_7_days").is_number());
  CHECK(expiry.at("services").is_array());
  CHECK(api.Get("/metrics", kAdministrator).body == "# metrics\n");
  CHECK(ApiCalls::Answer(api.Get("/metrics", kCaseWorker)) == "403 permission_denied");
  const auto nobody = [](Call& call) { call.caller = vault::Caller{}; };
  CHECK(ApiCalls::Parsed(api.Get("/health/live", kAuditor, nobody)).at("status") == "live");
  CHECK(ApiCalls::Parsed(api.Get("/health/ready", kAuditor, nobody)).at("status") == "ready");
  CHECK(api.Get("/openapi.json", kAuditor, nobody).status == 200);
}

TEST_CASE("every route with a permission asks for it, and every refusal is an entry") {
  ClientCalls api;
  for (const Route& route : Routes()) {
    const auto action = route.permission.action();
    if (!action || vault::KindOf(*action) == vault::ActionKind::kOpen) continue;
    const bool own = vault::KindOf(*action) == vault::ActionKind::kOwn;
    std::string path(route.path);
    for (auto at = path.find('{'); at != path.npos; at = path.find('{')) {
      path.replace(at, path.find('}') - at + 1, "x");
    }
    const auto query = [&](Call& call) {
      if (route.path == "/v1/import") call.query = {{"class", "contact"}};
    };
    for (const Role role : vault::kRoles) {
      INFO(Name(role) << " " << Name(route.method) << " " << path);
      const std::string body = route.body == Body::kNone ? "" : "{}";
      const Reply reply = api.Do(route.method, path, role, body, query);
      if (own) {
        CHECK((reply.status == 422 || reply.status == 404));  // a token has no session
        continue;
      }
      CHECK((reply.status == 403) == !vault::RoleAllows(role, *action));
      if (reply.status != 403) continue;
      const json entry = api.LastEntry();
      CHECK(entry.at("action") == Name(*action));
      CHECK(entry.at("decision") == "deny");
      CHECK(entry.at("rule") == "check:role");
    }
    const Reply stranger = api.Do(route.method, path, kAuditor, "{}", [&](Call& call) {
      query(call);
      call.caller.token.clear();
    });
    INFO(path);
    CHECK(ApiCalls::Answer(stranger) == "401 unauthenticated");
  }
}

}  // namespace
}  // namespace coffer::api
