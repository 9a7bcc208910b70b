// The act (certificate) of an erasure: what was destroyed, by whom, why, how and when, signed by
// the log's key and tied to the log's entry of it.
//
// It has every item of the act that Roskomnadzor's order 179 of 28 October 2022 asks for, and more.
// How it is signed and delivered: act_document.h.
//
// What it shows. The signature: that the vault says so. Entry and proof: that it said so at that
// place of its log, which it cannot take back from whoever keeps a checkpoint. That no copy of the
// key is left anywhere, no signature can show; `backup_horizon_days` says how long older backups of
// the key store may still hold one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/documents/erasure_scope.h"
#include "audit/text/clock.h"
#include "audit/tlog/merkle.h"

namespace coffer::audit {

// Who answers for the data, as the server's configuration says.
struct OperatorDetails {
  std::string name = {};
  std::string address = {};
  std::string processor_name = {};  // who runs the vault on the operator's behalf; mostly nobody
  std::string processor_address = {};
  std::string system = {};  // the information system's name
  bool operator==(const OperatorDetails&) const = default;
};

// Settings without which an act lacks a mandatory item: "operator.name", "operator.address",
// "operator.system", and "operator.processor_address" (or "…_name") when only the other is given.
std::vector<std::string> MissingItems(const OperatorDetails& details);

enum class DestroyerRole { kRequester, kApprover };
std::string_view Name(DestroyerRole role);  // "requester", "approver"
struct Destroyer {
  std::string id;  // principal
  std::string name;
  std::string position;
  DestroyerRole role = DestroyerRole::kRequester;
  bool operator==(const Destroyer&) const = default;
};

struct DestroyedCategory {
  std::string class_name;  // or kClientItself: the client had no records; or kOtherClasses
  std::string title;       // of the class, for people; may be empty
  std::uint64_t records = 0;
  std::uint64_t versions = 0;  // of these records
  bool operator==(const DestroyedCategory&) const = default;
};

struct DestroyedKey {
  std::string id;
  std::uint64_t generation = 0;
  bool replaced = false;  // by a new key, under which what was kept is sealed
  bool operator==(const DestroyedKey&) const = default;
};

// In the words of NIST SP 800-88 Rev. 1: Name() says them.
enum class ErasureMethod {
  kCryptographicErase,  // the data key was destroyed, the rows deleted with secure_delete
  kClear,               // no key was destroyed, the rows were deleted with secure_delete
};
std::string_view Name(ErasureMethod method);

enum class ReasonKind { kPolicy, kRequest };
std::string_view Name(ReasonKind kind);  // "policy", "request"
struct ErasureReason {
  ReasonKind kind = ReasonKind::kRequest;
  std::string id;             // the policy's name, or the request's id
  std::uint64_t version = 0;  // the policy's; 0 for a request
  std::string legal_basis;    // in words
  bool operator==(const ErasureReason&) const = default;
};

struct KeptData {
  std::string what;
  std::string why;  // a hold, a legal duty
  bool operator==(const KeptData&) const = default;
};

// What was erased before, came back with an older state of the vault, and was erased again. The act
// of the first time counts for that, and says who asked.
struct ReplayedErasure {
  Timestamp date;             // of the first time
  std::uint64_t log_seq = 0;  // its entry, in the log of then
  bool operator==(const ReplayedErasure&) const = default;
};

// Medium of what was destroyed: order 179 asks for it, with a number of sheets where it is paper.
inline constexpr std::string_view kErasureMedium = "electronic";

// Of one act. Records beyond need an erasure of their own.
inline constexpr std::size_t kMaxActRecords = 1000;
inline constexpr std::size_t kMaxActCategories = 100;
inline constexpr std::size_t kMaxActDestroyers = 20;
inline constexpr std::size_t kMaxActKept = 100;
inline constexpr std::size_t kMaxActText = 1024;  // bytes of each text

struct ErasureAct {
  std::string erasure;  // "era_…"
  std::string vault;
  OperatorDetails details;
  std::string client;     // pseudonymous
  std::string reference;  // that the requester gave, a case's number; may be empty
  ErasureScope scope;
  std::vector<std::string> records;  // of the scope kRecords: the ids
  std::vector<Destroyer> destroyed_by;
  std::vector<DestroyedCategory> categories;
  ErasureMethod method = ErasureMethod::kCryptographicErase;
  std::optional<DestroyedKey> key;  // always with kCryptographicErase
  ErasureReason reason;
  std::optional<ReplayedErasure> replayed;
  Timestamp date;
  std::vector<KeptData> kept;
  std::optional<std::uint64_t> backup_horizon_days;  // absent: unknown
  std::string log;                                   // origin
  std::uint64_t log_seq = 0;                         // the erasure's entry
  Hash entry_hash{};                                 // SHA-256 of its bytes
  std::uint64_t ledger_seq = 0;  // the erasure's first line in the ledger (erasure_ledger.h)
  bool operator==(const ErasureAct&) const = default;
};

// What of the mandatory items the act itself lacks: those of its operator's details, and
// "destroyed_by", "destroyed_by.name", "destroyed_by.position", "categories".
std::vector<std::string> MissingItems(const ErasureAct& act);

}  // namespace coffer::audit
