#include "api/cli/files/taken_by_signals.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/temporary_directory.h"

namespace coffer::cli {

TEST_CASE("a signal takes the files that are to end with it, and no other, and ends the process") {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    CAPTURE(signal);
    const testing::TemporaryDirectory directory;
    for (const char* name : {"one", "two", "over", "kept"}) std::ofstream(directory / name) << "x";
    const int place = open(std::string(directory.path()).c_str(), O_DIRECTORY | O_CLOEXEC);
    REQUIRE(place >= 0);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      for (const int each : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) ::signal(each, SIG_DFL);
      const TakenBySignals one(place, "one"), two(place, "two");
      {
        const TakenBySignals over(place, "over");
      }
      raise(signal);
      _exit(0);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    close(place);
    CHECK(WIFSIGNALED(status));
    CHECK((WIFSIGNALED(status) ? WTERMSIG(status) : 0) == signal);
    CHECK_FALSE(std::filesystem::exists(directory / "one"));
    CHECK_FALSE(std::filesystem::exists(directory / "two"));
    CHECK(std::filesystem::exists(directory / "over"));
    CHECK(std::filesystem::exists(directory / "kept"));
  }
}

}  // namespace coffer::cli
