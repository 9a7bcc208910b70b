// An engine over empty databases, and operations that leave one row and one entry each:
//
//   TestEngine engine;
//   engine.Start();
//   CHECK(engine.Put(1) == "ok");
//   CHECK(engine.Rows() == Numbers{1});
//   engine.CheckInvariants();
#pragma once

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <memory>
#include <mutex>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "audit/entries/log_reader.h"
#include "audit/verify/verify.h"
#include "crypto/hash.h"
#include "crypto/keys_database_key.h"
#include "tests/support/fake_clock.h"
#include "tests/support/open_vault.h"
#include "tests/support/temporary_directory.h"
#include "vault/catalog/catalog_state.h"
#include "vault/engine/engine.h"
#include "vault/room_states.h"
#include "vault/storage/keys_database.h"
#include "vault/storage/migrations.h"
#include "vault/storage/vault_database.h"

namespace coffer::vault {

using testing::AnswerOf;
using Numbers = std::vector<int>;
using Strings = std::vector<std::string>;

class TestEngine {
 public:
  explicit TestEngine(std::size_t queue_limit = 4096) : queue_limit_(queue_limit) {
    REQUIRE(crypto::InitializeCrypto());
    REQUIRE(crypto::CreateKeyFile(work / "root.key"));
    auto root = crypto::OpenKeyFile(work / "root.key");
    REQUIRE(root);
    auto keyring = crypto::Keyring::Create(work / "keyring.json", **root, {}, "engine.example");
    REQUIRE(keyring);
    keyring_ = std::make_unique<crypto::Keyring>(*std::move(keyring));
    REQUIRE(crypto::CreateKeysDatabaseKey(KeysDatabaseKeyPath(keys_path()), *keyring_));
    Open();
  }
  ~TestEngine() { Close(); }

  // As after a start of the process.
  void Open() {
    auto vault = OpenVaultDatabase(vault_path(), *keyring_, {.create = true});
    REQUIRE(SettleKeysDatabase(keys_path(), *keyring_));
    auto keys = OpenKeysDatabase(keys_path(), *keyring_, {.create = true});
    REQUIRE(vault);
    REQUIRE(keys);
    vault_rewrite.key_version = vault->key_version;
    REQUIRE(Migrate(vault->database, VaultMigrations()));
    REQUIRE(Migrate(*keys, KeysMigrations()));
    auto cache = KeyCache::Create(64, false);
    REQUIRE(cache);
    auto engine =
        Engine::Create(std::move(vault->database), *std::move(keys), *keyring_, *std::move(cache),
                       {.queue_limit = queue_limit_,
                        .log =
                            [this](Severity, std::string_view message) {
                              const std::lock_guard lock(said_mutex_);
                              said_.emplace_back(message);
                            },
                        .clock = &clock,
                        .origin = keyring_->log_origin(),
                        .append_to_ledger = [](auto) -> Status { return {}; },
                        .append_acts = [](auto) -> Status { return {}; },
                        .open_rooms = OpenRoomStates,
                        .keys_rewrite = keys_rewrite,
                        .vault_rewrite = vault_rewrite});
    INFO(AnswerOf(engine));
    REQUIRE(engine);
    engine_ = *std::move(engine);
  }
  static Status Erase(Transaction& transaction, const ClientId& client) {
    ErasureRow row;
    row.id = ErasureId::New(transaction.now());
    row.client = client;
    row.erased = transaction.now();
    COFFER_TRY(transaction.stores().erasures.Insert(row));
    transaction.Erased(row);
    return {};
  }
  void Start() { engine_->Start(); }
  void Close() { engine_.reset(); }
  Engine* operator->() { return engine_.get(); }
  Engine& operator*() { return *engine_; }
  const crypto::Keyring& keyring() const { return *keyring_; }
  // As a server takes up what a command put into keyring.json.
  void TakeNextDatabaseKeys() {
    auto root = crypto::OpenKeyFile(work / "root.key");
    REQUIRE(root);
    const std::string path = work / "keyring.json";
    REQUIRE(crypto::Keyring::AddNext(path, **root, crypto::KeysInUse::kDatabases));
    const auto both = crypto::Keyring::Open(path, **root);
    REQUIRE(both);
    const auto keys_db = both->keys_db_keys().SealNewest(both->note_key());
    const auto vault_db = both->vault_db_keys().SealNewest(both->note_key());
    REQUIRE((keys_db && vault_db));
    REQUIRE(keyring_->keys_db_keys().Take(*keys_db, keyring_->note_key()) == true);
    REQUIRE(keyring_->vault_db_keys().Take(*vault_db, keyring_->note_key()) == true);
  }
  std::string vault_path() const { return work / "vault.db"; }
  std::string keys_path() const { return work / "keys.db"; }

