// Rows of a CSV file (RFC 4180), to the byte: quoted commas, quotes and line ends, CRLF or LF, an
// optional byte order mark. Blanks around cells belong to them. Empty lines between rows are
// skipped.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "api/cli/failure.h"

namespace coffer::cli {

struct CsvRow {
  std::uint64_t line = 0;  // where the row begins, counted from 1
  std::vector<std::string> cells;
};

// Longer rows are taken for a missing quote that swallowed the rows behind it.
inline constexpr std::size_t kMaxCsvRowBytes = std::size_t{4} << 20;

class CsvReader {
 public:
  // Exit::kUsage when the file cannot be opened.
  static Outcome<std::unique_ptr<CsvReader>> Open(const std::string& path, char delimiter);
  ~CsvReader();

  // False at the end. Failures name the line: a quote in the middle of a cell or never closed, a
  // carriage return alone, UTF-16, a row that is too long. No row can be read behind one.
  Outcome<bool> Next(CsvRow& row);

 private:
  struct State;
  explicit CsvReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace coffer::cli
