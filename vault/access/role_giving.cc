#include "vault/access/role_giving.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "crypto/encoding.h"
#include "crypto/hash.h"
#include "vault/access/approval.h"
#include "vault/access/token_limits.h"
#include "vault/base/strict_json.h"

namespace coffer::vault {
namespace {

using nlohmann::json;

constexpr std::string_view kNewUser = "user:";
constexpr std::string_view kNewService = "service:";

bool SeesClients(const RoleDocument& role) {
  return std::ranges::any_of(role.grants, [](const Grant& grant) {
    return !grant.deny && std::ranges::any_of(grant.actions, TouchesClientData);
  });
}

bool HasAll(const std::vector<std::string>& those, const std::vector<std::string>& of) {
  return std::ranges::all_of(of, [&](const std::string& binding) {
    return std::ranges::find(those, binding) != those.end();
  });
}

std::string TextIn(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

bool IsBinding(const json& item) {
  return item.is_string() && IsCertificateBinding(item.get_ref<const std::string&>());
}

bool AreBindings(const json& value) {
  return value.is_array() && std::ranges::all_of(value, IsBinding);
}

std::vector<std::string> Sorted(std::vector<std::string> bindings) {
  std::ranges::sort(bindings);
  return bindings;
}

json FactsOf(const PrincipalRow& account) {
  json facts = {{"role", account.role}, {"disabled", account.disabled.has_value()}};
  if (account.id.kind() != PrincipalKind::kService) return facts;
  facts["certificates"] = Sorted(account.certificates);
  if (account.owner) facts["owner"] = account.owner->Text();
  return facts;
}

bool HasPlace(std::string_view name, const json& value, std::string_view by) {
  if (name == "role" || name == "by") return true;
  if (name == "owner")
    return by == kByService && value.is_string() &&
           PrincipalId::Parse(value.get_ref<const std::string&>());
  if (name == "certificates") {
    return AreBindings(value) && (by == kByChange || (by == kByService && !value.empty()));
  }
  return name == "disabled" && by == kByChange && value.is_boolean();
}

std::string_view FaultOfTarget(std::string_view target, std::string_view by) {
  if (target.starts_with(kNewUser)) {
    return by == "user" ? "" : "must be a principal's id, or \"service:NAME\"";
  }
  if (target.starts_with(kNewService)) {
    return by == kByService || by == "token" ? "" : "must be a principal's id, or \"user:LOGIN\"";
  }
  if (!PrincipalId::Parse(target)) {
    return "must be a principal's id, \"user:LOGIN\" or \"service:NAME\"";
  }
  return by == "user" || by == kByService ? "must be \"user:LOGIN\" or \"service:NAME\"" : "";
}

std::unexpected<Error> Invalid(std::string pointer, std::string message) {
  return std::unexpected(Error{
      Code::kUnprocessable, "proposal_invalid", {}, {{std::move(pointer), std::move(message)}}});
}

}  // namespace

bool IsFurtherWay(const Giving& giving) {
  return giving.by != kByChange || (giving.before->disabled && !giving.after.disabled) ||
         !HasAll(giving.before->certificates, giving.after.certificates);
}

bool TakesTwo(const Giving& giving, const RoleDocument& role) {
  if (role.privileged) return true;
  return giving.before != nullptr && (IsFurtherWay(giving) || SeesClients(role));
}

std::string ContentOf(const Giving& giving, const RoleDocument& role) {
  json content = {
      {"by", giving.by},
      {"role", role.name},
      {"role_version", role.version},
      {"role_hash", crypto::HexEncode(crypto::Sha256(crypto::AsBytes(role.definition)))}};
  if (giving.before != nullptr) content["account"] = FactsOf(*giving.before);
  if (giving.by == kByChange) {
    content["disabled"] = giving.after.disabled.has_value();
    if (giving.after.id.kind() == PrincipalKind::kService) {
      content["certificates"] = Sorted(giving.after.certificates);
    }
  } else if (giving.by == kByService) {
    if (giving.after.owner) content["owner"] = giving.after.owner->Text();
    if (!giving.after.certificates.empty()) {
      content["certificates"] = Sorted(giving.after.certificates);
    }
  }
  return content.dump();
}

void CheckGiving(const Proposal& proposal, const Catalog& catalog, std::vector<Issue>& issues) {
  const auto content = ParseStrictJson(proposal.content.empty() ? "null" : proposal.content);
  if (!content || !content->is_object()) {
    issues.push_back({"/content", "must be an object"});
    return;
  }
  const std::string by = TextIn(*content, "by");
  if (std::ranges::find(kWaysToGive, by) == std::end(kWaysToGive)) {
    issues.push_back({"/content/by",
                      "must be one of certificate, change, enrolment, rotation, "
                      "service, token, user"});
    return;
  }
  if (const auto fault = FaultOfTarget(proposal.target, by); !fault.empty()) {
    issues.push_back({"/target", std::string(fault)});
    return;
  }
  if (catalog.Role(TextIn(*content, "role")) == nullptr) {
    issues.push_back({"/content/role", "must be the name of a role"});
  }
  for (const auto& [name, value] : content->items()) {
    if (!HasPlace(name, value, by)) {
      issues.push_back({PointerTo("/content", name), "has no place here, or is not valid"});
    }
  }
}

Result<std::string> CompleteGiving(const Proposal& proposal, const Catalog& catalog,
                                   const PrincipalRegister& principals) {
  COFFER_ASSIGN(const json content, ParseStrictJson(proposal.content));
  const std::string by = TextIn(content, "by");
  const auto role = catalog.Role(TextIn(content, "role"));
  PrincipalRow after;
  const auto id = PrincipalId::Parse(proposal.target);
  const PrincipalRow* const before = id ? principals.Find(*id) : nullptr;
  if (id && before == nullptr) return Invalid("/target", "is no principal");
  if (before != nullptr) after = *before;
  after.role = role->name;
  if (before != nullptr && by != kByChange && after.role != before->role) {
    return Invalid("/content/role", "must be the role that it has: by \"change\" it gets another");
  }
  if (content.contains("certificates")) {
    if (id && id->kind() != PrincipalKind::kService) {
      return Invalid("/content/certificates", "are for services");
    }
    after.certificates = content["certificates"].get<std::vector<std::string>>();
  }
  if (const auto disabled = content.find("disabled"); disabled != content.end()) {
    after.disabled = disabled->get<bool>() ? std::optional(Timestamp{}) : std::nullopt;
  }
  // As the service will have it: the person, where what is named is a service itself.
  if (const auto owner = PrincipalId::Parse(TextIn(content, "owner"))) {
    const PrincipalRow* const named = principals.Find(*owner);
    if (named == nullptr) return Invalid("/content/owner", "is no principal");
    after.owner = named->person();
  }
  return ContentOf({by, after, before}, *role);
}

std::string OwnerIn(std::string_view content) {
  const auto parsed = ParseStrictJson(content);
  return parsed && parsed->is_object() ? parsed->value("owner", "") : "";
}

}  // namespace coffer::vault
