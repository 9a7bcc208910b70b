#include "vault/clients/client_operations.h"

#include "vault/base/word_list.h"
#include "vault/clients/record_view.h"

namespace coffer::vault {

ClientInfo InfoOf(const ClientRow& row, std::string external_ref) {
  return {row.id,      std::move(external_ref), SplitWords(row.tags), row.version, row.created,
          row.updated, row.relationship_end};
}

Result<ClientInfo> OpenClient(const Vault::Core& core, const SealedClient& client) {
  COFFER_ASSIGN(const Bytes plain,
                client.key.Expose().Open(core.ClientContext(client.row.id, client.row.version),
                                         client.row.profile));
  return InfoOf(client.row, std::string(crypto::AsText(plain)));
}

Result<bool> MayKnowOfRecords(const Vault::Core& core, Transaction& transaction, const Call& call,
                              const std::optional<ClientId>& client, const ClassSchema& schema,
                              std::optional<Timestamp> at) {
  for (const Action action : {Action::kRecordList, Action::kRecordRead}) {
    COFFER_ASSIGN(auto decision, core.DecideFor(transaction, call, action, client, &schema, at));
    decision.leases.clear();
    if (decision.allowed && !ShowsNothing(FieldViewsOf(decision, schema))) return true;
  }
  return false;
}

std::vector<std::string> ProfileFields() { return {"external_ref", "tags"}; }

}  // namespace coffer::vault
