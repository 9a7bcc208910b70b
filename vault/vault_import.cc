// Import: one client by its reference, and one record of it.
#include <nlohmann/json.hpp>

#include "crypto/random.h"
#include "vault/internal/client_operations.h"
#include "vault/internal/core.h"
#include "vault/internal/record_operations.h"
#include "vault/internal/record_view.h"
#include "vault/strict_json.h"
#include "vault/vault.h"
#include "vault/words.h"

namespace coffer::vault {
namespace {

constexpr std::size_t kMaxImportKey = 200;  // external_ref, record_key

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

Status Vault::MayImport(const Caller& caller, std::string_view class_name) {
  constexpr Action kAction = Action::kRecordImport;
  const auto schema = core_->engine->catalog()->Newest(class_name);
  if (!schema) {
    return std::unexpected(Refuse(caller, kAction, std::nullopt, std::nullopt,
                                  {Code::kUnprocessable, "class_unknown", {}, {}}));
  }
  Call call = core_->StartCall(caller, kAction);
  return core_->Perform(
      OperationKind::kRead, call, std::nullopt, schema.get(),
      [](Transaction&) -> Status { return {}; }, EntryRule::kOnRefusal);
}

Result<ImportResult> Vault::ImportRecord(const Caller& caller, const ImportRow& import) {
  constexpr Action kAction = Action::kRecordImport;
  auto refuse = [&](Error error) {
    return std::unexpected(Refuse(caller, kAction, std::nullopt, std::nullopt, std::move(error)));
  };
  const auto schema = core_->engine->catalog()->Newest(import.class_name);
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
  const auto document = ParseDocument(*schema, import.data);
  if (!document) return refuse(document.error());

  Call call = core_->StartCall(caller, kAction);
  // Prepared for the usual case, that the client is new.
  ClientRow client;
  client.id = ClientId::New(core_->Now());
  client.reference = core_->ReferenceToken(import.external_ref);
  COFFER_ASSIGN(auto pinned, core_->engine->key_cache().FindOrInsert(
                                 client.id, [](std::span<std::uint8_t> slot) {
                                   crypto::FillRandom(slot);
                                   return Result<std::uint64_t>(0);
                                 }));
  const PinnedKeys new_pin(std::move(pinned));
  const ClientKeys new_key = new_pin.Expose();
  client.profile = new_key.Seal(core_->ClientContext(client.id, client.version),
                                crypto::AsBytes(import.external_ref));
  client.ref = SealReference(core_->keyring, new_key, client.id, *client.reference);
  const Bytes wrapped = core_->keyring.WrapDataKey(new_key.current, client.id.value);

  RecordRow record;
  record.id = RecordId::New(core_->Now());
  record.class_name = schema->name;
  record.class_version = schema->version;
  record.version = 1;
  record.fields = document->fields;
  record.terms = core_->TermsOf(*schema, document->indexed);
  record.retention_day = RetentionDay(*schema, import.data);
  // A record's identity to imports is its client, class and key: the reference may go to another
  // client, and a client may get another reference.
  const auto import_token_of = [&](const ClientId& owner) {
    return core_->FieldToken(schema->name, "$import", owner.Text() + ":" + import.record_key);
  };
  // Records that were imported by the first version are found by what they were given then.
  const BlindToken first_version_token = core_->FieldToken(
      schema->name, "$import",
      std::to_string(import.external_ref.size()) + ":" + import.external_ref + import.record_key);
  auto seal_for = [&](const ClientId& owner, const ClientKeys& keys) {
    record.client = owner.Row();
    record.payload =
        keys.Seal(core_->RecordContext(owner, record.id, record.class_name, record.version),
                  crypto::AsBytes(document->json));
    record.tokens = SealTerms(core_->keyring, keys, owner, record.id.value, record.terms);
  };
  record.terms.import_token = import_token_of(client.id);
  seal_for(client.id, new_key);

  ImportResult result;
  bool client_made = false;
  auto imported = core_->Perform(
      OperationKind::kWrite, call, std::nullopt, schema.get(),
      [&](Transaction& transaction) -> Status {
        COFFER_TRY(ClassStands(transaction, *schema));
        Stores& stores = transaction.stores();
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
            core_->DecisionOn(transaction, call, owner ? owner->id : client.id, schema.get()));
        if (!decision.allowed) {
          call.entry.decision = audit::Decision::kDeny;
          call.entry.rule = decision.rule;
          if (decision.rule == "check:restricted") return std::unexpected(decision.error);
          return Fail(Code::kPermissionDenied, "permission_denied");
        }
        COFFER_TRY(CheckWritable(call, *schema, FieldViewsOf(decision, *schema), document->fields));
        std::optional<RecordRow> before;
        if (!owner) {
          COFFER_TRY(RequireNotErasedBefore(*core_, transaction, call, import.external_ref,
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
          COFFER_TRY(core_->CheckWhole(owner->id.value));
          COFFER_ASSIGN(const auto key, transaction.PinKey(owner->id));
          record.terms.import_token = import_token_of(owner->id);
          for (const BlindToken& token : {*record.terms.import_token, first_version_token}) {
            COFFER_ASSIGN(const auto ids, stores.index.Find(token, 0, 1));
            if (ids.empty()) continue;
            COFFER_ASSIGN(before, stores.records.FindRow(ids.front()));
            if (before && before->client == owner->id.Row()) break;
            before.reset();
          }
          if (before) {
            COFFER_TRY(core_->CheckWhole(before->id.value));
            // What it replaces as a whole must be the importer's to write as well.
            COFFER_ASSIGN(const auto written,
                          ClassOf(transaction, before->class_name, before->class_version));
            if (!written->AllowsPurpose(caller.purpose)) {
              return Deny(call, "class-purpose", Code::kPermissionDenied, "purpose_not_allowed");
            }
            COFFER_TRY(
                CheckWritable(call, *written, FieldViewsOf(decision, *written), kEveryField));
            COFFER_ASSIGN(
                const Bytes plain,
                key.Expose().Open(core_->RecordContext(owner->id, before->id, before->class_name,
                                                       before->version),
                                  before->payload));
            record.id = before->id;
            COFFER_TRY(OpenTermsOf(core_->keyring, key.Expose(), owner->id, *before));
            record.terms.import_token = before->terms.import_token;
            record.created = before->created;
            record.version = before->version;
            // What would be stored, and not what was sent: the class may have another version.
            COFFER_ASSIGN(const auto day, stores.records.FindRetentionDay(before->id.Row()));
            if (crypto::AsText(plain) == document->json &&
                before->class_version == record.class_version &&
                (before->terms.tokens == record.terms.tokens ||
                 before->terms.rules != record.terms.rules) &&  // which the rebuild makes anew
                day == record.retention_day) {
              result.outcome = ImportOutcome::kUnchanged;
            } else {
              result.outcome = ImportOutcome::kUpdated;
              ++record.version;
            }
          }
          seal_for(owner->id, key.Expose());
        }
        result.record = record.id;
        call.entry.client = result.client.Text();
        Describe(call.entry, record, schema.get());
        if (before && result.outcome == ImportOutcome::kUnchanged) {
          call.entry.outcome = Name(result.outcome);
          return {};
        }
        call.entry.payload_hash = crypto::Sha256(record.payload);
        return before ? stores.records.Update(record, *before, stores.index)
                      : stores.records.Insert(record, stores.index);
      });
  if (!imported || !client_made) core_->engine->key_cache().Remove(client.id);
  if (!imported) return std::unexpected(std::move(imported).error());
  return result;
}

}  // namespace coffer::vault
