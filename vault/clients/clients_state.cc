#include "vault/clients/clients_state.h"

#include "vault/catalog/catalog_state.h"

namespace coffer::vault {
namespace {

constexpr std::int64_t kIdempotencyLifetimeMs = 24 * 3600 * 1000;

}  // namespace

Result<std::unique_ptr<ClientsState>> ClientsState::Open(Database& database) {
  COFFER_ASSIGN(auto clients, ClientStore::Open(database));
  COFFER_ASSIGN(auto records, RecordStore::Open(database));
  COFFER_ASSIGN(auto idempotency, IdempotencyStore::Open(database));
  COFFER_ASSIGN(auto index, SearchIndex::Open(database));
  return std::unique_ptr<ClientsState>(new ClientsState(
      {std::move(clients), std::move(records), std::move(idempotency), std::move(index)}));
}

Status ClientsState::Load(const RoomSources& sources) {
  const Catalog& catalog = sources.rooms.Of<CatalogState>().current();
  COFFER_TRY(stores.index.Load(sources.keys, sources.keyring, catalog));
  merge_is_due_ = stores.index.MergeIsDue();
  PublishIndex();
  return {};
}

Status ClientsState::EndOperation(bool succeeded) {
  if (stores.index.has_unread()) {
    if (succeeded) COFFER_TRY(stores.index.RemoveUnread());
    stores.index.DropUnread();
  }
  stores.index.EndOperation(succeeded);
  merge_is_due_.store(stores.index.MergeIsDue(), std::memory_order_relaxed);
  return {};
}

Result<bool> ClientsState::Purge(Transaction& transaction) {
  const std::int64_t now = transaction.now().ms;
  return stores.idempotency.PurgeOutside(Timestamp{now - kIdempotencyLifetimeMs},
                                         Timestamp{now + kIdempotencyLifetimeMs});
}

Status ClientsState::RetireKeys(KeyStore& keys) {
  return keys.DeleteIndexKeysBut(stores.index.state().live);
}

void ClientsState::KeysRetired() { stores.index.KeepKeysOnly(stores.index.state().live); }

IndexState ClientsState::PublishedIndex() const {
  const std::lock_guard lock(mutex_);
  return published_;
}

void ClientsState::PublishIndex() {
  const std::lock_guard lock(mutex_);
  published_ = stores.index.state();
}

struct IndexChanges {
  static Status Reload(ClientsState& state, const Catalog& catalog) {
    COFFER_TRY(state.stores.index.Reload(catalog));
    state.PublishIndex();
    return {};
  }
};

void AddIndexKey(Transaction& transaction, const crypto::Keyring& keyring, std::uint64_t generation,
                 crypto::SecretBytes key) {
  transaction.PutKey(
      [generation, wrapped = SearchIndex::WrapKey(keyring, generation, key.ExposeSecret())](
          KeyStore& keys) { return keys.PutIndexKey(generation, wrapped); });
  transaction.OnSuccess(
      [&state = transaction.Of<ClientsState>(), generation, key = std::move(key)]() mutable {
        state.stores.index.AddKey(generation, std::move(key));
        return Status();
      });
  IndexChanged(transaction);
}

void IndexChanged(Transaction& transaction) {
  transaction.OnSuccess(
      [&state = transaction.Of<ClientsState>(), &catalog = transaction.Of<CatalogState>()] {
        return IndexChanges::Reload(state, catalog.current());
      });
}

void RetireIndexKeys(Transaction& transaction) {
  transaction.RetireKeysOf(transaction.Of<ClientsState>());
}

}  // namespace coffer::vault
