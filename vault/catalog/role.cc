#include "vault/catalog/role.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>

#include "vault/base/names.h"
#include "vault/base/strict_json.h"
#include "vault/catalog/built_in_roles.h"
#include "vault/catalog/role_narrowing.h"

namespace coffer::vault {
namespace {

using nlohmann::json;

template <class Range, class T>
bool Has(const Range& range, const T& value) {
  return std::ranges::find(range, value) != std::ranges::end(range);
}

constexpr std::uint64_t kMaxBudget = 1'000'000'000;
constexpr std::uint64_t kMaxFactorMinutes = 24 * 60;

constexpr std::pair<std::string_view, View> kViews[] = {
    {"plain", View::kPlain}, {"masked", View::kMasked}, {"presence", View::kPresence}};

// One grant's members, each with what it expects; faults are collected.
class GrantParser {
 public:
  // `zones_gone`, of a stored role: takes the time zones that the machine has lost.
  GrantParser(std::string pointer, std::vector<Issue>& issues,
              std::vector<Issue>* zones_gone = nullptr)
      : pointer_(std::move(pointer)), issues_(issues), zones_gone_(zones_gone) {}

  Grant Parse(const json& object) {
    if (!object.is_object()) {
      Fault("", "must be an object");
      return {};
    }
    for (const auto& [name, value] : object.items()) {
      if (name == "deny") {
        grant_.deny = Flag(name, value);
      } else if (name == "actions") {
        for (const auto& text : Texts(name, value)) TakeAction(text);
      } else if (name == "classes") {
        grant_.classes = Names(name, value, '-');
      } else if (name == "fields") {
        grant_.fields = Names(name, value, '_');
      } else if (name == "sensitivity") {
        for (const auto& text : Texts(name, value)) TakeSensitivity(text);
      } else if (name == "view") {
        TakeView(value);
      } else if (name == "scope") {
        TakeScope(value);
      } else if (name == "purposes") {
        grant_.purposes = Names(name, value, '-');
      } else if (name == "approves") {
        TakeApproves(value);
      } else if (name == "search") {
        grant_.search_unseen = value == "unseen";
        if (!grant_.search_unseen) Fault("/search", "must be \"unseen\"");
      } else if (name == "conditions") {
        TakeConditions(value);
      } else {
        Fault("/" + name, "is not a known member");
      }
    }
    if (!grant_.approves.empty() && !grant_.Covers(Action::kApprovalDecide)) {
      Fault("/approves", "is for approval.decide");
    }
    if (!grant_.approves.empty() && grant_.deny) Fault("/approves", "is for grants that allow");
    if (grant_.search_unseen && (grant_.deny || !grant_.Covers(Action::kClientSearch))) {
      Fault("/search", "is for grants of client.search");
    }
    if (grant_.conditions.budget.limited() && (grant_.deny || grant_.view != View::kPlain)) {
      Fault("/conditions/budget", "is for grants that show plainly");
    }
    if (grant_.actions.empty()) Fault("/actions", "is required");
    return std::move(grant_);
  }

  Conditions ParseConditions(const json& value) {
    TakeConditions(value);
    return std::move(grant_.conditions);
  }

 private:
  void Fault(const std::string& where, std::string message) {
    issues_.push_back({pointer_ + where, std::move(message)});
  }

  bool Flag(const std::string& name, const json& value) {
    if (!value.is_boolean()) Fault("/" + name, "must be true or false");
    return value.is_boolean() && value.get<bool>();
  }

  std::vector<std::string> Texts(const std::string& name, const json& value) {
    std::vector<std::string> texts;
    if (!value.is_array() || value.empty() || value.size() > 100) {
      Fault("/" + name, "must be a list of 1 to 100 texts");
      return texts;
    }
    for (const auto& item : value) {
      if (item.is_string()) {
        texts.push_back(item.get<std::string>());
      } else {
        Fault("/" + name, "must be a list of texts");
      }
    }
    return texts;
  }

