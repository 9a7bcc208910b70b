// What of a client an erasure is about, and how the log's entry of it says so.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace coffer::audit {

// Where what went is counted by class: the client itself, its profile without any record. No class
// is called so.
inline constexpr std::string_view kClientItself = "(client)";
// The sum of the classes that a document has no room for (document_limits.h).
inline constexpr std::string_view kOtherClasses = "(others)";

// A class, kClientItself or kOtherClasses.
bool IsCounted(std::string_view text);

enum class ScopeKind {
  kClient,   // everything
  kClass,    // all records of one class
  kRecords,  // some records
};

struct ErasureScope {
  ScopeKind kind = ScopeKind::kClient;
  std::string class_name = {};  // of kClass: [a-z][a-z0-9-]{0,63}
  bool operator==(const ErasureScope&) const = default;
};

// "client", "class:NAME", "records".
std::string FormatScope(const ErasureScope& scope);
std::optional<ErasureScope> ParseScope(std::string_view text);

// "erasure <id>; scope <scope>": the parts that `detail` of the entry must have, each once.
std::string ErasureDetail(std::string_view erasure, const ErasureScope& scope);

// Whether the entry with this `detail` is about this erasure and no other.
bool IsAboutErasure(std::string_view detail, std::string_view erasure, const ErasureScope& scope);

}  // namespace coffer::audit
