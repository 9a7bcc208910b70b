// What two people decide: one asks, another approves, the first does it, once.
#include "vault/access/approvals.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "vault/access/access_acts.h"
#include "vault/access/access_state.h"
#include "vault/access/accounts.h"
#include "vault/access/approval.h"
#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/access/open_approvals.h"
#include "vault/access/role_giving.h"
#include "vault/access/standing.h"
#include "vault/access/two_person_rule.h"
#include "vault/base/calendar.h"
#include "vault/base/page.h"
#include "vault/base/strict_json.h"
#include "vault/base/words.h"
#include "vault/catalog/catalog_state.h"

namespace coffer::vault {
namespace {

using nlohmann::json;

constexpr std::int64_t kApprovalLifetimeMs = std::int64_t{72} * 3600 * 1000;
constexpr std::size_t kMaxTarget = 256;
constexpr std::size_t kMaxPageBytes = 1024 * 1024;  // of contents

struct TwoPersonAction {
  std::string_view name;
  Action action;  // what the requester must be allowed
};
// "class.write" is asked for as "retention.write" about a class.
constexpr TwoPersonAction kDecidedByTwo[] = {
    {"class.write", Action::kClassWrite},
    {"client.erase", Action::kClientErase},
    {"client.export", Action::kClientExport},
    {"clock.confirm", Action::kClockConfirm},
    {"hold.lift", Action::kHoldLift},
    {"record.erase", Action::kRecordErase},
    {"retention.write", Action::kRetentionWrite},
    {"role.write", Action::kRoleWrite},
};

// Why nothing can be done with it any more; of one that was approved, why nobody decides it.
std::string_view WhyOver(ApprovalState state) {
  switch (state) {
    case ApprovalState::kExecuted:
      return "approval_used";
    case ApprovalState::kExpired:
      return "approval_expired";
    case ApprovalState::kWithdrawn:
      return "approval_withdrawn";
    case ApprovalState::kRejected:
      return "approval_rejected";
    case ApprovalState::kPending:
    case ApprovalState::kApproved:
      return "approval_decided";
    case ApprovalState::kVoid:
      break;
  }
  return "approval_ended";
}

bool IsPerson(const Transaction& transaction, const PrincipalId& id, const PrincipalRow& person) {
  const PrincipalRow* const row = transaction.Of<AccessState>().principals().Find(id);
  return row != nullptr && row->person() == person.person();
}

}  // namespace

Result<std::optional<AccountWays>> Approvals::WaysInto(Transaction& transaction,
                                                       const Proposal& proposal) const {
  if (proposal.action != "role.give") return std::nullopt;
  const auto id = PrincipalId::Parse(proposal.target);
  const PrincipalRow* const row =
      id ? transaction.Of<AccessState>().principals().Find(*id) : nullptr;
  if (row == nullptr) return std::nullopt;
  AccountWays ways;
  COFFER_ASSIGN(ways.principal, DescribePrincipal(transaction, *row));
  for (const TokenRow* token : transaction.Of<AccessState>().principals().Tokens()) {
    if (token->principal != row->id || !token->IsLiving(operations_.latest())) continue;
    ++(token->is_session() ? ways.sessions : ways.tokens);
  }
  if (row->id.kind() == PrincipalKind::kUser) {
    COFFER_ASSIGN(const auto credentials, transaction.Of<AccessState>().stores.users.Find(row->id));
    ways.enrolment = credentials && credentials->enrolment &&
                     operations_.latest() < credentials->enrolment_expires;
  }
  return ways;
}

Result<Approval> Approvals::RequestApproval(const Caller& caller, const Proposal& proposal) {
  constexpr Action kAction = Action::kApprovalRequest;
  if (proposal.content.size() > kMaxApprovalContent) {
    return operations_.Refuse(caller, {kAction},
                              Error{Code::kTooLarge, "document_too_large", {}, {}});
  }
  std::vector<Issue> issues;
  Proposal canonical = proposal;
  if (std::ranges::find(kTwoPersonActions, proposal.action) == std::end(kTwoPersonActions)) {
    issues.push_back(
        {"/action",
         "must be one of client.erase, client.export, clock.confirm, hold.lift, record.erase, "
         "retention.write, role.give, role.write"});
  } else if (!IsWords(proposal.target, kMaxTarget)) {
    issues.push_back({"/target", WordsRule(kMaxTarget)});
  } else if (auto faults = proposal.target.starts_with(kClassTarget)
                               ? FaultsOfClassWords(proposal.content, "/content")
                               : FaultsOfTexts(proposal.content, "/content");
             !faults.empty()) {
    issues = std::move(faults);
  } else {
    canonical.content =
        rules_.CanonicalContent(proposal, *operations_.engine().Of<CatalogState>().Published(),
                                caller.purpose, operations_.Now(), issues);
  }
  if (!issues.empty()) {
    return operations_.Refuse(
        caller, {kAction}, Error{Code::kUnprocessable, "proposal_invalid", {}, std::move(issues)});
  }
  Call call = operations_.Start(caller, {kAction, OperationKind::kWrite});
  ApprovalRow row;
  row.id = ApprovalId::New(operations_.Now());
  row.action = canonical.action;
  row.target = canonical.target;
  std::optional<ClientId> client;
  if (row.action == Name(Action::kClientErase) || row.action == Name(Action::kRecordErase)) {
    client = *ClientId::Parse(row.target);
    call.entry.client = client->Text();
  }
  AddDetail(call.entry, row.id.Text() + " " + row.action);
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Approval> {
    const bool of_class = row.action == "retention.write" && row.target.starts_with(kClassTarget);
    COFFER_TRY(rules_.NameSubject(transaction, call, row.action, row.target));
    COFFER_TRY(CheckProposer(transaction, call, of_class ? Name(Action::kClassWrite) : row.action,
                             client));
    if (row.action == "role.give") {
      COFFER_ASSIGN(canonical.content,
                    CompleteGiving(canonical, transaction.Of<CatalogState>().current(),
                                   transaction.Of<AccessState>().principals()));
    }
    row.content = canonical.content;
    row.hash = two_person_.HashOf(canonical);
    call.entry.payload_hash = row.hash;
    row.requester = call.actor;
    row.target_version =
        TargetVersion(transaction.Of<CatalogState>().current(), row.action, row.target);
    row.created = transaction.now();
    row.expires = Timestamp{row.created.ms + kApprovalLifetimeMs};
    COFFER_TRY(MakeRoomForApproval(transaction, row.requester, row.content.size(), row.created));
    row.asked_seq = transaction.NextSeq();
    COFFER_TRY(transaction.Of<AccessState>().stores.approvals.Insert(row));
    Approval approval = two_person_.DescribeApproval(transaction, row);
    COFFER_ASSIGN(approval.account, WaysInto(transaction, approval.proposal));
    return approval;
  });
}

