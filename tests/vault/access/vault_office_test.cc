// The office's day: many clients at once, who leaves, what an emergency was used for, who read how
// many, and where a plain field comes from.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <set>
#include <thread>

#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

class Office : public TestVault {
 public:
  Office() {
    for (int i = 0; i < 5; ++i) clients.push_back(NewClient("A-" + std::to_string(i)));
    anna = NewPrincipal("anna");
    bert = NewPrincipal("bert");
  }
  PrincipalId NewPrincipal(const std::string& name, const std::string& role = "case-worker") {
    const auto token = NewTokenFor(role, 24 * 3600, name);
    REQUIRE(token);
    tokens.emplace(name, token->secret);
    return token->info.principal;
  }
  Caller By(const std::string& name, std::string purpose = std::string(kPurpose)) {
    Caller caller = Stranger(tokens.at(name));
    caller.purpose = std::move(purpose);
    return caller;
  }
  void Give(const PrincipalId& to, std::size_t from, std::size_t end,
            const AssignmentTerms& terms = {}) {
    for (std::size_t i = from; i < end; ++i) {
      REQUIRE((*this)->assignments().Assign(As(kSupervisor), clients[i], to, terms));
    }
  }
  std::set<ClientId> Of(const PrincipalId& principal, std::size_t limit = 2) {
    std::set<ClientId> found;
    PageRequest page{limit, {}};
    do {
      const auto list = (*this)->assignments().ListAssignmentsOf(As(kSupervisor), principal, page);
      INFO(AnswerOf(list));
      REQUIRE(list);
      for (const auto& one : list->items) {
        CHECK(one.principal == principal);
        CHECK(found.insert(one.client).second);
      }
      page.cursor = list->next_cursor;
    } while (!page.cursor.empty());
    return found;
  }
  static Strings Outcomes(const std::vector<AssignedClient>& answers) {
    Strings outcomes;
    for (const auto& one : answers) {
      outcomes.push_back(!one.assignment           ? std::string(one.error->reason)
                         : one.assignment->changed ? "assigned"
                                                   : "unchanged");
    }
    return outcomes;
  }
  void WaitForIndex() {
    const auto size = WholeLog().size();
    Close();
    Open();  // it is followed at once to where it ended
    for (int i = 0; i < 10'000; ++i) {
      const auto statistics = (*this)->monitoring().ReadStatistics(As(kAdministrator));
      REQUIRE(statistics);
      if (statistics->log_index_size >= size) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    FAIL("the index does not follow the log");
  }

  std::vector<ClientId> clients;
  std::map<std::string, std::string> tokens;
  PrincipalId anna, bert;
};

TEST_CASE("of many clients each is assigned or refused for itself") {
  Office office;
  const auto caller = office.As(kSupervisor);
  const std::vector<ClientName> names = {{office.clients[0], {}},
                                         {std::nullopt, "A-1"},
                                         {std::nullopt, "nobody's"},
                                         {ClientId::New(office.clock.Now()), {}},
                                         {std::nullopt, std::string(300, 'x')},
                                         {office.clients[0], {}},
                                         {std::nullopt, "A-2"}};
  const auto done = office->caseloads().AssignMany(caller, names, office.anna, {});
  REQUIRE(done);
  CHECK(Office::Outcomes(*done) == Strings{"assigned", "assigned", "not_found", "not_found",
                                           "search_invalid", "unchanged", "assigned"});
  CHECK(office.Of(office.anna) ==
        std::set{office.clients[0], office.clients[1], office.clients[2]});
  // An entry for each, as if they had been asked for one by one.
  std::size_t written = 0, denied = 0;
  for (const json& entry : office.EntriesOf(caller)) {
    if (entry.at("action") != "assignment.write") continue;
    entry.at("decision") == "allow" ? ++written : ++denied;
  }
  CHECK(written == 4);
  CHECK(denied == 1);
  CHECK(AnswerOf(office->caseloads().AssignMany(office.As(kSupervisor), {}, office.anna, {})) ==
        "assignment_invalid");
  const std::vector<ClientName> too_many(kMostAssigned + 1, {office.clients[0], {}});
  CHECK(AnswerOf(office->caseloads().AssignMany(office.As(kSupervisor), too_many, office.anna,
                                                {})) == "assignment_invalid");
  // Nobody gives themselves clients, and who may not assign is told so of each.
  const auto own = office->caseloads().AssignMany(office.As(kSupervisor), {{office.clients[3], {}}},
                                                  office.TokenOf(kSupervisor).principal, {});
  CHECK(Office::Outcomes(*own) == Strings{"own_request"});
  const auto worker = office.As(kCaseWorker);
  CHECK(AnswerOf(office->caseloads().AssignMany(worker, {{office.clients[3], {}}}, office.anna,
                                                {})) == "permission_denied");
  CHECK(office.EntryOf(worker).at("decision") == "deny");
  CHECK(AnswerOf(office->caseloads().AssignMany(Office::Stranger("none"), {{office.clients[3], {}}},
                                                office.anna, {})) == "unauthenticated");
  // To a team, too.
  const auto team = office->teams().PutTeam(office.As(kSupervisor), "north", {office.bert});
  REQUIRE(team);
  CHECK(Office::Outcomes(*office->caseloads().AssignMany(
            office.As(kSupervisor), {{office.clients[4], {}}}, team->id, {})) ==
        Strings{"assigned"});
  CHECK(office->clients().GetClient(office.By("bert"), office.clients[4]));
  office.CheckInvariants();
}

TEST_CASE("whose clients they are is listed for who has a part in them") {
  Office office;
  office.Give(office.anna, 0, 5);
  office.Give(office.bert, 3, 4);
  for (const std::size_t limit : {1U, 2U, 5U, 200U})
    CHECK(office.Of(office.anna, limit).size() == 5);
  CHECK(office.Of(office.bert) == std::set{office.clients[3]});
  const auto caller = office.As(kSupervisor);
  REQUIRE(office->assignments().ListAssignmentsOf(caller, office.bert, {}));
  const auto entries = office.EntriesOf(caller);
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].at("client") == office.clients[3].Text());
  CHECK(AnswerOf(office->assignments().ListAssignmentsOf(office.As(kCaseWorker), office.anna,
                                                         {})) == "permission_denied");
  // Of a role that is about some clients, the others' are not there.
  REQUIRE(office->roles().PutRole(
      office.As(kAdministrator), "vip-desk",
      R"({"grants": [{"actions": ["assignment.read"], "scope": {"tag": "vip"}}]})"));
  office.NewPrincipal("vera", "vip-desk");
  const ClientId vip = office.NewClient("V-1", {"vip"});
  REQUIRE(office->assignments().Assign(office.As(kSupervisor), vip, office.anna, {}));
  const auto some = office->assignments().ListAssignmentsOf(office.By("vera"), office.anna, {});
  REQUIRE(some);
  REQUIRE(some->items.size() == 1);
  CHECK(some->items[0].client == vip);
}

