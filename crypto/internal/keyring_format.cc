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
#include "crypto/internal/unicode.h"

namespace coffer::crypto::internal {
namespace {

using nlohmann::json;

constexpr std::string_view kFormat = "coffer-keyring-v1";
constexpr std::size_t kMaxOriginBytes = 200;
constexpr std::size_t kPassphraseSaltBytes = 16;

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

bool ReadRoot(const json& root, Keyring::Header& header) {
  if (HasExactly(root, {"kind"})) {
    header.root_kind = Text(root, "kind").value_or("");
    return header.root_kind == "key-file";
  }
  if (!HasExactly(root, {"kind", "memory_kib", "passes", "salt"})) return false;
  header.root_kind = Text(root, "kind").value_or("");
  const auto memory_kib = Number(root, "memory_kib");
  const auto passes = Number(root, "passes");
  auto salt = Base64(root["salt"]);
  if (header.root_kind != "passphrase" || !memory_kib || !passes || !salt ||
      salt->size() != kPassphraseSaltBytes) {
    return false;
  }
  header.passphrase = {.passes = *passes, .memory_kib = *memory_kib, .salt = *std::move(salt)};
  return true;
}

bool ReadLog(const json& log, Keyring::Header& header) {
  if (!HasExactly(log, {"origin", "public_key"})) return false;
  auto origin = Text(log, "origin");
  const auto key = Base64(log["public_key"]);
  if (!origin || !IsLogOrigin(*origin) || !key || key->size() != header.log_public_key.size()) {
    return false;
  }
  header.log_origin = *std::move(origin);
  std::ranges::copy(*key, header.log_public_key.begin());
  return true;
}

bool ReadKeys(const json& keys, KeyringDocument& document) {
  if (!keys.is_object()) return false;
  for (const auto& [name, versions] : keys.items()) {
    const bool single = std::ranges::find(kSingleKeys, name) != kSingleKeys.end();
    if (!single && name != kClientKek) return false;
    if (!versions.is_object() || versions.empty() || (single && versions.size() != 1)) return false;
    for (const auto& [text, wrapped] : versions.items()) {
      const auto version = Version(text);
      auto bytes = Base64(wrapped);
      if (!version || !bytes) return false;
      document.keys[name][*version] = *std::move(bytes);
    }
  }
  return document.keys.size() == kSingleKeys.size() + 1;
}

json ToJson(const KeyringDocument& document) {
  const Keyring::Header& header = document.header;
  json root = {{"kind", header.root_kind}};
  if (header.root_kind == "passphrase") {
    root["memory_kib"] = header.passphrase.memory_kib;
    root["passes"] = header.passphrase.passes;
    root["salt"] = Base64Encode(header.passphrase.salt);
  }
  json keys = json::object();
  for (const auto& [name, versions] : document.keys) {
    for (const auto& [version, wrapped] : versions) {
      keys[name][std::to_string(version)] = Base64Encode(wrapped);
    }
  }
  return {
      {"format", kFormat},
      {"keys", std::move(keys)},
      {"log", {{"origin", header.log_origin}, {"public_key", Base64Encode(header.log_public_key)}}},
      {"root", std::move(root)},
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
  if (Text(value, "format") != kFormat) {
    return Malformed("of a format this version does not know");
  }
  KeyringDocument document;
  const auto vault_id = Base32Decode(Text(value, "vault_id").value_or(""));
  if (!vault_id) return Malformed("\"vault_id\" is not an id");
  document.header.vault_id = *vault_id;
  if (!ReadRoot(value["root"], document.header)) return Malformed("\"root\" is malformed");
  if (!ReadLog(value["log"], document.header)) return Malformed("\"log\" is malformed");
  if (!ReadKeys(value["keys"], document)) return Malformed("\"keys\" is malformed");
  auto seal = Base64(value["seal"]);
  if (!seal) return Malformed("\"seal\" is malformed");
  document.seal = *std::move(seal);
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
