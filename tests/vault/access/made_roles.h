// A vault with two classes and clients on which nothing can be destroyed, roles that a test makes,
// and every call that is about one client: what each answers to whom.
#pragma once

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "tests/vault/test_vault.h"

namespace coffer::vault {

struct MadeClient {
  ClientId id;
  std::string reference;
  RecordId file, card;  // a record of each class
  HoldId lifted;        // another hold is in force
};

class RoleVault : public TestVault {
 public:
  RoleVault() {
    for (const char* name : {"file", "card"}) {
      PutClass({{"name", name},
                {"purposes", {"client-care", "marketing"}},
                {"fields",
                 {{"name", {{"type", "string"}, {"index", true}, {"mask", "initials"}}},
                  {"note", {{"type", "string"}, {"index", true}, {"sensitivity", "internal"}}},
                  {"health", {{"type", "string"}, {"index", true}, {"sensitivity", "special"}}}}}});
    }
    const auto token = NewTokenFor("case-worker", kDay, "somebody");
    REQUIRE(token);
    somebody = token->info.principal;
  }

  static json Data() { return {{"name", "Jane Doe"}, {"note", "x"}, {"health", "asthma"}}; }

  MadeClient Make(const std::string& reference, std::vector<std::string> tags = {}) {
    MadeClient made;
    made.reference = reference;
    made.id = NewClient(reference, std::move(tags));
    made.file = NewRecord(made.id, "file", Data());
    made.card = NewRecord(made.id, "card", Data());
    for (const bool lift : {false, true}) {
      const auto hold = (*this)->holds().PlaceHold(As(Role::kPrivacyOfficer), HoldOn(made.id));
      REQUIRE(hold);
      made.lifted = hold->id;
      if (lift) REQUIRE((*this)->holds().LiftHold(As(Role::kPrivacyOfficer), hold->id));
    }
    return made;
  }
  HoldRequest HoldOn(const ClientId& client) const {
    return {client, {}, {}, "court", "K-1", {clock.Now().ms + kDay * 1000}};
  }

  // A principal of a role that is made here.
  Caller With(const std::string& grants, std::string purpose = std::string(kPurpose)) {
    const std::string name = "made-" + std::to_string(++made_);
    const auto role =
        (*this)->roles().PutRole(As(Role::kAdministrator), name, R"({"grants": )" + grants + "}");
    INFO(grants << " " << AnswerOf(role) << (role ? "" : IssuesOf(role).front()));
    REQUIRE(role);
    return Holder(name, std::move(purpose));
  }
  Caller Holder(const std::string& role, std::string purpose = std::string(kPurpose)) {
    const auto token = NewTokenFor(role, kDay, role + "-" + std::to_string(++made_));
    REQUIRE(token);
    principal = token->info.principal;
    Caller caller = Stranger(token->secret);
    caller.purpose = std::move(purpose);
    return caller;
  }
  Caller Again(Caller caller) {
    caller.call = CallId::New(clock.Now());
    return caller;
  }

  static constexpr std::int64_t kDay = 24 * 3600;
  PrincipalId principal;  // of the last caller that was made
  PrincipalId somebody;

