// Restrictions: data that is stored, and not processed for the purposes that they stop.
#include "vault/access/restrictions.h"

#include <algorithm>

#include "vault/access/access_acts.h"
#include "vault/access/access_state.h"
#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/access/restriction.h"
#include "vault/access/restriction_bases.h"
#include "vault/access/telling.h"
#include "vault/base/strict_json.h"
#include "vault/base/words.h"
#include "vault/catalog/catalog_state.h"

namespace coffer::vault {
namespace {

constexpr std::size_t kMaxBasis = 1000;
constexpr std::size_t kMaxRestrictionPurposes = 50;
constexpr std::size_t kMaxRestrictions = 100;  // of one client: each decision looks at all of them

std::vector<Issue> FaultsOf(const RestrictionRequest& request, const Catalog& catalog) {
  std::vector<Issue> issues;
  if (!request.class_name.empty() && !catalog.Newest(request.class_name)) {
    issues.push_back({"/class", "must be the name of a class"});
  }
  if (!IsWords(request.basis, kMaxBasis)) {
    issues.push_back({"/basis", WordsRule(kMaxBasis)});
  }
  const StoppedPurposes& stops = request.stops;
  const std::string list = stops.all_but ? "/stops/all_but" : "/stops/purposes";
  if (stops.purposes.size() > kMaxRestrictionPurposes) {
    issues.push_back({list, "must be at most 50 purposes"});
  }
  if (stops.IsObjection() && stops.purposes.empty() && stops.legal_bases.empty()) {
    issues.push_back({"/stops", "must name a purpose or a legal basis"});
  }
  if (stops.legal_bases.size() > std::size(kLegalBases)) {
    issues.push_back({"/stops/legal_bases", "must be at most 6 legal bases"});
  }
  for (std::size_t i = 0; i < stops.legal_bases.size() && i < std::size(kLegalBases); ++i) {
    if (!IsLegalBasis(stops.legal_bases[i])) {
      issues.push_back({"/stops/legal_bases/" + std::to_string(i), std::string(kLegalBasisRule)});
    }
  }
  for (std::size_t i = 0; i < stops.purposes.size() && i < kMaxRestrictionPurposes; ++i) {
    if (!catalog.purposes.contains(stops.purposes[i])) {
      issues.push_back({list + "/" + std::to_string(i), "is not in the register"});
    }
  }
  return issues;
}

Status RequireKnownClient(Transaction& transaction, Call& call) {
  COFFER_ASSIGN(const auto row, transaction.Of<AccessState>().FindClient(*call.subject));
  if (!row) return NotFound(call);
  return {};
}

// One of the client's that is in force, without its basis; the entry says of which class it is.
Result<Restriction> FindRestriction(Transaction& transaction, Call& call, const RestrictionId& id) {
  COFFER_TRY(RequireKnownClient(transaction, call));
  auto known = transaction.Of<AccessState>().restrictions().Of(*call.subject);
  const auto found = std::ranges::find(known, id, &Restriction::id);
  if (found == known.end()) return NotFound(call);
  call.entry.class_name = found->terms.class_name;
  return std::move(*found);
}

void SortWords(std::vector<std::string>& words) {
  std::ranges::sort(words);
  const auto repeated = std::ranges::unique(words);
  words.erase(repeated.begin(), repeated.end());
}

void NameThoseBasedOn(StoppedPurposes& stops, const Catalog& catalog) {
  for (const auto& [code, purpose] : catalog.purposes) {
    if (std::ranges::find(stops.legal_bases, purpose.legal_basis) != stops.legal_bases.end()) {
      stops.purposes.push_back(code);
    }
  }
  SortWords(stops.purposes);
}

}  // namespace

Result<Restriction> Restrictions::Restrict(const Caller& caller, const ClientId& client,
                                           const RestrictionRequest& request) {
  constexpr Action kAction = Action::kRestrictionWrite;
  if (auto issues = FaultsOf(request, *operations_.engine().Of<CatalogState>().Published());
      !issues.empty()) {
    return operations_.Refuse(
        caller, {.action = kAction, .client = client},
        Error{Code::kUnprocessable, "restriction_invalid", {}, std::move(issues)});
  }
  Call call = operations_.Start(caller, {kAction, OperationKind::kWrite, client});
  call.entry.class_name = request.class_name;
  Restriction restriction{RestrictionId::New(operations_.Now()), client, request, {}, {}};
  SortWords(restriction.terms.stops.legal_bases);
  AddDetail(call.entry, restriction.id.Text());
  COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) -> Status {
    COFFER_TRY(RequireKnownClient(transaction, call));
    if (transaction.Of<AccessState>().restrictions().Of(client).size() >= kMaxRestrictions) {
      return Fail(Code::kConflict, "too_many_restrictions");
    }
    NameThoseBasedOn(restriction.terms.stops, transaction.Of<CatalogState>().current());
    AddDetail(call.entry, StopsInWords(restriction.terms.stops));
    restriction.since = transaction.now();
    restriction.placed_by = call.actor;
    COFFER_TRY(PlaceRestriction(operations_.keyring(), transaction, restriction));
    return NoteAct(transaction, client, ToldAct::kRestricted, request.class_name,
                   transaction.NextSeq());
  }));
  return restriction;
}

Result<std::vector<Restriction>> Restrictions::ListRestrictions(const Caller& caller,
                                                                const ClientId& client,
                                                                bool lifted) {
  Call call = operations_.Start(caller, {Action::kRestrictionRead, OperationKind::kRead, client});
  std::vector<Restriction> restrictions;
  COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) -> Status {
    COFFER_TRY(RequireKnownClient(transaction, call));
    COFFER_ASSIGN(restrictions, RestrictionsOf(transaction, client, lifted));
    return OpenBases(operations_.keyring(), transaction, client, restrictions);
  }));
  return restrictions;
}

Result<Restriction> Restrictions::GetRestriction(const Caller& caller, const ClientId& client,
                                                 const RestrictionId& id) {
  Call call = operations_.Start(caller, {Action::kRestrictionRead, OperationKind::kRead, client});
  call.entry.detail = id.Text();
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Restriction> {
    COFFER_TRY(RequireKnownClient(transaction, call));
    COFFER_ASSIGN(auto all, RestrictionsOf(transaction, client, true));
    std::erase_if(all, [&](const Restriction& one) { return one.id != id; });
    if (all.empty()) return NotFound(call);
    call.entry.class_name = all[0].terms.class_name;
    COFFER_TRY(OpenBases(operations_.keyring(), transaction, client, all));
    return std::move(all[0]);
  });
}

Status Restrictions::LiftRestriction(const Caller& caller, const ClientId& client,
                                     const RestrictionId& id) {
  constexpr Action kAction = Action::kRestrictionWrite;
  if (audit::IsBlank(caller.reason)) {
    return operations_.Refuse(caller, {.action = kAction, .client = client},
                              Error{Code::kInvalidArgument, "reason_required", {}, {}});
  }
  Call call = operations_.Start(caller, {kAction, OperationKind::kWrite, client});
  AddDetail(call.entry, id.Text());
  AddDetail(call.entry, "lifted");
  return operations_.Perform(call, [&](Transaction& transaction) -> Status {
    COFFER_ASSIGN(Restriction restriction, FindRestriction(transaction, call, id));
    restriction.lifting = {transaction.now(), call.actor, transaction.NextSeq()};
    COFFER_TRY(transaction.Of<AccessState>().stores.restrictions.Lift(restriction));
    ActRestrictionLifted(transaction, restriction);
    RemoveRestriction(transaction, client, id);
    return {};
  });
}

}  // namespace coffer::vault
