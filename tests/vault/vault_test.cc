// A vault as a whole: made, opened, closed, refused.
#include "vault/vault.h"

#include <sys/stat.h>

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/vault/faulty_storage.h"
#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

namespace fs = std::filesystem;
using testing::FakeClock;
using testing::TemporaryDirectory;

// What is needed to make vaults by hand.
class Workshop {
 public:
  Workshop() {
    REQUIRE(crypto::InitializeCrypto());
    REQUIRE(crypto::CreateKeyFile(work / "root.key"));
    root_ = *crypto::OpenKeyFile(work / "root.key");
  }
  crypto::RootKeyProvider& root() { return *root_; }
  InitOptions Options(const std::string& directory) {
    InitOptions options;
    options.directory = directory;
    options.log_origin = "vault.example/log";
    options.clock = &clock;
    return options;
  }
  Result<NewToken> Initialize(const std::string& directory) {
    auto options = Options(directory);
    options.two_person = false;
    auto tokens = InitializeVault(options, root());
    if (!tokens) return std::unexpected(tokens.error());
    CHECK(!tokens->security_officer);
    return std::move(tokens->administrator);
  }
  Result<std::unique_ptr<Vault>> Open(const std::string& directory) {
    VaultOptions options;
    options.directory = directory;
    options.key_cache_entries = 256;
    options.require_locked_memory = false;
    options.clock = &clock;
    return Vault::Open(options, root());
  }
  TemporaryDirectory work;
  FakeClock clock;

 private:
  std::unique_ptr<crypto::RootKeyProvider> root_;
};

TEST_CASE("a new vault has one administrator, two entries and an anchor over both") {
  Workshop shop;
  const auto token = shop.Initialize(shop.work / "data");
  REQUIRE(token);
  CHECK(token->info.role == "administrator");
  CHECK(token->secret.starts_with("cft_"));
  CHECK(token->secret.size() == 4 + 43);
  CHECK(token->info.expires.ms - token->info.created.ms == std::int64_t{365} * 86'400'000);

  auto vault = shop.Open(shop.work / "data");
  REQUIRE(vault);
  Caller caller = TestVault::Stranger(token->secret);
  const auto me = (*vault)->tokens().WhoAmI(caller);
  REQUIRE(me);
  CHECK(me->token->id == token->info.id);
  const auto status = (*vault)->monitoring().ReadStatus(caller);
  REQUIRE(status);
  CHECK(status->vault_id.starts_with("vlt_"));
  CHECK(status->log_origin == "vault.example/log");
  CHECK(status->clients == 0);
  CHECK(status->classes == 0);
  CHECK(status->active_tokens == 1);
  CHECK(status->started == shop.clock.Now());
  CHECK(status->log_size == 5);  // created, token, start, and these two looks
}

TEST_CASE("the log of a new vault begins with its creation and its first token") {
  TestVault vault;
  const auto log = vault.WholeLog();
  REQUIRE(log.size() > 4);
  CHECK(log[0].action == "log.created");
  CHECK(log[0].actor == "genesis");
  CHECK(log[0].prev == crypto::Hash{});
  CHECK(log[1].action == "token.create");
  CHECK(log[1].detail == vault.TokenOf(Role::kAdministrator).id.Text() + " " +
                             vault.TokenOf(Role::kAdministrator).principal.Text() +
                             " administrator");
  CHECK(log[2].action == "vault.start");
  CHECK(log[2].actor == "vault");
  CHECK(log[2].actor_kind == audit::ActorKind::kSystem);
  for (const auto& entry : log) CHECK(entry.log == TestVault::kOrigin);
}

TEST_CASE("files of a vault are for their owner alone, and tell nothing") {
  TestVault vault;
  const ClientId client = vault.NewClient("SENTINEL-REF", {"sentinel-tag"});
  vault.NewContact(client, {{"last_name", "SENTINEL-NAME"}});
  CHECK(vault->clients().GetClient(vault.As(Role::kCrmService, "client-care", "SENTINEL-REASON"),
                                   client));
  for (const auto& file : fs::recursive_directory_iterator(vault.directory())) {
    INFO(file.path().string());
    struct stat status{};
    REQUIRE(stat(file.path().c_str(), &status) == 0);
    CHECK((status.st_mode & 0077) == 0);
    std::ifstream content(file.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(content), {}};
    CHECK(bytes.find("SENTINEL") == std::string::npos);
    CHECK(bytes.find("sentinel") == std::string::npos);
  }
}

