#include "api/http/input.h"
#include "api/routes/handlers.h"
#include "api/routes/render.h"

namespace coffer::api {

using vault::Action;

Result<Reply> ListClasses(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto classes, service.vault.classes().ListClasses(call.caller));
  return RenderList(classes);
}

Result<Reply> GetClass(const Service& service, const Call& call) {
  Input input(service, call, Action::kClassRead);
  COFFER_ASSIGN(const auto version, input.QueryNumber("version", std::uint64_t{1} << 53));
  COFFER_ASSIGN(const auto schema,
                service.vault.classes().GetClass(call.caller, call.segments[0], version));
  return RenderOne(*schema);
}

Result<Reply> PutClass(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto schema,
                service.vault.classes().PutClass(call.caller, call.segments[0], call.body));
  return RenderOne(*schema);
}

Result<Reply> PreviewClass(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto preview,
                service.vault.retention().PreviewClass(call.caller, call.segments[0], call.body));
  return RenderOne(preview);
}

Result<Reply> ListPurposes(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto purposes, service.vault.purposes().ListPurposes(call.caller));
  return RenderList(purposes);
}

Result<Reply> GetPurpose(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto purpose,
                service.vault.purposes().GetPurpose(call.caller, call.segments[0]));
  return RenderOne(purpose);
}

Result<Reply> PutPurpose(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto purpose,
                service.vault.purposes().PutPurpose(call.caller, call.segments[0], call.body));
  return RenderOne(purpose);
}

}  // namespace coffer::api
