// Restrictions: who is stopped from the next request on, what goes on, and that lists are silent.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "tests/vault/test_vault.h"
#include "vault/access/restriction_store.h"
#include "vault/base/word_list.h"

namespace coffer::vault {
namespace {

using enum Role;

const json kContact = {{"last_name", "Roe"}};
const json kInteraction = {
    {"occurred_at", "2026-01-01T10:00:00Z"}, {"channel", "phone"}, {"subject", "Asked."}};

class Restrictions : public TestVault {
 public:
  Restrictions() {
    client = NewClient("A-1", {"vip"});
    contact = NewContact(client, kContact);
    interaction = NewRecord(client, "interaction", kInteraction);
    other = NewClient("A-2", {"vip"});
    NewContact(other, kContact);
  }
  // The purposes named go on; `id` is the last that was placed.
  std::string Restrict(std::string class_name = {}, Strings purposes = {}) {
    return Place({std::move(class_name), std::string(kBasis), {true, std::move(purposes)}});
  }
  std::string Place(const RestrictionRequest& request) {
    last = As(kPrivacyOfficer);
    const auto placed = (*this)->restrictions().Restrict(last, client, request);
    if (placed) id = placed->id;
    return AnswerOf(placed);
  }
  std::string LiftAs(const Caller& caller, const RestrictionId& which) {
    last = caller;
    return AnswerOf((*this)->restrictions().LiftRestriction(caller, client, which));
  }
  std::string Lift(const RestrictionId& which) {
    return LiftAs(As(kPrivacyOfficer, std::string(kPurpose), "Settled"), which);
  }
  std::string Lift() { return Lift(id); }
  std::vector<Restriction> Listed() {
    const auto listed = (*this)->restrictions().ListRestrictions(As(kAuditor), client);
    INFO(AnswerOf(listed));
    REQUIRE(listed);
    return *listed;
  }
  Caller Crm(std::string purpose = std::string(kPurpose)) {
    last = As(kCrmService, std::move(purpose));
    return last;
  }
  std::string Read(const RecordId& record, std::string purpose = std::string(kPurpose)) {
    return AnswerOf((*this)->records().GetRecord(Crm(std::move(purpose)), client, record));
  }
  std::size_t ListedClients(std::string_view tag, std::string_view class_name,
                            std::string purpose = std::string(kPurpose)) {
    const auto page = (*this)->clients().ListClients(Crm(std::move(purpose)), tag, class_name, {});
    REQUIRE(page);
    return page->items.size();
  }
  std::size_t Found(std::string purpose = std::string(kPurpose)) {
    const auto page = (*this)->searches().SearchByField(Crm(std::move(purpose)), "contact",
                                                        "last_name", "Roe", {});
    REQUIRE(page);
    return page->items.size();
  }
  std::size_t Exported() {
    const auto page = (*this)->exports().Export(As(kPrivacyOfficer, "data-subject-request"), {},
                                                {.limit = 1000, .cursor = {}});
    REQUIRE(page);
    return page->lines.size();
  }
  static constexpr std::string_view kBasis = "Accuracy is disputed by Ms Roe";
  ClientId client, other;
  RecordId contact, interaction;
  RestrictionId id;
  Caller last;
};

TEST_CASE("nothing of a restricted client is disclosed or changed") {
  Restrictions vault;
  REQUIRE(vault.Restrict() == "ok");
  CHECK(vault.EntryOf(vault.last) ==
        vault.Allowed(kPrivacyOfficer, {{"action", "restriction.write"},
                                        {"client", vault.client.Text()},
                                        {"detail", vault.id.Text() + "; stops all purposes"}}));
  for (int round = 0; round < 2; ++round) {
    CHECK(AnswerOf(vault->clients().GetClient(vault.Crm(), vault.client)) == "restricted");
    CHECK(vault.EntryOf(vault.last) == vault.Denied(kCrmService, {{"action", "client.read"},
                                                                  {"client", vault.client.Text()},
                                                                  {"rule", "check:restricted"},
                                                                  {"outcome", "restricted"}}));
    CHECK(AnswerOf(vault->clients().UpdateClient(vault.Crm(), vault.client, 1, {})) ==
          "restricted");
    CHECK(vault.Read(vault.contact) == "restricted");
    CHECK(AnswerOf(vault->records().GetRecordVersion(vault.Crm(), vault.client, vault.contact,
                                                     1)) == "restricted");
    CHECK(AnswerOf(vault->records().ListVersions(vault.Crm(), vault.client, vault.contact)) ==
          "restricted");
    for (const bool with_data : {false, true}) {
      CHECK(AnswerOf(vault->records().ListRecords(vault.Crm(), vault.client, "", with_data, {})) ==
            "restricted");
    }
    CHECK(AnswerOf(vault->records().CreateRecord(vault.Crm(), vault.client, "contact", kContact,
                                                 {})) == "restricted");
    CHECK(AnswerOf(vault->records().UpdateRecord(vault.Crm(), vault.client, vault.contact, 1,
                                                 {{"last_name", "Doe"}})) == "restricted");
    CHECK(AnswerOf(vault->records().DeleteRecord(vault.Crm(), vault.client, vault.contact, {})) ==
          "restricted");
    CHECK(AnswerOf(vault->imports().ImportRecord(vault.Crm(), {"A-1", "contact", "", kContact})) ==
          "restricted");
    CHECK(vault->searches().SearchByReference(vault.Crm(), "A-1")->items.empty());
    CHECK(vault.Found() == 1);
    CHECK(vault.ListedClients("", "") == 1);
    CHECK(vault.ListedClients("vip", "") == 1);
    CHECK(vault.ListedClients("", "contact") == 1);
    CHECK(vault.Exported() == 2);
    // For who is not there is no telling whether it is restricted.
    CHECK(AnswerOf(vault->clients().GetClient(vault.As(kCaseWorker), vault.client)) == "not_found");
    // Nobody else's client is concerned.
    CHECK(AnswerOf(vault->clients().GetClient(vault.Crm(), vault.other)) == "ok");
    vault.Close();
    vault.Open();
  }
  REQUIRE(vault.Lift() == "ok");
  CHECK(vault.EntryOf(vault.last).at("detail") == vault.id.Text() + "; lifted");
  CHECK(vault.EntryOf(vault.last).contains("note_hash"));
  CHECK(vault.Read(vault.contact) == "ok");
  CHECK(vault.Found() == 2);
  CHECK(vault.ListedClients("", "") == 2);
  CHECK(vault.Exported() == 5);
  vault.CheckInvariants();
}

TEST_CASE("the named purposes go on") {
  Restrictions vault;
  REQUIRE(vault.Restrict("", {"legal-obligation", "complaint-handling", "legal-obligation"}) ==
          "ok");
  CHECK(vault.EntryOf(vault.last).at("detail") ==
        vault.id.Text() + "; stops all but complaint-handling legal-obligation");
  CHECK(vault.Read(vault.contact) == "restricted");
  CHECK(vault.Read(vault.contact, "complaint-handling") == "ok");
  CHECK(AnswerOf(vault->clients().GetClient(vault.Crm("legal-obligation"), vault.client)) == "ok");
  CHECK(AnswerOf(vault->clients().GetClient(vault.Crm("billing"), vault.client)) == "restricted");
  CHECK(vault.ListedClients("", "") == 1);
  CHECK(vault.ListedClients("", "", "legal-obligation") == 2);
  CHECK(vault.Found("complaint-handling") == 2);
  CHECK(vault->imports().ImportRecord(vault.Crm("legal-obligation"),
                                      {"A-1", "contact", "", kContact}));
  // Both restrictions must let it pass.
  REQUIRE(vault.Restrict("contact", {"legal-obligation"}) == "ok");
  CHECK(vault.Read(vault.contact, "complaint-handling") == "restricted");
  CHECK(vault.Read(vault.interaction, "complaint-handling") == "ok");
  vault.CheckInvariants();
}

TEST_CASE("a restricted class is left out where the rest of the client goes on") {
  Restrictions vault;
  REQUIRE(vault.Restrict("contact") == "ok");
  CHECK(vault.EntryOf(vault.last).at("class") == "contact");
  CHECK(AnswerOf(vault->clients().GetClient(vault.Crm(), vault.client)) == "ok");
  CHECK(vault.Read(vault.interaction) == "ok");
  CHECK(vault.Read(vault.contact) == "restricted");
  CHECK(vault.EntryOf(vault.last).at("rule") == "check:restricted");
  CHECK(AnswerOf(vault->records().GetRecordVersion(vault.Crm(), vault.client, vault.contact, 1)) ==
        "restricted");
  CHECK(AnswerOf(vault->records().ListVersions(vault.Crm(), vault.client, vault.contact)) ==
        "restricted");
  CHECK(AnswerOf(vault->records().CreateRecord(vault.Crm(), vault.client, "contact", kContact,
                                               {})) == "restricted");
  CHECK(AnswerOf(vault->records().UpdateRecord(vault.Crm(), vault.client, vault.contact, 1,
                                               kContact)) == "restricted");
  CHECK(AnswerOf(vault->records().DeleteRecord(vault.Crm(), vault.client, vault.contact, {})) ==
        "restricted");
  CHECK(AnswerOf(vault->imports().ImportRecord(vault.Crm(), {"A-1", "contact", "", kContact})) ==
        "restricted");
  CHECK(AnswerOf(vault->records().ListRecords(vault.Crm(), vault.client, "contact", false, {})) ==
        "restricted");
  const auto records = vault->records().ListRecords(vault.Crm(), vault.client, "", true, {});
  REQUIRE(records);
  REQUIRE(records->items.size() == 1);
  CHECK(records->items[0].id == vault.interaction);
  CHECK(vault->searches().SearchByReference(vault.Crm(), "A-1")->items.size() == 1);
  CHECK(vault.Found() == 1);
  CHECK(vault.ListedClients("", "") == 2);
  CHECK(vault.ListedClients("", "contact") == 1);
  CHECK(vault.ListedClients("", "interaction") == 1);
  CHECK(vault.Exported() == 4);
  vault.CheckInvariants();
}

TEST_CASE("a page that leaves somebody out goes on after him") {
  Restrictions vault;
  for (int i = 3; i < 8; ++i) vault.NewClient("A-" + std::to_string(i));
  REQUIRE(vault.Restrict() == "ok");
  std::size_t seen = 0;
  PageRequest page{2, ""};
  do {
    const auto clients = vault->clients().ListClients(vault.Crm(), "", "", page);
    REQUIRE(clients);
    seen += clients->items.size();
    page.cursor = clients->next_cursor;
  } while (!page.cursor.empty());
  CHECK(seen == 6);
}

TEST_CASE(
    "who sees only assigned clients is stopped as well, with a lease or in an emergency too") {
  Restrictions vault;
  const PrincipalId worker = vault.TokenOf(kCaseWorker).principal;
  const auto read = [&] {
    return AnswerOf(vault->records().GetRecord(vault.As(kCaseWorker), vault.client, vault.contact));
  };
  CHECK(read() == "not_found");
  REQUIRE(vault->assignments().Assign(vault.As(kSupervisor), vault.client, worker, {}));
  CHECK(read() == "ok");
  REQUIRE(
      vault->leases().GiveLease(vault.As(kSupervisor), vault.client,
                                {worker, "contact", {"last_name"}, "client-care", "K-1", 3600}));
  REQUIRE(vault.Restrict() == "ok");
  CHECK(read() == "restricted");
  CHECK(vault->clients().ListClients(vault.As(kCaseWorker), "", "", {})->items.empty());
  REQUIRE(vault.Lift() == "ok");
  CHECK(vault->clients().ListClients(vault.As(kCaseWorker), "", "", {})->items.size() == 1);
}

TEST_CASE("the work for the client's own rights goes on") {
  Restrictions vault;
  REQUIRE(vault.Restrict() == "ok");
  const auto officer = [&] { return vault.As(kPrivacyOfficer); };
  const auto package = vault->exports().PackageClient(officer(), vault.client, {});
  REQUIRE(package);
  CHECK(package->lines.size() == 3);
  CHECK(AnswerOf(vault->holds().PlaceHold(
            officer(),
            {vault.client, {}, {}, "Claim", "K-1", Timestamp{vault.clock.Now().ms + 1000}})) ==
        "ok");
  REQUIRE(vault->holds().LiftHold(
      officer(), vault->holds().ListHolds(officer(), vault.client, false, {})->items[0].id));
  CHECK(vault->restrictions().ListRestrictions(officer(), vault.client)->size() == 1);
  CHECK(AnswerOf(vault->erasures().Erase(officer(), vault.client,
                                         {.class_name = {}, .records = {vault.contact}})) == "ok");
  CHECK(AnswerOf(vault->clients().GetClient(officer(), vault.client)) == "restricted");
  CHECK(AnswerOf(vault->erasures().Erase(officer(), vault.client, {})) == "ok");
  CHECK(vault.Number("SELECT count(*) FROM client_restrictions") == 0);
  CHECK(vault.Number("SELECT count(*) FROM holds") == 0);
  CHECK(vault->monitoring().ReadStatus(officer())->restrictions == 0);
  CHECK(AnswerOf(vault->clients().GetClient(vault.Crm(), vault.client)) == "not_found");
  CHECK(AnswerOf(vault->restrictions().ListRestrictions(officer(), vault.client)) == "not_found");
  vault.CheckInvariants();
}

TEST_CASE("a package has everything of the client once, whatever the pages' size") {
  Restrictions vault;
  for (const std::size_t limit : {1U, 2U, 3U, 50U}) {
    std::vector<std::string> lines;
    PageRequest page{limit, ""};
    do {
      const Caller caller = vault.As(kPrivacyOfficer);
      const auto part = vault->exports().PackageClient(caller, vault.client, page);
      REQUIRE(part);
      CHECK(part->lines.size() <= limit);
      CHECK(vault.EntriesOf(caller).size() == part->lines.size() + 1);
      for (const json& entry : vault.EntriesOf(caller)) {
        CHECK(entry.at("action") == "client.package");
        CHECK(entry.at("client") == vault.client.Text());
      }
      for (const auto& line : part->lines) {
        const auto* const record = std::get_if<RecordInfo>(&line);
        lines.push_back(record == nullptr ? "client" : record->id.Text());
      }
      page.cursor = part->next_cursor;
    } while (!page.cursor.empty());
    CHECK(lines == Strings{"client", vault.contact.Text(), vault.interaction.Text()});
  }
  const auto first =
      vault->exports().PackageClient(vault.As(kPrivacyOfficer), vault.client, {1, ""});
  REQUIRE(first);
  CHECK(AnswerOf(vault->exports().PackageClient(vault.As(kPrivacyOfficer), vault.other,
                                                {1, first->next_cursor})) == "cursor_invalid");
  CHECK(AnswerOf(vault->exports().PackageClient(vault.As(kCrmService), vault.client, {})) ==
        "permission_denied");
  CHECK(AnswerOf(vault->exports().PackageClient(
            vault.As(kPrivacyOfficer), ClientId::New(vault.clock.Now()), {})) == "not_found");
  vault.CheckInvariants();
}

TEST_CASE("restrictions stand side by side, and each is lifted by itself and for a reason") {
  Restrictions vault;
  REQUIRE(vault.Place({"", "objection to advertising", {false, {"marketing", "marketing"}}}) ==
          "ok");
  const RestrictionId objection = vault.id;
  CHECK(vault.EntryOf(vault.last).at("detail") == objection.Text() + "; stops marketing");
  vault.clock.Advance(1000);
  REQUIRE(vault.Restrict("", {"billing"}) == "ok");
  const RestrictionId disputed = vault.id;
  REQUIRE(vault.Restrict("contact") == "ok");
  const RestrictionId of_class = vault.id;
  for (int round = 0; round < 2; ++round) {
    const auto now = vault.Listed();
    REQUIRE(now.size() == 3);
    CHECK(now[0].id == objection);
    CHECK(!now[0].terms.stops.all_but);
    CHECK(now[0].terms.stops.purposes == Strings{"marketing"});
    CHECK(now[0].terms.basis == "objection to advertising");
    CHECK(now[1].id == disputed);
    CHECK(now[1].terms.stops.all_but);
    CHECK(now[1].terms.stops.purposes == Strings{"billing"});
    CHECK(now[1].terms.basis == Restrictions::kBasis);
    CHECK(now[1].since == vault.clock.Now());
    CHECK(now[2].terms.class_name == "contact");
    CHECK(now[2].terms.stops.IncludeAll());
    CHECK(vault->restrictions()
              .GetRestriction(vault.As(kAuditor), vault.client, disputed)
              ->terms.basis == Restrictions::kBasis);
    CHECK(vault->monitoring().ReadStatus(vault.As(kPrivacyOfficer))->restrictions == 3);
    CHECK(AnswerOf(vault->clients().GetClient(vault.Crm("billing"), vault.client)) == "ok");
    CHECK(vault.Read(vault.interaction, "marketing") == "restricted");
    vault.Close();
    vault.Open();
  }
  for (const auto& entry : vault.WholeLog()) {
    CHECK(entry.detail.find("disputed") == std::string::npos);
    CHECK(entry.detail.find("advertising") == std::string::npos);
  }
  CHECK(vault.LiftAs(vault.As(kPrivacyOfficer), disputed) == "reason_required");
  CHECK(vault.Lift(RestrictionId::New(vault.clock.Now())) == "not_found");
  CHECK(AnswerOf(vault->restrictions().LiftRestriction(
            vault.As(kPrivacyOfficer, std::string(Restrictions::kPurpose), "Settled"), vault.other,
            disputed)) == "not_found");
  CHECK(vault.Listed().size() == 3);
  CHECK(vault.Lift(disputed) == "ok");
  CHECK(vault.Lift(disputed) == "not_found");
  CHECK(vault.Read(vault.interaction) == "ok");
  CHECK(vault.Read(vault.interaction, "marketing") == "restricted");
  CHECK(vault.Read(vault.contact) == "restricted");
  CHECK(vault.Lift(of_class) == "ok");
  CHECK(vault.EntryOf(vault.last).at("class") == "contact");
  CHECK(vault.Read(vault.contact) == "ok");
  CHECK(vault.Lift(objection) == "ok");
  CHECK(vault.Listed().empty());
  vault.CheckInvariants();
}

// Every two of: of the client or of a class, all but some purposes or some of them.
TEST_CASE("what one of two restrictions stops is stopped, whichever two they are") {
  Restrictions vault;
  const Strings purposes = {"client-care", "billing", "made-later"};
  std::map<std::string, std::string> basis_of;
  const auto put = [&](const std::string& purpose, const std::string& basis) {
    REQUIRE(vault->purposes().PutPurpose(
        vault.As(kAdministrator), purpose,
        json({{"title", "A purpose"}, {"legal_basis", basis}}).dump()));
    basis_of[purpose] = basis;
  };
  put("client-care", "legitimate-interests");
  put("billing", "contract");
  std::vector<RestrictionRequest> kinds;
  for (const char* class_name : {"", "contact", "interaction"}) {
    for (const bool all_but : {true, false}) {
      for (const Strings& named :
           {Strings{}, Strings{"billing"}, Strings{"billing", "client-care"}}) {
        if (all_but || !named.empty()) kinds.push_back({class_name, "x", {all_but, named}});
      }
    }
    for (const Strings& named : {Strings{}, Strings{"billing"}}) {
      kinds.push_back({class_name, "x", {false, named, {"contract"}}});
    }
  }
  REQUIRE(kinds.size() == 21);
  struct Pair {
    ClientId client;
    std::vector<RestrictionRequest> standing;
    std::vector<RestrictionId> ids;
  };
  std::vector<Pair> pairs;
  const auto place = [&](Pair& pair, const RestrictionRequest& kind) {
    const auto placed =
        vault->restrictions().Restrict(vault.As(kPrivacyOfficer), pair.client, kind);
    INFO(AnswerOf(placed));
    REQUIRE(placed);
    pair.standing.push_back(kind);
    pair.ids.push_back(placed->id);
  };
  for (const auto& first : kinds) {
    for (const auto& second : kinds) {
      if (&second < &first) continue;
      Pair pair;
      pair.client = vault.NewClient("P-" + std::to_string(pairs.size()));
      place(pair, first);
      place(pair, second);
      pairs.push_back(std::move(pair));
    }
  }
  const auto explain = [&](const ClientId& client, const std::string& class_name,
                           const std::string& purpose) {
    AccessQuestion question;
    question.principal = vault.TokenOf(kCrmService).principal;
    question.action = class_name.empty() ? "client.read" : "record.read";
    question.client = client;
    question.class_name = class_name;
    question.purpose = purpose;
    const auto answer =
        vault->access_explanations().ExplainAccess(vault.As(kSecurityOfficer), question);
    REQUIRE(answer);
    return answer->allowed ? std::string("ok") : answer->rule;
  };
  put("made-later", "contract");
  const auto check = [&] {
    for (const std::string& purpose : purposes) {
      for (const std::string class_name : {"", "contact", "interaction"}) {
        // The roles and classes stop some of these anyhow.
        if (explain(vault.other, class_name, purpose) != "ok") continue;
        for (const Pair& pair : pairs) {
          bool stopped = false;
          for (const auto& [of_class, basis, stops] : pair.standing) {
            const bool named = std::ranges::find(stops.purposes, purpose) != stops.purposes.end() ||
                               std::ranges::find(stops.legal_bases, basis_of.at(purpose)) !=
                                   stops.legal_bases.end();
            stopped |= (of_class.empty() || of_class == class_name) && named != stops.all_but;
          }
          const std::string answer = explain(pair.client, class_name, purpose);
          if (answer == (stopped ? "check:restricted" : "ok")) continue;
          FAIL_CHECK(answer << " to " << class_name << " for " << purpose << " with "
                            << StopsInWords(pair.standing.front().stops) << " of '"
                            << pair.standing.front().class_name << "' beside "
                            << StopsInWords(pair.standing.back().stops) << " of '"
                            << pair.standing.back().class_name << "'");
        }
      }
    }
  };
  check();
  // The one that is left stops what it stopped, also after a start.
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    Pair& pair = pairs[i];
    const std::size_t lifted = i % 2;
    REQUIRE(vault->restrictions().LiftRestriction(
        vault.As(kPrivacyOfficer, std::string(Restrictions::kPurpose), "Settled"), pair.client,
        pair.ids[lifted]));
    pair.standing.erase(pair.standing.begin() + static_cast<std::ptrdiff_t>(lifted));
  }
  vault.Close();
  vault.Open();
  check();
  // What the register says when it is asked; and what it said when it was placed.
  put("client-care", "contract");
  put("made-later", "public-task");
  check();
  for (Pair& pair : pairs) {
    auto& stops = pair.standing.front().stops;
    if (!stops.legal_bases.empty()) stops.purposes.push_back("billing");
  }
  put("billing", "public-task");
  check();
  const auto log = vault.WholeLog();
  CHECK(std::ranges::count(log, "billing; legal basis contract before", &audit::Entry::detail) ==
        1);
  vault.CheckInvariants();
}

TEST_CASE("all but some covers whatever purpose there will be, and some no other") {
  const ClientId client = ClientId::New({1});
  for (const bool all_but : {true, false}) {
    for (const std::string class_name : {"", "contact"}) {
      constexpr std::string_view kBasis = "contract";
      RestrictionRegister restrictions;
      Restriction restriction;
      restriction.id = RestrictionId::New({1});
      restriction.client = client;
      restriction.terms = {class_name, "x", {all_but, {"billing"}, {}}};
      restrictions.Put(restriction);
      for (const std::string asked : {"", "contact", "interaction"}) {
        INFO(all_but << " '" << class_name << "' '" << asked << "'");
        const bool covers = class_name.empty() || class_name == asked;
        CHECK(restrictions.Stops(client, asked, "of-next-year", kBasis) == (covers && all_but));
        CHECK(restrictions.Stops(client, asked, "billing", kBasis) == (covers && !all_but));
        CHECK(!restrictions.Stops(ClientId::New({1}), asked, "billing", kBasis));
      }
      CHECK(restrictions.Of(client).at(0).terms.basis.empty());
      restrictions.Remove(client, RestrictionId::New({1}));
      CHECK(restrictions.Count() == 1);
      restrictions.Remove(client, restriction.id);
      CHECK(restrictions.empty());
    }
  }
}

TEST_CASE("the basis is sealed under the client's key, and sealed anew when a part is erased") {
  Restrictions vault;
  REQUIRE(vault.Restrict("contact") == "ok");
  REQUIRE(vault.Place({"", "objects to letters", {false, {"marketing"}}}) == "ok");
  const auto sealed = [&] {
    return vault.Blob("SELECT basis FROM client_restrictions ORDER BY rid LIMIT 1");
  };
  const auto plain = [&] {
    return vault.Number(
        "SELECT count(*) FROM client_restrictions WHERE "
        "instr(basis, 'disputed') > 0 OR instr(basis, 'letters') > 0");
  };
  CHECK(plain() == 0);
  const Bytes before = sealed();
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), vault.client,
                                  {.class_name = "contact", .records = {}}));
  CHECK(sealed() != before);
  for (int round = 0; round < 2; ++round) {
    const auto now = vault.Listed();
    REQUIRE(now.size() == 2);
    CHECK(now[0].terms.basis == Restrictions::kBasis);
    CHECK(now[1].terms.basis == "objects to letters");
    CHECK(vault.Read(vault.interaction, "marketing") == "restricted");
    CHECK(vault.Read(vault.interaction) == "ok");
    vault.Close();
    vault.Open();
  }
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), vault.client, {}));
  CHECK(vault.Number("SELECT count(*) FROM client_restrictions") == 0);
  vault.CheckInvariants();
}

