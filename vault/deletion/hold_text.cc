#include "vault/deletion/hold_text.h"

#include "crypto/aead.h"

namespace coffer::vault {
namespace {

constexpr std::string_view kHoldLabel = "coffer-hold-v1";

Bytes HoldContext(const crypto::Keyring& keyring, const Hold& hold) {
  Bytes context;
  for (const ByteView part : {crypto::AsBytes(kHoldLabel), ByteView(keyring.vault_id()),
                              hold.terms.client->bytes(), hold.id.bytes()}) {
    context.insert(context.end(), part.begin(), part.end());
  }
  return context;
}

}  // namespace

// A case number has no NUL in it.
Bytes SealHoldText(const crypto::Keyring& keyring, const ClientKeys& keys, const Hold& hold) {
  std::string plain = hold.terms.case_number;
  plain.append(1, '\0').append(hold.terms.reason);
  Bytes sealed = keys.Seal(HoldContext(keyring, hold), crypto::AsBytes(plain));
  crypto::Wipe(std::span(reinterpret_cast<std::uint8_t*>(plain.data()), plain.size()));
  return sealed;
}

Status OpenHoldText(const crypto::Keyring& keyring, const ClientKeys& keys, Hold& hold) {
  if (hold.sealed_text.empty()) return {};
  COFFER_ASSIGN(Bytes plain, keys.Open(HoldContext(keyring, hold), hold.sealed_text));
  const std::string_view text = crypto::AsText(plain);
  const auto end = text.find('\0');
  if (end == text.npos) return Fail(Code::kCorrupted, "storage_corrupted", "the words of a hold");
  hold.terms.case_number = text.substr(0, end);
  hold.terms.reason = text.substr(end + 1);
  crypto::Wipe(plain);
  return {};
}

}  // namespace coffer::vault
