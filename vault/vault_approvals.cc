// What two people decide: one asks, another approves, the first does it, once.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "vault/calendar.h"
#include "vault/internal/core.h"
#include "vault/internal/export_selection.h"
#include "vault/strict_json.h"
#include "vault/vault.h"

namespace coffer::vault {
namespace {

using nlohmann::json;

constexpr std::int64_t kApprovalLifetimeMs = std::int64_t{72} * 3600 * 1000;
constexpr std::int64_t kGoingOnMs = std::int64_t{3600} * 1000;
constexpr std::int64_t kDayInMs = std::int64_t{24} * 3600 * 1000;
constexpr std::size_t kMaxTarget = 256;

constexpr std::string_view kByChange = "change";

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
  if (row.decided && !row.approved) return ApprovalState::kRejected;
  if (row.expires <= now) return ApprovalState::kExpired;
  return row.approved ? ApprovalState::kApproved : ApprovalState::kPending;
}

Approval InfoOf(const ApprovalRow& row, Timestamp now) {
  return {row.id,        {row.action, row.target, row.content},
          row.hash,      StateOf(row, now),
          row.requester, row.created,
          row.expires,   row.decider,
          row.decided,   row.executed};
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
    if (proposal.target != "schedule")
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
  const auto content = ParseStrictJson(proposal.content.empty() ? "null" : proposal.content);
  if (!content || !content->is_object()) {
    issues.push_back({"/content", "must be an object"});
    return {};
  }
  const auto text = [&](const char* name) -> std::string {
    const auto found = content->find(name);
    return found != content->end() && found->is_string() ? found->get<std::string>() : "";
  };
  if (catalog.Role(text("role")) == nullptr) {
    issues.push_back({"/content/role", "must be the name of a role"});
  }
  if (std::ranges::find(kWaysToGive, text("by")) == std::end(kWaysToGive)) {
    issues.push_back({"/content/by",
                      "must be one of certificate, change, enrolment, rotation, "
                      "service, token, user"});
  }
  const std::string by = text("by");
  const auto is_binding = [](const json& item) {
    return item.is_string() && IsCertificateBinding(item.get_ref<const std::string&>());
  };
  for (const auto& [name, value] : content->items()) {
    const bool owner = name == "owner" && by == "service" && PrincipalId::Parse(text("owner"));
    const bool certificates = name == "certificates" && (by == "service" || by == "change") &&
                              value.is_array() && !value.empty() &&
                              std::ranges::all_of(value, is_binding);
    if (name != "role" && name != "by" && !owner && !certificates) {
      issues.push_back({PointerTo("/content", name), "has no place here, or is not valid"});
    }
  }
  const bool named =
      proposal.target.starts_with("user:") || proposal.target.starts_with("service:");
  if (!named && !PrincipalId::Parse(proposal.target)) {
    issues.push_back({"/target", "must be a principal's id, \"user:LOGIN\" or \"service:NAME\""});
  }
  return content->dump();
}

std::string OwnerIn(std::string_view content) {
  const auto parsed = ParseStrictJson(content);
  return parsed && parsed->is_object() ? parsed->value("owner", "") : "";
}

bool SeesClients(const RoleDocument& role) {
  return std::ranges::any_of(role.grants, [](const Grant& grant) {
    return !grant.deny && std::ranges::any_of(grant.actions, TouchesClientData);
  });
}

std::string ContentToGive(const PrincipalRow& principal, std::string_view by) {
  json content = {{"role", principal.role}, {"by", by}};
  if (by == "service" && principal.owner) content["owner"] = principal.owner->Text();
  const bool names_certificates = by == "service" || by == "change";
  if (names_certificates && !principal.certificates.empty()) {
    content["certificates"] = principal.certificates;
  }
  return content.dump();
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
      break;
  }
  return "expired";
}

