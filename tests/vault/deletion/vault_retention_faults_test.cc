// Retention that something comes in the way of: changes, stops, crashes, a disk that cannot write,
// keys that are missing, an older state.
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <filesystem>
#include <set>
#include <thread>

#include "audit/documents/act_document.h"
#include "tests/support/sampling.h"
#include "tests/vault/deletion/retaining_vault.h"
#include "tests/vault/faulty_storage.h"

namespace coffer::vault {
namespace {

namespace fs = std::filesystem;
using enum Role;

constexpr int kDue = testing::Many(2500, 2001);  // of one client: three acts
constexpr int kEnded = testing::Many(400, 120);  // clients, of two records each

// A client of whose interactions `due` are due and `kept` are not.
class ManyDue : public RetainingVault {
 public:
  explicit ManyDue(int due = kDue, int kept = 10) {
    Keep({Policy("interaction-1y", "interaction", "date_field", "P1Y")});
    client = NewClient("M-1");
    Fill(due, "2024-12-01T10:00:00Z", old);
    Fill(kept, "2026-01-01T10:00:00Z", recent);
  }
  // Each record in one erasure, with its act, and what stays can be read.
  void CheckErasures(std::string_view action) {
    const auto erasures = (*this)->erasures().ListErasures(As(kPrivacyOfficer), {});
    REQUIRE(erasures->items.size() == (old.size() + 999) / 1000);
    const auto key = audit::ParseVerifierKey(LogKey());
    REQUIRE(key);
    const auto log = WholeLog();
    std::set<std::string> named;
    std::uint64_t records = 0;
    for (const Erasure& erasure : erasures->items) {
      CHECK(erasure.complete);
      CHECK(erasure.scope == ErasureScope::kRecords);
      CHECK(log[erasure.seq].action == action);
      const auto document = (*this)->erasure_acts().ReadAct(As(kAuditor), erasure.id, {});
      REQUIRE(document);
      const auto report = audit::VerifyAct(*document, {&*key, 1});
      for (const auto& finding : report.findings) FAIL_CHECK(finding.message);
      REQUIRE(report.act);
      CHECK(report.act->key->generation == 0);
      REQUIRE(report.act->categories.size() == 1);
      CHECK(report.act->categories[0].records == report.act->records.size());
      REQUIRE(!report.act->kept.empty());
      CHECK(report.act->kept[0].what ==
            std::to_string(recent.size()) + " records of class interaction");
      named.insert(report.act->records.begin(), report.act->records.end());
      records += erasure.records;
    }
    CHECK(named.size() == old.size());
    CHECK(records == old.size());
    CHECK(Read(client, old.front()) == "not_found");
    CHECK(Read(client, recent.back()) == "ok");
    const auto traces = (*this)->traces().FindTraces(As(kPrivacyOfficer), client);
    REQUIRE(traces);
    for (const Trace& trace : *traces) {
      if (trace.place == "erasures") CHECK(trace.count == erasures->items.size());
      if (trace.place == "key") CHECK(trace.state == "present");
    }
    const auto whole = (*this)->verification().VerifyLog(As(kAuditor), true);
    REQUIRE(whole);
    for (const auto& finding : whole->log.findings) FAIL_CHECK(finding.message);
  }
  ClientId client;
  std::vector<RecordId> old, recent;

