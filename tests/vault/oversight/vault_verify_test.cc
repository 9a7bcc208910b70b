// The deep verification: every page, every key, beside writers that never stop.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <thread>

#include "tests/support/sampling.h"
#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

Strings MessagesOf(const Result<DeepReport>& report) {
  REQUIRE(report);
  Strings messages;
  for (const auto& finding : report->log.findings) messages.push_back(finding.message);
  return messages;
}

Strings Offline(TestVault& vault, bool deep = true) {
  OfflineVerifyOptions options;
  options.directory = vault.directory();
  options.deep = deep;
  return MessagesOf(VerifyDirectory(options, vault.root()));
}

constexpr std::size_t kTornPageBytes = 4096;

std::string ContentOfFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void Overwrite(const std::string& path, std::streamoff at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(at);
  file.put('\x55').put('\xaa');
  REQUIRE(file.good());
}

TEST_CASE("a deep verification beside writers and erasures finds nothing") {
  TestVault vault;
  for (int i = 0; i < 40; ++i) {
    vault.NewContact(vault.NewClient("A-" + std::to_string(i)), {{"last_name", "Doe"}});
  }
  std::atomic<bool> done{false};
  std::vector<std::jthread> writers;
  for (int t = 0; t < 3; ++t) {
    writers.emplace_back([&vault, &done, t] {
      const json data = {{"last_name", std::string(1000, 'x')}};
      for (int i = 0; !done; ++i) {
        const auto made = vault->clients().CreateClient(
            vault.As(kCrmService), {"W-" + std::to_string(t) + "-" + std::to_string(i), {}}, {});
        if (!made) return;
        (void)vault->records().CreateRecord(vault.As(kCrmService), made->id, "contact", data, {});
        if (i % 2 == 0) (void)vault->erasures().Erase(vault.As(kPrivacyOfficer), made->id, {});
      }
    });
  }
  for (int i = 0; i < testing::Many(25, 10); ++i) {
    CHECK(MessagesOf(vault->verification().VerifyLog(vault.As(kAuditor), true)) == Strings{});
  }
  done = true;
}

TEST_CASE("a damaged page is named by file and number, in either database") {
  for (const char* name : {"vault.db", "keys.db"}) {
    INFO(name);
    TestVault vault;
    // The last page is to be one of what is stored: of a damaged schema nothing can be opened.
    for (int i = 0; i < 60; ++i) vault.NewClient("A-" + std::to_string(i));
    vault.Close();
    const std::string path = vault.directory() + "/" + name;
    const auto pages = std::filesystem::file_size(path) / 4096;
    REQUIRE(pages > 1);
    Overwrite(path, static_cast<std::streamoff>((pages - 1) * 4096 + 2000));
    const auto messages = Offline(vault);
    REQUIRE(!messages.empty());
    CHECK(messages[0] ==
          std::string(name) + ": HMAC verification failed for page " + std::to_string(pages));
  }
}

TEST_CASE("a client without its key, or with another's, is named") {
  TestVault vault;
  const ClientId first = vault.NewClient("A-1");
  const ClientId second = vault.NewClient("A-2");
  const ClientId third = vault.NewClient("A-3");
  vault.Close();
  {
    auto keys = vault.OpenKeysDatabase(false);
    auto swap = Statement::Prepare(
        keys,
        "UPDATE client_keys SET wrapped = (SELECT wrapped FROM client_keys WHERE client = ?) "
        "WHERE client = ?");
    REQUIRE(swap);
    REQUIRE(swap->Execute(third.Row(), second.Row()));
    auto take = Statement::Prepare(keys, "DELETE FROM client_keys WHERE client = ?");
    REQUIRE(take);
    REQUIRE(take->Execute(first.Row()));
  }
  const Strings wanted = {
      "the key of client " + first.Text() + " is not in keys.db: nothing of it can be read",
      "the key of client " + second.Text() +
          " in keys.db is not the one that its profile was sealed with"};
  CHECK(Offline(vault) == wanted);
  CHECK(Offline(vault, false).empty());
  vault.Open();
  CHECK(MessagesOf(vault->verification().VerifyLog(vault.As(kAuditor), true)) == wanted);
  CHECK(MessagesOf(vault->verification().VerifyLog(vault.As(kAuditor), false)).empty());
}

