// How a user gets a password and a second factor.
#pragma once

#include <string>
#include <vector>

#include "vault/access/principal.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

// A one-time code with which a user sets a password.
struct NewEnrolment {
  PrincipalInfo user;
  std::string code;  // shown once; only a keyed hash is stored
  Timestamp expires;
};

struct EnrolmentOffer {
  std::string login, name;
  std::string totp_uri;  // for the authenticator app; holds a secret
};

struct EnrolmentDone {
  PrincipalInfo user;
  std::vector<std::string> recovery_codes;  // with a second factor; shown once
};

}  // namespace coffer::vault
