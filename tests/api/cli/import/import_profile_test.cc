#include "api/cli/import/import_profile.h"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "api/cli/import/import_plan.h"

namespace coffer::cli {
namespace {

std::string ProfileFault(const std::string& text) {
  const auto profile = ParseProfile(text, "p.toml");
  REQUIRE_FALSE(profile);
  CHECK(profile.error().exit == Exit::kUsage);
  return profile.error().message;
}

const ClassShape kContactShape = {
    {"last_name", {"string", true}}, {"first_name", {"string", false}}, {"email", {"email", false}},
    {"phone", {"phone", false}},     {"mobile", {"phone", false}},      {"born", {"date", false}},
    {"tags", {"list", false}}};

ImportPlan PlanOf(const std::string& profile, const std::vector<std::string>& header,
                  MappingOptions options = {}) {
  auto parsed = ParseProfile(profile, "p.toml");
  if (!parsed) FAIL(parsed.error().message);
  options.profile = *parsed;
  auto plan = PlanImport(options, header, kContactShape);
  if (!plan) FAIL(plan.error().message);
  return *std::move(plan);
}

struct Built {
  std::string line;
  std::vector<Refusal> left_out;
};

Built Build(const ImportPlan& plan, std::vector<std::string> cells) {
  Built built;
  const auto line = BuildLine(plan, {7, std::move(cells)}, &built.left_out);
  built.line = line ? *line : "refused: " + line.error().field + " " + line.error().message;
  return built;
}

}  // namespace

TEST_CASE("what no profile may hold is refused with its place") {
  CHECK(ProfileFault("class = \"c\"\nsurprise = 1\n") ==
        "p.toml, line 2, column 1: \"surprise\" is no member of a profile");
  CHECK(ProfileFault("[key]\ncolumns = [\"A\"]\nfold = true\n").starts_with("p.toml, line 3"));
  CHECK(ProfileFault("[key]\ncolumns = \"A\"\n").find("\"key.columns\" must be a list") !=
        std::string::npos);
  CHECK(ProfileFault("[fields.a]\ncolums = [\"A\"]\n").find("\"fields.a.colums\"") !=
        std::string::npos);
  CHECK(ProfileFault("[fields.a]\nregion = \"RU\"\n").find("names no columns") !=
        std::string::npos);
  CHECK(ProfileFault("[fields.a]\ncolumns = [\"A\"]\ntake = \"list\"\n").find("separator") !=
        std::string::npos);
  CHECK(ProfileFault("[fields.a]\ncolumns = [\"A\"]\nunless_taken_by = \"b\"\n").find("\"b\"") !=
        std::string::npos);
  CHECK(ProfileFault("decimal = \";\"\n").find("must be") != std::string::npos);
  CHECK(ProfileFault("class = \"c\"\nclass = \"d\"\n").starts_with("p.toml, line 2"));
  CHECK(ProfileFault("title = ").starts_with("p.toml, line 1"));
}

TEST_CASE(
    "every profile that comes with the tool is read, and fills fields of the shipped contact") {
  const std::string root = COFFER_SOURCE_DIR;
  std::ifstream file(root + "/deploy/classes/contact.json");
  const auto contact = nlohmann::json::parse(file);
  const ClassShape shape = ShapeOf({{"definition", contact}});
  std::size_t profiles = 0;
  for (const auto& entry : std::filesystem::directory_iterator(root + "/deploy/import")) {
    CAPTURE(entry.path());
    const auto profile = LoadProfile(entry.path());
    if (!profile) FAIL(profile.error().message);
    ++profiles;
    CHECK(profile->class_name == "contact");
    std::vector<std::string> header;
    const auto add = [&](const ColumnSource& source) {
      for (const auto& part : source.parts) header.push_back(part.front());
    };
    add(profile->key);
    for (const auto& [name, field] : profile->fields) add(field.source);
    std::ranges::sort(header);
    header.erase(std::unique(header.begin(), header.end()), header.end());
    MappingOptions options;
    options.profile = *profile;
    const auto plan = PlanImport(options, header, shape);
    if (!plan) FAIL(plan.error().message);
    CHECK(plan->unmapped.empty());
  }
  CHECK(profiles == 8);
}

TEST_CASE("a name of no profile is refused with the names that there are") {
  setenv("COFFER_PROFILES", (std::string(COFFER_SOURCE_DIR) + "/deploy/import").c_str(), 1);
  const auto known = LoadProfile("google-contacts");
  const auto unknown = LoadProfile("gogle");
  unsetenv("COFFER_PROFILES");
  CHECK(known);
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().advice.find("amocrm, bitrix24") != std::string::npos);
}

