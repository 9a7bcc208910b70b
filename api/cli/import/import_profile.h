// Profiles: how the tables of one program become records, as a file. docs/importing.md has the
// grammar; deploy/import has those that come with the tool.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/cli/text/failure.h"

namespace coffer::cli {

// Where a value comes from. Columns are named as headers spell them.
struct ColumnSource {
  // Each part is the first of its columns that is there and not empty; the parts are joined.
  std::vector<std::vector<std::string>> parts;
  std::string joined_by = " ";
  std::vector<std::string> otherwise;  // when all parts are empty: the first of these that is not
  std::string separator;               // between several values in one cell; empty: there is one
};

struct CellOptions {
  std::vector<std::string> date_formats;
  std::optional<std::string> line_joint;
  std::optional<bool> decimal_comma;
  std::vector<std::string> yes, no;
  std::optional<std::string> region;
};

struct ProfileField {
  ColumnSource source;
  CellOptions cells;
  bool takes_list = false;  // all values of a cell, for a list; else the first
  std::string others_to;    // field for the second of several values; empty: left out, and listed
  std::string unless_taken_by;  // field; empty where that one has its value from the same column
  std::map<std::string, std::string> values;  // of a choice: what the table writes for it
};

struct ImportProfile {
  std::string title, class_name, delimiter, encoding;
  ColumnSource key, record_key;  // without parts: not said
  CellOptions cells;             // of every field that says nothing else
  std::optional<int> two_digit_years_from;
  std::string utc_offset;
  std::vector<std::string> empty;  // words that stand for nothing
  bool footer = false;             // rows of one cell at the end are no rows of the table
  std::map<std::string, ProfileField> fields;
};

// `text` is TOML; `name` is for messages. Exit::kUsage with line and column for what is not TOML,
// not known, or not of its kind.
Outcome<ImportProfile> ParseProfile(const std::string& text, const std::string& name);

// `profile` is a path when it holds '/' or ends with ".toml", else the name of one that came with
// the tool. Exit::kUsage when there is none, with the names that there are.
Outcome<ImportProfile> LoadProfile(const std::string& profile);

}  // namespace coffer::cli
