#include "api/cli/text/json_output.h"

#include <nlohmann/json.hpp>
#include <ostream>

#include "api/cli/text/json_view.h"

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

void TellIfCut(Console& console, const json& list) {
  if (!IsCut(list)) return;
  console.out << "These are the first " << Grouped(Member(list, "items").size())
              << "; there can be more, which this list does not show.\n";
}

std::string OneLine(const json& value) { return Escaped(Dump(value, -1, false)); }

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
