// Restrictions: data that is stored and, but for the purposes named, not processed.
#include <algorithm>

#include "vault/internal/core.h"
#include "vault/internal/words.h"
#include "vault/strict_json.h"
#include "vault/vault.h"

namespace coffer::vault {
namespace {

constexpr std::size_t kMaxBasis = 1000;
constexpr std::size_t kMaxRestrictionPurposes = 50;

std::vector<Issue> FaultsOf(const RestrictionRequest& request, const Catalog& catalog) {
  std::vector<Issue> issues;
  if (!request.class_name.empty() && !catalog.Newest(request.class_name)) {
    issues.push_back({"/class", "must be the name of a class"});
  }
  if (request.basis.empty() || request.basis.size() > kMaxBasis || !IsCleanUtf8(request.basis)) {
    issues.push_back({"/basis", "must be text of 1 to 1000 bytes"});
  }
  if (request.purposes.size() > kMaxRestrictionPurposes) {
    issues.push_back({"/purposes", "must be at most 50 purposes"});
  }
  for (std::size_t i = 0; i < request.purposes.size() && i < kMaxRestrictionPurposes; ++i) {
    if (!catalog.purposes.contains(request.purposes[i])) {
      issues.push_back({"/purposes/" + std::to_string(i), "is not in the register"});
    }
  }
  return issues;
}

Status RequireKnownClient(Transaction& transaction, Call& call) {
  COFFER_ASSIGN(const auto row, transaction.stores().clients.Find(*call.subject));
  if (!row) return NotFound(call);
  return {};
}

// Null: none of this class.
const Restriction* FindOfClass(const std::vector<Restriction>& restrictions,
                               std::string_view class_name) {
  const auto found = std::ranges::find_if(restrictions, [&](const Restriction& restriction) {
    return restriction.terms.class_name == class_name;
  });
  return found == restrictions.end() ? nullptr : &*found;
}

}  // namespace

Result<Restriction> Vault::Restrict(const Caller& caller, const ClientId& client,
                                    const RestrictionRequest& request) {
  constexpr Action kAction = Action::kRestrictionWrite;
  if (auto issues = FaultsOf(request, *core_->engine->catalog()); !issues.empty()) {
    return std::unexpected(
        Refuse(caller, kAction, client, std::nullopt,
               Error{Code::kUnprocessable, "restriction_invalid", {}, std::move(issues)}));
  }
  Call call = core_->StartCall(caller, kAction);
  call.About(client);
  call.entry.class_name = request.class_name;
  Restriction restriction{client, request, {}, {}};
  auto& purposes = restriction.terms.purposes;
  std::ranges::sort(purposes);
  const auto repeated = std::ranges::unique(purposes);
  purposes.erase(repeated.begin(), repeated.end());
  AddDetail(call.entry, purposes.empty() ? "for no purpose" : "but for " + JoinWords(purposes));
  COFFER_TRY(core_->Perform(
      OperationKind::kWrite, call, client, nullptr, [&](Transaction& transaction) -> Status {
        COFFER_TRY(RequireKnownClient(transaction, call));
        const auto known = transaction.restrictions().Of(client);
        // Other terms do not make it younger.
        const Restriction* const before = FindOfClass(known, request.class_name);
        if (before != nullptr && before->terms.basis == restriction.terms.basis &&
            before->terms.purposes == restriction.terms.purposes) {
          call.entry.outcome = "unchanged";
          restriction = *before;
          return {};
        }
        restriction.since = before == nullptr ? transaction.now() : before->since;
        restriction.placed_by = call.actor;
        COFFER_TRY(transaction.stores().restrictions.Put(restriction));
        transaction.PutRestriction(restriction);
        return {};
      }));
  return restriction;
}

Result<std::vector<Restriction>> Vault::ListRestrictions(const Caller& caller,
                                                         const ClientId& client) {
  Call call = core_->StartCall(caller, Action::kRestrictionRead);
  call.About(client);
  std::vector<Restriction> restrictions;
  COFFER_TRY(core_->Perform(OperationKind::kRead, call, client, nullptr,
                            [&](Transaction& transaction) -> Status {
                              COFFER_TRY(RequireKnownClient(transaction, call));
                              restrictions = transaction.restrictions().Of(client);
                              return {};
                            }));
  return restrictions;
}

Status Vault::LiftRestriction(const Caller& caller, const ClientId& client,
                              std::string_view class_name) {
  constexpr Action kAction = Action::kRestrictionWrite;
  if (caller.reason.empty()) {
    return std::unexpected(Refuse(caller, kAction, client, std::nullopt,
                                  Error{Code::kInvalidArgument, "reason_required", {}, {}}));
  }
  Call call = core_->StartCall(caller, kAction);
  call.About(client);
  // What names no class is the caller's text.
  if (core_->engine->catalog()->Newest(class_name)) call.entry.class_name = class_name;
  AddDetail(call.entry, "lifted");
  return core_->Perform(OperationKind::kWrite, call, client, nullptr,
                        [&](Transaction& transaction) -> Status {
                          COFFER_TRY(RequireKnownClient(transaction, call));
                          const auto known = transaction.restrictions().Of(client);
                          if (FindOfClass(known, class_name) == nullptr) return NotFound(call);
                          COFFER_TRY(transaction.stores().restrictions.Delete(client, class_name));
                          transaction.RemoveRestriction(client, class_name);
                          return {};
                        });
}

}  // namespace coffer::vault
