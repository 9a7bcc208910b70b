#include "audit/documents/evidence.h"

#include <cstdlib>

namespace coffer::audit {

std::string_view Name(EvidenceKind kind) {
  switch (kind) {
    case EvidenceKind::kClient:
      return "client";
    case EvidenceKind::kPrincipal:
      return "principal";
    case EvidenceKind::kRange:
      return "range";
  }
  std::abort();
}

}  // namespace coffer::audit
