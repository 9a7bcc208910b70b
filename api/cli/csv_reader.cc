#include "api/cli/csv_reader.h"

#include <csv.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>
#include <optional>
#include <string_view>
#include <utility>

#include "api/cli/stdio_file.h"

namespace coffer::cli {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

// libcsv would strip blanks around cells; none of them is a blank to it.
int NoBlanks(unsigned char) { return 0; }

}  // namespace

// The library takes bytes and calls back. It is fed one physical line at a time, so that at most
// one row ends in what is fed, and every row's line number is known.
struct CsvReader::State {
  State(std::string file_path, std::FILE* opened, char delimiter)
      : path(std::move(file_path)), file(opened) {
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0) throw std::bad_alloc();
    csv_set_delim(&parser, static_cast<unsigned char>(delimiter));
    csv_set_space_func(&parser, NoBlanks);
    csv_set_blk_size(&parser, 4096);
  }
  ~State() { csv_free(&parser); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Outcome<bool> Next(CsvRow& row);

  std::unexpected<Failure> Broken(std::string_view what) const {
    return Failed(Exit::kFailed,
                  path + ", line " + std::to_string(row_line) + ": " + std::string(what),
                  "Export the table again as CSV in UTF-8, or mend that line.");
  }
  Outcome<bool> Fill();
  Outcome<bool> Finish();
  Outcome<void> Feed(std::string_view piece);
  void StartRowAt(std::string_view piece);

  static void OnCell(void* data, std::size_t size, void* self);
  static void OnRow(int terminator, void* self);

  std::string path;
  StdioFile file;
  csv_parser parser{};
  std::array<char, 64 * 1024> buffer{};
  std::string_view unread;
  bool at_start = true;
  bool finished = false;
  std::uint64_t line = 1;      // of the next byte
  std::uint64_t row_line = 1;  // of the row being read
  std::size_t row_bytes = 0;   // of it, so far
  std::vector<std::string> cells;
  int rows_in_piece = 0;
  std::optional<CsvRow> complete;
};

void CsvReader::State::OnCell(void* data, std::size_t size, void* self) {
  // A null pointer stands for an empty cell.
  static_cast<State*>(self)->cells.emplace_back(static_cast<const char*>(data), data ? size : 0);
}

void CsvReader::State::OnRow(int, void* self) {
  State& state = *static_cast<State*>(self);
  ++state.rows_in_piece;
  state.complete = CsvRow{state.row_line, std::exchange(state.cells, {})};
  state.row_bytes = 0;
}

// False at the end of the file.
Outcome<bool> CsvReader::State::Fill() {
  const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), file.get());
  if (size == 0 && std::ferror(file.get()) != 0) {
    return Failed(Exit::kFailed, "cannot read " + path + ": " + std::strerror(errno));
  }
  unread = {buffer.data(), size};
  if (std::exchange(at_start, false)) {
    if (unread.starts_with("\xff\xfe") || unread.starts_with("\xfe\xff")) {
      return Broken("the file is UTF-16, not UTF-8");
    }
    if (unread.starts_with(kByteOrderMark)) unread.remove_prefix(kByteOrderMark.size());
  }
  return size > 0;
}

void CsvReader::State::StartRowAt(std::string_view piece) {
  if (row_bytes == 0 && piece.find_first_not_of("\r\n") != piece.npos) row_line = line;
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
  if (rows_in_piece > 1 || (rows_in_piece == 1 && !ends)) {
    return Broken("a carriage return stands alone: lines must end with LF or CRLF");
  }
  if (row_bytes > kMaxCsvRowBytes) {
    return Broken("this row is longer than 4 MiB: probably its closing quote is missing");
  }
  if (piece.ends_with('\n')) ++line;
  return {};
}

Outcome<bool> CsvReader::State::Finish() {
  finished = true;
  if (csv_fini(&parser, OnCell, OnRow, this) != 0) return Broken("a quote is never closed");
  return complete.has_value();
}

Outcome<bool> CsvReader::State::Next(CsvRow& row) {
  complete.reset();
  while (!complete && !finished) {
    if (unread.empty()) {
      COFFER_ASSIGN(const bool more, Fill());
      if (!more) {
        COFFER_TRY(Finish());
        break;
      }
      continue;
    }
    const auto line_feed = unread.find('\n');
    const std::string_view piece =
        unread.substr(0, line_feed == unread.npos ? line_feed : line_feed + 1);
    unread.remove_prefix(piece.size());
    COFFER_TRY(Feed(piece));
  }
  if (!complete) return false;
  row = *std::move(complete);
  return true;
}

CsvReader::CsvReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
CsvReader::~CsvReader() = default;

Outcome<std::unique_ptr<CsvReader>> CsvReader::Open(const std::string& path, char delimiter) {
  std::FILE* file = std::fopen(path.c_str(), "rbe");
  if (file == nullptr) {
    return Failed(Exit::kUsage, "cannot open " + path + ": " + std::strerror(errno));
  }
  return std::unique_ptr<CsvReader>(new CsvReader(std::make_unique<State>(path, file, delimiter)));
}

Outcome<bool> CsvReader::Next(CsvRow& row) { return state_->Next(row); }

}  // namespace coffer::cli
