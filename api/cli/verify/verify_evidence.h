// coffer verify of a bundle that coffer evidence wrote. From the file and a public key alone.
#pragma once

#include <string>

#include "api/cli/text/console.h"
#include "api/cli/text/failure.h"
#include "audit/tlog/checkpoint.h"

namespace coffer::cli {

// Prints what the bundle says and what is wrong with it. Exit::kDamaged when anything is;
// Exit::kUsage when the file cannot be read, or is of another kind or log.
Outcome<Exit> VerifyEvidenceFile(const std::string& path, const audit::VerifierKey& key, bool json,
                                 Console& console);

}  // namespace coffer::cli
