#include "api/cli/import/import_batch.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "api/cli/client/problem.h"
#include "api/cli/import/cell_text.h"
#include "api/cli/text/json_view.h"
#include "vault/base/strict_json.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr std::chrono::milliseconds kLongestPause{30'000};

HttpRequest RequestFor(const std::string& class_name, const std::vector<PendingRow>& rows,
                       bool accept_erased, bool replace) {
  HttpRequest request;
  request.method = "POST";
  request.target = Target("/v1/import")
                       .With("class", class_name)
                       .With("erased_before", accept_erased ? "accept" : "")
                       .With("mode", replace ? "replace" : "")
                       .text();
  request.headers = {{"Accept", "application/x-ndjson"}};
  request.content_type = "application/x-ndjson";
  request.patience = std::chrono::seconds(120);
  std::size_t size = 0;
  for (const PendingRow& row : rows) size += row.text.size();
  request.body.reserve(size);
  for (const PendingRow& row : rows) request.body += row.text;
  return request;
}

std::vector<std::string_view> Lines(std::string_view body) {
  std::vector<std::string_view> lines;
  while (!body.empty()) {
    const auto end = std::min(body.find('\n'), body.size());
    if (end > 0) lines.push_back(body.substr(0, end));
    body.remove_prefix(std::min(end + 1, body.size()));
  }
  return lines;
}

// Takes the fields out of a refused row that it is good without, when they are all that is wrong
// with it. False: the refusal stands.
bool LeaveOutRefused(const ImportPlan& plan, PendingRow& row, const json& answer) {
  const json& errors = Member(answer, "errors");
  if (Text(answer, "code") != "document_invalid" || !errors.is_array() || errors.empty()) {
    return false;
  }
  auto line = vault::ParseStrictJson(row.text);
  if (!line || !Member(*line, "data").is_object()) return false;
  json& data = (*line)["data"];
  std::vector<Refusal> left_out;
  for (const json& error : errors) {
    const ImportPlan::Field* field = plan.OptionalField(Text(error, "pointer"));
    if (field == nullptr) return false;
    const auto value = data.find(field->name);
    if (value == data.end()) continue;  // two faults of one field
    Refusal refusal = plan.Locate(row.line, Text(error, "pointer"), Text(error, "message"));
    refusal.shape = ShapeOfCell(TextOf(*value));
    left_out.push_back(std::move(refusal));
    data.erase(value);
  }
  if (left_out.empty()) return false;
  row.text = line->dump() + "\n";
  std::ranges::move(left_out, std::back_inserter(row.left_out));
  return true;
}

void TakeRefusal(const ImportPlan& plan, std::uint64_t line, const json& answer,
                 ImportTally& tally) {
  const json& errors = Member(answer, "errors");
  const std::string code = Text(answer, "code");
  if (code == "erased_before") ++tally.erased;
  if (!errors.is_array() || errors.empty()) {
    tally.refusals.push_back(plan.Locate(line, {}, code.empty() ? "was refused" : code));
    return;
  }
  // One refusal a row, naming every fault: rows are what is counted.
  Refusal refusal = plan.Locate(line, Text(errors[0], "pointer"), Text(errors[0], "message"));
  for (std::size_t i = 1; i < errors.size(); ++i) {
    const Refusal more = plan.Locate(line, Text(errors[i], "pointer"), Text(errors[i], "message"));
    refusal.message += "; " + more.field + " " + more.message;
  }
  tally.refusals.push_back(std::move(refusal));
}

enum class Settled { kYes, kAgain, kAgainWithoutFields };

