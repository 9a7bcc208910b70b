// Holds, restrictions, and the files in which everything of one client is handed over.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/api/cli/run_tool.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr const char* kHold =
    R"({"id":"hold_1","client":"cli_1","class":"contact","reason":"A claim","case_number":"K-12",
        "review_due":"2020-01-01T00:00:00.000Z","placed":"2019-01-01T00:00:00.000Z",
        "placed_by":"usr_1"})";
const std::string kApproved = "apr_" + std::string(26, '0');

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a hold is placed as it was typed, on a client or on a tag") {
  Tool coffer(InTurn({Reply(201, kHold)}));
  const std::vector<std::string> why = {"--why", "A claim",  "--case",
                                        "K-12",  "--review", "2030-01-31"};
  const auto place = [&](std::vector<std::string> what) {
    std::vector<std::string> arguments = {"hold", "place"};
    arguments.insert(arguments.end(), what.begin(), what.end());
    arguments.insert(arguments.end(), why.begin(), why.end());
    return coffer(arguments);
  };
  const Ran ran = place({"cli_1", "--class", "contact"});
  CAPTURE(ran.err);
  CHECK(ran.exit == 0);
  CHECK(Contains(ran.out, "cli_1, class contact"));
  CHECK(Contains(ran.out, "review OVERDUE since 2020-01-01"));
  CHECK(place({"--tag", "vip"}).exit == 0);
  CHECK(place({}).exit == 2);
  CHECK(place({"cli_1", "--tag", "vip"}).exit == 2);
  const auto& requests = coffer.server.requests();
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].target == "/v1/holds");
  CHECK(json::parse(requests[0].body) ==
        json::parse(R"({"client":"cli_1","class":"contact","reason":"A claim",
                        "case_number":"K-12","review_due":"2030-01-31T00:00:00.000Z"})"));
  CHECK(json::parse(requests[1].body).at("tag") == "vip");
  CHECK_FALSE(json::parse(requests[1].body).contains("client"));
}

TEST_CASE("holds are listed, shown and lifted") {
  Tool coffer(InTurn({Reply(200, std::string(R"({"items":[)") + kHold + "]}"), Reply(200, kHold),
                      Reply(403, R"({"code":"approval_required"})"), Reply(200, kHold)}));
  CHECK(Contains(coffer({"hold", "list", "cli_1", "--lifted"}).out, "K-12"));
  CHECK(coffer({"hold", "show", "hold_1"}).exit == 0);
  CHECK(Contains(coffer({"hold", "lift", "hold_1"}).err, "approval request lift-hold hold_1\n"));
  CHECK(coffer({"hold", "lift", "hold_1", "--approval", kApproved}).exit == 0);
  const auto& requests = coffer.server.requests();
  CHECK(Contains(requests[0].target, "client=cli_1"));
  CHECK(Contains(requests[0].target, "lifted=true"));
  CHECK(Asked(requests[1]) == "GET /v1/holds/hold_1 ");
  CHECK(Asked(requests[3]) == "POST /v1/holds/hold_1/lift ");
  CHECK(HeaderOf(requests[3], "Coffer-Approval") == kApproved);

  Tool asking(InTurn({Reply(201, R"({"id":"apr_1"})")}));
  CHECK(asking({"approval", "request", "lift-hold", "hold_1"}).exit == 0);
  CHECK(Asked(asking.server.requests()[0]) ==
        R"(POST /v1/approvals {"action":"hold.lift","target":"hold_1"})");
}

TEST_CASE("a client is restricted, and freed for a reason") {
  const std::string restriction =
      R"({"id":"rst_1","client":"cli_1","basis":"Disputed","stops":{"all_but":["billing"]},
          "since":"2026-01-01T00:00:00.000Z","placed_by":"usr_1"})";
  const std::string retained =
      R"({"id":"rst_2","client":"cli_1","class":"contact","basis":"Old","stops":{"all_but":[]},
          "since":"2026-01-01T00:00:00.000Z"})";
  const std::string objection =
      R"({"id":"rst_3","client":"cli_1","basis":"He objects","stops":{"purposes":["marketing"]},
          "since":"2026-01-01T00:00:00.000Z","placed_by":"usr_1"})";
  Tool coffer(
      InTurn({Reply(201, restriction),
              Reply(200, R"({"items":[)" + restriction + "," + retained + "," + objection + "]}"),
              Reply(204, ""), Reply(201, objection), Reply(201, retained)}));
  CHECK(coffer({"client", "restrict", "cli_1", "--basis", "Disputed", "--for", "billing"}).exit ==
        0);
  const std::string listed = coffer({"client", "restrictions", "cli_1"}).out;
  CHECK(Contains(listed, "everything"));
  CHECK(Contains(listed, "usr_1"));
  CHECK(Contains(listed, "the schedule"));
  CHECK(Contains(listed, "rst_1"));
  CHECK(Contains(listed, "all but billing"));
  CHECK(Contains(listed, "all purposes"));
  CHECK(Contains(listed, "marketing"));
  CHECK(coffer({"client", "unrestrict", "cli_1", "rst_1"}).exit == 2);
  CHECK(coffer({"client", "unrestrict", "cli_1", "--reason", "x"}).exit == 2);
  CHECK(coffer({"client", "unrestrict", "cli_1", "rst_1", "--reason", " "}).exit == 2);
  CHECK(coffer({"client", "unrestrict", "cli_1", "rst_1", "--reason", "x"}).exit == 0);
  CHECK(coffer({"client", "restrict", "cli_1", "--basis", "He objects", "--stop", "marketing"})
            .exit == 0);
  CHECK(coffer({"client", "restrict", "cli_1", "--basis", "Old", "--class", "contact"}).exit == 0);
  CHECK(coffer({"client", "restrict", "cli_1", "--basis", "x", "--stop", "a", "--for", "b"}).exit ==
        2);
  const auto& requests = coffer.server.requests();
  REQUIRE(requests.size() == 5);
  CHECK(requests[0].method == "POST");
  CHECK(requests[0].target == "/v1/clients/cli_1/restrictions");
  CHECK(json::parse(requests[0].body) ==
        json::parse(R"({"basis":"Disputed","stops":{"all_but":["billing"]}})"));
  CHECK(Asked(requests[2]) == "DELETE /v1/clients/cli_1/restrictions/rst_1 ");
  CHECK(json::parse(requests[3].body) ==
        json::parse(R"({"basis":"He objects","stops":{"purposes":["marketing"]}})"));
  CHECK(json::parse(requests[4].body) ==
        json::parse(R"({"basis":"Old","class":"contact","stops":{"all_but":[]}})"));
  CHECK(HeaderOf(requests[2], "Coffer-Reason") == "x");
}

