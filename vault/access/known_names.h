// What ids are called, for people. Names are no part of the log's bytes or of what is stored beside
// an id: they are looked up when somebody reads, as they are then.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "vault/base/ids.h"

namespace coffer::vault {

struct IdsToName {
  std::vector<PrincipalId> principals;
  std::vector<ClientId> clients;
};

struct KnownName {
  std::string id;
  // The login of a user, the name of a service or a team, the external reference of a client.
  std::string name;
  bool disabled = false;  // of a user or a service: it can do nothing any more
};

// Of all principals and teams, as they were at one moment. Empty: the name of one could be taken
// for another's, or for an id.
using PrincipalNames = std::unordered_map<PrincipalId, KnownName, IdHash>;

// As many clients are named by one call; those after them are not.
inline constexpr std::size_t kMostClientsNamed = 200;

}  // namespace coffer::vault
