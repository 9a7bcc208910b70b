// After an erasure is acknowledged nobody can read that client: not through the API, not from the
// files, not from an older copy of vault.db together with the keys of today.
#include <sqlite3.h>

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <thread>

#include "tests/support/opened_databases.h"
#include "tests/support/running_vault.h"

using namespace coffer;
using namespace coffer::testing;
using nlohmann::json;

namespace {

// Every page of an opened database in plaintext, free pages included: what somebody with the
// database's key could recover from it.
std::string Image(vault::Database& database) {
  sqlite3_int64 size = 0;
  const std::unique_ptr<unsigned char, decltype(&sqlite3_free)> pages(
      sqlite3_serialize(database.handle(), "main", &size, 0), sqlite3_free);
  REQUIRE(pages);
  return {reinterpret_cast<const char*>(pages.get()), static_cast<std::size_t>(size)};
}

struct StoredClient {
  std::string client, record;
  json data;
};

constexpr std::size_t kLargestPart = std::size_t{4} << 30;

// What a process has in its memory, or nothing where that cannot be read: more than any core dump
// would have, as the server switches those off. The parts are searched one by one.
std::optional<std::set<std::string>> FoundInMemory(pid_t pid,
                                                   const std::set<std::string>& needles) {
  const std::string process = "/proc/" + std::to_string(pid);
  std::ifstream memory(process + "/mem", std::ios::binary);
  if (!memory) return std::nullopt;
  std::ifstream maps(process + "/maps");
  std::set<std::string> found;
  bool read = false;
  for (std::string line; std::getline(maps, line);) {
    std::size_t begin = 0;
    std::size_t end = 0;
    char mode = 0;
    if (std::sscanf(line.c_str(), "%zx-%zx %c", &begin, &end, &mode) != 3 || mode != 'r') continue;
    if (end - begin > kLargestPart) return std::nullopt;  // the shadow of a sanitizer
    std::string part(end - begin, '\0');
    memory.clear();
    memory.seekg(static_cast<std::streamoff>(begin));
    memory.read(part.data(), static_cast<std::streamsize>(part.size()));
    part.resize(static_cast<std::size_t>(memory.gcount()));
    read = read || !part.empty();
    for (const auto& needle : needles) {
      if (part.find(needle) != std::string::npos) found.insert(needle);
    }
  }
  if (!read) return std::nullopt;
  return found;
}

// The plain key of each client.
std::map<std::string, std::string> KeysOf(OpenedDatabases& opened,
                                          const std::vector<std::string>& clients) {
  std::map<std::string, std::string> keys;
  for (const auto& client : clients) {
    const auto wrapped =
        Blob(opened.keys, "SELECT wrapped FROM client_keys WHERE client = ?", RowOf(client));
    REQUIRE(wrapped);
    std::array<std::uint8_t, crypto::kAeadKeyBytes> key{};
    REQUIRE(opened.keyring.UnwrapDataKey(*wrapped, vault::ClientId::Parse(client)->value, key));
    keys[client] = crypto::AsText(key);
  }
  return keys;
}

StoredClient StoreOne(RunningVault& vault, const std::string& reference) {
  StoredClient stored;
  stored.data = {{"last_name", "Gone"}, {"email", reference + "@example.org"}};
  stored.client = vault.NewClient(reference);
  stored.record = vault.NewContact(stored.client, stored.data);
  return stored;
}

}  // namespace

