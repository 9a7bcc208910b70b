// An open vault whose stored rows can be looked at, and altered as somebody with the files and the
// root key would.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "crypto/hash.h"
#include "crypto/keyring.h"
#include "tests/support/open_vault.h"
#include "vault/storage/data_directory.h"
#include "vault/storage/keys_database.h"
#include "vault/storage/sqlite.h"
#include "vault/storage/vault_database.h"

namespace coffer::vault {

using nlohmann::json;
using testing::AnswerOf;
using testing::IssuesOf;
using Strings = std::vector<std::string>;

class TestVault : public testing::OpenVault {
 public:
  using OpenVault::OpenVault;

  crypto::Keyring OpenKeyring() {
    auto keyring = crypto::Keyring::Open(KeyringPath(directory()), root());
    REQUIRE(keyring);
    return *std::move(keyring);
  }

  // Connections of their own: what they see is committed.
  Database OpenVaultDatabase(bool read_only = true) {
    auto opened = vault::OpenVaultDatabase(VaultDatabasePath(directory()), OpenKeyring(),
                                           {.read_only = read_only});
    INFO(AnswerOf(opened));
    REQUIRE(opened);
    return std::move(opened->database);
  }
  Database OpenKeysDatabase(bool read_only = true) {
    auto database = vault::OpenKeysDatabase(KeysDatabasePath(directory()), OpenKeyring(),
                                            {.read_only = read_only});
    INFO(AnswerOf(database));
    REQUIRE(database);
    return *std::move(database);
  }

  // The first value of a query over vault.db.
  template <class... Args>
  std::int64_t Number(std::string_view sql, const Args&... args) {
    const Database database = OpenVaultDatabase();
    return NumberIn(database, sql, args...);
  }
  template <class... Args>
  Bytes Blob(std::string_view sql, const Args&... args) {
    const Database database = OpenVaultDatabase();
    auto statement = Statement::Prepare(database, sql);
    REQUIRE(statement);
    auto row = statement->Query(args...);
    REQUIRE(row.Next() == true);
    const auto blob = row.Blob(0);
    return {blob.begin(), blob.end()};
  }
  std::size_t KeyCount() {
    return static_cast<std::size_t>(
        NumberIn(OpenKeysDatabase(), "SELECT count(*) FROM client_keys"));
  }

  // SHA-256 of what is stored, as the log has it.
  std::string PayloadHash(const RecordId& id) {
    return crypto::HexEncode(
        crypto::Sha256(Blob("SELECT payload FROM records WHERE id = ?", id.Row())));
  }
  std::string PayloadHash(const RecordId& id, std::uint64_t version) {
    return crypto::HexEncode(
        crypto::Sha256(Blob("SELECT payload FROM record_versions WHERE record = ? AND version = ?",
                            id.Row(), version)));
  }
  std::string ProfileHash(const ClientId& id) {
    return crypto::HexEncode(
        crypto::Sha256(Blob("SELECT profile FROM clients WHERE id = ?", id.Row())));
  }

  // Somebody changes vault.db behind the vault's back.
  template <class... Args>
  void Tamper(std::string_view sql, const Args&... args) {
    const Database database = OpenVaultDatabase(false);
    auto statement = Statement::Prepare(database, sql);
    REQUIRE(statement);
    REQUIRE(statement->Execute(args...));
  }

  void CheckInvariants() override {
    OpenVault::CheckInvariants();
    CheckRows();
    CHECK(NumberIn(OpenKeysDatabase(), "SELECT count(DISTINCT client) FROM client_keys") ==
          Number("SELECT count(*) FROM clients"));
  }

  // The tables of the generation that searches use, and of the one that is being built.
  static std::string IndexTable(const Database& rows, std::string table, bool live = true) {
    const auto number = NumberIn(rows, "SELECT live FROM index_state");
    return (number % 2 == (live ? 1 : 0)) ? table + "_odd" : table;
  }

  // The same as a subquery, with what waits to be merged into it.
  static std::string IndexRows(const Database& rows, const std::string& table, bool live = true) {
    const std::string sorted = IndexTable(rows, table, live);
    const bool refs = table == "client_refs", odd = sorted != table;
    return "(SELECT " +
           std::string(refs ? "ref AS token, client AS owner" : "token, record AS owner") +
           " FROM " + sorted + " UNION SELECT token, owner FROM index_arrivals WHERE place = " +
           std::to_string((refs ? 2 : 0) + (odd ? 1 : 0)) + ")";
  }

