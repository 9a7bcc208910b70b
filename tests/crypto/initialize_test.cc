#include <sys/prctl.h>
#include <sys/resource.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/reporters/catch_reporter_event_listener.hpp>
#include <catch2/reporters/catch_reporter_registrars.hpp>
#include <cstdlib>

#include "crypto/secret_bytes.h"

namespace coffer::crypto {
namespace {

// What main does first.
class Initialization final : public Catch::EventListenerBase {
 public:
  using Catch::EventListenerBase::EventListenerBase;
  void testRunStarting(const Catch::TestRunInfo&) override {
    if (!InitializeCrypto()) std::abort();
  }
};

}  // namespace

CATCH_REGISTER_LISTENER(Initialization)

TEST_CASE("initialising twice is as good as once") {
  CHECK(InitializeCrypto());
  CHECK(InitializeCrypto());
}

TEST_CASE("a process with keys in it leaves no core file") {
  rlimit limit{};
  REQUIRE(getrlimit(RLIMIT_CORE, &limit) == 0);
  CHECK(limit.rlim_cur == 0);
  CHECK(limit.rlim_max == 0);
  CHECK(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
}

}  // namespace coffer::crypto
