// What goes out comes in: clients and records of every type of field out of one vault as tables,
// and into another one.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <random>

#include "tests/support/running_vault.h"

using namespace coffer::testing;
using nlohmann::json;

namespace {

const json kRoundClass = {{"name", "every-type"},
                          {"purposes", {"client-care", "data-subject-request"}},
                          {"fields",
                           {{"a_string", {{"type", "string"}}},
                            {"a_text", {{"type", "text"}}},
                            {"an_integer", {{"type", "integer"}}},
                            {"a_decimal", {{"type", "decimal"}}},
                            {"a_boolean", {{"type", "boolean"}}},
                            {"a_date", {{"type", "date"}}},
                            {"a_date_time", {{"type", "datetime"}}},
                            {"an_email", {{"type", "email"}}},
                            {"a_phone", {{"type", "phone"}}},
                            {"a_choice", {{"type", "choice"}, {"values", {"red", "=blue", "-1"}}}},
                            {"a_list", {{"type", "list"}}},
                            {"id", {{"type", "string"}}},
                            {"external_ref", {{"type", "string"}}}}}};

class Documents {
 public:
  json Next() {
    json data = json::object();
    if (Chance()) data["a_string"] = Words(false);
    if (Chance()) data["a_text"] = Words(true);
    if (Chance()) data["an_integer"] = static_cast<std::int64_t>(Number(2'000'000)) - 1'000'000;
    if (Chance()) data["a_decimal"] = Pick({"0", "-0.5", "-12.50", "1234567890.10", "7", "-3"});
    if (Chance()) data["a_boolean"] = Number(2) == 0;
    if (Chance()) data["a_date"] = Pick({"1984-03-07", "0001-01-01", "9999-12-31", "2024-02-29"});
    if (Chance()) {
      data["a_date_time"] = Pick(
          {"2026-03-07T14:05:00Z", "2026-03-07T14:05:00.125+03:00", "1969-12-31T23:59:59-12:00"});
    }
    if (Chance()) data["an_email"] = Pick({"a@example.org", "=a+b@example.org", "-a@example.org"});
    if (Chance()) {
      data["a_phone"] = Pick({"+7 (495) 555-01-20", "+7-495-555-01-20", "+12025550120",
                              "8 (495) 555-01-20", "(202) 555-0120", "555 01 20"});
    }
    if (Chance()) data["a_choice"] = Pick({"red", "=blue", "-1"});
    if (Chance()) {
      data["a_list"] = json::array();
      for (auto count = Number(4); count > 0; --count) data["a_list"].push_back(Words(false));
    }
    if (Chance()) data["id"] = Words(false);
    if (Chance()) data["external_ref"] = Words(false);
    return data;
  }

 private:
  std::uint32_t Number(std::uint32_t below) {
    return static_cast<std::uint32_t>(random_() % below);
  }
  bool Chance() { return Number(3) > 0; }
  std::string Pick(std::initializer_list<const char*> texts) {
    return *(texts.begin() + Number(static_cast<std::uint32_t>(texts.size())));
  }
  std::string Words(bool lines) {
    static const std::vector<std::string> kPieces = {
        "=", "+", "-", "@", "|",  "'",        "\"", ",",  ";",      " ", "\u00a0", "1",  "7",
        "[", "]", "a", "Ж", "客", "=SUM(A1)", "\\", "'=", "\uff1d", "N", "\n",     "\t", "\r\n"};
    const auto most = static_cast<std::uint32_t>(lines ? kPieces.size() : kPieces.size() - 3);
    std::string text;
    for (auto count = Number(7); count > 0; --count) text += kPieces[Number(most)];
    return text;
  }
  std::mt19937 random_{20'260'307};
};

ProgramResult RoundTool(RunningVault& vault, const std::string& role,
                        std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), std::string(COFFER_BIN_DIR) + "/coffer");
  return RunProgram(arguments, {{"COFFER_URL", "https://127.0.0.1:" + std::to_string(vault.port())},
                                {"COFFER_CA", vault.ca_file()},
                                {"COFFER_TOKEN", vault.Token(role)}});
}

void Define(RunningVault& vault) {
  const auto put = vault.As("administrator", "").Put("/v1/classes/every-type", kRoundClass);
  INFO(put.body);
  REQUIRE(put.status == 200);
}

// The data of all records of the client with this reference, in a fixed order.
std::vector<std::string> DataOf(Caller& crm, const std::string& reference) {
  std::vector<std::string> data;
  const json found =
      crm.Post("/v1/clients/search", {{"external_ref", reference}}).Json().at("items");
  REQUIRE(found.size() == 1);
  const json records =
      crm.Get("/v1/clients/" + found[0].at("client").get<std::string>() + "/records?data=true")
          .Json()
          .at("items");
  for (const json& record : records) data.push_back(record.at("data").dump());
  std::ranges::sort(data);
  return data;
}

}  // namespace

