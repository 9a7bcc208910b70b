// At the start, behind the erasures and before anything is served: the ledger's acts and those that
// the vault knows of, compared one by one.
//
// What the vault has and the ledger has not is added to it: a crash came between the commit and the
// line, or an older copy of the ledger was put back. What the ledger has and the vault has not was
// done after the state that was opened. Of several about one thing the last one counts:
//
//   it protects               done again, as far as the vault is not as strict already; what can
//                             only be done by giving more, or not at all, is told
//   it takes protection back  told, and the vault stays as it is
//
// At the first start by a version that writes such lines, holds and restrictions that are there get
// theirs.
//
// Each is one operation: the change, an entry, and that the vault knows the acts. So a crash leaves
// the rest for the next start, and a start after that finds nothing to do.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "audit/entries/entry.h"
#include "audit/tlog/log_source.h"
#include "vault/access/operations.h"
#include "vault/deletion/erasure_ledger.h"

namespace coffer::vault {

// Entries of the vault's: `detail` names the act.
inline constexpr std::string_view kActReplayed = "act.replayed";
inline constexpr std::string_view kActNotRepeated = "act.not-repeated";

Status ReconcileActs(const Operations& operations, ErasureLedger& ledger);

// What openings did that way, and with erasures, by the log's entries from `from` on.
struct Repeated {
  std::uint64_t erasures = 0, acts = 0;
  std::uint64_t acts_left = 0;  // for people to decide
};
// `each` is called for every entry, and may be empty. Errors: those of reading.
Result<Repeated> ReadRepeated(audit::LogSource& log, std::uint64_t from,
                              const std::function<void(const audit::Entry&)>& each);

}  // namespace coffer::vault
