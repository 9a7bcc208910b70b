#include "crypto/root_key_provider.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>

#include "crypto/aead.h"
#include "crypto/passphrase_file.h"
#include "tests/crypto/child_process.h"
#include "tests/crypto/fails_with.h"
#include "tests/crypto/hex.h"
#include "tests/crypto/temporary_directory.h"

namespace coffer::crypto {
namespace {

using ProviderPointer = std::unique_ptr<RootKeyProvider>;

const std::string kOnes(64, '1');

Result<ProviderPointer> ProviderPassphrase(std::string_view text, std::uint8_t salt = 1) {
  return OpenPassphrase(SecretBytes::CopyOf(AsBytes(text)),
                        {.passes = 1, .memory_kib = 8, .salt = Bytes(16, salt)});
}

// An access control list that gives the owner "rw", one other user "r" and nobody else anything.
Bytes ListFor(std::uint32_t user) {
  constexpr auto kNobody = 0xffffffffU;
  Bytes list{2, 0, 0, 0};
  const auto add = [&](std::uint8_t tag, std::uint8_t permissions, std::uint32_t id) {
    list.insert(list.end(), {tag, 0, permissions, 0});
    for (int shift = 0; shift < 32; shift += 8) {
      list.push_back(static_cast<std::uint8_t>(id >> shift));
    }
  };
  add(0x01, 6, kNobody);  // owner
  add(0x02, 4, user);
  add(0x04, 0, kNobody);  // group
  add(0x10, 4, kNobody);  // mask
  add(0x20, 0, kNobody);  // others
  return list;
}

}  // namespace

TEST_CASE("a created key file opens, is private, and unwraps what it wrapped") {
  const TemporaryDirectory directory;
  const std::string path = directory / "root.key";
  REQUIRE(CreateKeyFile(path));
  CHECK(ModeOf(path) == 0600);
  const std::string text = directory.Get("root.key");
  REQUIRE(text.size() == 65);
  CHECK(text.back() == '\n');
  CHECK(HexDecode(text.substr(0, 64)));

  const auto first = OpenKeyFile(path);
  const auto second = OpenKeyFile(path);
  REQUIRE(first);
  REQUIRE(second);
  CHECK((*first)->kind() == "key-file");
  const auto key = SecretBytes::Random(32);
  const auto wrapped = (*first)->Wrap(key, "context");
  REQUIRE(wrapped);
  const auto unwrapped = (*second)->Unwrap(*wrapped, "context");
  REQUIRE(unwrapped);
  CHECK(*unwrapped == key);
  CHECK(FailsWith((*second)->Unwrap(*wrapped, "another"), Code::kCorrupted,
                  "envelope_not_authentic"));
}

TEST_CASE("creating a key file never replaces one") {
  const TemporaryDirectory directory;
  const std::string path = directory.Put("root.key", kOnes);
  CHECK(FailsWith(CreateKeyFile(path), Code::kConflict, "root_key_exists"));
  CHECK(directory.Get("root.key") == kOnes);
  CHECK(FailsWith(CreateKeyFile(directory / "no/such"), Code::kUnavailable, "file_not_written"));
}

TEST_CASE("two created key files hold different keys") {
  const TemporaryDirectory directory;
  REQUIRE(CreateKeyFile(directory / "a"));
  REQUIRE(CreateKeyFile(directory / "b"));
  CHECK(directory.Get("a") != directory.Get("b"));
}

TEST_CASE("a key file that its group or others may read is refused") {
  const TemporaryDirectory directory;
  for (const mode_t mode : {0644U, 0640U, 0604U, 0660U, 0620U, 0601U, 0777U}) {
    const std::string path = directory.Put("root.key", kOnes, mode);
    const auto opened = OpenKeyFile(path);
    CHECK(FailsWith(opened, Code::kPermissionDenied, "root_key_exposed"));
    if (!opened) CHECK(opened.error().detail.contains(path));
  }
  CHECK(OpenKeyFile(directory.Put("root.key", kOnes, 0600)));
  CHECK(OpenKeyFile(directory.Put("root.key", kOnes, 0400)));
}

// systemd hands a credential to an unprivileged service by such a list; its mode reads 0440.
TEST_CASE("a key file shared by an access control list opens for that user alone") {
  const TemporaryDirectory directory;
  const std::string path = directory.Put("root.key", kOnes);
  const auto share_with = [&](std::uint32_t user) {
    const Bytes list = ListFor(user);
    return setxattr(path.c_str(), "system.posix_acl_access", list.data(), list.size(), 0) == 0;
  };
  if (!share_with(geteuid())) SKIP("this file system has no access control lists");
  REQUIRE((ModeOf(path) & 070) == 040);
  CHECK(OpenKeyFile(path));
  REQUIRE(share_with(geteuid() + 1));
  CHECK(FailsWith(OpenKeyFile(path), Code::kPermissionDenied, "root_key_exposed"));
}

TEST_CASE("a key file is its digits, whatever an editor put around them") {
  const TemporaryDirectory directory;
  const std::string digits = "0123456789abcdef" + std::string(46, '7') + "fe";
  const auto key = OpenKeyFile(directory.Put("root.key", digits));
  REQUIRE(key);
  const auto secret = SecretBytes::Random(32);
  const auto wrapped = (*key)->Wrap(secret, "context");
  REQUIRE(wrapped);
  std::string capitals = digits;
  for (char& c : capitals) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  for (const std::string& written : {digits, capitals}) {
    for (const char* before : {"", "\xef\xbb\xbf", " "}) {
      for (const char* after : {"", "\n", "\r\n", " ", "\t\r\n", "\n\n"}) {
        const auto opened = OpenKeyFile(directory.Put("root.key", before + written + after));
        REQUIRE(opened);
        CHECK((*opened)->Unwrap(*wrapped, "context"));
      }
    }
  }
}

TEST_CASE("a key file that is not 64 digits is refused") {
  const TemporaryDirectory directory;
  CHECK(OpenKeyFile(directory.Put("root.key", kOnes + "\n")));
  for (const std::string& content :
       {std::string(), std::string("\n"), kOnes.substr(1), kOnes.substr(1) + "\n", kOnes + "1",
        kOnes.substr(32) + " " + kOnes.substr(32), kOnes + "\n1", std::string(64, 'g'),
        std::string(64, '\0'), std::string(64, '0'), kOnes + kOnes, std::string(100'000, '1')}) {
    INFO(content.substr(0, 70));
    const auto opened = OpenKeyFile(directory.Put("root.key", content));
    CHECK(FailsWith(opened, Code::kInvalidArgument, "root_key_malformed"));
    if (!opened) CHECK_FALSE(opened.error().detail.contains("1111"));
  }
}

TEST_CASE("a key file that is missing or not readable is named") {
  const TemporaryDirectory directory;
  CHECK(FailsWith(OpenKeyFile(directory / "none"), Code::kNotFound, "root_key_missing"));
  const std::string path = directory.Put("root.key", kOnes);
  CHECK(SucceedsInChild([&] {
    return chmod(path.c_str(), 0) == 0 && DropPrivileges() &&
           FailsWith(OpenKeyFile(path), Code::kUnavailable, "root_key_not_read");
  }));
  std::filesystem::permissions(directory.path(), std::filesystem::perms::owner_all);
  CHECK_FALSE(OpenKeyFile(directory.path().string()));
}

TEST_CASE("a passphrase unwraps what it wrapped, and no other passphrase or salt does") {
  const auto root = ProviderPassphrase("correct horse battery");
  REQUIRE(root);
  CHECK((*root)->kind() == "passphrase");
  const auto key = SecretBytes::Random(32);
  const auto wrapped = (*root)->Wrap(key, "context");
  REQUIRE(wrapped);
  const auto again = ProviderPassphrase("correct horse battery");
  REQUIRE(again);
  const auto unwrapped = (*again)->Unwrap(*wrapped, "context");
  REQUIRE(unwrapped);
  CHECK(*unwrapped == key);
  const auto opens = [&](const Result<ProviderPointer>& other) {
    REQUIRE(other);
    return (*other)->Unwrap(*wrapped, "context").has_value();
  };
  CHECK_FALSE(opens(ProviderPassphrase("correct horse batterz")));
  CHECK_FALSE(opens(ProviderPassphrase("correct horse battery ")));
  CHECK_FALSE(opens(ProviderPassphrase("correct horse battery", 2)));
}

TEST_CASE("a passphrase of fewer than 12 bytes is refused") {
  CHECK(
      FailsWith(ProviderPassphrase("12345678901"), Code::kInvalidArgument, "passphrase_too_short"));
  CHECK(FailsWith(ProviderPassphrase(""), Code::kInvalidArgument, "passphrase_too_short"));
  CHECK(ProviderPassphrase("123456789012"));
}

TEST_CASE("a passphrase file opens the vault that it made, also where line ends counted then") {
  const TemporaryDirectory directory;
  const Argon2idParameters parameters{.passes = 1, .memory_kib = 8, .salt = Bytes(16, 1)};
  const auto secret = SecretBytes::Random(32);
  for (const std::string line : {"correct horse battery", "elevenchars"}) {
    for (const std::string& raw : {line, line + "\r", "\xef\xbb\xbf" + line + "\r"}) {
      for (const std::string& made_with : {line, raw}) {
        const auto made = OpenPassphrase(SecretBytes::CopyOf(AsBytes(made_with)), parameters);
        if (!made) continue;  // too short
        const auto wrapped = (*made)->Wrap(secret, "context");
        REQUIRE(wrapped);
        const std::string path = directory.Put("passphrase", raw + "\n");
        const auto opened = OpenPassphraseFile(path, parameters);
        REQUIRE(opened);
        REQUIRE((*opened)->Unwrap(*wrapped, "context"));
        // What it wraps from now on is of the same passphrase.
        const auto rotated = (*opened)->Wrap(secret, "context");
        REQUIRE(rotated);
        CHECK((*made)->Unwrap(*rotated, "context"));
        CHECK_FALSE((*opened)->Unwrap(*wrapped, "another"));
      }
    }
  }
  CHECK(FailsWith(OpenPassphraseFile(directory.Put("passphrase", "elevenchars\n"), parameters),
                  Code::kInvalidArgument, "passphrase_too_short"));
}

TEST_CASE("a secret file gives its first line") {
  const TemporaryDirectory directory;
  // Blanks may be its own; what editors put around a line is not.
  for (const std::string line : {"a secret", " a  secret "}) {
    for (const char* before : {"", "\xef\xbb\xbf"}) {
      for (const char* after : {"", "\n", "\nand a note\n", "\r\n", "\r\nand a note\r\n", "\r"}) {
        const auto secret = ReadSecretFile(directory.Put("secret", before + line + after));
        REQUIRE(secret);
        CHECK(AsText(secret->ExposeSecret()) == line);
      }
    }
  }
  CHECK(ReadSecretFile(directory.Put("secret", std::string(4096, 'x')))->size() == 4096);
}

TEST_CASE("a secret file that is empty, too long, missing or exposed is refused") {
  const TemporaryDirectory directory;
  for (const std::string& content : {std::string(), std::string("\n"), std::string("\nsecond"),
                                     std::string("\r\nsecond"), std::string("\xef\xbb\xbf\r\n"),
                                     std::string("\xff\xfe"
                                                 "a\0b\0",
                                                 6),
                                     std::string("\xfe\xff\0a\0b", 6), std::string(4097, 'x')}) {
    CHECK(FailsWith(ReadSecretFile(directory.Put("secret", content)), Code::kInvalidArgument,
                    "secret_file_malformed"));
  }
  CHECK(FailsWith(ReadSecretFile(directory / "none"), Code::kNotFound, "secret_file_missing"));
  CHECK(FailsWith(ReadSecretFile(directory.Put("secret", "a secret", 0644)),
                  Code::kPermissionDenied, "secret_file_exposed"));
}

namespace {

// What somebody has written into it, and nobody does any more: as of <(…).
class WrittenPipe {
 public:
  explicit WrittenPipe(std::string_view content) {
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    reading_ = ends[0];
    CHECK(write(ends[1], content.data(), content.size()) == static_cast<ssize_t>(content.size()));
    close(ends[1]);
  }
  ~WrittenPipe() { close(reading_); }
  WrittenPipe(const WrittenPipe&) = delete;
  WrittenPipe& operator=(const WrittenPipe&) = delete;
  std::string name() const { return "/dev/fd/" + std::to_string(reading_); }

 private:
  int reading_;
};

}  // namespace

TEST_CASE("a key, a passphrase and a secret come out of a pipe, which is read once") {
  const Argon2idParameters parameters{.passes = 1, .memory_kib = 8, .salt = Bytes(16, 1)};
  CHECK(OpenKeyFile(WrittenPipe(kOnes + "\n").name()));
  CHECK(ReadSecretFile(WrittenPipe("a secret\nmore\n").name())->size() == 8);
  const SecretBytes key = SecretBytes::Random(32);
  for (const std::string line : {"correct horse battery", "correct horse battery\r"}) {
    CAPTURE(line);
    const auto made = OpenPassphrase(SecretBytes::CopyOf(AsBytes(line)), parameters);
    REQUIRE(made);
    const auto wrapped = (*made)->Wrap(key, "context");
    REQUIRE(wrapped);
    const auto opened = OpenPassphraseFile(WrittenPipe(line + "\n").name(), parameters);
    REQUIRE(opened);
    // As a file of these bytes is: with the carriage return where the vault was made with it.
    CHECK((*opened)->Unwrap(*wrapped, "context"));
  }
}

TEST_CASE("a pipe that nobody writes to is no key, and nobody waits for one") {
  const TemporaryDirectory directory;
  const std::string path = directory / "pipe";
  REQUIRE(mkfifo(path.c_str(), 0600) == 0);
  CHECK(FailsWith(OpenKeyFile(path), Code::kUnavailable, "root_key_not_read"));
  CHECK(FailsWith(ReadSecretFile(path), Code::kUnavailable, "secret_file_not_read"));
  CHECK(FailsWith(OpenPassphraseFile(path, Argon2idParameters{}), Code::kUnavailable,
                  "secret_file_not_read"));
  CHECK(FailsWith(OpenKeyFile(WrittenPipe("").name()), Code::kUnavailable, "root_key_not_read"));
  CHECK(FailsWith(OpenKeyFile(directory.path().string()), Code::kPermissionDenied,
                  "root_key_exposed") !=
        FailsWith(OpenKeyFile(directory.path().string()), Code::kUnavailable, "root_key_not_read"));
}

}  // namespace coffer::crypto
