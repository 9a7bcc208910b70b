// After an erasure is acknowledged nobody can read that client: not through the API, not from the
// files, not from an older copy of vault.db together with the keys of today.
#include <sqlite3.h>

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <memory>

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
  // The reference is free for another client.
  CHECK(vault.NewClient("E-1") != gone.client);

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
