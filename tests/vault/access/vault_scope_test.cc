// What a role that is about some clients reaches, in every call about a client; what it makes and
// moves; roles that an older vault stored.
#include <catch2/catch_test_macros.hpp>

#include "tests/vault/access/made_roles.h"
#include "vault/access/role_narrowing.h"

namespace coffer::vault {
namespace {

using enum Role;

std::string Quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

// What else it takes, so that only the action's own grant is in question.
std::string Beside(Action action) {
  return action == Action::kClientSearch || action == Action::kRecordUpdate ||
                 action == Action::kRecordImport
             ? R"(, {"actions": ["record.read"]})"
             : "";
}

TEST_CASE("in every call about a client, a grant's scope holds and a denial's, too") {
  RoleVault vault;
  const MadeClient vip = vault.Make("A-1", {"vip"});
  const MadeClient other = vault.Make("A-2", {"eu"});
  for (const ClientCall& call : CallsAboutClients()) {
    const std::string action = Quoted(Name(call.action));
    INFO(action << " " << call.class_name);
    const std::string beside = Beside(call.action);
    const auto answers = [&](const Caller& caller) {
      return std::pair(call.answer(vault, vault.Again(caller), vip),
                       call.answer(vault, vault.Again(caller), other));
    };
    REQUIRE(Narrows(Narrowing::kTag, call.action, false));
    const auto tagged = answers(
        vault.With(R"([{"actions": [)" + action + R"(], "scope": {"tag": "vip"}})" + beside + "]"));
    CHECK(tagged.first == "ok");
    CHECK(tagged.second != "ok");
    const auto assigned =
        vault.With(R"([{"actions": [)" + action + R"(], "scope": "assigned"})" + beside + "]");
    REQUIRE(vault->assignments().Assign(vault.As(kSupervisor), vip.id, vault.principal, {}));
    CHECK(answers(assigned).first == "ok");
    CHECK(answers(assigned).second != "ok");
    const auto denied =
        answers(vault.With(R"([{"actions": [)" + action + R"(]}, {"deny": true, "actions": [)" +
                           action + R"(], "scope": {"tag": "vip"}})" + beside + "]"));
    CHECK(denied.first != "ok");
    CHECK(denied.second == "ok");
  }
}

TEST_CASE("in every call about records, a grant's classes and fields hold and a denial's, too") {
  RoleVault vault;
  const MadeClient client = vault.Make("A-1");
  for (const ClientCall& call : CallsAboutClients()) {
    if (call.class_name.empty()) continue;
    const std::string action = Quoted(Name(call.action));
    INFO(action << " " << call.class_name);
    const std::string other = call.class_name == "file" ? "card" : "file";
    const std::string beside = Beside(call.action);
    const auto answer = [&](const std::string& grants) {
      const auto caller = vault.With(grants);
      return call.answer(vault, caller, client);
    };
    const auto grant = [&](const std::string& more, bool deny = false) {
      return std::string(deny ? R"({"deny": true, "actions": [)" : R"({"actions": [)") + action +
             "]" + more + "}";
    };
    const std::string own_class = R"(, "classes": [)" + Quoted(call.class_name) + "]";
    const std::string other_class = R"(, "classes": [)" + Quoted(other) + "]";
    CHECK(answer("[" + grant(own_class) + beside + "]") == "ok");
    CHECK(answer("[" + grant(other_class) + beside + "]") != "ok");
    CHECK(answer("[" + grant("") + "," + grant(other_class, true) + beside + "]") == "ok");
    CHECK(answer("[" + grant("") + "," + grant(own_class, true) + beside + "]") != "ok");
    CHECK(answer("[" + grant(R"(, "fields": ["nothing"])") + beside + "]") != "ok");
  }
}

TEST_CASE("emergency access is taken within the scope of its grant, and of denials") {
  RoleVault vault;
  const MadeClient vip = vault.Make("A-1", {"vip"});
  const MadeClient other = vault.Make("A-2", {"eu"});
  const auto answers = [&](const std::string& grants) {
    auto caller = vault.With(grants);
    caller.reason = "urgent";
    Strings all;
    for (const MadeClient& client : {vip, other}) {
      all.push_back(AnswerOf(vault->emergencies().OpenEmergency(vault.Again(caller), client.id,
                                                                {"client-care", "C-1", 3600})));
    }
    return all;
  };
  CHECK(answers(R"([{"actions": ["emergency.open"], "scope": {"tag": "vip"}}])") ==
        Strings{"ok", "not_found"});
  CHECK(answers(R"([{"actions": ["emergency.open"]},
      {"deny": true, "actions": ["emergency.open"], "scope": {"tag": "vip"}}])") ==
        Strings{"permission_denied", "ok"});
}

TEST_CASE("a client that a scoped role makes is within its scope, or is not made") {
  RoleVault vault;
  const auto make = [&](const Caller& caller, Strings tags) {
    const auto made = vault->clients().CreateClient(vault.Again(caller), {{}, std::move(tags)}, {});
    if (!made) CHECK(IssuesOf(made).size() == 1);
    return AnswerOf(made);
  };
  const auto tagged = vault.With(R"([{"actions": ["client.create"], "scope": {"tag": "vip"}},
      {"actions": ["client.create"], "scope": {"tag": "eu"}}])");
  CHECK(make(tagged, {"vip"}) == "ok");
  CHECK(make(tagged, {"a", "eu"}) == "ok");
  CHECK(make(tagged, {}) == "permission_denied");
  CHECK(make(tagged, {"vips"}) == "permission_denied");
  auto caller = vault.Again(tagged);
  CHECK(!vault->clients().CreateClient(caller, {{}, Strings{"us"}}, {}));
  CHECK(vault.EntryOf(caller).at("rule") == "check:scope");
  const auto denied = vault.With(R"([{"actions": ["client.create"]},
      {"deny": true, "actions": ["client.create"], "scope": {"tag": "vip"}}])");
  CHECK(make(denied, {"eu"}) == "ok");
  CHECK(AnswerOf(vault->clients().CreateClient(vault.Again(denied), {{}, Strings{"eu", "vip"}},
                                               {})) == "permission_denied");
  CHECK(vault.Number("SELECT count(*) FROM clients") == 3);
  vault.CheckInvariants();
}

