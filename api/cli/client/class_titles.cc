#include "api/cli/client/class_titles.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/cli/text/json_view.h"

namespace coffer::cli {

using nlohmann::json;

namespace {

// "City" says no more than "city".
bool SaysTheSame(std::string_view name, std::string_view title) {
  return std::ranges::equal(name, title, [](char in_name, char in_title) {
    if (in_title == ' ') return in_name == '_' || in_name == '-';
    return in_name == (in_title >= 'A' && in_title <= 'Z' ? in_title - 'A' + 'a' : in_title);
  });
}

std::string WithTitle(const std::string& name, const std::string& title) {
  return title.empty() || SaysTheSame(name, title) ? name : name + " (" + title + ")";
}

}  // namespace

ClassTitles ClassTitles::Read(ApiClient& client, const std::set<std::string>& classes,
                              const Console& console) {
  ClassTitles read;
  if (!console.out_is_terminal) return read;
  for (const std::string& name : classes) {
    if (name.empty()) continue;
    const auto answer = client.Get(Target("/v1/classes").Segment(name));
    // Without titles the rest is as true.
    if (!answer) break;
    const json& definition = Member(*answer, "definition");
    read.titles_[name] = Text(definition, "title");
    const json& fields = Member(definition, "fields");
    if (!fields.is_object()) continue;
    for (const auto& [field, form] : fields.items()) {
      read.titles_[name + "/" + field] = Text(form, "title");
    }
  }
  return read;
}

std::string ClassTitles::Class(const std::string& name) const {
  const auto found = titles_.find(name);
  return found == titles_.end() ? name : WithTitle(name, found->second);
}

std::string ClassTitles::Field(const std::string& class_name, const std::string& field) const {
  const auto found = titles_.find(class_name + "/" + field);
  return found == titles_.end() ? field : WithTitle(field, found->second);
}

std::string ClassTitles::Fields(const std::string& class_name, const json& fields) const {
  if (titles_.empty() || !fields.is_array()) return TextOf(fields);
  std::string joined;
  for (const json& field : fields) {
    joined += (joined.empty() ? "" : ", ") + Field(class_name, TextOf(field));
  }
  return joined;
}

std::set<std::string> ClassesOf(const json& items, std::string_view member) {
  std::set<std::string> classes;
  if (!items.is_array()) return classes;
  for (const json& item : items) classes.insert(Text(item, member));
  classes.erase("");
  return classes;
}

}  // namespace coffer::cli
