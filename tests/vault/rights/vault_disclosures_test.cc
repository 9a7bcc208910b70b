// Recipients and disclosures: what was given to whom, and who is to be told of what became of it.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <map>
#include <set>

#include "tests/vault/test_vault.h"
#include "vault/access/restriction.h"

namespace coffer::vault {
namespace {

using enum Role;

constexpr std::uint64_t kEveryAct = 1'000'000;
constexpr std::int64_t kDisclosureHour = std::int64_t{3600} * 1000;

// Of issues, where they are.
template <class Result>
Strings PointersOf(const Result& result) {
  Strings pointers;
  for (const std::string& issue : IssuesOf(result)) {
    pointers.push_back(issue.substr(0, issue.find(' ')));
  }
  return pointers;
}

RecipientFacts FactsOfRecipient(std::string name = "Example Mailing Ltd",
                                std::string category = "processor") {
  RecipientFacts facts;
  facts.name = std::move(name);
  facts.category = std::move(category);
  return facts;
}

class DisclosingVault : public TestVault {
 public:
  DisclosingVault() : TestVault({.two_person = false}) {
    client = NewClient("D-1", {"vip"});
    contact = NewContact(client, {{"last_name", "Roe"}});
    other = NewClient("D-2", {"plain"});
    recipient = NewRecipient();
    clock.Advance(1000);
  }
  RecipientId NewRecipient(const RecipientFacts& facts = FactsOfRecipient()) {
    const auto made = (*this)->recipients().CreateRecipient(As(kPrivacyOfficer), facts);
    INFO(AnswerOf(made));
    REQUIRE(made);
    return made->id;
  }
  Caller Officer(std::string reason = "asked by the court") {
    last = As(kPrivacyOfficer, "data-subject-request", std::move(reason));
    return last;
  }
  std::string Export(const std::optional<RecipientId>& to, std::size_t limit = 1000,
                     const ExportSelection& selection = {}) {
    PageRequest page{limit, {}};
    handed_out.clear();
    do {
      const auto exported = (*this)->exports().Export(Officer(), selection, page, to);
      if (!exported) return AnswerOf(exported);
      for (const auto& line : exported->lines) {
        if (const auto* one = std::get_if<ClientInfo>(&line)) handed_out[one->id.Text()];
        if (const auto* one = std::get_if<RecordInfo>(&line)) {
          handed_out[one->client.Text()].insert(one->class_name);
        }
      }
      page.cursor = exported->next_cursor;
    } while (!page.cursor.empty());
    return "ok";
  }
  std::string Give(const std::vector<ClientId>& clients, std::vector<std::string> classes = {},
                   const DisclosureFacts& facts = Facts(), std::string reason = "by post") {
    const auto made = (*this)->disclosures().RecordDisclosure(Officer(std::move(reason)), recipient,
                                                              facts, {clients, std::move(classes)});
    issues = PointersOf(made);
    if (made) disclosure = made->id;
    return AnswerOf(made);
  }
  static DisclosureFacts Facts() {
    DisclosureFacts facts;
    facts.basis = "GDPR 6(1)(c)";
    facts.channel = "letter";
    return facts;
  }
  // Clients of the disclosure with their classes, in pages.
  std::map<std::string, std::set<std::string>> ClientsOf(const DisclosureId& id,
                                                         std::size_t limit = 2) {
    std::map<std::string, std::set<std::string>> all;
    PageRequest page{limit, {}};
    do {
      const auto found = (*this)->disclosures().ListClients(As(kAuditor), id, page);
      INFO(AnswerOf(found));
      REQUIRE(found);
      for (const DisclosedClient& one : found->items) {
        const auto [at, made] =
            all.try_emplace(one.client.Text(), one.classes.begin(), one.classes.end());
        CHECK(made);
      }
      page.cursor = found->next_cursor;
    } while (!page.cursor.empty());
    return all;
  }
  std::vector<ListedDisclosure> Listed(const std::optional<ClientId>& of = {}) {
    const auto found = (*this)->disclosures().ListDisclosures(As(kAuditor), {}, of, {});
    INFO(AnswerOf(found));
    REQUIRE(found);
    return found->items;
  }
  // "erased", "restricted contact", … of what is still to be told.
  Strings ToTell(const std::optional<RecipientId>& of = {}) {
    for (;;) {
      const auto found =
          (*this)->tellings().ListToTell(As(kAuditor), of, {.limit = 200, .cursor = {}});
      INFO(AnswerOf(found));
      REQUIRE(found);
      if (found->counts.to_settle > 0) continue;  // the log's index follows by itself
      Strings told;
      for (const Telling& one : found->page.items) {
        told.push_back(std::string(Name(one.act)) +
                       (one.class_name.empty() ? "" : " " + one.class_name));
      }
      CHECK((of || found->counts.open == told.size()));
      return told;
    }
  }
  void Restrict(const std::string& class_name = {}) {
    RestrictionRequest request;
    request.class_name = class_name;
    request.basis = "disputed";
    request.stops = {false, {"marketing"}};
    REQUIRE((*this)->restrictions().Restrict(Officer(), client, request));
  }
  void Erase(const std::string& class_name = {}) {
    ErasureRequest request;
    request.class_name = class_name;
    const auto erased = (*this)->erasures().Erase(Officer(), client, request);
    INFO(AnswerOf(erased));
    REQUIRE(erased);
  }
  std::string Tell(const TellingFacts& facts) {
    const auto told = (*this)->tellings().TellRecipient(Officer(), recipient, facts);
    issues = PointersOf(told);
    return told ? std::to_string(told->told) + " told, " + std::to_string(told->left) + " left"
                : AnswerOf(told);
  }
  static TellingFacts By(std::string channel) {
    TellingFacts facts;
    facts.until = kEveryAct;
    facts.channel = std::move(channel);
    return facts;
  }

