// Roles, assignments, leases, and the explanation of decisions.
#include <algorithm>

#include "vault/access/access_checks.h"
#include "vault/access/access_state.h"
#include "vault/access/conditions.h"
#include "vault/access/core.h"
#include "vault/base/names.h"
#include "vault/base/strict_json.h"
#include "vault/base/words.h"
#include "vault/catalog/catalog_state.h"
#include "vault/clients/explained_views.h"
#include "vault/vault.h"

namespace coffer::vault {
namespace {

constexpr std::size_t kMaxRoles = 1000;
constexpr std::int64_t kMinLeaseS = 60;
constexpr std::size_t kMaxLeases = 200;  // of one principal on one client, that go on
constexpr std::int64_t kEndedLeasesKeptMs = std::int64_t{24} * 3600 * 1000;
constexpr std::int64_t kMaxLeaseS = std::int64_t{30} * 24 * 3600;

Lease InfoOf(const LeaseRow& row) {
  return {row.id,
          row.client,
          row.principal,
          row.terms.class_name,
          row.terms.fields,
          row.terms.purpose,
          row.ticket,
          row.created,
          row.terms.expires,
          row.given_by,
          row.terms.own ? std::optional(row.terms.own->definition) : std::nullopt};
}

LeaseAnswer AnswerOn(const LeaseTerms& lease, std::string_view closed_for) {
  LeaseAnswer answer{lease.id, std::nullopt, closed_for.empty(), std::string(closed_for)};
  if (lease.own) answer.conditions = lease.own->definition;
  return answer;
}

}  // namespace

Result<std::shared_ptr<const RoleDocument>> Vault::GetRole(const Caller& caller,
                                                           std::string_view name) {
  Call call = core_->StartCall(caller, Action::kRoleRead);
  std::shared_ptr<const RoleDocument> role;
  COFFER_TRY(core_->Perform(OperationKind::kRead, call, std::nullopt, nullptr,
                            [&](Transaction& transaction) -> Status {
                              role = transaction.Of<CatalogState>().current().Role(name);
                              if (!role) return NotFound(call);
                              call.entry.detail = role->name;
                              call.entry.version = role->version;
                              return {};
                            }));
  return role;
}

Result<std::vector<std::shared_ptr<const RoleDocument>>> Vault::ListRoles(const Caller& caller) {
  Call call = core_->StartCall(caller, Action::kRoleRead);
  std::vector<std::shared_ptr<const RoleDocument>> roles;
  COFFER_TRY(core_->Perform(
      OperationKind::kRead, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
        for (const auto& [name, role] : transaction.Of<CatalogState>().current().roles) {
          roles.push_back(role);
        }
        return {};
      }));
  return roles;
}

Result<std::shared_ptr<const RoleDocument>> Vault::PutRole(const Caller& caller,
                                                           std::string_view name,
                                                           std::string_view definition) {
  auto parsed = ParseRole(name, definition);
  if (auto faults = FaultsOfTexts(definition); parsed && !faults.empty()) {
    parsed = std::unexpected(Error{Code::kUnprocessable, "role_invalid", {}, std::move(faults)});
  }
  if (parsed && FindBuiltInRole(name) != nullptr) {
    parsed = Fail(Code::kConflict, "role_built_in");
  }
  if (!parsed) {
    return std::unexpected(
        Refuse(caller, Action::kRoleWrite, std::nullopt, std::nullopt, parsed.error()));
  }
  Call call = core_->StartCall(caller, Action::kRoleWrite);
  call.entry.detail = parsed->name;
  std::shared_ptr<const RoleDocument> stored;
  COFFER_TRY(core_->Perform(
      OperationKind::kWrite, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
        const auto newest = transaction.Of<CatalogState>().current().Role(name);
        if (newest && newest->definition == parsed->definition) {
          stored = newest;
          call.entry.version = newest->version;
          call.entry.outcome = "unchanged";
          return {};
        }
        if (!newest && transaction.Of<CatalogState>().current().roles.size() >= kMaxRoles) {
          return Fail(Code::kConflict, "too_many_roles");
        }
        // A new role has no holders, and giving a privileged one takes two people in any case.
        if (newest) {
          COFFER_TRY(core_->RequireApproval(transaction, call,
                                            {"role.write", parsed->name, parsed->definition}));
        }
        parsed->version = newest ? newest->version + 1 : 1;
        call.entry.version = parsed->version;
        call.entry.payload_hash = crypto::Sha256(crypto::AsBytes(parsed->definition));
        COFFER_TRY(
            transaction.Of<CatalogState>().catalog_store.InsertRole(*parsed, transaction.now()));
        stored = std::make_shared<const RoleDocument>(*parsed);
        Catalog catalog = transaction.Of<CatalogState>().current();
        catalog.roles.insert_or_assign(stored->name, stored);
        ReplaceCatalog(transaction, std::move(catalog));
        return {};
      }));
  return stored;
}

