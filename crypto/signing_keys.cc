#include "crypto/signing_keys.h"

#include <utility>

#include "crypto/internal/invariant.h"

namespace coffer::crypto {

SigningKeys::SigningKeys(std::string_view name, const Id128& vault_id, std::vector<Held> held)
    : name_(name), vault_id_(vault_id), held_(std::move(held)) {
  internal::Require(!held_.empty() && !held_.back().retiring, "a key that signs the log");
}

std::vector<SigningKeys::Held> SigningKeys::held() const {
  const std::lock_guard lock(mutex_);
  return held_;
}

std::shared_ptr<const SigningKey> SigningKeys::Newest() const {
  const std::lock_guard lock(mutex_);
  return held_.back().key;
}

VersionedKeys SigningKeys::Seeds() const {
  VersionedKeys::Map seeds;
  for (const Held& one : held()) seeds.emplace(one.version, one.key->ExportSeed());
  return {name_, vault_id_, std::move(seeds)};
}

Result<Bytes> SigningKeys::SealNewest(const SecretBytes& other) const {
  return Seeds().SealNewest(other);
}

Result<std::optional<SigningKeys::Held>> SigningKeys::OpenNext(ByteView sealed,
                                                               const SecretBytes& other) const {
  VersionedKeys seeds = Seeds();
  COFFER_ASSIGN(const bool newer, seeds.Take(sealed, other));
  if (!newer) return std::nullopt;
  COFFER_ASSIGN(SigningKey key, SigningKey::FromSeed(seeds.Newest()));
  return Held{seeds.newest(), false, std::make_shared<const SigningKey>(std::move(key))};
}

void SigningKeys::Add(Held next) {
  const std::lock_guard lock(mutex_);
  if (next.version > held_.back().version) held_.push_back(std::move(next));
}

void SigningKeys::RetireOldest() {
  const std::lock_guard lock(mutex_);
  if (held_.size() > 1) held_.front().retiring = true;
}

void SigningKeys::ForgetRetiring() {
  const std::lock_guard lock(mutex_);
  std::erase_if(held_, [](const Held& one) { return one.retiring; });
}

}  // namespace coffer::crypto
