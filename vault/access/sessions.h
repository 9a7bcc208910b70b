// Logins of users, and what they set up for it.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/hash.h"
#include "crypto/password_hash.h"
#include "crypto/result.h"
#include "crypto/secret_bytes.h"
#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/access/enrolment.h"
#include "vault/access/login.h"
#include "vault/access/login_throttle.h"
#include "vault/access/operations.h"
#include "vault/access/principal_store.h"
#include "vault/access/session.h"
#include "vault/access/session_options.h"
#include "vault/base/function_ref.h"
#include "vault/base/ids.h"
#include "vault/engine/engine.h"

namespace coffer::vault {

class Sessions {
 public:
  // The costs of a password bound how many are computed at once.
  Sessions(const Operations& operations, SessionOptions options, crypto::PasswordCost cost)
      : operations_(operations), options_(options), passwords_(cost) {}

  // Before a user is known. One answer says that login, code, password or second factor is wrong:
  // kUnauthenticated "login_failed"; kExhausted "login_throttled" after too many of these,
  // "logins_busy". Errors of a right code: kUnprocessable "password_invalid" with issues.
  Result<EnrolmentOffer> ReadEnrolment(const Caller& caller, std::string_view login,
                                       std::string_view code);
  // With a code of the authenticator app the user has a second factor from now on.
  Result<EnrolmentDone> CompleteEnrolment(const Caller& caller, std::string_view login,
                                          std::string_view code,
                                          const crypto::SecretBytes& password,
                                          std::string_view totp);
  // `second_factor`: a code of the app or a recovery code; empty for who has none.
  Result<NewSession> LogIn(const Caller& caller, std::string_view login,
                           const crypto::SecretBytes& password, std::string_view second_factor);
  // Of the caller's own session. Errors: kUnprocessable "no_session" for a token.
  Status LogOut(const Caller& caller);
  Result<SessionInfo> StepUp(const Caller& caller, std::string_view second_factor);
  // Ends every session of the user.
  Status ChangePassword(const Caller& caller, const crypto::SecretBytes& old_password,
                        const crypto::SecretBytes& new_password, std::string_view second_factor);
  Result<std::vector<SessionInfo>> ListSessions(const Caller& caller);
  Result<SessionInfo> EndSession(const Caller& caller, const SessionId& id);

 private:
  // What is asked before somebody is known is logged with the account that it was about, and
  // answered alike whether there is one.
  crypto::Hash AccountHash(std::string_view login) const;
  // Errors: kExhausted "login_throttled", logged.
  Result<LoginThrottle::Attempt> BeginAttempt(Call& call, std::string_view login);
  // The account's id, and its password's hash: empty when there is none.
  Result<std::pair<PrincipalId, std::string>> FindAccount(std::string_view login) const;
  // As Operations::Perform; the credentials are stored as `work` leaves them. Errors:
  // kUnauthenticated "login_failed" for who is not there or disabled.
  Status PerformOpen(
      Call& call, const PrincipalId& user,
      FunctionRef<Status(Transaction&, const PrincipalRow&, UserCredentials&)> work) const;
  Status CheckEnrolment(Call& call, const PrincipalRow& user, const UserCredentials& credentials,
                        std::string_view code) const;

  const Operations& operations_;
  const SessionOptions options_;
  LoginThrottle throttle_;
  PasswordChecks passwords_;
};

}  // namespace coffer::vault