 private:
  int made_ = 0;
};

struct ClientCall {
  Action action;
  std::string_view class_name;  // of the record it is about; empty: none
  // "ok" also where it went as far as the state that lets nothing be done.
  std::function<std::string(RoleVault&, const Caller&, const MadeClient&)> answer;
};

// The decision let it pass, and the state does not.
template <class T>
std::string Passed(const Result<T>& result) {
  const std::string answer = AnswerOf(result);
  for (const char* state : {"held", "version_mismatch", "already_lifted"}) {
    if (answer == state) return "ok";
  }
  return answer;
}

// What is left out of a list is not there.
template <class T, class Is>
std::string Listed(const Result<T>& result, Is is) {
  if (!result) return AnswerOf(result);
  return std::ranges::any_of(result->items, is) ? "ok" : "not_found";
}

inline std::string Exported(const Result<ExportPage>& page, const Id128& wanted) {
  if (!page) return AnswerOf(page);
  const auto is = [&](const auto& line) {
    return std::visit([&](const auto& info) { return info.id.value == wanted; }, line);
  };
  return std::ranges::any_of(page->lines, is) ? "ok" : "not_found";
}

inline const PageRequest kWholePage{200, {}};

inline void AddCallsOnClients(std::vector<ClientCall>& calls) {
  const auto add = [&](Action action, auto answer) { calls.push_back({action, "", answer}); };
  using V = RoleVault;
  using C = Caller;
  using M = MadeClient;
  add(Action::kClientRead,
      [](V& v, const C& c, const M& m) { return Passed(v->clients().GetClient(c, m.id)); });
  add(Action::kClientUpdate, [](V& v, const C& c, const M& m) {
    return Passed(v->clients().UpdateClient(c, m.id, 999, {"other", {}}));
  });
  add(Action::kClientList, [](V& v, const C& c, const M& m) {
    return Listed(v->clients().ListClients(c, "", "", kWholePage),
                  [&](const auto& i) { return i.id == m.id; });
  });
  add(Action::kClientSearch, [](V& v, const C& c, const M& m) {
    return Listed(v->searches().SearchByReference(c, m.reference),
                  [&](const SearchHit& hit) { return hit.client == m.id; });
  });
  add(Action::kClientErase,
      [](V& v, const C& c, const M& m) { return Passed(v->erasures().Erase(c, m.id, {})); });
  add(Action::kClientTrace,
      [](V& v, const C& c, const M& m) { return Passed(v->traces().FindTraces(c, m.id)); });
  add(Action::kAssignmentRead, [](V& v, const C& c, const M& m) {
    return Passed(v->assignments().ListAssignments(c, m.id));
  });
  add(Action::kAssignmentWrite, [](V& v, const C& c, const M& m) {
    return Passed(v->assignments().Assign(c, m.id, v.somebody, {}));
  });
  add(Action::kLeaseRead,
      [](V& v, const C& c, const M& m) { return Passed(v->leases().ListLeases(c, m.id)); });
  add(Action::kLeaseWrite, [](V& v, const C& c, const M& m) {
    return Passed(
        v->leases().GiveLease(c, m.id, {v.somebody, "file", {"note"}, "client-care", "C-1", 60}));
  });
  add(Action::kHoldRead,
      [](V& v, const C& c, const M& m) { return Passed(v->holds().GetHold(c, m.lifted)); });
  add(Action::kHoldRead, [](V& v, const C& c, const M& m) {
    return Listed(v->holds().ListHolds(c, {}, true, kWholePage),
                  [&](const auto& hold) { return hold.id == m.lifted; });
  });
  add(Action::kHoldWrite,
      [](V& v, const C& c, const M& m) { return Passed(v->holds().PlaceHold(c, v.HoldOn(m.id))); });
  add(Action::kHoldLift,
      [](V& v, const C& c, const M& m) { return Passed(v->holds().LiftHold(c, m.lifted)); });
  add(Action::kRestrictionRead, [](V& v, const C& c, const M& m) {
    return Passed(v->restrictions().ListRestrictions(c, m.id));
  });
  add(Action::kConsentRead,
      [](V& v, const C& c, const M& m) { return Passed(v->consents().ListConsents(c, m.id)); });
  add(Action::kClientExport, [](V& v, const C& c, const M& m) {
    return Exported(v->exports().Export(c, {}, kWholePage), m.id.value);
  });
  add(Action::kClientPackage, [](V& v, const C& c, const M& m) {
    return Exported(v->exports().PackageClient(c, m.id, kWholePage), m.id.value);
  });
}

inline void AddCallsOnRecords(std::vector<ClientCall>& calls, std::string name, bool file) {
  const std::string_view class_name = file ? "file" : "card";
  const auto add = [&](Action action, auto answer) {
    calls.push_back({action, class_name, answer});
  };
  using V = RoleVault;
  using C = Caller;
  using M = MadeClient;
  const auto of = [file](const M& m) { return file ? m.file : m.card; };
  const auto is = [of](const M& m) {
    return [id = of(m)](const auto& info) { return info.id == id; };
  };
  add(Action::kRecordRead,
      [=](V& v, const C& c, const M& m) { return Passed(v->records().GetRecord(c, m.id, of(m))); });
  add(Action::kRecordRead, [=](V& v, const C& c, const M& m) {
    return Passed(v->records().GetRecordVersion(c, m.id, of(m), 1));
  });
  add(Action::kRecordRead, [=](V& v, const C& c, const M& m) {
    return Listed(v->records().ListRecords(c, m.id, "", true, kWholePage), is(m));
  });
  add(Action::kRecordList, [=](V& v, const C& c, const M& m) {
    return Listed(v->records().ListRecords(c, m.id, name, false, kWholePage), is(m));
  });
  add(Action::kRecordList, [=](V& v, const C& c, const M& m) {
    return Passed(v->records().ListVersions(c, m.id, of(m)));
  });
  add(Action::kRecordCreate, [=](V& v, const C& c, const M& m) {
    return Passed(v->records().CreateRecord(c, m.id, name, {{"note", "x"}}, {}));
  });
  add(Action::kRecordUpdate, [=](V& v, const C& c, const M& m) {
    return Passed(v->records().UpdateRecord(c, m.id, of(m), 999, {{"note", "y"}}));
  });
  add(Action::kRecordDelete, [=](V& v, const C& c, const M& m) {
    return Passed(v->records().DeleteRecord(c, m.id, of(m), 999));
  });
  add(Action::kRecordImport, [=](V& v, const C& c, const M& m) {
    const json data = {{"note", "x"}};
    // To merge takes the right to read as well, which the action's own grant does not give.
    return Passed(
        v->imports().ImportRecord(c, {m.reference, name, "k", data, false, ChangeForm::kWhole}));
  });
  add(Action::kRecordErase, [=](V& v, const C& c, const M& m) {
    return Passed(v->erasures().Erase(c, m.id, {ErasureBasis::kRequest, {}, {of(m)}}));
  });
  add(Action::kClientSearch, [=](V& v, const C& c, const M& m) {
    return Listed(v->searches().SearchByField(c, name, "note", "x", kWholePage),
                  [id = of(m)](const SearchHit& hit) { return hit.record == id; });
  });
  add(Action::kClientExport, [=](V& v, const C& c, const M& m) {
    return Exported(v->exports().Export(c, {}, kWholePage), of(m).value);
  });
  add(Action::kClientPackage, [=](V& v, const C& c, const M& m) {
    return Exported(v->exports().PackageClient(c, m.id, kWholePage), of(m).value);
  });
}

// Every call that names a client or a record of it, or lists them. What changes a restriction is
// left out.
inline std::vector<ClientCall> CallsAboutClients() {
  std::vector<ClientCall> calls;
  AddCallsOnClients(calls);
  AddCallsOnRecords(calls, "file", true);
  AddCallsOnRecords(calls, "card", false);
  return calls;
}

}  // namespace coffer::vault
