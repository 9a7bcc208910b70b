// Clients and records as a directory of tables that coffer import reads again: one table of the
// clients, and one of each class with a column for each field that any of its records has.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <string_view>

#include "api/cli/files/private_file.h"
#include "api/cli/files/sealed_spool.h"
#include "api/cli/text/failure.h"

namespace coffer::cli {

// There is no such directory, under any name, before all lines are there: which columns there are
// is known at the end. Until then the lines are in a sealed spool on the disk that is to have them.
// Columns that each record has beside its fields; a field of such a name is in "data.NAME".
bool IsRecordColumn(std::string_view name);

class RecordTables {
 public:
  // Exit::kUsage when there is something of that name. `clients`: the clients' table, "client.csv".
  static Outcome<std::unique_ptr<RecordTables>> Create(const std::string& path, std::string clients,
                                                       bool byte_order_mark);

  // {"client": …} or {"record": …}; a client before its records.
  Outcome<void> Add(const nlohmann::json& line);
  Outcome<void> Finish();

 private:
  RecordTables(std::string path, std::string clients, bool byte_order_mark,
               std::unique_ptr<SealedSpool> spool);
  Outcome<void> WriteTables(const std::string& folder);
  Outcome<void> Begin(NewFile& file, const std::string& header) const;

  std::string path_, clients_;
  bool byte_order_mark_;
  std::unique_ptr<SealedSpool> spool_;
  std::map<std::string, std::string> references_;         // by the client's id
  std::map<std::string, std::set<std::string>> columns_;  // fields, by class
};

}  // namespace coffer::cli
