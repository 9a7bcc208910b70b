#include "vault/backup/backup_history.h"

#include <functional>
#include <utility>

#include "vault/engine/setting_store.h"

namespace coffer::vault {
namespace {

constexpr std::string_view kLastDrillSetting = "backup-drill";
constexpr std::string_view kLogOfDrillSetting = "backup-drill-log";
constexpr std::string_view kGoodDrillSetting = "backup-drill-good";
constexpr std::string_view kAgrees = "agrees", kDiffers = "differs";
constexpr std::string_view kVerifiedSetting = "backup-verified-";  // and the destination's name

std::string VerifiedSettingOf(const std::string& destination) {
  return std::string(kVerifiedSetting) + destination;
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
    if (last_) last_->log_agrees = agrees == kAgrees;
    for (const auto& destination : options.backup_destinations) {
      COFFER_ASSIGN(const auto text, settings.Find(VerifiedSettingOf(destination.name)));
      if (!text) continue;
      COFFER_ASSIGN(const Timestamp time, audit::ParseTimestamp(*text));
      verified_.insert_or_assign(destination.name, time);
    }
    return {};
  });
}

Status BackupHistory::PutDrill(Transaction& transaction, const KeptDrill& drill) {
  SettingStore& settings = transaction.stores().settings;
  if (drill.good()) COFFER_TRY(settings.Put(kGoodDrillSetting, drill.note));
  COFFER_TRY(settings.Put(kLogOfDrillSetting, drill.log_agrees ? kAgrees : kDiffers));
  return settings.Put(kLastDrillSetting, drill.note);
}

Status BackupHistory::PutVerified(Transaction& transaction, const std::string& destination,
                                  Timestamp time) {
  return transaction.stores().settings.Put(VerifiedSettingOf(destination),
                                           audit::FormatTimestamp(time));
}

void BackupHistory::Publish(KeptDrill drill) {
  const std::lock_guard lock(mutex_);
  if (drill.good()) good_ = drill;
  last_ = std::move(drill);
}

void BackupHistory::Publish(const std::string& destination, Timestamp verified) {
  const std::lock_guard lock(mutex_);
  verified_.insert_or_assign(destination, verified);
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

}  // namespace coffer::vault
