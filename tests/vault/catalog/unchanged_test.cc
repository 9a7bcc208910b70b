// Every operation that puts or patches something, done twice: the second time nothing is changed,
// no row, no version, no time, and the log says so.
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <set>

#include "tests/vault/deletion/retaining_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

class TwiceVault : public RetainingVault {
 public:
  TwiceVault()
      : client(NewClient("A-1", {"eu"})), record(NewContact(client, {{"last_name", "Roe"}})) {
    const auto user =
        (*this)->principals().CreateUser(As(kAdministrator), {"jdoe", "J. Doe", "case-worker"});
    const auto service =
        (*this)->principals().CreateService(As(kAdministrator), {"crm", "crm-service", {}, {}});
    REQUIRE((user && service));
    person = user->user.id;
    machine = service->id;
  }

  // Every row but those of the log, and what the vault notes for itself.
  std::map<std::string, std::string> Rows() {
    const Database database = OpenVaultDatabase();
    std::map<std::string, std::string> rows;
    auto tables = Statement::Prepare(
        database,
        "SELECT t.name, group_concat('quote(' || c.name || ')', ' || ''|'' || ') FROM "
        "sqlite_schema AS t, pragma_table_info(t.name) AS c WHERE t.type = 'table' AND t.name NOT "
        "LIKE 'log_%' AND t.name NOT LIKE 'sqlite_%' AND t.name NOT IN ('settings', 'reveals') "
        "GROUP BY t.name");
    REQUIRE(tables);
    auto table = tables->Query();
    while (*table.Next()) {
      const std::string name(table.Text(0));
      auto content = Statement::Prepare(
          database, "SELECT " + std::string(table.Text(1)) + " FROM " + name + " ORDER BY 1");
      REQUIRE(content);
      auto row = content->Query();
      std::string& text = rows[name];
      while (*row.Next()) text += std::string(row.Text(0)) + "\n";
    }
    REQUIRE(rows.size() > 15);
    return rows;
  }

  // Made when it is asked for first.
  RecipientId Receiving() {
    if (!recipient) {
      const auto made = (*this)->recipients().CreateRecipient(
          As(kPrivacyOfficer), {"Example Ltd", "processor", {}, {}, {}, {}, {}, {}});
      REQUIRE(made);
      recipient = made->id;
    }
    return *recipient;
  }
  std::optional<RecipientId> recipient;
  ClientId client;
  RecordId record;
  PrincipalId person, machine;
};

// The answer in words, with the version where there is one.
template <class T>
std::string Told(const Result<T>& result, std::uint64_t version = 0) {
  return result ? "ok " + std::to_string(version) : std::string(result.error().reason);
}

// By route as the OpenAPI document has them; called with an own caller each time.
using Operation = std::function<std::string(TwiceVault&, const Caller&)>;
struct Put {
  Role role;
  Operation operation;
};

