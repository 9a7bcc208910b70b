#include "crypto/keys_database_key.h"

#include <charconv>
#include <limits>
#include <optional>
#include <ranges>
#include <span>

#include "crypto/aead.h"
#include "crypto/atomic_file.h"
#include "crypto/encoding.h"
#include "crypto/internal/new_file.h"
#include "crypto/kdf.h"

namespace coffer::crypto {
namespace {

constexpr std::string_view kKeysKeyFormat = "coffer-keys-db-key-v1";
constexpr std::string_view kKeysKeyWrapInfo = "coffer-keys-db-wrap-v1";
constexpr std::size_t kMaxKeysKeyFileBytes = 4096;
constexpr std::uint32_t kFirstKeysKey = 1;

using KeysDatabaseKeys = std::vector<KeysDatabaseKey>;

std::unexpected<Error> KeysKeyMalformed(const std::string& path, std::string_view what) {
  return Fail(Code::kCorrupted, "keys_db_key_malformed",
              path + " " + std::string(what) + "; restore it from the backup that keys.db is of");
}

std::string KeysKeyContext(const Id128& vault_id, std::uint32_t version) {
  std::string context(kKeysKeyFormat);
  context += AsText(vault_id);
  for (const int shift : {24, 16, 8, 0}) context += static_cast<char>(version >> shift & 0xff);
  return context;
}

Result<SecretBytes> WrappingKeyOf(const SecretBytes& keys_db_key) {
  return HkdfSha256(keys_db_key, {}, kKeysKeyWrapInfo, kAeadKeyBytes);
}

// Of each version of the keyring's key, newest first: the file is sealed under one of them.
Result<std::vector<SecretBytes>> WrappingKeysOf(const Keyring& keyring) {
  std::vector<SecretBytes> wrapping;
  for (const std::uint32_t version : keyring.keys_db_keys().versions() | std::views::reverse) {
    const auto key = keyring.keys_db_keys().Find(version);
    if (!key) continue;  // destroyed since
    COFFER_ASSIGN(auto derived, WrappingKeyOf(*key));
    wrapping.push_back(std::move(derived));
  }
  return wrapping;
}

std::optional<SecretBytes> OpenKeysKey(std::span<const SecretBytes> wrapping,
                                       const std::string& context, ByteView wrapped) {
  for (const SecretBytes& key : wrapping) {
    auto opened = OpenSecret(key.ExposeSecret(), AsBytes(context), wrapped);
    if (opened && opened->size() == kAeadKeyBytes) return *std::move(opened);
  }
  return std::nullopt;
}

// Decimal from 1, without leading zeros.
std::optional<std::uint32_t> ParseKeysKeyVersion(std::string_view text) {
  std::uint32_t version = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, version);
  if (error != std::errc() || stop != end || text.front() == '0') return std::nullopt;
  return version;
}

Result<KeysDatabaseKeys> ParseKeysKeys(const std::string& path, std::string_view text,
                                       const Id128& vault_id,
                                       std::span<const SecretBytes> wrapping) {
  const auto take_line = [&]() -> std::optional<std::string_view> {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    return line;
  };
  if (take_line() != kKeysKeyFormat) {
    return KeysKeyMalformed(path, "is damaged, or of a format this version does not know");
  }
  KeysDatabaseKeys keys;
  while (!text.empty() || keys.empty()) {
    const std::string_view line = take_line().value_or("");
    const auto space = line.find(' ');
    if (space == std::string_view::npos || keys.size() == 2) {
      return KeysKeyMalformed(path, "is damaged");
    }
    const auto version = ParseKeysKeyVersion(line.substr(0, space));
    const auto wrapped = Base64Decode(line.substr(space + 1));
    if (!version || !wrapped || (!keys.empty() && *version <= keys.back().version)) {
      return KeysKeyMalformed(path, "is damaged");
    }
    auto key = OpenKeysKey(wrapping, KeysKeyContext(vault_id, *version), *wrapped);
    if (!key) {
      return KeysKeyMalformed(path,
                              "does not open with this keyring: it is damaged, or belongs to "
                              "another vault");
    }
    keys.push_back({.version = *version, .key = *std::move(key)});
  }
  return keys;
}

// A text that does not read back must show while the old one is still there: without its key
// keys.db is lost, and all clients with it.
Result<std::string> RenderKeysKeys(const std::string& path, const KeysDatabaseKeys& keys,
                                   const Keyring& keyring) {
  COFFER_ASSIGN(const SecretBytes wrapping, WrappingKeyOf(keyring.keys_db_key()));
  std::string text = std::string(kKeysKeyFormat) + "\n";
  for (const KeysDatabaseKey& key : keys) {
    const std::string context = KeysKeyContext(keyring.vault_id(), key.version);
    text += std::to_string(key.version) + " " +
            Base64Encode(Seal(wrapping.ExposeSecret(), key.version, AsBytes(context),
                              key.key.ExposeSecret())) +
            "\n";
  }
  COFFER_ASSIGN(const auto reread,
                ParseKeysKeys(path, text, keyring.vault_id(), std::span(&wrapping, 1)));
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (reread.size() != keys.size() || reread[i].key != keys[i].key) {
      return Fail(Code::kInternal, "internal_error", path + " would not read back");
    }
  }
  return text;
}

