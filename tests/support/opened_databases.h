// A stopped vault's databases, opened with its real keys: what a thief of both disk and root key
// can do, and the only way to alter stored state behind the log's back. Needs sqlcipher.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <optional>
#include <string>
#include <vector>

#include "crypto/aead.h"
#include "crypto/keyring.h"
#include "crypto/root_key_provider.h"
#include "tests/support/running_vault.h"
#include "vault/base/ids.h"
#include "vault/storage/keys_database.h"
#include "vault/storage/sqlite.h"

namespace coffer::testing {

struct OpenedDatabases {
  crypto::Keyring keyring;
  vault::Database vault, keys;

  static OpenedDatabases Open(const std::string& directory, const std::string& root_key_file) {
    auto root = crypto::OpenKeyFile(root_key_file);
    REQUIRE(root);
    auto keyring = crypto::Keyring::Open(directory + "/keyring.json", **root);
    REQUIRE(keyring);
    auto vault = vault::Database::Open(directory + "/vault.db", keyring->vault_db_key(), {});
    REQUIRE(vault);
    auto keys = vault::OpenKeysDatabase(directory + "/keys.db", *keyring, {});
    REQUIRE(keys);
    return {*std::move(keyring), *std::move(vault), *std::move(keys)};
  }
  static OpenedDatabases Of(const RunningVault& vault) {
    return Open(vault.directory(), vault.root_key_file());
  }
};

// Runs one statement; the number of rows it changed.
template <class... Args>
int Change(vault::Database& database, std::string_view sql, const Args&... args) {
  auto statement = vault::Statement::Prepare(database, sql);
  INFO(sql);
  REQUIRE(statement);
  const auto done = statement->Execute(args...);
  INFO((done ? "" : done.error().detail));
  REQUIRE(done);
  return sqlite3_changes(database.handle());
}

// First column of the first row; nothing when there is no row.
template <class... Args>
std::optional<crypto::Bytes> Blob(vault::Database& database, std::string_view sql,
                                  const Args&... args) {
  auto statement = vault::Statement::Prepare(database, sql);
  INFO(sql);
  REQUIRE(statement);
  auto rows = statement->Query(args...);
  const auto found = rows.Next();
  REQUIRE(found);
  if (!*found) return std::nullopt;
  const auto bytes = rows.Blob(0);
  return crypto::Bytes(bytes.begin(), bytes.end());
}

// Every row's first column.
template <class... Args>
std::vector<crypto::Bytes> Blobs(vault::Database& database, std::string_view sql,
                                 const Args&... args) {
  auto statement = vault::Statement::Prepare(database, sql);
  INFO(sql);
  REQUIRE(statement);
  auto rows = statement->Query(args...);
  std::vector<crypto::Bytes> all;
  for (;;) {
    const auto found = rows.Next();
    REQUIRE(found);
    if (!*found) return all;
    const auto bytes = rows.Blob(0);
    all.emplace_back(bytes.begin(), bytes.end());
  }
}

inline std::int64_t RowOf(const std::string& id) {
  if (id.starts_with("cli_")) return vault::ClientId::Parse(id)->Row();
  return vault::RecordId::Parse(id)->Row();
}

// What opens a record's payload, as the documentation of the formats gives it.
inline crypto::Bytes RecordContext(const crypto::Keyring& keyring, const std::string& client,
                                   const std::string& record, const std::string& class_name,
                                   std::uint64_t version) {
  std::string context = "coffer-record-v1";
  context += crypto::AsText(keyring.vault_id());
  context += crypto::AsText(vault::ClientId::Parse(client)->bytes());
  context += crypto::AsText(vault::RecordId::Parse(record)->bytes());
  for (int shift = 56; shift >= 0; shift -= 8) context += static_cast<char>(version >> shift);
  context += class_name;
  return {context.begin(), context.end()};
}

}  // namespace coffer::testing
