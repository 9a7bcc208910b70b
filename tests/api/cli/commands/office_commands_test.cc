// Many clients at once, who leaves, what an approval would do, and who read how many.
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/api/cli/run_tool.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

const std::string kAnna = "usr_01kdvr4w90t7z2k4n6r8w0y1vn";
const std::string kBert = "usr_01kdvr4w90a5q3m1x8c7e6p2bn";
const std::string kClient = "cli_01kdvr4w90qcr1vbnm22zm7fjq";

HttpReply Users() {
  return Reply(
      200, json{{"items", {{{"id", kAnna}, {"login", "anna"}}, {{"id", kBert}, {"login", "bert"}}}}}
               .dump());
}
HttpReply Empty() { return Reply(200, R"({"items":[]})"); }
bool Says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("clients from a file are assigned as they are named, and each refusal is told") {
  Tool coffer(InTurn(
      {Users(),
       Reply(200, json{{"items",
                        {{{"client", kClient}, {"outcome", "assigned"}},
                         {{"external_ref", "A-2"}, {"outcome", "refused"}, {"code", "not_found"}},
                         {{"external_ref", "A-3"}, {"outcome", "unchanged"}}}}}
                      .dump())}));
  const std::string file = coffer.directory / "list.txt";
  std::ofstream(file, std::ios::binary) << "\xEF\xBB\xBF" << kClient << "\r\n\r\n A-2 \r\nA-3";
  const Ran ran = coffer({"assign", "--to", "anna", "--clients", file, "--purpose", "client-care"});
  CAPTURE(ran.out, ran.err);
  CHECK(ran.exit == 3);
  const auto& requests = coffer.server.requests();
  REQUIRE(requests.size() == 2);
  CHECK(requests[1].target == "/v1/assignments");
  CHECK(HeaderOf(requests[1], "Coffer-Purpose") == "client-care");
  CHECK(json::parse(requests[1].body) ==
        json{{"principal", kAnna},
             {"clients",
              {{{"client", kClient}}, {{"external_ref", "A-2"}}, {{"external_ref", "A-3"}}}}});
  CHECK(Says(ran.err, "list.txt:3: A-2: not_found"));
  CHECK(Says(ran.out, "1 assigned, 1 were already, 1 refused"));
}

TEST_CASE("a login is found in whatever letters it is typed") {
  Tool coffer(InTurn({Users(), Reply(200, R"({"items":[{"outcome":"assigned"}]})")}));
  const Ran ran = coffer({"assign", "--to", "Anna", kClient});
  CAPTURE(ran.err);
  CHECK(ran.exit == 0);
  REQUIRE(coffer.server.requests().size() == 2);
  CHECK(json::parse(coffer.server.requests()[1].body).at("principal") == kAnna);
}

TEST_CASE("a long list is assigned in portions, and an empty or unreadable one not at all") {
  json done = {{"items", json::array()}};
  for (int i = 0; i < 200; ++i) done["items"].push_back({{"outcome", "assigned"}});
  Tool coffer(InTurn({Reply(200, done.dump()), Reply(200, done.dump()),
                      Reply(200, R"({"items":[{"outcome":"assigned"}]})")}));
  const std::string file = coffer.directory / "list.txt";
  {
    std::ofstream list(file);
    for (int i = 0; i < 401; ++i) list << "A-" << i << '\n';
  }
  const Ran ran = coffer({"assign", "--to", kAnna, "--clients", file});
  CHECK(ran.exit == 0);
  CHECK(Says(ran.out, "401 assigned"));
  REQUIRE(coffer.server.requests().size() == 3);
  CHECK(json::parse(coffer.server.requests()[2].body).at("clients").size() == 1);
  const std::string bad = coffer.directory / "bad.txt";
  std::ofstream(bad, std::ios::binary) << "A-1\n\xE4\n";
  CHECK(coffer({"assign", "--to", kAnna, "--clients", bad}).exit == 2);
  std::ofstream(coffer.directory / "none.txt") << "\n";
  CHECK(coffer({"assign", "--to", kAnna, "--clients", coffer.directory / "none.txt"}).exit == 2);
  CHECK(coffer({"assign", "--to", kAnna}).exit == 2);
  CHECK(coffer.server.requests().size() == 3);
}

