#include "vault/access/principal_store.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "vault/access/principal_name.h"
#include "vault/base/strict_json.h"
#include "vault/base/word_list.h"

namespace coffer::vault {
namespace {

constexpr std::string_view kLoadPrincipals =
    "SELECT pid, name, role, login, created, disabled, owner, certificates FROM principals";
constexpr std::string_view kPutPrincipal =
    "INSERT INTO principals (pid, kind, name, role, login, created, disabled, owner, certificates) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (pid) DO UPDATE SET name = excluded.name, "
    "role = excluded.role, disabled = excluded.disabled, owner = excluded.owner, "
    "certificates = excluded.certificates";
constexpr std::string_view kLoadTokens =
    "SELECT tid, principal, digest, name, limits, created, expires, revoked, idle, seen, "
    "factor, parent FROM tokens";
constexpr std::string_view kInsertCredential =
    "INSERT INTO tokens (tid, principal, digest, name, limits, created, expires, idle, seen, "
    "factor, parent) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr std::string_view kUpdateCredential =
    "UPDATE tokens SET expires = ?, revoked = ?, seen = ?, factor = ? WHERE tid = ?";
constexpr std::string_view kUpdateParent = "UPDATE tokens SET parent = ? WHERE tid = ?";
constexpr std::string_view kDeleteToken = "DELETE FROM tokens WHERE tid = ?";
constexpr std::string_view kPurgeSessions =
    "DELETE FROM tokens WHERE idle > 0 AND (expires < ?1 OR revoked < ?1)";
constexpr std::string_view kLoadTeams = "SELECT tid, name, created, members FROM teams";
constexpr std::string_view kPutTeam =
    "INSERT INTO teams (tid, name, created, members) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (tid) DO UPDATE SET members = excluded.members";
constexpr std::string_view kFindUser =
    "SELECT password, totp, totp_step, recovery, enrolment, enrolment_expires, enrolment_totp "
    "FROM user_credentials WHERE pid = ?";
constexpr std::string_view kPutUser =
    "INSERT INTO user_credentials (pid, password, totp, totp_step, recovery, enrolment, "
    "enrolment_expires, enrolment_totp) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (pid) DO "
    "UPDATE SET password = excluded.password, totp = excluded.totp, "
    "totp_step = excluded.totp_step, recovery = excluded.recovery, enrolment = excluded.enrolment, "
    "enrolment_expires = excluded.enrolment_expires, enrolment_totp = excluded.enrolment_totp";
constexpr std::string_view kCountReveals =
    "SELECT coalesce(sum(count), 0) FROM reveals WHERE pid = ? AND hour >= ?";
constexpr std::string_view kAddReveals =
    "INSERT INTO reveals (pid, hour, count) VALUES (?, ?, ?) "
    "ON CONFLICT (pid, hour) DO UPDATE SET count = count + excluded.count";
constexpr std::string_view kPurgeReveals = "DELETE FROM reveals WHERE hour < ?";

std::string KeyOf(const TokenDigest& digest) { return std::string(crypto::AsText(digest)); }

template <class IdType>
IdType IdOf(ByteView bytes) {
  IdType id;
  std::ranges::copy(bytes, id.value.begin());
  return id;
}

std::optional<Timestamp> TimeOrNothing(const Cursor& row, int column) {
  if (row.IsNull(column)) return std::nullopt;
  return Timestamp{row.Int(column)};
}

std::optional<Bytes> BlobOrNothing(const Cursor& row, int column) {
  if (row.IsNull(column)) return std::nullopt;
  const auto blob = row.Blob(column);
  return Bytes(blob.begin(), blob.end());
}

std::optional<std::int64_t> MillisecondsOf(const std::optional<Timestamp>& time) {
  return time ? std::optional(time->ms) : std::nullopt;
}

std::optional<ByteView> ViewOf(const std::optional<Bytes>& bytes) {
  return bytes ? std::optional<ByteView>(*bytes) : std::nullopt;
}

template <class Row, class Map>
std::vector<const Row*> InOrder(const Map& map) {
  std::vector<const Row*> rows;
  for (const auto& [key, row] : map) rows.push_back(&row);
  std::ranges::sort(rows, {}, [](const Row* row) { return row->id; });
  return rows;
}

}  // namespace

Result<PrincipalStore> PrincipalStore::Open(Database& database) {
  PrincipalStore store;
  COFFER_ASSIGN(store.load_principals_, Statement::Prepare(database, kLoadPrincipals));
  COFFER_ASSIGN(store.load_tokens_, Statement::Prepare(database, kLoadTokens));
  COFFER_ASSIGN(store.load_teams_, Statement::Prepare(database, kLoadTeams));
  COFFER_ASSIGN(store.put_principal_, Statement::Prepare(database, kPutPrincipal));
  COFFER_ASSIGN(store.insert_token_, Statement::Prepare(database, kInsertCredential));
  COFFER_ASSIGN(store.update_token_, Statement::Prepare(database, kUpdateCredential));
  COFFER_ASSIGN(store.update_parent_, Statement::Prepare(database, kUpdateParent));
  COFFER_ASSIGN(store.delete_token_, Statement::Prepare(database, kDeleteToken));
  COFFER_ASSIGN(store.put_team_, Statement::Prepare(database, kPutTeam));
  COFFER_ASSIGN(store.purge_sessions_, Statement::Prepare(database, kPurgeSessions));
  return store;
}

Result<std::vector<PrincipalRow>> PrincipalStore::LoadPrincipals() {
  std::vector<PrincipalRow> principals;
  auto rows = load_principals_.Query();
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return principals;
    PrincipalRow row;
    row.id = IdOf<PrincipalId>(rows.Blob(0));
    row.name = rows.Text(1);
    row.role = rows.Text(2);
    row.login = rows.Text(3);
    row.created.ms = rows.Int(4);
    row.disabled = TimeOrNothing(rows, 5);
    if (!rows.IsNull(6)) row.owner = IdOf<PrincipalId>(rows.Blob(6));
    row.certificates = SplitWords(rows.Text(7));
    principals.push_back(std::move(row));
  }
}

