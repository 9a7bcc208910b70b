#include "api/routes/purposes.h"

#include "api/routes/reply.h"

namespace coffer::api {
namespace {

using vault::Action;

Result<Reply> ListPurposes(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto purposes, service.vault.ListPurposes(call.caller));
  return RenderList(purposes);
}

Result<Reply> GetPurpose(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto purpose, service.vault.GetPurpose(call.caller, call.segments[0]));
  return RenderOne(purpose);
}

Result<Reply> PutPurpose(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto purpose,
                service.vault.PutPurpose(call.caller, call.segments[0], call.body));
  return RenderOne(purpose);
}

}  // namespace

void WriteMembers(ObjectWriter& object, const vault::Purpose& purpose) {
  object.RawMembers(vault::FormatPurpose(purpose));
}

std::span<const Route> PurposeRoutes() {
  using enum Method;
  static constexpr Route kRoutes[] = {
      // clang-format off
      {kGet, "/v1/purposes", Action::kPurposeRead, "listPurposes", Body::kNone, {}, ListPurposes},
      {kGet, "/v1/purposes/{code}", Action::kPurposeRead, "getPurpose", Body::kNone, {}, GetPurpose},
      {kPut, "/v1/purposes/{code}", Action::kPurposeWrite, "putPurpose", Body::kJson, {}, PutPurpose},
      // clang-format on
  };
  return kRoutes;
}

}  // namespace coffer::api