  ClientId client, other;
  RecordId contact;
  RecipientId recipient;
  DisclosureId disclosure;
  Strings issues;
  Caller last;
  std::map<std::string, std::set<std::string>> handed_out;
};

}  // namespace

TEST_CASE("an export that names its recipient records what it handed out, whatever the pages") {
  DisclosingVault vault;
  for (int i = 0; i < 5; ++i) {
    const ClientId one = vault.NewClient("P-" + std::to_string(i));
    for (int r = 0; r < i; ++r) vault.NewContact(one, {{"last_name", "Roe"}});
  }
  std::size_t disclosures = 0;
  for (const std::size_t limit : {1U, 2U, 3U, 1000U}) {
    REQUIRE(vault.Export(vault.recipient, limit) == "ok");
    const auto listed = vault.Listed();
    REQUIRE(listed.size() == ++disclosures);
    CHECK(listed[0].disclosure.source == DisclosureSource::kExport);
    CHECK(listed[0].disclosure.clients == vault.handed_out.size());
    CHECK(vault.ClientsOf(listed[0].disclosure.id) == vault.handed_out);
  }
  REQUIRE(vault.Export({}, 2) == "ok");
  CHECK(vault.Listed().size() == disclosures);
  REQUIRE(vault.Export(vault.recipient, 1000, {"vip", {"contact"}}) == "ok");
  const auto newest = vault.Listed()[0].disclosure;
  CHECK(vault.ClientsOf(newest.id) ==
        std::map<std::string, std::set<std::string>>{{vault.client.Text(), {"contact"}}});
  // Each line names the entry that shows it.
  const auto log = vault.WholeLog();
  const auto given = vault.Listed(vault.client).front();
  REQUIRE(given.client);
  CHECK(log[given.client->seq].action == "client.export");
  CHECK(log[given.client->seq].client == vault.client.Text());
  CHECK(log[newest.seq].request == log[given.client->seq].request);
}

TEST_CASE("pages of an export go to one recipient, and none is begun for one that ended") {
  DisclosingVault vault;
  const RecipientId second = vault.NewRecipient();
  const auto first = vault->exports().Export(vault.Officer(), {}, {1, {}}, vault.recipient);
  REQUIRE(first);
  const PageRequest next{1, first->next_cursor};
  CHECK(AnswerOf(vault->exports().Export(vault.Officer(), {}, next, second)) == "cursor_invalid");
  CHECK(AnswerOf(vault->exports().Export(vault.Officer(), {}, next)) == "cursor_invalid");
  REQUIRE(vault->recipients().EndRecipient(vault.Officer(), vault.recipient));
  CHECK(AnswerOf(vault->exports().Export(vault.Officer(), {}, next, vault.recipient)) == "ok");
  CHECK(vault.Export(vault.recipient) == "recipient_ended");
  CHECK(vault.Export(RecipientId::New(vault.clock.Now())) == "recipient_unknown");
  CHECK(AnswerOf(vault->exports().PackageClient(vault.Officer(), vault.client, {10, {}},
                                                vault.recipient)) == "recipient_ended");
  CHECK(vault.Listed().size() == 1);
  REQUIRE(vault->exports().PackageClient(vault.Officer(), vault.client, {10, {}}, second));
  const auto package = vault.Listed()[0].disclosure;
  CHECK(package.source == DisclosureSource::kPackage);
  CHECK(package.recipient == second);
  CHECK(vault.ClientsOf(package.id).size() == 1);
}

TEST_CASE("each act is to be told to whom it concerns, by class") {
  // What was given, the act, and whether it is to be told.
  struct Case {
    std::vector<std::string> given;
    const char* act;
    bool told;
  };
  const Case cases[] = {{{}, "erase", true},
                        {{"contact"}, "erase", true},
                        {{}, "erase contact", true},
                        {{"contact"}, "erase contact", true},
                        {{"note"}, "erase contact", false},
                        {{"contact"}, "restrict", true},
                        {{"note"}, "restrict", true},
                        {{"note"}, "restrict contact", false},
                        {{"contact"}, "restrict contact", true}};
  for (const Case& one : cases) {
    CAPTURE(one.given, one.act);
    DisclosingVault vault;
    vault.PutClass({{"name", "note"},
                    {"purposes", {"client-care"}},
                    {"keep", "for the test"},
                    {"fields", {{"text", {{"type", "text"}}}}}});
    REQUIRE(vault.Give({vault.client}, one.given) == "ok");
    const std::string act = one.act;
    const std::string of = act.ends_with("contact") ? "contact" : "";
    if (act.starts_with("erase")) {
      vault.Erase(of);
    } else {
      vault.Restrict(of);
    }
    CHECK(vault.ToTell().size() == (one.told ? 1U : 0U));
  }
}

TEST_CASE("a rectification that was asked for is told once for each class, other changes are not") {
  DisclosingVault vault;
  REQUIRE(vault.Give({vault.client}, {"contact"}) == "ok");
  RequestForm form;
  form.kind = RequestKind::kRectification;
  form.regime = "gdpr";
  form.channel = "letter";
  form.received = vault.clock.Now();
  form.client = vault.client;
  const auto asked = vault->requests().RegisterRequest(vault.Officer(), form);
  REQUIRE(asked);
  StepForm answer;
  answer.kind = StepKind::kAnswer;
  for (std::uint64_t version = 1; version < 3; ++version) {
    const std::string name = "Roe" + std::to_string(version);
    REQUIRE(vault->records().UpdateRecord(vault.As(kCrmService), vault.client, vault.contact,
                                          version, {{"last_name", name}}));
  }
  CHECK(vault.ToTell().empty());
  for (const audit::Entry& entry : vault.WholeLog()) {
    if (entry.action == "record.update") answer.entries.push_back(entry.seq);
  }
  REQUIRE(answer.entries.size() == 2);
  StepForm accept;
  accept.kind = StepKind::kAccept;
  REQUIRE(vault->requests().TakeStep(vault.Officer(), asked->row.id, accept));
  const auto answered = vault->requests().TakeStep(vault.Officer(), asked->row.id, answer);
  INFO(AnswerOf(answered));
  REQUIRE(answered);
  CHECK(vault.ToTell() == Strings{"rectified contact"});
}

TEST_CASE("a consent that is withdrawn is to be told") {
  DisclosingVault vault;
  REQUIRE(vault.Give({vault.client}, {"contact"}) == "ok");
  REQUIRE(vault->consent_texts().PutConsentText(vault.Officer(), "letters", {{{"en", "Yes."}}}));
  ConsentRequest consent;
  consent.purpose = "marketing";
  consent.text = {"letters", 1, "en"};
  consent.channel = "paper";
  consent.evidence = "a form";
  const auto given = vault->consents().GiveConsent(vault.Officer(), vault.client, consent);
  INFO(AnswerOf(given));
  REQUIRE(given);
  CHECK(vault.ToTell().empty());
  for (int twice = 0; twice < 2; ++twice) {
    REQUIRE(
        vault->consents().WithdrawConsent(vault.Officer(), vault.client, given->consent.id, {}));
  }
  CHECK(vault.ToTell() == Strings{"withdrawn"});
}

TEST_CASE("nobody is told of clients that it was not given, nor the person of its own") {
  DisclosingVault vault;
  REQUIRE(vault.Give({vault.other}) == "ok");
  const RecipientId person = vault.NewRecipient(FactsOfRecipient("The client", "person"));
  REQUIRE(vault->exports().PackageClient(vault.Officer(), vault.client, {10, {}}, person));
  vault.Restrict();
  vault.Erase();
  CHECK(vault.ToTell().empty());
  CHECK(AnswerOf(vault->tellings().TellRecipient(
            vault.Officer(), vault.recipient, DisclosingVault::By("email"))) == "nothing_to_tell");
  // What comes before it was given is no business of the recipient.
  DisclosingVault later;
  later.Restrict();
  REQUIRE(later.Give({later.client}) == "ok");
  CHECK(later.ToTell().empty());
}

TEST_CASE("after a client is erased its recipients are still known and told") {
  DisclosingVault vault;
  REQUIRE(vault.Export(vault.recipient) == "ok");
  vault.Restrict("contact");
  vault.clock.Advance(kDisclosureHour);
  REQUIRE(vault->recipients().EndRecipient(vault.Officer(), vault.recipient));
  vault.Erase();
  CHECK(vault.ToTell() == Strings{"restricted contact", "erased"});
  CHECK(vault.Listed(vault.client).size() == 1);
  CHECK(vault.ClientsOf(vault.Listed()[0].disclosure.id).contains(vault.client.Text()));
  for (int opened = 0; opened < 2; ++opened) {
    const auto found = vault->tellings().RecipientsOf(vault.As(kAuditor), vault.client);
    INFO(AnswerOf(found));
    REQUIRE(found);
    REQUIRE(found->recipients.size() == 1);
    CHECK(found->recipients[0].disclosures == 1);
    CHECK(found->recipients[0].acts.size() == 2);
    vault.Close();
    vault.Open();
  }
  TellingFacts facts = DisclosingVault::By("email");
  facts.client = vault.client;
  facts.at = Timestamp{vault.clock.Now().ms - kDisclosureHour / 2};
  CHECK(vault.Tell(facts) == "1 told, 1 left");
  CHECK(vault.ToTell() == Strings{"erased"});
  facts.at = vault.clock.Now();
  CHECK(vault.Tell(facts) == "1 told, 0 left");
  const auto entries = vault.EntriesOf(vault.last);
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].at("client") == vault.client.Text());
  CHECK(vault.Tell(facts) == "nothing_to_tell");
  CHECK(vault.ToTell().empty());
}