Result<std::vector<TokenRow>> PrincipalStore::LoadTokens() {
  std::vector<TokenRow> tokens;
  auto rows = load_tokens_.Query();
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return tokens;
    TokenRow row;
    row.id = IdOf<TokenId>(rows.Blob(0));
    row.principal = IdOf<PrincipalId>(rows.Blob(1));
    std::ranges::copy(rows.Blob(2), row.digest.begin());
    row.name = rows.Text(3);
    std::vector<Issue> issues;
    const auto limits = ParseStrictJson(rows.Text(4));
    if (limits) row.limits = ParseTokenLimits(*limits, issues);
    if (!limits || !issues.empty()) {
      // Without its limits a token would do more than it may.
      return Fail(Code::kCorrupted, "storage_corrupted", "a token's limits cannot be read");
    }
    row.created.ms = rows.Int(5);
    row.expires.ms = rows.Int(6);
    row.revoked = TimeOrNothing(rows, 7);
    row.idle_ms = rows.Int(8);
    row.seen.ms = row.seen_stored.ms = rows.Int(9);
    row.factor = TimeOrNothing(rows, 10);
    if (!rows.IsNull(11)) row.parent = IdOf<TokenId>(rows.Blob(11));
    tokens.push_back(std::move(row));
  }
}

Result<std::vector<TeamRow>> PrincipalStore::LoadTeams() {
  std::vector<TeamRow> teams;
  auto rows = load_teams_.Query();
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return teams;
    TeamRow row;
    row.id = IdOf<PrincipalId>(rows.Blob(0));
    row.name = rows.Text(1);
    row.created.ms = rows.Int(2);
    const ByteView members = rows.Blob(3);
    for (std::size_t at = 0; at + row.id.value.size() <= members.size();
         at += row.id.value.size()) {
      row.members.push_back(IdOf<PrincipalId>(members.subspan(at, row.id.value.size())));
    }
    teams.push_back(std::move(row));
  }
}

Status PrincipalStore::Put(const PrincipalRow& row) {
  const std::string certificates = JoinWords(row.certificates);
  std::optional<ByteView> owner;
  if (row.owner) owner = row.owner->bytes();
  std::optional<std::string_view> login;
  if (!row.login.empty()) login = row.login;
  return put_principal_.Execute(row.id.bytes(), static_cast<int>(row.id.kind()) + 1,
                                std::string_view(row.name), std::string_view(row.role), login,
                                row.created.ms, MillisecondsOf(row.disabled), owner,
                                std::string_view(certificates));
}

Status PrincipalStore::Insert(const TokenRow& row) {
  const std::string limits = FormatTokenLimits(row.limits);
  std::optional<ByteView> parent;
  if (row.parent) parent = row.parent->bytes();
  return insert_token_.Execute(row.id.bytes(), row.principal.bytes(), ByteView(row.digest),
                               std::string_view(row.name), std::string_view(limits), row.created.ms,
                               row.expires.ms, row.idle_ms, row.seen.ms, MillisecondsOf(row.factor),
                               parent);
}

