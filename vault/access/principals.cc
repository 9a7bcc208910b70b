// Users, services and teams.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "crypto/certificate.h"
#include "crypto/encoding.h"
#include "crypto/totp.h"
#include "vault/access/access_state.h"
#include "vault/access/core.h"
#include "vault/access/login.h"
#include "vault/access/principal_name.h"
#include "vault/access/role_giving.h"
#include "vault/access/standing.h"
#include "vault/base/names.h"
#include "vault/base/strict_json.h"
#include "vault/base/word_list.h"
#include "vault/base/words.h"
#include "vault/catalog/catalog_state.h"
#include "vault/engine/secrets.h"
#include "vault/vault.h"

namespace coffer::vault {
namespace {

constexpr std::int64_t kEnrolmentLifetimeMs = std::int64_t{72} * 3600 * 1000;
constexpr std::size_t kMaxPrincipalName = 200;
constexpr std::size_t kMaxBindings = 20;
constexpr std::size_t kMaxTeamMembers = 1000;
constexpr std::size_t kMaxTeams = 1000;

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

// An entry for each that comes or goes.
void NoteMembers(Transaction& transaction, const TeamRow& team, const TeamRow* before) {
  const std::vector<PrincipalId> none;
  const auto& old = before != nullptr ? before->members : none;
  const auto note = [&](const std::vector<PrincipalId>& from, const std::vector<PrincipalId>& those,
                        std::string_view what) {
    for (const PrincipalId& member : from) {
      if (std::ranges::binary_search(those, member)) continue;
      audit::Entry entry;
      entry.action = Name(Action::kTeamWrite);
      entry.detail = team.id.Text() + " " + member.Text() + " " + std::string(what);
      transaction.Also(std::move(entry));
    }
  };
  note(team.members, old, "added");
  note(old, team.members, "removed");
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

Team InfoOf(const TeamRow& row) { return {row.id, row.name, row.created, row.members}; }

}  // namespace

PrincipalInfo InfoOf(const PrincipalRow& row) {
  PrincipalInfo info;
  info.id = row.id;
  info.name = row.name;
  info.role = row.role;
  info.login = row.login;
  info.created = row.created;
  info.disabled = row.disabled;
  info.owner = row.owner;
  info.certificates = row.certificates;
  return info;
}

Result<PrincipalInfo> Vault::Core::DescribePrincipal(Transaction& transaction,
                                                     const PrincipalRow& row) {
  PrincipalInfo info = InfoOf(row);
  if (row.id.kind() != PrincipalKind::kUser) return info;
  COFFER_ASSIGN(const auto credentials, transaction.Of<AccessState>().stores.users.Find(row.id));
  info.enrolled = credentials && !credentials->password.empty();
  info.second_factor = credentials && credentials->totp;
  return info;
}

Status EndSessionsOf(Transaction& transaction, const PrincipalId& user) {
  for (const TokenRow* session : transaction.Of<AccessState>().principals().Tokens()) {
    if (session->principal != user || !session->is_session() || session->revoked) continue;
    TokenRow row = *session;
    row.revoked = transaction.now();
    COFFER_TRY(transaction.Of<AccessState>().stores.principals.Update(row));
    StageToken(transaction, std::move(row));
  }
  return {};
}

// A code for `user`, with a secret for the authenticator app that goes with it.
Result<NewEnrolment> Vault::Core::StartEnrolment(Transaction& transaction,
                                                 const PrincipalRow& user) const {
  NewEnrolment enrolment;
  enrolment.user = InfoOf(user);
  enrolment.code = NewEnrolmentCode();
  enrolment.expires = Timestamp{transaction.now().ms + kEnrolmentLifetimeMs};
  UserCredentials credentials;
  credentials.enrolment = DigestOfCode(keyring, user.id, enrolment.code);
  credentials.enrolment_expires = enrolment.expires;
  credentials.enrolment_totp = SealTotp(keyring, user.id, crypto::NewTotpSecret());
  COFFER_TRY(transaction.Of<AccessState>().stores.users.Put(user.id, credentials));
  return enrolment;
}

Result<NewEnrolment> Vault::CreateUser(const Caller& caller, const UserRequest& request) {
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
  if (core_->engine->Of<CatalogState>().Published()->Role(request.role) == nullptr) {
    issues.push_back({"/role", "is not a role"});
  }
  if (!issues.empty()) {
    return std::unexpected(
        Refuse(caller, kAction, std::nullopt, std::nullopt, PrincipalInvalid(std::move(issues))));
  }
  Call call = core_->StartCall(caller, kAction);
  PrincipalRow user;
  user.id = PrincipalId::New(core_->Now(), PrincipalKind::kUser);
  user.login = request.login;
  user.name = request.name;
  user.role = request.role;
  NewEnrolment enrolment;
  COFFER_TRY(core_->Perform(
      OperationKind::kWrite, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
        AddDetail(call.entry, user.id.Text() + " " + user.role + " made");
        if (transaction.Of<AccessState>().principals().FindLogin(user.login) != nullptr) {
          return Fail(Code::kConflict, "login_taken");
        }
        COFFER_TRY(core_->RequireApprovalToGive(transaction, call, {.by = "user", .after = user},
                                                "user:" + user.login));
        user.created = transaction.now();
        COFFER_TRY(transaction.Of<AccessState>().stores.principals.Put(user));
        COFFER_ASSIGN(enrolment, core_->StartEnrolment(transaction, user));
        StagePrincipal(transaction, user);
        return {};
      }));
  return enrolment;
}

Result<PrincipalInfo> Vault::CreateService(const Caller& caller, const ServiceRequest& request) {
  constexpr Action kAction = Action::kPrincipalWrite;
  std::vector<Issue> issues;
  CheckServiceName(request.name, issues);
  CheckBindings(request.certificates, issues);
  if (core_->engine->Of<CatalogState>().Published()->Role(request.role) == nullptr) {
    issues.push_back({"/role", "is not a role"});
  }
  if (!issues.empty()) {
    return std::unexpected(
        Refuse(caller, kAction, std::nullopt, std::nullopt, PrincipalInvalid(std::move(issues))));
  }
  Call call = core_->StartCall(caller, kAction);
  PrincipalRow service;
  service.id = PrincipalId::New(core_->Now(), PrincipalKind::kService);
  service.name = request.name;
  service.role = request.role;
  service.certificates = request.certificates;
  COFFER_TRY(core_->Perform(
      OperationKind::kWrite, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
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
          COFFER_TRY(core_->RequireApprovalToGive(
              transaction, call, {.by = kByService, .after = service}, "service:" + service.name));
        }
        service.created = transaction.now();
        COFFER_TRY(transaction.Of<AccessState>().stores.principals.Put(service));
        StagePrincipal(transaction, service);
        return {};
      }));
  return InfoOf(service);
}

