#include "vault/deletion/retention_count.h"

#include <limits>
#include <vector>

namespace coffer::vault {
namespace {

constexpr std::uint64_t kMostCountedAtOnce = 100'000;

}  // namespace

Result<bool> CountRest(RetentionStore& store, const RetentionDecisions& decisions, bool failed,
                       FunctionRef<bool()> stopping, RunRow& run) {
  const auto count = [&](std::string_view name, std::int64_t client, bool due, bool unknown) {
    if (unknown) ++run.CountOf(name).unknown;
    if (!due || !failed || client <= run.position) return;
    audit::RunClass& of_class = run.CountOf(name);
    ++of_class.due;
    ++of_class.unreached;
  };
  std::vector<std::int64_t> owners;
  std::optional<RetentionClient> client;
  std::int64_t last = -1;
  for (bool whole = false; !whole;) {
    if (stopping()) return false;
    std::uint64_t scanned = 0;
    whole = true;
    COFFER_TRY(store.Scan(last, [&](const RetentionSubject& subject) -> Result<bool> {
      if (subject.client != last) {
        if (scanned >= kMostCountedAtOnce) {
          whole = false;
          return false;
        }
        last = subject.client;
        if (decisions.HasClientPolicies()) owners.push_back(last);
        COFFER_ASSIGN(client, store.FindClient(last));
      }
      ++scanned;
      if (!client) return true;
      count(subject.class_name, last, decisions.PolicyIfDue(subject, *client) != nullptr,
            decisions.IsUnknown(subject, *client));
      return true;
    }));
  }
  if (!decisions.HasClientPolicies()) return true;
  RetentionSubject itself;
  itself.class_name = audit::kClientItself;
  RetentionClient empty;
  auto owner = owners.begin();
  constexpr std::int64_t kEveryRow = std::numeric_limits<std::int64_t>::max();
  COFFER_TRY(store.ScanEnded(-1, kEveryRow, [&](const EndedClient& ended) -> Result<bool> {
    while (owner != owners.end() && *owner < ended.client) ++owner;
    if (owner != owners.end() && *owner == ended.client) return true;
    empty.relationship_end = ended.relationship_end;
    empty.tags = ended.tags;
    count(audit::kClientItself, ended.client, decisions.PolicyIfDue(empty) != nullptr,
          decisions.IsUnknown(itself, empty));
    return true;
  }));
  return true;
}

}  // namespace coffer::vault
