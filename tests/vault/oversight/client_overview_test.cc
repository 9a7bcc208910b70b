// A client's overview: all that is there is told, none of it twice, and no value.
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <set>
#include <thread>

#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

using enum Role;
using enum OverviewPart;

constexpr int kMostLooks = 6000;  // until the log's index is known

class OverviewedVault : public TestVault {
 public:
  OverviewedVault() : TestVault({.two_person = false}) {
    client = NewClient("O-1");
    contact = NewContact(client, {{"last_name", "Overviewed"}});
  }
  ClientOverview Look(Role role = kPrivacyOfficer) {
    for (int looks = 0;; ++looks) {
      REQUIRE(looks < kMostLooks);
      const auto found = (*this)->client_overviews().GetOverview(As(role), client);
      INFO(AnswerOf(found));
      REQUIRE(found);
      if (found->accesses.withheld || found->accesses.known) return *found;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  ClientId client;
  RecordId contact;
};

}  // namespace

TEST_CASE("an overview tells what there is of a client, and the newest twenty of each") {
  OverviewedVault vault;
  const ClientOverview empty = vault.Look();
  CHECK(empty.records == 1);
  CHECK(empty.old_versions == 0);
  REQUIRE(empty.classes.size() == 1);
  for (std::size_t i = 0; i < kOverviewParts; ++i) {
    CAPTURE(Name(static_cast<OverviewPart>(i)));
    CHECK(empty.parts[i].items.empty());
  }
  const auto recipient = vault->recipients().CreateRecipient(
      vault.As(kPrivacyOfficer), {"Example Ltd", "processor", {}, {}, {}, {}, {}, {}});
  REQUIRE(recipient);
  DisclosureFacts facts;
  facts.basis = "GDPR 6(1)(c)";
  facts.channel = "letter";
  for (std::size_t i = 0; i <= kMostOverviewItems; ++i) {
    REQUIRE(vault->disclosures().RecordDisclosure(vault.As(kPrivacyOfficer, "client-care", "x"),
                                                  recipient->id, facts, {{vault.client}, {}}));
    RestrictionRequest restriction;
    restriction.class_name = "contact";
    restriction.basis = "disputed by Overviewed";
    restriction.stops = {false, {"client-care"}};
    if (i < 2) {
      REQUIRE(vault->restrictions().Restrict(vault.As(kPrivacyOfficer), vault.client, restriction));
    }
  }
  ClientOverview full = vault.Look();
  CHECK(full[kDisclosures].items.size() == kMostOverviewItems);
  CHECK(full[kDisclosures].more);
  CHECK(full[kRestrictions].items.size() == 2);
  CHECK(!full[kRestrictions].more);
  CHECK(full[kToTell].items.size() == 2);
  CHECK(full[kToTell].items[0].state == "open");
  CHECK(full[kEmergencies].withheld);
  REQUIRE(vault->records().GetRecord(vault.As(kPrivacyOfficer, "data-subject-request"),
                                     vault.client, vault.contact));
  const ClientOverview read = vault.Look();
  REQUIRE(read.accesses.last);
  CHECK(read.accesses.last->what == "record.read");
  CHECK(read.accesses.principals == 1);

  ErasureRequest all;
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), vault.client, all));
  ClientOverview gone = vault.Look();
  CHECK(gone.erased);
  CHECK(gone.records == 0);
  CHECK(gone.classes.empty());
  CHECK(!gone.created);
  CHECK(gone[kErasures].items.size() == 1);
  CHECK(gone[kToTell].items.size() == 3);
  CHECK(gone[kDisclosures].items.size() == kMostOverviewItems);
  CHECK(AnswerOf(vault->client_overviews().GetOverview(
            vault.As(kPrivacyOfficer), ClientId::New(vault.clock.Now()))) == "not_found");
}

TEST_CASE("an overview names the classes that the role would show for some purpose") {
  OverviewedVault vault;
  vault.PutClass({{"name", "note"},
                  {"purposes", {"client-care"}},
                  {"keep", "for the test"},
                  {"fields", {{"text", {{"type", "text"}}}}}});
  REQUIRE(vault->records().CreateRecord(vault.As(kCrmService), vault.client, "note",
                                        {{"text", "something"}}, {}));
  // The grants of records beside, and which classes are named.
  const json reads = {"record.read"};
  struct Case {
    json grants;
    Strings named;
  };
  const json contact_only = {{"actions", reads}, {"classes", {"contact"}}};
  const json all = {{"actions", {"record.list"}}};
  const json elsewhere = {{"actions", reads}, {"scope", {{"tag", "another"}}}};
  const Case cases[] = {{json::array(), {}},
                        {json::array({contact_only}), {"contact"}},
                        {json::array({all}), {"contact", "note"}},
                        {json::array({elsewhere}), {}}};
  for (std::size_t i = 0; i < std::size(cases); ++i) {
    CAPTURE(i);
    const std::string name = "looks-" + std::to_string(i);
    json grants = json::array({{{"actions", {"client.overview", "self.read"}}}});
    for (const json& grant : cases[i].grants) grants.push_back(grant);
    const auto put = vault->roles().PutRole(vault.As(kAdministrator), name,
                                            json{{"title", "Looks"}, {"grants", grants}}.dump());
    INFO(AnswerOf(put));
    REQUIRE(put);
    const auto token = vault.NewTokenFor(name, 3600, name);
    REQUIRE(token);
    const auto found = vault->client_overviews().GetOverview(
        testing::OpenVault::Stranger(token->secret), vault.client);
    INFO(AnswerOf(found));
    REQUIRE(found);
    Strings named;
    for (const OverviewClass& one : found->classes) named.push_back(one.name);
    CHECK(named == cases[i].named);
    CHECK(found->records == 2);
    CHECK(found->hidden == 2 - named.size());
  }
}

TEST_CASE("what a role may not see of a client is named as withheld, for each part") {
  // Of each part the action that shows it.
  const std::pair<OverviewPart, const char*> parts[] = {
      {kConsents, "consent.read"},         {kRequests, "request.read"},
      {kRestrictions, "restriction.read"}, {kHolds, "hold.read"},
      {kAssignments, "assignment.read"},   {kLeases, "lease.read"},
      {kEmergencies, "emergency.read"},    {kDisclosures, "disclosure.read"},
      {kToTell, "disclosure.read"},        {kErasures, "erasure.read"},
      {kRetention, "retention.read"}};
  static_assert(std::size(parts) == kOverviewParts);
  OverviewedVault vault;
  for (const auto& [shown, action] : parts) {
    const std::string name = "only-" + std::to_string(static_cast<int>(shown));
    const json role = {{"title", "One part"},
                       {"grants", {{{"actions", {"client.overview", action, "self.read"}}}}}};
    REQUIRE(vault->roles().PutRole(vault.As(kAdministrator), name, role.dump()));
    const auto token = vault.NewTokenFor(name, 3600, name);
    INFO(AnswerOf(token));
    REQUIRE(token);
    const auto found = vault->client_overviews().GetOverview(
        testing::OpenVault::Stranger(token->secret), vault.client);
    INFO(AnswerOf(found));
    REQUIRE(found);
    CHECK(found->accesses.withheld);
    for (const auto& [part, needed] : parts) {
      CAPTURE(action, Name(part));
      CHECK(found->parts[static_cast<std::size_t>(part)].withheld ==
            (std::string_view(needed) != action));
    }
  }
}

}  // namespace coffer::vault