Result<Assignment> Vault::Assign(const Caller& caller, const ClientId& client,
                                 const PrincipalId& principal, const AssignmentTerms& terms) {
  constexpr Action kAction = Action::kAssignmentWrite;
  if (terms.starts && terms.ends && *terms.ends <= *terms.starts) {
    return std::unexpected(Refuse(caller, kAction, client, std::nullopt,
                                  Error{Code::kUnprocessable,
                                        "assignment_invalid",
                                        {},
                                        {{"/ends", "must be after the start"}}}));
  }
  Call call = core_->StartCall(caller, kAction);
  call.About(client);
  call.entry.detail = principal.Text();
  Assignment assignment;
  COFFER_TRY(core_->Perform(
      OperationKind::kWrite, call, client, nullptr, [&](Transaction& transaction) -> Status {
        COFFER_TRY(RequireClient(transaction, call));
        if (transaction.Of<AccessState>().principals().FindTeam(principal) == nullptr) {
          COFFER_TRY(RequirePrincipal(transaction, principal));
        }
        if (IsOfCaller(transaction, call, principal)) {
          return Deny(call, "separation", Code::kPermissionDenied, "own_request");
        }
        if (terms.ends) AddDetail(call.entry, "until " + audit::FormatTimestamp(*terms.ends));
        const auto* const given = transaction.Of<AccessState>().access().AssignmentsOf(client);
        if (given != nullptr) {
          const auto known = std::ranges::find(*given, principal, &AssignmentRow::principal);
          // Without a start it goes on from where it began.
          if (known != given->end() && known->ends == terms.ends &&
              (terms.starts ? known->starts == *terms.starts
                            : known->starts <= transaction.now())) {
            call.entry.outcome = "unchanged";
            assignment = InfoOf(*known);
            return {};
          }
        }
        AssignmentRow row{client, principal, terms.starts.value_or(transaction.now()), terms.ends,
                          call.actor};
        COFFER_TRY(transaction.Of<AccessState>().stores.access.PutAssignment(row));
        assignment = InfoOf(row);
        assignment.changed = true;
        StageAssignment(transaction, std::move(row));
        return {};
      }));
  return assignment;
}

Status Vault::Unassign(const Caller& caller, const ClientId& client, const PrincipalId& principal) {
  Call call = core_->StartCall(caller, Action::kAssignmentWrite);
  call.About(client);
  call.entry.detail = principal.Text() + " ended";
  return core_->Perform(
      OperationKind::kWrite, call, client, nullptr, [&](Transaction& transaction) -> Status {
        const auto* const rows = transaction.Of<AccessState>().access().AssignmentsOf(client);
        if (rows == nullptr ||
            std::ranges::find(*rows, principal, &AssignmentRow::principal) == rows->end()) {
          return NotFound(call);
        }
        COFFER_TRY(transaction.Of<AccessState>().stores.access.DeleteAssignment(client, principal));
        RemoveAssignment(transaction, client, principal);
        return {};
      });
}

Result<std::vector<Assignment>> Vault::ListAssignments(const Caller& caller,
                                                       const ClientId& client) {
  Call call = core_->StartCall(caller, Action::kAssignmentRead);
  call.About(client);
  std::vector<Assignment> assignments;
  COFFER_TRY(core_->Perform(
      OperationKind::kRead, call, client, nullptr, [&](Transaction& transaction) -> Status {
        COFFER_TRY(RequireClient(transaction, call));
        if (const auto* const rows = transaction.Of<AccessState>().access().AssignmentsOf(client)) {
          for (const auto& row : *rows) assignments.push_back(InfoOf(row));
        }
        return {};
      }));
  std::ranges::sort(assignments, {}, &Assignment::principal);
  return assignments;
}