TEST_CASE("nobody gives or takes a tag that decides what their own role reaches") {
  RoleVault vault;
  const char* const roles[] = {
      R"([{"actions": ["client.read", "client.update"], "scope": {"tag": "vip"}}])",
      R"([{"actions": ["client.read", "client.update"]},
          {"actions": ["record.read"], "scope": {"tag": "vip"}}])",
      R"([{"actions": ["client.read", "client.update", "record.read"]},
          {"deny": true, "actions": ["record.read"], "scope": {"tag": "vip"}}])"};
  const std::vector<Strings> sets = {{}, {"vip"}, {"eu"}, {"eu", "vip"}};
  const auto has = [](const Strings& tags) { return std::ranges::find(tags, "vip") != tags.end(); };
  int n = 0;
  for (const char* grants : roles) {
    const auto caller = vault.With(grants);
    const bool only_vip = grants == roles[0];
    for (const auto& before : sets) {
      for (const auto& after : sets) {
        INFO(grants << " " << json(before).dump() << " " << json(after).dump());
        const ClientId id = vault.NewClient("A-" + std::to_string(++n), before);
        const auto updated = vault->clients().UpdateClient(vault.Again(caller), id, 1, {{}, after});
        const std::string wanted = only_vip && !has(before)    ? "not_found"
                                   : has(before) != has(after) ? "permission_denied"
                                                               : "ok";
        CHECK(AnswerOf(updated) == wanted);
        CHECK(vault->clients().GetClient(vault.As(kCrmService), id)->tags ==
              (wanted == "ok" ? after : before));
      }
    }
  }
  // What is not about tags is nobody's scope.
  const ClientId id = vault.NewClient("B-1", {"vip"});
  const auto caller = vault.With(roles[0]);
  CHECK(AnswerOf(vault->clients().UpdateClient(vault.Again(caller), id, 1, {"B-2", {}})) == "ok");
}

