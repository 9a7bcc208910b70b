// Files by how they are written: encodings, delimiters, blanks, empty rows, keys, other formats.
#pragma once

#include "tests/e2e/import_case.h"

namespace coffer::testing {

inline std::vector<ImportCase> FileCases() {
  return {
      {.file = "09-bom-quoted-header.csv",
       .options = AsContacts(),
       .summary = {{"rows", 1}, {"created", 1}, {"refused", 0}},
       .stored = {{"B9-1", {{"last_name", "Alpha"}}}}},
  };
}

}  // namespace coffer::testing
