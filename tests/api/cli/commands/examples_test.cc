// Every example of the tool, wherever it stands: the parser knows each word of it.
#include <CLI/CLI.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "api/cli/commands/commands.h"

namespace coffer::cli {
namespace {

struct Example {
  std::string where;
  std::string text;   // from behind "coffer " on
  bool whole = true;  // what is named in passing need not be complete
};

std::string TextOf(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

void Replace(std::string& text, std::string_view what, std::string_view with) {
  for (auto at = text.find(what); at != text.npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

// Each "coffer ..." of a script that stands where a command may.
void AddFromScript(const std::string& where, std::string script, std::vector<Example>& found) {
  Replace(script, "\\\n", " ");
  constexpr std::string_view kName = "coffer ";
  for (auto at = script.find(kName); at != script.npos; at = script.find(kName, at + 1)) {
    auto before = at;
    while (before > 0 && script[before - 1] == ' ') --before;
    if (before > 0 && std::string_view("\n(|&;!{").find(script[before - 1]) == std::string::npos)
      continue;
    if (before > 0 && before == at && script[before - 1] == '!') continue;
    found.push_back({where, script.substr(at + kName.size())});
  }
}

void AddFromMarkdown(const std::filesystem::path& path, std::vector<Example>& found) {
  std::istringstream lines(TextOf(path));
  std::string line, block, indented;
  bool inside = false;
  while (std::getline(lines, line)) {
    const auto start = line.find_first_not_of(' ');
    if (start != line.npos && line.compare(start, 3, "```") == 0) {
      if (inside) AddFromScript(path.filename(), std::move(block), found);
      block.clear();
      inside = !inside;
    } else if (inside) {
      block += line.substr(start == line.npos ? 0 : start) + "\n";
    } else if (start != line.npos && start >= 4) {
      indented += line.substr(start) + "\n";
    } else {
      for (auto at = line.find("`coffer "); at != line.npos; at = line.find("`coffer ", at + 1)) {
        const auto end = line.find('`', at + 1);
        if (end == line.npos) break;
        found.push_back({path.filename(), line.substr(at + 8, end - at - 8), false});
      }
    }
  }
  AddFromScript(path.filename(), std::move(indented), found);
}

void AddFromManualPage(const std::filesystem::path& path, std::vector<Example>& found) {
  std::istringstream lines(TextOf(path));
  std::string line, block;
  bool inside = false;
  while (std::getline(lines, line)) {
    if (line.starts_with(".Bd -literal")) {
      inside = true;
    } else if (line == ".Ed") {
      AddFromScript(path.filename(), std::move(block), found);
      block.clear();
      inside = false;
    } else if (inside) {
      Replace(line, "\\e", "\\");
      block += line + "\n";
    }
  }
}

void AddFromHelp(const CLI::App& app, std::vector<Example>& found) {
  std::string footer = app.get_footer();
  // Commands without one of their own have that of the group.
  if (app.get_parent() != nullptr && footer == app.get_parent()->get_footer()) footer.clear();
  Replace(footer, "\\\n      ", "");
  Replace(footer, "\\\n    ", "");
  std::istringstream lines(footer);
  std::string line;
  while (std::getline(lines, line)) {
    if (!line.starts_with("  coffer ")) continue;
    // What it does stands behind it.
    const auto remark = line.find("   ", 9);
    found.push_back({"help of " + app.get_name(), line.substr(9, remark - 9)});
  }
  for (const CLI::App* command : app.get_subcommands({})) AddFromHelp(*command, found);
}

// Words as a shell makes them, up to the end of the command; what a shell would fill in becomes
// "1".
std::vector<std::string> WordsOf(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  bool open = false;
  const auto fill_in = [&](std::size_t at) {  // returns the last character's place
    word += '1';
    if (at + 1 < text.size() && text[at + 1] == '(') {
      int depth = 0;
      for (std::size_t i = at + 1; i < text.size(); ++i) {
        if (text[i] == '(') ++depth;
        if (text[i] == ')' && --depth == 0) return i;
      }
      return text.size() - 1;
    }
    std::size_t end = at + 1;
    while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) ||
                                 text[end] == '_' || text[end] == '{' || text[end] == '}')) {
      ++end;
    }
    return end - 1;
  };
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else if (c == '$' && quote == '"') {
        i = fill_in(i);
      } else {
        word += c;
      }
    } else if (c == '\'' || c == '"') {
      quote = c;
      open = true;
    } else if (c == '$' || (c == '<' && i + 1 < text.size() && text[i + 1] == '(')) {
      i = fill_in(i);
      open = true;
    } else if (std::string_view("|&;)<>\n").find(c) != std::string_view::npos ||
               (c == '#' && !open)) {
      break;
    } else if (c == ' ') {
      if (open) words.push_back(word);
      word.clear();
      open = false;
    } else {
      word += c;
      open = true;
    }
  }
  if (open) words.push_back(word);
  return words;
}

const CLI::App* Subcommand(const CLI::App& command, const std::string& name) {
  for (const CLI::App* one : command.get_subcommands({})) {
    if (one->get_name() == name) return one;
  }
  return nullptr;
}

// The first word that the tool does not know, or nothing.
std::string UnknownWord(const CLI::App& app, const std::vector<std::string>& words) {
  const CLI::App* command = &app;
  for (const std::string& word : words) {
    if (word.starts_with("--")) {
      const std::string name = word.substr(0, word.find('='));
      bool known = false;
      for (const CLI::App* at = command; at != nullptr; at = at->get_parent()) {
        known = known || at->get_option_no_throw(name) != nullptr;
      }
      if (!known) return word;
    } else if (const CLI::App* next = Subcommand(*command, word)) {
      command = next;
    } else if (command == &app || (command->get_require_subcommand_min() > 0)) {
      // A family is named as such: "coffer role", "coffer status, ...".
      return command == &app ? word : std::string();
    }
  }
  return {};
}

bool HasPlaceholder(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (word.find("…") != word.npos || word == "...") return true;
  }
  return false;
}

std::vector<Example> ExamplesOfTheTool() {
  const std::filesystem::path root = COFFER_SOURCE_DIR;
  std::vector<Example> found;
  AddFromMarkdown(root / "README.md", found);
  for (const auto& entry : std::filesystem::directory_iterator(root / "docs")) {
    if (entry.path().extension() == ".md") AddFromMarkdown(entry.path(), found);
  }
  for (const auto& entry : std::filesystem::directory_iterator(root / "docs/man")) {
    AddFromManualPage(entry.path(), found);
  }
  CLI::App app("", "coffer");
  Command chosen;
  Declare(app, chosen);
  AddFromHelp(app, found);
  return found;
}

}  // namespace

TEST_CASE("the parser knows every word of every example in guides, manual pages and help") {
  const std::vector<Example> examples = ExamplesOfTheTool();
  CHECK(examples.size() > 200);
  std::size_t parsed = 0;
  for (const Example& example : examples) {
    CAPTURE(example.where, example.text.substr(0, example.text.find('\n')));
    const std::vector<std::string> words = WordsOf(example.text);
    CLI::App app("", "coffer");
    Command chosen;
    Declare(app, chosen);
    CHECK(UnknownWord(app, words) == "");
    if (!example.whole || HasPlaceholder(words)) continue;
    std::vector<std::string> reversed(words.rbegin(), words.rend());
    std::string refused;
    try {
      app.parse(reversed);
    } catch (const CLI::ParseError& error) {
      if (error.get_exit_code() != 0) refused = error.what();
    }
    CHECK(refused == "");
    ++parsed;
  }
  CHECK(parsed > 150);
}

}  // namespace coffer::cli
