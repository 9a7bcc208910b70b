#include "api/cli/text/name_book.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/cli/text/json_view.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kIdDigits = 26;

bool IsIdCharacter(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

}  // namespace

std::vector<IdPlace> FindIds(std::string_view text) {
  std::vector<IdPlace> places;
  for (auto at = text.find('_'); at != text.npos; at = text.find('_', at + 1)) {
    IdPlace place{at, at + 1};
    while (place.from > 0 && IsIdCharacter(text[place.from - 1])) --place.from;
    while (place.to < text.size() && IsIdCharacter(text[place.to])) ++place.to;
    if (place.from < at && place.to - at - 1 == kIdDigits) places.push_back(place);
  }
  return places;
}

void NameBook::Take(const json& answer) {
  const json& names = Member(answer, "names");
  if (!names.is_object()) return;
  for (const auto& [id, known] : names.items()) {
    const std::string name = Text(known, "name");
    if (!name.empty()) names_[id] = {name, Text(known, "disabled") == "true"};
  }
}

json NameBook::NamesIn(std::string_view text) const {
  json names = json::object();
  for (const IdPlace& place : FindIds(text)) {
    const auto found = names_.find(text.substr(place.from, place.to - place.from));
    if (found == names_.end()) continue;
    json& known = names[found->first];
    known["name"] = found->second.name;
    if (found->second.disabled) known["disabled"] = true;
  }
  return names;
}

bool NameBook::IsOfSeveral(std::string_view name) const {
  const auto is_called = [&](const auto& item) { return item.second.name == name; };
  return std::ranges::count_if(names_, is_called) > 1;
}

std::string NameBook::Show(std::string_view text, bool in_full) const {
  std::string shown;
  std::size_t done = 0;
  for (const IdPlace& place : FindIds(text)) {
    const auto found = names_.find(text.substr(place.from, place.to - place.from));
    if (found == names_.end()) continue;
    const std::string name = found->second.name + (found->second.disabled ? ", disabled" : "");
    const bool with_id = in_full || IsOfSeveral(found->second.name);
    shown += text.substr(done, (with_id ? place.to : place.from) - done);
    shown += with_id ? " (" + name + ")" : name;
    done = place.to;
  }
  shown += text.substr(done);
  return shown;
}

}  // namespace coffer::cli
