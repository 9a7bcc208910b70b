#include "api/cli/commands/client_list_input.h"

#include <filesystem>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "api/cli/files/private_file.h"
#include "vault/base/ids.h"
#include "vault/base/strict_json.h"

namespace coffer::cli {
namespace {

constexpr std::size_t kMostBytes = 64 * 1024 * 1024;

Outcome<std::string> ReadSource(const std::string& source) {
  if (source != "-") return ReadInputFile(source, kMostBytes);
  std::string text{std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
  if (std::cin.bad()) return Failed(Exit::kUsage, "standard input cannot be read");
  return text;
}

void TakeLines(std::string_view text, const std::string& source, std::vector<ClientLine>& lines) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  constexpr std::string_view kBlanks = " \t\r";
  if (text.starts_with(kMark)) text.remove_prefix(kMark.size());
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    const std::size_t first = line.find_first_not_of(kBlanks);
    if (first == line.npos) continue;
    line = line.substr(first, line.find_last_not_of(kBlanks) - first + 1);
    lines.push_back({std::string(line), source + ":" + std::to_string(number)});
  }
}

}  // namespace

nlohmann::json NamedClient(const std::string& name) {
  return vault::ClientId::Parse(name) ? nlohmann::json{{"client", name}}
                                      : nlohmann::json{{"external_ref", name}};
}

Outcome<std::vector<ClientLine>> ReadClientLines(const std::vector<std::string>& sources,
                                                 const std::vector<std::string>& names) {
  std::vector<ClientLine> lines;
  for (const std::string& source : sources) {
    std::error_code unreadable;
    if (source != "-" && !std::filesystem::exists(source, unreadable)) {
      lines.push_back({source, {}});
      continue;
    }
    COFFER_ASSIGN(const std::string text, ReadSource(source));
    TakeLines(text, source, lines);
  }
  for (const std::string& name : names) lines.push_back({name, {}});
  for (const ClientLine& line : lines) {
    if (vault::IsCleanUtf8(line.name)) continue;
    return Failed(Exit::kUsage,
                  (line.where.empty() ? line.name : line.where) + " is not UTF-8 text",
                  "Save the file as UTF-8.");
  }
  if (lines.empty()) {
    return Failed(Exit::kUsage, "no client is named", "Give --clients FILE, - or references.");
  }
  return lines;
}

}  // namespace coffer::cli
