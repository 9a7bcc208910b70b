#include "api/cli/import/import_options.h"

#include <CLI/CLI.hpp>

#include "crypto/phone_number.h"

namespace coffer::cli {

void AddCellOptions(CLI::App& command, MappingOptions& mapping, std::string& profile) {
  command
      .add_option(
          "--profile", profile,
          "How the tables of one program become records: google-contacts, outlook, hubspot, "
          "salesforce-report, amocrm, bitrix24, 1c, generic, or the path of a file; other "
          "options override it")
      ->type_name("NAME|FILE.toml");
  command.add_flag("--map-by-name", mapping.by_name,
                   "Fill each field from the column of its name, as in tables of coffer export");
  command
      .add_option("--date-format", mapping.date_formats,
                  "How days and times are written, of a column or of all: DD.MM.YYYY, M/D/YYYY, "
                  "YYYY-MM-DD hh:mm:ss ...; repeatable")
      ->type_name("[COLUMN=]FORMAT")
      ->allow_extra_args(false);
  command
      .add_option("--two-digit-years", mapping.two_digit_years_from,
                  "First of the hundred years that YY in a format stands for, such as 1930")
      ->type_name("YEAR")
      ->check(CLI::Range(1800, 2100));
  command
      .add_option("--utc-offset", mapping.utc_offset,
                  "Offset from UTC of times that say none: +03:00, or Z")
      ->type_name("OFFSET");
  command
      .add_option("--split", mapping.splits,
                  "What stands between the items of a list in one cell (;); once for each field")
      ->type_name("FIELD=SEPARATOR")
      ->allow_extra_args(false);
  command.add_flag("--join-lines", mapping.join_lines,
                   "Join the lines of a cell with a comma where the field is of one line");
  command.add_option("--decimal", mapping.decimal, "Decimal point of numbers: '.' or ','")
      ->check(CLI::IsMember({".", ","}));
  command.add_option("--true", mapping.yes, "Word for true beside true, yes and 1; repeatable")
      ->type_name("WORD")
      ->allow_extra_args(false);
  command.add_option("--false", mapping.no, "Word for false beside false, no and 0; repeatable")
      ->type_name("WORD")
      ->allow_extra_args(false);
  command
      .add_option("--region", mapping.region,
                  "Country of telephone numbers without country code (RU, DE ...); all numbers are "
                  "stored as +... (E.164) then")
      ->type_name("COUNTRY");
  command.add_flag(
      "--strict", mapping.strict,
      "Refuse a row for any field that does not fit, instead of leaving the field out");
}

Outcome<void> TakeProfile(const std::string& profile, MappingOptions& mapping,
                          std::string& class_name) {
  if (!profile.empty()) {
    COFFER_ASSIGN(mapping.profile, LoadProfile(profile));
    if (class_name.empty()) class_name = mapping.profile->class_name;
  }
  if (class_name.empty()) {
    return Failed(Exit::kUsage, "nothing says of which class the records are",
                  "Name it with --class, or name a profile with --profile.");
  }
  if (mapping.key.empty() && !mapping.profile) {
    return Failed(Exit::kUsage, "--key is required",
                  "It names the column with the client's external reference.");
  }
  if (mapping.maps.empty() && !mapping.profile && !mapping.by_name) {
    return Failed(
        Exit::kUsage, "--map is required",
        "Write --map field=Column once for each field, or name a profile with --profile.");
  }
  std::vector<std::string> regions = {mapping.region};
  if (mapping.profile) {
    regions.push_back(mapping.profile->cells.region.value_or(""));
    for (const auto& [name, field] : mapping.profile->fields) {
      regions.push_back(field.cells.region.value_or(""));
    }
  }
  for (const std::string& region : regions) {
    if (!region.empty() && !crypto::IsPhoneRegion(region)) {
      return Failed(Exit::kUsage, "\"" + region + "\" is no country that telephone numbers are of",
                    "Write two capital letters, such as RU, DE, CN or US.");
    }
  }
  return {};
}

}  // namespace coffer::cli
