// Which clients are given to whom.
#include "vault/access/assignments.h"

#include <algorithm>

#include "vault/access/access_acts.h"
#include "vault/access/access_checks.h"
#include "vault/access/access_state.h"
#include "vault/access/assignment.h"
#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/base/page.h"

namespace coffer::vault {

Result<Assignment> Assignments::Assign(const Caller& caller, const ClientId& client,
                                       const PrincipalId& principal, const AssignmentTerms& terms) {
  constexpr Action kAction = Action::kAssignmentWrite;
  if (terms.starts && terms.ends && *terms.ends <= *terms.starts) {
    return operations_.Refuse(caller, {.action = kAction, .client = client},
                              Error{Code::kUnprocessable,
                                    "assignment_invalid",
                                    {},
                                    {{"/ends", "must be after the start"}}});
  }
  Call call = operations_.Start(caller, {kAction, OperationKind::kWrite, client});
  call.entry.detail = principal.Text();
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Assignment> {
    COFFER_TRY(RequireClient(transaction, call));
    if (transaction.Of<AccessState>().principals().FindTeam(principal) == nullptr) {
      COFFER_TRY(RequirePrincipal(transaction, principal));
    }
    if (IsOfCaller(transaction, call, principal)) {
      return Deny(call, "separation", Code::kPermissionDenied, "own_request");
    }
    if (terms.ends) AddDetail(call.entry, "until " + audit::FormatTimestamp(*terms.ends));
    const auto* const given = transaction.Of<AccessState>().access().AssignmentsOf(client);
    const AssignmentRow* before = nullptr;
    if (given != nullptr) {
      const auto known = std::ranges::find(*given, principal, &AssignmentRow::principal);
      if (known != given->end()) before = &*known;
      // Without a start it goes on from where it began.
      if (known != given->end() && known->ends == terms.ends &&
          (terms.starts ? known->starts == *terms.starts : known->starts <= transaction.now())) {
        call.entry.outcome = "unchanged";
        return InfoOf(*known);
      }
    }
    AssignmentRow row{client, principal, terms.starts.value_or(transaction.now()), terms.ends,
                      call.actor};
    COFFER_TRY(transaction.Of<AccessState>().stores.access.PutAssignment(row));
    COFFER_TRY(ActAssigned(transaction, row, before));
    Assignment assignment = InfoOf(row);
    assignment.changed = true;
    StageAssignment(transaction, std::move(row));
    return assignment;
  });
}

Status Assignments::Unassign(const Caller& caller, const ClientId& client,
                             const PrincipalId& principal) {
  Call call = operations_.Start(caller, {Action::kAssignmentWrite, OperationKind::kWrite, client});
  call.entry.detail = principal.Text() + " ended";
  return operations_.Perform(call, [&](Transaction& transaction) -> Status {
    const auto* const rows = transaction.Of<AccessState>().access().AssignmentsOf(client);
    if (rows == nullptr ||
        std::ranges::find(*rows, principal, &AssignmentRow::principal) == rows->end()) {
      return NotFound(call);
    }
    COFFER_TRY(transaction.Of<AccessState>().stores.access.DeleteAssignment(client, principal));
    ActUnassigned(transaction, client, principal);
    RemoveAssignment(transaction, client, principal);
    return {};
  });
}

Result<std::vector<Assignment>> Assignments::ListAssignments(const Caller& caller,
                                                             const ClientId& client) {
  Call call = operations_.Start(caller, {Action::kAssignmentRead, OperationKind::kRead, client});
  std::vector<Assignment> assignments;
  COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) -> Status {
    COFFER_TRY(RequireClient(transaction, call));
    if (const auto* const rows = transaction.Of<AccessState>().access().AssignmentsOf(client)) {
      for (const auto& row : *rows) assignments.push_back(InfoOf(row));
    }
    return {};
  }));
  std::ranges::sort(assignments, {}, &Assignment::principal);
  return assignments;
}

Result<Page<Assignment>> Assignments::ListAssignmentsOf(const Caller& caller,
                                                        const PrincipalId& principal,
                                                        const PageRequest& page) {
  const std::string list = "assignments/" + principal.Text();
  Call call = operations_.Start(caller, {Action::kAssignmentRead});
  call.entry.detail = principal.Text();
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Page<Assignment>> {
    Page<Assignment> result;
    COFFER_ASSIGN(const auto after, operations_.ReadCursor(call, list, page.cursor));
    COFFER_ASSIGN(const auto rows, transaction.Of<AccessState>().stores.access.ListAssignmentsOf(
                                       principal, after, std::nullopt, page.limit + 1));
    const PrincipalRegister& principals = transaction.Of<AccessState>().principals();
    if (rows.empty() && principals.Find(principal) == nullptr &&
        principals.FindTeam(principal) == nullptr) {
      return std::unexpected(
          Error{Code::kInvalidArgument, "filter_unknown", {}, {{"/principal", "is nobody's id"}}});
    }
    for (std::size_t i = 0; i < std::min(rows.size(), page.limit); ++i) {
      COFFER_ASSIGN(const auto decision,
                    operations_.DecisionOn(transaction, call, rows[i].client, nullptr));
      if (!decision.allowed) continue;
      audit::Entry entry;
      entry.action = Name(Action::kAssignmentRead);
      entry.client = rows[i].client.Text();
      transaction.Also(std::move(entry));
      result.items.push_back(InfoOf(rows[i]));
    }
    if (rows.size() > page.limit) {
      result.next_cursor = operations_.MakeCursor(call, list, rows[page.limit - 1].client.Row());
    }
    return result;
  });
}

}  // namespace coffer::vault
