#include "vault/internal/erase.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_set>

#include "audit/erasure_scope.h"
#include "crypto/random.h"
#include "vault/internal/client_operations.h"
#include "vault/internal/hold_text.h"
#include "vault/internal/record_operations.h"
#include "vault/strict_json.h"

namespace coffer::vault {
namespace {

constexpr auto kEveryRecord = static_cast<std::size_t>(std::numeric_limits<int>::max());

// What stays of one client, under its new key.
class Resealing {
 public:
  static Result<Resealing> Begin(const Vault::Core& core, Transaction& transaction,
                                 const ClientRow& client) {
    COFFER_ASSIGN(auto old_key, transaction.PinKey(client.id));
    return Resealing(core, transaction, client, std::move(old_key));
  }

  Status Record(RecordRow row) {
    Bytes tokens;
    if (OpenTermsOf(core_.keyring, old_key_.ExposeSecret(), client_.id, row)) {
      tokens =
          SealTerms(core_.keyring, new_key_.ExposeSecret(), client_.id, row.id.value, row.terms);
    } else {
      // What the index has of it could not be taken out with it later on.
      unread_.push_back(row.id.Row());
    }
    COFFER_TRY(Seal(row.id, row.class_name, row.version, row.payload, [&](ByteView payload) {
      return transaction_.stores().records.Reseal(row.id.Row(), payload, tokens);
    }));
    COFFER_ASSIGN(const auto versions, transaction_.stores().records.ListVersions(row.id.Row()));
    for (const auto& listed : versions) {
      COFFER_ASSIGN(const auto old,
                    transaction_.stores().records.FindVersion(row.id.Row(), listed.version));
      if (!old) continue;
      COFFER_TRY(Seal(row.id, row.class_name, old->version, old->payload, [&](ByteView payload) {
        return transaction_.stores().records.ResealVersion(row.id.Row(), old->version, payload);
      }));
    }
    return {};
  }

  // The reasons given with what was done, but for those about what is gone.
  Status Notes(FunctionRef<bool(const audit::Entry&)> is_gone) {
    LogStore& log = *transaction_.stores().log;
    COFFER_ASSIGN(const auto notes, log.ListNotes(client_.id.Row()));
    for (const auto& [seq, sealed] : notes) {
      COFFER_TRY(log.DeleteNote(client_.id.Row(), seq));
      COFFER_ASSIGN(const auto bytes, log.ReadEntry(seq));
      const auto entry = bytes ? audit::ParseEntry(*bytes) : Fail(Code::kNotFound, "not_found");
      if (!entry || is_gone(*entry)) continue;
      const auto call = CallId::Parse(entry->request);
      if (!call) continue;
      const Bytes context = core_.NoteContext(*call);
      auto plain = crypto::Open(old_key_.ExposeSecret(), context, sealed);
      if (!plain) continue;
      COFFER_TRY(log.PutNote(client_.id.Row(), seq,
                             crypto::Seal(new_key_.ExposeSecret(), 0, context, *plain)));
      crypto::Wipe(*plain);
    }
    return {};
  }

  // What does not open stays as it is.
  Status Restrictions() {
    RestrictionStore& store = transaction_.stores().restrictions;
    COFFER_ASSIGN(const auto bases, store.BasesOf(client_.id));
    for (const auto& [id, sealed] : bases) {
      const Bytes context = core_.RestrictionContext(client_.id, id);
      auto plain = crypto::Open(old_key_.ExposeSecret(), context, sealed);
      if (!plain) continue;
      COFFER_TRY(
          store.Reseal(client_.id, id, crypto::Seal(new_key_.ExposeSecret(), 0, context, *plain)));
      crypto::Wipe(*plain);
    }
    return {};
  }

  // The words of its holds.
  Status Holds() {
    HoldStore& store = transaction_.stores().holds;
    COFFER_ASSIGN(auto holds, store.ListOf(client_.id));
    for (Hold& hold : holds) {
      if (!OpenHoldText(core_.keyring, old_key_.ExposeSecret(), hold)) continue;
      COFFER_TRY(
          store.PutSealed(hold.id, SealHoldText(core_.keyring, new_key_.ExposeSecret(), hold)));
    }
    return {};
  }