  // Sorted and distinct.
  std::vector<std::string> Names(const std::string& name, const json& value, char joiner) {
    auto names = Texts(name, value);
    for (const auto& text : names) {
      if (!IsName(text, joiner)) Fault("/" + name, "has an item that is no name");
    }
    std::ranges::sort(names);
    const auto repeated = std::ranges::unique(names);
    names.erase(repeated.begin(), repeated.end());
    return names;
  }

  void TakeAction(const std::string& text) {
    const auto action = ActionFromName(text);
    if (!action || KindOf(*action) != ActionKind::kGranted) {
      Fault("/actions", "has an item that is no action that roles give");
    } else if (!Has(grant_.actions, *action)) {
      grant_.actions.push_back(*action);
    }
  }

  void TakeSensitivity(const std::string& text) {
    const auto sensitivity = SensitivityFromName(text);
    if (!sensitivity) {
      Fault("/sensitivity", "must be of internal, personal and special");
    } else if (!Has(grant_.sensitivity, *sensitivity)) {
      grant_.sensitivity.push_back(*sensitivity);
    }
  }

  void TakeView(const json& value) {
    for (const auto& [name, view] : kViews) {
      if (value == name) {
        grant_.view = view;
        return;
      }
    }
    Fault("/view", "must be one of plain, masked, presence");
  }

  void TakeScope(const json& value) {
    if (value == "all") return;
    if (value == "assigned") {
      grant_.scope.kind = Scope::Kind::kAssigned;
      return;
    }
    if (value.is_object() && value.size() == 1 && value.contains("tag") &&
        value["tag"].is_string() && IsTag(value["tag"].get<std::string>())) {
      grant_.scope = {Scope::Kind::kTag, value["tag"].get<std::string>()};
      return;
    }
    Fault("/scope", "must be \"all\", \"assigned\" or {\"tag\": …}");
  }

  void TakeApproves(const json& value) {
    grant_.approves = Texts("approves", value);
    for (const auto& text : grant_.approves) {
      if (!Has(kTwoPersonActions, text)) {
        Fault("/approves", "has an item that is nothing two people decide");
      }
    }
    std::ranges::sort(grant_.approves);
  }

  std::uint64_t Count(const std::string& name, const json& value, std::uint64_t most) {
    if (value.is_number_unsigned() && value.get<std::uint64_t>() >= 1 &&
        value.get<std::uint64_t>() <= most) {
      return value.get<std::uint64_t>();
    }
    Fault("/" + name, "must be a whole number from 1 to " + std::to_string(most));
    return 1;
  }

  void TakeBudget(const json& value) {
    const std::string where = "conditions/budget";
    if (!value.is_object() || value.empty()) {
      Fault("/" + where, "must be an object with hour, day or both");
      return;
    }
    for (const auto& [name, member] : value.items()) {
      if (name == "hour") {
        grant_.conditions.budget.hour = Count(where + "/hour", member, kMaxBudget);
      } else if (name == "day") {
        grant_.conditions.budget.day = Count(where + "/day", member, kMaxBudget);
      } else {
        Fault("/" + where + "/" + name, "is not a known member");
      }
    }
  }

  void TakeConditions(const json& value) {
    if (!value.is_object()) {
      Fault("/conditions", "must be an object");
      return;
    }
    for (const auto& [name, member] : value.items()) {
      if (name == "reason") {
        grant_.conditions.reason = Flag("conditions/reason", member);
      } else if (name == "ticket") {
        grant_.conditions.ticket = Flag("conditions/ticket", member);
      } else if (name == "networks") {
        for (const auto& text : Texts("conditions/networks", member)) TakeNetwork(text);
      } else if (name == "hours") {
        TakeHours(member);
      } else if (name == "certificate") {
        grant_.conditions.certificate = Flag("conditions/certificate", member);
      } else if (name == "second_factor_minutes") {
        grant_.conditions.second_factor_minutes = static_cast<std::int64_t>(
            Count("conditions/second_factor_minutes", member, kMaxFactorMinutes));
      } else if (name == "budget") {
        TakeBudget(member);
      } else {
        Fault("/conditions/" + name, "is not a known condition");
      }
    }
  }

