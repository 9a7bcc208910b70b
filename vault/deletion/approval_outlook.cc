#include "vault/deletion/approval_outlook.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "vault/access/access_state.h"
#include "vault/access/approval.h"
#include "vault/access/call.h"
#include "vault/access/reasons.h"
#include "vault/access/two_person_rule.h"
#include "vault/base/strict_json.h"
#include "vault/catalog/catalog_state.h"
#include "vault/clients/client_operations.h"
#include "vault/clients/clients_state.h"
#include "vault/clients/export_selection.h"
#include "vault/clients/tag_reach.h"
#include "vault/deletion/approval_preview.h"
#include "vault/deletion/deletion_state.h"
#include "vault/deletion/erasure.h"
#include "vault/deletion/hold.h"
#include "vault/deletion/hold_text.h"
#include "vault/deletion/retention_decisions.h"

namespace coffer::vault {
namespace {

using nlohmann::json;

constexpr std::size_t kMostCounted = 10'000;  // counted by a tag

// As it was checked when it was asked for.
ErasureRequest ErasureOf(const ApprovalRow& row) {
  ErasureRequest request;
  const json content = json::parse(row.content.empty() ? "{}" : row.content, nullptr, false);
  if (!content.is_object()) return request;
  if (const auto found = content.find("class"); found != content.end()) {
    request.class_name = found->get<std::string>();
  }
  if (const auto found = content.find("records"); found != content.end()) {
    for (const json& item : *found) {
      const auto id = RecordId::Parse(item.get_ref<const std::string&>());
      if (id) request.records.push_back(*id);
    }
  }
  return request;
}

std::string TitleOf(const Catalog& catalog, std::string_view class_name) {
  const auto schema = catalog.Newest(class_name);
  if (!schema) return {};
  const json definition = json::parse(schema->definition, nullptr, false);
  return definition.is_object() ? definition.value("title", "") : std::string();
}

// By class, policy and state.
class Keeping {
 public:
  void Add(const RetentionPolicy& policy, std::string_view class_name, const RetentionDue& due,
           Timestamp now) {
    KeptState state = KeptState::kUntil;
    switch (due.state) {
      case RetentionDue::State::kAt:
        if (due.at <= now) return;
        break;
      case RetentionDue::State::kKept:
        state = KeptState::kKept;
        break;
      case RetentionDue::State::kNotBegun:
        state = KeptState::kNotBegun;
        break;
      case RetentionDue::State::kUnknown:
        state = KeptState::kUnknown;
        break;
    }
    KeptByRule& rule = rules_[{std::string(class_name), policy.name, state}];
    if (rule.records++ == 0) {
      rule.class_name = class_name;
      rule.policy = policy.name;
      rule.basis = policy.keeps() ? policy.keep : policy.basis;
      rule.state = state;
    }
    if (state == KeptState::kUntil) {
      rule.until = std::max(rule.until.value_or(due.at), due.at);
    }
  }
  std::vector<KeptByRule> Rules() const {
    std::vector<KeptByRule> rules;
    for (const auto& [key, rule] : rules_) rules.push_back(rule);
    return rules;
  }

