#include "api/cli/import/import_plan.h"

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

namespace coffer::cli {
namespace {

const std::vector<std::string> kHeader = {"Id", "Name", "Age", "Active", "Labels", "Contract"};

const ClassShape kShape = {{"name", {"string", true}},
                           {"age", {"integer", false}},
                           {"active", {"boolean", false}},
                           {"labels", {"list", false}},
                           {"external_ref", {"string", false}}};

MappingOptions AllFields() {
  return {"Id", "", {"name=Name", "age=Age", "active=Active", "labels=Labels"}};
}

ImportPlan Plan(const MappingOptions& options = AllFields()) {
  auto plan = PlanImport(options, kHeader, kShape);
  REQUIRE(plan);
  return *std::move(plan);
}

std::string Fault(const MappingOptions& options, const std::vector<std::string>& header = kHeader) {
  const auto plan = PlanImport(options, header, kShape);
  REQUIRE_FALSE(plan);
  CHECK(plan.error().exit == Exit::kUsage);
  return plan.error().message;
}

CsvRow Row(std::vector<std::string> cells) { return {7, std::move(cells)}; }

}  // namespace

TEST_CASE("a row becomes a line with the types of its class") {
  CHECK(*BuildLine(Plan(), Row({"A-1", "Luís \"L\"", "42", "yes", "a;b c;;d", "x"})) ==
        R"({"external_ref":"A-1","data":{"name":"Luís \"L\"","age":42,"active":true,)"
        R"("labels":["a","b c","d"]}})"
        "\n");
}

TEST_CASE("numbers that are text in the class stay as they were typed") {
  const ImportPlan plan = Plan({"Id", "", {"name=Age"}});
  CHECK(*BuildLine(plan, Row({"1", "", "007", "", "", ""})) ==
        "{\"external_ref\":\"1\",\"data\":{\"name\":\"007\"}}\n");
}

TEST_CASE("empty cells are absent fields") {
  CHECK(*BuildLine(Plan(), Row({"A-1", "Ann", "", "", "", ""})) ==
        "{\"external_ref\":\"A-1\",\"data\":{\"name\":\"Ann\"}}\n");
}

TEST_CASE("a record key goes with every row") {
  MappingOptions options = AllFields();
  options.record_key = "Contract";
  const ImportPlan plan = Plan(options);
  CHECK(*BuildLine(plan, Row({"A-1", "Ann", "", "", "", "C/1"})) ==
        "{\"external_ref\":\"A-1\",\"record_key\":\"C/1\",\"data\":{\"name\":\"Ann\"}}\n");
  const auto refused = BuildLine(plan, Row({"A-1", "Ann", "", "", "", ""}));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().column == "Contract");
}

