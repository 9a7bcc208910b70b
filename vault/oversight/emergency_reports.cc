#include "vault/oversight/emergency_reports.h"

#include "vault/access/access_state.h"
#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/access/emergencies.h"
#include "vault/oversight/emergency_report.h"
#include "vault/oversight/log_page.h"
#include "vault/oversight/log_search.h"

namespace coffer::vault {

Result<EmergencyReport> EmergencyReports::GetEmergency(const Caller& caller, const EmergencyId& id,
                                                       const LogPageRequest& page) {
  Call call = operations_.Start(caller, {Action::kEmergencyRead});
  AddDetail(call.entry, id.Text());
  EmergencyReport report;
  COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) -> Status {
    COFFER_ASSIGN(const auto row, transaction.Of<AccessState>().stores.access.FindEmergency(id));
    if (!row) return NotFound(call);
    call.entry.client = row->client.Text();
    report.emergency = InfoOf(*row);
    return {};
  }));
  LogFilter filter;
  filter.rule = "emergency:" + id.Text();
  filter.client = report.emergency.client.Text();
  filter.from = report.emergency.created;
  LogPageRequest forward = page;
  forward.oldest_first = true;
  LogPage found;
  const auto search = [&]() -> Status {
    COFFER_ASSIGN(auto reader, readers_.Open());
    return SearchLog(*reader, filter, forward, found);
  };
  if (auto searched = search(); !searched) {
    return std::unexpected(operations_.FailedLater(call, std::move(searched).error()));
  }
  report.next = found.next;
  for (const std::string& bytes : found.entries) {
    COFFER_ASSIGN(audit::Entry entry, audit::ParseEntry(bytes));
    report.uses.push_back({entry.seq, entry.ts, std::move(entry.action), std::move(entry.record),
                           std::move(entry.class_name), std::move(entry.detail), entry.version,
                           std::move(entry.fields)});
  }
  return report;
}

}  // namespace coffer::vault