  void TakeNetwork(const std::string& text) {
    if (auto network = Network::Parse(text)) {
      grant_.conditions.networks.push_back(*network);
    } else {
      Fault("/conditions/networks", "has an item that is no network, as 192.0.2.0/24 is one");
    }
  }

  void TakeHours(const json& value) {
    const std::string where = "/conditions/hours";
    if (!value.is_object()) {
      Fault(where, "must be an object");
      return;
    }
    std::string zone, from, to;
    std::vector<std::string> days;
    for (const auto& [name, member] : value.items()) {
      std::string* const text = name == "zone"   ? &zone
                                : name == "from" ? &from
                                : name == "to"   ? &to
                                                 : nullptr;
      if (name == "days") {
        days = Texts("conditions/hours/days", member);
      } else if (text == nullptr) {
        Fault(where + "/" + name, "is not a known member");
      } else if (member.is_string()) {
        *text = member.get<std::string>();
      } else {
        Fault(where + "/" + name, "must be text");
      }
    }
    auto window = TimeWindow::Parse(zone, days, from, to);
    if (!window && zones_gone_ != nullptr) {
      window = TimeWindow::ParseStored(zone, days, from, to);
      if (window) {
        zones_gone_->push_back(
            {pointer_ + where + "/zone", "is no time zone of this machine: no hour is within it"});
      }
    }
    if (window) {
      grant_.conditions.hours = *std::move(window);
    } else if (window.error().issues.empty()) {
      Fault(where, "cannot be evaluated: the time zones of this machine cannot be read");
    } else {
      for (const auto& issue : window.error().issues) Fault(where + issue.pointer, issue.message);
    }
  }