TEST_CASE("a vault is made only where nothing is") {
  Workshop shop;
  REQUIRE(shop.Initialize(shop.work / "data"));
  const auto again = shop.Initialize(shop.work / "data");
  REQUIRE(!again);
  CHECK(again.error().code == Code::kConflict);
  CHECK(again.error().reason == "vault_exists");
  fs::create_directory(shop.work / "other");
  std::ofstream(shop.work / "other/file") << "x";
  CHECK(AnswerOf(shop.Initialize(shop.work / "other")) == "vault_exists");
  fs::create_directory(shop.work / "empty");
  CHECK(shop.Initialize(shop.work / "empty"));
  CHECK(shop.Initialize(shop.work / "deep/er/"));
  CHECK(shop.Open(shop.work / "deep/er"));
}

TEST_CASE("a vault is not made over another one's anchor") {
  Workshop shop;
  auto options = shop.Options(shop.work / "data");
  options.anchor_path = shop.work / "anchor";
  REQUIRE(InitializeVault(options, shop.root()));
  options.directory = shop.work / "second";
  CHECK(AnswerOf(InitializeVault(options, shop.root())) == "vault_exists");
  CHECK(!fs::exists(shop.work / "second"));
}

TEST_CASE("what a crash left of a vault half made is cleared away") {
  Workshop shop;
  fs::create_directory(shop.work / "data.initialising");
  std::ofstream(shop.work / "data.initialising/vault.db") << "half";
  REQUIRE(shop.Initialize(shop.work / "data"));
  CHECK(!fs::exists(shop.work / "data.initialising"));
  CHECK(shop.Open(shop.work / "data"));
}

TEST_CASE("a vault is not made where nobody may write, or with an origin that cannot be signed") {
  Workshop shop;
  std::ofstream(shop.work / "file") << "x";
  CHECK(AnswerOf(shop.Initialize(shop.work / "file/data")) == "directory_not_writable");
  auto options = shop.Options(shop.work / "data");
  options.log_origin = "has space";
  const auto refused = InitializeVault(options, shop.root());
  REQUIRE(!refused);
  CHECK(refused.error().code == Code::kInvalidArgument);
  CHECK(!fs::exists(shop.work / "data"));
}

TEST_CASE("where there is no vault, opening says how to make one") {
  Workshop shop;
  const auto opened = shop.Open(shop.work / "nowhere");
  REQUIRE(!opened);
  CHECK(opened.error().code == Code::kNotFound);
  CHECK(opened.error().reason == "vault_missing");
  CHECK(opened.error().detail.find("coffer init") != std::string::npos);
  CHECK(!fs::exists(shop.work / "nowhere"));
}

TEST_CASE("a vault is open once") {
  TestVault vault;
  const auto second = vault.TryOpen();
  REQUIRE(!second);
  CHECK(second.error().code == Code::kConflict);
  CHECK(second.error().reason == "vault_in_use");
  vault.Close();
  vault.Open();
  vault.CheckInvariants();
}

TEST_CASE("another root key opens nothing") {
  Workshop shop;
  TestVault vault;
  vault.Close();
  VaultOptions options;
  options.directory = vault.directory();
  options.require_locked_memory = false;
  CHECK(AnswerOf(Vault::Open(options, shop.root())) == "root_key_wrong");
  vault.Open();
}