TEST_CASE("who leaves hands over first, and with clients left is not disabled") {
  const HttpReply portion =
      Reply(200, R"({"items":[{"outcome":"assigned"}],"skipped":0,"next_cursor":"c"})");
  const HttpReply last = Reply(200, R"({"items":[{"outcome":"assigned"}],"skipped":0})");
  {
    Tool coffer(InTurn({Users(), Users(), portion, last, Reply(200, R"({"id":"usr_1"})")}));
    const Ran ran = coffer({"user", "disable", "anna", "--hand-over-to", "bert"});
    CAPTURE(ran.out, ran.err);
    CHECK(ran.exit == 0);
    const auto& requests = coffer.server.requests();
    REQUIRE(requests.size() == 5);
    CHECK(json::parse(requests[2].body) == json{{"from", kAnna}, {"to", kBert}});
    CHECK(json::parse(requests[3].body).at("cursor") == "c");
    CHECK(requests[4].method == "PATCH");
    CHECK(requests[4].target == "/v1/users/" + kAnna);
    CHECK(json::parse(requests[4].body) == json{{"disabled", true}});
  }
  {
    Tool coffer(InTurn({Users(), Reply(409, R"({"code":"clients_assigned","errors":[{"pointer":
        "/disabled","message":"has 12 clients assigned"}]})")}));
    const Ran ran = coffer({"user", "disable", "anna"});
    CHECK(ran.exit == 1);
    CHECK(Says(ran.err, "12 clients"));
    CHECK(Says(ran.err, "--leave-clients"));
  }
  {
    Tool coffer(InTurn({Users(), Reply(200, R"({"id":"usr_1"})")}));
    CHECK(coffer({"user", "disable", "anna", "--leave-clients"}).exit == 0);
    CHECK(json::parse(coffer.server.requests()[1].body) ==
          json{{"disabled", true}, {"leave_clients", true}});
  }
  // Where the clients cannot go, nothing else happens.
  Tool coffer(InTurn({Users(), Users(), Reply(403, R"({"code":"permission_denied"})")}));
  CHECK(coffer({"user", "disable", "anna", "--hand-over-to", "bert"}).exit == 1);
  CHECK(coffer.server.requests().size() == 3);
  Tool nobody(InTurn({Users(), Empty(), Empty()}));
  const Ran ran = nobody({"user", "disable", "carl"});
  CHECK(ran.exit == 1);
  CHECK(Says(ran.err, "nobody is called"));
}

TEST_CASE("a hand-over says whether it is of all or of some") {
  Tool coffer(InTurn({Reply(200, R"({"items":[],"skipped":2})")}));
  CHECK(coffer({"assignment", "hand-over", kAnna, "--to", kBert}).exit == 2);
  CHECK(coffer.server.requests().empty());
  const Ran ran = coffer({"assignment", "hand-over", kAnna, "--to", kBert, "--all"});
  CHECK(ran.exit == 3);
  CHECK(Says(ran.out, "2 left"));
  Tool some(InTurn({Reply(200, R"({"items":[{"outcome":"assigned"}],"skipped":0})")}));
  CHECK(some({"assignment", "hand-over", kAnna, "--to", kBert, "--clients", kClient}).exit == 0);
  CHECK(json::parse(some.server.requests()[0].body).at("clients") ==
        json::array({{{"client", kClient}}}));
}