Result<Lease> Vault::GiveLease(const Caller& caller, const ClientId& client,
                               const LeaseRequest& request) {
  constexpr Action kAction = Action::kLeaseWrite;
  const auto schema = core_->engine->Of<CatalogState>().Published()->Newest(request.class_name);
  std::vector<Issue> issues;
  if (!schema) issues.push_back({"/class", "is not a class"});
  if (schema && !schema->AllowsPurpose(request.purpose)) {
    issues.push_back({"/purpose", "is not a purpose of the class"});
  }
  if (request.fields.empty()) issues.push_back({"/fields", "must name at least one field"});
  for (std::size_t i = 0; schema && i < request.fields.size(); ++i) {
    if (schema->Find(request.fields[i]) == nullptr) {
      issues.push_back({"/fields/" + std::to_string(i), "is not a field of the class"});
    }
  }
  if (!IsTicket(request.ticket)) {
    issues.push_back({"/ticket", "must be 1 to 64 letters, digits and any of -_.:/#"});
  }
  if (request.lifetime_s < kMinLeaseS || request.lifetime_s > kMaxLeaseS) {
    issues.push_back({"/lifetime_s", "must be between 60 and 2592000 seconds"});
  }
  const auto own = request.conditions ? ParseOwnConditions(*request.conditions, issues) : nullptr;
  if (!issues.empty()) {
    return std::unexpected(
        Refuse(caller, kAction, client, std::nullopt,
               Error{Code::kUnprocessable, "lease_invalid", {}, std::move(issues)}));
  }
  Call call = core_->StartCall(caller, kAction);
  call.About(client);
  LeaseRow row;
  row.id = LeaseId::New(core_->Now());
  row.client = client;
  row.principal = request.principal;
  row.terms.id = row.id.Text();
  row.terms.class_name = request.class_name;
  row.terms.fields = request.fields;
  std::ranges::sort(row.terms.fields);
  const auto repeated = std::ranges::unique(row.terms.fields);
  row.terms.fields.erase(repeated.begin(), repeated.end());
  row.terms.purpose = request.purpose;
  row.terms.own = own;
  row.ticket = request.ticket;
  call.entry.class_name = request.class_name;
  call.entry.fields = row.terms.fields;
  call.entry.detail = row.id.Text() + " " + request.principal.Text() + " " + request.ticket;
  if (own) AddDetail(call.entry, "conditions " + own->definition);
  COFFER_TRY(core_->Perform(
      OperationKind::kWrite, call, client, nullptr, [&](Transaction& transaction) -> Status {
        COFFER_TRY(RequireClient(transaction, call));
        COFFER_TRY(RequirePrincipal(transaction, request.principal));
        if (IsOfCaller(transaction, call, request.principal)) {
          return Deny(call, "separation", Code::kPermissionDenied, "own_request");
        }
        row.created = transaction.now();
        const auto* const others = transaction.Of<AccessState>().access().LeasesOf(client);
        const auto goes_on = [&](const LeaseRow& other) {
          return other.principal == row.principal && row.created < other.terms.expires;
        };
        if (others != nullptr &&
            std::ranges::count_if(*others, goes_on) >= static_cast<std::ptrdiff_t>(kMaxLeases)) {
          return Fail(Code::kConflict, "too_many_leases");
        }
        COFFER_TRY(transaction.Of<AccessState>().stores.access.PurgeLeases(
            Timestamp{row.created.ms - kEndedLeasesKeptMs}));
        row.terms.expires = Timestamp{row.created.ms + request.lifetime_s * 1000};
        row.given_by = call.actor;
        COFFER_TRY(transaction.Of<AccessState>().stores.access.InsertLease(row));
        StageLease(transaction, row);
        return {};
      }));
  return InfoOf(row);
}

Result<Lease> Vault::EndLease(const Caller& caller, const ClientId& client, const LeaseId& id) {
  Call call = core_->StartCall(caller, Action::kLeaseWrite);
  call.About(client);
  call.entry.detail = id.Text() + " ended";
  Lease lease;
  COFFER_TRY(core_->Perform(
      OperationKind::kWrite, call, client, nullptr, [&](Transaction& transaction) -> Status {
        const auto* const rows = transaction.Of<AccessState>().access().LeasesOf(client);
        if (rows == nullptr) return NotFound(call);
        const auto found = std::ranges::find(*rows, id, &LeaseRow::id);
        if (found == rows->end()) return NotFound(call);
        LeaseRow row = *found;
        row.terms.expires = std::min(row.terms.expires, transaction.now());
        COFFER_TRY(transaction.Of<AccessState>().stores.access.EndLease(id, row.terms.expires));
        lease = InfoOf(row);
        StageLease(transaction, std::move(row));
        return {};
      }));
  return lease;
}