TEST_CASE("a client has so many restrictions at most, and the next is refused") {
  Restrictions vault;
  for (int i = 0; i < 100; ++i) REQUIRE(vault.Restrict("contact") == "ok");
  CHECK(vault.Restrict("contact") == "too_many_restrictions");
  CHECK(vault.Listed().size() == 100);
  CHECK(vault.Lift() == "ok");
  CHECK(vault.Restrict("contact") == "ok");
}

TEST_CASE("what was lifted stays with who lifted it, and goes with the client") {
  Restrictions vault;
  REQUIRE(vault.Place({"", "objects to letters", {false, {"marketing"}, {"contract"}}}) == "ok");
  const RestrictionId objection = vault.id;
  const std::string stopped = JoinWords(vault.Listed().at(0).terms.stops.purposes);
  CHECK(stopped.find("billing") != std::string::npos);
  CHECK(vault.EntryOf(vault.last).at("detail") ==
        objection.Text() + "; stops all based on contract, and " + stopped);
  vault.clock.Advance(1000);
  REQUIRE(vault.Restrict("contact") == "ok");
  REQUIRE(vault.Lift() == "ok");
  vault.clock.Advance(1000);
  REQUIRE(vault.Lift(objection) == "ok");
  const PrincipalId officer = vault.TokenOf(kPrivacyOfficer).principal;
  const auto log = vault.WholeLog();
  const std::uint64_t seq =
      std::ranges::find(log, objection.Text() + "; lifted", &audit::Entry::detail)->seq;
  for (int round = 0; round < 2; ++round) {
    CHECK(vault.Listed().empty());
    CHECK(vault->monitoring().ReadStatus(vault.As(kPrivacyOfficer))->restrictions == 0);
    const auto all = vault->restrictions().ListRestrictions(vault.As(kAuditor), vault.client, true);
    REQUIRE(all);
    REQUIRE(all->size() == 2);
    const Restriction& last = all->front();
    CHECK(last.id == objection);
    CHECK(last.terms.basis == "objects to letters");
    CHECK(last.terms.stops.legal_bases == Strings{"contract"});
    REQUIRE(last.lifting);
    CHECK(last.lifting->lifted == vault.clock.Now());
    CHECK(last.lifting->by == officer);
    CHECK(last.lifting->seq == seq);
    CHECK(all->back().id == vault.id);
    CHECK(vault->restrictions()
              .GetRestriction(vault.As(kAuditor), vault.client, objection)
              ->lifting->seq == seq);
    CHECK(vault.Lift(objection) == "not_found");
    CHECK(vault.Read(vault.contact) == "ok");
    vault.Close();
    vault.Open();
  }
  // The newest hundred are kept.
  const auto lift_another = [&] {
    REQUIRE(vault.Restrict("contact") == "ok");
    REQUIRE(vault.Lift() == "ok");
    return AnswerOf(
        vault->restrictions().GetRestriction(vault.As(kAuditor), vault.client, objection));
  };
  for (int lifted = 0; lifted < 99; ++lifted) REQUIRE(lift_another() == "ok");
  CHECK(vault.Number("SELECT count(*) FROM client_restrictions") == 100);
  CHECK(lift_another() == "not_found");
  CHECK(vault.Number("SELECT count(*) FROM client_restrictions") == 100);
  CHECK(AnswerOf(vault->erasures().Erase(vault.As(kPrivacyOfficer), vault.client, {})) == "ok");
  CHECK(vault.Number("SELECT count(*) FROM client_restrictions") == 0);
  vault.CheckInvariants();
}

