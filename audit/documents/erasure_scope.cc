#include "audit/documents/erasure_scope.h"

#include <cstdlib>

#include "audit/documents/ids.h"

namespace coffer::audit {
namespace {

constexpr std::string_view kClassScope = "class:";
constexpr std::string_view kPartEnd = "; ";

// Whether `detail` has exactly one part that begins with `name`, and that is followed by `value`.
bool HasPart(std::string_view detail, std::string_view name, std::string_view value) {
  std::size_t named = 0;
  bool right = false;
  while (true) {
    const auto end = detail.find(kPartEnd);
    const std::string_view part = detail.substr(0, end);
    if (part.starts_with(name)) {
      ++named;
      right = part.substr(name.size()) == value;
    }
    if (end == std::string_view::npos) return right && named == 1;
    detail.remove_prefix(end + kPartEnd.size());
  }
}

}  // namespace

bool IsCounted(std::string_view text) {
  return text == kClientItself || text == kOtherClasses || IsClassName(text);
}

std::string FormatScope(const ErasureScope& scope) {
  switch (scope.kind) {
    case ScopeKind::kClient:
      return "client";
    case ScopeKind::kClass:
      return std::string(kClassScope) + scope.class_name;
    case ScopeKind::kRecords:
      return "records";
  }
  std::abort();
}

std::optional<ErasureScope> ParseScope(std::string_view text) {
  if (text == "client") return ErasureScope{ScopeKind::kClient};
  if (text == "records") return ErasureScope{ScopeKind::kRecords};
  if (!text.starts_with(kClassScope)) return std::nullopt;
  text.remove_prefix(kClassScope.size());
  if (!IsClassName(text)) return std::nullopt;
  return ErasureScope{ScopeKind::kClass, std::string(text)};
}

std::string ErasureDetail(std::string_view erasure, const ErasureScope& scope) {
  return std::string("erasure ").append(erasure).append("; scope ").append(FormatScope(scope));
}

bool IsAboutErasure(std::string_view detail, std::string_view erasure, const ErasureScope& scope) {
  return HasPart(detail, "erasure ", erasure) && HasPart(detail, "scope ", FormatScope(scope));
}

}  // namespace coffer::audit
