// What two people decide: one asks, another approves, the first does it, once.
#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "vault/access/access_state.h"
#include "vault/access/approval_outlook.h"
#include "vault/access/core.h"
#include "vault/access/open_approvals.h"
#include "vault/access/role_giving.h"
#include "vault/access/standing.h"
#include "vault/base/calendar.h"
#include "vault/base/strict_json.h"
#include "vault/base/words.h"
#include "vault/catalog/catalog_state.h"
#include "vault/clients/clients_state.h"
#include "vault/clients/export_selection.h"
#include "vault/deletion/deletion_state.h"
#include "vault/vault.h"

namespace coffer::vault {
namespace {

using nlohmann::json;

constexpr std::int64_t kApprovalLifetimeMs = std::int64_t{72} * 3600 * 1000;
constexpr std::int64_t kGoingOnMs = std::int64_t{3600} * 1000;
constexpr std::int64_t kDayInMs = std::int64_t{24} * 3600 * 1000;
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

ApprovalState StateOf(const ApprovalRow& row, Timestamp now) {
  if (row.executed) return ApprovalState::kExecuted;
  if (row.ended) {
    return row.why == ApprovalEnd::kWithdrawn ? ApprovalState::kWithdrawn : ApprovalState::kVoid;
  }
  if (row.decided && !row.approved) return ApprovalState::kRejected;
  if (row.expires <= now) return ApprovalState::kExpired;
  return row.approved ? ApprovalState::kApproved : ApprovalState::kPending;
}

bool IsOpen(ApprovalState state) {
  return state == ApprovalState::kPending || state == ApprovalState::kApproved;
}

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

// {"classes": [...]}, with the purpose that the caller states.
std::string CanonicalExport(const Proposal& proposal, const Catalog& catalog,
                            std::string_view purpose, std::vector<Issue>& issues) {
  ExportSelection selection;
  if (proposal.target.starts_with(kTagTarget)) {
    selection.tag = proposal.target.substr(kTagTarget.size());
  } else if (proposal.target != kAllTarget) {
    issues.push_back({"/target", "must be \"all\" or \"tag:TAG\""});
  }
  const auto content = ParseStrictJson(proposal.content.empty() ? "{}" : proposal.content);
  if (!content || !content->is_object()) {
    issues.push_back({"/content", "must be an object"});
    return {};
  }
  for (const auto& [name, value] : content->items()) {
    const bool texts = value.is_array() && std::ranges::all_of(value, &json::is_string);
    if (name == "classes" && texts) {
      selection.classes = value.get<std::vector<std::string>>();
    } else if (name != "purpose" || value != purpose) {
      issues.push_back({PointerTo("/content", name), "has no place here, or is not valid"});
    }
  }
  for (Issue& issue : FaultsOf(selection, catalog)) {
    issues.push_back({(issue.pointer == "/tag" ? "/target" : "/content" + issue.pointer),
                      std::move(issue.message)});
  }
  return ProposalOf(selection, purpose).content;
}

// {"basis": B, "class": C, "records": [...]}: the basis where it is not "request"; a class or
// records for a part of the client.
std::string CanonicalErasure(const Proposal& proposal, const Catalog& catalog,
                             std::vector<Issue>& issues) {
  const auto client = ClientId::Parse(proposal.target);
  if (!client) issues.push_back({"/target", "must be a client's id"});
  const auto content = ParseStrictJson(proposal.content.empty() ? "{}" : proposal.content);
  if (!content || !content->is_object()) {
    issues.push_back({"/content", "must be an object"});
    return {};
  }
  const bool part = proposal.action == "record.erase";
  ErasureRequest request;
  const auto is_record = [](const json& item) {
    return item.is_string() && RecordId::Parse(item.get_ref<const std::string&>());
  };
  for (const auto& [name, value] : content->items()) {
    const std::string text = value.is_string() ? value.get<std::string>() : "";
    if (name == "basis" && ErasureBasisFromName(text)) {
      request.basis = *ErasureBasisFromName(text);
    } else if (name == "class" && part && catalog.Newest(text)) {
      request.class_name = text;
    } else if (name == "records" && part && value.is_array() && !value.empty() &&
               std::ranges::all_of(value, is_record)) {
      for (const json& item : value) {
        request.records.push_back(*RecordId::Parse(item.get_ref<const std::string&>()));
      }
    } else {
      issues.push_back({PointerTo("/content", name), "has no place here, or is not valid"});
    }
  }
  if (part && issues.empty() && request.class_name.empty() == request.records.empty()) {
    issues.push_back({"/content", "must name a class or records"});
  }
  if (!issues.empty()) return {};
  return ProposalOf(*client, request).content;
}

// What another day's approval would allow is to be had on that day alone. The day comes from who
// asks, not from the vault: only so do two clocks get compared.
void CheckDay(std::string_view target, Timestamp now, std::vector<Issue>& issues) {
  const std::string today = FormatDay(static_cast<Day>(now.ms / kDayInMs));
  if (!ParseDay(target)) {
    issues.push_back({"/target", "must be a day, YYYY-MM-DD"});
  } else if (target != today) {
    issues.push_back({"/target", "must be today in UTC, which is " + today +
                                     " by the server's clock; when that is wrong, set it right"});
  }
}

// A class as it is to be, of which due dates hang.
std::string CanonicalClass(const Proposal& proposal, const Catalog& catalog,
                           std::vector<Issue>& issues) {
  const std::string name = proposal.target.substr(kClassTarget.size());
  if (!catalog.Newest(name)) issues.push_back({"/target", "must name a class of this vault"});
  const auto schema = ParseClass(proposal.content.empty() ? "null" : proposal.content);
  if (schema && schema->name == name) return schema->definition;
  if (schema) {
    issues.push_back({"/content/name", "must be the name in the target"});
    return {};
  }
  for (const auto& issue : schema.error().issues) {
    issues.push_back({"/content" + issue.pointer, issue.message});
  }
  if (schema.error().issues.empty()) issues.push_back({"/content", "must be a class"});
  return {};
}

// The content as it will be hashed when the thing is done; issues when it could not be done.
std::string CanonicalContent(const Proposal& proposal, const Catalog& catalog,
                             std::string_view purpose, Timestamp now, std::vector<Issue>& issues) {
  if (proposal.action == "client.export") {
    return CanonicalExport(proposal, catalog, purpose, issues);
  }
  if (proposal.action == "client.erase" || proposal.action == "record.erase") {
    return CanonicalErasure(proposal, catalog, issues);
  }
  if (proposal.action == "hold.lift" || proposal.action == "clock.confirm") {
    if (proposal.action == "hold.lift" && !HoldId::Parse(proposal.target)) {
      issues.push_back({"/target", "must be a hold's id"});
    }
    if (proposal.action == "clock.confirm") CheckDay(proposal.target, now, issues);
    if (!proposal.content.empty()) issues.push_back({"/content", "has no place here"});
    return {};
  }
  if (proposal.action == "retention.write" && proposal.target.starts_with(kClassTarget)) {
    return CanonicalClass(proposal, catalog, issues);
  }
  if (proposal.action == "retention.write") {
    if (proposal.target != kScheduleTarget)
      issues.push_back({"/target", "must be \"schedule\" or \"class:NAME\""});
    const auto schedule = ParseSchedule(proposal.content.empty() ? "null" : proposal.content,
                                        catalog.NewestClasses());
    if (schedule) return schedule->definition();
    for (const auto& issue : schedule.error().issues) {
      issues.push_back({"/content" + issue.pointer, issue.message});
    }
    if (schedule.error().issues.empty()) {
      issues.push_back({"/content", "must be a retention schedule"});
    }
    return {};
  }
  if (proposal.action == "role.write") {
    const auto role =
        ParseRole(proposal.target, proposal.content.empty() ? "null" : proposal.content);
    if (role) return role->definition;
    for (const auto& issue : role.error().issues) {
      issues.push_back({"/content" + issue.pointer, issue.message});
    }
    if (issues.empty()) issues.push_back({"/content", "must be a role document"});
    return {};
  }
  CheckGiving(proposal, catalog, issues);
  return proposal.content;
}

bool IsErasure(std::string_view action) {
  return action == "client.erase" || action == "record.erase";
}

// The client that is proposed about, into the entry.
Status NameSubject(Transaction& transaction, Call& call, std::string_view action,
                   std::string_view target) {
  if (IsErasure(action)) {
    call.entry.client = target;
    return {};
  }
  if (action == "hold.lift") {
    const auto id = HoldId::Parse(target);
    if (!id) return {};
    COFFER_ASSIGN(const auto hold, transaction.Of<DeletionState>().stores.holds.Find(*id));
    if (hold && hold->terms.client) call.entry.client = hold->terms.client->Text();
    if (!hold || hold->terms.client) return {};
  }
  call.reason_rule = ReasonRule::kVault;
  return {};
}

bool IsPerson(const Transaction& transaction, const PrincipalId& id, const PrincipalRow& person) {
  const PrincipalRow* const row = transaction.Of<AccessState>().principals().Find(id);
  return row != nullptr && row->person() == person.person();
}

}  // namespace

std::string_view Name(ApprovalState state) {
  switch (state) {
    case ApprovalState::kPending:
      return "pending";
    case ApprovalState::kApproved:
      return "approved";
    case ApprovalState::kRejected:
      return "rejected";
    case ApprovalState::kExecuted:
      return "executed";
    case ApprovalState::kExpired:
      return "expired";
    case ApprovalState::kWithdrawn:
      return "withdrawn";
    case ApprovalState::kVoid:
      break;
  }
  return "void";
}

std::string_view Name(ApprovalEnd end) {
  switch (end) {
    case ApprovalEnd::kWithdrawn:
      return "withdrawn";
    case ApprovalEnd::kRequesterDisabled:
      return "requester-disabled";
    case ApprovalEnd::kRequesterRole:
      return "requester-role";
    case ApprovalEnd::kApproverDisabled:
      return "approver-disabled";
    case ApprovalEnd::kApproverRole:
      return "approver-role";
    case ApprovalEnd::kTargetChanged:
      return "target-changed";
    case ApprovalEnd::kSamePerson:
      break;
  }
  return "same-person";
}

crypto::Hash Vault::Core::HashOf(const Proposal& proposal) const {
  const json document = {
      {"action", proposal.action}, {"content", proposal.content}, {"target", proposal.target}};
  return crypto::Sha256(crypto::AsBytes(document.dump()));
}

Approval Vault::Core::DescribeApproval(const Transaction& transaction,
                                       const ApprovalRow& row) const {
  Approval approval{row.id,        {row.action, row.target, row.content},
                    row.hash,      StateOf(row, latest),
                    row.requester, row.created,
                    row.expires,   row.decider,
                    row.decided,   row.executed,
                    row.ended,     row.ended_by,
                    row.why};
  // The approver's role was changed under it.
  if (IsOpen(approval.state)) approval.end = WhyVoid(transaction, row);
  if (IsOpen(approval.state) && approval.end) approval.state = ApprovalState::kVoid;
  return approval;
}

Result<std::optional<AccountWays>> Vault::Core::WaysInto(Transaction& transaction,
                                                         const Proposal& proposal) const {
  if (proposal.action != "role.give") return std::nullopt;
  const auto id = PrincipalId::Parse(proposal.target);
  const PrincipalRow* const row =
      id ? transaction.Of<AccessState>().principals().Find(*id) : nullptr;
  if (row == nullptr) return std::nullopt;
  AccountWays ways;
  COFFER_ASSIGN(ways.principal, DescribePrincipal(transaction, *row));
  for (const TokenRow* token : transaction.Of<AccessState>().principals().Tokens()) {
    const bool over = token->revoked || token->expires <= latest ||
                      (token->is_session() && latest.ms - token->seen.ms >= token->idle_ms);
    if (token->principal != row->id || over) continue;
    ++(token->is_session() ? ways.sessions : ways.tokens);
  }
  if (row->id.kind() == PrincipalKind::kUser) {
    COFFER_ASSIGN(const auto credentials, transaction.Of<AccessState>().stores.users.Find(row->id));
    ways.enrolment =
        credentials && credentials->enrolment && latest < credentials->enrolment_expires;
  }
  return ways;
}

Result<std::optional<ApprovalRow>> Vault::Core::FindOwnApproval(Transaction& transaction,
                                                                const Call& call,
                                                                const Proposal& proposal) const {
  const auto id = ApprovalId::Parse(call.caller.approval);
  if (!id) return std::nullopt;
  COFFER_ASSIGN(auto row, transaction.Of<AccessState>().stores.approvals.Find(*id));
  if (!row || row->hash != HashOf(proposal) || row->requester != call.actor) return std::nullopt;
  return row;
}

Status Vault::Core::RequireApproval(Transaction& transaction, Call& call,
                                    const Proposal& proposal) const {
  COFFER_ASSIGN(auto row, CheckApproval(transaction, call, proposal));
  return row ? MarkExecuted(transaction, *std::move(row)) : Status{};
}

Status Vault::Core::MarkExecuted(Transaction& transaction, ApprovalRow row) {
  row.executed = transaction.now();
  return transaction.Of<AccessState>().stores.approvals.Update(row);
}

Result<std::optional<ApprovalRow>> Vault::Core::CheckApproval(Transaction& transaction, Call& call,
                                                              const Proposal& proposal) const {
  if (!two_person) {
    AddDetail(call.entry, "one person alone");
    return std::nullopt;
  }
  if (call.caller.approval.empty()) {
    return Deny(call, "approval", Code::kPermissionDenied, "approval_required");
  }
  COFFER_TRY(CheckState());
  COFFER_ASSIGN(auto row, FindOwnApproval(transaction, call, proposal));
  const auto state = row ? DescribeApproval(transaction, *row).state : ApprovalState::kPending;
  if (state == ApprovalState::kVoid) {
    return Deny(call, "approval", Code::kPermissionDenied, "approval_void");
  }
  if (state != ApprovalState::kApproved) {
    return Deny(call, "approval", Code::kPermissionDenied, "approval_invalid");
  }
  AddDetail(call.entry, row->id.Text());
  return row;
}

Status Vault::Core::RequireStarted(Transaction& transaction, Call& call,
                                   const Proposal& proposal) const {
  if (!two_person) return {};
  COFFER_TRY(CheckState());
  COFFER_ASSIGN(const auto row, FindOwnApproval(transaction, call, proposal));
  if (!row || !row->executed || latest.ms - row->executed->ms > kGoingOnMs) {
    return Deny(call, "approval", Code::kPermissionDenied, "approval_invalid");
  }
  if (WhyVoid(transaction, *row)) {
    return Deny(call, "approval", Code::kPermissionDenied, "approval_void");
  }
  AddDetail(call.entry, row->id.Text());
  return {};
}

Status Vault::Core::RequireApprovalToGive(Transaction& transaction, Call& call,
                                          const Giving& giving, std::string target) const {
  const auto role = transaction.Of<CatalogState>().current().Role(giving.after.role);
  // The request was checked against a role whose making was not committed after all.
  if (!role) return Fail(Code::kConflict, "role_unknown");
  if (!TakesTwo(giving, *role)) return {};
  return RequireApproval(transaction, call,
                         {"role.give", std::move(target), ContentOf(giving, *role)});
}

Result<Approval> Vault::RequestApproval(const Caller& caller, const Proposal& proposal) {
  constexpr Action kAction = Action::kApprovalRequest;
  if (proposal.content.size() > kMaxApprovalContent) {
    return std::unexpected(Refuse(caller, kAction, std::nullopt, std::nullopt,
                                  Error{Code::kTooLarge, "document_too_large", {}, {}}));
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
    canonical.content = CanonicalContent(proposal, *core_->engine->Of<CatalogState>().Published(),
                                         caller.purpose, core_->Now(), issues);
  }
  if (!issues.empty()) {
    return std::unexpected(
        Refuse(caller, kAction, std::nullopt, std::nullopt,
               Error{Code::kUnprocessable, "proposal_invalid", {}, std::move(issues)}));
  }
  Call call = core_->StartCall(caller, kAction);
  ApprovalRow row;
  row.id = ApprovalId::New(core_->Now());
  row.action = canonical.action;
  row.target = canonical.target;
  std::optional<ClientId> client;
  if (IsErasure(row.action)) {
    client = *ClientId::Parse(row.target);
    call.entry.client = client->Text();
  }
  AddDetail(call.entry, row.id.Text() + " " + row.action);
  Approval approval;
  COFFER_TRY(core_->Perform(
      OperationKind::kWrite, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
        const bool of_class =
            row.action == "retention.write" && row.target.starts_with(kClassTarget);
        COFFER_TRY(NameSubject(transaction, call, row.action, row.target));
        COFFER_TRY(core_->CheckProposer(transaction, call,
                                        of_class ? Name(Action::kClassWrite) : row.action, client));
        if (row.action == "role.give") {
          COFFER_ASSIGN(canonical.content,
                        CompleteGiving(canonical, transaction.Of<CatalogState>().current(),
                                       transaction.Of<AccessState>().principals()));
        }
        row.content = canonical.content;
        row.hash = core_->HashOf(canonical);
        call.entry.payload_hash = row.hash;
        row.requester = call.actor;
        row.target_version =
            TargetVersion(transaction.Of<CatalogState>().current(), row.action, row.target);
        row.created = transaction.now();
        row.expires = Timestamp{row.created.ms + kApprovalLifetimeMs};
        COFFER_TRY(
            MakeRoomForApproval(transaction, row.requester, row.content.size(), row.created));
        row.asked_seq = transaction.NextSeq();
        COFFER_TRY(transaction.Of<AccessState>().stores.approvals.Insert(row));
        approval = core_->DescribeApproval(transaction, row);
        COFFER_ASSIGN(approval.account, core_->WaysInto(transaction, approval.proposal));
        return {};
      }));
  return approval;
}

