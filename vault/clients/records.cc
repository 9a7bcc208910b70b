// Records: create, read, list, change, delete.
#include "vault/clients/records.h"

#include <map>
#include <nlohmann/json.hpp>

#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/base/page.h"
#include "vault/base/strict_json.h"
#include "vault/catalog/catalog_state.h"
#include "vault/clients/blind_tokens.h"
#include "vault/clients/clients_state.h"
#include "vault/clients/idempotency.h"
#include "vault/clients/record.h"
#include "vault/clients/record_change.h"
#include "vault/clients/record_operations.h"
#include "vault/clients/record_update.h"
#include "vault/clients/record_view.h"
#include "vault/clients/sealing_contexts.h"

namespace coffer::vault {
namespace {

// As disclosed: only what the caller's view shows, and within the caller's budget.
Status DescribeShown(const Operations& operations, Transaction& transaction, Call& call,
                     const RecordRow& row, const ClassSchema& schema, const FieldViews& views) {
  if (ShowsNothing(views)) {
    return Deny(call, "class", Code::kPermissionDenied, "permission_denied");
  }
  Describe(call.entry, row, nullptr);
  call.entry.fields = ShownFields(schema, views, row.fields);
  call.entry.detail = DescribeViews(schema, views, row.fields);
  if (call.role->budgeted && SpendsBudget(call.decision, schema, views, row.fields)) ++call.reveals;
  return operations.CountReveals(transaction, call);
}

// A record that an update may change, as it is before.
struct Writing {
  std::shared_ptr<const ClassSchema> newest;  // of its class; null: refuse
  std::shared_ptr<const ClassSchema> written;
  UpdateTerms terms;
  std::optional<RecordRow> stored;  // of the version that is to be changed
  std::optional<PinnedKeys> key;

