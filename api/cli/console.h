// What people see. Everything that comes from a server, a file or a person passes Printable() on
// its way out: a record must not be able to send commands to the terminal that shows it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/cli/http_client.h"

namespace coffer::cli {

struct Console {
  std::ostream& out;
  std::ostream& err;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  bool colour = false;  // of `out`; never without a terminal
  // How servers are reached. Tests give their own; empty: MakeHttpsSender().
  std::function<Outcome<Sender>(const HttpsOptions&)> reach = {};
};

// Standard output and error. Colour only on a terminal and without NO_COLOR.
Console StandardConsole();

// `text` with everything escaped that a terminal might obey or that would mislead a reader: control
// characters (C0, DEL, C1), line separators, bidirectional controls, invisible tags, and bytes that
// are not UTF-8. Backslashes stay as they are: the result is for reading, not for parsing.
std::string Printable(std::string_view text);
// The same, keeping line feeds: for messages of our own that quote others.
std::string PrintableLines(std::string_view text);

// Number of columns a printable text takes: code points, combining marks not counted.
std::size_t Columns(std::string_view printable);

std::string Grouped(std::uint64_t number);  // "1,234,567"

// A table whose columns are as wide as their widest cell. Escapes its cells itself.
class Table {
 public:
  explicit Table(std::vector<std::string> headings) : headings_(std::move(headings)) {}
  void Add(std::vector<std::string> cells);
  void Print(Console& console) const;

 private:
  std::vector<std::string> headings_;
  std::vector<std::vector<std::string>> rows_;
};

// "name   value" lines; those with an empty value are left out.
void PrintFields(Console& console, const std::vector<std::pair<std::string, std::string>>& fields,
                 std::string_view indent = "");
void PrintHeading(Console& console, std::string_view text);

// A line on standard error that is rewritten in place, at most ten times a second; nothing at all
// when standard error is no terminal.
class ProgressLine {
 public:
  explicit ProgressLine(Console& console) : console_(console) {}
  ~ProgressLine() { Clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  void Show(std::string_view text);
  void Clear();

 private:
  Console& console_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace coffer::cli
