// Evidence: what is in a bundle, for whom, and that it verifies without the vault.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <functional>

#include "audit/documents/evidence_bundle.h"
#include "tests/support/sampling.h"
#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

class Witnessed : public TestVault {
 public:
  Witnessed() : client(NewClient("A-1")), other(NewClient("A-2")) {
    record = NewContact(client, {{"last_name", "Roe"}});
    for (int i = 0; i < 300; ++i) {
      clock.Advance(60'000);
      (*this)->records().GetRecord(As(kCrmService, "client-care", i % 50 == 0 ? "call back" : ""),
                                   client, record);
      (*this)->clients().GetClient(As(kCrmService), other);
    }
  }
  audit::Evidence Make(Role role, const EvidenceRequest& request) {
    const auto bundle = (*this)->evidence().MakeEvidence(As(role), request);
    INFO(AnswerOf(bundle));
    REQUIRE(bundle);
    report = audit::VerifyEvidence(crypto::AsBytes(*bundle), *audit::ParseVerifierKey(LogKey()));
    INFO((report.ok() ? "" : report.findings.front().message));
    CHECK(report.ok());
    const auto evidence = audit::ReadEvidence(crypto::AsBytes(*bundle));
    REQUIRE(evidence);
    return *evidence;
  }
  std::vector<std::uint64_t> SeqsWhere(const std::function<bool(const audit::Entry&)>& wanted,
                                       std::uint64_t before) {
    std::vector<std::uint64_t> seqs;
    for (const auto& entry : WholeLog()) {
      if (entry.seq < before && wanted(entry)) seqs.push_back(entry.seq);
    }
    return seqs;
  }

  ClientId client, other;
  RecordId record;
  audit::EvidenceReport report;
};

EvidenceRequest Of(std::string client, std::string principal = {},
                   std::optional<Timestamp> from = {}, std::optional<Timestamp> to = {}) {
  return {std::move(client), std::move(principal), from, to};
}

std::vector<std::uint64_t> SeqsOf(const audit::Evidence& evidence) {
  std::vector<std::uint64_t> seqs;
  for (const auto& entry : evidence.entries) seqs.push_back(entry.seq);
  return seqs;
}

std::size_t Opened(const audit::Evidence& evidence) {
  return static_cast<std::size_t>(std::ranges::count_if(
      evidence.entries, [](const auto& entry) { return entry.note.has_value(); }));
}

}  // namespace

TEST_CASE("evidence of a client has every entry about it, with reasons for who may read them") {
  Witnessed vault;
  const auto evidence = vault.Make(kPrivacyOfficer, Of(vault.client.Text()));
  CHECK(SeqsOf(evidence) ==
        vault.SeqsWhere([&](const auto& e) { return e.client == vault.client.Text(); },
                        vault.report.checkpoint->size));
  CHECK(evidence.entries.size() > 300);
  CHECK(Opened(evidence) == 6);
  CHECK(vault.report.completeness == audit::EvidenceReport::Completeness::kClaimed);

  const auto audited = vault.Make(kAuditor, Of(vault.client.Text()));
  CHECK(Opened(audited) == 0);
  CHECK_FALSE(audited.reasons_included);
  // Making evidence is itself about the client.
  CHECK(audited.entries.back().bytes.find("\"evidence\"") != std::string::npos);
}

TEST_CASE("reasons die with their client; the entries stay") {
  Witnessed vault;
  REQUIRE(
      vault->erasures().Erase(vault.As(kPrivacyOfficer, "data-subject-request"), vault.client, {}));
  const auto evidence = vault.Make(kPrivacyOfficer, Of(vault.client.Text()));
  CHECK(evidence.entries.size() > 300);
  CHECK(Opened(evidence) == 0);
}

TEST_CASE("evidence of a principal has what it did") {
  Witnessed vault;
  const std::string crm = vault.TokenOf(kCrmService).principal.Text();
  const auto evidence = vault.Make(kSecurityOfficer, Of({}, crm));
  CHECK(SeqsOf(evidence) == vault.SeqsWhere([&](const auto& e) { return e.actor == crm; },
                                            vault.report.checkpoint->size));
}

