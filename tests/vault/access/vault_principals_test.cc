// Services, their tokens' limits and certificates; teams.
#include <catch2/catch_test_macros.hpp>

#include "crypto/certificate.h"
#include "crypto/client_key.h"
#include "tests/vault/test_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

constexpr std::int64_t kPrincipalDay = 24 * 3600;

class ServiceVault : public TestVault {
 public:
  NewToken Token(const TokenRequest& request) {
    auto token = (*this)->tokens().CreateToken(As(kAdministrator), request);
    INFO(AnswerOf(token));
    REQUIRE(token);
    return *std::move(token);
  }
  TokenLimits Limits(const std::string& text) {
    std::vector<Issue> issues;
    auto limits = ParseTokenLimits(json::parse(text), issues);
    REQUIRE(issues.empty());
    return limits;
  }
  Caller With(const NewToken& token) {
    last = Stranger(token.secret);
    return last;
  }
  std::string Rule() { return EntryOf(last).at("rule"); }
  Caller last;
};

TEST_CASE("a service has several tokens, and is disabled with all of them at once") {
  ServiceVault vault;
  const auto service =
      vault->principals().CreateService(vault.As(kAdministrator), {"crm", "crm-service", {}, {}});
  REQUIRE(service);
  const auto first = vault.Token({"one", service->id, {}, kPrincipalDay, {}});
  const auto second = vault.Token({"two", service->id, {}, kPrincipalDay, {}});
  CHECK(first.info.principal == second.info.principal);
  CHECK(first.info.role == "crm-service");
  CHECK(vault->tokens().WhoAmI(vault.With(second))->principal.id == service->id);
  REQUIRE(vault->principals().UpdatePrincipal(vault.As(kAdministrator), service->id,
                                              {{}, {}, true, {}}));
  for (const auto& token : {first, second}) {
    CHECK(AnswerOf(vault->tokens().WhoAmI(vault.With(token))) == "unauthenticated");
    CHECK(vault.Rule() == "check:principal-disabled");
  }
  vault.Close();
  vault.Open();
  CHECK(AnswerOf(vault->tokens().WhoAmI(vault.With(first))) == "unauthenticated");
  REQUIRE(vault->principals().UpdatePrincipal(vault.As(kAdministrator), service->id,
                                              {{}, {}, false, {}}));
  CHECK(vault->tokens().WhoAmI(vault.With(first)));
  // A new role counts from the next request on.
  const ClientId client = vault.NewClient("A-1");
  CHECK(vault->clients().GetClient(vault.With(first), client));
  REQUIRE(vault->principals().UpdatePrincipal(vault.As(kAdministrator), service->id,
                                              {{}, "auditor", {}, {}}));
  CHECK(AnswerOf(vault->clients().GetClient(vault.With(first), client)) == "permission_denied");
  vault.CheckInvariants();
}

TEST_CASE("what a token is limited to narrows its principal's role and never widens it") {
  ServiceVault vault;
  const ClientId client = vault.NewClient("A-1");
  const auto token = vault.Token({"reader",
                                  {},
                                  "crm-service",
                                  kPrincipalDay,
                                  vault.Limits(R"({"actions": ["client.read", "log.read"]})")});
  CHECK(vault->clients().GetClient(vault.With(token), client));
  CHECK(AnswerOf(vault->clients().ListClients(vault.With(token), "", "", {})) ==
        "permission_denied");
  CHECK(vault.Rule() == "check:token-scope");
  CHECK(AnswerOf(vault->access_log().ReadLog(vault.With(token), {}, {})) == "permission_denied");
  CHECK(vault.Rule() == "check:role");
  vault.Close();
  vault.Open();
  CHECK(AnswerOf(vault->clients().ListClients(vault.With(token), "", "", {})) ==
        "permission_denied");
}

TEST_CASE("a token that is bound to networks is nobody's from elsewhere") {
  ServiceVault vault;
  const auto token = vault.Token({"bound",
                                  {},
                                  "auditor",
                                  kPrincipalDay,
                                  vault.Limits(R"({"networks": ["198.51.100.0/24"]})")});
  const auto from = [&](const std::string& address, bool known = true) {
    vault.last = vault.With(token);
    vault.last.address = address;
    vault.last.address_known = known;
    return AnswerOf(vault->tokens().WhoAmI(vault.last));
  };
  CHECK(from("198.51.100.200") == "ok");
  CHECK(from("::ffff:198.51.100.200") == "ok");
  CHECK(from("198.51.101.1") == "unauthenticated");
  CHECK(vault.Rule() == "check:token-network");
  CHECK(from("198.51.100.200", false) == "unauthenticated");
  CHECK(from("") == "unauthenticated");
}

