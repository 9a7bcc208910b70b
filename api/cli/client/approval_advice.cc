#include "api/cli/client/approval_advice.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/cli/text/json_view.h"
#include "vault/base/strict_json.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

// As a shell takes it for one word.
std::string Quoted(const std::string& word) {
  const bool plain = !word.empty() && std::ranges::all_of(word, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_-.:@/").find(c) != std::string_view::npos;
  });
  if (plain) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

// "svc_..." of "/v1/services/svc_.../certificates", "cli_..." of "/v1/clients/cli_...?basis=...".
std::string IdIn(std::string_view target, std::string_view collection) {
  if (!target.starts_with(collection)) return {};
  target.remove_prefix(collection.size());
  return std::string(target.substr(0, target.find_first_of("/?")));
}

// What "/v1/clients/cli_...?basis=unlawful" or the body of a part's erasure asks for.
std::string WantedErasure(std::string_view target, const json& body) {
  constexpr std::string_view kBasis = "?basis=";
  std::string options;
  if (const auto name = Text(body, "class"); !name.empty()) options += " --class " + Quoted(name);
  for (const auto& id : TextList(body, "records")) options += " --record " + Quoted(id);
  const auto query = target.find(kBasis);
  const std::string basis = query == std::string_view::npos
                                ? Text(body, "basis")
                                : std::string(target.substr(query + kBasis.size()));
  return basis.empty() ? options : options + " --basis " + Quoted(basis);
}

std::string GiveRole(const std::string& target, const std::string& role, const std::string& by) {
  return "give-role " + Quoted(target) + " " + (role.empty() ? "ROLE" : Quoted(role)) + " --by " +
         by;
}

std::string WithBindings(std::string wanted, const json& body) {
  for (const std::string& binding : TextList(body, "certificates")) {
    wanted += " --certificate " + Quoted(binding);
  }
  return wanted;
}

// The part of `coffer approval request` that says what is wanted.
std::string Wanted(const HttpRequest& request, const std::string& purpose) {
  const std::string_view target = request.target;
  const auto parsed = vault::ParseStrictJson(request.body);
  const json body = parsed ? *parsed : json::object();
  const std::string role = Text(body, "role");
  if (const auto id = IdIn(target, "/v1/clients/"); !id.empty()) {
    return "erase " + id + " --purpose " + (purpose.empty() ? "CODE" : purpose) +
           WantedErasure(target, body);
  }
  if (const auto id = IdIn(target, "/v1/holds/"); !id.empty()) return "lift-hold " + id;
  if (const auto name = IdIn(target, "/v1/roles/"); !name.empty()) {
    return "change-role " + name + " FILE";
  }
  if (target == "/v1/retention/schedule") return "schedule FILE";
  if (!IdIn(target, "/v1/classes/").empty()) return "class FILE";
  if (target == "/v1/retention/clock") return "confirm-clock YYYY-MM-DD";
  if (target == "/v1/export") {
    std::string wanted = "export --purpose " + (purpose.empty() ? "CODE" : purpose);
    if (const auto tag = Text(body, "tag"); !tag.empty()) wanted += " --tag " + Quoted(tag);
    for (const auto& name : TextList(body, "classes")) wanted += " --class " + Quoted(name);
    return wanted;
  }
  if (target == "/v1/users") return GiveRole("user:" + Text(body, "login"), role, "user");
  if (target == "/v1/services") {
    const std::string owner = Text(body, "owner");
    return WithBindings(GiveRole("service:" + Text(body, "name"), role, "service") +
                            (owner.empty() ? "" : " --owner " + Quoted(owner)),
                        body);
  }
  if (target == "/v1/tokens") {
    const std::string principal = Text(body, "principal");
    return GiveRole(principal.empty() ? "service:" + Text(body, "name") : principal, role, "token");
  }
  for (const std::string_view collection : {"/v1/users/", "/v1/services/"}) {
    const auto id = IdIn(target, collection);
    if (id.empty()) continue;
    if (target.ends_with("/enrolment")) return GiveRole(id, role, "enrolment");
    if (target.ends_with("/certificates")) return GiveRole(id, role, "certificate");
    const json& disabled = Member(body, "disabled");
    return WithBindings(GiveRole(id, role, "change"), body) + (disabled == false  ? " --enable"
                                                               : disabled == true ? " --disable"
                                                                                  : "");
  }
  return "give-role PRINCIPAL ROLE --by rotation";
}

}  // namespace

std::string ApprovalAdvice(const HttpRequest& request, const std::string& purpose) {
  return "Two people decide this. Ask for it with\n  coffer approval request " +
         Wanted(request, purpose) +
         "\nand when another person has approved it (coffer approval approve ID), repeat this "
         "command with --approval ID.";
}

}  // namespace coffer::cli