TEST_CASE("evidence of a time proves that nothing is left out") {
  Witnessed vault;
  const auto log = vault.WholeLog();
  EvidenceRequest request;
  request.from = log[log.size() / 3].ts;
  request.to = log[log.size() / 2].ts;
  const auto evidence = vault.Make(kSecurityOfficer, request);
  CHECK(vault.report.completeness == audit::EvidenceReport::Completeness::kProven);
  auto expected = vault.SeqsWhere(
      [&](const auto& e) { return e.ts >= *request.from && e.ts < *request.to; }, log.size());
  expected.insert(expected.begin(), expected.front() - 1);
  expected.push_back(expected.back() + 1);
  CHECK(SeqsOf(evidence) == expected);
  // Nothing happened, and that is proven as well.
  request.from = Timestamp{log[log.size() / 2].ts.ms + 1};
  request.to = Timestamp{request.from->ms + 1000};
  vault.Make(kSecurityOfficer, request);
  CHECK(vault.report.completeness == audit::EvidenceReport::Completeness::kProven);
}

TEST_CASE("who may not read the log gets no evidence, and nonsense is named") {
  Witnessed vault;
  CHECK(AnswerOf(vault->evidence().MakeEvidence(vault.As(kCrmService), Of(vault.client.Text()))) ==
        "permission_denied");
  const Timestamp now = vault.clock.Now();
  const std::string crm = vault.TokenOf(kCrmService).principal.Text();
  for (const EvidenceRequest& request : {Of({}), Of("cli_1"), Of({}, "me"), Of({}, {}, now),
                                         Of({}, {}, now, now), Of(vault.client.Text(), crm)}) {
    CHECK(AnswerOf(vault->evidence().MakeEvidence(vault.As(kAuditor), request)) ==
          "evidence_invalid");
  }
}

// Of what no evidence can be made, it is said which entry it is, and there is an alarm.
TEST_CASE("evidence over a damaged entry names that entry and is not signed", testing::kPlainOnly) {
  for (const char* damage :
       {"UPDATE log_entries SET entry = CAST(replace(CAST(entry AS TEXT), '\"outcome\":\"ok\"', "
        "'\"outcome\":\"no\"') AS BLOB) WHERE seq = ?",
        "UPDATE log_entries SET entry = CAST(CAST(entry AS TEXT) || ' ' AS BLOB) WHERE seq = ?",
        "UPDATE log_entries SET entry = CAST(replace(CAST(entry AS TEXT), '\"v\":1', '\"v\":9') AS "
        "BLOB) WHERE seq = ?"}) {
    CAPTURE(damage);
    Witnessed vault;
    const auto of_client =
        vault.SeqsWhere([&](const auto& e) { return e.client == vault.client.Text(); }, UINT64_MAX);
    const std::uint64_t seq = of_client[100];
    vault.Make(kPrivacyOfficer, Of(vault.other.Text()));  // signs what there is
    vault.Tamper(damage, seq);
    const std::string pointer = "/entries/" + std::to_string(seq);
    for (const EvidenceRequest& request :
         {Of(vault.client.Text()), Of("", vault.TokenOf(kCrmService).principal.Text()),
          Of("", "", testing::FakeClock::kStart, vault.clock.Now())}) {
      const auto caller = vault.As(kPrivacyOfficer);
      const auto bundle = vault->evidence().MakeEvidence(caller, request);
      REQUIRE(!bundle);
      CHECK(bundle.error().code == Code::kCorrupted);
      CHECK(bundle.error().reason == "integrity_failed");
      REQUIRE_FALSE(bundle.error().issues.empty());
      CHECK(bundle.error().issues.front().pointer == pointer);
      CHECK(bundle.error().issues.front().message.starts_with("entry " + std::to_string(seq)));
      const auto entries = vault.EntriesOf(caller);
      CHECK(entries.back().at("action") == "integrity.alarm");
    }
    // What is not about it can still be shown.
    CHECK(vault->evidence().MakeEvidence(vault.As(kPrivacyOfficer), Of(vault.other.Text())));
  }
}

}  // namespace coffer::vault
