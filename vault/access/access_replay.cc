// Acts about people that a restored vault lacks, done again.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "crypto/encoding.h"
#include "vault/access/access_acts.h"
#include "vault/access/accounts.h"
#include "vault/access/approval.h"
#include "vault/access/consent_details.h"
#include "vault/access/restriction_bases.h"
#include "vault/access/secrets.h"
#include "vault/access/standing.h"
#include "vault/access/telling.h"
#include "vault/catalog/catalog_state.h"

namespace coffer::vault {
namespace {

using nlohmann::json;

struct Replay {
  const Operations& operations;
  Transaction& transaction;
  const ActRow& row;
  const json& content;

  AccessState& access() const { return transaction.Of<AccessState>(); }
};

std::optional<Timestamp> TimeIn(const json& content, const char* name) {
  const auto found = content.find(name);
  if (found == content.end() || found->is_null()) return std::nullopt;
  return Timestamp{found->get<std::int64_t>()};
}

Timestamp TimeAt(const json& content, const char* name) {
  return Timestamp{content.at(name).get<std::int64_t>()};
}

std::optional<PrincipalId> PrincipalIn(const json& content, const char* name) {
  const auto found = content.find(name);
  if (found == content.end()) return std::nullopt;
  const auto id = PrincipalId::Parse(found->get<std::string>());
  return id ? std::optional(*id) : std::nullopt;
}

Result<std::optional<Bytes>> BytesIn(const json& content, const char* name) {
  const auto found = content.find(name);
  if (found == content.end()) return std::nullopt;
  COFFER_ASSIGN(auto bytes, crypto::Base64Decode(found->get<std::string>()));
  return bytes;
}

Result<crypto::Hash> HashOfText(const std::string& text) {
  COFFER_ASSIGN(const Bytes bytes, crypto::Base64Decode(text));
  crypto::Hash hash{};
  if (bytes.size() != hash.size()) return Fail(Code::kCorrupted, "storage_corrupted");
  std::ranges::copy(bytes, hash.begin());
  return hash;
}

Result<Replayed> ReplayRestriction(const Replay& replay) {
  COFFER_ASSIGN(const auto id, RestrictionId::Parse(replay.row.object));
  const ClientId& client = *replay.row.client;
  COFFER_ASSIGN(const auto known, replay.access().FindClient(client));
  if (!known) return Replayed::kNothingThere;
  const auto there = replay.access().restrictions().Of(client);
  if (std::ranges::find(there, id, &Restriction::id) != there.end()) return Replayed::kInForce;
  const json& content = replay.content;
  Restriction restriction{id, client, {}, {}, PrincipalIn(content, "placed_by")};
  restriction.terms.class_name = content.at("class").get<std::string>();
  restriction.terms.stops.all_but = content.at("all_but").get<bool>();
  restriction.terms.stops.purposes = content.at("purposes").get<std::vector<std::string>>();
  // Lines of before objections to a legal basis have none.
  if (const auto bases = content.find("legal_bases"); bases != content.end()) {
    restriction.terms.stops.legal_bases = bases->get<std::vector<std::string>>();
  }
  restriction.since = TimeAt(content, "since");
  COFFER_ASSIGN(auto basis, BytesIn(content, "basis"));
  // The words were sealed under a key that this state may not have, or that an erasure destroyed.
  // What it stops is stopped without them.
  const auto key = replay.transaction.PinKey(client);
  if (!key && key.error().code == Code::kUnavailable) return std::unexpected(key.error());
  const bool opens =
      key && key->Expose().Open(RestrictionContext(replay.operations.keyring(), client, id),
                                basis.value_or(Bytes()));
  if (!opens) basis.reset();
  COFFER_TRY(replay.access().stores.restrictions.Insert(restriction, basis.value_or(Bytes())));
  COFFER_TRY(NoteAct(replay.transaction, client, ToldAct::kRestricted, restriction.terms.class_name,
                     replay.transaction.NextSeq()));
  StageRestriction(replay.transaction, std::move(restriction));
  return Replayed::kDone;
}

Result<Replayed> ReplayRestrictionLifted(const Replay& replay) {
  COFFER_ASSIGN(const auto id, RestrictionId::Parse(replay.row.object));
  const auto there = replay.access().restrictions().Of(*replay.row.client);
  return std::ranges::find(there, id, &Restriction::id) == there.end() ? Replayed::kInForce
                                                                       : Replayed::kNotRepeated;
}

// One that this state lacks: what else was said when it was withdrawn. The entry that it had may be
// another's here.
Result<Consent> ConsentOf(const Replay& replay, const ConsentId& id) {
  const json& content = replay.content;
  Consent consent;
  consent.id = id;
  consent.client = *replay.row.client;
  consent.purpose = content.at("purpose").get<std::string>();
  consent.text = {content.at("text").get<std::string>(), content.at("version").get<std::uint64_t>(),
                  content.at("language").get<std::string>()};
  COFFER_ASSIGN(consent.sha256, HashOfText(content.at("sha256").get<std::string>()));
  consent.given = TimeAt(content, "given");
  const auto channel = ConsentChannelFromName(content.at("channel").get<std::string>());
  if (!channel) return Fail(Code::kCorrupted, "storage_corrupted");
  consent.channel = *channel;
  consent.by_client = content.at("by_client").get<bool>();
  consent.expires = TimeIn(content, "expires");
  consent.recorded = TimeAt(content, "recorded");
  if (const auto by = PrincipalIn(content, "recorded_by")) consent.recorded_by = *by;
  consent.seq = replay.transaction.NextSeq();
  return consent;
}

// Its words, unless they were sealed under a key that this state has not, or has no more.
Result<Bytes> ConsentDetailsOf(const Replay& replay, const ConsentId& id) {
  COFFER_ASSIGN(auto details, BytesIn(replay.content, "details"));
  const ClientId& client = *replay.row.client;
  const auto key = replay.transaction.PinKey(client);
  if (!key && key.error().code == Code::kUnavailable) return std::unexpected(key.error());
  const bool opens =
      key && details &&
      key->Expose().Open(ConsentContext(replay.operations.keyring(), client, id), *details);
  return opens ? *std::move(details) : Bytes();
}

Result<Replayed> ReplayConsentWithdrawn(const Replay& replay) {
  COFFER_ASSIGN(const auto id, ConsentId::Parse(replay.row.object));
  const ClientId& client = *replay.row.client;
  COFFER_ASSIGN(const auto known, replay.access().FindClient(client));
  if (!known) return Replayed::kNothingThere;
  ConsentStore& store = replay.access().stores.consents;
  COFFER_ASSIGN(auto there, store.ListOf(client));
  const auto found =
      std::ranges::find_if(there, [&](const auto& stored) { return stored.first.id == id; });
  Consent consent;
  if (found != there.end()) {
    consent = std::move(found->first);
    if (consent.withdrawal) return Replayed::kInForce;
  } else {
    COFFER_ASSIGN(consent, ConsentOf(replay, id));
    COFFER_ASSIGN(const Bytes details, ConsentDetailsOf(replay, id));
    COFFER_TRY(store.Insert(consent, details));
  }
  ConsentWithdrawal& withdrawal = consent.withdrawal.emplace();
  withdrawal.withdrawn = TimeAt(replay.content, "withdrawn");
  if (const auto by = PrincipalIn(replay.content, "withdrawn_by")) withdrawal.recorded_by = *by;
  withdrawal.channel = ConsentChannelFromName(replay.content.value("withdrawn_how", ""));
  withdrawal.seq =
      replay.transaction.NextSeq();  // that of the entry that says it is in force again
  COFFER_TRY(store.Withdraw(consent));
  COFFER_TRY(RefreshConsent(replay.transaction, client, consent.purpose));
  COFFER_TRY(NoteAct(replay.transaction, client, ToldAct::kWithdrawn, {}, consent.withdrawal->seq));
  return Replayed::kDone;
}

Result<Replayed> ReplayConsentRequired(const Replay& replay, bool required) {
  auto& state = replay.transaction.Of<CatalogState>();
  const auto found = state.current().purposes.find(replay.row.object);
  if (found == state.current().purposes.end()) return Replayed::kNothingThere;
  if (found->second.requires_consent == required) return Replayed::kInForce;
  if (!required) return Replayed::kNotRepeated;
  Purpose purpose = found->second;
  purpose.requires_consent = true;
  COFFER_TRY(state.catalog_store.PutPurpose(purpose, replay.transaction.now()));
  COFFER_TRY(RequireConsentTo(replay.transaction, purpose.code));
  Catalog catalog = state.current();
  catalog.purposes.insert_or_assign(purpose.code, purpose);
  ReplaceCatalog(replay.transaction, std::move(catalog));
  return Replayed::kDone;
}

Result<Replayed> ReplayTokenEnded(const Replay& replay) {
  std::optional<TokenId> id;
  if (const auto token = TokenId::Parse(replay.row.object)) id = *token;
  if (const auto session = SessionId::Parse(replay.row.object)) id = TokenId{session->value};
  if (!id) return Replayed::kImpossible;
  const TokenRow* const found = replay.access().principals().FindToken(*id);
  if (found == nullptr) return Replayed::kNothingThere;
  TokenRow token = *found;
  const auto revoked = TimeIn(replay.content, "revoked");
  if (!token.revoked) token.revoked = revoked;
  token.expires = std::min(token.expires, TimeAt(replay.content, "expires"));
  if (token.revoked == found->revoked && token.expires == found->expires) return Replayed::kInForce;
  COFFER_TRY(replay.access().stores.principals.Update(token));
  StageToken(replay.transaction, std::move(token));
  return Replayed::kDone;
}

// The principal that the act is about; null where this state does not have it.
Result<const PrincipalRow*> FindPrincipal(const Replay& replay) {
  COFFER_ASSIGN(const auto id, PrincipalId::Parse(replay.row.object));
  return replay.access().principals().Find(id);
}

Result<Replayed> PutPrincipal(const Replay& replay, PrincipalRow row) {
  COFFER_TRY(replay.access().stores.principals.Put(row));
  StagePrincipal(replay.transaction, std::move(row));
  return Replayed::kDone;
}

Result<Replayed> ReplayDisabled(const Replay& replay) {
  COFFER_ASSIGN(const PrincipalRow* const found, FindPrincipal(replay));
  if (found == nullptr) return Replayed::kNothingThere;
  if (found->disabled) return Replayed::kInForce;
  PrincipalRow row = *found;
  row.disabled = TimeAt(replay.content, "disabled");
  COFFER_TRY(EndStandingOf(replay.transaction, row.id, StandingLoss::kDisabled));
  return PutPrincipal(replay, std::move(row));
}

Result<Replayed> ReplayEnabled(const Replay& replay) {
  COFFER_ASSIGN(const PrincipalRow* const found, FindPrincipal(replay));
  if (found == nullptr) return Replayed::kNothingThere;
  return found->disabled ? Replayed::kNotRepeated : Replayed::kInForce;
}

// Nothing that `before` allows is refused by `after`: it has all of its grants, and no further
// denial. What is not certain counts as taking something away.
bool OnlyWidens(const RoleDocument& before, const RoleDocument& after) {
  const auto was = json::parse(before.definition, nullptr, false);
  const auto is = json::parse(after.definition, nullptr, false);
  if (!was.is_object() || !is.is_object()) return false;
  const json none = json::array();
  const json old_grants = was.value("grants", none), new_grants = is.value("grants", none);
  const auto has = [](const json& grants, const json& grant) {
    return std::ranges::find(grants, grant) != grants.end();
  };
  return std::ranges::all_of(old_grants,
                             [&](const json& grant) { return has(new_grants, grant); }) &&
         std::ranges::all_of(new_grants, [&](const json& grant) {
           return has(old_grants, grant) || !grant.value("deny", false);
         });
}

Result<Replayed> ReplayRoleOf(const Replay& replay) {
  COFFER_ASSIGN(const PrincipalRow* const found, FindPrincipal(replay));
  if (found == nullptr) return Replayed::kNothingThere;
  PrincipalRow row = *found;
  row.role = replay.content.at("role").get<std::string>();
  if (row.role == found->role) return Replayed::kInForce;
  const Catalog& catalog = replay.transaction.Of<CatalogState>().current();
  const auto before = catalog.Role(found->role), after = catalog.Role(row.role);
  if (!after) return Replayed::kImpossible;
  if (before && OnlyWidens(*before, *after)) return Replayed::kNotRepeated;
  COFFER_TRY(EndStandingOf(replay.transaction, row.id, StandingLoss::kRole));
  return PutPrincipal(replay, std::move(row));
}

Result<Replayed> ReplayCertificates(const Replay& replay) {
  COFFER_ASSIGN(const PrincipalRow* const found, FindPrincipal(replay));
  if (found == nullptr) return Replayed::kNothingThere;
  const auto left = replay.content.at("certificates").get<std::vector<std::string>>();
  PrincipalRow row = *found;
  std::erase_if(row.certificates, [&](const std::string& binding) {
    return std::ranges::find(left, binding) == left.end();
  });
  if (row.certificates != found->certificates) return PutPrincipal(replay, std::move(row));
  return left.size() > row.certificates.size() ? Replayed::kNotRepeated : Replayed::kInForce;
}

Result<Replayed> ReplayCredentials(const Replay& replay) {
  COFFER_ASSIGN(const PrincipalRow* const found, FindPrincipal(replay));
  if (found == nullptr) return Replayed::kNothingThere;
  const json& content = replay.content;
  UserCredentials credentials;
  credentials.password = content.at("password").get<std::string>();
  credentials.totp_step = content.at("totp_step").get<std::uint64_t>();
  credentials.enrolment_expires = TimeAt(content, "enrolment_expires");
  COFFER_ASSIGN(credentials.totp, BytesIn(content, "totp"));
  COFFER_ASSIGN(credentials.enrolment_totp, BytesIn(content, "enrolment_totp"));
  if (content.contains("enrolment")) {
    COFFER_ASSIGN(credentials.enrolment, HashOfText(content.at("enrolment").get<std::string>()));
  }
  for (const json& text : content.at("recovery")) {
    COFFER_ASSIGN(const auto digest, HashOfText(text.get<std::string>()));
    credentials.recovery.push_back(digest);
  }
  COFFER_TRY(replay.access().stores.users.Put(found->id, credentials));
  COFFER_TRY(EndSessionsOf(replay.transaction, found->id));
  return Replayed::kDone;
}

Result<Replayed> ReplayTeamMembers(const Replay& replay) {
  COFFER_ASSIGN(const auto id, PrincipalId::Parse(replay.row.object));
  const TeamRow* const found = replay.access().principals().FindTeam(id);
  if (found == nullptr) return Replayed::kNothingThere;
  const auto left = replay.content.at("members").get<std::vector<std::string>>();
  TeamRow row = *found;
  std::erase_if(row.members, [&](const PrincipalId& member) {
    return std::ranges::find(left, member.Text()) == left.end();
  });
  if (row.members == found->members) {
    return left.size() > row.members.size() ? Replayed::kNotRepeated : Replayed::kInForce;
  }
  COFFER_TRY(replay.access().stores.principals.Put(row));
  StageTeam(replay.transaction, std::move(row));
  return Replayed::kDone;
}

// One that this state does not have has no holders in it, and shows nobody anything.
Result<Replayed> ReplayRolePut(const Replay& replay) {
  auto& state = replay.transaction.Of<CatalogState>();
  auto role = ParseRole(replay.row.object, replay.content.at("definition").get<std::string>(),
                        RoleOrigin::kStored);
  if (!role) return Replayed::kImpossible;
  const auto newest = state.current().Role(role->name);
  if (newest && newest->definition == role->definition) return Replayed::kInForce;
  if (newest && OnlyWidens(*newest, *role)) return Replayed::kNotRepeated;
  role->version =
      std::max(replay.content.at("version").get<std::uint64_t>(), newest ? newest->version + 1 : 1);
  COFFER_TRY(state.catalog_store.InsertRole(*role, replay.transaction.now()));
  Catalog catalog = state.current();
  std::string name = role->name;
  catalog.roles.insert_or_assign(std::move(name),
                                 std::make_shared<const RoleDocument>(*std::move(role)));
  ReplaceCatalog(replay.transaction, std::move(catalog));
  return Replayed::kDone;
}

const AssignmentRow* FindAssignment(const Replay& replay, const PrincipalId& principal) {
  const auto* const rows = replay.access().access().AssignmentsOf(*replay.row.client);
  if (rows == nullptr) return nullptr;
  const auto found = std::ranges::find(*rows, principal, &AssignmentRow::principal);
  return found == rows->end() ? nullptr : &*found;
}

Result<Replayed> ReplayAssignmentEnded(const Replay& replay) {
  COFFER_ASSIGN(const auto principal, PrincipalId::Parse(replay.row.object));
  const AssignmentRow* const found = FindAssignment(replay, principal);
  if (found == nullptr) return Replayed::kNothingThere;
  AccessStore& store = replay.access().stores.access;
  if (replay.content.is_null()) {
    COFFER_TRY(store.DeleteAssignment(*replay.row.client, principal));
    RemoveAssignment(replay.transaction, *replay.row.client, principal);
    return Replayed::kDone;
  }
  AssignmentRow row = *found;
  row.starts = std::max(row.starts, TimeAt(replay.content, "starts"));
  const auto ends = TimeIn(replay.content, "ends");
  if (ends && (!row.ends || *ends < *row.ends)) row.ends = ends;
  if (row.starts == found->starts && row.ends == found->ends) return Replayed::kInForce;
  COFFER_TRY(store.PutAssignment(row));
  StageAssignment(replay.transaction, std::move(row));
  return Replayed::kDone;
}

Result<Replayed> ReplayAssignmentGiven(const Replay& replay) {
  COFFER_ASSIGN(const auto principal, PrincipalId::Parse(replay.row.object));
  COFFER_ASSIGN(const auto client, replay.access().FindClient(*replay.row.client));
  if (!client) return Replayed::kNothingThere;
  const AssignmentRow* const found = FindAssignment(replay, principal);
  const auto ends = TimeIn(replay.content, "ends");
  const bool has = found != nullptr && found->starts <= TimeAt(replay.content, "starts") &&
                   (!found->ends || (ends && *ends <= *found->ends));
  return has ? Replayed::kInForce : Replayed::kNotRepeated;
}

Result<Replayed> ReplayLeaseEnded(const Replay& replay) {
  COFFER_ASSIGN(const auto id, LeaseId::Parse(replay.row.object));
  const auto* const rows = replay.access().access().LeasesOf(*replay.row.client);
  if (rows == nullptr) return Replayed::kNothingThere;
  const auto found = std::ranges::find(*rows, id, &LeaseRow::id);
  if (found == rows->end()) return Replayed::kNothingThere;
  const Timestamp expires = TimeAt(replay.content, "expires");
  if (found->terms.expires <= expires) return Replayed::kInForce;
  LeaseRow row = *found;
  row.terms.expires = expires;
  COFFER_TRY(replay.access().stores.access.EndLease(id, expires));
  StageLease(replay.transaction, std::move(row));
  return Replayed::kDone;
}

Result<Replayed> ReplayApprovalClosed(const Replay& replay) {
  COFFER_ASSIGN(const auto id, ApprovalId::Parse(replay.row.object));
  auto& store = replay.access().stores.approvals;
  COFFER_ASSIGN(auto row, store.Find(id));
  if (!row) return Replayed::kNothingThere;
  if (row->executed || row->ended || (row->decided && !row->approved)) return Replayed::kInForce;
  const json& content = replay.content;
  row->approved = content.at("approved").get<bool>();
  row->decided = TimeIn(content, "decided");
  row->executed = TimeIn(content, "executed");
  row->ended = TimeIn(content, "ended");
  row->decider = PrincipalIn(content, "decider");
  row->ended_by = PrincipalIn(content, "ended_by");
  if (content.contains("why")) row->why = static_cast<ApprovalEnd>(content.at("why").get<int>());
  COFFER_TRY(store.Update(*row));
  return Replayed::kDone;
}

}  // namespace

Result<Replayed> ReplayAccessAct(const Operations& operations, Transaction& transaction,
                                 const ActRow& row, const json& content) {
  const Replay replay{operations, transaction, row, content};
  switch (row.kind) {
    case ActKind::kRestrictionPlaced:
      return ReplayRestriction(replay);
    case ActKind::kRestrictionLifted:
      return ReplayRestrictionLifted(replay);
    case ActKind::kConsentWithdrawn:
      return ReplayConsentWithdrawn(replay);
    case ActKind::kConsentRequired:
      return ReplayConsentRequired(replay, true);
    case ActKind::kConsentNotRequired:
      return ReplayConsentRequired(replay, false);
    case ActKind::kTokenEnded:
      return ReplayTokenEnded(replay);
    case ActKind::kPrincipalDisabled:
      return ReplayDisabled(replay);
    case ActKind::kPrincipalEnabled:
      return ReplayEnabled(replay);
    case ActKind::kPrincipalRole:
      return ReplayRoleOf(replay);
    case ActKind::kPrincipalCertificates:
      return ReplayCertificates(replay);
    case ActKind::kUserCredentials:
      return ReplayCredentials(replay);
    case ActKind::kTeamMembers:
      return ReplayTeamMembers(replay);
    case ActKind::kRolePut:
      return ReplayRolePut(replay);
    case ActKind::kAssignmentEnded:
      return ReplayAssignmentEnded(replay);
    case ActKind::kAssignmentGiven:
      return ReplayAssignmentGiven(replay);
    case ActKind::kLeaseEnded:
      return ReplayLeaseEnded(replay);
    case ActKind::kApprovalClosed:
      return ReplayApprovalClosed(replay);
    case ActKind::kHoldPlaced:
    case ActKind::kHoldLifted:
      break;
  }
  return Replayed::kImpossible;
}

Result<std::size_t> EndAllSessions(Transaction& transaction) {
  std::size_t ended = 0;
  for (const TokenRow* session : transaction.Of<AccessState>().principals().Tokens()) {
    if (!session->is_session() || !session->IsLiving(transaction.now())) continue;
    TokenRow row = *session;
    row.revoked = transaction.now();
    COFFER_TRY(transaction.Of<AccessState>().stores.principals.Update(row));
    StageToken(transaction, std::move(row));
    ++ended;
  }
  return ended;
}

}  // namespace coffer::vault
