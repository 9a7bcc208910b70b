// Rows of a CSV file (RFC 4180): quoted commas, quotes and line ends, CRLF or LF. Cells are to the
// byte, with their blanks. A first line "sep=;" (of Excel) names the delimiter. Rows in which every
// cell is blank, and empty lines between rows, are passed over.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/cli/import/import_source.h"
#include "api/cli/text/failure.h"

namespace coffer::cli {

struct CsvRow {
  std::uint64_t line = 0;  // where the row begins, counted from 1
  // Blank ones behind the last column of the first row are not in it.
  std::vector<std::string> cells;
};

// Longer rows are taken for a missing quote that swallowed the rows behind it.
inline constexpr std::size_t kMaxCsvRowBytes = std::size_t{4} << 20;

class CsvReader {
 public:
  // From the source's beginning; it must outlive the reader, and have no other. No delimiter: that
  // of the first line, or `otherwise`.
  static Outcome<std::unique_ptr<CsvReader>> Over(ImportSource& source,
                                                  std::optional<char> delimiter,
                                                  char otherwise = ',');
  // A file in UTF-8, or of what its byte order mark says.
  static Outcome<std::unique_ptr<CsvReader>> Open(const std::string& path,
                                                  std::optional<char> delimiter);
  ~CsvReader();

  // False at the end. Failures name the line: a quote in the middle of a cell or never closed, a
  // carriage return alone, a row that is too long, what is not of the file's encoding, a first line
  // that names another delimiter. No row can be read behind one.
  Outcome<bool> Next(CsvRow& row);

  std::uint64_t empty_rows() const;  // passed over so far, without empty lines

 private:
  struct State;
  explicit CsvReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace coffer::cli
