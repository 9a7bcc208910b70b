// Searching the log: with its index, without, and with part of it, the answers are the same.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/support/sampling.h"
#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

class IndexedVault : public TestVault {
 public:
  IndexedVault() {
    for (int i = 0; i < 6; ++i) clients.push_back(NewClient("A-" + std::to_string(i)));
    records.push_back(NewContact(clients[0], {{"last_name", "Roe"}}));
    for (int i = 0; i < 40; ++i) {
      clock.Advance(10 * 60 * 1000);
      auto caller = As(i % 3 == 0 ? kPrivacyOfficer : kCrmService);
      caller.address = i % 5 == 0 ? "192.0.2.200" : "2001:db8::7";
      (*this)->clients().GetClient(caller, clients[static_cast<std::size_t>(i) % clients.size()]);
      (*this)->records().GetRecord(As(kCrmService), clients[0], records[0]);
      (*this)->clients().GetClient(As(kCaseWorker), clients[1]);  // not assigned
    }
  }
  std::string path() { return LogIndexPath(directory()); }
  void WaitForIndex(std::uint64_t size) {
    for (int i = 0; i < 10'000; ++i) {
      const auto statistics = (*this)->monitoring().ReadStatistics(As(kAdministrator));
      REQUIRE(statistics);
      if (statistics->log_index_size >= size) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    for (const auto& line : operator_log()) UNSCOPED_INFO(line);
    FAIL("the index does not follow the log");
  }
  // The numbers of all matching entries before `end`, page by page.
  std::vector<std::uint64_t> Search(const LogFilter& filter, bool oldest_first, std::size_t limit,
                                    std::uint64_t end) {
    std::vector<std::uint64_t> seqs;
    LogPageRequest page{limit, oldest_first, {}};
    if (!oldest_first) page.start = end - 1;
    for (;;) {
      const auto found = (*this)->access_log().ReadLog(As(kSecurityOfficer), filter, page);
      REQUIRE(found);
      CHECK(found->entries.size() <= limit);
      for (const auto& bytes : found->entries) {
        const auto entry = audit::ParseEntry(bytes);
        REQUIRE(entry);
        if (entry->seq < end) seqs.push_back(entry->seq);
      }
      if (!found->next || (oldest_first && *found->next >= end)) return seqs;
      page.start = found->next;
    }
  }

  std::vector<ClientId> clients;
  std::vector<RecordId> records;
};

// Read from the entries, by other means than those that are tested.
std::vector<std::uint64_t> Expected(const std::vector<audit::Entry>& log, const LogFilter& filter) {
  std::vector<std::uint64_t> seqs;
  const auto is = [](const std::string& wanted, std::string_view value) {
    return wanted.empty() || wanted == value;
  };
  for (const auto& e : log) {
    if (is(filter.client, e.client) && is(filter.record, e.record) && is(filter.actor, e.actor) &&
        is(filter.action, e.action) && is(filter.class_name, e.class_name) &&
        is(filter.purpose, e.purpose) && is(filter.decision, audit::Name(e.decision)) &&
        is(filter.rule, e.rule) && is(filter.outcome, e.outcome) && is(filter.address, e.address) &&
        is(filter.request, e.request) && (!filter.from || e.ts >= *filter.from) &&
        (!filter.to || e.ts < *filter.to) &&
        (filter.field.empty() || std::ranges::count(e.fields, filter.field) > 0)) {
      seqs.push_back(e.seq);
    }
  }
  return seqs;
}

}  // namespace

