// The log, verified from outside by libraries that are not ours: C2SP tlog-tiles over HTTPS.
#include <catch2/catch_test_macros.hpp>
#include <filesystem>

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