 private:
  std::map<std::tuple<std::string, std::string, KeptState>, KeptByRule> rules_;
};

}  // namespace

std::string_view Name(KeptState state) {
  switch (state) {
    case KeptState::kUntil:
      return "until";
    case KeptState::kKept:
      return "kept";
    case KeptState::kNotBegun:
      return "not-begun";
    case KeptState::kUnknown:
      break;
  }
  return "unknown";
}

Result<bool> ActionOutlook::May(Transaction& transaction, const Call& call, Action action,
                                const std::optional<ClientId>& client) const {
  COFFER_ASSIGN(const auto decision,
                operations_.DecideFor(transaction, call, action, client, nullptr));
  return decision.allowed;
}

Result<bool> ActionOutlook::MayDecide(Transaction& transaction, const Call& call,
                                      const ApprovalRow& row) const {
  COFFER_ASSIGN(
      const auto decision,
      operations_.DecideFor(transaction, call, Action::kApprovalDecide, std::nullopt, nullptr));
  return decision.allowed && std::ranges::any_of(decision.grants, [&](const Grant* grant) {
           return !grant->deny && grant->CoversApproval(row.action);
         });
}

Status ActionOutlook::Look(Transaction& transaction, Call& call, const ApprovalRow& row,
                           ApprovalState state) {
  const PrincipalRow* const requester =
      transaction.Of<AccessState>().principals().Find(row.requester);
  const bool own = requester != nullptr && requester->person() == call.principal->person();
  COFFER_ASSIGN(const bool decides, MayDecide(transaction, call, row));
  const bool full = own || decides;
  if (requester != nullptr) {
    question_.login = requester->login;
    question_.name = requester->name;
  }
  COFFER_TRY(LookAtQuestion(transaction, call, row, full));
  if (!IsOpen(state)) return {};
  preview_ = ApprovalPreview{transaction.now()};
  if (full && (row.action == "client.erase" || row.action == "record.erase")) {
    COFFER_TRY(LookAtErasure(transaction, call, row));
  } else if (full && row.action == "hold.lift") {
    COFFER_TRY(LookAtHold(transaction, call, row));
  } else if (full && row.action == "client.export") {
    COFFER_TRY(LookAtExport(transaction, row));
  } else {
    COFFER_TRY(LookAtReplacement(transaction, call, row, full));
  }
  const ApprovalPreview& found = *preview_;
  if (!found.erasure && !found.hold && !found.exported && !found.replacement) {
    preview_.reset();
  } else {
    AddDetail(call.entry, "preview");
  }
  return {};
}

Status ActionOutlook::LookAtQuestion(Transaction& transaction, Call& call, const ApprovalRow& row,
                                     bool full) {
  if (!row.asked_seq) return {};
  LogStore& log = *transaction.stores().log;
  COFFER_ASSIGN(const auto bytes, log.ReadEntry(*row.asked_seq));
  if (!bytes) return {};
  SealedReason found;
  COFFER_ASSIGN(found.asked, audit::ParseEntry(*bytes));
  constexpr std::string_view kTicket = "ticket ";
  if (found.asked.detail.starts_with(kTicket)) {
    question_.ticket = found.asked.detail.substr(kTicket.size());
    question_.ticket.resize(std::min(question_.ticket.size(), question_.ticket.find(';')));
  }
  if (!found.asked.note_hash) return {};
  bool may = full;
  if (!may) {
    COFFER_ASSIGN(may, May(transaction, call, Action::kNoteRead));
  }
  if (!may) return {};
  COFFER_ASSIGN(auto note, log.ReadNote(0, *row.asked_seq));
  if (!note && !found.asked.client.empty()) {
    const auto client = ClientId::Parse(found.asked.client);
    if (!client) return {};
    COFFER_ASSIGN(note, log.ReadNote(client->Row(), *row.asked_seq));
    auto pin = note ? transaction.PinKey(*client) : Fail(Code::kNotFound, "not_found");
    if (!pin) return {};
    found.key = *std::move(pin);
  }
  if (!note) return {};
  found.sealed = *std::move(note);
  reason_ = std::move(found);
  AddDetail(call.entry, "reason");
  return {};
}

Status ActionOutlook::LookAtErasure(Transaction& transaction, Call& call, const ApprovalRow& row) {
  ErasurePreview& preview = preview_->erasure.emplace();
  preview.client = *ClientId::Parse(row.target);
  const ErasureRequest request = ErasureOf(row);
  COFFER_ASSIGN(const auto client,
                transaction.Of<ClientsState>().stores.clients.Find(preview.client));
  preview.there = client.has_value();
  if (!client) {
    preview.missing = request.records.size();
    return {};
  }
  COFFER_TRY(LookAtRecords(transaction, *client, request, preview));
  std::set<std::string, std::less<>> classes;
  const bool whole = row.action == "client.erase";
  if (!whole && !request.class_name.empty()) classes.insert(request.class_name);
  for (const PreviewedClass& one : preview.classes) {
    if (!whole) classes.insert(one.class_name);
  }
  if (whole) {
    const auto* const assigned = transaction.Of<AccessState>().access().AssignmentsOf(client->id);
    if (assigned != nullptr) preview.assignments = assigned->size();
    if (const auto* const leases = transaction.Of<AccessState>().access().LeasesOf(client->id)) {
      preview.leases = static_cast<std::uint64_t>(std::ranges::count_if(
          *leases, [&](const LeaseRow& lease) { return transaction.now() < lease.terms.expires; }));
    }
  }
  // Of a part that has nothing, none covers anything.
  if (whole || !classes.empty()) {
    COFFER_ASSIGN(preview.hold_words, May(transaction, call, Action::kHoldRead, client->id));
    const auto covering = transaction.Of<DeletionState>().holds().Covering(*client, classes);
    preview.held_by = covering.size();
    for (const Hold* hold : covering) {
      if (preview.holds.size() == ErasurePreview::kMostHolds) break;
      preview.holds.push_back(*hold);
      if (preview.hold_words) COFFER_TRY(OpenWords(transaction, preview.holds.back()));
    }
  }
  return LookAtReference(transaction, call, *client);
}

Status ActionOutlook::LookAtRecords(Transaction& transaction, const ClientRow& client,
                                    const ErasureRequest& request, ErasurePreview& preview) const {
  const Catalog& catalog = transaction.Of<CatalogState>().current();
  auto& stores = transaction.Of<DeletionState>().stores;
  std::set<std::int64_t> chosen;
  for (const RecordId& id : request.records) {
    COFFER_ASSIGN(const auto known, stores.retention.FindRecordId(id.Row()));
    known == id ? void(chosen.insert(id.Row())) : void(++preview.missing);
  }
  std::optional<RetentionDecisions> decisions;
  RetentionClient subject_client{client.id, client.tags, client.relationship_end};
  if (catalog.retention) {
    preview.schedule = catalog.retention->version;
    decisions.emplace(catalog.retention, catalog, transaction.now());
  }
  Keeping keeping;
  std::map<std::string, std::uint64_t, std::less<>> counts;
  std::size_t seen = 0, found = 0;
  RetentionStore::Place place;
  place.client = client.id.Row();
  place.class_name = request.class_name;
  COFFER_TRY(
      stores.retention.ScanAfter(place, [&](const RetentionSubject& subject) -> Result<bool> {
        if (subject.client != client.id.Row()) return false;
        if (!request.class_name.empty() && subject.class_name != request.class_name) return false;
        if (!request.records.empty() && found == chosen.size()) return false;
        if (seen++ == ErasurePreview::kMostRecords) {
          preview.all_counted = false;
          return false;
        }
        const bool meant = request.records.empty() || chosen.contains(subject.record);
        if (!meant) return true;
        ++found;
        ++counts[std::string(subject.class_name)];
        if (!decisions) return true;
        const auto [policy, due] = decisions->DueOf(subject, subject_client);
        keeping.Add(*policy, subject.class_name, due, transaction.now());
        return true;
      }));
  // How many there are is known of any number.
  if (!preview.all_counted && request.records.empty()) {
    COFFER_ASSIGN(counts,
                  transaction.Of<ClientsState>().stores.records.CountByClass(client.id.Row()));
    if (!request.class_name.empty()) {
      std::erase_if(counts, [&](const auto& one) { return one.first != request.class_name; });
    }
  }
  // Where not all were looked at, what was not found may be there.
  preview.missing += chosen.size() - std::min(chosen.size(), found);
  if (!preview.all_counted) preview.missing = 0;
  for (const auto& [name, count] : counts) {
    preview.classes.push_back({name, TitleOf(catalog, name), count});
    preview.records += count;
  }
  preview.kept = keeping.Rules();
  return {};
}

// The reference is personal: it is for who could read the client for the purpose that is stated,
// and shown it is another reading.
Status ActionOutlook::LookAtReference(Transaction& transaction, Call& call,
                                      const ClientRow& client) {
  COFFER_ASSIGN(const auto decision,
                operations_.DecideFor(transaction, call, Action::kClientRead, client.id, nullptr));
  if (!decision.allowed || ReferenceViewOf(decision, false) != View::kPlain) return {};
  if (!operations_.CheckWhole(client.id.value)) return {};
  auto pin = transaction.PinKey(client.id);
  if (!pin) return {};
  COFFER_ASSIGN(auto info, OpenClient(operations_, {client, *std::move(pin)}));
  preview_->erasure->external_ref = std::move(info.external_ref);
  audit::Entry entry;
  entry.action = Name(Action::kClientRead);
  entry.client = client.id.Text();
  entry.fields = {"external_ref"};
  entry.version = client.version;
  entry.rule = decision.rule;
  transaction.Also(std::move(entry));
  return {};
}

// Where its words do not open it is shown without them: it must not keep anybody from lifting it.
Status ActionOutlook::OpenWords(Transaction& transaction, Hold& hold) const {
  audit::Entry entry;
  entry.action = Name(Action::kHoldRead);
  if (hold.terms.client) entry.client = hold.terms.client->Text();
  entry.class_name = hold.terms.class_name;
  entry.detail = hold.id.Text();
  transaction.Also(std::move(entry));
  if (hold.sealed_text.empty()) return {};
  const auto key = transaction.PinKey(*hold.terms.client);
  if (!key) return {};
  const auto opened = OpenHoldText(operations_.keyring(), key->Expose(), hold);
  if (!opened && opened.error().code != Code::kCorrupted) return opened;
  return {};
}

Status ActionOutlook::LookAtHold(Transaction& transaction, Call& call, const ApprovalRow& row) {
  const auto id = HoldId::Parse(row.target);
  if (!id) return {};
  COFFER_ASSIGN(const auto hold, transaction.Of<DeletionState>().stores.holds.Find(*id));
  if (!hold) return {};
  HoldPreview& preview = preview_->hold.emplace();
  preview.hold = *hold;
  COFFER_ASSIGN(const auto reading, operations_.DecideFor(transaction, call, Action::kHoldRead,
                                                          hold->terms.client, nullptr));
  preview.words = reading.allowed && (hold->terms.client || ReachesTag(reading, hold->terms.tag));
  if (preview.words) COFFER_TRY(OpenWords(transaction, preview.hold));
  if (hold->terms.client) {
    COFFER_ASSIGN(const auto client,
                  transaction.Of<ClientsState>().stores.clients.Find(*hold->terms.client));
    if (!client) return {};
    preview.clients = 1;
    std::set<std::string, std::less<>> classes;
    if (!hold->terms.class_name.empty()) classes.insert(hold->terms.class_name);
    preview.other_holds = static_cast<std::uint64_t>(
        std::ranges::count_if(transaction.Of<DeletionState>().holds().Covering(*client, classes),
                              [&](const Hold* other) { return other->id != hold->id; }));
    return {};
  }
  COFFER_ASSIGN(const auto clients, transaction.Of<ClientsState>().stores.clients.List(
                                        0, hold->terms.tag, kMostCounted + 1));
  preview.clients = std::min(clients.size(), kMostCounted);
  preview.more_clients = clients.size() > kMostCounted;
  preview.other_holds = static_cast<std::uint64_t>(
      std::ranges::count_if(transaction.Of<DeletionState>().holds().WithTag(hold->terms.tag),
                            [&](const Hold* other) { return other->id != hold->id; }));
  return {};
}

Status ActionOutlook::LookAtExport(Transaction& transaction, const ApprovalRow& row) {
  ExportPreview& preview = preview_->exported.emplace();
  std::string_view tag = row.target;
  const bool all = !tag.starts_with(kTagTarget);
  tag = all ? std::string_view() : tag.substr(kTagTarget.size());
  COFFER_ASSIGN(const auto clients,
                transaction.Of<ClientsState>().stores.clients.List(0, tag, kMostCounted + 1));
  preview.clients = std::min(clients.size(), kMostCounted);
  preview.more_clients = clients.size() > kMostCounted;
  all_clients_ = all && preview.more_clients;
  return {};
}

Result<std::uint64_t> ActionOutlook::CountClients() const {
  COFFER_ASSIGN(auto reader, snapshots_.Open());
  COFFER_ASSIGN(auto clients, ClientStore::Open(reader->database()));
  return clients.Count();
}

Status ActionOutlook::LookAtReplacement(Transaction& transaction, const Call& call,
                                        const ApprovalRow& row, bool full) {
  const Catalog& catalog = transaction.Of<CatalogState>().current();
  ReplacementPreview replacement;
  Action reading = Action::kRoleRead;
  after_ = row.content;
  if (row.action == "role.write") {
    replacement.what = "role";
    replacement.name = row.target;
    const auto role = catalog.Role(row.target);
    if (role) before_ = role->definition;
    if (role) replacement.version = role->version;
    replacement.is_new = !role;
  } else if (row.action == "retention.write" && row.target.starts_with(kClassTarget)) {
    reading = Action::kClassRead;
    replacement.what = "class";
    replacement.name = row.target.substr(kClassTarget.size());
    const auto schema = catalog.Newest(replacement.name);
    if (schema) before_ = schema->definition;
    if (schema) replacement.version = schema->version;
    replacement.is_new = !schema;
  } else if (row.action == "retention.write") {
    reading = Action::kRetentionRead;
    replacement.what = "schedule";
    if (catalog.retention) before_ = catalog.retention->schedule.definition();
    if (catalog.retention) replacement.version = catalog.retention->version;
    replacement.is_new = !catalog.retention;
  } else if (row.action == "role.give") {
    const auto id = PrincipalId::Parse(row.target);
    const PrincipalRow* const account =
        id ? transaction.Of<AccessState>().principals().Find(*id) : nullptr;
    const json content = json::parse(row.content, nullptr, false);
    const std::string name = content.is_object() ? content.value("role", "") : "";
    const auto given = catalog.Role(name);
    const auto has = account != nullptr ? catalog.Role(account->role) : nullptr;
    if (!given || !has || has->name == given->name) return {};
    replacement.what = "role-of-account";
    replacement.name = has->name;
    replacement.version = has->version;
    before_ = has->definition;
    after_ = given->definition;
  } else {
    return {};
  }
  if (!full) {
    COFFER_ASSIGN(const bool may, May(transaction, call, reading));
    if (!may) return {};
  }
  preview_->replacement = std::move(replacement);
  return {};
}

Status ActionOutlook::Complete(const Call& call, Approval& approval) {
  if (reason_) {
    const auto opened =
        OpenReason(operations_.keyring(), reason_->sealed, reason_->asked.request,
                   reason_->key ? reason_->key->Expose()
                                : ClientKeys{operations_.keyring().note_key().ExposeSecret()});
    if (!opened ||
        audit::NoteCommitment(opened->first, opened->second) != *reason_->asked.note_hash) {
      return std::unexpected(operations_.IntegrityAlarm(call, "note_not_authentic"));
    }
    question_.reason = opened->second;
  }
  if (all_clients_) {
    // Where it cannot be counted now, there are more than were.
    if (const auto counted = CountClients()) {
      preview_->exported->clients = *counted;
      preview_->exported->more_clients = false;
    }
  }
  if (preview_ && preview_->replacement) {
    preview_->replacement->difference = DifferenceOf(before_, after_);
  }
  approval.question = std::move(question_);
  if (preview_) approval.preview = std::make_shared<ApprovalPreview>(*std::move(preview_));
  return {};
}

}  // namespace coffer::vault