  const ClassSchema& schema() const { return terms.newest ? *newest : *written; }
};

// Which class the record has decides how the document is checked, and who may write which fields;
// this look discloses nothing, and what it refuses the transaction refuses again, with an entry.
Result<Writing> LookBeforeWriting(const Operations& operations, Call& call, const RecordId& id,
                                  std::uint64_t if_version) {
  Writing writing;
  COFFER_TRY(operations.Look([&](Transaction& transaction) -> Status {
    if (!operations.Authorize(transaction, call, nullptr)) return {};
    COFFER_ASSIGN(auto row, transaction.Of<ClientsState>().stores.records.Find(id));
    if (!row || row->client != call.subject->Row()) return {};
    const auto newest = transaction.Of<CatalogState>().current().Newest(row->class_name);
    const auto written =
        transaction.Of<CatalogState>().current().Version(row->class_name, row->class_version);
    if (!newest || !written || !operations.Authorize(transaction, call, newest.get())) return {};
    writing.newest = newest;
    writing.written = written;
    COFFER_ASSIGN(writing.terms, TermsFor(operations, transaction, call, call.decision,
                                          *call.subject, *written, *newest));
    if (row->version == if_version) writing.stored = *std::move(row);
    auto key = transaction.PinKey(*call.subject);
    if (key) writing.key = *std::move(key);
    return {};
  }));
  return writing;
}

// What an update would store.
struct Updated {
  ChangedDocument change;
  bool same = false;  // as what is stored
};

// Errors: those of ChangeDocument; kCorrupted when what is stored is not what was sealed.
// Precondition: there is a key where something is stored.
Result<Updated> UpdatedOf(const Operations& operations, const ClientId& client,
                          const Writing& writing, const nlohmann::json& sent, ChangeForm form) {
  const ClassSchema& schema = writing.schema();
  Updated updated;
  Bytes plain;
  if (writing.stored) {
    const RecordRow& row = *writing.stored;
    COFFER_ASSIGN(
        plain, writing.key->Expose().Open(
                   RecordContext(operations.keyring(), client, row.id, row.class_name, row.version),
                   row.payload));
  }
  COFFER_ASSIGN(updated.change,
                ChangeDocument(schema, writing.terms.writable, form, sent, crypto::AsText(plain)));
  updated.same = writing.stored && writing.stored->class_version == schema.version &&
                 crypto::AsText(plain) == updated.change.document.json;
  return updated;
}

// The client's key for sealing ahead of an operation; nothing when there is no such client.
Result<std::optional<PinnedKeys>> PinForWriting(Engine& engine, const ClientId& client) {
  std::optional<PinnedKeys> pinned;
  if (auto pin = engine.key_cache().Find(client)) {
    pinned.emplace(*std::move(pin));
    return pinned;
  }
  audit::Entry none;
  COFFER_TRY(engine.Run(OperationKind::kRead, EntryRule::kNever, none,
                        [&](Transaction& transaction) -> Status {
                          auto pin = transaction.PinKey(client);
                          if (pin) {
                            pinned = *std::move(pin);
                          } else if (pin.error().code != Code::kNotFound) {
                            return std::unexpected(pin.error());
                          }
                          return {};
                        }));
  return pinned;
}

// A record of this client, or nothing is there.
Result<RecordRow> FindOf(Transaction& transaction, Call& call, const ClientId& client,
                         const RecordId& id) {
  COFFER_ASSIGN(auto row, transaction.Of<ClientsState>().stores.records.Find(id));
  if (!row || row->client != client.Row()) return NotFound(call);
  return *std::move(row);
}

Result<PinnedKeys> PinOrNotFound(Transaction& transaction, Call& call, const ClientId& client) {
  auto pin = transaction.PinKey(client);
  if (pin || pin.error().code != Code::kNotFound) return pin;
  // No key and no client is an ordinary 404; a client without its key is damage.
  COFFER_ASSIGN(const auto row, transaction.Of<ClientsState>().stores.clients.Find(client));
  if (row) return Fail(Code::kCorrupted, "client_key_missing");
  return NotFound(call);
}

// The answer of the creation that this one repeats; nothing when it repeats none.
Result<std::optional<RecordInfo>> FindRepeatedCreation(
    Transaction& transaction, Call& call, const ClientId& client,
    const std::optional<IdempotencyKeys>& repeat) {
  COFFER_ASSIGN(const auto before, FindRepeated(transaction, repeat));
  if (!before) return std::nullopt;
  COFFER_ASSIGN(const auto existing,
                transaction.Of<ClientsState>().stores.records.Find(RecordId{*before}));
  if (!existing) return Fail(Code::kConflict, "idempotent_object_gone");
  RecordInfo info = InfoOf(*existing, client);
  info.version = 1;
  info.updated = info.created;
  if (existing->version > 1) {
    COFFER_ASSIGN(const auto first,
                  transaction.Of<ClientsState>().stores.records.FindVersion(existing->id.Row(), 1));
    if (first) info.class_version = first->class_version;
  }
  call.entry.record = existing->id.Text();
  call.entry.class_name = existing->class_name;
  call.entry.outcome = "repeated";
  return info;
}

}  // namespace

Result<RecordInfo> Records::CreateRecord(const Caller& caller, const ClientId& client,
                                         std::string_view class_name, const nlohmann::json& data,
                                         const Idempotency& idempotency) {
  constexpr Action kAction = Action::kRecordCreate;
  for (int attempt = 0;; ++attempt) {
    const auto schema = operations_.engine().Of<CatalogState>().Published()->Newest(class_name);
    if (!schema) {
      return operations_.Refuse(caller, {.action = kAction, .client = client},
                                Error{Code::kUnprocessable, "class_unknown", {}, {}});
    }
    const auto document = ParseDocument(*schema, data);
    if (!document && idempotency.key.empty()) {
      return operations_.Refuse(caller, {.action = kAction, .client = client}, document.error());
    }
    Call call = operations_.Start(caller, {.action = kAction,
                                           .kind = OperationKind::kWrite,
                                           .client = client,
                                           .record_class = schema.get()});
    const auto repeat =
        HashIdempotency(operations_.keyring(), call, call.entry.client, idempotency);
    RecordInfo info;
    if (!document) {
      // What repeats an acknowledged creation is answered like it, even when the class would refuse
      // the document now.
      call.kind = OperationKind::kRead;
      call.record_class = nullptr;
      auto repeated = operations_.Perform(call, [&](Transaction& transaction) -> Status {
        auto before = FindRepeatedCreation(transaction, call, client, repeat);
        if (before && *before) {
          COFFER_TRY(operations_.Authorize(transaction, call, schema.get()));
          info = **std::move(before);
          return {};
        }
        call.entry.decision = audit::Decision::kDeny;
        call.entry.rule = "check:input";
        return std::unexpected(before ? document.error() : std::move(before).error());
      });
      if (!repeated) return std::unexpected(std::move(repeated).error());
      return info;
    }

    RecordRow row;
    row.id = RecordId::New(operations_.Now());
    row.client = client.Row();
    row.class_name = schema->name;
    row.class_version = schema->version;
    row.version = 1;
    row.fields = document->fields;
    row.terms = TermsOf(operations_.keyring(), *schema, document->indexed);
    row.retention_day = RetentionDay(*schema, data);
    COFFER_ASSIGN(const auto key, PinForWriting(operations_.engine(), client));
    crypto::Hash payload_hash{};
    if (key) {
      row.payload = key->Expose().Seal(
          RecordContext(operations_.keyring(), client, row.id, schema->name, row.version),
          crypto::AsBytes(document->json));
      payload_hash = crypto::Sha256(row.payload);
      row.tokens = SealTerms(operations_.keyring(), key->Expose(), client, row.id.value, row.terms);
    }
    const auto created = operations_.Perform(call, [&](Transaction& transaction) -> Status {
      COFFER_TRY(ClassStands(transaction, *schema));
      COFFER_TRY(operations_.CheckWhole(client.value));
      if (!key) return NotFound(call);
      COFFER_TRY(PinOrNotFound(transaction, call, client));
      if (!key->IsCurrent()) return Fail(Code::kConflict, kClassChanged);
      COFFER_TRY(
          CheckWritable(call, *schema, FieldViewsOf(call.decision, *schema), document->fields));
      COFFER_ASSIGN(auto before, FindRepeatedCreation(transaction, call, client, repeat));
      if (before) {
        info = *std::move(before);
        return {};
      }
      row.created = row.updated = transaction.now();
      Describe(call.entry, row, schema.get());
      call.entry.payload_hash = payload_hash;
      COFFER_TRY(transaction.Of<ClientsState>().stores.records.Insert(
          row, transaction.Of<ClientsState>().stores.index));
      if (repeat) {
        COFFER_TRY(transaction.Of<ClientsState>().stores.idempotency.Insert(
            repeat->key, {repeat->body, row.id.value}, client.Row(), transaction.now()));
      }
      info = InfoOf(row, client);
      return {};
    });
    if (created) return info;
    if (created.error().reason != kClassChanged || attempt == kClassRetries) {
      return std::unexpected(created.error());
    }
  }
}

Result<RecordInfo> Records::GetRecord(const Caller& caller, const ClientId& client,
                                      const RecordId& id) {
  Call call = operations_.Start(caller, {Action::kRecordRead, OperationKind::kRead, client});
  call.entry.record = id.Text();
  std::optional<PinnedKeys> key;
  SealedRecord shown;
  COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) -> Status {
    COFFER_TRY(operations_.CheckWhole(id.value));
    COFFER_ASSIGN(key, PinOrNotFound(transaction, call, client));
    COFFER_ASSIGN(shown.row, FindOf(transaction, call, client, id));
    const RecordRow& row = shown.row;
    COFFER_ASSIGN(shown.schema, ClassOf(transaction, row.class_name, row.class_version));
    call.entry.class_name = row.class_name;
    COFFER_TRY(operations_.Authorize(transaction, call, shown.schema.get()));
    shown.views = FieldViewsOf(call.decision, *shown.schema);
    return DescribeShown(operations_, transaction, call, row, *shown.schema, shown.views);
  }));
  auto info = OpenRecord(operations_, client, key->Expose(), shown);
  if (!info) return std::unexpected(operations_.IntegrityAlarm(call, info.error().reason));
  return info;
}

