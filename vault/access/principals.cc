// Users and services.
#include "vault/access/principals.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "crypto/certificate.h"
#include "crypto/encoding.h"
#include "crypto/totp.h"
#include "vault/access/access_acts.h"
#include "vault/access/access_state.h"
#include "vault/access/accounts.h"
#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/access/enrolment.h"
#include "vault/access/login.h"
#include "vault/access/principal.h"
#include "vault/access/principal_name.h"
#include "vault/access/role_giving.h"
#include "vault/access/secrets.h"
#include "vault/access/standing.h"
#include "vault/base/names.h"
#include "vault/base/strict_json.h"
#include "vault/base/word_list.h"
#include "vault/base/words.h"
#include "vault/catalog/catalog_state.h"

namespace coffer::vault {
namespace {

constexpr std::size_t kMaxPrincipalName = 200;
constexpr std::size_t kMaxBindings = 20;

void CheckName(std::string_view name, std::vector<Issue>& issues) {
  if (!IsWords(name, kMaxPrincipalName)) {
    issues.push_back({"/name", WordsRule(kMaxPrincipalName)});
  }
}

// What a service is called stands in the place of its id.
void CheckServiceName(std::string_view name, std::vector<Issue>& issues) {
  CheckName(name, issues);
  if (LooksLikeId(name)) issues.push_back({"/name", kLooksLikeId});
}

void CheckBindings(const std::vector<std::string>& bindings, std::vector<Issue>& issues) {
  if (bindings.size() > kMaxBindings) issues.push_back({"/certificates", "has more than 20 items"});
  for (std::size_t i = 0; i < bindings.size(); ++i) {
    if (!IsCertificateBinding(bindings[i])) {
      issues.push_back({"/certificates/" + std::to_string(i),
                        "must be \"spki:\" and 64 hexadecimal digits, \"dns:\" or \"uri:\" and a "
                        "name"});
    }
  }
}

Error PrincipalInvalid(std::vector<Issue> issues) {
  return {Code::kUnprocessable, "principal_invalid", {}, std::move(issues)};
}

// Two services known by one certificate would be one caller with two roles.
Status RequireFreeBindings(const Transaction& transaction, const PrincipalRow& service) {
  for (const auto& binding : service.certificates) {
    const PrincipalRow* const other =
        transaction.Of<AccessState>().principals().FindCertificate(binding);
    if (other != nullptr && other->id != service.id) {
      return Fail(Code::kConflict, "certificate_taken");
    }
  }
  return {};
}

// Nobody's clients are left without anybody by oversight.
Status RequireClientsTold(Transaction& transaction, Call& call, const PrincipalId& id,
                          const PrincipalChange& change) {
  COFFER_ASSIGN(
      const std::uint64_t clients,
      transaction.Of<AccessState>().stores.access.CountAssignmentsOf(id, transaction.now()));
  if (clients == 0) return {};
  const std::string count = std::to_string(clients) + (clients == 1 ? " client" : " clients");
  if (change.leave_clients) {
    AddDetail(call.entry, count + " left");
    return {};
  }
  return std::unexpected(Error{
      Code::kConflict,
      "clients_assigned",
      {},
      {{"/disabled", "has " + count + " assigned: hand them over first, or say leave_clients"}}});
}

}  // namespace

Result<NewEnrolment> Principals::CreateUser(const Caller& caller, const UserRequest& request) {
  constexpr Action kAction = Action::kPrincipalWrite;
  std::vector<Issue> issues;
  CheckName(request.name, issues);
  if (!IsLogin(request.login)) {
    issues.push_back({"/login",
                      "must be 1 to 64 of a-z, 0-9, '.', '_', '-' and '@', beginning "
                      "with a letter or digit"});
  } else if (LooksLikeId(request.login)) {
    issues.push_back({"/login", kLooksLikeId});
  }
  if (operations_.engine().Of<CatalogState>().Published()->Role(request.role) == nullptr) {
    issues.push_back({"/role", "is not a role"});
  }
  if (!issues.empty()) {
    return operations_.Refuse(caller, {kAction}, PrincipalInvalid(std::move(issues)));
  }
  Call call = operations_.Start(caller, {kAction, OperationKind::kWrite});
  PrincipalRow user;
  user.id = PrincipalId::New(operations_.Now(), PrincipalKind::kUser);
  user.login = request.login;
  user.name = request.name;
  user.role = request.role;
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<NewEnrolment> {
    AddDetail(call.entry, user.id.Text() + " " + user.role + " made");
    if (transaction.Of<AccessState>().principals().FindLogin(user.login) != nullptr) {
      return Fail(Code::kConflict, "login_taken");
    }
    COFFER_TRY(two_person_.RequireApprovalToGive(transaction, call, {.by = "user", .after = user},
                                                 "user:" + user.login));
    user.created = transaction.now();
    COFFER_TRY(transaction.Of<AccessState>().stores.principals.Put(user));
    COFFER_ASSIGN(NewEnrolment enrolment, StartEnrolment(operations_.keyring(), transaction, user));
    StagePrincipal(transaction, user);
    return enrolment;
  });
}

