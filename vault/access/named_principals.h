// Principals by what people call them, and who may know what they are called.
#pragma once

#include <string>

#include "vault/access/call.h"
#include "vault/access/operations.h"

namespace coffer::vault {

// Puts the id of a user in the place of its login, and that of a service in the place of its name,
// for who may know these. An id stays, whosever it is. Engine thread. Errors: kInvalidArgument
// "filter_unknown" with an issue at `pointer` for what is nobody's, or several principals' name; it
// says what is near.
Status ReplaceByPrincipal(const PrincipalRegister& principals, const char* pointer,
                          std::string& name);

// Who may list the vault's principals, or read what they did, may know what they are called.
Result<bool> MayKnowPrincipals(const Operations& operations, Transaction& transaction,
                               const Call& call);

}  // namespace coffer::vault
