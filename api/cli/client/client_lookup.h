// Finding clients through the API.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "api/cli/client/api_client.h"

namespace coffer::cli {

// `client` itself, or with `by_ref` the id of the client with that external reference. Failure when
// there is none.
Outcome<std::string> ResolveClient(ApiClient& client, const std::string& name, bool by_ref);

struct SearchQuery {
  std::string class_name, field, value;
  std::size_t limit = 1000;
};
// {"items": hits, "more": whether the limit cut the list}, from as many pages as it takes.
Outcome<nlohmann::json> SearchClients(ApiClient& client, const SearchQuery& query);

// {"items": as many as `limit`, "more": whether the list goes on}, from as many pages as it takes.
Outcome<nlohmann::json> CollectUpTo(ApiClient& client, const Target& target, std::size_t limit);

// The items of all pages of a list.
Outcome<nlohmann::json> CollectPages(ApiClient& client, const Target& target);

}  // namespace coffer::cli