TEST_CASE("a recipient that cannot be told is recorded with its reasons") {
  DisclosingVault vault;
  REQUIRE(vault.Give({vault.client, vault.other}) == "ok");
  vault.Restrict();
  TellingFacts facts;
  CHECK(vault.Tell(facts) == "telling_invalid");
  CHECK(vault.issues == Strings{"/until", "/channel"});
  facts.until = kEveryAct;
  facts.not_told = "tedious";
  CHECK(vault.Tell(facts) == "telling_invalid");
  CHECK(vault.issues == Strings{"/not_told", "/reference"});
  facts.not_told = "impossible";
  facts.channel = "email";
  facts.reference = "File 7";
  CHECK(vault.Tell(facts) == "telling_invalid");
  CHECK(vault.issues == Strings{"/channel"});
  facts.channel.clear();
  facts.until = 0;
  CHECK(vault.Tell(facts) == "nothing_to_tell");
  facts.until = kEveryAct;
  CHECK(vault.Tell(facts) == "1 told, 0 left");
  const auto found = vault->tellings().RecipientsOf(vault.As(kAuditor), vault.client);
  REQUIRE(found);
  REQUIRE(found->recipients.front().acts.front().told);
  CHECK(found->recipients.front().acts.front().told->not_told == "impossible");
}