TEST_CASE("an erased client answers like one that never was") {
  RunningVault vault;
  auto crm = vault.As("crm-service");
  auto privacy = vault.As("privacy-officer", "data-subject-request");
  const auto gone = StoreOne(vault, "E-1");
  const auto stays = StoreOne(vault, "E-2");
  const std::string path = "/v1/clients/" + gone.client;

  const auto erased = privacy.Delete(path, {{"Coffer-Reason", "asked by letter"}});
  INFO(erased.body);
  REQUIRE(erased.status == 200);
  CHECK(erased.Json().at("records") == 1);

  const std::vector<std::string> below_it = {"", "/records", "/records/" + gone.record,
                                             "/records/" + gone.record + "/versions"};
  for (const auto& below : below_it) {
    INFO(below);
    CHECK(crm.Get(path + below).status == 404);
  }
  CHECK(crm.Post(path + "/records", {{"class", "contact"}, {"data", gone.data}}).status == 404);
  CHECK(crm.Post("/v1/clients/search", {{"external_ref", "E-1"}}).Json().at("items").empty());
  CHECK(crm.Post("/v1/clients/search",
                 {{"class", "contact"}, {"field", "email"}, {"value", "e-1@example.org"}})
            .Json()
            .at("items")
            .empty());
  CHECK(crm.Get("/v1/clients").body.find(gone.client) == std::string::npos);
  CHECK(crm.Get("/v1/clients/" + stays.client + "/records/" + stays.record).Json().at("data") ==
        stays.data);

  const auto again = privacy.Delete(path);
  CHECK(again.status == 200);
  CHECK(again.Json() == erased.Json());
  // The reference is free for another client, where that is meant.
  CHECK(crm.Post("/v1/clients", {{"external_ref", "E-1"}}).status == 409);
  const auto next = crm.Post("/v1/clients", {{"external_ref", "E-1"}, {"erased_before", "accept"}});
  CHECK(next.status == 201);
  CHECK(next.Json().at("id") != gone.client);

  // Why it happened stays known to those who answer for it.
  const auto entry =
      vault.As("privacy-officer").Get("/v1/log/entries/" + erased.Json().at("log_seq").dump());
  CHECK(entry.Json().at("entry").at("action") == "client.erase");
  CHECK(entry.Json().at("note").at("text") == "asked by letter");
  const auto verified = vault.As("auditor").Post("/v1/log/verify", {{"deep", true}});
  INFO(verified.body);
  CHECK(verified.Json().at("ok") == true);
}

TEST_CASE("the files keep neither the erased client's key nor anything that a key opens") {
  RunningVault vault;
  const auto gone = StoreOne(vault, "F-1");
  const auto stays = StoreOne(vault, "F-2");
  vault.Stop();
  crypto::Bytes wrapped;
  std::string old_copy = vault.work() / "before";
  std::filesystem::copy(vault.directory(), old_copy, std::filesystem::copy_options::recursive);
  {
    auto opened = OpenedDatabases::Of(vault);
    wrapped =
        *Blob(opened.keys, "SELECT wrapped FROM client_keys WHERE client = ?", RowOf(gone.client));
    // The control: the scan below would find the key.
    REQUIRE(Image(opened.keys).find(crypto::AsText(wrapped)) != std::string::npos);
  }
  vault.Start();
  REQUIRE(vault.As("privacy-officer", "data-subject-request")
              .Delete("/v1/clients/" + gone.client)
              .status == 200);
  vault.Kill();  // what is on the disk at the moment of the answer

  CHECK(std::filesystem::file_size(vault.directory() + "/keys.db-wal") == 0);
  auto opened = OpenedDatabases::Of(vault);
  CHECK(Image(opened.keys).find(crypto::AsText(wrapped)) == std::string::npos);
  // Only the register of erasures still names the id; no row of the client is left.
  CHECK(Blobs(opened.vault, "SELECT cid FROM clients WHERE id = ?", RowOf(gone.client)).empty());
  CHECK(
      Blobs(opened.vault, "SELECT rid FROM records WHERE client = ?", RowOf(gone.client)).empty());

  // An older copy of vault.db and the keys of today: the sealed payload is there, and nothing opens
  // it.
  const auto old_keyring = [&] {
    auto root = crypto::OpenKeyFile(vault.root_key_file());
    REQUIRE(root);
    auto keyring = crypto::Keyring::Open(old_copy + "/keyring.json", **root);
    REQUIRE(keyring);
    return *std::move(keyring);
  }();
  auto old_vault = vault::Database::Open(old_copy + "/vault.db", old_keyring.vault_db_key(), {});
  REQUIRE(old_vault);
  const auto payload =
      Blob(*old_vault, "SELECT payload FROM records WHERE client = ?", RowOf(gone.client));
  REQUIRE(payload);
  for (const auto& other : Blobs(opened.keys, "SELECT wrapped FROM client_keys")) {
    std::array<std::uint8_t, crypto::kAeadKeyBytes> key{};
    const crypto::Id128 owner = vault::ClientId::Parse(stays.client)->value;
    if (!opened.keyring.UnwrapDataKey(other, owner, key)) continue;
    CHECK_FALSE(crypto::Open(
        key, RecordContext(opened.keyring, gone.client, gone.record, "contact", 1), *payload));
  }
  CHECK_FALSE(
      Blob(opened.keys, "SELECT wrapped FROM client_keys WHERE client = ?", RowOf(gone.client)));
}

