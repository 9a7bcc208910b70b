#include "api/cli/import/csv_reader.h"

#include <csv.h>

#include <algorithm>
#include <new>
#include <string_view>
#include <utility>

#include "api/cli/text/blanks.h"

namespace coffer::cli {
namespace {

// libcsv would strip blanks around cells; none of them is a blank to it.
int NoBlanks(unsigned char) { return 0; }

std::string SpokenDelimiter(char delimiter) {
  return delimiter == '\t' ? "tab" : "'" + std::string(1, delimiter) + "'";
}

bool IsDelimiter(char c) {
  return c == '\t' || (c >= 0x20 && c < 0x7f && c != '"' && (c < '0' || c > '9') &&
                       (c < 'A' || c > 'Z') && (c < 'a' || c > 'z'));
}

// The first line as Excel writes it, "sep=;" or in quotes, and how long it is with its line end.
struct SeparatorLine {
  char delimiter;
  std::size_t size;
};
std::optional<SeparatorLine> SeparatorLineOf(std::string_view text) {
  const bool quoted = text.starts_with('"');
  std::string_view line = text.substr(0, text.find_first_of("\r\n"));
  const std::size_t size = line.size();
  if (quoted && line.size() > 1 && line.ends_with('"')) line = line.substr(1, line.size() - 2);
  if (line.size() != 5 || !(line.starts_with("sep=") || line.starts_with("SEP=")) ||
      !IsDelimiter(line[4])) {
    return std::nullopt;
  }
  std::size_t end = size;
  if (end < text.size() && text[end] == '\r') ++end;
  if (end < text.size() && text[end] == '\n') ++end;
  return SeparatorLine{line[4], end};
}

}  // namespace

// The library takes bytes and calls back. It is fed one physical line at a time, so that at most
// one row ends in what is fed, and every row's line number is known.
struct CsvReader::State {
  State(ImportSource& table, std::optional<char> given, char otherwise)
      : source(table), delimiter(given) {
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0) throw std::bad_alloc();
    csv_set_delim(&parser, static_cast<unsigned char>(delimiter.value_or(otherwise)));
    csv_set_space_func(&parser, NoBlanks);
    csv_set_blk_size(&parser, 4096);
  }
  ~State() { csv_free(&parser); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Outcome<bool> Next(CsvRow& row);

  std::unexpected<Failure> Broken(std::string_view what) const {
    return Failed(Exit::kFailed,
                  source.name() + ", line " + std::to_string(row_line) + ": " + std::string(what),
                  "Export the table again as CSV in UTF-8, or mend that line.");
  }
  Outcome<bool> Fill();
  Outcome<void> TakeSeparatorLine();
  Outcome<void> Finish();
  std::unexpected<Failure> LoneReturn() const;
  Outcome<void> Feed(std::string_view piece);
  void StartRowAt(std::string_view piece);
  bool IsEmptyRow() const;
  void TakeRow(CsvRow& row);

  static void OnCell(void* data, std::size_t size, void* self);
  static void OnRow(int terminator, void* self);

  std::unique_ptr<ImportSource> owned;
  ImportSource& source;
  std::optional<char> delimiter;
  csv_parser parser{};
  std::string_view unread;
  bool at_start = true;
  bool finished = false;
  std::uint64_t line = 1;          // of the next byte
  std::uint64_t row_line = 1;      // of the row being read
  std::size_t row_bytes = 0;       // of it, so far
  std::vector<std::string> cells;  // strings of earlier rows are used again
  std::size_t used = 0;            // of them, by this row
  std::size_t width = 0;           // of the first row
  int rows_in_piece = 0;
  bool complete = false;
  std::uint64_t empty_rows = 0;
};

void CsvReader::State::OnCell(void* data, std::size_t size, void* self) {
  State& state = *static_cast<State*>(self);
  // A null pointer stands for an empty cell.
  const std::string_view cell(static_cast<const char*>(data), data != nullptr ? size : 0);
  if (state.used < state.cells.size()) {
    state.cells[state.used] = cell;
  } else {
    state.cells.emplace_back(cell);
  }
  ++state.used;
}

void CsvReader::State::OnRow(int, void* self) {
  State& state = *static_cast<State*>(self);
  ++state.rows_in_piece;
  state.cells.resize(state.used);
  state.used = 0;
  state.row_bytes = 0;
  state.complete = true;
}

// False at the end of the file.
Outcome<bool> CsvReader::State::Fill() {
  COFFER_ASSIGN(unread, source.Next());
  if (std::exchange(at_start, false)) COFFER_TRY(TakeSeparatorLine());
  return !unread.empty();
}

Outcome<void> CsvReader::State::TakeSeparatorLine() {
  const auto named = SeparatorLineOf(unread);
  if (!named) return {};
  if (delimiter && *delimiter != named->delimiter) {
    return Failed(Exit::kUsage,
                  source.name() + " says in its first line that cells are separated by " +
                      SpokenDelimiter(named->delimiter) + ", and --delimiter says " +
                      SpokenDelimiter(*delimiter),
                  "Leave --delimiter out, or take the first line out of the file.");
  }
  delimiter = named->delimiter;
  csv_set_delim(&parser, static_cast<unsigned char>(*delimiter));
  unread.remove_prefix(named->size);
  ++line;
  return {};
}

void CsvReader::State::StartRowAt(std::string_view piece) {
  if (row_bytes == 0 && piece.find_first_not_of("\r\n") != piece.npos) row_line = line;
}

bool CsvReader::State::IsEmptyRow() const {
  return std::ranges::all_of(cells,
                             [](const std::string& cell) { return TrimBlanks(cell).empty(); });
}

void CsvReader::State::TakeRow(CsvRow& row) {
  if (width == 0) width = cells.size();
  while (cells.size() > width && TrimBlanks(cells.back()).empty()) cells.pop_back();
  row.line = row_line;
  row.cells.swap(cells);
}

Outcome<void> CsvReader::State::Feed(std::string_view piece) {
  StartRowAt(piece);
  rows_in_piece = 0;
  const bool blank = row_bytes == 0 && piece.find_first_not_of("\r\n") == piece.npos;
  if (!blank) row_bytes += piece.size();
  const std::size_t taken = csv_parse(&parser, piece.data(), piece.size(), OnCell, OnRow, this);
  if (taken != piece.size()) {
    if (csv_error(&parser) != CSV_EPARSE) throw std::bad_alloc();
    return Broken(
        "a quote stands where none may: quotes enclose a whole cell and are doubled in it");
  }
  const bool ends = piece.ends_with('\n') || piece.ends_with('\r');
  if (rows_in_piece > 1 || (rows_in_piece == 1 && !ends)) return LoneReturn();
  if (row_bytes > kMaxCsvRowBytes) {
    return Broken("this row is longer than 4 MiB: probably its closing quote is missing");
  }
  if (piece.ends_with('\n')) ++line;
  return {};
}

std::unexpected<Failure> CsvReader::State::LoneReturn() const {
  if (line > 1) return Broken("a carriage return stands alone: lines must end with LF or CRLF");
  return Failed(Exit::kFailed,
                source.name() +
                    " has lines that end with a carriage return alone, as those of old "
                    "Macs do",
                "Save it again as \"CSV (Windows)\" or \"CSV UTF-8\": lines must end with LF or "
                "CRLF.");
}

Outcome<void> CsvReader::State::Finish() {
  finished = true;
  if (csv_fini(&parser, OnCell, OnRow, this) != 0) return Broken("a quote is never closed");
  return {};
}

// Empty rows are passed over.
Outcome<bool> CsvReader::State::Next(CsvRow& row) {
  for (;;) {
    complete = false;
    while (!complete && !finished) {
      if (unread.empty()) {
        COFFER_ASSIGN(const bool more, Fill());
        if (!more) COFFER_TRY(Finish());
        continue;
      }
      const auto line_feed = unread.find('\n');
      const std::string_view piece =
          unread.substr(0, line_feed == unread.npos ? line_feed : line_feed + 1);
      unread.remove_prefix(piece.size());
      COFFER_TRY(Feed(piece));
    }
    if (!complete) return false;
    if (!IsEmptyRow()) break;
    ++empty_rows;
  }
  TakeRow(row);
  return true;
}

CsvReader::CsvReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
CsvReader::~CsvReader() = default;

Outcome<std::unique_ptr<CsvReader>> CsvReader::Over(ImportSource& source,
                                                    std::optional<char> delimiter, char otherwise) {
  COFFER_TRY(source.Rewind());
  return std::unique_ptr<CsvReader>(
      new CsvReader(std::make_unique<State>(source, delimiter, otherwise)));
}

Outcome<std::unique_ptr<CsvReader>> CsvReader::Open(const std::string& path,
                                                    std::optional<char> delimiter) {
  COFFER_ASSIGN(auto source, ImportSource::Open(path));
  COFFER_ASSIGN(auto reader, Over(*source, delimiter));
  reader->state_->owned = std::move(source);
  return reader;
}

Outcome<bool> CsvReader::Next(CsvRow& row) { return state_->Next(row); }

std::uint64_t CsvReader::empty_rows() const { return state_->empty_rows; }

}  // namespace coffer::cli
