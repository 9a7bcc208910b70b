// Notices: whom they concern, who was told, who was not, and what is left of a client that is
// erased.
#include "vault/rights/notices.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <set>

#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

constexpr std::int64_t kNoticeDayMs = std::int64_t{24} * 3600 * 1000;

class NoticeVault : public TestVault {
 public:
  Timestamp In(std::int64_t days) { return Timestamp{clock.Now().ms + days * kNoticeDayMs}; }
  NoticeForm Form(NoticeSelection selection = {}) {
    NoticeForm form;
    form.title = "New terms";
    form.selection = std::move(selection);
    form.text.words = "What we do with data changes.\nWrite to us.";
    form.effective = In(30);
    return form;
  }
  template <class T>
  static T MustNotice(Result<T> result) {
    INFO(AnswerOf(result));
    for (const std::string& issue : IssuesOf(result)) UNSCOPED_INFO(issue);
    REQUIRE(result);
    return *std::move(result);
  }
  Notice Made(NoticeSelection selection = {}) {
    return MustNotice((*this)->notices().CreateNotice(Officer(), Form(std::move(selection))));
  }
  const Caller& Officer() {
    last = As(kPrivacyOfficer);
    return last;
  }
  static TellingForm ByEmail(std::vector<ClientId> clients) {
    return {"email", "campaign 12", {}, std::move(clients), false, {}};
  }
  static TellingForm AllByEmail() { return {"email", "campaign 12", {}, {}, true, {}}; }
  Told TellAll(const NoticeId& id) {
    TellingForm form = AllByEmail();
    Told sum;
    for (;;) {
      const Told told = MustNotice((*this)->notices().Tell(Officer(), id, form));
      sum.told += told.told;
      sum.already += told.already;
      if (told.next_cursor.empty()) return sum;
      form.cursor = told.next_cursor;
    }
  }
  std::set<ClientId> Pending(const NoticeId& id, std::size_t limit = 50) {
    std::set<ClientId> pending;
    PageRequest page{limit, {}};
    for (;;) {
      last = As(kAuditor);
      const auto some = MustNotice((*this)->notices().ListPending(last, id, page));
      for (const ClientId& client : some.items) CHECK(pending.insert(client).second);
      CHECK(some.items.size() <= limit);
      if (some.next_cursor.empty()) return pending;
      page.cursor = some.next_cursor;
    }
  }
  std::string Close(const NoticeId& id, std::string_view not_told = {}) {
    const auto closed = (*this)->notices().CloseNotice(Officer(), id, not_told);
    issues = IssuesOf(closed);
    return AnswerOf(closed);
  }
  NoticeCounts Counts() { return (*this)->monitoring().ReadStatus(As(kAuditor))->notices; }

  Caller last;
  Strings issues;
};

}  // namespace

TEST_CASE("who is selected and was not told is pending, and who was is not") {
  NoticeVault vault;
  std::vector<ClientId> clients;
  for (int i = 0; i < 7; ++i) clients.push_back(vault.NewClient("N-" + std::to_string(i)));
  const Notice notice = vault.Made();
  CHECK(vault.Pending(notice.id) == std::set(clients.begin(), clients.end()));
  CHECK(vault.Pending(notice.id, 2) == std::set(clients.begin(), clients.end()));
  const auto told = vault->notices().Tell(vault.Officer(), notice.id,
                                          NoticeVault::ByEmail({clients[1], clients[4]}));
  REQUIRE(told);
  CHECK(told->told == 2);
  const auto entries = vault.EntriesOf(vault.last);
  REQUIRE(entries.size() == 3);
  std::set<std::string> named;
  for (const json& entry : entries) {
    CHECK(entry.at("action") == "notice.write");
    if (entry.contains("client")) named.insert(entry["client"]);
  }
  CHECK(named == std::set{clients[1].Text(), clients[4].Text()});
  CHECK(vault.Pending(notice.id).size() == 5);
  CHECK_FALSE(vault.Pending(notice.id).contains(clients[4]));
  // Once more is no telling.
  const auto again =
      vault->notices().Tell(vault.Officer(), notice.id, NoticeVault::ByEmail({clients[1]}));
  REQUIRE(again);
  CHECK(again->told == 0);
  CHECK(again->already == 1);
  CHECK(again->step == 0);
  CHECK(vault.EntryOf(vault.last).at("outcome") == "unchanged");
  // Who comes until the notice takes effect is to be told too; who comes then knows no other terms.
  vault.clock.Advance(29 * kNoticeDayMs);
  const ClientId late = vault.NewClient("N-late");
  CHECK(vault.Pending(notice.id).contains(late));
  const Told all = vault.TellAll(notice.id);
  CHECK(all.told == 6);
  CHECK(all.already == 2);
  vault.clock.Advance(2 * kNoticeDayMs);
  vault.NewClient("N-after");
  CHECK(vault.Pending(notice.id).empty());
  const Notice read =
      NoticeVault::MustNotice(vault->notices().GetNotice(vault.As(kAuditor), notice.id));
  CHECK(read.told == 8);
  CHECK(read.steps.size() == 3);
  vault.CheckInvariants();
}

