// The register of requests: its steps, what shows that they were done, who sees what, and what is
// left of a client that is erased.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "tests/vault/test_vault.h"
#include "vault/rights/request_purge.h"
#include "vault/rights/request_rules.h"

namespace coffer::vault {
namespace {

using enum Role;
using Kind = RequestKind;

constexpr std::int64_t kDayOfMs = std::int64_t{24} * 3600 * 1000;

class RequestedOf : public TestVault {
 public:
  RequestedOf() {
    client = NewClient("A-1");
    contact = NewContact(client, {{"last_name", "Doe"}});
    other = NewClient("A-2");
  }

  RequestForm Form(Kind kind, std::optional<ClientId> of) {
    RequestForm form;
    form.kind = kind;
    form.regime = "gdpr";
    form.channel = "email";
    form.received = clock.Now();
    form.client = of;
    form.words = "SENTINEL what I ask";
    return form;
  }
  Request Register(const RequestForm& form) {
    last = As(kPrivacyOfficer);
    auto request = (*this)->requests().RegisterRequest(last, form);
    INFO(AnswerOf(request) << " " << (request ? Strings() : IssuesOf(request)).size());
    REQUIRE(request);
    return *std::move(request);
  }
  Request Register(Kind kind) { return Register(Form(kind, client)); }

  std::string Step(const RequestId& id, StepForm form) {
    last = As(kPrivacyOfficer);
    const auto request = (*this)->requests().TakeStep(last, id, form);
    if (request) now = *request;
    issues = IssuesOf(request);
    return AnswerOf(request);
  }
  std::string Step(const RequestId& id, StepKind kind) {
    StepForm form;
    form.kind = kind;
    if (kind == StepKind::kReopen || kind == StepKind::kExtend || kind == StepKind::kNote) {
      form.words = "SENTINEL because";
    }
    if (kind == StepKind::kRefuse) {
      form.article = "12(5)";
      form.letter = "SENTINEL-L-1";
    }
    return Step(id, form);
  }
  std::string Answer(const RequestId& id, std::vector<std::uint64_t> entries,
                     std::string article = {}, bool together = false) {
    StepForm form;
    form.kind = StepKind::kAnswer;
    form.entries = std::move(entries);
    form.article = std::move(article);
    form.together = together;
    return Step(id, form);
  }
  Request Read(const RequestId& id, Role role = kPrivacyOfficer) {
    auto request = (*this)->requests().GetRequest(As(role), id);
    INFO(AnswerOf(request));
    REQUIRE(request);
    return *std::move(request);
  }
  std::vector<RequestId> Listed(RequestFilter filter, std::size_t limit = 200) {
    std::vector<RequestId> ids;
    PageRequest page{limit, {}};
    do {
      const auto listed = (*this)->requests().ListRequests(As(kPrivacyOfficer), filter, page);
      INFO(AnswerOf(listed));
      REQUIRE(listed);
      for (const Request& request : listed->items) ids.push_back(request.row.id);
      page.cursor = listed->next_cursor;
    } while (!page.cursor.empty());
    return ids;
  }
  // The number of the newest entry of the action.
  std::uint64_t EntryAbout(std::string_view action) {
    std::uint64_t seq = 0;
    for (const auto& entry : WholeLog()) {
      if (entry.action == action && entry.outcome == "ok") seq = entry.seq;
    }
    return seq;
  }
  std::uint64_t Package(const ClientId& of) {
    REQUIRE((*this)->exports().PackageClient(As(kPrivacyOfficer, "data-subject-request"), of,
                                             {.limit = 100, .cursor = {}}));
    return EntryAbout("client.package");
  }
  std::string PutRegime(const json& document, std::string_view name = "gdpr") {
    const auto put = (*this)->requests().PutRegime(As(kPrivacyOfficer), name, document.dump());
    issues = IssuesOf(put);
    return AnswerOf(put);
  }

