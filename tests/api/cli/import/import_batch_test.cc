#include "api/cli/import/import_batch.h"

#include <catch2/catch_test_macros.hpp>

#include "tests/api/cli/client/fake_server.h"

namespace coffer::cli {
namespace {

const Patience kNoPause{4, std::chrono::milliseconds(0)};
const std::string kMissingEmail =
    R"({"line":2,"outcome":"refused","status":422,"code":"document_invalid",)"
    R"("errors":[{"pointer":"/data/email","message":"is required"},)"
    R"({"pointer":"/data/phone","message":"must be a phone number"}]})"
    "\n";
const std::string kBusyLine = R"({"line":1,"outcome":"refused","status":503,"code":"queue_full"})"
                              "\n";

std::string Created(int line) {
  return "{\"line\":" + std::to_string(line) + ",\"outcome\":\"created\"}\n";
}

Outcome<HttpReply> Busy() {
  return Reply(503, R"({"code":"queue_full","title":"busy"})", {{"retry-after", "0"}});
}

ImportPlan BatchPlan() {
  ImportPlan plan;
  plan.header = {"Id", "Mail"};
  plan.fields = {{"email", 1}};
  return plan;
}

struct Sent {
  FakeServer server;
  Outcome<void> outcome;
  ImportTally tally;
};

Sent Send(std::vector<Outcome<HttpReply>> replies, bool accept_erased = false) {
  Sent sent{FakeServer(InTurn(std::move(replies))), {}, {}};
  ApiClient client = sent.server.Client({"client-care", "import"});
  sent.outcome =
      SendBatch(client, BatchPlan(), "contact", {{10, "{\"a\":1}\n"}, {12, "{\"b\":2}\n"}},
                kNoPause, sent.tally, accept_erased);
  return sent;
}

}  // namespace

TEST_CASE("a batch is one request of NDJSON that says its purpose") {
  const Sent sent = Send({Reply(200, Created(1) + Created(2))});
  REQUIRE(sent.outcome);
  CHECK(sent.tally.created == 2);
  REQUIRE(sent.server.requests().size() == 1);
  const HttpRequest& request = sent.server.requests()[0];
  CHECK(request.method == "POST");
  CHECK(request.target == "/v1/import?class=contact");
  CHECK(request.content_type == "application/x-ndjson");
  CHECK(request.body == "{\"a\":1}\n{\"b\":2}\n");
  CHECK(HeaderOf(request, "Coffer-Purpose") == "client-care");
  CHECK(HeaderOf(request, "Coffer-Reason") == "import");
}

TEST_CASE("refused rows are counted once and named by the file's line") {
  const Sent sent = Send({Reply(200, "{\"outcome\":\"unchanged\"}\n" + kMissingEmail)});
  REQUIRE(sent.outcome);
  CHECK(sent.tally.unchanged == 1);
  REQUIRE(sent.tally.refusals.size() == 1);
  const Refusal& refusal = sent.tally.refusals[0];
  CHECK(refusal.line == 12);
  CHECK(refusal.field == "email");
  CHECK(refusal.column == "Mail");
  CHECK(refusal.message == "is required; phone must be a phone number");
}

TEST_CASE("rows of clients that were erased are counted apart, and taken where that is meant") {
  const std::string erased =
      R"({"line":1,"outcome":"refused","status":409,"code":"erased_before",)"
      R"("errors":[{"pointer":"/external_ref","message":"is that of a client which was erased"}]})"
      "\n";
  const Sent sent = Send({Reply(200, erased + kMissingEmail)});
  REQUIRE(sent.outcome);
  CHECK(sent.tally.erased == 1);
  REQUIRE(sent.tally.refusals.size() == 2);
  CHECK(sent.tally.refusals[0].line == 10);
  CHECK(sent.tally.refusals[0].column == "Id");
  CHECK(sent.tally.refusals[0].message == "is that of a client which was erased");
  const Sent accepting = Send({Reply(200, Created(1) + Created(2))}, true);
  CHECK(accepting.server.requests()[0].target == "/v1/import?class=contact&erased_before=accept");
}

TEST_CASE("a busy server is asked again with the same rows") {
  const Sent sent = Send({Busy(), Failed(Exit::kUnreachable, "broke"),
                          Reply(200, Created(1) + "{\"outcome\":\"updated\"}\n")});
  REQUIRE(sent.outcome);
  CHECK(sent.tally.created == 1);
  CHECK(sent.tally.updated == 1);
  REQUIRE(sent.server.requests().size() == 3);
  CHECK(sent.server.requests()[2].body == sent.server.requests()[0].body);
}

TEST_CASE("only the rows that were not taken are sent again") {
  const Sent sent = Send({Reply(200, kBusyLine + Created(2)), Reply(200, Created(1))});
  REQUIRE(sent.outcome);
  CHECK(sent.tally.created == 2);
  CHECK(sent.server.requests()[1].body == "{\"a\":1}\n");
}

TEST_CASE("patience ends") {
  const Sent busy = Send({Busy()});
  REQUIRE_FALSE(busy.outcome);
  CHECK(busy.outcome.error().exit == Exit::kFailed);
  CHECK(busy.server.requests().size() == 4);
  const Sent gone = Send({Failed(Exit::kUnreachable, "gone")});
  REQUIRE_FALSE(gone.outcome);
  CHECK(gone.outcome.error().exit == Exit::kUnreachable);
}

TEST_CASE("a refusal of the whole batch is not repeated") {
  const Sent sent = Send({Reply(403, R"({"code":"permission_denied","title":"no"})")});
  REQUIRE_FALSE(sent.outcome);
  CHECK(sent.server.requests().size() == 1);
}

TEST_CASE("an answer that leaves rows open is no success") {
  for (const std::string& body :
       {std::string(), Created(1), Created(1) + Created(2) + Created(3), Created(1) + "nonsense\n",
        Created(1) + "{\"outcome\":\"maybe\"}\n", Created(1) + "[]\n",
        Created(1) + "{\"outcome\":\"refused\",\"status\":500,\"code\":\"internal_error\"}\n"}) {
    CAPTURE(body);
    const Sent sent = Send({Reply(200, body)});
    REQUIRE_FALSE(sent.outcome);
    CHECK(sent.outcome.error().exit == Exit::kFailed);
    CHECK(sent.tally.settled() <= 1);
  }
}

TEST_CASE("fields that the server does not take are left out, and the row is sent again at once") {
  const std::string refused =
      R"({"line":1,"outcome":"refused","status":422,"code":"document_invalid",)"
      R"("errors":[{"pointer":"/data/email","message":"must be an e-mail address"}]})"
      "\n";
  const auto send = [&](bool strict) {
    ImportPlan plan = BatchPlan();
    plan.strict = strict;
    FakeServer server(InTurn({Reply(200, refused), Reply(200, Created(1))}));
    ApiClient client = server.Client({"client-care", "import"});
    ImportTally tally;
    const Patience slow{2, std::chrono::hours(1)};
    REQUIRE(SendBatch(client, plan, "contact",
                      {{10, "{\"external_ref\":\"a\",\"data\":{\"email\":\"zq7\",\"n\":1}}\n"}},
                      slow, tally));
    return std::pair(std::move(tally), server.requests());
  };
  const auto [tally, requests] = send(false);
  CHECK(tally.created == 1);
  CHECK(tally.refusals.empty());
  REQUIRE(tally.left_out.size() == 1);
  CHECK(tally.left_out[0].line == 10);
  CHECK(tally.left_out[0].column == "Mail");
  CHECK(tally.left_out[0].shape == "aa9");
  REQUIRE(requests.size() == 2);
  CHECK(requests[1].body == "{\"data\":{\"n\":1},\"external_ref\":\"a\"}\n");
  CHECK(send(true).first.refusals.size() == 1);
}

}  // namespace coffer::cli
