// The log, verified from outside by libraries that are not ours: C2SP tlog-tiles over HTTPS.
#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <thread>

#include "tests/support/running_vault.h"

using namespace coffer::testing;

namespace {

// Go as Debian packages it, with Debian's packages of the libraries: nothing is fetched.
const char* const kGo = "/usr/bin/go";
const char* const kLibraries = "/usr/share/gocode";

VaultSettings OftenSigned() {
  VaultSettings settings;
  settings.log_settings = "checkpoint_interval_ms = 100";
  return settings;
}

struct Auditor {
  RunningVault vault{OftenSigned()};

  void Grow(int requests) {
    auto crm = vault.As("crm-service");
    for (int i = 0; i < requests; ++i) REQUIRE(crm.Get("/v1/me").status == 200);
  }
  void AwaitCheckpoint(std::uint64_t size) {
    auto auditor = vault.As("auditor");
    for (;;) {
      const auto reply = auditor.Get("/log/checkpoint");
      REQUIRE(reply.status == 200);
      const auto line = reply.body.find('\n') + 1;
      if (std::stoull(reply.body.substr(line)) >= size) return;
    }
  }
};

}  // namespace

TEST_CASE("the libraries of Go's checksum database verify the log of a live vault") {
  if (!std::filesystem::exists(kGo) ||
      !std::filesystem::exists(std::string(kLibraries) + "/src/golang.org/x/mod/sumdb/tlog")) {
    SKIP("golang-go and golang-golang-x-mod-dev are not installed");
  }
  Auditor auditor;
  RunningVault& vault = auditor.vault;
  const std::string client = vault.NewClient("A-1");
  (void)vault.NewContact(client, {{"last_name", "Roe"}});
  const TemporaryDirectory work;
  const std::string program = work / "verify_log";
  const auto built =
      RunProgram({kGo, "build", "-o", program, COFFER_SOURCE_DIR "/tests/outsiders/verify_log.go"},
                 {{"GO111MODULE", "off"},
                  {"GOPATH", kLibraries},
                  {"GOFLAGS", ""},
                  {"GOTOOLCHAIN", "local"},
                  {"GOCACHE", work / "cache"},
                  {"HOME", work / "home"},
                  {"CGO_ENABLED", "0"}});
  INFO(built.err);
  REQUIRE(built.exit_code == 0);

  // Less than a tile, exactly some, and several with a rest.
  for (const int requests : {0, 300, 700}) {
    auditor.Grow(requests);
    const auto ran =
        RunProgram({program, "https://127.0.0.1:" + std::to_string(vault.port()) + "/log",
                    vault.ca_file(), vault.LogKey()},
                   {{"COFFER_TOKEN", vault.Token("auditor")}});
    CAPTURE(ran.out, ran.err);
    REQUIRE(ran.exit_code == 0);
    CHECK(ran.out.find("in the signed tree") != std::string::npos);
    CHECK(ran.out.find("are the beginning of") != std::string::npos);
  }
}

TEST_CASE("tiles are served as the specification says, and nothing else is") {
  Auditor auditor;
  auditor.Grow(600);
  auditor.AwaitCheckpoint(600);
  auto caller = auditor.vault.As("auditor");
  const auto full = caller.Get("/log/tile/0/000");
  CHECK(full.status == 200);
  CHECK(full.body.size() == 256 * 32);
  CHECK(full.Header("content-type") == "application/octet-stream");
  CHECK(full.Header("cache-control") == "private, max-age=31536000, immutable");
  CHECK(caller.Get("/log/tile/0/001.p/7").body ==
        caller.Get("/log/tile/0/001").body.substr(0, 7 * 32));
  CHECK(caller.Get("/log/tile/1/000.p/2").body.size() == 64);
  CHECK(caller.Get("/log/tile/entries/000.p/1")
            .body.substr(2)
            .starts_with("{\"action\":\"log.created\""));
  const auto checkpoint = caller.Get("/log/checkpoint");
  CHECK(checkpoint.Header("cache-control") == "no-store");
  CHECK(checkpoint.Header("content-type") == "text/plain; charset=utf-8");
  for (const std::string path : {"0/999",
                                 "0/000.p/256",
                                 "0/000.p/0",
                                 "00/000",
                                 "0/0",
                                 "0/x000/000",
                                 "0/000/",
                                 "/0/000",
                                 "../checkpoint",
                                 "0/..",
                                 "entries/999.p/3",
                                 "2/000.p/1",
                                 "1/000.p/200",
                                 "64/000",
                                 "-1/000",
                                 "data/000",
                                 "0/000.p/x7",
                                 "0/x999/x999/x999/x999/x999/x999/999",
                                 "",
                                 "0/000?x=1"}) {
    CAPTURE(path);
    const auto reply = caller.Get("/log/tile/" + path);
    CHECK((reply.status == 404 || reply.status == 400));
    CHECK(reply.Header("cache-control") == "no-store");
  }
  for (const std::string query :
       {"", "?from=1", "?from=5&to=4", "?from=0&to=999999", "?from=-1&to=3", "?from=a&to=b",
        "?from=1&to=18446744073709551616"}) {
    CAPTURE(query);
    CHECK(caller.Get("/v1/log/consistency" + query).status == 400);
  }
  CHECK(caller.Get("/v1/log/consistency?from=0&to=600").status == 200);
  CHECK(auditor.vault.As("crm-service").Get("/log/checkpoint").status == 403);
  CHECK(auditor.vault.As("case-worker").Get("/log/tile/0/000").status == 403);
  CHECK(auditor.vault.WithToken("").Get("/log/checkpoint").status == 401);
}