  const std::string pointer_;
  std::vector<Issue>& issues_;
  std::vector<Issue>* const zones_gone_;
  Grant grant_;
};

// Who runs the vault or watches it does not see what is in it.
void CheckSeparation(const RoleDocument& role, std::vector<Issue>& issues) {
  static constexpr Action kPrivileged[] = {
      Action::kTokenCreate,   Action::kTokenRevoke,   Action::kPrincipalWrite,
      Action::kSessionRevoke, Action::kRoleWrite,     Action::kClassWrite,
      Action::kMetricsRead,   Action::kAccessExplain, Action::kEmergencyReview};
  const bool privileged =
      std::ranges::any_of(kPrivileged, [&](Action action) { return role.Allows(action); });
  for (int i = 0; privileged && i < kActionCount; ++i) {
    const auto action = static_cast<Action>(i);
    if (!TouchesClientData(action) || !role.Allows(action)) continue;
    issues.push_back({"/grants",
                      "gives client data together with running or watching the vault "
                      "(separation of duties)"});
    return;
  }
}

bool IsPrivileged(const RoleDocument& role) {
  static constexpr Action kPowers[] = {
      Action::kClientErase,      Action::kClientExport,   Action::kTokenCreate,
      Action::kTokenRevoke,      Action::kPrincipalWrite, Action::kTeamWrite,
      Action::kSessionRevoke,    Action::kRoleWrite,      Action::kClassWrite,
      Action::kPurposeWrite,     Action::kApprovalDecide, Action::kAssignmentWrite,
      Action::kLeaseWrite,       Action::kAccessExplain,  Action::kEmergencyOpen,
      Action::kEmergencyReview,  Action::kNoteRead,       Action::kClientPackage,
      Action::kRecordErase,      Action::kHoldWrite,      Action::kHoldLift,
      Action::kRestrictionWrite, Action::kRequestWrite,   Action::kRegimeWrite,
      Action::kRetentionWrite,   Action::kRetentionRun,   Action::kClockConfirm,
      Action::kConsentTextWrite, Action::kRecipientWrite, Action::kDisclosureWrite};
  if (std::ranges::any_of(kPowers, [&](Action action) { return role.Allows(action); })) return true;
  return std::ranges::any_of(role.grants, [](const Grant& grant) {
    return !grant.deny && grant.scope.kind != Scope::Kind::kAssigned &&
           std::ranges::any_of(grant.actions, TouchesClientData);
  });
}

}  // namespace

Conditions ParseConditions(const json& value, std::vector<Issue>& issues) {
  return GrantParser("", issues).ParseConditions(value);
}

bool RoleDocument::Allows(Action action) const {
  return std::ranges::any_of(
      grants, [action](const Grant& grant) { return !grant.deny && grant.Covers(action); });
}

Result<RoleDocument> ParseRole(std::string_view name, std::string_view text, RoleOrigin origin) {
  COFFER_ASSIGN(const json root, ParseStrictJson(text));
  std::vector<Issue> issues, unevaluated;
  RoleDocument role;
  role.name = name;
  if (!IsName(name, '-')) {
    issues.push_back({"", "the name must be 1 to 64 of a-z, 0-9 and '-', beginning with a letter"});
  }
  if (!root.is_object()) {
    issues.push_back({"", "must be an object"});
  } else {
    for (const auto& [member, value] : root.items()) {
      if (member == "name") {
        if (value != name) issues.push_back({"/name", "must be the name in the path"});
      } else if (member == "title") {
        if (!value.is_string() || value.get_ref<const std::string&>().size() > 200) {
          issues.push_back({"/title", "must be text of at most 200 bytes"});
        } else {
          role.title = value.get<std::string>();
        }
      } else if (member == "grants") {
        if (!value.is_array() || value.size() > kMaxGrants) {
          issues.push_back({"/grants", "must be a list of at most 100 grants"});
          continue;
        }
        for (std::size_t i = 0; i < value.size(); ++i) {
          const std::string pointer = "/grants/" + std::to_string(i);
          std::vector<Issue>* const zones = origin == RoleOrigin::kStored ? &unevaluated : nullptr;
          Grant& grant =
              role.grants.emplace_back(GrantParser(pointer, issues, zones).Parse(value[i]));
          grant.place = i;
          std::ranges::move(UnevaluatedIn(grant, pointer), std::back_inserter(unevaluated));
        }
      } else {
        issues.push_back({PointerTo("", member), "is not a known member"});
      }
    }
    if (!root.contains("grants")) issues.push_back({"/grants", "is required"});
  }
  if (origin == RoleOrigin::kGiven) {
    std::ranges::move(unevaluated, std::back_inserter(issues));
  } else if (!unevaluated.empty()) {
    std::vector<Grant> denials;
    for (Grant& grant : role.grants) DropUnevaluated(grant, denials);
    std::ranges::move(denials, std::back_inserter(role.grants));
    role.not_evaluated = std::move(unevaluated);
  }
  role.scoped = std::ranges::any_of(
      role.grants, [](const Grant& grant) { return grant.scope.kind != Scope::Kind::kAll; });
  role.scoped_by_tag = std::ranges::any_of(
      role.grants, [](const Grant& grant) { return grant.scope.kind == Scope::Kind::kTag; });
  role.budgeted = std::ranges::any_of(
      role.grants, [](const Grant& grant) { return grant.conditions.budget.limited(); });
  role.privileged = IsPrivileged(role);
  if (issues.empty()) CheckSeparation(role, issues);
  if (!issues.empty()) {
    return std::unexpected(Error{Code::kUnprocessable, "role_invalid", {}, std::move(issues)});
  }
  json canonical = root;
  canonical["name"] = name;
  role.definition = canonical.dump();
  return role;
}

const std::vector<RoleDocument>& BuiltInRoles() {
  static const std::vector<RoleDocument> roles = [] {
    std::vector<RoleDocument> parsed;
    for (const auto& [name, text] : BuiltInRoleTexts()) {
      auto role = ParseRole(name, text);
      if (!role) std::abort();  // the build is broken: a test would have said so
      parsed.push_back(*std::move(role));
    }
    return parsed;
  }();
  return roles;
}

const RoleDocument* FindBuiltInRole(std::string_view name) {
  for (const auto& role : BuiltInRoles()) {
    if (role.name == name) return &role;
  }
  return nullptr;
}

}  // namespace coffer::vault
