// Acts about people and what they may do that protect, or take protection back, as the ledger has
// them (vault/engine/protective_act.h): each is said here, in the operation that does it, and done
// again from what was said, where a restored vault lacks it.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "vault/access/access_state.h"
#include "vault/access/consent.h"
#include "vault/access/operations.h"
#include "vault/access/restriction.h"
#include "vault/catalog/role.h"
#include "vault/engine/protective_act.h"
#include "vault/engine/transaction.h"

namespace coffer::vault {

// What became of an act that a restored vault lacks.
enum class Replayed : std::uint8_t {
  kDone,          // it is in force again
  kInForce,       // the vault is as strict as that already
  kNothingThere,  // what it was about is not in this state either
  kNotRepeated,   // it took protection back: people are told, and the vault stays as it is
  kImpossible,    // it cannot be done again: people are told
};

void ActRestricted(Transaction& transaction, const Restriction& restriction, ByteView sealed_basis);
void ActRestrictionLifted(Transaction& transaction, const Restriction& restriction);
// One that is withdrawn already. All of it is said: where an older state lacks it, somebody might
// record it again, and it must be known there that it was taken back.
void ActConsentWithdrawn(Transaction& transaction, const Consent& consent, ByteView sealed_details);
// The purpose begins to require consent, or requires it no more.
void ActConsentRequired(Transaction& transaction, const std::string& purpose, bool required);
// A token's, or a session's, end that is earlier than it was.
void ActTokenEnded(Transaction& transaction, const TokenRow& row);
// What of these changed: whether it is enabled, its role, its certificates.
void ActPrincipalChanged(Transaction& transaction, const PrincipalRow& before,
                         const PrincipalRow& after);
void ActCredentials(Transaction& transaction, const PrincipalId& user,
                    const UserCredentials& credentials);
void ActTeamMembers(Transaction& transaction, const TeamRow& row);
void ActRolePut(Transaction& transaction, const RoleDocument& role);
void ActUnassigned(Transaction& transaction, const ClientId& client, const PrincipalId& principal);
// `before`: null where it is new. What gives nothing more cuts; what gives is said only where an
// earlier act took: a client's first assignments cost nothing.
Status ActAssigned(Transaction& transaction, const AssignmentRow& row, const AssignmentRow* before);
void ActLeaseEnded(Transaction& transaction, const LeaseRow& row);
// It was rejected, used or ended.
void ActApprovalClosed(Transaction& transaction, const ApprovalRow& row);

// Does one again that is about people. `content` is what OpenAct gave. Errors: of the stores.
Result<Replayed> ReplayAccessAct(const Operations& operations, Transaction& transaction,
                                 const ActRow& row, const nlohmann::json& content);
// Sessions may have been ended since without a line of theirs. The number of those that ended.
Result<std::size_t> EndAllSessions(Transaction& transaction);

}  // namespace coffer::vault
