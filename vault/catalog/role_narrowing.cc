#include "vault/catalog/role_narrowing.h"

#include <algorithm>

namespace coffer::vault {
namespace {

// Those with the client named, or decided client by client.
bool IsAboutClients(Action action) {
  switch (action) {
    case Action::kClientTrace:
    case Action::kAssignmentRead:
    case Action::kAssignmentWrite:
    case Action::kLeaseRead:
    case Action::kLeaseWrite:
    case Action::kEmergencyOpen:
    case Action::kHoldRead:
    case Action::kHoldWrite:
    case Action::kHoldLift:
    case Action::kRestrictionRead:
    case Action::kRestrictionWrite:
    case Action::kConsentRead:
    case Action::kConsentWrite:
    case Action::kNoticeRead:
    case Action::kNoticeWrite:
    case Action::kRequestRead:
    case Action::kRequestWrite:
    case Action::kPackageRead:
    case Action::kDisclosureRead:
    case Action::kDisclosureWrite:
    case Action::kClientOverview:
      return true;
    default:
      return TouchesClientData(action);
  }
}

// Others need plain sight of what they write, find or destroy: a lesser view would leave nothing.
bool ShowsFields(Action action) {
  return action == Action::kRecordRead || action == Action::kRecordList ||
         action == Action::kClientExport || action == Action::kClientPackage;
}

bool Has(const Grant& grant, Narrowing narrowing) {
  const Conditions& conditions = grant.conditions;
  switch (narrowing) {
    case Narrowing::kAssigned:
      return grant.scope.kind == Scope::Kind::kAssigned;
    case Narrowing::kTag:
      return grant.scope.kind == Scope::Kind::kTag;
    case Narrowing::kClasses:
      return !grant.classes.empty();
    case Narrowing::kFields:
      return !grant.fields.empty();
    case Narrowing::kSensitivity:
      return !grant.sensitivity.empty();
    case Narrowing::kView:
      return grant.view != View::kPlain;
    case Narrowing::kPurposes:
      return !grant.purposes.empty();
    case Narrowing::kApproves:
      return !grant.approves.empty();
    case Narrowing::kReason:
      return conditions.reason;
    case Narrowing::kTicket:
      return conditions.ticket;
    case Narrowing::kNetworks:
      return !conditions.networks.empty();
    case Narrowing::kHours:
      return conditions.hours.has_value();
    case Narrowing::kCertificate:
      return conditions.certificate;
    case Narrowing::kSecondFactor:
      return conditions.second_factor_minutes != 0;
    case Narrowing::kBudget:
      return conditions.budget.limited();
  }
  return false;
}

void Remove(Grant& grant, Narrowing narrowing) {
  Conditions& conditions = grant.conditions;
  switch (narrowing) {
    case Narrowing::kAssigned:
    case Narrowing::kTag:
      grant.scope = {};
      break;
    case Narrowing::kClasses:
      grant.classes.clear();
      break;
    case Narrowing::kFields:
      grant.fields.clear();
      break;
    case Narrowing::kSensitivity:
      grant.sensitivity.clear();
      break;
    case Narrowing::kView:
      grant.view = View::kPlain;
      break;
    case Narrowing::kPurposes:
      grant.purposes.clear();
      break;
    case Narrowing::kApproves:
      grant.approves.clear();
      break;
    case Narrowing::kReason:
      conditions.reason = false;
      break;
    case Narrowing::kTicket:
      conditions.ticket = false;
      break;
    case Narrowing::kNetworks:
      conditions.networks.clear();
      break;
    case Narrowing::kHours:
      conditions.hours.reset();
      break;
    case Narrowing::kCertificate:
      conditions.certificate = false;
      break;
    case Narrowing::kSecondFactor:
      conditions.second_factor_minutes = 0;
      break;
    case Narrowing::kBudget:
      conditions.budget = {};
      break;
  }
}

// A budget narrows what stands beside something that spends it.
bool IsSpent(const Grant& grant) {
  return std::ranges::any_of(grant.actions,
                             [&](Action action) { return IsCounted(action, grant); });
}

bool IsEvaluated(const Grant& grant, Narrowing narrowing, Action action) {
  return Narrows(narrowing, action, grant.deny) &&
         (narrowing != Narrowing::kBudget || IsSpent(grant));
}

std::vector<Narrowing> NarrowingsOf(const Grant& grant) {
  std::vector<Narrowing> narrowings;
  for (int i = 0; i < kNarrowingCount; ++i) {
    if (Has(grant, static_cast<Narrowing>(i))) narrowings.push_back(static_cast<Narrowing>(i));
  }
  return narrowings;
}

}  // namespace

std::string_view MemberOf(Narrowing narrowing) {
  static constexpr std::string_view kMembers[] = {"/scope",
                                                  "/scope",
                                                  "/classes",
                                                  "/fields",
                                                  "/sensitivity",
                                                  "/view",
                                                  "/purposes",
                                                  "/approves",
                                                  "/conditions/reason",
                                                  "/conditions/ticket",
                                                  "/conditions/networks",
                                                  "/conditions/hours",
                                                  "/conditions/certificate",
                                                  "/conditions/second_factor_minutes",
                                                  "/conditions/budget"};
  static_assert(std::size(kMembers) == kNarrowingCount);
  return kMembers[static_cast<std::size_t>(narrowing)];
}

bool IsAboutRecords(Action action) {
  switch (action) {
    case Action::kClientSearch:
    case Action::kClientErase:
    case Action::kClientExport:
    case Action::kClientPackage:
    case Action::kRecordCreate:
    case Action::kRecordRead:
    case Action::kRecordList:
    case Action::kRecordUpdate:
    case Action::kRecordDelete:
    case Action::kRecordImport:
    case Action::kRecordErase:
      return true;
    default:
      return false;
  }
}

bool IsCounted(Action action, const Grant& grant) {
  return action == Action::kRecordRead || action == Action::kClientExport ||
         action == Action::kClientPackage ||
         (action == Action::kClientSearch && grant.search_unseen);
}

bool Narrows(Narrowing narrowing, Action action, bool deny) {
  switch (narrowing) {
    case Narrowing::kAssigned:
      // A new client is assigned to nobody.
      return IsAboutClients(action) && action != Action::kClientCreate;
    case Narrowing::kTag:
      return IsAboutClients(action);
    case Narrowing::kClasses:
    case Narrowing::kFields:
    case Narrowing::kSensitivity:
      return IsAboutRecords(action);
    case Narrowing::kView:
      return !deny && ShowsFields(action);
    case Narrowing::kPurposes:
      return TouchesClientData(action);
    case Narrowing::kApproves:
      return !deny && action == Action::kApprovalDecide;
    case Narrowing::kNetworks:
    case Narrowing::kHours:
      return true;
    case Narrowing::kReason:
    case Narrowing::kTicket:
    case Narrowing::kCertificate:
    case Narrowing::kSecondFactor:
      return !deny;
    case Narrowing::kBudget:
      return !deny && TouchesClientData(action);
  }
  return false;
}

std::vector<Issue> UnevaluatedIn(const Grant& grant, const std::string& pointer) {
  std::vector<Issue> issues;
  for (const Narrowing narrowing : NarrowingsOf(grant)) {
    std::string names;
    for (const Action action : grant.actions) {
      if (IsEvaluated(grant, narrowing, action)) continue;
      names += (names.empty() ? "" : ", ") + std::string(Name(action));
    }
    if (names.empty()) continue;
    issues.push_back(
        {pointer + std::string(MemberOf(narrowing)),
         std::string("does not narrow ") + (grant.deny ? "a denial of " : "") + names});
  }
  return issues;
}

void DropUnevaluated(Grant& grant, std::vector<Grant>& more) {
  const auto narrowings = NarrowingsOf(grant);
  const auto is_evaluated = [&](Action action) {
    return std::ranges::all_of(
        narrowings, [&](Narrowing narrowing) { return IsEvaluated(grant, narrowing, action); });
  };
  std::vector<Action> kept;
  std::ranges::copy_if(grant.actions, std::back_inserter(kept), is_evaluated);
  for (const Action action : grant.actions) {
    if (!grant.deny || is_evaluated(action)) continue;
    Grant& denial = more.emplace_back(grant);
    denial.actions = {action};
    for (const Narrowing narrowing : narrowings) {
      if (!IsEvaluated(grant, narrowing, action)) Remove(denial, narrowing);
    }
  }
  grant.actions = std::move(kept);
}

}  // namespace coffer::vault
