// Erasing a client, a class of it or single records, for good; and what is known of it afterwards.
#include "vault/deletion/erasures.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "vault/access/access_state.h"
#include "vault/access/approval.h"
#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/access/reason_rule.h"
#include "vault/access/two_person_rule.h"
#include "vault/base/names.h"
#include "vault/base/page.h"
#include "vault/catalog/catalog_state.h"
#include "vault/clients/clients_state.h"
#include "vault/clients/deletion_guard.h"
#include "vault/clients/export_selection.h"
#include "vault/clients/record_operations.h"
#include "vault/deletion/erase.h"
#include "vault/deletion/erasure.h"
#include "vault/deletion/erasure_procedure.h"
#include "vault/deletion/resealing.h"

namespace coffer::vault {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxRecordsAtOnce = 1000;
// Who reads keys.db meanwhile has mostly ended by then.

Erasure ErasureOf(const ErasureRow& row) {
  return {row.id,     row.client,  row.scope,    row.basis, row.class_name,
          row.erased, row.records, row.versions, row.seq,   row.state == ErasureState::kComplete};
}

std::vector<Issue> FaultsOf(const ErasureRequest& request, const Catalog& catalog) {
  std::vector<Issue> issues;
  if (request.basis == ErasureBasis::kRetention || request.basis == ErasureBasis::kReplayed) {
    issues.push_back({"/basis", "is not for people to give"});
  }
  if (!request.class_name.empty() && !request.records.empty()) {
    issues.push_back({"/records", "cannot stand beside a class"});
  }
  if (!request.class_name.empty() && !catalog.Newest(request.class_name)) {
    issues.push_back({"/class", "must be the name of a class"});
  }
  if (request.records.size() > kMaxRecordsAtOnce) {
    issues.push_back({"/records", "must be at most 1000 ids"});
  }
  if (std::set(request.records.begin(), request.records.end()).size() != request.records.size()) {
    issues.push_back({"/records", "must not name a record twice"});
  }
  return issues;
}

json PersonOf(Transaction& transaction, const PrincipalId& id) {
  const PrincipalRow* const row = transaction.Of<AccessState>().principals().Find(id);
  if (row == nullptr) return {{"id", id.Text()}};
  return {{"id", id.Text()}, {"name", row->name}, {"position", row->role}};
}

// An erasure of before that took these records; null: none did.
const ErasureRow* FindEarlier(const std::vector<ErasureRow>& before,
                              const ErasureRequest& request) {
  const auto took = [&](const ErasureRow& row) {
    if (!request.class_name.empty()) {
      return row.scope == ErasureScope::kClass && row.class_name == request.class_name;
    }
    return std::ranges::all_of(request.records, [&](const RecordId& id) {
      return std::ranges::find(row.record_ids, id) != row.record_ids.end();
    });
  };
  const auto found = std::ranges::find_if(before, took);
  return found == before.end() ? nullptr : &*found;
}

// A record goes with all of its fields, and with the versions that it had: each that their classes
// have must be among those that the caller may write, as for deleting it.
Status CheckErasable(Transaction& transaction, Call& call, const AccessDecision& decision,
                     const RecordRow& row) {
  if (ShowsEverything(decision)) return {};
  const auto check = [&](std::uint64_t class_version) -> Status {
    COFFER_ASSIGN(const auto schema, ClassOf(transaction, row.class_name, class_version));
    const FieldViews writable = FieldViewsOf(decision, *schema);
    if (ShowsNothing(writable)) {
      return Deny(call, "fields", Code::kPermissionDenied, "field_not_writable");
    }
    return CheckWritable(call, *schema, writable, kEveryField);
  };
  COFFER_TRY(check(row.class_version));
  COFFER_ASSIGN(const auto versions,
                transaction.Of<ClientsState>().stores.records.ListVersions(row.id.Row()));
  for (const auto& old : versions) COFFER_TRY(check(old.class_version));
  return {};
}

// All records of a client, or those of one class.
Status CheckAllErasable(Transaction& transaction, Call& call, const ClientId& client,
                        std::string_view class_name) {
  if (ShowsEverything(call.decision)) return {};
  constexpr auto kAll = static_cast<std::size_t>(std::numeric_limits<int>::max());
  RecordStore& records = transaction.Of<ClientsState>().stores.records;
  COFFER_ASSIGN(const auto rows, records.ListOf(client.Row(), class_name, -1, kAll));
  for (const std::int64_t id : rows) {
    COFFER_ASSIGN(const auto row, records.FindRow(id));
    if (row) COFFER_TRY(CheckErasable(transaction, call, call.decision, *row));
  }
  return {};
}

// One erasure, in as many operations as the client is large. Each is allowed, and only the last is
// what was asked for: it checks everything once more.
class Erasing {
 public:
  Erasing(const ErasureProcedure& procedure, const TwoPersonRule& two_person,
          const DeletionGuard& guard, const ClientId& client, const ErasureRequest& request)
      : procedure_(procedure),
        operations_(procedure.operations()),
        two_person_(two_person),
        guard_(guard),
        id_(client),
        request_(request),
        steps_(operations_) {}

