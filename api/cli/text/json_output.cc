#include "api/cli/text/json_output.h"

#include <nlohmann/json.hpp>
#include <ostream>

#include "api/cli/text/json_view.h"

namespace coffer::cli {

using nlohmann::json;

namespace {

std::string Indented(const json& value, bool ascii) {
  return value.dump(2, ' ', ascii, json::error_handler_t::replace);
}

}  // namespace

void TellIfCut(Console& console, const json& list) {
  if (!IsCut(list)) return;
  console.out << "These are the first " << Grouped(Member(list, "items").size())
              << "; there can be more, which this list does not show.\n";
}

void PrintJson(Console& console, const json& value) {
  std::string text = Indented(value, console.out_is_terminal);
  // Where several answers were put together, their names are still to be.
  if (value.is_object() && !value.contains("names") && !console.names->empty()) {
    if (json names = console.names->NamesIn(text); !names.empty()) {
      json named = value;
      named["names"] = std::move(names);
      text = Indented(named, console.out_is_terminal);
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
