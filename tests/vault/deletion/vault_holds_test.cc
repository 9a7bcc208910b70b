// Holds: what they stop, who places and lifts them, and that they cannot be evaded.
#include <catch2/catch_test_macros.hpp>

#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

constexpr std::int64_t kHoldDayMs = std::int64_t{24} * 3600 * 1000;
const json kHeldData = {{"last_name", "Roe"}};

class Holds : public TestVault {
 public:
  explicit Holds(bool two_person = false) : TestVault({.two_person = two_person}) {
    client = NewClient("A-1", {"vip"});
    record = NewContact(client, kHeldData);
    interaction = NewRecord(client, "interaction", InteractionData());
    other = NewClient("A-2");
  }
  static json InteractionData() {
    return {{"occurred_at", "2026-01-01T10:00:00Z"}, {"channel", "phone"}, {"subject", "Asked."}};
  }
  HoldRequest On(const ClientId& about, std::string class_name = {}) {
    return {about, std::move(class_name), {}, "Claim by a neighbour", "K-12", ReviewDue()};
  }
  HoldRequest OnTag(std::string tag) {
    return {{}, {}, std::move(tag), "Claim by a neighbour", "K-12", ReviewDue()};
  }
  Timestamp ReviewDue() { return Timestamp{clock.Now().ms + 30 * kHoldDayMs}; }
  Hold Place(const HoldRequest& request) {
    last = As(kPrivacyOfficer);
    const auto hold = (*this)->holds().PlaceHold(last, request);
    INFO(AnswerOf(hold));
    REQUIRE(hold);
    return *hold;
  }
  std::string Lift(const HoldId& id) {
    last = As(kPrivacyOfficer);
    return AnswerOf((*this)->holds().LiftHold(last, id));
  }
  Result<Erasure> Erase(const ErasureRequest& request = {}) {
    last = As(kPrivacyOfficer);
    return (*this)->erasures().Erase(last, client, request);
  }
  Status Delete(const RecordId& id) {
    last = As(kPrivacyOfficer);
    return (*this)->records().DeleteRecord(last, client, id, {});
  }
  std::string SetTags(std::vector<std::string> tags, std::uint64_t version) {
    last = As(kCrmService);
    return AnswerOf((*this)->clients().UpdateClient(last, client, version,
                                                    {.external_ref = {}, .tags = std::move(tags)}));
  }
  std::size_t Listed(const std::optional<ClientId>& about, bool lifted = false) {
    const auto holds = (*this)->holds().ListHolds(As(kAuditor), about, lifted, {});
    INFO(AnswerOf(holds));
    REQUIRE(holds);
    return holds->items.size();
  }
  ClientId client, other;
  RecordId record, interaction;
  Caller last;
};

TEST_CASE("a hold stops erasure and deletion of its client, and says why") {
  Holds vault;
  const Hold hold = vault.Place(vault.On(vault.client));
  const std::string id = hold.id.Text();
  CHECK(vault.EntryOf(vault.last) ==
        vault.Allowed(kPrivacyOfficer, {{"action", "hold.write"},
                                        {"client", vault.client.Text()},
                                        {"detail", id + " client"}}));
  const Strings why = {"/holds/" + id + " is for case K-12, to be reviewed by " +
                       audit::FormatTimestamp(hold.terms.review_due)};
  const auto whole = vault.Erase();
  CHECK(AnswerOf(whole) == "held");
  CHECK(IssuesOf(whole) == why);
  CHECK(vault.EntryOf(vault.last).at("outcome") == "held");
  CHECK(vault.EntryOf(vault.last).at("detail") == "one person alone; " + id);
  CHECK(IssuesOf(vault.Erase({.class_name = "contact", .records = {}})) == why);
  CHECK(IssuesOf(vault.Erase({.class_name = {}, .records = {vault.record}})) == why);
  CHECK(IssuesOf(vault.Delete(vault.record)) == why);
  CHECK(vault->records().GetRecord(vault.As(kCrmService), vault.client, vault.record));

  // Another client is none of its business.
  CHECK(vault->erasures().Erase(vault.As(kPrivacyOfficer), vault.other, {}));
  REQUIRE(vault.Lift(hold.id) == "ok");
  CHECK(vault.EntryOf(vault.last).at("detail") == id + "; client; one person alone");
  CHECK(vault.EntryOf(vault.last).at("client") == vault.client.Text());
  CHECK(AnswerOf(vault.Delete(vault.record)) == "ok");
  CHECK(AnswerOf(vault.Erase()) == "ok");
  CHECK(vault.Number("SELECT count(*) FROM holds") == 0);
  vault.CheckInvariants();
}

