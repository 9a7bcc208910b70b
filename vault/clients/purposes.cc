// The register of purposes.
#include "vault/clients/purposes.h"

#include "vault/access/access_acts.h"
#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/base/words.h"
#include "vault/catalog/catalog_state.h"

namespace coffer::vault {
namespace {

constexpr std::size_t kMaxPurposes = 1000;

}  // namespace

Result<Purpose> Purposes::GetPurpose(const Caller& caller, std::string_view code) {
  Call call = operations_.Start(caller, {Action::kPurposeRead});
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Purpose> {
    const auto found = transaction.Of<CatalogState>().current().purposes.find(code);
    if (found == transaction.Of<CatalogState>().current().purposes.end()) {
      return NotFound(call);
    }
    Purpose purpose = found->second;
    call.entry.detail = purpose.code;
    return purpose;
  });
}

Result<std::vector<Purpose>> Purposes::ListPurposes(const Caller& caller) {
  Call call = operations_.Start(caller, {Action::kPurposeRead});
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<std::vector<Purpose>> {
    std::vector<Purpose> purposes;
    for (const auto& [code, purpose] : transaction.Of<CatalogState>().current().purposes) {
      purposes.push_back(purpose);
    }
    return purposes;
  });
}

Result<Purpose> Purposes::PutPurpose(const Caller& caller, std::string_view code,
                                     std::string_view definition) {
  auto purpose = ParsePurpose(code, definition);
  auto faults = FaultsOfTexts(definition, {}, "/description");
  if (purpose && audit::IsBlank(purpose->title)) faults.push_back({"/title", "must not be blank"});
  if (purpose && !faults.empty()) {
    purpose =
        std::unexpected(Error{Code::kUnprocessable, "purpose_invalid", {}, std::move(faults)});
  }
  if (!purpose) {
    return operations_.Refuse(caller, {Action::kPurposeWrite}, purpose.error());
  }
  Call call = operations_.Start(caller, {Action::kPurposeWrite, OperationKind::kWrite});
  call.entry.detail = purpose->code;
  COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) -> Status {
    Catalog catalog = transaction.Of<CatalogState>().current();
    const auto known = catalog.purposes.find(purpose->code);
    if (known != catalog.purposes.end() &&
        FormatPurpose(known->second) == FormatPurpose(*purpose)) {
      call.entry.outcome = "unchanged";
      return {};
    }
    if (!catalog.purposes.contains(purpose->code) && catalog.purposes.size() >= kMaxPurposes) {
      return Fail(Code::kConflict, "too_many_purposes");
    }
    call.entry.payload_hash = crypto::Sha256(crypto::AsBytes(FormatPurpose(*purpose)));
    COFFER_TRY(
        transaction.Of<CatalogState>().catalog_store.PutPurpose(*purpose, transaction.now()));
    if (known != catalog.purposes.end() && known->second.legal_basis != purpose->legal_basis) {
      AddDetail(call.entry, "legal basis " + known->second.legal_basis + " before");
    }
    const bool required = known != catalog.purposes.end() && known->second.requires_consent;
    if (purpose->requires_consent && !required) {
      COFFER_TRY(RequireConsentTo(transaction, purpose->code));
    }
    if (!purpose->requires_consent && required) RequireNoConsentTo(transaction, purpose->code);
    if (purpose->requires_consent != required) {
      ActConsentRequired(transaction, purpose->code, purpose->requires_consent);
    }
    catalog.purposes.insert_or_assign(purpose->code, *purpose);
    ReplaceCatalog(transaction, std::move(catalog));
    return {};
  }));
  return *purpose;
}

}  // namespace coffer::vault