  ClientId client, other;
  RecordId contact;
  Caller last;
  Request now;
  Strings issues;
};

const json kShort = {{"title", "Short"}, {"clocks", {{{"answer", "P5D"}}}}, {"keep", "P1Y"}};

}  // namespace

TEST_CASE("a request goes from its receipt to the act that answers it") {
  RequestedOf vault;
  const Request request = vault.Register(Kind::kErasure);
  const std::string id = request.row.id.Text();
  CHECK(vault.EntryOf(vault.last) ==
        vault.Allowed(kPrivacyOfficer,
                      {{"action", "request.write"},
                       {"client", vault.client.Text()},
                       {"detail", id + " erasure register; due " + FormatDay(request.row.last_day) +
                                      " under gdpr"}}));
  CHECK(request.standing == Standing::kOnTime);
  REQUIRE(request.steps.size() == 1);
  CHECK(request.steps[0].words == "SENTINEL what I ask");
  CHECK(vault.Step(request.row.id, StepKind::kAcknowledge) == "ok");
  CHECK(vault.Answer(request.row.id, {1}) == "step_not_possible");
  CHECK(vault.Step(request.row.id, StepKind::kAccept) == "ok");
  CHECK(vault.Step(request.row.id, StepKind::kStart) == "ok");
  CHECK(vault.Step(request.row.id, StepKind::kClose) == "step_not_possible");
  CHECK(vault.Answer(request.row.id, {}) == "fulfilment_missing");

  const auto erased = vault->erasures().Erase(vault.As(kPrivacyOfficer), vault.client, {});
  REQUIRE(erased);
  StepForm answer;
  answer.kind = StepKind::kAnswer;
  answer.erasure = erased->id;
  CHECK(vault.Step(request.row.id, answer) == "ok");
  CHECK(vault.now.standing == Standing::kInTime);
  CHECK(vault.now.row.state == RequestState::kAnswered);
  REQUIRE(vault.now.steps.back().proofs.size() == 1);
  CHECK(vault.now.steps.back().proofs[0].seq == erased->seq);
  CHECK(vault.now.steps.back().proofs[0].action == "client.erase");
  CHECK(vault.Step(request.row.id, StepKind::kClose) == "ok");

  // What it said is gone with the client; what became of it stays.
  vault.Close();
  vault.Open();
  const Request after = vault.Read(request.row.id);
  CHECK(after.said == SaidInWords::kGone);
  CHECK(after.row.state == RequestState::kClosed);
  CHECK(after.steps.size() == 6);
  for (const RequestStep& step : after.steps) {
    CHECK(step.sealed.empty());
    CHECK(step.words.empty());
    // Each step names the entry about it.
    const auto entries = vault.WholeLog();
    REQUIRE(step.seq < entries.size());
    CHECK(entries[step.seq].action == "request.write");
    CHECK(entries[step.seq].detail.starts_with(id));
  }
  vault.CheckInvariants();
}

TEST_CASE("each state takes the steps that it names, and no other changes anything") {
  for (int state = 0; state < static_cast<int>(kRequestStates); ++state) {
    const auto possible = StepsFrom(static_cast<RequestState>(state));
    for (int step = 0; step < static_cast<int>(kStepKinds); ++step) {
      const auto kind = static_cast<StepKind>(step);
      const bool named = std::ranges::find(possible, kind) != possible.end();
      CHECK(named == After(static_cast<RequestState>(state), kind).has_value());
    }
    // Nothing leads back to the start, and to be closed a request was decided.
    for (const StepKind kind : possible) {
      const auto to = *After(static_cast<RequestState>(state), kind);
      if (to == RequestState::kReceived) CHECK(state == 0);
      if (to == RequestState::kClosed) CHECK(!IsOpen(static_cast<RequestState>(state)));
    }
  }
  RequestedOf vault;
  const Request request = vault.Register(Kind::kQuestion);
  for (const StepKind kind :
       {StepKind::kStart, StepKind::kClose, StepKind::kReopen, StepKind::kAnswer}) {
    INFO(NameOf(kind));
    CHECK(vault.Step(request.row.id, kind) == "step_not_possible");
  }
  for (const StepKind kind : {StepKind::kRegister, StepKind::kRecompute}) {
    StepForm form;
    form.kind = kind;
    CHECK(vault.Step(request.row.id, form) == "step_invalid");
  }
  CHECK(vault.Read(request.row.id).steps.size() == 1);
  CHECK(vault.Read(request.row.id).row.state == RequestState::kReceived);
}

TEST_CASE(
    "only an entry about the client, of the right kind and not older, shows that it was done") {
  RequestedOf vault;
  const std::uint64_t before = vault.Package(vault.client);
  vault.clock.Advance(1000);
  const Request request = vault.Register(Kind::kAccess);
  REQUIRE(vault.Step(request.row.id, StepKind::kAccept) == "ok");
  const std::uint64_t of_other = vault.Package(vault.other);
  REQUIRE(
      vault->clients().GetClient(vault.As(kPrivacyOfficer, "data-subject-request"), vault.client));
  const std::uint64_t reading = vault.EntryAbout("client.read");
  const auto refused = vault.As(kCaseWorker, "data-subject-request");
  REQUIRE(!vault->exports().PackageClient(refused, vault.client, {.limit = 100, .cursor = {}}));
  const std::uint64_t denied = vault.WholeLog().back().seq;
  for (const std::uint64_t seq :
       {before, of_other, reading, denied, request.row.seq, std::uint64_t{1} << 40}) {
    INFO(seq);
    CHECK(vault.Answer(request.row.id, {seq}) == "fulfilment_missing");
    REQUIRE(vault.issues.size() == 1);
    CHECK(vault.issues[0].starts_with("/entries/0 must be entries of the log about this client"));
  }
  const std::uint64_t right = vault.Package(vault.client);
  CHECK(vault.Answer(request.row.id, {right, of_other}) == "fulfilment_missing");
  CHECK(vault.Answer(request.row.id, {right}) == "ok");
}

TEST_CASE("a restriction that was lifted shows nothing, and half an erasure takes an article") {
  RequestedOf vault;
  const Request restricting = vault.Register(Kind::kRestriction);
  REQUIRE(vault.Step(restricting.row.id, StepKind::kAccept) == "ok");
  const auto placed = vault->restrictions().Restrict(vault.As(kPrivacyOfficer), vault.client,
                                                     {"", "asked for", {true, {}}});
  REQUIRE(placed);
  const std::uint64_t placing = vault.EntryAbout("restriction.write");
  REQUIRE(vault->restrictions().LiftRestriction(
      vault.As(kPrivacyOfficer, std::string(TestVault::kPurpose), "settled"), vault.client,
      placed->id));
  CHECK(vault.Answer(restricting.row.id, {vault.EntryAbout("restriction.write")}) ==
        "fulfilment_missing");
  CHECK(vault.Answer(restricting.row.id, {placing}) == "fulfilment_missing");
  // That it objects to something is no restriction of the rest.
  REQUIRE(vault->restrictions().Restrict(vault.As(kPrivacyOfficer), vault.client,
                                         {"", "asked for", {false, {"marketing"}}}));
  CHECK(vault.Answer(restricting.row.id, {vault.EntryAbout("restriction.write")}) ==
        "fulfilment_missing");
  REQUIRE(vault->restrictions().Restrict(vault.As(kPrivacyOfficer), vault.client,
                                         {"", "asked for", {true, {}}}));
  CHECK(vault.Answer(restricting.row.id, {vault.EntryAbout("restriction.write")}) == "ok");

  const Request erasing = vault.Register(Kind::kErasure);
  REQUIRE(vault.Step(erasing.row.id, StepKind::kAccept) == "ok");
  const auto erased = vault->erasures().Erase(vault.As(kPrivacyOfficer), vault.client,
                                              {.class_name = "contact", .records = {}});
  REQUIRE(erased);
  CHECK(vault.Answer(erasing.row.id, {erased->seq}) == "fulfilment_missing");
  REQUIRE(vault.issues.size() == 1);
  CHECK(vault.issues[0].starts_with("/article is required"));
  CHECK(vault.Answer(erasing.row.id, {erased->seq}, "17(3)(b)") == "ok");
  // What was said of what stays is sealed under the client's new key.
  CHECK(vault.Read(erasing.row.id).steps[0].words == "SENTINEL what I ask");
}

TEST_CASE("who asks can become known later, and what was said is then under the client's key") {
  RequestedOf vault;
  const Request request = vault.Register(vault.Form(Kind::kAccess, std::nullopt));
  CHECK(!request.row.client);
  REQUIRE(vault.Step(request.row.id, StepKind::kCheckIdentity) == "ok");
  CHECK(vault.now.standing == Standing::kPaused);
  CHECK(!vault.now.row.due);
  const Bytes sealed = vault.Blob("SELECT sealed FROM request_steps WHERE number = 1");
  vault.clock.Advance(kDayOfMs);
  CHECK(vault.Step(request.row.id, StepKind::kAccept) == "step_invalid");
  StepForm accept;
  accept.kind = StepKind::kAccept;
  accept.client = vault.client;
  CHECK(vault.Step(request.row.id, accept) == "ok");
  CHECK(vault.now.standing == Standing::kOnTime);
  // GDPR suspends: the day that the check took is added.
  CHECK(vault.now.row.last_day == request.row.last_day + 1);
  CHECK(vault.Blob("SELECT sealed FROM request_steps WHERE number = 1") != sealed);
  CHECK(vault.Read(request.row.id).steps[0].words == "SENTINEL what I ask");
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), vault.client, {}));
  CHECK(vault.Read(request.row.id).said == SaidInWords::kGone);
  CHECK(vault.Number("SELECT count(*) FROM request_steps WHERE length(sealed) > 0") == 0);
}

