#include "vault/clients/row_import.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "crypto/random.h"
#include "vault/access/access_policy.h"
#include "vault/access/caller.h"
#include "vault/base/words.h"
#include "vault/catalog/catalog_state.h"
#include "vault/clients/blind_tokens.h"
#include "vault/clients/client_operations.h"
#include "vault/clients/clients_state.h"
#include "vault/clients/record.h"
#include "vault/clients/record_change.h"
#include "vault/clients/record_operations.h"
#include "vault/clients/record_view.h"
#include "vault/clients/sealing_contexts.h"

namespace coffer::vault {
namespace {

constexpr Action kAction = Action::kRecordImport;
constexpr std::size_t kMaxImportKey = 200;  // external_ref, record_key

bool HasNull(const nlohmann::json& data) {
  return data.is_object() &&
         std::ranges::any_of(data, [](const nlohmann::json& value) { return value.is_null(); });
}

std::vector<Issue> FaultsOf(const ImportRow& row) {
  std::vector<Issue> issues;
  if (!IsWords(row.external_ref, kMaxImportKey)) {
    issues.push_back({"/external_ref", WordsRule(kMaxImportKey)});
  }
  if (!row.record_key.empty() && !IsWords(row.record_key, kMaxImportKey)) {
    issues.push_back({"/record_key", WordsRule(kMaxImportKey)});
  }
  return issues;
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

struct RowImport::Target {
  std::optional<PinnedKeys> key;
  AccessDecision decision;
  std::optional<RecordRow> before;
  std::shared_ptr<const ClassSchema> written;  // under which `before` was
  std::optional<ChangedDocument> change;
  UpdateTerms terms;
};

RowImport::RowImport(const Operations& operations, const Caller& caller, const ImportRow& row,
                     RowGroup& group)
    : operations_(operations),
      caller_(caller),
      row_(row),
      group_(group),
      merged_(row.form == ChangeForm::kMergePatch) {
  client_.id = ClientId::New(operations_.Now());
  record_.id = RecordId::New(operations_.Now());
}

void RowImport::Refuse(Error error) {
  call_.emplace(operations_.Start(caller_, {kAction}));
  refused_ = std::move(error);
}

Status RowImport::Prepare() {
  if (row_.unreadable != nullptr) {
    Refuse(*row_.unreadable);
    return {};
  }
  schema_ = operations_.engine().Of<CatalogState>().Published()->Newest(row_.class_name);
  if (!schema_) {
    Refuse({Code::kUnprocessable, "class_unknown", {}, {}});
    return {};
  }
  if (auto issues = FaultsOf(row_); !issues.empty()) {
    Refuse({Code::kUnprocessable, "import_invalid", {}, std::move(issues)});
    return {};
  }
  std::optional<nlohmann::json> without_nulls;
  if (merged_ && HasNull(row_.data)) without_nulls = WithoutNulls(*schema_, row_.data);
  const nlohmann::json& made_of = without_nulls ? *without_nulls : row_.data;
  document_.emplace(ParseDocument(*schema_, made_of));
  // What is merged may be whole only with what is there already.
  if (!*document_ && !merged_) {
    Refuse(document_->error());
    return {};
  }
  call_.emplace(operations_.Start(
      caller_, {.action = kAction, .kind = OperationKind::kWrite, .record_class = schema_.get()}));
  record_.class_name = schema_->name;
  record_.class_version = schema_->version;
  record_.version = 1;
  if (const auto& document = *document_) {
    record_.fields = document->fields;
    record_.terms = TermsOf(operations_.keyring(), *schema_, document->indexed);
    record_.retention_day = RetentionDay(*schema_, made_of);
    sealed_json_ = document->json;
  }
  return SealClient();
}

Status RowImport::SealClient() {
  const auto& keyring = operations_.keyring();
  client_.reference = ReferenceToken(keyring, row_.external_ref);
  COFFER_ASSIGN(auto pinned, operations_.engine().key_cache().FindOrInsert(
                                 client_.id, [](std::span<std::uint8_t> slot) {
                                   crypto::FillRandom(slot);
                                   return Result<std::uint64_t>(0);
                                 }));
  // It is nobody's key yet, and seals nothing more here.
  operations_.engine().key_cache().Remove(client_.id);
  const PinnedKeys pin(std::move(pinned));
  const ClientKeys key = pin.Expose();
  client_.profile = key.Seal(ClientContext(keyring, client_.id, client_.version),
                             crypto::AsBytes(row_.external_ref));
  client_.ref = SealReference(keyring, key, client_.id, *client_.reference);
  wrapped_key_ = keyring.WrapDataKey(key.current, client_.id.value);
  record_.terms.import_token = ImportTokenOf(client_.id);
  if (*document_) SealRecord(client_.id, key);
  return {};
}

// A record's identity to imports is its client, class and key: the reference may go to another
// client, and a client may get another reference.
BlindToken RowImport::ImportTokenOf(const ClientId& owner) const {
  return FieldToken(operations_.keyring(), schema_->name, "$import",
                    owner.Text() + ":" + row_.record_key);
}

void RowImport::SealRecord(const ClientId& owner, const ClientKeys& keys) {
  const auto& keyring = operations_.keyring();
  record_.client = owner.Row();
  record_.payload =
      keys.Seal(RecordContext(keyring, owner, record_.id, record_.class_name, record_.version),
                crypto::AsBytes(sealed_json_));
  record_.tokens = SealTerms(keyring, keys, owner, record_.id.value, record_.terms);
}

Status RowImport::CheckNew(const AccessDecision& decision) {
  const auto& document = *document_;
  COFFER_TRY(CheckWritable(*call_, *schema_, FieldViewsOf(decision, *schema_),
                           document ? document->fields : 0));
  if (!document) return RefuseInput(*call_, document.error());
  return {};
}

Status RowImport::MakeClient(Transaction& transaction) {
  auto& stores = transaction.Of<ClientsState>().stores;
  COFFER_TRY(RequireNotErasedBefore(operations_, transaction, *call_, row_.external_ref,
                                    row_.accept_erased));
  client_.created = client_.updated = transaction.now();
  COFFER_TRY(stores.clients.Insert(client_, stores.index));
  transaction.AddKey(client_.id, wrapped_key_);
  audit::Entry created;
  created.action = Name(Action::kClientCreate);
  created.client = client_.id.Text();
  created.fields = {"external_ref"};
  created.version = client_.version;
  created.payload_hash = crypto::Sha256(client_.profile);
  created.outcome = "ok";
  transaction.Also(std::move(created));
  client_made_ = true;
  return {};
}

// The record of the client that an import of this key made.
Result<std::optional<RecordRow>> RowImport::FindRecord(Transaction& transaction,
                                                       const ClientRow& owner) {
  auto& stores = transaction.Of<ClientsState>().stores;
  // Records that were imported by the first version are found by what they were given then.
  const BlindToken first_version = FieldToken(
      operations_.keyring(), schema_->name, "$import",
      std::to_string(row_.external_ref.size()) + ":" + row_.external_ref + row_.record_key);
  for (const BlindToken& token : {*record_.terms.import_token, first_version}) {
    COFFER_ASSIGN(const auto ids, stores.index.Find(token, 0, 1));
    if (ids.empty()) continue;
    COFFER_ASSIGN(auto found, stores.records.FindRow(ids.front()));
    if (found && found->client == owner.id.Row()) return found;
  }
  return std::nullopt;
}

// What becomes of the record that is there.
Status RowImport::ChangeRecord(Transaction& transaction, const ClientRow& owner, Target& target) {
  auto& [key, decision, before, written, change, terms] = target;
  const auto& keyring = operations_.keyring();
  COFFER_TRY(operations_.CheckWhole(before->id.value));
  COFFER_ASSIGN(written, ClassOf(transaction, before->class_name, before->class_version));
  if (!written->AllowsPurpose(caller_.purpose)) {
    return Deny(*call_, "class-purpose", Code::kPermissionDenied, "purpose_not_allowed");
  }
  if (merged_) {
    COFFER_ASSIGN(
        terms, TermsFor(operations_, transaction, *call_, decision, owner.id, *written, *schema_));
    if (WritesNothing(terms.writable)) {
      return Deny(*call_, "fields", Code::kPermissionDenied, "field_not_writable");
    }
  } else {
    // What it replaces as a whole must be the importer's to write as well.
    COFFER_TRY(CheckWritable(*call_, *written, FieldViewsOf(decision, *written), kEveryField));
  }
  COFFER_ASSIGN(const Bytes plain,
                key->Expose().Open(RecordContext(keyring, owner.id, before->id, before->class_name,
                                                 before->version),
                                   before->payload));
  const ClassSchema& under = terms.newest ? *schema_ : *written;
  change.emplace();
  // The same to the byte, and all of it the caller's: nothing needs to be merged.
  if (terms.writable || !terms.newest || crypto::AsText(plain) != sealed_json_) {
    auto changed =
        ChangeDocument(under, terms.writable, row_.form, row_.data, crypto::AsText(plain));
    if (!changed) return RefuseInput(*call_, std::move(changed).error());
    change = *std::move(changed);
    if (!terms.newest || change->document.json != sealed_json_) {
      TakeDocument(record_, operations_, terms, *written, *schema_, *change);
      sealed_json_ = change->document.json;
    }
  }
  record_.id = before->id;
  COFFER_TRY(OpenTermsOf(keyring, key->Expose(), owner.id, *before));
  record_.terms.import_token = before->terms.import_token;
  record_.created = before->created;
  record_.version = before->version;
  // What would be stored, and not what was sent: the class may have another version.
  COFFER_ASSIGN(const auto day,
                transaction.Of<ClientsState>().stores.records.FindRetentionDay(before->id.Row()));
  if (crypto::AsText(plain) == sealed_json_ && before->class_version == record_.class_version &&
      (before->terms.tokens == record_.terms.tokens ||
       before->terms.rules != record_.terms.rules) &&  // which the rebuild makes anew
      day == record_.retention_day) {
    result_.outcome = ImportOutcome::kUnchanged;
    return {};
  }
  result_.outcome = ImportOutcome::kUpdated;
  ++record_.version;
  COFFER_ASSIGN(result_.removed,
                CountSeen(operations_, transaction, *call_, owner.id, *written, change->removed));
  return {};
}

Status RowImport::Again(Transaction& transaction) {
  if (!group_.last_time) transaction.WillBeDoneAgain();
  return Fail(Code::kConflict, kClassChanged);
}

Status RowImport::operator()(Transaction& transaction) {
  Call& call = *call_;
  if (group_.class_changed) return Again(transaction);
  if (refused_) {
    call.entry.decision = audit::Decision::kDeny;
    call.entry.rule = "check:input";
    return Fail(refused_->code, refused_->reason);
  }
  if (!ClassStands(transaction, *schema_)) {
    group_.class_changed = true;
    return Again(transaction);
  }
  auto& stores = transaction.Of<ClientsState>().stores;
  record_.created = record_.updated = transaction.now();
  COFFER_ASSIGN(const auto existing, stores.index.FindReference(*client_.reference));
  std::optional<ClientRow> owner;
  if (existing) {
    COFFER_ASSIGN(owner, stores.clients.FindRow(*existing));
    if (!owner) {
      return Fail(Code::kCorrupted, "storage_corrupted", "a reference names no client");
    }
    call.entry.client = owner->id.Text();
  }
  // A new client is assigned to nobody and has no tags.
  Target target;
  COFFER_ASSIGN(
      target.decision,
      operations_.DecisionOn(transaction, call, owner ? owner->id : client_.id, schema_.get()));
  if (!target.decision.allowed) {
    call.entry.decision = audit::Decision::kDeny;
    call.entry.rule = target.decision.rule;
    if (Operations::IsStop(target.decision)) return std::unexpected(target.decision.error);
    return Fail(Code::kPermissionDenied, "permission_denied");
  }
  if (!owner) {
    COFFER_TRY(Operations::RequireNoConsent(transaction, call));
    COFFER_TRY(CheckNew(target.decision));
    COFFER_TRY(MakeClient(transaction));
    result_.client = client_.id;
  } else {
    result_.client = owner->id;
    COFFER_TRY(operations_.CheckWhole(owner->id.value));
    COFFER_ASSIGN(target.key, transaction.PinKey(owner->id));
    record_.terms.import_token = ImportTokenOf(owner->id);
    COFFER_ASSIGN(target.before, FindRecord(transaction, *owner));
    if (!target.before || !merged_) COFFER_TRY(CheckNew(target.decision));
    if (target.before) COFFER_TRY(ChangeRecord(transaction, *owner, target));
    if (result_.outcome != ImportOutcome::kUnchanged) {
      SealRecord(owner->id, target.key->Expose());
    }
  }
  const bool newest = target.terms.newest;
  result_.record = record_.id;
  call.entry.client = result_.client.Text();
  Describe(call.entry, record_, newest ? schema_.get() : target.written.get());
  if (result_.outcome == ImportOutcome::kUnchanged) {
    call.entry.outcome = Name(result_.outcome);
    return {};
  }
  call.entry.payload_hash = crypto::Sha256(record_.payload);
  if (!target.before) return stores.records.Insert(record_, stores.index);
  call.entry.fields = target.change->changed;
  COFFER_TRY(stores.records.Update(record_, *target.before, stores.index));
  if (newest) return {};
  COFFER_TRY(stores.records.PutDay(record_.id.Row(), record_.version, record_.retention_day,
                                   schema_->version));
  return {};
}

Result<ImportResult> RowImport::Finish(const Status& performed) {
  if (performed) return result_;
  // Of a client that is not there its operation may have used the key.
  if (client_made_) operations_.engine().key_cache().Remove(client_.id);
  if (refused_ && performed.error().reason == refused_->reason) return std::unexpected(*refused_);
  return std::unexpected(performed.error());
}

}  // namespace coffer::vault