TEST_CASE("what accounts of a recipient were shown is told from the log") {
  DisclosingVault vault;
  const PrincipalId crm = vault.TokenOf(kCrmService).principal;
  const auto read = [&] {
    return AnswerOf(vault->records().GetRecord(vault.As(kCrmService), vault.client, vault.contact));
  };
  REQUIRE(read() == "ok");  // before: not disclosed
  REQUIRE(vault->recipients().BindPrincipal(vault.Officer(), vault.recipient, crm));
  vault.Restrict();
  CHECK(vault.ToTell().empty());
  REQUIRE(read() == "ok");
  CHECK(vault.Number("SELECT count(*) FROM disclosures") == 0);
  vault.Restrict("contact");
  vault.Restrict();
  CHECK(vault.ToTell() == Strings{"restricted contact", "restricted"});
  const auto found = vault->tellings().RecipientsOf(vault.As(kAuditor), vault.client);
  REQUIRE(found);
  REQUIRE(found->recipients.size() == 1);
  CHECK(found->recipients[0].reads == 1);
  CHECK(found->recipients[0].first_read == found->recipients[0].last_read);
  // One that it has no more is shown nothing for it, and what it was shown before counts.
  REQUIRE(vault->recipients().UnbindPrincipal(vault.Officer(), vault.recipient, crm));
  REQUIRE(vault->clients().GetClient(vault.As(kCrmService), vault.other));
  vault.Erase();
  CHECK(vault.ToTell().size() == 3);
  const auto none = vault->tellings().RecipientsOf(vault.As(kAuditor), vault.other);
  REQUIRE(none);
  CHECK(none->recipients.empty());
}