  std::uint64_t sealed() const { return sealed_; }
  std::uint64_t unopened() const { return unopened_; }
  // Records whose tokens do not open.
  const std::vector<std::int64_t>& unread() const { return unread_; }

  // A profile that does not open stops an erasure, whose old key could still be of use to whoever
  // mends it; but none of what was erased before.
  Status Finish(bool whatever_the_profile) {
    const Bytes context = core_.ClientContext(client_.id, client_.version);
    auto plain = crypto::Open(old_key_.ExposeSecret(), context, client_.profile);
    if (!plain && !whatever_the_profile) return std::unexpected(std::move(plain).error());
    const auto opened = OpenReferenceOf(core_.keyring, old_key_.ExposeSecret(), client_);
    if (!opened && !whatever_the_profile) return std::unexpected(opened.error());
    if (client_.reference) {
      client_.ref =
          SealReference(core_.keyring, new_key_.ExposeSecret(), client_.id, *client_.reference);
    }
    ++client_.generation;
    if (plain) {
      client_.profile = crypto::Seal(new_key_.ExposeSecret(), 0, context, *plain);
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
    COFFER_TRY(transaction_.stores().clients.Reseal(client_, since_));
    transaction_.AddKey(client_.id,
                        core_.keyring.WrapDataKey(new_key_.ExposeSecret(), client_.id.value),
                        client_.generation);
    return {};
  }

 private:
  Resealing(const Vault::Core& core, Transaction& transaction, const ClientRow& client,
            KeyCache::Pin old_key)
      : core_(core),
        transaction_(transaction),
        client_(client),
        old_key_(std::move(old_key)),
        since_(transaction.NextSeq()) {
    crypto::FillRandom(new_key_.ExposeSecretForWriting());
  }

  // What does not open stays as it is: it is found out when it is read, as before.
  Status Seal(const RecordId& record, std::string_view class_name, std::uint64_t version,
              ByteView sealed, FunctionRef<Status(ByteView)> store) {
    const Bytes context = core_.RecordContext(client_.id, record, class_name, version);
    auto plain = crypto::Open(old_key_.ExposeSecret(), context, sealed);
    if (!plain) {
      ++unopened_;
      return {};
    }
    const Bytes payload = crypto::Seal(new_key_.ExposeSecret(), 0, context, *plain);
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

  const Vault::Core& core_;
  Transaction& transaction_;
  ClientRow client_;
  KeyCache::Pin old_key_;
  crypto::SecretBytes new_key_{crypto::kAeadKeyBytes};
  std::uint64_t since_;
  std::uint64_t sealed_ = 0;
  std::uint64_t unopened_ = 0;
  std::vector<std::int64_t> unread_;
};

void AddRecordEntry(Transaction& transaction, const ClientRow& client, const RecordRow& row,
                    const ErasureOrder& order) {
  audit::Entry entry;
  entry.action = Name(Action::kRecordErase);
  entry.client = client.id.Text();
  entry.record = row.id.Text();
  entry.class_name = row.class_name;
  entry.version = row.version;
  const auto of_class = order.class_details.find(row.class_name);
  entry.detail = of_class == order.class_details.end() ? order.detail : of_class->second;
  transaction.Also(std::move(entry));
}

using Counts = std::map<std::string, ClassCount, std::less<>>;

void AppendCounts(std::string_view name, const Counts& counts, std::string& facts) {
  facts.append("\"").append(name).append("\":[");
  for (const auto& [class_name, count] : counts) {
    if (facts.back() == '}') facts += ',';
    facts.append(R"({"class":)");
    AppendJsonString(facts, class_name);
    facts.append(R"(,"records":)").append(std::to_string(count.records));
    facts.append(R"(,"versions":)").append(std::to_string(count.versions)).append("}");
  }
  facts.append("],");
}

}  // namespace

bool ErasesClient(const audit::Entry& entry) {
  if (entry.outcome != "ok" || entry.decision != audit::Decision::kAllow) return false;
  return entry.action == Name(Action::kClientErase) ||
         (entry.action == kErasureReplayed && entry.detail.ends_with("; scope client")) ||
         (entry.action == kRetentionErase &&
          entry.detail.find("; scope client;") != std::string::npos);
}

Result<ErasedContent> EraseContent(const Vault::Core& core, Transaction& transaction,
                                   const ClientRow& client, const ErasureOrder& order) {
  Stores& stores = transaction.stores();
  ErasedContent content;
  ErasureRow& row = content.row;
  row.id = ErasureId::New(transaction.now());
  row.client = client.id;
  row.scope = order.scope;
  row.basis = order.basis;
  row.class_name = order.class_name;
  row.generation = client.generation;
  row.erased = transaction.now();

  const bool whole = order.scope == ErasureScope::kClient;
  const bool each = !whole || !order.detail.empty() || !order.class_details.empty();
  const std::set<RecordId> chosen(order.records.begin(), order.records.end());
  const auto goes = [&](const RecordRow& record) {
    return whole || (order.scope == ErasureScope::kClass
                         ? record.class_name == order.class_name
                         : chosen.contains(record.id) || order.rows.contains(record.id.Row()));
  };
  COFFER_ASSIGN(const auto owned, stores.records.ListOf(client.id.Row(), {}, -1, kEveryRecord));
  std::vector<std::int64_t> staying, unread;
  // An older vault.db beside a newer keys.db has not the key, and another may be damaged: neither
  // keeps what cannot be opened from going.
  const auto key = transaction.UnwrapKey({client.id, client.generation});
  if (!key && key.error().code == Code::kUnavailable) return std::unexpected(key.error());
  COFFER_TRY(NoteDeletion(transaction));
  std::set<std::string, std::less<>> gone;  // ids
  for (const std::int64_t id : owned) {
    COFFER_ASSIGN(auto record, stores.records.FindRow(id));
    if (!record) continue;
    if (!goes(*record)) {
      ++content.kept[record->class_name].records;
      staying.push_back(id);
      continue;
    }
    const ByteView opening = key ? key->ExposeSecret() : ByteView();
    if ((IsSealed(record->tokens) && !key) ||
        !OpenTermsOf(core.keyring, opening, client.id, *record)) {
      unread.push_back(id);
    }
    COFFER_ASSIGN(const std::uint64_t versions, stores.records.Delete(*record, stores.index));
    ClassCount& count = content.gone[record->class_name];
    ++count.records;
    count.versions += versions;
    ++row.records;
    row.versions += versions;
    if (each) AddRecordEntry(transaction, client, *record, order);
    if (whole) continue;
    gone.insert(record->id.Text());
    if (order.scope == ErasureScope::kRecords) {
      row.record_ids.push_back(record->id);
      content.records.emplace(record->id, GoneRecord{record->class_name, versions});
    }
    COFFER_TRY(stores.idempotency.DeleteObject(client.id.Row(), record->id.value));
  }

  // An erasure of no records has no line in the ledger.
  if (order.scope == ErasureScope::kRecords && row.record_ids.empty() && !order.replayed) {
    return Fail(Code::kNotFound, "not_found");
  }
  if (whole) {
    COFFER_ASSIGN(row.ref_token, TokenOfErased(core, transaction, client));
    if (content.gone.empty()) content.gone[std::string(audit::kClientItself)].records = 1;
    COFFER_TRY(stores.log->DeleteNotesOf(client.id.Row()));
    COFFER_TRY(stores.idempotency.DeleteOf(client.id.Row()));
    COFFER_TRY(stores.access.DeleteAllOf(client.id));
    COFFER_TRY(stores.holds.DeleteOf(client.id));
    COFFER_TRY(stores.restrictions.DeleteOf(client.id));
    COFFER_TRY(stores.retention.ForgetRestricted(client.id.Row()));
    ClientRow going = client;
    const bool known =
        going.ref.empty() ||
        ((key || !IsSealed(going.ref)) &&
         OpenReferenceOf(core.keyring, key ? key->ExposeSecret() : ByteView(), going));
    if (!known) COFFER_TRY(stores.index.RemoveUnread({}, client.id.Row()));
    COFFER_TRY(stores.clients.Delete(going, stores.index));
  } else {
    auto resealing = Resealing::Begin(core, transaction, client);
    if (!resealing) {
      // An older vault.db beside a newer keys.db, which has not this key any more: what stays can
      // be read by nobody already, and must not keep the rest of the vault from being opened.
      // The same of a key that cannot be unwrapped, where what the ledger says is repeated.
      const bool damaged = order.replayed && resealing.error().code == Code::kCorrupted;
      if (resealing.error().code != Code::kNotFound && !damaged) {
        return std::unexpected(resealing.error());
      }
      if (damaged) content.unopened = staying.size() + 1;
    } else {
      for (const std::int64_t id : staying) {
        COFFER_ASSIGN(const auto record, stores.records.FindRow(id));
        if (record) COFFER_TRY(resealing->Record(*record));
      }
      COFFER_TRY(resealing->Holds());
      COFFER_TRY(resealing->Notes([&](const audit::Entry& entry) {
        return gone.contains(entry.record) ||
               (order.scope == ErasureScope::kClass && entry.class_name == order.class_name);
      }));
      COFFER_TRY(resealing->Restrictions());
      COFFER_TRY(resealing->Finish(order.replayed));
      content.resealed = resealing->sealed();
      content.unopened = resealing->unopened();
      unread.insert(unread.end(), resealing->unread().begin(), resealing->unread().end());
    }
  }
  if (!unread.empty()) COFFER_TRY(stores.index.RemoveUnread(unread, std::nullopt));
  row.seq = transaction.NextSeq();
  return content;
}

ErasedContent ShareOf(const ErasedContent& content, std::span<const RecordId> records) {
  ErasedContent share;
  share.row = content.row;
  share.row.id = ErasureId::New(content.row.erased);
  share.row.record_ids.clear();
  share.row.records = share.row.versions = 0;
  share.kept = content.kept;
  std::unordered_set<RecordId, IdHash> named;
  for (const RecordId& id : records) {
    if (!named.insert(id).second) continue;
    share.row.record_ids.push_back(id);
    const auto found = content.records.find(id);
    if (found == content.records.end()) continue;
    const auto& [class_name, versions] = found->second;
    ClassCount& count = share.gone[class_name];
    ++count.records;
    count.versions += versions;
    ++share.row.records;
    share.row.versions += versions;
  }
  return share;
}

std::string MembersOf(std::string_view object) {
  return std::string(object.substr(1, object.size() - 2));
}

std::string FactsOf(const ErasedContent& content, std::string_view more) {
  std::string facts = "{";
  AppendCounts("gone", content.gone, facts);
  AppendCounts("kept", content.kept, facts);
  return facts.append(more).append("}");
}

std::map<std::string, ClassCount, std::less<>> GoneIn(std::string_view facts) {
  using nlohmann::json;
  std::map<std::string, ClassCount, std::less<>> gone;
  const json parsed = json::parse(facts, nullptr, false);
  if (!parsed.is_object()) return gone;
  for (const json& one : parsed.value("gone", json::array())) {
    ClassCount& count = gone[one.value("class", "")];
    count.records += one.value("records", std::uint64_t{0});
    count.versions += one.value("versions", std::uint64_t{0});
  }
  return gone;
}

std::vector<Issue> MissingDetails(const OperatorDetails& details) {
  std::vector<Issue> issues;
  for (std::string& item : audit::MissingItems(details)) {
    std::ranges::replace(item, '.', '/');
    issues.push_back({"/" + item, "is not configured"});
  }
  return issues;
}

Status RegisterErasure(Transaction& transaction, ErasureRow row) {
  COFFER_TRY(transaction.stores().erasures.Insert(row));
  transaction.Erased(std::move(row));
  return {};
}

}  // namespace coffer::vault