TEST_CASE("a notice concerns those with a tag, or whose consent stands") {
  NoticeVault vault;
  REQUIRE(vault->consent_texts().PutConsentText(vault.As(kPrivacyOfficer), "news",
                                                {{{"en", "I agree."}}}));
  vault.PutPurpose("newsletter");
  const ClientId plain = vault.NewClient("S-1");
  const ClientId tagged = vault.NewClient("S-2", {"vip"});
  const ClientId agreed = vault.NewClient("S-3");
  const ClientId took_back = vault.NewClient("S-4");
  const ClientId expires = vault.NewClient("S-5");
  const auto consent = [&](const ClientId& client, std::optional<Timestamp> ends) {
    ConsentRequest request;
    request.purpose = "newsletter";
    request.text = {"news", 1, "en"};
    request.channel = "website";
    request.evidence = "form";
    request.expires = ends;
    const Caller officer = vault.As(kPrivacyOfficer);
    return NoticeVault::MustNotice(vault->consents().GiveConsent(officer, client, request));
  };
  consent(agreed, {});
  consent(expires, vault.In(2));
  const auto taken = consent(took_back, {});
  REQUIRE(vault->consents().WithdrawConsent(vault.As(kPrivacyOfficer), took_back, taken.consent.id,
                                            {}));
  using Kind = NoticeSelection::Kind;
  const Notice of_tag = vault.Made({Kind::kTag, "vip"});
  const Notice of_purpose = vault.Made({Kind::kPurpose, "newsletter"});
  const Notice of_text = vault.Made({Kind::kText, "news"});
  CHECK(vault.Pending(of_tag.id) == std::set{tagged});
  CHECK(vault.Pending(of_purpose.id) == std::set{agreed, expires});
  CHECK(vault.Pending(of_text.id) == std::set{agreed, expires});
  CHECK(vault.Close(of_purpose.id) == "notice_untold");
  CHECK(vault.issues == Strings{"/not_told is required: 2 clients were not told"});
  vault.clock.Advance(3 * kNoticeDayMs);
  CHECK(vault.Pending(of_purpose.id) == std::set{agreed});
  CHECK(vault.TellAll(of_text.id).told == 1);
  CHECK(vault.Close(of_text.id) == "ok");
  CHECK(vault.Close(of_purpose.id) == "notice_untold");
  CHECK(vault.issues == Strings{"/not_told is required: 1 clients were not told"});
  CHECK_FALSE(vault.Pending(of_tag.id).contains(plain));
}

TEST_CASE("pages go through a selection that is larger than a page looks at") {
  NoticeVault vault;
  std::set<ClientId> clients;
  for (int i = 0; i < 2050; ++i) clients.insert(vault.NewClient("P-" + std::to_string(i)));
  const Notice notice = vault.Made();
  CHECK(vault.Pending(notice.id, 200).size() >= clients.size());
  CHECK(vault.Close(notice.id) == "notice_untold");
  const Told told = vault.TellAll(notice.id);
  CHECK(told.told >= clients.size());
  CHECK(vault.Pending(notice.id, 200).empty());
  CHECK(vault.Close(notice.id) == "ok");
}

TEST_CASE("a telling of the past does not reach who came later") {
  NoticeVault vault;
  const ClientId before = vault.NewClient("T-1");
  vault.clock.Advance(kNoticeDayMs);
  const Timestamp told_at = vault.clock.Now();
  vault.clock.Advance(kNoticeDayMs);
  const ClientId after = vault.NewClient("T-2");
  const Notice notice = vault.Made();
  TellingForm form = NoticeVault::AllByEmail();
  form.at = told_at;
  const Told told =
      NoticeVault::MustNotice(vault->notices().Tell(vault.Officer(), notice.id, form));
  CHECK(told.told == 1);
  CHECK(vault.Pending(notice.id) == std::set{after});
  CHECK_FALSE(vault.Pending(notice.id).contains(before));
}