TEST_CASE("records of every type go out as tables and come into another vault to the byte") {
  RunningVault from, into;
  Define(from);
  Define(into);
  Documents documents;
  std::map<std::string, std::vector<std::string>> stored;
  std::string lines;
  for (int i = 0; i < 150; ++i) {
    // Two records of each client, and references that a spreadsheet would run.
    const std::string reference = (i % 3 == 0 ? "=RT-" : "RT-") + std::to_string(i / 2);
    const json data = documents.Next();
    stored[reference].push_back(data.dump());
    lines += json({{"external_ref", reference}, {"record_key", std::to_string(i)}, {"data", data}})
                 .dump() +
             "\n";
  }
  const auto sent = from.As("crm-service")
                        .Send("POST", "/v1/import?class=every-type", lines, "application/x-ndjson");
  REQUIRE(sent.status == 200);
  REQUIRE(sent.body.find("refused") == std::string::npos);

  const std::string folder = from.work() / "tables";
  const auto out = RoundTool(
      from, "privacy-officer",
      {"export", folder, "--format", "csv", "--bom", "--purpose", "data-subject-request"});
  INFO(out.out << out.err);
  REQUIRE(out.exit_code == 0);
  const auto in = RoundTool(
      into, "crm-service",
      {"import", folder + "/class-every-type.csv", "--class", "every-type", "--key", "external_ref",
       "--record-key", "id", "--map-by-name", "--purpose", "client-care", "--json"});
  INFO(in.out << in.err);
  REQUIRE(in.exit_code == 0);
  CHECK(json::parse(in.out).at("created") == 150);
  auto crm = into.As("crm-service");
  for (auto& [reference, data] : stored) {
    CAPTURE(reference);
    std::ranges::sort(data);
    CHECK(DataOf(crm, reference) == data);
  }

  // And one client's package, with the records that it has.
  const std::string reference = stored.begin()->first;
  const json found = from.As("privacy-officer")
                         .Post("/v1/clients/search", {{"external_ref", reference}})
                         .Json()
                         .at("items");
  const std::string package = from.work() / "package";
  const auto packed = RoundTool(from, "privacy-officer",
                                {"client", "package", found[0].at("client"), "--format", "csv",
                                 "--out", package, "--purpose", "data-subject-request"});
  INFO(packed.out << packed.err);
  REQUIRE(packed.exit_code == 0);
  RunningVault third;
  Define(third);
  const auto again = RoundTool(
      third, "crm-service",
      {"import", package + "/class-every-type.csv", "--class", "every-type", "--key",
       "external_ref", "--record-key", "id", "--map-by-name", "--purpose", "client-care"});
  INFO(again.out << again.err);
  REQUIRE(again.exit_code == 0);
  auto third_crm = third.As("crm-service");
  CHECK(DataOf(third_crm, reference) == stored[reference]);
}

TEST_CASE("a dry run stores nothing, and the log says of nothing that it was stored") {
  RunningVault vault;
  const std::string file = vault.work() / "contacts.csv";
  WriteWholeFile(file, "Id,Last,Mail\nD-1,A,a@example.org\nD-2,,b@example.org\nD-3,C,zq7\n");
  const auto import = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {
        "import",         file,    "--class",    "contact",   "--key",       "Id",    "--map",
        "last_name=Last", "--map", "email=Mail", "--purpose", "client-care", "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return RoundTool(vault, "crm-service", arguments);
  };
  const json before = vault.Counts();
  const auto dry = import({"--dry-run"});
  INFO(dry.out << dry.err);
  CHECK(dry.exit_code == 8);
  const json summary = json::parse(dry.out);
  CHECK(summary.at("good") == 2);
  CHECK(summary.at("good_if_records_exist") == 1);
  CHECK(summary.at("created") == 0);
  CHECK(summary.at("refused") == 0);
  CHECK(summary.at("fields_left_out") == 1);
  CHECK(summary.at("result") == "good_if_records_exist");
  CHECK(vault.Counts() == before);
  CHECK(vault.Entries("action=record.import").empty());
  // What it said comes true.
  const auto real = import({});
  CHECK(real.exit_code == 3);
  CHECK(json::parse(real.out).at("created") == 2);
  CHECK(vault.Entries("action=record.import").size() == 3);
  // The same row, once there is a record that has what it lacks.
  WriteWholeFile(file, "Id,Last,Mail\nD-1,,a2@example.org\n");
  CHECK(import({"--dry-run"}).exit_code == 8);
  const auto changed = import({});
  CHECK(changed.exit_code == 0);
  CHECK(json::parse(changed.out).at("updated") == 1);
  // Where records are replaced, nothing of them makes it good.
  CHECK(import({"--replace", "--yes", "--dry-run"}).exit_code == 3);
  CHECK(import({"--replace", "--yes"}).exit_code == 3);
}
