#include "vault/access/access_state.h"

#include <cstdlib>

#include "vault/catalog/catalog_state.h"

namespace coffer::vault {
namespace {

constexpr std::int64_t kSeenIntervalMs = 60 * 1000;
constexpr std::int64_t kMsPerHour = 3600 * 1000;

}  // namespace

Result<std::unique_ptr<AccessState>> AccessState::Open(Database& database) {
  COFFER_ASSIGN(auto principals, PrincipalStore::Open(database));
  COFFER_ASSIGN(auto users, UserStore::Open(database));
  COFFER_ASSIGN(auto reveals, RevealStore::Open(database));
  COFFER_ASSIGN(auto access, AccessStore::Open(database));
  COFFER_ASSIGN(auto approvals, ApprovalStore::Open(database));
  COFFER_ASSIGN(auto restrictions, RestrictionStore::Open(database));
  COFFER_ASSIGN(auto consents, ConsentStore::Open(database));
  COFFER_ASSIGN(auto recipients, RecipientStore::Open(database));
  COFFER_ASSIGN(auto disclosures, DisclosureStore::Open(database));
  return std::unique_ptr<AccessState>(
      new AccessState({std::move(principals), std::move(users), std::move(reveals),
                       std::move(access), std::move(approvals), std::move(restrictions),
                       std::move(consents), std::move(recipients), std::move(disclosures)}));
}

Status AccessState::Load(const RoomSources& sources) {
  const Catalog& catalog = sources.rooms.Of<CatalogState>().current();
  COFFER_ASSIGN(auto principals, stores.principals.LoadPrincipals());
  COFFER_ASSIGN(auto tokens, stores.principals.LoadTokens());
  COFFER_ASSIGN(auto teams, stores.principals.LoadTeams());
  principals_.Clear();
  for (auto& row : principals) {
    if (catalog.Role(row.role) == nullptr) {
      return Fail(Code::kCorrupted, "storage_corrupted", "a principal has no known role");
    }
    principals_.Put(std::move(row));
  }
  for (auto& row : tokens) principals_.Put(std::move(row));
  for (auto& row : teams) principals_.Put(std::move(row));
  COFFER_ASSIGN(auto assignments, stores.access.LoadAssignments());
  COFFER_ASSIGN(auto leases, stores.access.LoadLeases(sources.now));
  access_.Clear();
  for (auto& row : assignments) access_.Put(std::move(row));
  for (auto& row : leases) access_.Put(std::move(row));
  COFFER_ASSIGN(const auto emergencies, stores.access.LoadEmergencies(sources.now));
  for (const auto& row : emergencies) access_.Put(row);
  COFFER_ASSIGN(auto restrictions, stores.restrictions.Load());
  restrictions_.Clear();
  for (auto& restriction : restrictions) restrictions_.Put(std::move(restriction));
  consents_.Clear();
  for (const auto& [code, purpose] : catalog.purposes) {
    if (!purpose.requires_consent) continue;
    COFFER_ASSIGN(auto standing, stores.consents.LoadStanding(code));
    consents_.Require(code, std::move(standing));
  }
  return {};
}

void AccessState::Forget(const ClientId& client) {
  access_.Forget(client);
  restrictions_.Forget(client);
  consents_.Forget(client);
}

Result<bool> AccessState::Purge(Transaction& transaction) {
  const Timestamp yesterday{transaction.now().ms - 24 * kMsPerHour};
  principals_.ForgetSessions(yesterday);
  access_.ForgetEnded(yesterday);
  COFFER_TRY(stores.reveals.PurgeBefore(yesterday.ms / kMsPerHour - 24));
  return false;
}

Status AccessState::Touch(const TokenRow& session, Timestamp now) {
  TokenRow* const row = principals_.FindToken(session.digest);
  if (row == nullptr) return {};
  // A little earlier: another request's. Much earlier: the clock was put back, and what it said
  // before must not keep the session open for longer.
  if (now <= row->seen && row->seen.ms - now.ms < kSeenIntervalMs) return {};
  row->seen = now;
  if (std::abs(now.ms - row->seen_stored.ms) < kSeenIntervalMs) return {};
  row->seen_stored = now;
  return stores.principals.Update(*row);
}

// Changes of the registers, which only operations that succeed may make.
struct AccessChanges {
  // `change` gets the registers of principals, of access and of restrictions.
  template <class Change>
  static void Stage(Transaction& transaction, Change change) {
    transaction.OnSuccess(
        [&state = transaction.Of<AccessState>(), change = std::move(change)]() mutable {
          change(state.principals_, state.access_, state.restrictions_);
          return Status();
        });
  }
  template <class Change>
  static void StageConsents(Transaction& transaction, Change change) {
    transaction.OnSuccess(
        [&state = transaction.Of<AccessState>(), change = std::move(change)]() mutable {
          change(state.consents_);
          return Status();
        });
  }
};

void StagePrincipal(Transaction& transaction, PrincipalRow row) {
  AccessChanges::Stage(transaction, [row = std::move(row)](auto& principals, auto&, auto&) mutable {
    principals.Put(std::move(row));
  });
}

void StageToken(Transaction& transaction, TokenRow row) {
  AccessChanges::Stage(transaction, [row = std::move(row)](auto& principals, auto&, auto&) mutable {
    principals.Put(std::move(row));
  });
}

void ForgetToken(Transaction& transaction, const TokenId& id) {
  AccessChanges::Stage(transaction,
                       [id](auto& principals, auto&, auto&) { principals.Forget(id); });
}

void StageTeam(Transaction& transaction, TeamRow row) {
  AccessChanges::Stage(transaction, [row = std::move(row)](auto& principals, auto&, auto&) mutable {
    principals.Put(std::move(row));
  });
}

void StageAssignment(Transaction& transaction, AssignmentRow row) {
  AccessChanges::Stage(transaction, [row = std::move(row)](auto&, auto& access, auto&) mutable {
    access.Put(std::move(row));
  });
}

void RemoveAssignment(Transaction& transaction, const ClientId& client,
                      const PrincipalId& principal) {
  AccessChanges::Stage(transaction, [client, principal](auto&, auto& access, auto&) {
    access.Remove(client, principal);
  });
}

void StageLease(Transaction& transaction, LeaseRow row) {
  AccessChanges::Stage(transaction, [row = std::move(row)](auto&, auto& access, auto&) mutable {
    access.Put(std::move(row));
  });
}

void StageEmergency(Transaction& transaction, EmergencyRow row) {
  AccessChanges::Stage(transaction,
                       [row = std::move(row)](auto&, auto& access, auto&) { access.Put(row); });
}

void StageRestriction(Transaction& transaction, Restriction restriction) {
  AccessChanges::Stage(transaction,
                       [row = std::move(restriction)](auto&, auto&, auto& restrictions) mutable {
                         restrictions.Put(std::move(row));
                       });
}

void RemoveRestriction(Transaction& transaction, const ClientId& client, const RestrictionId& id) {
  AccessChanges::Stage(transaction, [client, id](auto&, auto&, auto& restrictions) {
    restrictions.Remove(client, id);
  });
}

Status RefreshConsent(Transaction& transaction, const ClientId& client, std::string_view purpose) {
  COFFER_ASSIGN(const auto until,
                transaction.Of<AccessState>().stores.consents.StandsUntil(client, purpose));
  AccessChanges::StageConsents(transaction,
                               [client, purpose = std::string(purpose), until](auto& consents) {
                                 if (until) {
                                   consents.Put(client, purpose, *until);
                                 } else {
                                   consents.Remove(client, purpose);
                                 }
                               });
  return {};
}

Status RequireConsentTo(Transaction& transaction, const std::string& purpose) {
  COFFER_ASSIGN(auto standing, transaction.Of<AccessState>().stores.consents.LoadStanding(purpose));
  AccessChanges::StageConsents(transaction,
                               [purpose, standing = std::move(standing)](auto& consents) mutable {
                                 consents.Require(purpose, std::move(standing));
                               });
  return {};
}

void RequireNoConsentTo(Transaction& transaction, const std::string& purpose) {
  AccessChanges::StageConsents(transaction,
                               [purpose](auto& consents) { consents.RequireNone(purpose); });
}

}  // namespace coffer::vault
