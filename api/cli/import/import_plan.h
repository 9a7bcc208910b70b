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

#include "api/cli/import/cell_conversion.h"
#include "api/cli/import/csv_reader.h"
#include "api/cli/import/import_profile.h"
#include "api/cli/text/failure.h"

namespace coffer::cli {

struct MappingOptions {
  std::string key;                // column of the client's external reference
  std::string record_key;         // column that tells a client's records apart; may be empty
  std::vector<std::string> maps;  // "field=Column"
  // Records have what their rows have and nothing else. Otherwise what a row leaves out stays, so
  // that a required field may be there already.
  bool replace = false;
  // What a profile says, where nothing above or below says otherwise.
  std::optional<ImportProfile> profile = {};
  std::vector<std::string> date_formats = {};  // "FORMAT", or "Column=FORMAT"
  std::vector<std::string> splits = {};        // "field=SEPARATOR"
  bool by_name = false;                        // columns that have the name of a field fill it
  bool join_lines = false;
  std::string decimal = {};  // "," or "."; empty: not said
  std::vector<std::string> yes = {}, no = {};
  std::string region = {}, utc_offset = {};
  std::optional<int> two_digit_years_from = {};
  bool strict = false;  // a row with a bad field is refused, whatever the field
};

// What the import needs to know of a class's field.
struct FieldShape {
  std::string type;
  bool required = false;
  std::size_t max_length = 0;  // 0: the type's own
  std::vector<std::string> values = {};
  std::string region = {};
};
using ClassShape = std::map<std::string, FieldShape>;
// From the answer of GET /v1/classes/NAME.
ClassShape ShapeOf(const nlohmann::json& class_answer);

// Why a row was not taken, or a field of it was left out. Never holds a value of the row.
struct Refusal {
  std::uint64_t line = 0;  // of the file
  std::string field;       // empty: the row as a whole
  std::string column;
  std::string message;
  std::string shape = {};  // of the cell: "99.99.9999"
};

struct ImportPlan {
  // Columns by their places in a row; see ColumnSource.
  struct Source {
    std::vector<std::vector<std::size_t>> parts;
    std::string joined_by;
    std::vector<std::size_t> otherwise;
    std::string separator;
  };
  struct Field {
    std::string name;
    std::size_t column = 0;  // the only one, or the first of `source`
    CellRules rules = {};
    std::optional<Source> source = {};  // absent: the cell of `column` as it is
    bool takes_list = false;
    std::optional<std::size_t> others_to = {}, unless_taken_by = {};  // places in `fields`
  };
  std::vector<std::string> header;
  std::size_t key_column = 0;
  std::optional<std::size_t> record_key_column;
  std::optional<Source> key_source = {}, record_key_source = {};
  std::vector<Field> fields;
  std::vector<std::string> unmapped = {};  // columns with a name that fill nothing, or only in need
  std::vector<std::string> empty_words = {};
  bool footer = false;
  bool strict = false;
  bool check_required = false;                      // here, and not only where the records are
  std::vector<std::string> unfilled_required = {};  // fields that no column fills

  // `pointer` says where in a line of the import the fault lies: "/data/email", "/external_ref",
  // "/record_key", or nothing for the row as a whole.
  Refusal Locate(std::uint64_t line, std::string_view pointer, std::string message) const;

  // The field that the pointer names, when a row is good without it.
  const Field* OptionalField(std::string_view pointer) const;
};

// Exit::kUsage for a header that names a column twice, for columns and fields that do not exist or
// are mapped twice, for options that fit no field, and with `replace` for required fields that no
// column fills.
Outcome<ImportPlan> PlanImport(const MappingOptions& options,
                               const std::vector<std::string>& header, const ClassShape& shape);

// The client's reference and the record's key that a row names; empty where it names none.
// Precondition: the row has as many cells as the header.
std::string KeyOf(const ImportPlan& plan, const CsvRow& row);
std::string RecordKeyOf(const ImportPlan& plan, const CsvRow& row);

// One line of the import's NDJSON, with its line feed. Empty cells are absent fields. Fields that a
// row is good without are left out when they do not fit, and added to `left_out`; without it, and
// where the plan is strict, the row is refused. `missing` gets the required fields whose cells are
// empty: without them a row can only change a record that is there already.
std::expected<std::string, Refusal> BuildLine(const ImportPlan& plan, const CsvRow& row,
                                              std::vector<Refusal>* left_out = nullptr,
                                              std::vector<Refusal>* missing = nullptr);

}  // namespace coffer::cli
