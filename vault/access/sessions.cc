// Users: enrolment, logging in and out, the second factor.
#include <algorithm>
#include <cctype>

#include "crypto/totp.h"
#include "vault/access/access_state.h"
#include "vault/access/core.h"
#include "vault/access/living_tokens.h"
#include "vault/access/login.h"
#include "vault/access/password_rules.h"
#include "vault/access/typed_code.h"
#include "vault/catalog/catalog_state.h"
#include "vault/engine/secrets.h"
#include "vault/vault.h"

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

crypto::Hash Vault::Core::AccountHash(std::string_view login) const {
  return crypto::KeyedHash(keyring.token_hash_key(),
                           {crypto::AsBytes("account"), crypto::AsBytes(login)});
}

Call Vault::Core::StartOpenCall(const Caller& caller, Action action, std::string_view how) const {
  Call call = StartCall(caller, action);
  call.digest.reset();
  call.entry.auth = how;
  call.entry.purpose.clear();
  return call;
}

Result<LoginThrottle::Attempt> Vault::Core::BeginAttempt(Call& call, std::string_view login) const {
  auto attempt = throttle.Begin(AccountHash(login),
                                call.caller.address_known ? call.caller.address : "", Now());
  if (attempt) return *std::move(attempt);
  return std::unexpected(RefuseOpen(call, "throttle", Throttled(attempt.error()), login));
}

Error Vault::Core::RefuseOpen(Call& call, std::string_view check, Error error,
                              std::string_view login) const {
  const auto logged =
      engine->Run(OperationKind::kRead, EntryRule::kAlways, call.entry,
                  [&](Transaction& transaction) -> Status {
                    COFFER_TRY(SealReason(transaction, call, std::nullopt, false));
                    if (const PrincipalRow* const row =
                            transaction.Of<AccessState>().principals().FindLogin(login)) {
                      call.actor = row->id;
                      call.entry.actor = row->id.Text();
                      call.entry.actor_kind = audit::ActorKind::kUser;
                    }
                    NoteTicket(call);
                    // kUnavailable would be the store's own failure.
                    return Deny(call, check, Code::kExhausted, error.reason);
                  });
  // That nothing could be logged comes first.
  if (!logged && logged.error().reason != error.reason) return logged.error();
  return error;
}

Status Vault::Core::PerformOpen(
    Call& call, const PrincipalId& user,
    FunctionRef<Status(Transaction&, const PrincipalRow&, UserCredentials&)> work) const {
  return engine->Run(
      OperationKind::kWrite, EntryRule::kAlways, call.entry,
      [&](Transaction& transaction) -> Status {
        latest = std::max(latest, transaction.now());
        COFFER_TRY(SealReason(transaction, call, std::nullopt, false));
        COFFER_TRY(CheckState());
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
        const auto worked = work(transaction, *row, *credentials);
        NoteTicket(call);
        COFFER_TRY(worked);
        return transaction.Of<AccessState>().stores.users.Put(user, *credentials);
      });
}