 private:
  void Fill(int count, const std::string& at, std::vector<RecordId>& records) {
    json data = kRetainedInteraction;
    data["occurred_at"] = at;
    for (int i = 0; i < count; ++i) records.push_back(NewRecord(client, "interaction", data));
  }
};

TEST_CASE("a record that is changed while a run looks at it stays", "[retention]") {
  RetainingVault vault;
  vault.Keep({Policy("contact-1d", "contact", "last_activity", "P1D")});
  std::vector<std::pair<ClientId, RecordId>> records;
  for (int i = 0; i < 300; ++i) {
    const ClientId owner = vault.NewClient("B-" + std::to_string(i));
    records.emplace_back(owner, vault.Contact(owner));
  }
  vault.clock.Advance(46 * kRetentionHourMs);
  const auto run = vault->retention().StartRetentionRun(vault.As(kPrivacyOfficer));
  REQUIRE(run);
  std::vector<bool> changed;
  for (auto record = records.rbegin(); record != records.rend(); ++record) {
    // The run comes from the other end, and has to have begun before nothing is left for it.
    while (changed.size() + 20 == records.size() &&
           vault->monitoring().ReadStatistics(vault.As(kAdministrator))->retention_erased == 0) {
      std::this_thread::yield();
    }
    const auto updated = vault->records().UpdateRecord(vault.As(kCrmService), record->first,
                                                       record->second, 1, {{"last_name", "Roe"}});
    CHECK((updated || updated.error().reason == "not_found"));
    changed.push_back(updated.has_value());
  }
  const auto ended = vault.Await(run->id);
  std::size_t erased = 0;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto& [owner, record] = records[records.size() - 1 - i];
    CHECK(vault.Read(owner, record) == (changed[i] ? "ok" : "not_found"));
    if (!changed[i]) ++erased;
  }
  CHECK(ended.erased == erased);
  CHECK(erased > 0);
  vault.CheckInvariants();
}

// False: the run had ended already when it was asked for again, and nothing is known.
bool InterruptsARun() {
  RetainingVault vault;
  vault.Keep({Policy("contact-1y", "contact", "relationship_end", "P1Y")});
  vault.FillWithDue(kEnded);
  const auto run = vault->retention().StartRetentionRun(vault.As(kPrivacyOfficer));
  REQUIRE(run);
  while (vault->monitoring().ReadStatistics(vault.As(kAdministrator))->retention_erased == 0) {
    std::this_thread::yield();
  }
  const auto again = AnswerOf(vault->retention().StartRetentionRun(vault.As(kPrivacyOfficer)));
  if (again == "ok") {
    CHECK(vault->retention().GetRetentionRun(vault.As(kPrivacyOfficer), run->id)->finished);
    return false;
  }
  CHECK(again == "run_in_progress");
  for (int i = 0; i < 3; ++i) {
    vault.Close();
    vault.Open();
  }
  const auto ended = vault.Await(run->id);
  CHECK(ended.state == "finished");
  CHECK(ended.due == 2 * kEnded);
  CHECK(ended.erased == 2 * kEnded);
  CHECK(vault.Number("SELECT count(*) FROM clients") == 0);
  CHECK(vault.Entries("record.erase").size() == 2 * kEnded);
  vault.CheckInvariants();
  return true;
}

TEST_CASE("a run that is interrupted goes on at the next start, and counts nothing twice",
          "[retention]") {
  int in_time = 0;
  for (int tries = 0; tries < 20 && in_time == 0; ++tries) in_time += InterruptsARun() ? 1 : 0;
  CHECK(in_time == 1);
}

TEST_CASE("a run that cannot write waits, and goes on when it can", "[retention]") {
  FaultyStorage::Instance();
  RetainingVault vault;
  vault.Keep({Policy("contact-1y", "contact", "relationship_end", "P1Y")});
  vault.FillWithDue(kEnded);
  const auto run = vault->retention().StartRetentionRun(vault.As(kPrivacyOfficer));
  REQUIRE(run);
  FaultyStorage::Instance().Break("vault.db-wal", Fault::kFull, 20);
  while (FaultyStorage::Instance().failures() == 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  FaultyStorage::Instance().Mend();
  RetainingVault::LetItLook();
  const auto ended = vault.Await(run->id);
  CHECK(ended.state == "finished");
  CHECK(ended.erased == 2 * kEnded);
  CHECK(ended.failed == 0);
  CHECK(vault.Number("SELECT count(*) FROM clients") == 0);
  vault.CheckInvariants();
}

TEST_CASE("what is due goes also where the key is missing, and what stays is not readable",
          "[retention]") {
  RetainingVault vault;
  vault.Keep({Policy("interaction-1y", "interaction", "date_field", "P1Y")});
  std::vector<ClientId> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(vault.NewClient("A-" + std::to_string(i)));
    vault.Contact(clients.back());
    vault.NewRecord(clients.back(), "interaction", kRetainedInteraction);
  }
  vault.Close();
  {
    const Database keys = vault.OpenKeysDatabase(false);
    auto remove = Statement::Prepare(keys, "DELETE FROM client_keys WHERE client = ?");
    REQUIRE(remove);
    REQUIRE(remove->Execute(clients[1].Row()));
  }
  vault.Open();
  const auto run = vault.Run();
  CHECK(run.state == "finished");
  CHECK(run.due == 3);
  CHECK(run.erased == 3);
  CHECK(run.failed == 0);
  CHECK(vault.Number("SELECT count(*) FROM records") == 3);
  CHECK(AnswerOf(vault->clients().GetClient(vault.As(kCrmService), clients[1])) ==
        "integrity_failed");
  CHECK(vault->clients().GetClient(vault.As(kCrmService), clients[2]));
}

TEST_CASE("more records of one client than an act can name go in several erasures of one key",
          testing::kPlainOnly) {
  ManyDue vault;
  const auto run = vault.Run();
  CHECK(run.due == kDue);
  CHECK(run.erased == kDue);
  CHECK(vault.Number("SELECT count(*) FROM records") == 10);
  CHECK(vault.Number("SELECT generation FROM clients") == 1);  // one key was destroyed
  CHECK(vault.Entries("record.reseal").size() == 10);
  CHECK(vault.Entries("record.erase").size() == kDue);
  vault.CheckErasures("retention.erase");
  vault.CheckInvariants();
}

TEST_CASE("a crash between the erasures of one client and their key's end is finished",
          "[retention]") {
  ManyDue vault;
  vault.Run();
  vault.Close();
  // As if nothing after the commit had happened, and the ledger had got a part.
  vault.Tamper("UPDATE erasures SET state = 0, ledger = NULL");
  const std::string ledger = vault.directory() + "/erasures.ledger";
  fs::resize_file(ledger, fs::file_size(ledger) / 2);
  vault.Open();
  CHECK(vault.Number("SELECT count(*) FROM erasures WHERE state = 2") == 3);
  vault.CheckErasures("retention.erase");
  vault.CheckInvariants();
}

TEST_CASE("when an older state is put back, several erasures of one client are one operation",
          "[retention]") {
  ManyDue vault;
  vault.Close();
  const std::string copy = vault.directory() + ".before";
  fs::copy(vault.directory(), copy, fs::copy_options::recursive);
  vault.Open();
  vault.Run();
  vault.Close();
  fs::copy(vault.directory() + "/erasures.ledger", copy + "/erasures.ledger",
           fs::copy_options::overwrite_existing);
  fs::remove_all(vault.directory());
  fs::rename(copy, vault.directory());
  vault.Open();
  CHECK(vault.Number("SELECT count(*) FROM records") == 10);
  CHECK(vault.Number("SELECT generation FROM clients") == 1);
  CHECK(vault.Entries("record.reseal").size() == 10);
  vault.CheckErasures("erasure.replayed");
  vault.Close();
  vault.Open();
  CHECK(vault->erasures().ListErasures(vault.As(kAuditor), {})->items.size() == 3);
  vault.CheckInvariants();
}

}  // namespace
}  // namespace coffer::vault