TEST_CASE("of clients that are out of a role's reach a hand-over tells nothing") {
  Office office;
  const ClientId vip = office.NewClient("V-1", {"vip"});
  office.Give(office.anna, 0, 2);
  REQUIRE(office->assignments().Assign(office.As(kSupervisor), vip, office.anna, {}));
  const std::pair<const char*, const char*> roles[] = {
      {"denied-vip", R"({"grants": [{"actions": ["assignment.read", "assignment.write"]},
          {"actions": ["assignment.read", "assignment.write"], "scope": {"tag": "vip"},
           "deny": true}]})"},
      {"blind-vip", R"({"grants": [{"actions": ["assignment.write"]},
          {"actions": ["assignment.read"]},
          {"actions": ["assignment.read"], "scope": {"tag": "vip"}, "deny": true}]})"}};
  for (const auto& [name, role] : roles) {
    INFO(name);
    REQUIRE(office->roles().PutRole(office.As(kAdministrator), name, role));
    office.NewPrincipal(name, name);
    for (const std::size_t limit : {1U, 200U}) {
      HandOverRequest request{office.anna, office.bert};
      request.page.limit = limit;
      std::uint64_t skipped = 0;
      do {
        const auto done = office->caseloads().HandOver(office.By(name), request);
        INFO(AnswerOf(done));
        REQUIRE(done);
        for (const auto& one : done->clients) CHECK(one.name.id != vip);
        skipped += done->skipped;
        request.page.cursor = done->next_cursor;
      } while (!request.page.cursor.empty());
      CHECK(skipped == 1);
      CHECK(office.Of(office.anna) == std::set{vip});
      REQUIRE(
          office->caseloads().HandOver(office.As(kSupervisor), {office.bert, office.anna, {}, {}}));
    }
  }
  office.CheckInvariants();
}

