#include "vault/access/reason_rule.h"

namespace coffer::vault {

ReasonRule ReasonRuleOf(Action action) {
  using enum Action;
  switch (action) {
    // What runs the vault names nobody whose data it keeps.
    case kClassRead:
    case kClassWrite:
    case kPurposeRead:
    case kPurposeWrite:
    case kTokenCreate:
    case kTokenList:
    case kTokenRevoke:
    case kPrincipalRead:
    case kPrincipalWrite:
    case kTeamRead:
    case kTeamWrite:
    case kSessionList:
    case kSessionRevoke:
    case kRoleRead:
    case kRoleWrite:
    case kRegimeWrite:
    case kRecipientRead:
    case kRecipientWrite:
    case kRetentionRead:
    case kRetentionWrite:
    case kRetentionRun:
    case kClockConfirm:
    case kAccessExplain:
    case kBreachRead:
    case kBreachWrite:
    case kBreachScope:
    case kProcessingRead:
    case kProcessingWrite:
    case kLogVerify:
    case kConsentTextRead:
    case kConsentTextWrite:
    case kBackupRead:
    case kBackupRun:
    case kStatusRead:
    case kMetricsRead:
    case kSelfRead:
    case kTokenRotate:
    case kSessionEnd:
    case kSessionStepUp:
    case kPasswordChange:
    case kEnrolmentRead:
    case kEnrolmentComplete:
    case kSessionCreate:
      return ReasonRule::kVault;
    // These name a client, or find one, or say about an object which client it is of; those that
    // can be about none say so themselves.
    case kClientCreate:
    case kClientRead:
    case kClientUpdate:
    case kClientList:
    case kClientSearch:
    case kClientErase:
    case kClientExport:
    case kClientPackage:
    case kClientTrace:
    case kRecordCreate:
    case kRecordRead:
    case kRecordList:
    case kRecordUpdate:
    case kRecordDelete:
    case kRecordImport:
    case kRecordErase:
    case kAssignmentRead:
    case kAssignmentWrite:
    case kLeaseRead:
    case kLeaseWrite:
    case kEmergencyOpen:
    case kEmergencyRead:
    case kEmergencyReview:
    case kErasureRead:
    case kHoldRead:
    case kHoldWrite:
    case kHoldLift:
    case kRestrictionRead:
    case kRestrictionWrite:
    case kConsentRead:
    case kConsentWrite:
    case kRequestRead:
    case kRequestWrite:
    case kPackageRead:
    case kNoticeRead:
    case kNoticeWrite:
    case kDisclosureRead:
    case kDisclosureWrite:
    case kClientOverview:
    case kApprovalRequest:
    case kApprovalRead:
    case kApprovalDecide:
    case kApprovalWithdraw:
    case kLogRead:
    case kNoteRead:
      return ReasonRule::kClients;
  }
  return ReasonRule::kClients;
}

}  // namespace coffer::vault
