#include "crypto/keys_database_key.h"

#include <charconv>
#include <limits>
#include <optional>

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

Result<SecretBytes> WrappingKeyOf(const Keyring& keyring) {
  return HkdfSha256(keyring.keys_db_key(), {}, kKeysKeyWrapInfo, kAeadKeyBytes);
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
                                       const Keyring& keyring) {
  COFFER_ASSIGN(const SecretBytes wrapping, WrappingKeyOf(keyring));
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
    auto key = OpenSecret(wrapping.ExposeSecret(),
                          AsBytes(KeysKeyContext(keyring.vault_id(), *version)), *wrapped);
    if (!key || key->size() != kAeadKeyBytes) {
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
  COFFER_ASSIGN(const SecretBytes wrapping, WrappingKeyOf(keyring));
  std::string text = std::string(kKeysKeyFormat) + "\n";
  for (const KeysDatabaseKey& key : keys) {
    const std::string context = KeysKeyContext(keyring.vault_id(), key.version);
    text += std::to_string(key.version) + " " +
            Base64Encode(Seal(wrapping.ExposeSecret(), key.version, AsBytes(context),
                              key.key.ExposeSecret())) +
            "\n";
  }
  COFFER_ASSIGN(const auto reread, ParseKeysKeys(path, text, keyring));
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
  if (text) return ParseKeysKeys(path, AsText(*text), keyring);
  if (text.error().code == Code::kTooLarge) return KeysKeyMalformed(path, "is damaged");
  if (text.error().code != Code::kNotFound) return std::unexpected(std::move(text).error());
  KeysDatabaseKeys keys;
  keys.push_back({.version = kFirstKeysKey, .key = keyring.keys_db_key().Clone()});
  return keys;
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
