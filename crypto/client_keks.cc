#include "crypto/client_keks.h"

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "crypto/aead.h"
#include "crypto/internal/invariant.h"

namespace coffer::crypto {
namespace {

constexpr std::string_view kDataKeyContext = "coffer-data-key-v1";

// A wrapped data key put into another client's row, or another vault, does not open.
std::string DataKeyContext(const Id128& vault_id, const Id128& owner) {
  std::string context(kDataKeyContext);
  context += AsText(vault_id);
  context += AsText(owner);
  return context;
}

}  // namespace

ClientKeks::ClientKeks(const Id128& vault_id, Map keys)
    : VersionedKeys("client-kek", vault_id, std::move(keys)), vault_id_(vault_id) {}

Bytes ClientKeks::Wrap(ByteView data_key, const Id128& owner) const {
  internal::Require(data_key.size() == kAeadKeyBytes, "a data key of 32 bytes");
  return Read([&](const Map& keys) { return WrapBy(keys, data_key, owner); });
}

Bytes ClientKeks::WrapBy(const Map& keys, ByteView data_key, const Id128& owner) const {
  const auto& [version, kek] = *keys.rbegin();
  return Seal(kek.ExposeSecret(), version, AsBytes(DataKeyContext(vault_id_, owner)), data_key);
}

Status ClientKeks::Unwrap(ByteView wrapped, const Id128& owner, std::span<std::uint8_t> out) const {
  internal::Require(out.size() == kAeadKeyBytes, "room for a data key of 32 bytes");
  return Read([&](const Map& keys) { return UnwrapBy(keys, wrapped, owner, out); });
}

Status ClientKeks::UnwrapBy(const Map& keys, ByteView wrapped, const Id128& owner,
                            std::span<std::uint8_t> out) const {
  COFFER_ASSIGN(const std::uint32_t version, KeyIdOf(wrapped));
  const auto kek = keys.find(version);
  if (kek == keys.end()) {
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
  return Read([&](const Map& keys) -> Result<std::optional<Bytes>> {
    if (version == keys.rbegin()->first) return std::nullopt;
    // Of the thread's own stack: locked memory takes pages for each.
    std::array<std::uint8_t, kAeadKeyBytes> plain{};
    const Status opened = UnwrapBy(keys, wrapped, owner, plain);
    if (!opened) return std::unexpected(opened.error());
    Bytes again = WrapBy(keys, plain, owner);
    Wipe(plain);
    return again;
  });
}

}  // namespace coffer::crypto