Result<std::vector<PrincipalInfo>> Vault::ListPrincipals(const Caller& caller, PrincipalKind kind) {
  Call call = core_->StartCall(caller, Action::kPrincipalRead);
  std::vector<PrincipalInfo> principals;
  COFFER_TRY(core_->Perform(
      OperationKind::kRead, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
        for (const PrincipalRow* row : transaction.Of<AccessState>().principals().Principals()) {
          if (row->id.kind() != kind) continue;
          COFFER_ASSIGN(auto info, core_->DescribePrincipal(transaction, *row));
          principals.push_back(std::move(info));
        }
        return {};
      }));
  return principals;
}

Result<PrincipalInfo> Vault::GetPrincipal(const Caller& caller, const PrincipalId& id) {
  Call call = core_->StartCall(caller, Action::kPrincipalRead);
  call.entry.detail = id.Text();
  PrincipalInfo info;
  COFFER_TRY(core_->Perform(
      OperationKind::kRead, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
        const PrincipalRow* const row = transaction.Of<AccessState>().principals().Find(id);
        if (row == nullptr) return NotFound(call);
        COFFER_ASSIGN(info, core_->DescribePrincipal(transaction, *row));
        return {};
      }));
  return info;
}

Result<PrincipalInfo> Vault::UpdatePrincipal(const Caller& caller, const PrincipalId& id,
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
  if (change.role && core_->engine->Of<CatalogState>().Published()->Role(*change.role) == nullptr) {
    issues.push_back({"/role", "is not a role"});
  }
  if (!issues.empty()) {
    return std::unexpected(
        Refuse(caller, kAction, std::nullopt, std::nullopt, PrincipalInvalid(std::move(issues))));
  }
  Call call = core_->StartCall(caller, kAction);
  PrincipalInfo info;
  COFFER_TRY(core_->Perform(
      OperationKind::kWrite, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
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
          COFFER_ASSIGN(info, core_->DescribePrincipal(transaction, *before));
          return {};
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
          COFFER_TRY(core_->RequireSecondFactor(transaction, row));
          COFFER_TRY(core_->RequireApprovalToGive(transaction, call, giving, id.Text()));
        }
        if (disabled) COFFER_TRY(RequireClientsTold(transaction, call, id, change));
        if (role_changed || disabled) {
          COFFER_TRY(EndStandingOf(transaction, id,
                                   disabled ? StandingLoss::kDisabled : StandingLoss::kRole));
        }
        COFFER_TRY(transaction.Of<AccessState>().stores.principals.Put(row));
        COFFER_ASSIGN(info, core_->DescribePrincipal(transaction, row));
        StagePrincipal(transaction, std::move(row));
        return {};
      }));
  return info;
}

Status Vault::Core::RequireSecondFactor(Transaction& transaction, const PrincipalRow& row) const {
  const auto role = transaction.Of<CatalogState>().current().Role(row.role);
  if (!role) return Fail(Code::kConflict, "role_unknown");
  if (row.id.kind() != PrincipalKind::kUser || !role->privileged) return {};
  COFFER_ASSIGN(const auto credentials, transaction.Of<AccessState>().stores.users.Find(row.id));
  if (!credentials || credentials->password.empty() || credentials->totp) return {};
  return std::unexpected(PrincipalInvalid(
      {{"/role", "is privileged: the user needs a second factor; enrol them again"}}));
}

