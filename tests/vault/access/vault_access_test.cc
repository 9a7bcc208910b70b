// Who sees what of whom: assignments, leases, masks, merged writes, custom roles, explanations.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

constexpr std::int64_t kAccessHour = 3600;

const json kComplaint = {{"complaint_number", "C-1"}, {"received_on", "2026-01-02"},
                         {"channel", "phone"},        {"category", "service"},
                         {"status", "received"},      {"description", "The heating fails"}};

json Complaint(const json& more) {
  json data = kComplaint;
  data.update(more);
  return data;
}

const json kSpecial = {{"special_circumstances", "asthma"}};

class AccessVault : public TestVault {
 public:
  AccessVault() : client(NewClient("A-1", {"eu"})), other(NewClient("A-2", {"vip"})) {
    record = NewComplaint(client);
    hidden = NewComplaint(other);
  }
  RecordId NewComplaint(const ClientId& of) {
    const auto made = (*this)->records().CreateRecord(As(kCrmService, "complaint-handling"), of,
                                                      "complaint", Complaint(kSpecial), {});
    INFO(AnswerOf(made));
    REQUIRE(made);
    return made->id;
  }
  PrincipalId Worker() const { return TokenOf(kCaseWorker).principal; }
  Caller AsWorker() { return As(kCaseWorker, "complaint-handling"); }
  void Assign(const ClientId& id, const AssignmentTerms& terms = {}) {
    REQUIRE((*this)->assignments().Assign(As(kSupervisor), id, Worker(), terms));
  }
  // A principal of a role that is made here.
  Caller With(const std::string& grants) {
    const std::string name = "made-" + std::to_string(++made_);
    const auto role =
        (*this)->roles().PutRole(As(kAdministrator), name, R"({"grants": )" + grants + "}");
    INFO(AnswerOf(role) << (role ? "" : IssuesOf(role).front()));
    REQUIRE(role);
    const auto token = NewTokenFor(name, kAccessHour);
    REQUIRE(token);
    principal = token->info.principal;
    return Stranger(token->secret);
  }
  Caller Again(Caller caller) {
    caller.call = CallId::New(clock.Now());
    return caller;
  }
  LeaseRequest Request() {
    return {Worker(), "complaint", {"special_circumstances"}, "complaint-handling",
            "CASE-1", kAccessHour};
  }

  ClientId client, other;
  RecordId record, hidden;
  PrincipalId principal;  // of the last caller With(…)

 private:
  int made_ = 0;
};

TEST_CASE("a client that is not assigned answers in every way like one that does not exist") {
  AccessVault vault;
  vault.Assign(vault.client);
  const ClientId absent = ClientId::New(vault.clock.Now());
  const std::vector<std::function<std::string(const ClientId&)>> calls = {
      [&](const ClientId& id) {
        return AnswerOf(vault->clients().GetClient(vault.AsWorker(), id));
      },
      [&](const ClientId& id) {
        return AnswerOf(vault->clients().UpdateClient(vault.AsWorker(), id, 7, {{}, Strings{}}));
      },
      [&](const ClientId& id) {
        return AnswerOf(vault->records().ListRecords(vault.AsWorker(), id, "", true, {}));
      },
      [&](const ClientId& id) {
        return AnswerOf(vault->records().ListRecords(vault.AsWorker(), id, "complaint", false, {}));
      },
      [&](const ClientId& id) {
        return AnswerOf(vault->records().GetRecord(vault.AsWorker(), id, vault.hidden));
      },
      [&](const ClientId& id) {
        return AnswerOf(vault->records().GetRecordVersion(vault.AsWorker(), id, vault.hidden, 1));
      },
      [&](const ClientId& id) {
        return AnswerOf(vault->records().ListVersions(vault.AsWorker(), id, vault.hidden));
      },
      [&](const ClientId& id) {
        return AnswerOf(vault->records().CreateRecord(vault.AsWorker(), id, "complaint", kComplaint,
                                                      {"key", "body"}));
      },
      [&](const ClientId& id) {
        return AnswerOf(
            vault->records().UpdateRecord(vault.AsWorker(), id, vault.hidden, 1, kComplaint));
      },
      [&](const ClientId& id) {  // what is wrong with the document shows no more
        return AnswerOf(vault->records().UpdateRecord(vault.AsWorker(), id, vault.hidden, 1,
                                                      {{"nonsense", 1}}));
      },
  };
  for (std::size_t i = 0; i < calls.size(); ++i) {
    INFO("call " << i);
    CHECK(calls[i](vault.other) == "not_found");
    CHECK(calls[i](absent) == "not_found");
  }
  const auto caller = vault.AsWorker();
  CHECK(!vault->clients().GetClient(caller, vault.other));
  CHECK(vault.EntryOf(caller).at("rule") == "check:scope");

  const auto listed = vault->clients().ListClients(vault.AsWorker(), "", "", {});
  REQUIRE(listed);
  REQUIRE(listed->items.size() == 1);
  CHECK(listed->items[0].id == vault.client);
  CHECK(vault->clients().ListClients(vault.AsWorker(), "vip", "", {})->items.empty());
  CHECK(vault->searches().SearchByReference(vault.AsWorker(), "A-2")->items.empty());
  CHECK(vault->searches().SearchByReference(vault.AsWorker(), "A-1")->items.size() == 1);
  const auto found =
      vault->searches().SearchByField(vault.AsWorker(), "complaint", "complaint_number", "C-1", {});
  REQUIRE(found);
  REQUIRE(found->items.size() == 1);
  CHECK(found->items[0].client == vault.client);
  vault.CheckInvariants();
}