Result<PrincipalInfo> Principals::CreateService(const Caller& caller,
                                                const ServiceRequest& request) {
  constexpr Action kAction = Action::kPrincipalWrite;
  std::vector<Issue> issues;
  CheckServiceName(request.name, issues);
  CheckBindings(request.certificates, issues);
  if (operations_.engine().Of<CatalogState>().Published()->Role(request.role) == nullptr) {
    issues.push_back({"/role", "is not a role"});
  }
  if (!issues.empty()) {
    return operations_.Refuse(caller, {kAction}, PrincipalInvalid(std::move(issues)));
  }
  Call call = operations_.Start(caller, {kAction, OperationKind::kWrite});
  PrincipalRow service;
  service.id = PrincipalId::New(operations_.Now(), PrincipalKind::kService);
  service.name = request.name;
  service.role = request.role;
  service.certificates = request.certificates;
  COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) -> Status {
    AddDetail(call.entry, service.id.Text() + " " + service.role + " made");
    if (request.owner) {
      const PrincipalRow* const owner =
          transaction.Of<AccessState>().principals().Find(*request.owner);
      if (owner == nullptr) return Fail(Code::kUnprocessable, "principal_unknown");
      service.owner = owner->person();
      AddDetail(call.entry, "owner " + service.owner->Text());
    }
    if (!service.certificates.empty()) {
      AddDetail(call.entry, "certificates " + JoinWords(service.certificates));
    }
    COFFER_TRY(RequireFreeBindings(transaction, service));
    if (!transaction.Of<CatalogState>().current().Role(service.role))
      return Fail(Code::kConflict, "role_unknown");
    // Without certificates nobody is it yet: a token takes its own approval.
    if (!service.certificates.empty()) {
      COFFER_TRY(two_person_.RequireApprovalToGive(
          transaction, call, {.by = kByService, .after = service}, "service:" + service.name));
    }
    service.created = transaction.now();
    COFFER_TRY(transaction.Of<AccessState>().stores.principals.Put(service));
    StagePrincipal(transaction, service);
    return {};
  }));
  return InfoOf(service);
}

Result<std::vector<PrincipalInfo>> Principals::ListPrincipals(const Caller& caller,
                                                              PrincipalKind kind) {
  Call call = operations_.Start(caller, {Action::kPrincipalRead});
  return operations_.Perform(
      call, [&](Transaction& transaction) -> Result<std::vector<PrincipalInfo>> {
        std::vector<PrincipalInfo> principals;
        for (const PrincipalRow* row : transaction.Of<AccessState>().principals().Principals()) {
          if (row->id.kind() != kind) continue;
          COFFER_ASSIGN(auto info, DescribePrincipal(transaction, *row));
          principals.push_back(std::move(info));
        }
        return principals;
      });
}

Result<PrincipalInfo> Principals::GetPrincipal(const Caller& caller, const PrincipalId& id) {
  Call call = operations_.Start(caller, {Action::kPrincipalRead});
  call.entry.detail = id.Text();
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<PrincipalInfo> {
    const PrincipalRow* const row = transaction.Of<AccessState>().principals().Find(id);
    if (row == nullptr) return NotFound(call);
    return DescribePrincipal(transaction, *row);
  });
}

