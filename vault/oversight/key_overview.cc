#include "vault/oversight/key_overview.h"

#include <algorithm>
#include <set>

namespace coffer::vault {

std::string_view Name(ClientKekPhase phase) {
  switch (phase) {
    case ClientKekPhase::kSettled:
      return "settled";
    case ClientKekPhase::kWrapping:
      return "wrapping";
    case ClientKekPhase::kWrapped:
      return "wrapped";
  }
  return {};
}

std::string_view Name(DatabaseKeyPhase phase) {
  switch (phase) {
    case DatabaseKeyPhase::kSettled:
      return "settled";
    case DatabaseKeyPhase::kWriting:
      return "writing";
    case DatabaseKeyPhase::kWritten:
      return "written";
  }
  return {};
}

KeyOverview OverviewOf(const crypto::KeyringHeader& header) {
  KeyOverview overview;
  overview.root_kind = header.root_kind;
  for (const auto& [name, versions] : header.versions) {
    overview.keys.push_back(
        {name, versions, name == "log-signing" && header.oldest_log_key_retiring});
  }
  return overview;
}

KeyOverview::Clients ClientsOf(const crypto::KeyringHeader& header, const ClientKekUse& use,
                               const NotedKeys& noted, bool working) {
  const auto& held = header.VersionsOf("client-kek");
  std::set<std::uint32_t> all(held.begin(), held.end());
  for (const auto& [version, keys] : use.keys()) all.insert(version);
  KeyOverview::Clients clients;
  clients.total = use.total();
  for (const std::uint32_t version : all) {
    const bool is_held = std::ranges::find(held, version) != held.end();
    clients.under.push_back({version, use.Under(version), is_held});
  }
  clients.since = noted.client_kek_since;
  if (held.size() > 1) {
    const bool wrapped = !working && noted.wrapped_under == held.back();
    clients.phase = wrapped ? ClientKekPhase::kWrapped : ClientKekPhase::kWrapping;
  }
  return clients;
}

KeyOverview::Database DatabaseOf(const crypto::KeyringHeader& header, const NotedKeys& noted,
                                 bool working) {
  const auto& held = header.VersionsOf("vault-db");
  KeyOverview::Database database;
  database.since = noted.database_key_since;
  if (held.size() > 1) {
    const bool written = !working && noted.written_under == held.back();
    database.phase = written ? DatabaseKeyPhase::kWritten : DatabaseKeyPhase::kWriting;
  }
  return database;
}

}  // namespace coffer::vault