TEST_CASE("columns go by any of their names, joined, and by another when they are empty") {
  const ImportPlan plan = PlanOf(R"(
[key]
columns = ["ID"]
[fields.first_name]
parts = [["Given", "Имя"], ["Middle"]]
unless_taken_by = "last_name"
[fields.last_name]
columns = ["Family"]
otherwise = ["Имя", "Company"]
)",
                                 {"ID", "Имя", "Middle", "FAMILY", "Company"});
  CHECK(Build(plan, {"1", "A", "B", "C", ""}).line ==
        "{\"external_ref\":\"1\",\"data\":{\"first_name\":\"A B\",\"last_name\":\"C\"}}\n");
  CHECK(Build(plan, {"1", "A", "", "", ""}).line ==
        "{\"external_ref\":\"1\",\"data\":{\"last_name\":\"A\"}}\n");
  CHECK(Build(plan, {"1", "", "", " ", "Co"}).line ==
        "{\"external_ref\":\"1\",\"data\":{\"last_name\":\"Co\"}}\n");
  CHECK(plan.unmapped == std::vector<std::string>{"Company"});
}

TEST_CASE(
    "of several values the first is taken, others go where they are sent, and the rest is listed") {
  const ImportPlan plan = PlanOf(R"(
[key]
columns = ["Mail", "Tel"]
separator = ":::"
[fields.last_name]
columns = ["Last"]
[fields.email]
columns = ["Mail", "Mail 2"]
separator = ":::"
[fields.phone]
columns = ["Tel"]
separator = ":::"
others_to = "mobile"
[fields.mobile]
[fields.tags]
columns = ["Tags"]
separator = ":::"
take = "list"
)",
                                 {"Mail", "Mail 2", "Tel", "Last", "Tags"});
  const Built built =
      Build(plan, {"a@x.org ::: b@x.org", "c@x.org",
                   "+1 202 555 0101 ::: +1 202 555 0102 ::: +1 202 555 0103", "L", "T ::: U"});
  CHECK(
      nlohmann::json::parse(built.line) ==
      nlohmann::json::parse(R"({"external_ref":"a@x.org","data":{"last_name":"L","email":"a@x.org",
          "phone":"+1 202 555 0101","mobile":"+1 202 555 0102","tags":["T","U"]}})"));
  REQUIRE(built.left_out.size() == 3);
  for (const Refusal& one : built.left_out) {
    CHECK(one.line == 7);
    CHECK((one.shape == "a@a.aaa" || one.shape == "+9 999 999 9999"));
  }
  const Built second = Build(plan, {"", "", "+1 202 555 0101", "L", ""});
  CHECK(second.line.starts_with("{\"external_ref\":\"+1 202 555 0101\""));
}

TEST_CASE("another value of a required field is listed, and its row stored") {
  const ImportPlan plan = PlanOf(R"(
[key]
columns = ["ID"]
[fields.last_name]
columns = ["Last", "Name"]
separator = ","
)",
                                 {"ID", "Last", "Name"});
  const Built built = Build(plan, {"1", "A, B", "C"});
  CHECK(built.line == "{\"external_ref\":\"1\",\"data\":{\"last_name\":\"A\"}}\n");
  CHECK(built.left_out.size() == 2);
  CHECK(Build(plan, {"1", "A", "A"}).left_out.empty());
}

TEST_CASE("a key of several columns is whole or the row is refused") {
  const ImportPlan plan = PlanOf(R"(
[key]
parts = [["A"], ["B"]]
joined_by = "/"
[fields.last_name]
columns = ["Last"]
)",
                                 {"A", "B", "Last"});
  CHECK(Build(plan, {"1", "2", "L"}).line.starts_with("{\"external_ref\":\"1/2\""));
  CHECK(Build(plan, {"1", "", "L"}).line == "refused: external_ref is empty");
}

