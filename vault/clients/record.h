// A record, as it is shown and changed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vault/base/ids.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

struct RecordInfo {
  RecordId id;
  ClientId client;
  std::string class_name;
  std::uint64_t class_version = 0;
  std::uint64_t version = 0;
  Timestamp created, updated;
  std::string data;  // canonical JSON object; empty where only the metadata was asked for
  // Fields of `data` that are shown masked, and fields that are left out of it but are there.
  std::vector<std::string> masked, present;
};

struct VersionInfo {
  std::uint64_t version = 0;
  std::uint64_t class_version = 0;
  Timestamp written;
};

// How the document of a change stands to the one that is stored: in its place, or as a merge patch
// of it (RFC 7396), of which what is absent stays and what is null goes.
enum class ChangeForm { kWhole, kMergePatch };

}  // namespace coffer::vault
