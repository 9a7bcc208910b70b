// Looking into the log, proving it, verifying it.
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <filesystem>
#include <numeric>
#include <thread>

#include "audit/tlog/proof.h"
#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

namespace fs = std::filesystem;
using enum Role;

class LogVault : public TestVault {
 public:
  using TestVault::TestVault;
  Result<LogPage> Read(const LogFilter& filter, const LogPageRequest& page = {}) {
    return (*this)->access_log().ReadLog(As(kAuditor), filter, page);
  }
  // Sequence numbers of what a filter finds, oldest first.
  std::vector<std::uint64_t> Find(const LogFilter& filter) {
    const auto page = Read(filter, {.limit = 1000, .oldest_first = true, .start = {}});
    INFO(AnswerOf(page));
    REQUIRE(page);
    std::vector<std::uint64_t> found;
    for (const auto& entry : page->entries) found.push_back(json::parse(entry).at("seq"));
    return found;
  }
  audit::VerifierKey Key() { return *audit::ParseVerifierKey(LogKey()); }
};

using Seqs = std::vector<std::uint64_t>;

TEST_CASE("a page of the log is the stored bytes, newest first unless asked otherwise") {
  LogVault vault;
  for (int i = 0; i < 5; ++i) vault.NewClient("A-" + std::to_string(i));
  const auto page = vault.Read({}, {.limit = 4, .oldest_first = false, .start = {}});
  REQUIRE(page);
  REQUIRE(page->entries.size() == 4);
  CHECK(page->size == static_cast<std::uint64_t>(vault.Number("SELECT count(*) FROM log_entries")));
  // The look itself is the newest entry.
  CHECK(json::parse(page->entries[0]).at("action") == "log.read");
  for (std::uint64_t i = 0; i < 4; ++i) {
    const std::uint64_t seq = page->size - 1 - i;
    CHECK(page->entries[i] ==
          crypto::AsText(vault.Blob("SELECT entry FROM log_entries WHERE seq = ?", seq)));
  }
  CHECK(page->next == page->size - 5);
}

TEST_CASE("the whole log is read in pages of any size, both ways, without gap or repetition") {
  LogVault vault;
  for (int i = 0; i < 10; ++i) vault.NewClient("A-" + std::to_string(i));
  for (const std::size_t limit : {1U, 3U, 7U, 1000U}) {
    for (const bool oldest_first : {true, false}) {
      const auto newest = vault.Read({}, {.limit = 1, .oldest_first = false, .start = {}});
      const std::uint64_t size = newest->size;
      Seqs seqs;
      LogPageRequest request{limit, oldest_first, oldest_first ? 0 : size - 1};
      while (request.start && seqs.size() < size) {
        const auto page = vault.Read({}, request);
        REQUIRE(page);
        for (const auto& entry : page->entries) seqs.push_back(json::parse(entry).at("seq"));
        request.start = page->next;
      }
      seqs.resize(size);  // reading oldest first, the looks themselves follow
      if (!oldest_first) std::ranges::reverse(seqs);
      Seqs expected(size);
      std::iota(expected.begin(), expected.end(), 0);
      CHECK(seqs == expected);
    }
  }
}

TEST_CASE("a page that starts beyond the log is empty, or begins at its end") {
  LogVault vault;
  for (const std::uint64_t start :
       {std::uint64_t{1'000'000}, std::uint64_t{1} << 53, std::uint64_t{1} << 62}) {
    CAPTURE(start);
    const auto forward = vault.Read({}, {.limit = 10, .oldest_first = true, .start = start});
    REQUIRE(forward);
    CHECK(forward->entries.empty());
    CHECK(!forward->next);
    const auto backward = vault.Read({}, {.limit = 2, .oldest_first = false, .start = start});
    REQUIRE(backward);
    CHECK(backward->entries.size() == 2);
    CHECK(json::parse(backward->entries[0]).at("seq") == backward->size - 1);
  }
  const auto first = vault.Read({}, {.limit = 2, .oldest_first = false, .start = 0});
  CHECK(first->entries.size() == 1);
  CHECK(!first->next);
}

