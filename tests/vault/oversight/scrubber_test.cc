// Stored data that is compared with the log while the vault serves: what is damaged is refused and
// said, until it is whole again.
#include <catch2/catch_test_macros.hpp>

#include "tests/vault/oversight/scrubbed_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

const json kRoe = {{"last_name", "Roe"}};
const json kDoe = {{"last_name", "Doe"}};

class FilledVault : public ScrubbedVault {
 public:
  using ScrubbedVault::ScrubbedVault;
  RecordId NewRecordOf(const ClientId& client) { return NewContact(client, kRoe); }
  void Update(const ClientId& client, const RecordId& record) {
    REQUIRE((*this)->records().UpdateRecord(As(kCrmService), client, record, 1, kDoe));
  }
};

}  // namespace

TEST_CASE("a scrub of what is whole finds nothing") {
  FilledVault vault;
  const ClientId client = vault.NewClient("A-1");
  const RecordId record = vault.NewRecordOf(client);
  vault.Update(client, record);
  for (int i = 0; i < 300; ++i) CHECK(vault.Read(client, record) == "ok");  // more than a tile
  REQUIRE(
      vault->records().DeleteRecord(vault.As(kCrmService), client, vault.NewRecordOf(client), {}));
  CHECK(vault.Scrub().damaged == 0);
  CHECK(vault.SystemEntries("integrity.alarm").empty());
}

TEST_CASE("an older state of a record that was put back is refused, and whole again when it is") {
  FilledVault vault;
  const ClientId client = vault.NewClient("A-1");
  const RecordId record = vault.NewRecordOf(client);
  vault.Update(client, record);
  vault.Close();
  // The old version in the place of the new one, as it was sealed: no key is needed for it.
  vault.Tamper("CREATE TABLE kept AS SELECT version, payload FROM records WHERE id = ?",
               record.Row());
  vault.Tamper(
      "UPDATE records SET version = 1, payload = (SELECT payload FROM record_versions WHERE record "
      "= ? AND version = 1) WHERE id = ?",
      record.Row(), record.Row());
  CHECK(vault.Scrub().damaged == 1);
  CHECK(vault.Read(client, record) == "integrity_failed");
  CHECK(AnswerOf(vault->records().UpdateRecord(vault.As(kCrmService), client, record, 1, kDoe)) ==
        "integrity_failed");
  const auto alarms = vault.SystemEntries("integrity.alarm");
  REQUIRE(alarms.size() == 1);
  CHECK(alarms[0].record == record.Text());
  CHECK(alarms[0].client == client.Text());
  CHECK(alarms[0].outcome == "stored_data_differs");
  // Known damage is no new alarm, and a restart does not forget it.
  CHECK(vault.Scrub().damaged == 1);
  CHECK(vault.SystemEntries("integrity.alarm").size() == 1);
  CHECK(vault.Read(client, record) == "integrity_failed");

  vault.Close();
  vault.Tamper(
      "UPDATE records SET version = (SELECT version FROM kept), payload = (SELECT payload FROM "
      "kept) WHERE id = ?",
      record.Row());
  CHECK(vault.Scrub().damaged == 0);
  CHECK(vault.SystemEntries("integrity.cleared").size() == 1);
  CHECK(vault.Read(client, record) == "ok");
}

TEST_CASE("what was swapped, altered or written back is found") {
  FilledVault vault;
  const ClientId one = vault.NewClient("A-1");
  const ClientId two = vault.NewClient("A-2");
  const RecordId first = vault.NewRecordOf(one);
  const RecordId second = vault.NewRecordOf(two);
  const RecordId old = vault.NewRecordOf(two);
  vault.Update(two, old);
  const ClientId profile = vault.NewClient("A-3");
  vault.Close();
  vault.Tamper("UPDATE records SET client = ? WHERE id = ?", two.Row(), first.Row());
  vault.Tamper("UPDATE records SET payload = zeroblob(length(payload)) WHERE id = ?", second.Row());
  vault.Tamper("UPDATE record_versions SET payload = zeroblob(length(payload)) WHERE record = ?",
               old.Row());
  vault.Tamper("UPDATE clients SET profile = zeroblob(length(profile)) WHERE id = ?",
               profile.Row());
  CHECK(vault.Scrub().damaged == 4);
  CHECK(vault.Read(two, second) == "integrity_failed");
  CHECK(AnswerOf(vault->clients().GetClient(vault.As(kCrmService), profile)) == "integrity_failed");
  // Of an old version the newer ones do not clear.
  CHECK(vault.Scrub().damaged == 4);
  // What is damaged can be erased.
  CHECK(AnswerOf(vault->erasures().Erase(vault.As(kPrivacyOfficer, "data-subject-request"), profile,
                                         {})) == "ok");
  CHECK(vault.Scrub().damaged == 3);
}

TEST_CASE("the scrub finds an altered entry, and says so once") {
  FilledVault vault;
  for (int i = 0; i < 300; ++i) vault.NewClient("B-" + std::to_string(i));
  REQUIRE(vault->restrictions().Restrict(vault.As(kPrivacyOfficer), vault.NewClient("B"),
                                         {{}, "accuracy", {}}));
  vault.Close();
  // In a whole tile and before the last change of committed state, where the start does not read.
  vault.Tamper(
      "UPDATE log_entries SET entry = CAST(replace(CAST(entry AS TEXT), 'client-care', "
      "'client-cure') AS BLOB) WHERE seq = (SELECT min(seq) FROM log_entries WHERE seq > 100 AND "
      "CAST(entry AS TEXT) LIKE '%client-care%')");
  vault.Scrub();
  CHECK(vault.SystemEntries("integrity.alarm").size() == 1);
  bool named = false;
  for (const auto& line : vault.operator_log()) {
    named = named || (line.find("damaged: the log:") != std::string::npos &&
                      line.find("does not follow") != std::string::npos);
  }
  CHECK(named);
}

TEST_CASE("a round takes no time of its own while nobody asks for anything") {
  // At this pace a single tile would take more than four minutes.
  FilledVault vault(1);
  for (int i = 0; i < 700; ++i) vault.NewClient("C-" + std::to_string(i));
  vault.Close();
  vault.Tamper(
      "UPDATE clients SET profile = zeroblob(length(profile)) WHERE id = (SELECT max(id) "
      "FROM clients)");
  // What a round had gone through before is looked at by the next one, a minute later.
  vault.Tamper("DELETE FROM settings WHERE name = 'scrub-position'");
  vault.Open();
  bool named = false;
  for (int i = 0; i < 600 && !named; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    for (const auto& line : vault.operator_log()) {
      named = named || line.find("is not what the log says was written") != std::string::npos;
    }
  }
  CHECK(named);
}

TEST_CASE("the scrub rests by its pace while requests come, and between rounds") {
  using namespace std::chrono_literals;
  using enum Scrubber::Progress;
  CHECK(Scrubber::RestAfter(kMore, false, 500, 0ns) == 0ns);
  CHECK(Scrubber::RestAfter(kMore, true, 500, 0ns) == 512ms);
  CHECK(Scrubber::RestAfter(kMore, true, 256, 1h) == 1s);
  CHECK(Scrubber::RestAfter(kRoundEnded, false, 500, 1s) == 60s);
  CHECK(Scrubber::RestAfter(kRoundEnded, false, 500, 1h) == 1h);
  CHECK(Scrubber::RestAfter(kWaiting, false, 500, 1h) == 1s);
  CHECK(Scrubber::RestAfter(kWaiting, true, 1, 1h) == 1s);
}

}  // namespace coffer::vault
