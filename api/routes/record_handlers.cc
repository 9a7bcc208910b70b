#include <algorithm>
#include <array>
#include <atomic>
#include <exception>
#include <new>
#include <nlohmann/json.hpp>
#include <system_error>
#include <thread>

#include "api/http/input.h"
#include "api/http/problem.h"
#include "api/http/query.h"
#include "api/routes/handlers.h"
#include "api/routes/render.h"
#include "vault/base/strict_json.h"

namespace coffer::api {
namespace {

using nlohmann::json;
using vault::Action;

constexpr std::size_t kMaxImportLines = 1000;
constexpr std::size_t kImportThreads = 8;
constexpr int kThreadedImports = 4;  // at a time; others are done by the thread that serves them
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

Result<const json*> DataOf(Input& input, const json& object) {
  const auto data = object.find("data");
  if (data == object.end()) {
    return input.Refuse({Code::kUnprocessable, "request_invalid", {}, {{"/data", "is required"}}});
  }
  return &*data;
}

// Issues point into the document; in the request it stands under "data".
Error UnderData(Error error) {
  if (error.reason == "document_invalid" || error.reason == "field_not_writable") {
    for (auto& issue : error.issues) issue.pointer = "/data" + issue.pointer;
  }
  return error;
}

Reply RenderRecord(const vault::RecordInfo& record, int status = 200) {
  Reply reply = RenderOne(record, status);
  reply.headers.emplace_back("ETag", EntityTag(record.version));
  return reply;
}

// One line of an import, parsed; refusals of its form are logged when its turn comes.
struct ImportLine {
  Result<json> object = Fail(Code::kInternal, "internal_error");
  std::string external_ref;
};

constexpr std::string_view kAccept = "accept";    // of erased_before
constexpr std::string_view kReplace = "replace";  // of mode

ImportLine ParseImportLine(std::string_view text) {
  ImportLine line{vault::ParseStrictJson(text), {}};
  if (!line.object) return line;
  std::vector<Issue> issues;
  if (!line.object->is_object()) {
    issues.push_back({"", "must be an object"});
  } else {
    for (const auto& [name, value] : line.object->items()) {
      const bool is_text = name == "external_ref" || name == "record_key";
      if (!is_text && name != "data") {
        issues.push_back({vault::PointerTo("", name), "is not a known member"});
      } else if (is_text && !value.is_string()) {
        issues.push_back({vault::PointerTo("", name), "must be text"});
      } else if (is_text && IsBlank(value.get_ref<const std::string&>())) {
        issues.push_back({vault::PointerTo("", name), "must not be empty"});
      }
    }
    if (!line.object->contains("data")) issues.push_back({"/data", "is required"});
  }
  if (issues.empty()) {
    line.external_ref = line.object->value("external_ref", "");
  } else {
    line.object =
        std::unexpected(Error{Code::kUnprocessable, "import_invalid", {}, std::move(issues)});
  }
  return line;
}

Result<vault::ImportResult> Import(const Service& service, const Call& call,
                                   const ImportLine& line) {
  if (!line.object) {
    return Input(service, call, Action::kRecordImport).Refuse(line.object.error());
  }
  auto result = service.vault.imports().ImportRecord(
      call.caller,
      {line.external_ref, std::string(call.Query("class")), line.object->value("record_key", ""),
       (*line.object)["data"], call.Query("erased_before") == kAccept,
       call.Query("mode") == kReplace ? vault::ChangeForm::kWhole
                                      : vault::ChangeForm::kMergePatch});
  if (!result) return std::unexpected(UnderData(std::move(result).error()));
  return result;
}

// Nothing was wrong with the line, but with the caller or the vault: the same for every line.
bool ConcernsAll(const Error& error) {
  return error.code == Code::kUnauthenticated || error.code == Code::kUnavailable;
}

// The same, unless a line was taken: then it was the client's or the record's that it is about.
bool MayConcernAll(const Error& error) {
  return error.code == Code::kPermissionDenied || error.reason.starts_with("purpose_");
}

// Threads of its own for one import, where not too many have them already.
class ImportThreads {
 public:
  ImportThreads() : granted_(taken_.fetch_add(1) < kThreadedImports) {}
  ~ImportThreads() { taken_.fetch_sub(1); }
  ImportThreads(const ImportThreads&) = delete;
  ImportThreads& operator=(const ImportThreads&) = delete;
  bool granted() const { return granted_; }

