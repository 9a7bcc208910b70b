// Lines of the ledger that are written before their erasures are committed: whatever was prepared,
// the ledger gets what is appended.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <iterator>
#include <system_error>
#include <thread>
#include <vector>

#include "tests/crypto/child_process.h"
#include "tests/vault/test_engine.h"
#include "vault/deletion/erasure_ledger.h"
#include "vault/storage/migrations.h"

namespace coffer::vault {
namespace {

class PreparedLedger {
 public:
  PreparedLedger() {
    REQUIRE(crypto::InitializeCrypto());
    REQUIRE(crypto::CreateKeyFile(work_ / "root.key"));
    const auto root = crypto::OpenKeyFile(work_ / "root.key");
    auto keyring = crypto::Keyring::Create(work_ / "keyring.json", **root, {}, "ledger.example");
    REQUIRE(keyring);
    keyring_ = std::make_unique<crypto::Keyring>(*std::move(keyring));
    auto opened = Database::Open(work_ / "vault.db", keyring_->vault_db_key(), {.create = true});
    REQUIRE(opened);
    database_ = *std::move(opened);
    REQUIRE(Migrate(database_, VaultMigrations()));
    auto settings = SettingStore::Open(database_);
    REQUIRE(settings);
    auto made = ErasureLedger::Open(path(), *keyring_, *settings);
    REQUIRE(made);
    ledger = *std::move(made);
    ledger->DropFound();
  }

  std::string path() const { return work_ / "ledger"; }

  // The number of records decides the scope; 450 take three lines.
  static ErasureRow Row(std::uint64_t seq, std::size_t records = 0) {
    ErasureRow row;
    row.id = ErasureId::New(kTime);
    row.client = ClientId::New(kTime);
    row.erased = kTime;
    row.seq = seq;
    if (records > 0) row.scope = ErasureScope::kRecords;
    for (std::size_t i = 0; i < records; ++i) row.record_ids.push_back(RecordId::New(kTime));
    return row;
  }
  void Prepare(const std::vector<ErasureRow>& rows) {
    for (const ErasureRow& row : rows) ledger->Prepare(row);
  }
  void Append(std::vector<ErasureRow> rows) {
    REQUIRE(ledger->Append(rows));
    for (const ErasureRow& row : rows) {
      CHECK(row.ledger_seq == lines_);
      lines_ += std::max<std::size_t>(1, (row.record_ids.size() + 199) / 200);
      appended_.push_back(row.id.Text());
    }
  }
  // As when the log's key is exchanged: the last line stands there once more.
  void Exchange() {
    const auto next = std::make_shared<const crypto::SigningKey>(crypto::SigningKey::Generate());
    REQUIRE(ledger->CoverBy(*next));
    keyring_->signing_keys().Add({2, false, next});
    ++lines_;
  }
  // Verified by one who reads nothing but the file.
  void CheckFile() {
    std::vector<std::string> found;
    std::vector<audit::VerifierKey> keys;
    for (const auto& held : keyring_->log_keys()) {
      keys.push_back({keyring_->log_origin(), held.key->public_key()});
    }
    audit::LedgerReader reader(keys, [&](const audit::LedgerLine& line) -> Status {
      if (found.empty() || found.back() != line.erasure.erasure) {
        found.push_back(line.erasure.erasure);
      }
      return {};
    });
    std::ifstream file(path(), std::ios::binary);
    const auto read = reader.Feed(std::string(std::istreambuf_iterator<char>(file), {}));
    INFO((read ? "" : read.error().detail));
    REQUIRE(read);
    REQUIRE(reader.Finish());
    CHECK(found == appended_);
    CHECK(reader.state().head.n == lines_);
  }

  std::unique_ptr<ErasureLedger> ledger;

 private:
  static constexpr Timestamp kTime{1'700'000'000'000};

