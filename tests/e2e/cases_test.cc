// Files as offices write them (tests/cases), through the real program into a real vault. The right
// answer to each is in tests/cases/README.md.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <set>

#include "tests/e2e/file_cases.h"
#include "tests/e2e/value_cases.h"
#include "tests/support/running_vault.h"

using namespace coffer::testing;
using nlohmann::json;

namespace {

std::string CasesFolder() { return std::string(COFFER_SOURCE_DIR) + "/tests/cases/"; }

std::vector<ImportCase> AllImportCases() {
  std::vector<ImportCase> all = FileCases();
  for (ImportCase& one : ValueCases()) all.push_back(std::move(one));
  return all;
}

ProgramResult RunImportCase(RunningVault& vault, const ImportCase& one) {
  std::vector<std::string> arguments = {std::string(COFFER_BIN_DIR) + "/coffer",
                                        "import",
                                        CasesFolder() + one.file,
                                        "--purpose",
                                        "client-care",
                                        "--json"};
  arguments.insert(arguments.end(), one.options.begin(), one.options.end());
  return RunProgram(arguments, {{"COFFER_URL", "https://127.0.0.1:" + std::to_string(vault.port())},
                                {"COFFER_CA", vault.ca_file()},
                                {"COFFER_TOKEN", vault.Token("crm-service")}});
}

void CheckSummary(const ImportCase& one, const ProgramResult& ran) {
  if (one.summary.contains("rows")) {
    const json summary = json::parse(ran.out, nullptr, false);
    for (const auto& [name, value] : one.summary.items()) {
      INFO(name);
      CHECK(summary.value(name, json()) == value);
    }
  }
  const std::string said = ran.out + ran.err;
  for (const std::string& words : one.says) {
    INFO("not said: " << words);
    CHECK(said.find(words) != std::string::npos);
  }
  for (const std::string& words : one.never_says) {
    INFO("said: " << words);
    CHECK(said.find(words) == std::string::npos);
  }
}

void CheckStored(Caller& crm, const ImportCase& one) {
  for (const auto& [reference, data] : one.stored) {
    INFO("reference " << reference);
    const json found = crm.Post("/v1/clients/search", {{"external_ref", reference}}).Json();
    const json items = found.value("items", json::array());
    CHECK(items.size() == 1);
    if (items.size() != 1) continue;
    const std::string client = items[0].at("client");
    const json records = crm.Get("/v1/clients/" + client + "/records?data=true").Json();
    REQUIRE(records.at("items").size() == 1);
    CHECK(records.at("items")[0].at("data") == data);
  }
}

void CheckFound(Caller& crm, const ImportCase& one) {
  const auto option = std::ranges::find(one.options, "--class");
  // The profiles are of contacts.
  const std::string class_name = option == one.options.end() ? "contact" : *(option + 1);
  for (const Search& search : one.found) {
    INFO(search.field << " " << search.value);
    const json found =
        crm.Post("/v1/clients/search",
                 {{"class", class_name}, {"field", search.field}, {"value", search.value}})
            .Json();
    std::set<std::string> references;
    for (const json& item : found.value("items", json::array())) {
      references.insert(crm.Get("/v1/clients/" + item.at("client").get<std::string>())
                            .Json()
                            .value("external_ref", ""));
    }
    CHECK(references.contains(search.external_ref));
  }
}

}  // namespace

TEST_CASE("every file of an office comes to its right answer") {
  RunningVault vault;
  auto crm = vault.As("crm-service");
  for (const ImportCase& one : AllImportCases()) {
    std::string options;
    for (const std::string& option : one.options) options += " " + option;
    INFO(one.file << options);
    const json before = vault.Counts();
    const ProgramResult ran = RunImportCase(vault, one);
    INFO(ran.out << ran.err);
    CHECK(ran.exit_code == one.exit);
    CheckSummary(one, ran);
    CheckStored(crm, one);
    CheckFound(crm, one);
    if (!one.summary.contains("rows")) CHECK(vault.Counts() == before);
  }
}

TEST_CASE("no file of tests/cases is without a row in the table") {
  std::set<std::string> in_table, in_folder;
  for (const ImportCase& one : AllImportCases()) in_table.insert(one.file);
  for (const auto& file : std::filesystem::directory_iterator(CasesFolder())) {
    if (file.path().filename() != "README.md") in_folder.insert(file.path().filename());
  }
  CHECK(in_table == in_folder);
}
