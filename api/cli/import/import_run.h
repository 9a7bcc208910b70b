// A whole table through several connections at once.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "api/cli/client/api_client.h"
#include "api/cli/import/csv_reader.h"
#include "api/cli/import/import_batch.h"
#include "api/cli/import/import_plan.h"

namespace coffer::cli {

struct ImportRunOptions {
  std::string class_name;
  unsigned jobs = 4;
  std::size_t batch_rows = 500;
  Patience patience;
  bool accept_erased = false;  // rows of clients that were erased before
  bool replace = false;        // records have what their rows have and nothing else
  bool dry_run = false;        // everything is checked that can be, and nothing is sent
};

// Makes the client of one more connection.
using Connector = std::function<Outcome<ApiClient>()>;
// Called now and then, from the calling thread, with the number of rows settled and refused.
using ImportProgress = std::function<void(std::uint64_t settled, std::uint64_t refused)>;

// What a table has that is no part of it.
struct PassedOver {
  std::uint64_t empty_rows = 0;  // whose every cell is blank
  std::uint64_t unnamed_columns = 0;
};

struct ImportRunResult {
  ImportTally tally;                       // refusals in the order of their lines
  std::uint64_t rows = 0;                  // read from the file
  std::vector<std::uint64_t> footer = {};  // lines at its end that are no rows
  PassedOver passed_over;
  Outcome<void> outcome;  // why it ended early
};

// Sends the rows that `reader` still has. A row that names the same client and record as an earlier
// one is refused: batches overtake each other, so which of the two would win is left to chance.
ImportRunResult RunImport(CsvReader& reader, const ImportPlan& plan,
                          const ImportRunOptions& options, const Connector& connect,
                          const ImportProgress& progress);

}  // namespace coffer::cli