TEST_CASE(
    "an erasure that a crash interrupted before its key was destroyed is finished at the start") {
  RunningVault vault;
  const auto gone = StoreOne(vault, "G-1");
  REQUIRE(vault.As("privacy-officer", "data-subject-request")
              .Delete("/v1/clients/" + gone.client)
              .status == 200);
  vault.Stop();
  {
    // As a crash between the two commits leaves it: erased in vault.db, the key still in keys.db.
    auto opened = OpenedDatabases::Of(vault);
    const auto id = vault::ClientId::Parse(gone.client);
    CHECK(Change(opened.vault, "UPDATE erasures SET state = 0") == 1);
    CHECK(Change(opened.keys,
                 "INSERT INTO client_keys (client, generation, cid, wrapped) VALUES (?, 0, ?, ?)",
                 id->Row(), id->bytes(), crypto::ByteView(crypto::AsBytes("a wrapped key"))) == 1);
  }
  vault.Start();
  CHECK(vault.As("crm-service").Get("/v1/clients/" + gone.client).status == 404);
  vault.Stop();
  auto opened = OpenedDatabases::Of(vault);
  CHECK(Blobs(opened.keys, "SELECT wrapped FROM client_keys").empty());
  CHECK(Image(opened.keys).find("a wrapped key") == std::string::npos);
}

