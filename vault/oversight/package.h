// An access package: all that is kept of one client, for the client (GDPR 15 and 20, 152-FZ 14,
// PIPL 45). Prepared, and handed out once before it expires.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/bytes.h"
#include "vault/base/ids.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

inline constexpr std::uint64_t kPackageDays = 30;
inline constexpr std::uint64_t kMaxPackageDays = 90;
// So long after its first part a hand-out can go on.
inline constexpr std::int64_t kHandOutMs = std::int64_t{3600} * 1000;

struct PackageForm {
  std::optional<RequestId> request;  // that it answers
  // For who asks in the client's name; absent: as the request says, else for the client.
  std::optional<bool> representative;
  std::uint64_t days = kPackageDays;  // until it expires
  // The log's entries as they are, with who did what; takes a reason.
  bool names_staff = false;
};

// Where a part begins.
struct PackagePlace {
  enum class Stage : std::uint8_t { kAbout, kRecords, kLog, kEnd };
  Stage stage = Stage::kAbout;
  std::int64_t record = 0;   // row: its versions after `number`, then the records after it
  std::uint64_t number = 0;  // of kLog: the first entry that may be in it
};

struct PackagePart {
  std::uint64_t number = 1;
  Timestamp made;
  std::uint64_t seq = 0;  // of its entry in the log, whose payload_hash is `sha256`
  crypto::Hash sha256{};
  PackagePlace next;
};

struct PackageRow {
  PackageId id;
  ClientId client;
  std::optional<RequestId> request;
  std::string purpose;  // that was stated, and is for each part
  bool representative = false, names_staff = false;
  Timestamp prepared, expires;
  PrincipalId prepared_by;
  std::uint64_t seq = 0;  // of the entry that it was prepared by
  std::optional<Timestamp> revoked, handed_out, completed;
  std::optional<PrincipalId> revoked_by, handed_out_by;
  std::optional<crypto::Hash> key;
  std::uint64_t log_size = 0;
};

enum class PackageState : std::uint8_t { kPrepared, kHandedOut, kExpired, kRevoked };
std::string_view Name(PackageState state);  // "handed_out"
std::optional<PackageState> PackageStateFromName(std::string_view name);
PackageState StateOf(const PackageRow& row, Timestamp now);

struct Package {
  PackageRow row;
  PackageState state = PackageState::kPrepared;
  std::vector<PackagePart> parts;  // of one that is read alone
};

}  // namespace coffer::vault