TEST_CASE("duplicates are shown together, and answered together") {
  RequestedOf vault;
  const Request first = vault.Register(Kind::kAccess);
  const Request second = vault.Register(Kind::kAccess);
  const Request different = vault.Register(Kind::kErasure);
  CHECK(second.duplicates == std::vector{first.row.id});
  CHECK(different.duplicates.empty());
  REQUIRE(vault.Step(second.row.id, StepKind::kAccept) == "ok");
  CHECK(vault.Answer(second.row.id, {vault.Package(vault.client)}, "", true) == "ok");
  const Request other = vault.Read(first.row.id);
  CHECK(other.row.state == RequestState::kAnswered);
  CHECK(vault.Read(different.row.id).row.state == RequestState::kReceived);
  std::set<std::uint64_t> seqs;
  const auto entries = vault.WholeLog();
  for (const Request& one : {other, vault.Read(second.row.id)}) {
    for (const RequestStep& step : one.steps) {
      CHECK(seqs.insert(step.seq).second);
      CHECK(entries.at(step.seq).detail.starts_with(one.row.id.Text()));
    }
  }
}

TEST_CASE("time is extended once, before it is over, and where the regime has it") {
  RequestedOf vault;
  const Request request = vault.Register(Kind::kAccess);
  REQUIRE(vault.Step(request.row.id, StepKind::kExtend) == "ok");
  CHECK(vault.now.row.last_day > request.row.last_day + 57);
  CHECK(vault.Step(request.row.id, StepKind::kExtend) == "extended_before");
  const Request late = vault.Register(Kind::kAccess);
  vault.clock.Advance(40 * kDayOfMs);
  CHECK(vault.Step(late.row.id, StepKind::kExtend) == "extension_late");
  CHECK(vault.Read(late.row.id).standing == Standing::kOverdue);
  RequestForm form = vault.Form(Kind::kErasure, vault.client);
  form.regime = "ru-152fz";
  CHECK(vault.Step(vault.Register(form).row.id, StepKind::kExtend) == "step_not_possible");
}

