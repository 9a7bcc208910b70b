#include "vault/catalog/catalog_state.h"

namespace coffer::vault {

Result<std::unique_ptr<CatalogState>> CatalogState::Open(Database& database) {
  COFFER_ASSIGN(auto store, CatalogStore::Open(database));
  COFFER_ASSIGN(auto texts, ConsentTextStore::Open(database));
  return std::unique_ptr<CatalogState>(new CatalogState(std::move(store), std::move(texts)));
}

Status CatalogState::Load(const RoomSources& /*sources*/) {
  COFFER_ASSIGN(auto catalog, catalog_store.Load());
  Publish(std::make_shared<const Catalog>(std::move(catalog)));
  return {};
}

std::shared_ptr<const Catalog> CatalogState::Published() const {
  const std::lock_guard lock(mutex_);
  return published_;
}

void CatalogState::Publish(std::shared_ptr<const Catalog> catalog) {
  current_ = catalog;
  const std::lock_guard lock(mutex_);
  published_ = std::move(catalog);
}

void ReplaceCatalog(Transaction& transaction, Catalog catalog) {
  transaction.OnSuccess([&state = transaction.Of<CatalogState>(),
                         next = std::make_shared<const Catalog>(std::move(catalog))]() mutable {
    state.Publish(std::move(next));
    return Status();
  });
}

}  // namespace coffer::vault
