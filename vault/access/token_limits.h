// What narrows a token below its principal's role: the actions it is for, the networks it may be
// used from, the client certificate that must be shown with it.
//
//   {"actions": ["record.read"], "networks": ["192.0.2.0/24"], "certificate": "spki:<64 hex>"}
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/result.h"
#include "vault/base/network.h"
#include "vault/catalog/action.h"

namespace coffer::vault {

struct TokenLimits {
  std::vector<Action> actions;    // empty: all that the role allows
  std::vector<Network> networks;  // empty: anywhere
  std::string certificate;        // a binding, see IsCertificateBinding; empty: none needed

  bool Covers(Action action) const;
};

// "spki:" and the SHA-256 of the certificate's SubjectPublicKeyInfo in lower-case hex (RFC 7469
// section 2.4), or a name of its subjectAltName (RFC 5280 section 4.2.1.6): "dns:crm.example" in
// lower case,
// "uri:spiffe://example/crm".
bool IsCertificateBinding(std::string_view text);

// Faults are added to `issues`. Precondition: none; anything but an object is a fault.
TokenLimits ParseTokenLimits(const nlohmann::json& object, std::vector<Issue>& issues);
std::string FormatTokenLimits(const TokenLimits& limits);  // "{}" when there are none

}  // namespace coffer::vault