TEST_CASE("what is open is computed anew when its regime changes, and keeps what was") {
  RequestedOf vault;
  const Request open = vault.Register(Kind::kAccess);
  const Request closed = vault.Register(Kind::kQuestion);
  REQUIRE(vault.Step(closed.row.id, StepKind::kWithdraw) == "ok");
  CHECK(vault.PutRegime(kShort) == "ok");
  const Request after = vault.Read(open.row.id);
  CHECK(after.row.regime_version == 1);
  CHECK(after.row.last_day == ZoneDays().DayOf(open.row.received) + 5);
  REQUIRE(after.steps.size() == 2);
  CHECK(after.steps[1].kind == StepKind::kRecompute);
  CHECK(!after.steps[1].by);
  CHECK(after.steps[0].due == open.row.due);
  CHECK(after.steps[1].due == after.row.due);
  CHECK(vault.Read(closed.row.id).steps.size() == 2);
  CHECK(vault.PutRegime(kShort) == "ok");  // nothing changed
  CHECK(vault.Read(open.row.id).steps.size() == 2);

  json ends = kShort;
  ends["clocks"] = {{{"answer", "P20WD"}}};
  ends["calendar"] = {{"first_year", 1990}, {"last_year", 1990}, {"weekend", {"sunday"}}};
  CHECK(vault.PutRegime(ends) == "calendar_ends");
  json narrow = kShort;
  narrow["clocks"] = {{{"kinds", {"erasure"}}, {"answer", "P5D"}}};
  CHECK(vault.PutRegime(narrow) == "regime_in_use");
  CHECK(vault.Read(open.row.id).row.regime_version == 1);
  vault.Close();
  vault.Open();
  CHECK(vault->requests().GetRegime(vault.As(kPrivacyOfficer), "gdpr")->get()->version == 1);
  CHECK(AnswerOf(vault->requests().GetRegime(vault.As(kAuditor), "none")) == "not_found");
}

