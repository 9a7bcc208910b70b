#include "vault/deletion/erase.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_set>

#include "audit/documents/erasure_scope.h"
#include "vault/access/access_state.h"
#include "vault/access/operations.h"
#include "vault/access/telling.h"
#include "vault/base/strict_json.h"
#include "vault/clients/client_operations.h"
#include "vault/clients/clients_state.h"
#include "vault/clients/record_operations.h"
#include "vault/deletion/deletion_options.h"
#include "vault/deletion/deletion_state.h"
#include "vault/deletion/erasure.h"
#include "vault/deletion/resealing.h"
#include "vault/rights/rights_state.h"

namespace coffer::vault {
namespace {

constexpr auto kEveryRecord = static_cast<std::size_t>(std::numeric_limits<int>::max());

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

// What goes, in the order of the rows; of scope kRecords also what is not there.
Result<std::set<std::int64_t>> RowsOf(RecordStore& records, const ClientRow& client,
                                      const ErasureOrder& order) {
  if (order.scope == ErasureScope::kRecords) {
    std::set<std::int64_t> rows = order.rows;
    for (const RecordId& id : order.records) {
      COFFER_ASSIGN(const auto found, records.Find(id));
      if (found) rows.insert(id.Row());
    }
    return rows;
  }
  const bool of_class = order.scope == ErasureScope::kClass;
  COFFER_ASSIGN(const auto rows,
                records.ListOf(client.id.Row(), of_class ? order.class_name : std::string(), -1,
                               kEveryRecord));
  return std::set(rows.begin(), rows.end());
}

// All that stays, under a new key, once what goes is gone.
Status ResealRest(const Operations& operations, Transaction& transaction, const ClientRow& client,
                  const ErasureOrder& order, const std::set<std::string, std::less<>>& gone,
                  ErasedContent& content, std::vector<std::int64_t>& unread) {
  auto& stores = transaction.Of<ClientsState>().stores;
  COFFER_ASSIGN(const auto staying, stores.records.ListOf(client.id.Row(), {}, -1, kEveryRecord));
  if (!order.replayed && transaction.IsResealing(client.id)) {
    COFFER_TRY(
        Resealing::GoOn(operations, transaction, client, 0));  // with both keys, or not at all
  }
  auto resealing = Resealing::WithNewKey(operations, transaction, client);
  if (!resealing) {
    // An older vault.db beside a newer keys.db, which has not this key any more: what stays can
    // be read by nobody already, and must not keep the rest of the vault from being opened.
    // The same of a key that cannot be unwrapped, where what the ledger says is repeated.
    const bool damaged = order.replayed && resealing.error().code == Code::kCorrupted;
    if (resealing.error().code != Code::kNotFound && !damaged) {
      return std::unexpected(resealing.error());
    }
    if (damaged) content.unopened = staying.size() + 1;
    return {};
  }
  for (const std::int64_t id : staying) {
    COFFER_ASSIGN(auto record, stores.records.FindRow(id));
    std::uint64_t version = 0;
    if (record) COFFER_TRY(resealing->Record(*std::move(record), version));
  }
  COFFER_TRY(resealing->Holds());
  COFFER_TRY(resealing->Notes([&](const audit::Entry& entry) {
    return gone.contains(entry.record) ||
           (order.scope == ErasureScope::kClass && entry.class_name == order.class_name);
  }));
  COFFER_TRY(resealing->Restrictions());
  COFFER_TRY(resealing->Consents());
  COFFER_TRY(resealing->Requests());
  COFFER_TRY(resealing->Finish(order.replayed));
  content.resealed = resealing->sealed();
  content.unopened = resealing->unopened();
  unread.insert(unread.end(), resealing->unread().begin(), resealing->unread().end());
  return {};
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

Result<ErasedContent> EraseContent(const Operations& operations, Transaction& transaction,
                                   const ClientRow& client, const ErasureOrder& order,
                                   const Resealed* resealed) {
  auto& stores = transaction.Of<ClientsState>().stores;
  ErasedContent content;
  ErasureRow& row = content.row;
  row.id = order.id.value_or(ErasureId::New(transaction.now()));
  row.client = client.id;
  row.scope = order.scope;
  row.basis = order.basis;
  row.class_name = order.class_name;
  row.erased = transaction.now();

  const bool whole = order.scope == ErasureScope::kClient;
  const bool each = !whole || !order.detail.empty() || !order.class_details.empty();
  COFFER_ASSIGN(const auto going, RowsOf(stores.records, client, order));
  std::optional<Resealed> left;
  if (order.replayed && !whole) {
    const bool of_class = order.scope == ErasureScope::kClass;
    COFFER_ASSIGN(left, FindLeftUnderGoneKey(operations, transaction, client, going,
                                             of_class ? order.class_name : std::string()));
    if (left) resealed = &*left;
  }
  // What goes was left under the older of two keys.
  row.generation = resealed != nullptr ? client.generation - 1 : client.generation;
  COFFER_ASSIGN(auto kept, stores.records.CountByClass(client.id.Row()));
  std::vector<std::int64_t> unread;
  // An older vault.db beside a newer keys.db has not the key, and another may be damaged: neither
  // keeps what cannot be opened from going.
  const auto keys = transaction.UnwrapKey({client.id, client.generation});
  if (!keys && keys.error().code == Code::kUnavailable) return std::unexpected(keys.error());
  COFFER_TRY(NoteDeletion(transaction));
  std::set<std::string, std::less<>> gone;  // ids
  for (const std::int64_t id : going) {
    COFFER_ASSIGN(auto record, stores.records.FindRow(id));
    if (!record || record->client != client.id.Row()) continue;
    if ((IsSealed(record->tokens) && !keys) ||
        !OpenTermsOf(operations.keyring(), keys ? keys->Expose() : ClientKeys(), client.id,
                     *record)) {
      unread.push_back(id);
    }
    COFFER_ASSIGN(const std::uint64_t versions, stores.records.Delete(*record, stores.index));
    ClassCount& count = content.gone[record->class_name];
    ++count.records;
    count.versions += versions;
    ++row.records;
    row.versions += versions;
    --kept[record->class_name];
    if (each) AddRecordEntry(transaction, client, *record, order);
    if (whole) continue;
    gone.insert(record->id.Text());
    if (order.scope == ErasureScope::kRecords) {
      row.record_ids.push_back(record->id);
      content.records.emplace(record->id, GoneRecord{record->class_name, versions});
    }
    COFFER_TRY(stores.idempotency.DeleteObject(client.id.Row(), record->id.value));
  }
  for (const auto& [name, count] : kept) {
    if (count > 0) content.kept[name].records = count;
  }

  // An erasure of no records has no line in the ledger.
  if (order.scope == ErasureScope::kRecords && row.record_ids.empty() && !order.replayed) {
    return Fail(Code::kNotFound, "not_found");
  }
  if (whole) {
    COFFER_ASSIGN(row.ref_token, TokenOfErased(operations, transaction, client));
    if (content.gone.empty()) content.gone[std::string(audit::kClientItself)].records = 1;
    COFFER_TRY(transaction.stores().log->DeleteNotesOf(client.id.Row()));
    COFFER_TRY(stores.idempotency.DeleteOf(client.id.Row()));
    COFFER_TRY(transaction.Of<AccessState>().stores.access.DeleteAllOf(client.id));
    COFFER_TRY(transaction.Of<DeletionState>().stores.holds.DeleteOf(client.id));
    COFFER_TRY(transaction.Of<AccessState>().stores.restrictions.DeleteOf(client.id));
    COFFER_TRY(transaction.Of<AccessState>().stores.consents.DeleteOf(client.id));
    COFFER_TRY(transaction.Of<RightsState>().requests.DropWordsOf(client.id));
    COFFER_TRY(transaction.Of<RightsState>().notices.DropTellingsOf(client.id));
    COFFER_TRY(transaction.Of<DeletionState>().stores.retention.ForgetRestricted(client.id.Row()));
    ClientRow leaving = client;
    const bool known =
        leaving.ref.empty() ||
        ((keys || !IsSealed(leaving.ref)) &&
         OpenReferenceOf(operations.keyring(), keys ? keys->Expose() : ClientKeys(), leaving));
    if (!known) stores.index.NoteUnread({}, client.id.Row());
    COFFER_TRY(stores.clients.Delete(leaving, stores.index));
  } else if (resealed != nullptr) {
    for (const std::uint64_t seq : resealed->gone_notes) {
      COFFER_TRY(transaction.stores().log->DeleteNote(client.id.Row(), seq));
    }
    content.unopened = resealed->unopened;
    // Where the next generation is begun, its key takes the place of such a one.
    const ClientKeyId next{client.id, client.generation + 1};
    COFFER_ASSIGN(const auto stray, transaction.stores().keys.Find(next));
    if (stray && !left) transaction.DropKey(next);
  } else {
    COFFER_TRY(ResealRest(operations, transaction, client, order, gone, content, unread));
  }
  if (!unread.empty()) stores.index.NoteUnread(unread, std::nullopt);
  row.seq = transaction.NextSeq();
  if (whole) {
    COFFER_TRY(NoteAct(transaction, client.id, ToldAct::kErased, {}, row.seq));
  } else {
    for (const auto& [name, count] : content.gone) {
      COFFER_TRY(NoteAct(transaction, client.id, ToldAct::kErased, name, row.seq));
    }
  }
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