TEST_CASE("an account is bound to one recipient, and what is so already changes nothing") {
  DisclosingVault vault;
  const PrincipalId crm = vault.TokenOf(kCrmService).principal;
  const RecipientId second = vault.NewRecipient();
  const auto bind = [&](const RecipientId& to, const PrincipalId& who) {
    return AnswerOf(vault->recipients().BindPrincipal(vault.Officer(), to, who));
  };
  CHECK(bind(vault.recipient, crm) == "ok");
  CHECK(bind(vault.recipient, crm) == "ok");
  CHECK(vault.EntryOf(vault.last).at("outcome") == "unchanged");
  CHECK(bind(second, crm) == "principal_bound");
  CHECK(bind(second, PrincipalId::New(vault.clock.Now(), PrincipalKind::kService)) ==
        "principal_unknown");
  REQUIRE(vault->recipients().UnbindPrincipal(vault.Officer(), vault.recipient, crm));
  REQUIRE(vault->recipients().EndRecipient(vault.Officer(), second));
  CHECK(bind(second, crm) == "recipient_ended");
  const auto shown = vault->recipients().GetRecipient(vault.As(kAuditor), vault.recipient);
  REQUIRE(shown);
  CHECK(shown->principals.empty());
  CHECK(shown->history.size() == 3);
}

TEST_CASE("a recipient keeps what was said of it, and refuses what is none") {
  DisclosingVault vault;
  RecipientFacts facts = FactsOfRecipient("Other Ltd", "authority");
  facts.country = "DE";
  facts.safeguard = "adequacy";
  facts.since = "2026-01-01";
  REQUIRE(vault->recipients().ChangeRecipient(vault.Officer(), vault.recipient, facts));
  const auto changed = vault->recipients().ChangeRecipient(vault.Officer(), vault.recipient, facts);
  REQUIRE(changed);
  CHECK(changed->version == 2);
  CHECK(changed->history.size() == 2);
  const auto entry = vault.EntryOf(vault.last);
  CHECK(entry.at("outcome") == "unchanged");
  facts = FactsOfRecipient("two\nlines", "friend");
  facts.contact = std::string(501, 'x');
  facts.country = "Germany";
  facts.safeguard = "luck";
  facts.contract = " ";
  facts.since = "2026-02-30";
  facts.until = "never";
  const auto refused = vault->recipients().CreateRecipient(vault.Officer(), facts);
  CHECK(AnswerOf(refused) == "recipient_invalid");
  CHECK(PointersOf(refused) == Strings{"/name", "/category", "/contact", "/country", "/safeguard",
                                       "/contract", "/since", "/until"});
  REQUIRE(vault->recipients().EndRecipient(vault.Officer(), vault.recipient));
  CHECK(AnswerOf(vault->recipients().EndRecipient(vault.Officer(), vault.recipient)) == "ok");
  CHECK(AnswerOf(vault->recipients().ChangeRecipient(vault.Officer(), vault.recipient,
                                                     FactsOfRecipient())) == "recipient_ended");
  CHECK(AnswerOf(vault->recipients().GetRecipient(
            vault.Officer(), RecipientId::New(vault.clock.Now()))) == "not_found");
}