TEST_CASE("what is no restriction is refused and changes nothing") {
  Restrictions vault;
  const auto faults = [&](const RestrictionRequest& request) {
    const auto restricted =
        vault->restrictions().Restrict(vault.As(kPrivacyOfficer), vault.client, request);
    return restricted ? Strings{"ok"} : IssuesOf(restricted);
  };
  CHECK(faults({"nothing", "Basis"}) == Strings{"/class must be the name of a class"});
  CHECK(
      faults({"", ""}) ==
      Strings{"/basis must be one line of 1 to 1000 bytes, not blank, without control characters"});
  CHECK(faults({"", "Basis", {true, {"billing", "fun"}}}) ==
        Strings{"/stops/all_but/1 is not in the register"});
  CHECK(faults({"", "Basis", {false, {"fun"}}}) ==
        Strings{"/stops/purposes/0 is not in the register"});
  CHECK(faults({"", "Basis", {false, {}}}) ==
        Strings{"/stops must name a purpose or a legal basis"});
  CHECK(faults({"", "Basis", {false, {}, {"contract", "whim"}}}) ==
        Strings{"/stops/legal_bases/1 " + std::string(kLegalBasisRule)});
  CHECK(faults({"", "Basis", {false, {}, Strings(7, "contract")}}) ==
        Strings{"/stops/legal_bases must be at most 6 legal bases"});
  CHECK(faults({"", "Basis", {false, {""}}}) ==
        Strings{"/stops/purposes/0 is not in the register"});
  CHECK(AnswerOf(vault->restrictions().Restrict(vault.As(kPrivacyOfficer),
                                                ClientId::New(vault.clock.Now()), {"", "Basis"})) ==
        "not_found");
  for (const Role role : {kAdministrator, kSecurityOfficer, kCaseWorker, kCrmService, kAuditor}) {
    CHECK(AnswerOf(vault->restrictions().Restrict(vault.As(role), vault.client, {"", "Basis"})) ==
          "permission_denied");
  }
  CHECK(vault.Number("SELECT count(*) FROM client_restrictions") == 0);
  CHECK(vault.Read(vault.contact) == "ok");
}

TEST_CASE("the explanation of a decision names the restriction") {
  Restrictions vault;
  AccessQuestion question;
  question.principal = vault.TokenOf(kCrmService).principal;
  question.action = "record.read";
  question.client = vault.client;
  question.class_name = "contact";
  question.purpose = "client-care";
  const auto explain = [&] {
    return *vault->access_explanations().ExplainAccess(vault.As(kSecurityOfficer), question);
  };
  CHECK(explain().allowed);
  REQUIRE(vault.Restrict("contact", {"billing"}) == "ok");
  CHECK(!explain().allowed);
  CHECK(explain().rule == "check:restricted");
  CHECK(explain().reason == "restricted");
  question.class_name = "interaction";
  CHECK(explain().allowed);
  question.class_name = "contact";
  question.purpose = "billing";
  CHECK(explain().allowed);
  question.purpose = "client-care";
  question.principal = vault.TokenOf(kCaseWorker).principal;
  CHECK(explain().rule == "check:scope");
}

}  // namespace
}  // namespace coffer::vault
