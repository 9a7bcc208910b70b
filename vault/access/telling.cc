#include "vault/access/telling.h"

#include "audit/documents/erasure_scope.h"
#include "crypto/hash.h"
#include "vault/access/access_state.h"

namespace coffer::vault {

Status NoteAct(Transaction& transaction, const ClientId& client, ToldAct act,
               std::string_view class_name, std::uint64_t seq) {
  auto& stores = transaction.Of<AccessState>().stores;
  COFFER_ASSIGN(const auto recipients, stores.disclosures.RecipientsOf(client, class_name));
  for (const std::int64_t row : recipients) {
    COFFER_ASSIGN(const auto recipient, stores.recipients.FindRow(row));
    if (!recipient || !recipient->IsTold()) continue;
    Telling telling;
    telling.client = client;
    telling.recipient_row = row;
    telling.act = act;
    telling.class_name = class_name;
    telling.act_seq = seq;
    telling.act_at = transaction.now();
    COFFER_TRY(stores.disclosures.InsertTelling(telling));
  }
  COFFER_ASSIGN(const bool bound, stores.recipients.AnyBinding());
  if (!bound) return {};
  ActToSettle settle;
  settle.client = client;
  settle.act = act;
  settle.class_name = class_name;
  settle.seq = seq;
  settle.at = transaction.now();
  return stores.disclosures.InsertAct(settle);
}

Result<ExportRecord> ExportRecord::Begin(Transaction& transaction, Call& call,
                                         const RecipientId& recipient, DisclosureSource source,
                                         std::string_view run, bool first_page) {
  auto& stores = transaction.Of<AccessState>().stores;
  COFFER_ASSIGN(const auto known, stores.recipients.Find(recipient));
  if (!known) {
    return std::unexpected(Error{Code::kUnprocessable,
                                 "recipient_unknown",
                                 {},
                                 {{"/recipient", "is not in the register of recipients"}}});
  }
  const crypto::Hash found_by = crypto::Sha256(crypto::AsBytes(run));
  ExportRecord record;
  if (!first_page) {
    COFFER_ASSIGN(const auto begun, stores.disclosures.FindRun(found_by));
    if (!begun) return Deny(call, "input", Code::kInvalidArgument, "cursor_invalid");
    record.disclosure_ = *begun;
  } else {
    // What was begun before it ended goes on.
    if (known->ended) return Fail(Code::kConflict, "recipient_ended");
    Disclosure& one = record.disclosure_;
    one.id = DisclosureId::New(transaction.now());
    one.recipient_row = known->row;
    one.recipient = known->id;
    one.source = source;
    one.given = one.recorded = transaction.now();
    one.purpose = call.entry.purpose;
    one.channel = "api";
    one.recorded_by = call.actor;
    one.seq = transaction.NextSeq();
    COFFER_ASSIGN(one.row, stores.disclosures.Insert(one, found_by));
  }
  AddDetail(call.entry, "to " + recipient.Text());
  AddDetail(call.entry, record.disclosure_.id.Text());
  return record;
}

void ExportRecord::Add(const ClientId& client, std::string_view class_name, std::uint64_t seq) {
  const auto [found, made] = given_.try_emplace(client);
  if (made) found->second.seq = seq;
  found->second.classes.emplace(class_name.empty() ? audit::kClientItself : class_name);
}

Status ExportRecord::Store(Transaction& transaction) {
  DisclosureStore& store = transaction.Of<AccessState>().stores.disclosures;
  std::uint64_t fresh = 0;
  for (const auto& [client, given] : given_) {
    COFFER_ASSIGN(const bool made,
                  store.PutClient(disclosure_.row, client, given.classes, given.seq));
    if (made) ++fresh;
  }
  return store.AddToCount(disclosure_.row, fresh);
}

}  // namespace coffer::vault
