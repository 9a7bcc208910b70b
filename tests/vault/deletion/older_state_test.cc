// Files of before an erasure, put beside others or opened alone: what they still show is what the
// documentation says ("Copies of before" in docs/threat-model.md), and nothing else.
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <map>

#include "audit/documents/act_document.h"
#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

namespace fs = std::filesystem;
using enum Role;

constexpr const char* kDatabase = "vault.db";
constexpr const char* kKeys = "keys.db";

// Four clients with two records each. Of the first a record is erased, of the second a class, the
// third goes as a whole, and the fourth stays.
class OlderState : public TestVault {
 public:
  OlderState() {
    for (const char* name : {"part", "class", "whole", "untouched"}) {
      const ClientId client = NewClient(name);
      clients.emplace(name, client);
      contacts.emplace(name, NewContact(client, {{"last_name", "Doe"}}));
      calls.emplace(name, NewRecord(client, "interaction",
                                    {{"occurred_at", "2026-01-01T10:00:00Z"},
                                     {"channel", "phone"},
                                     {"subject", "a call"}}));
    }
    Close();
    fs::copy(directory(), before(), fs::copy_options::recursive);
    Open();
    clock.Advance(1000);
    const auto erase = [&](const char* name, const ErasureRequest& request) {
      const auto erasure =
          (*this)->erasures().Erase(As(kPrivacyOfficer), clients.at(name), request);
      REQUIRE(erasure);
      erasures.emplace(name, *erasure);
    };
    erase("part", {ErasureBasis::kRequest, {}, {contacts.at("part")}});
    erase("class", {ErasureBasis::kConsentWithdrawn, "contact", {}});
    erase("whole", {});
    for (const auto& [name, erasure] : erasures) {
      const auto act = (*this)->erasure_acts().ReadAct(As(kAuditor), erasure.id, {});
      REQUIRE(act);
      acts.emplace(name, *act);
    }
    clock.Advance(1000);
    Close();
    fs::copy(directory(), after(), fs::copy_options::recursive);
  }
  std::string before() const { return work() / "before"; }
  std::string after() const { return work() / "after"; }

  // The database with what belongs to it, from a copy. The log's anchor goes with vault.db: the
  // other one would stop the start.
  void Put(const std::string& from, const std::string& database) {
    const auto is_of = [&](const std::string& name) {
      return name.starts_with(database) ||
             (database == kDatabase && (name == "anchor" || name.starts_with("log-index")));
    };
    for (const auto& file : fs::directory_iterator(directory())) {
      if (is_of(file.path().filename())) fs::remove(file.path());
    }
    for (const auto& file : fs::directory_iterator(from)) {
      if (is_of(file.path().filename())) {
        fs::copy(file.path(), fs::path(directory()) / file.path().filename());
      }
    }
  }
  void LoseLedger() { fs::remove(directory() + "/erasures.ledger"); }

  // Of each client what its profile, its contact and its call answer.
  std::string Answers(const std::string& name) {
    const auto& client = clients.at(name);
    return AnswerOf((*this)->clients().GetClient(As(kCrmService), client)) + " " +
           AnswerOf((*this)->records().GetRecord(As(kCrmService), client, contacts.at(name))) +
           " " + AnswerOf((*this)->records().GetRecord(As(kCrmService), client, calls.at(name)));
  }
  std::size_t Known() { return (*this)->erasures().ListErasures(As(kAuditor), {})->items.size(); }
  audit::ActReport Verified(const std::string& act) {
    const auto key = audit::ParseVerifierKey(LogKey());
    return audit::VerifyAct(act, {&*key, 1});
  }

  std::map<std::string, ClientId> clients;
  std::map<std::string, RecordId> contacts, calls;
  std::map<std::string, Erasure> erasures;
  std::map<std::string, std::string> acts;
};

constexpr const char* kAllThere = "ok ok ok";
constexpr const char* kContactGone = "ok not_found ok";
constexpr const char* kGone = "not_found not_found not_found";
// Its key is nowhere.
constexpr const char* kUnreadable = "integrity_failed integrity_failed integrity_failed";

}  // namespace

TEST_CASE("with the ledger of today an older state is erased again before anybody is answered") {
  OlderState vault;
  vault.Put(vault.before(), kDatabase);
  vault.Put(vault.before(), kKeys);
  for (int round = 0; round < 2; ++round) {
    vault.Open();
    CHECK(vault.Answers("part") == kContactGone);
    CHECK(vault.Answers("class") == kContactGone);
    CHECK(vault.Answers("whole") == kGone);
    CHECK(vault.Answers("untouched") == kAllThere);
    CHECK(vault.Known() == 3);
    CHECK(vault.KeyCount() == 3);
    vault.CheckInvariants();
    vault.Close();
  }
}