// Nobody asks for what they could not do: a request is not a way to find out, either.
Status Vault::Core::CheckProposer(Transaction& transaction, Call& call, std::string_view action,
                                  const std::optional<ClientId>& client) const {
  if (action == "role.give") {
    for (const Action giving : {Action::kPrincipalWrite, Action::kTokenCreate}) {
      COFFER_ASSIGN(const auto decision,
                    DecideFor(transaction, call, giving, std::nullopt, nullptr));
      if (decision.allowed) return {};
    }
    return Deny(call, "role", Code::kPermissionDenied, "permission_denied");
  }
  const auto* const known = std::ranges::find(kDecidedByTwo, action, &TwoPersonAction::name);
  COFFER_ASSIGN(const auto decision, DecideFor(transaction, call, known->action, client, nullptr));
  if (!decision.allowed) {
    call.entry.decision = audit::Decision::kDeny;
    call.entry.rule = decision.rule;
    return std::unexpected(decision.error);
  }
  if (client) {
    COFFER_ASSIGN(const auto row, transaction.Of<ClientsState>().stores.clients.Find(*client));
    if (!row) return NotFound(call);
  }
  return {};
}

Result<Approval> Vault::GetApproval(const Caller& caller, const ApprovalId& id) {
  Call call = core_->StartCall(caller, Action::kApprovalRead);
  call.entry.detail = id.Text();
  Approval approval;
  ApprovalOutlook outlook(*core_);
  COFFER_TRY(core_->Perform(
      OperationKind::kRead, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
        COFFER_ASSIGN(const auto row, transaction.Of<AccessState>().stores.approvals.Find(id));
        if (!row) return NotFound(call);
        COFFER_TRY(NameSubject(transaction, call, row->action, row->target));
        approval = core_->DescribeApproval(transaction, *row);
        COFFER_ASSIGN(approval.account, core_->WaysInto(transaction, approval.proposal));
        return outlook.Look(transaction, call, *row, approval.state);
      }));
  COFFER_TRY(outlook.Complete(call, approval));
  return approval;
}

