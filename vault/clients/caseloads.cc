// Many clients at once: assigned, and handed over.
#include "vault/clients/caseloads.h"

#include <algorithm>

#include "vault/access/access_acts.h"
#include "vault/access/access_checks.h"
#include "vault/access/access_state.h"
#include "vault/access/assignment.h"
#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/clients/caseload.h"

namespace coffer::vault {
namespace {

Error AssignmentInvalid(std::string pointer, std::string message) {
  return {
      Code::kUnprocessable, "assignment_invalid", {}, {{std::move(pointer), std::move(message)}}};
}

std::optional<Error> FaultOf(const std::vector<ClientName>& clients, bool may_be_empty) {
  if (clients.empty() && !may_be_empty) {
    return AssignmentInvalid("/clients", "must name at least one client");
  }
  if (clients.size() > kMostAssigned) {
    return AssignmentInvalid("/clients",
                             "has more than " + std::to_string(kMostAssigned) + " items");
  }
  return std::nullopt;
}

// By its reference a client is found as by any other search: what the caller may not find so is not
// there.
Result<ClientId> FindNamed(Searches& searches, const Caller& caller, const ClientName& name) {
  if (name.id) return *name.id;
  COFFER_ASSIGN(const auto found, searches.SearchByReference(caller, name.external_ref));
  if (found.items.empty()) return Fail(Code::kNotFound, "not_found");
  return found.items.front().client;
}

// Whose end is later, or who has none.
std::optional<Timestamp> LaterEnd(const std::optional<Timestamp>& one,
                                  const std::optional<Timestamp>& other) {
  if (!one || !other) return std::nullopt;
  return std::max(*one, *other);
}

Status RequireTaker(Transaction& transaction, Call& call, const PrincipalId& taker) {
  if (transaction.Of<AccessState>().principals().FindTeam(taker) == nullptr) {
    COFFER_TRY(RequirePrincipal(transaction, taker));
    if (transaction.Of<AccessState>().principals().Find(taker)->disabled) {
      return std::unexpected(AssignmentInvalid("/to", "is disabled"));
    }
  }
  if (IsOfCaller(transaction, call, taker)) {
    return Deny(call, "separation", Code::kPermissionDenied, "own_request");
  }
  return {};
}

// The client that the call is about, from the one to the other, in one operation.
Status Move(Transaction& transaction, Call& call, const HandOverRequest& request,
            Assignment& moved) {
  const ClientId& client = *call.subject;
  COFFER_TRY(RequireClient(transaction, call));
  const auto* const rows = transaction.Of<AccessState>().access().AssignmentsOf(client);
  const auto row_of = [&](const PrincipalId& principal) -> const AssignmentRow* {
    if (rows == nullptr) return nullptr;
    const auto found = std::ranges::find(*rows, principal, &AssignmentRow::principal);
    return found == rows->end() ? nullptr : &*found;
  };
  const AssignmentRow* const given = row_of(request.from);
  const Timestamp now = transaction.now();
  if (given == nullptr || (given->ends && *given->ends <= now)) return NotFound(call);
  COFFER_TRY(RequireTaker(transaction, call, request.to));
  AssignmentRow row{client, request.to, std::max(given->starts, now), given->ends, call.actor};
  const AssignmentRow* const has = row_of(request.to);
  if (has != nullptr && !(has->ends && *has->ends <= now)) {
    row.starts = std::min(row.starts, has->starts);
    row.ends = LaterEnd(row.ends, has->ends);
  }
  if (row.ends) AddDetail(call.entry, "until " + audit::FormatTimestamp(*row.ends));
  AccessStore& store = transaction.Of<AccessState>().stores.access;
  COFFER_TRY(store.PutAssignment(row));
  COFFER_TRY(ActAssigned(transaction, row, has));
  COFFER_TRY(store.DeleteAssignment(client, request.from));
  ActUnassigned(transaction, client, request.from);
  moved = InfoOf(row);
  moved.changed = true;
  StageAssignment(transaction, std::move(row));
  RemoveAssignment(transaction, client, request.from);
  return {};
}

}  // namespace

Result<std::vector<AssignedClient>> Caseloads::AssignMany(const Caller& caller,
                                                          const std::vector<ClientName>& clients,
                                                          const PrincipalId& principal,
                                                          const AssignmentTerms& terms) {
  if (auto fault = FaultOf(clients, false)) {
    return operations_.Refuse(caller, {Action::kAssignmentWrite}, *std::move(fault));
  }
  // Who may not assign at all is told so once; a success leaves the entries of each client.
  Call asked = operations_.Start(
      caller, {.action = Action::kAssignmentWrite, .entry = EntryRule::kOnRefusal});
  COFFER_TRY(operations_.Perform(asked, [&](Transaction& transaction) -> Status {
    const PrincipalRow* const taker = transaction.Of<AccessState>().principals().Find(principal);
    if (taker == nullptr || !taker->disabled) return {};
    return std::unexpected(AssignmentInvalid("/principal", "is disabled"));
  }));
  std::vector<AssignedClient> answers;
  for (const ClientName& name : clients) {
    AssignedClient& answer = answers.emplace_back(AssignedClient{name, std::nullopt});
    const auto id = FindNamed(searches_, caller, name);
    auto assigned = id ? assignments_.Assign(caller, *id, principal, terms)
                       : Result<Assignment>(std::unexpected(id.error()));
    if (assigned) {
      answer.assignment = *std::move(assigned);
    } else if (assigned.error().code == Code::kUnauthenticated) {
      return std::unexpected(std::move(assigned).error());
    } else {
      answer.error = std::move(assigned).error();
    }
  }
  return answers;
}

Result<HandedOver> Caseloads::HandOver(const Caller& caller, const HandOverRequest& request) {
  constexpr Action kAction = Action::kAssignmentWrite;
  auto fault = FaultOf(request.clients, true);
  if (request.from == request.to) fault = AssignmentInvalid("/to", "is who has them");
  if (fault) {
    return operations_.Refuse(caller, {kAction}, *std::move(fault));
  }
  HandedOver done;
  std::vector<ClientName> names = request.clients;
  const bool listed = names.empty();
  // Once for all of them, before the first has moved.
  Call asked = operations_.Start(caller, {.action = kAction, .entry = EntryRule::kOnRefusal});
  asked.entry.detail = request.from.Text() + " to " + request.to.Text();
  COFFER_TRY(operations_.Perform(asked, [&](Transaction& transaction) {
    return RequireTaker(transaction, asked, request.to);
  }));
  if (listed) {
    const std::string list = "hand-over/" + request.from.Text() + "/" + request.to.Text();
    Call call = operations_.Start(caller, {Action::kAssignmentRead});
    call.entry.detail = request.from.Text();
    COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) -> Status {
      COFFER_ASSIGN(const auto after, operations_.ReadCursor(call, list, request.page.cursor));
      COFFER_ASSIGN(const auto rows,
                    transaction.Of<AccessState>().stores.access.ListAssignmentsOf(
                        request.from, after, transaction.now(), request.page.limit + 1));
      for (std::size_t i = 0; i < std::min(rows.size(), request.page.limit); ++i) {
        // Whose they are is told of those alone of which the caller may know it.
        COFFER_ASSIGN(const auto decision,
                      operations_.DecisionOn(transaction, call, rows[i].client, nullptr));
        decision.allowed ? names.push_back({rows[i].client, {}}) : void(++done.skipped);
      }
      if (rows.size() > request.page.limit) {
        done.next_cursor =
            operations_.MakeCursor(call, list, rows[request.page.limit - 1].client.Row());
      }
      return {};
    }));
  }
  for (const ClientName& name : names) {
    AssignedClient answer{name, std::nullopt};
    const auto id = FindNamed(searches_, caller, name);
    Status moved = id ? Status{} : Status(std::unexpected(id.error()));
    Assignment assignment;
    if (id) {
      Call call = operations_.Start(caller, {kAction, OperationKind::kWrite, *id});
      call.entry.detail = request.from.Text() + " to " + request.to.Text();
      moved = operations_.Perform(call, [&](Transaction& transaction) {
        return Move(transaction, call, request, assignment);
      });
    }
    if (!moved && moved.error().code == Code::kUnauthenticated) {
      return std::unexpected(std::move(moved).error());
    }
    if (!moved && listed && moved.error().code == Code::kNotFound) {
      ++done.skipped;
      continue;
    }
    moved ? void(answer.assignment = assignment) : void(answer.error = std::move(moved).error());
    done.clients.push_back(std::move(answer));
  }
  return done;
}

}  // namespace coffer::vault