Status WriteKeysKeys(const std::string& path, const KeysDatabaseKeys& keys,
                     const Keyring& keyring) {
  COFFER_ASSIGN(const std::string text, RenderKeysKeys(path, keys, keyring));
  return ReplaceSecretFile(path, AsBytes(text), 0600);
}

// What a crash of an earlier write left behind holds the key as well, also when the file itself has
// one key already.
Status DestroyOneOfTwo(const std::string& path, const Keyring& keyring, std::size_t which) {
  COFFER_ASSIGN(auto keys, ReadKeysDatabaseKeys(path, keyring));
  COFFER_TRY(RemoveTemporariesOf(path));
  if (keys.size() < 2) return {};
  keys.erase(keys.begin() + static_cast<std::ptrdiff_t>(which));
  return WriteKeysKeys(path, keys, keyring);
}

}  // namespace

Result<std::vector<KeysDatabaseKey>> ReadKeysDatabaseKeys(const std::string& path,
                                                          const Keyring& keyring) {
  auto text = ReadFile(path, kMaxKeysKeyFileBytes);
  if (text) {
    COFFER_ASSIGN(const auto wrapping, WrappingKeysOf(keyring));
    return ParseKeysKeys(path, AsText(*text), keyring.vault_id(), wrapping);
  }
  if (text.error().code == Code::kTooLarge) return KeysKeyMalformed(path, "is damaged");
  if (text.error().code != Code::kNotFound) return std::unexpected(std::move(text).error());
  KeysDatabaseKeys keys;
  const auto versions = keyring.keys_db_keys().versions();
  auto oldest = keyring.keys_db_keys().Find(versions.front());
  keys.push_back(
      {.version = kFirstKeysKey, .key = oldest ? *std::move(oldest) : keyring.keys_db_key()});
  return keys;
}

Result<bool> IsUnderNewestKeysDbKey(const std::string& path, const Keyring& keyring) {
  const auto text = ReadFile(path, kMaxKeysKeyFileBytes);
  if (!text && text.error().code == Code::kNotFound) return false;
  COFFER_TRY(text);
  COFFER_ASSIGN(const SecretBytes wrapping, WrappingKeyOf(keyring.keys_db_key()));
  const auto keys = ParseKeysKeys(path, AsText(*text), keyring.vault_id(), std::span(&wrapping, 1));
  if (!keys) COFFER_TRY(ReadKeysDatabaseKeys(path, keyring));
  return keys.has_value();
}

Result<SecretBytes> CreateKeysDatabaseKey(const std::string& path, const Keyring& keyring) {
  KeysDatabaseKeys keys;
  keys.push_back({.version = kFirstKeysKey, .key = SecretBytes::Random(kAeadKeyBytes)});
  COFFER_ASSIGN(const std::string text, RenderKeysKeys(path, keys, keyring));
  COFFER_TRY(internal::WriteNewFile(path, AsBytes(text), 0600));
  return std::move(keys.front().key);
}

Result<SecretBytes> AddKeysDatabaseKey(const std::string& path, const Keyring& keyring) {
  COFFER_ASSIGN(auto keys, ReadKeysDatabaseKeys(path, keyring));
  if (keys.size() > 1) {
    return Fail(Code::kConflict, "keys_db_key_replaced_already", path + " has a next key already");
  }
  const std::uint32_t newest = keys.back().version;
  if (newest == std::numeric_limits<std::uint32_t>::max()) {
    return Fail(Code::kExhausted, "keys_db_key_versions_exhausted", path + " has no more versions");
  }
  keys.push_back({.version = newest + 1, .key = SecretBytes::Random(kAeadKeyBytes)});
  COFFER_TRY(WriteKeysKeys(path, keys, keyring));
  return std::move(keys.back().key);
}

Status PromoteKeysDatabaseKey(const std::string& path, const Keyring& keyring) {
  return DestroyOneOfTwo(path, keyring, 0);
}

Status DropNextKeysDatabaseKey(const std::string& path, const Keyring& keyring) {
  return DestroyOneOfTwo(path, keyring, 1);
}

}  // namespace coffer::crypto
