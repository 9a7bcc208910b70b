#include "vault/rights/request_purge.h"

#include <vector>

#include "vault/access/call.h"
#include "vault/rights/rights_state.h"

namespace coffer::vault {
namespace {

constexpr std::size_t kPurgedAtOnce = 100;

// Each day of a period counts as a working day: a request stays too long rather than too short
// where its regime counts them.
bool IsOver(const Regime& regime, const ZoneDays& zone, const RequestRow& row, Timestamp now) {
  Period keep = regime.keep;
  keep.days += 2 * keep.working_days;
  keep.working_days = 0;
  const auto last = LastDayOf(zone.DayOf(*row.closed), keep, nullptr);
  return last && zone.StartOf(*last + 1) <= now;
}

Result<std::vector<RequestRow>> FindOver(Transaction& transaction, const Regime& regime,
                                         Timestamp now) {
  const ZoneDays& zone = ZoneOf(transaction, regime);
  COFFER_ASSIGN(auto rows,
                transaction.Of<RightsState>().requests.ListClosed(regime.name, now, kPurgedAtOnce));
  std::erase_if(rows, [&](const RequestRow& row) { return !IsOver(regime, zone, row, now); });
  return rows;
}

}  // namespace

Status PurgeRequests(const Operations& operations, Timestamp now) {
  for (;;) {
    bool any = false;
    COFFER_TRY(operations.Look([&](Transaction& transaction) -> Status {
      for (const auto& regime : transaction.Of<RightsState>().ListRegimes()) {
        COFFER_ASSIGN(const auto over, FindOver(transaction, *regime, now));
        any = any || !over.empty();
      }
      return {};
    }));
    if (!any) return {};
    const audit::Entry purge = VaultEntry("request.purge");
    COFFER_TRY(operations.Record(purge, [&](Transaction& transaction) -> Status {
      RightsState& state = transaction.Of<RightsState>();
      for (const auto& regime : state.ListRegimes()) {
        COFFER_ASSIGN(const auto over, FindOver(transaction, *regime, now));
        for (const RequestRow& row : over) {
          COFFER_TRY(state.requests.Delete(row.id));
          audit::Entry entry = purge;
          if (row.client) entry.client = row.client->Text();
          entry.detail =
              row.id.Text() + "; kept for " + FormatPeriod(regime->keep) + " by " + regime->name;
          transaction.Also(std::move(entry));
        }
      }
      transaction.LeaveNoOwnEntry();
      return {};
    }));
  }
}

}  // namespace coffer::vault
