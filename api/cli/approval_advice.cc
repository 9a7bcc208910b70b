#include "api/cli/approval_advice.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/cli/json_view.h"
#include "vault/strict_json.h"

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

// "svc_..." of "/v1/services/svc_.../certificates".
std::string IdIn(std::string_view target, std::string_view collection) {
  if (!target.starts_with(collection)) return {};
  target.remove_prefix(collection.size());
  return std::string(target.substr(0, target.find('/')));
}

std::string GiveRole(const std::string& target, const std::string& role) {
  return "give-role " + Quoted(target) + " " + (role.empty() ? "ROLE" : Quoted(role));
}

// The part of `coffer approval request` that says what is wanted.
std::string Wanted(const HttpRequest& request, const std::string& purpose) {
  const std::string_view target = request.target;
  const auto parsed = vault::ParseStrictJson(request.body);
  const json body = parsed ? *parsed : json::object();
  const std::string role = Text(body, "role");
  if (const auto id = IdIn(target, "/v1/clients/"); !id.empty()) {
    return "erase " + id + " --purpose " + (purpose.empty() ? "CODE" : purpose);
  }
  if (const auto name = IdIn(target, "/v1/roles/"); !name.empty()) {
    return "change-role " + name + " FILE";
  }
  if (target == "/v1/users") return GiveRole("user:" + Text(body, "login"), role);
  if (target == "/v1/services") return GiveRole("service:" + Text(body, "name"), role);
  if (target == "/v1/tokens") return GiveRole(Text(body, "principal"), role);
  for (const std::string_view collection : {"/v1/users/", "/v1/services/"}) {
    if (const auto id = IdIn(target, collection); !id.empty()) return GiveRole(id, role);
  }
  return "give-role PRINCIPAL ROLE";
}

}  // namespace

std::string ApprovalAdvice(const HttpRequest& request, const std::string& purpose) {
  return "Two people decide this. Ask for it with\n  coffer approval request " +
         Wanted(request, purpose) +
         "\nand when another person has approved it (coffer approval approve ID), repeat this "
         "command with --approval ID.";
}

}  // namespace coffer::cli
