#include "vault/access/consent_details.h"

#include <nlohmann/json.hpp>

#include "vault/access/access_state.h"

namespace coffer::vault {
namespace {

using nlohmann::json;

std::string FormatDetails(const Consent& consent) {
  json details = {{"evidence", consent.evidence}};
  if (!consent.by_client) details["authority"] = consent.authority;
  if (consent.of_age) details["of_age"] = *consent.of_age;
  return details.dump();
}

Status ReadDetails(std::string_view text, Consent& consent) {
  const json details = json::parse(text, nullptr, false);
  if (!details.is_object()) return Fail(Code::kCorrupted, "storage_corrupted");
  consent.evidence = details.value("evidence", "");
  consent.authority = details.value("authority", "");
  if (details.contains("of_age")) consent.of_age = details.value("of_age", false);
  return {};
}

}  // namespace

Bytes ConsentContext(const crypto::Keyring& keyring, const ClientId& client, const ConsentId& id) {
  static constexpr std::string_view kLabel = "coffer-consent-v1";
  Bytes context(kLabel.begin(), kLabel.end());
  for (const ByteView part : {ByteView(keyring.vault_id()), client.bytes(), id.bytes()}) {
    context.insert(context.end(), part.begin(), part.end());
  }
  return context;
}

Status StoreConsent(const crypto::Keyring& keyring, Transaction& transaction,
                    const Consent& consent) {
  COFFER_ASSIGN(const auto key, transaction.PinKey(consent.client));
  const Bytes details = key.Expose().Seal(ConsentContext(keyring, consent.client, consent.id),
                                          crypto::AsBytes(FormatDetails(consent)));
  COFFER_TRY(transaction.Of<AccessState>().stores.consents.Insert(consent, details));
  return RefreshConsent(transaction, consent.client, consent.purpose);
}

Result<std::vector<Consent>> OpenConsents(const crypto::Keyring& keyring, Transaction& transaction,
                                          const ClientId& client) {
  COFFER_ASSIGN(auto stored, transaction.Of<AccessState>().stores.consents.ListOf(client));
  std::vector<Consent> consents;
  if (stored.empty()) return consents;
  COFFER_ASSIGN(const auto key, transaction.PinKey(client));
  for (auto& [consent, details] : stored) {
    if (!details.empty()) {
      COFFER_ASSIGN(const Bytes plain,
                    key.Expose().Open(ConsentContext(keyring, client, consent.id), details));
      COFFER_TRY(ReadDetails(crypto::AsText(plain), consent));
    }
    consents.push_back(std::move(consent));
  }
  return consents;
}

}  // namespace coffer::vault
