#include "api/routes/classes.h"

#include "api/http/input.h"
#include "api/routes/reply.h"

namespace coffer::api {
namespace {

using vault::Action;

Result<Reply> ListClasses(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto classes, service.vault.ListClasses(call.caller));
  return RenderList(classes);
}

Result<Reply> GetClass(const Service& service, const Call& call) {
  Input input(service, call, Action::kClassRead);
  COFFER_ASSIGN(const auto version, input.QueryNumber("version", std::uint64_t{1} << 53));
  COFFER_ASSIGN(const auto schema, service.vault.GetClass(call.caller, call.segments[0], version));
  return RenderOne(*schema);
}

Result<Reply> PutClass(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto schema,
                service.vault.PutClass(call.caller, call.segments[0], call.body));
  return RenderOne(*schema);
}

Result<Reply> PreviewClass(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto preview,
                service.vault.PreviewClass(call.caller, call.segments[0], call.body));
  return RenderOne(preview);
}

}  // namespace

void WriteMembers(ObjectWriter& object, const vault::ClassSchema& schema) {
  object.Text("name", schema.name);
  object.Number("version", schema.version);
  object.Raw("definition", schema.definition);
}

void WriteMembers(ObjectWriter& object, const vault::ClassPreview& preview) {
  object.Text("class", preview.class_name);
  if (preview.version != 0) object.Number("version", preview.version);
  if (preview.schedule != 0) object.Number("schedule", preview.schedule);
  object.Time("at", preview.at);
  object.Flag("moves_due_dates", preview.moves_due_dates);
  object.Objects("changes", preview.changes, [](ObjectWriter& row, const auto& change) {
    row.Text("policy", change.policy);
    row.Text("action", change.action);
    row.Number("records", change.records);
    row.Number("unchanged", change.unchanged);
    row.Number("sooner", change.sooner);
    row.Number("later", change.later);
    row.Number("begins", change.begins);
    row.Number("ends", change.ends);
    row.Number("unreadable", change.unreadable);
    row.Number("due_before", change.due_before);
    row.Number("due_after", change.due_after);
  });
}

std::span<const Route> ClassRoutes() {
  using enum Method;
  static constexpr std::string_view kClassQuery[] = {"version"};
  static constexpr Route kRoutes[] = {
      // clang-format off
      {kGet, "/v1/classes", Action::kClassRead, "listClasses", Body::kNone, {}, ListClasses},
      {kGet, "/v1/classes/{name}", Action::kClassRead, "getClass", Body::kNone, kClassQuery, GetClass},
      {kPut, "/v1/classes/{name}", Action::kClassWrite, "putClass", Body::kJson, {}, PutClass},
      {kPost, "/v1/classes/{name}/preview", Action::kRetentionRead, "previewClass", Body::kJson, {}, PreviewClass},
      // clang-format on
  };
  return kRoutes;
}

}  // namespace coffer::api
