// Peers that do not behave: slow, many, or saying two things at once. Each is cut or refused, and
// an honest caller is served all the while. And how the server ends: what runs is finished and
// logged.
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <mutex>
#include <set>
#include <sstream>
#include <thread>

#include "audit/tlog/checkpoint.h"
#include "tests/support/raw_connection.h"
#include "tests/support/running_vault.h"

using namespace coffer;
using namespace coffer::testing;
using nlohmann::json;
using std::chrono::seconds;
using std::chrono::steady_clock;

namespace {

const std::string kBody = R"({"class":"contact","data":{"last_name":"Doe"}})";

long ResidentKib(pid_t pid) {
  std::istringstream status(ReadWholeFile("/proc/" + std::to_string(pid) + "/status"));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stol(line.substr(6));
  }
  FAIL("no VmRSS");
  return 0;
}

std::string LengthOf(const std::string& body) {
  return "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n";
}

// The one answer of a connection that ends with it, whatever follows: in the same TLS record, where
// httplib has it in hand already, or in the next.
HttpReply OnlyAnswer(RunningVault& vault, const std::string& bytes, const std::string& following) {
  RawConnection peer(vault.port());
  REQUIRE(peer.connected());
  peer.Send(bytes + following);
  peer.Send(following);
  const auto reply = peer.Read();
  CHECK(peer.Read(seconds(5)).status == 0);
  CHECK_FALSE(peer.connected());
  return reply;
}

}  // namespace

TEST_CASE("slow handshakes and slow headers are cut, and an honest caller is served meanwhile") {
  RunningVault vault;
  auto crm = vault.As("crm-service");
  const auto start = steady_clock::now();
  RawConnection::Options plain;
  plain.tls = false;
  std::vector<RawConnection> peers;
  for (int i = 0; i < 20; ++i) peers.emplace_back(vault.port(), plain);
  for (int i = 0; i < 20; ++i) peers.emplace_back(vault.port());
  std::vector<bool> gone(peers.size());
  std::size_t at = 0;
  const std::string head = RequestHead("GET", "/v1/me", vault.Token("crm-service")) + "X-Slow: ";
  // A byte every quarter second: of a TLS record that never ends, of headers that never end.
  const auto cut = [&] { return std::ranges::all_of(gone, [](bool one) { return one; }); };
  while (!cut() && steady_clock::now() - start < seconds(120)) {
    for (std::size_t i = 0; i < peers.size(); ++i) {
      const std::string bytes = i < 20 ? std::string("\x16\x03\x01\x02\x00", 5) : head;
      const std::string byte = at < bytes.size() ? bytes.substr(at, 1) : "x";
      if (!gone[i]) gone[i] = !peers[i].Send(byte, seconds(1));
    }
    ++at;
    REQUIRE(crm.Get("/v1/me").status == 200);
    std::this_thread::sleep_for(std::chrono::milliseconds(250));
  }
  for (auto& peer : peers) CHECK(peer.EndsWithin(seconds(2)));
}

