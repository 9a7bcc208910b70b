#include "api/cli/client/client_lookup.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/cli/text/json_view.h"
#include "vault/base/strict_json.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kLargestPage = 200;

// What was typed may be in another encoding; JSON could not carry it.
Outcome<void> CheckText(const std::string& text, const std::string& what) {
  if (vault::IsCleanUtf8(text)) return {};
  return Failed(Exit::kUsage, what + " is not UTF-8 text", "Use a UTF-8 terminal.");
}

// Moves the page's items over; returns the cursor of the next page, empty at the end. A page that
// names itself as the next would otherwise be fetched for ever.
Outcome<std::string> TakePage(json& items, const json& page, const std::string& cursor) {
  const json& found = Member(page, "items");
  if (found.is_array()) items.insert(items.end(), found.begin(), found.end());
  std::string next = Text(page, "next_cursor");
  if (!next.empty() && next == cursor) {
    return Failed(Exit::kFailed, "the server's list does not end");
  }
  return next;
}

}  // namespace

Outcome<std::string> ResolveClient(ApiClient& client, const std::string& name, bool by_ref) {
  if (!by_ref) return name;
  COFFER_TRY(CheckText(name, "the reference"));
  COFFER_ASSIGN(const json answer,
                client.Post(Target("/v1/clients/search"), json{{"external_ref", name}}.dump()));
  const json& items = Member(answer, "items");
  const std::string id = items.is_array() && !items.empty() ? Text(items[0], "client") : "";
  if (id.empty()) {
    return Failed(Exit::kFailed, "no client has this external reference",
                  "References are compared to the byte; check capitals and blanks.");
  }
  return id;
}

Outcome<json> SearchClients(ApiClient& client, const SearchQuery& query) {
  COFFER_TRY(CheckText(query.value, "the value"));
  json items = json::array();
  std::string cursor;
  do {
    json body{{"class", query.class_name}, {"field", query.field}, {"value", query.value}};
    body["limit"] = std::min(kLargestPage, query.limit - items.size());
    if (!cursor.empty()) body["cursor"] = cursor;
    COFFER_ASSIGN(const json page, client.Post(Target("/v1/clients/search"), body.dump()));
    COFFER_ASSIGN(cursor, TakePage(items, page, cursor));
  } while (!cursor.empty() && items.size() < query.limit);
  return json{{"items", std::move(items)}, {"more", !cursor.empty()}};
}

Outcome<json> CollectUpTo(ApiClient& client, const Target& target, std::size_t limit) {
  json items = json::array();
  std::string cursor;
  do {
    Target page_target = target;
    page_target.With("limit", std::to_string(std::min(kLargestPage, limit - items.size())));
    COFFER_ASSIGN(const json page, client.Get(page_target.With("cursor", cursor)));
    COFFER_ASSIGN(cursor, TakePage(items, page, cursor));
  } while (!cursor.empty() && items.size() < limit);
  return json{{"items", std::move(items)}, {"more", !cursor.empty()}};
}

Outcome<json> CollectPages(ApiClient& client, const Target& target) {
  json items = json::array();
  std::string cursor;
  do {
    Target page_target = target;
    COFFER_ASSIGN(const json page, client.Get(page_target.With("cursor", cursor)));
    COFFER_ASSIGN(cursor, TakePage(items, page, cursor));
  } while (!cursor.empty());
  return items;
}

}  // namespace coffer::cli
