#include "audit/documents/ledger_file.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/audit/documents/test_ledger.h"

namespace coffer::audit {
namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "coffer-ledger-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string ledger() const { return path_ / "ledger"; }
  std::string Content() const {
    std::ifstream file(ledger(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void Write(std::string_view text) const { std::ofstream(ledger(), std::ios::binary) << text; }
  LedgerFile Open() const {
    auto file = LedgerFile::Open(ledger(), LedgerKeys());
    if (!file) FAIL(file.error().reason << " " << file.error().detail);
    return *std::move(file);
  }
  // The reason why it cannot be opened.
  std::string Refusal() const {
    const auto file = LedgerFile::Open(ledger(), LedgerKeys());
    return file ? "" : std::string(file.error().reason);
  }

 private:
  fs::path path_;
};

Status Append(LedgerFile& file, const std::vector<LedgerErasure>& erasures,
              const crypto::SigningKey& key = LogKey()) {
  return file.Append(erasures, kOrigin, key);
}

TEST_CASE("a new ledger is empty and its owner's, and grows by what is appended") {
  const Folder folder;
  {
    LedgerFile file = folder.Open();
    CHECK(file.head() == LedgerHead{});
    struct stat status{};
    REQUIRE(stat(folder.ledger().c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    CHECK(Append(file, {ErasureNo(0)}));
    CHECK(Append(file, {}));
    CHECK(Append(file, {ErasureNo(1), RecordsErasure(450)}));
    CHECK(file.head().n == 5);
  }
  CHECK(folder.Content() == Lines({ErasureNo(0), ErasureNo(1), RecordsErasure(450)}));
  std::size_t seen = 0;
  auto again = LedgerFile::Open(folder.ledger(), LedgerKeys(), [&](const LedgerLine& line) {
    CHECK(line.at.n == seen);
    ++seen;
    return Status();
  });
  REQUIRE(again);
  CHECK(seen == 5);
  CHECK(again->head().n == 5);
  CHECK(again->cut_bytes() == 0);
  CHECK(Append(*again, {ErasureNo(8)}));
  CHECK(ReadLedger(folder.Content()).state.head.n == 6);
}

TEST_CASE("a line that a crash cut short is cut off, wherever it ends") {
  const Folder folder;
  const std::string whole = Lines({ErasureNo(0), ErasureNo(1)});
  const auto first = whole.find('\n') + 1;
  for (std::size_t size = first; size < whole.size(); size += 7) {
    folder.Write(whole.substr(0, size));
    LedgerFile file = folder.Open();
    CHECK(file.cut_bytes() == size - first);
    CHECK(folder.Content() == whole.substr(0, first));
    CHECK(Append(file, {ErasureNo(1)}));
    CHECK(folder.Content() == whole);
  }
  folder.Write("{\"cl");
  CHECK(folder.Open().head().n == 0);
  CHECK(folder.Content().empty());
}

TEST_CASE("a damaged ledger is left as it is") {
  const Folder folder;
  std::string text = Lines({ErasureNo(0), ErasureNo(1)}) + "{\"torn";
  text[20] ^= 0x01;
  folder.Write(text);
  CHECK(folder.Refusal() == "ledger_damaged");
  CHECK(folder.Content() == text);
}

TEST_CASE("one process writes a ledger at a time") {
  const Folder folder;
  {
    LedgerFile file = folder.Open();
    CHECK(folder.Refusal() == "ledger_in_use");
    LedgerFile moved = std::move(file);
    CHECK(folder.Refusal() == "ledger_in_use");
    CHECK(Append(moved, {ErasureNo(0)}));
  }
  CHECK(folder.Refusal().empty());
}

TEST_CASE("what is no file is no ledger") {
  const Folder folder;
  fs::create_directory(folder.ledger());
  CHECK(folder.Refusal() == "ledger_not_opened");
  fs::remove(folder.ledger());
  fs::create_symlink(folder.ledger() + ".elsewhere", folder.ledger());
  CHECK(folder.Refusal() == "ledger_not_opened");
  fs::remove(folder.ledger());
  REQUIRE(mkfifo(folder.ledger().c_str(), 0600) == 0);
  CHECK(folder.Refusal() == "ledger_not_opened");
  CHECK_FALSE(LedgerFile::Open(folder.ledger() + "/x", LedgerKeys()));
}

TEST_CASE("bad erasures, other vaults and unknown keys change nothing") {
  const Folder folder;
  LedgerFile file = folder.Open();
  REQUIRE(Append(file, {ErasureNo(0)}));
  const std::string before = folder.Content();
  LedgerErasure bad = ErasureNo(2);
  bad.client = "Jane";
  LedgerErasure elsewhere = ErasureNo(2);
  elsewhere.vault = "06bk4v0c5s3x9t7q2n8h1w6m4w";
  for (const LedgerErasure& erasure : {bad, elsewhere}) {
    const Status status = Append(file, {ErasureNo(1), erasure});
    REQUIRE_FALSE(status);
    CHECK(status.error().reason == "ledger_line_invalid");
  }
  CHECK(Append(file, {ErasureNo(1)}, OtherKey()).error().reason == "ledger_line_invalid");
  CHECK(file.Append(std::vector{ErasureNo(1)}, "elsewhere", LogKey()).error().reason ==
        "ledger_line_invalid");
  CHECK(folder.Content() == before);
  CHECK(Append(file, {ErasureNo(1)}));
  CHECK(ReadLedger(folder.Content()).state.head.n == 2);
}

// A file that may not grow stands for a disk that is full.
TEST_CASE("a new key vouches for what earlier ones wrote, once") {
  const Folder folder;
  const VerifierKey other = {std::string(kOrigin), OtherKey().public_key()};
  {
    LedgerFile file = folder.Open();
    REQUIRE(file.Cover(kOrigin, LogKey()));  // of nothing
    CHECK(file.head() == LedgerHead{});
    REQUIRE(Append(file, {ErasureNo(0), RecordsErasure(205)}));
  }
  const std::string before = folder.Content();
  CHECK_FALSE(LedgerFile::Open(folder.ledger(), {other}));
  for (int again = 0; again < 2; ++again) {
    auto file = LedgerFile::Open(folder.ledger(), {LogVerifier(), other});
    REQUIRE(file);
    REQUIRE(file->Cover(kOrigin, OtherKey()));
    CHECK(file->head().n == 4);
  }
  CHECK(folder.Content().starts_with(before));
  auto reading = ReadLedger(folder.Content(), 1000, {other});
  INFO(reading.problem());
  REQUIRE(reading.lines.size() == 4);
  CHECK(reading.lines[3].erasure == reading.lines[2].erasure);
  CHECK(reading.lines[3].part == 2);
  auto file = LedgerFile::Open(folder.ledger(), {other});
  REQUIRE(file);
  REQUIRE(Append(*file, {ErasureNo(1)}, OtherKey()));
  CHECK(ReadLedger(folder.Content(), 1000, {other}).lines.size() == 5);
}

TEST_CASE("a write that fails half way leaves the ledger as it was") {
  const Folder folder;
  LedgerFile file = folder.Open();
  REQUIRE(Append(file, {ErasureNo(0)}));
  const std::string before = folder.Content();
  rlimit old{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &old) == 0);
  const auto old_action = signal(SIGXFSZ, SIG_IGN);
  const rlimit little{before.size() + 100, old.rlim_max};
  REQUIRE(setrlimit(RLIMIT_FSIZE, &little) == 0);
  const Status status = Append(file, {ErasureNo(1), ErasureNo(2)});
  REQUIRE(setrlimit(RLIMIT_FSIZE, &old) == 0);
  signal(SIGXFSZ, old_action);
  REQUIRE_FALSE(status);
  CHECK(status.error().reason == "ledger_not_written");
  CHECK(folder.Content() == before);
  CHECK(file.head().n == 1);
  CHECK(Append(file, {ErasureNo(1)}));
  CHECK(ReadLedger(folder.Content()).state.head.n == 2);
}

}  // namespace
}  // namespace coffer::audit