TEST_CASE("a hold of a class stops what would take of that class, and nothing else") {
  Holds vault;
  const Hold hold = vault.Place(vault.On(vault.client, "contact"));
  CHECK(vault.EntryOf(vault.last).at("class") == "contact");
  CHECK(vault.EntryOf(vault.last).at("detail") == hold.id.Text() + " class contact");
  CHECK(AnswerOf(vault.Erase()) == "held");
  CHECK(AnswerOf(vault.Delete(vault.record)) == "held");
  CHECK(AnswerOf(vault.Erase({.class_name = "contact", .records = {}})) == "held");
  CHECK(AnswerOf(vault.Erase({.class_name = {}, .records = {vault.record, vault.interaction}})) ==
        "held");
  CHECK(AnswerOf(vault.Erase({.class_name = "interaction", .records = {}})) == "ok");
  CHECK(vault->records().GetRecord(vault.As(kCrmService), vault.client, vault.record));
  vault.CheckInvariants();
}

TEST_CASE("a hold by tag covers who has the tag, and the tag cannot be taken off") {
  Holds vault;
  const Hold vip = vault.Place(vault.OnTag("vip"));
  CHECK(vault.EntryOf(vault.last).at("detail") == vip.id.Text() + " tag vip");
  CHECK(AnswerOf(vault.Erase()) == "held");
  CHECK(AnswerOf(vault.Delete(vault.record)) == "held");
  CHECK(vault->erasures().Erase(vault.As(kPrivacyOfficer), vault.other, {}));

  CHECK(vault.SetTags({}, 1) == "held");
  CHECK(vault.EntryOf(vault.last).at("detail") == vip.id.Text());
  CHECK(vault.SetTags({"gold"}, 1) == "held");
  CHECK(vault.SetTags({"gold", "vip"}, 1) == "ok");
  CHECK(vault.SetTags({"vip"}, 2) == "ok");

  // Placed before the client has the tag.
  const Hold claim = vault.Place(vault.OnTag("claim"));
  REQUIRE(vault.Lift(vip.id) == "ok");
  CHECK(vault.Listed(vault.client) == 0);
  CHECK(vault.SetTags({"claim"}, 3) == "ok");
  CHECK(vault.Listed(vault.client) == 1);
  CHECK(AnswerOf(vault.Erase()) == "held");
  REQUIRE(vault.Lift(claim.id) == "ok");
  CHECK(vault.SetTags({}, 4) == "ok");
  CHECK(AnswerOf(vault.Erase()) == "ok");
  // What was held by tag is said of no client, and stays on record.
  CHECK(vault.Listed({}, true) == 2);
  vault.CheckInvariants();
}

TEST_CASE("all holds on what is to go are named") {
  Holds vault;
  vault.Place(vault.On(vault.client));
  vault.Place(vault.On(vault.client, "contact"));
  vault.Place(vault.OnTag("vip"));
  CHECK(IssuesOf(vault.Erase()).size() == 3);
  CHECK(IssuesOf(vault.Delete(vault.interaction)).size() == 2);
  CHECK(vault.Listed(vault.client) == 3);
  CHECK(vault.Listed(vault.other) == 0);
}

TEST_CASE("a restart keeps the holds") {
  Holds vault;
  const Hold kept = vault.Place(vault.On(vault.client, "contact"));
  const Hold lifted = vault.Place(vault.On(vault.client));
  vault.Place(vault.OnTag("vip"));
  REQUIRE(vault.Lift(lifted.id) == "ok");
  vault.Close();
  vault.Open();
  CHECK(IssuesOf(vault.Erase()).size() == 2);
  CHECK(vault.Listed({}) == 2);
  CHECK(vault.Listed({}, true) == 3);
  const auto read = vault->holds().GetHold(vault.As(kAuditor), kept.id);
  REQUIRE(read);
  CHECK(read->terms.client == vault.client);
  CHECK(read->terms.class_name == "contact");
  CHECK(read->terms.reason == "Claim by a neighbour");
  CHECK(read->terms.case_number == "K-12");
  CHECK(read->terms.review_due == kept.terms.review_due);
  CHECK(read->placed_by == kept.placed_by);
  CHECK(!read->lifted);
  CHECK(vault->holds().GetHold(vault.As(kAuditor), lifted.id)->lifted_by == lifted.placed_by);
  // Free text is in no entry.
  for (const auto& entry : vault.WholeLog()) {
    CHECK(entry.detail.find("neighbour") == std::string::npos);
  }
  vault.CheckInvariants();
}

