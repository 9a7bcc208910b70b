#include "api/cli/files/sealed_spool.h"

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>

#include "tests/support/temporary_directory.h"

namespace coffer::cli {
namespace {

std::string SpooledText(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; text.size() < size; ++i)
    text += "row " + std::to_string(i) + " zq7sentinel\n";
  text.resize(size);
  return text;
}

Outcome<std::unique_ptr<SealedSpool>> NewSpool(const std::string& directory) {
  REQUIRE(crypto::InitializeCrypto());
  return SealedSpool::Create(directory);
}

Outcome<std::string> ReadAll(SealedSpool& spool, std::size_t at_a_time) {
  std::string all, piece(at_a_time, '\0');
  while (all.size() < spool.size()) {
    COFFER_ASSIGN(const std::size_t size, spool.Read(all.size(), piece));
    REQUIRE(size > 0);
    all.append(piece, 0, size);
  }
  return all;
}

// The only file without a name that this process has open.
std::string UnnamedFile() {
  std::string found;
  for (const auto& file : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const std::string target = std::filesystem::read_symlink(file.path(), gone).string();
    if (target.ends_with("(deleted)") && target.find("/spool-test") != target.npos) {
      found = file.path();
    }
  }
  return found;
}

}  // namespace

TEST_CASE("what is kept is read again as often as is needed, in pieces of any size") {
  const testing::TemporaryDirectory directory;
  for (const std::size_t size : {1UZ, 65'535UZ, 65'536UZ, 65'537UZ, 300'000UZ}) {
    CAPTURE(size);
    const std::string text = SpooledText(size);
    auto spool = NewSpool(directory / ".");
    REQUIRE(spool);
    for (std::size_t at = 0; at < size; at += 7'777) {
      REQUIRE((*spool)->Append(std::string_view(text).substr(at, 7'777)));
    }
    CHECK((*spool)->size() == size);
    for (const std::size_t at_a_time : {1'000UZ, 65'536UZ, 1'000'000UZ}) {
      CHECK(ReadAll(**spool, at_a_time) == text);
    }
    std::string rest(100, '\0');
    CHECK((*spool)->Read(size, rest) == 0UZ);
  }
}

TEST_CASE("nothing of what is kept can be read on the disk, and its file has no name") {
  const testing::TemporaryDirectory directory;
  std::filesystem::create_directory(directory / "spool-test");
  auto spool = NewSpool(directory / "spool-test");
  REQUIRE(spool);
  REQUIRE((*spool)->Append(SpooledText(200'000)));
  CHECK(std::filesystem::is_empty(directory / "spool-test"));
  const std::string file = UnnamedFile();
  REQUIRE_FALSE(file.empty());
  std::ifstream stream(file, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
  CHECK(bytes.size() >= 3 * 65'536);
  CHECK(bytes.find("sentinel") == std::string::npos);
}

TEST_CASE("pieces that are altered or moved on the disk are refused") {
  constexpr std::streamoff kOnDisk = 65'536 + 33;
  const testing::TemporaryDirectory directory;
  std::filesystem::create_directory(directory / "spool-test");
  for (const bool moved : {false, true}) {
    CAPTURE(moved);
    auto spool = NewSpool(directory / "spool-test");
    REQUIRE(spool);
    REQUIRE((*spool)->Append(SpooledText(200'000)));
    std::fstream file(UnnamedFile(), std::ios::binary | std::ios::in | std::ios::out);
    REQUIRE(file);
    std::string piece(kOnDisk, '\0');
    file.seekg(moved ? kOnDisk : 0);
    file.read(piece.data(), kOnDisk);
    if (!moved) piece[1000] = static_cast<char>(piece[1000] ^ 1);
    file.seekp(0);
    file.write(piece.data(), kOnDisk);
    file.flush();
    std::string text(1000, '\0');
    const auto read = (*spool)->Read(0, text);
    REQUIRE_FALSE(read);
    CHECK(read.error().message.ends_with("was altered"));
  }
}

TEST_CASE("a directory in which nothing can be kept is named") {
  const auto spool = SealedSpool::Create("/nonexistent");
  REQUIRE_FALSE(spool);
  CHECK(spool.error().exit == Exit::kFailed);
  CHECK(spool.error().message.find("/nonexistent") != std::string::npos);
  CHECK(spool.error().advice.find("TMPDIR") != std::string::npos);
}

}  // namespace coffer::cli
