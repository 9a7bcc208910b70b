// Holds: what may not be deleted, and until when somebody looks at it again.
#include <algorithm>
#include <limits>

#include "vault/access/core.h"
#include "vault/base/names.h"
#include "vault/base/strict_json.h"
#include "vault/base/word_list.h"
#include "vault/base/words.h"
#include "vault/catalog/catalog_state.h"
#include "vault/clients/clients_state.h"
#include "vault/clients/tag_reach.h"
#include "vault/deletion/deletion_state.h"
#include "vault/deletion/hold_text.h"
#include "vault/vault.h"

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

// With the words of a client's hold, where its key still opens them.
Status OpenText(const Vault::Core& core, Transaction& transaction, Hold& hold) {
  if (hold.sealed_text.empty()) return {};
  const auto key = transaction.PinKey(*hold.terms.client);
  if (!key && key.error().code == Code::kNotFound) {
    return Fail(Code::kCorrupted, "client_key_missing");
  }
  if (!key) return std::unexpected(key.error());
  return OpenHoldText(core.keyring, key->Expose(), hold);
}

// For a list, which one hold must not keep from being seen, and for lifting it, without which its
// client could not be erased: where the words do not open they are empty, which no others are.
Status OpenTextIfWhole(const Vault::Core& core, Transaction& transaction, Hold& hold) {
  auto opened = OpenText(core, transaction, hold);
  if (!opened && opened.error().code == Code::kCorrupted) return {};
  return opened;
}

// The hold as far as the caller may know of it, without its words.
Result<Hold> FindHold(const Vault::Core& core, Transaction& transaction, Call& call,
                      const HoldId& id) {
  COFFER_ASSIGN(auto hold, transaction.Of<DeletionState>().stores.holds.Find(id));
  if (!hold) return NotFound(call);
  if (hold->terms.client) {
    call.About(*hold->terms.client);
    call.entry.class_name = hold->terms.class_name;
    COFFER_TRY(core.Authorize(transaction, call, nullptr));
  } else if (!ReachesTag(call.decision, hold->terms.tag)) {
    return NotFound(call);
  } else {
    call.reason_rule = ReasonRule::kVault;
  }
  return *std::move(hold);
}

}  // namespace

Status Vault::Core::RequireNoHold(Transaction& transaction, Call& call, const ClientRow& client,
                                  const std::set<std::string, std::less<>>& classes) const {
  if (transaction.Of<DeletionState>().holds().empty()) return {};
  return HeldBy(call, transaction.Of<DeletionState>().holds().Covering(client, classes));
}