Result<std::vector<Lease>> Vault::ListLeases(const Caller& caller, const ClientId& client) {
  Call call = core_->StartCall(caller, Action::kLeaseRead);
  call.About(client);
  std::vector<Lease> leases;
  COFFER_TRY(core_->Perform(
      OperationKind::kRead, call, client, nullptr, [&](Transaction& transaction) -> Status {
        COFFER_TRY(RequireClient(transaction, call));
        if (const auto* const rows = transaction.Of<AccessState>().access().LeasesOf(client)) {
          for (const auto& row : *rows) {
            if (transaction.now() < row.terms.expires) leases.push_back(InfoOf(row));
          }
        }
        return {};
      }));
  return leases;
}

Result<AccessAnswer> Vault::ExplainAccess(const Caller& caller, const AccessQuestion& question) {
  constexpr Action kAction = Action::kAccessExplain;
  const auto action = ActionFromName(question.action);
  const auto catalog = core_->engine->Of<CatalogState>().Published();
  const auto schema = question.class_version
                          ? catalog->Version(question.class_name, *question.class_version)
                          : catalog->Newest(question.class_name);
  std::vector<Issue> issues;
  if (!action) issues.push_back({"/action", "is not an action"});
  if (!question.class_name.empty() && !catalog->Newest(question.class_name)) {
    issues.push_back({"/class", "is not a class"});
  } else if (question.class_version && !schema) {
    issues.push_back({"/class_version", "is not a version of the class"});
  }
  if (!question.address.empty() && !AddressBlock(question.address)) {
    issues.push_back({"/address", "is no address"});
  }
  if (!issues.empty()) {
    return std::unexpected(
        Refuse(caller, kAction, question.client, std::nullopt,
               Error{Code::kUnprocessable, "question_invalid", {}, std::move(issues)}));
  }
  Call call = core_->StartCall(caller, kAction);
  if (question.client) call.About(*question.client);
  call.entry.class_name = question.class_name;
  call.entry.detail = question.principal.Text() + " " + question.action;
  AccessAnswer answer;
  COFFER_TRY(core_->Perform(
      OperationKind::kRead, call, question.client, nullptr,
      [&](Transaction& transaction) -> Status {
        const PrincipalRow* const principal =
            transaction.Of<AccessState>().principals().Find(question.principal);
        if (principal == nullptr) return Fail(Code::kUnprocessable, "principal_unknown");
        Caller asker;
        asker.purpose = question.purpose;
        asker.address = question.address;
        asker.address_known = !question.address.empty();
        if (question.reason) asker.reason = "given";
        if (question.ticket) asker.ticket = "given";
        if (question.certificate) {
          asker.certificate = ClientCertificate{principal->certificates};
        }
        TokenRow shown;
        if (question.second_factor_minutes) {
          const Timestamp at = question.at.value_or(core_->latest);
          shown.factor = Timestamp{at.ms - *question.second_factor_minutes * 60'000};
        }
        Call asked = core_->StartCall(asker, *action);
        asked.principal = principal;
        asked.token = &shown;
        asked.role = transaction.Of<CatalogState>().current().Role(principal->role);
        if (auto able = core_->RequireSecondFactor(transaction, *principal); !able) {
          asked.credential_fault = "second-factor-missing";
        }
        if (principal->disabled) asked.credential_fault = "principal-disabled";
        COFFER_ASSIGN(const auto decision,
                      core_->DecideFor(transaction, asked, *action, question.client,
                                       DecidedWith(*action, schema.get()), question.at));
        answer.allowed = decision.allowed;
        answer.rule = decision.rule;
        if (!decision.allowed) answer.reason = decision.error.reason;
        // An import makes the client that it does not find: where it may not, it is not "not
        // found".
        if (action == Action::kRecordImport && decision.error.code == Code::kNotFound) {
          answer.reason = "permission_denied";
        }
        answer.role = asked.role->name;
        answer.role_version = asked.role->version;
        for (const Grant* grant : decision.grants) {
          answer.grants.push_back(grant->place);
        }
        for (const LeaseTerms* lease : decision.leases) {
          answer.leases.push_back(AnswerOn(*lease, ""));
        }
        for (const ClosedLease& closed : decision.closed_leases) {
          answer.leases.push_back(AnswerOn(*closed.lease, closed.reason));
        }
        if (!decision.allowed) return {};
        COFFER_TRY(
            ExplainFields(*core_, transaction, asked, decision, schema.get(), question, answer));
        ExplainPlainFields(transaction, decision, schema.get(), question, answer);
        return {};
      }));
  return answer;
}

}  // namespace coffer::vault