TEST_CASE("a token that is bound to a certificate is worth nothing without it") {
  ServiceVault vault;
  const std::string mine = "spki:" + std::string(64, 'a');
  const auto token = vault.Token({"bound",
                                  {},
                                  "auditor",
                                  kPrincipalDay,
                                  vault.Limits(R"({"certificate": ")" + mine + R"("})")});
  const auto with = [&](std::optional<ClientCertificate> certificate) {
    vault.last = vault.With(token);
    vault.last.certificate = std::move(certificate);
    return AnswerOf(vault->tokens().WhoAmI(vault.last));
  };
  CHECK(with(std::nullopt) == "unauthenticated");
  CHECK(vault.Rule() == "check:token-certificate");
  CHECK(with(ClientCertificate{}) == "unauthenticated");
  CHECK(with(ClientCertificate{{"spki:" + std::string(64, 'b'), "dns:crm.example"}}) ==
        "unauthenticated");
  CHECK(with(ClientCertificate{{mine}}) == "ok");
}

TEST_CASE("a service is known by its certificate alone") {
  ServiceVault vault;
  const std::string spki = "spki:" + std::string(64, 'c');
  const auto service = vault->principals().CreateService(
      vault.As(kAdministrator), {"crm", "auditor", {}, {spki, "dns:crm.example"}});
  REQUIRE(service);
  const auto with = [&](std::vector<std::string> bindings) {
    vault.last = ServiceVault::Stranger();
    vault.last.certificate = ClientCertificate{std::move(bindings)};
    return AnswerOf(vault->tokens().WhoAmI(vault.last));
  };
  CHECK(with({spki}) == "ok");
  CHECK(vault.EntryOf(vault.last).at("auth") == "certificate");
  CHECK(vault.EntryOf(vault.last).at("actor") == service->id.Text());
  CHECK(with({"spki:" + std::string(64, 'd'), "dns:crm.example"}) == "ok");
  CHECK(with({"dns:crm.example.attacker"}) == "unauthenticated");
  CHECK(with({}) == "unauthenticated");
  // With a token the token counts, and a wrong one is not made good by a certificate.
  vault.last = ServiceVault::Stranger("cft_nonsense");
  vault.last.certificate = ClientCertificate{{spki}};
  CHECK(AnswerOf(vault->tokens().WhoAmI(vault.last)) == "unauthenticated");
  // No second service is known by it.
  CHECK(AnswerOf(vault->principals().CreateService(
            vault.As(kAdministrator), {"x", "auditor", {}, {spki}})) == "certificate_taken");
  vault.Close();
  vault.Open();
  CHECK(with({spki}) == "ok");
  REQUIRE(vault->principals().UpdatePrincipal(vault.As(kAdministrator), service->id,
                                              {{}, {}, {}, std::vector<std::string>{}}));
  CHECK(with({spki}) == "unauthenticated");
}

TEST_CASE("the vault's own authority makes certificates for services") {
  ServiceVault vault;
  const auto service =
      vault->principals().CreateService(vault.As(kAdministrator), {"crm", "auditor", {}, {}});
  REQUIRE(service);
  const auto key = crypto::NewClientKey();
  REQUIRE(key);
  const auto issued = vault->principals().IssueCertificate(vault.As(kAdministrator), service->id,
                                                           key->csr_pem, kPrincipalDay);
  INFO(AnswerOf(issued));
  REQUIRE(issued);
  CHECK(issued->authority == vault->principals().ClientAuthority());
  const auto facts = crypto::ReadCertificatePem(issued->certificate);
  REQUIRE(facts);
  CHECK(facts->names == Strings{"uri:coffer:" + service->id.Text()});
  Caller caller = ServiceVault::Stranger();
  caller.certificate = ClientCertificate{{"spki:" + crypto::HexEncode(facts->spki)}};
  CHECK(vault->tokens().WhoAmI(caller)->principal.id == service->id);
  CHECK(AnswerOf(vault->principals().IssueCertificate(vault.As(kAdministrator), service->id, "x",
                                                      kPrincipalDay)) == "csr_malformed");
  CHECK(AnswerOf(vault->principals().IssueCertificate(vault.As(kAdministrator), service->id,
                                                      key->csr_pem, 1)) ==
        "certificate_lifetime_invalid");
  CHECK(AnswerOf(vault->principals().IssueCertificate(vault.As(kAuditor), service->id, key->csr_pem,
                                                      kPrincipalDay)) == "permission_denied");
  const std::string authority = vault->principals().ClientAuthority();
  vault.Close();
  vault.Open();
  CHECK(vault->principals().ClientAuthority() == authority);
  CHECK(vault.Number("SELECT count(*) FROM settings WHERE instr(value, 'PRIVATE') > 0") == 0);
}

