// coffer import: a table of clients into the vault.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "api/cli/client/connection.h"
#include "api/cli/commands/commands.h"
#include "api/cli/files/private_file.h"
#include "api/cli/import/import_options.h"
#include "api/cli/import/import_result.h"
#include "api/cli/import/import_run.h"
#include "api/cli/text/blanks.h"
#include "api/cli/text/json_output.h"
#include "api/cli/text/json_view.h"

namespace coffer::cli {
namespace {

using nlohmann::json;
using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kRefusalsOnScreen = 20;

struct ImportCommandOptions {
  ConnectionOptions connection;
  std::string file, report, delimiter, encoding, profile;
  MappingOptions mapping;
  ImportRunOptions run;
  bool yes = false;
};

constexpr const char* kImportFooter =
    R"(The file is CSV (RFC 4180) whose first line names the columns: in UTF-8, in UTF-16 with a byte
order mark, or in what --encoding names. "-" is standard input. All of it is decoded and checked
before the first row is sent; what can be read only once is kept meanwhile in $TMPDIR, sealed
under a key that is nowhere but in memory. Each row becomes one record of the client whose
external reference is in the --key column; the client is made when there is none. Blank cells are
absent fields, blanks around cells are left out; cells of list fields are split at ';'. A field
that does not fit is left out of a row that is good without it, and listed by line, column and
shape; no value is shown. Running the same import again stores nothing twice. Fields that a row
leaves out, because no column fills them or the cell is blank, stay as they are: --replace takes
them away.

Example:
  coffer import customers.csv --class contact --key CustomerId --purpose client-care \
      --map first_name=FirstName --map last_name=LastName --map email=Email
  coffer import contacts.csv --profile google-contacts --purpose client-care --dry-run)";

std::optional<char> DelimiterOf(const std::string& option) {
  if (option.empty()) return std::nullopt;
  return option == "tab" ? '\t' : option[0];
}

Outcome<std::unique_ptr<CsvReader>> ReaderOf(ImportSource& source,
                                             const ImportCommandOptions& options) {
  const auto& profile = options.mapping.profile;
  return CsvReader::Over(source, DelimiterOf(options.delimiter),
                         DelimiterOf(profile ? profile->delimiter : "").value_or(','));
}

struct CsvTable {
  std::vector<std::string> header;
  std::uint64_t rows = 0;
  std::uint64_t unnamed_columns = 0;  // which nothing can be mapped to
};

CsvTable TableWith(std::vector<std::string> header) {
  CsvTable table{std::move(header)};
  for (std::string& name : table.header) {
    name = std::string(TrimBlanks(name));
    if (name.empty()) ++table.unnamed_columns;
  }
  return table;
}

// Reads the whole file once, so that what is broken is found before anything is sent.
Outcome<CsvTable> CheckFile(ImportSource& source, const ImportCommandOptions& options) {
  COFFER_ASSIGN(const auto reader, ReaderOf(source, options));
  CsvRow row;
  COFFER_ASSIGN(const bool has_header, reader->Next(row));
  if (!has_header) {
    return Failed(Exit::kUsage, source.name() + " has nothing but blanks",
                  "Its first line must name the columns.");
  }
  CsvTable table = TableWith(std::move(row.cells));
  for (;;) {
    COFFER_ASSIGN(const bool more, reader->Next(row));
    if (!more) return table;
    ++table.rows;
  }
}

// An empty file, or one whose first line is of a report: that of an earlier run may be replaced.
bool IsReport(std::string_view beginning) {
  static constexpr std::string_view kWord = "line ";
  if (beginning.empty()) return true;
  if (!beginning.starts_with(kWord)) return false;
  const std::size_t digits_end = beginning.find_first_not_of("0123456789", kWord.size());
  if (digits_end == beginning.npos || digits_end == kWord.size()) return false;
  const std::string_view rest = beginning.substr(digits_end);
  return rest.starts_with(": ") || rest.starts_with(", column \"") || rest.starts_with(", field ");
}

// Before anything is sent: where the refused rows cannot be listed, nothing is to be imported.
Outcome<std::unique_ptr<NewFile>> PlaceReport(const ImportCommandOptions& options) {
  if (options.report.empty()) return std::unique_ptr<NewFile>();
  std::error_code unknown;
  if (std::filesystem::equivalent(options.report, options.file, unknown)) {
    return Failed(Exit::kUsage, "the report would replace the file that is imported",
                  "Name another one with --report.");
  }
  return NewFile::CreateOrReplace(options.report, IsReport);
}

Outcome<void> WriteReport(NewFile* file, const ImportTally& tally) {
  if (file == nullptr) return {};
  for (const Refusal& refusal : tally.refusals) {
    COFFER_TRY(file->Write(Printable(Describe(refusal)) + "\n"));
  }
  for (Refusal left_out : tally.left_out) {
    left_out.message = "left out: " + left_out.message;
    COFFER_TRY(file->Write(Printable(Describe(left_out)) + "\n"));
  }
  return file->Finish();
}

void TellRefusals(const ImportCommandOptions& options, bool reported,
                  const std::vector<Refusal>& refusals, Console& console) {
  if (refusals.empty()) return;
  if (!options.report.empty() && reported) {
    console.err << "The refused rows are listed in " << Printable(options.report) << ".\n";
    return;
  }
  for (std::size_t i = 0; i < std::min(refusals.size(), kRefusalsOnScreen); ++i) {
    console.err << Printable(Describe(refusals[i])) << '\n';
  }
  if (refusals.size() > kRefusalsOnScreen) {
    console.err << "... and " << Grouped(refusals.size() - kRefusalsOnScreen)
                << " more: --report FILE lists them all.\n";
  }
}

void TellWarnings(const ImportTally& tally, Console& console) {
  for (std::size_t i = 0; i < std::min(tally.warnings.size(), kRefusalsOnScreen); ++i) {
    console.err << "Warning: " << Printable(Describe(tally.warnings[i])) << '\n';
  }
  if (tally.warned > kRefusalsOnScreen) {
    console.err << "... and " << Grouped(tally.warned - kRefusalsOnScreen) << " more warnings.\n";
  }
}

void TellPassedOver(const PassedOver& passed_over, Console& console) {
  std::string text;
  if (passed_over.empty_rows > 0) text += Grouped(passed_over.empty_rows) + " empty rows";
  if (passed_over.unnamed_columns > 0) {
    text += (text.empty() ? "" : " and ") + Grouped(passed_over.unnamed_columns) +
            " columns without a name";
  }
  if (!text.empty()) console.err << "Passed over: " << text << ".\n";
}

std::uint64_t Rate(std::uint64_t rows, double seconds) {
  return static_cast<std::uint64_t>(static_cast<double>(rows) / std::max(seconds, 0.001));
}

// What the records that are there already lose, or are refused for, by what the file has no column
// for.
Outcome<void> TellUnfilled(const ImportCommandOptions& options, const ImportPlan& plan,
                           const ClassShape& shape, Console& console) {
  std::string unfilled, required;
  for (const std::string& name : plan.unfilled_required) {
    required += (required.empty() ? "" : ", ") + name;
  }
  for (const auto& [name, field] : shape) {
    if (std::ranges::find(plan.fields, name, &ImportPlan::Field::name) != plan.fields.end())
      continue;
    unfilled += (unfilled.empty() ? "" : ", ") + name;
  }
  if (!options.run.replace) {
    if (!required.empty()) {
      console.err << "No column fills " << Printable(required)
                  << ", which the class requires: rows of records that are not there yet are "
                     "refused.\n";
    }
    return {};
  }
  const std::string goes =
      unfilled.empty() ? "Fields whose cell is empty go from the records that are there already."
                       : "Fields whose cell is empty, and those without a column (" + unfilled +
                             "), go from the records that are there already.";
  if (!options.yes) {
    return Failed(Exit::kUsage, "--replace takes fields away",
                  goes + "\nIf that is meant, repeat the command with --yes.");
  }
  console.err << Printable(goes) << '\n';
  return {};
}

void TellSummary(const ImportRunResult& result, double seconds, Console& console) {
  const ImportTally& tally = result.tally;
  char took[32];
  std::snprintf(took, sizeof took, "%.1f s", seconds);
  console.err << Grouped(result.rows) << " rows read: " << Grouped(tally.created) << " created, "
              << Grouped(tally.updated) << " updated, " << Grouped(tally.unchanged)
              << " unchanged, " << Grouped(tally.refusals.size() - tally.erased) << " refused"
              << (tally.erased > 0 ? ", " + Grouped(tally.erased) + " erased before" : "") << " in "
              << took << " (" << Grouped(Rate(tally.settled(), seconds)) << " a second)\n";
  if (tally.removed > 0) {
    console.err << Grouped(tally.removed) << (tally.removed == 1 ? " field" : " fields")
                << " went, in " << Grouped(tally.shortened)
                << (tally.shortened == 1 ? " record" : " records") << ".\n";
  }
}

json JsonOf(const std::vector<Refusal>& refusals) {
  json list = json::array();
  for (const Refusal& refusal : refusals) {
    list.push_back({{"line", refusal.line},
                    {"column", refusal.column},
                    {"field", refusal.field},
                    {"shape", refusal.shape},
                    {"message", refusal.message}});
  }
  return list;
}

void PrintSummaryJson(const ImportCommandOptions& options, const ImportPlan& plan,
                      const ImportRunResult& result, double seconds, Console& console) {
  json summary = {{"rows", result.rows},
                  {"created", result.tally.created},
                  {"updated", result.tally.updated},
                  {"unchanged", result.tally.unchanged},
                  {"refused", result.tally.refusals.size() - result.tally.erased},
                  {"erased_before", result.tally.erased},
                  {"empty_rows", result.passed_over.empty_rows},
                  {"unnamed_columns", result.passed_over.unnamed_columns},
                  {"fields_removed", result.tally.removed},
                  {"records_shortened", result.tally.shortened},
                  {"complete", result.outcome.has_value()},
                  {"seconds", seconds},
                  {"warned", result.tally.warned},
                  {"warnings", JsonOf(result.tally.warnings)},
                  {"refusals", JsonOf(result.tally.refusals)}};
  AddResult(plan, result, options.run.dry_run, summary);
  PrintJson(console, summary);
}

Outcome<ImportPlan> MakePlan(const ImportCommandOptions& options, const Connection& connection,
                             const std::vector<std::string>& header, Console& console) {
  COFFER_ASSIGN(ApiClient client, MakeClient(connection));
  COFFER_ASSIGN(const json answer,
                client.Get(Target("/v1/classes").Segment(options.run.class_name)));
  const ClassShape shape = ShapeOf(answer);
  COFFER_ASSIGN(ImportPlan plan, PlanImport(options.mapping, header, shape));
  COFFER_TRY(TellUnfilled(options, plan, shape, console));
  plan.check_required = options.run.dry_run && options.run.replace;
  return plan;
}

ImportRunResult SendFile(const ImportCommandOptions& options, const Connection& connection,
                         const ImportPlan& plan, const CsvTable& table, CsvReader& reader,
                         Console& console) {
  ProgressLine line(console);
  const auto start = SteadyClock::now();
  return RunImport(
      reader, plan, options.run, [&] { return MakeClient(connection); },
      [&](std::uint64_t settled, std::uint64_t refused) {
        const std::chrono::duration<double> elapsed = SteadyClock::now() - start;
        line.Show(Grouped(settled) + " of " + Grouped(table.rows) + " rows, " +
                  Grouped(Rate(settled, elapsed.count())) + " a second, " + Grouped(refused) +
                  " refused");
      });
}

Outcome<Exit> Finish(const ImportCommandOptions& options, const ImportPlan& plan,
                     const ImportRunResult& result, NewFile* report, double seconds,
                     Console& console) {
  if (options.run.dry_run) {
    TellDryRun(result, console);
  } else {
    TellSummary(result, seconds, console);
  }
  TellPassedOver(result.passed_over, console);
  TellWarnings(result.tally, console);
  const auto reported = WriteReport(report, result.tally);
  TellRefusals(options, reported.has_value(), result.tally.refusals, console);
  TellLeftOut(plan, result, !options.report.empty() && reported, console);
  if (options.connection.json) PrintSummaryJson(options, plan, result, seconds, console);
  COFFER_TRY(reported);
  if (!result.outcome) {
    Failure failure = result.outcome.error();
    if (!failure.advice.empty()) failure.advice += "\n";
    failure.advice +=
        "The import is not complete. Running it again is safe: what is stored already "
        "is left as it is.";
    return std::unexpected(std::move(failure));
  }
  if (result.tally.erased > 0) {
    console.err << "Rows of clients that were erased were left out: --accept-erased takes them.\n";
  }
  return ExitOf(result);
}

Outcome<Exit> Import(ImportCommandOptions options, Console& console) {
  COFFER_TRY(TakeProfile(options.profile, options.mapping, options.run.class_name));
  COFFER_ASSIGN(const auto report, PlaceReport(options));
  const auto& profile = options.mapping.profile;
  COFFER_ASSIGN(const auto source, ImportSource::Open(options.file, options.encoding,
                                                      profile ? profile->encoding : ""));
  COFFER_ASSIGN(const CsvTable table, CheckFile(*source, options));
  COFFER_ASSIGN(Connection connection, OpenConnection(options.connection));
  connection.reach = console.reach;
  COFFER_ASSIGN(const ImportPlan plan, MakePlan(options, connection, table.header, console));
  COFFER_ASSIGN(const auto reader, ReaderOf(*source, options));
  CsvRow header;
  COFFER_TRY(reader->Next(header));

  const auto start = SteadyClock::now();
  ImportRunResult result = SendFile(options, connection, plan, table, *reader, console);
  result.passed_over.unnamed_columns = table.unnamed_columns;
  const std::chrono::duration<double> elapsed = SteadyClock::now() - start;
  return Finish(options, plan, result, report.get(), elapsed.count(), console);
}

void AddMappingOptions(CLI::App& command, ImportCommandOptions& options) {
  command
      .add_option("file", options.file,
                  "CSV file, or a copy of it that no other program writes to; - is standard input")
      ->type_name("FILE.csv")
      ->required();
  command.add_option("--class", options.run.class_name, "Class of the records")->type_name("NAME");
  command
      .add_option("--key", options.mapping.key,
                  "Column with the client's external reference: the id that your CRM knows it by")
      ->type_name("COLUMN");
  command
      .add_option(
          "--record-key", options.mapping.record_key,
          "Column that tells several records of one client apart, such as a contract number")
      ->type_name("COLUMN");
  command
      .add_option("--map", options.mapping.maps,
                  "Fill a field of the class from a column; once for each field")
      ->type_name("FIELD=COLUMN")
      ->allow_extra_args(false);
  command
      .add_option(
          "--delimiter", options.delimiter,
          "What stands between cells: ',' ';' '|' or tab; without it what a first line sep=; "
          "or the profile says, or a comma")
      ->check(CLI::IsMember({",", ";", "|", "tab"}));
  command
      .add_option("--encoding", options.encoding,
                  "Encoding of the file, by ICU's names: windows-1251, GB18030, UTF-16LE ...; "
                  "without it UTF-8, or what its byte order mark says")
      ->type_name("NAME");
  AddCellOptions(command, options.mapping, options.profile);
}

}  // namespace

