// How long a decision takes with many principals, roles and assignments: what the engine thread
// does for each request between its token and its answer, without the store.
//   policy_bench [decisions]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "crypto/hash.h"
#include "crypto/secret_bytes.h"
#include "vault/access/access_store.h"
#include "vault/access/principal_store.h"
#include "vault/catalog/catalog_store.h"
#include "vault/catalog/mask.h"

namespace {

using namespace coffer;
using namespace coffer::vault;

constexpr int kPrincipals = 1'000;
constexpr int kRoles = 100;
constexpr int kAssignments = 100'000;
constexpr int kClients = 20'000;
constexpr audit::Timestamp kNow{1'767'323'045'000};

[[noreturn]] void Fail(const char* what) {
  std::fprintf(stderr, "policy_bench: %s\n", what);
  std::exit(1);
}

struct World {
  Catalog catalog;
  PrincipalRegister principals;
  AccessRegister access;
  std::vector<TokenDigest> digests;
  std::vector<ClientId> clients;
  ClassSchema contact;

  World() {
    auto schema = ParseClass(
        R"({"name": "contact", "purposes": ["client-care"], "fields": {"last_name": {"type": "string"},
            "email": {"type": "email", "mask": "email"}, "health": {"type": "string",
            "sensitivity": "special"}}})");
    if (!schema) Fail("the class is not valid");
    contact = *std::move(schema);
    catalog.purposes["client-care"] = {"client-care", "Client care", "contract", {}, {}, {}};
    for (int i = 0; i < kRoles; ++i) {
      const std::string name = "role-" + std::to_string(i);
      auto role = ParseRole(name, R"({"grants": [
          {"actions": ["client.read", "client.update", "client.list", "client.search"],
           "scope": "assigned"},
          {"actions": ["record.create", "record.read", "record.list", "record.update"],
           "scope": "assigned", "sensitivity": ["internal", "personal"],
           "purposes": ["client-care", "billing"]},
          {"actions": ["record.read", "record.list"], "scope": "assigned", "view": "masked"},
          {"deny": true, "actions": ["record.read"], "classes": ["payment-detail"]},
          {"actions": ["class.read", "purpose.read", "self.read"]}]})");
      if (!role) Fail("the role is not valid");
      catalog.roles[name] = std::make_shared<const RoleDocument>(*std::move(role));
    }
    std::vector<PrincipalId> ids;
    for (int i = 0; i < kPrincipals; ++i) {
      PrincipalRow principal;
      principal.id = PrincipalId::New(kNow, PrincipalKind::kService);
      principal.role = "role-" + std::to_string(i % kRoles);
      TokenRow token;
      token.id = TokenId::New(kNow);
      token.principal = principal.id;
      token.digest = crypto::Sha256(crypto::AsBytes("token " + std::to_string(i)));
      token.expires = {kNow.ms + 1000};
      ids.push_back(principal.id);
      digests.push_back(token.digest);
      principals.Put(std::move(principal));
      principals.Put(std::move(token));
    }
    for (int i = 0; i < kClients; ++i) clients.push_back(ClientId::New(kNow));
    for (int i = 0; i < kAssignments; ++i) {
      const auto n = static_cast<std::size_t>(i);
      access.Put(AssignmentRow{clients[n % kClients], ids[n * 7 % kPrincipals], kNow, {}, ids[0]});
    }
  }

  // True when it was allowed.
  bool Decide(std::size_t who, std::size_t whom) const {
    const TokenRow* const token = principals.FindToken(digests[who]);
    const PrincipalRow* const principal = principals.Find(token->principal);
    const auto role = catalog.Role(principal->role);
    const auto leases = access.LeasesOf(clients[whom], principal->id);
    ClientFacts client;
    client.assigned =
        access.IsAssigned(clients[whom], principal->id, principals.TeamsOf(principal->id), kNow);
    client.leases = leases;
    AccessFacts facts;
    facts.action = Action::kRecordRead;
    facts.authenticated = true;
    facts.role = role.get();
    facts.limits = &token->limits;
    facts.now = kNow;
    facts.purpose = "client-care";
    facts.registered = &catalog.purposes.find("client-care")->second;
    facts.record_class = &contact;
    facts.client = &client;
    const auto decision = vault::Decide(facts);
    return decision.allowed && !ViewsOf(decision, contact).empty();
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (!crypto::InitializeCrypto()) Fail("crypto");
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 1'000'000;
  const World world;
  std::mt19937 random(1);
  std::vector<std::pair<std::size_t, std::size_t>> asked;
  for (int i = 0; i < 1 << 16; ++i) asked.emplace_back(random() % kPrincipals, random() % kClients);
  const auto started = std::chrono::steady_clock::now();
  int allowed = 0;
  for (int i = 0; i < rounds; ++i) {
    const auto& [who, whom] = asked[static_cast<std::size_t>(i) % asked.size()];
    allowed += world.Decide(who, whom) ? 1 : 0;
  }
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - started;
  std::printf("%d principals, %d roles, %d assignments: %.0f ns a decision (%.1f%% allowed)\n",
              kPrincipals, kRoles, kAssignments, took.count() / rounds, 100.0 * allowed / rounds);
  return 0;
}
