// MANIFEST.json of an evidence bundle: RFC 8785 canonical JSON, one spelling only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/documents/evidence.h"

namespace coffer::audit {

struct ManifestFile {
  std::string name;
  Hash sha256{};
  std::uint64_t size = 0;
  bool operator==(const ManifestFile&) const = default;
};

struct Manifest {
  std::uint64_t checkpoint_size = 0;
  bool complete = false;
  Timestamp created;
  std::uint64_t entries = 0;
  std::vector<ManifestFile> files;  // by name
  std::optional<Timestamp> from, to;
  EvidenceKind kind = EvidenceKind::kRange;
  std::string log;
  std::string reason;
  std::uint64_t reasons = 0;
  bool reasons_included = false;
  std::string requested_by;
  std::string subject;
};

std::string FormatManifest(const Manifest& manifest);
// Refuses everything that FormatManifest would write otherwise.
std::optional<Manifest> ParseManifest(std::string_view text);

// What MANIFEST.sig signs. No checkpoint reads like it: a checkpoint's second line is a number
// and its third 44 characters of base64, here it is 64 hexadecimal digits.
std::string ManifestStatement(std::string_view log, std::string_view manifest);

// One line of reasons.ndjson, without its newline.
struct ReasonLine {
  std::uint64_t seq = 0;
  OpenedNote note;
};
std::string FormatReason(const ReasonLine& reason);
std::optional<ReasonLine> ParseReason(std::string_view line);

}  // namespace coffer::audit
