// Holds: what may not be deleted, and until when somebody looks at it again.
#include "vault/deletion/holds.h"

#include <algorithm>
#include <limits>

#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/access/reason_rule.h"
#include "vault/base/names.h"
#include "vault/base/page.h"
#include "vault/base/strict_json.h"
#include "vault/base/word_list.h"
#include "vault/base/words.h"
#include "vault/catalog/catalog_state.h"
#include "vault/clients/clients_state.h"
#include "vault/clients/tag_reach.h"
#include "vault/deletion/deletion_state.h"
#include "vault/deletion/hold.h"
#include "vault/deletion/hold_acts.h"
#include "vault/deletion/hold_text.h"

namespace coffer::vault {
namespace {

constexpr std::size_t kMaxHoldReason = 1000;
constexpr std::size_t kHoldScan = 2000;  // one page looks at so many

std::vector<Issue> FaultsOf(const HoldRequest& request, const Catalog& catalog, Timestamp now) {
  std::vector<Issue> issues;
  if (!request.client && request.tag.empty()) {
    issues.push_back({"", "must name a client or a tag"});
  }
  if (request.client && !request.tag.empty()) {
    issues.push_back({"/tag", "cannot stand beside a client"});
  }
  if (!request.tag.empty() && !IsTag(request.tag)) issues.push_back({"/tag", "is no tag"});
  if (!request.class_name.empty() && !request.client) {
    issues.push_back({"/class", "needs a client beside it"});
  }
  if (!request.class_name.empty() && !catalog.Newest(request.class_name)) {
    issues.push_back({"/class", "must be the name of a class"});
  }
  if (!IsWords(request.reason, kMaxHoldReason)) {
    issues.push_back({"/reason", WordsRule(kMaxHoldReason)});
  }
  if (!IsTicket(request.case_number)) {
    issues.push_back({"/case_number", "must be 1 to 64 letters, digits and any of -_.:/#"});
  }
  if (request.review_due <= now) issues.push_back({"/review_due", "must be in the future"});
  return issues;
}

std::string Coverage(const HoldRequest& terms) {
  if (!terms.client) return "tag " + terms.tag;
  return terms.class_name.empty() ? "client" : "class " + terms.class_name;
}

Status HeldBy(Call& call, const std::vector<const Hold*>& holds) {
  if (holds.empty()) return {};
  Error error{Code::kConflict, "held", {}, {}};
  for (const Hold* hold : holds) {
    AddDetail(call.entry, hold->id.Text());
    error.issues.push_back({"/holds/" + hold->id.Text(),
                            "is for case " + hold->terms.case_number + ", to be reviewed by " +
                                audit::FormatTimestamp(hold->terms.review_due)});
  }
  return std::unexpected(std::move(error));
}

// The words of a client's hold, under its key.
Status SealText(const Operations& operations, Transaction& transaction, Call& call, Hold& hold) {
  COFFER_ASSIGN(const auto client,
                transaction.Of<ClientsState>().stores.clients.Find(*hold.terms.client));
  if (!client) return NotFound(call);
  COFFER_ASSIGN(const auto key, transaction.PinKey(*hold.terms.client));
  hold.sealed_text = SealHoldText(operations.keyring(), key.Expose(), hold);
  return {};
}

// With the words of a client's hold, where its key still opens them.
Status OpenText(const Operations& operations, Transaction& transaction, Hold& hold) {
  if (hold.sealed_text.empty()) return {};
  const auto key = transaction.PinKey(*hold.terms.client);
  if (!key && key.error().code == Code::kNotFound) {
    return Fail(Code::kCorrupted, "client_key_missing");
  }
  if (!key) return std::unexpected(key.error());
  return OpenHoldText(operations.keyring(), key->Expose(), hold);
}

// For a list, which one hold must not keep from being seen, and for lifting it, without which its
// client could not be erased: where the words do not open they are empty, which no others are.
Status OpenTextIfWhole(const Operations& operations, Transaction& transaction, Hold& hold) {
  auto opened = OpenText(operations, transaction, hold);
  if (!opened && opened.error().code == Code::kCorrupted) return {};
  return opened;
}

// The hold as far as the caller may know of it, without its words.
Result<Hold> FindHold(const Operations& operations, Transaction& transaction, Call& call,
                      const HoldId& id) {
  COFFER_ASSIGN(auto hold, transaction.Of<DeletionState>().stores.holds.Find(id));
  if (!hold) return NotFound(call);
  if (hold->terms.client) {
    call.About(*hold->terms.client);
    call.entry.class_name = hold->terms.class_name;
    COFFER_TRY(operations.Authorize(transaction, call, nullptr));
  } else if (!ReachesTag(call.decision, hold->terms.tag)) {
    return NotFound(call);
  } else {
    call.reason_rule = ReasonRule::kVault;
  }
  return *std::move(hold);
}

}  // namespace

Status Holds::RequireNoHold(Transaction& transaction, Call& call, const ClientRow& client,
                            const std::set<std::string, std::less<>>& classes) const {
  if (transaction.Of<DeletionState>().holds().empty()) return {};
  return HeldBy(call, transaction.Of<DeletionState>().holds().Covering(client, classes));
}

Status Holds::RequireTagsKept(Transaction& transaction, Call& call, const ClientRow& before,
                              const ClientRow& after) const {
  if (transaction.Of<DeletionState>().holds().empty()) return {};
  const auto kept = SplitWords(after.tags);
  std::vector<const Hold*> evaded;
  for (const auto& tag : SplitWords(before.tags)) {
    if (std::ranges::find(kept, tag) != kept.end()) continue;
    std::ranges::copy(transaction.Of<DeletionState>().holds().WithTag(tag),
                      std::back_inserter(evaded));
  }
  return HeldBy(call, evaded);
}

std::vector<HoldId> Holds::HoldsOn(Transaction& transaction, const ClientRow& client) const {
  std::vector<HoldId> ids;
  for (const Hold* hold : transaction.Of<DeletionState>().holds().Covering(client, {})) {
    ids.push_back(hold->id);
  }
  return ids;
}

Result<Hold> Holds::PlaceHold(const Caller& caller, const HoldRequest& request) {
  const Operation operation{Action::kHoldWrite, OperationKind::kWrite, request.client};
  if (auto issues = FaultsOf(request, *operations_.engine().Of<CatalogState>().Published(),
                             operations_.Now());
      !issues.empty()) {
    return operations_.Refuse(caller, operation,
                              Error{Code::kUnprocessable, "hold_invalid", {}, std::move(issues)});
  }
  Call call = operations_.Start(caller, operation);
  if (!request.client) call.reason_rule = ReasonRule::kVault;
  call.entry.class_name = request.class_name;
  Hold hold;
  hold.id = HoldId::New(operations_.Now());
  hold.terms = request;
  AddDetail(call.entry, hold.id.Text() + " " + Coverage(request));
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Hold> {
    if (request.client) {
      COFFER_TRY(SealText(operations_, transaction, call, hold));
    } else if (!ReachesTag(call.decision, request.tag)) {
      return Deny(call, "scope", Code::kPermissionDenied, "permission_denied");
    }
    hold.placed = transaction.now();
    hold.placed_by = call.actor;
    COFFER_TRY(transaction.Of<DeletionState>().stores.holds.Insert(hold));
    ActHeld(transaction, hold);
    StageHold(transaction, hold);
    return hold;
  });
}