  // The index has what the rows say that it has, and nothing else.
  static void CheckIndex(const Database& rows) {
    const std::int64_t phase = NumberIn(rows, "SELECT phase FROM index_state");
    for (const bool live : {true, false}) {
      if (!live && phase > 2) continue;  // on its way out
      const std::string refs = IndexRows(rows, "client_refs", live);
      const std::string index = IndexRows(rows, "blind_index", live);
      INFO(index << " in phase " << phase);
      CHECK(NumberIn(rows, "SELECT count(*) FROM " + refs +
                               " WHERE owner NOT IN (SELECT id FROM clients)") == 0);
      CHECK(NumberIn(rows, "SELECT count(*) FROM " + index +
                               " WHERE owner NOT IN (SELECT id FROM records)") == 0);
      if (!live && phase == 0) {
        CHECK(NumberIn(rows, "SELECT count(*) FROM " + refs) == 0);
        CHECK(NumberIn(rows, "SELECT count(*) FROM " + index) == 0);
      }
      if (!live) continue;
      // An envelope is 40 bytes longer than its tokens; what is in clear has 16 each.
      CHECK(NumberIn(rows, "SELECT count(*) FROM " + index) ==
            NumberIn(rows,
                     "SELECT coalesce(sum(iif(length(tokens) % 16 = 0, length(tokens), "
                     "length(tokens) - 40) / 16 + (import_token IS NOT NULL)), 0) FROM records"));
      CHECK(NumberIn(rows, "SELECT count(*) FROM " + refs) ==
            NumberIn(rows, "SELECT count(*) FROM clients WHERE ref IS NOT NULL"));
    }
  }

  // No row is left without its owner, and no client without its key.
  void CheckRows() {
    const Database rows = OpenVaultDatabase();
    for (const std::string_view orphans :
         {"SELECT count(*) FROM client_tags WHERE client NOT IN (SELECT id FROM clients)",
          "SELECT count(*) FROM records WHERE client NOT IN (SELECT id FROM clients)",
          "SELECT count(*) FROM record_versions WHERE record NOT IN (SELECT id FROM records)",
          "SELECT count(*) FROM idempotency WHERE client NOT IN (SELECT id FROM clients)",
          "SELECT count(*) FROM restrictions",
          "SELECT count(*) FROM client_restrictions WHERE client NOT IN (SELECT id FROM clients)",
          "SELECT count(*) FROM consents WHERE client NOT IN (SELECT id FROM clients)",
          "SELECT count(*) FROM notice_tellings WHERE client NOT IN (SELECT id FROM clients)",
          "SELECT count(*) FROM retention_restrictions WHERE client NOT IN (SELECT id FROM "
          "clients)",
          "SELECT count(*) FROM holds WHERE cid IS NOT NULL AND cid NOT IN (SELECT cid FROM "
          "clients)",
          "SELECT count(*) FROM log_notes WHERE client NOT IN (SELECT id FROM clients) AND "
          "client <> 0",
          "SELECT count(*) FROM log_notes WHERE seq NOT IN (SELECT seq FROM log_entries)",
          "SELECT count(*) FROM erasures WHERE scope = 1 AND cid IN (SELECT cid FROM clients)",
          "SELECT count(*) FROM erasures WHERE state < 2"}) {
      INFO(orphans);
      CHECK(NumberIn(rows, orphans) == 0);
    }
    CheckIndex(rows);
    const Database keys = OpenKeysDatabase();
    auto clients = Statement::Prepare(rows, "SELECT id, cid, generation FROM clients");
    REQUIRE(clients);
    auto client = clients->Query();
    while (*client.Next()) {
      // Of a later generation there can be one whose commit never came.
      CHECK(NumberIn(keys, "SELECT count(*) FROM client_keys WHERE client = ? AND generation <= ?",
                     client.Int(0), client.Int(2)) == 1);
      CHECK(NumberIn(keys,
                     "SELECT count(*) FROM client_keys WHERE client = ? AND cid = ? AND "
                     "generation = ?",
                     client.Int(0), client.Blob(1), client.Int(2)) == 1);
    }
  }

  template <class... Args>
  static std::int64_t NumberIn(const Database& database, std::string_view sql,
                               const Args&... args) {
    auto statement = Statement::Prepare(database, sql);
    REQUIRE(statement);
    auto row = statement->Query(args...);
    REQUIRE(row.Next() == true);
    return row.Int(0);
  }
};

}  // namespace coffer::vault