Status PrincipalStore::Update(const TokenRow& row) {
  return update_token_.Execute(row.expires.ms, MillisecondsOf(row.revoked), row.seen.ms,
                               MillisecondsOf(row.factor), row.id.bytes());
}

Status PrincipalStore::UpdateParent(const TokenRow& row) {
  std::optional<ByteView> parent;
  if (row.parent) parent = row.parent->bytes();
  return update_parent_.Execute(parent, row.id.bytes());
}

Status PrincipalStore::Delete(const TokenId& id) { return delete_token_.Execute(id.bytes()); }

Status PrincipalStore::Put(const TeamRow& row) {
  Bytes members;
  for (const PrincipalId& member : row.members) {
    members.insert(members.end(), member.value.begin(), member.value.end());
  }
  return put_team_.Execute(row.id.bytes(), std::string_view(row.name), row.created.ms,
                           ByteView(members));
}

Status PrincipalStore::PurgeSessions(Timestamp over_before) {
  return purge_sessions_.Execute(over_before.ms);
}

Result<UserStore> UserStore::Open(Database& database) {
  UserStore store;
  COFFER_ASSIGN(store.find_, Statement::Prepare(database, kFindUser));
  COFFER_ASSIGN(store.put_, Statement::Prepare(database, kPutUser));
  return store;
}

Result<std::optional<UserCredentials>> UserStore::Find(const PrincipalId& user) {
  auto rows = find_.Query(user.bytes());
  COFFER_ASSIGN(const bool found, rows.Next());
  if (!found) return std::nullopt;
  UserCredentials credentials;
  credentials.password = rows.Text(0);
  credentials.totp = BlobOrNothing(rows, 1);
  credentials.totp_step = static_cast<std::uint64_t>(rows.Int(2));
  const ByteView recovery = rows.Blob(3);
  for (std::size_t at = 0; at + 32 <= recovery.size(); at += 32) {
    std::ranges::copy(recovery.subspan(at, 32), credentials.recovery.emplace_back().begin());
  }
  if (!rows.IsNull(4)) {
    std::ranges::copy(rows.Blob(4), credentials.enrolment.emplace().begin());
  }
  credentials.enrolment_expires.ms = rows.Int(5);
  credentials.enrolment_totp = BlobOrNothing(rows, 6);
  return credentials;
}

Status UserStore::Put(const PrincipalId& user, const UserCredentials& credentials) {
  Bytes recovery;
  for (const auto& digest : credentials.recovery) {
    recovery.insert(recovery.end(), digest.begin(), digest.end());
  }
  std::optional<std::string_view> password;
  if (!credentials.password.empty()) password = credentials.password;
  std::optional<ByteView> enrolment;
  if (credentials.enrolment) enrolment = *credentials.enrolment;
  return put_.Execute(user.bytes(), password, ViewOf(credentials.totp), credentials.totp_step,
                      ByteView(recovery), enrolment, credentials.enrolment_expires.ms,
                      ViewOf(credentials.enrolment_totp));
}

Result<RevealStore> RevealStore::Open(Database& database) {
  RevealStore store;
  COFFER_ASSIGN(store.count_, Statement::Prepare(database, kCountReveals));
  COFFER_ASSIGN(store.add_, Statement::Prepare(database, kAddReveals));
  COFFER_ASSIGN(store.purge_, Statement::Prepare(database, kPurgeReveals));
  return store;
}

Result<std::uint64_t> RevealStore::CountSince(const PrincipalId& principal, std::int64_t hour) {
  auto rows = count_.Query(principal.bytes(), hour);
  COFFER_TRY(rows.Next());
  return static_cast<std::uint64_t>(rows.Int(0));
}

Status RevealStore::Add(const PrincipalId& principal, std::int64_t hour, std::uint64_t count) {
  return add_.Execute(principal.bytes(), hour, count);
}

Status RevealStore::PurgeBefore(std::int64_t hour) { return purge_.Execute(hour); }

void PrincipalRegister::Clear() { *this = PrincipalRegister(); }

void PrincipalRegister::Put(PrincipalRow row) {
  if (const PrincipalRow* const before = Find(row.id)) {
    for (const auto& binding : before->certificates) certificates_.erase(binding);
  }
  for (const auto& binding : row.certificates) certificates_.insert_or_assign(binding, row.id);
  if (!row.login.empty()) logins_.insert_or_assign(row.login, row.id);
  principals_.insert_or_assign(row.id, std::move(row));
  names_.reset();
}