TEST_CASE("an assignment counts from its start to its end, and from the next request on") {
  AccessVault vault;
  const auto answer = [&] {
    return AnswerOf(vault->clients().GetClient(vault.AsWorker(), vault.client));
  };
  const auto at = [&](std::int64_t seconds) {
    return Timestamp{vault.clock.Now().ms + seconds * 1000};
  };
  vault.Assign(vault.client, {at(60), at(120)});
  CHECK(answer() == "not_found");
  vault.clock.Advance(60'000);
  CHECK(answer() == "ok");
  vault.clock.Advance(59'999);
  CHECK(answer() == "ok");
  vault.clock.Advance(1);
  CHECK(answer() == "not_found");
  vault.Assign(vault.client);
  CHECK(answer() == "ok");
  vault.Close();
  vault.Open();
  CHECK(answer() == "ok");
  CHECK(vault->assignments().ListAssignments(vault.As(kSupervisor), vault.client)->size() == 1);
  CHECK(vault->assignments().Unassign(vault.As(kSupervisor), vault.client, vault.Worker()));
  CHECK(answer() == "not_found");
  CHECK(AnswerOf(vault->assignments().Unassign(vault.As(kSupervisor), vault.client,
                                               vault.Worker())) == "not_found");

  const auto refused = [&](const ClientId& id, const PrincipalId& who, AssignmentTerms terms) {
    return AnswerOf(vault->assignments().Assign(vault.As(kSupervisor), id, who, terms));
  };
  CHECK(refused(vault.client, PrincipalId(), {}) == "principal_unknown");
  CHECK(refused(ClientId::New(vault.clock.Now()), vault.Worker(), {}) == "not_found");
  CHECK(refused(vault.client, vault.Worker(), {at(2), at(1)}) == "assignment_invalid");
  CHECK(AnswerOf(vault->assignments().Assign(vault.AsWorker(), vault.client, vault.Worker(), {})) ==
        "permission_denied");
  vault.CheckInvariants();
}

TEST_CASE("what is special about a client is masked for case workers, wherever it is read") {
  AccessVault vault;
  vault.Assign(vault.client);
  const json masked = Complaint({{"special_circumstances", "***"}});
  auto caller = vault.AsWorker();
  const auto read = vault->records().GetRecord(caller, vault.client, vault.record);
  REQUIRE(read);
  CHECK(json::parse(read->data) == masked);
  CHECK(read->masked == Strings{"special_circumstances"});
  CHECK(read->present.empty());
  CHECK(vault.EntryOf(caller).at("detail") == "masked special_circumstances");
  const auto listed = vault->records().ListRecords(vault.AsWorker(), vault.client, "", true, {});
  REQUIRE(listed);
  CHECK(json::parse(listed->items.at(0).data) == masked);
  CHECK(listed->items[0].masked == Strings{"special_circumstances"});
  const auto old =
      vault->records().GetRecordVersion(vault.AsWorker(), vault.client, vault.record, 1);
  CHECK(json::parse(old->data) == masked);
  // The CRM sees it as it is.
  const auto plain = vault->records().GetRecord(vault.As(kCrmService, "complaint-handling"),
                                                vault.client, vault.record);
  CHECK(json::parse(plain->data) == Complaint(kSpecial));
  CHECK(plain->masked.empty());
}

TEST_CASE("who sees a field masked can neither overwrite nor remove it") {
  AccessVault vault;
  vault.Assign(vault.client);
  const auto update = [&](std::uint64_t version, const json& data) {
    return vault->records().UpdateRecord(vault.AsWorker(), vault.client, vault.record, version,
                                         data);
  };
  const auto stored = [&] {
    return json::parse(
        vault->records()
            .GetRecord(vault.As(kCrmService, "complaint-handling"), vault.client, vault.record)
            ->data);
  };
  for (const char* value : {"***", "none", "asthma"}) {
    const auto refused = update(1, Complaint({{"special_circumstances", value}}));
    REQUIRE(!refused);
    CHECK(refused.error().reason == "field_not_writable");
    CHECK(IssuesOf(refused) == Strings{"/special_circumstances is not yours to write"});
  }
  CHECK(stored() == Complaint(kSpecial));
  REQUIRE(update(1, Complaint({{"status", "answered"}})));
  CHECK(stored() == Complaint({{"status", "answered"}, {"special_circumstances", "asthma"}}));
  CHECK(AnswerOf(update(1, kComplaint)) == "version_mismatch");
  CHECK(AnswerOf(update(2, {{"status", "answered"}})) == "document_invalid");  // the rest is theirs

  const auto create = [&](const json& data) {
    return AnswerOf(
        vault->records().CreateRecord(vault.AsWorker(), vault.client, "complaint", data, {}));
  };
  CHECK(create(kComplaint) == "ok");
  CHECK(create(Complaint(kSpecial)) == "field_not_writable");
  vault.CheckInvariants();
}

TEST_CASE("a lease shows its fields plainly, to its holder, until it ends") {
  AccessVault vault;
  vault.Assign(vault.client);
  const auto seen = [&](const ClientId& id, const RecordId& record) -> std::string {
    const auto read = vault->records().GetRecord(vault.AsWorker(), id, record);
    if (!read) return std::string(read.error().reason);
    return json::parse(read->data).value("special_circumstances", "absent");
  };
  CHECK(seen(vault.client, vault.record) == "***");
  const auto lease =
      vault->leases().GiveLease(vault.As(kSupervisor), vault.client, vault.Request());
  REQUIRE(lease);
  CHECK(seen(vault.client, vault.record) == "asthma");
  // Of a client that is not assigned, only what was leased.
  REQUIRE(vault->leases().GiveLease(vault.As(kSupervisor), vault.other, vault.Request()));
  const auto only = vault->records().GetRecord(vault.AsWorker(), vault.other, vault.hidden);
  REQUIRE(only);
  CHECK(json::parse(only->data) == kSpecial);
  CHECK(AnswerOf(vault->records().GetRecord(vault.As(kCaseWorker, "data-subject-request"),
                                            vault.other, vault.hidden)) == "not_found");
  CHECK(vault->leases().ListLeases(vault.As(kSupervisor), vault.client)->size() == 1);

  vault.Close();
  vault.Open();
  CHECK(seen(vault.client, vault.record) == "asthma");
  REQUIRE(vault->leases().EndLease(vault.As(kSupervisor), vault.client, lease->id));
  CHECK(seen(vault.client, vault.record) == "***");
  vault.clock.Advance(kAccessHour * 1000 - 1);
  CHECK(seen(vault.other, vault.hidden) == "asthma");
  vault.clock.Advance(1);  // that very moment
  CHECK(seen(vault.other, vault.hidden) == "not_found");

  auto own = vault.Request();
  own.principal = vault.TokenOf(kSupervisor).principal;
  CHECK(AnswerOf(vault->leases().GiveLease(vault.As(kSupervisor), vault.client, own)) ==
        "own_request");
  CHECK(AnswerOf(vault->leases().GiveLease(vault.AsWorker(), vault.client, vault.Request())) ==
        "permission_denied");
  LeaseRequest wrong{vault.Worker(), "complaint", {"nonsense"}, "marketing", "a b", 59};
  CHECK(IssuesOf(vault->leases().GiveLease(vault.As(kSupervisor), vault.client, wrong)).size() ==
        4);
  vault.CheckInvariants();
}

TEST_CASE("an erased client's assignments and leases are gone with it") {
  AccessVault vault;
  vault.Assign(vault.client);
  REQUIRE(vault->leases().GiveLease(vault.As(kSupervisor), vault.client, vault.Request()));
  REQUIRE(
      vault->erasures().Erase(vault.As(kPrivacyOfficer, "data-subject-request"), vault.client, {}));
  CHECK(vault.Number("SELECT count(*) FROM assignments") == 0);
  CHECK(vault.Number("SELECT count(*) FROM leases") == 0);
  CHECK(AnswerOf(vault->clients().GetClient(vault.AsWorker(), vault.client)) == "not_found");
  CHECK(AnswerOf(vault->assignments().ListAssignments(vault.As(kSupervisor), vault.client)) ==
        "not_found");
}

TEST_CASE("a role that is made here grants what it says, and its change counts at once") {
  AccessVault vault;
  const auto desk = vault.With(R"([{"actions": ["record.read", "record.list"],
      "classes": ["complaint"], "fields": ["status", "special_circumstances"],
      "view": "presence", "scope": {"tag": "eu"}},
      {"actions": ["record.read"], "fields": ["status"], "scope": {"tag": "eu"}}])");
  auto caller = desk;
  caller.purpose = "complaint-handling";
  const auto read = vault->records().GetRecord(vault.Again(caller), vault.client, vault.record);
  REQUIRE(read);
  CHECK(json::parse(read->data) == json{{"status", "received"}});
  CHECK(read->present == Strings{"special_circumstances"});
  CHECK(AnswerOf(vault->records().GetRecord(vault.Again(caller), vault.other, vault.hidden)) ==
        "not_found");
  // With the tag the client goes out of sight.
  REQUIRE(
      vault->clients().UpdateClient(vault.As(kCrmService), vault.client, 1, {{}, Strings{"us"}}));
  CHECK(AnswerOf(vault->records().GetRecord(vault.Again(caller), vault.client, vault.record)) ==
        "not_found");
  REQUIRE(vault->roles().PutRole(vault.As(kAdministrator), "made-1",
                                 R"({"grants": [{"actions": ["record.read"]}]})"));
  CHECK(vault->records().GetRecord(vault.Again(caller), vault.client, vault.record));
  vault.Close();
  vault.Open();
  CHECK(vault->roles().GetRole(vault.As(kAdministrator), "made-1")->get()->version == 2);
  CHECK(vault->records().GetRecord(vault.Again(caller), vault.client, vault.record));

  CHECK(AnswerOf(vault->roles().PutRole(vault.As(kAdministrator), "auditor",
                                        R"({"grants": []})")) == "role_built_in");
  CHECK(AnswerOf(vault->roles().PutRole(vault.As(kSecurityOfficer), "x", R"({"grants": []})")) ==
        "permission_denied");
  const auto change = vault.As(kAdministrator);
  REQUIRE(vault->roles().PutRole(change, "made-1", R"({"grants": []})"));
  CHECK(vault.EntryOf(change).at("version") == 3);
  CHECK(AnswerOf(vault->records().GetRecord(vault.Again(caller), vault.client, vault.record)) ==
        "permission_denied");
}

