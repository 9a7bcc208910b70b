// What is bounded says so when it is full, and goes on afterwards.
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <map>
#include <mutex>
#include <thread>

#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

TEST_CASE("there are at most a thousand classes, and those that are there can still change") {
  TestVault vault;
  vault.Close();
  vault.Tamper(
      "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 994) "
      "INSERT INTO classes SELECT 'c' || i, 1, '{\"fields\":{\"a\":{\"type\":\"string\"}},"
      "\"name\":\"c' || i || '\",\"purposes\":[\"client-care\"]}', 0 FROM n");
  vault.Open(true);
  const auto put = [&](const std::string& name) {
    const json definition = {
        {"name", name}, {"purposes", {"client-care"}}, {"fields", {{"b", {{"type", "date"}}}}}};
    return vault->classes().PutClass(vault.As(kAdministrator), name, definition.dump());
  };
  const auto refused = put("one-more");
  REQUIRE(!refused);
  CHECK(refused.error().code == Code::kConflict);
  CHECK(refused.error().reason == "too_many_classes");
  CHECK((*put("c7"))->version == 2);
  CHECK(vault->classes().ListClasses(vault.As(kAuditor))->size() == 1000);
}

TEST_CASE("there are at most a thousand purposes, and those that are there can still change") {
  TestVault vault;
  vault.Close();
  vault.Tamper(
      "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 993) "
      "INSERT INTO purposes SELECT 'p' || i, '{\"title\":\"T\",\"legal_basis\":\"consent\"}', 0 "
      "FROM n");
  vault.Open(true);
  const auto put = [&](const char* code) {
    return AnswerOf(vault->purposes().PutPurpose(vault.As(kAdministrator), code,
                                                 R"({"title": "New", "legal_basis": "contract"})"));
  };
  CHECK(put("one-more") == "too_many_purposes");
  CHECK(put("p7") == "ok");
  CHECK(vault->purposes().GetPurpose(vault.As(kAuditor), "p7")->title == "New");
}

TEST_CASE("a stored class or purpose that cannot be read is damage, and is named") {
  for (const char* damage :
       {"UPDATE classes SET definition = substr(definition, 1, 40) WHERE name = 'contact'",
        "UPDATE classes SET version = 7 WHERE name = 'contact'",
        "UPDATE purposes SET definition = '{}' WHERE code = 'billing'",
        "UPDATE principals SET role = 'nobody' WHERE role = 'auditor'"}) {
    INFO(damage);
    TestVault vault;
    vault.Close();
    vault.Tamper(damage);
    const auto opened = vault.TryOpen();
    REQUIRE(!opened);
    CHECK(opened.error().code == Code::kCorrupted);
    CHECK(opened.error().reason == "storage_corrupted");
  }
}

TEST_CASE("long reads beyond the fourth are sent away, and none of their places is lost") {
  TestVault vault;
  for (int i = 0; i < 200; ++i) REQUIRE(vault->tokens().WhoAmI(vault.As(kCrmService)));
  std::atomic<int> unexpected{0};
  for (int round = 0; round < 3; ++round) {
    std::vector<std::jthread> readers;
    for (int t = 0; t < 8; ++t) {
      readers.emplace_back([&, t] {
        for (int i = 0; i < 5; ++i) {
          const auto caller = vault.As(kAuditor);
          const std::string answer = t % 2 == 0
                                         ? AnswerOf(vault->verification().VerifyLog(caller, true))
                                         : AnswerOf(vault->access_log().ReadLog(caller, {}, {}));
          if (answer != "ok" && answer != "too_many_long_reads") ++unexpected;
        }
      });
    }
  }
  CHECK(unexpected == 0);
  for (int i = 0; i < 5; ++i) CHECK(vault->verification().VerifyLog(vault.As(kAuditor), true));
}

TEST_CASE("a principal has so many leases on a client at most, and others have theirs") {
  TestVault vault;
  const ClientId client = vault.NewClient("A-1"), other = vault.NewClient("A-2");
  const auto give = [&](const ClientId& of, Role to) {
    return AnswerOf(vault->leases().GiveLease(
        vault.As(kSupervisor), of,
        {vault.TokenOf(to).principal, "contact", {"last_name"}, "client-care", "C-1", 3600}));
  };
  for (int i = 0; i < 200; ++i) REQUIRE(give(client, kCaseWorker) == "ok");
  CHECK(give(client, kCaseWorker) == "too_many_leases");
  CHECK(give(client, kAuditor) == "ok");
  CHECK(give(other, kCaseWorker) == "ok");
  vault.clock.Advance(3600 * 1000);
  CHECK(give(client, kCaseWorker) == "ok");
}

