// Classes, purposes, roles and settings; idempotency keys; client keys.
#pragma once

#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "audit/text/clock.h"
#include "vault/access/role.h"
#include "vault/base/ids.h"
#include "vault/base/timestamp.h"
#include "vault/catalog/class_schema.h"
#include "vault/catalog/class_versions.h"
#include "vault/catalog/purpose.h"
#include "vault/deletion/retention_run.h"
#include "vault/deletion/retention_schedule.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {

using audit::Timestamp;

struct ScheduleInForce {
  std::uint64_t version = 0;
  Timestamp created;
  RetentionSchedule schedule;
};

// What requests are validated and decided against: immutable, replaced as a whole by the engine.
struct Catalog {
  // Every version of each class as its records are treated, oldest first; version v is at v - 1.
  std::map<std::string, ClassVersions, std::less<>> classes;
  std::map<std::string, Purpose, std::less<>> purposes;
  // The newest version of each role, built-in ones among them.
  std::map<std::string, std::shared_ptr<const RoleDocument>, std::less<>> roles;
  std::shared_ptr<const ScheduleInForce> retention;  // the newest schedule; null: there is none

  std::shared_ptr<const ClassSchema> Newest(std::string_view name) const;
  std::shared_ptr<const ClassSchema> Version(std::string_view name, std::uint64_t version) const;
  std::shared_ptr<const RoleDocument> Role(std::string_view name) const;  // null: no such role
  std::vector<std::shared_ptr<const ClassSchema>> NewestClasses() const;
};

class CatalogStore {
 public:
  static Result<CatalogStore> Open(Database& database);
  Result<Catalog> Load();
  Status InsertClass(const ClassSchema& schema, Timestamp now);
  Status PutPurpose(const Purpose& purpose, Timestamp now);
  Status InsertRole(const RoleDocument& role, Timestamp now);
  // `people`: who puts it into force, then who agreed, if anybody had to.
  Status InsertSchedule(std::uint64_t version, std::string_view definition, Timestamp now,
                        std::span<const PrincipalId> people);
  // None of those of a version that an older vault stored.
  Result<std::vector<PrincipalId>> FindSchedulePeople(std::uint64_t version);
  Result<std::optional<StoredSchedule>> FindSchedule(std::uint64_t version);
  // When the version of the class was stored.
  Result<std::optional<Timestamp>> FindClassCreated(std::string_view name, std::uint64_t version);

 private:
  Status LoadSchedule(Catalog& catalog);

  Statement classes_, purposes_, roles_, insert_class_, put_purpose_, insert_role_,
      newest_schedule_, find_schedule_, insert_schedule_, schedule_people_, class_created_;
};

class IdempotencyStore {
 public:
  static Result<IdempotencyStore> Open(Database& database);
  struct Row {
    crypto::Hash body{};
    Id128 object{};
  };
  Result<std::optional<Row>> Find(const crypto::Hash& key);
  Status Insert(const crypto::Hash& key, const Row& row, std::int64_t client, Timestamp now);
  Status DeleteOf(std::int64_t client);
  Status DeleteObject(std::int64_t client, const Id128& object);
  // A portion of what was made before or after these. Whether there was any: there can be more.
  Result<bool> PurgeOutside(Timestamp oldest, Timestamp newest);

 private:
  Statement find_, insert_, delete_of_, delete_object_, purge_;
};

// What was decided when the vault was made.
class SettingStore {
 public:
  static Result<SettingStore> Open(Database& database);
  Result<std::optional<std::string>> Find(std::string_view name);
  Status Put(std::string_view name, std::string_view value);

 private:
  Statement find_, put_;
};

// A client whose records were erased in part has a key of the next generation.
struct ClientKeyId {
  ClientId client = {};
  std::uint64_t generation = 0;
  static constexpr std::uint64_t kNewest = std::numeric_limits<std::int64_t>::max();
};

// keys.db
class KeyStore {
 public:
  static Result<KeyStore> Open(Database& database);
  // For looking only, also where every client has its first key yet: Find.
  static Result<KeyStore> OpenForReading(const Database& database);
  Status Put(const ClientKeyId& key, ByteView wrapped);
  Result<std::optional<Bytes>> Find(const ClientKeyId& key);
  Result<std::optional<std::uint64_t>> OldestGeneration(const ClientId& client);
  // All but the first ones of their clients.
  Result<std::vector<ClientKeyId>> LaterGenerations();
  Status Delete(const ClientKeyId& key);
  Status DeleteUpTo(const ClientKeyId& newest);
  // Keys of the search index, wrapped, by generation.
  Result<std::vector<std::pair<std::uint64_t, Bytes>>> IndexKeys();
  Status PutIndexKey(std::uint64_t generation, ByteView wrapped);
  Status DeleteIndexKeysBut(std::uint64_t generation);

 private:
  Statement put_, find_, oldest_, later_, delete_, delete_up_to_, index_keys_, put_index_key_,
      delete_index_keys_;
};

}  // namespace coffer::vault