Status Vault::Core::RequireTagsKept(Transaction& transaction, Call& call, const ClientRow& before,
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

Result<Hold> Vault::PlaceHold(const Caller& caller, const HoldRequest& request) {
  constexpr Action kAction = Action::kHoldWrite;
  if (auto issues = FaultsOf(request, *core_->engine->Of<CatalogState>().Published(), core_->Now());
      !issues.empty()) {
    return std::unexpected(
        Refuse(caller, kAction, request.client, std::nullopt,
               Error{Code::kUnprocessable, "hold_invalid", {}, std::move(issues)}));
  }
  Call call = core_->StartCall(caller, kAction);
  request.client ? call.About(*request.client) : void(call.reason_rule = ReasonRule::kVault);
  call.entry.class_name = request.class_name;
  Hold hold;
  hold.id = HoldId::New(core_->Now());
  hold.terms = request;
  AddDetail(call.entry, hold.id.Text() + " " + Coverage(request));
  COFFER_TRY(core_->Perform(
      OperationKind::kWrite, call, request.client, nullptr,
      [&](Transaction& transaction) -> Status {
        if (request.client) {
          COFFER_ASSIGN(const auto client,
                        transaction.Of<ClientsState>().stores.clients.Find(*request.client));
          if (!client) return NotFound(call);
          COFFER_ASSIGN(const auto key, transaction.PinKey(*request.client));
          hold.sealed_text = SealHoldText(core_->keyring, key.Expose(), hold);
        } else if (!ReachesTag(call.decision, request.tag)) {
          return Deny(call, "scope", Code::kPermissionDenied, "permission_denied");
        }
        hold.placed = transaction.now();
        hold.placed_by = call.actor;
        COFFER_TRY(transaction.Of<DeletionState>().stores.holds.Insert(hold));
        StageHold(transaction, hold);
        return {};
      }));
  return hold;
}

Result<Hold> Vault::GetHold(const Caller& caller, const HoldId& id) {
  Call call = core_->StartCall(caller, Action::kHoldRead);
  call.entry.detail = id.Text();
  Hold hold;
  COFFER_TRY(core_->Perform(OperationKind::kRead, call, std::nullopt, nullptr,
                            [&](Transaction& transaction) -> Status {
                              COFFER_ASSIGN(hold, FindHold(*core_, transaction, call, id));
                              return OpenText(*core_, transaction, hold);
                            }));
  return hold;
}

Result<Page<Hold>> Vault::ListHolds(const Caller& caller, const std::optional<ClientId>& client,
                                    bool lifted, const PageRequest& page) {
  const std::string list =
      "holds/" + (client ? client->Text() : std::string()) + (lifted ? "/all" : "");
  Call call = core_->StartCall(caller, Action::kHoldRead);
  if (client) call.About(*client);
  Page<Hold> result;
  COFFER_TRY(core_->Perform(
      OperationKind::kRead, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
        auto& stores = transaction.Of<ClientsState>().stores;
        std::vector<std::string> tags;
        if (client) {
          COFFER_ASSIGN(const auto row, stores.clients.Find(*client));
          if (!row) return NotFound(call);
          tags = SplitWords(row->tags);
        }
        COFFER_ASSIGN(std::int64_t before, core_->ReadCursor(call, list, page.cursor));
        if (page.cursor.empty()) before = std::numeric_limits<std::int64_t>::max();
        COFFER_ASSIGN(const auto rows,
                      transaction.Of<DeletionState>().stores.holds.List(before, lifted, kHoldScan));
        std::int64_t last = before;
        for (const auto& [row, hold] : rows) {
          if (result.items.size() == page.limit) {
            result.next_cursor = core_->MakeCursor(call, list, last);
            return {};
          }
          last = row;
          const HoldRequest& terms = hold.terms;
          if (terms.client) {
            if (client && *client != *terms.client) continue;
            COFFER_ASSIGN(const auto decision,
                          core_->DecisionOn(transaction, call, *terms.client, nullptr));
            if (!decision.allowed) continue;
          } else {
            if (client && std::ranges::find(tags, terms.tag) == tags.end()) continue;
            if (!client && !ReachesTag(call.decision, terms.tag)) continue;
          }
          result.items.push_back(hold);
          COFFER_TRY(OpenTextIfWhole(*core_, transaction, result.items.back()));
        }
        if (rows.size() == kHoldScan) result.next_cursor = core_->MakeCursor(call, list, last);
        return {};
      }));
  return result;
}

Result<Hold> Vault::LiftHold(const Caller& caller, const HoldId& id) {
  Call call = core_->StartCall(caller, Action::kHoldLift);
  AddDetail(call.entry, id.Text());
  Hold hold;
  COFFER_TRY(core_->Perform(
      OperationKind::kWrite, call, std::nullopt, nullptr, [&](Transaction& transaction) -> Status {
        COFFER_ASSIGN(hold, FindHold(*core_, transaction, call, id));
        COFFER_TRY(OpenTextIfWhole(*core_, transaction, hold));
        AddDetail(call.entry, Coverage(hold.terms));
        if (hold.lifted) return Fail(Code::kConflict, "already_lifted");
        COFFER_TRY(core_->RequireApproval(transaction, call,
                                          {std::string(Name(Action::kHoldLift)), id.Text(), {}}));
        hold.lifted = transaction.now();
        hold.lifted_by = call.actor;
        COFFER_TRY(transaction.Of<DeletionState>().stores.holds.Lift(hold));
        StageHold(transaction, hold);
        return {};
      }));
  return hold;
}

}  // namespace coffer::vault
