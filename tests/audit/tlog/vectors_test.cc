// The published known answers as files, read where they are: COFFER_VECTORS, or shared/vectors
// beside the source tree.
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <filesystem>

#include "audit/tlog/cosignature.h"
#include "audit/tlog/proof.h"
#include "audit/tlog/tile.h"
#include "audit/verify/verify.h"
#include "crypto/atomic_file.h"
#include "tests/audit/tlog/test_keys.h"

namespace coffer::audit {
namespace {

std::filesystem::path Directory() {
  if (const char* set = std::getenv("COFFER_VECTORS")) return set;
#ifdef COFFER_SOURCE_DIR
  return std::filesystem::path(COFFER_SOURCE_DIR) / "../shared/vectors";
#else
  return "../shared/vectors";
#endif
}

void RequireVectors() {
  if (!std::filesystem::exists(Directory() / "tlog")) {
    SKIP("no known answers in " << Directory() << "; set COFFER_VECTORS");
  }
}

std::string Read(const std::string& name) {
  const auto content = crypto::ReadFile(Directory() / "tlog" / name, 1 << 20);
  REQUIRE(content);
  return std::string(crypto::AsText(*content));
}

std::string_view WithoutNewline(std::string_view text) {
  return text.ends_with('\n') ? text.substr(0, text.size() - 1) : text;
}

std::vector<std::string> Bundle(const std::string& log, const std::string& path) {
  const auto parsed = ParseTilePath(path);
  REQUIRE(parsed);
  CHECK(FormatTilePath(*parsed) == path);
  const std::string bytes = Read(log + "/tile/" + path);
  const auto entries = ParseBundle(bytes, parsed->width);
  REQUIRE(entries);
  return {entries->begin(), entries->end()};
}

std::vector<Hash> LeafHashes(const std::vector<std::string>& entries) {
  std::vector<Hash> leaves;
  for (const std::string& entry : entries) leaves.push_back(LeafHash(crypto::AsBytes(entry)));
  return leaves;
}

std::string JoinedHashes(std::span<const Hash> hashes) {
  std::string bytes;
  for (const Hash& hash : hashes) bytes.append(crypto::AsText(hash));
  return bytes;
}

Hash RootOf(const std::vector<Hash>& leaves) {
  Frontier frontier;
  for (const Hash& leaf : leaves) frontier.Append(leaf);
  return frontier.Root();
}

VerifierKey Key(const std::string& log) {
  const std::string text = Read(log + "/log.vkey");
  const auto key = ParseVerifierKey(WithoutNewline(text));
  REQUIRE(key);
  CHECK(FormatVerifierKey(*key) == WithoutNewline(text));
  return *key;
}

TEST_CASE("the published logs' checkpoints verify and are signed alike") {
  RequireVectors();
  for (const std::string log : {"empty", "rfc8", "n300"}) {
    CAPTURE(log);
    const std::string note = Read(log + "/checkpoint");
    const auto checkpoint = VerifyCheckpoint(note, Key(log));
    REQUIRE(checkpoint);
    CHECK(SignCheckpoint(*checkpoint, LogKey()) == note);
  }
}

TEST_CASE("the published checkpoint with a witness's line verifies") {
  RequireVectors();
  const std::string cosigned = Read("n300/checkpoint.cosigned");
  const auto checkpoint = VerifyCheckpoint(cosigned, Key("n300"));
  REQUIRE(checkpoint);
  CHECK(checkpoint->size == 300);
  const WitnessKey witness{"witness.example/w1", OtherKey().public_key()};
  const auto time = VerifyCosignature(cosigned, witness);
  REQUIRE(time);
  const std::string note = Read("n300/checkpoint");
  const auto line = Cosign(note, *time, witness.name, OtherKey());
  REQUIRE(line);
  CHECK(AddSignatureLine(note, *line, witness) == cosigned);
}

TEST_CASE("the published logs' entries, tiles and roots agree") {
  RequireVectors();
  const auto reference = LeafHashes(Bundle("rfc8", "entries/000.p/8"));
  CHECK(JoinedHashes(reference) == Read("rfc8/tile/0/000.p/8"));
  CHECK(RootOf(reference) == VerifyCheckpoint(Read("rfc8/checkpoint"), Key("rfc8"))->root);
  CHECK(EmptyRoot() == VerifyCheckpoint(Read("empty/checkpoint"), Key("empty"))->root);

  auto leaves = LeafHashes(Bundle("n300", "entries/000"));
  REQUIRE(leaves.size() == kTileWidth);
  CHECK(JoinedHashes(leaves) == Read("n300/tile/0/000"));
  const Hash first_tile = PerfectRoot(leaves);
  CHECK(JoinedHashes({&first_tile, 1}) == Read("n300/tile/1/000.p/1"));
  const auto rest = LeafHashes(Bundle("n300", "entries/001.p/44"));
  CHECK(JoinedHashes(rest) == Read("n300/tile/0/001.p/44"));
  leaves.insert(leaves.end(), rest.begin(), rest.end());
  CHECK(RootOf(leaves) == VerifyCheckpoint(Read("n300/checkpoint"), Key("n300"))->root);
}

// Stored full tiles and entries, as a vault has them.
class PublishedLog final : public LogSource {
 public:
  explicit PublishedLog(std::vector<std::string> entries) : entries_(std::move(entries)) {}
  Result<std::uint64_t> Size() override { return entries_.size(); }
  Status ReadEntries(std::uint64_t from, std::uint64_t to,
                     const std::function<Status(std::uint64_t, std::string_view)>& each) override {
    for (std::uint64_t seq = from; seq < to; ++seq) COFFER_TRY(each(seq, entries_[seq]));
    return {};
  }
  Result<crypto::Bytes> ReadTile(unsigned level, std::uint64_t n) override {
    if (level != 0 || n >= entries_.size() / kTileWidth) return Fail(Code::kNotFound, "no_tile");
    std::vector<std::string> entries(entries_.begin(), entries_.begin() + kTileWidth);
    const std::string bytes = JoinedHashes(LeafHashes(entries));
    return crypto::Bytes(bytes.begin(), bytes.end());
  }

