#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/handlers.h"
#include "api/input.h"
#include "api/problem.h"
#include "api/render.h"
#include "vault/strict_json.h"

namespace coffer::api {
namespace {

using nlohmann::json;
using vault::Action;

constexpr std::size_t kMaxImportLines = 1000;

Result<const json*> DataOf(Input& input, const json& object) {
  const auto data = object.find("data");
  if (data == object.end()) {
    return input.Refuse({Code::kUnprocessable, "request_invalid", {}, {{"/data", "is required"}}});
  }
  return &*data;
}

// Issues point into the document; in the request it stands under "data".
Error UnderData(Error error) {
  if (error.reason == "document_invalid") {
    for (auto& issue : error.issues) issue.pointer = "/data" + issue.pointer;
  }
  return error;
}

Reply RenderRecord(const vault::RecordInfo& record, int status = 200) {
  Reply reply = RenderOne(record, status);
  reply.headers.emplace_back("ETag", EntityTag(record.version));
  return reply;
}

Result<vault::ImportResult> ImportLine(const Service& service, const Call& call,
                                       std::string_view line) {
  Input input(service, call, Action::kRecordImport);
  const auto parsed = vault::ParseStrictJson(line);
  if (!parsed) return input.Refuse(parsed.error());
  std::vector<Issue> issues;
  if (!parsed->is_object()) {
    issues.push_back({"", "must be an object"});
  } else {
    for (const auto& [name, value] : parsed->items()) {
      const bool text = name == "external_ref" || name == "record_key";
      if (!text && name != "data") {
        issues.push_back({vault::PointerTo("", name), "is not a known member"});
      } else if (text && !value.is_string()) {
        issues.push_back({vault::PointerTo("", name), "must be text"});
      }
    }
    if (!parsed->contains("data")) issues.push_back({"/data", "is required"});
  }
  if (!issues.empty()) {
    return input.Refuse({Code::kUnprocessable, "import_invalid", {}, std::move(issues)});
  }
  auto result = service.vault.ImportRecord(
      call.caller, {parsed->value("external_ref", ""), std::string(call.Query("class")),
                    parsed->value("record_key", ""), (*parsed)["data"]});
  if (!result) return std::unexpected(UnderData(std::move(result).error()));
  return result;
}

void AppendImportResult(std::string& out, std::size_t line,
                        const Result<vault::ImportResult>& result) {
  out += "{\"line\":" + std::to_string(line) + ",\"outcome\":\"";
  if (result) {
    out += vault::Name(result->outcome);
    out += "\",\"client\":\"" + result->client.Text() + "\",\"record\":\"" + result->record.Text() + '"';
  } else {
    out += "refused\",";
    AppendProblemMembers(out, result.error());
  }
  out += "}\n";
}

}  // namespace

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
    return input.Refuse({Code::kInvalidArgument, "parameter_invalid", {}, {}});
  }
  COFFER_ASSIGN(const auto page, input.Page());
  COFFER_ASSIGN(const auto records, service.vault.ListRecords(call.caller, client, call.Query("class"),
                                                              data == "true", page));
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
  Input input(service, call, Action::kRecordUpdate);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(const auto id, input.Record());
  COFFER_ASSIGN(const auto version, input.IfMatch(true));
  COFFER_ASSIGN(const json object, input.Object({"data"}));
  COFFER_ASSIGN(const json* data, DataOf(input, object));
  const auto record = service.vault.UpdateRecord(call.caller, client, id, *version, *data);
  if (!record) return std::unexpected(UnderData(record.error()));
  return RenderRecord(*record);
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

Result<Reply> ImportRecords(const Service& service, const Call& call) {
  Input input(service, call, Action::kRecordImport);
  if (call.body.empty()) return input.Refuse({Code::kInvalidArgument, "body_required", {}, {}});
  if (call.Query("class").empty()) {
    return input.Refuse({Code::kInvalidArgument, "parameter_invalid", {}, {}});
  }
  // Refused as a whole before the first line is taken: a half import would need explaining.
  if (!service.vault.HasClass(call.Query("class"))) {
    return input.Refuse({Code::kUnprocessable, "class_unknown", {}, {}});
  }
  const auto line_ends = std::count(call.body.begin(), call.body.end(), '\n');
  if (static_cast<std::size_t>(line_ends) + (call.body.back() == '\n' ? 0U : 1U) > kMaxImportLines) {
    return input.Refuse({Code::kTooLarge, "body_too_large", {}, {}});
  }
  Reply reply;
  reply.content_type = "application/x-ndjson";
  std::string_view rest = call.body;
  for (std::size_t line = 1; !rest.empty(); ++line) {
    const auto end = rest.find('\n');
    const auto text = rest.substr(0, end);
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
    const auto result = ImportLine(service, call, text);
    // Nothing about the line was wrong, but the caller or the vault: the same for every line.
    if (!result && (result.error().code == Code::kUnauthenticated ||
                    result.error().code == Code::kPermissionDenied ||
                    result.error().code == Code::kUnavailable ||
                    result.error().reason.starts_with("purpose_"))) {
      return std::unexpected(result.error());
    }
    AppendImportResult(reply.body, line, result);
  }
  return reply;
}

}  // namespace coffer::api
