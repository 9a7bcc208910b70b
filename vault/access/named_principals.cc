#include "vault/access/named_principals.h"

#include <vector>

#include "vault/access/call.h"
#include "vault/access/operations.h"
#include "vault/access/principal_name.h"
#include "vault/base/near_names.h"

namespace coffer::vault {

Status ReplaceByPrincipal(const PrincipalRegister& principals, const char* pointer,
                          std::string& name) {
  const auto id = PrincipalId::Parse(name);
  if (id && id->Text() == name) return {};
  std::vector<const PrincipalRow*> meant;
  if (const PrincipalRow* const user = principals.FindLogin(LoginForm(name))) meant.push_back(user);
  std::vector<std::string> known;
  for (const PrincipalRow* const row : principals.Principals()) {
    const bool is_user = row->id.kind() == PrincipalKind::kUser;
    known.push_back(is_user ? row->login : row->name);
    if (!is_user && row->name == name) meant.push_back(row);
  }
  if (meant.size() == 1) {
    name = meant.front()->id.Text();
    return {};
  }
  std::string message = meant.empty() ? "is no user's login and no service's name"
                                      : "is what several principals are called: give an id";
  const std::string near = meant.empty() ? Suggest(name, std::move(known)) : std::string();
  if (near.starts_with("near")) message += "; " + near;
  return std::unexpected(
      Error{Code::kInvalidArgument, "filter_unknown", {}, {{pointer, std::move(message)}}});
}

Result<bool> MayKnowPrincipals(const Operations& operations, Transaction& transaction,
                               const Call& call) {
  for (const Action action : {Action::kPrincipalRead, Action::kLogRead}) {
    COFFER_ASSIGN(const auto decision,
                  operations.DecideFor(transaction, call, action, std::nullopt, nullptr));
    if (decision.allowed) return true;
  }
  return false;
}

}  // namespace coffer::vault
