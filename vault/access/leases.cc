// Leases: given, ended, listed.
#include "vault/access/leases.h"

#include <algorithm>

#include "vault/access/access_acts.h"
#include "vault/access/access_checks.h"
#include "vault/access/access_state.h"
#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/access/conditions.h"
#include "vault/access/lease.h"
#include "vault/base/names.h"
#include "vault/catalog/catalog_state.h"

namespace coffer::vault {
namespace {

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

}  // namespace

Result<Lease> Leases::GiveLease(const Caller& caller, const ClientId& client,
                                const LeaseRequest& request) {
  constexpr Action kAction = Action::kLeaseWrite;
  const auto schema =
      operations_.engine().Of<CatalogState>().Published()->Newest(request.class_name);
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
    return operations_.Refuse(caller, {.action = kAction, .client = client},
                              Error{Code::kUnprocessable, "lease_invalid", {}, std::move(issues)});
  }
  Call call = operations_.Start(caller, {kAction, OperationKind::kWrite, client});
  LeaseRow row;
  row.id = LeaseId::New(operations_.Now());
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
  COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) -> Status {
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

Result<Lease> Leases::EndLease(const Caller& caller, const ClientId& client, const LeaseId& id) {
  Call call = operations_.Start(caller, {Action::kLeaseWrite, OperationKind::kWrite, client});
  call.entry.detail = id.Text() + " ended";
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Lease> {
    const auto* const rows = transaction.Of<AccessState>().access().LeasesOf(client);
    if (rows == nullptr) return NotFound(call);
    const auto found = std::ranges::find(*rows, id, &LeaseRow::id);
    if (found == rows->end()) return NotFound(call);
    LeaseRow row = *found;
    row.terms.expires = std::min(row.terms.expires, transaction.now());
    COFFER_TRY(transaction.Of<AccessState>().stores.access.EndLease(id, row.terms.expires));
    if (row.terms.expires < found->terms.expires) ActLeaseEnded(transaction, row);
    Lease lease = InfoOf(row);
    StageLease(transaction, std::move(row));
    return lease;
  });
}

Result<std::vector<Lease>> Leases::ListLeases(const Caller& caller, const ClientId& client) {
  Call call = operations_.Start(caller, {Action::kLeaseRead, OperationKind::kRead, client});
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<std::vector<Lease>> {
    std::vector<Lease> leases;
    COFFER_TRY(RequireClient(transaction, call));
    if (const auto* const rows = transaction.Of<AccessState>().access().LeasesOf(client)) {
      for (const auto& row : *rows) {
        if (transaction.now() < row.terms.expires) leases.push_back(InfoOf(row));
      }
    }
    return leases;
  });
}

}  // namespace coffer::vault
