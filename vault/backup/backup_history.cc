#include "vault/backup/backup_history.h"

#include <functional>
#include <utility>

#include "vault/engine/setting_store.h"

namespace coffer::vault {
namespace {

constexpr std::string_view kLastDrillSetting = "backup-drill";
constexpr std::string_view kLogOfDrillSetting = "backup-drill-log";
constexpr std::string_view kGoodDrillSetting = "backup-drill-good";
constexpr std::string_view kLogAgrees = "agrees", kLogDiffers = "differs";
// And the destination's name.
constexpr std::string_view kVerifiedSetting = "backup-verified-";
constexpr std::string_view kDamagedSetting = "backup-damaged-";  // empty: it is not

std::string SettingOf(std::string_view what, const std::string& destination) {
  return std::string(what) + destination;
}

Status FindTime(SettingStore& settings, std::string_view what, const std::string& destination,
                std::map<std::string, Timestamp, std::less<>>& into) {
  COFFER_ASSIGN(const auto text, settings.Find(SettingOf(what, destination)));
  if (text.value_or("").empty()) return {};
  COFFER_ASSIGN(const Timestamp time, audit::ParseTimestamp(*text));
  into.insert_or_assign(destination, time);
  return {};
}

Status FindDrill(SettingStore& settings, std::string_view name, std::optional<KeptDrill>& into) {
  COFFER_ASSIGN(auto note, settings.Find(name));
  if (!note) return {};
  COFFER_ASSIGN(auto report, audit::ParseDrillReport(*note));
  into = KeptDrill{std::move(report), *std::move(note), true};
  return {};
}

}  // namespace

Status BackupHistory::Load(const Operations& operations, const BackupOptions& options) {
  return operations.Look([&](Transaction& transaction) -> Status {
    const std::lock_guard lock(mutex_);
    SettingStore& settings = transaction.stores().settings;
    COFFER_TRY(FindDrill(settings, kLastDrillSetting, last_));
    COFFER_TRY(FindDrill(settings, kGoodDrillSetting, good_));
    COFFER_ASSIGN(const auto agrees, settings.Find(kLogOfDrillSetting));
    if (last_) last_->log_agrees = agrees == kLogAgrees;
    for (const auto& destination : options.backup_destinations) {
      COFFER_TRY(FindTime(settings, kVerifiedSetting, destination.name, verified_));
      COFFER_TRY(FindTime(settings, kDamagedSetting, destination.name, damaged_));
    }
    return {};
  });
}

Status BackupHistory::PutDrill(Transaction& transaction, const KeptDrill& drill) {
  SettingStore& settings = transaction.stores().settings;
  if (drill.good()) COFFER_TRY(settings.Put(kGoodDrillSetting, drill.note));
  COFFER_TRY(settings.Put(kLogOfDrillSetting, drill.log_agrees ? kLogAgrees : kLogDiffers));
  return settings.Put(kLastDrillSetting, drill.note);
}

Status BackupHistory::PutVerified(Transaction& transaction, const std::string& destination,
                                  Timestamp time, bool whole) {
  SettingStore& settings = transaction.stores().settings;
  const std::string damaged = SettingOf(kDamagedSetting, destination);
  if (!whole) return settings.Put(damaged, audit::FormatTimestamp(time));
  COFFER_TRY(settings.Put(damaged, ""));
  return settings.Put(SettingOf(kVerifiedSetting, destination), audit::FormatTimestamp(time));
}

Status BackupHistory::PutUnknown(Transaction& transaction, const std::string& destination) {
  SettingStore& settings = transaction.stores().settings;
  for (const std::string_view of : {kVerifiedSetting, kDamagedSetting}) {
    const std::string name = SettingOf(of, destination);
    COFFER_ASSIGN(const auto told, settings.Find(name));
    if (told && !told->empty()) COFFER_TRY(settings.Put(name, ""));
  }
  return {};
}

Result<bool> BackupHistory::IsKnown(Transaction& transaction, const std::string& destination) {
  for (const std::string_view of : {kVerifiedSetting, kDamagedSetting}) {
    COFFER_ASSIGN(const auto told, transaction.stores().settings.Find(SettingOf(of, destination)));
    if (!told.value_or("").empty()) return true;
  }
  return false;
}

void BackupHistory::Forget(const std::string& destination) {
  const std::lock_guard lock(mutex_);
  verified_.erase(destination);
  damaged_.erase(destination);
  ++forgotten_[destination];
}

std::uint64_t BackupHistory::Standing(const std::string& destination) const {
  const std::lock_guard lock(mutex_);
  const auto found = forgotten_.find(destination);
  return found == forgotten_.end() ? 0 : found->second;
}

void BackupHistory::Publish(KeptDrill drill) {
  const std::lock_guard lock(mutex_);
  if (drill.good()) good_ = drill;
  last_ = std::move(drill);
}

void BackupHistory::Publish(const std::string& destination, std::uint64_t standing,
                            Timestamp verified, bool whole) {
  const std::lock_guard lock(mutex_);
  if (const auto found = forgotten_.find(destination);
      found != forgotten_.end() && found->second != standing) {
    return;
  }
  (whole ? verified_ : damaged_).insert_or_assign(destination, verified);
  if (whole) damaged_.erase(destination);
}

std::vector<KeptDrill> BackupHistory::Drills() const {
  const std::lock_guard lock(mutex_);
  std::vector<KeptDrill> drills;
  if (last_) drills.push_back(*last_);
  if (good_ && good_->note != last_->note) drills.push_back(*good_);
  return drills;
}

std::optional<Timestamp> BackupHistory::Verified(const std::string& destination) const {
  const std::lock_guard lock(mutex_);
  const auto found = verified_.find(destination);
  return found == verified_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<Timestamp> BackupHistory::Damaged(const std::string& destination) const {
  const std::lock_guard lock(mutex_);
  const auto found = damaged_.find(destination);
  return found == damaged_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace coffer::vault