TEST_CASE("the guard of a cell is taken off wherever a profile takes it from") {
  const std::string profile = R"(
[key]
parts = [["A"], ["B"]]
joined_by = "/"
[fields.last_name]
parts = [["Last"], ["More"]]
)";
  const std::vector<std::string> header = {"A", "B", "Last", "More"};
  const auto line = [&](const std::string& key, const std::string& name) {
    return "{\"external_ref\":\"" + key + "\",\"data\":{\"last_name\":\"" + name + "\"}}\n";
  };
  const ImportPlan plan = PlanOf(profile, header);
  CHECK(Build(plan, {"'=1", "'=2", "'=x", ""}).line == line("=1/=2", "=x"));
  CHECK(Build(plan, {"1", "'-b", "L", "'@m"}).line == line("1/-b", "L @m"));
  CHECK(Build(plan, {"1", "2", "''=x", "'=y"}).line == line("1/2", "'=x =y"));
  CHECK(Build(plan, {"1", "2", "'tHooft", "'s"}).line == line("1/2", "'tHooft 's"));
  const ImportPlan one =
      PlanOf("[key]\ncolumns = [\"A\"]\n[fields.last_name]\ncolumns = [\"Last\"]\n", header);
  CHECK(Build(one, {"'=1", "", "'=x", ""}).line == line("=1", "=x"));
  CHECK(Build(one, {"' a", "", "L", ""}).line == line(" a", "L"));
}

TEST_CASE("what a profile says of a field that it does not fit is refused, not passed over") {
  for (const auto& [field, member] : {std::pair<std::string, std::string>{"last_name", "values"},
                                      {"last_name", "take"},
                                      {"last_name", "date_formats"}}) {
    CAPTURE(member);
    std::string text = "[key]\ncolumns = [\"A\"]\n[fields." + field +
                       "]\ncolumns = [\"Last\"]\nseparator = \";\"\n";
    if (member == "values") text += "values = {\"a\" = \"b\"}\n";
    if (member == "take") text += "take = \"list\"\n";
    if (member == "date_formats") text += "date_formats = [\"DD.MM.YYYY\"]\n";
    MappingOptions options;
    options.profile = *ParseProfile(text, "p.toml");
    const auto plan = PlanImport(options, {"A", "Last"}, kContactShape);
    REQUIRE_FALSE(plan);
    CHECK(plan.error().exit == Exit::kUsage);
    CHECK(plan.error().message.find("fields.last_name." + member) != std::string::npos);
  }
}

TEST_CASE("what cannot be a profile is told, and not read without end") {
  for (const char* path : {"/dev/zero", "/", "./no-such-profile.toml"}) {
    const auto profile = LoadProfile(path);
    REQUIRE_FALSE(profile);
    CHECK(profile.error().exit == Exit::kUsage);
  }
}

TEST_CASE("the command line overrides the profile") {
  const std::string profile = R"(
date_formats = ["M/D/YYYY"]
[key]
columns = ["ID"]
[fields.last_name]
columns = ["Last"]
[fields.born]
columns = ["Born"]
)";
  const std::vector<std::string> header = {"ID", "Last", "Born", "Key"};
  CHECK(Build(PlanOf(profile, header), {"1", "L", "3/7/1984", "K"}).line.find("1984-03-07") !=
        std::string::npos);
  MappingOptions options;
  options.date_formats = {"D/M/YYYY"};
  options.key = "Key";
  options.maps = {"last_name=Key"};
  const Built built = Build(PlanOf(profile, header, options), {"1", "L", "3/7/1984", "K"});
  CHECK(built.line.find("1984-07-03") != std::string::npos);
  CHECK(built.line.starts_with("{\"external_ref\":\"K\",\"data\":{\"last_name\":\"K\""));
}

TEST_CASE("an optional field that does not fit is left out, a required one refuses the row") {
  MappingOptions options{"ID", "", {"last_name=Last", "email=Mail"}};
  const std::vector<std::string> header = {"ID", "Last", "Mail"};
  const auto plan = PlanImport(options, header, kContactShape);
  REQUIRE(plan);
  const Built built = Build(*plan, {"1", "L", "zq7"});
  CHECK(built.line == "{\"external_ref\":\"1\",\"data\":{\"last_name\":\"L\"}}\n");
  REQUIRE(built.left_out.size() == 1);
  CHECK(built.left_out[0].column == "Mail");
  CHECK(built.left_out[0].shape == "aa9");
  CHECK(Build(*plan, {"1", "L\nL", ""}).line.starts_with("refused: last_name"));
  options.strict = true;
  const auto strict = PlanImport(options, header, kContactShape);
  REQUIRE(strict);
  CHECK(Build(*strict, {"1", "L", "zq7"}).line.starts_with("refused: email"));
}

}  // namespace coffer::cli
