#include "api/cli/client/problem.h"

#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

#include "tests/api/cli/client/fake_server.h"

namespace coffer::cli {

TEST_CASE("a problem is told with its title, code, faults and request") {
  const Failure failure = FailureOf(Reply(422, R"({"type":"urn:coffer:problem:document_invalid",
      "title":"The document does not fit","status":422,"code":"document_invalid",
      "request_id":"call_1","errors":[{"pointer":"/data/email","message":"is required"},
      {"pointer":"","message":"is too large"}]})"));
  CHECK(failure.exit == Exit::kFailed);
  CHECK(failure.message ==
        "the server refused: The document does not fit (422 document_invalid)\n"
        "  /data/email: is required\n"
        "  the request: is too large\n"
        "  request call_1");
  CHECK_FALSE(failure.may_pass);
}

TEST_CASE("refusals say what to do next") {
  CHECK(FailureOf(Reply(401, R"({"code":"unauthenticated"})")).advice.find("token create") !=
        std::string::npos);
  const Failure busy = FailureOf(Reply(503, R"({"code":"queue_full"})", {{"retry-after", "3"}}));
  CHECK(busy.advice == "Try again in 3 s.");
  CHECK(busy.may_pass);
  CHECK(FailureOf(Reply(429, R"({"code":"too_many_requests"})")).advice == "Try again later.");
}

TEST_CASE("answers of other servers are not taken for Coffer's") {
  for (const char* body :
       {"", "<html>", "[]", "{}", R"({"title":"x"})", R"({"code":1,"code":2})"}) {
    CAPTURE(body);
    CHECK(FailureOf(Reply(502, body)).message == "the server answered 502 without a reason");
  }
  CHECK(FailureOf(Reply(302, "")).message == "the server answered with a redirect (302)");
}

TEST_CASE("only answers of status 2xx are successes") {
  for (const int status : {100, 199, 300, 304, 400, 500}) {
    const FakeServer server(InTurn({Reply(status, "{}")}));
    ApiClient client = server.Client();
    CHECK_FALSE(client.Get(Target("/v1/me")));
  }
  const FakeServer server(InTurn({Reply(201, R"({"a":1})")}));
  ApiClient client = server.Client();
  CHECK(client.Get(Target("/v1/me")));
}

TEST_CASE("an answer that is no JSON is a failure") {
  for (const char* body : {"", "{", R"({"a":1,"a":2})", "\"\xff\""}) {
    const FakeServer server(InTurn({Reply(200, body)}));
    ApiClient client = server.Client();
    CHECK_FALSE(client.Get(Target("/v1/me")));
  }
}

}  // namespace coffer::cli
