// Classes, purposes, roles and retention schedules, as they are stored.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audit/text/clock.h"
#include "vault/base/ids.h"
#include "vault/catalog/class_schema.h"
#include "vault/catalog/class_versions.h"
#include "vault/catalog/purpose.h"
#include "vault/catalog/retention_schedule.h"
#include "vault/catalog/role.h"
#include "vault/deletion/deletion.h"
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

}  // namespace coffer::vault
