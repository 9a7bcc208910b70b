// Erasure, partial erasure, the rewrite of the store of keys and retention runs, killed before each
// of their calls to the storage: what was erased is erased altogether or not at all.
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <filesystem>
#include <thread>

#include "crypto/keys_database_key.h"
#include "tests/crash/crashing_vault.h"
#include "vault/deletion/resealing.h"

namespace coffer::vault {
namespace {

namespace fs = std::filesystem;
using enum Role;

const json kCall = {{"occurred_at", "2024-12-01T10:00:00Z"},
                    {"channel", "phone"},
                    {"subject", "a call"},
                    {"summary", "about the weather"}};

// A client with two contacts, one of them changed twice, and two interactions; another beside it.
class ErasableVault : public CrashingVault {
 public:
  explicit ErasableVault(const Settings& settings = Settings()) : CrashingVault(settings) {
    client = NewClient("C-1", {"vip"});
    first = NewContact(client, {{"last_name", "Doe"}});
    second = NewContact(client, {{"last_name", "Poe"}});
    REQUIRE((*this)->records().UpdateRecord(As(kCrmService), client, second, 1,
                                            {{"last_name", "Loe"}}));
    REQUIRE((*this)->records().UpdateRecord(As(kCrmService), client, second, 2,
                                            {{"last_name", "Foe"}}));
    called = NewRecord(client, "interaction", kCall);
    noted = As(kCrmService, std::string(kPurpose), "about the second");
    REQUIRE((*this)->records().GetRecord(noted, client, second));
    other = NewClient("C-2", {"vip"});
    kept = NewContact(other, {{"last_name", "Moe"}});
    for (const auto& entry : WholeLog()) {
      if (entry.request == noted.call.Text()) note_seq = entry.seq;
    }
  }

  // All of a call, or nothing of it: what it would have answered is in the answers.
  bool Erase(const ErasureRequest& request, const Answered& answered) {
    const auto erasure = (*this)->erasures().Erase(As(kPrivacyOfficer), client, request);
    if (erasure) answered(erasure->id.Text());
    return erasure.has_value();
  }
  // True: those of `gone` are erased. Otherwise they are all there.
  bool CheckGone(const std::vector<RecordId>& gone) {
    std::size_t there = 0;
    for (const RecordId& record : gone) {
      if (!Read(client, record).empty()) ++there;
    }
    CHECK((there == 0 || there == gone.size()));
    return there == 0;
  }
  void CheckFirst() { CHECK(Read(client, first) == R"({"last_name":"Doe"})"); }
  void CheckSecond() {
    CHECK(Read(client, second) == R"({"last_name":"Foe"})");
    CHECK(Read(client, second, 1) == R"({"last_name":"Poe"})");
    CHECK(Read(client, second, 2) == R"({"last_name":"Loe"})");
    CHECK((*this)->access_log().ReadLogEntry(As(kSecurityOfficer), note_seq)->note_text ==
          "about the second");
  }
  void CheckCalled() { CHECK(Read(client, called) == kCall.dump()); }
  void CheckProfile() {
    const auto found = (*this)->clients().GetClient(As(kCrmService), client);
    INFO(AnswerOf(found));
    REQUIRE(found);
    CHECK(found->external_ref == "C-1");
  }
  void CheckOther() {
    CHECK((*this)->clients().GetClient(As(kCrmService), other)->external_ref == "C-2");
    CHECK(Read(other, kept) == R"({"last_name":"Moe"})");
  }
  void CheckClientGone() {
    CHECK(AnswerOf((*this)->clients().GetClient(As(kCrmService), client)) == "not_found");
    CHECK(CheckGone({first, second, called}));
    CHECK((*this)->access_log().ReadLogEntry(As(kSecurityOfficer), note_seq)->note_text ==
          std::nullopt);
    CHECK((*this)->searches().SearchByReference(As(kCrmService), "C-1")->items.empty());
  }
  // Nothing of the client was erased so far.
  void CheckUntouched() {
    CHECK(ErasuresOf(client).empty());
    CheckProfile();
    CheckFirst();
    CheckSecond();
    CheckCalled();
  }
  // There is one erasure, and whoever asks again is told of it.
  void CheckOnly(const ErasureRequest& request) {
    const auto erasures = ErasuresOf(client);
    REQUIRE(erasures.size() == 1);
    CheckErasure(erasures[0]);
    const auto again = (*this)->erasures().Erase(As(kPrivacyOfficer), client, request);
    INFO(AnswerOf(again));
    REQUIRE(again);
    CHECK(again->id == erasures[0].id);
  }
  // What was answered is true.
  void CheckAnswers(const Answers& answers, std::size_t asked) {
    std::size_t known = 0;
    for (const Erasure& erasure : ErasuresOf(client)) {
      if (answers.Have(erasure.id.Text())) ++known;
    }
    CHECK(known == answers.size());
    CHECK(ErasuresOf(client).size() <= asked);
  }
  void CheckAll() {
    CheckOther();
    const auto report = (*this)->verification().VerifyLog(As(kAuditor), true);
    REQUIRE(report);
    for (const auto& finding : report->log.findings) FAIL_CHECK(finding.message);
    CheckInvariants();
  }

