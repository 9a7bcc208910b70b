// Giving clients from one person to another, in as many requests as it takes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/cli/client/api_client.h"
#include "api/cli/commands/client_list_input.h"
#include "api/cli/text/console.h"

namespace coffer::cli {

struct LineCounts {
  std::uint64_t done = 0, unchanged = 0, refused = 0, skipped = 0;
};

// Tells of each client that was refused, and why.
LineCounts TellAnswers(Console& console, const nlohmann::json& items,
                       const std::vector<ClientLine>& lines, std::size_t first);

// With no `lines`, all that `from` has. Ids of both. What was done stays done where a later request
// fails: the same again goes on.
Outcome<LineCounts> HandOverClients(ApiClient& client, const std::string& from,
                                    const std::string& to, const std::vector<ClientLine>& lines,
                                    Console& console);

}  // namespace coffer::cli