TEST_CASE("a missing or damaged file of the vault is named, and nothing is served") {
  const std::pair<const char*, const char*> missing[] = {{"vault.db", "database_missing"},
                                                         {"keys.db", "database_missing"},
                                                         {"anchor", "anchor_missing"},
                                                         {"keyring.json", "vault_missing"}};
  for (const auto& [file, reason] : missing) {
    INFO(file);
    TestVault vault;
    vault.Close();
    fs::remove(vault.directory() + "/" + file);
    const auto opened = vault.TryOpen();
    REQUIRE(!opened);
    CHECK(opened.error().reason == reason);
    CHECK(opened.error().detail.find(vault.directory()) != std::string::npos);
  }
  const std::pair<const char*, const char*> damaged[] = {{"vault.db", "database_unreadable"},
                                                         {"keys.db", "database_unreadable"},
                                                         {"anchor", "anchor_malformed"},
                                                         {"keyring.json", "keyring_malformed"}};
  for (const auto& [file, reason] : damaged) {
    INFO(file);
    TestVault vault;
    vault.Close();
    std::ofstream(vault.directory() + "/" + file, std::ios::trunc) << "damaged";
    CHECK(AnswerOf(vault.TryOpen()) == reason);
  }
}

TEST_CASE("start and stop are entries, and the stop is under the last anchor") {
  TestVault vault;
  vault.NewClient("A-1");
  vault.Close();
  vault.Open();
  const auto log = vault.WholeLog();
  std::vector<std::size_t> starts;
  std::vector<std::size_t> stops;
  for (std::size_t i = 0; i < log.size(); ++i) {
    if (log[i].action == "vault.start") starts.push_back(i);
    if (log[i].action == "vault.stop") stops.push_back(i);
  }
  REQUIRE(starts.size() == 3);  // one of them by the pattern that this vault is a copy of
  REQUIRE(stops.size() == 2);
  CHECK(starts[2] == stops[1] + 1);

  vault.Close();
  OfflineVerifyOptions options;
  options.directory = vault.directory();
  const auto report = VerifyDirectory(options, vault.root());
  REQUIRE(report);
  CHECK(report->log.ok());
  REQUIRE(report->log.newest_checkpoint);
  CHECK(report->log.newest_checkpoint->size == report->log.size);  // nothing lies behind it
}

TEST_CASE("the anchor may lie elsewhere, and is looked for only there") {
  TemporaryDirectory elsewhere;
  TestVault vault({.anchor_path = elsewhere / "anchor"});
  CHECK(!fs::exists(vault.directory() + "/anchor"));
  vault.NewClient("A-1");
  vault.Close();
  vault.Open();
  vault.CheckInvariants();
  vault.Close();
  fs::rename(elsewhere / "anchor", vault.directory() + "/anchor");
  CHECK(AnswerOf(vault.TryOpen()) == "anchor_missing");
}

// The attacker has the files: cuts, restores and rewrites while the vault is closed.
class AttackedVault : public TestVault {
 public:
  AttackedVault() {
    NewClient("A-1");
    Close();
    fs::copy(directory(), work() / "before", fs::copy_options::recursive);
    Open();
    later = NewClient("A-2");
    Close();
  }
  void PutBack(const char* file) {
    fs::copy(work() / "before/" + file, directory() + "/" + file,
             fs::copy_options::overwrite_existing);
  }
  ClientId later;
};

TEST_CASE("a database that was rolled back is refused, with the entries that are missing") {
  AttackedVault vault;
  vault.PutBack("vault.db");
  const auto opened = vault.TryOpen();
  REQUIRE(!opened);
  CHECK(opened.error().code == Code::kCorrupted);
  CHECK(opened.error().reason == "log_behind_anchor");
  CHECK(opened.error().detail.find("entries") != std::string::npos);
  // With the old anchor beside it, this is an honest old backup: only the anchor tells.
  vault.PutBack("anchor");
  vault.PutBack("keys.db");
  vault.Open();
  CHECK(AnswerOf(vault->clients().GetClient(vault.As(Role::kCrmService), vault.later)) ==
        "not_found");
}

TEST_CASE("a log whose end was cut off is refused") {
  AttackedVault vault;
  vault.Tamper("DELETE FROM log_entries WHERE seq = (SELECT max(seq) FROM log_entries)");
  CHECK(AnswerOf(vault.TryOpen()) == "log_behind_anchor");
}

TEST_CASE("an entry that was altered is refused") {
  AttackedVault vault;
  vault.Tamper(
      "UPDATE log_entries SET entry = cast(replace(cast(entry AS TEXT), 'allow', 'deny') AS BLOB) "
      "WHERE seq = 3");
  const auto opened = vault.TryOpen();
  REQUIRE(!opened);
  CHECK(opened.error().code == Code::kCorrupted);
  CHECK(opened.error().reason == "anchor_mismatch");
}

