// Consents: which texts they may name, what they decide, and that who takes one back is believed.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "crypto/encoding.h"
#include "tests/vault/test_vault.h"
#include "vault/access/access_question.h"

namespace coffer::vault {
namespace {

using enum Role;

constexpr std::int64_t kConsentHour = std::int64_t{3600} * 1000;
constexpr std::string_view kConsentPurpose = "marketing";

class ConsentingVault : public TestVault {
 public:
  ConsentingVault() {
    client = NewClient("A-1", {"vip"});
    contact = NewContact(client, {{"last_name", "Roe"}});
    other = NewClient("A-2", {"vip"});
    NewContact(other, {{"last_name", "Roe"}});
    REQUIRE(PutText("newsletter", {{"en", "I agree.\n"}, {"de", "Ich stimme zu."}}) == "ok");
    clock.Advance(1000);
  }
  std::string PutText(std::string_view name, std::vector<ConsentWording> wordings,
                      std::optional<std::uint64_t> minimum_age = {},
                      std::optional<Timestamp> shown_since = {}) {
    last = As(kPrivacyOfficer);
    const auto put = (*this)->consent_texts().PutConsentText(
        last, name, {std::move(wordings), minimum_age, shown_since});
    issues = IssuesOf(put);
    return AnswerOf(put);
  }
  std::string Require(bool required, std::string_view purpose = kConsentPurpose) {
    const json definition = {
        {"title", "A purpose"}, {"legal_basis", "consent"}, {"requires_consent", required}};
    return AnswerOf(
        (*this)->purposes().PutPurpose(As(kPrivacyOfficer), purpose, definition.dump()));
  }
  static ConsentRequest Request(std::string_view purpose = kConsentPurpose) {
    ConsentRequest request;
    request.purpose = purpose;
    request.text = {"newsletter", 1, "en"};
    request.channel = "paper";
    request.evidence = kEvidence;
    return request;
  }
  std::string Give(const ConsentRequest& request) { return GiveFor(client, request); }
  std::string GiveFor(const ClientId& whose, const ConsentRequest& request) {
    last = As(kPrivacyOfficer);
    const auto told = (*this)->consents().GiveConsent(last, whose, request);
    issues = IssuesOf(told);
    if (told) id = told->consent.id;
    return AnswerOf(told);
  }
  std::string Withdraw(const ConsentId& which) {
    last = As(kPrivacyOfficer);
    return AnswerOf((*this)->consents().WithdrawConsent(last, client, which, {}));
  }
  std::vector<ToldConsent> Listed() {
    auto told = (*this)->consents().ListConsents(As(kPrivacyOfficer), client);
    INFO(AnswerOf(told));
    REQUIRE(told);
    return *told;
  }
  Caller Crm(std::string_view purpose = kConsentPurpose) {
    last = As(kCrmService, std::string(purpose));
    return last;
  }
  std::string Read(std::string_view purpose = kConsentPurpose) {
    return AnswerOf((*this)->records().GetRecord(Crm(purpose), client, contact));
  }
  std::size_t Found() {
    const auto page = (*this)->searches().SearchByField(Crm(), "contact", "last_name", "Roe", {});
    REQUIRE(page);
    return page->items.size();
  }
  std::size_t ListedClients(std::string_view tag, std::string_view class_name) {
    const auto page = (*this)->clients().ListClients(Crm(), tag, class_name, {});
    REQUIRE(page);
    return page->items.size();
  }
  std::size_t Exported() {
    const auto page = (*this)->exports().Export(As(kPrivacyOfficer, std::string(kConsentPurpose)),
                                                {}, {.limit = 1000, .cursor = {}});
    REQUIRE(page);
    return page->lines.size();
  }
  static constexpr std::string_view kEvidence = "form of Ms Roe, folder 12";
  ClientId client, other;
  RecordId contact;
  ConsentId id;
  Caller last;
  Strings issues;
};

std::string HashOfLastEntry(ConsentingVault& vault, std::uint64_t seq) {
  const auto log = vault.WholeLog();
  REQUIRE(seq < log.size());
  REQUIRE(log[seq].payload_hash);
  return crypto::HexEncode(*log[seq].payload_hash);
}

std::string HashOfStatement(const std::string& statement) {
  return crypto::HexEncode(crypto::Sha256(crypto::AsBytes(statement)));
}

}  // namespace

TEST_CASE("without a consent nothing of the client is disclosed or changed for the purpose") {
  ConsentingVault vault;
  CHECK(vault.Read() == "ok");
  REQUIRE(vault.Require(true) == "ok");
  for (int round = 0; round < 2; ++round) {
    CHECK(AnswerOf(vault->clients().GetClient(vault.Crm(), vault.client)) == "consent_missing");
    CHECK(vault.EntryOf(vault.last) == vault.Denied(kCrmService, {{"action", "client.read"},
                                                                  {"client", vault.client.Text()},
                                                                  {"purpose", "marketing"},
                                                                  {"rule", "check:consent"},
                                                                  {"outcome", "consent_missing"}}));
    CHECK(AnswerOf(vault->clients().UpdateClient(vault.Crm(), vault.client, 1, {})) ==
          "consent_missing");
    CHECK(vault.Read() == "consent_missing");
    CHECK(AnswerOf(vault->records().GetRecordVersion(vault.Crm(), vault.client, vault.contact,
                                                     1)) == "consent_missing");
    CHECK(AnswerOf(vault->records().ListVersions(vault.Crm(), vault.client, vault.contact)) ==
          "consent_missing");
    CHECK(AnswerOf(vault->records().ListRecords(vault.Crm(), vault.client, "", true, {})) ==
          "consent_missing");
    CHECK(AnswerOf(vault->records().CreateRecord(vault.Crm(), vault.client, "contact",
                                                 {{"last_name", "Doe"}}, {})) == "consent_missing");
    CHECK(AnswerOf(vault->records().UpdateRecord(vault.Crm(), vault.client, vault.contact, 1,
                                                 {{"last_name", "Doe"}})) == "consent_missing");
    CHECK(AnswerOf(vault->records().DeleteRecord(vault.Crm(), vault.client, vault.contact, {})) ==
          "consent_missing");
    CHECK(AnswerOf(vault->imports().ImportRecord(
              vault.Crm(), {"A-1", "contact", "", {{"last_name", "Doe"}}})) == "consent_missing");
    CHECK(vault->searches().SearchByReference(vault.Crm(), "A-1")->items.empty());
    CHECK(vault.Found() == 0);
    CHECK(vault.ListedClients("", "") == 0);
    CHECK(vault.ListedClients("vip", "") == 0);
    CHECK(vault.ListedClients("", "contact") == 0);
    CHECK(vault.Exported() == 0);
    // Nobody can have consented who is not there yet: not even to being stored.
    CHECK(AnswerOf(vault->clients().CreateClient(vault.Crm(), {}, {})) == "consent_missing");
    CHECK(vault.EntryOf(vault.last).at("rule") == "check:consent");
    CHECK(AnswerOf(vault->imports().ImportRecord(
              vault.Crm(), {"A-9", "contact", "", {{"last_name", "Doe"}}})) == "consent_missing");
    CHECK(vault->searches().SearchByReference(vault.Crm("client-care"), "A-9")->items.empty());
    // Who is not there, or not for the caller, is just that.
    CHECK(AnswerOf(vault->clients().GetClient(vault.Crm(), ClientId::New(vault.clock.Now()))) ==
          "not_found");
    CHECK(AnswerOf(vault->clients().GetClient(vault.As(kCaseWorker, "marketing"), vault.client)) ==
          "not_found");
    // Other purposes go on, and so does what is done for the client's own rights.
    CHECK(vault.Read("client-care") == "ok");
    const auto package =
        vault->exports().PackageClient(vault.As(kPrivacyOfficer, "marketing"), vault.client, {});
    REQUIRE(package);
    CHECK(package->lines.size() == 2);
    vault.Close();
    vault.Open();
  }
  REQUIRE(vault.Give(ConsentingVault::Request()) == "ok");
  for (int round = 0; round < 2; ++round) {
    CHECK(vault.Read() == "ok");
    CHECK(vault.Found() == 1);
    CHECK(vault.ListedClients("", "") == 1);
    CHECK(vault.ListedClients("vip", "contact") == 1);
    CHECK(vault.Exported() == 2);
    vault.Close();
    vault.Open();
  }
  CHECK(vault->imports().ImportRecord(vault.Crm(), {"A-1", "contact", "", {{"last_name", "Roe"}}}));
  REQUIRE(vault.Withdraw(vault.id) == "ok");
  CHECK(vault.Read() == "consent_missing");
  // The rule goes, and the refusals with it, from the next request on.
  REQUIRE(vault.Require(false) == "ok");
  CHECK(vault.Read() == "ok");
  CHECK(vault.ListedClients("", "") == 2);
  vault.CheckInvariants();
}

TEST_CASE("a purpose that begins to require consent counts those that stand") {
  ConsentingVault vault;
  REQUIRE(vault.Give(ConsentingVault::Request()) == "ok");
  REQUIRE(vault.GiveFor(vault.other, ConsentingVault::Request()) == "ok");
  const ConsentId of_other = vault.id;
  REQUIRE(vault->consents().WithdrawConsent(vault.As(kPrivacyOfficer), vault.other, of_other, {}));
  REQUIRE(vault.Require(true) == "ok");
  CHECK(vault.Read() == "ok");
  CHECK(AnswerOf(vault->clients().GetClient(vault.Crm(), vault.other)) == "consent_missing");
  // One of another purpose says nothing for this one.
  REQUIRE(vault.Require(true, "billing") == "ok");
  CHECK(vault.Read("billing") == "consent_missing");
  REQUIRE(vault.Give(ConsentingVault::Request("billing")) == "ok");
  CHECK(vault.Read("billing") == "ok");
  CHECK(AnswerOf(vault->clients().GetClient(vault.Crm("billing"), vault.other)) ==
        "consent_missing");
  REQUIRE(vault.Withdraw(vault.id) == "ok");
  CHECK(vault.Read("billing") == "consent_missing");
  CHECK(vault.Read() == "ok");
  // While it requires none, what is withdrawn is withdrawn.
  REQUIRE(vault.Require(false) == "ok");
  REQUIRE(vault.Withdraw(vault.Listed()[0].consent.id) == "ok");
  REQUIRE(vault.Require(true) == "ok");
  CHECK(vault.Read() == "consent_missing");
  vault.CheckInvariants();
}

TEST_CASE("a consent is proven by its text, its times and the entries of the log") {
  ConsentingVault vault;
  ConsentRequest request = ConsentingVault::Request();
  request.given = Timestamp{vault.clock.Now().ms - 500};
  request.expires = Timestamp{vault.clock.Now().ms + kConsentHour};
  request.sha256 = crypto::Sha256(crypto::AsBytes("I agree.\n"));
  request.authority = "her mother, birth certificate seen";
  REQUIRE(vault.Give(request) == "ok");
  CHECK(vault.EntryOf(vault.last).at("detail") ==
        vault.id.Text() + "; given; marketing; newsletter v1 en");
  for (int round = 0; round < 2; ++round) {
    const auto told = vault->consents().GetConsent(vault.As(kAuditor), vault.client, vault.id);
    REQUIRE(told);
    const Consent& consent = told->consent;
    CHECK(told->stands);
    CHECK(consent.client == vault.client);
    CHECK(consent.purpose == "marketing");
    CHECK(consent.text.name == "newsletter");
    CHECK(consent.text.version == 1);
    CHECK(consent.text.language == "en");
    CHECK(consent.sha256 == *request.sha256);
    CHECK(consent.given == *request.given);
    CHECK(consent.expires == request.expires);
    CHECK(consent.recorded == vault.clock.Now());
    CHECK(consent.channel == ConsentChannel::kPaper);
    CHECK(!consent.by_client);
    CHECK(consent.authority == request.authority);
    CHECK(consent.evidence == ConsentingVault::kEvidence);
    CHECK(!consent.of_age);
    CHECK(consent.recorded_by == vault.TokenOf(kPrivacyOfficer).principal);
    const auto log = vault.WholeLog();
    REQUIRE(consent.seq < log.size());
    CHECK(log[consent.seq].detail.starts_with(vault.id.Text()));
    CHECK(HashOfLastEntry(vault, consent.seq) == HashOfStatement(StatementOf(consent)));
    vault.Close();
    vault.Open();
  }
  REQUIRE(vault->consents().WithdrawConsent(vault.As(kPrivacyOfficer), vault.client, vault.id,
                                            ConsentChannel::kPhone));
  for (int round = 0; round < 2; ++round) {
    const auto told = vault.Listed();
    REQUIRE(told.size() == 1);
    CHECK(!told[0].stands);
    const Consent& consent = told[0].consent;
    REQUIRE(consent.withdrawal);
    CHECK(consent.withdrawal->withdrawn == vault.clock.Now());
    CHECK(consent.withdrawal->channel == ConsentChannel::kPhone);
    CHECK(consent.evidence == ConsentingVault::kEvidence);
    CHECK(HashOfLastEntry(vault, consent.withdrawal->seq) ==
          HashOfStatement(WithdrawalStatementOf(consent)));
    CHECK(vault.WholeLog()[consent.withdrawal->seq].detail ==
          vault.id.Text() + "; withdrawn; marketing");
    vault.Close();
    vault.Open();
  }
  // The words are in no entry, and not in the rows as they are.
  for (const auto& entry : vault.WholeLog()) {
    CHECK(entry.detail.find("folder") == std::string::npos);
    CHECK(entry.detail.find("mother") == std::string::npos);
  }
  const Bytes details = vault.Blob("SELECT details FROM consents");
  CHECK(crypto::AsText(details).find("folder") == std::string_view::npos);
  vault.CheckInvariants();
}

TEST_CASE("nobody agreed to a text that was never shown, before it was, or in a time to come") {
  ConsentingVault vault;
  const auto told = [&](auto change) {
    ConsentRequest request = ConsentingVault::Request();
    change(request);
    const std::string answer = vault.Give(request);
    return answer + (vault.issues.empty() ? "" : " " + vault.issues.front());
  };
  const std::string never = "consent_invalid /text was never stored: nobody can have been shown it";
  CHECK(told([](auto& r) { r.text.version = 2; }) == never);
  CHECK(told([](auto& r) { r.text.version = 0; }) == never);
  CHECK(told([](auto& r) { r.text.version = ~std::uint64_t{0}; }) == never);
  CHECK(told([](auto& r) { r.text.language = "fr"; }) == never);
  CHECK(told([](auto& r) { r.text.language = "EN"; }).starts_with("consent_invalid /text/lang"));
  CHECK(told([](auto& r) { r.text.name = "other"; }) == never);
  CHECK(told([](auto& r) { r.text.name = "Ms Roe"; }).starts_with("consent_invalid /text/name"));
  CHECK(told([](auto& r) { r.sha256 = crypto::Hash{}; }) ==
        "consent_invalid /text/sha256 is not that of the text that is stored");
  CHECK(told([](auto& r) { r.purpose = "no-such"; }) ==
        "consent_invalid /purpose is not in the register");
  CHECK(told([](auto& r) { r.channel = "pigeon"; }).starts_with("consent_invalid /channel"));
  CHECK(told([](auto& r) { r.evidence = ""; }).starts_with("consent_invalid /evidence"));
  CHECK(told([](auto& r) { r.evidence = "two\nlines"; }).starts_with("consent_invalid /evidence"));
  CHECK(told([](auto& r) {
          r.authority = std::string(1001, 'x');
        }).starts_with("consent_invalid /authority"));
  const Timestamp now = vault.clock.Now();
  CHECK(told([&](auto& r) { r.given = Timestamp{now.ms + 1}; }) ==
        "consent_invalid /given must not be in the future");
  CHECK(told([&](auto& r) {
          r.given = Timestamp{now.ms - 1001};
        }).starts_with("consent_invalid /given must not be before the text was shown"));
  for (const std::int64_t odd : {std::numeric_limits<std::int64_t>::min(), std::int64_t{0}}) {
    CHECK(told([&](auto& r) { r.given = Timestamp{odd}; }).starts_with("consent_invalid /given"));
    CHECK(told([&](auto& r) { r.expires = Timestamp{odd}; }) ==
          "consent_invalid /expires must be in the future");
  }
  CHECK(told([&](auto& r) { r.expires = now; }) ==
        "consent_invalid /expires must be in the future");
  CHECK(told([&](auto& r) {
          r.given = Timestamp{std::numeric_limits<std::int64_t>::max()};
        }).starts_with("consent_invalid /given"));
  CHECK(vault.Listed().empty());
  CHECK(vault.Number("SELECT count(*) FROM consents") == 0);
  // At the very moments, and in the other language.
  CHECK(told([&](auto& r) { r.given = now; }) == "ok");
  CHECK(told([&](auto& r) {
          r.given = Timestamp{now.ms - 1000};
          r.text.language = "de";
          r.expires = Timestamp{now.ms + 1};
        }) == "ok");
  CHECK(AnswerOf(vault->consents().GiveConsent(vault.As(kPrivacyOfficer), ClientId::New(now),
                                               ConsentingVault::Request())) == "not_found");
  // One that people were shown before the vault had it.
  REQUIRE(vault.PutText("older", {{"en", "Yes."}}, {}, Timestamp{1000}) == "ok");
  CHECK(told([&](auto& r) {
          r.text.name = "older";
          r.given = Timestamp{1000};
        }) == "ok");
  vault.CheckInvariants();
}

TEST_CASE("where the text asks for an age it is said, and a child does not consent alone") {
  ConsentingVault vault;
  REQUIRE(vault.PutText("newsletter", {{"en", "I agree, and am 16."}}, 16) == "ok");
  ConsentRequest request = ConsentingVault::Request();
  request.of_age = true;
  CHECK(vault.Give(request) == "consent_invalid");
  CHECK(vault.issues == Strings{"/of_age has no place: the text asks for no age"});
  request.text.version = 2;
  CHECK(vault.Give(request) == "ok");
  request.of_age = false;
  CHECK(vault.Give(request) == "consent_invalid");
  CHECK(vault.issues ==
        Strings{"/authority is required of who consents for a client that is not of age"});
  request.authority = "her father";
  CHECK(vault.Give(request) == "ok");
  request.of_age.reset();
  CHECK(vault.Give(request) == "consent_invalid");
  const auto told = vault.Listed();
  REQUIRE(told.size() == 2);
  CHECK(told[0].consent.of_age == true);
  CHECK(told[1].consent.of_age == false);
}

TEST_CASE("texts have versions, and what is stored stays") {
  ConsentingVault vault;
  const auto get = [&](std::optional<std::uint64_t> version) {
    return vault->consent_texts().GetConsentText(vault.As(kAuditor), "newsletter", version);
  };
  // The same makes no version, in whatever order.
  CHECK(vault.PutText("newsletter", {{"de", "Ich stimme zu."}, {"en", "I agree.\n"}}) == "ok");
  CHECK(vault.EntryOf(vault.last).at("outcome") == "unchanged");
  CHECK(get({})->version == 1);
  CHECK(vault.PutText("newsletter", {{"en", "I agree."}}) == "ok");
  CHECK(vault.EntryOf(vault.last).at("detail") == "newsletter v2: en");
  const auto newest = get({});
  REQUIRE(newest);
  CHECK(newest->version == 2);
  CHECK(vault.EntryOf(vault.last).at("payload_hash") == HashOfStatement(StatementOf(*newest)));
  const auto first = get(1);
  REQUIRE(first);
  REQUIRE(first->wordings.size() == 2);
  CHECK(first->wordings[0].language == "de");
  CHECK(first->wordings[1].text == "I agree.\n");
  CHECK(first->wordings[1].sha256 == crypto::Sha256(crypto::AsBytes("I agree.\n")));
  CHECK(AnswerOf(get(3)) == "not_found");
  CHECK(AnswerOf(get(~std::uint64_t{0})) == "not_found");
  const auto all = vault->consent_texts().ListConsentTexts(vault.As(kAuditor));
  REQUIRE(all);
  REQUIRE(all->size() == 2);
  CHECK((*all)[0].version == 1);
  CHECK((*all)[0].wordings.size() == 2);
  CHECK((*all)[0].wordings[0].text.empty());
  CHECK((*all)[1].wordings[0].sha256 == newest->wordings[0].sha256);

  const auto told = [&](std::string_view name, std::vector<ConsentWording> wordings) {
    CHECK(vault.PutText(name, std::move(wordings)) == "consent_text_invalid");
    return vault.issues.empty() ? "" : vault.issues.front().substr(0, vault.issues[0].find(' '));
  };
  CHECK(told("Ms-Roe", {{"en", "x"}}).empty());
  CHECK(told("a", {}) == "/texts");
  CHECK(told("a", {51, ConsentWording{"en", "x"}}) == "/texts");
  CHECK(told("a", {{"en", "x"}, {"en", "y"}}) == "/texts/1/language");
  for (const std::string_view tag :
       {"", "e", "EN", "engl", "en-", "en--us", "en-a", "en_US", "en-áb", "en-123456789",
        "en-aa-aa-aa-aa-aa-aa-aa-aa-aa-aa-aa-aa"}) {
    INFO(tag);
    CHECK(told("a", {{std::string(tag), "x"}}) == "/texts/0/language");
  }
  CHECK(told("a", {{"en", " \n"}}) == "/texts/0/text");
  CHECK(told("a", {{"en", std::string(32 * 1024 + 1, 'x')}}) == "/texts/0/text");
  CHECK(vault.PutText("a", {{"en", "x"}}, 121) == "consent_text_invalid");
  CHECK(vault.PutText("a", {{"en", "x"}}, 0) == "consent_text_invalid");
  CHECK(vault.PutText("a", {{"en", "x"}}, {}, Timestamp{vault.clock.Now().ms + 1}) ==
        "consent_text_invalid");
  CHECK(vault.issues == Strings{"/shown_since must not be in the future"});
  CHECK(vault.PutText("a", {{"zh-Hans", std::string(32 * 1024, 'x')}, {"de-CH-1996", "y"}}) ==
        "ok");
  vault.Close();
  vault.Open();
  CHECK(get(1)->wordings[1].text == "I agree.\n");
  vault.CheckInvariants();
}

TEST_CASE("a withdrawal ends all that was agreed to the purpose, and each has its entry") {
  ConsentingVault vault;
  REQUIRE(vault.Require(true) == "ok");
  REQUIRE(vault.Give(ConsentingVault::Request()) == "ok");
  const ConsentId first = vault.id;
  vault.clock.Advance(1);
  ConsentRequest brief = ConsentingVault::Request();
  brief.expires = Timestamp{vault.clock.Now().ms + 10};
  REQUIRE(vault.Give(brief) == "ok");
  const ConsentId expired = vault.id;
  REQUIRE(vault.Give(ConsentingVault::Request()) == "ok");
  const ConsentId last = vault.id;
  REQUIRE(vault.Give(ConsentingVault::Request("billing")) == "ok");
  vault.clock.Advance(10);
  REQUIRE(vault.Withdraw(last) == "ok");
  const auto entries = vault.EntriesOf(vault.last);
  std::set<std::string> said;
  for (const json& entry : entries) said.insert(entry.at("detail"));
  // Also what had expired: a clock that is mended brings it back as little as the others.
  CHECK(said == std::set<std::string>{first.Text() + "; withdrawn; marketing",
                                      expired.Text() + "; withdrawn; marketing",
                                      last.Text() + "; withdrawn; marketing"});
  CHECK(entries.back().at("detail") == last.Text() + "; withdrawn; marketing");
  CHECK(vault.Read() == "consent_missing");
  const auto told = vault.Listed();
  REQUIRE(told.size() == 4);
  for (const ToldConsent& one : told) {
    const bool withdrawn = one.consent.purpose != "billing";
    CHECK(one.consent.withdrawal.has_value() == withdrawn);
    CHECK(one.stands == (one.consent.purpose == "billing"));
    if (!withdrawn) continue;
    CHECK(vault.WholeLog()[one.consent.withdrawal->seq].detail.starts_with(one.consent.id.Text()));
  }
  // Once more changes nothing, and says so.
  const auto when = told.back().consent.recorded;
  vault.clock.Advance(5);
  REQUIRE(vault.Withdraw(last) == "ok");
  CHECK(vault.EntryOf(vault.last).at("outcome") == "unchanged");
  CHECK(vault.Listed()[2].consent.withdrawal->withdrawn == told[2].consent.withdrawal->withdrawn);
  CHECK(vault.Withdraw(expired) == "ok");
  CHECK(vault.Listed().size() == 4);
  CHECK(vault.Withdraw(ConsentId::New(when)) == "not_found");
  CHECK(AnswerOf(vault->consents().WithdrawConsent(vault.As(kPrivacyOfficer), vault.other, last,
                                                   {})) == "not_found");
  vault.CheckInvariants();
}

TEST_CASE("what is recorded late is not agreed anew after a withdrawal") {
  ConsentingVault vault;
  REQUIRE(vault.Require(true) == "ok");
  REQUIRE(vault.Give(ConsentingVault::Request()) == "ok");
  vault.clock.Advance(100);
  const Timestamp withdrawn = vault.clock.Now();
  REQUIRE(vault.Withdraw(vault.id) == "ok");
  ConsentRequest late = ConsentingVault::Request();
  for (const std::int64_t before : {50, 0}) {
    late.given = Timestamp{withdrawn.ms - before};
    CHECK(vault.Give(late) == "consent_invalid");
    CHECK(vault.issues.front().starts_with("/given must be after consent to this purpose was"));
  }
  CHECK(vault.Read() == "consent_missing");
  // To another purpose it was never withdrawn; and what is given now is given.
  late.purpose = "billing";
  CHECK(vault.Give(late) == "ok");
  CHECK(vault.Read() == "consent_missing");
  CHECK(vault.Give(ConsentingVault::Request()) == "ok");
  CHECK(vault.Read() == "ok");
  vault.clock.Advance(100);
  REQUIRE(vault.Withdraw(vault.id) == "ok");
  vault.clock.Advance(100);
  late = ConsentingVault::Request();
  late.given = vault.clock.Now();
  CHECK(vault.Give(late) == "ok");
  CHECK(vault.Read() == "ok");
}

TEST_CASE("a consent that has expired stands no more, before and after a start") {
  ConsentingVault vault;
  REQUIRE(vault.Require(true) == "ok");
  ConsentRequest request = ConsentingVault::Request();
  request.expires = Timestamp{vault.clock.Now().ms + 40 * kConsentHour};
  REQUIRE(vault.Give(request) == "ok");
  vault.clock.Advance(40 * kConsentHour - 1);
  CHECK(vault.Read() == "ok");
  CHECK(vault.Listed()[0].stands);
  vault.clock.Advance(1);
  CHECK(vault.Read() == "consent_missing");
  CHECK(vault.Found() == 0);
  CHECK(vault.Exported() == 0);
  CHECK(!vault.Listed()[0].stands);
  // A clock that is set back brings it back for nobody.
  vault.clock.Advance(-kConsentHour);
  CHECK(vault.Read() == "consent_missing");
  vault.clock.Advance(2 * kConsentHour);
  vault.Close();
  vault.Open();
  CHECK(vault.Read() == "consent_missing");
  // Of several the one that stands longest counts.
  request.expires = Timestamp{vault.clock.Now().ms + 10};
  REQUIRE(vault.Give(request) == "ok");
  request.expires = Timestamp{vault.clock.Now().ms + 20};
  REQUIRE(vault.Give(request) == "ok");
  vault.clock.Advance(15);
  CHECK(vault.Read() == "ok");
  vault.clock.Advance(5);
  CHECK(vault.Read() == "consent_missing");
  request.expires = Timestamp{vault.clock.Now().ms + 10};
  REQUIRE(vault.Give(request) == "ok");
  REQUIRE(vault.Give(ConsentingVault::Request()) == "ok");
  vault.clock.Advance(kConsentHour);
  vault.Close();
  vault.Open();
  CHECK(vault.Read() == "ok");
  vault.CheckInvariants();
}

TEST_CASE("what is under way stops where the consent is withdrawn") {
  ConsentingVault vault;
  REQUIRE(vault.Require(true) == "ok");
  for (int i = 3; i < 7; ++i) {
    const ClientId one = vault.NewClient("A-" + std::to_string(i));
    vault.NewContact(one, {{"last_name", "Roe"}});
    REQUIRE(vault.GiveFor(one, ConsentingVault::Request()) == "ok");
  }
  const ClientId last = vault.client;
  REQUIRE(vault.GiveFor(last, ConsentingVault::Request()) == "ok");
  const ConsentId of_last = vault.id;
  const auto withdraw = [&] {
    REQUIRE(vault->consents().WithdrawConsent(vault.As(kPrivacyOfficer), last, of_last, {}));
  };
  SECTION("an export, between two pages: the first client's records do not follow") {
    const Caller officer = vault.As(kPrivacyOfficer, "marketing");
    const auto first = vault->exports().Export(officer, {}, {.limit = 1, .cursor = {}});
    REQUIRE(first);
    REQUIRE(first->lines.size() == 1);
    CHECK(std::get<ClientInfo>(first->lines[0]).id == last);
    withdraw();
    std::vector<std::string> clients;
    PageRequest page{100, first->next_cursor};
    do {
      const auto more = vault->exports().Export(vault.As(kPrivacyOfficer, "marketing"), {}, page);
      REQUIRE(more);
      for (const auto& line : more->lines) {
        const auto* const record = std::get_if<RecordInfo>(&line);
        clients.push_back((record ? record->client : std::get<ClientInfo>(line).id).Text());
      }
      page.cursor = more->next_cursor;
    } while (!page.cursor.empty());
    CHECK(clients.size() == 8);
    CHECK(std::ranges::find(clients, last.Text()) == clients.end());
  }
  SECTION("a search and a list, between two pages") {
    const auto first =
        vault->searches().SearchByField(vault.Crm(), "contact", "last_name", "Roe", {2, ""});
    REQUIRE(first);
    withdraw();
    std::size_t found = 0;
    PageRequest page{100, ""};
    const auto more =
        vault->searches().SearchByField(vault.Crm(), "contact", "last_name", "Roe", page);
    REQUIRE(more);
    for (const auto& hit : more->items) {
      ++found;
      CHECK(hit.client != last);
    }
    CHECK(found == 4);
    CHECK(vault.ListedClients("", "") == 4);
  }
  SECTION("a record, or a line of an import, that has begun and is not decided") {
    const bool imported = GENERATE(false, true);
    vault.clock.Interrupt(withdraw);
    const std::string answer =
        imported ? AnswerOf(vault->imports().ImportRecord(
                       vault.Crm(), {"A-1", "contact", "", {{"last_name", "Doe"}}}))
                 : AnswerOf(vault->records().CreateRecord(vault.Crm(), last, "contact",
                                                          {{"last_name", "Doe"}}, {}));
    CHECK(answer == "consent_missing");
    CHECK(vault.Number("SELECT count(*) FROM consents WHERE withdrawn IS NOT NULL") == 1);
  }
  SECTION("an import, between two lines") {
    const auto line = [&](std::string name) {
      return AnswerOf(vault->imports().ImportRecord(
          vault.Crm(), {"A-1", "contact", "", {{"last_name", std::move(name)}}}));
    };
    CHECK(line("Doe") == "ok");
    withdraw();
    CHECK(line("Poe") == "consent_missing");
  }
  vault.CheckInvariants();
}

TEST_CASE("a restriction and a missing consent stop side by side, and the first is told") {
  ConsentingVault vault;
  REQUIRE(vault.Require(true) == "ok");
  const auto placed = vault->restrictions().Restrict(vault.As(kPrivacyOfficer), vault.client,
                                                     {"", "objection", {false, {"marketing"}}});
  REQUIRE(placed);
  CHECK(vault.Read() == "restricted");
  REQUIRE(vault.Give(ConsentingVault::Request()) == "ok");
  CHECK(vault.Read() == "restricted");
  REQUIRE(vault->restrictions().LiftRestriction(vault.As(kPrivacyOfficer, "client-care", "settled"),
                                                vault.client, placed->id));
  CHECK(vault.Read() == "ok");
}

TEST_CASE("who sees only some clients needs their consent as well, with a lease too") {
  ConsentingVault vault;
  const PrincipalId worker = vault.TokenOf(kCaseWorker).principal;
  REQUIRE(vault->assignments().Assign(vault.As(kSupervisor), vault.client, worker, {}));
  REQUIRE(
      vault->leases().GiveLease(vault.As(kSupervisor), vault.client,
                                {worker, "contact", {"last_name"}, "client-care", "K-1", 3600}));
  const auto read = [&] {
    return AnswerOf(vault->records().GetRecord(vault.As(kCaseWorker), vault.client, vault.contact));
  };
  const auto listed = [&] {
    return vault->clients().ListClients(vault.As(kCaseWorker), "", "", {})->items.size();
  };
  CHECK(read() == "ok");
  REQUIRE(vault.Require(true, "client-care") == "ok");
  CHECK(read() == "consent_missing");
  CHECK(listed() == 0);
  REQUIRE(vault.Give(ConsentingVault::Request("client-care")) == "ok");
  CHECK(read() == "ok");
  CHECK(listed() == 1);
}

TEST_CASE("an explanation tells of the consent that is missing, and at which time") {
  ConsentingVault vault;
  REQUIRE(vault.Require(true) == "ok");
  const auto explained = [&](std::optional<Timestamp> at = std::nullopt) {
    AccessQuestion question;
    question.principal = vault.TokenOf(kCrmService).principal;
    question.action = "record.read";
    question.client = vault.client;
    question.class_name = "contact";
    question.purpose = "marketing";
    question.at = at;
    const auto answer =
        vault->access_explanations().ExplainAccess(vault.As(kSecurityOfficer), question);
    REQUIRE(answer);
    return answer->rule + " " + answer->reason;
  };
  CHECK(explained() == "check:consent consent_missing");
  ConsentRequest request = ConsentingVault::Request();
  request.expires = Timestamp{vault.clock.Now().ms + kConsentHour};
  REQUIRE(vault.Give(request) == "ok");
  CHECK(explained() == "role:crm-service ");
  CHECK(explained(request.expires) == "check:consent consent_missing");
}

TEST_CASE("with its client a consent is gone, and of a part its words are sealed again") {
  ConsentingVault vault;
  REQUIRE(vault.Require(true) == "ok");
  REQUIRE(vault.Give(ConsentingVault::Request()) == "ok");
  const Bytes before = vault.Blob("SELECT details FROM consents");
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), vault.client,
                                  {.class_name = "contact", .records = {}}));
  CHECK(vault.Blob("SELECT details FROM consents") != before);
  CHECK(vault.Listed()[0].consent.evidence == ConsentingVault::kEvidence);
  CHECK(AnswerOf(vault->clients().GetClient(vault.Crm(), vault.client)) == "ok");
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), vault.client, {}));
  CHECK(vault.Number("SELECT count(*) FROM consents") == 0);
  CHECK(AnswerOf(vault->clients().GetClient(vault.Crm(), vault.client)) == "not_found");
  CHECK(AnswerOf(vault->consents().ListConsents(vault.As(kPrivacyOfficer), vault.client)) ==
        "not_found");
  CHECK(vault.Withdraw(vault.id) == "not_found");
  CHECK(vault.Give(ConsentingVault::Request()) == "not_found");
  vault.CheckInvariants();
}

