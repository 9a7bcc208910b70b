#include "tests/bench/filling.h"

#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

namespace coffer::bench {
namespace {

using nlohmann::json;
using testing::RunningVault;

constexpr const char* kClass = R"({"name":"bench","purposes":["client-care"],"fields":{
  "email":{"type":"email","index":true,"required":true},
  "phone":{"type":"phone","index":true},
  "text":{"type":"text"}}})";

constexpr int kLinesARequest = 500;
constexpr int kMostIds = 1'000'000;  // which wrk holds in memory

std::string LineOf(int client, const std::string& text) {
  return json{{"external_ref", "B-" + std::to_string(client)},
              {"data",
               {{"email", "user" + std::to_string(client) + "@example.com"},
                {"phone", "+" + std::to_string(16'661'000'000 + client)},
                {"text", text}}}}
             .dump() +
         "\n";
}

struct Filling {
  int clients, stride;
  const std::string& text;
  std::vector<std::string> ids;
  std::atomic<int> next{0}, done{0};
  std::atomic<bool> failed{false};
};

void Import(testing::Caller crm, Filling& filling) {
  for (int from; (from = filling.next.fetch_add(kLinesARequest)) < filling.clients;) {
    const int to = std::min(filling.clients, from + kLinesARequest);
    std::string body;
    for (int i = from; i < to; ++i) body += LineOf(i, filling.text);
    const auto reply = crm.Send("POST", "/v1/import?class=bench", body, "application/x-ndjson");
    std::istringstream lines(reply.body);
    int i = from;
    for (std::string line; std::getline(lines, line); ++i) {
      const json result = json::parse(line, nullptr, false);
      if (!result.is_object() || result.value("outcome", "") != "created") break;
      if (i % filling.stride != 0) continue;
      filling.ids[static_cast<std::size_t>(i / filling.stride)] =
          result.value("client", "") + " " + result.value("record", "");
    }
    if (reply.status != 200 || i != to) filling.failed = true;
    if (filling.failed) return;
    filling.done += to - from;
  }
}

void TellHowFar(const Filling& filling, Instant start) {
  for (double told = 0; filling.done < filling.clients && !filling.failed;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const double seconds = SecondsSince(start);
    if (seconds - told < 15) continue;
    told = seconds;
    std::printf("fill: %d of %d, %.0f/s\n", filling.done.load(), filling.clients,
                filling.done / seconds);
    std::fflush(stdout);
  }
}

}  // namespace

Target Fill(RunningVault& vault, int clients, const std::string& text) {
  const auto put =
      vault.As("administrator", "").Send("PUT", "/v1/classes/bench", kClass, "application/json");
  INFO(put.body);
  REQUIRE(put.status == 200);
  const Target target{"https://127.0.0.1:" + std::to_string(vault.port()),
                      vault.Token("crm-service"), vault.work() / "ids", clients};
  const auto start = std::chrono::steady_clock::now();
  const int stride = (clients + kMostIds - 1) / kMostIds;
  Filling filling{clients, stride, text, {}};
  filling.ids.resize(static_cast<std::size_t>((clients + stride - 1) / stride));
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] { Import(vault.WithToken(target.token), filling); });
    }
    TellHowFar(filling, start);
  }
  REQUIRE(!filling.failed);
  std::ofstream file(target.ids);
  for (const auto& id : filling.ids) file << id << "\n";
  std::printf("fill: %d clients with a record each in %.1f s, %.0f/s through /v1/import\n", clients,
              SecondsSince(start), clients / SecondsSince(start));
  return target;
}

std::string Filler(std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += "The quick brown fox jumps over the lazy dog. ";
  return text;
}

double Metric(RunningVault& vault, const std::string& name) {
  const auto metrics = vault.As("administrator", "").Get("/metrics");
  std::istringstream lines(metrics.body);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(name + " ")) return std::stod(line.substr(name.size() + 1));
  }
  return 0;
}

}  // namespace coffer::bench
