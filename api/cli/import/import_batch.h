// One batch of rows through POST /v1/import, until every row of it has its answer.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "api/cli/client/api_client.h"
#include "api/cli/import/import_plan.h"

namespace coffer::cli {

struct PendingRow {
  std::uint64_t line = 0;              // of the file
  std::string text;                    // NDJSON, with its line feed
  std::vector<Refusal> left_out = {};  // of it, which nobody is told of a row that is not taken
};

struct ImportTally {
  std::uint64_t created = 0, updated = 0, unchanged = 0;
  std::vector<Refusal> refusals = {};
  std::uint64_t erased = 0;            // of the refusals: rows of clients that were erased before
  std::vector<Refusal> left_out = {};  // fields of rows that were taken without them
  std::uint64_t checked = 0;           // rows that would be sent
  std::uint64_t needing_record = 0;    // that would be, and are good only for what is there already
  std::uint64_t warned = 0;            // rows that were taken
  std::vector<Refusal> warnings = {};  // of them, the first thousand
  // Of the updated: records that have fewer fields now, and how many fields went.
  std::uint64_t shortened = 0, removed = 0;

  std::uint64_t settled() const {
    return created + updated + unchanged + refusals.size() + checked + needing_record;
  }
};

// A server that is busy, restarting or out of reach for a moment is waited for: sending a row twice
// does not store it twice.
struct Patience {
  int attempts = 8;
  std::chrono::milliseconds first_pause{1000};  // doubles with each attempt, up to 30 s
};

// Adds to `tally`. On a failure the rows that have their answer are in it all the same. Fields that
// the server does not take are left out of their rows, where a row is good without them and the
// plan is not strict, and the rows are sent again.
Outcome<void> SendBatch(ApiClient& client, const ImportPlan& plan, const std::string& class_name,
                        std::vector<PendingRow> rows, const Patience& patience, ImportTally& tally,
                        bool accept_erased = false, bool replace = false);

}  // namespace coffer::cli
