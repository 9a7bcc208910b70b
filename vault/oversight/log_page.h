// Searches of the access log, a page at a time, and single entries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vault/access/known_names.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

struct LogFilter {
  // `actor`: the id of a principal, the login of a user or the name of a service.
  std::string client, record, actor, action, class_name, purpose, decision, rule, outcome, address,
      request;
  std::string field;                  // among the entry's fields
  std::optional<Timestamp> from, to;  // [from, to)
};

struct LogPageRequest {
  std::size_t limit = 100;  // 1..1000
  bool oldest_first = false;
  std::optional<std::uint64_t> start;  // sequence to start at; the log's end when absent
};

struct LogPage {
  std::vector<std::string> entries;   // exact bytes
  std::vector<std::uint64_t> seqs;    // of these, by their place
  std::optional<std::uint64_t> next;  // where to go on, absent at the end
  std::uint64_t size = 0;             // of the log when it was read
  // Who may read the log may know what its actors are called.
  std::shared_ptr<const PrincipalNames> principals = {};
};

struct LogEntryView {
  std::string entry;
  // The free-text reason and the salt that opens `note_hash`; absent when none was given, it was
  // erased with its client, or the caller may not see reasons.
  std::optional<std::string> note_text;
  std::optional<std::string> note_salt;  // hex
};

}  // namespace coffer::vault