Result<RecordInfo> Records::GetRecordVersion(const Caller& caller, const ClientId& client,
                                             const RecordId& id, std::uint64_t version) {
  Call call = operations_.Start(caller, {Action::kRecordRead, OperationKind::kRead, client});
  call.entry.record = id.Text();
  std::optional<RecordRow> row;
  std::optional<PinnedKeys> key;
  std::shared_ptr<const ClassSchema> schema;
  FieldViews views;
  COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) -> Status {
    COFFER_TRY(operations_.CheckWhole(id.value));
    COFFER_ASSIGN(key, PinOrNotFound(transaction, call, client));
    COFFER_ASSIGN(row, FindOf(transaction, call, client, id));
    call.entry.class_name = row->class_name;
    if (version != row->version) {
      COFFER_ASSIGN(auto old,
                    transaction.Of<ClientsState>().stores.records.FindVersion(id.Row(), version));
      if (!old) return NotFound(call);
      row->version = old->version;
      row->class_version = old->class_version;
      row->updated = old->written;
      row->fields = old->fields;
      row->payload = std::move(old->payload);
    }
    COFFER_ASSIGN(schema, ClassOf(transaction, row->class_name, row->class_version));
    COFFER_TRY(operations_.Authorize(transaction, call, schema.get()));
    views = FieldViewsOf(call.decision, *schema);
    return DescribeShown(operations_, transaction, call, *row, *schema, views);
  }));
  const auto plain = key->Expose().Open(
      RecordContext(operations_.keyring(), client, id, row->class_name, row->version),
      row->payload);
  if (!plain) return std::unexpected(operations_.IntegrityAlarm(call, plain.error().reason));
  RecordInfo info = InfoOf(*row, client);
  Show(info, *schema, views, *plain, operations_.keyring());
  return info;
}

