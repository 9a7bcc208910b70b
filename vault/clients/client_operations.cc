#include "vault/clients/client_operations.h"

#include "vault/access/call.h"
#include "vault/access/operations.h"
#include "vault/base/word_list.h"
#include "vault/clients/client.h"
#include "vault/clients/record_view.h"
#include "vault/clients/sealing_contexts.h"

namespace coffer::vault {

ClientInfo InfoOf(const ClientRow& row, std::string external_ref) {
  return {row.id,      std::move(external_ref), SplitWords(row.tags), row.version, row.created,
          row.updated, row.relationship_end};
}

Result<ClientInfo> OpenClient(const Operations& operations, const SealedClient& client) {
  COFFER_ASSIGN(const Bytes plain,
                client.key.Expose().Open(
                    ClientContext(operations.keyring(), client.row.id, client.row.version),
                    client.row.profile));
  return InfoOf(client.row, std::string(crypto::AsText(plain)));
}

Result<ClientInfo> OpenDisclosed(const Operations& operations, Call& call,
                                 const SealedClient& client) {
  auto info = OpenClient(operations, client);
  if (info) return info;
  call.entry.client = client.row.id.Text();
  return std::unexpected(operations.IntegrityAlarm(call, info.error().reason));
}

Result<bool> MayKnowOfRecords(const Operations& operations, Transaction& transaction,
                              const Call& call, const std::optional<ClientId>& client,
                              const ClassSchema& schema, std::optional<Timestamp> at) {
  for (const Action action : {Action::kRecordList, Action::kRecordRead}) {
    COFFER_ASSIGN(auto decision,
                  operations.DecideFor(transaction, call, action, client, &schema, at));
    decision.leases.clear();
    if (decision.allowed && !ShowsNothing(FieldViewsOf(decision, schema))) return true;
  }
  return false;
}

std::vector<std::string> ProfileFields() { return {"external_ref", "tags"}; }

}  // namespace coffer::vault
