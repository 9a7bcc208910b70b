#include "audit/documents/ledger_completeness.h"

#include <algorithm>

#include "audit/tlog/note.h"

namespace coffer::audit {

std::string MissingParts(const IncompleteErasure& erasure) {
  std::string text = erasure.missing.size() == 1 ? "part " : "parts ";
  for (const std::uint64_t part : erasure.missing) {
    if (text.back() != ' ') text += ", ";
    text += std::to_string(part);
  }
  return text + " of " + std::to_string(erasure.parts);
}

Status LedgerCompleteness::Take(const LedgerLine& line) {
  if (line.act) {
    acts_.insert(line.act->act);
    return {};
  }
  const LedgerErasure& erasure = line.erasure;
  const auto [found, made] = erasures_.try_emplace(erasure.erasure);
  Seen& seen = found->second;
  const std::string scope = FormatScope(erasure.scope);
  if (made) {
    seen.client = erasure.client;
    seen.scope = scope;
  } else if (seen.client != erasure.client || seen.scope != scope) {
    return Corrupted("ledger_damaged", "line " + std::to_string(line.at.n + 1) + ": it says of " +
                                           erasure.erasure + " what an earlier line does not");
  }
  if (erasure.scope.kind != ScopeKind::kRecords) return {};
  if (line.parts != 0) {
    auto& parts = seen.parts[line.parts];
    parts.resize(line.parts);
    parts[line.part - 1] = true;
  } else {
    (erasure.records.size() < kMaxLedgerRecords ? seen.old_short : seen.old_full) = true;
  }
  return {};
}

// The writer of older lines filled each but the last.
bool LedgerCompleteness::Seen::IsComplete() const {
  const auto all = [](const auto& entry) {
    return std::ranges::find(entry.second, false) == entry.second.end();
  };
  return old_short || std::ranges::any_of(parts, all) || (parts.empty() && !old_full);
}

std::vector<IncompleteErasure> LedgerCompleteness::Collect(bool certain) const {
  std::vector<IncompleteErasure> found;
  for (const auto& [id, seen] : erasures_) {
    if (seen.IsComplete() || certain == seen.parts.empty()) continue;
    found.push_back({id, seen.client, {}, 0});
    IncompleteErasure& one = found.back();
    if (!certain) continue;
    one.parts = seen.parts.rbegin()->first;
    const auto& parts = seen.parts.rbegin()->second;
    for (std::uint64_t part = 1; part <= one.parts; ++part) {
      if (!parts[part - 1]) one.missing.push_back(part);
    }
  }
  std::ranges::sort(found, {}, &IncompleteErasure::erasure);
  return found;
}

std::vector<IncompleteErasure> LedgerCompleteness::Incomplete() const { return Collect(true); }

std::vector<IncompleteErasure> LedgerCompleteness::Uncertain() const { return Collect(false); }

}  // namespace coffer::audit