TEST_CASE("a consent that was revived or a text that was changed past the vault is seen") {
  ConsentingVault vault;
  REQUIRE(vault.Give(ConsentingVault::Request()) == "ok");
  REQUIRE(vault.Withdraw(vault.id) == "ok");
  vault.Close();
  SECTION("revived") { vault.Tamper("UPDATE consents SET withdrawn = NULL"); }
  SECTION("prolonged") { vault.Tamper("UPDATE consents SET expires = 1"); }
  SECTION("changed") { vault.Tamper("UPDATE consent_wordings SET wording = 'I agree to all.'"); }
  SECTION("taken away") { vault.Tamper("DELETE FROM consent_texts"); }
  CHECK(AnswerOf(vault.TryOpen()) == "state_differs");
}

TEST_CASE("a service records consents where its role says so, of the clients that it has") {
  ConsentingVault vault;
  const auto give = [&](const Caller& caller, const ClientId& client) {
    return AnswerOf(vault->consents().GiveConsent(caller, client, ConsentingVault::Request()));
  };
  CHECK(give(vault.Crm(), vault.client) == "permission_denied");
  REQUIRE(vault->roles().PutRole(
      vault.As(kAdministrator), "web-shop",
      R"({"grants": [{"actions": ["consent.write"], "scope": {"tag": "shop"}}]})"));
  const ClientId shopper = vault.NewClient("A-3", {"shop"});
  const auto token = vault.NewTokenFor("web-shop", 3600);
  REQUIRE(token);
  const auto shop = [&] { return TestVault::Stranger(token->secret); };
  const auto told = vault->consents().GiveConsent(shop(), shopper, ConsentingVault::Request());
  REQUIRE(told);
  CHECK(give(shop(), vault.client) == "not_found");
  CHECK(AnswerOf(vault->consents().ListConsents(shop(), shopper)) == "permission_denied");
  // Withdrawing discloses no words that somebody else wrote.
  const auto withdrawn = vault->consents().WithdrawConsent(shop(), shopper, told->consent.id, {});
  REQUIRE(withdrawn);
  CHECK(withdrawn->consent.evidence.empty());
  CHECK(AnswerOf(vault->consent_texts().ListConsentTexts(shop())) == "permission_denied");
}

TEST_CASE("a request to withdraw is answered by the withdrawal, and not by a consent") {
  ConsentingVault vault;
  RequestForm asked;
  asked.kind = RequestKind::kConsentWithdrawal;
  asked.regime = "gdpr";
  asked.channel = "email";
  asked.received = vault.clock.Now();
  asked.client = vault.client;
  const auto request = vault->requests().RegisterRequest(vault.As(kPrivacyOfficer), asked);
  REQUIRE(request);
  const auto step = [&](StepKind kind, std::vector<std::uint64_t> entries) {
    StepForm form;
    form.kind = kind;
    form.entries = std::move(entries);
    return AnswerOf(vault->requests().TakeStep(vault.As(kPrivacyOfficer), request->row.id, form));
  };
  REQUIRE(step(StepKind::kAccept, {}) == "ok");
  REQUIRE(vault.Give(ConsentingVault::Request()) == "ok");
  CHECK(step(StepKind::kAnswer, {vault.Listed()[0].consent.seq}) == "fulfilment_missing");
  REQUIRE(vault.Withdraw(vault.id) == "ok");
  CHECK(step(StepKind::kAnswer, {vault.Listed()[0].consent.withdrawal->seq}) == "ok");
}

}  // namespace coffer::vault
