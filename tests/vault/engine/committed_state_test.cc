// The sums of committed tables: every column of every row counts, in whatever order rows came, and
// what triggers counted is what is stored.
#include "vault/engine/committed_state.h"

#include <catch2/catch_test_macros.hpp>
#include <random>

#include "tests/vault/test_engine.h"

namespace coffer::vault {
namespace {

const Strings kCommittedNames = {"approvals",
                                 "assignments",
                                 "breach_events",
                                 "breaches",
                                 "classes",
                                 "client_restrictions",
                                 "consent_texts",
                                 "consent_wordings",
                                 "consents",
                                 "emergencies",
                                 "holds",
                                 "leases",
                                 "notice_steps",
                                 "notices",
                                 "package_parts",
                                 "packages",
                                 "principals",
                                 "processing_documents",
                                 "processing_versions",
                                 "purposes",
                                 "recipient_events",
                                 "recipient_principals",
                                 "recipients",
                                 "restrictions",
                                 "retention_restrictions",
                                 "retention_schedules",
                                 "roles",
                                 "settings",
                                 "teams",
                                 "tokens",
                                 "user_credentials"};

struct Column {
  std::string name, type;
};

// An empty vault.db whose committed tables are written directly.
class StateDatabase {
 public:
  explicit StateDatabase(const std::vector<Migration>& migrations = VaultMigrations()) {
    REQUIRE(crypto::InitializeCrypto());
    REQUIRE(crypto::CreateKeyFile(work_ / "root.key"));
    const auto root = crypto::OpenKeyFile(work_ / "root.key");
    auto keyring = crypto::Keyring::Create(work_ / "keyring.json", **root, {}, "state.example");
    REQUIRE(keyring);
    keyring_ = std::make_unique<crypto::Keyring>(*std::move(keyring));
    auto opened = Database::Open(path(), keyring_->vault_db_key(), {.create = true});
    REQUIRE(opened);
    database = *std::move(opened);
    REQUIRE(Migrate(database, migrations));
    Run("PRAGMA foreign_keys = OFF");
    // What keeps rows from being altered is not what is tried here.
    for (const char* kept :
         {"breaches_stay", "breaches_remain", "breach_events_stay", "breach_events_remain",
          "notice_steps_stay", "notice_steps_remain", "processing_documents_stay",
          "processing_documents_remain", "processing_versions_stay", "processing_versions_remain",
          "recipient_events_stay", "recipient_events_remain", "recipients_stay",
          "recipients_remain"}) {
      Run(std::string("DROP TRIGGER IF EXISTS ") + kept);
    }
    auto log_store = LogStore::Open(database);
    REQUIRE(log_store);
    log = *std::move(log_store);
    auto state = CommittedState::Open(database, *keyring_);
    INFO(AnswerOf(state));
    REQUIRE(state);
    followed = *std::move(state);
    REQUIRE(followed->FindDifference(*log) == std::nullopt);
    if (migrations.size() == VaultMigrations().size()) REQUIRE(followed->Follow());
  }
  ~StateDatabase() {
    followed.reset();
    log.reset();
    database = Database();
  }

  void Run(const std::string& sql) {
    const auto done = database.Execute(sql.c_str());
    INFO(sql << ": " << AnswerOf(done));
    REQUIRE(done);
  }
  std::vector<Column> ColumnsOf(const std::string& table) {
    auto select =
        Statement::Prepare(database, "SELECT name, type FROM pragma_table_info(?) ORDER BY cid");
    REQUIRE(select);
    std::vector<Column> columns;
    auto rows = select->Query(std::string_view(table));
    while (*rows.Next()) columns.push_back({std::string(rows.Text(0)), std::string(rows.Text(1))});
    return columns;
  }
  // A literal of the column's type that keeps its CHECK.
  static std::string Value(const Column& column, int n) {
    if (column.type == "INTEGER") return std::to_string(n);
    if (column.type == "TEXT") return "'" + column.name + std::to_string(n) + "'";
    const bool hashed = column.name == "digest" || column.name == "hash" || column.name == "sha256";
    const std::size_t bytes = hashed ? 32 : 16;
    std::string hex = std::to_string(1'000'000 + n);
    hex.resize(2 * bytes, '0');
    return "x'" + hex + "'";
  }
  void Insert(const std::string& table, int n) {
    std::string names, values;
    for (const Column& column : ColumnsOf(table)) {
      names += (names.empty() ? "" : ", ") + ("\"" + column.name + "\"");
      values += (values.empty() ? "" : ", ") + Value(column, n);
    }
    Run("INSERT INTO " + table + " (" + names + ") VALUES (" + values + ")");
  }
  // What a connection finds that has followed nothing.
  crypto::Hash Fresh() {
    auto reader = Database::Open(path(), keyring_->vault_db_key(), {.read_only = true});
    REQUIRE(reader);
    auto source = LogStore::Open(*reader);
    REQUIRE(source);
    auto state = CommittedState::Open(*reader, *keyring_);
    REQUIRE(state);
    REQUIRE((*state)->FindDifference(**source));
    return (*state)->Hash();
  }
  std::string path() const { return work_ / "vault.db"; }

