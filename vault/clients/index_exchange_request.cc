#include "vault/clients/index_exchange_request.h"

#include "crypto/aead.h"
#include "crypto/atomic_file.h"
#include "vault/base/big_endian.h"

namespace coffer::vault {
namespace {

constexpr std::string_view kRequestLabel = "coffer-index-exchange-v1";
constexpr std::size_t kMaxRequestBytes = 256;

crypto::Bytes RequestContext(const crypto::Keyring& keyring) {
  const auto label = crypto::AsBytes(kRequestLabel);
  crypto::Bytes context(label.begin(), label.end());
  context.insert(context.end(), keyring.vault_id().begin(), keyring.vault_id().end());
  return context;
}

}  // namespace

Status WriteIndexExchangeRequest(const std::string& path, const crypto::Keyring& keyring,
                                 std::uint64_t generation) {
  crypto::Bytes said;
  AppendU64(said, generation);
  return crypto::WriteFileAtomically(
      path, crypto::Seal(keyring.note_key().ExposeSecret(), 0, RequestContext(keyring), said));
}

Result<std::uint64_t> ReadIndexExchangeRequest(const std::string& path,
                                               const crypto::Keyring& keyring) {
  COFFER_ASSIGN(const crypto::Bytes sealed, crypto::ReadFile(path, kMaxRequestBytes));
  COFFER_ASSIGN(const crypto::Bytes said,
                crypto::Open(keyring.note_key().ExposeSecret(), RequestContext(keyring), sealed));
  if (said.size() != 8) return Fail(Code::kCorrupted, "envelope_malformed", path);
  return ReadU64(said);
}

}  // namespace coffer::vault
