// Every route about a client, asked by every built-in role, of a client of the caller's own, one of
// somebody else's, one that was erased and one that never was: each cell of the table answers what
// the route table and the roles say. Written from the two tables, so that a new route is in it.
#include <algorithm>
#include <map>

#include "tests/api/routes/api_calls.h"
#include "vault/catalog/role.h"

namespace coffer::api {
namespace {

using enum Method;
using vault::Action;

enum class Owner { kOwn, kForeign, kErased, kAbsent };
constexpr std::pair<Owner, const char*> kOwners[] = {{Owner::kOwn, "own"},
                                                     {Owner::kForeign, "foreign"},
                                                     {Owner::kErased, "erased"},
                                                     {Owner::kAbsent, "absent"}};

// What a request needs besides its path to be done, and the status when it is.
struct Example {
  json body;
  std::string if_match;
  int status = 200;
};
const std::map<std::string_view, Example>& Examples() {
  static const json data = {{"last_name", "Roe"}};
  static const std::map<std::string_view, Example> examples = {
      {"getClient", {}},
      {"updateClient", {{{"tags", {"x"}}}, "\"1\""}},
      {"eraseClient", {}},
      {"eraseRecords", {{{"class", "contact"}}, ""}},
      {"findTraces", {}},
      {"getClientOverview", {}},
      {"listRecipientsToTell", {}},
      {"listClientLog", {}},
      {"createRecord", {{{"class", "contact"}, {"data", data}}, "", 201}},
      {"listRecords", {}},
      {"getRecord", {}},
      {"updateRecord", {{{"data", data}}, "\"1\""}},
      {"patchRecord", {{{"data", {{"last_name", "Roe"}, {"city", nullptr}}}}, "\"1\""}},
      {"deleteRecord", {{}, "", 204}},
      {"listRecordVersions", {}},
      {"getRecordVersion", {}},
      {"listAssignments", {}},
      {"putAssignment", {json::object(), ""}},
      {"deleteAssignment", {{}, "", 204}},
      {"listLeases", {}},
      {"giveLease", {{}, "", 201}},  // its body names a principal
      {"endLease", {}},
      {"packageClient", {json::object(), ""}},
      {"preparePackage", {json::object(), "", 201}},
      {"listRestrictions", {}},
      {"placeRestriction",
       {{{"basis", "Disputed"}, {"stops", {{"purposes", {"billing"}}}}}, "", 201}},
      {"getRestriction", {}},  // there is one
      {"liftRestriction", {{}, "", 204}},
      {"listConsents", {}},
      {"giveConsent",
       {{{"purpose", "marketing"},
         {"text", {{"name", "newsletter"}, {"version", 1}, {"language", "en"}}},
         {"channel", "paper"},
         {"evidence", "folder 12"}},
        "",
        201}},
      {"getConsent", {}},  // there is one
      {"withdrawConsent", {json::object(), ""}},
  };
  return examples;
}

// Both of what the role says and of nothing else.
bool ReachesAll(Role role, Action action) {
  if (!vault::TouchesClientData(action)) return true;
  const auto& grants = vault::FindBuiltInRole(Name(role))->grants;
  return std::ranges::any_of(grants, [&](const vault::Grant& grant) {
    return grant.Covers(action) && grant.scope.kind == vault::Scope::Kind::kAll;
  });
}

class MatrixCalls : public ApiCalls {
 public:
  // A client with a record, a lease and an assignment of a third party on it.
  struct Case {
    std::string client, record, lease, restriction = vault::RestrictionId::New({1}).Text(),
                                       consent = vault::ConsentId::New({1}).Text();
  };
  Case Make(Owner owner, Role role) {
    if (owner == Owner::kAbsent) {
      return {vault::ClientId::New(clock.Now()).Text(), vault::RecordId::New(clock.Now()).Text(),
              vault::LeaseId::New(clock.Now()).Text()};
    }
    const auto client = NewClient("M-" + std::to_string(++made_));
    const auto record = NewContact(client, {{"last_name", "Doe"}});
    auto& vault = *operator->();
    REQUIRE(vault.assignments().Assign(As(Role::kSupervisor), client, Other(), {}));
    const auto lease = vault.leases().GiveLease(As(Role::kSupervisor), client, LeaseForOther());
    REQUIRE(lease);
    if (owner == Owner::kOwn && role != Role::kSupervisor) {
      REQUIRE(
          vault.assignments().Assign(As(Role::kSupervisor), client, TokenOf(role).principal, {}));
    }
    if (owner == Owner::kErased) {
      if (role == Role::kCaseWorker) {  // once the caller's own
        REQUIRE(
            vault.assignments().Assign(As(Role::kSupervisor), client, TokenOf(role).principal, {}));
      }
      REQUIRE(
          vault.erasures().Erase(As(Role::kPrivacyOfficer, "data-subject-request"), client, {}));
    }
    return {client.Text(), record.Text(), lease->id.Text()};
  }
  // Who asks for nothing.
  vault::PrincipalId Other() {
    if (!other_) {
      const auto token = NewTokenFor("auditor", 3600);
      REQUIRE(token);
      other_ = token->info.principal;
    }
    return *other_;
  }
  vault::LeaseRequest LeaseForOther() {
    return {Other(), "contact", {"last_name"}, "client-care", "CASE-1", 3600};
  }

