// What an import takes away: nothing unless it is asked to, and then it says how much.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/api/cli/run_tool.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr const char* kReplacedClass =
    R"({"name":"contact","version":1,"definition":{"fields":{"last_name":{"type":"string",
        "required":true},"city":{"type":"string"},"phone":{"type":"phone"}}}})";

// Each line is updated, and loses as many fields as `removed` says in its turn.
FakeServer::Answer ReplacingServer(std::vector<int> removed) {
  return [removed = std::move(removed)](const HttpRequest& request) -> Outcome<HttpReply> {
    if (request.method == "GET") return Reply(200, kReplacedClass);
    std::string body;
    const auto lines = std::ranges::count(request.body, '\n');
    for (int i = 0; i < lines; ++i) {
      json answer = {{"line", i + 1}, {"outcome", "updated"}, {"client", "c"}, {"record", "r"}};
      const int count = removed[static_cast<std::size_t>(i) % removed.size()];
      if (count > 0) answer["removed"] = count;
      body += answer.dump() + "\n";
    }
    return Reply(200, body);
  };
}

class ReplaceTool : public Tool {
 public:
  explicit ReplaceTool(std::vector<int> removed) : Tool(ReplacingServer(std::move(removed))) {
    std::ofstream(directory / "table.csv") << "Id,Name,City\n1,Roe,Bern\n2,Doe,\n3,Moe,Rome\n";
  }
  Ran Import(const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {
        "import",    directory / "table.csv", "--class", "contact", "--key", "Id",
        "--purpose", "client-care",           "--jobs",  "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return (*this)(arguments);
  }
  std::vector<HttpRequest> Imports() const {
    std::vector<HttpRequest> sent;
    for (const HttpRequest& request : server.requests()) {
      if (request.method == "POST") sent.push_back(request);
    }
    return sent;
  }
};

}  // namespace

TEST_CASE("an import asks for nothing to be taken away, and needs no column for what is there") {
  ReplaceTool coffer({0});
  const Ran ran = coffer.Import({"--map", "city=City"});
  CAPTURE(ran.err);
  CHECK(ran.exit == 0);
  REQUIRE(coffer.Imports().size() == 1);
  CHECK(coffer.Imports()[0].target == "/v1/import?class=contact");
  CHECK(coffer.Imports()[0].body.contains(R"({"external_ref":"2","data":{}})"));
  CHECK(ran.err.contains("No column fills last_name, which the class requires"));
  CHECK_FALSE(ran.err.contains("went"));
}

TEST_CASE("a replacing import says before what goes, and after how many fields went") {
  ReplaceTool coffer({2, 0, 1});
  const std::vector<std::string> maps = {"--map", "last_name=Name", "--map", "city=City"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), maps.begin(), maps.end());
    return coffer.Import(more);
  };
  const Ran asked = with({"--replace"});
  CHECK(asked.exit == 2);
  CHECK(asked.err.contains("those without a column (phone)"));
  CHECK(asked.err.contains("--yes"));
  CHECK(coffer.Imports().empty());

  const Ran ran = with({"--replace", "--yes"});
  CHECK(ran.exit == 0);
  CHECK(ran.err.contains("those without a column (phone)"));
  CHECK(ran.err.contains("3 fields went, in 2 records."));
  CHECK(coffer.Imports()[0].target == "/v1/import?class=contact&mode=replace");
  const json told = json::parse(with({"--replace", "--yes", "--json"}).out);
  CHECK(told.at("fields_removed") == 3);
  CHECK(told.at("records_shortened") == 2);

  // As a whole, a record needs what its class requires.
  const Ran partial = coffer.Import({"--replace", "--yes", "--map", "city=City"});
  CHECK(partial.exit == 2);
  CHECK(partial.err.contains("requires the field \"last_name\""));
}

}  // namespace coffer::cli