Result<std::vector<VersionInfo>> Records::ListVersions(const Caller& caller, const ClientId& client,
                                                       const RecordId& id) {
  Call call = operations_.Start(caller, {Action::kRecordList, OperationKind::kRead, client});
  call.entry.record = id.Text();
  return operations_.Perform(
      call, [&](Transaction& transaction) -> Result<std::vector<VersionInfo>> {
        std::vector<VersionInfo> versions;
        COFFER_TRY(operations_.CheckWhole(id.value));
        COFFER_TRY(PinOrNotFound(transaction, call, client));
        COFFER_ASSIGN(const auto row, FindOf(transaction, call, client, id));
        call.entry.class_name = row.class_name;
        const auto schema =
            transaction.Of<CatalogState>().current().Version(row.class_name, row.class_version);
        COFFER_TRY(operations_.Authorize(transaction, call, schema.get()));
        if (schema && ShowsNothing(FieldViewsOf(call.decision, *schema))) {
          return Deny(call, "class", Code::kPermissionDenied, "permission_denied");
        }
        COFFER_ASSIGN(const auto old,
                      transaction.Of<ClientsState>().stores.records.ListVersions(id.Row()));
        for (const auto& version : old) {
          versions.push_back({version.version, version.class_version, version.written});
        }
        versions.push_back({row.version, row.class_version, row.updated});
        return versions;
      });
}

