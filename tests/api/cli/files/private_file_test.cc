#include "api/cli/files/private_file.h"

#include <sys/stat.h>

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/support/temporary_directory.h"

namespace coffer::cli {
namespace {

std::string Content(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return content.str();
}

}  // namespace

TEST_CASE("a new file is its owner's alone") {
  const testing::TemporaryDirectory directory;
  const mode_t before = umask(0);
  REQUIRE(WriteNewFile(directory / "token", "secret\n"));
  umask(before);
  struct stat status{};
  REQUIRE(stat((directory / "token").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK(Content(directory / "token") == "secret\n");
}

TEST_CASE("nothing is overwritten, not even through a link") {
  const testing::TemporaryDirectory directory;
  std::ofstream(directory / "kept") << "kept";
  std::filesystem::create_symlink(directory / "elsewhere", directory / "link");
  CHECK(WriteNewFile(directory / "kept", "new").error().exit == Exit::kUsage);
  CHECK(WriteNewFile(directory / "link", "new").error().exit == Exit::kUsage);
  CHECK(Content(directory / "kept") == "kept");
  CHECK_FALSE(std::filesystem::exists(directory / "elsewhere"));
}

TEST_CASE("a file that was not finished does not stay") {
  const testing::TemporaryDirectory directory;
  {
    const auto file = NewFile::Create(directory / "half");
    REQUIRE(file);
    REQUIRE((*file)->Write("half"));
  }
  CHECK_FALSE(std::filesystem::exists(directory / "half"));
}

TEST_CASE("a file that takes the place of the tool's own while the new one is written stays") {
  const auto is_own = [](std::string_view beginning) { return beginning.starts_with("own"); };
  for (const std::string there : {"other", "own too", ""}) {
    CAPTURE(there);
    const testing::TemporaryDirectory directory;
    std::ofstream(directory / "file") << "own";
    const auto file = NewFile::CreateOrReplace(directory / "file", is_own);
    REQUIRE(file);
    REQUIRE((*file)->Write("new"));
    std::filesystem::remove(directory / "file");
    if (!there.empty()) std::ofstream(directory / "file") << there;
    CHECK((*file)->Finish().has_value() == (there != "other"));
    CHECK(Content(directory / "file") == (there == "other" ? there : "new"));
  }
}

TEST_CASE("input files have a largest size") {
  const testing::TemporaryDirectory directory;
  std::ofstream(directory / "note") << "12345";
  CHECK(*ReadInputFile(directory / "note", 5) == "12345");
  CHECK(ReadInputFile(directory / "note", 4).error().exit == Exit::kUsage);
  CHECK(ReadInputFile(directory / "missing", 4).error().exit == Exit::kUsage);
}

}  // namespace coffer::cli
