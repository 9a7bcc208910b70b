#include "api/cli/text/json_view.h"

#include <nlohmann/json.hpp>

namespace coffer::cli {

using nlohmann::json;

const json& Member(const json& value, std::string_view member) {
  static const json kNull;
  if (!value.is_object()) return kNull;
  const auto found = value.find(std::string(member));
  return found == value.end() ? kNull : *found;
}

std::string TextOf(const json& value) {
  if (value.is_null()) return {};
  if (value.is_string()) return value.get_ref<const std::string&>();
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string Text(const json& object, std::string_view member) {
  return TextOf(Member(object, member));
}

std::optional<std::uint64_t> Number(const json& object, std::string_view member) {
  const json& value = Member(object, member);
  if (!value.is_number_unsigned()) return std::nullopt;
  return value.get<std::uint64_t>();
}

std::vector<std::string> TextList(const json& object, std::string_view member) {
  std::vector<std::string> texts;
  const json& list = Member(object, member);
  if (!list.is_array()) return texts;
  for (const json& item : list) texts.push_back(TextOf(item));
  return texts;
}

bool IsCut(const json& list) {
  constexpr std::size_t kLongestList = 1000;
  const json& items = Member(list, "items");
  return !Text(list, "next_cursor").empty() || (items.is_array() && items.size() >= kLongestList);
}

}  // namespace coffer::cli
