// Reading the access log through the API, page by page, as the exact bytes of its entries.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/cli/client/api_client.h"

namespace coffer::cli {

// Empty members do not filter.
// `client_ref`, an external reference, is the reader's to resolve: no reference is in a URL.
struct LogFilterOptions {
  std::string client, record, actor, action, class_name, field, purpose, decision, rule, outcome,
      address, request;
  std::string from, to;  // RFC 3339, or a day YYYY-MM-DD (its first moment, UTC)
  std::string client_ref = {};
};

// A time, or the first moment of a day, in the one spelling the log has; empty stays. Exit::kUsage
// for what is no time of `option`.
Outcome<std::string> NormalisedTime(const std::string& text, std::string_view option);

// Times in the one spelling the log has. Exit::kUsage for what is no time.
Outcome<LogFilterOptions> Normalised(LogFilterOptions filter);

struct LogQuery {
  LogFilterOptions filter;
  bool oldest_first = false;
  std::optional<std::uint64_t> start;
  std::size_t limit = 100;
  bool with_names = false;  // the client's, for people; the entries' bytes are then not the stored
};
void AddFilter(Target& target, const LogFilterOptions& filter);
Target TargetOf(const LogQuery& query);

struct EntriesPage {
  std::vector<std::string> entries;   // exact bytes, without line ends
  std::optional<std::uint64_t> next;  // where to go on; absent at the end
  std::uint64_t size = 0;             // of the log when it was read
  std::string request;                // id of this reading, which is itself in the log
};
Outcome<EntriesPage> ReadEntriesPage(ApiClient& client, const LogQuery& query);

// The newest signed checkpoint, to the byte.
Outcome<std::string> ReadCheckpoint(ApiClient& client);

}  // namespace coffer::cli
