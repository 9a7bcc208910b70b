// The published known answers as files, read where they are: COFFER_VECTORS, or shared/vectors
// beside the source tree.
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <filesystem>

#include "audit/proof.h"
#include "audit/verify.h"
#include "crypto/atomic_file.h"
#include "tests/audit/test_keys.h"

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

// Entries as tlog-tiles bundles them: u16 big-endian length ‖ entry.
std::vector<std::string> Bundle(const std::string& name) {
  const std::string bytes = Read(name);
  std::vector<std::string> entries;
  for (std::size_t at = 0; at < bytes.size();) {
    REQUIRE(bytes.size() - at >= 2);
    const std::size_t size = static_cast<std::size_t>(static_cast<unsigned char>(bytes[at])) * 256 +
                             static_cast<unsigned char>(bytes[at + 1]);
    REQUIRE(bytes.size() - at - 2 >= size);
    entries.push_back(bytes.substr(at + 2, size));
    at += 2 + size;
  }
  return entries;
}

std::vector<Hash> Leaves(const std::vector<std::string>& entries) {
  std::vector<Hash> leaves;
  for (const std::string& entry : entries) leaves.push_back(LeafHash(crypto::AsBytes(entry)));
  return leaves;
}

std::string Joined(std::span<const Hash> hashes) {
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
  const auto checkpoint = VerifyCheckpoint(Read("n300/checkpoint.cosigned"), Key("n300"));
  REQUIRE(checkpoint);
  CHECK(checkpoint->size == 300);
}

TEST_CASE("the published logs' entries, tiles and roots agree") {
  RequireVectors();
  const auto reference = Leaves(Bundle("rfc8/tile/entries/000.p/8"));
  CHECK(Joined(reference) == Read("rfc8/tile/0/000.p/8"));
  CHECK(RootOf(reference) == VerifyCheckpoint(Read("rfc8/checkpoint"), Key("rfc8"))->root);
  CHECK(EmptyRoot() == VerifyCheckpoint(Read("empty/checkpoint"), Key("empty"))->root);

  auto leaves = Leaves(Bundle("n300/tile/entries/000"));
  REQUIRE(leaves.size() == kTileWidth);
  CHECK(Joined(leaves) == Read("n300/tile/0/000"));
  const Hash first_tile = PerfectRoot(leaves);
  CHECK(Joined({&first_tile, 1}) == Read("n300/tile/1/000.p/1"));
  const auto rest = Leaves(Bundle("n300/tile/entries/001.p/44"));
  CHECK(Joined(rest) == Read("n300/tile/0/001.p/44"));
  leaves.insert(leaves.end(), rest.begin(), rest.end());
  CHECK(RootOf(leaves) == VerifyCheckpoint(Read("n300/checkpoint"), Key("n300"))->root);
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