TEST_CASE("a disclosure by hand says why, and whom it is about") {
  DisclosingVault vault;
  CHECK(vault.Give({vault.client}, {}, DisclosingVault::Facts(), "") == "reason_required");
  DisclosureFacts facts;
  facts.given = Timestamp{vault.clock.Now().ms + 1};
  facts.reference = "a\tb";
  CHECK(vault.Give({}, {"none"}, facts) == "disclosure_invalid");
  CHECK(vault.issues ==
        Strings{"/given", "/basis", "/channel", "/reference", "/clients", "/classes/0"});
  CHECK(vault.Give({vault.client, ClientId::New(vault.clock.Now())}) == "disclosure_invalid");
  CHECK(vault.issues == Strings{"/clients/1"});
  CHECK(vault.Listed().empty());
  CHECK(vault.Number("SELECT count(*) FROM disclosure_clients") == 0);
  REQUIRE(vault.Give({vault.client, vault.client}, {"contact"}) == "ok");
  CHECK(vault.Listed()[0].disclosure.clients == 1);
  const auto more = vault->disclosures().AddClients(vault.Officer(), vault.disclosure,
                                                    {{vault.other, vault.client}, {}});
  REQUIRE(more);
  CHECK(more->clients == 2);
  CHECK(vault.ClientsOf(vault.disclosure, 1).size() == 2);
  REQUIRE(vault.Export(vault.recipient) == "ok");
  CHECK(AnswerOf(vault->disclosures().AddClients(vault.Officer(), vault.Listed()[0].disclosure.id,
                                                 {{vault.other}, {}})) ==
        "disclosure_made_by_export");
  // Before it ended it may have been given.
  REQUIRE(vault->recipients().EndRecipient(vault.Officer(), vault.recipient));
  CHECK(vault.Give({vault.client}) == "recipient_ended");
  facts = DisclosingVault::Facts();
  facts.given = Timestamp{vault.clock.Now().ms - 10};
  vault.clock.Advance(10);
  CHECK(vault.Give({vault.client}, {}, facts) == "ok");
}

TEST_CASE("nothing that was said of a recipient can be altered or removed in the database") {
  DisclosingVault vault;
  REQUIRE(vault.Give({vault.client}) == "ok");
  vault.Restrict();
  CHECK(vault.Tell(DisclosingVault::By("email")) == "1 told, 0 left");
  vault.Close();
  Database database = vault.OpenVaultDatabase(false);
  for (const char* sql :
       {"UPDATE recipients SET rid = zeroblob(16)", "DELETE FROM recipient_events",
        "UPDATE recipient_events SET document = '{}'", "DELETE FROM recipients",
        "UPDATE disclosures SET basis = 'another'", "DELETE FROM disclosures",
        "DELETE FROM disclosure_clients", "DELETE FROM tellings",
        "UPDATE tellings SET told_seq = NULL", "UPDATE tellings SET told = told + 1"}) {
    CAPTURE(sql);
    CHECK(!database.Execute(sql));
  }
}