Result<IssuedCertificate> Vault::IssueCertificate(const Caller& caller, const PrincipalId& service,
                                                  std::string_view csr, std::int64_t lifetime_s) {
  Call call = core_->StartCall(caller, Action::kPrincipalWrite);
  IssuedCertificate issued;
  COFFER_TRY(core_->Perform(
      OperationKind::kWrite, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
        AddDetail(call.entry, service.Text() + " certificate");
        const PrincipalRow* const before = transaction.Of<AccessState>().principals().Find(service);
        if (before == nullptr || service.kind() != PrincipalKind::kService) return NotFound(call);
        const std::vector<std::string> names = {"uri:coffer:" + service.Text()};
        COFFER_ASSIGN(const auto pem,
                      core_->authority->Issue(csr, names, transaction.now().ms / 1000, lifetime_s));
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
        COFFER_TRY(core_->RequireApprovalToGive(
            transaction, call, {.by = "certificate", .after = row, .before = before},
            service.Text()));
        COFFER_TRY(transaction.Of<AccessState>().stores.principals.Put(row));
        issued = {InfoOf(row), pem, core_->authority->certificate_pem()};
        StagePrincipal(transaction, std::move(row));
        return {};
      }));
  return issued;
}

Result<NewEnrolment> Vault::EnrolAgain(const Caller& caller, const PrincipalId& user) {
  Call call = core_->StartCall(caller, Action::kPrincipalWrite);
  NewEnrolment enrolment;
  COFFER_TRY(core_->Perform(
      OperationKind::kWrite, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
        AddDetail(call.entry, user.Text() + " enrolled again");
        const PrincipalRow* const row = transaction.Of<AccessState>().principals().Find(user);
        if (row == nullptr || user.kind() != PrincipalKind::kUser) return NotFound(call);
        COFFER_TRY(core_->RequireApprovalToGive(
            transaction, call, {.by = "enrolment", .after = *row, .before = row}, user.Text()));
        COFFER_TRY(EndSessionsOf(transaction, user));
        COFFER_ASSIGN(enrolment, core_->StartEnrolment(transaction, *row));
        return {};
      }));
  return enrolment;
}

Result<Team> Vault::PutTeam(const Caller& caller, std::string_view name,
                            const std::vector<PrincipalId>& members) {
  constexpr Action kAction = Action::kTeamWrite;
  std::vector<Issue> issues;
  if (!IsName(name, '-')) {
    issues.push_back({"", "the name must be 1 to 64 of a-z, 0-9 and '-', beginning with a letter"});
  } else if (LooksLikeId(name)) {
    issues.push_back({"", kLooksLikeId});
  }
  if (members.size() > kMaxTeamMembers) issues.push_back({"/members", "has more than 1000 items"});
  if (!issues.empty()) {
    return std::unexpected(
        Refuse(caller, kAction, std::nullopt, std::nullopt,
               Error{Code::kUnprocessable, "team_invalid", {}, std::move(issues)}));
  }
  Call call = core_->StartCall(caller, kAction);
  Team team;
  COFFER_TRY(core_->Perform(
      OperationKind::kWrite, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
        const TeamRow* const before = transaction.Of<AccessState>().principals().FindTeam(name);
        TeamRow row;
        row.id = before ? before->id : PrincipalId::New(transaction.now(), PrincipalKind::kTeam);
        AddDetail(call.entry, row.id.Text());
        if (before == nullptr &&
            transaction.Of<AccessState>().principals().Teams().size() >= kMaxTeams) {
          return Fail(Code::kConflict, "too_many_teams");
        }
        row.name = name;
        row.created = before ? before->created : transaction.now();
        row.members = members;
        std::ranges::sort(row.members);
        const auto repeated = std::ranges::unique(row.members);
        row.members.erase(repeated.begin(), repeated.end());
        for (const PrincipalId& member : row.members) {
          const PrincipalRow* const known = transaction.Of<AccessState>().principals().Find(member);
          if (known == nullptr) return Fail(Code::kUnprocessable, "principal_unknown");
          const bool was = before != nullptr && std::ranges::binary_search(before->members, member);
          if (!was && known->person() == call.principal->person()) {
            return Deny(call, "separation", Code::kPermissionDenied, "own_request");
          }
        }
        if (before != nullptr && row.members == before->members) {
          call.entry.outcome = "unchanged";
          team = InfoOf(*before);
          return {};
        }
        NoteMembers(transaction, row, before);
        COFFER_TRY(transaction.Of<AccessState>().stores.principals.Put(row));
        team = InfoOf(row);
        StageTeam(transaction, std::move(row));
        return {};
      }));
  return team;
}

Result<std::vector<Team>> Vault::ListTeams(const Caller& caller) {
  Call call = core_->StartCall(caller, Action::kTeamRead);
  std::vector<Team> teams;
  COFFER_TRY(core_->Perform(
      OperationKind::kRead, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
        for (const TeamRow* row : transaction.Of<AccessState>().principals().Teams()) {
          teams.push_back(InfoOf(*row));
        }
        return {};
      }));
  return teams;
}

}  // namespace coffer::vault
