#include "vault/access/accounts.h"

#include "crypto/totp.h"
#include "vault/access/access_state.h"
#include "vault/access/enrolment.h"
#include "vault/access/login.h"
#include "vault/access/principal.h"
#include "vault/access/secrets.h"
#include "vault/catalog/catalog_state.h"

namespace coffer::vault {
namespace {

constexpr std::int64_t kEnrolmentLifetimeMs = std::int64_t{72} * 3600 * 1000;

}  // namespace

PrincipalInfo InfoOf(const PrincipalRow& row) {
  PrincipalInfo info;
  info.id = row.id;
  info.name = row.name;
  info.role = row.role;
  info.login = row.login;
  info.created = row.created;
  info.disabled = row.disabled;
  info.owner = row.owner;
  info.certificates = row.certificates;
  return info;
}

Result<PrincipalInfo> DescribePrincipal(Transaction& transaction, const PrincipalRow& row) {
  PrincipalInfo info = InfoOf(row);
  if (row.id.kind() != PrincipalKind::kUser) return info;
  COFFER_ASSIGN(const auto credentials, transaction.Of<AccessState>().stores.users.Find(row.id));
  info.enrolled = credentials && !credentials->password.empty();
  info.second_factor = credentials && credentials->totp;
  return info;
}

Status EndSessionsOf(Transaction& transaction, const PrincipalId& user) {
  for (const TokenRow* session : transaction.Of<AccessState>().principals().Tokens()) {
    if (session->principal != user || !session->is_session() || session->revoked) continue;
    TokenRow row = *session;
    row.revoked = transaction.now();
    COFFER_TRY(transaction.Of<AccessState>().stores.principals.Update(row));
    StageToken(transaction, std::move(row));
  }
  return {};
}

// A code for `user`, with a secret for the authenticator app that goes with it.
Result<NewEnrolment> StartEnrolment(const crypto::Keyring& keyring, Transaction& transaction,
                                    const PrincipalRow& user) {
  NewEnrolment enrolment;
  enrolment.user = InfoOf(user);
  enrolment.code = NewEnrolmentCode();
  enrolment.expires = Timestamp{transaction.now().ms + kEnrolmentLifetimeMs};
  UserCredentials credentials;
  credentials.enrolment = DigestOfCode(keyring, user.id, enrolment.code);
  credentials.enrolment_expires = enrolment.expires;
  credentials.enrolment_totp = SealTotp(keyring, user.id, crypto::NewTotpSecret());
  COFFER_TRY(transaction.Of<AccessState>().stores.users.Put(user.id, credentials));
  return enrolment;
}

Status RequireSecondFactor(Transaction& transaction, const PrincipalRow& row) {
  const auto role = transaction.Of<CatalogState>().current().Role(row.role);
  if (!role) return Fail(Code::kConflict, "role_unknown");
  if (row.id.kind() != PrincipalKind::kUser || !role->privileged) return {};
  COFFER_ASSIGN(const auto credentials, transaction.Of<AccessState>().stores.users.Find(row.id));
  if (!credentials || credentials->password.empty() || credentials->totp) return {};
  return std::unexpected(
      Error{Code::kUnprocessable,
            "principal_invalid",
            {},
            {{"/role", "is privileged: the user needs a second factor; enrol them again"}}});
}

}  // namespace coffer::vault