TEST_CASE("each filter finds the entries that have its value, and together they all hold") {
  LogVault vault;
  const ClientId client = vault.NewClient("A-1");
  const ClientId other = vault.NewClient("A-2");
  const RecordId record = vault.NewContact(client, {{"last_name", "Doe"}});
  vault.clock.Advance(60'000);
  const auto reading = vault.As(kSupervisor, "billing");
  CHECK(vault->records().GetRecord(reading, client, record));
  CHECK(!vault->records().GetRecord(vault.As(kCrmService), other, record));
  vault.clock.Advance(60'000);
  CHECK(!vault->clients().GetClient(vault.As(kAdministrator), client));

  const auto log = vault.WholeLog();
  const auto matching = [&](auto predicate) {
    Seqs seqs;
    for (const auto& entry : log) {
      if (predicate(entry)) seqs.push_back(entry.seq);
    }
    return seqs;
  };
  const auto find = [&](auto member, std::string value) {
    LogFilter filter;
    filter.*member = std::move(value);
    Seqs found = vault.Find(filter);
    std::erase_if(found, [&](std::uint64_t seq) { return seq >= log.size(); });
    return found;
  };
  const std::string id = client.Text();
  const std::string actor = vault.TokenOf(kSupervisor).principal.Text();
  CHECK(find(&LogFilter::client, id) == matching([&](auto& e) { return e.client == id; }));
  CHECK(find(&LogFilter::client, id).size() == 4);
  CHECK(find(&LogFilter::record, record.Text()) ==
        matching([&](auto& e) { return e.record == record.Text(); }));
  CHECK(find(&LogFilter::actor, actor) == matching([&](auto& e) { return e.actor == actor; }));
  CHECK(find(&LogFilter::actor, actor).size() == 1);
  CHECK(find(&LogFilter::action, "record.read") ==
        matching([&](auto& e) { return e.action == "record.read"; }));
  CHECK(find(&LogFilter::class_name, "contact") ==
        matching([&](auto& e) { return e.class_name == "contact"; }));
  CHECK(find(&LogFilter::purpose, "billing") ==
        matching([&](auto& e) { return e.purpose == "billing"; }));
  CHECK(find(&LogFilter::decision, "deny") ==
        matching([&](auto& e) { return e.decision == audit::Decision::kDeny; }));
  CHECK(find(&LogFilter::outcome, "not_found") ==
        matching([&](auto& e) { return e.outcome == "not_found"; }));
  CHECK(find(&LogFilter::request, reading.call.Text()).size() == 1);
  // A part of a value is not the value.
  const auto refusal = [&](auto member, std::string value) {
    LogFilter filter;
    filter.*member = std::move(value);
    return AnswerOf(vault.Read(filter));
  };
  CHECK(refusal(&LogFilter::action, "record") == "filter_unknown");
  CHECK(refusal(&LogFilter::client, id.substr(0, 20)) == "filter_invalid");

  LogFilter both;
  both.client = id;
  both.action = "record.read";
  both.decision = "allow";
  CHECK(vault.Find(both).size() == 1);
  LogFilter minute;
  minute.from = testing::FakeClock::kStart;
  minute.from->ms += 60'000;
  minute.to = {minute.from->ms + 60'000};
  CHECK(vault.Find(minute).size() == 2);
  minute.to = minute.from;
  CHECK(vault.Find(minute).empty());
}

TEST_CASE("a filter that no entry could match is refused and not kept") {
  LogVault vault;
  for (const std::string& bad :
       {std::string("Jane Doe"), std::string("jane@example.org"), std::string("\""),
        std::string("a\",\"actor\":\"b"), std::string("ä"), std::string(201, 'a')}) {
    LogFilter filter;
    filter.client = bad;
    const auto caller = vault.As(kAuditor);
    const auto refused = vault->access_log().ReadLog(caller, filter, {});
    REQUIRE(!refused);
    CHECK(refused.error().code == Code::kInvalidArgument);
    CHECK(refused.error().reason == "filter_invalid");
    CHECK(!vault.EntryOf(caller).contains("client"));
  }
}

TEST_CASE("what would match everything in a pattern matches nothing in a filter") {
  LogVault vault;
  vault.NewClient("A-1");
  for (const char* all : {"_", "_______", "cli_", "client._", ".*", ".", "0"}) {
    CAPTURE(all);
    for (std::string LogFilter::* member :
         {&LogFilter::client, &LogFilter::action, &LogFilter::actor, &LogFilter::request}) {
      LogFilter filter;
      filter.*member = all;
      const auto page = vault->access_log().ReadLog(vault.As(kAuditor), filter, {});
      REQUIRE(!page);
      CHECK((page.error().reason == "filter_invalid" || page.error().reason == "filter_unknown"));
    }
  }
}

TEST_CASE("a look into one client's history says whose, and keeps no search term") {
  LogVault vault;
  const ClientId client = vault.NewClient("A-1");
  LogFilter filter;
  filter.client = client.Text();
  auto caller = vault.As(kPrivacyOfficer);
  CHECK(vault->access_log().ReadLog(caller, filter, {}));
  CHECK(vault.EntryOf(caller) ==
        vault.Allowed(kPrivacyOfficer, {{"action", "log.read"}, {"client", client.Text()}}));
  filter.client = "jane.doe";
  caller = vault.As(kPrivacyOfficer);
  CHECK(AnswerOf(vault->access_log().ReadLog(caller, filter, {})) == "filter_invalid");
  CHECK_FALSE(vault.EntryOf(caller).contains("client"));
}

TEST_CASE("every entry under the checkpoint is proved, offline, from the proof alone") {
  LogVault vault({.checkpoint_interval_ms = 50});
  for (int i = 0; i < 9; ++i) vault.NewClient("A-" + std::to_string(i));
  const auto key = vault.Key();
  std::uint64_t covered = 0;
  for (int i = 0; i < 200 && covered < 20; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const auto note = vault->access_log().ReadCheckpoint(vault.As(kAuditor));
    REQUIRE(note);
    const auto checkpoint = audit::VerifyCheckpoint(*note, key);
    REQUIRE(checkpoint);
    covered = checkpoint->size;
  }
  REQUIRE(covered >= 20);
  for (const std::uint64_t seq :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{7}, covered - 1}) {
    const auto text = vault->access_log().ProveLogEntry(vault.As(kAuditor), seq);
    REQUIRE(text);
    const auto proof = audit::ParseProof(*text);
    REQUIRE(proof);
    const auto entry = vault->access_log().ReadLogEntry(vault.As(kAuditor), seq);
    REQUIRE(entry);
    CHECK(audit::VerifyProof(*proof, crypto::AsBytes(entry->entry), key));
    CHECK(!audit::VerifyProof(*proof, crypto::AsBytes(entry->entry + " "), key));
  }
  CHECK(AnswerOf(vault->access_log().ProveLogEntry(vault.As(kAuditor), 1'000'000)) == "not_found");
}

TEST_CASE("an entry that no checkpoint covers yet cannot be proved") {
  LogVault vault;  // publishes only at start and stop
  vault.NewClient("A-1");
  const auto page = vault.Read({}, {.limit = 1, .oldest_first = false, .start = {}});
  CHECK(AnswerOf(vault->access_log().ProveLogEntry(vault.As(kAuditor), page->size - 1)) ==
        "not_found");
  const auto caller = vault.As(kAuditor);
  CHECK(vault->access_log().ReadCheckpoint(caller));
  CHECK(vault.EntryOf(caller) == vault.Allowed(kAuditor, {{"action", "log.read"}}));
}

TEST_CASE("a whole vault verifies, deep and not, and the report says what was looked at") {
  LogVault vault;
  const ClientId client = vault.NewClient("A-1");
  vault.NewContact(client, {{"last_name", "Doe"}});
  const RecordId changed = vault.NewContact(client, {{"last_name", "Doe"}});
  CHECK(vault->records().UpdateRecord(vault.As(kCrmService), client, changed, 1,
                                      {{"last_name", "Roe"}}));
  const RecordId gone = vault.NewContact(client, {{"last_name", "Doe"}});
  CHECK(vault->records().DeleteRecord(vault.As(kCrmService), client, gone, {}));
  const ClientId erased = vault.NewClient("A-2");
  vault.NewContact(erased, {{"last_name", "Doe"}});
  CHECK(vault->erasures().Erase(vault.As(kPrivacyOfficer), erased, {}));
  CHECK(!vault->clients().CreateClient(vault.As(kCrmService), {"A-1", {}},
                                       {}));  // refused for its reference
  CHECK(!vault->clients().GetClient(vault.As(kAdministrator), client));

  const auto shallow = vault->verification().VerifyLog(vault.As(kAuditor), false);
  REQUIRE(shallow);
  CHECK(shallow->log.ok());
  CHECK(shallow->clients_checked == 0);
  const auto caller = vault.As(kAuditor);
  const auto deep = vault->verification().VerifyLog(caller, true);
  REQUIRE(deep);
  for (const auto& finding : deep->log.findings) UNSCOPED_INFO(finding.message);
  CHECK(deep->log.ok());
  CHECK(deep->clients_checked == 1);
  CHECK(deep->records_checked == 2);
  CHECK(deep->log.denied > 0);
  CHECK(vault.EntryOf(caller) ==
        vault.Allowed(kAuditor, {{"action", "log.verify"}, {"detail", "deep"}}));
  vault.CheckInvariants();
}

TEST_CASE("every attack on the stored state is named by a deep verification, and an alarm") {
  struct Attack {
    const char* name;
    const char* sql;
    const char* says;
  };
  const Attack attacks[] = {
      {"a record is deleted", "DELETE FROM records WHERE id = ?1 AND ?2 > 0",
       "is in the log, but not stored"},
      {"a client is deleted", "DELETE FROM clients WHERE id = ?2", "is in the log, but not stored"},
      {"a record goes back to its old version",
       "UPDATE records SET version = 1, payload = (SELECT payload FROM record_versions WHERE "
       "record "
       "= ?1) WHERE id = ?1 AND ?2 > 0",
       "is not what the log last recorded"},
      {"a record is doubled",
       "INSERT INTO records SELECT id + 1, randomblob(16), client, class, class_version, version, "
       "created, updated, fields, x'', NULL, payload, NULL, NULL FROM records WHERE id = ?1 AND ?2 "
       "> 0",
       "the log has no such record"},
      {"a client is invented",
       "INSERT INTO clients SELECT id + 1, randomblob(16), state, version, created, updated, '', "
       "profile, NULL, 0, 0, NULL FROM clients WHERE id = ?2",
       "the log has no such client"},
      {"a client's version is counted up", "UPDATE clients SET version = 2 WHERE id = ?2",
       "is not what the log last recorded"},
      {"a profile is changed",
       "UPDATE clients SET profile = CAST(profile || x'00' AS BLOB) WHERE id = ?2",
       "is not what the log last recorded"},
  };
  for (const auto& [name, sql, says] : attacks) {
    INFO(name);
    LogVault vault;
    const ClientId client = vault.NewClient("A-1");
    const RecordId record = vault.NewContact(client, {{"last_name", "Doe"}});
    CHECK(vault->records().UpdateRecord(vault.As(kCrmService), client, record, 1,
                                        {{"last_name", "Roe"}}));
    vault.Tamper(sql, record.Row(), client.Row());
    CHECK(vault->verification()
              .VerifyLog(vault.As(kAuditor), false)
              ->log.ok());  // the log itself is whole
    const auto caller = vault.As(kAuditor);
    const auto report = vault->verification().VerifyLog(caller, true);
    REQUIRE(report);
    REQUIRE(!report->log.ok());
    CHECK(report->log.findings[0].check == "state");
    CHECK(report->log.findings[0].message.find(says) != std::string::npos);
    LogFilter alarms;
    alarms.action = "integrity.alarm";
    CHECK(vault.Find(alarms).size() == 1);
  }
}

TEST_CASE("a log that was altered in the middle of a full tile is found out by verification") {
  LogVault vault;
  for (int i = 0; i < 300; ++i) {
    REQUIRE(vault->tokens().WhoAmI(vault.As(kCrmService)));
  }
  vault.Close();
  vault.Tamper(
      "UPDATE log_entries SET entry = cast(replace(cast(entry AS TEXT), 'self.read', 'self.load') "
      "AS "
      "BLOB) WHERE seq = 100");
  OfflineVerifyOptions options;
  options.directory = vault.directory();
  const auto report = VerifyDirectory(options, vault.root());
  REQUIRE(report);
  REQUIRE(!report->log.ok());
  CHECK(report->log.findings[0].seq.has_value());
}

TEST_CASE("a copied directory is verified offline with the log's public key and nothing else") {
  LogVault vault;
  const ClientId client = vault.NewClient("A-1");
  vault.NewContact(client, {{"last_name", "Doe"}});
  vault.Close();
  const std::string copy = vault.work() / "copy";
  fs::copy(vault.directory(), copy, fs::copy_options::recursive);
  OfflineVerifyOptions options;
  options.directory = copy;
  options.log_key = vault.Key();
  options.deep = true;
  const auto good = VerifyDirectory(options, vault.root());
  REQUIRE(good);
  CHECK(good->log.ok());
  CHECK(good->records_checked == 1);

  // Another key: not this log.
  options.log_key->key[0] ^= 1;
  const auto foreign = VerifyDirectory(options, vault.root());
  CHECK((!foreign || !foreign->log.ok()));
  options.log_key.reset();

  // A checkpoint that an auditor kept says that the copy is cut.
  vault.Open();
  vault.NewClient("A-2");
  vault.Close();
  options.anchor_path = vault.anchor_path();
  const auto cut = VerifyDirectory(options, vault.root());
  REQUIRE(cut);
  REQUIRE(!cut->log.ok());
  CHECK(cut->log.findings[0].check == "truncated");

  fs::remove(copy + "/anchor");
  options.anchor_path.clear();
  const auto unanchored = VerifyDirectory(options, vault.root());
  REQUIRE(!unanchored);
  CHECK(unanchored.error().reason == "anchor_missing");
}

TEST_CASE("status and statistics count what is there") {
  LogVault vault;
  const ClientId client = vault.NewClient("A-1");
  vault.NewContact(client, {{"last_name", "Doe"}});
  vault.NewClient("A-2");
  const auto status = vault->monitoring().ReadStatus(vault.As(kAdministrator));
  REQUIRE(status);
  CHECK(status->clients == 2);
  CHECK(status->records == 1);
  CHECK(status->erasures == 0);
  CHECK(status->classes == 6);
  CHECK(status->purposes == 7);
  CHECK(status->active_tokens == 7);
  CHECK(status->log_key == vault.LogKey());
  CHECK(audit::VerifyCheckpoint(status->checkpoint, vault.Key()));
  const std::uint64_t before = vault.WholeLog().size();
  const auto statistics = vault->monitoring().ReadStatistics(vault.As(kAdministrator));
  REQUIRE(statistics);
  CHECK(statistics->operations > 5);
  CHECK(statistics->key_cache_entries == 2);
  CHECK(statistics->checkpoint_size > 0);
  CHECK(statistics->log_size >= before);
  // Monitoring leaves entries only when it is refused.
  CHECK(vault.EntriesOf(vault.As(kAdministrator)).empty());
  const auto refused = vault.As(kCaseWorker);
  CHECK(!vault->monitoring().ReadStatistics(refused));
  CHECK(vault.EntryOf(refused).at("outcome") == "permission_denied");
}

}  // namespace
}  // namespace coffer::vault