 private:
  static inline std::atomic<int> taken_{0};
  const bool granted_;
};

// Several lines at a time share the engine's commits. Lines of one client stay in their order, on
// one thread.
std::vector<Result<vault::ImportResult>> ImportAll(const Service& service, const Call& call,
                                                   const std::vector<ImportLine>& lines) {
  std::vector<Result<vault::ImportResult>> results(lines.size());
  std::atomic<bool> give_up{false};
  // What a thread would end the process with: it is the request that it ends.
  std::array<std::exception_ptr, kImportThreads> thrown;
  const auto take_share = [&](std::size_t share) noexcept {
    try {
      for (std::size_t i = 0; i < lines.size() && !give_up; ++i) {
        if (std::hash<std::string>{}(lines[i].external_ref) % kImportThreads != share) continue;
        results[i] = Import(service, call, lines[i]);
        if (!results[i] && ConcernsAll(results[i].error())) give_up = true;
      }
    } catch (...) {
      thrown[share] = std::current_exception();
      give_up = true;
    }
  };
  {
    const ImportThreads own;
    std::vector<std::jthread> threads;  // joined at the end of their scope
    std::size_t share = 1;
    if (own.granted() && lines.size() > 1) {
      try {
        threads.reserve(kImportThreads);
        for (; share < kImportThreads; ++share) threads.emplace_back(take_share, share);
      } catch (const std::system_error&) {
        // Without a thread for them, the other shares are this one's.
      } catch (const std::bad_alloc&) {
        // The same.
      }
    }
    take_share(0);
    for (; share < kImportThreads; ++share) take_share(share);
  }
  for (const auto& exception : thrown) {
    if (exception) std::rethrow_exception(exception);
  }
  return results;
}

void AppendImportResult(std::string& out, std::size_t line,
                        const Result<vault::ImportResult>& result) {
  out += "{\"line\":" + std::to_string(line) + ",\"outcome\":\"";
  if (result) {
    out += vault::Name(result->outcome);
    out += "\",\"client\":\"" + result->client.Text() + "\",\"record\":\"" + result->record.Text() +
           '"';
    if (result->removed > 0) out += ",\"removed\":" + std::to_string(result->removed);
  } else {
    out += "refused\",";
    AppendProblemMembers(out, result.error());
  }
  out += "}\n";
}

// The body has the shape of a record: of it `data` alone can be changed.
Result<Reply> ChangeRecord(const Service& service, const Call& call, vault::ChangeForm form) {
  Input input(service, call, Action::kRecordUpdate);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(const auto id, input.Record());
  COFFER_ASSIGN(const auto version, input.IfMatch(true));
  COFFER_ASSIGN(const json object, input.Object({"data"}));
  COFFER_ASSIGN(const json* data, DataOf(input, object));
  const auto record =
      service.vault.records().UpdateRecord(call.caller, client, id, *version, *data, form);
  if (!record) return std::unexpected(UnderData(record.error()));
  return RenderRecord(*record);
}

}  // namespace

Result<Reply> CreateRecord(const Service& service, const Call& call) {
  Input input(service, call, Action::kRecordCreate);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(const json object, input.Object({"class", "data"}));
  COFFER_ASSIGN(const auto class_name, input.Text(object, "class", true));
  COFFER_ASSIGN(const json* data, DataOf(input, object));
  const auto record = service.vault.records().CreateRecord(call.caller, client, class_name, *data,
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
  COFFER_ASSIGN(const auto records,
                service.vault.records().ListRecords(call.caller, client, call.Query("class"),
                                                    data == "true", page));
  return RenderList(records.items, records.next_cursor);
}

Result<Reply> GetRecord(const Service& service, const Call& call) {
  Input input(service, call, Action::kRecordRead);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(const auto id, input.Record());
  COFFER_ASSIGN(const auto record, service.vault.records().GetRecord(call.caller, client, id));
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
  COFFER_TRY(service.vault.records().DeleteRecord(call.caller, client, id, version));
  return Reply{204, "", "", {}};
}

Result<Reply> ListRecordVersions(const Service& service, const Call& call) {
  Input input(service, call, Action::kRecordList);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(const auto id, input.Record());
  COFFER_ASSIGN(const auto versions, service.vault.records().ListVersions(call.caller, client, id));
  return RenderList(versions);
}

Result<Reply> GetRecordVersion(const Service& service, const Call& call) {
  Input input(service, call, Action::kRecordRead);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(const auto id, input.Record());
  const auto version = ParseDecimal(call.segments[2], std::uint64_t{1} << 53);
  if (!version) return input.Refuse({Code::kNotFound, "not_found", {}, {}});
  COFFER_ASSIGN(const auto record,
                service.vault.records().GetRecordVersion(call.caller, client, id, *version));
  return RenderRecord(record);
}

Result<Reply> ImportRecords(const Service& service, const Call& call) {
  Input input(service, call, Action::kRecordImport);
  if (call.body.empty()) return input.Refuse({Code::kInvalidArgument, "body_required", {}, {}});
  if (call.Query("class").empty()) return input.InvalidParameter("class", "is required");
  const std::string_view erased = call.Query("erased_before");
  if (!erased.empty() && erased != kAccept) {
    return input.InvalidParameter("erased_before", "must be \"accept\"");
  }
  const std::string_view mode = call.Query("mode");
  if (!mode.empty() && mode != "merge" && mode != kReplace) {
    return input.InvalidParameter("mode", "must be \"merge\" or \"replace\"");
  }
  // Refused as a whole before the first line is taken: a half import would need explaining.
  if (!service.vault.classes().HasClass(call.Query("class"))) {
    return input.Refuse({Code::kUnprocessable, "class_unknown", {}, {}});
  }
  const auto line_ends = std::count(call.body.begin(), call.body.end(), '\n');
  if (static_cast<std::size_t>(line_ends) + (call.body.back() == '\n' ? 0U : 1U) >
      kMaxImportLines) {
    return input.Refuse({Code::kTooLarge, "body_too_large", {}, {}});
  }
  // Who may import nothing is refused once, and not line by line.
  COFFER_TRY(service.vault.imports().MayImport(call.caller, call.Query("class")));
  std::vector<ImportLine> lines;
  for (std::string_view rest = call.body; !rest.empty();) {
    const auto end = rest.find('\n');
    lines.push_back(ParseImportLine(rest.substr(0, end)));
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
  }
  const auto results = ImportAll(service, call, lines);
  const bool taken = std::ranges::any_of(results, [](const auto& one) { return one.has_value(); });
  for (const auto& result : results) {
    if (result) continue;
    if (ConcernsAll(result.error()) || (!taken && MayConcernAll(result.error()))) {
      return std::unexpected(result.error());
    }
  }
  Reply reply;
  reply.content_type = "application/x-ndjson";
  for (std::size_t i = 0; i < results.size(); ++i)
    AppendImportResult(reply.body, i + 1, results[i]);
  return reply;
}

Result<Reply> ExportClients(const Service& service, const Call& call) {
  Input input(service, call, Action::kClientExport);
  COFFER_ASSIGN(const json object, input.Object({"tag", "classes", "limit", "cursor"}));
  vault::ExportSelection selection;
  COFFER_ASSIGN(selection.tag, input.Text(object, "tag", false));
  COFFER_ASSIGN(selection.classes, input.Texts(object, "classes", false));
  COFFER_ASSIGN(const auto page, ExportPageIn(input, object));
  COFFER_ASSIGN(const auto exported, service.vault.exports().Export(call.caller, selection, page));
  return RenderList(exported.lines, exported.next_cursor);
}

Result<Reply> PackageClient(const Service& service, const Call& call) {
  Input input(service, call, Action::kClientPackage);
  COFFER_ASSIGN(const auto client, input.Client());
  COFFER_ASSIGN(const json object, input.Object({"limit", "cursor"}));
  COFFER_ASSIGN(const auto page, ExportPageIn(input, object));
  COFFER_ASSIGN(const auto package,
                service.vault.exports().PackageClient(call.caller, client, page));
  return RenderList(package.lines, package.next_cursor);
}

}  // namespace coffer::api
