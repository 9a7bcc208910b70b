#include "api/http/metrics.h"

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <thread>
#include <vector>

#include "api/routes/routes.h"

namespace coffer::api {
namespace {

using vault::PrincipalId;

const Route& RouteOf(std::string_view operation) {
  for (const Route& route : Routes()) {
    if (route.operation_id == operation) return route;
  }
  FAIL("no such operation");
  return Routes()[0];
}

bool Has(const std::string& text, const std::string& line) {
  return text.starts_with(line + "\n") || text.find("\n" + line + "\n") != std::string::npos;
}

TEST_CASE("requests are counted by operation and class of status") {
  Metrics metrics(Routes());
  const Route& read = RouteOf("getRecord");
  for (const int status : {200, 200, 404, 503}) metrics.CountRequest(&read, status, 700);
  metrics.CountRequest(nullptr, 404, 30'000);
  metrics.CountRequest(nullptr, 0, 1);    // no answer was made
  metrics.CountRequest(nullptr, 600, 1);  // no such status
  const std::string text = metrics.Render({}, {}, 0);
  CHECK(Has(text, R"(coffer_requests_total{operation="getRecord",status="2xx"} 2)"));
  CHECK(Has(text, R"(coffer_requests_total{operation="getRecord",status="4xx"} 1)"));
  CHECK(Has(text, R"(coffer_requests_total{operation="getRecord",status="5xx"} 1)"));
  CHECK(Has(text, R"(coffer_requests_total{operation="none",status="4xx"} 1)"));
  CHECK(Has(text, R"(coffer_requests_total{operation="eraseClient",status="2xx"} 0)"));
  CHECK(Has(text, "coffer_request_seconds_count 7"));
  CHECK(Has(text, R"(coffer_request_seconds_bucket{le="0.05"} 7)"));
  CHECK(Has(text, R"(coffer_request_seconds_bucket{le="0.02"} 6)"));
}

TEST_CASE("gauges are what the engine and the connections say at that moment") {
  Metrics metrics(Routes());
  vault::EngineStatistics engine;
  engine.operations = 7;
  engine.commit_nanoseconds = 1'500'000'000;
  engine.queue_length = 3;
  engine.keys_rewrites = 2;
  engine.keys_rewrite_pending = true;
  engine.index.generation = 7;
  engine.index.overdue = true;
  engine.holds = 9;
  engine.overdue_holds = 4;
  engine.restrictions = 6;
  Connections::Counters connections;
  connections.open = 2;
  connections.timed_out = 5;
  std::string text = metrics.Render(engine, connections, 1'800'000'000);
  CHECK(Has(text, "coffer_engine_operations_total 7"));
  CHECK(Has(text, "coffer_engine_commit_seconds_total 1.5"));
  CHECK(Has(text, "coffer_engine_queue_length 3"));
  CHECK(Has(text, "coffer_keys_rewrites_total 2"));
  CHECK(Has(text, "coffer_keys_rewrite_pending 1"));
  CHECK(Has(text, "coffer_index_generation 7"));
  CHECK(Has(text, "coffer_index_exchange_overdue 1"));
  CHECK(Has(text, "coffer_index_whole 1"));
  CHECK(Has(text, "coffer_wal_truncation_pending 0"));
  CHECK(Has(text, "coffer_connections_open 2"));
  CHECK(Has(text, "coffer_holds 9"));
  CHECK(Has(text, "coffer_holds_overdue 4"));
  CHECK(Has(text, "coffer_restrictions 6"));
  CHECK(Has(text, "coffer_connections_timed_out_total 5"));
  engine.queue_length = 0;
  text = metrics.Render(engine, connections, 1'800'000'000);
  CHECK(Has(text, "coffer_engine_queue_length 0"));
  CHECK(text.find("process_resident_memory_bytes 0\n") == std::string::npos);
}

TEST_CASE("services are shown with the end of their last token, and those without one not") {
  Metrics metrics(Routes());
  vault::EngineStatistics engine;
  CHECK(Has(metrics.Render(engine, {}, 0), "coffer_tokens_next_expiry_timestamp_seconds 0"));
  const auto one = PrincipalId::New({1}, vault::PrincipalKind::kService);
  const auto two = PrincipalId::New({2}, vault::PrincipalKind::kService);
  engine.tokens = {1,
                   2,
                   audit::Timestamp{5'000},
                   {{one, "one", 1, {5'000}, {5'000}}, {two, "two", 2, {6'000}, {9'000}}}};
  const auto shown = [](const PrincipalId& service) {
    return R"(coffer_service_tokens_expiry_timestamp_seconds{service=")" + service.Text() + "\"}";
  };
  std::string text = metrics.Render(engine, {}, 0);
  CHECK(Has(text, R"(coffer_tokens_expiring{days="7"} 1)"));
  CHECK(Has(text, R"(coffer_tokens_expiring{days="30"} 2)"));
  CHECK(Has(text, "coffer_tokens_next_expiry_timestamp_seconds 5"));
  CHECK(Has(text, shown(one) + " 5"));
  CHECK(Has(text, shown(two) + " 9"));
  engine.tokens.services.erase(engine.tokens.services.begin());
  text = metrics.Render(engine, {}, 0);
  CHECK(text.find(shown(one)) == std::string::npos);
  CHECK(Has(text, shown(two) + " 9"));
}

TEST_CASE("threads count while another one looks") {
  Metrics metrics(Routes());
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 1000; ++i) metrics.CountRequest(&RouteOf("getMe"), 200, i);
      });
    }
    for (int i = 0; i < 20; ++i) CHECK(!metrics.Render({}, {}, 0).empty());
  }
  CHECK(Has(metrics.Render({}, {}, 0),
            R"(coffer_requests_total{operation="getMe",status="2xx"} 4000)"));
}

}  // namespace
}  // namespace coffer::api
