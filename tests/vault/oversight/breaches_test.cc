// The register of breaches: its clocks at their boundaries, and that nothing in it goes away.
#include "vault/oversight/breaches.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "tests/vault/test_vault.h"
#include "vault/oversight/breach_clocks.h"

namespace coffer::vault {
namespace {

using enum Role;

constexpr std::int64_t kBreachHourMs = std::int64_t{3600} * 1000;

std::string StatesOf(const Breach& breach) {
  std::string states;
  for (const BreachClock& clock : ClocksOf(breach)) {
    states += (states.empty() ? "" : " ") + std::string(Name(clock.state));
  }
  return states;
}

class BreachVault : public TestVault {
 public:
  BreachFacts Facts() {
    BreachFacts facts;
    facts.aware = clock.Now();
    facts.kinds = {"confidentiality"};
    facts.regimes = {"gdpr", "ru-152fz", "pipl"};
    facts.facts = "A token stood in a repository.";
    return facts;
  }
  Breach Opened() { return Must((*this)->breaches().OpenBreach(Writer(), Facts())); }
  Caller Writer() {
    last = As(kPrivacyOfficer);
    return last;
  }
  template <class T>
  static T Must(Result<T> result) {
    INFO(AnswerOf(result));
    REQUIRE(result);
    return *std::move(result);
  }
  static BreachNotice ToAuthority(std::string regime, Timestamp at, std::string stage = {}) {
    return {"authority", std::move(regime), std::move(stage), "An authority", "R-1", at, {}};
  }
  Strings Told(const Result<Breach>& result) {
    Strings told = IssuesOf(result);
    for (std::string& issue : told) issue.resize(std::min(issue.find(' '), issue.size()));
    told.insert(told.begin(), AnswerOf(result));
    return told;
  }
  Caller last;
};

}  // namespace

TEST_CASE("clocks run in hours from when somebody was aware, and stop at their own instant") {
  Breach breach;
  const std::int64_t start = 1'767'323'045'678;  // a Friday night: hours know no weekend
  breach.known.aware = Timestamp{start};
  breach.known.regimes = {"pipl", "ru-152fz", "gdpr"};
  const auto at = [&](std::int64_t ms) {
    breach.now = Timestamp{start + ms};
    return StatesOf(breach);
  };
  CHECK(at(0) == "running running running at-once");
  const auto clocks = ClocksOf(breach);
  REQUIRE(clocks.size() == 4);
  CHECK(clocks[0].due->ms == start + 72 * kBreachHourMs);
  CHECK(clocks[1].due->ms == start + 24 * kBreachHourMs);
  CHECK(clocks[2].due->ms == start + 72 * kBreachHourMs);
  CHECK(!clocks[3].due);
  CHECK(at(16 * kBreachHourMs - 1) == "running running running at-once");
  CHECK(at(16 * kBreachHourMs) == "running due-soon running at-once");
  CHECK(at(24 * kBreachHourMs) == "running due-soon running at-once");
  CHECK(at(24 * kBreachHourMs + 1) == "running overdue running at-once");
  CHECK(at(48 * kBreachHourMs - 1) == "running overdue running at-once");
  CHECK(at(48 * kBreachHourMs) == "due-soon overdue due-soon at-once");
  CHECK(at(72 * kBreachHourMs) == "due-soon overdue due-soon at-once");
  CHECK(at(72 * kBreachHourMs + 1) == "overdue overdue overdue at-once");

  const auto told = [&](const char* regime, const char* stage, std::int64_t ms) {
    return BreachNotice{"authority", regime, stage, "A", {}, Timestamp{start + ms}, {}};
  };
  CHECK_FALSE(IsLate(told("gdpr", "", 72 * kBreachHourMs), Timestamp{start}));
  CHECK(IsLate(told("gdpr", "", 72 * kBreachHourMs + 1), Timestamp{start}));
  CHECK(IsLate(told("ru-152fz", "notice", 24 * kBreachHourMs + 1), Timestamp{start}));
  CHECK_FALSE(IsLate(told("ru-152fz", "findings", 24 * kBreachHourMs + 1), Timestamp{start}));
  CHECK_FALSE(IsLate(told("pipl", "", 10'000 * kBreachHourMs), Timestamp{start}));
  breach.notices = {told("gdpr", "", 72 * kBreachHourMs),
                    told("ru-152fz", "notice", 24 * kBreachHourMs + 1),
                    told("ru-152fz", "findings", 60 * kBreachHourMs), told("pipl", "", 5)};
  CHECK(StatesOf(breach) == "done done-late done done");
  // Subjects and others answer no authority's clock; of several notices the first counts.
  breach.notices = {told("gdpr", "", 80 * kBreachHourMs), told("gdpr", "", kBreachHourMs)};
  breach.notices.push_back(breach.notices.front());
  breach.notices.back().whom = "subjects";
  breach.closed = breach.now;
  CHECK(StatesOf(breach) == "done not-notified not-notified not-notified");
  breach.known.regimes = {"pipl"};
  CHECK(StatesOf(breach) == "not-notified");
}

TEST_CASE("whether what was taken can be read follows from what was taken") {
  CHECK(ReadableOf({}) == Readable::kUnknown);
  CHECK(ReadableOf({"disk"}) == Readable::kUnreadable);
  CHECK(ReadableOf({"backup", "disk"}) == Readable::kUnreadable);
  CHECK(ReadableOf({"answers"}) == Readable::kPlain);
  CHECK(ReadableOf({"disk", "keys"}) == Readable::kPlain);
}

TEST_CASE("a breach is opened, noted, scoped, told and closed, each with its entry") {
  BreachVault vault;
  const ClientId client = vault.NewClient("B-1", {"jurisdiction:de"});
  REQUIRE(vault->clients().GetClient(vault.As(kCrmService), client));
  Breach breach = vault.Opened();
  const auto entry_of = [&](const BreachEvent& event) {
    const auto log = vault.WholeLog();
    REQUIRE(event.seq < log.size());
    return log[event.seq].action + " " + log[event.seq].detail;
  };
  const std::string id = breach.id.Text();
  CHECK(entry_of(breach.history[0]) == "breach.write " + id + " opened");
  CHECK(breach.history[0].by == vault.TokenOf(kPrivacyOfficer).principal);
  CHECK(vault.EntryOf(vault.last) ==
        vault.Allowed(kPrivacyOfficer, {{"action", "breach.write"}, {"detail", id + " opened"}}));

  vault.clock.Advance(kBreachHourMs);
  BreachFacts more;
  more.aware = Timestamp{breach.known.aware->ms - kBreachHourMs};
  more.measures = "Revoked.\nAnd told.";
  breach = BreachVault::Must(vault->breaches().NoteBreach(vault.Writer(), breach.id, more));
  CHECK(breach.known.measures == more.measures);
  CHECK(breach.known.facts == "A token stood in a repository.");
  CHECK(ClocksOf(breach)[0].due->ms == more.aware->ms + 72 * kBreachHourMs);
  CHECK(breach.history[0].document.contains("2026-01-02T03:04:05"));  // the old one stays

  vault.last = vault.As(kSecurityOfficer);
  breach = BreachVault::Must(vault->breaches().ScopeBreach(
      vault.last, breach.id, {{}, vault.TokenOf(kCrmService).principal.Text(), {}, {}, {}}));
  const json counted = json::parse(breach.history[2].document);
  CHECK(counted.at("clients") == 1);
  CHECK(counted.at("jurisdictions") == json::parse(R"([{"jurisdiction":"de","clients":1}])"));
  CHECK(counted.at("size") <= breach.history[2].seq);
  CHECK(entry_of(breach.history[2]) == "breach.write " + id + " scoped");
  CHECK(!breach.history[2].document.contains(client.Text()));

  const auto tell = [&](const BreachNotice& notice) {
    return vault.Told(vault->breaches().NotifyOfBreach(vault.Writer(), breach.id, notice));
  };
  const Timestamp now = vault.clock.Now();
  CHECK(tell(BreachVault::ToAuthority("gdpr", Timestamp{now.ms + 1})) ==
        Strings{"breach_invalid", "/at"});
  CHECK(tell(BreachVault::ToAuthority("gdpr", Timestamp{more.aware->ms - 1})) ==
        Strings{"breach_invalid", "/at"});
  CHECK(tell(BreachVault::ToAuthority("ru-152fz", now)) == Strings{"breach_invalid", "/stage"});
  CHECK(tell(BreachVault::ToAuthority("gdpr", now)) == Strings{"ok"});
  vault.clock.Advance(100 * kBreachHourMs);
  BreachNotice late = BreachVault::ToAuthority("ru-152fz", vault.clock.Now(), "notice");
  CHECK(tell(late) == Strings{"breach_invalid", "/delay"});
  late.delay = "Nobody was there.";
  CHECK(tell(late) == Strings{"ok"});

  const auto close = [&](const BreachClosing& closing) {
    return vault.Told(vault->breaches().CloseBreach(vault.Writer(), breach.id, closing));
  };
  CHECK(close({"Over.", {}}) == Strings{"breach_invalid", "/not_notified"});
  CHECK(close({"Over.", "No risk."}) == Strings{"ok"});
  breach = BreachVault::Must(vault->breaches().GetBreach(vault.As(kAuditor), breach.id));
  CHECK(StatesOf(breach) == "done done-late not-notified not-notified");
  CHECK(breach.history.size() == 6);
  CHECK(close({"Again.", "No risk."}) == Strings{"breach_closed"});
  CHECK(tell(late) == Strings{"breach_closed"});
  CHECK(AnswerOf(vault->breaches().NoteBreach(vault.Writer(), breach.id, more)) == "breach_closed");

  // It is there after a start, and the log and what is stored agree.
  vault.Close();
  vault.Open();
  CHECK(BreachVault::Must(vault->breaches().GetBreach(vault.As(kAuditor), breach.id))
            .history.size() == 6);
  vault.CheckInvariants();
}

TEST_CASE("what is wrong with what is said of a breach is told, and nothing is kept") {
  BreachVault vault;
  const auto open = [&](const auto& change) {
    BreachFacts facts = vault.Facts();
    change(facts);
    return vault.Told(vault->breaches().OpenBreach(vault.Writer(), facts));
  };
  const std::int64_t now = vault.clock.Now().ms;
  CHECK(open([](BreachFacts& f) { f = {}; }) ==
        Strings{"breach_invalid", "/aware", "/kinds", "/regimes", "/facts"});
  CHECK(open([&](BreachFacts& f) { f.aware = Timestamp{now + 1}; }) ==
        Strings{"breach_invalid", "/aware"});
  CHECK(open([&](BreachFacts& f) { f.occurred_from = Timestamp{now + 1}; }) ==
        Strings{"breach_invalid", "/occurred_from"});
  CHECK(open([&](BreachFacts& f) {
          f.occurred_from = Timestamp{now - 5};
          f.occurred_to = Timestamp{now - 6};
        }) == Strings{"breach_invalid", "/occurred_to"});
  CHECK(open([](BreachFacts& f) { f.kinds = {"theft"}; }) == Strings{"breach_invalid", "/kinds/0"});
  CHECK(open([](BreachFacts& f) { f.regimes = {"gdpr", "gdpr"}; }) ==
        Strings{"breach_invalid", "/regimes/1"});
  CHECK(open([](BreachFacts& f) { f.taken = {"disk", "car"}; }) ==
        Strings{"breach_invalid", "/taken/1"});
  CHECK(open([](BreachFacts& f) { f.facts = std::string(4001, 'x'); }) ==
        Strings{"breach_invalid", "/facts"});
  CHECK(open([](BreachFacts& f) { f.effects = "a\x1b[1m"; }) ==
        Strings{"breach_invalid", "/effects"});
  CHECK(vault.Number("SELECT count(*) FROM breaches") == 0);
  const BreachId nobody = BreachId::New(vault.clock.Now());
  BreachFacts more;
  more.effects = "None.";
  CHECK(AnswerOf(vault->breaches().NoteBreach(vault.Writer(), nobody, more)) == "not_found");
  CHECK(AnswerOf(vault->breaches().NoteBreach(vault.Writer(), nobody, {})) == "breach_invalid");
  CHECK(AnswerOf(vault->breaches().GetBreach(vault.Writer(), nobody)) == "not_found");
  CHECK(AnswerOf(vault->breaches().ScopeBreach(vault.Writer(), nobody, {{}, {}, "::1", {}, {}})) ==
        "not_found");
}

TEST_CASE("the register is read by who watches, and written by officers alone") {
  BreachVault vault;
  const Breach breach = vault.Opened();
  for (const Role role : kRoles) {
    INFO(Name(role));
    const bool officer = role == kPrivacyOfficer || role == kSecurityOfficer;
    const auto may = [](const auto& result) { return AnswerOf(result) != "permission_denied"; };
    CHECK(may(vault->breaches().GetBreach(vault.As(role), breach.id)) ==
          (officer || role == kAuditor));
    CHECK(may(vault->breaches().ListBreaches(vault.As(role), BreachesAsked::kAll, {})) ==
          (officer || role == kAuditor));
    BreachFacts more;
    more.effects = "None.";
    CHECK(may(vault->breaches().NoteBreach(vault.As(role), breach.id, more)) == officer);
    CHECK(may(vault->breaches().OpenBreach(vault.As(role), vault.Facts())) == officer);
    CHECK(may(vault->breaches().ScopeBreach(vault.As(role), breach.id, {{}, {}, "::1", {}, {}})) ==
          officer);
    CHECK(may(vault->breach_scopes().FindScope(vault.As(role), {{}, {}, "::1", {}, {}}, {})) ==
          officer);
  }
}

TEST_CASE("breaches are listed newest first, open and closed apart, page by page") {
  BreachVault vault;
  Strings ids;
  for (int i = 0; i < 5; ++i) ids.push_back(vault.Opened().id.Text());
  const auto closed = BreachId::Parse(ids[2]);
  REQUIRE(vault->breaches().CloseBreach(vault.Writer(), *closed, {"Over.", "No risk."}));
  const auto list = [&](BreachesAsked asked) {
    std::string told, cursor;
    do {
      const auto page = vault->breaches().ListBreaches(vault.As(kAuditor), asked, {2, cursor});
      REQUIRE(page);
      for (const Breach& breach : page->items) {
        told += std::to_string(std::ranges::find(ids, breach.id.Text()) - ids.begin());
      }
      cursor = page->next_cursor;
    } while (!cursor.empty());
    return told;
  };
  CHECK(list(BreachesAsked::kAll) == "43210");
  CHECK(list(BreachesAsked::kOpen) == "4310");
  CHECK(list(BreachesAsked::kClosed) == "2");
  CHECK(AnswerOf(vault->breaches().ListBreaches(vault.As(kAuditor), BreachesAsked::kAll,
                                                {2, "x"})) == "cursor_invalid");
}

TEST_CASE("no statement alters or removes what is in the register") {
  BreachVault vault;
  const Breach breach = vault.Opened();
  vault.Close();
  Database database = vault.OpenVaultDatabase(false);
  for (const char* sql :
       {"DELETE FROM breaches", "DELETE FROM breach_events", "UPDATE breaches SET bid = bid",
        "UPDATE breach_events SET document = '{}'", "UPDATE breach_events SET seq = 0"}) {
    INFO(sql);
    CHECK_FALSE(database.Execute(sql));
  }
  // Who takes the triggers away first is found by the log, which commits to both tables.
  REQUIRE(database.Execute("DROP TRIGGER breach_events_stay"));
  REQUIRE(
      database.Execute("UPDATE breach_events SET document = replace(document, 'token', 'key')"));
  database = Database();
  CHECK_FALSE(vault.TryOpen());
  vault.Open(true);
}

}  // namespace coffer::vault