TEST_CASE("of a part that was erased, and of a retention run, no value and no key is left") {
  const TemporaryDirectory temporary;
  VaultSettings settings;
  settings.environment = {{"TMPDIR", temporary.path()}, {"SQLITE_TMPDIR", temporary.path()}};
  RunningVault vault(settings);
  const auto interaction = [&](const std::string& client, const std::string& at,
                               const std::string& summary) {
    const auto made = vault.As("crm-service")
                          .Post("/v1/clients/" + client + "/records", {{"class", "interaction"},
                                                                       {"data",
                                                                        {{"occurred_at", at},
                                                                         {"channel", "phone"},
                                                                         {"subject", "a call"},
                                                                         {"summary", summary}}}});
    INFO(made.body);
    REQUIRE(made.status == 201);
    return made.Json().at("id").get<std::string>();
  };
  const std::string by_class = vault.NewClient("P-1"), by_run = vault.NewClient("P-2"),
                    whole = vault.NewClient("P-3"), untouched = vault.NewClient("P-4");
  std::map<std::string, std::string> records;  // that go
  for (const auto& client : {by_class, whole, untouched}) {
    records[client] = vault.NewContact(client, {{"last_name", "Sentinelcontact"}});
  }
  const auto updated =
      vault.As("crm-service")
          .Put("/v1/clients/" + by_class + "/records/" + records[by_class],
               {{"data", {{"last_name", "Sentinelupdated"}}}}, {{"If-Match", "\"1\""}});
  REQUIRE(updated.status == 200);
  const std::string kept = interaction(by_class, "2026-01-01T10:00:00Z", "stays");
  records[by_run] = interaction(by_run, "2020-01-01T10:00:00Z", "sentinelsummary");
  const std::string contact = vault.NewContact(by_run, {{"last_name", "Stays"}});
  vault.Stop();

  const std::vector<std::string> touched = {by_class, by_run, whole};
  std::vector<std::string> all = touched;
  all.push_back(untouched);
  std::map<std::string, std::string> keys;
  std::set<std::string> gone;  // wrapped keys and payloads as they were stored
  {
    auto opened = OpenedDatabases::Of(vault);
    keys = KeysOf(opened, all);
    const std::string image = Image(opened.keys);
    for (const auto& client : touched) {
      const auto wrapped =
          *Blob(opened.keys, "SELECT wrapped FROM client_keys WHERE client = ?", RowOf(client));
      REQUIRE(image.find(crypto::AsText(wrapped)) != std::string::npos);
      gone.emplace(crypto::AsText(wrapped));
      gone.emplace(crypto::AsText(
          *Blob(opened.vault, "SELECT payload FROM records WHERE id = ?", RowOf(records[client]))));
    }
  }

  vault.Start();
  auto crm = vault.As("crm-service");
  for (const auto& client : all) {
    REQUIRE(crm.Get("/v1/clients/" + client + "/records/" + records[client]).status == 200);
  }
  const auto in_memory = [&] {
    std::set<std::string> wanted;
    for (const auto& [client, key] : keys) wanted.insert(key);
    return FoundInMemory(vault.pid(), wanted);
  };
  // The control: keys in use are found.
  const auto before = in_memory();
  if (before) CHECK(before->size() == all.size());

  auto officer = vault.As("privacy-officer", "data-subject-request");
  CHECK(officer.Post("/v1/clients/" + by_class + "/erasures", {{"class", "contact"}}).status ==
        200);
  CHECK(officer.Delete("/v1/clients/" + whole).status == 200);
  json policies = {{{"name", "calls"},
                    {"class", "interaction"},
                    {"trigger", "date_field"},
                    {"period", "P1Y"},
                    {"action", "erase"},
                    {"basis", "a test"}}};
  for (const char* name : {"agreement", "complaint", "consent-note", "contact", "payment-detail"}) {
    policies.push_back(
        {{"name", std::string(name) + "-kept"}, {"class", name}, {"keep", "a test"}});
  }
  const auto scheduled = officer.Put("/v1/retention/schedule",
                                     {{"time_zone", "Europe/Berlin"}, {"policies", policies}});
  INFO(scheduled.body);
  REQUIRE(scheduled.status == 200);
  const auto run = officer.Send("POST", "/v1/retention/runs", "", "application/json");
  INFO(run.body);
  REQUIRE(run.status == 201);
  const std::string path = "/v1/retention/runs/" + run.Json().at("id").get<std::string>();
  auto state = officer.Get(path);
  for (int i = 0; i < 3000 && state.Json().at("state") == "running"; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    state = officer.Get(path);
  }
  INFO(state.body);
  CHECK(state.Json().at("erased") == 1);

  for (const auto& client : touched) {
    CHECK(crm.Get("/v1/clients/" + client + "/records/" + records[client]).status == 404);
  }
  CHECK(crm.Get("/v1/clients/" + by_class + "/records/" + kept).status == 200);
  CHECK(crm.Get("/v1/clients/" + by_run + "/records/" + contact).status == 200);
  if (const auto after = in_memory()) {
    CHECK(*after == std::set<std::string>{keys.at(untouched)});
  }
  vault.Kill();  // what is on the disk at the moment of the answers

  const std::set<std::string> values = {"Sentinelcontact", "Sentinelupdated", "sentinelsummary"};
  for (const std::string& folder : {vault.work().path(), temporary.path()}) {
    for (const auto& file : std::filesystem::recursive_directory_iterator(folder)) {
      if (!file.is_regular_file()) continue;
      INFO(file.path().string());
      const std::string content = ReadWholeFile(file.path());
      for (const auto& needle : gone) CHECK(content.find(needle) == std::string::npos);
      for (const auto& value : values) CHECK(content.find(value) == std::string::npos);
      for (const auto& [client, key] : keys) CHECK(content.find(key) == std::string::npos);
    }
  }
  // Nor do the pages, free ones too, as somebody with the root key sees them.
  auto opened = OpenedDatabases::Of(vault);
  for (const std::string& image : {Image(opened.keys), Image(opened.vault)}) {
    for (const auto& needle : gone) CHECK(image.find(needle) == std::string::npos);
    for (const auto& value : values) CHECK(image.find(value) == std::string::npos);
  }
}
