// Everything of one client, as the server gives it, in files to hand over.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "api/cli/files/private_file.h"
#include "api/cli/files/record_tables.h"
#include "api/cli/text/failure.h"

namespace coffer::cli {

// Where the files go. Nothing has the name that was asked for before all of them are on the disk.
class PackageFiles {
 public:
  enum class Format { kJson, kCsv };
  // Before the server is asked. Exit::kUsage when there is something of that name already.
  static Outcome<PackageFiles> PlacedIn(const std::string& path, Format format,
                                        bool byte_order_mark = false);

  // `lines`: {"client": …} and {"record": …}. As JSON to one file, one object a line. As CSV to a
  // directory, mode 0700: client.csv, and one file a class with a column for each field that any of
  // its records has. No cell starts a formula, and coffer import reads all of it; see table_cell.h.
  Outcome<void> Write(const nlohmann::json& lines);

 private:
  std::unique_ptr<NewFile> file_;         // JSON
  std::unique_ptr<RecordTables> tables_;  // CSV
};

}  // namespace coffer::cli
