// Emergency access: one client, at once, by whoever may take it, and reviewed afterwards.
#include <algorithm>

#include "vault/access/access_state.h"
#include "vault/access/core.h"
#include "vault/base/names.h"
#include "vault/base/strict_json.h"
#include "vault/base/words.h"
#include "vault/catalog/catalog_state.h"
#include "vault/clients/clients_state.h"
#include "vault/oversight/log_search.h"
#include "vault/vault.h"

namespace coffer::vault {
namespace {

constexpr std::int64_t kMinEmergencyS = 60;
constexpr std::int64_t kMaxEmergencyS = 24 * 3600;
constexpr std::int64_t kReviewWithinMs = std::int64_t{72} * 3600 * 1000;
constexpr std::size_t kMaxFinding = 2000;
constexpr std::uint64_t kMaxUnreviewed = 400;  // of one principal
constexpr std::int64_t kReviewedKeptMs = kActLifetimeMs;

EmergencyAccess InfoOf(const EmergencyRow& row) {
  return {row.id,       row.client,   row.principal,     row.terms.purpose,
          row.ticket,   row.created,  row.terms.expires, row.due,
          row.reviewer, row.reviewed, row.finding};
}

}  // namespace

Result<EmergencyAccess> Vault::OpenEmergency(const Caller& caller, const ClientId& client,
                                             const EmergencyRequest& request) {
  constexpr Action kAction = Action::kEmergencyOpen;
  std::vector<Issue> issues;
  if (!core_->engine->Of<CatalogState>().Published()->purposes.contains(request.purpose)) {
    issues.push_back({"/purpose", "is not in the register"});
  }
  if (!IsTicket(request.ticket)) {
    issues.push_back({"/ticket", "must be 1 to 64 letters, digits and any of -_.:/#"});
  }
  if (request.lifetime_s < kMinEmergencyS || request.lifetime_s > kMaxEmergencyS) {
    issues.push_back({"/lifetime_s", "must be between 60 and 86400 seconds"});
  }
  if (audit::IsBlank(caller.reason)) issues.push_back({"", "needs a Coffer-Reason header"});
  if (!issues.empty()) {
    return std::unexpected(
        Refuse(caller, kAction, client, std::nullopt,
               Error{Code::kUnprocessable, "emergency_invalid", {}, std::move(issues)}));
  }
  Call call = core_->StartCall(caller, kAction);
  // The grant's own scope counts, not that of what is opened.
  call.About(client);
  EmergencyRow row;
  row.id = EmergencyId::New(core_->Now());
  row.client = client;
  row.terms.id = row.id.Text();
  row.terms.purpose = request.purpose;
  row.terms.emergency = true;
  row.ticket = request.ticket;
  AddDetail(call.entry, row.terms.id + " " + request.ticket);
  COFFER_TRY(core_->Perform(
      OperationKind::kWrite, call, client, nullptr, [&](Transaction& transaction) -> Status {
        call.entry.purpose = request.purpose;
        COFFER_ASSIGN(const auto known, transaction.Of<ClientsState>().stores.clients.Find(client));
        if (!known) return NotFound(call);
        auto& access = transaction.Of<AccessState>().stores.access;
        COFFER_ASSIGN(const auto unreviewed, access.CountUnreviewedOf(call.actor));
        if (unreviewed >= kMaxUnreviewed) return Fail(Code::kConflict, "too_many_emergencies");
        COFFER_TRY(access.PurgeEmergencies(Timestamp{transaction.now().ms - kReviewedKeptMs}));
        row.principal = call.actor;
        row.created = transaction.now();
        row.terms.expires = Timestamp{row.created.ms + request.lifetime_s * 1000};
        row.due = Timestamp{row.created.ms + kReviewWithinMs};
        COFFER_TRY(transaction.Of<AccessState>().stores.access.InsertEmergency(row));
        StageEmergency(transaction, row);
        return {};
      }));
  if (core_->options.log) {
    core_->options.log(Severity::kWarning,
                       "emergency access " + row.terms.id + " was taken; review it");
  }
  return InfoOf(row);
}

Result<std::vector<EmergencyAccess>> Vault::ListEmergencies(const Caller& caller) {
  Call call = core_->StartCall(caller, Action::kEmergencyRead);
  std::vector<EmergencyAccess> emergencies;
  COFFER_TRY(core_->Perform(
      OperationKind::kRead, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
        COFFER_ASSIGN(const auto rows,
                      transaction.Of<AccessState>().stores.access.ListEmergencies());
        for (const auto& row : rows) emergencies.push_back(InfoOf(row));
        return {};
      }));
  return emergencies;
}

Result<EmergencyReport> Vault::GetEmergency(const Caller& caller, const EmergencyId& id,
                                            const LogPageRequest& page) {
  Call call = core_->StartCall(caller, Action::kEmergencyRead);
  AddDetail(call.entry, id.Text());
  EmergencyReport report;
  COFFER_TRY(core_->Perform(
      OperationKind::kRead, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
        COFFER_ASSIGN(const auto row,
                      transaction.Of<AccessState>().stores.access.FindEmergency(id));
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
    COFFER_ASSIGN(auto reader, SnapshotReader::Open(*core_));
    return SearchLog(*reader, filter, forward, found);
  };
  if (auto searched = search(); !searched) {
    return std::unexpected(core_->FailedLater(call, std::move(searched).error()));
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

Result<EmergencyAccess> Vault::ReviewEmergency(const Caller& caller, const EmergencyId& id,
                                               std::string_view finding) {
  constexpr Action kAction = Action::kEmergencyReview;
  if (!IsWords(finding, kMaxFinding, TextForm::kLines)) {
    return std::unexpected(Refuse(caller, kAction, std::nullopt, std::nullopt,
                                  Error{Code::kUnprocessable,
                                        "emergency_invalid",
                                        {},
                                        {{"/finding", WordsRule(kMaxFinding, TextForm::kLines)}}}));
  }
  Call call = core_->StartCall(caller, kAction);
  EmergencyAccess emergency;
  COFFER_TRY(core_->Perform(
      OperationKind::kWrite, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
        AddDetail(call.entry, id.Text());
        COFFER_ASSIGN(auto row, transaction.Of<AccessState>().stores.access.FindEmergency(id));
        if (!row) return NotFound(call);
        call.entry.client = row->client.Text();
        if (row->reviewed) return Fail(Code::kConflict, "already_reviewed");
        const PrincipalRow* const taker =
            transaction.Of<AccessState>().principals().Find(row->principal);
        if (taker == nullptr || taker->person() == call.principal->person()) {
          return Deny(call, "separation", Code::kPermissionDenied, "own_request");
        }
        row->reviewer = call.actor;
        row->reviewed = transaction.now();
        row->finding = finding;
        row->terms.expires = std::min(row->terms.expires, transaction.now());
        COFFER_TRY(transaction.Of<AccessState>().stores.access.ReviewEmergency(*row));
        emergency = InfoOf(*row);
        StageEmergency(transaction, *std::move(row));
        return {};
      }));
  return emergency;
}

}  // namespace coffer::vault
