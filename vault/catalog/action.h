// What can be asked of the vault: the words of roles and of the log.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace coffer::vault {

enum class Action {
  kClientCreate,
  kClientRead,
  kClientUpdate,
  kClientList,
  kClientSearch,
  kClientErase,
  kClientExport,
  kClientPackage,
  kClientTrace,
  kRecordCreate,
  kRecordRead,
  kRecordList,
  kRecordUpdate,
  kRecordDelete,
  kRecordImport,
  kRecordErase,
  kClassRead,
  kClassWrite,
  kPurposeRead,
  kPurposeWrite,
  kTokenCreate,
  kTokenList,
  kTokenRevoke,
  kPrincipalRead,
  kPrincipalWrite,
  kTeamRead,
  kTeamWrite,
  kSessionList,
  kSessionRevoke,
  kRoleRead,
  kRoleWrite,
  kAssignmentRead,
  kAssignmentWrite,
  kLeaseRead,
  kLeaseWrite,
  kEmergencyOpen,
  kEmergencyRead,
  kEmergencyReview,
  kErasureRead,
  kHoldRead,
  kHoldWrite,
  kHoldLift,
  kRestrictionRead,
  kRestrictionWrite,
  kConsentRead,
  kConsentWrite,
  kConsentTextRead,
  kConsentTextWrite,
  kRequestRead,
  kRequestWrite,
  kNoticeRead,
  kNoticeWrite,
  kRecipientRead,
  kRecipientWrite,
  kDisclosureRead,
  kDisclosureWrite,
  kClientOverview,
  kRegimeWrite,
  kPackageRead,
  kRetentionRead,
  kRetentionWrite,
  kRetentionRun,
  kClockConfirm,
  kApprovalRequest,
  kApprovalRead,
  kApprovalDecide,
  kAccessExplain,
  kBreachRead,
  kBreachWrite,
  kBreachScope,
  kProcessingRead,
  kProcessingWrite,
  kLogRead,
  kLogVerify,
  kNoteRead,
  kBackupRead,
  kBackupRun,
  kStatusRead,
  kMetricsRead,
  kSelfRead,
  kTokenRotate,
  kSessionEnd,
  kSessionStepUp,
  kPasswordChange,
  kApprovalWithdraw,
  kEnrolmentRead,
  kEnrolmentComplete,
  kSessionCreate,
};
inline constexpr int kActionCount = static_cast<int>(Action::kSessionCreate) + 1;

std::string_view Name(Action action);  // "record.read": the word in the log
std::optional<Action> ActionFromName(std::string_view name);
// True for actions that disclose or change client data: they need a purpose.
bool TouchesClientData(Action action);

enum class ActionKind : std::uint8_t {
  kGranted,  // where a role's grant allows it
  kOwn,      // by every principal, about itself
  kOpen,     // by those who are about to show who they are
};
ActionKind KindOf(Action action);

}  // namespace coffer::vault