TEST_CASE("nobody gets many clients who is disabled") {
  Office office;
  office.Give(office.anna, 0, 1);
  PrincipalChange change;
  change.disabled = true;
  change.leave_clients = true;
  REQUIRE(office->principals().UpdatePrincipal(office.As(kAdministrator), office.anna, change));
  const auto caller = office.As(kSupervisor);
  const auto refused = office->caseloads().AssignMany(
      caller, {{office.clients[0], {}}, {office.clients[1], {}}}, office.anna, {});
  CHECK(AnswerOf(refused) == "assignment_invalid");
  CHECK(IssuesOf(refused) == Strings{"/principal is disabled"});
  CHECK(office.EntriesOf(caller).size() == 1);
  CHECK(office.Of(office.anna) == std::set{office.clients[0]});
  office.CheckInvariants();
}

TEST_CASE("a hand-over passes each client whole, in portions, and goes on where it was cut off") {
  Office office;
  const Timestamp end{office.clock.Now().ms + 3'600'000};
  office.Give(office.anna, 0, 4, {{}, end});
  office.Give(office.anna, 4, 5);
  office.Give(office.bert, 0, 1);  // without an end: it stays so
  HandOverRequest request{office.anna, office.bert};
  request.page.limit = 2;
  const auto caller = office.As(kSupervisor);
  auto done = office->caseloads().HandOver(caller, request);
  REQUIRE(done);
  CHECK(done->clients.size() == 2);
  CHECK_FALSE(done->next_cursor.empty());
  CHECK(office.Of(office.anna).size() == 3);
  // Each client is somebody's at every moment, and each move has one entry.
  std::size_t moves = 0;
  for (const json& entry : office.EntriesOf(caller)) {
    if (!entry.contains("client")) continue;
    CHECK(entry.at("action") == "assignment.write");
    CHECK(entry.at("detail").get<std::string>().starts_with(office.anna.Text() + " to " +
                                                            office.bert.Text()));
    ++moves;
  }
  CHECK(moves == 2);
  // Cut off here and begun anew, or gone on with: the rest moves.
  done = office->caseloads().HandOver(office.As(kSupervisor), request);
  REQUIRE(done);
  request.page.cursor = done->next_cursor;
  REQUIRE(office->caseloads().HandOver(office.As(kSupervisor), request));
  CHECK(office.Of(office.anna).empty());
  CHECK(office.Of(office.bert).size() == 5);
  const auto ends = [&](std::size_t i) {
    const auto list =
        office->assignments().ListAssignments(office.As(kSupervisor), office.clients[i]);
    REQUIRE(list);
    REQUIRE(list->size() == 1);
    return list->front().ends;
  };
  CHECK(ends(0) == std::nullopt);
  CHECK(ends(1) == end);
  CHECK(ends(4) == std::nullopt);
  CHECK(office->clients().GetClient(office.By("bert"), office.clients[1]));
  CHECK(AnswerOf(office->clients().GetClient(office.By("anna"), office.clients[1])) == "not_found");
  office.CheckInvariants();
}

