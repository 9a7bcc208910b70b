// Clients and records: found by a value.
#include "vault/clients/searches.h"

#include "vault/access/call.h"
#include "vault/access/caller.h"
#include "vault/base/page.h"
#include "vault/base/strict_json.h"
#include "vault/catalog/catalog_state.h"
#include "vault/clients/blind_tokens.h"
#include "vault/clients/clients_state.h"
#include "vault/clients/index_lookup.h"
#include "vault/clients/search.h"
#include "vault/clients/search_permission.h"

namespace coffer::vault {
namespace {

// One page looks at so many.
constexpr std::size_t kSearchScan = 2000;

}  // namespace

Result<SearchPage> Searches::SearchByField(const Caller& caller, std::string_view class_name,
                                           std::string_view field, std::string_view value,
                                           const PageRequest& page) {
  constexpr Action kAction = Action::kClientSearch;
  auto refuse = [&](Error error) {
    return operations_.Refuse(caller, {kAction}, std::move(error));
  };
  const auto schema = operations_.engine().Of<CatalogState>().Published()->Newest(class_name);
  if (!schema) return refuse({Code::kUnprocessable, "class_unknown", {}, {}});
  const Field* searched = schema->Find(field);
  if (searched == nullptr || !searched->indexed) {
    return refuse({Code::kUnprocessable, "field_not_indexed", {}, {}});
  }
  const auto form = crypto::SearchForm(searched->normalisation, searched->region, value);
  if (!form) return refuse(form.error());
  const BlindToken token = FieldToken(operations_.keyring(), class_name, field, *form);
  const std::string list = "search/" + std::string(crypto::AsText(token));

  Call call = operations_.Start(caller, {kAction});
  call.entry.class_name = class_name;
  call.entry.fields = {searched->name};
  SearchPage result;
  call.record_class = schema.get();
  COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) -> Status {
    SearchPermission permission(operations_, transaction, call, *schema, searched->name);
    COFFER_TRY(permission.Start());
    auto& stores = transaction.Of<ClientsState>().stores;
    IndexLookup lookup(operations_, rows_compared_, transaction, *schema, *searched, value, *form);
    COFFER_TRY(lookup.Start());
    result.whole = lookup.whole();
    COFFER_ASSIGN(std::int64_t last, operations_.ReadCursor(call, list, page.cursor));
    std::size_t looked_at = 0;
    // Whether there is more is told of what the caller may find, not of what is there.
    for (bool more = true; more;) {
      COFFER_ASSIGN(const auto ids, lookup.Find(last, page.limit + 1));
      more = ids.size() > page.limit;
      for (const std::int64_t id : ids) {
        if (looked_at++ == kSearchScan) {
          result.next_cursor = operations_.MakeCursor(call, list, last);
          return permission.Finish();
        }
        last = id;
        COFFER_ASSIGN(const auto record, stores.records.FindRow(id));
        if (!record) continue;
        COFFER_ASSIGN(const auto client, stores.clients.FindRow(record->client));
        if (!client) continue;
        COFFER_ASSIGN(const Findable findable, permission.Find(client->id, *record));
        if (findable == Findable::kNot) continue;
        COFFER_TRY(operations_.CheckWhole(client->id.value));
        COFFER_TRY(operations_.CheckWhole(record->id.value));
        if (result.items.size() == page.limit) {
          result.next_cursor =
              operations_.MakeCursor(call, list, result.items.back().record->Row());
          return permission.Finish();
        }
        COFFER_TRY(permission.Disclose(findable));
        audit::Entry entry;
        entry.action = Name(kAction);
        entry.client = client->id.Text();
        entry.record = record->id.Text();
        entry.class_name = class_name;
        entry.fields = call.entry.fields;
        transaction.Also(std::move(entry));
        result.items.push_back({client->id, record->id});
      }
    }
    return permission.Finish();
  }));
  return result;
}

Result<Page<SearchHit>> Searches::SearchByReference(const Caller& caller,
                                                    std::string_view external_ref) {
  constexpr Action kAction = Action::kClientSearch;
  if (external_ref.empty() || external_ref.size() > 200 || !IsCleanUtf8(external_ref)) {
    return operations_.Refuse(caller, {kAction},
                              Error{Code::kUnprocessable,
                                    "search_invalid",
                                    {},
                                    {{"/external_ref", "must be text of 1 to 200 bytes"}}});
  }
  const BlindToken token = ReferenceToken(operations_.keyring(), external_ref);
  Call call = operations_.Start(caller, {kAction});
  call.entry.fields = {"external_ref"};
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Page<SearchHit>> {
    Page<SearchHit> result;
    if (ReferenceViewOf(call.decision, true) != View::kPlain) {
      return Deny(call, "fields", Code::kPermissionDenied, "permission_denied");
    }
    auto& stores = transaction.Of<ClientsState>().stores;
    COFFER_ASSIGN(const auto row, stores.index.FindReference(token));
    if (!row) return result;
    COFFER_ASSIGN(const auto client, stores.clients.FindRow(*row));
    if (!client) return result;
    COFFER_ASSIGN(const auto decision,
                  operations_.DecisionOn(transaction, call, client->id, nullptr));
    if (!decision.allowed || ReferenceViewOf(decision, true) != View::kPlain) return result;
    COFFER_TRY(operations_.CheckWhole(client->id.value));
    audit::Entry entry;
    entry.action = Name(kAction);
    entry.client = client->id.Text();
    entry.fields = call.entry.fields;
    transaction.Also(std::move(entry));
    result.items.push_back({client->id, std::nullopt});
    return result;
  });
}

}  // namespace coffer::vault
