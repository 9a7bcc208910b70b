#include "audit/documents/erasure_act.h"

#include <algorithm>
#include <cstdlib>

namespace coffer::audit {
namespace {

// Not IsBlank of plain_text.h: acts that were signed by this rule must verify by it.
bool HasOnlyBlanks(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

}  // namespace

std::string_view Name(DestroyerRole role) {
  switch (role) {
    case DestroyerRole::kRequester:
      return "requester";
    case DestroyerRole::kApprover:
      return "approver";
  }
  std::abort();
}

std::string_view Name(ErasureMethod method) {
  switch (method) {
    case ErasureMethod::kCryptographicErase:
      return "Cryptographic Erase (NIST SP 800-88 Rev. 1): data key destroyed; rows deleted with "
             "secure_delete";
    case ErasureMethod::kClear:
      return "Clear (NIST SP 800-88 Rev. 1): rows deleted with secure_delete";
  }
  std::abort();
}

std::string_view Name(ReasonKind kind) {
  switch (kind) {
    case ReasonKind::kPolicy:
      return "policy";
    case ReasonKind::kRequest:
      return "request";
  }
  std::abort();
}

std::vector<std::string> MissingItems(const OperatorDetails& details) {
  std::vector<std::string> missing;
  if (HasOnlyBlanks(details.name)) missing.emplace_back("operator.name");
  if (HasOnlyBlanks(details.address)) missing.emplace_back("operator.address");
  if (HasOnlyBlanks(details.system)) missing.emplace_back("operator.system");
  if (HasOnlyBlanks(details.processor_name) != HasOnlyBlanks(details.processor_address)) {
    missing.emplace_back(HasOnlyBlanks(details.processor_name) ? "operator.processor_name"
                                                               : "operator.processor_address");
  }
  return missing;
}

std::vector<std::string> MissingItems(const ErasureAct& act) {
  std::vector<std::string> missing = MissingItems(act.details);
  if (act.destroyed_by.empty()) missing.emplace_back("destroyed_by");
  if (std::ranges::any_of(act.destroyed_by, HasOnlyBlanks, &Destroyer::name)) {
    missing.emplace_back("destroyed_by.name");
  }
  if (std::ranges::any_of(act.destroyed_by, HasOnlyBlanks, &Destroyer::position)) {
    missing.emplace_back("destroyed_by.position");
  }
  if (act.categories.empty()) missing.emplace_back("categories");
  return missing;
}

}  // namespace coffer::audit