TEST_CASE("a hand-over of what is not there, or to who cannot have it, moves nothing") {
  Office office;
  office.Give(office.anna, 0, 2);
  const auto hand_over = [&](Role role, const PrincipalId& from, const PrincipalId& to,
                             std::vector<ClientName> names = {}) {
    return office->caseloads().HandOver(office.As(role), {from, to, std::move(names), {}});
  };
  const PrincipalId gone = office.NewPrincipal("gone");
  REQUIRE(
      office->principals().UpdatePrincipal(office.As(kAdministrator), gone, {{}, {}, true, {}}));
  CHECK(AnswerOf(hand_over(kSupervisor, office.anna, office.anna)) == "assignment_invalid");
  CHECK(AnswerOf(hand_over(kSupervisor, office.anna, gone)) == "assignment_invalid");
  CHECK(AnswerOf(hand_over(kSupervisor, office.anna,
                           PrincipalId::New(office.clock.Now(), PrincipalKind::kUser))) ==
        "principal_unknown");
  CHECK(AnswerOf(hand_over(kSupervisor, office.anna, office.TokenOf(kSupervisor).principal)) ==
        "own_request");
  CHECK(AnswerOf(hand_over(kCaseWorker, office.anna, office.bert)) == "permission_denied");
  const auto some = hand_over(kSupervisor, office.anna, office.bert,
                              {{office.clients[0], {}}, {office.clients[4], {}}, {{}, "A-9"}});
  REQUIRE(some);
  CHECK(Office::Outcomes(some->clients) == Strings{"assigned", "not_found", "not_found"});
  CHECK(office.Of(office.anna) == std::set{office.clients[1]});
  office.CheckInvariants();
}

TEST_CASE("nobody is disabled whose clients would be left without a word") {
  Office office;
  office.Give(office.anna, 0, 2);
  office.Give(office.anna, 2, 3, {{}, Timestamp{office.clock.Now().ms + 1000}});
  office.clock.Advance(2000);  // that one has ended
  const auto disable = [&](const PrincipalId& who, bool leave) {
    PrincipalChange change;
    change.disabled = true;
    change.leave_clients = leave;
    return office->principals().UpdatePrincipal(office.As(kAdministrator), who, change);
  };
  const auto refused = disable(office.anna, false);
  CHECK(AnswerOf(refused) == "clients_assigned");
  CHECK(IssuesOf(refused) == Strings{"/disabled has 2 clients assigned: hand them over first, or "
                                     "say leave_clients"});
  CHECK(office->clients().GetClient(office.By("anna"), office.clients[0]));  // nothing has changed
  CHECK(disable(office.bert, false));                                        // who has none
  REQUIRE(disable(office.anna, true));
  CHECK(office.Of(office.anna).size() == 3);
  const PrincipalId carl = office.NewPrincipal("carl");
  // Also of who was disabled they are handed over later.
  REQUIRE(office->caseloads().HandOver(office.As(kSupervisor), {office.anna, carl, {}, {}}));
  CHECK(office.Of(carl).size() == 2);
  CHECK(disable(carl, false).error().reason == "clients_assigned");
  office.CheckInvariants();
}

