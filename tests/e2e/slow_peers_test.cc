// Strangers who are many, slow or silent, in every phase that a connection has: whoever is known is
// served all the while, nothing of a stranger's is waited for at a stop, and no body is read before
// it is clear whose it is.
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <functional>
#include <thread>

#include "tests/support/raw_connection.h"
#include "tests/support/running_vault.h"

using namespace coffer;
using namespace coffer::testing;
using std::chrono::seconds;

namespace {

const std::string kDoe = R"({"class":"contact","data":{"last_name":"Doe"}})";
// Nothing ends by being late: what ends was ended by the rule that is tested.
const char* const kEndlessPatience = "patience_s = 600\nidle_timeout_s = 600";

std::string BodyOf(std::size_t length) {
  return "Content-Type: application/json\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
}

void AllowManyFiles() {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = std::min<rlim_t>(files.rlim_max, 8192);
  setrlimit(RLIMIT_NOFILE, &files);
}

RawConnection From(const RunningVault& vault, const std::string& source, bool tls = true) {
  RawConnection::Options options;
  options.source = source;
  options.tls = tls;
  return RawConnection(vault.port(), options);
}

// What strangers do, each up to where it stays.
struct Stage {
  const char* name;
  bool tls;
  std::function<void(RawConnection&)> begin;
};

std::vector<Stage> Stages() {
  const std::string login = RequestHead("POST", "/v1/sessions", "", "");
  return {
      {"nothing sent", false, [](RawConnection&) {}},
      {"half a handshake", false,
       [](RawConnection& peer) { peer.Send(std::string("\x16\x03\x01\x02\x00\x01", 6)); }},
      {"no request", true, [](RawConnection&) {}},
      {"half a request line", true, [](RawConnection& peer) { peer.Send("GET /v1/m"); }},
      {"half of the headers", true,
       [](RawConnection& peer) { peer.Send("GET /v1/me HTTP/1.1\r\nHost: loc"); }},
      {"half a body of a login", true,
       [login](RawConnection& peer) { peer.Send(login + BodyOf(10'000) + "{"); }},
      {"half a body with a token that is none", true,
       [](RawConnection& peer) {
         peer.Send(RequestHead("POST", "/v1/clients", "nobodys") + BodyOf(10'000) + "{");
       }},
      {"an answer that nobody takes", true,
       [](RawConnection& peer) {
         const std::string ask = "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n";
         std::string many;
         for (int i = 0; i < 40; ++i) many += ask;
         peer.Send(many);
       }},
      {"idle", true,
       [](RawConnection& peer) {
         peer.Send("GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n");
         peer.Read();
       }},
  };
}

int StatusOfNewCaller(RunningVault& vault, const std::string& token) {
  RawConnection fresh(vault.port());
  fresh.Send(RequestHead("GET", "/v1/me", token) + "\r\n");
  return fresh.Read(seconds(30)).status;
}

double Metric(RunningVault& vault, const std::string& name) {
  const std::string text = vault.As("security-officer").Get("/metrics").body;
  const auto at = text.find("\n" + name + " ");
  INFO(name);
  REQUIRE(at != std::string::npos);
  return std::stod(text.substr(at + name.size() + 2));
}

double AwaitMetric(RunningVault& vault, const std::string& name, double least) {
  double value = 0;
  for (int i = 0; i < 600 && (value = Metric(vault, name)) < least; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return value;
}

}  // namespace

TEST_CASE("slow bodies of strangers from three addresses refuse nobody who is known") {
  AllowManyFiles();
  RunningVault vault;
  const std::string token = vault.Token("crm-service");
  auto crm = vault.As("crm-service");
  REQUIRE(crm.Get("/v1/me").status == 200);
  std::vector<RawConnection> strangers;
  for (int i = 0; i < 384; ++i) {
    // As many as are served by default, and then as many as wait.
    const bool served = i < 256;
    strangers.push_back(From(vault, "127.0.0." + std::to_string(2 + i % 3), served));
    if (!served) continue;
    strangers.back().Send(RequestHead("POST", "/v1/clients", "") + BodyOf(100'000) + "{\"exter");
    if (i % 32 == 0) REQUIRE(StatusOfNewCaller(vault, token) == 200);
  }
  CHECK(crm.Get("/v1/me").status == 200);
  CHECK(StatusOfNewCaller(vault, token) == 200);
}

TEST_CASE("whose a body is, is decided before it is read") {
  RunningVault vault;
  const std::string client = vault.NewClient("A-1");
  const std::string token = vault.Token("crm-service");
  std::vector<std::pair<std::string, std::string>> paths = {
      {"POST", "/v1/clients"},
      {"POST", "/v1/clients/" + client + "/records"},
      {"PATCH", "/v1/clients/" + client},
      {"POST", "/v1/clients/search"},
      {"PUT", "/v1/purposes/support"},
      {"POST", "/v1/approvals"}};
  for (const auto& [method, path] : paths) {
    for (const std::string shown : {"", "nobodys"}) {
      for (const bool asks : {false, true}) {
        INFO(method << " " << path << " '" << shown << "' " << asks);
        RawConnection peer(vault.port());
        // With the length, or in chunks; the body never comes.
        const std::string framing =
            asks ? "Expect: 100-continue\r\n" + BodyOf(5'000)
                 : "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
        peer.Send(RequestHead(method, path, shown) + framing);
        const auto reply = peer.Read(seconds(20));
        CHECK(reply.status == 401);
        CHECK(reply.Code() == "unauthenticated");
        CHECK(reply.Header("connection") == "close");
        const auto entries = vault.EntriesOf(reply.Header("coffer-request-id"));
        REQUIRE(entries.size() == 1);
        CHECK(entries[0].at("decision") == "deny");
        CHECK(entries[0].at("rule") == "check:authentication");
        CHECK(peer.EndsWithin(seconds(20)));
      }
    }
  }
  // Who is known is asked for the body, and then it is his.
  RawConnection peer(vault.port());
  peer.Send(RequestHead("POST", "/v1/clients/" + client + "/records", token) +
            "Expect: 100-continue\r\n" + BodyOf(kDoe.size()));
  CHECK(peer.Read().status == 100);
  peer.Send(kDoe);
  CHECK(peer.Read().status == 201);
  // On the same connection, in pieces, and two requests at once.
  const std::string post =
      RequestHead("POST", "/v1/clients/" + client + "/records", token) + BodyOf(kDoe.size());
  peer.Send(post + kDoe.substr(0, 5));
  peer.Send(kDoe.substr(5) + post + kDoe + RequestHead("GET", "/v1/me", token) + "\r\n");
  CHECK(peer.Read().status == 201);
  CHECK(peer.Read().status == 201);
  CHECK(peer.Read().status == 200);
}

TEST_CASE("what nobody has to be known for takes small bodies only") {
  RunningVault vault;
  for (const std::string path : {"/v1/sessions", "/v1/enrolments", "/v1/enrolments/offer"}) {
    RawConnection peer(vault.port());
    peer.Send(RequestHead("POST", path, "", "") + BodyOf(100'000) + "{");
    const auto reply = peer.Read(seconds(20));
    INFO(path << " " << reply.body);
    CHECK(reply.status == 413);
    CHECK(reply.Code() == "body_too_large");
  }
}

TEST_CASE("strangers make room in whatever phase they are, and those who are known do not") {
  AllowManyFiles();
  VaultSettings settings;
  settings.server_settings = std::string(kEndlessPatience) + "\nworkers = 16";
  RunningVault vault(settings);
  const std::string token = vault.Token("crm-service");
  const std::string records = "/v1/clients/" + vault.NewClient("A-1") + "/records";
  for (const auto& [name, tls, begin] : Stages()) {
    INFO(name);
    // Half a body of somebody who is known.
    RawConnection known(vault.port());
    known.Send(RequestHead("POST", records, token) + BodyOf(kDoe.size()) + kDoe.substr(0, 10));
    std::vector<RawConnection> strangers;
    for (int i = 0; i < 30; ++i) {
      strangers.push_back(From(vault, "127.0.0." + std::to_string(2 + i % 3), tls));
      begin(strangers.back());
      if (i % 15 == 14) CHECK(StatusOfNewCaller(vault, token) == 200);
    }
    known.Send(kDoe.substr(10));
    CHECK(known.Read(seconds(20)).status == 201);
  }
  CHECK(Metric(vault, R"(coffer_connections_evicted_total{was="unknown"})") > 0);
}

TEST_CASE("at a stop nothing is waited for that strangers, idle ones or half bodies would send") {
  AllowManyFiles();
  VaultSettings settings;
  settings.server_settings = kEndlessPatience;
  RunningVault vault(settings);
  const std::string token = vault.Token("crm-service");
  const std::string records = "/v1/clients/" + vault.NewClient("A-1") + "/records";
  for (const auto& [name, tls, begin] : Stages()) {
    INFO(name);
    std::vector<RawConnection> peers;
    for (int i = 0; i < 30; ++i) {
      peers.push_back(From(vault, "127.0.0." + std::to_string(2 + i % 3), tls));
      begin(peers.back());
    }
    peers.emplace_back(vault.port());  // known, and idle
    peers.back().Send(RequestHead("GET", "/v1/me", token) + "\r\n");
    CHECK(peers.back().Read().status == 200);
    peers.emplace_back(vault.port());  // known, and half a body
    peers.back().Send(RequestHead("POST", records, token) + BodyOf(kDoe.size()) + "{");
    vault.Stop();
    for (auto& peer : peers) CHECK(peer.EndsWithin(seconds(20)));
    vault.Start();
  }
  CHECK(vault.Verify().at("ok") == true);
}

TEST_CASE("who is slower than the least speed is told so, and ended") {
  VaultSettings settings;
  settings.server_settings = "patience_s = 1\nmin_bytes_per_s = 1000000000";
  RunningVault vault(settings);
  const std::string token = vault.Token("crm-service");
  const std::string records = "/v1/clients/" + vault.NewClient("A-1") + "/records";
  const auto before = vault.Counts();
  // A byte now and then, for as long as the server takes it.
  const auto drip = [&](const std::string& begun, bool tls) {
    RawConnection peer = From(vault, "127.0.0.2", tls);
    peer.Send(begun);
    for (int i = 0; i < 600 && peer.Send("x", seconds(1)); ++i) {
      if (const auto reply = peer.Read(seconds(0)); reply.status != 0) return reply;
      if (!peer.connected()) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return peer.Read(seconds(30));
  };
  CHECK(drip(std::string("\x16\x03\x01\x02\x00", 5), false).status == 0);
  for (const std::string& begun :
       {std::string("GET /v1/"), RequestHead("GET", "/v1/me", token) + "X: ",
        RequestHead("POST", records, token) + BodyOf(60'000),
        RequestHead("POST", "/v1/sessions", "") + BodyOf(10'000)}) {
    INFO(begun);
    const auto reply = drip(begun, true);
    CHECK(reply.status == 408);
    CHECK(reply.Code() == "request_too_slow");
    CHECK(reply.Header("connection") == "close");
  }
  CHECK(vault.Counts() == before);
  // And who takes his answers too slowly.
  RawConnection reader(vault.port());
  std::string ask = RequestHead("GET", "/openapi.json", token) + "\r\n";
  for (int i = 0; i < 6; ++i) ask += ask;
  reader.Send(ask);
  CHECK(AwaitMetric(vault, R"(coffer_connections_late_total{phase="answer"})", 1) >= 1);
  CHECK(Metric(vault, R"(coffer_connections_late_total{phase="handshake"})") >= 1);
  CHECK(Metric(vault, R"(coffer_connections_late_total{phase="headers"})") >= 2);
  CHECK(Metric(vault, R"(coffer_connections_late_total{phase="body"})") >= 2);
}

TEST_CASE("an address that is full makes room by its own strangers") {
  VaultSettings settings;
  settings.server_settings = std::string(kEndlessPatience) + "\nconnections_per_address = 4";
  RunningVault vault(settings);
  const std::string token = vault.Token("crm-service");
  std::vector<RawConnection> strangers;
  for (int i = 0; i < 12; ++i) strangers.push_back(From(vault, "127.0.0.2"));
  RawConnection caller = From(vault, "127.0.0.2");
  caller.Send(RequestHead("GET", "/v1/me", token) + "\r\n");
  CHECK(caller.Read(seconds(30)).status == 200);
  for (int i = 0; i < 12; ++i) strangers.push_back(From(vault, "127.0.0.2"));
  caller.Send(RequestHead("GET", "/v1/me", token) + "\r\n");
  CHECK(caller.Read(seconds(30)).status == 200);
  CHECK(Metric(vault, "coffer_connections_refused_per_address_total") > 0);
}

TEST_CASE("one token from two addresses shuts nobody out, however often it asks") {
  VaultSettings settings;
  settings.server_settings = std::string(kEndlessPatience) + "\nworkers = 16";
  RunningVault vault(settings);
  const std::string crm = vault.Token("crm-service");
  const std::string ask = RequestHead("GET", "/v1/me", vault.Token("case-worker")) + "\r\n";
  std::atomic<bool> done{false};
  std::vector<std::thread> askers;
  std::atomic<int> connected{0};
  for (int i = 0; i < 2; ++i) {
    askers.emplace_back([&, i] {
      std::vector<RawConnection> held;
      for (int k = 0; k < 8; ++k) {
        held.push_back(From(vault, "127.0.0." + std::to_string(2 + i)));
        held.back().Send(ask);
        connected += held.back().Read(seconds(30)).status == 200;
      }
      // Each of them asks again long before it is idle, for as long as it is there.
      while (!done) {
        for (auto& peer : held) {
          if (done || !peer.connected()) continue;
          if (peer.Send(ask)) peer.Read(seconds(30));
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
      }
    });
  }
  for (int i = 0; i < 600 && connected < 14; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  for (int i = 0; i < 4; ++i) CHECK(StatusOfNewCaller(vault, crm) == 200);
  done = true;
  for (auto& asker : askers) asker.join();
}

TEST_CASE("what is wrapped around a body does not make it fast") {
  VaultSettings settings;
  settings.server_settings = "patience_s = 1\nmin_bytes_per_s = 4000000";
  RunningVault vault(settings);
  const std::string token = vault.Token("crm-service");
  const std::string one = "1;" + std::string(1000, 'e') + "\r\n\n\r\n";
  std::string many;
  for (int i = 0; i < 64; ++i) many += one;
  RawConnection peer(vault.port());
  peer.Send(RequestHead("POST", "/v1/import?class=contact", token) +
            "Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n");
  HttpReply reply;
  // Far more than the time it has, which the rate of what is sent would not end.
  const auto until = std::chrono::steady_clock::now() + seconds(60);
  while (reply.status == 0 && std::chrono::steady_clock::now() < until && peer.Send(many)) {
    reply = peer.Read(seconds(0));
  }
  REQUIRE(std::chrono::steady_clock::now() < until);  // it did not stop by itself
  if (reply.status == 0) reply = peer.Read(seconds(30));
  CHECK(reply.status == 408);
  CHECK(reply.Code() == "request_too_slow");
  CHECK(Metric(vault, R"(coffer_connections_late_total{phase="body"})") == 1);
}

TEST_CASE("imports whose bodies are here at once need no place, and so nobody can take it away") {
  VaultSettings settings;
  settings.server_settings = kEndlessPatience;
  RunningVault vault(settings);
  const std::string token = vault.Token("crm-service");
  const std::string line = R"({"external_ref":"A-1","data":{"last_name":"Doe"}})";
  const auto import = [&](const std::string& shown, std::size_t length) {
    return RequestHead("POST", "/v1/import?class=contact", shown) +
           "Content-Type: application/x-ndjson\r\nContent-Length: " + std::to_string(length) +
           "\r\n\r\n";
  };
  // All places are taken by bodies that do not come.
  std::vector<RawConnection> slow;
  for (int i = 0; i < 4; ++i) {
    slow.emplace_back(vault.port());
    std::string head = import(token, 100'000);
    head.insert(head.size() - 2, "Expect: 100-continue\r\n");
    slow.back().Send(head);
    CHECK(slow.back().Read(seconds(30)).status == 100);
  }
  int refused = 0;
  for (int i = 0; i < 600 && refused != 503; ++i) {
    RawConnection one(vault.port());
    one.Send(import(token, 100'000));
    refused = one.Read(seconds(1)).status;
  }
  CHECK(refused == 503);
  RawConnection stranger(vault.port()), caller(vault.port());
  stranger.Send(import("nobodys", line.size()) + line);
  CHECK(stranger.Read(seconds(30)).status == 401);
  caller.Send(import(token, line.size()) + line);
  CHECK(caller.Read(seconds(30)).status == 200);
}
