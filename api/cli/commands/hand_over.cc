#include "api/cli/commands/hand_over.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "api/cli/text/json_view.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kPortion = 200;

void Add(LineCounts& counts, const LineCounts& more) {
  counts.done += more.done;
  counts.unchanged += more.unchanged;
  counts.refused += more.refused;
  counts.skipped += more.skipped;
}

}  // namespace

LineCounts TellAnswers(Console& console, const json& items, const std::vector<ClientLine>& lines,
                       std::size_t first) {
  LineCounts counts;
  std::size_t at = first;
  for (const json& item : items) {
    const std::string outcome = Text(item, "outcome");
    if (outcome == "assigned") ++counts.done;
    if (outcome == "unchanged") ++counts.unchanged;
    if (outcome == "refused") {
      ++counts.refused;
      const bool known = at < lines.size();
      const std::string name = known                                ? lines[at].name
                               : Text(item, "external_ref").empty() ? Text(item, "client")
                                                                    : Text(item, "external_ref");
      const std::string where = known && !lines[at].where.empty() ? lines[at].where + ": " : "";
      const std::string message = Text(item, "message");
      console.err << Printable(where + name) << ": " << Printable(Text(item, "code"))
                  << (message.empty() ? "" : ", ") << Printable(message) << "\n";
    }
    ++at;
  }
  return counts;
}

Outcome<LineCounts> HandOverClients(ApiClient& client, const std::string& from,
                                    const std::string& to, const std::vector<ClientLine>& lines,
                                    Console& console) {
  LineCounts counts;
  const Target target("/v1/assignments/hand-over");
  std::string cursor;
  for (std::size_t first = 0; lines.empty() || first < lines.size(); first += kPortion) {
    json body = {{"from", from}, {"to", to}};
    for (std::size_t i = first; i < std::min(lines.size(), first + kPortion); ++i) {
      body["clients"].push_back(NamedClient(lines[i].name));
    }
    if (!cursor.empty()) body["cursor"] = cursor;
    COFFER_ASSIGN(const json answer, client.Post(target, body.dump()));
    LineCounts portion = TellAnswers(console, Member(answer, "items"), lines, first);
    portion.skipped = Number(answer, "skipped").value_or(0);
    Add(counts, portion);
    if (!lines.empty()) continue;
    const std::string next = Text(answer, "next_cursor");
    if (next.empty()) break;
    if (next == cursor) return Failed(Exit::kFailed, "the server's list does not end");
    cursor = next;
  }
  return counts;
}

}  // namespace coffer::cli
