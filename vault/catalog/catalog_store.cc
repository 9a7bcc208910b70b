#include "vault/catalog/catalog_store.h"

#include <algorithm>

namespace coffer::vault {
namespace {

constexpr std::string_view kClasses =
    "SELECT name, version, definition FROM classes ORDER BY name, version";
constexpr std::string_view kInsertClass =
    "INSERT INTO classes (name, version, definition, created) VALUES (?, ?, ?, ?)";
constexpr std::string_view kPurposes = "SELECT code, definition FROM purposes";
constexpr std::string_view kPutPurpose =
    "INSERT INTO purposes (code, definition, updated) VALUES (?, ?, ?) "
    "ON CONFLICT (code) DO UPDATE SET definition = excluded.definition, updated = excluded.updated";
constexpr std::string_view kRoles =
    "SELECT name, version, definition FROM roles ORDER BY name, version";
constexpr std::string_view kInsertRole =
    "INSERT INTO roles (name, version, definition, created) VALUES (?, ?, ?, ?)";
constexpr std::string_view kNewestSchedule =
    "SELECT version, definition, created FROM retention_schedules ORDER BY version DESC LIMIT 1";
constexpr std::string_view kFindSchedule =
    "SELECT version, definition, created FROM retention_schedules WHERE version = ?";
constexpr std::string_view kInsertSchedule =
    "INSERT INTO retention_schedules (version, definition, created, put_by, approved_by) "
    "VALUES (?, ?, ?, ?, ?)";
constexpr std::string_view kSchedulePeople =
    "SELECT put_by, approved_by FROM retention_schedules WHERE version = ?";
constexpr std::string_view kClassCreated =
    "SELECT created FROM classes WHERE name = ? AND version = ?";

}  // namespace

std::shared_ptr<const ClassSchema> Catalog::Newest(std::string_view name) const {
  const auto found = classes.find(name);
  return found == classes.end() ? nullptr : found->second.back();
}

std::shared_ptr<const ClassSchema> Catalog::Version(std::string_view name,
                                                    std::uint64_t version) const {
  const auto found = classes.find(name);
  if (found == classes.end() || version == 0 || version > found->second.size()) return nullptr;
  return found->second[version - 1];
}

std::shared_ptr<const RoleDocument> Catalog::Role(std::string_view name) const {
  const auto found = roles.find(name);
  return found == roles.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<const ClassSchema>> Catalog::NewestClasses() const {
  std::vector<std::shared_ptr<const ClassSchema>> newest;
  for (const auto& [name, versions] : classes) newest.push_back(versions.back());
  return newest;
}

Result<CatalogStore> CatalogStore::Open(Database& database) {
  CatalogStore store;
  COFFER_ASSIGN(store.classes_, Statement::Prepare(database, kClasses));
  COFFER_ASSIGN(store.purposes_, Statement::Prepare(database, kPurposes));
  COFFER_ASSIGN(store.roles_, Statement::Prepare(database, kRoles));
  COFFER_ASSIGN(store.newest_schedule_, Statement::Prepare(database, kNewestSchedule));
  COFFER_ASSIGN(store.find_schedule_, Statement::Prepare(database, kFindSchedule));
  COFFER_ASSIGN(store.insert_schedule_, Statement::Prepare(database, kInsertSchedule));
  COFFER_ASSIGN(store.schedule_people_, Statement::Prepare(database, kSchedulePeople));
  COFFER_ASSIGN(store.class_created_, Statement::Prepare(database, kClassCreated));
  COFFER_ASSIGN(store.insert_role_, Statement::Prepare(database, kInsertRole));
  COFFER_ASSIGN(store.insert_class_, Statement::Prepare(database, kInsertClass));
  COFFER_ASSIGN(store.put_purpose_, Statement::Prepare(database, kPutPurpose));
  return store;
}

Result<Catalog> CatalogStore::Load() {
  Catalog catalog;
  std::map<std::string, std::vector<ClassSchema>, std::less<>> defined;
  auto classes = classes_.Query();
  for (;;) {
    COFFER_ASSIGN(const bool more, classes.Next());
    if (!more) break;
    auto schema = ParseClass(classes.Text(2));
    auto& versions = defined[std::string(classes.Text(0))];
    if (!schema || static_cast<std::uint64_t>(classes.Int(1)) != versions.size() + 1) {
      return Fail(Code::kCorrupted, "storage_corrupted",
                  "a stored class definition cannot be read: " + std::string(classes.Text(0)));
    }
    schema->version = versions.size() + 1;
    versions.push_back(*std::move(schema));
  }
  for (auto& [name, versions] : defined) {
    catalog.classes.emplace(name, WithStricter(std::move(versions)));
  }
  auto purposes = purposes_.Query();
  for (;;) {
    COFFER_ASSIGN(const bool more, purposes.Next());
    if (!more) break;
    auto purpose = ParsePurpose(purposes.Text(0), purposes.Text(1));
    if (!purpose) {
      return Fail(Code::kCorrupted, "storage_corrupted",
                  "a stored purpose cannot be read: " + std::string(purposes.Text(0)));
    }
    std::string code = purpose->code;
    catalog.purposes.emplace(std::move(code), *std::move(purpose));
  }
  for (const RoleDocument& role : BuiltInRoles()) {
    // Lives as long as the process.
    catalog.roles.emplace(role.name,
                          std::shared_ptr<const RoleDocument>(std::shared_ptr<void>(), &role));
  }
  auto roles = roles_.Query();
  for (;;) {
    COFFER_ASSIGN(const bool more, roles.Next());
    if (!more) break;
    auto role = ParseRole(roles.Text(0), roles.Text(2), RoleOrigin::kStored);
    if (!role) {
      return Fail(Code::kCorrupted, "storage_corrupted",
                  "a stored role cannot be read: " + std::string(roles.Text(0)));
    }
    role->version = static_cast<std::uint64_t>(roles.Int(1));
    std::string name = role->name;
    catalog.roles.insert_or_assign(std::move(name),
                                   std::make_shared<const RoleDocument>(*std::move(role)));
  }
  COFFER_TRY(LoadSchedule(catalog));
  return catalog;
}

// A time zone that the machine has no more is no reason not to start: nothing is due without one.
Status CatalogStore::LoadSchedule(Catalog& catalog) {
  auto rows = newest_schedule_.Query();
  COFFER_ASSIGN(const bool found, rows.Next());
  if (!found) return {};
  auto schedule = ReadStoredSchedule(rows.Text(1), catalog.NewestClasses());
  if (!schedule) {
    return Fail(Code::kCorrupted, "storage_corrupted",
                "the stored retention schedule cannot be read");
  }
  catalog.retention = std::make_shared<const ScheduleInForce>(ScheduleInForce{
      static_cast<std::uint64_t>(rows.Int(0)), Timestamp{rows.Int(2)}, *std::move(schedule)});
  return {};
}

Status CatalogStore::InsertClass(const ClassSchema& schema, Timestamp now) {
  return insert_class_.Execute(std::string_view(schema.name), schema.version,
                               std::string_view(schema.definition), now.ms);
}

Status CatalogStore::InsertRole(const RoleDocument& role, Timestamp now) {
  return insert_role_.Execute(std::string_view(role.name), role.version,
                              std::string_view(role.definition), now.ms);
}

Status CatalogStore::InsertSchedule(std::uint64_t version, std::string_view definition,
                                    Timestamp now, std::span<const PrincipalId> people) {
  std::optional<ByteView> put_by, approved_by;
  if (!people.empty()) put_by = people[0].bytes();
  if (people.size() > 1) approved_by = people[1].bytes();
  return insert_schedule_.Execute(version, definition, now.ms, put_by, approved_by);
}

Result<std::vector<PrincipalId>> CatalogStore::FindSchedulePeople(std::uint64_t version) {
  std::vector<PrincipalId> people;
  auto rows = schedule_people_.Query(version);
  COFFER_ASSIGN(const bool found, rows.Next());
  for (const int column : {0, 1}) {
    if (!found || rows.IsNull(column)) continue;
    std::ranges::copy(rows.Blob(column), people.emplace_back().value.begin());
  }
  return people;
}

Result<std::optional<Timestamp>> CatalogStore::FindClassCreated(std::string_view name,
                                                                std::uint64_t version) {
  auto rows = class_created_.Query(name, version);
  COFFER_ASSIGN(const bool found, rows.Next());
  if (!found) return std::nullopt;
  return Timestamp{rows.Int(0)};
}

Result<std::optional<StoredSchedule>> CatalogStore::FindSchedule(std::uint64_t version) {
  auto rows = find_schedule_.Query(version);
  COFFER_ASSIGN(const bool found, rows.Next());
  if (!found) return std::nullopt;
  return StoredSchedule{version, std::string(rows.Text(1)), Timestamp{rows.Int(2)}};
}

Status CatalogStore::PutPurpose(const Purpose& purpose, Timestamp now) {
  const std::string definition = FormatPurpose(purpose);
  return put_purpose_.Execute(std::string_view(purpose.code), std::string_view(definition), now.ms);
}

}  // namespace coffer::vault