TEST_CASE("lifting a hold takes a second person") {
  Holds vault(true);
  const Hold hold = vault.Place(vault.On(vault.client));
  CHECK(vault.Lift(hold.id) == "approval_required");
  CHECK(vault.EntryOf(vault.last).at("rule") == "check:approval");
  const auto asked = vault->approvals().RequestApproval(vault.As(kPrivacyOfficer),
                                                        {"hold.lift", hold.id.Text(), {}});
  REQUIRE(asked);
  CHECK(AnswerOf(vault->approvals().DecideApproval(vault.As(kPrivacyOfficer), asked->id, true)) ==
        "own_request");
  auto lifting = vault.As(kPrivacyOfficer);
  lifting.approval = asked->id.Text();
  CHECK(AnswerOf(vault->holds().LiftHold(lifting, hold.id)) == "approval_invalid");
  REQUIRE(vault->approvals().DecideApproval(vault.As(kSecurityOfficer), asked->id, true));

  // It is for this hold alone, and for once.
  const Hold second = vault.Place(vault.On(vault.client));
  const auto lift = [&](const HoldId& id) {
    lifting.call = CallId::New(vault.clock.Now());
    return AnswerOf(vault->holds().LiftHold(lifting, id));
  };
  CHECK(lift(second.id) == "approval_invalid");
  CHECK(lift(hold.id) == "ok");
  CHECK(lift(hold.id) == "already_lifted");
  CHECK(lift(second.id) == "approval_invalid");
  vault.CheckInvariants();
}

TEST_CASE("an approved erasure that meets a hold does not spend its approval") {
  Holds vault(true);
  const Hold hold = vault.Place(vault.On(vault.client));
  const auto approve = [&](const Proposal& proposal) {
    const auto asked = vault->approvals().RequestApproval(vault.As(kPrivacyOfficer), proposal);
    REQUIRE(asked);
    REQUIRE(vault->approvals().DecideApproval(vault.As(kSecurityOfficer), asked->id, true));
    return asked->id.Text();
  };
  auto erasing = vault.As(kPrivacyOfficer);
  erasing.approval = approve({"client.erase", vault.client.Text(), {}});
  CHECK(AnswerOf(vault->erasures().Erase(erasing, vault.client, {})) == "held");
  auto lifting = vault.As(kPrivacyOfficer);
  lifting.approval = approve({"hold.lift", hold.id.Text(), {}});
  REQUIRE(vault->holds().LiftHold(lifting, hold.id));
  erasing.call = CallId::New(vault.clock.Now());
  CHECK(AnswerOf(vault->erasures().Erase(erasing, vault.client, {})) == "ok");
}

TEST_CASE("what is no hold is refused and changes nothing") {
  Holds vault;
  const auto place = [&](const HoldRequest& request) {
    const auto hold = vault->holds().PlaceHold(vault.As(kPrivacyOfficer), request);
    return hold ? Strings{"ok"} : IssuesOf(hold);
  };
  const HoldRequest good = vault.On(vault.client);
  HoldRequest bad = good;
  bad.client.reset();
  CHECK(place(bad) == Strings{" must name a client or a tag"});
  bad = good;
  bad.tag = "vip";
  CHECK(place(bad) == Strings{"/tag cannot stand beside a client"});
  bad = vault.OnTag("Not a tag");
  CHECK(place(bad) == Strings{"/tag is no tag"});
  bad = vault.OnTag("vip");
  bad.class_name = "contact";
  CHECK(place(bad) == Strings{"/class needs a client beside it"});
  CHECK(place(vault.On(vault.client, "nothing")) == Strings{"/class must be the name of a class"});
  bad = good;
  bad.reason.clear();
  CHECK(place(bad) ==
        Strings{
            "/reason must be one line of 1 to 1000 bytes, not blank, without control characters"});
  bad.reason = std::string(1001, 'x');
  CHECK(place(bad) ==
        Strings{
            "/reason must be one line of 1 to 1000 bytes, not blank, without control characters"});
  bad = good;
  bad.case_number = "K 12";
  CHECK(place(bad) == Strings{"/case_number must be 1 to 64 letters, digits and any of -_.:/#"});
  bad = good;
  bad.review_due = vault.clock.Now();
  CHECK(place(bad) == Strings{"/review_due must be in the future"});

  const ClientId unknown = ClientId::New(vault.clock.Now());
  CHECK(AnswerOf(vault->holds().PlaceHold(vault.As(kPrivacyOfficer), vault.On(unknown))) ==
        "not_found");
  REQUIRE(vault.Erase());
  CHECK(AnswerOf(vault->holds().PlaceHold(vault.As(kPrivacyOfficer), good)) == "not_found");
  CHECK(AnswerOf(vault->holds().ListHolds(vault.As(kAuditor), vault.client, true, {})) ==
        "not_found");
  const HoldId none = HoldId::New(vault.clock.Now());
  CHECK(AnswerOf(vault->holds().GetHold(vault.As(kAuditor), none)) == "not_found");
  CHECK(vault.Lift(none) == "not_found");
  CHECK(vault.Number("SELECT count(*) FROM holds") == 0);
  CHECK(vault->monitoring().ReadStatus(vault.As(kPrivacyOfficer))->holds == 0);
  vault.CheckInvariants();
}

