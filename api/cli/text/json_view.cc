#include "api/cli/text/json_view.h"

#include <nlohmann/json.hpp>
#include <ostream>

namespace coffer::cli {

using nlohmann::json;

namespace {

std::string Dump(const json& value, int indent, bool ascii) {
  return value.dump(indent, ' ', ascii, json::error_handler_t::replace);
}

}  // namespace

const json& Member(const json& value, std::string_view member) {
  static const json kNull;
  if (!value.is_object()) return kNull;
  const auto found = value.find(std::string(member));
  return found == value.end() ? kNull : *found;
}

std::string TextOf(const json& value) {
  if (value.is_null()) return {};
  if (value.is_string()) return value.get_ref<const std::string&>();
  return Dump(value, -1, false);
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

void TellIfCut(Console& console, const json& list) {
  if (!IsCut(list)) return;
  console.out << "These are the first " << Grouped(Member(list, "items").size())
              << "; there can be more, which this list does not show.\n";
}

void PrintJson(Console& console, const json& value) {
  std::string text = Dump(value, 2, console.out_is_terminal);
  // Where several answers were put together, their names are still to be.
  if (value.is_object() && !value.contains("names") && !console.names->empty()) {
    if (json names = console.names->NamesIn(text); !names.empty()) {
      json named = value;
      named["names"] = std::move(names);
      text = Dump(named, 2, console.out_is_terminal);
    }
  }
  // DEL is ASCII, and JSON lets it stand as it is.
  if (console.out_is_terminal) {
    for (std::size_t at = 0; (at = text.find('\x7f', at)) != text.npos;) {
      text.replace(at, 1, "\\u007f");
    }
  }
  console.out << text << '\n';
}

}  // namespace coffer::cli
