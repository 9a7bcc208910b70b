#include "vault/deletion/hold_acts.h"

#include <nlohmann/json.hpp>

#include "crypto/encoding.h"
#include "vault/clients/clients_state.h"
#include "vault/deletion/deletion_state.h"
#include "vault/deletion/hold_text.h"

namespace coffer::vault {
namespace {

using nlohmann::json;

Result<Hold> HoldIn(const ActRow& row, const json& content) {
  Hold hold;
  COFFER_ASSIGN(hold.id, HoldId::Parse(row.object));
  HoldRequest& terms = hold.terms;
  terms.client = row.client;
  terms.class_name = content.at("class").get<std::string>();
  terms.tag = content.at("tag").get<std::string>();
  terms.review_due = Timestamp{content.at("review_due").get<std::int64_t>()};
  hold.placed = Timestamp{content.at("placed").get<std::int64_t>()};
  COFFER_ASSIGN(hold.placed_by, PrincipalId::Parse(content.at("placed_by").get<std::string>()));
  if (row.client) {
    COFFER_ASSIGN(hold.sealed_text, crypto::Base64Decode(content.at("sealed").get<std::string>()));
  } else {
    terms.reason = content.at("reason").get<std::string>();
    terms.case_number = content.at("case_number").get<std::string>();
  }
  return hold;
}

// Empty words, which no others are, where the key of theirs is gone: sealed anew, so that who reads
// the hold is not told of damage.
Status OpenOrEmpty(const Operations& operations, Transaction& transaction, Hold& hold) {
  const auto key = transaction.PinKey(*hold.terms.client);
  if (!key && key.error().code == Code::kUnavailable) return std::unexpected(key.error());
  if (!key || OpenHoldText(operations.keyring(), key->Expose(), hold)) return {};
  hold.sealed_text = SealHoldText(operations.keyring(), key->Expose(), hold);
  return {};
}

}  // namespace

void ActHeld(Transaction& transaction, const Hold& hold) {
  const HoldRequest& terms = hold.terms;
  json content = {{"class", terms.class_name},
                  {"tag", terms.tag},
                  {"review_due", terms.review_due.ms},
                  {"placed", hold.placed.ms},
                  {"placed_by", hold.placed_by.Text()}};
  if (terms.client) {
    content["sealed"] = crypto::Base64Encode(hold.sealed_text);
  } else {
    content["reason"] = terms.reason;
    content["case_number"] = terms.case_number;
  }
  transaction.Acted({ActKind::kHoldPlaced, hold.id.Text(), terms.client, content.dump()});
}

void ActHoldLifted(Transaction& transaction, const Hold& hold) {
  transaction.Acted({ActKind::kHoldLifted, hold.id.Text(), hold.terms.client});
}

Result<Replayed> ReplayHold(const Operations& operations, Transaction& transaction,
                            const ActRow& row, const json& content) {
  auto& store = transaction.Of<DeletionState>().stores.holds;
  COFFER_ASSIGN(const auto id, HoldId::Parse(row.object));
  COFFER_ASSIGN(const auto known, store.Find(id));
  if (row.kind == ActKind::kHoldLifted) {
    return known && !known->lifted ? Replayed::kNotRepeated : Replayed::kInForce;
  }
  if (known) return Replayed::kInForce;
  COFFER_ASSIGN(Hold hold, HoldIn(row, content));
  if (row.client) {
    COFFER_ASSIGN(const auto client,
                  transaction.Of<ClientsState>().stores.clients.Find(*row.client));
    if (!client) return Replayed::kNothingThere;
    COFFER_TRY(OpenOrEmpty(operations, transaction, hold));
  }
  COFFER_TRY(store.Insert(hold));
  StageHold(transaction, std::move(hold));
  return Replayed::kDone;
}

}  // namespace coffer::vault