TEST_CASE("a list says what is due, in its order, on pages of any size") {
  RequestedOf vault;
  REQUIRE(vault.PutRegime(kShort, "short") == "ok");
  RequestForm soon = vault.Form(Kind::kQuestion, vault.other);
  soon.regime = "short";
  const Request late = vault.Register(Kind::kErasure);  // a month
  const Request first = vault.Register(soon);           // five days
  const Request paused = vault.Register(Kind::kAccess);
  REQUIRE(vault.Step(paused.row.id, StepKind::kCheckIdentity) == "ok");
  const Request done = vault.Register(Kind::kComplaint);
  REQUIRE(vault.Step(done.row.id, StepKind::kRefuse) == "ok");
  using Due = RequestFilter::Due;
  for (const std::size_t limit : {1, 2, 200}) {
    INFO(limit);
    CHECK(vault.Listed({.due = Due::kOpen, .client = {}, .kind = {}, .state = {}}, limit) ==
          std::vector{first.row.id, late.row.id, paused.row.id});
    CHECK(vault.Listed({.due = Due::kSoon, .client = {}, .kind = {}, .state = {}}, limit) ==
          std::vector{first.row.id});
    CHECK(vault.Listed({.client = {}, .kind = {}, .state = {}}, limit) ==
          std::vector{done.row.id, paused.row.id, first.row.id, late.row.id});
    CHECK(vault.Listed({.client = vault.other, .kind = {}, .state = {}}, limit) ==
          std::vector{first.row.id});
    CHECK(vault.Listed({.client = {}, .kind = Kind::kAccess, .state = {}}, limit) ==
          std::vector{paused.row.id});
    CHECK(vault.Listed({.client = {}, .kind = {}, .state = RequestState::kRefused}, limit) ==
          std::vector{done.row.id});
  }
  CHECK(vault.Listed({.due = Due::kOverdue, .client = {}, .kind = {}, .state = {}}).empty());
  vault.clock.Advance(6 * kDayOfMs);
  CHECK(vault.Listed({.due = Due::kOverdue, .client = {}, .kind = {}, .state = {}}) ==
        std::vector{first.row.id});
  const auto status = vault->monitoring().ReadStatus(vault.As(kAuditor));
  REQUIRE(status);
  CHECK(status->requests.open == 3);
  CHECK(status->requests.paused == 1);
  CHECK(status->requests.overdue == 1);
}

