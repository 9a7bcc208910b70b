// Emergency access: one client, at once, by whoever may take it, and reviewed afterwards.
#include "vault/access/emergencies.h"

#include <algorithm>

#include "vault/access/access_state.h"
#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/access/emergency.h"
#include "vault/base/names.h"
#include "vault/base/operator_log.h"
#include "vault/base/strict_json.h"
#include "vault/base/words.h"
#include "vault/catalog/catalog_state.h"

namespace coffer::vault {
namespace {

constexpr std::int64_t kMinEmergencyS = 60;
constexpr std::int64_t kMaxEmergencyS = 24 * 3600;
constexpr std::int64_t kReviewWithinMs = std::int64_t{72} * 3600 * 1000;
constexpr std::size_t kMaxFinding = 2000;
constexpr std::uint64_t kMaxUnreviewed = 400;  // of one principal
constexpr std::int64_t kReviewedKeptMs = kActLifetimeMs;

}  // namespace

EmergencyAccess InfoOf(const EmergencyRow& row) {
  return {row.id,       row.client,   row.principal,     row.terms.purpose,
          row.ticket,   row.created,  row.terms.expires, row.due,
          row.reviewer, row.reviewed, row.finding};
}

Result<EmergencyAccess> Emergencies::OpenEmergency(const Caller& caller, const ClientId& client,
                                                   const EmergencyRequest& request) {
  constexpr Action kAction = Action::kEmergencyOpen;
  std::vector<Issue> issues;
  if (!operations_.engine().Of<CatalogState>().Published()->purposes.contains(request.purpose)) {
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
    return operations_.Refuse(
        caller, {.action = kAction, .client = client},
        Error{Code::kUnprocessable, "emergency_invalid", {}, std::move(issues)});
  }
  Call call = operations_.Start(caller, {kAction, OperationKind::kWrite});
  // The grant's own scope counts, not that of what is opened.
  call.About(client);
  EmergencyRow row;
  row.id = EmergencyId::New(operations_.Now());
  row.client = client;
  row.terms.id = row.id.Text();
  row.terms.purpose = request.purpose;
  row.terms.emergency = true;
  row.ticket = request.ticket;
  AddDetail(call.entry, row.terms.id + " " + request.ticket);
  COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) -> Status {
    call.entry.purpose = request.purpose;
    COFFER_ASSIGN(const auto known, transaction.Of<AccessState>().FindClient(client));
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
  if (operations_.log()) {
    operations_.log()(Severity::kWarning,
                      "emergency access " + row.terms.id + " was taken; review it");
  }
  return InfoOf(row);
}

Result<std::vector<EmergencyAccess>> Emergencies::ListEmergencies(const Caller& caller) {
  Call call = operations_.Start(caller, {Action::kEmergencyRead});
  return operations_.Perform(
      call, [&](Transaction& transaction) -> Result<std::vector<EmergencyAccess>> {
        std::vector<EmergencyAccess> emergencies;
        COFFER_ASSIGN(const auto rows,
                      transaction.Of<AccessState>().stores.access.ListEmergencies());
        for (const auto& row : rows) emergencies.push_back(InfoOf(row));
        return emergencies;
      });
}

Result<EmergencyAccess> Emergencies::ReviewEmergency(const Caller& caller, const EmergencyId& id,
                                                     std::string_view finding) {
  constexpr Action kAction = Action::kEmergencyReview;
  if (!IsWords(finding, kMaxFinding, TextForm::kLines)) {
    return operations_.Refuse(caller, {kAction},
                              Error{Code::kUnprocessable,
                                    "emergency_invalid",
                                    {},
                                    {{"/finding", WordsRule(kMaxFinding, TextForm::kLines)}}});
  }
  Call call = operations_.Start(caller, {kAction, OperationKind::kWrite});
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<EmergencyAccess> {
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
    EmergencyAccess emergency = InfoOf(*row);
    StageEmergency(transaction, *std::move(row));
    return emergency;
  });
}

}  // namespace coffer::vault
