// Who asks, and the facts of a request.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "vault/base/ids.h"

namespace coffer::vault {

// What a caller's client certificate, verified against the configured authorities, says.
struct ClientCertificate {
  std::vector<std::string> bindings;  // "spki:…", "dns:…", "uri:…", see IsCertificateBinding
};

// Who asks, and the facts of the request.
struct Caller {
  std::string token;          // as presented; empty when none was
  std::string address;        // where the request was made from: the peer, or what a proxy says
  bool address_known = true;  // false: a trusted proxy says nothing that can be read
  CallId call;
  std::string purpose;
  std::string reason;  // free text; sealed aside, the log keeps a salted commitment
  std::string ticket;  // the case it belongs to, where a grant asks for one
  std::optional<ClientCertificate> certificate;
  std::string approval;  // id of the approval that a second person gave; empty when none
  // The vault's answer: what is shown is somebody's and counts, whatever became of the request.
  mutable bool authenticated = false;
};

}  // namespace coffer::vault