TEST_CASE("what is wrong with a notice is told, and changes nothing") {
  NoticeVault vault;
  const ClientId client = vault.NewClient("W-1");
  const auto fault_of = [&](auto change) {
    NoticeForm form = vault.Form();
    change(form);
    const auto made = vault->notices().CreateNotice(vault.Officer(), form);
    CHECK(AnswerOf(made) == "notice_invalid");
    Strings told = IssuesOf(made);
    for (std::string& issue : told) issue.resize(issue.find(' '));
    return told;
  };
  using Kind = NoticeSelection::Kind;
  CHECK(fault_of([](NoticeForm& form) { form.title = "a\r\nb"; }) == Strings{"/title"});
  CHECK(fault_of([](NoticeForm& form) { form.title = "a\u202eb"; }) == Strings{"/title"});
  CHECK(fault_of([](NoticeForm& form) { form.text.words = {}; }) == Strings{"/text"});
  CHECK(fault_of([](NoticeForm& form) { form.text.name = "news"; }) == Strings{"/text"});
  CHECK(fault_of([](NoticeForm& form) {
          form.text.words = {};
          form.text.name = "never-stored";
        }) == Strings{"/text"});
  CHECK(fault_of([](NoticeForm& form) { form.text.words = std::string(40'000, 'x'); }) ==
        Strings{"/words"});
  CHECK(fault_of([](NoticeForm& form) { form.selection = {Kind::kTag, "no tag"}; }) ==
        Strings{"/selection/tag"});
  CHECK(fault_of([](NoticeForm& form) { form.selection = {Kind::kPurpose, "unknown"}; }) ==
        Strings{"/selection/purpose"});
  CHECK(fault_of([](NoticeForm& form) { form.selection = {Kind::kText, "A text"}; }) ==
        Strings{"/selection/text"});
  CHECK(fault_of([&](NoticeForm& form) { form.effective = vault.In(-3654); }) ==
        Strings{"/effective"});
  CHECK(fault_of([&](NoticeForm& form) { form.effective = vault.In(3654); }) ==
        Strings{"/effective"});
  CHECK(vault.Number("SELECT count(*) FROM notices") == 0);

  const Notice notice = vault.Made();
  const auto telling = [&](auto change) {
    TellingForm form = NoticeVault::ByEmail({client});
    change(form);
    const auto told = vault->notices().Tell(vault.Officer(), notice.id, form);
    CHECK(AnswerOf(told) == "notice_invalid");
    Strings pointers = IssuesOf(told);
    for (std::string& issue : pointers) issue.resize(issue.find(' '));
    return pointers;
  };
  CHECK(telling([](TellingForm& form) { form.channel = "pigeon"; }) == Strings{"/channel"});
  CHECK(telling([](TellingForm& form) { form.evidence = "a\nb"; }) == Strings{"/evidence"});
  CHECK(telling([&](TellingForm& form) { form.at = vault.In(1); }) == Strings{"/at"});
  CHECK(telling([&](TellingForm& form) { form.at = vault.In(-3654); }) == Strings{"/at"});
  CHECK(telling([](TellingForm& form) { form.all = true; }) == Strings{"/clients"});
  CHECK(telling([](TellingForm& form) { form.clients.clear(); }) == Strings{"/clients"});
  CHECK(telling([&](TellingForm& form) { form.clients.push_back(client); }) ==
        Strings{"/clients/1"});
  CHECK(telling([&](TellingForm& form) {
          form.clients.push_back(ClientId::New(vault.clock.Now()));
        }) == Strings{"/clients/1"});
  CHECK(vault.Number("SELECT count(*) FROM notice_tellings") == 0);
  const NoticeId nobody = NoticeId::New(vault.clock.Now());
  CHECK(AnswerOf(vault->notices().GetNotice(vault.Officer(), nobody)) == "not_found");
  CHECK(AnswerOf(vault->notices().Tell(vault.Officer(), nobody, NoticeVault::ByEmail({client}))) ==
        "not_found");
  CHECK(vault.Close(nobody) == "not_found");
  CHECK(AnswerOf(vault->notices().ListPending(vault.Officer(), notice.id, {50, "x"})) ==
        "cursor_invalid");
  vault.CheckInvariants();
}

TEST_CASE("a notice is due in the week before it takes effect, until it is closed") {
  NoticeVault vault;
  vault.NewClient("D-1");
  const Notice notice = vault.Made();
  CHECK(vault.Counts().open == 1);
  CHECK(vault.Counts().due == 0);
  vault.clock.Advance(23 * kNoticeDayMs - 1000);
  CHECK(vault.Counts().due == 0);
  vault.clock.Advance(2000);
  CHECK(vault.Counts().due == 1);
  vault.clock.Advance(30 * kNoticeDayMs);
  CHECK(vault.Counts().due == 1);
  CHECK(vault.Close(notice.id, "a\tb\n") == "notice_invalid");
  CHECK(vault.Close(notice.id, "the address is not known") == "ok");
  CHECK(vault.Counts().open == 0);
  CHECK(vault.Counts().due == 0);
  CHECK(vault.Close(notice.id) == "notice_closed");
  const auto closed = vault->notices().ListNotices(vault.As(kAuditor), NoticesAsked::kClosed, {});
  REQUIRE(closed);
  CHECK(closed->items.size() == 1);
  CHECK(closed->items[0].steps.empty());
  CHECK(vault->notices().ListNotices(vault.As(kAuditor), NoticesAsked::kOpen, {})->items.empty());
  const Notice all_told = vault.Made();
  vault.TellAll(all_told.id);
  CHECK(vault.Close(all_told.id, "no reason") == "notice_invalid");
  CHECK(vault.Close(all_told.id) == "ok");
  // Who came since can still be told.
  const ClientId late = vault.NewClient("D-2");
  CHECK(vault.Pending(all_told.id) == std::set{late});
  CHECK(vault->notices().Tell(vault.Officer(), all_told.id, NoticeVault::ByEmail({late}))->told ==
        1);
}

TEST_CASE("objections after a notice are shown with it") {
  NoticeVault vault;
  const ClientId before = vault.NewClient("O-1");
  const ClientId objects = vault.NewClient("O-2");
  const ClientId silent = vault.NewClient("O-3");
  REQUIRE(vault->restrictions().Restrict(vault.As(kPrivacyOfficer), before,
                                         {"", "an older dispute", {}}));
  vault.clock.Advance(1000);
  const Notice notice = vault.Made();
  vault.TellAll(notice.id);
  const auto objections = [&] {
    return NoticeVault::MustNotice(
               vault->notices().ListObjections(vault.As(kPrivacyOfficer), notice.id, {}))
        .items;
  };
  CHECK(objections().empty());
  vault.clock.Advance(1000);
  const auto placed = vault->restrictions().Restrict(vault.As(kPrivacyOfficer), objects,
                                                     {"", "objects", {false, {"client-care"}}});
  REQUIRE(placed);
  const auto found = objections();
  REQUIRE(found.size() == 1);
  CHECK(found[0].client == objects);
  CHECK(found[0].restriction == placed->id);
  CHECK(found[0].purposes == Strings{"client-care"});
  CHECK(found[0].legal_bases.empty());
  StoppedPurposes by_basis;
  by_basis.all_but = false;
  by_basis.legal_bases = {"legitimate-interests"};
  REQUIRE(vault->restrictions().Restrict(vault.Officer(), objects, {"", "objects", by_basis}));
  const auto both = objections();
  REQUIRE(both.size() == 2);
  CHECK(std::ranges::count(both, Strings{"legitimate-interests"}, &NoticeObjection::legal_bases) ==
        1);
  CHECK(silent != objects);
}

TEST_CASE("an erased client leaves a count of its telling, and no link") {
  NoticeVault vault;
  const ClientId client = vault.NewClient("E-1");
  const ClientId other = vault.NewClient("E-2");
  const Notice notice = vault.Made();
  CHECK(vault.TellAll(notice.id).told == 2);
  CHECK(vault.Number("SELECT count(*) FROM notice_tellings") == 2);
  const auto traced = [&] {
    const auto traces =
        NoticeVault::MustNotice(vault->traces().FindTraces(vault.As(kPrivacyOfficer), client));
    return std::ranges::find(traces, "notices", &Trace::place)->state;
  };
  CHECK(traced() == "present");
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), client, {}));
  CHECK(vault.Number("SELECT count(*) FROM notice_tellings") == 1);
  CHECK(traced() == "absent");
  const Notice read =
      NoticeVault::MustNotice(vault->notices().GetNotice(vault.As(kAuditor), notice.id));
  CHECK(read.told == 2);
  for (const NoticeStep& step : read.steps) {
    CHECK(step.document.find(client.Text()) == std::string::npos);
  }
  CHECK(AnswerOf(vault->notices().Tell(vault.Officer(), notice.id,
                                       NoticeVault::ByEmail({client}))) == "notice_invalid");
  CHECK(vault.Pending(notice.id).empty());
  CHECK(other != client);
  vault.CheckInvariants();
}