TEST_CASE("an import writes to no client outside of its scope, and no field that is not its own") {
  AccessVault vault;
  auto caller = vault.With(R"([{"actions": ["record.import"], "scope": {"tag": "eu"},
                               "sensitivity": ["internal", "personal"]}])");
  caller.purpose = "complaint-handling";
  const auto import = [&](const std::string& reference, const json& data) {
    return AnswerOf(
        vault->imports().ImportRecord(vault.Again(caller), {reference, "complaint", "k", data}));
  };
  CHECK(import("A-1", kComplaint) == "ok");
  CHECK(import("A-2", kComplaint) == "permission_denied");
  CHECK(import("A-3", kComplaint) == "permission_denied");  // a new client has no tag
  CHECK(AnswerOf(vault->searches().SearchByReference(vault.As(kCrmService), "A-3")) == "ok");
  CHECK(vault->searches().SearchByReference(vault.As(kCrmService), "A-3")->items.empty());
  CHECK(import("A-1", Complaint(kSpecial)) == "field_not_writable");
  REQUIRE(vault->imports().ImportRecord(vault.As(kCrmService, "complaint-handling"),
                                        {"A-1", "complaint", "k", Complaint(kSpecial)}));
  CHECK(import("A-1", kComplaint) == "field_not_writable");  // it would take the special one away
  CHECK(vault->records()
            .ListRecords(vault.As(kCrmService, "complaint-handling"), vault.other, "", false, {})
            ->items.size() == 1);
  vault.CheckInvariants();
}

