#include "api/routes/tokens.h"

#include <nlohmann/json.hpp>

#include "api/http/input.h"
#include "api/routes/names.h"
#include "api/routes/reply.h"

namespace coffer::api {
namespace {

using vault::Action;

constexpr std::int64_t kDefaultLifetimeS = 90 * 24 * 3600;

// Where no limit is given: as many as a page has at most.
constexpr std::size_t kTokensOfPage = 200;

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
  COFFER_ASSIGN(const auto tokens, AtQuery(service.vault.ListTokens(call.caller, filter, page)));
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
  COFFER_ASSIGN(const auto token, service.vault.CreateToken(call.caller, request));
  return WithNames(service, call, RenderOne(token, 201));
}

Result<Reply> RotateToken(const Service& service, const Call& call) {
  Input input(service, call, Action::kTokenRotate);
  const auto id = vault::TokenId::Parse(call.segments[0]);
  if (!id) return input.Refuse(id.error());
  COFFER_ASSIGN(const nlohmann::json object, input.Object({"overlap_s"}));
  COFFER_ASSIGN(const auto overlap_s, input.Number(object, "overlap_s"));
  COFFER_ASSIGN(const auto token,
                service.vault.RotateToken(call.caller, *id,
                                          static_cast<std::int64_t>(std::min<std::uint64_t>(
                                              overlap_s.value_or(0), 1U << 30))));
  return WithNames(service, call, RenderOne(token, 201));
}

Result<Reply> RevokeToken(const Service& service, const Call& call) {
  Input input(service, call, Action::kTokenRevoke);
  const auto id = vault::TokenId::Parse(call.segments[0]);
  if (!id) return input.Refuse(id.error());
  COFFER_ASSIGN(const auto token, service.vault.RevokeToken(call.caller, *id));
  return WithNames(service, call, RenderOne(token));
}

}  // namespace

void WriteMembers(ObjectWriter& object, const vault::TokenInfo& token) {
  object.Text("id", token.id.Text());
  object.Text("principal", token.principal.Text());
  object.Text("name", token.name);
  object.Text("role", token.role);
  object.Raw("limits", vault::FormatTokenLimits(token.limits));
  object.Time("created", token.created);
  object.Time("expires", token.expires);
  if (token.revoked) object.Time("revoked", *token.revoked);
  object.Text("state", Name(token.state));
  if (token.expires_in_s) {
    object.Number("expires_in_s", static_cast<std::uint64_t>(*token.expires_in_s));
  }
  if (token.replaced_by) object.Text("replaced_by", token.replaced_by->Text());
}

void WriteMembers(ObjectWriter& object, const vault::NewToken& token) {
  WriteMembers(object, token.info);
  object.Text("token", token.secret);
}

std::span<const Route> TokenRoutes() {
  using enum Method;
  static constexpr std::string_view kTokenQuery[] = {"state", "principal", "limit", "cursor"};
  static constexpr Route kRoutes[] = {
      // clang-format off
      {kGet, "/v1/tokens", Action::kTokenList, "listTokens", Body::kNone, kTokenQuery, ListTokens},
      {kPost, "/v1/tokens", Action::kTokenCreate, "createToken", Body::kJson, {}, CreateToken},
      {kPost, "/v1/tokens/{token}/rotate", Action::kTokenRotate, "rotateToken", Body::kJson, {}, RotateToken},
      {kDelete, "/v1/tokens/{token}", Action::kTokenRevoke, "revokeToken", Body::kNone, {}, RevokeToken},
      // clang-format on
  };
  return kRoutes;
}

}  // namespace coffer::api