  testing::TemporaryDirectory work_;
  std::unique_ptr<crypto::Keyring> keyring_;
  Database database_;
  std::vector<std::string> appended_;
  std::uint64_t lines_ = 0;
};

}  // namespace

TEST_CASE("prepared lines are appended when exactly they are wanted") {
  PreparedLedger vault;
  for (std::uint64_t step = 0; step < 3; ++step) {
    std::vector<ErasureRow> rows;
    for (std::uint64_t i = 0; i < 50; ++i) {
      rows.push_back(PreparedLedger::Row(step * 50 + i, i == 7 ? 450 : 0));
    }
    vault.Prepare(rows);
    vault.Append(rows);
  }
  vault.CheckFile();
}

TEST_CASE("prepared lines that are not wanted leave no trace") {
  PreparedLedger vault;
  const auto a = PreparedLedger::Row(1), b = PreparedLedger::Row(2), c = PreparedLedger::Row(3);
  SECTION("nothing is, of an operation that was undone") {
    vault.Prepare({a, b});
    vault.Append({});
    vault.Append({c});
  }
  SECTION("they were dropped, once and again") {
    vault.ledger->DropPrepared();
    vault.Prepare({a, b});
    vault.ledger->DropPrepared();
    vault.ledger->DropPrepared();
    vault.Prepare({a});
    vault.Append({a});
  }
  SECTION("others are") {
    vault.Prepare({a});
    vault.Append({b, c});
  }
  SECTION("fewer are") {
    vault.Prepare({a, b});
    vault.Append({a});
  }
  SECTION("more are") {
    vault.Prepare({b});
    vault.Append({a, b, c});
  }
  SECTION("in another order") {
    vault.Prepare({b, a});
    vault.Append({a, b});
  }
  SECTION("the same is, at another place of the log") {
    vault.Prepare({a, b});
    ErasureRow later = b;
    later.seq += 10;
    vault.Append({a, later});
  }
  SECTION("what no line can be written of is prepared") {
    ErasureRow bad = PreparedLedger::Row(4);
    bad.scope = ErasureScope::kRecords;
    vault.Prepare({a, bad, b});
    vault.Append({a, b});
  }
  // What follows is prepared as if nothing had been.
  const auto d = PreparedLedger::Row(20), e = PreparedLedger::Row(21, 3);
  vault.Prepare({d, e});
  vault.Append({d, e});
  vault.CheckFile();
}

TEST_CASE("a ledger may be closed while lines are being prepared") {
  PreparedLedger vault;
  for (std::uint64_t i = 0; i < 2000; ++i) vault.ledger->Prepare(PreparedLedger::Row(i));
  vault.ledger.reset();
  vault.CheckFile();
}

#ifndef COFFER_SANITIZED  // which needs address space of its own
TEST_CASE("without a thread to prepare lines they are written all the same") {
  PreparedLedger vault;
  const auto a = PreparedLedger::Row(1), b = PreparedLedger::Row(2, 450);
  const int status = crypto::StatusOfChild([&] {
    // No room for the stack of a thread.
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    const rlim_t most = pages * 4096 + (4U << 20);
    const rlimit limit{.rlim_cur = most, .rlim_max = most};
    if (setrlimit(RLIMIT_AS, &limit) != 0) return 1;
    std::vector<std::thread> threads;
    try {
      while (threads.size() < 100) threads.emplace_back([] { pause(); });
      return 2;
    } catch (const std::system_error&) {
    }
    vault.ledger->Prepare(a);
    vault.ledger->Prepare(b);
    std::vector<ErasureRow> rows = {a, b};
    _exit(vault.ledger->Append(rows) ? 0 : 3);  // past the threads
    return 4;
  });
  CHECK(status == 0);
  std::ifstream file(vault.path());
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  CHECK(std::ranges::count(text, '\n') == 4);
}
#endif

TEST_CASE("lines that were prepared before the ledger is covered by another key are written anew") {
  PreparedLedger vault;
  const std::vector<ErasureRow> first = {PreparedLedger::Row(1)};
  vault.Prepare(first);
  vault.Append(first);
  const std::vector<ErasureRow> rows = {PreparedLedger::Row(2), PreparedLedger::Row(3, 450)};
  vault.Prepare(rows);
  vault.Exchange();
  vault.Append(rows);
  vault.CheckFile();
}

}  // namespace coffer::vault
