#include "api/routes/me.h"

#include "api/routes/principals.h"
#include "api/routes/reply.h"
#include "api/routes/sessions.h"
#include "api/routes/tokens.h"

namespace coffer::api {
namespace {

using vault::Action;

Result<Reply> HandleMe(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto who, service.vault.tokens().WhoAmI(call.caller));
  return RenderOne(who);
}

}  // namespace

void WriteMembers(ObjectWriter& object, const vault::WhoIs& who) {
  object.Object("principal", who.principal);
  if (who.token) object.Object("token", *who.token);
  if (who.session) object.Object("session", *who.session);
  object.Texts("actions", who.actions);
}

std::span<const Route> MeRoutes() {
  using enum Method;
  static constexpr Route kRoutes[] = {
      // clang-format off
      {kGet, "/v1/me", Action::kSelfRead, "getMe", Body::kNone, {}, HandleMe},
      // clang-format on
  };
  return kRoutes;
}

}  // namespace coffer::api