TEST_CASE("what a request says is for who answers it, and nowhere in clear") {
  RequestedOf vault;
  const Request request = vault.Register(Kind::kAccess);
  REQUIRE(vault.Step(request.row.id, StepKind::kNote) == "ok");
  for (const Role role : {kPrivacyOfficer, kAuditor, kSecurityOfficer}) {
    const Request read = vault.Read(request.row.id, role);
    CHECK(read.said == (role == kPrivacyOfficer ? SaidInWords::kShown : SaidInWords::kHidden));
    for (const RequestStep& step : read.steps) {
      CHECK(step.words.empty() == (role != kPrivacyOfficer));
    }
  }
  for (const Role role : kRoles) {
    INFO(Name(role));
    const bool reads = RoleAllows(role, Action::kRequestRead);
    const bool writes = RoleAllows(role, Action::kRequestWrite);
    StepForm note;
    note.words = "more";
    CHECK(AnswerOf(vault->requests().GetRequest(vault.As(role), request.row.id)) ==
          (reads ? "ok" : "permission_denied"));
    CHECK(AnswerOf(vault->requests().ListRequests(vault.As(role), {}, {})) ==
          (reads ? "ok" : "permission_denied"));
    CHECK(AnswerOf(vault->requests().TakeStep(vault.As(role), request.row.id, note)) ==
          (writes ? "ok" : "permission_denied"));
    CHECK(AnswerOf(vault->requests().RegisterRequest(vault.As(role),
                                                     vault.Form(Kind::kAccess, vault.client))) ==
          (writes ? "ok" : "permission_denied"));
    CHECK(AnswerOf(vault->requests().PutRegime(vault.As(role), "short", kShort.dump())) ==
          (RoleAllows(role, Action::kRegimeWrite) ? "ok" : "permission_denied"));
  }
  CHECK(vault.Number("SELECT count(*) FROM request_steps WHERE instr(sealed, 'SENTINEL') > 0") ==
        0);
  for (const auto& entry : vault.WholeLog())
    CHECK(entry.detail.find("SENTINEL") == entry.detail.npos);
}

TEST_CASE("a hold is shown with the request that it stops, as long as it does") {
  RequestedOf vault;
  const Request request = vault.Register(Kind::kErasure);
  const auto hold = vault->holds().PlaceHold(
      vault.As(kPrivacyOfficer),
      {vault.client, "", "", "claim", "K-1", Timestamp{vault.clock.Now().ms + kDayOfMs}});
  REQUIRE(hold);
  CHECK(vault.Read(request.row.id).holds == std::vector{hold->id});
  REQUIRE(vault->holds().LiftHold(vault.As(kPrivacyOfficer), hold->id));
  CHECK(vault.Read(request.row.id).holds.empty());
}

TEST_CASE("what is no request, or says too much or too little, is refused and changes nothing") {
  RequestedOf vault;
  const auto faults = [&](auto change) {
    RequestForm form = vault.Form(Kind::kAccess, vault.client);
    change(form);
    const auto request = vault->requests().RegisterRequest(vault.As(kPrivacyOfficer), form);
    return request                     ? Strings{"ok"}
           : IssuesOf(request).empty() ? Strings{AnswerOf(request)}
                                       : IssuesOf(request);
  };
  CHECK(faults([&](RequestForm& form) { form.received.ms = vault.clock.Now().ms + 1; }) ==
        Strings{"/received must not be in the future"});
  CHECK(faults([&](RequestForm& form) { form.received.ms -= 4000 * kDayOfMs; }) ==
        Strings{"/received must not be more than ten years ago"});
  // What came before the vault knew the client is a request all the same.
  CHECK(faults([&](RequestForm& form) { form.received.ms -= 20 * kDayOfMs; }) == Strings{"ok"});
  CHECK(faults([](RequestForm& form) { form.channel = "pigeon"; }) ==
        Strings{"/channel must be one of email, in_person, letter, phone, portal, other"});
  CHECK(faults([](RequestForm& form) { form.regime = "none"; }) ==
        Strings{"/regime must be the name of a regime"});
  CHECK(faults([](RequestForm& form) { form.words = std::string(4001, 'a'); }).size() == 1);
  CHECK(faults([](RequestForm& form) { form.words = "\x1b[2J"; }).size() == 1);
  CHECK(faults([](RequestForm& form) { form.authority = "two\nlines"; }).size() == 1);
  CHECK(faults([](RequestForm& form) { form.attachments = Strings(21, "a"); }).size() == 1);
  CHECK(faults([](RequestForm& form) { form.client = ClientId::New({1}); }) ==
        Strings{"not_found"});
  CHECK(vault.Listed({}).size() == 1);

  const RequestId id = vault.Listed({})[0];
  StepForm form;
  form.kind = StepKind::kRefuse;
  CHECK(vault.Step(id, form) == "step_invalid");
  CHECK(vault.issues == Strings{"/letter is required", "/article is required"});
  form.letter = "L-1";
  form.article = "99";
  CHECK(vault.Step(id, form) == "step_invalid");
  CHECK(vault.issues == Strings{"/article is none by which the regime lets refuse"});
  StepForm start;
  start.kind = StepKind::kStart;
  start.entries = {1};
  start.together = true;
  CHECK(vault.Step(id, start) == "step_invalid");
  CHECK(vault.issues ==
        Strings{"/entries says nothing of this step", "/together says nothing of this step"});
  CHECK(vault.Read(id).steps.size() == 1);
}