TEST_CASE("a row that cannot be sent is refused without showing its values") {
  struct Case {
    std::vector<std::string> cells;
    std::string field, column;
  };
  for (const auto& [cells, field, column] :
       std::vector<Case>{{{"", "Secret", "", "", "", ""}, "external_ref", "Id"},
                         {{"A-1", "Secret", "Secret", "", "", ""}, "age", "Age"},
                         {{"A-1", "x", "9999999999999999999999", "", "", ""}, "age", "Age"},
                         {{"A-1", "x", "1.5", "", "", ""}, "age", "Age"},
                         {{"A-1", "x", "", "Secret", "", ""}, "active", "Active"},
                         {{"A-1", "Secret\xff", "", "", "", ""}, "name", "Name"},
                         {{"A-1", std::string("a\0b", 3), "", "", "", ""}, "name", "Name"},
                         {{"A-1", "Secret", "1", "true", "Secret\xff", ""}, "labels", "Labels"},
                         {{"A-1", "Secret"}, "", ""},
                         {{"A-1", "Secret", "", "", "", "", "", ""}, "", ""},
                         {{"A-1", std::string(600'000, 'x'), "", "", "", ""}, "name", "Name"}}) {
    const auto line = BuildLine(Plan(), Row(cells));
    REQUIRE_FALSE(line);
    CHECK(line.error().line == 7);
    CHECK(line.error().field == field);
    CHECK(line.error().column == column);
    CHECK(line.error().message.find("Secret") == std::string::npos);
    CHECK_FALSE(line.error().message.empty());
  }
}

TEST_CASE("what does not fit the file or the class is found before anything is sent") {
  CHECK(Fault({"Nr", "", {"name=Name"}}) == "the file has no column \"Nr\"");
  CHECK(Fault({"Id", "Key", {"name=Name"}}) == "the file has no column \"Key\"");
  CHECK(Fault({"Id", "", {"name=name"}}) == "the file has no column \"name\"");
  CHECK(Fault({"Id", "", {"nom=Name"}}) == "the class has no field \"nom\"");
  CHECK(Fault({"Id", "", {"name"}}) == "\"--map name\" is not understood");
  CHECK(Fault({"Id", "", {"=Name"}}) == "\"--map =Name\" is not understood");
  CHECK(Fault({"Id", "", {"name=Name", "name=Labels"}}) == "the field \"name\" is mapped twice");
  CHECK(Fault({"Id", "", {"age=Age"}, true}) ==
        "the class requires the field \"name\", and nothing fills it");
  CHECK(Fault(AllFields(), {"Id", "Name", "Name"}) == "the header names the column \"Name\" twice");
}

TEST_CASE("an import that would fill no field is refused") {
  MappingOptions options{"Id", "", {}};
  options.by_name = true;
  CHECK(Fault(options) == "no column of the file fills a field of the class");
  CHECK(PlanImport(options, {"Id", "name"}, kShape));
}

TEST_CASE("a first line that is a row of data is shown by its shape") {
  for (const std::string value : {"ivan@example.org", "+7 916 123-45-67", "1984-03-07"}) {
    const auto plan = PlanImport(AllFields(), {"Ivanov", value, "x"}, kShape);
    REQUIRE_FALSE(plan);
    const std::string told = plan.error().message + plan.error().advice;
    CAPTURE(told);
    CHECK(told.find("Ivanov") == std::string::npos);
    CHECK(told.find(value) == std::string::npos);
    CHECK(told.find("Aaaaaa") != std::string::npos);
    CHECK(told.find("must name the columns") != std::string::npos);
  }
}

TEST_CASE("a column name may hold an equals sign") {
  const auto plan = PlanImport({"Id", "", {"name=a=b"}}, {"Id", "a=b"}, kShape);
  REQUIRE(plan);
  CHECK(plan->fields[0].column == 1);
}

TEST_CASE("a fault is located by field and column") {
  MappingOptions options = AllFields();
  options.record_key = "Contract";
  options.maps.emplace_back("external_ref=Labels");
  const ImportPlan plan = Plan(options);
  CHECK(plan.Locate(3, "/data/name", "m").column == "Name");
  CHECK(plan.Locate(3, "/data/labels/2", "m").field == "labels");
  CHECK(plan.Locate(3, "/external_ref", "m").column == "Id");
  CHECK(plan.Locate(3, "/data/external_ref", "m").column == "Labels");
  CHECK(plan.Locate(3, "/record_key", "m").column == "Contract");
  CHECK(plan.Locate(3, "", "m").field.empty());
  CHECK(plan.Locate(3, "/data/unmapped", "m").column.empty());
  CHECK(plan.Locate(3, "/data", "m").column.empty());
}

TEST_CASE("the shape of a class is read from the server's answer") {
  const auto shape = ShapeOf(nlohmann::json::parse(R"({"name":"c","version":2,"definition":
      {"fields":{"a":{"type":"integer","required":true},"b":{"type":"text"},"c":1}}})"));
  CHECK(shape.at("a").type == "integer");
  CHECK(shape.at("a").required);
  CHECK_FALSE(shape.at("b").required);
  CHECK(ShapeOf(nlohmann::json::parse("[]")).empty());
}

}  // namespace coffer::cli
