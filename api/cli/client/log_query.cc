#include "api/cli/client/log_query.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "api/cli/text/json_view.h"
#include "audit/text/clock.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

Outcome<std::optional<std::uint64_t>> NumberIn(std::string_view text) {
  if (text.empty()) return std::optional<std::uint64_t>();
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return Failed(Exit::kFailed, "the server's answer about the log is not understood");
  }
  return std::optional(number);
}

std::unexpected<Failure> NoLength() {
  return Failed(Exit::kFailed, "the server does not say how long the log is",
                "Check that --url is the address of a Coffer server.");
}

std::vector<std::string> LinesOf(std::string_view body) {
  std::vector<std::string> lines;
  while (!body.empty()) {
    const auto end = std::min(body.find('\n'), body.size());
    lines.emplace_back(body.substr(0, end));
    body.remove_prefix(std::min(end + 1, body.size()));
  }
  return lines;
}

}  // namespace

Outcome<std::string> NormalisedTime(const std::string& text, std::string_view option) {
  if (text.empty()) return text;
  const std::string full = text.size() == 10 ? text + "T00:00:00Z" : text;
  const auto time = audit::ParseTimestamp(full, true);
  if (!time) {
    return Failed(Exit::kUsage, "\"" + text + "\" is no time for " + std::string(option),
                  "Write 2026-01-31 or 2026-01-31T09:30:00Z.");
  }
  return audit::FormatTimestamp(*time);
}

Outcome<LogFilterOptions> Normalised(LogFilterOptions filter) {
  COFFER_ASSIGN(filter.from, NormalisedTime(filter.from, "--from"));
  COFFER_ASSIGN(filter.to, NormalisedTime(filter.to, "--to"));
  return filter;
}

void AddFilter(Target& target, const LogFilterOptions& filter) {
  target.With("client", filter.client)
      .With("record", filter.record)
      .With("actor", filter.actor)
      .With("action", filter.action)
      .With("class", filter.class_name)
      .With("field", filter.field)
      .With("purpose", filter.purpose)
      .With("decision", filter.decision)
      .With("rule", filter.rule)
      .With("outcome", filter.outcome)
      .With("address", filter.address)
      .With("request", filter.request)
      .With("from", filter.from)
      .With("to", filter.to);
}

Target TargetOf(const LogQuery& query) {
  Target target("/v1/log/entries");
  AddFilter(target, query.filter);
  target.With("order", query.oldest_first ? "asc" : "").With("limit", std::to_string(query.limit));
  if (query.start) target.With("cursor", std::to_string(*query.start));
  return target;
}

namespace {

// A page as JSON, which has names beside its entries. These are canonical: put down again by the
// same rules, they are what they were.
Outcome<EntriesPage> ReadNamedPage(ApiClient& client, const HttpReply& reply) {
  COFFER_ASSIGN(const json answer, ParseAnswer(reply.body));
  client.TakeNames(answer);
  EntriesPage page;
  for (const json& entry : Member(answer, "items")) page.entries.push_back(TextOf(entry));
  const std::string next = Text(answer, "next_cursor");
  COFFER_ASSIGN(page.next, NumberIn(next));
  COFFER_ASSIGN(const auto size, NumberIn(Text(answer, "size")));
  if (!size) return NoLength();
  page.size = *size;
  return page;
}

Outcome<EntriesPage> ReadExactPage(const HttpReply& reply) {
  EntriesPage page;
  page.entries = LinesOf(reply.body);
  COFFER_ASSIGN(page.next, NumberIn(reply.Header("coffer-next-cursor")));
  COFFER_ASSIGN(const auto size, NumberIn(reply.Header("coffer-log-size")));
  if (!size) return NoLength();
  page.size = *size;
  return page;
}

}  // namespace

Outcome<EntriesPage> ReadEntriesPage(ApiClient& client, const LogQuery& query) {
  HttpRequest request;
  request.target = TargetOf(query).text();
  request.headers = {{"Accept", query.with_names ? "application/json" : "application/x-ndjson"}};
  COFFER_ASSIGN(const HttpReply reply, client.Send(std::move(request)));
  const bool named = reply.Header("content-type").starts_with("application/json");
  COFFER_ASSIGN(EntriesPage page, named ? ReadNamedPage(client, reply) : ReadExactPage(reply));
  page.request = reply.Header("coffer-request-id");
  return page;
}

Outcome<std::string> ReadCheckpoint(ApiClient& client) {
  HttpRequest request;
  request.target = "/v1/log/checkpoint";
  request.headers = {{"Accept", "text/plain"}};
  COFFER_ASSIGN(HttpReply reply, client.Send(std::move(request)));
  return std::move(reply.body);
}

}  // namespace coffer::cli
