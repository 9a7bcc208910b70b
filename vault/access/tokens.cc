// Services' tokens, and what a caller is told of itself.
#include "vault/access/tokens.h"

#include <algorithm>

#include "crypto/random.h"
#include "vault/access/access_acts.h"
#include "vault/access/access_state.h"
#include "vault/access/accounts.h"
#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/access/living_tokens.h"
#include "vault/access/named_principals.h"
#include "vault/access/operations.h"
#include "vault/access/principal_name.h"
#include "vault/access/role_giving.h"
#include "vault/access/secrets.h"
#include "vault/access/session.h"
#include "vault/access/token.h"
#include "vault/access/token_state.h"
#include "vault/base/page.h"
#include "vault/base/strict_json.h"
#include "vault/base/words.h"
#include "vault/catalog/catalog_state.h"

namespace coffer::vault {
namespace {

constexpr std::size_t kMaxTokenName = 200;
constexpr std::int64_t kMaxTokenLifetimeS = std::int64_t{366} * 24 * 3600;
constexpr std::int64_t kMaxOverlapS = std::int64_t{7} * 24 * 3600;

// The id of a service by its id or its name. Who may not know the others' names is told of none.
Status FindService(const Operations& operations, Transaction& transaction, const Call& call,
                   std::string& service) {
  const PrincipalRegister& principals = transaction.Of<AccessState>().principals();
  if (auto found = ReplaceByPrincipal(principals, "/principal", service); !found) {
    COFFER_ASSIGN(const bool may, MayKnowPrincipals(operations, transaction, call));
    if (!may) found.error().issues = {{"/principal", "is not the name of one service"}};
    return found;
  }
  if (const auto id = PrincipalId::Parse(service); id && principals.Find(*id) != nullptr) return {};
  return std::unexpected(
      Error{Code::kInvalidArgument, "filter_unknown", {}, {{"/principal", "is nobody's id"}}});
}

}  // namespace

TokenRow NewBearer(const crypto::Keyring& keyring, const PrincipalId& principal,
                   std::string_view prefix, Timestamp now, std::string& secret) {
  crypto::Hash random;
  crypto::FillRandom(random);
  secret = std::string(prefix) + crypto::Base64UrlEncode(random);
  TokenRow row;
  row.id = TokenId::New(now);
  row.principal = principal;
  row.digest = crypto::KeyedHash(keyring.token_hash_key(), {crypto::AsBytes(secret)});
  row.created = row.seen = row.seen_stored = now;
  return row;
}

TokenInfo InfoOf(const TokenRow& row, const PrincipalRow& principal) {
  return {row.id,     row.principal, row.name,    principal.role,
          row.limits, row.created,   row.expires, row.revoked};
}

Result<NewToken> Tokens::CreateToken(const Caller& caller, const TokenRequest& request) {
  constexpr Action kAction = Action::kTokenCreate;
  std::vector<Issue> issues;
  if (!IsWords(request.name, kMaxTokenName)) {
    issues.push_back({"/name", WordsRule(kMaxTokenName)});
  } else if (!request.principal && LooksLikeId(request.name)) {
    issues.push_back({"/name", kLooksLikeId});
  }
  if (request.lifetime_s < 60 || request.lifetime_s > kMaxTokenLifetimeS) {
    issues.push_back({"/lifetime_s", "must be between 60 and 31622400 seconds"});
  }
  if (request.principal && request.principal->kind() != PrincipalKind::kService) {
    issues.push_back({"/principal", "must be a service: users log in"});
  }
  // Roles are never taken away: one that is there now is there in the transaction.
  if (request.principal) {
    if (!request.role.empty()) issues.push_back({"/role", "is the principal's own"});
  } else if (operations_.engine().Of<CatalogState>().Published()->Role(request.role) == nullptr) {
    issues.push_back({"/role", "is not a role"});
  }
  if (!issues.empty()) {
    return operations_.Refuse(caller, {kAction},
                              Error{Code::kUnprocessable, "token_invalid", {}, std::move(issues)});
  }
  Call call = operations_.Start(caller, {kAction, OperationKind::kWrite});
  const Timestamp now = operations_.Now();
  NewToken token;
  PrincipalRow service;
  service.id = request.principal.value_or(PrincipalId::New(now, PrincipalKind::kService));
  service.name = request.name;
  service.role = request.role;
  service.created = now;
  TokenRow row = NewBearer(operations_.keyring(), service.id, "cft_", now, token.secret);
  row.name = request.name;
  row.limits = request.limits;
  row.expires = Timestamp{now.ms + request.lifetime_s * 1000};
  COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) -> Status {
    auto& store = transaction.Of<AccessState>().stores.principals;
    const PrincipalRow* known = nullptr;
    if (request.principal) {
      known = transaction.Of<AccessState>().principals().Find(*request.principal);
      if (known == nullptr) return Fail(Code::kUnprocessable, "principal_unknown");
      service = *known;
    }
    AddDetail(call.entry, row.id.Text() + " " + service.id.Text() + " " + service.role);
    const std::string limits = FormatTokenLimits(row.limits);
    if (limits != "{}") AddDetail(call.entry, limits);
    COFFER_TRY(two_person_.RequireApprovalToGive(
        transaction, call, {.by = "token", .after = service, .before = known},
        known != nullptr ? service.id.Text() : "service:" + request.name));
    if (!request.principal) {
      COFFER_TRY(store.Put(service));
      StagePrincipal(transaction, service);
    }
    COFFER_TRY(MakeRoomForToken(transaction, service.id, operations_.latest(), nullptr));
    COFFER_TRY(store.Insert(row));
    StageToken(transaction, row);
    token.info = TokenHeirs({}).Describe(row, service, operations_.latest());
    return {};
  }));
  return token;
}

