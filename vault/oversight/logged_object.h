// What an entry of the log says of the client or the record that it is about, and whether what is
// stored agrees with all that the log says of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "audit/entries/entry.h"
#include "crypto/hash.h"
#include "vault/base/ids.h"

namespace coffer::vault {

// What is wrong with an object.
inline constexpr std::string_view kDiffers = "is not what the log says was written";

// kWritten: as a new version. kResealed: the same version, other bytes. kGone: of a client with
// everything that it had.
enum class ObjectChange { kNone, kWritten, kResealed, kGone };
ObjectChange ChangeOf(const audit::Entry& entry);

struct LoggedChange {
  ObjectChange change = ObjectChange::kNone;
  std::uint64_t seq = 0, version = 0;
  crypto::Hash payload{};
  std::string client, record;  // ids; the latter empty: about the client
};
LoggedChange LoggedChangeOf(const audit::Entry& entry);

// A client or record as it is stored, but for the sealed bytes.
struct StoredObject {
  crypto::Id128 id{};
  std::int64_t client = 0;  // its row, of a record
  std::uint64_t version = 0;
  crypto::Hash payload{};
  std::vector<std::pair<std::uint64_t, crypto::Hash>> old;  // versions of a record, oldest first
};

// What is wrong with a record that is stored; empty: nothing. `history`: all changes of it, oldest
// first.
std::string FaultOfRecord(const StoredObject& stored, const std::vector<LoggedChange>& history);
// The same of a client.
std::string FaultOfClient(const StoredObject& stored, const std::vector<LoggedChange>& history);

}  // namespace coffer::vault