crypto::Hash Vault::Core::HashOf(const Proposal& proposal) const {
  const json document = {
      {"action", proposal.action}, {"content", proposal.content}, {"target", proposal.target}};
  return crypto::Sha256(crypto::AsBytes(document.dump()));
}

Status Vault::Core::RequireApproval(Transaction& transaction, Call& call,
                                    const Proposal& proposal) const {
  if (!two_person) {
    AddDetail(call.entry, "one person alone");
    return {};
  }
  if (call.caller.approval.empty()) {
    return Deny(call, "approval", Code::kPermissionDenied, "approval_required");
  }
  COFFER_TRY(CheckState());
  const auto invalid = [&] {
    return Deny(call, "approval", Code::kPermissionDenied, "approval_invalid");
  };
  const auto id = ApprovalId::Parse(call.caller.approval);
  if (!id) return invalid();
  COFFER_ASSIGN(auto row, transaction.stores().approvals.Find(*id));
  if (!row || row->hash != HashOf(proposal) || row->requester != call.actor ||
      StateOf(*row, latest) != ApprovalState::kApproved) {
    return invalid();
  }
  row->executed = transaction.now();
  AddDetail(call.entry, row->id.Text());
  return transaction.stores().approvals.Update(*row);
}

Status Vault::Core::RequireStarted(Transaction& transaction, Call& call,
                                   const Proposal& proposal) const {
  if (!two_person) return {};
  COFFER_TRY(CheckState());
  const auto id = ApprovalId::Parse(call.caller.approval);
  if (id) {
    COFFER_ASSIGN(const auto row, transaction.stores().approvals.Find(*id));
    if (row && row->hash == HashOf(proposal) && row->requester == call.actor && row->executed &&
        latest.ms - row->executed->ms <= kGoingOnMs) {
      AddDetail(call.entry, row->id.Text());
      return {};
    }
  }
  return Deny(call, "approval", Code::kPermissionDenied, "approval_invalid");
}

Status Vault::Core::RequireApprovalToGive(Transaction& transaction, Call& call,
                                          const PrincipalRow& principal, std::string target,
                                          std::string_view by) const {
  const auto role = transaction.catalog().Role(principal.role);
  // The request was checked against a role whose making was not committed after all.
  if (!role) return Fail(Code::kConflict, "role_unknown");
  // An account that is there may have clients, leases, emergencies: a way into it is one to them.
  const bool way_in = PrincipalId::Parse(target) && (by != kByChange || SeesClients(*role));
  if (!role->privileged && !way_in) return {};
  return RequireApproval(transaction, call,
                         {"role.give", std::move(target), ContentToGive(principal, by)});
}