Result<Hold> Holds::GetHold(const Caller& caller, const HoldId& id) {
  Call call = operations_.Start(caller, {Action::kHoldRead});
  call.entry.detail = id.Text();
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Hold> {
    COFFER_ASSIGN(Hold hold, FindHold(operations_, transaction, call, id));
    COFFER_TRY(OpenText(operations_, transaction, hold));
    return hold;
  });
}

Result<Page<Hold>> Holds::ListHolds(const Caller& caller, const std::optional<ClientId>& client,
                                    bool lifted, const PageRequest& page) {
  const std::string list =
      "holds/" + (client ? client->Text() : std::string()) + (lifted ? "/all" : "");
  Call call = operations_.Start(caller, {Action::kHoldRead});
  if (client) call.About(*client);
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Page<Hold>> {
    Page<Hold> result;
    auto& stores = transaction.Of<ClientsState>().stores;
    std::vector<std::string> tags;
    if (client) {
      COFFER_ASSIGN(const auto row, stores.clients.Find(*client));
      if (!row) return NotFound(call);
      tags = SplitWords(row->tags);
    }
    COFFER_ASSIGN(std::int64_t before, operations_.ReadCursor(call, list, page.cursor));
    if (page.cursor.empty()) before = std::numeric_limits<std::int64_t>::max();
    COFFER_ASSIGN(const auto rows,
                  transaction.Of<DeletionState>().stores.holds.List(before, lifted, kHoldScan));
    std::int64_t last = before;
    for (const auto& [row, hold] : rows) {
      if (result.items.size() == page.limit) {
        result.next_cursor = operations_.MakeCursor(call, list, last);
        return result;
      }
      last = row;
      const HoldRequest& terms = hold.terms;
      if (terms.client) {
        if (client && *client != *terms.client) continue;
        COFFER_ASSIGN(const auto decision,
                      operations_.DecisionOn(transaction, call, *terms.client, nullptr));
        if (!decision.allowed) continue;
      } else {
        if (client && std::ranges::find(tags, terms.tag) == tags.end()) continue;
        if (!client && !ReachesTag(call.decision, terms.tag)) continue;
      }
      result.items.push_back(hold);
      COFFER_TRY(OpenTextIfWhole(operations_, transaction, result.items.back()));
    }
    if (rows.size() == kHoldScan) result.next_cursor = operations_.MakeCursor(call, list, last);
    return result;
  });
}

Result<Hold> Holds::LiftHold(const Caller& caller, const HoldId& id) {
  Call call = operations_.Start(caller, {Action::kHoldLift, OperationKind::kWrite});
  AddDetail(call.entry, id.Text());
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Hold> {
    COFFER_ASSIGN(Hold hold, FindHold(operations_, transaction, call, id));
    COFFER_TRY(OpenTextIfWhole(operations_, transaction, hold));
    AddDetail(call.entry, Coverage(hold.terms));
    if (hold.lifted) return Fail(Code::kConflict, "already_lifted");
    COFFER_TRY(two_person_.RequireApproval(transaction, call,
                                           {std::string(Name(Action::kHoldLift)), id.Text(), {}}));
    hold.lifted = transaction.now();
    hold.lifted_by = call.actor;
    COFFER_TRY(transaction.Of<DeletionState>().stores.holds.Lift(hold));
    ActHoldLifted(transaction, hold);
    StageHold(transaction, hold);
    return hold;
  });
}

}  // namespace coffer::vault
