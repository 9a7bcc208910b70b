// Tokens and the principals they stand for.
#include <algorithm>

#include "crypto/random.h"
#include "vault/internal/core.h"
#include "vault/internal/tokens.h"
#include "vault/strict_json.h"
#include "vault/vault.h"

namespace coffer::vault {

TokenRow MakeToken(const crypto::Keyring& keyring, std::string_view name, std::string_view role,
                   Timestamp now, std::int64_t lifetime_ms, std::string& secret) {
  crypto::Hash random;
  crypto::FillRandom(random);
  secret = "cft_" + crypto::Base64UrlEncode(random);
  TokenRow row;
  row.id = TokenId::New(now);
  row.principal = PrincipalId::New(now);
  row.digest = crypto::KeyedHash(keyring.token_hash_key(), {crypto::AsBytes(secret)});
  row.name = name;
  row.role = role;
  row.created = now;
  row.expires = Timestamp{now.ms + lifetime_ms};
  return row;
}

TokenInfo InfoOf(const TokenRow& row) {
  return {row.id, row.principal, row.name, row.role, row.created, row.expires, row.revoked};
}

Result<NewToken> Vault::CreateToken(const Caller& caller, std::string_view name,
                                    std::string_view role, std::int64_t lifetime_s) {
  std::vector<Issue> issues;
  if (name.empty() || name.size() > 200 || !IsCleanUtf8(name)) {
    issues.push_back({"/name", "must be text of 1 to 200 bytes"});
  }
  if (lifetime_s < 60 || lifetime_s > std::int64_t{366} * 24 * 3600) {
    issues.push_back({"/lifetime_s", "must be between 60 and 31622400 seconds"});
  }
  // Roles are never taken away: one that is there now is there in the transaction.
  if (core_->engine->catalog()->Role(role) == nullptr) issues.push_back({"/role", "is not a role"});
  if (!issues.empty()) {
    return std::unexpected(
        Refuse(caller, Action::kTokenCreate, std::nullopt, std::nullopt,
               Error{Code::kUnprocessable, "token_invalid", {}, std::move(issues)}));
  }
  Call call = core_->StartCall(caller, Action::kTokenCreate);
  NewToken token;
  TokenRow row =
      MakeToken(core_->keyring, name, role, core_->Now(), lifetime_s * 1000, token.secret);
  token.info = InfoOf(row);
  call.entry.detail = row.id.Text() + " " + row.principal.Text() + " " + row.role;
  COFFER_TRY(core_->Perform(OperationKind::kWrite, call, std::nullopt, nullptr,
                            [&](Transaction& transaction) -> Status {
                              COFFER_TRY(transaction.stores().principals.Insert(row));
                              transaction.PutToken(row);
                              return {};
                            }));
  return token;
}

Result<std::vector<TokenInfo>> Vault::ListTokens(const Caller& caller) {
  Call call = core_->StartCall(caller, Action::kTokenList);
  std::vector<TokenInfo> tokens;
  COFFER_TRY(core_->Perform(OperationKind::kRead, call, std::nullopt, nullptr,
                            [&](Transaction& transaction) -> Status {
                              for (const TokenRow* row : transaction.Tokens()) {
                                tokens.push_back(InfoOf(*row));
                              }
                              return {};
                            }));
  return tokens;
}

Result<TokenInfo> Vault::RevokeToken(const Caller& caller, const TokenId& id) {
  Call call = core_->StartCall(caller, Action::kTokenRevoke);
  call.entry.detail = id.Text();
  TokenInfo info;
  COFFER_TRY(core_->Perform(
      OperationKind::kWrite, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
        const TokenRow* found = transaction.FindToken(id);
        if (found == nullptr) return NotFound(call);
        TokenRow row = *found;
        if (!row.revoked) {
          row.revoked = transaction.now();
          COFFER_TRY(transaction.stores().principals.Revoke(id, *row.revoked));
        }
        info = InfoOf(row);
        transaction.PutToken(std::move(row));
        return {};
      }));
  return info;
}

Result<TokenInfo> Vault::WhoAmI(const Caller& caller) {
  Call call = core_->StartCall(caller, Action::kSelfRead);
  TokenInfo info;
  COFFER_TRY(core_->Perform(OperationKind::kRead, call, std::nullopt, nullptr,
                            [&](Transaction& transaction) -> Status {
                              info = InfoOf(*transaction.FindToken(*call.digest));
                              return {};
                            }));
  return info;
}

}  // namespace coffer::vault
