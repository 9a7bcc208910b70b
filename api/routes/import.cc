#include "api/routes/import.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <new>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "api/http/input.h"
#include "api/http/problem.h"
#include "api/http/query.h"
#include "api/routes/records.h"
#include "vault/base/strict_json.h"

namespace coffer::api {
namespace {

using nlohmann::json;
using vault::Action;

constexpr std::size_t kMaxImportLines = 1000;
constexpr std::size_t kLinesAtOnce = 128;  // are prepared before they are stored
constexpr unsigned kMaxImportThreads = 8;  // of one import
constexpr int kThreadedImports = 4;  // at a time; others are done by the thread that serves them
constexpr std::string_view kAcceptErased = "accept";  // of erased_before
constexpr std::string_view kReplace = "replace";      // of mode

// One line of an import, parsed; refusals of its form are logged when its turn comes.
struct ImportLine {
  Result<json> object = Fail(Code::kInternal, "internal_error");
  std::string external_ref;
};

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

  // `work(share)` for each share of this many, on as many threads as there may be; returns when all
  // is done. What one throws, and would end the process with, is thrown here.
  template <class Work>
  void Share(std::size_t shares, Work&& work) const {
    std::vector<std::exception_ptr> thrown(shares);
    const auto take = [&](std::size_t share) noexcept {
      try {
        work(share);
      } catch (...) {
        thrown[share] = std::current_exception();
      }
    };
    {
      std::vector<std::jthread> threads;  // joined at the end of their scope
      std::size_t share = 1;
      if (granted_) {
        try {
          threads.reserve(shares);
          for (; share < shares; ++share) threads.emplace_back(take, share);
        } catch (const std::system_error&) {
          // Without a thread for them, the other shares are this one's.
        } catch (const std::bad_alloc&) {
          // The same.
        }
      }
      take(0);
      for (; share < shares; ++share) take(share);
    }
    for (const auto& exception : thrown) {
      if (exception) std::rethrow_exception(exception);
    }
  }

 private:
  static inline std::atomic<int> taken_{0};
  const bool granted_;
};

std::vector<ImportLine> ParseAll(std::string_view body, std::size_t shares,
                                 const ImportThreads& threads) {
  std::vector<std::string_view> texts;
  for (std::string_view rest = body; !rest.empty();) {
    const auto end = rest.find('\n');
    texts.push_back(rest.substr(0, end));
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
  }
  std::vector<ImportLine> lines(texts.size());
  threads.Share(shares, [&](std::size_t share) {
    for (std::size_t i = share; i < texts.size(); i += shares) lines[i] = ParseImportLine(texts[i]);
  });
  return lines;
}

using ImportResults = std::vector<Result<vault::ImportResult>>;

// Some lines, prepared together.
void ImportSome(const Service& service, const Call& call, const std::vector<ImportLine>& lines,
                std::span<const std::size_t> places, ImportResults& results) {
  const json nothing;
  std::vector<vault::ImportRow> rows;
  rows.reserve(places.size());
  for (const std::size_t place : places) {
    const ImportLine& line = lines[place];
    rows.push_back({line.external_ref, std::string(call.Query("class")),
                    line.object ? line.object->value("record_key", "") : "",
                    line.object ? (*line.object)["data"] : nothing,
                    call.Query("erased_before") == kAcceptErased,
                    call.Query("mode") == kReplace ? vault::ChangeForm::kWhole
                                                   : vault::ChangeForm::kMergePatch,
                    line.object ? nullptr : &line.object.error()});
  }
  auto imported = service.vault.imports().ImportRecords(call.caller, rows);
  for (std::size_t i = 0; i < places.size(); ++i) {
    auto& result = results[places[i]] = std::move(imported[i]);
    if (!result && rows[i].unreadable == nullptr) {
      result = std::unexpected(UnderData(std::move(result).error()));
    }
  }
}

// Lines of one client stay in their order, on one thread.
ImportResults ImportAll(const Service& service, const Call& call,
                        const std::vector<ImportLine>& lines, std::size_t shares,
                        const ImportThreads& threads) {
  ImportResults results(lines.size());
  std::vector<std::vector<std::size_t>> places(shares);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    places[std::hash<std::string>{}(lines[i].external_ref) % shares].push_back(i);
  }
  std::atomic<bool> give_up{false};
  threads.Share(shares, [&](std::size_t share) {
    for (std::span<const std::size_t> rest = places[share]; !rest.empty() && !give_up;) {
      const auto some = rest.first(std::min(rest.size(), kLinesAtOnce));
      try {
        ImportSome(service, call, lines, some, results);
      } catch (...) {
        give_up = true;  // the others' work is for a request that fails
        throw;
      }
      if (std::ranges::any_of(some, [&](std::size_t place) {
            return !results[place] && ConcernsAll(results[place].error());
          })) {
        give_up = true;
      }
      rest = rest.subspan(some.size());
    }
  });
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

Result<Reply> ImportRecords(const Service& service, const Call& call) {
  Input input(service, call, Action::kRecordImport);
  if (call.body.empty()) return input.Refuse({Code::kInvalidArgument, "body_required", {}, {}});
  if (call.Query("class").empty()) return input.InvalidParameter("class", "is required");
  const std::string_view erased = call.Query("erased_before");
  if (!erased.empty() && erased != kAcceptErased) {
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
  const ImportThreads threads;
  const std::size_t shares = std::clamp<std::size_t>(
      static_cast<std::size_t>(line_ends) / kLinesAtOnce, 1,
      std::clamp(std::thread::hardware_concurrency(), 2U, kMaxImportThreads));
  const auto lines = ParseAll(call.body, shares, threads);
  const auto results = ImportAll(service, call, lines, shares, threads);
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

}  // namespace

std::span<const Route> ImportRoutes() {
  using enum Method;
  static constexpr std::string_view kImportQuery[] = {"class", "erased_before", "mode"};
  static constexpr Route kRoutes[] = {
      // clang-format off
      {kPost, "/v1/import", Action::kRecordImport, "importRecords", Body::kNdjson, kImportQuery, ImportRecords},
      // clang-format on
  };
  return kRoutes;
}

}  // namespace coffer::api