void PrincipalRegister::Put(TokenRow row) {
  tokens_.insert_or_assign(KeyOf(row.digest), std::move(row));
}

void PrincipalRegister::Put(TeamRow row) {
  if (const TeamRow* const before = FindTeam(row.id)) {
    for (const PrincipalId& member : before->members) std::erase(teams_of_[member], row.id);
  }
  for (const PrincipalId& member : row.members) teams_of_[member].push_back(row.id);
  teams_.insert_or_assign(row.id, std::move(row));
  names_.reset();
}

void PrincipalRegister::ForgetSessions(Timestamp over_before) {
  std::erase_if(tokens_, [&](const auto& item) {
    const TokenRow& row = item.second;
    return row.is_session() &&
           (row.expires < over_before || (row.revoked && *row.revoked < over_before));
  });
}

void PrincipalRegister::Forget(const TokenId& id) {
  std::erase_if(tokens_, [&](const auto& item) { return item.second.id == id; });
}

const PrincipalRow* PrincipalRegister::Find(const PrincipalId& id) const {
  const auto found = principals_.find(id);
  return found == principals_.end() ? nullptr : &found->second;
}

const PrincipalRow* PrincipalRegister::FindLogin(std::string_view login) const {
  const auto found = logins_.find(std::string(login));
  return found == logins_.end() ? nullptr : Find(found->second);
}

const PrincipalRow* PrincipalRegister::FindCertificate(std::string_view binding) const {
  const auto found = certificates_.find(std::string(binding));
  return found == certificates_.end() ? nullptr : Find(found->second);
}

const TokenRow* PrincipalRegister::FindToken(const TokenDigest& digest) const {
  const auto found = tokens_.find(KeyOf(digest));
  return found == tokens_.end() ? nullptr : &found->second;
}

TokenRow* PrincipalRegister::FindToken(const TokenDigest& digest) {
  const auto found = tokens_.find(KeyOf(digest));
  return found == tokens_.end() ? nullptr : &found->second;
}

const TokenRow* PrincipalRegister::FindToken(const TokenId& id) const {
  for (const auto& [digest, row] : tokens_) {
    if (row.id == id) return &row;
  }
  return nullptr;
}

const TeamRow* PrincipalRegister::FindTeam(const PrincipalId& id) const {
  const auto found = teams_.find(id);
  return found == teams_.end() ? nullptr : &found->second;
}

const TeamRow* PrincipalRegister::FindTeam(std::string_view name) const {
  for (const auto& [id, row] : teams_) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

std::vector<const PrincipalRow*> PrincipalRegister::Principals() const {
  return InOrder<PrincipalRow>(principals_);
}

std::vector<const TokenRow*> PrincipalRegister::Tokens() const {
  return InOrder<TokenRow>(tokens_);
}

std::vector<const TokenRow*> PrincipalRegister::TokensOf(const PrincipalId& principal) const {
  std::vector<const TokenRow*> rows;
  for (const auto& [digest, row] : tokens_) {
    if (row.principal == principal) rows.push_back(&row);
  }
  std::ranges::sort(rows, {}, [](const TokenRow* row) { return row->id; });
  return rows;
}

std::vector<const TeamRow*> PrincipalRegister::Teams() const { return InOrder<TeamRow>(teams_); }

const std::vector<PrincipalId>& PrincipalRegister::TeamsOf(const PrincipalId& principal) const {
  static const std::vector<PrincipalId> none;
  const auto found = teams_of_.find(principal);
  return found == teams_of_.end() ? none : found->second;
}

std::shared_ptr<const PrincipalNames> PrincipalRegister::Names() const {
  if (names_) return names_;
  PrincipalNames names;
  // Beside an id no name is better than one by which somebody else is known.
  const auto add = [&](const PrincipalId& id, const std::string& name, bool disabled) {
    const bool is_user = id.kind() == PrincipalKind::kUser;
    const bool misleads = LooksLikeId(name) || (!is_user && logins_.contains(LoginForm(name)));
    names.try_emplace(id, KnownName{id.Text(), misleads ? std::string() : name, disabled});
  };
  for (const auto& [id, row] : principals_) {
    add(id, id.kind() == PrincipalKind::kUser ? row.login : row.name, row.disabled.has_value());
  }
  for (const auto& [id, row] : teams_) add(id, row.name, false);
  names_ = std::make_shared<const PrincipalNames>(std::move(names));
  return names_;
}

}  // namespace coffer::vault