TEST_CASE("a search finds the same with the index, with half of it and without",
          testing::kPlainOnly) {
  IndexedVault vault;
  const auto log = vault.WholeLog();
  const std::uint64_t end = log.size();
  std::vector<LogFilter> filters(16);
  filters[1].client = vault.clients[1].Text();
  filters[2].record = vault.records[0].Text();
  filters[3].actor = vault.TokenOf(kCrmService).principal.Text();
  filters[4].action = "client.read";
  filters[5].class_name = "contact";
  filters[6].purpose = "client-care";
  filters[7].decision = "deny";
  filters[8].rule = "check:scope";
  filters[9].outcome = "not_found";
  filters[10].address = "192.0.2.200";
  filters[11].request = log[end - 1].request;
  filters[12].field = "last_name";
  filters[13].client = vault.clients[1].Text();
  filters[13].decision = "allow";
  filters[13].from = log[end / 3].ts;
  filters[13].to = log[end / 2].ts;
  filters[14].action = "hold.lift";  // known, and not done
  filters[15].from = log[end / 2].ts;
  const auto check = [&] {
    for (std::size_t i = 0; i < filters.size(); ++i) {
      CAPTURE(i);
      const auto expected = Expected(log, filters[i]);
      std::vector<std::uint64_t> backwards(expected.rbegin(), expected.rend());
      for (const std::size_t limit : {9U, 1000U}) {
        CHECK(vault.Search(filters[i], true, limit, end) == expected);
        CHECK(vault.Search(filters[i], false, limit, end) == backwards);
      }
    }
  };
  check();  // the index has what was there when the vault was opened
  vault.Close();
  vault.Open();
  vault.WaitForIndex(end);
  check();
  vault.Close();
  std::filesystem::remove(vault.path());
  vault.Open();
  check();
  vault.WaitForIndex(end);
  check();
}

TEST_CASE("an index of another log, or a broken one, is made anew") {
  IndexedVault vault;
  const std::uint64_t end = vault.WholeLog().size();
  vault.Close();
  SECTION("broken") { std::filesystem::resize_file(vault.path(), 5000); }
  SECTION("of an earlier state with another end") {
    const Database index =
        *Database::Open(vault.path(), vault.OpenKeyring().vault_db_key(), {.read_only = false});
    auto alter = Statement::Prepare(index, "UPDATE state SET value = '1' WHERE name = 'last'");
    REQUIRE(alter);
    REQUIRE(alter->Execute());
  }
  vault.Open();
  vault.WaitForIndex(end);
  vault.CheckInvariants();
}

TEST_CASE("an index that leaves something out is found when the directory is verified") {
  IndexedVault vault;
  const std::uint64_t end = vault.WholeLog().size();
  vault.Close();
  vault.Open();
  vault.WaitForIndex(end);
  vault.Close();
  {
    const Database index =
        *Database::Open(vault.path(), vault.OpenKeyring().vault_db_key(), {.read_only = false});
    auto alter = Statement::Prepare(index,
                                    "UPDATE entries SET client = NULL WHERE client = (SELECT "
                                    "client FROM entries WHERE client IS NOT NULL LIMIT 1)");
    REQUIRE(alter);
    REQUIRE(alter->Execute());
  }
  OfflineVerifyOptions options;
  options.directory = vault.directory();
  options.deep = true;
  const auto report = VerifyDirectory(options, vault.root());
  REQUIRE(report);
  REQUIRE_FALSE(report->log.ok());
  CHECK(report->log.findings.front().message.find("index of the log") != std::string::npos);
}

TEST_CASE("a verification passes over an index that is just being made") {
  IndexedVault vault;
  vault.Close();
  LogIndex::Remove(vault.path());
  SECTION("its file is there") { std::ofstream(vault.path()).close(); }
  SECTION("it has no table yet") {
    REQUIRE(Database::Open(vault.path(), vault.OpenKeyring().vault_db_key(), {.create = true}));
  }
  vault.CheckInvariants();
}

TEST_CASE("a summary counts what a search finds") {
  IndexedVault vault;
  const std::uint64_t end = vault.WholeLog().size();
  vault.Close();
  vault.Open();
  vault.WaitForIndex(end);
  for (const std::string by : {"action", "actor", "decision", "outcome", "rule", "class"}) {
    for (const bool daily : {false, true}) {
      LogSummaryRequest request;
      request.by = by;
      request.daily = daily;
      request.filter.purpose = "client-care";
      const auto summary = vault->access_log().SummariseLog(vault.As(kSecurityOfficer), request);
      REQUIRE(summary);
      std::uint64_t total = 0;
      const std::int64_t bucket = (daily ? 24 : 1) * std::int64_t{3'600'000};
      for (const auto& count : summary->counts) {
        CHECK(count.from.ms % bucket == 0);
        total += count.count;
      }
      auto log = vault.WholeLog();
      log.resize(summary->size);
      CHECK(total == Expected(log, request.filter).size());
      CHECK(std::ranges::is_sorted(summary->counts, {}, [](const LogCount& count) {
        return std::pair(count.from, count.value);
      }));
    }
  }
  LogSummaryRequest bad;
  bad.by = "ts; DROP TABLE entries";
  CHECK(AnswerOf(vault->access_log().SummariseLog(vault.As(kSecurityOfficer), bad)) ==
        "filter_invalid");
  CHECK(AnswerOf(vault->access_log().SummariseLog(vault.As(kCrmService), {})) ==
        "permission_denied");
}