  // Without its turn it takes no steps.
  Status Attempt(Transaction& transaction, Call& call, const ErasureId& as, bool has_turn) {
    done_ = false;
    new_id_ = as;
    COFFER_ASSIGN(const auto client, transaction.Of<ClientsState>().stores.clients.Find(id_));
    if (client && steps_.begun()) {
      COFFER_ASSIGN(const bool ready, steps_.Advance(transaction, *client, Order()));
      if (!ready) return Pause(transaction, call);
    }
    COFFER_ASSIGN(const auto before, transaction.stores().erasures.ListOf(id_));
    if (!client) {
      const auto found = std::ranges::find(before, ErasureScope::kClient, &ErasureRow::scope);
      if (found == before.end() || !IsWhole()) return NotFound(call);
      return Repeat(call, *found);
    }
    std::set<std::string, std::less<>> classes;
    COFFER_ASSIGN(const bool missing, FindMissing(transaction, call, classes));
    if (missing) {
      const ErasureRow* const earlier = FindEarlier(before, request_);
      if (earlier == nullptr) return NotFound(call);
      return Repeat(call, *earlier);
    }
    COFFER_ASSIGN(auto approval,
                  two_person_.CheckApproval(transaction, call, ProposalOf(id_, request_)));
    COFFER_TRY(guard_.RequireNoHold(transaction, call, *client, classes));
    if (auto lacking = MissingDetails(procedure_.options().operator_details); !lacking.empty()) {
      return std::unexpected(Error{Code::kConflict, "operator_incomplete", {}, std::move(lacking)});
    }
    if (!IsWhole() && !steps_.begun()) {
      COFFER_ASSIGN(const bool small, StepwiseResealing::IsSmall(transaction, *client));
      if (!has_turn && (!small || procedure_.turns().IsTaken(id_))) {
        return Pause(transaction, call);
      }
      COFFER_ASSIGN(const bool ready, steps_.Advance(transaction, *client, Order()));
      if (!ready) return Pause(transaction, call);
    }
    if (approval) COFFER_TRY(TwoPersonRule::MarkExecuted(transaction, *std::move(approval)));
    return Erase(transaction, call, *client);
  }

  bool done() const { return done_; }
  bool repeated() const { return repeated_; }
  ErasureRow& erased() { return erased_; }

 private:
  bool IsWhole() const { return request_.class_name.empty() && request_.records.empty(); }

  ErasureOrder Order() const {
    ErasureOrder order;
    order.id = new_id_;
    order.scope = IsWhole()                  ? ErasureScope::kClient
                  : request_.records.empty() ? ErasureScope::kClass
                                             : ErasureScope::kRecords;
    order.basis = request_.basis;
    order.class_name = request_.class_name;
    order.records = request_.records;
    return order;
  }

  // A step is no erasure: it leaves the entries of what it sealed again, and keeps no reason.
  Status Pause(Transaction& transaction, Call& call) {
    transaction.LeaveNoOwnEntry();
    call.reason_rule = ReasonRule::kErasure;
    return {};
  }

  Status Repeat(Call& call, const ErasureRow& before) {
    erased_ = before;
    done_ = repeated_ = true;
    call.entry.outcome = "repeated";
    return {};
  }

  // Whether something that is to go is not there; of what is, the classes, each of which the caller
  // may erase.
  Result<bool> FindMissing(Transaction& transaction, Call& call,
                           std::set<std::string, std::less<>>& classes) const {
    RecordStore& records = transaction.Of<ClientsState>().stores.records;
    std::map<std::string, AccessDecision, std::less<>> decisions;  // by class
    bool missing = false;
    for (const RecordId& record : request_.records) {
      COFFER_ASSIGN(const auto row, records.Find(record));
      if (!row || row->client != id_.Row()) {
        missing = true;
        continue;
      }
      if (classes.insert(row->class_name).second) {
        const auto newest = transaction.Of<CatalogState>().current().Newest(row->class_name);
        COFFER_TRY(operations_.Authorize(transaction, call, newest.get()));
        decisions[row->class_name] = call.decision;
      }
      COFFER_TRY(CheckErasable(transaction, call, decisions.at(row->class_name), *row));
    }
    if (request_.records.empty()) {
      COFFER_TRY(CheckAllErasable(transaction, call, id_, request_.class_name));
    }
    if (!request_.class_name.empty()) {
      COFFER_ASSIGN(const bool has, records.ClientHasClass(id_.Row(), request_.class_name));
      if (!has) missing = true;
      classes.insert(request_.class_name);
    }
    return missing;
  }

  Status Erase(Transaction& transaction, Call& call, const ClientRow& client) {
    COFFER_ASSIGN(ErasedContent content,
                  EraseContent(operations_, transaction, client, Order(), steps_.resealed()));
    content.row.facts = FactsOf(content, procedure_.FactsOfCall(transaction, call));
    AddDetail(call.entry, audit::ErasureDetail(content.row.id.Text(), LedgerScopeOf(content.row)));
    erased_ = content.row;
    done_ = true;
    call.reason_rule = ReasonRule::kErasure;
    return RegisterErasure(transaction, std::move(content.row));
  }

