#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "api/input.h"
#include "api/render.h"

namespace coffer::api {

using vault::Action;

namespace {
constexpr std::uint64_t kDefaultLifetimeS = 90 * 24 * 3600;
}

Result<Reply> ListTokens(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto tokens, service.vault.ListTokens(call.caller));
  return RenderList(tokens);
}

Result<Reply> CreateToken(const Service& service, const Call& call) {
  Input input(service, call, Action::kTokenCreate);
  COFFER_ASSIGN(const nlohmann::json object, input.Object({"name", "role", "lifetime_s"}));
  COFFER_ASSIGN(const auto name, input.Text(object, "name", true));
  COFFER_ASSIGN(const auto role, input.Text(object, "role", true));
  COFFER_ASSIGN(const auto lifetime_s, input.Number(object, "lifetime_s"));
  const std::uint64_t bounded =
      std::min<std::uint64_t>(lifetime_s.value_or(kDefaultLifetimeS), 1U << 30);
  COFFER_ASSIGN(const auto token, service.vault.CreateToken(call.caller, name, role,
                                                            static_cast<std::int64_t>(bounded)));
  Reply reply = RenderOne(token.info, 201);
  reply.body.insert(reply.body.size() - 1, ",\"token\":\"" + token.secret + "\"");
  return reply;
}

Result<Reply> RevokeToken(const Service& service, const Call& call) {
  Input input(service, call, Action::kTokenRevoke);
  const auto id = vault::TokenId::Parse(call.segments[0]);
  if (!id) return input.Refuse(id.error());
  COFFER_ASSIGN(const auto token, service.vault.RevokeToken(call.caller, *id));
  return RenderOne(token);
}

Result<Reply> HandleMe(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto token, service.vault.WhoAmI(call.caller));
  return RenderOne(token);
}

}  // namespace coffer::api
