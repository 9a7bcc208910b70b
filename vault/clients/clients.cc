// Clients: create, read, change, list.
#include "vault/clients/clients.h"

#include <algorithm>

#include "crypto/random.h"
#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/base/names.h"
#include "vault/base/page.h"
#include "vault/base/strict_json.h"
#include "vault/base/word_list.h"
#include "vault/base/words.h"
#include "vault/catalog/catalog_state.h"
#include "vault/clients/blind_tokens.h"
#include "vault/clients/client.h"
#include "vault/clients/client_operations.h"
#include "vault/clients/clients_state.h"
#include "vault/clients/idempotency.h"
#include "vault/clients/sealing_contexts.h"

namespace coffer::vault {
namespace {

constexpr std::size_t kMaxTags = 50;
constexpr std::size_t kMaxReference = 200;
// A list by class may have to look at many clients for few answers; one page looks at so many.
constexpr std::size_t kListScan = 2000;

std::string JoinTags(std::vector<std::string> tags) {
  std::ranges::sort(tags);
  const auto repeated = std::ranges::unique(tags);
  tags.erase(repeated.begin(), repeated.end());
  return JoinWords(tags);
}

std::vector<Issue> FaultsOf(const ClientChange& change) {
  std::vector<Issue> issues;
  // The empty one takes away what is there.
  if (change.external_ref && !change.external_ref->empty() &&
      !IsWords(*change.external_ref, kMaxReference)) {
    issues.push_back({"/external_ref", WordsRule(kMaxReference)});
  }
  if (change.tags) {
    if (change.tags->size() > kMaxTags) issues.push_back({"/tags", "must be at most 50 tags"});
    for (std::size_t i = 0; i < change.tags->size() && i < kMaxTags; ++i) {
      if (!IsTag((*change.tags)[i])) {
        issues.push_back(
            {"/tags/" + std::to_string(i), "must be 1 to 64 of a-z, 0-9, '-', '_', ':' and '.'"});
      }
    }
  }
  return issues;
}

Error OutOfScope(std::string message) {
  return Error{Code::kPermissionDenied, "permission_denied", {}, {{"/tags", std::move(message)}}};
}

// What is made is within the scope of a grant that allows to make it.
Status RequireInScope(const Operations& operations, Transaction& transaction, Call& call,
                      const ClientRow& row) {
  if (!call.role->scoped) return {};
  COFFER_ASSIGN(const auto decision, operations.DecideFor(transaction, call, call.action, row.id,
                                                          nullptr, std::nullopt, &row));
  if (decision.allowed) return {};
  call.entry.decision = audit::Decision::kDeny;
  call.entry.rule = decision.rule;
  // Nothing is hidden by it: there is no such client yet.
  if (decision.error.code == Code::kNotFound) {
    return std::unexpected(OutOfScope("is not within what your role may make"));
  }
  return std::unexpected(decision.error);
}

// Nobody gives or takes a tag that decides what their own role reaches.
Status RequireScopesKept(Call& call, const ClientRow& before, const ClientRow& after) {
  if (!call.role->scoped_by_tag) return {};
  const auto kept = SplitWords(after.tags), had = SplitWords(before.tags);
  const auto decides = [&](const Grant& grant) {
    return grant.scope.kind == Scope::Kind::kTag &&
           (std::ranges::find(kept, grant.scope.tag) == kept.end()) !=
               (std::ranges::find(had, grant.scope.tag) == had.end());
  };
  if (std::ranges::none_of(call.role->grants, decides)) return {};
  call.entry.decision = audit::Decision::kDeny;
  call.entry.rule = "check:scope";
  return std::unexpected(
      OutOfScope("has a tag, or lacks one, that decides what your role reaches"));
}

// Whether a list has the client for this caller; one of a class, that it has records of it.
Result<bool> MayList(const Operations& operations, Transaction& transaction, const Call& call,
                     const ClientId& client, const ClassSchema* schema) {
  COFFER_ASSIGN(const auto decision, operations.DecisionOn(transaction, call, client, schema));
  if (!decision.allowed || schema == nullptr || !call.role->scoped) return decision.allowed;
  return MayKnowOfRecords(operations, transaction, call, client, *schema);
}

}  // namespace

Result<ClientInfo> Clients::CreateClient(const Caller& caller, const ClientChange& client,
                                         const Idempotency& idempotency) {
  constexpr Action kAction = Action::kClientCreate;
  if (auto issues = FaultsOf(client); !issues.empty()) {
    return operations_.Refuse(caller, {kAction},
                              Error{Code::kUnprocessable, "client_invalid", {}, std::move(issues)});
  }
  Call call = operations_.Start(caller, {kAction, OperationKind::kWrite});
  const auto repeat = HashIdempotency(operations_.keyring(), call, {}, idempotency);

  ClientRow row;
  row.id = ClientId::New(operations_.Now());
  const std::string external_ref = client.external_ref.value_or("");
  row.tags = JoinTags(client.tags.value_or(std::vector<std::string>{}));
  if (!external_ref.empty()) row.reference = ReferenceToken(operations_.keyring(), external_ref);
  if (client.relationship_end) row.relationship_end = *client.relationship_end;
  // The new key begins its life in a slot of the cache: locked memory, and ready for the records
  // that usually follow.
  COFFER_ASSIGN(auto pinned, operations_.engine().key_cache().FindOrInsert(
                                 row.id, [](std::span<std::uint8_t> slot) {
                                   crypto::FillRandom(slot);
                                   return Result<std::uint64_t>(0);
                                 }));
  const PinnedKeys pin(std::move(pinned));
  const ClientKeys key = pin.Expose();
  row.profile = key.Seal(ClientContext(operations_.keyring(), row.id, row.version),
                         crypto::AsBytes(external_ref));
  if (row.reference) {
    row.ref = SealReference(operations_.keyring(), key, row.id, *row.reference);
  }
  const Bytes wrapped = operations_.keyring().WrapDataKey(key.current, row.id.value);

  ClientInfo info;
  bool repeated = false;
  auto created = operations_.Perform(call, [&](Transaction& transaction) -> Status {
    COFFER_ASSIGN(const auto before, FindRepeated(transaction, repeat));
    if (before) {
      const ClientId id{*before};
      COFFER_ASSIGN(const auto existing, transaction.Of<ClientsState>().stores.clients.Find(id));
      if (!existing) return Fail(Code::kConflict, "idempotent_object_gone");
      repeated = true;
      call.entry.client = id.Text();
      call.entry.outcome = "repeated";
      info = ClientInfo{id,
                        external_ref,
                        SplitWords(row.tags),
                        1,
                        existing->created,
                        existing->created,
                        row.relationship_end};
      return {};
    }
    COFFER_TRY(RequireInScope(operations_, transaction, call, row));
    row.created = row.updated = transaction.now();
    COFFER_TRY(transaction.Of<ClientsState>().stores.clients.Insert(
        row, transaction.Of<ClientsState>().stores.index));
    COFFER_TRY(
        RequireNotErasedBefore(operations_, transaction, call, external_ref, client.accept_erased));
    call.entry.client = row.id.Text();
    call.entry.fields = ProfileFields();
    call.entry.version = row.version;
    call.entry.payload_hash = crypto::Sha256(row.profile);
    if (repeat) {
      COFFER_TRY(transaction.Of<ClientsState>().stores.idempotency.Insert(
          repeat->key, {repeat->body, row.id.value}, row.id.Row(), transaction.now()));
    }
    transaction.AddKey(row.id, wrapped);
    info = InfoOf(row, external_ref);
    return {};
  });
  if (!created || repeated) operations_.engine().key_cache().Remove(row.id);
  if (!created) return std::unexpected(std::move(created).error());
  return info;
}

Result<ClientInfo> Clients::GetClient(const Caller& caller, const ClientId& id) {
  Call call = operations_.Start(caller, {Action::kClientRead, OperationKind::kRead, id});
  std::optional<SealedClient> found;
  COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) -> Status {
    COFFER_ASSIGN(auto row, transaction.Of<ClientsState>().stores.clients.Find(id));
    COFFER_TRY(operations_.CheckWhole(id.value));
    if (!row) return NotFound(call);
    auto key = transaction.PinKey(id);
    if (!key && key.error().code == Code::kNotFound) {
      return Fail(Code::kCorrupted, "client_key_missing");
    }
    if (!key) return std::unexpected(std::move(key).error());
    call.entry.fields = ProfileFields();
    call.entry.version = row->version;
    found.emplace(*std::move(row), *std::move(key));
    return {};
  }));
  return OpenDisclosed(operations_, call, *found);
}