TEST_CASE("of what was given whole, classes that are added take nothing away, in any order") {
  // What was given, in which order; whether a class that none of it names is to be told.
  struct Case {
    std::vector<std::vector<std::string>> given;
    bool told;
  };
  const Case cases[] = {{{{}, {"note"}}, true},
                        {{{"note"}, {}}, true},
                        {{{"note"}, {}, {"note"}}, true},
                        {{{"note"}, {"note"}}, false}};
  for (const Case& one : cases) {
    CAPTURE(one.given);
    DisclosingVault vault;
    vault.PutClass({{"name", "note"},
                    {"purposes", {"client-care"}},
                    {"keep", "for the test"},
                    {"fields", {{"text", {{"type", "text"}}}}}});
    REQUIRE(vault.Give({vault.client}, one.given[0]) == "ok");
    for (std::size_t i = 1; i < one.given.size(); ++i) {
      REQUIRE(vault->disclosures().AddClients(vault.Officer(), vault.disclosure,
                                              {{vault.client}, one.given[i]}));
    }
    const auto listed = vault.Listed(vault.client);
    REQUIRE(listed.size() == 1);
    REQUIRE(listed[0].client);
    CHECK(listed[0].client->known == !one.told);
    vault.Restrict("contact");
    CHECK(vault.ToTell().size() == (one.told ? 1U : 0U));
    vault.Restrict("note");
    CHECK(vault.ToTell().size() == (one.told ? 2U : 1U));
  }
}

TEST_CASE("what arose since the list was read is not told with it") {
  DisclosingVault vault;
  REQUIRE(vault.Give({vault.client}) == "ok");
  vault.Restrict();
  const auto list = vault->tellings().ListToTell(vault.As(kAuditor), {}, {});
  REQUIRE(list);
  REQUIRE(list->page.items.size() == 1);
  vault.clock.Advance(kDisclosureHour);
  vault.Restrict("contact");
  TellingFacts facts = DisclosingVault::By("email");
  facts.until = list->page.items[0].act_seq;
  CHECK(vault.Tell(facts) == "1 told, 1 left");
  CHECK(vault.ToTell() == Strings{"restricted contact"});
  // Nor is what came after the time at which it was told.
  facts.until = kEveryAct;
  facts.at = Timestamp{vault.clock.Now().ms - 1};
  CHECK(vault.Tell(facts) == "nothing_to_tell");
  facts.at = vault.clock.Now();
  CHECK(vault.Tell(facts) == "1 told, 0 left");
}

TEST_CASE("a disclosure that is recorded after an act is not told of it") {
  DisclosingVault vault;
  const Timestamp before = vault.clock.Now();
  vault.clock.Advance(kDisclosureHour);
  vault.Restrict();
  DisclosureFacts facts = DisclosingVault::Facts();
  facts.given = before;
  REQUIRE(vault.Give({vault.client}, {}, facts) == "ok");
  CHECK(vault.ToTell().empty());
}

TEST_CASE("lists have of each recipient what counts now, as its history does") {
  DisclosingVault vault;
  const auto whole = [&](const RecipientId& id) {
    auto found = vault->recipients().GetRecipient(vault.As(kAuditor), id);
    REQUIRE(found);
    CHECK(!found->history.empty());
    return *std::move(found);
  };
  const auto listed = [&](RecipientsAsked asked, std::size_t limit) {
    std::vector<Recipient> all;
    PageRequest page{limit, {}};
    do {
      auto found = vault->recipients().ListRecipients(vault.As(kAuditor), asked, page);
      REQUIRE(found);
      CHECK(found->items.size() <= limit);
      for (Recipient& one : found->items) all.push_back(std::move(one));
      page.cursor = found->next_cursor;
    } while (!page.cursor.empty());
    return all;
  };
  vault.NewRecipient();
  const RecipientId last = vault.NewRecipient(FactsOfRecipient("Third Ltd", "controller"));
  const auto step = [&](int i) {
    const PrincipalId crm = vault.TokenOf(kCrmService).principal;
    const PrincipalId auditor = vault.TokenOf(kAuditor).principal;
    Recipients& recipients = vault->recipients();
    switch (i) {
      case 0:
        return AnswerOf(recipients.BindPrincipal(vault.Officer(), vault.recipient, crm));
      case 1:
        return AnswerOf(recipients.ChangeRecipient(vault.Officer(), vault.recipient,
                                                   FactsOfRecipient("Renamed", "authority")));
      case 2:
        return AnswerOf(recipients.BindPrincipal(vault.Officer(), vault.recipient, auditor));
      case 3:
        return AnswerOf(recipients.UnbindPrincipal(vault.Officer(), vault.recipient, crm));
      case 4:
        return AnswerOf(recipients.EndRecipient(vault.Officer(), vault.recipient));
      case 5:
        return AnswerOf(recipients.UnbindPrincipal(vault.Officer(), vault.recipient, auditor));
      default:
        return AnswerOf(recipients.EndRecipient(vault.Officer(), last));
    }
  };
  for (int i = 0; i < 7; ++i) {
    CAPTURE(i);
    REQUIRE(step(i) == "ok");
    for (const std::size_t limit : {1U, 2U, 3U, 100U}) {
      const auto all = listed(RecipientsAsked::kAll, limit);
      REQUIRE(all.size() == 3);
      CHECK(all.front().id == last);
      std::size_t ended = 0;
      for (const Recipient& one : all) {
        const Recipient alone = whole(one.id);
        CHECK(one.history.empty());
        CHECK(one.facts == alone.facts);
        CHECK(one.version == alone.version);
        CHECK(one.principals == alone.principals);
        CHECK(one.ended == alone.ended);
        CHECK(one.created == alone.created);
        CHECK(one.created_by == alone.created_by);
        if (one.ended) ++ended;
      }
      CHECK(listed(RecipientsAsked::kEnded, limit).size() == ended);
      CHECK(listed(RecipientsAsked::kCurrent, limit).size() == 3 - ended);
    }
  }
}

