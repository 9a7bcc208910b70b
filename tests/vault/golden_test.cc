// What is on disk today must be readable by every later version. tests/golden/vault-0001 is a whole
// data directory, written once by the hidden case at the end; schema-*.sql is what its databases
// look like. Envelopes, keyring, entries, checkpoints and anchors have golden cases of their own in
// tests/crypto and tests/audit; here they are seen at work together.
#include <sys/stat.h>

#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>
#include <tuple>

#include "tests/vault/test_vault.h"
#include "vault/check.h"

namespace coffer::vault {
namespace {

namespace fs = std::filesystem;
using enum Role;
using testing::FakeClock;
using testing::TemporaryDirectory;

const std::string kGolden = COFFER_SOURCE_DIR "/tests/golden";

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  INFO(path);
  REQUIRE(file.good());
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string SchemaOf(const Database& database) {
  auto select = Statement::Prepare(
      database, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name");
  REQUIRE(select);
  std::string schema;
  auto row = select->Query();
  while (*row.Next()) (schema += row.Text(0)) += ";\n";
  return schema;
}

TEST_CASE("both databases look as they are documented to") {
  TestVault vault;
  CHECK(SchemaOf(vault.OpenVaultDatabase()) == ReadFile(kGolden + "/schema-vault.sql"));
  CHECK(SchemaOf(vault.OpenKeysDatabase()) == ReadFile(kGolden + "/schema-keys.sql"));
}

// Run by hand when a migration was added:
//   COFFER_WRITE_SCHEMA=tests/golden/schema-vault.sql vault_tests "[write-schema]"
TEST_CASE("the schema is written for comparison", "[.][write-schema]") {
  const char* out = std::getenv("COFFER_WRITE_SCHEMA");
  REQUIRE(out != nullptr);
  TestVault vault;
  std::ofstream(out) << SchemaOf(vault.OpenVaultDatabase());
}

// A vault under the root key 11…11 that guards nothing.
class GoldenVault {
 public:
  explicit GoldenVault(const std::string& from) {
    REQUIRE(crypto::InitializeCrypto());
    if (!from.empty()) {
      fs::copy(from, directory());
      known = json::parse(ReadFile(from + "/known.json"));
    }
    std::ofstream(work / "root.key") << std::string(64, '1') << '\n';
    REQUIRE(chmod((work / "root.key").c_str(), 0600) == 0);
    auto opened = crypto::OpenKeyFile(work / "root.key");
    REQUIRE(opened);
    root = *std::move(opened);
  }
  std::string directory() const { return work / "data"; }
  VaultOptions Options() {
    VaultOptions options;
    options.directory = directory();
    options.index_interval_ms = 0;
    options.keys_interval_ms = 0;
    options.key_cache_entries = 256;
    options.require_locked_memory = false;
    options.clock = &clock;
    return options;
  }
  void Open() {
    auto opened = Vault::Open(Options(), *root);
    INFO(AnswerOf(opened));
    REQUIRE(opened);
    vault = *std::move(opened);
  }
  Caller As(const char* role, std::string reason = {}) {
    Caller caller = TestVault::Stranger("cft_" + known.at(role).get<std::string>());
    caller.reason = std::move(reason);
    return caller;
  }
  template <class Id>
  Id KnownId(const char* name) {
    const auto id = Id::Parse(known.at(name).get<std::string>());
    REQUIRE(id);
    return *id;
  }
  TemporaryDirectory work;
  FakeClock clock;
  json known;
  std::unique_ptr<crypto::RootKeyProvider> root;
  std::unique_ptr<Vault> vault;
};

const json kFirst = {{"email", "jane@example.org"}, {"last_name", "Döe"}};
const json kSecond = {{"city", "Zürich"}, {"last_name", "Döe"}};
constexpr const char* kReason = "asked on the phone";

TEST_CASE("a data directory of the first version opens, is whole, and is worked on") {
  GoldenVault golden(kGolden + "/vault-0001");
  OfflineVerifyOptions offline;
  offline.directory = golden.directory();
  offline.log_key = *audit::ParseVerifierKey(golden.known.at("log_key").get<std::string>());
  offline.deep = true;
  const auto before = VerifyDirectory(offline, *golden.root);
  REQUIRE(before);
  CHECK(before->log.ok());
  CHECK(before->log.size == golden.known.at("log_size"));
  CHECK(crypto::HexEncode(before->log.root) == golden.known.at("log_root").get<std::string>());
  CHECK(before->clients_checked == 1);
  CHECK(before->records_checked == 2);

  golden.clock.Advance(86'400'000);
  golden.Open();
  Vault& vault = *golden.vault;
  const auto client = golden.KnownId<ClientId>("client");
  const auto record = golden.KnownId<RecordId>("record");
  const auto profile = vault.clients().GetClient(golden.As("crm"), client);
  REQUIRE(profile);
  CHECK(profile->external_ref == "Kunde «7»");
  CHECK(profile->tags == Strings{"eu", "vip"});
  CHECK(profile->version == 2);
  CHECK(vault.records().GetRecord(golden.As("crm"), client, record)->data == kSecond.dump());
  CHECK(vault.records().GetRecordVersion(golden.As("crm"), client, record, 1)->data ==
        kFirst.dump());
  CHECK(vault.searches().SearchByReference(golden.As("crm"), "Kunde «7»")->items.size() == 1);
  const auto found =
      vault.searches().SearchByField(golden.As("crm"), "contact", "last_name", "DÖE", {});
  REQUIRE(found);
  CHECK(found->items.size() == 2);
  // Its index is under the key in the keyring, and is made anew.
  for (auto stepped = vault.index_builder().Step(); *stepped;
       stepped = vault.index_builder().Step()) {
  }
  CHECK(vault.searches().SearchByReference(golden.As("crm"), "Kunde «7»")->items.size() == 1);
  CHECK(vault.searches()
            .SearchByField(golden.As("crm"), "contact", "last_name", "DÖE", {})
            ->items.size() == 2);

  const auto note = vault.access_log().ReadLogEntry(golden.As("privacy"), golden.known.at("noted"));
  REQUIRE(note);
  CHECK(note->note_text == kReason);
  const auto erasure =
      vault.erasures().Erase(golden.As("privacy"), golden.KnownId<ClientId>("erased"), {});
  REQUIRE(erasure);
  CHECK(erasure->erased == FakeClock::kStart);

  // The same key and body as then.
  const auto repeated =
      vault.records().CreateRecord(golden.As("crm"), client, "contact", kFirst, {"key-1", "body"});
  REQUIRE(repeated);
  CHECK(repeated->id == record);
  const auto imported =
      vault.imports().ImportRecord(golden.As("crm"), {"Kunde «7»", "contact", "home", kFirst});
  REQUIRE(imported);
  CHECK(imported->record == golden.KnownId<RecordId>("imported"));
  CHECK(imported->outcome == ImportOutcome::kUnchanged);
  CHECK(vault.records().UpdateRecord(golden.As("crm"), client, record, 2, kFirst));
  golden.vault.reset();
  const auto after = VerifyDirectory(offline, *golden.root);
  REQUIRE(after);
  CHECK(after->log.ok());
}

// tests/golden/vault-0009 was written by the last version that kept one restriction for each class
// of a client, with its basis in clear.
TEST_CASE("restrictions of the format before stop what they stopped, with ids and sealed bases") {
  GoldenVault golden(kGolden + "/vault-0009");
  const OfflineVerifyOptions offline = {golden.directory(), {}, {}, {}, true};
  const auto before = VerifyDirectory(offline, *golden.root);
  REQUIRE(before);
  CHECK(before->log.ok());
  golden.clock.Advance(std::int64_t{330} * 86'400'000);
  const auto client = golden.KnownId<ClientId>("client"), other = golden.KnownId<ClientId>("other");
  const auto record = golden.KnownId<RecordId>("record");
  std::vector<RestrictionId> ids;
  for (int round = 0; round < 2; ++round) {
    golden.Open();
    Vault& vault = *golden.vault;
    const auto listed = vault.restrictions().ListRestrictions(golden.As("privacy"), client);
    INFO(AnswerOf(listed));
    REQUIRE(listed);
    REQUIRE(listed->size() == 2);
    const auto& [whole, of_class] = std::tie((*listed)[0], (*listed)[1]);
    CHECK(whole.terms.class_name.empty());
    CHECK(whole.terms.basis == "the address is disputed");
    CHECK(whole.terms.stops.all_but);
    CHECK(whole.terms.stops.purposes == Strings{"billing"});
    CHECK(whole.placed_by);
    CHECK(of_class.terms.class_name == "contact");
    CHECK(of_class.terms.basis == "he objects");
    CHECK(of_class.terms.stops.IncludeAll());
    const auto of_other = vault.restrictions().ListRestrictions(golden.As("privacy"), other);
    REQUIRE(of_other);
    REQUIRE(of_other->size() == 1);
    CHECK(of_other->front().terms.basis == "unlawful, she wants it kept");
    CHECK(AnswerOf(vault.clients().GetClient(golden.As("crm"), client)) == "restricted");
    CHECK(AnswerOf(vault.clients().GetClient(golden.As("crm"), other)) == "restricted");
    Caller billing = golden.As("crm");
    billing.purpose = "billing";
    CHECK(AnswerOf(vault.clients().GetClient(billing, client)) == "ok");
    billing.call = CallId::New(golden.clock.Now());
    CHECK(AnswerOf(vault.records().GetRecord(billing, client, record)) == "restricted");
    const std::vector<RestrictionId> now = {whole.id, of_class.id, of_other->front().id};
    if (round > 0) CHECK(now == ids);
    ids = now;
    golden.vault.reset();
  }
  golden.Open();
  std::vector<std::string> moved;
  LogFilter of_moves;
  of_moves.action = "restriction.move";
  const auto log = golden.vault->access_log().ReadLog(
      golden.As("privacy"), of_moves, {.limit = 100, .oldest_first = true, .start = {}});
  REQUIRE(log);
  for (const auto& bytes : log->entries) {
    const json entry = json::parse(bytes);
    CHECK(entry.at("actor") == "vault");
    moved.push_back(entry.at("detail"));
  }
  CHECK(moved == Strings{ids[0].Text() + "; stops all but billing",
                         ids[1].Text() + "; stops all purposes",
                         ids[2].Text() + "; stops all purposes"});
  REQUIRE(log->entries.size() == 3);
  CHECK(json::parse(log->entries.back()).contains("state_hash"));
  CHECK(golden.vault->restrictions().LiftRestriction(golden.As("privacy", "settled"), client,
                                                     ids[0]));
  golden.vault.reset();
  const auto after = VerifyDirectory(offline, *golden.root);
  REQUIRE(after);
  CHECK(after->log.ok());
}

TEST_CASE(
    "a directory of a format before passes the check of a start, before and while it is open") {
  for (const char* name : {"/vault-0001", "/vault-0009"}) {
    INFO(name);
    GoldenVault golden(kGolden + name);
    golden.clock.Advance(std::int64_t{330} * 86'400'000);
    const std::string before = ReadFile(golden.directory() + "/vault.db");
    auto served = CheckDirectory(golden.Options(), *golden.root);
    INFO(AnswerOf(served));
    REQUIRE(served);
    CHECK(!*served);
    CHECK(ReadFile(golden.directory() + "/vault.db") == before);
    golden.Open();
    served = CheckDirectory(golden.Options(), *golden.root);
    INFO(AnswerOf(served));
    REQUIRE(served);
    CHECK(*served);
  }
}

TEST_CASE("the comparison with the log has nothing to say of directories of formats before") {
  for (const char* name : {"/vault-0001", "/vault-0009"}) {
    INFO(name);
    GoldenVault golden(kGolden + name);
    golden.clock.Advance(std::int64_t{330} * 86'400'000);
    golden.Open();
    const auto admin = golden.As("admin");
    Result<VaultStatus> status = golden.vault->monitoring().ReadStatus(admin);
    for (int i = 0; i < 10'000; ++i) {
      status = golden.vault->monitoring().ReadStatus(admin);
      INFO(AnswerOf(status));
      REQUIRE(status);
      if (status->scrub.rounds > 0) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    CHECK(status->scrub.rounds > 0);
    CHECK(status->scrub.damaged == 0);
    LogFilter alarms;
    alarms.action = "integrity.alarm";
    const auto log = golden.vault->access_log().ReadLog(golden.As("privacy"), alarms, {});
    REQUIRE(log);
    CHECK(log->entries.empty());
  }
}

TEST_CASE("a restriction of the format before stands when its client's key does not open") {
  GoldenVault golden(kGolden + "/vault-0009");
  const auto client = golden.KnownId<ClientId>("client"), other = golden.KnownId<ClientId>("other");
  {
    const auto keyring = crypto::Keyring::Open(KeyringPath(golden.directory()), *golden.root);
    REQUIRE(keyring);
    const auto keys = OpenKeysDatabase(KeysDatabasePath(golden.directory()), *keyring, {});
    REQUIRE(keys);
    auto damage = Statement::Prepare(
        *keys, "UPDATE client_keys SET wrapped = zeroblob(length(wrapped)) WHERE client = ?");
    REQUIRE(damage);
    REQUIRE(damage->Execute(client.Row()));
  }
  golden.clock.Advance(std::int64_t{330} * 86'400'000);
  golden.Open();
  CHECK(AnswerOf(golden.vault->clients().GetClient(golden.As("crm"), client)) == "restricted");
  const auto listed = golden.vault->restrictions().ListRestrictions(golden.As("privacy"), other);
  REQUIRE(listed);
  CHECK(listed->size() == 1);
}

// Run by hand when a new version of the formats needs a directory beside the old one:
//   COFFER_WRITE_GOLDEN=DIR vault_tests "[write-golden]"
TEST_CASE("a data directory is written for later versions", "[.][write-golden]") {
  const char* out = std::getenv("COFFER_WRITE_GOLDEN");
  REQUIRE(out != nullptr);
  GoldenVault golden("");
  InitOptions init;
  init.directory = golden.directory();
  init.log_origin = "golden.example/log";
  init.clock = &golden.clock;
  init.two_person = false;
  const auto admin = InitializeVault(init, *golden.root);
  REQUIRE(admin);
  golden.known["admin"] = admin->administrator.secret.substr(4);
  golden.Open();
  Vault& vault = *golden.vault;
  for (const auto& [name, role] :
       {std::pair("crm", kCrmService), std::pair("privacy", kPrivacyOfficer)}) {
    const auto token =
        vault.tokens().CreateToken(golden.As("admin"), {.name = name,
                                                        .principal = {},
                                                        .role = std::string(Name(role)),
                                                        .lifetime_s = std::int64_t{366} * 86'400,
                                                        .limits = {}});
    REQUIRE(token);
    golden.known[name] = token->secret.substr(4);
  }
  REQUIRE(vault.purposes().PutPurpose(golden.As("admin"), "client-care",
                                      R"({"title": "Client care", "legal_basis": "contract"})"));
  const json contact = {{"name", "contact"},
                        {"purposes", {"client-care"}},
                        {"fields",
                         {{"last_name", {{"type", "string"}, {"index", true}}},
                          {"email", {{"type", "email"}, {"index", true}}},
                          {"city", {{"type", "string"}}}}}};
  REQUIRE(vault.classes().PutClass(golden.As("admin"), "contact", contact.dump()));
  const auto client = vault.clients().CreateClient(golden.As("crm"), {"Kunde «7»", {{"vip"}}}, {});
  REQUIRE(client);
  REQUIRE(vault.clients().UpdateClient(golden.As("crm"), client->id, 1, {{}, {{"vip", "eu"}}}));
  const auto record = vault.records().CreateRecord(golden.As("crm"), client->id, "contact", kFirst,
                                                   {"key-1", "body"});
  REQUIRE(record);
  REQUIRE(vault.records().UpdateRecord(golden.As("crm"), client->id, record->id, 1, kSecond));
  const auto imported =
      vault.imports().ImportRecord(golden.As("crm"), {"Kunde «7»", "contact", "home", kFirst});
  REQUIRE(imported);
  REQUIRE(vault.clients().GetClient(golden.As("crm", kReason), client->id));
  const auto newest = vault.access_log().ReadLog(golden.As("privacy"), {},
                                                 {.limit = 1, .oldest_first = false, .start = {}});
  golden.known["noted"] = newest->size - 2;  // in front of this look
  const auto erased = vault.clients().CreateClient(golden.As("crm"), {"gone", {}}, {});
  REQUIRE(erased);
  REQUIRE(vault.erasures().Erase(golden.As("privacy"), erased->id, {}));
  golden.known["client"] = client->id.Text();
  golden.known["record"] = record->id.Text();
  golden.known["imported"] = imported->record.Text();
  golden.known["erased"] = erased->id.Text();
  golden.known["log_key"] = vault.monitoring().ReadStatus(golden.As("admin"))->log_key;
  golden.vault.reset();
  const auto report = VerifyDirectory({golden.directory(), {}, {}, {}, false}, *golden.root);
  REQUIRE(report);
  golden.known["log_size"] = report->log.size;
  golden.known["log_root"] = crypto::HexEncode(report->log.root);

  fs::create_directories(out);
  for (const char* file : {"vault.db", "keys.db", "keys.db.key", "keyring.json", "anchor"}) {
    fs::copy(golden.directory() + "/" + file, std::string(out) + "/" + file);
  }
  std::ofstream(std::string(out) + "/known.json") << golden.known.dump(2) << '\n';
  TestVault today;
  std::ofstream(std::string(out) + "/schema-vault.sql") << SchemaOf(today.OpenVaultDatabase());
  std::ofstream(std::string(out) + "/schema-keys.sql") << SchemaOf(today.OpenKeysDatabase());
}

}  // namespace
}  // namespace coffer::vault