Outcome<Settled> TakeAnswer(const ImportPlan& plan, PendingRow& row, std::string_view text,
                            ImportTally& tally) {
  const std::uint64_t line = row.line;
  COFFER_ASSIGN(const json answer, ParseAnswer(text));
  const std::string outcome = Text(answer, "outcome");
  if (outcome == "created") {
    ++tally.created;
  } else if (outcome == "updated") {
    ++tally.updated;
    const std::uint64_t removed = Number(answer, "removed").value_or(0);
    if (removed > 0) ++tally.shortened;
    tally.removed += removed;
  } else if (outcome == "unchanged") {
    ++tally.unchanged;
  } else if (outcome == "refused") {
    const auto status = Number(answer, "status").value_or(422);
    if (IsTemporary(static_cast<int>(status))) return Settled::kAgain;
    if (status >= 500) {
      return Failed(
          Exit::kFailed,
          "the server failed at line " + std::to_string(line) + " (" + Text(answer, "code") + ")",
          "Look at the server's log.");
    }
    if (LeaveOutRefused(plan, row, answer)) return Settled::kAgainWithoutFields;
    TakeRefusal(plan, line, answer, tally);
    return Settled::kYes;
  } else {
    return Failed(Exit::kFailed, "the server's answer to an import is not understood");
  }
  std::ranges::move(row.left_out, std::back_inserter(tally.left_out));
  return Settled::kYes;
}

struct Left {
  std::vector<PendingRow> rows;
  bool changed = false;  // at least one is another row now
};

// What is left to be sent again.
Outcome<Left> TakeAnswers(const ImportPlan& plan, std::vector<PendingRow> rows,
                          std::string_view body, ImportTally& tally) {
  const auto lines = Lines(body);
  if (lines.size() != rows.size()) {
    return Failed(Exit::kFailed,
                  "the server answered " + std::to_string(lines.size()) + " of " +
                      std::to_string(rows.size()) + " rows",
                  "Run the same import again: what is stored already is left as it is.");
  }
  Left left;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    COFFER_ASSIGN(const Settled settled, TakeAnswer(plan, rows[i], lines[i], tally));
    left.changed = left.changed || settled == Settled::kAgainWithoutFields;
    if (settled != Settled::kYes) left.rows.push_back(std::move(rows[i]));
  }
  return left;
}

// Grows with each attempt, and is never shorter than the server asks for.
std::chrono::milliseconds PauseBefore(const Patience& patience, int attempt,
                                      std::string_view retry_after) {
  int seconds = 0;
  const char* const last = retry_after.data() + retry_after.size();
  const auto [end, error] = std::from_chars(retry_after.data(), last, seconds);
  if (error != std::errc() || end != last) seconds = 0;
  const std::chrono::milliseconds grown = patience.first_pause * (1 << std::min(attempt - 1, 10));
  return std::min(std::max<std::chrono::milliseconds>(grown, std::chrono::seconds(seconds)),
                  kLongestPause);
}

}  // namespace

Outcome<void> SendBatch(ApiClient& client, const ImportPlan& plan, const std::string& class_name,
                        std::vector<PendingRow> rows, const Patience& patience, ImportTally& tally,
                        bool accept_erased, bool replace) {
  for (int attempt = 1;; ++attempt) {
    Failure failure{Exit::kFailed, "the server did not take a row in time", "Try again later.",
                    true};
    std::string retry_after;
    const auto reply = client.Exchange(RequestFor(class_name, rows, accept_erased, replace));
    if (!reply) {
      if (reply.error().exit != Exit::kUnreachable) return std::unexpected(reply.error());
      failure = reply.error();
    } else if (reply->status >= 200 && reply->status < 300) {
      COFFER_ASSIGN(Left left, TakeAnswers(plan, std::move(rows), reply->body, tally));
      rows = std::move(left.rows);
      if (rows.empty()) return {};
      // Each time there are fewer fields: this ends.
      if (left.changed) {
        --attempt;
        continue;
      }
    } else {
      failure = FailureOf(*reply);
      if (!IsTemporary(reply->status)) return std::unexpected(std::move(failure));
      retry_after = reply->Header("retry-after");
    }
    if (attempt >= patience.attempts) return std::unexpected(std::move(failure));
    std::this_thread::sleep_for(PauseBefore(patience, attempt, retry_after));
  }
}

}  // namespace coffer::cli