TEST_CASE("of a client that was erased, before or meanwhile, a request is answered all the same") {
  RequestedOf vault;
  const Request before = vault.Register(Kind::kQuestion);
  REQUIRE(vault.Step(before.row.id, StepKind::kAccept) == "ok");
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), vault.client, {}));
  const std::uint64_t erasing = vault.EntryAbout("client.erase");
  vault.clock.Advance(60 * kDayOfMs);
  const Request after = vault.Register(Kind::kAccess);
  CHECK(vault.Read(after.row.id).steps[0].words == "SENTINEL what I ask");
  CHECK(vault.Read(before.row.id).steps[0].words.empty());
  REQUIRE(vault.Step(after.row.id, StepKind::kAccept) == "ok");
  CHECK(vault.Answer(after.row.id, {erasing}) == "ok");
  StepForm answer;
  answer.kind = StepKind::kAnswer;
  answer.letter = "L-2";
  CHECK(vault.Step(before.row.id, answer) == "ok");
  CHECK(vault.Read(before.row.id).steps.back().letter == "L-2");
  CHECK(vault.Read(before.row.id).said == SaidInWords::kGone);
  // Who it was becomes known only now.
  const Request unknown = vault.Register(vault.Form(Kind::kErasure, std::nullopt));
  StepForm accept;
  accept.kind = StepKind::kAccept;
  accept.client = vault.client;
  CHECK(vault.Step(unknown.row.id, accept) == "ok");
  CHECK(vault.Answer(unknown.row.id, {erasing}) == "ok");
  vault.CheckInvariants();
}

TEST_CASE("what is taken up again is worked on only when it is known who asks") {
  RequestedOf vault;
  const Request known = vault.Register(Kind::kAccess);
  const Request checked = vault.Register(vault.Form(Kind::kAccess, std::nullopt));
  const Request accepted = vault.Register(Kind::kQuestion);
  REQUIRE(vault.Step(checked.row.id, StepKind::kCheckIdentity) == "ok");
  REQUIRE(vault.Step(accepted.row.id, StepKind::kAccept) == "ok");
  for (const auto& [request, state] : {std::pair{&known, RequestState::kReceived},
                                       std::pair{&checked, RequestState::kIdentityChecking},
                                       std::pair{&accepted, RequestState::kInProgress}}) {
    REQUIRE(vault.Step(request->row.id, StepKind::kRefuse) == "ok");
    CHECK(vault.now.row.due);  // a check that went on ended with it
    REQUIRE(vault.Step(request->row.id, StepKind::kReopen) == "ok");
    CHECK(vault.now.row.state == state);
  }
  CHECK(vault.Answer(known.row.id, {vault.Package(vault.client)}) == "step_not_possible");
}

TEST_CASE("a check of who asks makes nothing good that is overdue") {
  RequestedOf vault;
  const Request request = vault.Register(Kind::kAccess);
  vault.clock.Advance(40 * kDayOfMs);
  REQUIRE(vault.Step(request.row.id, StepKind::kCheckIdentity) == "ok");
  CHECK(vault.now.standing == Standing::kOverdue);
  CHECK(vault.Step(request.row.id, StepKind::kExtend) == "extension_late");
  CHECK(std::ranges::find(vault.now.possible, StepKind::kExtend) == vault.now.possible.end());
  REQUIRE(vault.Step(request.row.id, StepKind::kRefuse) == "ok");
  CHECK(vault.now.standing == Standing::kLate);
}

