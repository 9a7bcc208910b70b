// What people see. Everything that comes from a server, a file or a person passes Printable() on
// its way out: a record must not be able to send commands to the terminal that shows it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/cli/text/failure.h"
#include "api/cli/text/name_book.h"

namespace coffer::cli {

// How servers are reached: client/http_client.h.
struct HttpsOptions;
struct HttpReply;
struct HttpRequest;
using Sender = std::function<Outcome<HttpReply>(const HttpRequest&)>;

struct Console {
  std::ostream& out;
  std::ostream& err;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  bool colour = false;  // of `out`; never without a terminal
  // How servers are reached. Tests give their own; empty: MakeHttpsSender().
  std::function<Outcome<Sender>(const HttpsOptions&)> reach = {};
  // Columns that a line of `out` may have; 0: as many as it takes.
  std::size_t width = 0;
  // What the servers' answers called their ids.
  std::shared_ptr<NameBook> names = std::make_shared<NameBook>();

  // Ids with their names behind them, rather than the names alone.
  bool in_full() const { return !out_is_terminal || names->full_ids; }
};

// Standard output and error. Colour only on a terminal and without NO_COLOR.
Console StandardConsole();

// `text` with everything escaped that a terminal might obey or that would mislead a reader: control
// characters (C0, DEL, C1), line separators, bidirectional controls, invisible tags, and bytes that
// are not UTF-8. Backslashes stay as they are: the result is for reading, not for parsing.
std::string Printable(std::string_view text);
// The same, keeping line feeds: for messages of our own that quote others.
std::string PrintableLines(std::string_view text);

// Number of columns a printable text takes: two for what is wide in East Asia, none for combining
// marks (UAX 11, as ICU has it).
std::size_t Columns(std::string_view printable);
// Bytes of the longest beginning of it that has room in so many columns; of one character at least.
std::size_t BytesIn(std::string_view printable, std::size_t columns);

std::string Grouped(std::uint64_t number);  // "1,234,567"

// A table whose columns are as wide as their widest cell. Escapes its cells itself, and names the
// ids in them. On a terminal it fits the width and nothing is lost: ids without a name are
// shortened, to what no other id of the table ends in, timestamps to the second, and cells go on
// in further lines of their row; a long last column stands below the others, and where there is
// no room beside the first one, all others do. The first column is what its rows are about and
// stays as it is, to be copied.
class Table {
 public:
  explicit Table(std::vector<std::string> headings) : headings_(std::move(headings)) {}
  // What the first column has is somebody else's id.
  Table& FirstIsReference() {
    own_columns_ = 0;
    return *this;
  }
  void Add(std::vector<std::string> cells);
  void Print(Console& console) const;

 private:
  using Rows = std::vector<std::vector<std::string>>;
  struct Layout;
  Rows ShownRows(const Console& console) const;
  std::vector<std::size_t> WidthsOf(const Rows& rows) const;
  void ShortenIds(Rows& rows) const;
  std::size_t NarrowestOf(const Rows& rows, std::size_t column, std::size_t at_most) const;
  bool Narrow(const Rows& rows, const Console& console, std::size_t at_most, Layout& layout) const;
  Layout Fit(const Rows& rows, const Console& console) const;
  std::vector<std::string> Lines(const std::vector<std::string>& cells, const Layout& layout) const;

  std::vector<std::string> headings_;
  Rows rows_;  // as they came
  std::size_t own_columns_ = 1;
};

// "name   value" lines; those with an empty value are left out. Ids are followed by their names,
// but that of the thing itself, which is called "id".
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
