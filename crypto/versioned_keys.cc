#include "crypto/versioned_keys.h"

#include <iterator>
#include <utility>

#include "crypto/aead.h"
#include "crypto/internal/invariant.h"
#include "crypto/kdf.h"

namespace coffer::crypto {

VersionedKeys::VersionedKeys(std::string_view name, const Id128& vault_id, Map keys)
    : name_(name), vault_id_(vault_id), keys_(std::move(keys)) {
  internal::Require(!keys_.empty(), "a version of a key");
  newest_ = keys_.rbegin()->first;
}

std::vector<std::uint32_t> VersionedKeys::versions() const {
  const std::shared_lock lock(mutex_);
  std::vector<std::uint32_t> versions;
  for (const auto& [version, key] : keys_) versions.push_back(version);
  return versions;
}

SecretBytes VersionedKeys::Newest() const {
  const std::shared_lock lock(mutex_);
  return keys_.rbegin()->second.Clone();
}

std::optional<SecretBytes> VersionedKeys::Find(std::uint32_t version) const {
  const std::shared_lock lock(mutex_);
  const auto found = keys_.find(version);
  if (found == keys_.end()) return std::nullopt;
  return found->second.Clone();
}

void VersionedKeys::Forget(std::uint32_t version) {
  const std::unique_lock lock(mutex_);
  internal::Require(version != keys_.rbegin()->first, "a newer version");
  keys_.erase(version);
}

void VersionedKeys::ForgetOlder() {
  const std::unique_lock lock(mutex_);
  keys_.erase(keys_.begin(), std::prev(keys_.end()));
}

std::string VersionedKeys::HandOverContext() const { return "coffer-" + name_ + "-hand-over-v1"; }

Bytes VersionedKeys::HandOverDetail(std::uint32_t version) const {
  const std::string context = HandOverContext();
  Bytes detail(context.begin(), context.end());
  detail.insert(detail.end(), vault_id_.begin(), vault_id_.end());
  for (const int shift : {24, 16, 8, 0}) {
    detail.push_back(static_cast<std::uint8_t>(version >> shift & 0xff));
  }
  return detail;
}

Result<Bytes> VersionedKeys::SealNewest(const SecretBytes& other) const {
  const std::shared_lock lock(mutex_);
  if (keys_.size() < 2) {
    return Fail(Code::kNotFound, "key_version_unknown", "there is no version before the newest");
  }
  const auto newest = std::prev(keys_.end());
  COFFER_ASSIGN(const SecretBytes key, HkdfSha256(std::prev(newest)->second, other.ExposeSecret(),
                                                  HandOverContext(), kAeadKeyBytes));
  return Seal(key.ExposeSecret(), newest->first, HandOverDetail(newest->first),
              newest->second.ExposeSecret());
}

Result<bool> VersionedKeys::Take(ByteView sealed, const SecretBytes& other) {
  COFFER_ASSIGN(const std::uint32_t version, KeyIdOf(sealed));
  const std::unique_lock lock(mutex_);
  const auto& [newest, held] = *keys_.rbegin();
  if (version <= newest) return false;
  COFFER_ASSIGN(const SecretBytes key,
                HkdfSha256(held, other.ExposeSecret(), HandOverContext(), kAeadKeyBytes));
  COFFER_ASSIGN(auto next, OpenSecret(key.ExposeSecret(), HandOverDetail(version), sealed));
  if (next.size() != kAeadKeyBytes) {
    return Fail(Code::kCorrupted, "envelope_malformed", "a " + name_ + " of the wrong size");
  }
  keys_.emplace(version, std::move(next));
  newest_.store(version, std::memory_order_release);
  return true;
}

}  // namespace coffer::crypto
