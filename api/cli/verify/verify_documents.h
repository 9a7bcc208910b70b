// coffer verify of what the vault signs beside its log: the act of an erasure, the report of a
// retention run, the report of a drill, the ledger of erasures. From files and public keys alone.
#pragma once

#include <string>
#include <vector>

#include "api/cli/text/console.h"
#include "api/cli/text/failure.h"
#include "audit/tlog/checkpoint.h"

namespace coffer::cli {

struct DocumentInput {
  std::string path;
  std::vector<audit::VerifierKey> keys;  // of the one log; at least one
  bool json = false;
};

// Each prints what the file says and what is wrong with it. Exit::kDamaged when anything is;
// Exit::kUsage when the file cannot be read.
Outcome<Exit> VerifyActFile(const DocumentInput& input, Console& console);
Outcome<Exit> VerifyRunReportFile(const DocumentInput& input, Console& console);
// A drill that failed is no damage of its report.
Outcome<Exit> VerifyDrillReportFile(const DocumentInput& input, Console& console);
// In memory for the erasures' ids. A last line that was not finished is told and is no damage; an
// erasure of which lines are missing is.
Outcome<Exit> VerifyLedgerFile(const DocumentInput& input, Console& console);

}  // namespace coffer::cli