  const ErasureProcedure& procedure_;
  const Operations& operations_;
  const TwoPersonRule& two_person_;
  const DeletionGuard& guard_;
  const ClientId id_;
  const ErasureRequest& request_;
  StepwiseResealing steps_;
  ErasureId new_id_;
  ErasureRow erased_;
  bool done_ = false, repeated_ = false;
};

}  // namespace

std::vector<PrincipalId> PeopleOf(Transaction& transaction, const Call& call) {
  std::vector<PrincipalId> people = {call.actor};
  if (const auto approval = ApprovalId::Parse(call.caller.approval)) {
    const auto row = transaction.Of<AccessState>().stores.approvals.Find(*approval);
    if (row && *row && (*row)->decider) people.push_back(*(*row)->decider);
  }
  return people;
}

std::string PeopleText(Transaction& transaction, std::span<const PrincipalId> people) {
  json list = json::array();
  for (const PrincipalId& person : people) list.push_back(PersonOf(transaction, person));
  return list.dump();
}

Proposal ProposalOf(const ClientId& client, const ErasureRequest& request) {
  json content = json::object();
  if (request.basis != ErasureBasis::kRequest) content["basis"] = Name(request.basis);
  if (!request.class_name.empty()) content["class"] = request.class_name;
  if (!request.records.empty()) {
    std::vector<std::string> ids;
    for (const RecordId& id : request.records) ids.push_back(id.Text());
    std::ranges::sort(ids);
    content["records"] = ids;
  }
  const bool whole = request.class_name.empty() && request.records.empty();
  return {std::string(Name(whole ? Action::kClientErase : Action::kRecordErase)), client.Text(),
          content.empty() ? std::string() : content.dump()};
}

Result<Erasure> Erasures::Erase(const Caller& caller, const ClientId& id,
                                const ErasureRequest& request) {
  const bool whole = request.class_name.empty() && request.records.empty();
  const Action action = whole ? Action::kClientErase : Action::kRecordErase;
  const auto catalog = operations_.engine().Of<CatalogState>().Published();
  if (auto issues = FaultsOf(request, *catalog); !issues.empty()) {
    return operations_.Refuse(
        caller, {.action = action, .client = id},
        Error{Code::kUnprocessable, "erasure_invalid", {}, std::move(issues)});
  }
  const auto schema = catalog->Newest(request.class_name);
  Erasing erasing(procedure_, two_person_, guard_, id, request);
  std::optional<ErasureTurns::Turn> turn;
  for (;;) {
    Call call = operations_.Start(caller, {.action = action,
                                           .kind = OperationKind::kWrite,
                                           .client = id,
                                           .record_class = schema.get()});
    call.entry.class_name = request.class_name;
    const ErasureId as = ErasureId::New(operations_.Now());
    COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) {
      return erasing.Attempt(transaction, call, as, turn.has_value());
    }));
    if (erasing.done()) break;
    if (!turn) turn.emplace(procedure_.turns(), id);
  }
  turn.reset();
  ErasureRow& erased = erasing.erased();
  // Whoever was answered before still holds the key while decrypting; after this, nobody does.
  operations_.engine().key_cache().AwaitWiped(id);
  if (!erasing.repeated() || erased.state != ErasureState::kComplete) {
    COFFER_TRY(procedure_.CompleteErasures({&erased, 1}));
    erased.state = ErasureState::kComplete;
  }
  return ErasureOf(erased);
}

Result<Erasure> Erasures::GetErasure(const Caller& caller, const ErasureId& id) {
  Call call = operations_.Start(caller, {Action::kErasureRead});
  call.entry.detail = id.Text();
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Erasure> {
    COFFER_ASSIGN(const auto row, transaction.stores().erasures.Find(id));
    if (!row) return NotFound(call);
    call.entry.client = row->client.Text();
    return ErasureOf(*row);
  });
}

Result<Page<Erasure>> Erasures::ListErasures(const Caller& caller, const PageRequest& page) {
  Call call = operations_.Start(caller, {Action::kErasureRead});
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Page<Erasure>> {
    Page<Erasure> result;
    COFFER_ASSIGN(std::int64_t before, operations_.ReadCursor(call, "erasures", page.cursor));
    if (page.cursor.empty()) before = std::numeric_limits<std::int64_t>::max();
    COFFER_ASSIGN(const auto rows, transaction.stores().erasures.List(before, page.limit + 1));
    for (std::size_t i = 0; i < rows.size() && i < page.limit; ++i) {
      result.items.push_back(ErasureOf(rows[i].second));
    }
    if (rows.size() > page.limit) {
      result.next_cursor = operations_.MakeCursor(call, "erasures", rows[page.limit - 1].first);
    }
    return result;
  });
}

}  // namespace coffer::vault
