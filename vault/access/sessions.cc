// Users: enrolment, logging in and out, the second factor.
#include "vault/access/sessions.h"

#include <algorithm>
#include <cctype>

#include "crypto/totp.h"
#include "vault/access/access_acts.h"
#include "vault/access/access_state.h"
#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/access/enrolment.h"
#include "vault/access/living_tokens.h"
#include "vault/access/login.h"
#include "vault/access/operations.h"
#include "vault/access/password_rules.h"
#include "vault/access/secrets.h"
#include "vault/access/session.h"
#include "vault/access/typed_code.h"
#include "vault/catalog/catalog_state.h"

namespace coffer::vault {
namespace {

constexpr std::string_view kIssuer = "Coffer";

// As it is stored: what somebody typed with a capital letter is theirs all the same.
std::string LoginOf(std::string_view given) {
  std::string login(given.substr(0, 256));
  std::ranges::transform(login, login.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return login;
}

// Sessions that have been over for so long are forgotten.
constexpr std::int64_t kOverForMs = std::int64_t{24} * 3600 * 1000;

Error LoginFailed() { return {Code::kUnauthenticated, "login_failed", {}, {}}; }

Error Throttled(const LoginThrottle::Wait& wait) {
  Error error{Code::kExhausted, "login_throttled", {}, {}};
  error.retry_after_s = (wait.ms + 999) / 1000;
  return error;
}

Status RequireSession(const Call& call) {
  if (call.token != nullptr && call.token->is_session()) return {};
  return Fail(Code::kUnprocessable, "no_session");
}

// Only what may have been a guess counts as a failed login, not that the store or the vault could
// not answer, nor what was asked for without need.
bool IsGuess(const Error& error) {
  return error.reason == LoginFailed().reason || error.reason == "password_wrong" ||
         error.reason == "second_factor_wrong";
}

template <class T>
void WithdrawUnlessGuess(LoginThrottle::Attempt& attempt, const Result<T>& outcome) {
  if (outcome || !IsGuess(outcome.error())) attempt.Withdraw();
}

SecondFactor FactorOf(bool given) { return given ? SecondFactor::kRequired : SecondFactor::kNone; }

}  // namespace

SessionInfo SessionInfoOf(const TokenRow& row, const PrincipalRow& principal) {
  return {SessionId{row.id.value},
          row.principal,
          principal.login,
          row.created,
          row.expires,
          row.seen,
          row.factor,
          row.revoked};
}

crypto::Hash Sessions::AccountHash(std::string_view login) const {
  return crypto::KeyedHash(operations_.keyring().token_hash_key(),
                           {crypto::AsBytes("account"), crypto::AsBytes(login)});
}

Result<LoginThrottle::Attempt> Sessions::BeginAttempt(Call& call, std::string_view login) {
  auto attempt = throttle_.Begin(
      AccountHash(login), call.caller.address_known ? call.caller.address : "", operations_.Now());
  if (attempt) return *std::move(attempt);
  return std::unexpected(
      operations_.RefuseOpen(call, "throttle", Throttled(attempt.error()), login));
}

Status Sessions::PerformOpen(
    Call& call, const PrincipalId& user,
    FunctionRef<Status(Transaction&, const PrincipalRow&, UserCredentials&)> work) const {
  return operations_.engine().Run(
      OperationKind::kWrite, EntryRule::kAlways, call.entry,
      [&](Transaction& transaction) -> Status {
        operations_.Advance(transaction.now());
        COFFER_TRY(operations_.SealReason(transaction, call, false));
        COFFER_TRY(operations_.CheckState());
        const PrincipalRow* const row = transaction.Of<AccessState>().principals().Find(user);
        const auto deny = [&](std::string_view check) {
          return Deny(call, check, Code::kUnauthenticated, "login_failed");
        };
        COFFER_ASSIGN(auto credentials, transaction.Of<AccessState>().stores.users.Find(user));
        if (row == nullptr || !credentials) return deny("account");
        call.actor = row->id;
        call.entry.actor = row->id.Text();
        call.entry.actor_kind = audit::ActorKind::kUser;
        if (row->disabled) return deny("principal-disabled");
        call.entry.decision = audit::Decision::kAllow;
        call.entry.rule = "self";
        const std::string password = credentials->password;
        const std::size_t recovery_left = credentials->recovery.size();
        const auto worked = work(transaction, *row, *credentials);
        Operations::NoteTicket(call);
        COFFER_TRY(worked);
        // A new password, or a code that is used up: what was right before is right no more.
        if (credentials->password != password || credentials->recovery.size() < recovery_left) {
          ActCredentials(transaction, user, *credentials);
        }
        return transaction.Of<AccessState>().stores.users.Put(user, *credentials);
      });
}

Result<std::pair<PrincipalId, std::string>> Sessions::FindAccount(std::string_view login) const {
  std::pair<PrincipalId, std::string> found{};
  COFFER_TRY(operations_.Look([&](Transaction& transaction) -> Status {
    const PrincipalRow* row = transaction.Of<AccessState>().principals().FindLogin(login);
    if (row != nullptr) found.first = row->id;
    // The same work for a name that no account has.
    COFFER_ASSIGN(const auto credentials,
                  transaction.Of<AccessState>().stores.users.Find(found.first));
    if (credentials) found.second = credentials->password;
    return {};
  }));
  return found;
}

Result<EnrolmentOffer> Sessions::ReadEnrolment(const Caller& caller, std::string_view login,
                                               std::string_view code) {
  const std::string name = LoginOf(login);
  Call call = operations_.StartOpen(caller, Action::kEnrolmentRead, "enrolment");
  COFFER_ASSIGN(auto attempt, BeginAttempt(call, name));
  const auto account = FindAccount(name);
  if (!account) {
    attempt.Withdraw();
    return std::unexpected(account.error());
  }
  EnrolmentOffer offer;
  const auto read = PerformOpen(
      call, account->first,
      [&](Transaction&, const PrincipalRow& user, UserCredentials& credentials) -> Status {
        COFFER_TRY(CheckEnrolment(call, user, credentials, code));
        COFFER_ASSIGN(const auto secret,
                      OpenTotp(operations_.keyring(), user.id, *credentials.enrolment_totp));
        offer = {user.login, user.name, crypto::TotpUri(kIssuer, user.login, secret)};
        return {};
      });
  WithdrawUnlessGuess(attempt, read);
  if (!read) return std::unexpected(read.error());
  return offer;
}

Status Sessions::CheckEnrolment(Call& call, const PrincipalRow& user,
                                const UserCredentials& credentials, std::string_view code) const {
  const crypto::Hash digest = DigestOfCode(operations_.keyring(), user.id, EnrolmentCodeOf(code));
  const bool right =
      credentials.enrolment && crypto::ConstantTimeEqual(*credentials.enrolment, digest);
  if (!right || credentials.enrolment_expires <= operations_.latest()) {
    return Deny(call, right ? "enrolment-expired" : "enrolment", Code::kUnauthenticated,
                "login_failed");
  }
  return {};
}

Result<EnrolmentDone> Sessions::CompleteEnrolment(const Caller& caller, std::string_view login,
                                                  std::string_view code,
                                                  const crypto::SecretBytes& password,
                                                  std::string_view totp) {
  const std::string name = LoginOf(login);
  Call call = operations_.StartOpen(caller, Action::kEnrolmentComplete, "enrolment");
  COFFER_ASSIGN(auto attempt, BeginAttempt(call, name));
  const auto account = FindAccount(name);
  if (!account) {
    attempt.Withdraw();
    return std::unexpected(account.error());
  }
  const bool with_factor = !totp.empty();
  // Computed ahead, so that the engine does not wait for it. Only who has the code is told what is
  // wrong with the password.
  auto issues = PasswordIssues(password, name, FactorOf(with_factor));
  std::string hash;
  if (issues.empty()) {
    auto made = passwords_.Hash(password);
    if (!made) {
      attempt.Withdraw();
      return std::unexpected(operations_.RefuseOpen(call, "busy", made.error(), name));
    }
    hash = *std::move(made);
  }
  EnrolmentDone done;
  const auto completed = PerformOpen(
      call, account->first,
      [&](Transaction& transaction, const PrincipalRow& user,
          UserCredentials& credentials) -> Status {
        COFFER_TRY(CheckEnrolment(call, user, credentials, code));
        UserCredentials set;
        if (with_factor) {
          set.totp = credentials.enrolment_totp;
          COFFER_ASSIGN(const bool right, TakeSecondFactor(operations_.keyring(), user.id, set,
                                                           totp, operations_.latest()));
          if (!right) issues.push_back({"/totp", "is not the authenticator app's code of now"});
        } else if (transaction.Of<CatalogState>().current().Role(user.role)->privileged) {
          issues.push_back({"/totp", "is required: the role is privileged"});
        }
        if (!issues.empty()) {
          call.entry.decision = audit::Decision::kDeny;
          call.entry.rule = "check:password-rules";
          return std::unexpected(
              Error{Code::kUnprocessable, "password_invalid", {}, std::move(issues)});
        }
        set.password = hash;
        for (std::size_t i = 0; with_factor && i < kRecoveryCodes; ++i) {
          done.recovery_codes.push_back(NewRecoveryCode());
          set.recovery.push_back(
              DigestOfCode(operations_.keyring(), user.id, done.recovery_codes.back()));
        }
        AddDetail(call.entry, with_factor ? "with second factor" : "without second factor");
        credentials = std::move(set);
        done.user = InfoOf(user);
        done.user.enrolled = true;
        done.user.second_factor = with_factor;
        return {};
      });
  // Who has the code guesses nothing.
  WithdrawUnlessGuess(attempt, completed);
  if (!completed) return std::unexpected(completed.error());
  return done;
}

namespace {

// What the login needs beside the password; the role may have become privileged after the
// enrolment.
Status RequireFactor(const Operations& operations, Transaction& transaction, Call& call,
                     const PrincipalRow& user, UserCredentials& credentials,
                     std::string_view second_factor) {
  const auto deny = [&](std::string_view check) {
    return Deny(call, check, Code::kUnauthenticated, LoginFailed().reason);
  };
  if (!credentials.totp) {
    if (transaction.Of<CatalogState>().current().Role(user.role)->privileged)
      return deny("second-factor-missing");
    return {};
  }
  COFFER_ASSIGN(const bool taken, TakeSecondFactor(operations.keyring(), user.id, credentials,
                                                   second_factor, transaction.now()));
  if (!taken) return deny("second-factor");
  return {};
}

Result<NewSession> OpenSession(const Operations& operations, const SessionOptions& options,
                               Transaction& transaction, Call& call, const PrincipalRow& user,
                               bool with_factor) {
  NewSession session;
  const Timestamp now = operations.latest();
  TokenRow row = NewBearer(operations.keyring(), user.id, "cfs_", now, session.secret);
  row.idle_ms = std::int64_t{options.session_idle_s} * 1000;
  row.expires = Timestamp{now.ms + std::int64_t{options.session_lifetime_s} * 1000};
  if (with_factor) row.factor = now;
  session.info = SessionInfoOf(row, user);
  AddDetail(call.entry, session.info.id.Text());
  auto& principals = transaction.Of<AccessState>().stores.principals;
  COFFER_TRY(principals.PurgeSessions(Timestamp{now.ms - kOverForMs}));
  COFFER_TRY(MakeRoomForSession(transaction, user.id, now, call.entry));
  COFFER_TRY(principals.Insert(row));
  StageToken(transaction, std::move(row));
  return session;
}

}  // namespace

Result<NewSession> Sessions::LogIn(const Caller& caller, std::string_view login,
                                   const crypto::SecretBytes& password,
                                   std::string_view second_factor) {
  const std::string name = LoginOf(login);
  Call call = operations_.StartOpen(caller, Action::kSessionCreate, "password");
  COFFER_ASSIGN(auto attempt, BeginAttempt(call, name));
  const auto account = FindAccount(name);
  if (!account) {
    attempt.Withdraw();
    return std::unexpected(account.error());
  }
  const auto right = passwords_.Verify(account->second, password);
  if (!right) {
    attempt.Withdraw();
    return std::unexpected(operations_.RefuseOpen(call, "busy", right.error(), name));
  }
  NewSession session;
  const auto let_in = PerformOpen(
      call, account->first,
      [&](Transaction& transaction, const PrincipalRow& user,
          UserCredentials& credentials) -> Status {
        if (!*right || credentials.password != account->second) {
          return Deny(call, "password", Code::kUnauthenticated, LoginFailed().reason);
        }
        COFFER_TRY(RequireFactor(operations_, transaction, call, user, credentials, second_factor));
        COFFER_ASSIGN(session, OpenSession(operations_, options_, transaction, call, user,
                                           credentials.totp.has_value()));
        return {};
      });
  if (!let_in) {
    WithdrawUnlessGuess(attempt, let_in);
    return std::unexpected(let_in.error());
  }
  attempt.Succeed(operations_.Now());
  return session;
}

Status Sessions::LogOut(const Caller& caller) {
  Call call = operations_.Start(caller, {Action::kSessionEnd, OperationKind::kWrite});
  return operations_.Perform(call, [&](Transaction& transaction) -> Status {
    COFFER_TRY(RequireSession(call));
    TokenRow row = *call.token;
    AddDetail(call.entry, SessionId{row.id.value}.Text());
    row.revoked = transaction.now();
    COFFER_TRY(transaction.Of<AccessState>().stores.principals.Update(row));
    StageToken(transaction, std::move(row));
    return {};
  });
}

Result<SessionInfo> Sessions::StepUp(const Caller& caller, std::string_view second_factor) {
  Call call = operations_.Start(caller, {Action::kSessionStepUp, OperationKind::kWrite});
  // Who is known already is told as much; the guesses count as those at the login do. Where there
  // is no second factor nothing is guessed, and nobody waits.
  std::string login;
  {
    COFFER_TRY(operations_.Look([&](Transaction& transaction) -> Status {
      operations_.Identify(transaction, call);
      if (!RequireSession(call) || !call.credential_fault.empty()) {
        return {};
      }
      COFFER_ASSIGN(const auto credentials,
                    transaction.Of<AccessState>().stores.users.Find(call.actor));
      if (credentials && credentials->totp) {
        login = call.principal->login;
      }
      return {};
    }));
  }
  std::optional<LoginThrottle::Attempt> attempt;
  std::optional<LoginThrottle::Wait> wait;
  if (!login.empty()) {
    auto begun = throttle_.Begin(AccountHash(login), caller.address_known ? caller.address : "",
                                 operations_.Now());
    if (begun) {
      attempt.emplace(*std::move(begun));
    } else {
      wait = begun.error();
    }
  }
  SessionInfo info;
  const auto stepped = operations_.Perform(call, [&](Transaction& transaction) -> Status {
    COFFER_TRY(RequireSession(call));
    if (wait) {
      Deny(call, "throttle", Code::kExhausted, "login_throttled");
      return std::unexpected(Throttled(*wait));
    }
    auto& users = transaction.Of<AccessState>().stores.users;
    COFFER_ASSIGN(auto credentials, users.Find(call.actor));
    if (!credentials || !credentials->totp || !attempt) {
      return Fail(Code::kUnprocessable, "no_second_factor");
    }
    const std::size_t recovery_left = credentials->recovery.size();
    COFFER_ASSIGN(const bool taken,
                  TakeSecondFactor(operations_.keyring(), call.actor, *credentials, second_factor,
                                   transaction.now()));
    if (!taken) {
      return Deny(call, "second-factor", Code::kPermissionDenied, "second_factor_wrong");
    }
    COFFER_TRY(users.Put(call.actor, *credentials));
    if (credentials->recovery.size() < recovery_left) {
      ActCredentials(transaction, call.actor, *credentials);
    }
    TokenRow row = *call.token;
    row.factor = operations_.latest();
    COFFER_TRY(transaction.Of<AccessState>().stores.principals.Update(row));
    info = SessionInfoOf(row, *call.principal);
    StageToken(transaction, std::move(row));
    return {};
  });
  if (attempt) WithdrawUnlessGuess(*attempt, stepped);
  if (!stepped) return std::unexpected(stepped.error());
  return info;
}

Status Sessions::ChangePassword(const Caller& caller, const crypto::SecretBytes& old_password,
                                const crypto::SecretBytes& new_password,
                                std::string_view second_factor) {
  Call call = operations_.Start(caller, {Action::kPasswordChange, OperationKind::kWrite});
  std::string login, stored;
  bool has_factor = false;
  COFFER_TRY(operations_.Look([&](Transaction& transaction) -> Status {
    operations_.Identify(transaction, call);
    if (call.token == nullptr || !call.token->is_session() || !call.credential_fault.empty()) {
      return {};
    }
    login = call.principal->login;
    COFFER_ASSIGN(const auto credentials,
                  transaction.Of<AccessState>().stores.users.Find(call.actor));
    if (credentials) stored = credentials->password;
    has_factor = credentials && credentials->totp;
    return {};
  }));
  // No hash is computed for who has no session.
  bool right = false;
  std::string hash;
  std::vector<Issue> issues;
  std::optional<LoginThrottle::Attempt> attempt;
  std::optional<LoginThrottle::Wait> wait;
  std::optional<Error> busy;
  if (!login.empty()) {
    auto begun = throttle_.Begin(AccountHash(login), caller.address_known ? caller.address : "",
                                 operations_.Now());
    if (begun) {
      attempt.emplace(*std::move(begun));
    } else {
      wait = begun.error();
    }
    issues = PasswordIssues(new_password, login, FactorOf(has_factor));
    for (auto& issue : issues) issue.pointer = "/new_password";
    if (attempt) {
      const auto verified = passwords_.Verify(stored, old_password);
      if (!verified) busy = verified.error();
      right = verified && *verified;
      if (right && issues.empty()) {
        auto made = passwords_.Hash(new_password);
        if (!made) busy = made.error();
        if (made) hash = *std::move(made);
      }
    }
  }
  const auto changed = operations_.Perform(call, [&](Transaction& transaction) -> Status {
    COFFER_TRY(RequireSession(call));
    if (wait) {
      Deny(call, "throttle", Code::kExhausted, "login_throttled");
      return std::unexpected(Throttled(*wait));
    }
    // kUnavailable would be the store's own failure.
    if (busy) return Deny(call, "busy", Code::kExhausted, busy->reason);
    auto& users = transaction.Of<AccessState>().stores.users;
    COFFER_ASSIGN(auto credentials, users.Find(call.actor));
    if (!right || !credentials || credentials->password != stored) {
      return Deny(call, "password", Code::kPermissionDenied, "password_wrong");
    }
    if (credentials->totp) {
      COFFER_ASSIGN(const bool taken,
                    TakeSecondFactor(operations_.keyring(), call.actor, *credentials, second_factor,
                                     transaction.now()));
      if (!taken) {
        return Deny(call, "second-factor", Code::kPermissionDenied, "second_factor_wrong");
      }
    }
    if (!issues.empty()) {
      return std::unexpected(
          Error{Code::kUnprocessable, "password_invalid", {}, std::move(issues)});
    }
    credentials->password = hash;
    COFFER_TRY(users.Put(call.actor, *credentials));
    ActCredentials(transaction, call.actor, *credentials);
    return EndSessionsOf(transaction, call.actor);
  });
  if (attempt) WithdrawUnlessGuess(*attempt, changed);
  return changed;
}

Result<std::vector<SessionInfo>> Sessions::ListSessions(const Caller& caller) {
  Call call = operations_.Start(caller, {Action::kSessionList});
  return operations_.Perform(
      call, [&](Transaction& transaction) -> Result<std::vector<SessionInfo>> {
        std::vector<SessionInfo> sessions;
        const Timestamp now = operations_.latest();
        for (const TokenRow* row : transaction.Of<AccessState>().principals().Tokens()) {
          if (!row->is_session() || !row->IsLiving(now)) continue;
          sessions.push_back(SessionInfoOf(
              *row, *transaction.Of<AccessState>().principals().Find(row->principal)));
        }
        return sessions;
      });
}

Result<SessionInfo> Sessions::EndSession(const Caller& caller, const SessionId& id) {
  Call call = operations_.Start(caller, {Action::kSessionRevoke, OperationKind::kWrite});
  call.entry.detail = id.Text();
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<SessionInfo> {
    const TokenRow* const found =
        transaction.Of<AccessState>().principals().FindToken(TokenId{id.value});
    if (found == nullptr || !found->is_session()) return NotFound(call);
    TokenRow row = *found;
    if (!row.revoked) {
      row.revoked = transaction.now();
      ActTokenEnded(transaction, row);
    }
    COFFER_TRY(transaction.Of<AccessState>().stores.principals.Update(row));
    SessionInfo info =
        SessionInfoOf(row, *transaction.Of<AccessState>().principals().Find(row.principal));
    StageToken(transaction, std::move(row));
    return info;
  });
}

}  // namespace coffer::vault
