// What the operations on principals, sessions and tokens share about an account.
#pragma once

#include "crypto/keyring.h"
#include "vault/access/enrolment.h"
#include "vault/access/principal.h"
#include "vault/access/principal_store.h"
#include "vault/engine/engine.h"

namespace coffer::vault {

// With what its credentials say.
Result<PrincipalInfo> DescribePrincipal(Transaction& transaction, const PrincipalRow& row);

// A code for `user`, with a secret for the authenticator app that goes with it.
Result<NewEnrolment> StartEnrolment(const crypto::Keyring& keyring, Transaction& transaction,
                                    const PrincipalRow& user);

// Who is given a privileged role has a second factor, or is to be enrolled yet.
Status RequireSecondFactor(Transaction& transaction, const PrincipalRow& row);

}  // namespace coffer::vault