TEST_CASE("headers beyond all bounds are refused, and cost no memory") {
  RunningVault vault;
  (void)vault.Token("crm-service");
  const long before = ResidentKib(vault.pid());
  const std::string head = RequestHead("GET", "/v1/me", vault.Token("crm-service"));
  std::string many = head;
  for (int i = 0; i < 5000; ++i) many += "X-" + std::to_string(i) + ": y\r\n";
  for (const std::string& bytes :
       {head + "X: " + std::string(9'000, 'a') + "\r\n\r\n",
        head + "X: " + std::string(20'000'000, 'a') + "\r\n\r\n", many + "\r\n",
        "GET /" + std::string(20'000'000, 'a') + " HTTP/1.1\r\n\r\n",
        std::string(20'000'000, 'a')}) {
    INFO(bytes.size() << " " << bytes.substr(0, 20));
    RawConnection peer(vault.port());
    peer.Send(bytes);
    const auto reply = peer.Read();
    CHECK((reply.status == 0 || reply.status == 400 || reply.status == 414 || reply.status == 431));
    CHECK(peer.EndsWithin(seconds(30)));
  }
  CHECK(vault.As("crm-service").Get("/v1/me").status == 200);
  CHECK(ResidentKib(vault.pid()) - before < 64 * 1024);
}

TEST_CASE("nothing that follows a refused request is taken for one") {
  RunningVault vault;
  const std::string token = vault.Token("crm-service");
  const std::string records = "/v1/clients/" + vault.NewClient("A-1") + "/records";
  const std::string post = RequestHead("POST", records, token);
  const std::string smuggled = RequestHead("GET", "/v1/me", token) + "\r\n";
  const auto asked = [&] { return vault.Entries("action=self.read").size(); };
  const auto before = asked();
  const std::string both = "Content-Type: application/json\r\nContent-Length: 4\r\n";
  struct Case {
    const char* why;
    std::string bytes;
    int status;
  };
  for (const auto& [why, bytes, status] : {
           Case{"two framings", post + both + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
           Case{"two lengths", post + both + "Content-Length: 5\r\n\r\n{}  ", 400},
           Case{"a strange coding", post + "Transfer-Encoding: x, chunked\r\n\r\n0\r\n\r\n", 400},
           Case{"a length that is none", post + "Content-Length: +2\r\n\r\n{}", 400},
           Case{"too large", post + LengthOf(std::string(600'000, ' ')), 413},
           Case{"of another kind", post + "Content-Type: text/plain\r\nContent-Length: 9\r\n\r\n",
                415},
           Case{"no length", post + "\r\n", 411},
           Case{"no request", "nonsense\r\n\r\n", 400},
           Case{"no header", "GET /v1/me HTTP/1.1\r\nnonsense\r\n\r\n", 400},
       }) {
    INFO(why);
    const auto reply = OnlyAnswer(vault, bytes, smuggled);
    CHECK(reply.status == status);
    CHECK(reply.Header("connection") == "close");
  }
  CHECK(asked() == before);
  // Two whole requests, one behind the other, are two requests.
  RawConnection peer(vault.port());
  peer.Send(post + LengthOf(kBody) + kBody);
  peer.Send(smuggled);
  CHECK(peer.Read().status == 201);
  CHECK(peer.Read().status == 200);
  CHECK(asked() == before + 1);
}

TEST_CASE("a thousand connections of one address leave room for another, in bounded memory") {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = std::min<rlim_t>(files.rlim_max, 8192);
  setrlimit(RLIMIT_NOFILE, &files);
  RunningVault vault;
  auto crm = vault.As("crm-service");
  REQUIRE(crm.Get("/v1/me").status == 200);
  const std::string token = vault.Token("crm-service");
  const long before = ResidentKib(vault.pid());
  std::vector<RawConnection> flood;
  for (int i = 0; i < 1200; ++i) {
    RawConnection::Options options;
    options.source = "127.0.0.2";
    options.tls = false;
    flood.emplace_back(vault.port(), options);
    if (i % 50 == 0) REQUIRE(crm.Get("/v1/me").status == 200);
  }
  bool served = false;
  for (const auto until = steady_clock::now() + seconds(30);
       !served && steady_clock::now() < until;) {
    RawConnection fresh(vault.port());
    served = fresh.connected() && fresh.Send(RequestHead("GET", "/v1/me", token) + "\r\n") &&
             fresh.Read(seconds(30)).status == 200;
  }
  CHECK(served);
  // A sanitized server, of another build tree, spends several times as much.
  const int mib = std::getenv("COFFER_BIN_DIR") == nullptr ? 96 : 768;
  CHECK(ResidentKib(vault.pid()) - before < mib * 1024);
  std::size_t kept = 0;
  for (auto& peer : flood) kept += !peer.EndsWithin(seconds(0));
  INFO(kept << " of the flood are still there");
  CHECK(kept <= 128 + 128);  // served, and waiting
  CHECK(crm.Get("/v1/me").status == 200);
}

TEST_CASE("a stop lets what runs finish, and is the last entry, under the last checkpoint") {
  RunningVault vault;
  const std::string token = vault.Token("crm-service");
  (void)vault.Token("security-officer");
  const std::string records = "/v1/clients/" + vault.NewClient("A-1") + "/records";
  const std::string post = RequestHead("POST", records, token) + LengthOf(kBody) + kBody;
  std::mutex mutex;
  std::set<std::string> answered;
  std::vector<std::thread> callers;
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&] {
      RawConnection peer(vault.port());
      while (peer.Send(post)) {
        const auto reply = peer.Read();
        if (reply.status != 201) break;
        const std::lock_guard lock(mutex);
        answered.insert(reply.Header("coffer-request-id"));
      }
    });
  }
  for (bool enough = false; !enough;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    const std::lock_guard lock(mutex);
    enough = answered.size() >= 40;
  }
  vault.Stop();
  for (auto& caller : callers) caller.join();
  CHECK_FALSE(RawConnection(vault.port()).connected());

  const auto anchor = audit::ParseAnchor(ReadWholeFile(vault.directory() + "/anchor"));
  REQUIRE(anchor);
  const auto covered = std::stoull(anchor->note.substr(anchor->note.find('\n') + 1));
  vault.Start();
  const auto entries = vault.Entries("");
  REQUIRE(entries.size() > covered);
  std::set<std::string> stored;
  for (const auto& entry : entries) {
    if (entry.at("action") != "record.create") continue;
    CHECK(entry.at("outcome") == "ok");
    stored.insert(entry.at("request"));
  }
  CHECK(stored == answered);  // what was begun was finished, and said so
  CHECK(entries[covered - 1].at("action") == "vault.stop");
  CHECK(entries[covered].at("action") == "vault.start");
}

TEST_CASE("keys are agreed on in groups that cost the server little, and in no others") {
  RunningVault vault;
  const auto agrees = [&](const std::string& group) {
    const auto result =
        RunProgram({"/usr/bin/openssl", "s_client", "-groups", group, "-CAfile", vault.ca_file(),
                    "-connect", "127.0.0.1:" + std::to_string(vault.port())});
    return result.exit_code == 0;
  };
  for (const char* group : {"X25519", "P-256", "P-384"}) {
    INFO(group);
    CHECK(agrees(group));
  }
  for (const char* group :
       {"ffdhe2048", "ffdhe3072", "ffdhe4096", "ffdhe6144", "ffdhe8192", "P-521", "X448"}) {
    INFO(group);
    CHECK(!agrees(group));
  }
}

TEST_CASE("old versions of TLS and ciphers without authentication are refused") {
  RunningVault vault;
  const auto connects = [&](int version, const std::string& ciphers = {}) {
    RawConnection::Options options;
    options.tls_version = version;
    options.tls12_ciphers = ciphers;
    RawConnection peer(vault.port(), options);
    return peer.connected() && peer.Send("GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n") &&
           peer.Read().status == 200;
  };
  CHECK_FALSE(connects(TLS1_VERSION, "ALL:@SECLEVEL=0"));
  CHECK_FALSE(connects(TLS1_1_VERSION, "ALL:@SECLEVEL=0"));
  CHECK(connects(TLS1_2_VERSION));
  CHECK(connects(TLS1_3_VERSION));
  CHECK(connects(TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256"));
  CHECK(connects(TLS1_2_VERSION, "ECDHE-ECDSA-CHACHA20-POLY1305"));
  CHECK_FALSE(connects(TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA256"));
  CHECK_FALSE(connects(TLS1_2_VERSION, "ECDHE-ECDSA-AES256-SHA:@SECLEVEL=0"));
  // It is the server that refuses, and another client sees it the same way.
  const auto said =
      RunProgram({"/usr/bin/openssl", "s_client", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0",
                  "-connect", "127.0.0.1:" + std::to_string(vault.port())});
  INFO(said.out << said.err);
  CHECK(said.exit_code != 0);
  CHECK((said.out + said.err).find("alert protocol version") != std::string::npos);
}
