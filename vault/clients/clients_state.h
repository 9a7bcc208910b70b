// Clients and their records, the index that finds them, and what repeated requests made.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "vault/clients/client_store.h"
#include "vault/clients/idempotency_store.h"
#include "vault/clients/record_store.h"
#include "vault/clients/search_index.h"
#include "vault/engine/room_state.h"
#include "vault/engine/transaction.h"

namespace coffer::vault {

struct ClientsStores {
  ClientStore clients;
  RecordStore records;
  IdempotencyStore idempotency;
  SearchIndex index;
};

class ClientsState : public RoomState, public ClientDirectory {
 public:
  static constexpr Room kRoom = Room::kClients;

  static Result<std::unique_ptr<ClientsState>> Open(Database& database);
  Status Load(const RoomSources& sources) override;
  Status EndOperation(bool succeeded) override;
  void AbandonBatch() override { stores.index.DropUnread(); }
  Result<bool> Purge(Transaction& transaction) override;
  Result<std::optional<std::uint64_t>> KeyGeneration(const ClientId& client) override {
    return stores.clients.FindGeneration(client);
  }
  Result<std::optional<ClientRow>> FindClient(const ClientId& client) override {
    return stores.clients.Find(client);
  }
  Status RetireKeys(KeyStore& keys) override;
  void KeysRetired() override;

  // As of the last change, committed or about to be. Any thread.
  IndexState PublishedIndex() const;
  // Enough waits to be merged into the index (SearchIndex::MergeSome). Any thread.
  bool merge_is_due() const { return merge_is_due_.load(std::memory_order_relaxed); }

  ClientsStores stores;

 private:
  friend struct IndexChanges;
  explicit ClientsState(ClientsStores opened) : stores(std::move(opened)) {}
  void PublishIndex();

  std::atomic<bool> merge_is_due_{false};
  mutable std::mutex mutex_;
  IndexState published_;
};

// A key of the search index, for the generation that this operation begins.
void AddIndexKey(Transaction& transaction, const crypto::Keyring& keyring, std::uint64_t generation,
                 crypto::SecretBytes key);
// The state of the index, or what is indexed, is another one. After ReplaceCatalog, where that is
// called too.
void IndexChanged(Transaction& transaction);
// All keys of the index but that of the live generation are destroyed once this is committed.
void RetireIndexKeys(Transaction& transaction);

}  // namespace coffer::vault