Result<Page<RecordInfo>> Records::ListRecords(const Caller& caller, const ClientId& client,
                                              std::string_view class_name, bool with_data,
                                              const PageRequest& page) {
  const Action action = with_data ? Action::kRecordRead : Action::kRecordList;
  const std::string list = "records/" + client.Text() + "/" + std::string(class_name);
  const auto asked = operations_.engine().Of<CatalogState>().Published()->Newest(class_name);
  if (!class_name.empty() && !asked) {
    return operations_.Refuse(caller, {.action = action, .client = client},
                              Error{Code::kUnprocessable, "class_unknown", {}, {}});
  }
  Call call =
      operations_.Start(caller, {.action = action, .client = client, .record_class = asked.get()});
  call.entry.class_name = class_name;
  std::vector<SealedRecord> found;
  std::optional<PinnedKeys> key;
  Page<RecordInfo> result;
  COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) -> Status {
    COFFER_ASSIGN(key, PinOrNotFound(transaction, call, client));
    COFFER_ASSIGN(std::int64_t last, operations_.ReadCursor(call, list, page.cursor));
    COFFER_ASSIGN(const auto ids, transaction.Of<ClientsState>().stores.records.ListOf(
                                      client.Row(), class_name, last, page.limit + 1));
    RecordDisclosure disclosure(operations_, transaction, call, with_data);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (i == page.limit) {
        result.next_cursor = operations_.MakeCursor(call, list, last);
        break;
      }
      last = ids[i];
      COFFER_ASSIGN(auto row, transaction.Of<ClientsState>().stores.records.FindRow(ids[i]));
      if (!row) continue;
      COFFER_ASSIGN(auto sealed, disclosure.Disclose(client, call.decision, *std::move(row)));
      if (sealed) found.push_back(*std::move(sealed));
    }
    return disclosure.CountReveals();
  }));
  for (const auto& sealed : found) {
    if (!with_data) {
      result.items.push_back(InfoOf(sealed.row, client));
      continue;
    }
    auto info = OpenRecord(operations_, client, key->Expose(), sealed);
    if (!info) {
      call.entry.record = sealed.row.id.Text();
      return std::unexpected(operations_.IntegrityAlarm(call, info.error().reason));
    }
    result.items.push_back(*std::move(info));
  }
  return result;
}

Result<RecordInfo> Records::UpdateRecord(const Caller& caller, const ClientId& client,
                                         const RecordId& id, std::uint64_t if_version,
                                         const nlohmann::json& data, ChangeForm form) {
  constexpr Action kAction = Action::kRecordUpdate;
  for (int attempt = 0;; ++attempt) {
    Call call = operations_.Start(caller, {kAction, OperationKind::kWrite, client});
    call.entry.record = id.Text();
    COFFER_ASSIGN(const Writing writing, LookBeforeWriting(operations_, call, id, if_version));
    const auto& key = writing.key;
    std::optional<Updated> update;
    std::optional<Error> damage;
    RecordRow row;
    crypto::Hash payload_hash{};
    // Where the version is another one there is nothing to check, but for a whole document without
    // a hidden part. Who may write nothing is told nothing of the document, nor of the version.
    const bool all_sent = form == ChangeForm::kWhole && !writing.terms.writable;
    if (writing.newest && key && !WritesNothing(writing.terms.writable) &&
        (writing.stored || all_sent)) {
      auto made = UpdatedOf(operations_, client, writing, data, form);
      if (made) {
        update = *std::move(made);
      } else if (made.error().code == Code::kCorrupted) {
        damage = std::move(made).error();
      } else {
        return std::unexpected(operations_.Refuse(caller, kAction, client, id, made.error()));
      }
    }
    if (update && !update->same) {
      row.version = if_version + 1;
      TakeDocument(row, operations_, writing.terms, *writing.written, *writing.newest,
                   update->change);
      row.tokens = SealTerms(operations_.keyring(), key->Expose(), client, id.value, row.terms);
      row.payload = key->Expose().Seal(
          RecordContext(operations_.keyring(), client, id, writing.newest->name, row.version),
          crypto::AsBytes(update->change.document.json));
      payload_hash = crypto::Sha256(row.payload);
    }
    RecordInfo info;
    call.record_class = writing.newest.get();
    const auto updated = operations_.Perform(call, [&](Transaction& transaction) -> Status {
      COFFER_TRY(operations_.CheckWhole(id.value));
      COFFER_TRY(PinOrNotFound(transaction, call, client));
      COFFER_ASSIGN(auto before, FindOf(transaction, call, client, id));
      COFFER_ASSIGN(const auto written,
                    ClassOf(transaction, before.class_name, before.class_version));
      const auto newest = transaction.Of<CatalogState>().current().Newest(before.class_name);
      COFFER_TRY(operations_.Authorize(transaction, call, newest.get()));
      if (!newest) return Fail(Code::kConflict, kClassChanged);
      COFFER_ASSIGN(const auto terms, TermsFor(operations_, transaction, call, call.decision,
                                               client, *written, *newest));
      if (WritesNothing(terms.writable)) {
        return Deny(call, "fields", Code::kPermissionDenied, "field_not_writable");
      }
      if (before.version != if_version) {
        return Fail(Code::kPreconditionFailed, "version_mismatch");
      }
      if (damage) return std::unexpected(*damage);
      if (!update || !writing.stored || !key->IsCurrent()) {
        return Fail(Code::kConflict, kClassChanged);
      }
      COFFER_TRY(ClassStands(transaction, *writing.newest));
      if (terms != writing.terms) return Fail(Code::kConflict, kClassChanged);
      if (update->same) {
        Describe(call.entry, before, nullptr);
        call.entry.outcome = "unchanged";
        info = InfoOf(before, client);
        return {};
      }
      row.id = id;
      row.client = before.client;
      row.class_name = before.class_name;
      row.created = before.created;
      COFFER_TRY(OpenTermsOf(operations_.keyring(), key->Expose(), client, before));
      if (before.terms.import_token) {
        row.terms.import_token = before.terms.import_token;
        row.tokens = SealTerms(operations_.keyring(), key->Expose(), client, id.value, row.terms);
      }
      row.updated = transaction.now();
      Describe(call.entry, row, nullptr);
      call.entry.fields = update->change.changed;
      call.entry.payload_hash = payload_hash;
      COFFER_TRY(transaction.Of<ClientsState>().stores.records.Update(
          row, before, transaction.Of<ClientsState>().stores.index));
      if (!writing.terms.newest) {
        COFFER_TRY(transaction.Of<ClientsState>().stores.records.PutDay(
            id.Row(), row.version, row.retention_day, newest->version));
      }
      info = InfoOf(row, client);
      return {};
    });
    if (updated) return info;
    if (updated.error().reason != kClassChanged || attempt == kClassRetries) {
      return std::unexpected(updated.error());
    }
  }
}