Result<Page<Approval>> Vault::ListApprovals(const Caller& caller, const PageRequest& page) {
  constexpr std::string_view kList = "approvals";
  Call call = core_->StartCall(caller, Action::kApprovalRead);
  Page<Approval> result;
  COFFER_TRY(core_->Perform(
      OperationKind::kRead, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
        // Below zero: among those that do not wait for a decision.
        COFFER_ASSIGN(const std::int64_t cursor, core_->ReadCursor(call, kList, page.cursor));
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
                core_->MakeCursor(call, kList, place.closed ? -place.row - 1 : place.row);
            return {};
          }
          result.items.push_back(core_->DescribeApproval(transaction, row));
          place = ApprovalStore::PlaceOf(row);
        }
        return {};
      }));
  return result;
}

Result<Approval> Vault::DecideApproval(const Caller& caller, const ApprovalId& id, bool approve) {
  Call call = core_->StartCall(caller, Action::kApprovalDecide);
  Approval approval;
  COFFER_TRY(core_->Perform(
      OperationKind::kWrite, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
        AddDetail(call.entry, id.Text());
        COFFER_ASSIGN(auto row, transaction.Of<AccessState>().stores.approvals.Find(id));
        if (!row) return NotFound(call);
        call.entry.payload_hash = row->hash;
        AddDetail(call.entry, row->action + (approve ? " approved" : " rejected"));
        COFFER_TRY(NameSubject(transaction, call, row->action, row->target));
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
        const ApprovalState state = core_->DescribeApproval(transaction, *row).state;
        if (state != ApprovalState::kPending) {
          return Fail(Code::kConflict,
                      state == ApprovalState::kRejected ? "approval_decided" : WhyOver(state));
        }
        row->decider = call.actor;
        row->decided = transaction.now();
        row->approved = approve;
        COFFER_TRY(transaction.Of<AccessState>().stores.approvals.Update(*row));
        approval = core_->DescribeApproval(transaction, *row);
        COFFER_ASSIGN(approval.account, core_->WaysInto(transaction, approval.proposal));
        return {};
      }));
  return approval;
}

