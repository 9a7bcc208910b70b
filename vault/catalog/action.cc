#include "vault/catalog/action.h"

#include <algorithm>
#include <iterator>

namespace coffer::vault {
namespace {

struct ActionRow {
  Action action;
  std::string_view name;
  bool client_data;
  ActionKind kind = ActionKind::kGranted;
};

constexpr ActionRow kActions[] = {
    {Action::kClientCreate, "client.create", true},
    {Action::kClientRead, "client.read", true},
    {Action::kClientUpdate, "client.update", true},
    {Action::kClientList, "client.list", true},
    {Action::kClientSearch, "client.search", true},
    {Action::kClientErase, "client.erase", true},
    {Action::kClientExport, "client.export", true},
    {Action::kClientPackage, "client.package", true},
    {Action::kClientTrace, "client.trace", false},
    {Action::kRecordCreate, "record.create", true},
    {Action::kRecordRead, "record.read", true},
    {Action::kRecordList, "record.list", true},
    {Action::kRecordUpdate, "record.update", true},
    {Action::kRecordDelete, "record.delete", true},
    {Action::kRecordImport, "record.import", true},
    {Action::kRecordErase, "record.erase", true},
    {Action::kClassRead, "class.read", false},
    {Action::kClassWrite, "class.write", false},
    {Action::kPurposeRead, "purpose.read", false},
    {Action::kPurposeWrite, "purpose.write", false},
    {Action::kTokenCreate, "token.create", false},
    {Action::kTokenList, "token.list", false},
    {Action::kTokenRevoke, "token.revoke", false},
    {Action::kPrincipalRead, "principal.read", false},
    {Action::kPrincipalWrite, "principal.write", false},
    {Action::kTeamRead, "team.read", false},
    {Action::kTeamWrite, "team.write", false},
    {Action::kSessionList, "session.list", false},
    {Action::kSessionRevoke, "session.revoke", false},
    {Action::kRoleRead, "role.read", false},
    {Action::kRoleWrite, "role.write", false},
    {Action::kAssignmentRead, "assignment.read", false},
    {Action::kAssignmentWrite, "assignment.write", false},
    {Action::kLeaseRead, "lease.read", false},
    {Action::kLeaseWrite, "lease.write", false},
    {Action::kEmergencyOpen, "emergency.open", false},
    {Action::kEmergencyRead, "emergency.read", false},
    {Action::kEmergencyReview, "emergency.review", false},
    {Action::kErasureRead, "erasure.read", false},
    {Action::kHoldRead, "hold.read", false},
    {Action::kHoldWrite, "hold.write", false},
    {Action::kHoldLift, "hold.lift", false},
    {Action::kRestrictionRead, "restriction.read", false},
    {Action::kRestrictionWrite, "restriction.write", false},
    {Action::kConsentRead, "consent.read", false},
    {Action::kConsentWrite, "consent.write", false},
    {Action::kConsentTextRead, "consent-text.read", false},
    {Action::kConsentTextWrite, "consent-text.write", false},
    {Action::kRequestRead, "request.read", false},
    {Action::kRequestWrite, "request.write", false},
    {Action::kNoticeRead, "notice.read", false},
    {Action::kNoticeWrite, "notice.write", false},
    {Action::kRecipientRead, "recipient.read", false},
    {Action::kRecipientWrite, "recipient.write", false},
    {Action::kDisclosureRead, "disclosure.read", false},
    {Action::kDisclosureWrite, "disclosure.write", false},
    {Action::kClientOverview, "client.overview", false},
    {Action::kRegimeWrite, "regime.write", false},
    {Action::kPackageRead, "package.read", false},
    {Action::kRetentionRead, "retention.read", false},
    {Action::kRetentionWrite, "retention.write", false},
    {Action::kRetentionRun, "retention.run", false},
    {Action::kClockConfirm, "clock.confirm", false},
    {Action::kApprovalRequest, "approval.request", false},
    {Action::kApprovalRead, "approval.read", false},
    {Action::kApprovalDecide, "approval.decide", false},
    {Action::kAccessExplain, "access.explain", false},
    {Action::kBreachRead, "breach.read", false},
    {Action::kBreachWrite, "breach.write", false},
    {Action::kBreachScope, "breach.scope", false},
    {Action::kProcessingRead, "processing.read", false},
    {Action::kProcessingWrite, "processing.write", false},
    {Action::kLogRead, "log.read", false},
    {Action::kLogVerify, "log.verify", false},
    {Action::kNoteRead, "note.read", false},
    {Action::kBackupRead, "backup.read", false},
    {Action::kBackupRun, "backup.run", false},
    {Action::kStatusRead, "status.read", false},
    {Action::kMetricsRead, "metrics.read", false},
    {Action::kSelfRead, "self.read", false},
    {Action::kTokenRotate, "token.rotate", false, ActionKind::kOwn},
    {Action::kSessionEnd, "session.end", false, ActionKind::kOwn},
    {Action::kSessionStepUp, "session.step-up", false, ActionKind::kOwn},
    {Action::kPasswordChange, "password.change", false, ActionKind::kOwn},
    {Action::kApprovalWithdraw, "approval.withdraw", false, ActionKind::kOwn},
    {Action::kEnrolmentRead, "enrolment.read", false, ActionKind::kOpen},
    {Action::kEnrolmentComplete, "enrolment.complete", false, ActionKind::kOpen},
    {Action::kSessionCreate, "session.create", false, ActionKind::kOpen},
};
static_assert(std::size(kActions) == kActionCount);

constexpr bool InOrder() {
  for (std::size_t i = 0; i < std::size(kActions); ++i) {
    if (static_cast<std::size_t>(kActions[i].action) != i) return false;
  }
  return true;
}
static_assert(InOrder(), "kActions is indexed by the enumerator");

}  // namespace

std::string_view Name(Action action) { return kActions[static_cast<std::size_t>(action)].name; }

std::optional<Action> ActionFromName(std::string_view name) {
  for (const auto& row : kActions) {
    if (row.name == name) return row.action;
  }
  return std::nullopt;
}

bool TouchesClientData(Action action) {
  return kActions[static_cast<std::size_t>(action)].client_data;
}

ActionKind KindOf(Action action) { return kActions[static_cast<std::size_t>(action)].kind; }

}  // namespace coffer::vault
