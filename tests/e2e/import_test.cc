// The import of real-shaped customers through the tool: accents, commas and empty cells survive to
// the byte, blanks at the ends of cells do not, and running it again changes nothing.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <sstream>

#include "tests/support/running_vault.h"

using namespace coffer::testing;
using nlohmann::json;

namespace {

const std::vector<std::pair<std::string, std::string>> kMapping = {{"first_name", "FirstName"},
                                                                   {"last_name", "LastName"},
                                                                   {"company", "Company"},
                                                                   {"address", "Address"},
                                                                   {"city", "City"},
                                                                   {"state", "State"},
                                                                   {"country", "Country"},
                                                                   {"postal_code", "PostalCode"},
                                                                   {"phone", "Phone"},
                                                                   {"fax", "Fax"},
                                                                   {"email", "Email"}};

ProgramResult Tool(RunningVault& vault, const std::string& role,
                   std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), std::string(COFFER_BIN_DIR) + "/coffer");
  return RunProgram(arguments, {{"COFFER_URL", "https://127.0.0.1:" + std::to_string(vault.port())},
                                {"COFFER_CA", vault.ca_file()},
                                {"COFFER_TOKEN", vault.Token(role)}});
}

std::vector<std::string> ImportOf(const std::string& file) {
  std::vector<std::string> arguments = {"import", file,         "--class",   "contact",
                                        "--key",  "CustomerId", "--purpose", "client-care"};
  for (const auto& [field, column] : kMapping) {
    arguments.insert(arguments.end(), {"--map", field + "=" + column});
  }
  return arguments;
}

// The fields of one line, for this file's quoting: no quotes or line ends inside quoted fields.
std::vector<std::string> Fields(const std::string& line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

}  // namespace

TEST_CASE("a list of customers is imported to the byte, and again without a change") {
  const std::string file = std::string(COFFER_SOURCE_DIR) + "/../shared/data/chinook_customers.csv";
  if (!std::filesystem::exists(file)) SKIP("the Chinook customers are not beside the project");
  RunningVault vault;
  auto arguments = ImportOf(file);
  arguments.push_back("--json");
  const auto first = Tool(vault, "crm-service", arguments);
  INFO(first.out << first.err);
  // One telephone number among them is none.
  REQUIRE(first.exit_code == 8);
  const json left_out = json::parse(first.out).at("left_out");
  REQUIRE(left_out.size() == 1);
  CHECK(left_out[0].at("field") == "phone");

  std::istringstream lines(ReadWholeFile(file));
  std::string line;
  std::getline(lines, line);
  const auto columns = Fields(line);
  auto crm = vault.As("crm-service");
  int customers = 0;
  while (std::getline(lines, line)) {
    if (line.empty()) continue;
    const auto cells = Fields(line);
    REQUIRE(cells.size() == columns.size());
    json expected = json::object();
    for (const auto& [field, column] : kMapping) {
      const auto at =
          static_cast<std::size_t>(std::ranges::find(columns, column) - columns.begin());
      if (!cells[at].empty())
        expected[field] = cells[at].substr(0, cells[at].find_last_not_of(' ') + 1);
    }
    if (left_out[0].at("line") == customers + 2) expected.erase("phone");
    const auto found =
        crm.Post("/v1/clients/search", {{"external_ref", cells[0]}}).Json().at("items");
    REQUIRE(found.size() == 1);
    const auto records =
        crm.Get("/v1/clients/" + found[0].at("client").get<std::string>() + "/records?data=true");
    INFO(records.body);
    REQUIRE(records.Json().at("items").size() == 1);
    CHECK(records.Json().at("items")[0].at("data") == expected);
    CHECK(records.Json().at("items")[0].at("version") == 1);
    ++customers;
  }
  CHECK(customers == 59);

  const auto status = [&] { return vault.As("auditor").Get("/v1/status").Json(); };
  const json before = status();
  CHECK(Tool(vault, "crm-service", ImportOf(file)).exit_code == 8);
  CHECK(status().at("records") == before.at("records"));
  CHECK(status().at("clients") == before.at("clients"));
}

TEST_CASE("rows that do not fit are named by line and field, without their values") {
  RunningVault vault;
  const std::string file = vault.work() / "customers.csv";
  WriteWholeFile(file,
                 "CustomerId,LastName,Email\nB-1,Fine,fine@example.org\nB-2,Bad,zq7sentinel\nB-3,,"
                 "x@example.org\n");
  const auto result =
      Tool(vault, "crm-service",
           {"import", file, "--class", "contact", "--key", "CustomerId", "--purpose", "client-care",
            "--map", "last_name=LastName", "--map", "email=Email"});
  INFO(result.out << result.err);
  CHECK(result.exit_code == 3);
  const std::string said = result.out + result.err;
  CHECK(said.find("zq7sentinel") == std::string::npos);
  CHECK(said.find('3') != std::string::npos);
  CHECK(said.find("email") != std::string::npos);
  CHECK(said.find("last_name") != std::string::npos);
  // The address is no required field: its row is stored without it.
  CHECK(vault.As("auditor").Get("/v1/status").Json().at("clients") == 2);
}

