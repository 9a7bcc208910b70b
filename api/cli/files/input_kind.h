// What a file that was given is, by how it begins: a file of another kind says nothing about the
// log, and must not read as damage.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "api/cli/files/input_file.h"
#include "api/cli/text/failure.h"

namespace coffer::cli {

enum class InputKind : std::uint8_t {
  kUnknown,
  kEmpty,
  kEntries,     // of coffer log export, or one entry
  kCheckpoint,  // a signed note
  kProof,
  kEvidence,
  kAct,
  kRunReport,
  kDrillReport,
  kLedger,
  kState,
  kAnchor,
};
InputKind InputKindOf(std::string_view beginning);

// Passes for what is of the kind. Exit::kUsage otherwise, with what it is and which option takes
// it. `beginning`: all of the file, or its first 64 KiB.
Outcome<void> ExpectKind(const std::string& path, std::string_view beginning, InputKind expected);
// The same of a file that is read behind this, from its beginning again. Precondition: opened for
// many passes.
Outcome<void> ExpectKindOfFile(InputFile& file, InputKind expected);

// Exit::kUsage: `what` ("the checkpoint in FILE") is of another log than the verifier key.
Failure OfAnotherLog(const std::string& what, const std::string& origin, const std::string& key);

}  // namespace coffer::cli
