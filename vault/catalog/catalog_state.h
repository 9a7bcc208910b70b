// The documents that decide, as requests see them.
#pragma once

#include <memory>
#include <mutex>

#include "vault/catalog/catalog_store.h"
#include "vault/catalog/consent_text_store.h"
#include "vault/engine/room_state.h"
#include "vault/engine/transaction.h"

namespace coffer::vault {

class CatalogState : public RoomState {
 public:
  static constexpr Room kRoom = Room::kCatalog;

  static Result<std::unique_ptr<CatalogState>> Open(Database& database);
  Status Load(const RoomSources& sources) override;

  const Catalog& current() const { return *current_; }
  // That of the last operation that replaced it, committed or about to be. Any thread.
  std::shared_ptr<const Catalog> Published() const;

  CatalogStore catalog_store;
  ConsentTextStore consent_texts;

 private:
  friend void ReplaceCatalog(Transaction& transaction, Catalog catalog);
  CatalogState(CatalogStore store, ConsentTextStore texts)
      : catalog_store(std::move(store)), consent_texts(std::move(texts)) {}
  void Publish(std::shared_ptr<const Catalog> catalog);

  std::shared_ptr<const Catalog> current_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Catalog> published_;
};

// Once the operation succeeded.
void ReplaceCatalog(Transaction& transaction, Catalog catalog);

}  // namespace coffer::vault