TEST_CASE("an import makes no client outside of its scope") {
  RoleVault vault;
  const MadeClient vip = vault.Make("A-1", {"vip"});
  const json data = {{"note", "x"}};
  for (const char* scope : {R"("assigned")", R"({"tag": "vip"})"}) {
    const auto caller = vault.With(R"([{"actions": ["record.import"], "scope": )" +
                                   std::string(scope) + "}" + Beside(Action::kRecordImport) + "]");
    REQUIRE(vault->assignments().Assign(vault.As(kSupervisor), vip.id, vault.principal, {}));
    const auto import = [&](const char* reference) {
      return AnswerOf(
          vault->imports().ImportRecord(vault.Again(caller), {reference, "file", "k", data}));
    };
    CHECK(import("A-1") == "ok");
    CHECK(import("A-9") == "permission_denied");
  }
  CHECK(vault.Number("SELECT count(*) FROM clients") == 1);
}

TEST_CASE("a hold by tag is for who may hold every client of it") {
  RoleVault vault;
  HoldRequest by_tag = vault.HoldOn({});
  by_tag.client.reset();
  by_tag.tag = "vip";
  const auto place = [&](const std::string& grants) {
    const auto caller = vault.With(grants);
    return AnswerOf(vault->holds().PlaceHold(vault.Again(caller), by_tag));
  };
  CHECK(place(R"([{"actions": ["hold.write"]}])") == "ok");
  CHECK(place(R"([{"actions": ["hold.write"], "scope": {"tag": "vip"}}])") == "ok");
  CHECK(place(R"([{"actions": ["hold.write"], "scope": {"tag": "eu"}}])") == "permission_denied");
  for (const char* denied : {R"({"tag": "vip"})", R"({"tag": "eu"})", R"("assigned")"}) {
    CHECK(place(R"([{"actions": ["hold.write"]}, {"deny": true, "actions": ["hold.write"],
                    "scope": )" +
                std::string(denied) + "}]") == "permission_denied");
  }
}

TEST_CASE("a role that an older vault stored starts, is told of, and is no wider than it reads") {
  RoleVault vault;
  const MadeClient client = vault.Make("A-1", {"vip"});
  const auto holder = vault.With(R"([{"actions": ["self.read"]}])");
  const std::string old = R"({"grants":[
      {"actions":["log.read","hold.read"],"scope":{"tag":"vip"}},
      {"actions":["status.read"]},
      {"deny":true,"actions":["status.read"],"scope":{"tag":"vip"}}],"name":"made-1"})";
  vault.Close();
  vault.Tamper("UPDATE roles SET definition = ? WHERE name = 'made-1'", std::string_view(old));
  vault.Open(true);
  CHECK(AnswerOf(vault->access_log().ReadLog(vault.Again(holder), {}, {})) == "permission_denied");
  EvidenceRequest evidence;
  evidence.client = client.id.Text();
  CHECK(AnswerOf(vault->evidence().MakeEvidence(vault.Again(holder), evidence)) ==
        "permission_denied");
  CHECK(AnswerOf(vault->monitoring().ReadStatus(vault.Again(holder))) == "permission_denied");
  CHECK(AnswerOf(vault->holds().GetHold(vault.Again(holder), client.lifted)) == "ok");
  const auto role = vault->roles().GetRole(vault.As(kAdministrator), "made-1");
  REQUIRE(role);
  CHECK(json::parse((*role)->definition) == json::parse(old));
  REQUIRE((*role)->not_evaluated.size() == 2);
  CHECK((*role)->not_evaluated[0].pointer == "/grants/0/scope");
  CHECK((*role)->not_evaluated[0].message == "does not narrow log.read");
  CHECK((*role)->not_evaluated[1].message == "does not narrow a denial of status.read");
  const auto told = vault.operator_log();
  CHECK(std::ranges::any_of(told, [](const std::string& line) {
    return line.find("the role made-1 says what is not evaluated") != line.npos &&
           line.find("/grants/0/scope does not narrow log.read") != line.npos;
  }));
  // An explanation names the grant by its place in the document.
  AccessQuestion question;
  question.principal = vault.principal;
  question.action = "hold.read";
  question.client = client.id;
  CHECK(vault->access_explanations().ExplainAccess(vault.As(kSecurityOfficer), question)->grants ==
        std::vector<std::size_t>{0});
  CHECK(AnswerOf(vault->roles().PutRole(vault.As(kAdministrator), "made-1", old)) ==
        "role_invalid");
  CHECK(vault->roles().PutRole(vault.As(kAdministrator), "made-1", R"({"grants": []})"));
}

}  // namespace
}  // namespace coffer::vault