 private:
  std::vector<std::string> entries_;
};

TEST_CASE("the published logs' tiles and bundles are served alike") {
  RequireVectors();
  auto entries = Bundle("n300", "entries/000");
  for (std::string& entry : Bundle("n300", "entries/001.p/44")) entries.push_back(std::move(entry));
  PublishedLog n300(entries);
  PublishedLog rfc8(Bundle("rfc8", "entries/000.p/8"));
  const auto alike = [](PublishedLog& log, const std::string& name, const std::string& path) {
    CAPTURE(name, path);
    const auto parsed = ParseTilePath(path);
    REQUIRE(parsed);
    const std::string published = Read(name + "/tile/" + path);
    if (parsed->entries) {
      CHECK(ReadBundleAt(log, *parsed, *log.Size()) == published);
    } else {
      const auto tile = ReadTileAt(log, *parsed, *log.Size());
      REQUIRE(tile);
      CHECK(crypto::AsText(*tile) == published);
    }
  };
  for (const std::string path :
       {"0/000", "0/001.p/44", "1/000.p/1", "entries/000", "entries/001.p/44"}) {
    alike(n300, "n300", path);
  }
  for (const std::string path : {"0/000.p/8", "entries/000.p/8"}) alike(rfc8, "rfc8", path);
}

TEST_CASE("the published proof verifies") {
  RequireVectors();
  const std::string text = Read("n300/257.tlog-proof");
  const auto proof = ParseProof(text);
  REQUIRE(proof);
  CHECK(FormatProof(*proof) == text);
  CHECK(VerifyProof(*proof, crypto::AsBytes("entry 257"), Key("n300")));
}

}  // namespace
}  // namespace coffer::audit