TEST_CASE("a token is rotated with an overlap, and keeps its limits") {
  ServiceVault vault;
  const auto old = vault.Token({"crm",
                                {},
                                "auditor",
                                kPrincipalDay,
                                vault.Limits(R"({"actions": ["self.read", "log.read"]})")});
  vault.clock.Advance(3'600'000);
  const auto rotated = vault->tokens().RotateToken(vault.With(old), old.info.id, 300);
  REQUIRE(rotated);
  CHECK(rotated->info.principal == old.info.principal);
  CHECK(rotated->info.limits.actions == old.info.limits.actions);
  CHECK(rotated->info.expires.ms == vault.clock.Now().ms + kPrincipalDay * 1000);
  CHECK(vault->tokens().WhoAmI(vault.With(old)));
  CHECK(vault->tokens().WhoAmI(vault.With(*rotated)));
  vault.clock.Advance(300'000);
  CHECK(AnswerOf(vault->tokens().WhoAmI(vault.With(old))) == "unauthenticated");
  CHECK(vault.Rule() == "check:token-expired");
  CHECK(vault->tokens().WhoAmI(vault.With(*rotated)));
  CHECK(AnswerOf(vault->tokens().RotateToken(vault.As(kAdministrator), old.info.id, 0)) ==
        "token_ended");
  CHECK(AnswerOf(vault->tokens().RotateToken(vault.As(kAdministrator), rotated->info.id, -1)) ==
        "token_invalid");
  const auto by_admin = vault->tokens().RotateToken(vault.As(kAdministrator), rotated->info.id, 0);
  REQUIRE(by_admin);
  CHECK(AnswerOf(vault->tokens().WhoAmI(vault.With(*rotated))) == "unauthenticated");
  vault.CheckInvariants();
}

TEST_CASE("limits that nobody can read let nobody in") {
  std::vector<Issue> issues;
  for (const std::string text :
       {R"([])", R"({"action": ["log.read"]})", R"({"actions": []})", R"({"actions": ["x"]})",
        R"({"actions": ["session.end"]})", R"({"networks": ["10.0.0.1/8"]})",
        R"({"certificate": "spki:AB"})", R"({"certificate": 1})", R"({"actions": [1]})"}) {
    INFO(text);
    issues.clear();
    ParseTokenLimits(json::parse(text), issues);
    CHECK(!issues.empty());
  }
}

TEST_CASE("an assignment to a team is one to each of its members, from then on and until then") {
  ServiceVault vault;
  const ClientId client = vault.NewClient("A-1");
  const auto worker = vault.TokenOf(kCaseWorker).principal;
  const auto look = [&] {
    return AnswerOf(vault->clients().GetClient(vault.As(kCaseWorker), client));
  };
  const auto team = vault->teams().PutTeam(vault.As(kSupervisor), "north", {});
  REQUIRE(team);
  CHECK(team->id.Text().starts_with("team_"));
  REQUIRE(vault->assignments().Assign(vault.As(kSupervisor), client, team->id, {}));
  CHECK(look() == "not_found");
  REQUIRE(vault->teams().PutTeam(vault.As(kSupervisor), "north", {worker}));
  CHECK(look() == "ok");
  vault.Close();
  vault.Open();
  CHECK(look() == "ok");
  REQUIRE(vault->teams().PutTeam(vault.As(kSupervisor), "north", {}));
  CHECK(look() == "not_found");
  REQUIRE(vault->teams().PutTeam(vault.As(kSupervisor), "north", {worker, worker}));
  CHECK(look() == "ok");
  CHECK(AnswerOf(vault->assignments().Unassign(vault.As(kSupervisor), client, team->id)) == "ok");
  CHECK(look() == "not_found");
  CHECK(vault->teams().ListTeams(vault.As(kSupervisor))->front().members == std::vector{worker});
  CHECK(AnswerOf(vault->teams().PutTeam(vault.As(kSupervisor), "No Name", {})) == "team_invalid");
  CHECK(AnswerOf(vault->teams().PutTeam(
            vault.As(kSupervisor), "north",
            {PrincipalId::New(vault.clock.Now(), PrincipalKind::kUser)})) == "principal_unknown");
  vault.CheckInvariants();
}

TEST_CASE("nobody assigns a client to themselves, nor through a team") {
  ServiceVault vault;
  const ClientId client = vault.NewClient("A-1");
  const auto self = vault.TokenOf(kSupervisor).principal;
  CHECK(AnswerOf(vault->assignments().Assign(vault.As(kSupervisor), client, self, {})) ==
        "own_request");
  CHECK(AnswerOf(vault->teams().PutTeam(vault.As(kSupervisor), "mine", {self})) == "own_request");
  const auto other = vault.NewTokenFor("supervisor", 3600);
  REQUIRE(other);
  REQUIRE(vault->teams().PutTeam(TestVault::Stranger(other->secret), "theirs", {self}));
  const auto team = vault->teams().ListTeams(vault.As(kSupervisor))->front().id;
  CHECK(AnswerOf(vault->assignments().Assign(vault.As(kSupervisor), client, team, {})) ==
        "own_request");
}

}  // namespace
}  // namespace coffer::vault