namespace {

std::uint64_t SizeOf(const std::string& checkpoint) {
  return std::stoull(checkpoint.substr(checkpoint.find('\n') + 1));
}

// What a mirror keeps of a log of up to 256,000 entries: its checkpoint and all that this covers.
void MirrorInto(const std::filesystem::path& directory, Caller& caller) {
  const auto checkpoint = caller.Get("/log/checkpoint");
  REQUIRE(checkpoint.status == 200);
  const auto take = [&](const std::string& path) {
    const auto reply = caller.Get("/log/" + path);
    CAPTURE(path);
    REQUIRE(reply.status == 200);
    std::filesystem::create_directories((directory / path).parent_path());
    WriteWholeFile(directory / path, reply.body);
  };
  std::uint64_t count = SizeOf(checkpoint.body);
  for (int level = 0; count > 0; ++level, count /= 256) {
    for (std::uint64_t n = 0; n * 256 < count; ++n) {
      const std::uint64_t width = std::min<std::uint64_t>(256, count - n * 256);
      std::string name = std::to_string(n);
      name.insert(0, 3 - name.size(), '0');
      if (width < 256) name += ".p/" + std::to_string(width);
      take("tile/" + std::to_string(level) + "/" + name);
      if (level == 0) take("tile/entries/" + name);
    }
  }
  WriteWholeFile(directory / "checkpoint", checkpoint.body);
}

}  // namespace

TEST_CASE("a mirror that is fetched by eight hands at once is told to wait by none of them") {
  Auditor auditor;
  RunningVault& vault = auditor.vault;
  auditor.Grow(300);
  auditor.AwaitCheckpoint(300);
  std::atomic<int> refused{0}, fetched{0};
  {
    std::vector<std::jthread> hands;
    for (int hand = 0; hand < 8; ++hand) {
      hands.emplace_back([&] {
        auto caller = vault.As("auditor");
        for (int i = 0; i < 20; ++i) {
          for (const char* path : {"/log/tile/0/000", "/log/tile/entries/000"}) {
            ++(caller.Get(path).status == 200 ? fetched : refused);
          }
        }
      });
    }
  }
  CHECK(refused == 0);
  CHECK(fetched == 320);
}

TEST_CASE("coffer verify follows a live log, and a mirror of it, by their public files alone") {
  Auditor auditor;
  RunningVault& vault = auditor.vault;
  const TemporaryDirectory work;
  const std::string url = "https://127.0.0.1:" + std::to_string(vault.port());
  const auto verify = [&](const std::string& place, const std::string& token) {
    return RunProgram(
        {COFFER_BIN_DIR "/coffer", "verify", "--tiles", place, "--log-key", vault.LogKey(), "--ca",
         vault.ca_file(), "--state", work / "log.state", "--json"},
        {{"COFFER_TOKEN", token}, {"COFFER_URL", url}});
  };
  std::uint64_t seen = 0;
  for (const int requests : {3, 700}) {
    auditor.Grow(requests);
    auditor.AwaitCheckpoint(static_cast<std::uint64_t>(requests));
    const auto ran = verify(url + "/log", vault.Token("auditor"));
    CAPTURE(ran.out, ran.err);
    REQUIRE(ran.exit_code == 0);
    const auto report = nlohmann::json::parse(ran.out);
    CHECK(report.at("size") == report.at("checkpoint_size"));
    CHECK(report.at("size") > seen);
    seen = report.at("size");
  }
  CHECK(verify(url + "/log", vault.Token("crm-service")).exit_code == 1);
  CHECK(verify(url + "/log", "").exit_code == 1);
  CHECK(verify(url + "/v1", vault.Token("auditor")).exit_code == 2);
  CHECK(verify("https://127.0.0.1:1/log", "").exit_code == 5);

  auto caller = vault.As("auditor");
  MirrorInto(work / "early", caller);
  auditor.Grow(300);
  auditor.AwaitCheckpoint(seen + 300);
  MirrorInto(work / "late", caller);
  CHECK(verify(work / "early", "").exit_code == 0);
  CHECK(verify(work / "late", "").exit_code == 0);
  const auto back = verify(work / "early", "");
  CHECK(back.exit_code == 7);
  CHECK(back.out.find("\"behind\"") != std::string::npos);
  CHECK(back.out.find("\"truncated\"") != std::string::npos);

  const std::string bundle = work / "late/tile/entries/001";
  std::string entries = ReadWholeFile(bundle);
  const auto at = entries.find("\"outcome\":\"ok\"", entries.size() / 2);
  REQUIRE(at != std::string::npos);
  entries.replace(at, 14, "\"outcome\":\"no\"");
  WriteWholeFile(bundle, entries);
  const auto altered = verify(work / "late", "");
  CHECK(altered.exit_code == 4);
  CHECK(altered.out.find("\"chain\"") != std::string::npos);
  CHECK(altered.out.find("\"tile\"") != std::string::npos);
}