// Each page carries its own HMAC, so that one of an earlier state is no damage to SQLCipher. What
// the log says of clients and records is not to be taken back that way.
TEST_CASE("a page of an older state put back is found where clients, records or the log are") {
  TestVault vault;
  const ClientId client = vault.NewClient("A-1");
  const RecordId record = vault.NewContact(client, {{"last_name", "Doe"}});
  vault.Close();
  const std::string path = vault.directory() + "/vault.db";
  const std::string before = ContentOfFile(path);
  vault.Open();
  REQUIRE(vault->records().UpdateRecord(vault.As(kCrmService), client, record, 1,
                                        {{"last_name", "Roe"}}));
  REQUIRE(vault->clients().UpdateClient(vault.As(kCrmService), client, 1, {"A-2", {}}));
  vault.Close();
  const std::string after = ContentOfFile(path);
  REQUIRE(before.size() <= after.size());
  CHECK(Offline(vault).empty());

  std::map<std::size_t, std::string> tables;  // by root page
  {
    const Database database = vault.OpenVaultDatabase();
    auto schema = Statement::Prepare(database, "SELECT rootpage, name FROM sqlite_schema");
    REQUIRE(schema);
    auto rows = schema->Query();
    while (*rows.Next()) tables[static_cast<std::size_t>(rows.Int(0))] = rows.Text(1);
  }
  std::set<std::string> found, missed;
  for (std::size_t at = 0; at < before.size(); at += kTornPageBytes) {
    if (before.compare(at, kTornPageBytes, after, at, kTornPageBytes) == 0) continue;
    std::string mixed = after;
    mixed.replace(at, kTornPageBytes, before, at, kTornPageBytes);
    std::ofstream(path, std::ios::binary | std::ios::trunc) << mixed;
    OfflineVerifyOptions options;
    options.directory = vault.directory();
    options.deep = true;
    const auto report = VerifyDirectory(options, vault.root());
    if (!report) CHECK(report.error().code == Code::kCorrupted);
    const bool silent = report && report->log.ok();
    (silent ? missed : found).insert(tables[at / kTornPageBytes + 1]);
  }
  // Pages that are no root are the log's.
  for (const char* covered : {"clients", "records", "record_versions", ""}) {
    CAPTURE(covered);
    CHECK(found.contains(covered));
    CHECK(!missed.contains(covered));
  }
}

// Figures by hand: vault_tests "[deep-scale]", with COFFER_RECORDS records.
TEST_CASE("what a deep verification takes for many records", "[.][deep-scale]") {
  const char* const wanted = std::getenv("COFFER_RECORDS");
  const int records = wanted != nullptr ? std::atoi(wanted) : 200'000;
  TestVault vault;
  std::vector<ClientId> clients;
  for (int i = 0; i < 1000; ++i) clients.push_back(vault.NewClient("C-" + std::to_string(i)));
  const auto token = vault.As(kCrmService);
  {
    std::vector<std::jthread> callers;
    for (int thread = 0; thread < 32; ++thread) {
      callers.emplace_back([&, thread] {
        for (int i = thread; i < records; i += 32) {
          Caller caller = token;
          caller.call = CallId::New(vault.clock.Now());
          (void)vault->records().CreateRecord(caller,
                                              clients[static_cast<std::size_t>(i) % clients.size()],
                                              "contact", {{"last_name", "Doe"}}, {});
        }
      });
    }
  }
  vault.Close();
  for (const bool deep : {false, true}) {
    const auto began = std::chrono::steady_clock::now();
    const pid_t child = fork();
    if (child == 0) _exit(Offline(vault, deep).empty() ? 0 : 1);
    int status = -1;
    rusage usage{};
    REQUIRE(wait4(child, &status, 0, &usage) == child);
    CHECK(status == 0);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - began;
    std::printf("%d records, %s: %ld MiB at most, %.1f s\n", records, deep ? "deep" : "log only",
                usage.ru_maxrss / 1024, taken.count());
  }
}

}  // namespace
}  // namespace coffer::vault
