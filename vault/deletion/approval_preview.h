// What an approval would do if it were carried out at the moment at which it is looked at, for
// whoever answers for it. Nothing of it is kept: what there is changes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "audit/text/clock.h"
#include "vault/base/ids.h"
#include "vault/base/timestamp.h"
#include "vault/catalog/document_difference.h"
#include "vault/deletion/hold.h"

namespace coffer::vault {

// Records that a rule of the retention schedule would keep.
enum class KeptState : std::uint8_t { kUntil, kKept, kNotBegun, kUnknown };
std::string_view Name(KeptState state);
struct KeptByRule {
  std::string class_name, policy;
  std::string basis;  // or why it is kept
  KeptState state = KeptState::kUntil;
  std::uint64_t records = 0;
  std::optional<Timestamp> until;  // of kUntil: of the last of them
};
struct PreviewedClass {
  std::string class_name, title;  // as the newest version of the class calls itself
  std::uint64_t records = 0;
};

struct ErasurePreview {
  ClientId client;
  bool there = true;                          // false: nothing is left to be erased
  std::optional<std::string> external_ref;    // for who may read the client
  std::vector<PreviewedClass> classes;        // by name
  std::uint64_t records = 0, missing = 0;     // missing: named, and not there
  std::uint64_t assignments = 0, leases = 0;  // that end with the whole client
  std::vector<Hold> holds;                    // that stand in the way, at most kMostHolds
  std::uint64_t held_by = 0;                  // all of them
  bool hold_words = false;                    // the caller may know why they were placed
  std::vector<KeptByRule> kept;
  std::optional<std::uint64_t> schedule;  // version; absent: there is none
  bool all_counted = true;                // false: of so many records the first ones
  static constexpr std::size_t kMostHolds = 20;
  static constexpr std::size_t kMostRecords = 10'000;
};
struct HoldPreview {
  Hold hold;
  bool words = false;  // the caller may know why it was placed
  std::uint64_t clients = 0;
  bool more_clients = false;      // than were counted
  std::uint64_t other_holds = 0;  // on the client, or the tag: they stay
};
struct ExportPreview {
  std::uint64_t clients = 0;
  bool more_clients = false;
};
struct ReplacementPreview {
  std::string what;           // "role", "class", "schedule", "role-of-account"
  std::string name;           // of the role or the class
  std::uint64_t version = 0;  // that is in force; of a role 0: it is built in
  bool is_new = false;        // there is none yet
  DocumentDifference difference;
};

// One of these, for who may decide it and who asked; a replacement also for who may read it.
struct ApprovalPreview {
  Timestamp at;
  std::optional<ErasurePreview> erasure = {};
  std::optional<HoldPreview> hold = {};
  std::optional<ExportPreview> exported = {};
  std::optional<ReplacementPreview> replacement = {};
};

}  // namespace coffer::vault
