// Servers that mean to keep the tool for ever: each ends with a sentence. They go on until the tool
// has left, so that no clock decides: without its bounds, the tool would never come back.
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <chrono>
#include <fstream>
#include <thread>

#include "api/cli/client/http_client.h"
#include "tests/api/cli/run_tool.h"
#include "tests/api/cli/verify/public_log.h"
#include "tests/support/tls_server.h"

namespace coffer::cli {
namespace {

using testing::TlsServer;

constexpr std::chrono::seconds kShortPatience{1};

void NowAndThen() { std::this_thread::sleep_for(std::chrono::milliseconds(20)); }

struct Hostile {
  const char* name;
  TlsServer::Answer answer;
  bool slow = true;  // said to be slow; else to be too large
};

TlsServer::Answer Endless(std::string first, std::string again, bool at_once = false) {
  return [=](const std::string&, const TlsServer::Write& write) {
    if (!write(first)) return;
    while (write(again)) {
      if (!at_once) NowAndThen();
    }
  };
}

std::vector<Hostile> AllHostile() {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::string chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";
  const std::string many(16'000, 'x');
  return {
      {"100 Continue without an end", Endless("", "HTTP/1.1 100 Continue\r\n\r\n")},
      {"100 Continue as fast as it can", Endless("", "HTTP/1.1 100 Continue\r\n\r\n", true)},
      {"a byte of the status line now and then", Endless("HTTP/1.1 200 ", "O")},
      {"a byte of a header now and then", Endless(ok + "X-Long: ", "x")},
      {"a body of which a byte comes now and then",
       Endless(ok + "Content-Length: 1000000\r\n\r\n", "x")},
      {"chunks of a byte now and then", Endless(chunked, "1\r\nx\r\n")},
      {"a chunk's size that does not end", Endless(chunked, "0")},
      {"no length, and a byte now and then", Endless(ok + "\r\n", "x")},
      {"a body without an end", Endless(chunked, "3e80\r\n" + many + "\r\n", true), false},
      {"a body without length or end", Endless(ok + "\r\n", many, true), false},
  };
}

// Takes connections and does with them what it likes, without TLS.
class RawServer {
 public:
  explicit RawServer(std::string again) : again_(std::move(again)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const raw = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(bind(listener_, raw, sizeof address) == 0);
    REQUIRE(listen(listener_, 8) == 0);
    REQUIRE(getsockname(listener_, raw, &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~RawServer() {
    ended_ = true;
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  int port() const { return port_; }

 private:
  void Serve() {
    for (;;) {
      const int peer = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (peer < 0) return;
      pollfd gone{peer, POLLRDHUP, 0};
      while (!ended_ && poll(&gone, 1, 20) == 0) {
        if (!again_.empty() && send(peer, again_.data(), again_.size(), MSG_NOSIGNAL) < 0) break;
      }
      close(peer);
    }
  }

  std::string again_;
  int listener_ = -1, port_ = 0;
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

Outcome<HttpReply> AskFrom(int port, const std::string& ca_file) {
  HttpsOptions options;
  options.server = {"127.0.0.1", static_cast<std::uint16_t>(port)};
  options.ca_file = ca_file;
  const auto send = MakeHttpsSender(options);
  REQUIRE(send);
  HttpRequest request;
  request.target = "/v1/status";
  request.patience = kShortPatience;
  request.largest_reply = 1 << 20;
  return (*send)(request);
}

}  // namespace

TEST_CASE("no server keeps the tool for longer than its bounds") {
  const Hostile hostile = GENERATE(from_range(AllHostile()));
  CAPTURE(hostile.name);
  const TlsServer server(hostile.answer);
  const auto reply = AskFrom(server.port(), server.ca_file());
  REQUIRE_FALSE(reply);
  CAPTURE(reply.error().message);
  CHECK(reply.error().exit == (hostile.slow ? Exit::kUnreachable : Exit::kFailed));
  CHECK(reply.error().message.find(hostile.slow ? "too long" : "too large") != std::string::npos);
}

TEST_CASE("headers without an end are not taken, however fast they come") {
  for (const char* again : {"X-More: yes\r\n", "x"}) {
    const std::string much = [&] {
      std::string text;
      while (text.size() < 16'000) text += again;
      return text;
    }();
    const TlsServer server(Endless("HTTP/1.1 200 OK\r\n", much, true));
    CHECK_FALSE(AskFrom(server.port(), server.ca_file()));
  }
}

TEST_CASE("a handshake that does not end is not waited for") {
  const TlsServer with_certificate([](const std::string&, const TlsServer::Write&) {});
  // Nothing at all; and a record that says it is long, byte after byte.
  for (const char* again : {"", "\x16\x03\x03\x3f\xff\x02"}) {
    const RawServer server(again);
    const auto reply = AskFrom(server.port(), with_certificate.ca_file());
    REQUIRE_FALSE(reply);
    CHECK(reply.error().exit == Exit::kUnreachable);
  }
}

TEST_CASE(
    "an honest server that takes its time is waited for, over one connection after the other") {
  const TlsServer server([](const std::string&, const TlsServer::Write& write) {
    if (!write("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")) return;
    for (const char c : std::string("hello")) {
      NowAndThen();
      if (!write(std::string(1, c))) return;
    }
  });
  for (int i = 0; i < 3; ++i) {
    HttpsOptions options;
    options.server = {"127.0.0.1", static_cast<std::uint16_t>(server.port())};
    options.ca_file = server.ca_file();
    const auto send = MakeHttpsSender(options);
    REQUIRE(send);
    HttpRequest request;
    request.target = "/";
    const auto reply = (*send)(request);
    REQUIRE(reply);
    CHECK(reply->body == "hello");
  }
}

TEST_CASE("a mirror that drips does not keep a verification") {
  const TlsServer server(Endless("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", "x"));
  Tool coffer(InTurn({Reply(200, "")}));
  const std::string url = server.url() + "/log";
  const std::string key = audit::FormatVerifierKey(PublicLog(1).Key());
  const char* argv[] = {"coffer", "verify", "--tiles", url.c_str(), "--log-key", key.c_str()};
  TestConsole test;
  test.console.reach = [&](const HttpsOptions& options) -> Outcome<Sender> {
    HttpsOptions trusting = options;
    trusting.ca_file = server.ca_file();
    auto send = MakeHttpsSender(trusting);
    if (!send) return send;
    return Sender([send = *send](HttpRequest request) {
      request.patience = kShortPatience;
      return send(request);
    });
  };
  const int exit = Run(6, argv, test.console);
  CAPTURE(test.Err());
  CHECK(exit == 5);
  CHECK(test.Err().find("too long") != std::string::npos);
}

TEST_CASE("pages that lead to themselves end an export") {
  Tool coffer(InTurn({Reply(200, R"({"items":[],"next_cursor":"again"})")}));
  const std::string out = coffer.directory / "export";
  CHECK(coffer({"export", out, "--purpose", "client-care"}).exit == 1);
  CHECK_FALSE(std::filesystem::exists(out));
}

}  // namespace coffer::cli
