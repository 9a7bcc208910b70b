#include "vault/deletion/retention_treatment.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "audit/documents/erasure_act.h"
#include "audit/documents/erasure_scope.h"
#include "vault/access/access_state.h"
#include "vault/access/operations.h"
#include "vault/access/restriction.h"
#include "vault/access/restriction_bases.h"
#include "vault/access/telling.h"
#include "vault/clients/clients_state.h"
#include "vault/deletion/deletion_state.h"
#include "vault/deletion/erase.h"
#include "vault/deletion/erasure.h"
#include "vault/deletion/erasure_ledger.h"
#include "vault/deletion/erasure_procedure.h"
#include "vault/deletion/resealing.h"

namespace coffer::vault {
namespace {

std::string VersionText(const RetentionPolicy& policy, std::uint64_t schedule) {
  return policy.name + " of schedule " + std::to_string(schedule);
}

using CountMember = std::uint64_t audit::RunClass::*;

// All records of a class that a policy wants restricted are due. What they count as then: where
// people lifted what this version of the schedule put before, it is theirs to decide.
Result<CountMember> RestrictClass(const Operations& operations, Transaction& transaction,
                                  const ClientRow& client, const RetentionPolicy& policy,
                                  std::uint64_t schedule) {
  auto& stores = transaction.Of<DeletionState>().stores;
  const std::string& name = policy.class_name;
  for (const auto& known : transaction.Of<AccessState>().restrictions().Of(client.id)) {
    const bool covers = known.terms.class_name.empty() || known.terms.class_name == name;
    if (covers && known.terms.stops.IncludeAll()) return &audit::RunClass::restricted;
  }
  COFFER_ASSIGN(const auto before, stores.retention.FindRestricted(client.id.Row(), name));
  if (before == schedule) return &audit::RunClass::review;
  Restriction restriction;
  restriction.id = RestrictionId::New(transaction.now());
  restriction.client = client.id;
  restriction.terms.class_name = name;
  restriction.terms.basis = policy.basis + " (" + VersionText(policy, schedule) + ")";
  restriction.since = transaction.now();
  COFFER_TRY(PlaceRestriction(operations.keyring(), transaction, restriction));
  COFFER_TRY(NoteAct(transaction, client.id, ToldAct::kRestricted, name, transaction.NextSeq()));
  COFFER_TRY(stores.retention.PutRestricted(client.id.Row(), name, schedule));
  audit::Entry entry;
  entry.action = "retention.restrict";
  entry.client = client.id.Text();
  entry.class_name = name;
  entry.detail = VersionText(policy, schedule) + "; " + restriction.id.Text();
  transaction.Also(std::move(entry));
  return &audit::RunClass::restricted;
}

// Marked for a person, and said so once, until a run finds it due for review no more.
Status MarkForReview(Transaction& transaction, const ClientRow& client, std::int64_t record,
                     const RetentionPolicy& policy, const RunRow& run) {
  RetentionStore& store = transaction.Of<DeletionState>().stores.retention;
  COFFER_ASSIGN(const bool is_new,
                store.AddReview(record, policy.name, transaction.now(), run.first_seq));
  if (!is_new) return {};
  COFFER_ASSIGN(const auto id, store.FindRecordId(record));
  audit::Entry entry;
  entry.action = "retention.review";
  entry.client = client.id.Text();
  if (id) entry.record = id->Text();
  entry.class_name = policy.class_name;
  entry.detail = VersionText(policy, run.schedule);
  transaction.Also(std::move(entry));
  return {};
}

std::string JoinForAct(const std::set<std::string>& texts) {
  std::string joined;
  for (const auto& text : texts) {
    // An act has room for so much.
    if (joined.size() + text.size() > audit::kMaxActText - 16) return joined + ", …";
    joined += (joined.empty() ? "" : ", ") + text;
  }
  return joined;
}

}  // namespace

RetentionTreatment::RetentionTreatment(const ErasureProcedure& procedure,
                                       RetentionDecisions decisions, std::string people)
    : procedure_(procedure),
      operations_(procedure.operations()),
      decisions_(std::move(decisions)),
      people_(std::move(people)) {}

RetentionTreatment::~RetentionTreatment() = default;

void RetentionTreatment::DropSteps() { steps_.reset(); }

Status RetentionTreatment::Treat(Transaction& transaction, RunRow& run, std::int64_t row,
                                 bool erase, TreatedClients& treated) {
  // Of one class of one client, which one policy is for.
  struct DueClass {
    const RetentionPolicy* policy = nullptr;
    std::uint64_t owned = 0;
    std::uint64_t waiting = 0;          // due, and not to be erased yet
    std::vector<std::int64_t> records;  // due
  };
  auto& stores = transaction.Of<DeletionState>().stores;
  COFFER_ASSIGN(const auto about, stores.retention.FindClient(row));
  if (!about) return {};
  std::map<std::string, DueClass, std::less<>> classes;
  std::uint64_t owned = 0, due = 0;
  COFFER_TRY(stores.retention.ScanOf(row, [&](const RetentionSubject& subject) -> Status {
    auto found = classes.find(subject.class_name);
    if (found == classes.end()) found = classes.try_emplace(std::string(subject.class_name)).first;
    ++owned;
    ++found->second.owned;
    const auto* const policy = decisions_.PolicyIfDue(subject, *about);
    if (policy == nullptr) return {};
    ++due;
    found->second.policy = policy;
    if (policy->action == RetentionAction::kErase &&
        RetentionDecisions::WaitsForItself(subject, *policy, transaction.now())) {
      ++found->second.waiting;
    } else {
      found->second.records.push_back(subject.record);
    }
    return {};
  }));
  const auto* const of_client = owned == 0 ? decisions_.PolicyIfDue(*about) : nullptr;
  if (due == 0 && of_client == nullptr) return {};
  COFFER_ASSIGN(const auto client, transaction.Of<ClientsState>().stores.clients.FindRow(row));
  if (!client) return {};

  const auto is_held = [&](std::string_view class_name) {
    return RetentionIsHeld(transaction.Of<DeletionState>().holds(),
                           transaction.Of<AccessState>().restrictions(), client->id, client->tags,
                           class_name);
  };
  struct Counted {
    std::string_view name;
    std::uint64_t number;
    CountMember what;
  };
  std::vector<Counted> counted;
  const auto count_as = [&](std::string_view name, std::uint64_t number, CountMember what) {
    if (number > 0) counted.push_back({name, number, what});
  };
  const auto count_all = [&] {
    for (const auto& [name, number, what] : counted) {
      audit::RunClass& count = run.CountOf(name);
      count.due += number;
      count.*what += number;
    }
  };
  // One person alone may say when the relationship ended, and take a tag off: what that makes due
  // waits, and previews show it meanwhile.
  const bool client_waits =
      client->version > 1 && transaction.now().ms - client->updated.ms < kChangedWaitsMs;
  // Of what is to be erased and may not be: which it counts as. Null: it may be.
  const auto stopped_as = [&](std::string_view class_name) -> CountMember {
    if (is_held(class_name)) return &audit::RunClass::held;
    if (client_waits) return &audit::RunClass::waiting;
    return erase ? nullptr : &audit::RunClass::failed;
  };
  ErasureOrder order;
  order.scope = ErasureScope::kRecords;
  order.basis = ErasureBasis::kRetention;
  Policies policies;
  std::vector<const DueClass*> chosen;
  if (of_client != nullptr) {
    const CountMember stopped = stopped_as({});
    count_as(audit::kClientItself, 1, stopped != nullptr ? stopped : &audit::RunClass::erased);
    count_all();
    if (stopped != nullptr) return {};
    order.scope = ErasureScope::kClient;
    policies.insert(of_client);
    ++treated.records;
    steps_.reset();
    return Erase(transaction, run, *client, order, policies, treated);
  }
  for (const auto& [name, of_class] : classes) {
    if (of_class.policy == nullptr) continue;
    const RetentionPolicy& policy = *of_class.policy;
    if (policy.action == RetentionAction::kErase) {
      const CountMember stopped = stopped_as(name);
      const bool held = stopped == &audit::RunClass::held;
      count_as(name, of_class.waiting, held ? stopped : &audit::RunClass::waiting);
      if (stopped != nullptr) {
        count_as(name, of_class.records.size(), stopped);
      } else if (!of_class.records.empty()) {
        chosen.push_back(&of_class);
      }
      continue;
    }
    if (client_waits) {
      count_as(name, of_class.records.size(), &audit::RunClass::waiting);
      for (const std::int64_t record : of_class.records) {
        COFFER_TRY(stores.retention.KeepReview(record, policy.name, run.first_seq));
      }
      continue;
    }
    CountMember what = &audit::RunClass::review;
    if (policy.action == RetentionAction::kRestrict && of_class.records.size() == of_class.owned) {
      COFFER_ASSIGN(what,
                    RestrictClass(operations_, transaction, *client, policy, decisions_.version()));
    }
    // Also of what people lifted: that they did is no answer to what becomes of the records.
    if (what == &audit::RunClass::review) {
      for (const std::int64_t record : of_class.records) {
        COFFER_TRY(MarkForReview(transaction, *client, record, policy, run));
      }
    }
    count_as(name, of_class.records.size(), what);
  }
  if (chosen.empty()) {
    count_all();
    return {};
  }
  std::uint64_t erased = 0;
  for (const DueClass* of_class : chosen) erased += of_class->records.size();
  if (erased == owned && decisions_.HasEnded(*about)) {
    if (!is_held({})) order.scope = ErasureScope::kClient;
  }
  for (const DueClass* of_class : chosen) {
    const RetentionPolicy& policy = *of_class->policy;
    if (order.scope == ErasureScope::kRecords) {
      order.rows.insert(of_class->records.begin(), of_class->records.end());
    }
    order.class_details.emplace(policy.class_name, VersionText(policy, decisions_.version()));
    policies.insert(&policy);
    count_as(policy.class_name, of_class->records.size(), &audit::RunClass::erased);
  }
  COFFER_ASSIGN(const bool ready, TakeStep(transaction, *client, order, treated));
  if (!ready) return {};
  count_all();
  treated.records += erased;
  return Erase(transaction, run, *client, order, policies, treated);
}

Result<bool> RetentionTreatment::TakeStep(Transaction& transaction, const ClientRow& client,
                                          const ErasureOrder& order, TreatedClients& treated) {
  if (steps_ && (steps_->client != client.id || order.scope != ErasureScope::kRecords)) {
    steps_.reset();
  }
  if (order.scope != ErasureScope::kRecords) return true;
  if (!steps_) steps_.emplace(client.id, std::make_unique<StepwiseResealing>(operations_));
  if (procedure_.turns().IsTaken(client.id)) {
    treated.unfinished = true;
    treated.waits_for = client.id;
    return false;
  }
  COFFER_ASSIGN(const bool ready, steps_->resealing->Advance(transaction, client, order));
  if (ready) return true;
  treated.unfinished = true;
  treated.work += kResealsAtOnce;
  return false;
}

Status RetentionTreatment::CountAsFailed(Transaction& transaction, RunRow& run,
                                         std::int64_t row) const {
  auto& store = transaction.Of<DeletionState>().stores.retention;
  COFFER_ASSIGN(const auto about, store.FindClient(row));
  if (!about) return {};
  std::map<std::string, std::uint64_t, std::less<>> due;
  std::uint64_t owned = 0;
  COFFER_TRY(store.ScanOf(row, [&](const RetentionSubject& subject) -> Status {
    ++owned;
    if (decisions_.PolicyIfDue(subject, *about) != nullptr) ++due[std::string(subject.class_name)];
    return {};
  }));
  if (owned == 0 && decisions_.PolicyIfDue(*about) != nullptr)
    ++due[std::string(audit::kClientItself)];
  for (const auto& [name, count] : due) {
    audit::RunClass& of_class = run.CountOf(name);
    of_class.due += count;
    of_class.failed += count;
  }
  return {};
}

// The same for most clients of a run: to write them again for each took a tenth of its time.
const RetentionTreatment::PolicyWords& RetentionTreatment::WordsOf(const Policies& policies,
                                                                   const RunRow& run) {
  const auto [found, is_new] = words_.try_emplace(policies);
  PolicyWords& words = found->second;
  if (!is_new) return words;
  std::set<std::string> names, bases;
  for (const RetentionPolicy* policy : policies) {
    names.insert(policy->name);
    bases.insert(policy->basis);
  }
  words.names = JoinForAct(names);
  const nlohmann::json about = {{"policy", words.names},
                                {"legal_basis", JoinForAct(bases)},
                                {"schedule", run.schedule},
                                {"run", run.id.Text()},
                                {"people", nlohmann::json::parse(people_)}};
  words.facts = procedure_.StandingFacts() + "," + MembersOf(about.dump());
  return words;
}

Status RetentionTreatment::Erase(Transaction& transaction, const RunRow& run,
                                 const ClientRow& client, const ErasureOrder& order,
                                 const Policies& policies, TreatedClients& treated) {
  const PolicyWords& words = WordsOf(policies, run);
  COFFER_ASSIGN(ErasedContent content,
                EraseContent(operations_, transaction, client, order,
                             steps_ ? steps_->resealing->resealed() : nullptr));
  steps_.reset();
  treated.work += std::max<std::uint64_t>(content.row.records, 1) + content.resealed;
  const auto add = [&](ErasedContent& part) -> Status {
    part.row.seq = transaction.NextSeq();
    audit::Entry entry;
    entry.action = kRetentionErase;
    entry.client = client.id.Text();
    entry.detail = audit::ErasureDetail(part.row.id.Text(), LedgerScopeOf(part.row)) +
                   "; schedule " + std::to_string(run.schedule) + "; " + words.names;
    transaction.Also(std::move(entry));
    procedure_.ledger().Prepare(part.row);
    treated.erasures.push_back(part.row);
    part.row.facts = FactsOf(part, words.facts);
    return RegisterErasure(transaction, std::move(part.row));
  };
  if (content.row.record_ids.size() <= audit::kMaxActRecords) return add(content);
  // One key for all, and as many erasures as acts are needed to name the records.
  for (std::span<const RecordId> rest = content.row.record_ids; !rest.empty();) {
    const auto named = rest.first(std::min(rest.size(), audit::kMaxActRecords));
    rest = rest.subspan(named.size());
    ErasedContent part = ShareOf(content, named);
    COFFER_TRY(add(part));
  }
  return {};
}

}  // namespace coffer::vault