void AddImportCommand(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<ImportCommandOptions>();
  CLI::App* command = app.add_subcommand("import", "Store the rows of a CSV file as records");
  AddMappingOptions(*command, *options);
  AddConnectionOptions(*command, options->connection, PurposeUse::kRequired);
  command
      ->add_option("--report", options->report,
                   "File for the list of refused rows and of fields that were left out: line, "
                   "column, field, shape, reason, and no values; "
                   "only an earlier report is replaced")
      ->type_name("FILE");
  command->add_flag("--dry-run", options->run.dry_run,
                    "Check every row as far as the file and the class tell, and send none");
  command->add_flag("--accept-erased", options->run.accept_erased,
                    "Take rows of clients that were erased before as well; it is in the log");
  command->add_flag_callback(
      "--replace", [options] { options->run.replace = options->mapping.replace = true; },
      "Records have what their row has and nothing else: other fields of theirs go");
  command->add_flag("--yes", options->yes, "With --replace: really take fields away");
  command
      ->add_option("--jobs", options->run.jobs,
                   "Connections used at once; the server takes four imports at a time")
      ->type_name("N")
      ->check(CLI::Range(1, 32))
      ->capture_default_str();
  command->add_option("--batch", options->run.batch_rows, "Rows sent with one request")
      ->type_name("N")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->footer(kImportFooter);
  command->callback([options, &chosen] {
    chosen = [options](Console& console) { return Import(*options, console); };
  });
}

}  // namespace coffer::cli