TEST_CASE("who has so many emergencies unreviewed opens no more until one is reviewed") {
  TestVault vault;
  const ClientId client = vault.NewClient("A-1");
  std::optional<EmergencyId> last;
  const auto open = [&] {
    const auto opened = vault->emergencies().OpenEmergency(
        vault.As(kSupervisor, "client-care", "urgent"), client, {"client-care", "C-1", 60});
    if (opened) last = opened->id;
    return AnswerOf(opened);
  };
  for (int i = 0; i < 400; ++i) REQUIRE(open() == "ok");
  vault.clock.Advance(3600 * 1000);  // that they have ended changes nothing
  CHECK(open() == "too_many_emergencies");
  REQUIRE(vault->emergencies().ReviewEmergency(vault.As(kSecurityOfficer), *last, "it was right"));
  CHECK(open() == "ok");
  CHECK(open() == "too_many_emergencies");
}

// Programs of others fetch a log with many hands at once, and are not told to wait.
TEST_CASE("tiles and proofs are no long reads: neither many at once nor long ones send them away") {
  TestVault vault;
  for (int i = 0; i < 300; ++i) REQUIRE(vault->tokens().WhoAmI(vault.As(kCrmService)));
  vault.Close();  // signs what there is
  vault.Open();
  const auto tile = *audit::ParseTilePath("0/000");
  const auto bundle = *audit::ParseTilePath("entries/000");
  std::mutex mutex;
  std::map<std::string, int> answers;
  const auto count = [&](const std::string& answer) {
    const std::lock_guard lock(mutex);
    ++answers[answer];
  };
  std::atomic<bool> fetched{false};
  {
    std::vector<std::jthread> others;
    for (int t = 0; t < 4; ++t) {
      others.emplace_back([&] {
        while (!fetched) vault->verification().VerifyLog(vault.As(kAuditor), true);
      });
    }
    {
      std::vector<std::jthread> hands;
      for (int t = 0; t < 16; ++t) {
        hands.emplace_back([&, t] {
          for (int i = 0; i < 10; ++i) {
            const auto caller = vault.As(kAuditor);
            switch ((t + i) % 4) {
              case 0:
                count(AnswerOf(vault->access_log().ReadLogTile(caller, tile)));
                break;
              case 1:
                count(AnswerOf(vault->access_log().ReadLogTile(caller, bundle)));
                break;
              case 2:
                count(AnswerOf(vault->access_log().ProveLogEntry(caller, 7)));
                break;
              case 3:
                count(AnswerOf(vault->access_log().ProveConsistency(caller, 100, 256)));
                break;
            }
          }
        });
      }
    }
    fetched = true;
  }
  CHECK(answers == std::map<std::string, int>{{"ok", 160}});
}

TEST_CASE(
    "when every client key is in use at once, a request is sent away and nothing else happens") {
  TestVault vault({.key_cache_entries = 2});
  const ClientId first = vault.NewClient("A-1");
  const ClientId second = vault.NewClient("A-2");
  const ClientId third = vault.NewClient("A-3");
  // A list holds the keys of all its clients until it has opened them.
  const auto caller = vault.As(kCrmService);
  const auto listed = vault->clients().ListClients(caller, "", "", {});
  REQUIRE(!listed);
  CHECK(listed.error().code == Code::kExhausted);
  CHECK(listed.error().reason == "key_cache_full");
  const auto entries = vault.EntriesOf(caller);
  REQUIRE(entries.size() == 1);  // none was disclosed
  CHECK(entries[0].at("outcome") == "key_cache_full");
  for (const auto& id : {first, second, third}) {
    CHECK(vault->clients().GetClient(vault.As(kCrmService), id));
  }
  CHECK(vault->clients().ListClients(vault.As(kCrmService), "", "", {2, {}}));
  vault.CheckInvariants();
}

TEST_CASE("idempotency keys are forgotten after a day, and not before") {
  TestVault vault;
  const auto create = [&](const char* ref) {
    return vault->clients().CreateClient(vault.As(kCrmService), {ref, {}}, {"key", "body"});
  };
  const auto first = create("A-1");
  REQUIRE(first);
  vault.clock.Advance(std::int64_t{23} * 3'600'000);
  std::this_thread::sleep_for(std::chrono::milliseconds(1200));  // the engine rests, and purges
  CHECK(create("A-1")->id == first->id);
  vault.clock.Advance(std::int64_t{2} * 3'600'000);
  for (int i = 0; i < 100 && vault.Number("SELECT count(*) FROM idempotency") > 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  CHECK(vault.Number("SELECT count(*) FROM idempotency") == 0);
  CHECK(create("A-2")->id != first->id);
  vault.CheckInvariants();
}

}  // namespace
}  // namespace coffer::vault
