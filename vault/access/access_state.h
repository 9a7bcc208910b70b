// Who there is and what they may see, as requests see it: principals with their tokens and teams,
// assignments, leases, emergency access, restrictions, consents.
#pragma once

#include <memory>

#include "vault/access/access_store.h"
#include "vault/access/approval_store.h"
#include "vault/access/client_row.h"
#include "vault/access/consent_register.h"
#include "vault/access/consent_store.h"
#include "vault/access/disclosure_store.h"
#include "vault/access/principal_store.h"
#include "vault/access/recipient_store.h"
#include "vault/access/restriction_store.h"
#include "vault/engine/room_state.h"
#include "vault/engine/transaction.h"

namespace coffer::vault {

struct AccessStores {
  PrincipalStore principals;
  UserStore users;
  RevealStore reveals;
  AccessStore access;
  ApprovalStore approvals;
  RestrictionStore restrictions;
  ConsentStore consents;
  RecipientStore recipients;
  DisclosureStore disclosures;
};

class AccessState : public RoomState {
 public:
  static constexpr Room kRoom = Room::kAccess;

  static Result<std::unique_ptr<AccessState>> Open(Database& database);
  Status Load(const RoomSources& sources) override;
  void Forget(const ClientId& client) override;
  Result<bool> Purge(Transaction& transaction) override;

  const PrincipalRegister& principals() const { return principals_; }
  const AccessRegister& access() const { return access_; }
  const RestrictionRegister& restrictions() const { return restrictions_; }
  const ConsentRegister& consents() const { return consents_; }

  // That a session was used. Stored at most once a minute, and with the operation.
  Status Touch(const TokenRow& session, Timestamp now);

  // Whom decisions are about. Precondition: Know was called.
  Result<std::optional<ClientRow>> FindClient(const ClientId& client) const {
    return clients_->FindClient(client);
  }
  void Know(ClientDirectory& clients) { clients_ = &clients; }

  AccessStores stores;

 private:
  friend struct AccessChanges;
  explicit AccessState(AccessStores opened) : stores(std::move(opened)) {}

  ClientDirectory* clients_ = nullptr;
  PrincipalRegister principals_;
  AccessRegister access_;
  RestrictionRegister restrictions_;
  ConsentRegister consents_;
};

// In memory, once the operation succeeded.
void StagePrincipal(Transaction& transaction, PrincipalRow row);
void StageToken(Transaction& transaction, TokenRow row);
void ForgetToken(Transaction& transaction, const TokenId& id);
void StageTeam(Transaction& transaction, TeamRow row);
void StageAssignment(Transaction& transaction, AssignmentRow row);
void RemoveAssignment(Transaction& transaction, const ClientId& client,
                      const PrincipalId& principal);
void StageLease(Transaction& transaction, LeaseRow row);
void StageEmergency(Transaction& transaction, EmergencyRow row);
void StageRestriction(Transaction& transaction, Restriction restriction);
void RemoveRestriction(Transaction& transaction, const ClientId& client, const RestrictionId& id);
// What the rows say of the client's consent to the purpose, once they were changed.
Status RefreshConsent(Transaction& transaction, const ClientId& client, std::string_view purpose);
// The purpose begins to require consent, and all that stand are read; or it ends.
Status RequireConsentTo(Transaction& transaction, const std::string& purpose);
void RequireNoConsentTo(Transaction& transaction, const std::string& purpose);

}  // namespace coffer::vault
