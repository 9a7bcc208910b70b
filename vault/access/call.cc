#include "vault/access/call.h"

namespace coffer::vault {

audit::Entry VaultEntry(std::string_view action) {
  audit::Entry entry;
  entry.action = action;
  entry.actor = "vault";
  entry.actor_kind = audit::ActorKind::kSystem;
  entry.decision = audit::Decision::kAllow;
  return entry;
}

void AddDetail(audit::Entry& entry, std::string_view text) {
  if (!entry.detail.empty()) entry.detail += "; ";
  entry.detail += text;
}

std::unexpected<Error> Deny(Call& call, std::string_view check, Code code,
                            std::string_view reason) {
  call.entry.decision = audit::Decision::kDeny;
  call.entry.rule = "check:" + std::string(check);
  return Fail(code, reason);
}

std::unexpected<Error> NotFound(Call& call) {
  return Deny(call, "existence", Code::kNotFound, "not_found");
}

}  // namespace coffer::vault
