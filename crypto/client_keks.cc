#include "crypto/client_keks.h"

#include <array>
#include <iterator>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "crypto/aead.h"
#include "crypto/internal/invariant.h"
#include "crypto/kdf.h"

namespace coffer::crypto {
namespace {

constexpr std::string_view kDataKeyContext = "coffer-data-key-v1";
constexpr std::string_view kHandOverContext = "coffer-client-kek-hand-over-v1";

// A wrapped data key put into another client's row, or another vault, does not open.
std::string DataKeyContext(const Id128& vault_id, const Id128& owner) {
  std::string context(kDataKeyContext);
  context += AsText(vault_id);
  context += AsText(owner);
  return context;
}

std::string HandOverContext(const Id128& vault_id, std::uint32_t version) {
  std::string context(kHandOverContext);
  context += AsText(vault_id);
  for (const int shift : {24, 16, 8, 0}) context += static_cast<char>(version >> shift & 0xff);
  return context;
}

}  // namespace

ClientKeks::ClientKeks(const Id128& vault_id, std::map<std::uint32_t, SecretBytes> keys)
    : vault_id_(vault_id), keys_(std::move(keys)) {
  internal::Require(!keys_.empty(), "a client-KEK");
}

std::vector<std::uint32_t> ClientKeks::versions() const {
  const std::shared_lock lock(mutex_);
  std::vector<std::uint32_t> versions;
  for (const auto& [version, key] : keys_) versions.push_back(version);
  return versions;
}

std::uint32_t ClientKeks::newest() const {
  const std::shared_lock lock(mutex_);
  return keys_.rbegin()->first;
}

void ClientKeks::ForgetOlder() {
  const std::unique_lock lock(mutex_);
  keys_.erase(keys_.begin(), std::prev(keys_.end()));
}

Bytes ClientKeks::Wrap(ByteView data_key, const Id128& owner) const {
  internal::Require(data_key.size() == kAeadKeyBytes, "a data key of 32 bytes");
  const std::shared_lock lock(mutex_);
  return WrapLocked(data_key, owner);
}

Bytes ClientKeks::WrapLocked(ByteView data_key, const Id128& owner) const {
  const auto& [version, kek] = *keys_.rbegin();
  return Seal(kek.ExposeSecret(), version, AsBytes(DataKeyContext(vault_id_, owner)), data_key);
}

Status ClientKeks::Unwrap(ByteView wrapped, const Id128& owner, std::span<std::uint8_t> out) const {
  internal::Require(out.size() == kAeadKeyBytes, "room for a data key of 32 bytes");
  const std::shared_lock lock(mutex_);
  return UnwrapLocked(wrapped, owner, out);
}

Status ClientKeks::UnwrapLocked(ByteView wrapped, const Id128& owner,
                                std::span<std::uint8_t> out) const {
  COFFER_ASSIGN(const std::uint32_t version, KeyIdOf(wrapped));
  const auto kek = keys_.find(version);
  if (kek == keys_.end()) {
    return Fail(Code::kCorrupted, "client_kek_unknown",
                "a data key is wrapped under client-kek version " + std::to_string(version) +
                    ", which keyring.json does not hold: keys.db and keyring.json are not of the "
                    "same time");
  }
  return OpenInto(kek->second.ExposeSecret(), AsBytes(DataKeyContext(vault_id_, owner)), wrapped,
                  out);
}

Result<std::optional<Bytes>> ClientKeks::Rewrap(ByteView wrapped, const Id128& owner) const {
  COFFER_ASSIGN(const std::uint32_t version, KeyIdOf(wrapped));
  const std::shared_lock lock(mutex_);
  if (version == keys_.rbegin()->first) return std::nullopt;
  // Of the thread's own stack: locked memory takes pages for each.
  std::array<std::uint8_t, kAeadKeyBytes> plain{};
  const Status opened = UnwrapLocked(wrapped, owner, plain);
  if (!opened) return std::unexpected(opened.error());
  Bytes again = WrapLocked(plain, owner);
  Wipe(plain);
  return again;
}

Result<Bytes> ClientKeks::SealNewest(const SecretBytes& other) const {
  const std::shared_lock lock(mutex_);
  if (keys_.size() < 2) {
    return Fail(Code::kNotFound, "client_kek_unknown", "there is no version before the newest");
  }
  const auto newest = std::prev(keys_.end());
  COFFER_ASSIGN(const SecretBytes key, HkdfSha256(std::prev(newest)->second, other.ExposeSecret(),
                                                  kHandOverContext, kAeadKeyBytes));
  return Seal(key.ExposeSecret(), newest->first, AsBytes(HandOverContext(vault_id_, newest->first)),
              newest->second.ExposeSecret());
}

Result<bool> ClientKeks::Take(ByteView sealed, const SecretBytes& other) {
  COFFER_ASSIGN(const std::uint32_t version, KeyIdOf(sealed));
  const std::unique_lock lock(mutex_);
  const auto& [newest, kek] = *keys_.rbegin();
  if (version <= newest) return false;
  COFFER_ASSIGN(const SecretBytes key,
                HkdfSha256(kek, other.ExposeSecret(), kHandOverContext, kAeadKeyBytes));
  COFFER_ASSIGN(auto next, OpenSecret(key.ExposeSecret(),
                                      AsBytes(HandOverContext(vault_id_, version)), sealed));
  if (next.size() != kAeadKeyBytes) {
    return Fail(Code::kCorrupted, "envelope_malformed", "a client-kek of the wrong size");
  }
  keys_.emplace(version, std::move(next));
  return true;
}

}  // namespace coffer::crypto