TEST_CASE("pages of what is due lose nothing of what moves meanwhile") {
  RequestedOf vault;
  std::vector<RequestId> ids;
  for (int i = 0; i < 4; ++i) {
    ids.push_back(vault.Register(Kind::kQuestion).row.id);
    vault.clock.Advance(kDayOfMs);
  }
  RequestFilter open;
  open.due = RequestFilter::Due::kOpen;
  const auto page = [&](const RequestFilter& filter, std::string cursor) {
    return vault->requests().ListRequests(vault.As(kPrivacyOfficer), filter,
                                          {2, std::move(cursor)});
  };
  const auto first = page(open, {});
  REQUIRE(first);
  REQUIRE(first->items.size() == 2);
  CHECK(first->items[1].row.id == ids[1]);
  REQUIRE(vault.Step(ids[1], StepKind::kWithdraw) == "ok");
  const auto second = page(open, first->next_cursor);
  REQUIRE(second);
  REQUIRE(second->items.size() == 2);
  CHECK(second->items[0].row.id == ids[2]);
  CHECK(second->items[1].row.id == ids[3]);
  // Of another list, or half of it.
  const std::string half = first->next_cursor.substr(0, first->next_cursor.find('.'));
  CHECK(AnswerOf(page({}, first->next_cursor)) == "cursor_invalid");
  CHECK(AnswerOf(page(open, half)) == "cursor_invalid");
}

TEST_CASE("a day of receipt is one of the regime's time zone") {
  RequestedOf vault;  // it is 2026-01-02T03:04:05Z
  RequestForm form = vault.Form(Kind::kAccess, vault.client);
  form.received_day = ParseDay("2026-01-01");
  form.regime = "ccpa";  // still the day before in Los Angeles
  CHECK(audit::FormatTimestamp(vault.Register(form).row.received) == "2026-01-01T08:00:00.000Z");
  form.received_day = ParseDay("2026-01-02");
  CHECK(AnswerOf(vault->requests().RegisterRequest(vault.As(kPrivacyOfficer), form)) ==
        "request_invalid");
  form.regime = "pipl";
  CHECK(audit::FormatTimestamp(vault.Register(form).row.received) == "2026-01-01T16:00:00.000Z");
}

TEST_CASE("a closed request goes when its regime keeps it no longer, and nothing else does") {
  RequestedOf vault;
  REQUIRE(vault.PutRegime(kShort, "short") == "ok");
  RequestForm form = vault.Form(Kind::kQuestion, vault.client);
  form.regime = "short";
  const Request closed = vault.Register(form);
  const Request decided = vault.Register(form);
  const Request kept = vault.Register(Kind::kQuestion);  // three years by the GDPR's
  for (const Request* one : {&closed, &kept}) {
    REQUIRE(vault.Step(one->row.id, StepKind::kWithdraw) == "ok");
    REQUIRE(vault.Step(one->row.id, StepKind::kClose) == "ok");
  }
  REQUIRE(vault.Step(decided.row.id, StepKind::kWithdraw) == "ok");
  const auto purge = [&](std::int64_t days) {
    REQUIRE(PurgeRequests(vault->operations(), Timestamp{vault.clock.Now().ms + days * kDayOfMs}));
    return vault.Listed({}).size();
  };
  CHECK(purge(0) == 3);
  CHECK(purge(365) == 3);
  CHECK(purge(366) == 2);
  CHECK(AnswerOf(vault->requests().GetRequest(vault.As(kPrivacyOfficer), closed.row.id)) ==
        "not_found");
  CHECK(vault.Number("SELECT count(*) FROM request_steps") == 5);
  const auto entries = vault.WholeLog();
  CHECK(std::ranges::count(entries, "request.purge", &audit::Entry::action) == 1);
  CHECK(purge(400) == 2);
  vault.CheckInvariants();
}

TEST_CASE("a client has so many open requests at most") {
  RequestedOf vault;
  for (int i = 0; i < 100; ++i) vault.Register(Kind::kQuestion);
  CHECK(AnswerOf(vault->requests().RegisterRequest(vault.As(kPrivacyOfficer),
                                                   vault.Form(Kind::kQuestion, vault.client))) ==
        "too_many_open_requests");
  CHECK(AnswerOf(vault->requests().RegisterRequest(
            vault.As(kPrivacyOfficer), vault.Form(Kind::kQuestion, vault.other))) == "ok");
}

}  // namespace coffer::vault
