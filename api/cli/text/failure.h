// How a command ends: its exit code, and what is told when it could not do what was asked.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include "crypto/result.h"

namespace coffer::cli {

// Promised to scripts; docs/man/coffer.1 lists them.
enum class Exit {
  kOk = 0,
  kFailed = 1,         // the operation was refused or could not be done
  kUsage = 2,          // the command line asks for something impossible
  kRowsRefused = 3,    // an import went through, but not every row was accepted
  kDamaged = 4,        // a verification found damage
  kUnreachable = 5,    // no trustworthy connection to the server
  kRowsErased = 6,     // an import went through, but for rows of clients that were erased before
  kBehind = 7,         // what was verified is whole, and older than what was seen before
  kFieldsLeftOut = 8,  // an import stored every row, some without a field that did not fit
  kSucceeded = 9,      // what was verified is whole, and follows a log whose end is lost
  kIncomplete = 10,    // what was shown or done is as asked for, and something of it is missing
};

// Both texts may quote what a server or a file said: print them through Printable().
struct Failure {
  Exit exit = Exit::kFailed;
  std::string message;    // what went wrong; may have several lines
  std::string advice;     // what to do next; may be empty
  bool may_pass = false;  // the same request may succeed a little later
  std::string code = {};  // of a server's refusal, or of the vault's own code
};

template <class T>
using Outcome = std::expected<T, Failure>;

inline std::unexpected<Failure> Failed(Exit exit, std::string message, std::string advice = {}) {
  return std::unexpected(Failure{exit, std::move(message), std::move(advice), false, {}});
}

// An error of the vault's own code, met while working on local files. `doing` is what was tried
// ("cannot open the root key").
Failure FailureOf(const Error& error, std::string_view doing);

}  // namespace coffer::cli
