#include "vault/engine/keyring_log.h"

#include <algorithm>
#include <charconv>
#include <span>
#include <string>
#include <string_view>

#include "crypto/encoding.h"

namespace coffer::vault {
namespace {

constexpr std::string_view kRootWrap =
    "root-wrap";  // one of KeyringHeader::root_wraps, and the kind
constexpr std::string_view kRootSince = "root-since";
constexpr std::string_view kClientKekWrapped = "client-kek-wrapped";
constexpr std::string_view kDatabasesWritten = "vault-db-written";

// What is exchanged beside a running vault, and where it is noted.
struct ExchangedKey {
  std::string_view name;      // in keyring.json
  std::string_view versions;  // setting: with blanks between them
  std::string_view since;     // setting: of the newest
  std::optional<std::vector<std::uint32_t>> NotedKeys::* noted;
  std::string_view in_words;
};
constexpr ExchangedKey kExchanged[] = {
    {"client-kek", "client-keks", "client-kek-since", &NotedKeys::client_keks, "client-kek "},
    {"vault-db", "vault-db-keys", "vault-db-since", &NotedKeys::database_keys,
     "vault-db and keys-db "},
};

template <class Number>
std::optional<Number> NumberOf(std::string_view text) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

Result<std::optional<Timestamp>> TimeIn(SettingStore& settings, std::string_view name) {
  COFFER_ASSIGN(const auto text, settings.Find(name));
  const auto ms = text ? NumberOf<std::int64_t>(*text) : std::nullopt;
  if (!ms) return std::nullopt;
  return Timestamp{*ms};
}

std::vector<std::uint32_t> VersionsIn(std::string_view text) {
  std::vector<std::uint32_t> versions;
  while (!text.empty()) {
    const auto blank = std::min(text.find(' '), text.size());
    if (const auto version = NumberOf<std::uint32_t>(text.substr(0, blank))) {
      versions.push_back(*version);
    }
    text.remove_prefix(std::min(blank + 1, text.size()));
  }
  return versions;
}

std::string TextOf(std::span<const std::uint32_t> versions) {
  std::string text;
  for (const std::uint32_t version : versions) {
    text += (text.empty() ? "" : " ") + std::to_string(version);
  }
  return text;
}

// Of the newest: the older goes one day.
std::string RootOf(const crypto::KeyringHeader& header) {
  return crypto::HexEncode(header.root_wraps.back()) + " " + header.root_kind;
}

bool IsRootOf(const std::string& noted, const crypto::KeyringHeader& header) {
  return std::ranges::any_of(header.root_wraps, [&](const crypto::Hash& wrap) {
    return noted == crypto::HexEncode(wrap) + " " + header.root_kind;
  });
}

const crypto::VersionedKeys& HeldInProcess(const crypto::Keyring& keyring,
                                           const ExchangedKey& key) {
  if (&key == &kExchanged[0]) return keyring.client_keks();
  return keyring.vault_db_keys();
}

// An entry of the vault, and what it notes with it.
Status KeyEvent(Engine& engine, std::string_view action, std::string detail,
                FunctionRef<Status(SettingStore&, Timestamp)> note) {
  audit::Entry entry;
  entry.action = action;
  entry.actor = "vault";
  entry.actor_kind = audit::ActorKind::kSystem;
  entry.decision = audit::Decision::kAllow;
  entry.outcome = "ok";
  entry.detail = std::move(detail);
  return engine.Run(OperationKind::kWrite, EntryRule::kAlways, entry,
                    [&](Transaction& transaction) -> Status {
                      return note(transaction.stores().settings, transaction.now());
                    });
}

Status LogRootExchange(Engine& engine, const std::string& noted, const std::string& now,
                       std::string_view kind) {
  const auto kind_before = noted.substr(std::min(noted.find(' ') + 1, noted.size()));
  return KeyEvent(engine, "key.exchanged", "root " + std::string(kind) + " for " + kind_before,
                  [&](SettingStore& settings, Timestamp time) -> Status {
                    COFFER_TRY(settings.Put(kRootWrap, now));
                    return settings.Put(kRootSince, std::to_string(time.ms));
                  });
}

Status LogExchangeOf(Engine& engine, const ExchangedKey& key,
                     const std::optional<std::vector<std::uint32_t>>& noted,
                     const crypto::KeyringHeader& header, const crypto::VersionedKeys& keys) {
  if (!noted) return {};
  auto versions = *noted;
  const auto held = keys.versions();
  const auto& in_file = header.VersionsOf(key.name);
  const auto has = [](const auto& all, std::uint32_t version) {
    return std::ranges::find(all, version) != all.end();
  };
  for (const std::uint32_t version : held) {
    if (has(versions, version) || !has(in_file, version)) continue;
    versions.push_back(version);
    COFFER_TRY(KeyEvent(engine, "key.added", std::string(key.in_words) + std::to_string(version),
                        [&](SettingStore& settings, Timestamp time) -> Status {
                          COFFER_TRY(settings.Put(key.versions, TextOf(versions)));
                          COFFER_TRY(settings.Put(kRootWrap, RootOf(header)));
                          return settings.Put(key.since, std::to_string(time.ms));
                        }));
  }
  for (const std::uint32_t version : *noted) {
    if (has(held, version) || has(in_file, version)) continue;
    std::erase(versions, version);
    COFFER_TRY(KeyEvent(engine, "key.destroyed",
                        std::string(key.in_words) + std::to_string(version),
                        [&](SettingStore& settings, Timestamp) -> Status {
                          return settings.Put(key.versions, TextOf(versions));
                        }));
  }
  return {};
}

}  // namespace

Result<NotedKeys> ReadNotedKeys(SettingStore& settings) {
  NotedKeys noted;
  COFFER_ASSIGN(noted.root, settings.Find(kRootWrap));
  COFFER_ASSIGN(noted.root_since, TimeIn(settings, kRootSince));
  COFFER_ASSIGN(noted.client_kek_since, TimeIn(settings, kExchanged[0].since));
  COFFER_ASSIGN(noted.database_key_since, TimeIn(settings, kExchanged[1].since));
  for (const ExchangedKey& key : kExchanged) {
    COFFER_ASSIGN(const auto versions, settings.Find(key.versions));
    if (versions) noted.*key.noted = VersionsIn(*versions);
  }
  COFFER_ASSIGN(const auto wrapped, settings.Find(kClientKekWrapped));
  if (wrapped) noted.wrapped_under = NumberOf<std::uint32_t>(*wrapped).value_or(0);
  COFFER_ASSIGN(const auto written, settings.Find(kDatabasesWritten));
  if (written) noted.written_under = NumberOf<std::uint32_t>(*written).value_or(0);
  return noted;
}

Result<NotedKeys> ReadNotedKeys(Engine& engine) {
  NotedKeys noted;
  audit::Entry none;
  COFFER_TRY(engine.Run(OperationKind::kRead, EntryRule::kNever, none,
                        [&](Transaction& transaction) -> Status {
                          COFFER_ASSIGN(noted, ReadNotedKeys(transaction.stores().settings));
                          return {};
                        }));
  return noted;
}

Status NoteKeysFirst(SettingStore& settings, const crypto::KeyringHeader& header) {
  COFFER_ASSIGN(const auto root, settings.Find(kRootWrap));
  if (!root) COFFER_TRY(settings.Put(kRootWrap, RootOf(header)));
  for (const ExchangedKey& key : kExchanged) {
    COFFER_ASSIGN(const auto versions, settings.Find(key.versions));
    if (versions) continue;
    // What it is being exchanged for is new, and told as such.
    const std::uint32_t oldest = header.VersionsOf(key.name).front();
    COFFER_TRY(settings.Put(key.versions, TextOf(std::span(&oldest, 1))));
  }
  return {};
}

Status LogKeyExchanges(Engine& engine, const crypto::KeyringHeader& header,
                       const crypto::Keyring& keyring) {
  COFFER_ASSIGN(const NotedKeys noted, ReadNotedKeys(engine));
  if (noted.root && !IsRootOf(*noted.root, header)) {
    COFFER_TRY(LogRootExchange(engine, *noted.root, RootOf(header), header.root_kind));
  }
  for (const ExchangedKey& key : kExchanged) {
    COFFER_TRY(LogExchangeOf(engine, key, noted.*key.noted, header, HeldInProcess(keyring, key)));
  }
  return {};
}

Status LogKeysWrapped(Engine& engine, std::uint32_t version, std::uint64_t rewrapped,
                      std::uint64_t damaged) {
  COFFER_ASSIGN(const NotedKeys noted, ReadNotedKeys(engine));
  if (noted.wrapped_under == version && rewrapped == 0) return {};
  std::string detail =
      "client-kek " + std::to_string(version) + "; " + std::to_string(rewrapped) + " client keys";
  if (damaged > 0) detail += "; " + std::to_string(damaged) + " that do not open";
  return KeyEvent(engine, "key.exchanged", std::move(detail),
                  [&](SettingStore& settings, Timestamp) -> Status {
                    return settings.Put(kClientKekWrapped, std::to_string(version));
                  });
}

Status LogDatabasesWritten(Engine& engine, std::uint32_t version) {
  COFFER_ASSIGN(const NotedKeys noted, ReadNotedKeys(engine));
  if (noted.written_under == version) return {};
  return KeyEvent(engine, "key.exchanged",
                  std::string(kExchanged[1].in_words) + std::to_string(version),
                  [&](SettingStore& settings, Timestamp) -> Status {
                    return settings.Put(kDatabasesWritten, std::to_string(version));
                  });
}

}  // namespace coffer::vault
