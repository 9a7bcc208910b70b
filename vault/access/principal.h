// Users and services, as they are shown, made and changed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "vault/base/ids.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

struct PrincipalInfo {
  PrincipalId id;
  std::string name, role;
  std::string login;  // of a user
  Timestamp created;
  std::optional<Timestamp> disabled;
  std::optional<PrincipalId> owner;              // of a service: the principal that answers for it
  std::vector<std::string> certificates;         // of a service: bindings that it is known by
  bool enrolled = false, second_factor = false;  // of a user
};

struct ServiceRequest {
  std::string name, role;
  std::optional<PrincipalId> owner;
  std::vector<std::string> certificates;
};

struct UserRequest {
  std::string login;  // 1 to 64 of a-z, 0-9, '.', '_', '-' and '@'; no other user's, for ever
  std::string name, role;
};

// What of a principal is about to change.
struct PrincipalChange {
  std::optional<std::string> name, role;
  std::optional<bool> disabled;
  std::optional<std::vector<std::string>> certificates;
  // With `disabled`: the clients that are assigned to it stay so, and nobody else has them.
  bool leave_clients = false;
};

struct IssuedCertificate {
  PrincipalInfo service;
  std::string certificate, authority;  // PEM
};

}  // namespace coffer::vault