// Who and what is gone stays searchable: known is what the log has, not only today's policy.
TEST_CASE("what only the log still knows can be searched for, with the index and without") {
  IndexedVault vault;
  vault.PutClass({{"name", "passing"},
                  {"purposes", {"client-care"}},
                  {"fields", {{"brief", {{"type", "string"}}}}}});
  vault.PutPurpose("passing-purpose");
  const auto token = vault.NewTokenFor("crm-service", 3600, "passing");
  REQUIRE(token);
  const std::string actor = token->info.principal.Text();
  {
    auto caller = testing::OpenVault::Stranger(token->secret);
    caller.purpose = "passing-purpose";
    CHECK(vault->clients().GetClient(caller, vault.clients[0]));
  }
  vault.NewRecord(vault.clients[0], "passing", {{"brief", "a"}});
  const std::uint64_t end = vault.WholeLog().size();
  vault.Close();
  vault.Tamper("DELETE FROM records WHERE class = 'passing'");
  vault.Tamper("DELETE FROM classes WHERE name = 'passing'");
  vault.Tamper("DELETE FROM purposes WHERE code = 'passing-purpose'");
  vault.Tamper("DELETE FROM tokens WHERE name = 'passing'");
  vault.Tamper("DELETE FROM principals WHERE name = 'passing'");
  const auto check = [&] {
    const auto answers = [&](std::string LogFilter::* member, const std::string& value) {
      LogFilter alone, with;
      alone.*member = with.*member = value;
      with.action = "hold.lift";  // of nobody
      const auto found = vault->access_log().ReadLog(vault.As(kSecurityOfficer), alone, {});
      const auto nothing = vault->access_log().ReadLog(vault.As(kSecurityOfficer), with, {});
      CAPTURE(value, AnswerOf(found), AnswerOf(nothing));
      REQUIRE((found && nothing));
      CHECK_FALSE(found->entries.empty());
      CHECK(nothing->entries.empty());
    };
    answers(&LogFilter::class_name, "passing");
    answers(&LogFilter::purpose, "passing-purpose");
    answers(&LogFilter::actor, actor);
    answers(&LogFilter::field, "brief");
    LogFilter never;
    never.class_name = "passings";
    CHECK(AnswerOf(vault->access_log().ReadLog(vault.As(kSecurityOfficer), never, {})) ==
          "filter_unknown");
  };
  std::filesystem::remove(vault.path());
  vault.Open(true);
  check();  // the index is not there yet, or on its way
  vault.WaitForIndex(end);
  check();
}

TEST_CASE("an index of the version before is made anew, and until then is none") {
  IndexedVault vault;
  const std::uint64_t end = vault.WholeLog().size();
  vault.Close();
  {
    Database index =
        *Database::Open(vault.path(), vault.OpenKeyring().vault_db_key(), {.read_only = false});
    REQUIRE(index.Execute("ALTER TABLE words DROP COLUMN seen_in"));
    REQUIRE(index.Execute("UPDATE state SET value = '1' WHERE name = 'version'"));
  }
  OfflineVerifyOptions options;
  options.directory = vault.directory();
  options.deep = true;
  const auto report = VerifyDirectory(options, vault.root());
  REQUIRE(report);
  CHECK(report->log.ok());
  vault.Open();
  vault.WaitForIndex(end);
  LogFilter unknown;
  unknown.action = "client.raed";
  const auto refused = vault->access_log().ReadLog(vault.As(kSecurityOfficer), unknown, {});
  CHECK(AnswerOf(refused) == "filter_unknown");
  CHECK(IssuesOf(refused) ==
        std::vector<std::string>{
            "/action is known neither to the vault nor to its log; near: client.read"});
  vault.CheckInvariants();
}

}  // namespace coffer::vault