TEST_CASE("a search needs the search action on its field, seen plainly") {
  AccessVault vault;
  auto caller = vault.With(R"([{"actions": ["client.search"], "fields": ["status"]}])");
  caller.purpose = "complaint-handling";
  CHECK(AnswerOf(vault->searches().SearchByField(vault.Again(caller), "complaint",
                                                 "complaint_number", "C-1", {})) ==
        "permission_denied");
  CHECK(vault->searches()
            .SearchByField(vault.As(kCrmService, "complaint-handling"), "complaint",
                           "complaint_number", "C-1", {})
            ->items.size() == 2);
}

TEST_CASE("a search finds by a field only where the grant for the client has that field") {
  AccessVault vault;
  auto caller = vault.With(R"([{"actions": ["client.search"], "fields": ["status"]},
                               {"actions": ["client.search"], "scope": {"tag": "eu"}},
                               {"actions": ["record.read"]}])");
  caller.purpose = "complaint-handling";
  const auto found = vault->searches().SearchByField(vault.Again(caller), "complaint",
                                                     "complaint_number", "C-1", {});
  REQUIRE(found);
  REQUIRE(found->items.size() == 1);
  CHECK(found->items[0].client == vault.client);
}

TEST_CASE("pages of a search are full of what may be found, and tell of nothing else") {
  AccessVault vault;
  vault.Assign(vault.client);
  for (int i = 0; i < 4; ++i) vault.NewComplaint(vault.other);
  const RecordId last = vault.NewComplaint(vault.client);
  const auto search = [&](const std::string& cursor) {
    const auto page = vault->searches().SearchByField(vault.AsWorker(), "complaint",
                                                      "complaint_number", "C-1", {1, cursor});
    REQUIRE(page);
    return *page;
  };
  const auto first = search("");
  REQUIRE(first.items.size() == 1);
  CHECK(first.items[0].record == vault.record);
  const auto second = search(first.next_cursor);
  REQUIRE(second.items.size() == 1);
  CHECK(second.items[0].record == last);
  CHECK(second.next_cursor.empty());
  // Only strangers have it now: nothing, and no sign of more.
  REQUIRE(vault->assignments().Unassign(vault.As(kSupervisor), vault.client, vault.Worker()));
  const auto none = search("");
  CHECK(none.items.empty());
  CHECK(none.next_cursor.empty());
}