TEST_CASE("who may see some clients reads and tells of these, and closes nothing") {
  NoticeVault vault;
  const ClientId seen = vault.NewClient("R-1", {"vip"});
  const ClientId hidden = vault.NewClient("R-2");
  const Notice notice = vault.Made();
  REQUIRE(vault->roles().PutRole(
      vault.As(kAdministrator), "vip-desk",
      R"({"title": "Some", "grants": [{"actions": ["notice.read", "notice.write"],
          "scope": {"tag": "vip"}}]})"));
  const auto token = vault.NewTokenFor("vip-desk", 3600);
  REQUIRE(token);
  Caller desk = vault.As(kPrivacyOfficer);
  desk.token = token->secret;
  const auto pending = vault->notices().ListPending(desk, notice.id, {});
  INFO(AnswerOf(pending));
  REQUIRE(pending);
  CHECK(pending->items == std::vector{seen});
  CHECK(AnswerOf(vault->notices().Tell(desk, notice.id, NoticeVault::ByEmail({hidden}))) ==
        "notice_invalid");
  const auto told = vault->notices().Tell(desk, notice.id, NoticeVault::AllByEmail());
  REQUIRE(told);
  CHECK(told->told == 1);
  CHECK(AnswerOf(vault->notices().CloseNotice(desk, notice.id, "no")) == "permission_denied");
  CHECK(AnswerOf(vault->notices().CreateNotice(desk, vault.Form())) == "permission_denied");
  CHECK(AnswerOf(vault->notices().CreateNotice(
            desk, vault.Form({NoticeSelection::Kind::kTag, "vip"}))) == "ok");
  CHECK(vault.Pending(notice.id) == std::set{hidden});
}