  // Any operation, with an entry that says `what`.
  template <class Work>
  std::string Do(OperationKind kind, std::string what, Work&& work_of_it,
                 EntryRule rule = EntryRule::kAlways) {
    audit::Entry entry;
    entry.action = std::move(what);
    entry.decision = audit::Decision::kAllow;
    return AnswerOf(engine_->Run(kind, rule, entry, work_of_it));
  }
  static Status Write(Transaction& transaction, int n) {
    return transaction.Of<CatalogState>().catalog_store.PutPurpose(PurposeOf(n), transaction.now());
  }
  // One row and one entry "put.n".
  std::string Put(int n) {
    return Do(OperationKind::kWrite, "put." + std::to_string(n),
              [n](Transaction& transaction) { return Write(transaction, n); });
  }
  // The same, and then the operation fails.
  std::string PutAndFail(int n, Code code = Code::kConflict,
                         std::string_view reason = "changed_mind") {
    return Do(OperationKind::kWrite, "fail." + std::to_string(n),
              [=](Transaction& transaction) -> Status {
                COFFER_TRY(Write(transaction, n));
                return Fail(code, reason);
              });
  }

  static Status Pin(Transaction& transaction, const ClientId& client) {
    COFFER_TRY(transaction.PinKey(client));
    return {};
  }

  // Holds the engine's thread inside an operation, so that what is queued meanwhile is one batch.
  void Hold() {
    holder_ = std::jthread([this] {
      Do(OperationKind::kRead, "hold", [this](Transaction&) -> Status {
        held_.release();
        released_.acquire();
        return {};
      });
    });
    held_.acquire();
  }
  void Release() {
    released_.release();
    holder_.join();
  }
  void AwaitQueued(std::size_t count) {
    while (engine_->Statistics().queue_length < count) std::this_thread::yield();
  }

  // What the operator was told.
  Strings Said() {
    const std::lock_guard lock(said_mutex_);
    return said_;
  }

  // What a connection of its own sees: what is committed.
  Database Reader() {
    auto reader = OpenVaultDatabase(vault_path(), *keyring_, {.read_only = true});
    REQUIRE(reader);
    return std::move(reader->database);
  }
  Numbers Rows() {
    const Database reader = Reader();
    auto select = Statement::Prepare(reader, "SELECT code FROM purposes");
    REQUIRE(select);
    Numbers rows;
    auto row = select->Query();
    while (*row.Next()) rows.push_back(std::stoi(std::string(row.Text(0).substr(2))));
    std::ranges::sort(rows);
    return rows;
  }
  std::vector<audit::Entry> Entries() {
    std::vector<audit::Entry> entries;
    Database reader = Reader();
    auto log = LogStore::Open(reader);
    REQUIRE(log);
    REQUIRE((*log)->ReadEntries(0, 1U << 30, [&](std::uint64_t, std::string_view bytes) -> Status {
      COFFER_ASSIGN(auto entry, audit::ParseEntry(bytes));
      entries.push_back(std::move(entry));
      return {};
    }));
    return entries;
  }
  // "action outcome" of each entry.
  Strings Log() {
    Strings log;
    for (const auto& entry : Entries()) log.push_back(entry.action + " " + entry.outcome);
    return log;
  }

  // The log is whole; every row has the entry that says so, and every such entry its row.
  void CheckInvariants() {
    Database reader = Reader();
    auto log = LogStore::Open(reader);
    REQUIRE(log);
    audit::VerifyOptions options;
    options.key = {keyring_->log_origin(), keyring_->log_signing_key()->public_key()};
    const auto report = audit::VerifyLog(**log, options);
    REQUIRE(report);
    for (const auto& finding : report->findings) UNSCOPED_INFO(finding.message);
    CHECK(report->ok());
    Numbers put;
    for (const auto& entry : Entries()) {
      if (entry.action.starts_with("put.") && entry.outcome == "ok") {
        put.push_back(std::stoi(entry.action.substr(4)));
      }
    }
    std::ranges::sort(put);
    CHECK(Rows() == put);
    if (engine_) CHECK(engine_->Statistics().log_size == report->size);
  }

  static Purpose PurposeOf(int n) {
    return {"p-" + std::to_string(n), "A purpose", "consent", {}, {}, {}};
  }

  testing::TemporaryDirectory work;
  testing::FakeClock clock;
  KeyStoreRewrite::Options keys_rewrite;  // of the next Open()
  VaultRewrite::Options vault_rewrite = {};

 private:
  const std::size_t queue_limit_;
  std::mutex said_mutex_;  // several threads write it
  Strings said_;
  std::unique_ptr<crypto::Keyring> keyring_;
  std::binary_semaphore held_{0}, released_{0};
  std::jthread holder_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace coffer::vault