  Database database;
  std::unique_ptr<LogStore> log;
  std::unique_ptr<CommittedState> followed;

 private:
  testing::TemporaryDirectory work_;
  std::unique_ptr<crypto::Keyring> keyring_;
};

}  // namespace

TEST_CASE("each column of each committed table is in the state's hash") {
  StateDatabase test;
  for (const std::string& table : kCommittedNames) {
    const crypto::Hash empty = test.followed->Hash();
    test.Insert(table, 1);
    const crypto::Hash one = test.followed->Hash();
    CHECK(one != empty);
    for (const Column& column : test.ColumnsOf(table)) {
      INFO(table << "." << column.name);
      const std::string name = "\"" + column.name + "\"";
      test.Run("UPDATE " + table + " SET " + name + " = " + StateDatabase::Value(column, 2));
      const bool not_committed = (table == "tokens" && column.name == "seen") ||
                                 // Their hashes stand beside.
                                 (table == "processing_documents" && column.name == "definition") ||
                                 (table == "processing_versions" && column.name == "register");
      CHECK((test.followed->Hash() == one) == not_committed);
      CHECK(test.Fresh() == test.followed->Hash());
      test.Run("UPDATE " + table + " SET " + name + " = " + StateDatabase::Value(column, 1));
      CHECK(test.followed->Hash() == one);
    }
    test.Run("DELETE FROM " + table);
    CHECK(test.followed->Hash() == empty);
  }
}

// Whatever version a vault comes from: what its log committed to is what it has after the update.
TEST_CASE("no update of the format alters the hash of what is there") {
  const auto& all = VaultMigrations();
  const auto first = std::ranges::find(all, "0009_committed_state", &Migration::name);
  REQUIRE(first != all.end());
  for (auto end = first + 1; end != all.end(); ++end) {
    StateDatabase test({all.begin(), end});
    for (const std::string& table : kCommittedNames) {
      if (!test.ColumnsOf(table).empty()) test.Insert(table, 1);
    }
    const crypto::Hash before = test.Fresh();
    INFO("before " << end->name);
    REQUIRE(Migrate(test.database, all));
    CHECK(test.Fresh() == before);
  }
}

TEST_CASE("settings that are written without an entry are not committed to") {
  StateDatabase test;
  const crypto::Hash before = test.followed->Hash();
  for (const std::string& name : Strings{"clock-seen", "ledger-keys", "scrub-position"}) {
    test.Run("INSERT INTO settings (name, value) VALUES ('" + name + "', '1')");
    CHECK(test.followed->Hash() == before);
  }
  test.Run("UPDATE settings SET name = 'two_person' WHERE name = 'clock-seen'");
  CHECK(test.followed->Hash() != before);
  CHECK(test.Fresh() == test.followed->Hash());
}

TEST_CASE("a NULL, an empty text and a zero are three things") {
  StateDatabase test;
  test.Insert("principals", 1);
  std::vector<crypto::Hash> hashes;
  for (const char* change : {"login = NULL", "login = ''", "login = NULL, disabled = NULL",
                             "login = NULL, disabled = 0"}) {
    test.Run(std::string("UPDATE principals SET ") + change);
    CHECK(std::ranges::find(hashes, test.followed->Hash()) == hashes.end());
    hashes.push_back(test.followed->Hash());
  }
}

TEST_CASE("what was counted is what is stored, through any changes, rollbacks among them") {
  StateDatabase test;
  std::mt19937 random(7);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same each time
  const auto below = [&](std::size_t n) { return static_cast<int>(random() % n); };
  for (int round = 0; round < 300; ++round) {
    const std::string& table = kCommittedNames[static_cast<std::size_t>(below(16))];
    const StateSums before = test.followed->sums();
    const bool undone = below(3) == 0;
    if (undone) test.Run("SAVEPOINT step");
    switch (below(4)) {
      case 0:
        test.Run("DELETE FROM " + table + " WHERE random() % 2 = 0");
        break;
      case 1: {
        const auto columns = test.ColumnsOf(table);
        const Column& column = columns[static_cast<std::size_t>(below(columns.size()))];
        test.Run("UPDATE OR IGNORE " + table + " SET \"" + column.name +
                 "\" = " + StateDatabase::Value(column, below(100) + 1));
        break;
      }
      default:
        test.Insert(table, 1000 + round);
    }
    if (undone) {
      test.Run("ROLLBACK TO step; RELEASE step");
      test.followed->Restore(before);
    }
    if (round % 10 == 0) CHECK(test.Fresh() == test.followed->Hash());
  }
  CHECK(test.Fresh() == test.followed->Hash());
}

}  // namespace coffer::vault