Result<PrincipalInfo> Principals::UpdatePrincipal(const Caller& caller, const PrincipalId& id,
                                                  const PrincipalChange& change) {
  constexpr Action kAction = Action::kPrincipalWrite;
  std::vector<Issue> issues;
  const bool is_service = id.kind() == PrincipalKind::kService;
  if (change.name && is_service) CheckServiceName(*change.name, issues);
  if (change.name && !is_service) CheckName(*change.name, issues);
  if (change.certificates) CheckBindings(*change.certificates, issues);
  if (change.certificates && !is_service) {
    issues.push_back({"/certificates", "are for services"});
  }
  if (change.role &&
      operations_.engine().Of<CatalogState>().Published()->Role(*change.role) == nullptr) {
    issues.push_back({"/role", "is not a role"});
  }
  if (!issues.empty()) {
    return operations_.Refuse(caller, {kAction}, PrincipalInvalid(std::move(issues)));
  }
  Call call = operations_.Start(caller, {kAction, OperationKind::kWrite});
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<PrincipalInfo> {
    AddDetail(call.entry, id.Text());
    const PrincipalRow* const before = transaction.Of<AccessState>().principals().Find(id);
    if (before == nullptr) return NotFound(call);
    PrincipalRow row = *before;
    if (change.name) row.name = *change.name;
    if (change.role) row.role = *change.role;
    if (change.certificates) row.certificates = *change.certificates;
    if (change.disabled && *change.disabled != row.disabled.has_value()) {
      row.disabled = *change.disabled ? std::optional(transaction.now()) : std::nullopt;
    }
    if (row.name == before->name && row.role == before->role &&
        row.certificates == before->certificates && row.disabled == before->disabled) {
      call.entry.outcome = "unchanged";
      return DescribePrincipal(transaction, *before);
    }
    const bool role_changed = row.role != before->role;
    const bool disabled = row.disabled && !before->disabled;
    const bool enabled = !row.disabled && before->disabled;
    if (role_changed) AddDetail(call.entry, "role " + row.role);
    if (disabled) AddDetail(call.entry, "disabled");
    if (enabled) AddDetail(call.entry, "enabled");
    if (row.certificates != before->certificates) {
      AddDetail(call.entry, "certificates " + JoinWords(row.certificates));
    }
    const Giving giving{.by = kByChange, .after = row, .before = before};
    if (role_changed || IsFurtherWay(giving)) {
      COFFER_TRY(RequireFreeBindings(transaction, row));
      COFFER_TRY(RequireSecondFactor(transaction, row));
      COFFER_TRY(two_person_.RequireApprovalToGive(transaction, call, giving, id.Text()));
    }
    if (disabled) COFFER_TRY(RequireClientsTold(transaction, call, id, change));
    if (role_changed || disabled) {
      COFFER_TRY(
          EndStandingOf(transaction, id, disabled ? StandingLoss::kDisabled : StandingLoss::kRole));
    }
    COFFER_TRY(transaction.Of<AccessState>().stores.principals.Put(row));
    ActPrincipalChanged(transaction, *before, row);
    COFFER_ASSIGN(PrincipalInfo info, DescribePrincipal(transaction, row));
    StagePrincipal(transaction, std::move(row));
    return info;
  });
}

Result<IssuedCertificate> Principals::IssueCertificate(const Caller& caller,
                                                       const PrincipalId& service,
                                                       std::string_view csr,
                                                       std::int64_t lifetime_s) {
  Call call = operations_.Start(caller, {Action::kPrincipalWrite, OperationKind::kWrite});
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<IssuedCertificate> {
    AddDetail(call.entry, service.Text() + " certificate");
    const PrincipalRow* const before = transaction.Of<AccessState>().principals().Find(service);
    if (before == nullptr || service.kind() != PrincipalKind::kService) return NotFound(call);
    const std::vector<std::string> names = {"uri:coffer:" + service.Text()};
    COFFER_ASSIGN(const auto pem,
                  authority_.Issue(csr, names, transaction.now().ms / 1000, lifetime_s));
    COFFER_ASSIGN(const auto facts, crypto::ReadCertificatePem(pem));
    const std::string binding = "spki:" + crypto::HexEncode(facts.spki);
    AddDetail(call.entry, binding);
    PrincipalRow row = *before;
    if (std::ranges::find(row.certificates, binding) == row.certificates.end()) {
      row.certificates.push_back(binding);
    }
    if (row.certificates.size() > kMaxBindings) {
      return Fail(Code::kConflict, "too_many_certificates");
    }
    COFFER_TRY(RequireFreeBindings(transaction, row));
    COFFER_TRY(two_person_.RequireApprovalToGive(
        transaction, call, {.by = "certificate", .after = row, .before = before}, service.Text()));
    COFFER_TRY(transaction.Of<AccessState>().stores.principals.Put(row));
    ActPrincipalChanged(transaction, *before, row);
    IssuedCertificate issued = {InfoOf(row), pem, authority_.certificate_pem()};
    StagePrincipal(transaction, std::move(row));
    return issued;
  });
}

const std::string& Principals::ClientAuthority() const { return authority_.certificate_pem(); }

Result<NewEnrolment> Principals::EnrolAgain(const Caller& caller, const PrincipalId& user) {
  Call call = operations_.Start(caller, {Action::kPrincipalWrite, OperationKind::kWrite});
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<NewEnrolment> {
    AddDetail(call.entry, user.Text() + " enrolled again");
    const PrincipalRow* const row = transaction.Of<AccessState>().principals().Find(user);
    if (row == nullptr || user.kind() != PrincipalKind::kUser) return NotFound(call);
    COFFER_TRY(two_person_.RequireApprovalToGive(
        transaction, call, {.by = "enrolment", .after = *row, .before = row}, user.Text()));
    COFFER_TRY(EndSessionsOf(transaction, user));
    COFFER_ASSIGN(NewEnrolment enrolment, StartEnrolment(operations_.keyring(), transaction, *row));
    COFFER_ASSIGN(const auto credentials, transaction.Of<AccessState>().stores.users.Find(user));
    if (credentials) ActCredentials(transaction, user, *credentials);
    return enrolment;
  });
}

}  // namespace coffer::vault
