// A log whose end is lost is closed, and another takes its place, for nobody can sign a second
// history under a name that has one. The successor begins with the entries that are left, as they
// are; the first entry under its own name says what was closed, and what of it is lost:
//
//   log.succeeded   by the system, allowed, ok. `detail` "closed NAME; size N"; `payload_hash` the
//                   root of NAME at size N; `log` the successor's name
//
// N is the largest size of which a signed checkpoint was known, so entries from this one's number
// to N - 1 of NAME are lost. Where it equals the number, nothing was known, and how many are lost
// is not said. NAME may be a successor of the log that the entries before name, of which this copy
// was not: then N may be smaller, too, and all of NAME that is not here is lost. Keys stay those of
// key_history.h: whoever trusts one of them under one name trusts it under the other.
//
// Names: those of successors are the first one's with "~2", "~3", … behind it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/entries/entry.h"
#include "audit/tlog/checkpoint.h"
#include "crypto/result.h"

namespace coffer::audit {

inline constexpr std::string_view kLogSucceeded = "log.succeeded";

// Of "a~3" 3, of "a" 1.
std::uint32_t SuccessionNumber(std::string_view log);
std::string_view FirstLogName(std::string_view log);
std::string SuccessorName(std::string_view log);
// Whether `log` is `earlier`, or has a name for a successor of it, near or far.
bool IsOrSucceeds(std::string_view log, std::string_view earlier);

inline bool IsSameLog(std::string_view a, std::string_view b) {
  return FirstLogName(a) == FirstLogName(b);
}

// The key under each name that the log had up to that of the key: documents are signed under the
// name of their time.
std::vector<VerifierKey> UnderAllNames(const VerifierKey& key);

struct Succession {
  std::string successor;
  Checkpoint closed;       // the largest that was known
  std::uint64_t from = 0;  // the first entry of the successor's own
  std::string before;      // the name of the entries before it

  bool end_is_known() const { return closed.size != from; }
};

// What the entry has to say of it; seq, time, chain and name of the log are its writer's.
Entry SuccessionEntry(const Checkpoint& closed);

// The names that a log had, as its entries say.
class LogNames {
 public:
  // `name`: the first, of entry 0.
  explicit LogNames(std::string name) : name_(std::move(name)) {}

  // For each entry in order, at its place in the log. Errors: kCorrupted "log_name_wrong" of an
  // entry of another log, "succession_invalid". An entry of a successor that nothing began is told
  // once.
  Status Take(std::uint64_t seq, const Entry& entry);

  const std::string& name() const { return name_; }  // as of the last entry
  const std::vector<Succession>& successions() const { return successions_; }

 private:
  std::string name_;
  std::vector<Succession> successions_;
};

}  // namespace coffer::audit
