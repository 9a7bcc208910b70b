// Sessions of users, and who is known by what.
#pragma once

#include <optional>
#include <string>

#include "vault/access/principal.h"
#include "vault/access/token.h"
#include "vault/base/ids.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

struct SessionInfo {
  SessionId id;
  PrincipalId principal;
  std::string login;
  Timestamp created, expires, seen;
  std::optional<Timestamp> second_factor;  // when it was last given
  std::optional<Timestamp> ended;
};

struct NewSession {
  SessionInfo info;
  std::string secret;  // shown once; only a keyed hash is stored
};

struct WhoIs {
  PrincipalInfo principal;
  std::optional<TokenInfo> token;  // what was shown: this, or
  std::optional<SessionInfo> session;
  std::vector<std::string> actions;  // that its role allows, in some case
};

}  // namespace coffer::vault
