#include "api/routes/packages.h"

#include <nlohmann/json.hpp>

#include "api/http/input.h"
#include "api/routes/names.h"
#include "api/routes/reply.h"
#include "crypto/encoding.h"

namespace coffer::api {
namespace {

using nlohmann::json;
using vault::Action;

constexpr std::string_view kForClient = "client", kForRepresentative = "representative";

Result<vault::PackageId> PackageInPath(Input& input, const Call& call) {
  const auto id = vault::PackageId::Parse(call.segments[0]);
  if (!id) return input.Refuse(id.error());
  return *id;
}

Result<Reply> PreparePackage(const Service& service, const Call& call) {
  Input input(service, call, Action::kClientPackage);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(const json object, input.Object({"request", "for", "days", "names_staff"}));
  vault::PackageForm form;
  COFFER_ASSIGN(const std::string request, input.Text(object, "request", false));
  if (!request.empty()) {
    const auto id = vault::RequestId::Parse(request);
    if (!id) return input.Invalid("/request", "must be the id of a request");
    form.request = *id;
  }
  COFFER_ASSIGN(const std::string whom, input.Text(object, "for", false));
  if (!whom.empty() && whom != kForClient && whom != kForRepresentative) {
    return input.Invalid("/for", "must be client or representative");
  }
  if (!whom.empty()) form.representative = whom == kForRepresentative;
  COFFER_ASSIGN(const auto days, input.Number(object, "days"));
  if (days) form.days = *days;
  COFFER_ASSIGN(form.names_staff, input.Flag(object, "names_staff"));
  COFFER_ASSIGN(const auto package,
                service.vault.packages().PreparePackage(call.caller, client, form));
  Reply reply = WithNames(service, call, RenderOne(package, 201));
  reply.headers.emplace_back("Location", "/v1/packages/" + package.row.id.Text());
  return reply;
}

Result<Reply> ListPackages(const Service& service, const Call& call) {
  Input input(service, call, Action::kPackageRead);
  vault::PackageFilter filter;
  if (const auto text = call.Query("client"); !text.empty()) {
    const auto id = vault::ClientId::Parse(text);
    if (!id) return input.Refuse(id.error());
    filter.client = *id;
  }
  if (const auto text = call.Query("state"); !text.empty()) {
    filter.state = vault::PackageStateFromName(text);
    if (!filter.state) {
      return input.InvalidParameter("state", "must be prepared, handed_out, expired or revoked");
    }
  }
  COFFER_ASSIGN(const auto page, input.Page());
  COFFER_ASSIGN(const auto packages,
                service.vault.packages().ListPackages(call.caller, filter, page));
  return WithNames(service, call, RenderList(packages.items, packages.next_cursor));
}

Result<Reply> GetPackage(const Service& service, const Call& call) {
  Input input(service, call, Action::kPackageRead);
  COFFER_ASSIGN(const auto id, PackageInPath(input, call));
  COFFER_ASSIGN(const auto package, service.vault.packages().GetPackage(call.caller, id));
  return WithNames(service, call, RenderOne(package));
}

Result<Reply> RevokePackage(const Service& service, const Call& call) {
  Input input(service, call, Action::kClientPackage);
  COFFER_ASSIGN(const auto id, PackageInPath(input, call));
  COFFER_ASSIGN(const auto package, service.vault.packages().RevokePackage(call.caller, id));
  return WithNames(service, call, RenderOne(package));
}

// The answer's body is the part, to the byte: its entry in the log has its SHA-256.
Result<Reply> HandOutPackage(const Service& service, const Call& call) {
  Input input(service, call, Action::kClientPackage);
  COFFER_ASSIGN(const auto id, PackageInPath(input, call));
  COFFER_ASSIGN(const json object, input.Object({"part", "key"}));
  vault::PartRequest request;
  COFFER_ASSIGN(request.key, input.Text(object, "key", true));
  COFFER_ASSIGN(const auto part, input.Number(object, "part"));
  if (part) request.part = *part;
  Reply reply;
  COFFER_ASSIGN(reply.body, service.vault.packages().HandOutPart(call.caller, id, request));
  return reply;
}

Result<Reply> GetPackageReceipt(const Service& service, const Call& call) {
  Input input(service, call, Action::kClientPackage);
  COFFER_ASSIGN(const auto id, PackageInPath(input, call));
  COFFER_ASSIGN(auto receipt, service.vault.packages().MakeReceipt(call.caller, id));
  Reply reply{200, "application/zip", std::move(receipt), {}};
  reply.headers.emplace_back("Content-Disposition", "attachment; filename=\"receipt.zip\"");
  return reply;
}

}  // namespace

void WriteMembers(ObjectWriter& object, const vault::Package& package) {
  const vault::PackageRow& row = package.row;
  object.Text("id", row.id.Text());
  object.Text("client", row.client.Text());
  if (row.request) object.Text("request", row.request->Text());
  object.Text("purpose", row.purpose);
  object.Text("for", row.representative ? kForRepresentative : kForClient);
  object.Flag("names_staff", row.names_staff);
  object.Text("state", Name(package.state));
  object.Time("prepared", row.prepared);
  object.Text("prepared_by", row.prepared_by.Text());
  object.Number("entry", row.seq);
  object.Time("expires", row.expires);
  if (row.revoked) object.Time("revoked", *row.revoked);
  if (row.revoked_by) object.Text("revoked_by", row.revoked_by->Text());
  if (row.handed_out) object.Time("handed_out", *row.handed_out);
  if (row.handed_out_by) object.Text("handed_out_by", row.handed_out_by->Text());
  if (row.completed) object.Time("completed", *row.completed);
  if (package.parts.empty()) return;
  object.Objects("parts", package.parts, [](ObjectWriter& item, const auto& part) {
    item.Number("part", part.number);
    item.Time("made", part.made);
    item.Number("entry", part.seq);
    item.Text("sha256", crypto::HexEncode(part.sha256));
  });
}

std::span<const Route> PackageRoutes() {
  using enum Method;
  static constexpr std::string_view kPackageQuery[] = {"client", "state", "limit", "cursor"};
  static constexpr Route kRoutes[] = {
      // clang-format off
      {kPost, "/v1/clients/{client}/packages", Action::kClientPackage, "preparePackage", Body::kJson, {}, PreparePackage},
      {kGet, "/v1/packages", Action::kPackageRead, "listPackages", Body::kNone, kPackageQuery, ListPackages},
      {kGet, "/v1/packages/{package}", Action::kPackageRead, "getPackage", Body::kNone, {}, GetPackage},
      {kPost, "/v1/packages/{package}/content", Action::kClientPackage, "handOutPackage", Body::kJson, {}, HandOutPackage},
      {kGet, "/v1/packages/{package}/receipt", Action::kClientPackage, "getPackageReceipt", Body::kNone, {}, GetPackageReceipt},
      {kPost, "/v1/packages/{package}/revoke", Action::kClientPackage, "revokePackage", Body::kNone, {}, RevokePackage},
      // clang-format on
  };
  return kRoutes;
}

}  // namespace coffer::api
