// Files of other kinds that are taken for a CSV file, told by how they begin.
#pragma once

#include <optional>
#include <string_view>

namespace coffer::cli {

struct ForeignFormat {
  std::string_view name;    // "an Excel workbook"
  std::string_view advice;  // how it becomes a CSV file
};

// `beginning`: the first KiB or more, without a byte order mark; of text in UTF-16, decoded.
std::optional<ForeignFormat> ForeignFormatOf(std::string_view beginning);

}  // namespace coffer::cli
