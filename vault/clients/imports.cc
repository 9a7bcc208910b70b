// Import: one client by its reference, and one record of it.
#include "vault/clients/imports.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "crypto/random.h"
#include "vault/access/access_policy.h"
#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/base/strict_json.h"
#include "vault/base/words.h"
#include "vault/catalog/catalog_state.h"
#include "vault/clients/blind_tokens.h"
#include "vault/clients/client_operations.h"
#include "vault/clients/clients_state.h"
#include "vault/clients/import.h"
#include "vault/clients/record.h"
#include "vault/clients/record_change.h"
#include "vault/clients/record_operations.h"
#include "vault/clients/record_view.h"
#include "vault/clients/sealing_contexts.h"

namespace coffer::vault {
namespace {

constexpr std::size_t kMaxImportKey = 200;  // external_ref, record_key

bool HasNull(const nlohmann::json& data) {
  return data.is_object() &&
         std::ranges::any_of(data, [](const nlohmann::json& value) { return value.is_null(); });
}

// What is wrong with a line is found only beside the record that it names.
std::unexpected<Error> RefuseInput(Call& call, Error error) {
  call.entry.decision = audit::Decision::kDeny;
  call.entry.rule = error.reason == "field_not_writable" ? "check:fields" : "check:input";
  return std::unexpected(std::move(error));
}

// Of what goes, only what the caller may see: the count would tell of the rest.
Result<std::size_t> CountSeen(const Operations& operations, Transaction& transaction,
                              const Call& call, const ClientId& client, const ClassSchema& written,
                              const std::vector<std::string>& removed) {
  if (removed.empty()) return 0;
  COFFER_ASSIGN(const auto reading,
                operations.DecideFor(transaction, call, Action::kRecordRead, client, &written));
  const FieldViews views = FieldViewsOf(reading, written);
  if (!views) return removed.size();
  return std::ranges::count_if(removed, [&](const std::string& name) {
    const Field* const field = written.Find(name);
    return field != nullptr &&
           (*views)[static_cast<std::size_t>(field - written.fields.data())] != View::kNone;
  });
}

}  // namespace

std::string_view Name(ImportOutcome outcome) {
  switch (outcome) {
    case ImportOutcome::kCreated:
      return "created";
    case ImportOutcome::kUpdated:
      return "updated";
    case ImportOutcome::kUnchanged:
      return "unchanged";
  }
  return "";
}

Status Imports::MayImport(const Caller& caller, std::string_view class_name) {
  constexpr Action kAction = Action::kRecordImport;
  const auto schema = operations_.engine().Of<CatalogState>().Published()->Newest(class_name);
  if (!schema) {
    return operations_.Refuse(caller, {kAction}, {Code::kUnprocessable, "class_unknown", {}, {}});
  }
  Call call = operations_.Start(
      caller, {.action = kAction, .record_class = schema.get(), .entry = EntryRule::kOnRefusal});
  return operations_.Perform(call, [](Transaction&) -> Status { return {}; });
}

Result<ImportResult> Imports::ImportRecord(const Caller& caller, const ImportRow& import) {
  constexpr Action kAction = Action::kRecordImport;
  auto refuse = [&](Error error) {
    return operations_.Refuse(caller, {kAction}, std::move(error));
  };
  const auto schema =
      operations_.engine().Of<CatalogState>().Published()->Newest(import.class_name);
  if (!schema) return refuse({Code::kUnprocessable, "class_unknown", {}, {}});
  std::vector<Issue> issues;
  if (!IsWords(import.external_ref, kMaxImportKey)) {
    issues.push_back({"/external_ref", WordsRule(kMaxImportKey)});
  }
  if (!import.record_key.empty() && !IsWords(import.record_key, kMaxImportKey)) {
    issues.push_back({"/record_key", WordsRule(kMaxImportKey)});
  }
  if (!issues.empty()) {
    return refuse({Code::kUnprocessable, "import_invalid", {}, std::move(issues)});
  }
  const bool merged = import.form == ChangeForm::kMergePatch;
  std::optional<nlohmann::json> without_nulls;
  if (merged && HasNull(import.data)) without_nulls = WithoutNulls(*schema, import.data);
  const nlohmann::json& made_of = without_nulls ? *without_nulls : import.data;
  // As a record that is new. What is merged may be whole only with what is there already.
  const auto document = ParseDocument(*schema, made_of);
  if (!document && !merged) return refuse(document.error());

  Call call = operations_.Start(
      caller, {.action = kAction, .kind = OperationKind::kWrite, .record_class = schema.get()});
  // Prepared for the usual case, that the client is new.
  ClientRow client;
  client.id = ClientId::New(operations_.Now());
  client.reference = ReferenceToken(operations_.keyring(), import.external_ref);
  COFFER_ASSIGN(auto pinned, operations_.engine().key_cache().FindOrInsert(
                                 client.id, [](std::span<std::uint8_t> slot) {
                                   crypto::FillRandom(slot);
                                   return Result<std::uint64_t>(0);
                                 }));
  const PinnedKeys new_pin(std::move(pinned));
  const ClientKeys new_key = new_pin.Expose();
  client.profile = new_key.Seal(ClientContext(operations_.keyring(), client.id, client.version),
                                crypto::AsBytes(import.external_ref));
  client.ref = SealReference(operations_.keyring(), new_key, client.id, *client.reference);
  const Bytes wrapped = operations_.keyring().WrapDataKey(new_key.current, client.id.value);

  RecordRow record;
  record.id = RecordId::New(operations_.Now());
  record.class_name = schema->name;
  record.class_version = schema->version;
  record.version = 1;
  std::string sealed_json;  // of `record`
  if (document) {
    record.fields = document->fields;
    record.terms = TermsOf(operations_.keyring(), *schema, document->indexed);
    record.retention_day = RetentionDay(*schema, made_of);
    sealed_json = document->json;
  }
  // A record's identity to imports is its client, class and key: the reference may go to another
  // client, and a client may get another reference.
  const auto import_token_of = [&](const ClientId& owner) {
    return FieldToken(operations_.keyring(), schema->name, "$import",
                      owner.Text() + ":" + import.record_key);
  };
  // Records that were imported by the first version are found by what they were given then.
  const BlindToken first_version_token = FieldToken(
      operations_.keyring(), schema->name, "$import",
      std::to_string(import.external_ref.size()) + ":" + import.external_ref + import.record_key);
  auto seal_for = [&](const ClientId& owner, const ClientKeys& keys) {
    record.client = owner.Row();
    record.payload = keys.Seal(
        RecordContext(operations_.keyring(), owner, record.id, record.class_name, record.version),
        crypto::AsBytes(sealed_json));
    record.tokens = SealTerms(operations_.keyring(), keys, owner, record.id.value, record.terms);
  };
  record.terms.import_token = import_token_of(client.id);
  if (document) seal_for(client.id, new_key);

  ImportResult result;
  bool client_made = false;
  auto imported = operations_.Perform(call, [&](Transaction& transaction) -> Status {
    COFFER_TRY(ClassStands(transaction, *schema));
    auto& stores = transaction.Of<ClientsState>().stores;
    record.created = record.updated = transaction.now();
    COFFER_ASSIGN(const auto existing, stores.index.FindReference(*client.reference));
    std::optional<ClientRow> owner;
    if (existing) {
      COFFER_ASSIGN(owner, stores.clients.FindRow(*existing));
      if (!owner) {
        return Fail(Code::kCorrupted, "storage_corrupted", "a reference names no client");
      }
      call.entry.client = owner->id.Text();
    }
    // A new client is assigned to nobody and has no tags.
    COFFER_ASSIGN(
        const auto decision,
        operations_.DecisionOn(transaction, call, owner ? owner->id : client.id, schema.get()));
    if (!decision.allowed) {
      call.entry.decision = audit::Decision::kDeny;
      call.entry.rule = decision.rule;
      if (decision.rule == "check:restricted") return std::unexpected(decision.error);
      return Fail(Code::kPermissionDenied, "permission_denied");
    }
    const auto check_new = [&]() -> Status {
      COFFER_TRY(CheckWritable(call, *schema, FieldViewsOf(decision, *schema),
                               document ? document->fields : 0));
      if (!document) return RefuseInput(call, document.error());
      return {};
    };
    std::optional<RecordRow> before;
    std::optional<ChangedDocument> change;
    UpdateTerms terms;
    std::shared_ptr<const ClassSchema> written;  // under which `before` was
    if (!owner) {
      COFFER_TRY(check_new());
      COFFER_TRY(RequireNotErasedBefore(operations_, transaction, call, import.external_ref,
                                        import.accept_erased));
      client.created = client.updated = transaction.now();
      COFFER_TRY(stores.clients.Insert(client, stores.index));
      transaction.AddKey(client.id, wrapped);
      audit::Entry created;
      created.action = Name(Action::kClientCreate);
      created.client = client.id.Text();
      created.fields = {"external_ref"};
      created.version = client.version;
      created.payload_hash = crypto::Sha256(client.profile);
      created.outcome = "ok";
      transaction.Also(std::move(created));
      result.client = client.id;
      client_made = true;
    } else {
      result.client = owner->id;
      COFFER_TRY(operations_.CheckWhole(owner->id.value));
      COFFER_ASSIGN(const auto key, transaction.PinKey(owner->id));
      record.terms.import_token = import_token_of(owner->id);
      for (const BlindToken& token : {*record.terms.import_token, first_version_token}) {
        COFFER_ASSIGN(const auto ids, stores.index.Find(token, 0, 1));
        if (ids.empty()) continue;
        COFFER_ASSIGN(before, stores.records.FindRow(ids.front()));
        if (before && before->client == owner->id.Row()) break;
        before.reset();
      }
      if (!before || !merged) COFFER_TRY(check_new());
      if (before) {
        COFFER_TRY(operations_.CheckWhole(before->id.value));
        COFFER_ASSIGN(written, ClassOf(transaction, before->class_name, before->class_version));
        if (!written->AllowsPurpose(caller.purpose)) {
          return Deny(call, "class-purpose", Code::kPermissionDenied, "purpose_not_allowed");
        }
        if (merged) {
          COFFER_ASSIGN(terms, TermsFor(operations_, transaction, call, decision, owner->id,
                                        *written, *schema));
          if (WritesNothing(terms.writable)) {
            return Deny(call, "fields", Code::kPermissionDenied, "field_not_writable");
          }
        } else {
          // What it replaces as a whole must be the importer's to write as well.
          COFFER_TRY(CheckWritable(call, *written, FieldViewsOf(decision, *written), kEveryField));
        }
        COFFER_ASSIGN(const Bytes plain,
                      key.Expose().Open(RecordContext(operations_.keyring(), owner->id, before->id,
                                                      before->class_name, before->version),
                                        before->payload));
        const ClassSchema& under = terms.newest ? *schema : *written;
        change.emplace();
        // The same to the byte, and all of it the caller's: nothing needs to be merged.
        if (terms.writable || !terms.newest || crypto::AsText(plain) != sealed_json) {
          auto changed = ChangeDocument(under, terms.writable, import.form, import.data,
                                        crypto::AsText(plain));
          if (!changed) return RefuseInput(call, std::move(changed).error());
          change = *std::move(changed);
          if (!terms.newest || change->document.json != sealed_json) {
            TakeDocument(record, operations_, terms, *written, *schema, *change);
            sealed_json = change->document.json;
          }
        }
        record.id = before->id;
        COFFER_TRY(OpenTermsOf(operations_.keyring(), key.Expose(), owner->id, *before));
        record.terms.import_token = before->terms.import_token;
        record.created = before->created;
        record.version = before->version;
        // What would be stored, and not what was sent: the class may have another version.
        COFFER_ASSIGN(const auto day, stores.records.FindRetentionDay(before->id.Row()));
        if (crypto::AsText(plain) == sealed_json && before->class_version == record.class_version &&
            (before->terms.tokens == record.terms.tokens ||
             before->terms.rules != record.terms.rules) &&  // which the rebuild makes anew
            day == record.retention_day) {
          result.outcome = ImportOutcome::kUnchanged;
        } else {
          result.outcome = ImportOutcome::kUpdated;
          ++record.version;
          COFFER_ASSIGN(result.removed, CountSeen(operations_, transaction, call, owner->id,
                                                  *written, change->removed));
        }
      }
      seal_for(owner->id, key.Expose());
    }
    result.record = record.id;
    call.entry.client = result.client.Text();
    Describe(call.entry, record, terms.newest ? schema.get() : written.get());
    if (before && result.outcome == ImportOutcome::kUnchanged) {
      call.entry.outcome = Name(result.outcome);
      return {};
    }
    call.entry.payload_hash = crypto::Sha256(record.payload);
    if (!before) return stores.records.Insert(record, stores.index);
    call.entry.fields = change->changed;
    COFFER_TRY(stores.records.Update(record, *before, stores.index));
    if (terms.newest) return {};
    COFFER_TRY(transaction.Of<ClientsState>().stores.records.PutDay(
        record.id.Row(), record.version, record.retention_day, schema->version));
    return {};
  });
  if (!imported || !client_made) operations_.engine().key_cache().Remove(client.id);
  if (!imported) return std::unexpected(std::move(imported).error());
  return result;
}

}  // namespace coffer::vault
