#include "crypto/atomic_file.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>

#include "crypto/internal/new_file.h"
#include "crypto/random.h"
#include "tests/crypto/child_process.h"
#include "tests/crypto/temporary_directory.h"

namespace coffer::crypto {
namespace {

template <class T>
bool FailsAt(const Result<T>& result, Code code, std::string_view reason, const std::string& path) {
  return !result && result.error().code == code && result.error().reason == reason &&
         result.error().detail.contains(path);
}

template <class T>
bool NotWritten(const Result<T>& result, const std::string& path) {
  return FailsAt(result, Code::kUnavailable, "file_not_written", path);
}

}  // namespace

TEST_CASE("a written file reads back, in every size around the reading buffer") {
  const TemporaryDirectory directory;
  const std::string path = directory / "file";
  for (const std::size_t size : {0UL, 1UL, 4095UL, 4096UL, 4097UL, 12288UL, 12289UL, 1'000'000UL}) {
    const Bytes content = RandomBytes(size);
    REQUIRE(WriteFileAtomically(path, content));
    CHECK(*ReadFile(path, size) == content);
    CHECK(*ReadFile(path, 2'000'000) == content);
  }
  CHECK(directory.FileCount() == 1);
}

TEST_CASE("a file has exactly the mode asked for, whatever the umask") {
  const TemporaryDirectory directory;
  const mode_t before = umask(0077);
  REQUIRE(WriteFileAtomically(directory / "private", {}));
  REQUIRE(WriteFileAtomically(directory / "public", {}, 0644));
  umask(before);
  CHECK(ModeOf(directory / "private") == 0600);
  CHECK(ModeOf(directory / "public") == 0644);
}

TEST_CASE("a file that is replaced keeps what its group may do, and gives others nothing") {
  const TemporaryDirectory directory;
  const std::pair<mode_t, mode_t> kept[] = {{0600, 0600}, {0640, 0640}, {0660, 0660},
                                            {0400, 0600}, {0644, 0640}, {0777, 0660}};
  for (const auto& [before, after] : kept) {
    CAPTURE(before);
    const std::string path = directory.Put("file", "old", before);
    REQUIRE(WriteFileAtomically(path, AsBytes("new")));
    CHECK(ModeOf(path) == after);
    REQUIRE(chmod(path.c_str(), before) == 0);
    REQUIRE(ReplaceSecretFile(path, AsBytes("newer")));
    CHECK(ModeOf(path) == after);
    REQUIRE(unlink(path.c_str()) == 0);
  }
}

TEST_CASE("a file that root replaces stays its owner's, and one it makes is its directory's") {
  if (geteuid() != 0) SKIP("only root can give files away");
  const TemporaryDirectory directory;
  const auto owner = [&](const std::string& name) {
    struct stat status{};
    REQUIRE(stat((directory / name).c_str(), &status) == 0);
    return std::pair(status.st_uid, status.st_gid);
  };
  REQUIRE(chown(directory.Put("kept", "old").c_str(), 61234, 61235) == 0);
  REQUIRE(ReplaceSecretFile(directory / "kept", AsBytes("new")));
  CHECK(owner("kept") == std::pair<uid_t, gid_t>(61234, 61235));
  REQUIRE(mkdir((directory / "theirs").c_str(), 0700) == 0);
  REQUIRE(chown((directory / "theirs").c_str(), 61236, 61237) == 0);
  REQUIRE(WriteFileAtomically(directory / "theirs/made", AsBytes("new")));
  CHECK(owner("theirs/made") == std::pair<uid_t, gid_t>(61236, 61237));
  CHECK(ModeOf(directory / "theirs/made") == 0600);
  // Where everybody makes files, and for a secret that replaces nothing, it is the maker's.
  REQUIRE(chmod((directory / "theirs").c_str(), 01777) == 0);
  REQUIRE(WriteFileAtomically(directory / "theirs/own", AsBytes("new")));
  REQUIRE(chmod((directory / "theirs").c_str(), 0700) == 0);
  REQUIRE(internal::WriteNewFile(directory / "theirs/secret", AsBytes("new"), 0600));
  CHECK(owner("theirs/own").first == 0);
  CHECK(owner("theirs/secret").first == 0);
}

TEST_CASE("a replaced file is a new file, so that a reader keeps all of the old one") {
  const TemporaryDirectory directory;
  const std::string path = directory.Put("file", "old");
  std::ifstream reader(path);
  REQUIRE(WriteFileAtomically(path, AsBytes("new")));
  std::string seen;
  reader >> seen;
  CHECK(seen == "old");
  CHECK(directory.Get("file") == "new");
}

TEST_CASE("the blocks of a secret file that is replaced are overwritten") {
  const TemporaryDirectory directory;
  const std::string path = directory.Put("file", "an old secret");
  std::ifstream reader(path);
  REQUIRE(ReplaceSecretFile(path, AsBytes("new")));
  CHECK(directory.Get("file") == "new");
  CHECK(ModeOf(path) == 0600);
  CHECK(directory.FileCount() == 1);
  std::string seen((std::istreambuf_iterator<char>(reader)), {});
  CHECK(seen == std::string(13, '\0'));
  // The first one replaces none.
  REQUIRE(ReplaceSecretFile(directory / "other", AsBytes("first")));
  CHECK(directory.Get("other") == "first");
}

TEST_CASE("a secret file that somebody keeps under another name is left to him") {
  const TemporaryDirectory directory;
  const std::string path = directory.Put("file", "an old secret");
  std::filesystem::create_hard_link(path, directory / "backup");
  REQUIRE(ReplaceSecretFile(path, AsBytes("new")));
  CHECK(directory.Get("backup") == "an old secret");
  CHECK(directory.Get("file") == "new");
  CHECK(directory.FileCount() == 2);
}

TEST_CASE("a crash while a secret file is replaced loses neither it nor, later, its end") {
  const TemporaryDirectory directory;
  const std::string path = directory.Put("file", "a secret");
  const std::string earlier = directory / "file.0123456789abcdef.tmp";
  // Before the new one was there: it has both names.
  std::filesystem::create_hard_link(path, earlier);
  REQUIRE(RemoveTemporariesOf(path));
  CHECK(directory.Get("file") == "a secret");
  CHECK(directory.FileCount() == 1);
  // After it.
  directory.Put("file.0123456789abcdef.tmp", "an old secret");
  std::ifstream reader(earlier);
  REQUIRE(RemoveTemporariesOf(path));
  CHECK(std::string((std::istreambuf_iterator<char>(reader)), {}) == std::string(13, '\0'));
  CHECK(directory.FileCount() == 1);
  CHECK(directory.Get("file") == "a secret");
}

TEST_CASE("a secret file that cannot be replaced stays, and under its name alone") {
  const TemporaryDirectory directory;
  const std::string path = directory.Put("file", "old");
  CHECK(SucceedsInChild([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{.rlim_cur = 1000, .rlim_max = 1000};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return false;
    return NotWritten(ReplaceSecretFile(path, RandomBytes(5000)), path);
  }));
  CHECK(directory.Get("file") == "old");
  CHECK(directory.FileCount() == 1);
}

TEST_CASE("a write that fails half-way leaves the old file and no other") {
  const TemporaryDirectory directory;
  const std::string path = directory.Put("file", "old");
  CHECK(SucceedsInChild([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{.rlim_cur = 1000, .rlim_max = 1000};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return false;
    return NotWritten(WriteFileAtomically(path, RandomBytes(5000)), path);
  }));
  CHECK(directory.Get("file") == "old");
  CHECK(directory.FileCount() == 1);
}

TEST_CASE("a file that cannot take its name leaves nothing behind") {
  const TemporaryDirectory directory;
  std::filesystem::create_directory(directory.path() / "taken");
  CHECK(NotWritten(WriteFileAtomically(directory / "taken", AsBytes("x")), directory / "taken"));
  CHECK(directory.FileCount() == 1);
  CHECK(
      NotWritten(WriteFileAtomically(directory / "no/such", AsBytes("x")), directory / "no/such"));
}

TEST_CASE("what crashed writers left is removed, and nothing else") {
  const TemporaryDirectory directory;
  const std::string path = directory.Put("file", "old");
  directory.Put("file.0123456789abcdef.tmp", "half");
  directory.Put("file.fedcba9876543210.tmp", "");
  const std::vector<std::string> others{"file.0123456789abcdef",
                                        "file.0123456789abcde.tmp",
                                        "file.0123456789abcdeg.tmp",
                                        "file.0123456789abcdef0.tmp",
                                        "file.tmp",
                                        "other.0123456789abcdef.tmp",
                                        "file-0123456789abcdef.tmp"};
  for (const std::string& other : others) directory.Put(other, "kept");
  REQUIRE(RemoveTemporariesOf(path));
  CHECK(directory.FileCount() == 1 + others.size());
  for (const std::string& other : others) CHECK(directory.Get(other) == "kept");
  REQUIRE(RemoveTemporariesOf(path));
  CHECK(directory.Get("file") == "old");

  directory.Put("file.0123456789abcdef.tmp", "half");
  REQUIRE(chmod(directory.path().c_str(), 0555) == 0);
  CHECK(SucceedsInChild([&] {
    return DropPrivileges() &&
           FailsAt(RemoveTemporariesOf(path), Code::kUnavailable, "file_not_removed", path);
  }));
  REQUIRE(chmod(directory.path().c_str(), 0700) == 0);
  CHECK(FailsAt(RemoveTemporariesOf(directory / "no/such"), Code::kUnavailable, "file_not_removed",
                directory / "no"));
}

TEST_CASE("a directory without permission is reported with its path") {
  const TemporaryDirectory directory;
  const std::string path = directory.Put("file", "old");
  CHECK(SucceedsInChild([&] {
    if (chmod(directory.path().c_str(), 0) != 0 || !DropPrivileges()) return false;
    return NotWritten(WriteFileAtomically(path, AsBytes("new")), path) &&
           FailsAt(ReadFile(path, 10), Code::kUnavailable, "file_not_read", path);
  }));
  REQUIRE(chmod(directory.path().c_str(), 0700) == 0);
  CHECK(directory.Get("file") == "old");
}

TEST_CASE("a path without a directory part is written where the process stands") {
  const TemporaryDirectory directory;
  CHECK(SucceedsInChild([&] {
    return chdir(directory.path().c_str()) == 0 &&
           WriteFileAtomically("file", AsBytes("here")).has_value();
  }));
  CHECK(directory.Get("file") == "here");
}

TEST_CASE("a new file never replaces one, not even a dangling link") {
  const TemporaryDirectory directory;
  REQUIRE(internal::WriteNewFile(directory / "new", AsBytes("first"), 0600));
  CHECK(FailsAt(internal::WriteNewFile(directory / "new", AsBytes("second"), 0600), Code::kConflict,
                "file_exists", directory / "new"));
  CHECK(directory.Get("new") == "first");
  std::filesystem::create_symlink("nowhere", directory.path() / "link");
  CHECK(FailsAt(internal::WriteNewFile(directory / "link", AsBytes("x"), 0600), Code::kConflict,
                "file_exists", directory / "link"));
  CHECK(directory.FileCount() == 2);
}

TEST_CASE("reading tells a missing file from one too large and one not readable") {
  const TemporaryDirectory directory;
  CHECK(FailsAt(ReadFile(directory / "none", 10), Code::kNotFound, "file_missing",
                directory / "none"));
  const std::string path = directory.Put("file", "0123456789");
  CHECK(ReadFile(path, 10)->size() == 10);
  CHECK(FailsAt(ReadFile(path, 9), Code::kTooLarge, "file_too_large", path));
  CHECK(FailsAt(ReadFile(path, 0), Code::kTooLarge, "file_too_large", path));
}

TEST_CASE("what is no file is not read, and nobody waits for it") {
  const TemporaryDirectory directory;
  const std::string pipe = directory / "pipe", link = directory / "link";
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  const int socket_fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  const std::string socket_path = directory / "socket";
  REQUIRE(socket_path.copy(address.sun_path, sizeof address.sun_path - 1) == socket_path.size());
  REQUIRE(bind(socket_fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(symlink(pipe.c_str(), link.c_str()) == 0);
  for (const std::string& path : {pipe, link, socket_path, directory.path().string(),
                                  std::string("/dev/zero"), std::string("/dev/null")}) {
    CAPTURE(path);
    CHECK(FailsAt(ReadFile(path, 10), Code::kUnavailable, "file_not_read", path));
    CHECK(FailsAt(CheckIsFile(path), Code::kUnavailable, "file_not_read", path));
  }
  close(socket_fd);
  CHECK(FailsAt(CheckIsFile(directory / "none"), Code::kNotFound, "file_missing",
                directory / "none"));
  const std::string file = directory.Put("file", "0123456789"), to_file = directory / "to-file";
  REQUIRE(symlink(file.c_str(), to_file.c_str()) == 0);
  CHECK(ReadFile(to_file, 10)->size() == 10);
  CHECK(CheckIsFile(to_file));
}

}  // namespace coffer::crypto