Status Records::DeleteRecord(const Caller& caller, const ClientId& client, const RecordId& id,
                             std::optional<std::uint64_t> if_version) {
  Call call = operations_.Start(caller, {Action::kRecordDelete, OperationKind::kWrite, client});
  call.entry.record = id.Text();
  return operations_.Perform(call, [&](Transaction& transaction) -> Status {
    COFFER_TRY(operations_.CheckWhole(id.value));
    COFFER_ASSIGN(const auto key, PinOrNotFound(transaction, call, client));
    COFFER_ASSIGN(auto row, FindOf(transaction, call, client, id));
    call.entry.class_name = row.class_name;
    COFFER_ASSIGN(const auto schema, ClassOf(transaction, row.class_name, row.class_version));
    COFFER_TRY(operations_.Authorize(transaction, call, schema.get()));
    COFFER_TRY(CheckWritable(call, *schema, FieldViewsOf(call.decision, *schema), kEveryField));
    if (if_version && row.version != *if_version) {
      return Fail(Code::kPreconditionFailed, "version_mismatch");
    }
    call.entry.version = row.version;
    COFFER_ASSIGN(const auto owner, transaction.Of<ClientsState>().stores.clients.Find(client));
    if (!owner) return NotFound(call);
    COFFER_TRY(guard_.RequireNoHold(transaction, call, *owner, {row.class_name}));
    auto& stores = transaction.Of<ClientsState>().stores;
    if (!OpenTermsOf(operations_.keyring(), key.Expose(), client, row)) {
      const std::int64_t unread = id.Row();
      stores.index.NoteUnread({&unread, 1}, std::nullopt);
    }
    if (transaction.IsResealing(client)) {
      const ClientKeys keys = key.Expose();
      const bool tokens = IsSealed(row.tokens) && keys.IsCurrent(row.tokens);
      if (row.version > 1 || tokens || keys.IsCurrent(row.payload)) {
        transaction.NoteDeletedOfNewerKey(client, row.class_name);
      }
    }
    COFFER_TRY(stores.records.Delete(row, stores.index));
    return NoteDeletion(transaction);
  });
}

}  // namespace coffer::vault