Result<ClientInfo> Clients::UpdateClient(const Caller& caller, const ClientId& id,
                                         std::uint64_t if_version, const ClientChange& change) {
  constexpr Action kAction = Action::kClientUpdate;
  if (auto issues = FaultsOf(change); !issues.empty()) {
    return operations_.Refuse(caller, {.action = kAction, .client = id},
                              Error{Code::kUnprocessable, "client_invalid", {}, std::move(issues)});
  }
  Call call = operations_.Start(caller, {kAction, OperationKind::kWrite, id});
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<ClientInfo> {
    COFFER_ASSIGN(auto row, transaction.Of<ClientsState>().stores.clients.Find(id));
    COFFER_TRY(operations_.CheckWhole(id.value));
    if (!row) return NotFound(call);
    if (row->version != if_version) return Fail(Code::kPreconditionFailed, "version_mismatch");
    COFFER_ASSIGN(const auto key, transaction.PinKey(id));
    COFFER_ASSIGN(
        const Bytes plain,
        key.Expose().Open(ClientContext(operations_.keyring(), id, row->version), row->profile));
    std::string external_ref(crypto::AsText(plain));
    if (!external_ref.empty()) row->reference = ReferenceToken(operations_.keyring(), external_ref);
    const ClientRow before = *row;
    std::vector<std::string> fields;
    if (change.external_ref && *change.external_ref != external_ref) {
      external_ref = *change.external_ref;
      row->ref.clear();
      row->reference.reset();
      if (!external_ref.empty()) {
        row->reference = ReferenceToken(operations_.keyring(), external_ref);
        row->ref = SealReference(operations_.keyring(), key.Expose(), id, *row->reference);
      }
      fields.emplace_back("external_ref");
    }
    if (change.tags) {
      row->tags = JoinTags(*change.tags);
      COFFER_TRY(RequireScopesKept(call, before, *row));
      COFFER_TRY(guard_.RequireTagsKept(transaction, call, before, *row));
      if (row->tags != before.tags) fields.emplace_back("tags");
    }
    if (change.relationship_end && *change.relationship_end != before.relationship_end) {
      row->relationship_end = *change.relationship_end;
      fields.emplace_back("relationship_end");
    }
    if (fields.empty()) {
      call.entry.version = before.version;
      call.entry.outcome = "unchanged";
      return InfoOf(before, external_ref);
    }
    ++row->version;
    row->updated = transaction.now();
    row->profile = key.Expose().Seal(ClientContext(operations_.keyring(), id, row->version),
                                     crypto::AsBytes(external_ref));
    COFFER_TRY(transaction.Of<ClientsState>().stores.clients.Update(
        *row, before, transaction.Of<ClientsState>().stores.index));
    if (external_ref != crypto::AsText(plain)) {
      COFFER_TRY(RequireNotErasedBefore(operations_, transaction, call, external_ref,
                                        change.accept_erased));
    }
    call.entry.fields = std::move(fields);
    call.entry.version = row->version;
    call.entry.payload_hash = crypto::Sha256(row->profile);
    return InfoOf(*row, external_ref);
  });
}

