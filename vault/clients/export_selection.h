// Which clients and records a bulk export takes along, as two people decide it.
#pragma once

#include <string_view>
#include <vector>

#include "vault/catalog/catalog_store.h"
#include "vault/vault.h"

namespace coffer::vault {

inline constexpr std::string_view kAllTarget = "all";
inline constexpr std::string_view kTagTarget = "tag:";  // and the tag

// Pointers "/tag" and "/classes/N".
std::vector<Issue> FaultsOf(const ExportSelection& selection, const Catalog& catalog);

// "client.export" of "all" or "tag:TAG", with {"classes": [...], "purpose": "..."}: the classes
// sorted, absent where every class is meant.
Proposal ProposalOf(const ExportSelection& selection, std::string_view purpose);

}  // namespace coffer::vault