TEST_CASE("only who may place holds places them, and nobody beyond the clients of the role") {
  Holds vault;
  for (const Role role : {kAdministrator, kCaseWorker, kCrmService, kAuditor, kSupervisor}) {
    CHECK(AnswerOf(vault->holds().PlaceHold(vault.As(role), vault.On(vault.client))) ==
          "permission_denied");
  }
  REQUIRE(vault->roles().PutRole(vault.As(kAdministrator), "vip-desk",
                                 R"({"title": "Vip desk", "grants": [
                             {"actions": ["hold.read", "hold.write", "hold.lift"],
                              "scope": {"tag": "vip"}}]})"));
  const auto token = vault.NewTokenFor("vip-desk", 3600);
  REQUIRE(token);
  const auto desk = [&] {
    Caller caller = vault.As(kCrmService);
    caller.token = token->secret;
    return caller;
  };
  CHECK(AnswerOf(vault->holds().PlaceHold(desk(), vault.On(vault.client))) == "ok");
  CHECK(AnswerOf(vault->holds().PlaceHold(desk(), vault.On(vault.other))) == "not_found");
  CHECK(AnswerOf(vault->holds().PlaceHold(desk(), vault.OnTag("vip"))) == "ok");
  CHECK(AnswerOf(vault->holds().PlaceHold(desk(), vault.OnTag("gold"))) == "permission_denied");

  const Hold beyond = vault.Place(vault.On(vault.other));
  const Hold gold = vault.Place(vault.OnTag("gold"));
  CHECK(vault->holds().ListHolds(desk(), {}, false, {})->items.size() == 2);
  CHECK(AnswerOf(vault->holds().GetHold(desk(), beyond.id)) == "not_found");
  CHECK(AnswerOf(vault->holds().LiftHold(desk(), beyond.id)) == "not_found");
  CHECK(AnswerOf(vault->holds().LiftHold(desk(), gold.id)) == "not_found");
  CHECK(vault.Listed({}) == 4);
}

TEST_CASE("holds are listed page by page, the newest first") {
  Holds vault;
  std::vector<HoldId> placed;
  for (int i = 0; i < 5; ++i) {
    placed.push_back(vault.Place(vault.On(i == 2 ? vault.other : vault.client)).id);
  }
  std::vector<HoldId> listed;
  PageRequest page{2, ""};
  do {
    const auto holds = vault->holds().ListHolds(vault.As(kAuditor), vault.client, false, page);
    REQUIRE(holds);
    for (const Hold& hold : holds->items) listed.push_back(hold.id);
    page.cursor = holds->next_cursor;
  } while (!page.cursor.empty());
  CHECK(listed == std::vector{placed[4], placed[3], placed[1], placed[0]});
  page.cursor = "AAAA";
  CHECK(AnswerOf(vault->holds().ListHolds(vault.As(kAuditor), {}, false, page)) ==
        "cursor_invalid");
}

TEST_CASE("reviews that are overdue are counted") {
  Holds vault;
  const Hold hold = vault.Place(vault.On(vault.client));
  vault.Place(vault.OnTag("gold"));
  auto status = vault->monitoring().ReadStatus(vault.As(kPrivacyOfficer));
  REQUIRE(status);
  CHECK(status->holds == 2);
  CHECK(status->overdue_holds == 0);
  vault.clock.Advance(31 * kHoldDayMs);
  status = vault->monitoring().ReadStatus(vault.As(kPrivacyOfficer));
  REQUIRE(status);
  CHECK(status->overdue_holds == 2);
  CHECK(vault.Lift(hold.id) == "ok");
  const auto statistics = vault->monitoring().ReadStatistics(vault.As(kAdministrator));
  REQUIRE(statistics);
  CHECK(statistics->holds == 1);
  CHECK(statistics->overdue_holds == 1);
  // Nothing is let go because nobody looked.
  vault.Place(vault.On(vault.client));
  CHECK(AnswerOf(vault.Erase()) == "held");
}

}  // namespace
}  // namespace coffer::vault
