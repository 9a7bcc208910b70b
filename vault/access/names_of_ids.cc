// What the ids in an answer are called, looked up for a whole page at once.
#include <algorithm>
#include <optional>

#include "vault/access/access_state.h"
#include "vault/access/core.h"
#include "vault/clients/client_operations.h"
#include "vault/clients/clients_state.h"
#include "vault/oversight/log_filter.h"
#include "vault/vault.h"

namespace coffer::vault {
namespace {

template <class Id>
void KeepDistinct(std::vector<Id>& ids) {
  std::ranges::sort(ids);
  const auto repeated = std::ranges::unique(ids);
  ids.erase(repeated.begin(), repeated.end());
}

void NamePrincipals(const PrincipalNames& known, const std::vector<PrincipalId>& ids,
                    std::vector<KnownName>& names) {
  for (const PrincipalId& id : ids) {
    const auto found = known.find(id);
    if (found != known.end() && !found->second.name.empty()) names.push_back(found->second);
  }
}

// Each by the rule of the caller's role by which it may be read, like any other disclosure of the
// client's profile; what one lease or emergency opens is not opened by a list.
Status DiscloseReferences(const Vault::Core& core, Transaction& transaction, Call& call,
                          const std::vector<ClientId>& ids, std::vector<SealedClient>& found) {
  for (const ClientId& id : ids) {
    COFFER_ASSIGN(const auto decision, core.DecisionOn(transaction, call, id, nullptr));
    if (!decision.allowed || decision.rule != call.entry.rule) continue;
    COFFER_ASSIGN(auto row, transaction.Of<ClientsState>().stores.clients.Find(id));
    if (!row || !core.CheckWhole(id.value)) continue;
    auto key = transaction.PinKey(id);
    if (!key && key.error().code == Code::kNotFound) continue;
    if (!key) return std::unexpected(std::move(key).error());
    audit::Entry entry;
    entry.action = Name(Action::kClientRead);
    entry.client = id.Text();
    entry.fields = {"external_ref"};
    transaction.Also(std::move(entry));
    found.push_back({*std::move(row), *std::move(key)});
  }
  return {};
}

}  // namespace

Result<bool> MayKnowPrincipals(const Vault::Core& core, Transaction& transaction,
                               const Call& call) {
  for (const Action action : {Action::kPrincipalRead, Action::kLogRead}) {
    COFFER_ASSIGN(const auto decision,
                  core.DecideFor(transaction, call, action, std::nullopt, nullptr));
    if (decision.allowed) return true;
  }
  return false;
}

Result<std::vector<KnownName>> Vault::NamesOf(const Caller& caller, IdsToName ids) {
  KeepDistinct(ids.principals);
  KeepDistinct(ids.clients);
  if (ids.clients.size() > kMostClientsNamed) ids.clients.resize(kMostClientsNamed);
  if (caller.purpose.empty()) ids.clients.clear();
  std::vector<KnownName> names;
  if (ids.principals.empty() && ids.clients.empty()) return names;
  Call call = core_->StartCall(caller, Action::kClientRead);
  std::vector<SealedClient> found;
  COFFER_TRY(core_->engine->Run(
      OperationKind::kRead, ids.clients.empty() ? EntryRule::kNever : EntryRule::kAlways,
      call.entry, [&](Transaction& transaction) -> Status {
        transaction.LeaveNoOwnEntry();
        core_->Identify(transaction, call);
        if (call.principal == nullptr || !call.credential_fault.empty()) return {};
        COFFER_ASSIGN(const bool may, MayKnowPrincipals(*core_, transaction, call));
        if (may)
          NamePrincipals(*transaction.Of<AccessState>().principals().Names(), ids.principals,
                         names);
        // Whoever may read no client is refused nothing: none was asked for.
        if (ids.clients.empty() || !core_->Authorize(transaction, call, nullptr)) return {};
        COFFER_TRY(DiscloseReferences(*core_, transaction, call, ids.clients, found));
        return core_->SealReason(transaction, call, std::nullopt, true);
      }));
  for (const SealedClient& client : found) {
    auto info = OpenClient(*core_, client);
    if (!info) {
      call.entry.client = client.row.id.Text();
      return std::unexpected(core_->IntegrityAlarm(call, info.error().reason));
    }
    if (!info->external_ref.empty()) names.push_back({info->id.Text(), info->external_ref, false});
  }
  return names;
}

}  // namespace coffer::vault
