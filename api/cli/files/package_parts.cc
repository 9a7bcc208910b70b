#include "api/cli/files/package_parts.h"

#include <map>
#include <nlohmann/json.hpp>
#include <string_view>

#include "api/cli/text/json_view.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

std::unexpected<Failure> NoParts(std::string_view why) {
  return Failed(Exit::kFailed,
                "The server's parts are no access package: " + std::string(why) + ".");
}

void AddUp(const json& items, std::map<std::string, json>& sums) {
  for (const json& item : items) {
    json key = item;
    key.erase("count");
    auto& sum = sums.try_emplace(key.dump(), key).first->second;
    sum["count"] = Number(sum, "count").value_or(0) + Number(item, "count").value_or(0);
  }
}

void Append(const json& items, json& all) {
  for (const json& item : items) all.push_back(item);
}

}  // namespace

Outcome<json> JoinParts(const std::vector<std::string>& parts) {
  json whole = {{"records", json::array()}, {"log", json::array()}};
  std::map<std::string, json> left_out;
  bool last = false;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const json part = json::parse(parts[i], nullptr, false);
    if (!part.is_object()) return NoParts("one is not JSON");
    if (Text(part, "format") != "coffer-access-package-v1") return NoParts("another format");
    if (Number(part, "part") != i + 1) return NoParts("a part is missing");
    if (i == 0) {
      whole["package"] = Text(part, "package");
      whole["made"] = Text(part, "made");
      whole["about"] = Member(part, "about");
    } else if (Text(part, "package") != Text(whole, "package")) {
      return NoParts("a part of another one");
    }
    Append(Member(part, "records"), whole["records"]);
    Append(Member(part, "log"), whole["log"]);
    AddUp(Member(part, "left_out"), left_out);
    last = Member(part, "last") == true;
  }
  if (!last) return NoParts("the last part is missing");
  if (!whole["about"].is_object()) return NoParts("nothing about the client");
  json& sums = whole["left_out"] = json::array();
  for (auto& [key, sum] : left_out) sums.push_back(std::move(sum));
  return whole;
}

}  // namespace coffer::cli
