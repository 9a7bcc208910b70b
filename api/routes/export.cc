#include "api/routes/export.h"

#include <nlohmann/json.hpp>

#include "api/http/input.h"
#include "api/routes/clients.h"
#include "api/routes/records.h"
#include "api/routes/reply.h"

namespace coffer::api {
namespace {

using nlohmann::json;
using vault::Action;

constexpr std::uint64_t kExportLines = 200, kMaxExportLines = 1000;

Result<vault::PageRequest> ExportPageIn(Input& input, const json& object) {
  vault::PageRequest page;
  COFFER_ASSIGN(page.cursor, input.Text(object, "cursor", false));
  COFFER_ASSIGN(const auto limit, input.Number(object, "limit"));
  if (limit && (*limit == 0 || *limit > kMaxExportLines)) {
    return input.Invalid("/limit", "must be a number from 1 to 1000");
  }
  page.limit = limit.value_or(kExportLines);
  return page;
}

// To whom it goes, where that is said.
Result<std::optional<vault::RecipientId>> RecipientIn(Input& input, const json& object) {
  COFFER_ASSIGN(const std::string text, input.Text(object, "recipient", false));
  if (text.empty()) return std::nullopt;
  const auto id = vault::RecipientId::Parse(text);
  if (!id) return input.Invalid("/recipient", "must be the id of a recipient");
  return *id;
}

Result<Reply> ExportClients(const Service& service, const Call& call) {
  Input input(service, call, Action::kClientExport);
  COFFER_ASSIGN(const json object,
                input.Object({"tag", "classes", "recipient", "limit", "cursor"}));
  vault::ExportSelection selection;
  COFFER_ASSIGN(selection.tag, input.Text(object, "tag", false));
  COFFER_ASSIGN(selection.classes, input.Texts(object, "classes", false));
  COFFER_ASSIGN(const auto page, ExportPageIn(input, object));
  COFFER_ASSIGN(const auto recipient, RecipientIn(input, object));
  COFFER_ASSIGN(const auto exported,
                service.vault.exports().Export(call.caller, selection, page, recipient));
  return RenderList(exported.lines, exported.next_cursor);
}

Result<Reply> PackageClient(const Service& service, const Call& call) {
  Input input(service, call, Action::kClientPackage);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(const json object, input.Object({"recipient", "limit", "cursor"}));
  COFFER_ASSIGN(const auto page, ExportPageIn(input, object));
  COFFER_ASSIGN(const auto recipient, RecipientIn(input, object));
  COFFER_ASSIGN(const auto package,
                service.vault.exports().PackageClient(call.caller, client, page, recipient));
  return RenderList(package.lines, package.next_cursor);
}

}  // namespace

void WriteMembers(ObjectWriter& object, const ExportLine& line) {
  const char* const name = std::holds_alternative<vault::ClientInfo>(line) ? "client" : "record";
  std::visit([&](const auto& value) { object.Object(name, value); }, line);
}

std::span<const Route> ExportRoutes() {
  using enum Method;
  static constexpr Route kRoutes[] = {
      // clang-format off
      {kPost, "/v1/export", Action::kClientExport, "exportClients", Body::kJson, {}, ExportClients},
      {kPost, "/v1/clients/{client}/package", Action::kClientPackage, "packageClient", Body::kJson, {}, PackageClient},
      // clang-format on
  };
  return kRoutes;
}

}  // namespace coffer::api