  ClientId client, other;
  RecordId first, second, called, kept;
  Caller noted;
  std::uint64_t note_seq = 0;
};

TEST_CASE("a client that is erased while the process dies is there or gone") {
  ErasableVault vault;
  int gone = 0;
  int untouched = 0;
  vault.DieAt(
      {}, [&](const auto& answered) { return vault.Erase({}, answered); },
      [&](const Answers& answers) {
        vault.CheckAnswers(answers, 1);
        if (vault.CheckGone({vault.first, vault.second, vault.called})) {
          ++gone;
          vault.CheckClientGone();
          vault.CheckOnly({});
        } else {
          ++untouched;
          vault.CheckUntouched();
        }
        vault.CheckAll();
      });
  CHECK(gone > 0);
  CHECK(untouched > 0);
}

TEST_CASE("a class that is erased while the process dies is there or gone, and the rest is read") {
  ErasableVault vault;
  const ErasureRequest contacts{ErasureBasis::kUnlawful, "contact", {}};
  vault.DieAt(
      {}, [&](const auto& answered) { return vault.Erase(contacts, answered); },
      [&](const Answers& answers) {
        vault.CheckAnswers(answers, 1);
        if (vault.CheckGone({vault.first, vault.second})) {
          vault.CheckProfile();
          vault.CheckCalled();
          vault.CheckOnly(contacts);
        } else {
          vault.CheckUntouched();
        }
        vault.CheckAll();
      });
}

TEST_CASE("a record that is erased while the process dies is there or gone, and the rest is read") {
  ErasableVault vault;
  const ErasureRequest one{ErasureBasis::kConsentWithdrawn, {}, {vault.first}};
  vault.DieAt(
      {}, [&](const auto& answered) { return vault.Erase(one, answered); },
      [&](const Answers& answers) {
        vault.CheckAnswers(answers, 1);
        if (vault.CheckGone({vault.first})) {
          vault.CheckProfile();
          vault.CheckSecond();
          vault.CheckCalled();
          vault.CheckOnly(one);
        } else {
          vault.CheckUntouched();
        }
        vault.CheckAll();
      });
}

TEST_CASE("of two erasures of one client each is done or not while the process dies") {
  ErasableVault vault;
  const ErasureRequest one{ErasureBasis::kRequest, {}, {vault.first}};
  vault.DieAt(
      {},
      [&](const auto& answered) { return vault.Erase(one, answered) && vault.Erase({}, answered); },
      [&](const Answers& answers) {
        vault.CheckAnswers(answers, 2);
        const auto erasures = vault.ErasuresOf(vault.client);
        for (const Erasure& erasure : erasures) vault.CheckErasure(erasure);
        if (erasures.empty()) {
          vault.CheckUntouched();
        } else if (erasures.size() == 1) {
          CHECK(vault.CheckGone({vault.first}));
          vault.CheckProfile();
          vault.CheckSecond();
          vault.CheckCalled();
        } else {
          CHECK(erasures[0].scope == ErasureScope::kClient);
          vault.CheckClientGone();
        }
        vault.CheckAll();
      });
}

// Of more records than one operation seals again.
class LargeErasableVault : public ErasableVault {
 public:
  LargeErasableVault() {
    for (std::size_t i = 0; i < kResealsAtOnce; ++i) {
      many.push_back(NewContact(client, {{"last_name", "M" + std::to_string(i)}}));
    }
  }
  void CheckMany() {
    for (std::size_t i = 0; i < many.size(); ++i) {
      const std::string read = Read(client, many[i]);
      if (read != json{{"last_name", "M" + std::to_string(i)}}.dump())
        FAIL_CHECK(i << ": " << read);
    }
  }
  std::vector<RecordId> many;
};

TEST_CASE("an erasure in steps is done or not while the process dies, and is gone on with") {
  LargeErasableVault vault;
  const ErasureRequest one{ErasureBasis::kUnlawful, {}, {vault.first}};
  int halfway = 0;
  vault.DieAt(
      {}, [&](const auto& answered) { return vault.Erase(one, answered); },
      [&](const Answers& answers) {
        vault.CheckAnswers(answers, 1);
        if (!vault.CheckGone({vault.first})) {
          if (vault.KeyCount() > 2) ++halfway;
          vault.CheckUntouched();
          vault.CheckMany();
          const auto erasure =
              vault->erasures().Erase(vault.As(kPrivacyOfficer), vault.client, one);
          INFO(AnswerOf(erasure));
          REQUIRE(erasure);
          CHECK(vault.CheckGone({vault.first}));
        }
        vault.CheckProfile();
        vault.CheckSecond();
        vault.CheckCalled();
        vault.CheckMany();
        vault.CheckOnly(one);
        vault.CheckAll();
      });
  CHECK(halfway > 0);
}

// Keys are destroyed for good when the key of keys.db is.
class RewrittenVault : public ErasableVault {
 public:
  RewrittenVault() : ErasableVault({.keys_rewrite_after_ms = 0, .keys_rewrite_interval_ms = 0}) {
    Close();
    wrapped = WrappedKeys();
    old_key = DatabaseKeys().at(0).version;
    Open();
  }
  std::string keys_path() const { return KeysDatabasePath(directory()); }
  std::vector<crypto::KeysDatabaseKey> DatabaseKeys() {
    auto keys = crypto::ReadKeysDatabaseKeys(KeysDatabaseKeyPath(keys_path()), OpenKeyring());
    REQUIRE(keys);
    return *std::move(keys);
  }
  std::vector<std::string> WrappedKeys() {
    const Database keys = OpenKeysDatabase();
    // One of a later generation, whose commit never came, may be there.
    auto select = Statement::Prepare(
        keys, "SELECT wrapped FROM client_keys WHERE client = ? ORDER BY generation LIMIT 1");
    REQUIRE(select);
    std::vector<std::string> found;
    auto row = select->Query(client.Row());
    while (*row.Next()) found.emplace_back(crypto::AsText(row.Blob(0)));
    return found;
  }
  // Without assertions: also for the child.
  bool AwaitRewrite() {
    const auto keyring = crypto::Keyring::Open(KeyringPath(directory()), root());
    for (int i = 0; keyring && i < 5000; ++i) {
      const auto keys = crypto::ReadKeysDatabaseKeys(KeysDatabaseKeyPath(keys_path()), *keyring);
      if (keys && keys->size() == 1 && keys->at(0).version > old_key) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
  }
  // Every page of keys.db in plaintext, the free ones included, and nothing beside it.
  void CheckDestroyed() {
    Close();
    for (const auto& key : DatabaseKeys()) CHECK(key.version > old_key);
    for (const auto& file : fs::directory_iterator(directory())) {
      const std::string name = file.path().filename();
      INFO(name);
      CHECK((!name.starts_with("keys.db") || name == "keys.db" || name == "keys.db.key"));
    }
    Database keys = OpenKeysDatabase();
    sqlite3_int64 size = 0;
    const std::unique_ptr<unsigned char, decltype(&sqlite3_free)> pages(
        sqlite3_serialize(keys.handle(), "main", &size, 0), sqlite3_free);
    REQUIRE(pages);
    const std::string_view image(reinterpret_cast<const char*>(pages.get()),
                                 static_cast<std::size_t>(size));
    for (const auto& key : wrapped) CHECK(image.find(key) == std::string_view::npos);
    Open();
  }

  std::vector<std::string> wrapped;
  std::uint32_t old_key = 0;
};

TEST_CASE("the store of keys that is written anew while the process dies has no key too many") {
  RewrittenVault vault;
  REQUIRE(vault.wrapped.size() == 1);
  const ErasureRequest one{ErasureBasis::kRequest, {}, {vault.first}};
  for (const ErasureRequest& request : {ErasureRequest{}, one}) {
    vault.DieAt(
        {.deaths = 8},
        [&](const auto& answered) {
          if (!vault.Erase(request, answered) || !vault.AwaitRewrite()) return false;
          answered("rewritten");
          return true;
        },
        [&](const Answers& answers) {
          if (!vault.CheckGone({vault.first})) {
            CHECK(!answers.Have("rewritten"));
            vault.CheckUntouched();
            CHECK(vault.WrappedKeys() == vault.wrapped);
          } else {
            CHECK(vault.AwaitRewrite());
            vault.CheckOnly(request);
            if (!request.records.empty()) vault.CheckSecond();
            vault.CheckDestroyed();
          }
          vault.CheckAll();
        });
  }
}

// Two clients whose relationship has ended, and one of whom a record is due.
class RetainingVault : public CrashingVault {
 public:
  RetainingVault() {
    json policies = {{{"name", "contact-1y"},
                      {"class", "contact"},
                      {"trigger", "relationship_end"},
                      {"period", "P1Y"},
                      {"action", "erase"},
                      {"basis", "a test"}},
                     {{"name", "interaction-1y"},
                      {"class", "interaction"},
                      {"trigger", "date_field"},
                      {"period", "P1Y"},
                      {"action", "erase"},
                      {"basis", "a test"}}};
    for (const char* name : {"agreement", "complaint", "consent-note", "payment-detail"}) {
      policies.push_back(
          {{"name", std::string(name) + "-kept"}, {"class", name}, {"keep", "for the test"}});
    }
    const json schedule = {{"time_zone", "Europe/Berlin"}, {"policies", policies}};
    REQUIRE((*this)->retention().PutRetentionSchedule(As(kPrivacyOfficer), schedule.dump()));
    for (const char* reference : {"D-1", "D-2"}) {
      ClientChange change{reference, {}};
      change.relationship_end = Timestamp{1'400'000'000'000};
      const auto ended = (*this)->clients().CreateClient(As(kCrmService), change, {});
      REQUIRE(ended);
      due.emplace_back(ended->id, NewContact(ended->id, {{"last_name", "Doe"}}));
      due.emplace_back(ended->id, NewContact(ended->id, {{"last_name", "Roe"}}));
    }
    client = NewClient("D-3");
    due.emplace_back(client, NewRecord(client, "interaction", kCall));
    kept = NewContact(client, {{"last_name", "Moe"}});
  }
  // The end of the run; nothing: it failed or there is none. Without assertions.
  std::optional<RetentionRun> Await() {
    for (int i = 0; i < 5000; ++i) {
      const auto runs = (*this)->retention().ListRetentionRuns(As(kPrivacyOfficer));
      if (!runs || runs->empty()) return std::nullopt;
      if (runs->front().finished) return runs->front();
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return std::nullopt;
  }

  std::vector<std::pair<ClientId, RecordId>> due;
  ClientId client;
  RecordId kept;
};

TEST_CASE("a retention run goes on after the process died, and erases everything once") {
  RetainingVault vault;
  vault.DieAt(
      {.deaths = 8},
      [&](const auto& answered) {
        const auto run = vault->retention().StartRetentionRun(vault.As(kPrivacyOfficer));
        if (!run) return false;
        answered("started");
        const auto ended = vault.Await();
        if (!ended || ended->erased != 5) return false;
        answered("ended");
        return true;
      },
      [&](const Answers& answers) {
        const auto run = vault.Await();
        CHECK((run || !answers.Have("started")));
        if (run) {
          CHECK(run->state == "finished");
          CHECK(run->due == 5);
          CHECK(run->erased == 5);
          CHECK(run->failed == 0);
          const auto report = vault->retention().ReadRunReport(vault.As(kAuditor), run->id, {});
          INFO(AnswerOf(report));
          CHECK(report);
        }
        for (const auto& [client, record] : vault.due) {
          CHECK(vault.Read(client, record).empty() == run.has_value());
          CHECK(vault.ErasuresOf(client).size() == (run ? 1 : 0));
          for (const auto& erasure : vault.ErasuresOf(client)) vault.CheckErasure(erasure);
        }
        CHECK(vault.Read(vault.client, vault.kept) == R"({"last_name":"Moe"})");
        const auto verified = vault->verification().VerifyLog(vault.As(kAuditor), true);
        REQUIRE(verified);
        for (const auto& finding : verified->log.findings) FAIL_CHECK(finding.message);
        vault.CheckInvariants();
      });
}

}  // namespace
}  // namespace coffer::vault
