// An explanation answers as the call itself does.
#include <catch2/catch_test_macros.hpp>

#include "tests/vault/access/made_roles.h"
#include "vault/access/role_narrowing.h"

namespace coffer::vault {
namespace {

using enum Role;

constexpr const char* kGrants[] = {
    R"([])",
    R"([{"actions": ["record.read", "record.list", "client.export", "client.package"],
         "view": "masked"}, {"actions": ["client.search", "record.update"]}])",
    R"([{"actions": ["record.read", "record.list", "record.update"], "sensitivity": ["internal"]},
        {"actions": ["record.read"], "view": "presence"}, {"actions": ["client.search"]}])",
    R"([{"actions": ["client.read", "client.update", "client.list", "client.erase",
                     "client.trace", "record.read", "record.create", "record.delete",
                     "record.import", "record.erase", "client.search", "client.package"],
         "scope": {"tag": "vip"}}])",
    R"([{"actions": ["record.read", "record.list", "record.create", "record.update",
                     "record.delete", "record.import", "record.erase", "client.search",
                     "client.export", "client.package"], "classes": ["card"]}])",
    R"([{"actions": ["record.read", "record.list", "record.create", "record.update",
                     "client.search", "client.export"]},
        {"deny": true, "actions": ["record.read", "record.update", "client.search"],
         "fields": ["note"]},
        {"deny": true, "actions": ["record.list", "record.create", "client.export"],
         "classes": ["file"]}])",
    R"([{"actions": ["record.read", "record.list", "client.search"], "purposes": ["marketing"]},
        {"actions": ["record.create", "record.import", "client.read"]}])",
    R"([{"actions": ["client.search"], "search": "unseen"},
        {"actions": ["record.read", "record.create", "record.list"],
         "fields": ["note", "other"]}])",
    R"([{"actions": ["record.read", "record.list"], "fields": ["nothing"]},
        {"actions": ["record.create", "record.delete", "record.import", "record.erase"],
         "fields": ["nothing"]}])",
    R"([{"actions": ["assignment.read", "assignment.write", "lease.read", "lease.write"],
         "scope": {"tag": "vip"}},
        {"actions": ["hold.read", "hold.write", "hold.lift", "restriction.read"],
         "scope": "assigned"}])",
    R"([{"actions": ["hold.read", "hold.write"]},
        {"deny": true, "actions": ["hold.read", "hold.write"], "scope": {"tag": "vip"}}])",
    R"([{"actions": ["record.read"], "conditions": {"reason": true}},
        {"actions": ["client.search"]},
        {"actions": ["record.list"], "conditions": {"hours": {"zone": "UTC", "days": ["sun"],
         "from": "00:00", "to": "00:01"}}}, {"actions": ["client.read"],
         "conditions": {"networks": ["198.51.100.0/24"]}}])"};

// What a reading shows of the record, as an explanation names it.
std::map<std::string, View> ViewsIn(const RecordInfo& info) {
  std::map<std::string, View> views = {
      {"health", View::kNone}, {"name", View::kNone}, {"note", View::kNone}};
  const json data = json::parse(info.data);
  for (const auto& [name, value] : data.items()) views[name] = View::kPlain;
  for (const auto& name : info.masked) views[name] = View::kMasked;
  for (const auto& name : info.present) views[name] = View::kPresence;
  return views;
}

class Explained : public RoleVault {
 public:
  Explained() : clients{Make("A-1", {"vip"}), Make("A-2", {"eu"})} {}

  AccessAnswer Explain(const PrincipalId& who, const ClientCall& call, const MadeClient& client,
                       const std::string& purpose) {
    AccessQuestion question;
    question.principal = who;
    question.action = Name(call.action);
    question.client = client.id;
    question.class_name = call.class_name;
    question.purpose = purpose;
    const auto answer =
        (*this)->access_explanations().ExplainAccess(As(kSecurityOfficer), question);
    INFO(AnswerOf(answer));
    REQUIRE(answer);
    return *answer;
  }

  void CheckCall(const ClientCall& call, const Caller& caller, const MadeClient& client) {
    INFO(Name(call.action) << " " << call.class_name << " " << client.reference << " for "
                           << caller.purpose);
    const AccessAnswer explained = Explain(principal, call, client, caller.purpose);
    const std::string answer = call.answer(*this, Again(caller), client);
    INFO("explained: " << explained.rule << " " << explained.reason << ", answered: " << answer);
    bool allowed = explained.allowed;
    if (call.action == Action::kClientSearch && !call.class_name.empty()) {  // by the note
      allowed =
          std::ranges::find(explained.fields, std::pair<std::string, View>("note", View::kPlain)) !=
          explained.fields.end();
    }
    CHECK(allowed == (answer == "ok"));
    // Lists leave out what they may not show, and do not tell why. Without a purpose that the class
    // allows several things are wrong at once, and a call that finds the class later says another.
    const bool allowed_purpose = !caller.purpose.empty() && caller.purpose != "billing";
    if (!explained.allowed && answer != "not_found" && allowed_purpose) {
      CHECK(explained.reason == answer);
    }
    if (call.action != Action::kRecordRead || !explained.allowed) return;
    const auto read = (*this)->records().GetRecord(
        Again(caller), client.id, call.class_name == "file" ? client.file : client.card);
    REQUIRE(read);
    const std::map<std::string, View> told(explained.fields.begin(), explained.fields.end());
    CHECK(told == ViewsIn(*read));
  }

  const MadeClient clients[2];
};

TEST_CASE("an explanation and the call agree, over roles, actions, classes and clients") {
  Explained vault;
  const auto calls = CallsAboutClients();
  const auto check = [&](const Caller& caller) {
    REQUIRE(vault->assignments().Assign(vault.As(kSupervisor), vault.clients[0].id, vault.principal,
                                        {}));
    for (const auto& client : vault.clients) {
      for (const auto& call : calls) vault.CheckCall(call, caller, client);
    }
  };
  for (const char* grants : kGrants) {
    for (const char* purpose : {"client-care", "marketing", "billing", ""}) {
      INFO(grants);
      check(vault.With(grants, purpose));
    }
  }
  for (const RoleDocument& role : BuiltInRoles()) {
    // Nobody assigns to themselves, and a supervisor assigns here.
    INFO(role.name);
    check(vault.Holder(role.name));
  }
}

TEST_CASE("an explanation of writing and searching says of which fields") {
  Explained vault;
  const auto fields = [&](const char* grants, const char* action) {
    vault.With(grants);
    const ClientCall call{*ActionFromName(action), "file", {}};
    const auto answer = vault.Explain(vault.principal, call, vault.clients[0], "client-care");
    Strings plain;
    for (const auto& [name, view] : answer.fields) {
      if (view == View::kPlain) plain.push_back(name);
    }
    return plain;
  };
  CHECK(fields(kGrants[2], "record.update") == Strings{"note"});
  CHECK(fields(kGrants[2], "client.search") == Strings{"note"});
  CHECK(fields(kGrants[5], "record.update") == Strings{"health", "name"});
  CHECK(fields(kGrants[7], "client.search") == Strings{"health", "name", "note"});
  CHECK(fields(kGrants[7], "record.create") == Strings{"note"});
  CHECK(fields(kGrants[1], "record.update").empty());
}

}  // namespace
}  // namespace coffer::vault