TEST_CASE("an emergency access is shown with all that was read under it, and nothing else") {
  Office office;
  const RecordId record = office.NewContact(office.clients[0], {{"last_name", "Doe"}});
  REQUIRE(office->roles().PutRole(office.As(kAdministrator), "on-call", R"({"grants": [
      {"actions": ["client.read", "record.read"], "scope": "assigned"},
      {"actions": ["emergency.open"]}]})"));
  office.NewPrincipal("otto", "on-call");
  auto opener = office.By("otto");
  opener.reason = "nobody else is here";
  const auto taken = office->emergencies().OpenEmergency(opener, office.clients[0],
                                                         {"client-care", "CASE-1", 3600});
  INFO(AnswerOf(taken));
  REQUIRE(taken);
  const auto look = [&](const LogPageRequest& page) {
    const auto found =
        office->emergency_reports().GetEmergency(office.As(kSecurityOfficer), taken->id, page);
    INFO(AnswerOf(found));
    REQUIRE(found);
    CHECK(found->emergency.client == office.clients[0]);
    return *found;
  };
  CHECK(look({}).uses.empty());
  REQUIRE(office->clients().GetClient(office.By("otto"), office.clients[0]));
  REQUIRE(office->records().GetRecord(office.By("otto"), office.clients[0], record));
  office->clients().GetClient(office.By("otto"), office.clients[1]);  // not opened
  REQUIRE(office->records().GetRecord(office.As(kCrmService), office.clients[0], record));
  const auto report = look({});
  REQUIRE(report.uses.size() == 2);
  CHECK(report.uses[0].action == "client.read");
  CHECK(report.uses[1].action == "record.read");
  CHECK(report.uses[1].record == record.Text());
  CHECK(report.uses[1].class_name == "contact");
  CHECK(report.uses[1].fields == Strings{"last_name"});
  CHECK(!report.next);
  const auto first = look({1, false, {}});
  CHECK(first.uses.size() == 1);
  REQUIRE(first.next);
  CHECK(look({1, false, first.next}).uses.front().seq == report.uses[1].seq);
  const auto caller = office.As(kSecurityOfficer);
  REQUIRE(office->emergency_reports().GetEmergency(caller, taken->id, {}));
  CHECK(office.EntryOf(caller).at("client") == office.clients[0].Text());
  CHECK(AnswerOf(office->emergency_reports().GetEmergency(office.As(kCaseWorker), taken->id, {})) ==
        "permission_denied");
  CHECK(AnswerOf(office->emergency_reports().GetEmergency(
            office.As(kSecurityOfficer), EmergencyId::New(office.clock.Now()), {})) == "not_found");
}

