#include "api/cli/text/json_view.h"

#include <nlohmann/json.hpp>
#include <ostream>

namespace coffer::cli {

using nlohmann::json;

namespace {

std::string Dump(const json& value, int indent, bool ascii) {
  return value.dump(indent, ' ', ascii, json::error_handler_t::replace);
}

// Bytes of a character of UTF-8.
std::size_t LengthOf(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

// JSON in which whatever a terminal might obey is an escape of JSON's.
std::string Escaped(std::string_view text) {
  std::string escaped;
  while (!text.empty()) {
    const std::string_view next = text.substr(0, LengthOf(text.front()));
    text.remove_prefix(next.size());
    if (next == "\x7f") {
      escaped += "\\u007f";  // ASCII, which JSON lets stand as it is
    } else if (next == "\n" || Printable(next) == next) {
      escaped += next;
    } else {
      const std::string quoted = Dump(json(next), -1, true);
      escaped += quoted.substr(1, quoted.size() - 2);
    }
  }
  return escaped;
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
  std::string text = Dump(value, 2, false);
  // Where several answers were put together, their names are still to be.
  if (value.is_object() && !value.contains("names") && !console.names->empty()) {
    if (json names = console.names->NamesIn(text); !names.empty()) {
      json named = value;
      named["names"] = std::move(names);
      text = Dump(named, 2, false);
    }
  }
  console.out << (console.out_is_terminal ? Escaped(text) : text) << '\n';
}

}  // namespace coffer::cli
