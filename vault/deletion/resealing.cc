#include "vault/deletion/resealing.h"

#include <atomic>
#include <limits>

#include "crypto/random.h"
#include "vault/access/access_state.h"
#include "vault/access/operations.h"
#include "vault/access/reasons.h"
#include "vault/access/restriction_bases.h"
#include "vault/clients/clients_state.h"
#include "vault/clients/record_operations.h"
#include "vault/clients/sealing_contexts.h"
#include "vault/deletion/deletion_state.h"
#include "vault/deletion/erasure.h"
#include "vault/deletion/hold.h"
#include "vault/deletion/hold_text.h"
#include "vault/rights/request_words.h"
#include "vault/rights/rights_state.h"

namespace coffer::vault {
namespace {

// Reading and changing what goes while the steps are taken makes them begin anew: so often at most.
constexpr int kMostBegins = 3;
// Other erasures of the client came between.
constexpr int kMostInterruptions = 10;
constexpr auto kEachRow = static_cast<std::size_t>(std::numeric_limits<int>::max());

std::atomic<std::uint64_t> last_stepwise{0};

std::optional<audit::Entry> EntryOf(LogStore& log, std::uint64_t seq, Status& status) {
  const auto bytes = log.ReadEntry(seq);
  if (!bytes) {
    status = std::unexpected(bytes.error());
    return std::nullopt;
  }
  if (!*bytes) return std::nullopt;
  auto entry = audit::ParseEntry(**bytes);
  if (!entry) return std::nullopt;
  return *std::move(entry);
}

}  // namespace

Resealing::Resealing(const Operations& operations, Transaction& transaction,
                     const ClientRow& client, PinnedKeys keys)
    : operations_(operations),
      transaction_(transaction),
      client_(client),
      from_(std::move(keys)),
      since_(transaction.NextSeq()) {}

Result<Resealing> Resealing::WithNewKey(const Operations& operations, Transaction& transaction,
                                        const ClientRow& client) {
  COFFER_ASSIGN(auto keys, transaction.PinKey(client.id));
  Resealing resealing(operations, transaction, client, std::move(keys));
  crypto::FillRandom(resealing.new_key_.emplace(crypto::kAeadKeyBytes).ExposeSecretForWriting());
  return resealing;
}

Result<Resealing> Resealing::GoOn(const Operations& operations, Transaction& transaction,
                                  const ClientRow& client, std::size_t most) {
  COFFER_ASSIGN(auto keys, transaction.PinKey(client.id));
  // What it sealed would be given up with it; it could still be of use to whoever mends it.
  if (transaction.IsResealing(client.id) && keys.Expose().older.empty()) {
    return Fail(Code::kCorrupted, "client_key_missing", "the older of a client's two keys");
  }
  Resealing resealing(operations, transaction, client, std::move(keys));
  resealing.left_ = most;
  return resealing;
}

ClientKeys Resealing::to() const {
  const ClientKeys from = from_.Expose();
  if (!new_key_) return from;
  return {new_key_->ExposeSecret(), from.generation + 1};
}

bool Resealing::Look() {
  if (left_ == 0) return false;
  if (left_ != kAll) --left_;
  return true;
}

Result<bool> Resealing::Record(RecordRow row, std::uint64_t& version) {
  RecordStore& records = transaction_.Of<ClientsState>().stores.records;
  const bool has_tokens = row.tokens.empty() || (IsSealed(row.tokens) && Has(row.tokens));
  if (version == 0) {
    if (!Look()) return false;
    if (!Has(row.payload) || !has_tokens) {
      Bytes tokens;
      if (OpenTermsOf(operations_.keyring(), from_.Expose(), client_.id, row)) {
        tokens = SealTerms(operations_.keyring(), to(), client_.id, row.id.value, row.terms);
      } else {
        // What the index has of it could not be taken out with it later on.
        unread_.push_back(row.id.Row());
      }
      COFFER_TRY(Seal(row.id, row.class_name, row.version, row.payload, [&](ByteView payload) {
        return records.Reseal(row.id.Row(), payload, tokens);
      }));
    }
  }
  COFFER_ASSIGN(const auto versions, records.ListVersions(row.id.Row()));
  for (const auto& listed : versions) {
    if (listed.version <= version) continue;
    if (!Look()) return false;
    version = listed.version;
    COFFER_ASSIGN(const auto old, records.FindVersion(row.id.Row(), listed.version));
    if (!old || Has(old->payload)) continue;
    COFFER_TRY(Seal(row.id, row.class_name, old->version, old->payload, [&](ByteView payload) {
      return records.ResealVersion(row.id.Row(), old->version, payload);
    }));
  }
  version = 0;
  return true;
}

Result<bool> Resealing::HasAny(const RecordRow& row) const {
  if (Has(row.payload) || (IsSealed(row.tokens) && Has(row.tokens))) return true;
  RecordStore& records = transaction_.Of<ClientsState>().stores.records;
  COFFER_ASSIGN(const auto versions, records.ListVersions(row.id.Row()));
  for (const auto& listed : versions) {
    COFFER_ASSIGN(const auto old, records.FindVersion(row.id.Row(), listed.version));
    if (old && Has(old->payload)) return true;
  }
  return false;
}

Result<bool> Resealing::Note(std::uint64_t seq, const audit::Entry& entry, ByteView sealed) {
  if (Has(sealed)) return true;
  const auto call = CallId::Parse(entry.request);
  if (!call) return false;
  const Bytes context = NoteContext(operations_.keyring(), *call);
  auto plain = from_.Expose().Open(context, sealed);
  if (!plain) return false;
  LogStore& log = *transaction_.stores().log;
  COFFER_TRY(log.DeleteNote(client_.id.Row(), seq));
  COFFER_TRY(log.PutNote(client_.id.Row(), seq, to().Seal(context, *plain)));
  crypto::Wipe(*plain);
  ++sealed_;
  return true;
}

Status Resealing::Notes(FunctionRef<bool(const audit::Entry&)> is_gone) {
  LogStore& log = *transaction_.stores().log;
  COFFER_ASSIGN(const auto notes, log.ListNotes(client_.id.Row()));
  for (const auto& [seq, sealed] : notes) {
    Status read;
    const auto entry = EntryOf(log, seq, read);
    COFFER_TRY(read);
    bool kept = entry && !is_gone(*entry);
    if (kept) {
      COFFER_ASSIGN(kept, Note(seq, *entry, sealed));
    }
    if (!kept) COFFER_TRY(log.DeleteNote(client_.id.Row(), seq));
  }
  return {};
}

// What does not open stays as it is.
Status Resealing::Restrictions() {
  RestrictionStore& store = transaction_.Of<AccessState>().stores.restrictions;
  COFFER_ASSIGN(const auto bases, store.BasesOf(client_.id));
  for (const auto& [id, sealed] : bases) {
    const Bytes context = RestrictionContext(operations_.keyring(), client_.id, id);
    auto plain = from_.Expose().Open(context, sealed);
    if (!plain) continue;
    COFFER_TRY(store.Reseal(client_.id, id, to().Seal(context, *plain)));
    crypto::Wipe(*plain);
  }
  return {};
}

// What does not open stays as it is.
Status Resealing::Requests() {
  RequestStore& store = transaction_.Of<RightsState>().requests;
  COFFER_ASSIGN(const auto words, store.WordsOf(client_.id));
  for (const auto& [id, number, sealed] : words) {
    const auto resealed =
        ResealWords(operations_.keyring(), from_.Expose(), to(), id, number, sealed);
    if (resealed) COFFER_TRY(store.PutWords(id, number, *resealed));
  }
  return {};
}

// Their words.
Status Resealing::Holds() {
  HoldStore& store = transaction_.Of<DeletionState>().stores.holds;
  COFFER_ASSIGN(auto holds, store.ListOf(client_.id));
  for (Hold& hold : holds) {
    if (!OpenHoldText(operations_.keyring(), from_.Expose(), hold)) continue;
    COFFER_TRY(store.PutSealed(hold.id, SealHoldText(operations_.keyring(), to(), hold)));
  }
  return {};
}

Status Resealing::Finish(bool whatever_the_profile) {
  const Bytes wrapped =
      operations_.keyring().WrapDataKey(new_key_->ExposeSecret(), client_.id.value);
  COFFER_TRY(Profile(whatever_the_profile));
  transaction_.AddKey(client_.id, wrapped, client_.generation);
  return {};
}

Status Resealing::FinishFirst(std::uint64_t who) {
  Bytes wrapped = operations_.keyring().WrapDataKey(new_key_->ExposeSecret(), client_.id.value);
  COFFER_TRY(Profile(false));
  transaction_.BeginResealing(client_.id, std::move(wrapped), client_.generation, who);
  return {};
}

Status Resealing::Profile(bool whatever_it_is) {
  const Bytes context = ClientContext(operations_.keyring(), client_.id, client_.version);
  auto plain = from_.Expose().Open(context, client_.profile);
  if (!plain && !whatever_it_is) return std::unexpected(std::move(plain).error());
  const auto opened = OpenReferenceOf(operations_.keyring(), from_.Expose(), client_);
  if (!opened && !whatever_it_is) return std::unexpected(opened.error());
  if (client_.reference) {
    client_.ref = SealReference(operations_.keyring(), to(), client_.id, *client_.reference);
  }
  if (plain) {
    client_.profile = to().Seal(context, *plain);
    crypto::Wipe(*plain);
    audit::Entry entry;
    entry.action = kClientReseal;
    entry.client = client_.id.Text();
    entry.version = client_.version;
    entry.payload_hash = crypto::Sha256(client_.profile);
    transaction_.Also(std::move(entry));
  } else {
    ++unopened_;
  }
  ++client_.generation;
  return transaction_.Of<ClientsState>().stores.clients.Reseal(client_, since_);
}

// What does not open stays as it is: it is found out when it is read, as before.
Status Resealing::Seal(const RecordId& record, std::string_view class_name, std::uint64_t version,
                       ByteView sealed, FunctionRef<Status(ByteView)> store) {
  const Bytes context =
      RecordContext(operations_.keyring(), client_.id, record, class_name, version);
  auto plain = from_.Expose().Open(context, sealed);
  if (!plain) {
    ++unopened_;
    return {};
  }
  const Bytes payload = to().Seal(context, *plain);
  crypto::Wipe(*plain);
  COFFER_TRY(store(payload));
  ++sealed_;
  audit::Entry entry;
  entry.action = kRecordReseal;
  entry.client = client_.id.Text();
  entry.record = record.Text();
  entry.class_name = class_name;
  entry.version = version;
  entry.payload_hash = crypto::Sha256(payload);
  transaction_.Also(std::move(entry));
  return {};
}

bool Resealing::Opens(const RecordRow& row) const {
  auto plain = from_.Expose().Open(
      RecordContext(operations_.keyring(), client_.id, row.id, row.class_name, row.version),
      row.payload);
  if (plain) crypto::Wipe(*plain);
  return plain.has_value();
}

Result<std::optional<Resealed>> FindLeftUnderGoneKey(const Operations& operations,
                                                     Transaction& transaction,
                                                     const ClientRow& client,
                                                     const std::set<std::int64_t>& going,
                                                     std::string_view class_name) {
  Stores& stores = transaction.stores();
  if (client.generation == 0) return std::nullopt;
  COFFER_ASSIGN(const auto older, stores.keys.Find({client.id, client.generation - 1}));
  if (older) return std::nullopt;
  const auto current = Resealing::GoOn(operations, transaction, client, 0);
  if (!current && current.error().code == Code::kUnavailable) {
    return std::unexpected(current.error());
  }
  // Generations that earlier versions began name no key.
  if (!current || !current->Has(client.profile)) return std::nullopt;
  std::set<std::string, std::less<>> gone;
  Resealed left;
  COFFER_ASSIGN(const auto owned, transaction.Of<ClientsState>().stores.records.ListOf(
                                      client.id.Row(), {}, -1, kEachRow));
  for (const std::int64_t id : owned) {
    COFFER_ASSIGN(const auto record, transaction.Of<ClientsState>().stores.records.FindRow(id));
    if (!record) continue;
    if (!going.contains(id)) {
      if (!current->Has(record->payload)) ++left.unopened;
      continue;
    }
    COFFER_ASSIGN(const bool has, current->HasAny(*record));
    if (has || current->Opens(*record)) return std::nullopt;
    gone.insert(record->id.Text());
  }
  if (gone.empty()) return std::nullopt;
  COFFER_ASSIGN(const auto notes, stores.log->ListNotes(client.id.Row()));
  for (const auto& [seq, sealed] : notes) {
    Status read;
    const auto entry = EntryOf(*stores.log, seq, read);
    COFFER_TRY(read);
    const bool goes = entry && (gone.contains(entry->record) ||
                                (!class_name.empty() && entry->class_name == class_name));
    if (!goes) continue;
    if (current->Has(sealed)) return std::nullopt;
    left.gone_notes.push_back(seq);
  }
  return left;
}

StepwiseResealing::StepwiseResealing(const Operations& operations)
    : operations_(operations), who_(++last_stepwise) {}

Result<bool> StepwiseResealing::IsSmall(Transaction& transaction, const ClientRow& client) {
  auto& stores = transaction.Of<ClientsState>().stores;
  COFFER_ASSIGN(std::size_t count, stores.records.CountSealed(client.id.Row(), kResealsAtOnce + 1));
  if (count > kResealsAtOnce) return false;
  COFFER_ASSIGN(const auto notes, transaction.stores().log->ListNotes(client.id.Row(), 0,
                                                                      kResealsAtOnce + 1 - count));
  return count + notes.size() <= kResealsAtOnce;
}

// What goes may be other records than at the last step.
Status StepwiseResealing::Follow(Transaction& transaction, const ErasureOrder& order) {
  if (begun_ && order.rows == rows_) return {};
  begun_ = true;
  scope_ = order.scope;
  class_name_ = order.class_name;
  records_ = {order.records.begin(), order.records.end()};
  rows_ = order.rows;
  texts_.clear();
  for (const RecordId& id : records_) texts_.insert(id.Text());
  for (const std::int64_t row : rows_) {
    COFFER_ASSIGN(const auto record, transaction.Of<ClientsState>().stores.records.FindRow(row));
    if (record) texts_.insert(record->id.Text());
  }
  StartRound();
  return {};
}

bool StepwiseResealing::Goes(const RecordRow& row) const {
  return scope_ == ErasureScope::kClass ? row.class_name == class_name_
                                        : records_.contains(row.id) || rows_.contains(row.id.Row());
}

bool StepwiseResealing::Goes(const audit::Entry& entry) const {
  return texts_.contains(entry.record) ||
         (scope_ == ErasureScope::kClass && entry.class_name == class_name_);
}

void StepwiseResealing::StartRound() {
  stage_ = Stage::kRecords;
  at_class_.clear();
  at_record_ = -1;
  at_version_ = 0;
  at_note_ = 0;
  sealed_any_ = false;
  found_.gone_notes.clear();
  found_.unopened = 0;
}

Status StepwiseResealing::Begin(Transaction& transaction, const ClientRow& client) {
  COFFER_ASSIGN(auto resealing, Resealing::WithNewKey(operations_, transaction, client));
  COFFER_TRY(resealing.Holds());
  COFFER_TRY(resealing.Restrictions());
  COFFER_TRY(resealing.Requests());
  COFFER_TRY(resealing.FinishFirst(who_));
  ++begins_;
  generation_ = client.generation + 1;
  mixed_ = false;
  StartRound();
  return {};
}

Result<bool> StepwiseResealing::Advance(Transaction& transaction, const ClientRow& client,
                                        const ErasureOrder& order) {
  ready_ = false;
  if (!begun_) {
    COFFER_ASSIGN(const bool small, IsSmall(transaction, client));
    if (small) return true;
  }
  COFFER_TRY(Follow(transaction, order));
  const ResealingState* const state = transaction.ResealingOf(client.id);
  if (state == nullptr) {
    if (begins_ == kMostBegins) return true;
    COFFER_TRY(Begin(transaction, client));
    return false;
  }
  const bool is_own = state->by == who_ && generation_ == client.generation;
  // What is gone already of a class cannot be seen in the rows: the newer key sealed it, and would
  // open it in a copy of them. Of single records nothing goes before they do.
  if (scope_ == ErasureScope::kClass && !mixed_ &&
      (!is_own || state->deleted_classes.contains(class_name_))) {
    mixed_ = true;
    StartRound();
  }
  if (!is_own) {
    if (++interrupted_ > kMostInterruptions) return true;
    generation_ = client.generation;
    transaction.ResealBy(client.id, who_);
    StartRound();
  }
  COFFER_ASSIGN(auto resealing, Resealing::GoOn(operations_, transaction, client, kResealsAtOnce));
  if (stage_ == Stage::kRecords) COFFER_TRY(StepRecords(transaction, client, resealing));
  if (stage_ == Stage::kNotes) COFFER_TRY(StepNotes(transaction, client, resealing));
  if (resealing.sealed() > 0) sealed_any_ = true;
  found_.unopened += resealing.unopened();
  if (!resealing.unread().empty()) {
    transaction.Of<ClientsState>().stores.index.NoteUnread(resealing.unread(), std::nullopt);
  }
  if (mixed_ && begins_ == kMostBegins) return true;
  if (stage_ != Stage::kEnd) return false;
  return EndRound(transaction, client, resealing);
}

Result<bool> StepwiseResealing::EndRound(Transaction& transaction, const ClientRow& client,
                                         const Resealing& resealing) {
  if (sealed_any_) {
    StartRound();
    return false;
  }
  if (mixed_) {
    COFFER_TRY(Begin(transaction, client));
    return false;
  }
  COFFER_ASSIGN(mixed_, AnyMixed(transaction, client, resealing));
  if (mixed_) {
    StartRound();
    return begins_ == kMostBegins;
  }
  ready_ = true;
  return true;
}

// Of what goes, something was written since it was passed.
Result<bool> StepwiseResealing::AnyMixed(Transaction& transaction, const ClientRow& client,
                                         const Resealing& resealing) const {
  RecordStore& records = transaction.Of<ClientsState>().stores.records;
  std::set<std::int64_t> rows = rows_;
  for (const RecordId& id : records_) rows.insert(id.Row());
  if (scope_ == ErasureScope::kClass) {
    COFFER_ASSIGN(const auto owned, records.ListOf(client.id.Row(), class_name_, -1, kEachRow));
    rows.insert(owned.begin(), owned.end());
  }
  for (const std::int64_t row : rows) {
    COFFER_ASSIGN(const auto record, records.FindRow(row));
    if (!record || record->client != client.id.Row()) continue;
    COFFER_ASSIGN(const bool mixed, resealing.HasAny(*record));
    if (mixed) return true;
  }
  return false;
}

Status StepwiseResealing::StepRecords(Transaction& transaction, const ClientRow& client,
                                      Resealing& resealing) {
  RecordStore& records = transaction.Of<ClientsState>().stores.records;
  COFFER_ASSIGN(const auto owned,
                records.ListByClass(client.id.Row(), at_class_, at_record_, kResealsAtOnce));
  for (const auto& [class_name, id] : owned) {
    COFFER_ASSIGN(auto record, records.FindRow(id));
    if (record && Goes(*record) && !mixed_) {
      if (!resealing.Look()) return {};
      COFFER_ASSIGN(mixed_, resealing.HasAny(*record));
      if (mixed_) {
        StartRound();
        return {};
      }
    } else if (record) {
      if (at_partly_ != id) at_version_ = 0;
      at_partly_ = id;
      COFFER_ASSIGN(const bool whole, resealing.Record(*std::move(record), at_version_));
      if (!whole) return {};
    }
    at_class_ = class_name;
    at_record_ = id;
  }
  if (owned.size() < kResealsAtOnce) stage_ = Stage::kNotes;
  return {};
}

Status StepwiseResealing::StepNotes(Transaction& transaction, const ClientRow& client,
                                    Resealing& resealing) {
  LogStore& log = *transaction.stores().log;
  COFFER_ASSIGN(const auto notes, log.ListNotes(client.id.Row(), at_note_, kResealsAtOnce));
  for (const auto& [seq, sealed] : notes) {
    if (!resealing.Look()) return {};
    at_note_ = seq + 1;
    Status read;
    const auto entry = EntryOf(log, seq, read);
    COFFER_TRY(read);
    const bool goes = entry && Goes(*entry);
    if (goes && !mixed_ && resealing.Has(sealed)) {
      mixed_ = true;
      StartRound();
      return {};
    }
    bool kept = entry && (!goes || mixed_);
    if (kept) {
      COFFER_ASSIGN(kept, resealing.Note(seq, *entry, sealed));
    }
    if (!kept) found_.gone_notes.push_back(seq);
  }
  if (notes.size() < kResealsAtOnce) stage_ = Stage::kEnd;
  return {};
}

}  // namespace coffer::vault