Result<Page<ClientInfo>> Clients::ListClients(const Caller& caller, std::string_view tag,
                                              std::string_view class_name,
                                              const PageRequest& page) {
  constexpr Action kAction = Action::kClientList;
  const std::string list = "clients/" + std::string(tag) + "/" + std::string(class_name);
  const auto schema = operations_.engine().Of<CatalogState>().Published()->Newest(class_name);
  if (!class_name.empty() && !schema) {
    return operations_.Refuse(caller, {kAction},
                              Error{Code::kUnprocessable, "class_unknown", {}, {}});
  }
  if (!tag.empty() && !IsTag(tag)) {
    return operations_.Refuse(caller, {kAction},
                              Error{Code::kInvalidArgument, "tag_invalid", {}, {}});
  }
  Call call = operations_.Start(caller, {.action = kAction, .record_class = schema.get()});
  call.entry.class_name = class_name;
  std::vector<SealedClient> found;
  std::int64_t last = 0;
  bool more = false;
  COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) -> Status {
    if (schema) {
      COFFER_ASSIGN(const bool known,
                    MayKnowOfRecords(operations_, transaction, call, std::nullopt, *schema));
      if (!known) return Deny(call, "class", Code::kPermissionDenied, "permission_denied");
    }
    COFFER_ASSIGN(last, operations_.ReadCursor(call, list, page.cursor));
    auto& stores = transaction.Of<ClientsState>().stores;
    const bool filters = !class_name.empty() || call.role->scoped;
    const std::size_t scan = filters ? kListScan : page.limit + 1;
    COFFER_ASSIGN(const auto ids, stores.clients.List(last, tag, scan));
    more = ids.size() == scan;
    for (const std::int64_t id : ids) {
      if (found.size() == page.limit) {
        more = true;
        break;
      }
      last = id;
      if (!class_name.empty()) {
        COFFER_ASSIGN(const bool has, stores.records.ClientHasClass(id, class_name));
        if (!has) continue;
      }
      COFFER_ASSIGN(auto row, stores.clients.FindRow(id));
      if (!row) continue;
      COFFER_ASSIGN(const bool shown,
                    MayList(operations_, transaction, call, row->id, schema.get()));
      if (!shown) continue;
      COFFER_TRY(operations_.CheckWhole(row->id.value));
      COFFER_ASSIGN(auto key, transaction.PinKey(row->id));
      audit::Entry entry;
      entry.action = Name(kAction);
      entry.client = row->id.Text();
      entry.fields = ProfileFields();
      transaction.Also(std::move(entry));
      found.push_back({*std::move(row), std::move(key)});
    }
    return {};
  }));
  Page<ClientInfo> result;
  for (const auto& client : found) {
    COFFER_ASSIGN(auto info, OpenDisclosed(operations_, call, client));
    result.items.push_back(std::move(info));
  }
  if (more) result.next_cursor = operations_.MakeCursor(call, list, last);
  return result;
}

}  // namespace coffer::vault