Result<Approval> Vault::RequestApproval(const Caller& caller, const Proposal& proposal) {
  constexpr Action kAction = Action::kApprovalRequest;
  std::vector<Issue> issues;
  Proposal canonical = proposal;
  if (std::ranges::find(kTwoPersonActions, proposal.action) == std::end(kTwoPersonActions)) {
    issues.push_back(
        {"/action",
         "must be one of client.erase, client.export, clock.confirm, hold.lift, record.erase, "
         "retention.write, role.give, role.write"});
  } else if (proposal.target.empty() || proposal.target.size() > kMaxTarget ||
             !IsCleanUtf8(proposal.target)) {
    issues.push_back({"/target", "must be text of 1 to 256 bytes"});
  } else {
    canonical.content =
        CanonicalContent(proposal, *core_->engine->catalog(), caller.purpose, core_->Now(), issues);
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
  row.content = canonical.content;
  row.hash = core_->HashOf(canonical);
  std::optional<ClientId> client;
  if (row.action == "client.erase" || row.action == "record.erase") {
    client = *ClientId::Parse(row.target);
    call.entry.client = client->Text();
  }
  call.entry.payload_hash = row.hash;
  AddDetail(call.entry, row.id.Text() + " " + row.action);
  Approval approval;
  COFFER_TRY(core_->Perform(
      OperationKind::kWrite, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
        const bool of_class =
            row.action == "retention.write" && row.target.starts_with(kClassTarget);
        COFFER_TRY(core_->CheckProposer(transaction, call,
                                        of_class ? Name(Action::kClassWrite) : row.action, client));
        row.requester = call.actor;
        row.created = transaction.now();
        row.expires = Timestamp{row.created.ms + kApprovalLifetimeMs};
        COFFER_TRY(transaction.stores().approvals.Insert(row));
        approval = InfoOf(row, core_->latest);
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
    COFFER_ASSIGN(const auto row, transaction.stores().clients.Find(*client));
    if (!row) return NotFound(call);
  }
  return {};
}

Result<Approval> Vault::GetApproval(const Caller& caller, const ApprovalId& id) {
  Call call = core_->StartCall(caller, Action::kApprovalRead);
  call.entry.detail = id.Text();
  Approval approval;
  COFFER_TRY(core_->Perform(
      OperationKind::kRead, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
        COFFER_ASSIGN(const auto row, transaction.stores().approvals.Find(id));
        if (!row) return NotFound(call);
        approval = InfoOf(*row, core_->latest);
        return {};
      }));
  return approval;
}

Result<std::vector<Approval>> Vault::ListApprovals(const Caller& caller) {
  Call call = core_->StartCall(caller, Action::kApprovalRead);
  std::vector<Approval> approvals;
  COFFER_TRY(core_->Perform(OperationKind::kRead, call, std::nullopt, nullptr,
                            [&](Transaction& transaction) -> Status {
                              COFFER_ASSIGN(const auto rows, transaction.stores().approvals.List());
                              for (const auto& row : rows) {
                                approvals.push_back(InfoOf(row, core_->latest));
                              }
                              return {};
                            }));
  return approvals;
}

Result<Approval> Vault::DecideApproval(const Caller& caller, const ApprovalId& id, bool approve) {
  Call call = core_->StartCall(caller, Action::kApprovalDecide);
  Approval approval;
  COFFER_TRY(core_->Perform(
      OperationKind::kWrite, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
        AddDetail(call.entry, id.Text());
        COFFER_ASSIGN(auto row, transaction.stores().approvals.Find(id));
        if (!row) return NotFound(call);
        call.entry.payload_hash = row->hash;
        AddDetail(call.entry, row->action + (approve ? " approved" : " rejected"));
        if (row->action == "client.erase" || row->action == "record.erase") {
          call.entry.client = row->target;
        }
        const bool covered = std::ranges::any_of(call.decision.grants, [&](const Grant* grant) {
          return !grant->deny && grant->CoversApproval(row->action);
        });
        if (!covered) return Deny(call, "role", Code::kPermissionDenied, "permission_denied");
        const PrincipalRow* const requester = transaction.principals().Find(row->requester);
        const auto is_decider = [&](std::string_view text) {
          const auto parsed = PrincipalId::Parse(text);
          const PrincipalRow* const person =
              parsed ? transaction.principals().Find(*parsed) : nullptr;
          return person != nullptr && person->person() == call.principal->person();
        };
        if (requester == nullptr || requester->person() == call.principal->person() ||
            is_decider(row->target) || is_decider(OwnerIn(row->content))) {
          return Deny(call, "separation", Code::kPermissionDenied, "own_request");
        }
        const ApprovalState state = StateOf(*row, core_->latest);
        if (state == ApprovalState::kExpired) return Fail(Code::kConflict, "approval_expired");
        if (state != ApprovalState::kPending) return Fail(Code::kConflict, "approval_decided");
        row->decider = call.actor;
        row->decided = transaction.now();
        row->approved = approve;
        COFFER_TRY(transaction.stores().approvals.Update(*row));
        approval = InfoOf(*row, core_->latest);
        return {};
      }));
  return approval;
}

}  // namespace coffer::vault