Result<std::pair<PrincipalId, std::string>> Vault::Core::FindAccount(std::string_view login) const {
  std::pair<PrincipalId, std::string> found{};
  audit::Entry none;
  COFFER_TRY(engine->Run(
      OperationKind::kRead, EntryRule::kNever, none, [&](Transaction& transaction) -> Status {
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

Result<EnrolmentOffer> Vault::ReadEnrolment(const Caller& caller, std::string_view login,
                                            std::string_view code) {
  const std::string name = LoginOf(login);
  Call call = core_->StartOpenCall(caller, Action::kEnrolmentRead, "enrolment");
  COFFER_ASSIGN(auto attempt, core_->BeginAttempt(call, name));
  const auto account = core_->FindAccount(name);
  if (!account) {
    attempt.Withdraw();
    return std::unexpected(account.error());
  }
  EnrolmentOffer offer;
  const auto read = core_->PerformOpen(
      call, account->first,
      [&](Transaction&, const PrincipalRow& user, UserCredentials& credentials) -> Status {
        COFFER_TRY(core_->CheckEnrolment(call, user, credentials, code));
        COFFER_ASSIGN(const auto secret,
                      OpenTotp(core_->keyring, user.id, *credentials.enrolment_totp));
        offer = {user.login, user.name, crypto::TotpUri(kIssuer, user.login, secret)};
        return {};
      });
  WithdrawUnlessGuess(attempt, read);
  if (!read) return std::unexpected(read.error());
  return offer;
}

Status Vault::Core::CheckEnrolment(Call& call, const PrincipalRow& user,
                                   const UserCredentials& credentials,
                                   std::string_view code) const {
  const crypto::Hash digest = DigestOfCode(keyring, user.id, EnrolmentCodeOf(code));
  const bool right =
      credentials.enrolment && crypto::ConstantTimeEqual(*credentials.enrolment, digest);
  if (!right || credentials.enrolment_expires <= latest) {
    return Deny(call, right ? "enrolment-expired" : "enrolment", Code::kUnauthenticated,
                "login_failed");
  }
  return {};
}

Result<EnrolmentDone> Vault::CompleteEnrolment(const Caller& caller, std::string_view login,
                                               std::string_view code,
                                               const crypto::SecretBytes& password,
                                               std::string_view totp) {
  const std::string name = LoginOf(login);
  Call call = core_->StartOpenCall(caller, Action::kEnrolmentComplete, "enrolment");
  COFFER_ASSIGN(auto attempt, core_->BeginAttempt(call, name));
  const auto account = core_->FindAccount(name);
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
    auto made = core_->passwords.Hash(password);
    if (!made) {
      attempt.Withdraw();
      return std::unexpected(core_->RefuseOpen(call, "busy", made.error(), name));
    }
    hash = *std::move(made);
  }
  EnrolmentDone done;
  const auto completed = core_->PerformOpen(
      call, account->first,
      [&](Transaction& transaction, const PrincipalRow& user,
          UserCredentials& credentials) -> Status {
        COFFER_TRY(core_->CheckEnrolment(call, user, credentials, code));
        UserCredentials set;
        if (with_factor) {
          set.totp = credentials.enrolment_totp;
          COFFER_ASSIGN(const bool right,
                        TakeSecondFactor(core_->keyring, user.id, set, totp, core_->latest));
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
          set.recovery.push_back(DigestOfCode(core_->keyring, user.id, done.recovery_codes.back()));
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

Result<NewSession> Vault::LogIn(const Caller& caller, std::string_view login,
                                const crypto::SecretBytes& password,
                                std::string_view second_factor) {
  const std::string name = LoginOf(login);
  Call call = core_->StartOpenCall(caller, Action::kSessionCreate, "password");
  COFFER_ASSIGN(auto attempt, core_->BeginAttempt(call, name));
  const auto account = core_->FindAccount(name);
  if (!account) {
    attempt.Withdraw();
    return std::unexpected(account.error());
  }
  const auto right = core_->passwords.Verify(account->second, password);
  if (!right) {
    attempt.Withdraw();
    return std::unexpected(core_->RefuseOpen(call, "busy", right.error(), name));
  }
  NewSession session;
  const auto let_in = core_->PerformOpen(
      call, account->first,
      [&](Transaction& transaction, const PrincipalRow& user,
          UserCredentials& credentials) -> Status {
        const auto deny = [&](std::string_view check) {
          return Deny(call, check, Code::kUnauthenticated, LoginFailed().reason);
        };
        if (!*right || credentials.password != account->second) return deny("password");
        const Timestamp now = core_->latest;
        // The role may have become privileged after the enrolment.
        if (!credentials.totp &&
            transaction.Of<CatalogState>().current().Role(user.role)->privileged) {
          return deny("second-factor-missing");
        }
        if (credentials.totp) {
          COFFER_ASSIGN(const bool taken, TakeSecondFactor(core_->keyring, user.id, credentials,
                                                           second_factor, transaction.now()));
          if (!taken) return deny("second-factor");
        }
        TokenRow row = NewBearer(core_->keyring, user.id, "cfs_", now, session.secret);
        row.idle_ms = std::int64_t{core_->options.session_idle_s} * 1000;
        row.expires = Timestamp{now.ms + std::int64_t{core_->options.session_lifetime_s} * 1000};
        if (credentials.totp) row.factor = now;
        session.info = SessionInfoOf(row, user);
        AddDetail(call.entry, session.info.id.Text());
        auto& principals = transaction.Of<AccessState>().stores.principals;
        COFFER_TRY(principals.PurgeSessions(Timestamp{now.ms - kOverForMs}));
        COFFER_TRY(MakeRoomForSession(transaction, user.id, now, call.entry));
        COFFER_TRY(principals.Insert(row));
        StageToken(transaction, std::move(row));
        return {};
      });
  if (!let_in) {
    WithdrawUnlessGuess(attempt, let_in);
    return std::unexpected(let_in.error());
  }
  attempt.Succeed(core_->Now());
  return session;
}

Status Vault::LogOut(const Caller& caller) {
  Call call = core_->StartCall(caller, Action::kSessionEnd);
  return core_->Perform(OperationKind::kWrite, call, std::nullopt, nullptr,
                        [&](Transaction& transaction) -> Status {
                          COFFER_TRY(RequireSession(call));
                          TokenRow row = *call.token;
                          AddDetail(call.entry, SessionId{row.id.value}.Text());
                          row.revoked = transaction.now();
                          COFFER_TRY(transaction.Of<AccessState>().stores.principals.Update(row));
                          StageToken(transaction, std::move(row));
                          return {};
                        });
}

Result<SessionInfo> Vault::StepUp(const Caller& caller, std::string_view second_factor) {
  Call call = core_->StartCall(caller, Action::kSessionStepUp);
  // Who is known already is told as much; the guesses count as those at the login do. Where there
  // is no second factor nothing is guessed, and nobody waits.
  std::string login;
  {
    audit::Entry none;
    COFFER_TRY(core_->engine->Run(
        OperationKind::kRead, EntryRule::kNever, none, [&](Transaction& transaction) -> Status {
          core_->Identify(transaction, call);
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
    auto begun = core_->throttle.Begin(core_->AccountHash(login),
                                       caller.address_known ? caller.address : "", core_->Now());
    if (begun) {
      attempt.emplace(*std::move(begun));
    } else {
      wait = begun.error();
    }
  }
  SessionInfo info;
  const auto stepped = core_->Perform(
      OperationKind::kWrite, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
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
        COFFER_ASSIGN(const bool taken, TakeSecondFactor(core_->keyring, call.actor, *credentials,
                                                         second_factor, transaction.now()));
        if (!taken) {
          return Deny(call, "second-factor", Code::kPermissionDenied, "second_factor_wrong");
        }
        COFFER_TRY(users.Put(call.actor, *credentials));
        TokenRow row = *call.token;
        row.factor = core_->latest;
        COFFER_TRY(transaction.Of<AccessState>().stores.principals.Update(row));
        info = SessionInfoOf(row, *call.principal);
        StageToken(transaction, std::move(row));
        return {};
      });
  if (attempt) WithdrawUnlessGuess(*attempt, stepped);
  if (!stepped) return std::unexpected(stepped.error());
  return info;
}

Status Vault::ChangePassword(const Caller& caller, const crypto::SecretBytes& old_password,
                             const crypto::SecretBytes& new_password,
                             std::string_view second_factor) {
  Call call = core_->StartCall(caller, Action::kPasswordChange);
  std::string login, stored;
  bool has_factor = false;
  audit::Entry none;
  COFFER_TRY(core_->engine->Run(
      OperationKind::kRead, EntryRule::kNever, none, [&](Transaction& transaction) -> Status {
        core_->Identify(transaction, call);
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
    auto begun = core_->throttle.Begin(core_->AccountHash(login),
                                       caller.address_known ? caller.address : "", core_->Now());
    if (begun) {
      attempt.emplace(*std::move(begun));
    } else {
      wait = begun.error();
    }
    issues = PasswordIssues(new_password, login, FactorOf(has_factor));
    for (auto& issue : issues) issue.pointer = "/new_password";
    if (attempt) {
      const auto verified = core_->passwords.Verify(stored, old_password);
      if (!verified) busy = verified.error();
      right = verified && *verified;
      if (right && issues.empty()) {
        auto made = core_->passwords.Hash(new_password);
        if (!made) busy = made.error();
        if (made) hash = *std::move(made);
      }
    }
  }
  const auto changed = core_->Perform(
      OperationKind::kWrite, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
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
          COFFER_ASSIGN(const bool taken, TakeSecondFactor(core_->keyring, call.actor, *credentials,
                                                           second_factor, transaction.now()));
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
        return EndSessionsOf(transaction, call.actor);
      });
  if (attempt) WithdrawUnlessGuess(*attempt, changed);
  return changed;
}

Result<std::vector<SessionInfo>> Vault::ListSessions(const Caller& caller) {
  Call call = core_->StartCall(caller, Action::kSessionList);
  std::vector<SessionInfo> sessions;
  COFFER_TRY(core_->Perform(
      OperationKind::kRead, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
        const Timestamp now = core_->latest;
        for (const TokenRow* row : transaction.Of<AccessState>().principals().Tokens()) {
          if (!row->is_session() || row->revoked || row->expires <= now ||
              now.ms - row->seen.ms >= row->idle_ms) {
            continue;
          }
          sessions.push_back(SessionInfoOf(
              *row, *transaction.Of<AccessState>().principals().Find(row->principal)));
        }
        return {};
      }));
  return sessions;
}

Result<SessionInfo> Vault::EndSession(const Caller& caller, const SessionId& id) {
  Call call = core_->StartCall(caller, Action::kSessionRevoke);
  call.entry.detail = id.Text();
  SessionInfo info;
  COFFER_TRY(core_->Perform(
      OperationKind::kWrite, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
        const TokenRow* const found =
            transaction.Of<AccessState>().principals().FindToken(TokenId{id.value});
        if (found == nullptr || !found->is_session()) return NotFound(call);
        TokenRow row = *found;
        if (!row.revoked) row.revoked = transaction.now();
        COFFER_TRY(transaction.Of<AccessState>().stores.principals.Update(row));
        info = SessionInfoOf(row, *transaction.Of<AccessState>().principals().Find(row.principal));
        StageToken(transaction, std::move(row));
        return {};
      }));
  return info;
}

}  // namespace coffer::vault