TEST_CASE("who read how many clients is set against enough colleagues, or nobody") {
  Office office;
  const auto read = [&](const std::string& who, std::size_t count, int times = 1) {
    for (std::size_t i = 0; i < count; ++i) {
      for (int n = 0; n < times; ++n) {
        REQUIRE(office->clients().GetClient(office.By(who), office.clients[i]));
      }
    }
  };
  const PrincipalId carl = office.NewPrincipal("carl"), dora = office.NewPrincipal("dora");
  const PrincipalId lone = office.NewPrincipal("lone", "supervisor");
  for (const PrincipalId& who : {office.anna, office.bert, carl}) office.Give(who, 0, 5);
  read("anna", 5, 3);
  read("bert", 1);
  read("carl", 2);
  read("lone", 1);
  office->clients().GetClient(office.By("dora"), office.clients[0]);  // refused: nothing was shown
  office.WaitForIndex();
  const auto of = [&](const ReaderReport& report, const PrincipalId& who) -> const ReaderCount* {
    const auto found = std::ranges::find(report.readers, who, &ReaderCount::principal);
    return found == report.readers.end() ? nullptr : &*found;
  };
  auto report = office->reader_reports().CountReaders(office.As(kSecurityOfficer), {}, {});
  INFO(AnswerOf(report));
  REQUIRE(report);
  const ReaderCount* anna = of(*report, office.anna);
  REQUIRE(anna != nullptr);
  CHECK(anna->reads == 15);
  CHECK(anna->clients == 5);
  CHECK(anna->group == "role:case-worker");
  // bert 1, carl 2, dora and the other case worker 0
  CHECK(anna->colleagues == 4);
  CHECK(anna->median == 0.5);
  CHECK(of(*report, dora) == nullptr);
  const ReaderCount* single = of(*report, lone);
  REQUIRE(single != nullptr);
  CHECK(single->group.empty());
  CHECK(single->colleagues == 0);
  CHECK(std::ranges::is_sorted(report->readers, std::ranges::greater{}, &ReaderCount::clients));
  // A team that is large enough goes before the role.
  REQUIRE(office->teams().PutTeam(office.As(kSupervisor), "north",
                                  {office.anna, office.bert, carl, dora}));
  REQUIRE(office->teams().PutTeam(office.As(kSupervisor), "pair", {office.anna, office.bert}));
  report = office->reader_reports().CountReaders(office.As(kSecurityOfficer), {}, {});
  REQUIRE(report);
  anna = of(*report, office.anna);
  CHECK(anna->group == "team:north");
  CHECK(anna->colleagues == 3);
  CHECK(anna->median == 1);
  // Of a time.
  office.clock.Advance(60'000);
  const Timestamp since = office.clock.Now();
  read("bert", 2);
  office.WaitForIndex();
  report = office->reader_reports().CountReaders(office.As(kSecurityOfficer), since, {});
  REQUIRE(report);
  REQUIRE(report->readers.size() == 1);
  CHECK(report->readers[0].clients == 2);
  CHECK(AnswerOf(office->reader_reports().CountReaders(office.As(kSecurityOfficer), since,
                                                       since)) == "filter_invalid");
  CHECK(AnswerOf(office->reader_reports().CountReaders(office.As(kSupervisor), {}, {})) ==
        "permission_denied");
}

TEST_CASE("an explanation says what shows a field plainly") {
  Office office;
  REQUIRE(office->roles().PutRole(office.As(kAdministrator), "desk", R"({"grants": [
      {"actions": ["record.read"], "view": "masked"},
      {"actions": ["record.read"], "fields": ["last_name"], "scope": "assigned"},
      {"actions": ["record.read"], "fields": ["last_name", "city"], "scope": {"tag": "vip"}},
      {"actions": ["emergency.open"]}]})"));
  const PrincipalId eve = office.NewPrincipal("eve", "desk");
  const ClientId vip = office.NewClient("V-1", {"vip"});
  const auto explain = [&](const ClientId& client) {
    AccessQuestion question;
    question.principal = eve;
    question.action = "record.read";
    question.client = client;
    question.class_name = "contact";
    question.purpose = "client-care";
    const auto answer =
        office->access_explanations().ExplainAccess(office.As(kSecurityOfficer), question);
    INFO(AnswerOf(answer));
    REQUIRE(answer);
    Strings said;
    std::set<std::string> plain;
    for (const auto& [field, view] : answer->fields) {
      if (view == View::kPlain) plain.insert(field);
    }
    for (const auto& [field, sources] : answer->plain) {
      CHECK(plain.erase(field) == 1);
      CHECK_FALSE(sources.empty());
      if (field != "last_name" && field != "email") continue;
      for (const auto& source : sources) {
        said.push_back(
            field + " " +
            (source.grant ? "grant " + std::to_string(*source.grant) + " " : std::string()) +
            source.scope + source.id);
      }
    }
    CHECK(plain.empty());  // each plain field has a source
    said.push_back(std::to_string(answer->assigned_to.size()));
    return said;
  };
  CHECK(explain(office.clients[0]) == Strings{"0"});
  REQUIRE(office->assignments().Assign(office.As(kSupervisor), office.clients[0], eve, {}));
  CHECK(explain(office.clients[0]) == Strings{"last_name grant 1 assigned", "1"});
  CHECK(explain(vip) == Strings{"last_name grant 2 tag:vip", "0"});
  const auto lease = office->leases().GiveLease(
      office.As(kSupervisor), vip, {eve, "contact", {"email"}, "client-care", "CASE-1", 3600, {}});
  REQUIRE(lease);
  CHECK(explain(vip) == Strings{"email " + lease->id.Text(), "last_name grant 2 tag:vip", "0"});
  auto opener = office.By("eve");
  opener.reason = "nobody else is here";
  const auto taken =
      office->emergencies().OpenEmergency(opener, vip, {"client-care", "CASE-1", 3600});
  REQUIRE(taken);
  CHECK(explain(vip) == Strings{"email " + lease->id.Text(), "email " + taken->id.Text(),
                                "last_name grant 2 tag:vip", "last_name " + taken->id.Text(), "0"});
}

}  // namespace
}  // namespace coffer::vault
