// How rows of a table become records: which column fills which field of the class. Everything that
// can be known to be wrong is found here, before anything is sent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/cli/csv_reader.h"
#include "api/cli/failure.h"

namespace coffer::cli {

struct MappingOptions {
  std::string key;                // column of the client's external reference
  std::string record_key;         // column that tells a client's records apart; may be empty
  std::vector<std::string> maps;  // "field=Column"
  // Records have what their rows have and nothing else. Otherwise what a row leaves out stays, so
  // that a required field may be there already.
  bool replace = false;
};

// What the import needs to know of a class's field.
struct FieldShape {
  std::string type;
  bool required = false;
};
using ClassShape = std::map<std::string, FieldShape>;
// From the answer of GET /v1/classes/NAME.
ClassShape ShapeOf(const nlohmann::json& class_answer);

// How a cell's text is written in JSON.
enum class CellForm { kText, kInteger, kBoolean, kList };

// Why a row was not taken. Never holds a value of the row.
struct Refusal {
  std::uint64_t line = 0;  // of the file
  std::string field;       // empty: the row as a whole
  std::string column;
  std::string message;
};

struct ImportPlan {
  struct Field {
    std::string name;
    std::size_t column = 0;
    CellForm form = CellForm::kText;
    bool keeps_blanks = false;  // a text of several lines is kept to the byte
  };
  std::vector<std::string> header;
  std::size_t key_column = 0;
  std::optional<std::size_t> record_key_column;
  std::vector<Field> fields;

  // `pointer` says where in a line of the import the fault lies: "/data/email", "/external_ref",
  // "/record_key", or nothing for the row as a whole.
  Refusal Locate(std::uint64_t line, std::string_view pointer, std::string message) const;
};

// Exit::kUsage for columns that do not exist or that the header names twice, for fields that do not
// exist or are mapped twice, and with `replace` for required fields that no column fills.
Outcome<ImportPlan> PlanImport(const MappingOptions& options,
                               const std::vector<std::string>& header, const ClassShape& shape);

// One line of the import's NDJSON, with its line feed. Blank cells are absent fields; blanks around
// cells belong to none but texts of several lines.
std::expected<std::string, Refusal> BuildLine(const ImportPlan& plan, const CsvRow& row);

}  // namespace coffer::cli