// Nobody asks for what they could not do: a request is not a way to find out, either.
Status Approvals::CheckProposer(Transaction& transaction, Call& call, std::string_view action,
                                const std::optional<ClientId>& client) const {
  if (action == "role.give") {
    for (const Action giving : {Action::kPrincipalWrite, Action::kTokenCreate}) {
      COFFER_ASSIGN(const auto decision,
                    operations_.DecideFor(transaction, call, giving, std::nullopt, nullptr));
      if (decision.allowed) return {};
    }
    return Deny(call, "role", Code::kPermissionDenied, "permission_denied");
  }
  const auto* const known = std::ranges::find(kDecidedByTwo, action, &TwoPersonAction::name);
  COFFER_ASSIGN(const auto decision,
                operations_.DecideFor(transaction, call, known->action, client, nullptr));
  if (!decision.allowed) {
    call.entry.decision = audit::Decision::kDeny;
    call.entry.rule = decision.rule;
    return std::unexpected(decision.error);
  }
  if (client) {
    COFFER_ASSIGN(const auto row, transaction.Of<AccessState>().FindClient(*client));
    if (!row) return NotFound(call);
  }
  return {};
}

Result<Approval> Approvals::GetApproval(const Caller& caller, const ApprovalId& id) {
  Call call = operations_.Start(caller, {Action::kApprovalRead});
  call.entry.detail = id.Text();
  const auto outlook = rules_.Outlook();
  auto approval = operations_.Perform(call, [&](Transaction& transaction) -> Result<Approval> {
    COFFER_ASSIGN(const auto row, transaction.Of<AccessState>().stores.approvals.Find(id));
    if (!row) return NotFound(call);
    COFFER_TRY(rules_.NameSubject(transaction, call, row->action, row->target));
    Approval asked = two_person_.DescribeApproval(transaction, *row);
    COFFER_ASSIGN(asked.account, WaysInto(transaction, asked.proposal));
    COFFER_TRY(outlook->Look(transaction, call, *row, asked.state));
    return asked;
  });
  if (approval) COFFER_TRY(outlook->Complete(call, *approval));
  return approval;
}