TEST_CASE("a denial for one class leaves the records of others, also in one list") {
  AccessVault vault;
  const RecordId contact = vault.NewContact(vault.client, {{"last_name", "Doe"}});
  auto caller = vault.With(R"([{"actions": ["record.read", "record.list"]},
      {"deny": true, "actions": ["record.read", "record.list"], "classes": ["complaint"]}])");
  caller.purpose = "data-subject-request";
  CHECK(vault->records().GetRecord(vault.Again(caller), vault.client, contact));
  CHECK(AnswerOf(vault->records().GetRecord(vault.Again(caller), vault.client, vault.record)) ==
        "permission_denied");
  const auto listed = vault->records().ListRecords(vault.Again(caller), vault.client, "", true, {});
  REQUIRE(listed);
  REQUIRE(listed->items.size() == 1);
  CHECK(listed->items[0].id == contact);
}

TEST_CASE("a stale update of hidden fields is stale, whatever the class asks for") {
  AccessVault vault;
  vault.PutClass(
      {{"name", "case"},
       {"purposes", {"client-care"}},
       {"fields",
        {{"note", {{"type", "string"}}},
         {"health", {{"type", "string"}, {"required", true}, {"sensitivity", "special"}}}}}});
  vault.Assign(vault.client);
  const RecordId record = vault.NewRecord(vault.client, "case", {{"health", "asthma"}});
  const auto update = [&](std::uint64_t version) {
    return AnswerOf(vault->records().UpdateRecord(vault.As(kCaseWorker), vault.client, record,
                                                  version, {{"note", "called"}}));
  };
  CHECK(update(1) == "ok");
  CHECK(update(1) == "version_mismatch");
  CHECK(update(7) == "version_mismatch");
}

