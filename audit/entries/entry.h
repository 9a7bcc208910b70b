// One line of the access log: RFC 8785 canonical JSON, at most 8 KiB, stored as bytes and never
// re-serialised. Members (absent when they have no value), in their canonical order:
//
//   action actor actor_kind address auth class client decision detail fields log note_hash outcome
//   payload_hash prev purpose record request rule seq skew_ms state_hash
//   ts v version
//
// An entry holds pseudonymous ids and field names, never a value of a record, a name, a token or a
// search term.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/text/clock.h"
#include "audit/tlog/log_source.h"
#include "crypto/bytes.h"
#include "crypto/result.h"

namespace coffer::audit {

enum class ActorKind { kUnknown, kUser, kService, kSystem };
enum class Decision { kAllow, kDeny };

std::string_view Name(ActorKind kind);     // "unknown", "user", "service", "system"
std::string_view Name(Decision decision);  // "allow", "deny"

struct Entry {
  // Filled by the log when the entry is appended.
  std::uint64_t seq = 0;
  Timestamp ts;
  crypto::Hash prev{};
  std::int64_t skew_ms = 0;  // how far the clock lay before the previous entry's time; absent if 0
  std::string log;           // origin

  // Filled by who does the work. Empty strings are absent members.
  std::string action;
  std::string actor;
  ActorKind actor_kind = ActorKind::kSystem;  // kUnknown is an absent member
  std::string auth;                           // "token", "none"
  std::string address;                        // peer
  std::string request;
  std::string client;
  std::string record;
  std::string class_name;  // member "class"
  std::vector<std::string> fields;
  std::uint64_t version = 0;  // absent when 0
  std::string purpose;
  Decision decision = Decision::kDeny;
  std::string rule;
  std::string outcome;
  std::string detail;  // what was changed, for administrative actions: ids and names of settings
  std::optional<crypto::Hash> payload_hash;
  std::optional<crypto::Hash> note_hash;
  // What the vault keeps beside clients and records, as this operation left it: a keyed hash that
  // says nothing to who has no key of the vault. Absent where that was not changed.
  std::optional<crypto::Hash> state_hash;
};

// Appends the canonical bytes to `out`. Hot: no allocation but the growth of `out`. Strings are
// written as given after escaping by RFC 8785 (section 3.2.2.2); invalid UTF-8 becomes U+FFFD, and
// a string whose escaped form is longer than 256 bytes (`auth` or a field name: 64) is cut at a
// character boundary, so that an entry always fits. Numbers beyond 2^53 - 1 are written as that.
// Precondition: fields has at most 64 names (aborts: leaving names out would hide a reading).
void AppendCanonical(const Entry& entry, std::string& out);

// Strict: refuses what AppendCanonical could not have written (order, spacing, unknown members,
// wrong types, more than kMaxEntryBytes). Errors: kCorrupted "entry_malformed" with the reason.
Result<Entry> ParseEntry(std::string_view bytes);

// Salted commitment to a free-text note: SHA-256("coffer-note-v1" ‖ 00 ‖ salt (32) ‖ text).
crypto::Hash NoteCommitment(const crypto::Hash& salt, std::string_view text);

}  // namespace coffer::audit