TEST_CASE("the end of the relationship replaces the version that was seen") {
  Tool coffer(InTurn(
      {Reply(200, R"({"id":"cli_1","version":7})"), Reply(200, R"({"id":"cli_1","version":8})"),
       Reply(200, R"({"id":"cli_1","version":8})"), Reply(200, R"({"id":"cli_1","version":9})")}));
  const auto update = [&](const std::string& end) {
    return coffer({"client", "update", "cli_1", "--relationship-end", end, "--purpose", "p"}).exit;
  };
  CHECK(update("2026-03-31") == 0);
  CHECK(update("none") == 0);
  CHECK(update("soon") == 2);
  const auto& requests = coffer.server.requests();
  REQUIRE(requests.size() == 4);
  CHECK(Asked(requests[1]) ==
        R"(PATCH /v1/clients/cli_1 {"relationship_end":"2026-03-31T00:00:00.000Z"})");
  CHECK(HeaderOf(requests[1], "If-Match") == "\"7\"");
  CHECK(Asked(requests[3]) == R"(PATCH /v1/clients/cli_1 {"relationship_end":null})");
}

namespace {

const std::vector<Outcome<HttpReply>>& PackagePages() {
  static const std::vector<Outcome<HttpReply>> pages = {
      Reply(200, R"({"items":[{"client":{"id":"cli_1","external_ref":"=1+2","tags":["vip"]}},
                     {"record":{"id":"rec_1","class":"contact","version":1,
                                "data":{"last_name":"O\"Hara","note":"-cmd"}}}],
                     "next_cursor":"abc"})"),
      Reply(200, R"({"items":[{"record":{"id":"rec_2","class":"contact","version":2,
                                "data":{"city":"Rome"}}},
                     {"record":{"id":"rec_3","class":"interaction","version":1,"data":{}}}]})")};
  return pages;
}

}  // namespace

TEST_CASE("a package as JSON has a line for the client and one for each record") {
  Tool coffer(InTurn(PackagePages()));
  const std::string file = coffer.directory / "client.ndjson";
  const Ran ran = coffer({"client", "package", "cli_1", "--out", file, "--purpose", "dsr"});
  CAPTURE(ran.err);
  CHECK(ran.exit == 0);
  CHECK(Contains(ran.out, "3 records"));
  const std::string content = ContentOf(file);
  CHECK(std::ranges::count(content, '\n') == 4);
  CHECK(content.starts_with(R"({"client":{"external_ref":"=1+2")"));
  CHECK((ModeOf(file) & 0777U) == 0600);
  CHECK(coffer.server.requests()[0].target == "/v1/clients/cli_1/package");
  CHECK(json::parse(coffer.server.requests()[1].body).at("cursor") == "abc");
}

TEST_CASE("a package as CSV has a table for each class, and no cell starts a formula") {
  Tool coffer(InTurn(PackagePages()));
  const std::string directory = coffer.directory / "package";
  const auto package = [&] {
    return coffer(
        {"client", "package", "cli_1", "--format", "csv", "--out", directory, "--purpose", "dsr"});
  };
  const Ran ran = package();
  CAPTURE(ran.err);
  CHECK(ran.exit == 0);
  CHECK(Contains(ContentOf(directory + "/client.csv"), R"("cli_1","'=1+2","[""vip""]")"));
  CHECK(ContentOf(directory + "/class-contact.csv") ==
        "\"id\",\"version\",\"created\",\"updated\",\"client\",\"external_ref\",\"city\",\"last_"
        "name\",\"note\"\n"
        "\"rec_1\",\"1\",\"\",\"\",\"\",\"\",\"\",\"O\"\"Hara\",\"'-cmd\"\n"
        "\"rec_2\",\"2\",\"\",\"\",\"\",\"\",\"Rome\",\"\",\"\"\n");
  CHECK(std::filesystem::exists(directory + "/class-interaction.csv"));
  CHECK((ModeOf(directory) & 0777U) == 0700);
  CHECK(package().exit == 2);  // it is there already, and stays as it is
  CHECK(coffer.server.requests().size() == 2);
  CHECK(std::filesystem::exists(directory + "/client.csv"));
}

TEST_CASE("a package whose class is no name writes nothing") {
  Tool coffer(InTurn({Reply(200, R"({"items":[{"client":{"id":"cli_1"}},
                                     {"record":{"id":"rec_1","class":"../x","data":{}}}]})")}));
  const std::string directory = coffer.directory / "package";
  CHECK(coffer({"client", "package", "cli_1", "--format", "csv", "--out", directory, "--purpose",
                "dsr"})
            .exit == 1);
  CHECK_FALSE(std::filesystem::exists(directory));
}

}  // namespace coffer::cli
