#include <nlohmann/json.hpp>

#include "api/http/input.h"
#include "api/routes/handlers.h"
#include "api/routes/names.h"
#include "api/routes/render.h"

namespace coffer::api {

using vault::Action;

namespace {
constexpr std::int64_t kDefaultLifetimeS = 90 * 24 * 3600;
// Where no limit is given: as many as a page has at most.
constexpr std::size_t kTokensOfPage = 200;
}  // namespace

Result<Reply> ListTokens(const Service& service, const Call& call) {
  Input input(service, call, Action::kTokenList);
  vault::TokenFilter filter;
  if (const std::string_view state = call.Query("state"); !state.empty()) {
    filter.state = vault::TokenStateFromName(state);
    if (!filter.state) {
      return input.InvalidParameter("state",
                                    "must be active, disabled, expired, revoked or rotated");
    }
  }
  filter.principal = call.Query("principal");
  COFFER_ASSIGN(auto page, input.Page());
  if (call.Query("limit").empty()) page.limit = kTokensOfPage;
  COFFER_ASSIGN(const auto tokens,
                AtQuery(service.vault.tokens().ListTokens(call.caller, filter, page)));
  return WithNames(service, call, RenderList(tokens.items, tokens.next_cursor));
}

Result<Reply> CreateToken(const Service& service, const Call& call) {
  Input input(service, call, Action::kTokenCreate);
  COFFER_ASSIGN(const nlohmann::json object,
                input.Object({"name", "role", "principal", "lifetime_s", "limits"}));
  vault::TokenRequest request;
  COFFER_ASSIGN(request.name, input.Text(object, "name", true));
  const bool known = object.contains("principal");
  if (known) {
    COFFER_ASSIGN(request.principal, input.Principal(object, "principal"));
  }
  COFFER_ASSIGN(request.role, input.Text(object, "role", !known));
  COFFER_ASSIGN(request.lifetime_s, input.Seconds(object, "lifetime_s", kDefaultLifetimeS));
  if (const auto limits = object.find("limits"); limits != object.end()) {
    std::vector<Issue> issues;
    request.limits = vault::ParseTokenLimits(*limits, issues);
    for (auto& issue : issues) issue.pointer = "/limits" + issue.pointer;
    if (!issues.empty()) {
      return input.Refuse({Code::kUnprocessable, "token_invalid", {}, std::move(issues)});
    }
  }
  COFFER_ASSIGN(const auto token, service.vault.tokens().CreateToken(call.caller, request));
  return WithNames(service, call, RenderOne(token, 201));
}

Result<Reply> RotateToken(const Service& service, const Call& call) {
  Input input(service, call, Action::kTokenRotate);
  const auto id = vault::TokenId::Parse(call.segments[0]);
  if (!id) return input.Refuse(id.error());
  COFFER_ASSIGN(const nlohmann::json object, input.Object({"overlap_s"}));
  COFFER_ASSIGN(const auto overlap_s, input.Number(object, "overlap_s"));
  COFFER_ASSIGN(
      const auto token,
      service.vault.tokens().RotateToken(
          call.caller, *id,
          static_cast<std::int64_t>(std::min<std::uint64_t>(overlap_s.value_or(0), 1U << 30))));
  return WithNames(service, call, RenderOne(token, 201));
}

Result<Reply> RevokeToken(const Service& service, const Call& call) {
  Input input(service, call, Action::kTokenRevoke);
  const auto id = vault::TokenId::Parse(call.segments[0]);
  if (!id) return input.Refuse(id.error());
  COFFER_ASSIGN(const auto token, service.vault.tokens().RevokeToken(call.caller, *id));
  return WithNames(service, call, RenderOne(token));
}

Result<Reply> HandleMe(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto who, service.vault.tokens().WhoAmI(call.caller));
  return RenderOne(who);
}

}  // namespace coffer::api