TEST_CASE("a record whose class was taken away is damage, and nobody falls over it") {
  AccessVault vault;
  const RecordId contact = vault.NewContact(vault.client, {{"last_name", "Doe"}});
  vault.Close();
  vault.Tamper("DELETE FROM classes WHERE name = 'contact'");
  vault.Open(true);
  const auto crm = [&] { return vault.As(kCrmService); };
  CHECK(AnswerOf(vault->records().GetRecord(crm(), vault.client, contact)) == "integrity_failed");
  CHECK(AnswerOf(vault->records().GetRecordVersion(crm(), vault.client, contact, 1)) ==
        "integrity_failed");
  CHECK(AnswerOf(vault->records().ListRecords(crm(), vault.client, "", true, {})) ==
        "integrity_failed");
  CHECK(AnswerOf(vault->records().DeleteRecord(crm(), vault.client, contact, {})) ==
        "integrity_failed");
  CHECK(AnswerOf(vault->records().UpdateRecord(crm(), vault.client, contact, 1,
                                               {{"last_name", "Roe"}})) == "integrity_failed");
}

TEST_CASE("a ticket and a reason are asked for where a grant says so, and the ticket is logged") {
  AccessVault vault;
  auto caller = vault.With(R"([{"actions": ["client.read"],
                               "conditions": {"reason": true, "ticket": true}}])");
  CHECK(AnswerOf(vault->clients().GetClient(caller, vault.client)) == "reason_required");
  caller = vault.Again(caller);
  caller.reason = "asked on the phone";
  CHECK(AnswerOf(vault->clients().GetClient(caller, vault.client)) == "ticket_required");
  caller = vault.Again(caller);
  caller.ticket = "CASE-7";
  CHECK(AnswerOf(vault->clients().GetClient(caller, vault.client)) == "ok");
  CHECK(vault.EntryOf(caller).at("detail") == "ticket CASE-7");
}

TEST_CASE("an explanation is what the decision would be") {
  AccessVault vault;
  const auto explain = [&](AccessQuestion question) {
    question.principal = vault.Worker();
    const auto answer =
        vault->access_explanations().ExplainAccess(vault.As(kSecurityOfficer), question);
    INFO(AnswerOf(answer));
    REQUIRE(answer);
    return *answer;
  };
  AccessQuestion question;
  question.action = "record.read";
  question.client = vault.client;
  question.class_name = "complaint";
  question.purpose = "complaint-handling";
  auto answer = explain(question);
  CHECK(!answer.allowed);
  CHECK(answer.rule == "check:scope");
  CHECK(answer.reason == "not_found");
  CHECK(answer.role == "case-worker");
  CHECK(answer.fields.empty());
  vault.Assign(vault.client);
  answer = explain(question);
  CHECK(answer.allowed);
  CHECK(answer.rule == "role:case-worker");
  CHECK(answer.grants == std::vector<std::size_t>{2, 3});
  const auto special = std::ranges::find(answer.fields, "special_circumstances",
                                         &std::pair<std::string, View>::first);
  REQUIRE(special != answer.fields.end());
  CHECK(special->second == View::kMasked);
  question.purpose = "marketing";
  CHECK(explain(question).reason == "purpose_not_allowed");
  question.action = "client.erase";
  CHECK(explain(question).reason == "permission_denied");

  question.action = "nonsense";
  CHECK(AnswerOf(vault->access_explanations().ExplainAccess(vault.As(kSecurityOfficer),
                                                            question)) == "question_invalid");
  question.action = "record.read";
  question.principal = PrincipalId();
  CHECK(AnswerOf(vault->access_explanations().ExplainAccess(vault.As(kSecurityOfficer),
                                                            question)) == "principal_unknown");
  CHECK(AnswerOf(vault->access_explanations().ExplainAccess(vault.As(kAdministrator), question)) ==
        "permission_denied");
}

}  // namespace
}  // namespace coffer::vault