 private:
  std::optional<vault::PrincipalId> other_;
  int made_ = 0;
};

std::string Fill(std::string_view pattern, const MatrixCalls::Case& about,
                 const std::string& principal) {
  std::string path(pattern);
  for (const auto& [name, value] : {std::pair<std::string, std::string>{"{client}", about.client},
                                    {"{record}", about.record},
                                    {"{version}", "1"},
                                    {"{principal}", principal},
                                    {"{lease}", about.lease},
                                    {"{restriction}", about.restriction},
                                    {"{consent}", about.consent}}) {
    if (const auto at = path.find(name); at != path.npos) path.replace(at, name.size(), value);
  }
  return path;
}

// What a caller sees of an answer, but for the request's own id.
std::string Seen(Reply reply) {
  const auto at = reply.body.find("call_");
  if (at != reply.body.npos) reply.body.replace(at, 31, "call");
  return std::to_string(reply.status) + reply.content_type + reply.body;
}

TEST_CASE("each route answers each role as the tables say, whoever's client it is") {
  MatrixCalls api;
  REQUIRE(api->consent_texts().PutConsentText(api.As(Role::kPrivacyOfficer), "newsletter",
                                              {{{"en", "I agree."}}}));
  int cells = 0;
  for (const Route& route : Routes()) {
    if (!route.path.contains("{client}")) continue;
    const Action action = *route.permission.action();
    REQUIRE(Examples().contains(route.operation_id));
    const Example& example = Examples().at(route.operation_id);
    for (const Role role : vault::kRoles) {
      std::map<Owner, std::string> seen;
      for (const auto& [owner, owner_name] : kOwners) {
        INFO(Name(role) << " " << route.operation_id << " " << owner_name);
        auto about = api.Make(owner, role);
        json body = example.body;
        if (route.operation_id == "giveLease") {
          const auto lease = api.LeaseForOther();
          body = {{"principal", lease.principal.Text()},
                  {"class", lease.class_name},
                  {"fields", lease.fields},
                  {"purpose", lease.purpose},
                  {"ticket", lease.ticket},
                  {"lifetime_s", lease.lifetime_s}};
        }
        if (route.path.contains("{restriction}") && owner <= Owner::kForeign) {
          const auto placed =
              api->restrictions().Restrict(api.As(Role::kPrivacyOfficer),
                                           *vault::ClientId::Parse(about.client), {"", "Disputed"});
          REQUIRE(placed);
          about.restriction = placed->id.Text();
        }
        if (route.path.contains("{consent}") && owner <= Owner::kForeign) {
          vault::ConsentRequest request;
          request.purpose = "marketing";
          request.text = {"newsletter", 1, "en"};
          request.channel = "paper";
          request.evidence = "folder 12";
          const auto given = api->consents().GiveConsent(
              api.As(Role::kPrivacyOfficer), *vault::ClientId::Parse(about.client), request);
          REQUIRE(given);
          about.consent = given->consent.id.Text();
        }
        const Reply reply = api.Do(route.method, Fill(route.path, about, api.Other().Text()), role,
                                   route.body == Body::kNone ? "" : body.dump(), [&](Call& call) {
                                     call.if_match = example.if_match;
                                     call.caller.reason = "because";
                                   });
        seen[owner] = Seen(reply);
        ++cells;
        const bool there =
            owner == Owner::kOwn || (owner == Owner::kForeign && ReachesAll(role, action)) ||
            // The certificate of an erasure may be asked for again, and what is left.
            (owner == Owner::kErased &&
             (action == Action::kClientErase || action == Action::kClientTrace ||
              action == Action::kClientOverview || action == Action::kDisclosureRead)) ||
            action == Action::kLogRead;  // which is about the log, not about what is stored
        // What is left to tell of who was erased is told to whoever may have a package of anybody.
        const bool told = owner == Owner::kErased && route.operation_id == "preparePackage" &&
                          ReachesAll(role, action);
        const int wanted = !vault::RoleAllows(role, action) ? 403
                           : told                           ? 409
                           : there                          ? example.status
                                                            : 404;
        INFO(reply.body);
        CHECK(reply.status == wanted);
        const json entry = api.EntriesOf(api.last).back();
        CHECK(entry.at("decision") == (wanted < 300 || wanted == 409 ? "allow" : "deny"));
        CHECK(entry.at("action") == Name(action));
      }
      // Nothing tells a client that is out of scope from one that is not there.
      if (vault::RoleAllows(role, action) && !ReachesAll(role, action)) {
        CHECK(seen[Owner::kForeign] == seen[Owner::kAbsent]);
        CHECK(seen[Owner::kErased] == seen[Owner::kAbsent]);
      }
    }
  }
  CHECK(cells == static_cast<int>(Examples().size()) * 7 * 4);
  api.CheckInvariants();
}

}  // namespace
}  // namespace coffer::api
