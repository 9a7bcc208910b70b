// Principals with their tokens, sessions and teams: rows, and what decisions need of them in
// memory. What a user logs in with is read from the database when it is needed.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "audit/text/clock.h"
#include "crypto/hash.h"
#include "vault/access/known_names.h"
#include "vault/access/token_limits.h"
#include "vault/base/ids.h"
#include "vault/base/timestamp.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {

using audit::Timestamp;
using TokenDigest = crypto::Hash;

struct PrincipalRow {
  PrincipalId id;
  std::string name, role;
  std::string login;  // of a user
  Timestamp created;
  std::optional<Timestamp> disabled;
  std::optional<PrincipalId> owner;       // of a service: who answers for it
  std::vector<std::string> certificates;  // of a service: bindings that it is known by

  // The person who acts: nobody is two persons by having two principals.
  const PrincipalId& person() const { return owner ? *owner : id; }
};

// What a bearer shows.
struct TokenRow {
  TokenId id;
  PrincipalId principal;
  TokenDigest digest{};
  std::string name;
  TokenLimits limits = {};
  Timestamp created, expires;
  std::optional<Timestamp> revoked;
  std::optional<TokenId> parent = {};  // in whose place it was issued
  // Of a session.
  std::int64_t idle_ms = 0;  // 0: a token
  Timestamp seen;            // the last request
  Timestamp seen_stored;     // what the database says of it
  std::optional<Timestamp> factor;

  bool is_session() const { return idle_ms != 0; }
  // A session that nobody has used for too long.
  bool HasIdled(Timestamp now) const { return is_session() && now.ms - seen.ms >= idle_ms; }
  // Whether who shows it is known by it.
  bool IsLiving(Timestamp now) const { return !revoked && expires > now && !HasIdled(now); }
};

struct TeamRow {
  PrincipalId id;
  std::string name;
  Timestamp created;
  std::vector<PrincipalId> members;  // sorted
};

class PrincipalStore {
 public:
  static Result<PrincipalStore> Open(Database& database);
  Result<std::vector<PrincipalRow>> LoadPrincipals();
  Result<std::vector<TokenRow>> LoadTokens();
  Result<std::vector<TeamRow>> LoadTeams();
  Status Put(const PrincipalRow& row);
  Status Insert(const TokenRow& row);
  Status Update(const TokenRow& row);  // expires, revoked, seen, factor
  Status UpdateParent(const TokenRow& row);
  Status Delete(const TokenId& id);
  Status Put(const TeamRow& row);
  // Sessions that were over by then.
  Status PurgeSessions(Timestamp over_before);

 private:
  Statement load_principals_, load_tokens_, load_teams_, put_principal_, insert_token_,
      update_token_, update_parent_, delete_token_, put_team_, purge_sessions_;
};

struct UserCredentials {
  std::string password;       // PHC string; empty until enrolled
  std::optional<Bytes> totp;  // sealed
  std::uint64_t totp_step = 0;
  std::vector<crypto::Hash> recovery;
  std::optional<crypto::Hash> enrolment;
  Timestamp enrolment_expires;
  std::optional<Bytes> enrolment_totp;  // sealed
};

class UserStore {
 public:
  static Result<UserStore> Open(Database& database);
  Result<std::optional<UserCredentials>> Find(const PrincipalId& user);
  Status Put(const PrincipalId& user, const UserCredentials& credentials);

 private:
  Statement find_, put_;
};

// Plain reveals of one principal, by hours of the Unix epoch.
class RevealStore {
 public:
  static Result<RevealStore> Open(Database& database);
  Result<std::uint64_t> CountSince(const PrincipalId& principal, std::int64_t hour);
  Status Add(const PrincipalId& principal, std::int64_t hour, std::uint64_t count);
  Status PurgeBefore(std::int64_t hour);

 private:
  Statement count_, add_, purge_;
};

// Engine thread only.
class PrincipalRegister {
 public:
  void Clear();
  void Put(PrincipalRow row);
  void Put(TokenRow row);
  void Put(TeamRow row);
  void ForgetSessions(Timestamp over_before);
  void Forget(const TokenId& id);

  const PrincipalRow* Find(const PrincipalId& id) const;
  const PrincipalRow* FindLogin(std::string_view login) const;
  const PrincipalRow* FindCertificate(std::string_view binding) const;
  const TokenRow* FindToken(const TokenDigest& digest) const;
  TokenRow* FindToken(const TokenDigest& digest);
  const TokenRow* FindToken(const TokenId& id) const;
  const TeamRow* FindTeam(const PrincipalId& id) const;
  const TeamRow* FindTeam(std::string_view name) const;
  std::vector<const PrincipalRow*> Principals() const;  // in the order of their ids
  std::vector<const TokenRow*> Tokens() const;
  std::vector<const TokenRow*> TokensOf(const PrincipalId& principal) const;
  std::vector<const TeamRow*> Teams() const;
  // Those of whom `principal` is a member. Hot.
  const std::vector<PrincipalId>& TeamsOf(const PrincipalId& principal) const;
  // What all of them are called, for other threads. Made when it is asked for after a change.
  std::shared_ptr<const PrincipalNames> Names() const;

 private:
  mutable std::shared_ptr<const PrincipalNames> names_;
  std::unordered_map<PrincipalId, PrincipalRow, IdHash> principals_;
  std::unordered_map<std::string, PrincipalId> logins_, certificates_;
  std::unordered_map<std::string, TokenRow> tokens_;  // by digest bytes
  std::unordered_map<PrincipalId, TeamRow, IdHash> teams_;
  std::unordered_map<PrincipalId, std::vector<PrincipalId>, IdHash> teams_of_;
};

}  // namespace coffer::vault