TEST_CASE(
    "rows of clients that were erased are left out and counted apart, until they are accepted") {
  RunningVault vault;
  const std::string file = vault.work() / "customers.csv";
  WriteWholeFile(file, "CustomerId,LastName\nB-1,Fine\nB-2,Gone\n");
  const auto import = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments = {
        "import",     file,        "--class",     "contact", "--key",
        "CustomerId", "--purpose", "client-care", "--map",   "last_name=LastName",
        "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Tool(vault, "crm-service", arguments);
  };
  const std::string gone = vault.NewClient("B-2");
  REQUIRE(vault.As("privacy-officer").Delete("/v1/clients/" + gone).status == 200);
  const auto left_out = import({});
  INFO(left_out.out << left_out.err);
  CHECK(left_out.exit_code == 6);
  const json summary = json::parse(left_out.out);
  CHECK(summary.at("created") == 1);
  CHECK(summary.at("refused") == 0);
  CHECK(summary.at("erased_before") == 1);
  CHECK(summary.at("refusals").at(0).at("line") == 3);
  CHECK(left_out.err.find("0 refused, 1 erased before") != std::string::npos);
  CHECK(left_out.err.find("--accept-erased") != std::string::npos);
  CHECK(vault.As("auditor").Get("/v1/status").Json().at("clients") == 1);
  const auto accepted = import({"--accept-erased"});
  INFO(accepted.out << accepted.err);
  CHECK(accepted.exit_code == 0);
  CHECK(json::parse(accepted.out).at("created") == 1);
  CHECK(vault.As("auditor").Get("/v1/status").Json().at("clients") == 2);
}

TEST_CASE("a table out of a pipe is stored, over connections whose files are pipes too") {
  RunningVault vault;
  std::string table = "Id,Last\n";
  for (int i = 0; i < 9'000; ++i) table += "P-" + std::to_string(i) + ",Invented\n";
  const std::string file = vault.work() / "customers.csv";
  WriteWholeFile(file, table);
  const auto shell = [&](const std::string& command) {
    return RunProgram({"/bin/bash", "-c", command},
                      {{"COFFER", std::string(COFFER_BIN_DIR) + "/coffer"},
                       {"COFFER_URL", "https://127.0.0.1:" + std::to_string(vault.port())},
                       {"COFFER_CA", vault.ca_file()},
                       {"TOKEN", vault.Token("crm-service")},
                       {"TMPDIR", "/tmp"},
                       {"FILE", file}});
  };
  const std::string import =
      " --class contact --key Id --map last_name=Last --purpose client-care"
      " --token-file <(echo \"$TOKEN\") --ca <(cat \"$COFFER_CA\")";
  const json before = vault.Counts();
  const auto full = shell("ulimit -f 60; cat \"$FILE\" | \"$COFFER\" import -" + import);
  INFO(full.out << full.err);
  CHECK(full.exit_code == 1);
  CHECK(full.err.find("there is no room in /tmp") != std::string::npos);
  const auto nothing = shell("\"$COFFER\" import <(true)" + import);
  INFO(nothing.out << nothing.err);
  CHECK(nothing.exit_code == 2);
  CHECK(nothing.err.find("gave nothing") != std::string::npos);
  CHECK(vault.Counts() == before);

  const auto stored = shell("\"$COFFER\" import <(cat \"$FILE\")" + import);
  INFO(stored.out << stored.err);
  CHECK(stored.exit_code == 0);
  CHECK(vault.Counts().at("records") == 9'000);
  const auto again = shell("cat \"$FILE\" | \"$COFFER\" import /dev/stdin --json" + import);
  INFO(again.out << again.err);
  CHECK(again.exit_code == 0);
  CHECK(json::parse(again.out, nullptr, false).value("unchanged", 0) == 9'000);
}

TEST_CASE("the tool verifies a stopped copy and an export with the log's public key alone") {
  RunningVault vault;
  vault.NewContact(vault.NewClient("V-1"), {{"last_name", "Verified"}});
  const auto online =
      Tool(vault, "security-officer", {"verify", "--log-key", vault.LogKey(), "--deep"});
  INFO(online.out << online.err);
  CHECK(online.exit_code == 0);
  const std::string exported = vault.work() / "log.jsonl";
  CHECK(Tool(vault, "security-officer", {"log", "export", "--out", exported}).exit_code == 0);
  vault.Stop();

  const std::vector<std::string> offline = {std::string(COFFER_BIN_DIR) + "/coffer",
                                            "verify",
                                            "--entries",
                                            exported,
                                            "--checkpoint",
                                            exported + ".checkpoint",
                                            "--log-key",
                                            vault.LogKey()};
  const auto whole = RunProgram(offline);
  INFO(whole.out << whole.err);
  CHECK(whole.exit_code == 0);
  std::string altered = ReadWholeFile(exported);
  altered.replace(altered.find("\"allow\""), 7, "\"allOw\"");
  WriteWholeFile(exported, altered);
  CHECK(RunProgram(offline).exit_code == 4);

  const auto copy =
      RunProgram({std::string(COFFER_BIN_DIR) + "/coffer", "verify", "--data", vault.directory(),
                  "--root-key-file", vault.root_key_file(), "--log-key", vault.LogKey(), "--deep"});
  INFO(copy.out << copy.err);
  CHECK(copy.exit_code == 0);
}
