#include "vault/deletion/deletion_state.h"

#include <charconv>
#include <cstdlib>

#include "vault/deletion/hold_text.h"

namespace coffer::vault {
namespace {

constexpr std::int64_t kMsAnHour = 3600 * 1000;

// By what the clock guard stored last (retention_runner.h): lately, and without a jump.
Result<bool> ClockStands(SettingStore& settings, Timestamp now) {
  constexpr std::int64_t kLatelyMs = 10 * 60 * 1000;
  COFFER_ASSIGN(const auto unconfirmed, settings.Find("clock-unconfirmed"));
  COFFER_ASSIGN(const auto seen, settings.Find("clock-seen"));
  if (!seen || (unconfirmed && !unconfirmed->empty())) return false;
  std::int64_t ms = 0;
  std::from_chars(seen->data(), seen->data() + seen->size(), ms);
  return std::abs(now.ms - ms) <= kLatelyMs;
}

// One whose client's key is not there still holds, without its words.
Status OpenWords(const RoomSources& sources, Hold& hold) {
  if (hold.sealed_text.empty()) return {};
  const ClientId& client = *hold.terms.client;
  COFFER_ASSIGN(const auto generation, sources.rooms.KeyGeneration(client));
  const auto keys = sources.unwrap_keys({client, generation.value_or(0)});
  if (!keys && keys.error().code == Code::kUnavailable) return std::unexpected(keys.error());
  if (keys) (void)OpenHoldText(sources.keyring, keys->Expose(), hold);
  return {};
}

}  // namespace

Result<std::unique_ptr<DeletionState>> DeletionState::Open(Database& database) {
  COFFER_ASSIGN(auto holds, HoldStore::Open(database));
  COFFER_ASSIGN(auto retention, RetentionStore::Open(database));
  return std::unique_ptr<DeletionState>(
      new DeletionState({std::move(holds), std::move(retention)}));
}

Status DeletionState::Load(const RoomSources& sources) {
  COFFER_ASSIGN(auto holds, stores.holds.LoadLive());
  holds_.Clear();
  for (auto& hold : holds) {
    COFFER_TRY(OpenWords(sources, hold));
    holds_.Put(std::move(hold));
  }
  return {};
}

Result<bool> DeletionState::Purge(Transaction& transaction) {
  // Acts are many and looked through one by one.
  const Timestamp now = transaction.now();
  const std::int64_t hour = now.ms / kMsAnHour;
  if (std::exchange(purged_in_hour_, hour) == hour) return false;
  COFFER_ASSIGN(const bool stands, ClockStands(transaction.stores().settings, now));
  if (stands) {
    COFFER_TRY(transaction.stores().erasures.PurgeActs(Timestamp{now.ms - kActLifetimeMs}));
  }
  return false;
}

void StageHold(Transaction& transaction, Hold hold) {
  transaction.OnSuccess(
      [&state = transaction.Of<DeletionState>(), hold = std::move(hold)]() mutable {
        state.holds_.Put(std::move(hold));
        return Status();
      });
}

}  // namespace coffer::vault