TEST_CASE("assignments are listed of a client or of a person") {
  Tool coffer(InTurn(
      {Users(), Reply(200, json{{"items", {{{"client", kClient}}}}, {"next_cursor", "c"}}.dump()),
       Reply(200, R"({"items":[{"client":"cli_2"}]})")}));
  const Ran ran = coffer({"assignment", "list", "--of", "bert"});
  CHECK(ran.exit == 0);
  CHECK(Says(coffer.server.requests()[1].target, "/v1/assignments?principal=" + kBert));
  CHECK(Says(ran.out, kClient));
  CHECK(Says(ran.out, "cli_2"));
  CHECK(coffer({"assignment", "list"}).exit == 2);
  CHECK(coffer({"assignment", "list", kClient, "--of", "bert"}).exit == 2);
}

TEST_CASE("an approver is shown in words what would happen") {
  Tool coffer(InTurn({Reply(200, R"({"id":"apr_1","action":"client.erase","state":"pending",
      "question":{"login":"anna","name":"Anna Berg","ticket":"DSR-4","reason":"asked by letter"},
      "preview":{"at":"2026-01-02T03:04:05.000Z","erasure":{"client":"cli_1","there":true,
      "external_ref":"A-1001","records":4,"missing":0,"assignments":1,"leases":0,"held_by":1,
      "all_counted":true,"classes":[{"class":"contact","title":"Contact details","records":4}],
      "holds":[{"id":"hold_1","case_number":"CASE-9","review_due":"2030-01-01T00:00:00.000Z"}],
      "kept":[{"class":"contact","policy":"contacts","state":"until","records":4,
               "until":"2029-01-01T00:00:00.000Z","basis":"tax law"}]}}})"),
                      Reply(200, R"({"id":"apr_2","action":"role.write","preview":{"at":"t",
      "replacement":{"what":"role","name":"desk","version":3,"is_new":false,"more":false,
      "changes":[{"change":"added","words":"grant 1, action client.list"}]}}})")}));
  Ran ran = coffer({"approval", "show", "apr_1", "--purpose", "data-subject-request"});
  CAPTURE(ran.out, ran.err);
  CHECK(HeaderOf(coffer.server.requests()[0], "Coffer-Purpose") == "data-subject-request");
  for (const char* part :
       {"Anna Berg (anna)", "DSR-4", "asked by letter", "2026-01-02T03:04:05.000Z", "A-1001",
        "Contact details", "CASE-9", "contacts", "2029-01-01T00:00:00.000Z", "tax law"}) {
    INFO(part);
    CHECK(Says(ran.out, part));
  }
  ran = coffer({"approval", "show", "apr_2"});
  CHECK(Says(ran.out, "Against version 3 of the role desk"));
  CHECK(Says(ran.out, "added  grant 1, action client.list"));
}

TEST_CASE("an emergency is shown with what was done under it, from all pages") {
  Tool coffer(InTurn({Reply(200, R"({"id":"emg_1","client":"cli_1","uses":[{"seq":7,
      "action":"client.read"}],"next_cursor":"8"})"),
                      Reply(200, R"({"id":"emg_1","client":"cli_1","uses":[{"seq":9,
      "action":"record.read","class":"contact","fields":["last_name"]}]})")}));
  const Ran ran = coffer({"emergency", "show", "emg_1"});
  CHECK(ran.exit == 0);
  CHECK(Says(ran.out, "client.read"));
  CHECK(Says(ran.out, "last_name"));
  CHECK(Says(coffer.server.requests()[1].target, "cursor=8"));
}

TEST_CASE("readers are shown beside their colleagues") {
  Tool coffer(InTurn({Reply(200, R"({"items":[{"principal":"usr_1","login":"anna",
      "role":"case-worker","reads":812,"clients":240,"group":"role:case-worker","colleagues":9,
      "median":40,"ratio":6}],"more":false})")}));
  const Ran ran = coffer({"log", "readers", "--since", "2026-07-01"});
  CHECK(ran.exit == 0);
  CHECK(Says(coffer.server.requests()[0].target,
             "/v1/log/readers?from=2026-07-01T00%3A00%3A00.000Z"));
  CHECK(Says(ran.out, "240"));
  CHECK(Says(ran.out, "role:case-worker"));
  CHECK(coffer({"log", "readers", "--since", "yesterday"}).exit == 2);
}

}  // namespace coffer::cli
