// The ways to verify a log: a server, a copied data directory, exported entries, tiles; and one
// entry by its proof.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/cli/client/api_client.h"
#include "api/cli/files/input_file.h"
#include "api/cli/files/root_key.h"
#include "api/cli/text/console.h"
#include "api/cli/text/failure.h"
#include "api/cli/verify/log_files.h"
#include "api/cli/verify/verify_report.h"
#include "audit/tlog/checkpoint.h"

namespace coffer::cli {

struct VerificationInput {
  std::optional<audit::VerifierKey> key;
  std::vector<std::string> checkpoints;  // signed notes
  bool deep = false;
  std::vector<std::string> names = {};  // of these, as they were given
};

// Exit::kUsage for what is no verifier key.
Outcome<audit::VerifierKey> ParseLogKey(std::string_view text);

// Every entry of a server's log, checked here; with `deep` the server then checks its stored state.
Outcome<VerificationResult> VerifyServer(ApiClient& client, const VerificationInput& input,
                                         Console& console);

// A data directory that no server has open. Exit::kDamaged when it cannot even be read.
Outcome<VerificationResult> VerifyCopy(const std::string& directory, const std::string& anchor,
                                       const RootKeyOptions& root_key,
                                       const VerificationInput& input);

// Public data only. Precondition: input.key.
Outcome<VerificationResult> VerifyEntries(std::unique_ptr<InputFile> file,
                                          const VerificationInput& input, Console& console);

// Public data only: a checkpoint, and of its log every entry bundle and every tile. What does not
// hold in a way that leaves nothing to go on with, like half a bundle, is a failure of
// Exit::kDamaged; everything else is in the findings. Precondition: input.key.
Outcome<VerificationResult> VerifyTiles(const FetchFile& fetch, const VerificationInput& input,
                                        Console& console);

// One entry under one proof. Failure of Exit::kDamaged when the proof does not hold, of
// Exit::kUsage for files that are of another kind, of another log, or do not belong together.
Outcome<audit::Checkpoint> VerifyOneEntry(std::string_view proof, std::string_view entry,
                                          const audit::VerifierKey& key);

}  // namespace coffer::cli
