#include "vault/engine/keyring_log.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>

#include "crypto/encoding.h"

namespace coffer::vault {
namespace {

constexpr std::string_view kRootWrap = "root-wrap";  // KeyringHeader::root_wrap, and the kind
constexpr std::string_view kRootSince = "root-since";
constexpr std::string_view kClientKeks = "client-keks";  // versions, with blanks between them
constexpr std::string_view kClientKekSince = "client-kek-since";
constexpr std::string_view kClientKekWrapped = "client-kek-wrapped";

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

std::string RootOf(const crypto::KeyringHeader& header) {
  return crypto::HexEncode(header.root_wrap) + " " + header.root_kind;
}

const std::vector<std::uint32_t>& ClientKeksOf(const crypto::KeyringHeader& header) {
  static const std::vector<std::uint32_t> kNone;
  const auto found = header.versions.find("client-kek");
  return found == header.versions.end() ? kNone : found->second;
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

}  // namespace

Result<NotedKeys> ReadNotedKeys(SettingStore& settings) {
  NotedKeys noted;
  COFFER_ASSIGN(noted.root_since, TimeIn(settings, kRootSince));
  COFFER_ASSIGN(noted.client_kek_since, TimeIn(settings, kClientKekSince));
  COFFER_ASSIGN(const auto versions, settings.Find(kClientKeks));
  if (versions) noted.client_keks = VersionsIn(*versions);
  COFFER_ASSIGN(const auto wrapped, settings.Find(kClientKekWrapped));
  if (wrapped) noted.wrapped_under = NumberOf<std::uint32_t>(*wrapped).value_or(0);
  return noted;
}

Status NoteKeysFirst(SettingStore& settings, const crypto::KeyringHeader& header) {
  COFFER_ASSIGN(const auto root, settings.Find(kRootWrap));
  if (!root) COFFER_TRY(settings.Put(kRootWrap, RootOf(header)));
  COFFER_ASSIGN(const auto keks, settings.Find(kClientKeks));
  if (!keks) COFFER_TRY(settings.Put(kClientKeks, TextOf(ClientKeksOf(header))));
  return {};
}

Status LogKeyExchanges(Engine& engine, const crypto::KeyringHeader& header,
                       const crypto::Keyring& keyring) {
  std::optional<std::string> root;
  NotedKeys noted;
  audit::Entry none;
  COFFER_TRY(engine.Run(OperationKind::kRead, EntryRule::kNever, none,
                        [&](Transaction& transaction) -> Status {
                          auto& settings = transaction.stores().settings;
                          COFFER_ASSIGN(root, settings.Find(kRootWrap));
                          COFFER_ASSIGN(noted, ReadNotedKeys(settings));
                          return {};
                        }));
  if (root && *root != RootOf(header)) {
    COFFER_TRY(LogRootExchange(engine, *root, RootOf(header), header.root_kind));
  }
  if (!noted.client_keks) return {};
  auto keks = *noted.client_keks;
  const auto held = keyring.client_keks().versions();
  const auto in_file = ClientKeksOf(header);
  const auto has = [](const auto& versions, std::uint32_t version) {
    return std::ranges::find(versions, version) != versions.end();
  };
  for (const std::uint32_t version : held) {
    if (has(keks, version) || !has(in_file, version)) continue;
    keks.push_back(version);
    COFFER_TRY(KeyEvent(engine, "key.added", "client-kek " + std::to_string(version),
                        [&](SettingStore& settings, Timestamp time) -> Status {
                          COFFER_TRY(settings.Put(kClientKeks, TextOf(keks)));
                          return settings.Put(kClientKekSince, std::to_string(time.ms));
                        }));
  }
  for (const std::uint32_t version : *noted.client_keks) {
    if (has(held, version) || has(in_file, version)) continue;
    std::erase(keks, version);
    COFFER_TRY(KeyEvent(engine, "key.destroyed", "client-kek " + std::to_string(version),
                        [&](SettingStore& settings, Timestamp) -> Status {
                          return settings.Put(kClientKeks, TextOf(keks));
                        }));
  }
  return {};
}

Status LogKeysWrapped(Engine& engine, std::uint32_t version, std::uint64_t rewrapped,
                      std::uint64_t damaged) {
  NotedKeys noted;
  audit::Entry none;
  COFFER_TRY(engine.Run(OperationKind::kRead, EntryRule::kNever, none,
                        [&](Transaction& transaction) -> Status {
                          COFFER_ASSIGN(noted, ReadNotedKeys(transaction.stores().settings));
                          return {};
                        }));
  if (noted.wrapped_under == version && rewrapped == 0) return {};
  std::string detail =
      "client-kek " + std::to_string(version) + "; " + std::to_string(rewrapped) + " client keys";
  if (damaged > 0) detail += "; " + std::to_string(damaged) + " that do not open";
  return KeyEvent(engine, "key.exchanged", std::move(detail),
                  [&](SettingStore& settings, Timestamp) -> Status {
                    return settings.Put(kClientKekWrapped, std::to_string(version));
                  });
}

}  // namespace coffer::vault
