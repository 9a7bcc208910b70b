// Where the keys of what was erased, or is sealed under newer ones, are destroyed: after the commit
// that says so, with no way back (engine.h has the order).
#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "vault/engine/engine.h"

namespace coffer::vault {
namespace {

// While somebody reads keys.db, a try takes a tenth of the engine's time at most.
constexpr int kDestroyPatienceMs = 20;

}  // namespace

// The erasures are committed: there is no way back, only forward. What cannot be done now is not
// acknowledged, and the next start goes on here.
void Engine::FinishErasures() {
  if (!erased_.empty()) {
    if (auto appended = options_.append_to_ledger(erased_); !appended) {
      Die(appended.error().detail);
    }
    std::ranges::move(erased_, std::back_inserter(undestroyed_));
    erased_.clear();
    EmptyWal();
  }
  DestroyPending();
}

// They are committed, and answered only when the ledger has them: the next start goes on here too.
void Engine::AppendActs() {
  if (auto appended = options_.append_acts(acted_); !appended) Die(appended.error().detail);
  acted_.clear();
}

// What has a place in the ledger. That somebody reads keys.db is no failure of the storage.
void Engine::DestroyPending() {
  keys_.SetPatience(kDestroyPatienceMs);
  auto destroyed = DestroyKeys();
  keys_.SetPatience(Database::kPatienceMs);
  if (destroyed) destroyed = MarkDestroyed();
  if (!destroyed && !IsBusy(destroyed.error())) Die(destroyed.error().detail);
  TellPending(!destroyed);
  if (!destroyed) {
    destroy_again_ = std::chrono::steady_clock::now() + kDestroyAgainAfter;
    return;
  }
  undestroyed_.clear();
  dying_.clear();
  stray_keys_.clear();
}

Status Engine::MarkDestroyed() {
  if (undestroyed_.empty()) return {};
  COFFER_ASSIGN(auto transaction, DatabaseTransaction::Begin(vault_));
  for (const ErasureRow& row : undestroyed_) COFFER_TRY(stores_->erasures.MarkKeyDestroyed(row));
  return transaction.Commit();
}

void Engine::TellPending(bool any) {
  if (any && !keys_held_) {
    Log(Severity::kWarning,
        "another program holds keys.db: keys of erased data are destroyed as soon as it lets go, "
        "and their erasures are not acknowledged before");
  }
  if (!any && keys_held_) {
    Log(Severity::kInfo, "keys.db was let go: the keys of erased data are destroyed");
  }
  if (!any && !keys_held_) return;
  keys_held_ = any;
  const std::lock_guard lock(pending_mutex_);
  if (any) {
    for (const ErasureRow& row : undestroyed_) pending_.insert(row.id);
    return;
  }
  pending_.clear();
  destroyed_late_ = true;
  pending_changed_.notify_all();
}

bool Engine::AwaitDestroyed(std::span<const ErasureRow> rows, std::chrono::milliseconds at_most) {
  std::unique_lock lock(pending_mutex_);
  return pending_changed_.wait_for(lock, at_most, [&] {
    return std::ranges::none_of(
        rows, [this](const ErasureRow& row) { return pending_.contains(row.id); });
  });
}

Status Engine::DestroyKeys() {
  COFFER_ASSIGN(auto transaction, DatabaseTransaction::Begin(keys_));
  for (const ErasureRow& row : undestroyed_) {
    COFFER_TRY(stores_->keys.DeleteUpTo(
        {row.client, row.scope == ErasureScope::kClient ? ClientKeyId::kNewest : row.generation}));
  }
  for (const ClientKeyId& key : stray_keys_) COFFER_TRY(stores_->keys.DeleteUpTo(key));
  COFFER_TRY(keys_rewrite_->Mark());
  COFFER_TRY(transaction.Commit());
  // secure_delete overwrote the rows; this removes the older page images from the WAL.
  COFFER_ASSIGN([[maybe_unused]] const auto state, keys_.Checkpoint(true));
  return {};
}

// What these sealed is committed under other keys. What fails is asked for again.
void Engine::RetireKeys() {
  RoomState& room = *std::exchange(retiring_, nullptr);
  const auto retire = [&]() -> Status {
    COFFER_ASSIGN(auto transaction, DatabaseTransaction::Begin(keys_));
    COFFER_TRY(room.RetireKeys(stores_->keys));
    COFFER_TRY(keys_rewrite_->Mark());
    return transaction.Commit();
  };
  keys_.SetPatience(kDestroyPatienceMs);
  const Status retired = retire();
  keys_.SetPatience(Database::kPatienceMs);
  if (!retired) {
    if (IsFsyncFailure(keys_.ExtendedError())) Die(retired.error().detail);
    keys_rewrite_->MarkUndone();
    Log(Severity::kWarning,
        "the old key of the search index is not destroyed yet, and will be "
        "tried again: " +
            retired.error().detail);
    return;
  }
  room.KeysRetired();
  // Removes the older page images; the rewrite of keys.db that follows leaves them unreadable.
  if (auto done = keys_.TruncateWal(); !done && IsFsyncFailure(keys_.ExtendedError())) {
    Die(done.error().detail);
  }
  EmptyWal();
}

// An older page of the write-ahead log has what was erased as it stood, and is read with the key of
// vault.db.
void Engine::EmptyWal() {
  if (auto emptied = vault_wal_->Empty(); !emptied) Die(emptied.error().detail);
}

}  // namespace coffer::vault
