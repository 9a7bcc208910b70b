// Users and services.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/certificate_authority.h"
#include "crypto/result.h"
#include "vault/access/caller.h"
#include "vault/access/enrolment.h"
#include "vault/access/operations.h"
#include "vault/access/principal.h"
#include "vault/access/two_person_rule.h"
#include "vault/base/ids.h"

namespace coffer::vault {

class Principals {
 public:
  Principals(const Operations& operations, const TwoPersonRule& two_person,
             const crypto::CertificateAuthority& authority)
      : operations_(operations), two_person_(two_person), authority_(authority) {}

  // Users and services. What gives somebody a privileged role, or opens another way into an
  // account that is there, takes an approval of "role.give" about the principal's id, or
  // "user:LOGIN" or "service:NAME" for a new one, with {"role": NAME, "by": HOW}, HOW of
  // kWaysToGive, and with HOW "service" "owner" and "certificates", "change" "certificates" and
  // "disabled", as they will be. The vault adds what the account and the
  // role are, and where these have changed the approval is none. A service without certificates
  // takes none: nobody has it yet. Errors: kUnprocessable "principal_invalid" with issues;
  // kConflict "login_taken", "certificate_taken"; kPermissionDenied "approval_required",
  // "approval_invalid".
  Result<NewEnrolment> CreateUser(const Caller& caller, const UserRequest& request);
  Result<PrincipalInfo> CreateService(const Caller& caller, const ServiceRequest& request);
  Result<std::vector<PrincipalInfo>> ListPrincipals(const Caller& caller, PrincipalKind kind);
  Result<PrincipalInfo> GetPrincipal(const Caller& caller, const PrincipalId& id);
  // A new role, and being disabled, end its sessions, leases, emergency access, and the approvals
  // that it asked for or gave. Errors: kConflict "clients_assigned" for who is to be disabled and
  // has clients, unless these are to be left.
  Result<PrincipalInfo> UpdatePrincipal(const Caller& caller, const PrincipalId& id,
                                        const PrincipalChange& change);
  // A certificate of the vault's own authority for the key that signed `csr` (PKCS #10 as PEM), by
  // which the service is known from then on. Errors: those of CertificateAuthority::Issue.
  Result<IssuedCertificate> IssueCertificate(const Caller& caller, const PrincipalId& service,
                                             std::string_view csr, std::int64_t lifetime_s);
  // The authority's certificate, as PEM: for the TLS layer.
  const std::string& ClientAuthority() const;
  // A new code; the password, the second factor and all sessions of before are void.
  Result<NewEnrolment> EnrolAgain(const Caller& caller, const PrincipalId& user);

 private:
  const Operations& operations_;
  const TwoPersonRule& two_person_;
  const crypto::CertificateAuthority& authority_;
};

}  // namespace coffer::vault
