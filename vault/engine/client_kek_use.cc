#include "vault/engine/client_kek_use.h"

#include "crypto/aead.h"

namespace coffer::vault {

namespace {

constexpr std::size_t kCountedAtOnce = 256;

}  // namespace

Result<bool> ClientKekUse::CountSome(KeyStore& keys, std::chrono::steady_clock::time_point until) {
  do {
    COFFER_ASSIGN(const auto rows, keys.ListAfter(position_, kCountedAtOnce));
    if (rows.empty()) return false;
    for (const WrappedClientKey& key : rows) ++keys_[crypto::KeyIdOf(key.wrapped).value_or(0)];
    total_ += rows.size();
    position_ = rows.back().row;
  } while (std::chrono::steady_clock::now() < until);
  return true;
}

Result<ClientKekUse> ClientKekUse::CountAll(KeyStore& keys) {
  ClientKekUse use;
  for (;;) {
    COFFER_ASSIGN(const bool more,
                  use.CountSome(keys, std::chrono::steady_clock::time_point::max()));
    if (!more) return use;
  }
}

std::uint64_t ClientKekUse::Under(std::uint32_t version) const {
  const auto found = keys_.find(version);
  return found == keys_.end() ? 0 : found->second;
}

std::uint64_t ClientKekUse::UnderOlderThan(std::uint32_t version) const {
  std::uint64_t count = 0;
  for (auto key = keys_.begin(); key != keys_.end() && key->first < version; ++key) {
    if (key->first != 0) count += key->second;
  }
  return count;
}

Result<bool> ClientKeysLeft::CountSome(KeyStore& keys, const crypto::ClientKeks& keks,
                                       std::chrono::steady_clock::time_point until) {
  do {
    COFFER_ASSIGN(const auto rows, keys.ListAfter(position_, kCountedAtOnce));
    if (rows.empty()) return false;
    for (const WrappedClientKey& key : rows) {
      const auto again = keks.Rewrap(key.wrapped, key.client.value);
      if (!again) ++damaged_;
      if (again && *again) ++keys_;
    }
    position_ = rows.back().row;
  } while (std::chrono::steady_clock::now() < until);
  return true;
}

}  // namespace coffer::vault