TEST_CASE("an anchor of another vault, or one that was changed, is refused") {
  Workshop shop;
  REQUIRE(shop.Initialize(shop.work / "data"));
  AttackedVault vault;
  fs::copy(vault.anchor_path(), vault.work() / "anchor");
  fs::copy(shop.work / "data/anchor", vault.anchor_path(), fs::copy_options::overwrite_existing);
  const auto foreign = vault.TryOpen();
  REQUIRE(!foreign);
  CHECK(foreign.error().code == Code::kCorrupted);

  std::ifstream file(vault.work() / "anchor");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto size_line = text.find("vault.example/log\n") + 18;
  text[size_line] = text[size_line] == '1' ? '2' : '1';
  std::ofstream(vault.anchor_path(), std::ios::trunc) << text;
  CHECK(AnswerOf(vault.TryOpen()) == "checkpoint_signature_wrong");
}

TEST_CASE("a database of a newer program is refused before anything is written") {
  TestVault vault;
  vault.Close();
  vault.Tamper("INSERT INTO schema_migrations VALUES ('9999_future', 'abc')");
  CHECK(AnswerOf(vault.TryOpen()) == "migration_altered");
}

TEST_CASE("an erasure that a crash interrupted is finished by the next start") {
  TestVault vault;
  const ClientId client = vault.NewClient("A-1");
  vault.Close();
  // As the crash left it: the erasure is committed, the key is still there.
  vault.Tamper("DELETE FROM clients");
  vault.Tamper("DELETE FROM client_refs_odd");
  vault.Tamper("DELETE FROM index_arrivals");
  vault.Tamper(
      "INSERT INTO erasures (eid, cid, scope, basis, class, erased, seq, records, versions, "
      "generation, state, rids) VALUES (?1, ?1, 1, 1, '', 1, 1, 0, 0, 0, 0, x'')",
      client.bytes());
  CHECK(vault.KeyCount() == 1);
  vault.Open();
  CHECK(vault.KeyCount() == 0);
  CHECK(vault.Number("SELECT state FROM erasures") == 2);
  CHECK(std::ranges::count(vault.operator_log(),
                           "finishing 1 erasures and destroying 1 keys that were still there") ==
        1);
}

TEST_CASE("when the log cannot be written nothing is disclosed, and readiness says so") {
  FaultyStorage& disk = FaultyStorage::Instance();
  TestVault vault;
  const ClientId client = vault.NewClient("A-1");
  const RecordId record = vault.NewContact(client, {{"last_name", "Doe"}});
  CHECK(vault->monitoring().CheckHealth().ready);
  disk.Break("vault.db-wal", Fault::kFull);
  for (int i = 0; i < 2; ++i) {
    const auto read = vault->records().GetRecord(vault.As(Role::kCrmService), client, record);
    REQUIRE(!read);
    CHECK(read.error().code == Code::kUnavailable);
    CHECK(read.error().reason == "log_unavailable");
    CHECK(AnswerOf(vault->clients().GetClient(vault.As(Role::kCrmService), client)) ==
          "log_unavailable");
    CHECK(AnswerOf(vault->clients().CreateClient(vault.As(Role::kCrmService), {"A-2", {}}, {})) ==
          "log_unavailable");
    CHECK(AnswerOf(vault->clients().GetClient(TestVault::Stranger(), client)) == "log_unavailable");
  }
  CHECK(!vault->monitoring().CheckHealth().ready);
  CHECK(vault->monitoring().CheckHealth().reason == "storage_unavailable");
  disk.Mend();
  const auto caller = vault.As(Role::kCrmService);
  CHECK(vault->records().GetRecord(caller, client, record));
  CHECK(vault->monitoring().CheckHealth().ready);
  CHECK(vault.EntriesOf(caller).size() == 1);
  vault.CheckRows();
  vault.OpenVault::CheckInvariants();
}

}  // namespace
}  // namespace coffer::vault