Result<Approval> Vault::WithdrawApproval(const Caller& caller, const ApprovalId& id) {
  Call call = core_->StartCall(caller, Action::kApprovalWithdraw);
  Approval approval;
  COFFER_TRY(core_->Perform(
      OperationKind::kWrite, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
        AddDetail(call.entry, id.Text());
        COFFER_ASSIGN(auto row, transaction.Of<AccessState>().stores.approvals.Find(id));
        // What is somebody else's is not there: this is no way to look.
        const bool own = row && (IsPerson(transaction, row->requester, *call.principal) ||
                                 (row->approved && row->decider &&
                                  IsPerson(transaction, *row->decider, *call.principal)));
        if (!own) return NotFound(call);
        call.entry.payload_hash = row->hash;
        AddDetail(call.entry, row->action + " withdrawn");
        COFFER_TRY(NameSubject(transaction, call, row->action, row->target));
        const ApprovalState state = core_->DescribeApproval(transaction, *row).state;
        if (!IsOpen(state)) return Fail(Code::kConflict, WhyOver(state));
        // Somebody relies on what was agreed to.
        if (state == ApprovalState::kApproved && audit::IsBlank(caller.reason)) {
          return Deny(call, "reason", Code::kInvalidArgument, "reason_required");
        }
        row->ended = transaction.now();
        row->ended_by = call.actor;
        row->why = ApprovalEnd::kWithdrawn;
        COFFER_TRY(transaction.Of<AccessState>().stores.approvals.Update(*row));
        approval = core_->DescribeApproval(transaction, *row);
        return {};
      }));
  return approval;
}

}  // namespace coffer::vault