std::map<std::string, Put> PutOperations() {
  std::map<std::string, Put> all;
  all["patch /v1/clients/{client}"] = {
      kCrmService, [](TwiceVault& vault, const Caller& caller) {
        const auto now = vault->clients().GetClient(vault.As(kCrmService), vault.client);
        ClientChange change{"A-2", Strings{"vip", "eu"}};
        change.relationship_end = kLongAgo;
        const auto changed =
            vault->clients().UpdateClient(caller, vault.client, now->version, change);
        return Told(changed, changed ? changed->version : 0);
      }};
  all["put /v1/clients/{client}/records/{record}"] = {
      kCrmService, [](TwiceVault& vault, const Caller& caller) {
        const auto now =
            vault->records().GetRecord(vault.As(kCrmService), vault.client, vault.record);
        const auto changed = vault->records().UpdateRecord(caller, vault.client, vault.record,
                                                           now->version, {{"last_name", "Doe"}});
        return Told(changed, changed ? changed->version : 0);
      }};
  all["patch /v1/clients/{client}/records/{record}"] = {
      kCrmService, [](TwiceVault& vault, const Caller& caller) {
        const auto now =
            vault->records().GetRecord(vault.As(kCrmService), vault.client, vault.record);
        const auto changed = vault->records().UpdateRecord(
            caller, vault.client, vault.record, now->version,
            {{"last_name", "Doe"}, {"city", nullptr}}, ChangeForm::kMergePatch);
        return Told(changed, changed ? changed->version : 0);
      }};
  all["put /v1/classes/{name}"] = {
      kAdministrator, [](TwiceVault& vault, const Caller& caller) {
        const auto stored = vault->classes().PutClass(
            caller, "note",
            R"({"name": "note", "purposes": ["client-care"], "keep": "for the test",
            "fields": {"text": {"type": "text"}}})");
        return Told(stored, stored ? (*stored)->version : 0);
      }};
  all["put /v1/purposes/{code}"] = {
      kAdministrator, [](TwiceVault& vault, const Caller& caller) {
        return Told(vault->purposes().PutPurpose(
            caller, "client-care", R"({"title": "Care", "legal_basis": "contract"})"));
      }};
  all["put /v1/retention/schedule"] = {
      kPrivacyOfficer, [](TwiceVault& vault, const Caller& caller) {
        const auto stored = vault->retention().PutRetentionSchedule(caller, ScheduleOf({}).dump());
        return Told(stored, stored ? stored->version : 0);
      }};
  all["put /v1/clients/{client}/assignments/{principal}"] = {
      kSupervisor, [](TwiceVault& vault, const Caller& caller) {
        return Told(vault->assignments().Assign(caller, vault.client, vault.person, {}));
      }};
  all["put /v1/roles/{name}"] = {kAdministrator, [](TwiceVault& vault, const Caller& caller) {
                                   const auto stored = vault->roles().PutRole(
                                       caller, "reader",
                                       R"({"grants": [{"actions": ["record.read"]}]})");
                                   return Told(stored, stored ? (*stored)->version : 0);
                                 }};
  all["put /v1/regimes/{name}"] = {
      kPrivacyOfficer, [](TwiceVault& vault, const Caller& caller) {
        const auto stored = vault->requests().PutRegime(
            caller, "mine", R"({"title": "M", "clocks": [{"answer": "P1M"}], "keep": "P1Y"})");
        return Told(stored, stored ? (*stored)->version : 0);
      }};
  all["put /v1/processing/document"] = {
      kPrivacyOfficer, [](TwiceVault& vault, const Caller& caller) {
        const auto stored =
            vault->processing().PutDocument(caller, R"({"measures": ["locks"]})", {});
        return Told(stored, stored ? stored->version : 0);
      }};
  all["put /v1/recipients/{recipient}"] = {
      kPrivacyOfficer, [](TwiceVault& vault, const Caller& caller) {
        const auto stored = vault->recipients().ChangeRecipient(
            caller, vault.Receiving(), {"Other", "authority", {}, {}, {}, {}, {}, {}});
        return Told(stored, stored ? stored->history.size() : 0);
      }};
  all["put /v1/recipients/{recipient}/principals/{principal}"] = {
      kPrivacyOfficer, [](TwiceVault& vault, const Caller& caller) {
        const auto stored =
            vault->recipients().BindPrincipal(caller, vault.Receiving(), vault.machine);
        return Told(stored, stored ? stored->history.size() : 0);
      }};
  all["put /v1/consent-texts/{name}"] = {
      kPrivacyOfficer, [](TwiceVault& vault, const Caller& caller) {
        const auto stored =
            vault->consent_texts().PutConsentText(caller, "letters", {{{"en", "I agree."}}});
        return Told(stored, stored ? stored->version : 0);
      }};
  all["patch /v1/users/{principal}"] = {
      kAdministrator, [](TwiceVault& vault, const Caller& caller) {
        return Told(vault->principals().UpdatePrincipal(caller, vault.person,
                                                        {"J. Roe", "auditor", true, {}}));
      }};
  all["patch /v1/services/{principal}"] = {
      kAdministrator, [](TwiceVault& vault, const Caller& caller) {
        return Told(vault->principals().UpdatePrincipal(
            caller, vault.machine, {"CRM", "case-worker", true, Strings{"dns:crm.example"}}));
      }};
  all["put /v1/teams/{name}"] = {
      kSupervisor, [](TwiceVault& vault, const Caller& caller) {
        return Told(
            vault->teams().PutTeam(caller, "north", {vault.person, vault.machine, vault.person}));
      }};
  return all;
}

// What is another one each time, whatever is given.
const std::set<std::string> kNeverTheSame = {"put /v1/me/password"};

}  // namespace

TEST_CASE("every route that puts or patches something is one that is tried twice here") {
  std::set<std::string> routes, tried = kNeverTheSame;
  for (const auto& part : std::filesystem::directory_iterator(COFFER_SOURCE_DIR "/api/openapi")) {
    if (part.path().extension() != ".json" || part.path().stem() == "order") continue;
    std::ifstream file(part.path(), std::ios::binary);
    const json document = json::parse(file);
    const json paths = document.value("paths", json::object());
    for (const auto& [path, methods] : paths.items()) {
      for (const char* method : {"put", "patch"}) {
        if (methods.contains(method)) routes.insert(std::string(method) + " " + path);
      }
    }
  }
  for (const auto& [route, put] : PutOperations()) tried.insert(route);
  CHECK(routes == tried);
}

TEST_CASE("what is put or patched a second time changes nothing, and the log says so") {
  TwiceVault vault;
  for (const auto& [route, put] : PutOperations()) {
    INFO(route);
    const auto first = put.operation(vault, vault.As(put.role));
    CHECK(first.starts_with("ok"));
    vault.clock.Advance(60'000);
    const auto before = vault.Rows();
    const Caller again = vault.As(put.role);
    CHECK(put.operation(vault, again) == first);
    for (const auto& [table, rows] : vault.Rows()) {
      INFO(table);
      CHECK(before.at(table) == rows);
    }
    const auto entry = vault.EntryOf(again);
    CHECK(entry.at("outcome") == "unchanged");
    CHECK_FALSE(entry.contains("payload_hash"));
    for (const auto& logged : vault.WholeLog()) {
      if (logged.request == again.call.Text()) CHECK(!logged.state_hash);
    }
  }
  vault.CheckInvariants();
}

TEST_CASE("a client that was patched without a change does not wait another seven days") {
  RetainingVault vault;
  vault.Keep({Policy("contact-1y", "contact", "relationship_end", "P1Y")});
  const ClientId client = vault.NewEnded("A-1", {"eu"});
  const RecordId record = vault.Contact(client);
  for (const ClientChange& change :
       {ClientChange{}, ClientChange{"A-1", {}}, ClientChange{{}, Strings{"eu", "eu"}},
        ClientChange{{}, {}, kLongAgo}}) {
    const auto same = vault->clients().UpdateClient(vault.As(kCrmService), client, 1, change);
    REQUIRE(same);
    CHECK(same->version == 1);
    CHECK(same->updated == same->created);
  }
  vault.Run();
  CHECK(vault.Read(client, record) == "not_found");
}

}  // namespace coffer::vault