Result<NewToken> Tokens::RotateToken(const Caller& caller, const TokenId& id,
                                     std::int64_t overlap_s) {
  if (overlap_s < 0 || overlap_s > kMaxOverlapS) {
    return operations_.Refuse(caller, {Action::kTokenRotate},
                              Error{Code::kUnprocessable,
                                    "token_invalid",
                                    {},
                                    {{"/overlap_s", "must be at most 604800 seconds"}}});
  }
  Call call = operations_.Start(caller, {Action::kTokenRotate, OperationKind::kWrite});
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<NewToken> {
    NewToken token;
    const bool own = call.token != nullptr && call.token->id == id;
    if (!own) {
      COFFER_ASSIGN(
          const auto decision,
          operations_.DecideFor(transaction, call, Action::kTokenCreate, std::nullopt, nullptr));
      if (!decision.allowed) {
        call.entry.decision = audit::Decision::kDeny;
        call.entry.rule = decision.rule;
        return std::unexpected(decision.error);
      }
    }
    const TokenRow* const found = transaction.Of<AccessState>().principals().FindToken(id);
    if (found == nullptr || found->is_session()) return NotFound(call);
    TokenRow old = *found;
    const Timestamp now = std::max(transaction.now(), old.created);
    const PrincipalRow& service = *transaction.Of<AccessState>().principals().Find(old.principal);
    if (old.revoked || old.expires <= operations_.latest()) {
      return Fail(Code::kConflict, "token_ended");
    }
    TokenRow row = NewBearer(operations_.keyring(), service.id, "cft_", now, token.secret);
    AddDetail(call.entry, id.Text() + " " + row.id.Text() + " " + service.id.Text());
    if (!own) {
      COFFER_TRY(two_person_.RequireApprovalToGive(
          transaction, call, {.by = "rotation", .after = service, .before = &service},
          service.id.Text()));
    }
    row.name = old.name;
    row.limits = old.limits;
    row.expires = Timestamp{now.ms + (old.expires.ms - old.created.ms)};
    row.parent = old.id;
    old.expires = std::min(old.expires, Timestamp{now.ms + overlap_s * 1000});
    COFFER_TRY(
        MakeRoomForToken(transaction, service.id, std::max(operations_.latest(), now), &old));
    auto& store = transaction.Of<AccessState>().stores.principals;
    COFFER_TRY(store.Insert(row));
    COFFER_TRY(store.Update(old));
    ActTokenEnded(transaction, old);
    token.info = TokenHeirs({}).Describe(row, service, operations_.latest());
    StageToken(transaction, std::move(row));
    StageToken(transaction, std::move(old));
    return token;
  });
}

Result<Page<TokenInfo>> Tokens::ListTokens(const Caller& caller, const TokenFilter& filter,
                                           const PageRequest& page) {
  Call call = operations_.Start(caller, {Action::kTokenList});
  const std::string list = "tokens/" + filter.principal + "/" +
                           std::string(filter.state ? Name(*filter.state) : std::string_view());
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Page<TokenInfo>> {
    Page<TokenInfo> tokens;
    COFFER_ASSIGN(const std::int64_t last, operations_.ReadCursor(call, list, page.cursor));
    const PrincipalRegister& principals = transaction.Of<AccessState>().principals();
    std::string service = filter.principal;
    if (!service.empty()) {
      COFFER_TRY(FindService(operations_, transaction, call, service));
      AddDetail(call.entry, service);
    }
    const auto rows = principals.Tokens();
    const TokenHeirs heirs(rows);
    for (const TokenRow* row : rows) {
      if (row->is_session() || row->id.Row() <= last) continue;
      if (!service.empty() && row->principal.Text() != service) continue;
      TokenInfo info = heirs.Describe(*row, *principals.Find(row->principal), operations_.latest());
      if (filter.state && info.state != *filter.state) continue;
      if (tokens.items.size() == page.limit) {
        tokens.next_cursor = operations_.MakeCursor(call, list, tokens.items.back().id.Row());
        break;
      }
      tokens.items.push_back(std::move(info));
    }
    return tokens;
  });
}

Result<TokenInfo> Tokens::RevokeToken(const Caller& caller, const TokenId& id) {
  Call call = operations_.Start(caller, {Action::kTokenRevoke, OperationKind::kWrite});
  call.entry.detail = id.Text();
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<TokenInfo> {
    const TokenRow* found = transaction.Of<AccessState>().principals().FindToken(id);
    if (found == nullptr || found->is_session()) return NotFound(call);
    TokenRow row = *found;
    COFFER_TRY(RevokeWithDescendants(transaction, row));
    TokenInfo info = InfoOf(row, *transaction.Of<AccessState>().principals().Find(row.principal));
    info.state = TokenState::kRevoked;
    StageToken(transaction, std::move(row));
    return info;
  });
}

Result<WhoIs> Tokens::WhoAmI(const Caller& caller) {
  Call call = operations_.Start(caller, {Action::kSelfRead});
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<WhoIs> {
    WhoIs who;
    COFFER_ASSIGN(who.principal, DescribePrincipal(transaction, *call.principal));
    for (int i = 0; i < kActionCount; ++i) {
      const auto action = static_cast<Action>(i);
      if (call.role->Allows(action)) who.actions.emplace_back(Name(action));
    }
    if (call.token == nullptr) return who;
    if (call.token->is_session()) {
      who.session = SessionInfoOf(*call.token, *call.principal);
    } else {
      const TokenHeirs heirs(transaction.Of<AccessState>().principals().TokensOf(call.actor));
      who.token = heirs.Describe(*call.token, *call.principal, operations_.latest());
    }
    return who;
  });
}

}  // namespace coffer::vault