TEST_CASE("who may not read or write notices does not") {
  NoticeVault vault;
  const ClientId client = vault.NewClient("A-1");
  const Notice notice = vault.Made();
  for (const Role role : kRoles) {
    INFO(Name(role));
    const std::string read = RoleAllows(role, Action::kNoticeRead) ? "ok" : "permission_denied";
    const bool writes = RoleAllows(role, Action::kNoticeWrite);
    Notices& notices = vault->notices();
    CHECK(AnswerOf(notices.GetNotice(vault.As(role), notice.id)) == read);
    CHECK(AnswerOf(notices.ListNotices(vault.As(role), NoticesAsked::kAll, {})) == read);
    CHECK(AnswerOf(notices.ListPending(vault.As(role), notice.id, {})) == read);
    CHECK(AnswerOf(notices.ListObjections(vault.As(role), notice.id, {})) == read);
    const std::string write = writes ? "ok" : "permission_denied";
    CHECK(AnswerOf(notices.CreateNotice(vault.As(role), vault.Form())) == write);
    CHECK(AnswerOf(notices.Tell(vault.As(role), notice.id, NoticeVault::ByEmail({client}))) ==
          write);
    CHECK(AnswerOf(notices.CloseNotice(vault.As(role), NoticeId::New(vault.clock.Now()), "")) ==
          (writes ? "not_found" : "permission_denied"));
  }
}

TEST_CASE("what was said of a notice cannot be altered") {
  NoticeVault vault;
  vault.Made();
  Database database = vault.OpenVaultDatabase(false);
  for (const char* const sql :
       {"UPDATE notice_steps SET document = '{}'", "DELETE FROM notice_steps"}) {
    INFO(sql);
    CHECK_FALSE(database.Execute(sql));
  }
}

}  // namespace coffer::vault