TEST_CASE("where something of a client is names the registers that keep its id") {
  DisclosingVault vault;
  // Whether place, state and count are what there is.
  const auto traced = [&](const char* place) -> std::uint64_t {
    const auto traces = vault->traces().FindTraces(vault.As(kPrivacyOfficer), vault.client);
    REQUIRE(traces);
    const auto found = std::ranges::find(*traces, place, &Trace::place);
    REQUIRE(found != traces->end());
    CHECK(found->state == (found->count > 0 ? "present" : "absent"));
    return found->count;
  };
  const char* const places[] = {"disclosures", "recipients-to-tell", "acts-to-settle", "packages"};
  for (const char* place : places) CHECK(traced(place) == 0);
  REQUIRE(vault.Give({vault.client}) == "ok");
  REQUIRE(vault.Give({vault.other}) == "ok");
  REQUIRE(vault->recipients().BindPrincipal(vault.Officer(), vault.recipient,
                                            vault.TokenOf(kCrmService).principal));
  REQUIRE(vault->packages().PreparePackage(vault.Officer(), vault.client, {}));
  vault.Erase();
  for (const char* place : places) {
    CAPTURE(place);
    CHECK(traced(place) == 1);
  }
  CHECK(vault.ToTell().size() == 1);
  CHECK(traced("acts-to-settle") == 0);
}

TEST_CASE("who is to be told is looked up by index, whatever was told before") {
  const std::pair<const char*, const char*> plans[] = {
      {"SELECT id FROM tellings INDEXED BY tellings_to_tell WHERE told_seq IS NULL AND id > 5 "
       "ORDER BY id LIMIT 9",
       "tellings_to_tell"},
      {"SELECT id FROM tellings INDEXED BY tellings_open WHERE told_seq IS NULL AND id > 5 AND "
       "recipient = 1 ORDER BY id LIMIT 9",
       "tellings_open"},
      {"SELECT count(*) FROM tellings INDEXED BY tellings_open WHERE told_seq IS NULL "
       "GROUP BY recipient",
       "tellings_open"},
      {"SELECT id FROM disclosures WHERE id < 9 AND recipient = 1 ORDER BY id DESC LIMIT 9",
       "disclosures_of"},
      {"SELECT count(*) FROM acts_to_settle WHERE client = x'00'", "acts_to_settle_of"},
      {"SELECT count(*) FROM recipient_events WHERE recipient = 1 AND step = 'ended'",
       "recipient_events_steps"}};
  DisclosingVault vault;
  const Database database = vault.OpenVaultDatabase();
  for (const auto& [sql, index] : plans) {
    CAPTURE(sql);
    auto plan = Statement::Prepare(database, std::string("EXPLAIN QUERY PLAN ") + sql);
    REQUIRE(plan);
    auto row = plan->Query();
    REQUIRE(row.Next() == true);
    CHECK(std::string(row.Text(3)).contains(index));
    CHECK(row.Next() == false);  // nothing is sorted
  }
}

}  // namespace coffer::vault
