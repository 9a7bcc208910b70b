#include "vault/engine/log_claim_store.h"

namespace coffer::vault {
namespace {

constexpr std::string_view kClaims =
    "SELECT 'the state that the log commits to', max(size, seq + 1) FROM committed_state "
    "UNION ALL SELECT 'the register of erasures', max(seq) + 1 FROM (SELECT seq FROM erasures "
    "ORDER BY id DESC LIMIT 100) "
    "UNION ALL SELECT 'the runs of retention', max(max(first_seq, last_seq)) + 1 FROM (SELECT "
    "first_seq, last_seq FROM retention_runs ORDER BY id DESC LIMIT 100) "
    "UNION ALL SELECT 'the tiles of the log', (max(n) + 1) * 256 FROM log_tiles WHERE level = 0 "
    "UNION ALL SELECT 'the tiles above those of the log', (max(n) + 1) * 65536 FROM log_tiles "
    "WHERE level = 1";
constexpr std::string_view kActs =
    "SELECT act FROM (SELECT act FROM erasures ORDER BY id DESC LIMIT 100) WHERE act IS NOT NULL "
    "LIMIT 20";

}  // namespace

Result<LogClaimStore> LogClaimStore::Open(const Database& database) {
  LogClaimStore store;
  COFFER_ASSIGN(store.claims_, Statement::Prepare(database, kClaims));
  COFFER_ASSIGN(store.acts_, Statement::Prepare(database, kActs));
  return store;
}

Result<std::vector<LogClaim>> LogClaimStore::Load() {
  std::vector<LogClaim> claims;
  auto rows = claims_.Query();
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return claims;
    if (rows.IsNull(1)) continue;
    claims.push_back({std::string(rows.Text(0)), static_cast<std::uint64_t>(rows.Int(1))});
  }
}

Result<std::vector<std::string>> LogClaimStore::LoadActs() {
  std::vector<std::string> acts;
  auto rows = acts_.Query();
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return acts;
    acts.emplace_back(rows.Text(0));
  }
}

}  // namespace coffer::vault
