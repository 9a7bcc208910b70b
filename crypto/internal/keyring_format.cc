#include "crypto/internal/keyring_format.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <vector>

#include "crypto/encoding.h"
#include "crypto/hash.h"
#include "crypto/internal/invariant.h"
#include "crypto/internal/unicode.h"

namespace coffer::crypto::internal {
namespace {

using nlohmann::json;

constexpr std::string_view kFormat = "coffer-keyring-v1";
constexpr std::string_view kFormatOfTwoLogKeys = "coffer-keyring-v2";
constexpr std::string_view kFormatOfToken = "coffer-keyring-v3";
constexpr std::size_t kMaxOriginBytes = 200;
constexpr std::size_t kPassphraseSaltBytes = 16;
constexpr std::size_t kMaxTokenText = 256;
constexpr std::size_t kMaxTokenWrap = 2048;
constexpr std::size_t kMaxKeyIdBytes = 64;

std::unexpected<Error> Malformed(std::string detail) {
  return Fail(Code::kCorrupted, "keyring_malformed", "keyring.json: " + std::move(detail));
}

// nlohmann keeps the last of two members of one name; another reader might keep the first.
std::optional<json> ParseWithoutDuplicates(std::string_view text) {
  std::vector<std::set<std::string>> open_objects;
  bool duplicate = false;
  const auto check = [&](int, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::object_start) open_objects.emplace_back();
    if (event == json::parse_event_t::object_end) open_objects.pop_back();
    if (event == json::parse_event_t::key) {
      duplicate |= !open_objects.back().insert(parsed.get<std::string>()).second;
    }
    return true;
  };
  json document = json::parse(text, check, /*allow_exceptions=*/false);
  if (document.is_discarded() || duplicate) return std::nullopt;
  return document;
}

bool HasExactly(const json& value, std::initializer_list<const char*> names) {
  return value.is_object() && value.size() == names.size() &&
         std::ranges::all_of(names, [&](const char* name) { return value.contains(name); });
}

// The accessors below take a member that HasExactly has found, and give nothing for another type.

std::optional<std::string> Text(const json& object, const char* name) {
  const auto* const text = object[name].get_ptr<const std::string*>();
  return text == nullptr ? std::nullopt : std::optional(*text);
}

std::optional<Bytes> Base64(const json& value) {
  const auto* const text = value.get_ptr<const std::string*>();
  if (text == nullptr) return std::nullopt;
  auto bytes = Base64Decode(*text);
  return bytes ? std::optional(*std::move(bytes)) : std::nullopt;
}

std::optional<std::uint32_t> Number(const json& object, const char* name) {
  const auto* const number = object[name].get_ptr<const json::number_unsigned_t*>();
  if (number == nullptr || *number > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

// Decimal from 1, without leading zeros: one spelling for each version.
std::optional<std::uint32_t> Version(const std::string& text) {
  std::uint32_t version = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, version);
  if (error != std::errc() || stop != end || text.front() == '0') return std::nullopt;
  return version;
}

std::optional<Argon2idParameters> Argon2idOf(const json& object) {
  const auto memory_kib = Number(object, "memory_kib");
  const auto passes = Number(object, "passes");
  auto salt = Base64(object["salt"]);
  if (!memory_kib || !passes || !salt || salt->size() != kPassphraseSaltBytes) return std::nullopt;
  return Argon2idParameters{.passes = *passes, .memory_kib = *memory_kib, .salt = *std::move(salt)};
}

bool ReadWrap(const json& object, Bytes& into) {
  auto wrapped = Base64(object["wrapped"]);
  if (!wrapped || wrapped->empty() || wrapped->size() > kMaxTokenWrap) return false;
  into = *std::move(wrapped);
  return true;
}

bool ReadTokenText(const json& object, const char* name, std::string& into) {
  into = Text(object, name).value_or(std::string(kMaxTokenText + 1, '?'));
  return into.size() <= kMaxTokenText;
}

bool ReadTokenRoot(const json& root, TokenRoot& token) {
  const json& key = root["key"];
  const json& place = root["token"];
  if (!HasExactly(key, {"id", "label"}) || !HasExactly(place, {"label", "serial"})) return false;
  token.mechanism = Text(root, "mechanism").value_or("");
  const auto id = HexDecode(Text(key, "id").value_or("?"));
  if ((token.mechanism != kTokenAesGcm && token.mechanism != kTokenRsaOaep) || !id ||
      id->size() > kMaxKeyIdBytes || !ReadTokenText(key, "label", token.key_label) ||
      token.key_label.empty() || !ReadTokenText(place, "label", token.token_label) ||
      !ReadTokenText(place, "serial", token.token_serial) || !ReadWrap(root, token.wrapped)) {
    return false;
  }
  token.key_id = *id;
  if (!root.contains("recovery")) return true;
  const json& recovery = root["recovery"];
  if (!HasExactly(recovery, {"memory_kib", "passes", "salt", "wrapped"})) return false;
  auto passphrase = Argon2idOf(recovery);
  if (!passphrase) return false;
  token.recovery = RecoveryWrap{.passphrase = *std::move(passphrase), .wrapped = {}};
  return ReadWrap(recovery, token.recovery->wrapped);
}

bool ReadRoot(const json& root, KeyringHeader& header) {
  if (HasExactly(root, {"kind"})) {
    header.root_kind = Text(root, "kind").value_or("");
    return header.root_kind == "key-file";
  }
  if (HasExactly(root, {"key", "kind", "mechanism", "token", "wrapped"}) ||
      HasExactly(root, {"key", "kind", "mechanism", "recovery", "token", "wrapped"})) {
    header.root_kind = Text(root, "kind").value_or("");
    return header.root_kind == "pkcs11" && ReadTokenRoot(root, header.token.emplace());
  }
  if (!HasExactly(root, {"kind", "memory_kib", "passes", "salt"})) return false;
  header.root_kind = Text(root, "kind").value_or("");
  auto passphrase = Argon2idOf(root);
  if (header.root_kind != "passphrase" || !passphrase) return false;
  header.passphrase = *std::move(passphrase);
  return true;
}

// The names of an object's members as versions. Nothing if one is none.
std::optional<std::vector<std::uint32_t>> VersionsOf(const json& object) {
  if (!object.is_object()) return std::nullopt;
  std::vector<std::uint32_t> versions;
  for (const auto& [text, value] : object.items()) {
    const auto version = Version(text);
    if (!version) return std::nullopt;
    versions.push_back(*version);
  }
  std::ranges::sort(versions);
  return versions;
}

bool ReadPublicKey(const json& value, std::vector<PublicKey>& keys) {
  const auto bytes = Base64(value);
  PublicKey key;
  if (!bytes || bytes->size() != key.size()) return false;
  std::ranges::copy(*bytes, key.begin());
  keys.push_back(key);
  return true;
}

bool ReadTwoPublicKeys(const json& keys, KeyringHeader& header) {
  const auto versions = VersionsOf(keys);
  if (!versions || versions->size() != 2) return false;
  for (const std::uint32_t version : *versions) {
    const json& key = keys[std::to_string(version)];
    if (!HasExactly(key, {"key", "retiring"}) || !key["retiring"].is_boolean() ||
        !ReadPublicKey(key["key"], header.log_public_keys)) {
      return false;
    }
    const bool retiring = key["retiring"].get<bool>();
    if (retiring && version == versions->back()) return false;
    header.oldest_log_key_retiring |= retiring;
  }
  return header.log_public_keys.front() != header.log_public_keys.back();
}

bool ReadLog(const json& log, bool two_keys, KeyringHeader& header) {
  if (!HasExactly(log, {"origin", two_keys ? "public_keys" : "public_key"})) return false;
  auto origin = Text(log, "origin");
  if (!origin || !IsLogOrigin(*origin)) return false;
  header.log_origin = *std::move(origin);
  if (two_keys ? !ReadTwoPublicKeys(log["public_keys"], header)
               : !ReadPublicKey(log["public_key"], header.log_public_keys)) {
    return false;
  }
  header.log_public_key = header.log_public_keys.back();
  return true;
}

bool ReadKeys(const json& keys, bool two_keys, KeyringDocument& document) {
  if (!keys.is_object()) return false;
  for (const auto& [name, wrapped] : keys.items()) {
    const bool single = std::ranges::find(kSingleKeys, name) != kSingleKeys.end();
    const bool of_database = name == kVaultDb || name == kKeysDb;
    if (!single && !of_database && name != kClientKek && name != kLogSigning) return false;
    const auto versions = VersionsOf(wrapped);
    if (!versions || versions->empty() || (single && versions->size() != 1)) return false;
    if (of_database && versions->size() > 2) return false;
    if (name == kLogSigning && versions->size() != (two_keys ? 2 : 1)) return false;
    for (const std::uint32_t version : *versions) {
      auto bytes = Base64(wrapped[std::to_string(version)]);
      if (!bytes) return false;
      document.keys[name][version] = *std::move(bytes);
    }
  }
  if (document.keys.size() != kSingleKeys.size() + 4) return false;
  return VersionsOf(keys.find(kVaultDb).value()) == VersionsOf(keys.find(kKeysDb).value());
}

json LogToJson(const KeyringDocument& document) {
  const KeyringHeader& header = document.header;
  json log = {{"origin", header.log_origin}};
  const auto& versions = document.keys.find(kLogSigning)->second;
  Require(versions.size() == header.log_public_keys.size(), "a public key for each log key");
  if (versions.size() == 1) {
    log["public_key"] = Base64Encode(header.log_public_keys.front());
    return log;
  }
  bool retiring = header.oldest_log_key_retiring;
  auto key = header.log_public_keys.begin();
  for (const auto& [version, wrapped] : versions) {
    log["public_keys"][std::to_string(version)] = {{"key", Base64Encode(*key++)},
                                                   {"retiring", retiring}};
    retiring = false;
  }
  return log;
}

void PutArgon2id(const Argon2idParameters& parameters, json& into) {
  into["memory_kib"] = parameters.memory_kib;
  into["passes"] = parameters.passes;
  into["salt"] = Base64Encode(parameters.salt);
}

json RootToJson(const KeyringHeader& header) {
  json root = {{"kind", header.root_kind}};
  if (header.root_kind == "passphrase") PutArgon2id(header.passphrase, root);
  Require((header.root_kind == "pkcs11") == header.token.has_value(), "a token for its kind");
  if (!header.token) return root;
  const TokenRoot& token = *header.token;
  root["mechanism"] = token.mechanism;
  root["key"] = {{"id", HexEncode(token.key_id)}, {"label", token.key_label}};
  root["token"] = {{"label", token.token_label}, {"serial", token.token_serial}};
  root["wrapped"] = Base64Encode(token.wrapped);
  if (token.recovery) {
    PutArgon2id(token.recovery->passphrase, root["recovery"]);
    root["recovery"]["wrapped"] = Base64Encode(token.recovery->wrapped);
  }
  return root;
}

json ToJson(const KeyringDocument& document) {
  const KeyringHeader& header = document.header;
  json keys = json::object();
  for (const auto& [name, versions] : document.keys) {
    for (const auto& [version, wrapped] : versions) {
      keys[name][std::to_string(version)] = Base64Encode(wrapped);
    }
  }
  const bool two_keys = header.log_public_keys.size() == 2;
  const auto format = header.token ? kFormatOfToken : two_keys ? kFormatOfTwoLogKeys : kFormat;
  return {{"format", format},
          {"keys", std::move(keys)},
          {"log", LogToJson(document)},
          {"root", RootToJson(header)},
          {"vault_id", Base32Encode(header.vault_id)}};
}

}  // namespace

Result<KeyringDocument> ParseKeyring(std::string_view text) {
  const auto parsed = ParseWithoutDuplicates(text);
  if (!parsed) return Malformed("not JSON, or a member appears twice");
  const json& value = *parsed;
  if (!HasExactly(value, {"format", "keys", "log", "root", "seal", "vault_id"})) {
    return Malformed("a member is missing or unknown");
  }
  const auto format = Text(value, "format");
  const bool in_token = format == kFormatOfToken;
  const bool two_keys = in_token ? value["log"].is_object() && value["log"].contains("public_keys")
                                 : format == kFormatOfTwoLogKeys;
  if (format != kFormat && format != kFormatOfTwoLogKeys && !in_token) {
    return Malformed("of a format this version does not know");
  }
  KeyringDocument document;
  const auto vault_id = Base32Decode(Text(value, "vault_id").value_or(""));
  if (!vault_id) return Malformed("\"vault_id\" is not an id");
  document.header.vault_id = *vault_id;
  if (!ReadRoot(value["root"], document.header) || document.header.token.has_value() != in_token) {
    return Malformed("\"root\" is malformed");
  }
  if (!ReadLog(value["log"], two_keys, document.header)) {
    return Malformed("\"log\" is malformed");
  }
  if (!ReadKeys(value["keys"], two_keys, document)) return Malformed("\"keys\" is malformed");
  if (two_keys &&
      VersionsOf(value["log"]["public_keys"]) != VersionsOf(value["keys"][kLogSigning])) {
    return Malformed("the versions of the log's keys differ");
  }
  auto seal = Base64(value["seal"]);
  if (!seal) return Malformed("\"seal\" is malformed");
  document.seal = *std::move(seal);
  for (const auto& [name, wrapped] : document.keys) {
    auto& versions = document.header.versions[name];
    for (const auto& [version, bytes] : wrapped) versions.push_back(version);
  }
  for (const auto& [version, wrapped] : document.keys.find(kVaultDb)->second) {
    document.header.root_wraps.push_back(Sha256(wrapped));
  }
  return document;
}

std::string RenderKeyring(const KeyringDocument& document) {
  json value = ToJson(document);
  value["seal"] = Base64Encode(document.seal);
  return value.dump(2) + "\n";
}

Hash DigestOf(const KeyringDocument& document) {
  const std::string text = ToJson(document).dump();
  return Sha256(AsBytes(text));
}

bool IsLogOrigin(std::string_view text) {
  return !text.empty() && text.size() <= kMaxOriginBytes && !text.contains('+') && IsUtf8(text) &&
         !HasSpaceOrControl(text);
}

}  // namespace coffer::crypto::internal
