#include "api/routes/records.h"

#include <nlohmann/json.hpp>

#include "api/http/input.h"
#include "api/http/query.h"
#include "api/routes/reply.h"

namespace coffer::api {
namespace {

using nlohmann::json;
using vault::Action;

Result<const json*> DataOf(Input& input, const json& object) {
  const auto data = object.find("data");
  if (data == object.end()) {
    return input.Refuse({Code::kUnprocessable, "request_invalid", {}, {{"/data", "is required"}}});
  }
  return &*data;
}

Reply RenderRecord(const vault::RecordInfo& record, int status = 200) {
  Reply reply = RenderOne(record, status);
  reply.headers.emplace_back("ETag", EntityTag(record.version));
  return reply;
}

// The body has the shape of a record: of it `data` alone can be changed.
Result<Reply> ChangeRecord(const Service& service, const Call& call, vault::ChangeForm form) {
  Input input(service, call, Action::kRecordUpdate);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(const auto id, input.Record());
  COFFER_ASSIGN(const auto version, input.IfMatch(true));
  COFFER_ASSIGN(const json object, input.Object({"data"}));
  COFFER_ASSIGN(const json* data, DataOf(input, object));
  const auto record = service.vault.UpdateRecord(call.caller, client, id, *version, *data, form);
  if (!record) return std::unexpected(UnderData(record.error()));
  return RenderRecord(*record);
}

Result<Reply> CreateRecord(const Service& service, const Call& call) {
  Input input(service, call, Action::kRecordCreate);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(const json object, input.Object({"class", "data"}));
  COFFER_ASSIGN(const auto class_name, input.Text(object, "class", true));
  COFFER_ASSIGN(const json* data, DataOf(input, object));
  const auto record = service.vault.CreateRecord(call.caller, client, class_name, *data,
                                                 {call.idempotency_key, call.body});
  if (!record) return std::unexpected(UnderData(record.error()));
  Reply reply = RenderRecord(*record, 201);
  reply.headers.emplace_back("Location",
                             "/v1/clients/" + client.Text() + "/records/" + record->id.Text());
  return reply;
}

Result<Reply> ListRecords(const Service& service, const Call& call) {
  const std::string_view data = call.Query("data");
  Input input(service, call, data == "true" ? Action::kRecordRead : Action::kRecordList);
  COFFER_ASSIGN(const auto client, input.Client());
  if (!data.empty() && data != "true" && data != "false") {
    return input.InvalidParameter("data", "must be true or false");
  }
  COFFER_ASSIGN(const auto page, input.Page());
  COFFER_ASSIGN(
      const auto records,
      service.vault.ListRecords(call.caller, client, call.Query("class"), data == "true", page));
  return RenderList(records.items, records.next_cursor);
}

Result<Reply> GetRecord(const Service& service, const Call& call) {
  Input input(service, call, Action::kRecordRead);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(const auto id, input.Record());
  COFFER_ASSIGN(const auto record, service.vault.GetRecord(call.caller, client, id));
  return RenderRecord(record);
}

Result<Reply> UpdateRecord(const Service& service, const Call& call) {
  return ChangeRecord(service, call, vault::ChangeForm::kWhole);
}

Result<Reply> PatchRecord(const Service& service, const Call& call) {
  return ChangeRecord(service, call, vault::ChangeForm::kMergePatch);
}

Result<Reply> DeleteRecord(const Service& service, const Call& call) {
  Input input(service, call, Action::kRecordDelete);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(const auto id, input.Record());
  COFFER_ASSIGN(const auto version, input.IfMatch(false));
  COFFER_TRY(service.vault.DeleteRecord(call.caller, client, id, version));
  return Reply{204, "", "", {}};
}

Result<Reply> ListRecordVersions(const Service& service, const Call& call) {
  Input input(service, call, Action::kRecordList);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(const auto id, input.Record());
  COFFER_ASSIGN(const auto versions, service.vault.ListVersions(call.caller, client, id));
  return RenderList(versions);
}

Result<Reply> GetRecordVersion(const Service& service, const Call& call) {
  Input input(service, call, Action::kRecordRead);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(const auto id, input.Record());
  const auto version = ParseDecimal(call.segments[2], std::uint64_t{1} << 53);
  if (!version) return input.Refuse({Code::kNotFound, "not_found", {}, {}});
  COFFER_ASSIGN(const auto record,
                service.vault.GetRecordVersion(call.caller, client, id, *version));
  return RenderRecord(record);
}

}  // namespace

Error UnderData(Error error) {
  if (error.reason == "document_invalid" || error.reason == "field_not_writable") {
    for (auto& issue : error.issues) issue.pointer = "/data" + issue.pointer;
  }
  return error;
}

void WriteMembers(ObjectWriter& object, const vault::RecordInfo& record) {
  object.Reserve(record.data.size() + 400);
  object.Text("id", record.id.Text());
  object.Text("client", record.client.Text());
  object.Text("class", record.class_name);
  object.Number("class_version", record.class_version);
  object.Number("version", record.version);
  object.Time("created", record.created);
  object.Time("updated", record.updated);
  if (!record.data.empty()) {
    object.Raw("data", record.data);
    object.Texts("masked", record.masked);
    if (!record.present.empty()) object.Texts("present", record.present);
  }
}

void WriteMembers(ObjectWriter& object, const vault::VersionInfo& version) {
  object.Number("version", version.version);
  object.Number("class_version", version.class_version);
  object.Time("written", version.written);
}

std::span<const Route> RecordRoutes() {
  using enum Method;
  static constexpr std::string_view kRecordQuery[] = {"class", "data", "limit", "cursor"};
  static constexpr Route kRoutes[] = {
      // clang-format off
      {kPost, "/v1/clients/{client}/records", Action::kRecordCreate, "createRecord", Body::kJson, {}, CreateRecord},
      {kGet, "/v1/clients/{client}/records", Action::kRecordList, "listRecords", Body::kNone, kRecordQuery, ListRecords},
      {kGet, "/v1/clients/{client}/records/{record}", Action::kRecordRead, "getRecord", Body::kNone, {}, GetRecord},
      {kPut, "/v1/clients/{client}/records/{record}", Action::kRecordUpdate, "updateRecord", Body::kJson, {}, UpdateRecord},
      {kPatch, "/v1/clients/{client}/records/{record}", Action::kRecordUpdate, "patchRecord", Body::kMergePatch, {}, PatchRecord},
      {kDelete, "/v1/clients/{client}/records/{record}", Action::kRecordDelete, "deleteRecord", Body::kNone, {}, DeleteRecord},
      {kGet, "/v1/clients/{client}/records/{record}/versions", Action::kRecordList, "listRecordVersions", Body::kNone, {}, ListRecordVersions},
      {kGet, "/v1/clients/{client}/records/{record}/versions/{version}", Action::kRecordRead, "getRecordVersion", Body::kNone, {}, GetRecordVersion},
      // clang-format on
  };
  return kRoutes;
}

}  // namespace coffer::api