Result<Page<Approval>> Approvals::ListApprovals(const Caller& caller, const PageRequest& page) {
  constexpr std::string_view kList = "approvals";
  Call call = operations_.Start(caller, {Action::kApprovalRead});
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Page<Approval>> {
    Page<Approval> result;
    // Below zero: among those that do not wait for a decision.
    COFFER_ASSIGN(const std::int64_t cursor, operations_.ReadCursor(call, kList, page.cursor));
    ApprovalStore::Place place{cursor < 0, cursor < 0 ? -(cursor + 1) : cursor};
    if (page.cursor.empty()) place.row = std::numeric_limits<std::int64_t>::max();
    std::size_t bytes = 0;
    COFFER_ASSIGN(const auto rows, transaction.Of<AccessState>().stores.approvals.List(
                                       place, page.limit + 1, kMaxPageBytes));
    for (const auto& row : rows) {
      bytes += row.content.size();
      const bool full = result.items.size() == page.limit || bytes > kMaxPageBytes;
      if (full && !result.items.empty()) {
        result.next_cursor =
            operations_.MakeCursor(call, kList, place.closed ? -place.row - 1 : place.row);
        return result;
      }
      result.items.push_back(two_person_.DescribeApproval(transaction, row));
      place = ApprovalStore::PlaceOf(row);
    }
    return result;
  });
}

Result<Approval> Approvals::DecideApproval(const Caller& caller, const ApprovalId& id,
                                           bool approve) {
  Call call = operations_.Start(caller, {Action::kApprovalDecide, OperationKind::kWrite});
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Approval> {
    AddDetail(call.entry, id.Text());
    COFFER_ASSIGN(auto row, transaction.Of<AccessState>().stores.approvals.Find(id));
    if (!row) return NotFound(call);
    call.entry.payload_hash = row->hash;
    AddDetail(call.entry, row->action + (approve ? " approved" : " rejected"));
    COFFER_TRY(rules_.NameSubject(transaction, call, row->action, row->target));
    const bool covered = std::ranges::any_of(call.decision.grants, [&](const Grant* grant) {
      return !grant->deny && grant->CoversApproval(row->action);
    });
    if (!covered) return Deny(call, "role", Code::kPermissionDenied, "permission_denied");
    const auto is_decider = [&](std::string_view text) {
      const auto parsed = PrincipalId::Parse(text);
      return parsed && IsPerson(transaction, *parsed, *call.principal);
    };
    if (IsPerson(transaction, row->requester, *call.principal) || is_decider(row->target) ||
        is_decider(OwnerIn(row->content))) {
      return Deny(call, "separation", Code::kPermissionDenied, "own_request");
    }
    const ApprovalState state = two_person_.DescribeApproval(transaction, *row).state;
    if (state != ApprovalState::kPending) {
      return Fail(Code::kConflict,
                  state == ApprovalState::kRejected ? "approval_decided" : WhyOver(state));
    }
    row->decider = call.actor;
    row->decided = transaction.now();
    row->approved = approve;
    COFFER_TRY(transaction.Of<AccessState>().stores.approvals.Update(*row));
    if (!approve) ActApprovalClosed(transaction, *row);
    Approval approval = two_person_.DescribeApproval(transaction, *row);
    COFFER_ASSIGN(approval.account, WaysInto(transaction, approval.proposal));
    return approval;
  });
}

Result<Approval> Approvals::WithdrawApproval(const Caller& caller, const ApprovalId& id) {
  Call call = operations_.Start(caller, {Action::kApprovalWithdraw, OperationKind::kWrite});
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Approval> {
    AddDetail(call.entry, id.Text());
    COFFER_ASSIGN(auto row, transaction.Of<AccessState>().stores.approvals.Find(id));
    // What is somebody else's is not there: this is no way to look.
    const bool own =
        row &&
        (IsPerson(transaction, row->requester, *call.principal) ||
         (row->approved && row->decider && IsPerson(transaction, *row->decider, *call.principal)));
    if (!own) return NotFound(call);
    call.entry.payload_hash = row->hash;
    AddDetail(call.entry, row->action + " withdrawn");
    COFFER_TRY(rules_.NameSubject(transaction, call, row->action, row->target));
    const ApprovalState state = two_person_.DescribeApproval(transaction, *row).state;
    if (!IsOpen(state)) return Fail(Code::kConflict, WhyOver(state));
    // Somebody relies on what was agreed to.
    if (state == ApprovalState::kApproved && audit::IsBlank(caller.reason)) {
      return Deny(call, "reason", Code::kInvalidArgument, "reason_required");
    }
    row->ended = transaction.now();
    row->ended_by = call.actor;
    row->why = ApprovalEnd::kWithdrawn;
    COFFER_TRY(transaction.Of<AccessState>().stores.approvals.Update(*row));
    ActApprovalClosed(transaction, *row);
    return two_person_.DescribeApproval(transaction, *row);
  });
}

}  // namespace coffer::vault