TEST_CASE("the act of before a restore and the one of after it are told apart") {
  OlderState vault;
  vault.Put(vault.before(), kDatabase);
  vault.Put(vault.before(), kKeys);
  vault.Open();
  for (const auto& [name, erasure] : vault.erasures) {
    INFO(name);
    const auto again = vault->erasures().GetErasure(vault.As(kAuditor), erasure.id);
    REQUIRE(again);
    CHECK(again->basis == ErasureBasis::kReplayed);
    CHECK(again->erased == vault.clock.Now());
    const auto document = vault->erasure_acts().ReadAct(vault.As(kAuditor), erasure.id, {});
    REQUIRE(document);
    const auto first = vault.Verified(vault.acts.at(name)), second = vault.Verified(*document);
    for (const auto& finding : second.findings) FAIL_CHECK(finding.message);
    REQUIRE((first.act && second.act));
    CHECK(first.act->erasure == second.act->erasure);
    CHECK(!first.act->replayed);
    REQUIRE(second.act->replayed);
    CHECK(second.act->replayed->date == first.act->date);
    CHECK(second.act->replayed->log_seq == first.act->log_seq);
    CHECK(second.act->ledger_seq == first.act->ledger_seq);
    CHECK(second.act->scope == first.act->scope);
    CHECK(second.act->records == first.act->records);
    CHECK(second.act->date == again->erased);
    // Who did it the first time the vault does not know any more.
    CHECK(!first.act->destroyed_by.empty());
    CHECK(second.missing == Strings{"destroyed_by"});
  }
}

TEST_CASE("without a ledger, both databases of before show everything, and know of no erasure") {
  OlderState vault;
  vault.Put(vault.before(), kDatabase);
  vault.Put(vault.before(), kKeys);
  vault.LoseLedger();
  vault.Open();
  for (const auto& [name, client] : vault.clients) CHECK(vault.Answers(name) == kAllThere);
  CHECK(vault.Known() == 0);
  vault.CheckInvariants();
}

TEST_CASE("an older vault.db with the keys of today shows nothing of what was erased from") {
  OlderState vault;
  vault.Put(vault.before(), kDatabase);
  SECTION("without a ledger") {
    vault.LoseLedger();
    vault.Open();
    for (const char* name : {"part", "class", "whole"}) {
      INFO(name);
      CHECK(vault.Answers(name) == kUnreadable);
    }
    CHECK(vault.Answers("untouched") == kAllThere);
    CHECK(vault.Known() == 0);
    vault.Close();
  }
  SECTION("with the ledger of today") {
    vault.Open();
    // What stayed of a client is sealed in this vault.db under the key that was destroyed.
    CHECK(vault.Answers("part") == kUnreadable);
    CHECK(vault.Answers("class") == kUnreadable);
    CHECK(vault.Answers("whole") == kGone);
    CHECK(vault.Answers("untouched") == kAllThere);
    CHECK(vault.Known() == 3);
    for (const char* name : {"part", "class", "whole"}) {
      CHECK(vault.Number("SELECT count(*) FROM records WHERE id = ?",
                         vault.contacts.at(name).Row()) == 0);
    }
    vault.Close();
  }
  // The keys are not hurt by it: with the vault.db that they belong to all is well.
  vault.Put(vault.after(), kDatabase);
  vault.Open();
  CHECK(vault.Answers("part") == kContactGone);
  CHECK(vault.Answers("class") == kContactGone);
  CHECK(vault.Answers("whole") == kGone);
  CHECK(vault.Answers("untouched") == kAllThere);
  CHECK(vault.KeyCount() == 3);
  vault.CheckInvariants();
}

TEST_CASE("an older keys.db with the vault.db of today shows nothing of what was erased from") {
  OlderState vault;
  vault.Put(vault.before(), kKeys);
  for (const bool ledger : {true, false}) {
    if (!ledger) vault.LoseLedger();
    vault.Open();
    // The keys that were destroyed are destroyed again. What stayed is sealed under newer ones,
    // which this keys.db does not have.
    CHECK(vault.Answers("part") == kUnreadable);
    CHECK(vault.Answers("class") == kUnreadable);
    CHECK(vault.Answers("whole") == kGone);
    CHECK(vault.Answers("untouched") == kAllThere);
    CHECK(vault.Known() == 3);
    CHECK(vault.KeyCount() == 1);
    vault.Close();
  }
}

}  // namespace coffer::vault
