#include "audit/tlog/cosignature.h"

#include <catch2/catch_test_macros.hpp>

#include "crypto/encoding.h"
#include "tests/audit/tlog/test_keys.h"

namespace coffer::audit {
namespace {

constexpr std::string_view kWitness = "witness.example/w1";
constexpr std::uint64_t kTime = 1'679'315'147;
constexpr std::string_view kCosignedNote =
    "vault.example/audit\n300\nyjk9Apa+xeC43KuYO9H7fRRh9RLnJny4ljGtJv1m2Eg=\n\n"
    "— vault.example/audit "
    "bFu674DqJLf2hesKu7Dy+gsIomxP2Po71Vx+U4M8AkTEFzePb8pNN/r+jXgSIiVvD4HnTc/"
    "1nT1zEPqshT6jfQGNfgk=\n";
constexpr std::string_view kLine =
    "— witness.example/w1 "
    "BNLYMwAAAABkGFDLTcMYmVH2pGlHPgJkp7t4onkmFf+nUdPzxXCkrQydILSR/"
    "pPv+CaSQA9nVEue5QUGv1cRUfnVCHHpS3HUEKhOAA==\n";

WitnessKey Witness() { return {std::string(kWitness), OtherKey().public_key()}; }

std::string LineAt(std::uint64_t time, std::string_view name = kWitness,
                   const crypto::SigningKey& key = OtherKey()) {
  auto line = Cosign(kCosignedNote, time, name, key);
  REQUIRE(line);
  return *line;
}

// The line with its base64 decoded, changed and encoded again.
template <class Change>
std::string Changed(std::string_view line, Change change) {
  const auto space = line.rfind(' ') + 1;
  auto blob = *crypto::Base64Decode(line.substr(space, line.size() - space - 1));
  change(blob);
  return std::string(line.substr(0, space)) + crypto::Base64Encode(blob) + "\n";
}

std::string Outcome(const std::string& note, const WitnessKey& key = Witness()) {
  const auto time = VerifyCosignature(note, key);
  return time ? std::to_string(*time) : std::string(time.error().reason);
}

std::string Added(std::string_view note, std::string_view line) {
  const auto added = AddSignatureLine(note, line, Witness());
  return added ? *added : std::string(added.error().reason);
}

const std::string kCosigned = std::string(kCosignedNote).append(kLine);

TEST_CASE("a cosignature is made and verified as published") {
  CHECK(LineAt(kTime) == kLine);
  CHECK(Outcome(kCosigned) == std::to_string(kTime));
  CHECK(VerifyCheckpoint(kCosigned, LogVerifier()));
}

TEST_CASE("a witness's key is written and read, and is no log's key") {
  const std::string text = FormatWitnessKey(Witness());
  CHECK(text.starts_with("witness.example/w1+04d2d833+BD"));
  const auto key = ParseWitnessKey(text);
  REQUIRE(key);
  CHECK(key->name == kWitness);
  CHECK(key->key == OtherKey().public_key());
  CHECK_FALSE(ParseVerifierKey(text));
  const std::string logs = FormatVerifierKey({std::string(kWitness), OtherKey().public_key()});
  CHECK(ParseWitnessKey(logs).error().reason == "witness_key_malformed");
  CHECK(ParseWitnessKey("").error().reason == "witness_key_malformed");
}

TEST_CASE("the times that the format allows are signed, and no others") {
  for (const std::uint64_t time : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{INT64_MAX}}) {
    CHECK(Outcome(std::string(kCosignedNote) + LineAt(time)) == std::to_string(time));
  }
  CHECK(Cosign(kCosignedNote, std::uint64_t{1} << 63, kWitness, OtherKey()).error().reason ==
        "cosignature_time_invalid");
  // Signed all the same, as somebody else's code might.
  std::string text(kCosignedNote.substr(0, kCosignedNote.find("\n\n") + 1));
  const auto signature =
      OtherKey().Sign(crypto::AsBytes("cosignature/v1\ntime 9223372036854775808\n" + text));
  const std::string line = Changed(kLine, [&](crypto::Bytes& blob) {
    std::fill_n(blob.begin() + 4, 8, std::uint8_t{0});
    blob[4] = 0x80;
    std::ranges::copy(signature, blob.begin() + 12);
  });
  CHECK(Outcome(std::string(kCosignedNote) + line) == "cosignature_wrong");
}

TEST_CASE("no bit of a cosignature or of what it covers can be changed") {
  for (std::size_t byte = 0; byte < 76; ++byte) {
    const std::string line = Changed(kLine, [&](crypto::Bytes& blob) { blob[byte] ^= 0x04; });
    CAPTURE(byte);
    CHECK(Outcome(std::string(kCosignedNote) + line) ==
          (byte < 4 ? "cosignature_missing" : "cosignature_wrong"));
  }
  for (const std::size_t size : {5UZ, 11UZ, 12UZ, 75UZ, 77UZ}) {
    const std::string line = Changed(kLine, [&](crypto::Bytes& blob) { blob.resize(size); });
    CHECK(Outcome(std::string(kCosignedNote) + line) == "cosignature_wrong");
  }
  for (std::size_t i = 0; i < kCosignedNote.find("\n\n"); ++i) {
    std::string note = kCosigned;
    note[i] ^= 0x01;
    REQUIRE(VerifyCosignature(note, Witness()).has_value() == false);
  }
}

TEST_CASE("extension lines are covered") {
  const std::string extended =
      std::string(kCosignedNote).insert(kCosignedNote.find("\n\n") + 1, "extension one\n");
  CHECK(Outcome(extended + std::string(kLine)) == "cosignature_wrong");
  const auto line = Cosign(extended, kTime, kWitness, OtherKey());
  REQUIRE(line);
  CHECK(Outcome(extended + *line) == std::to_string(kTime));
  CHECK(Outcome(std::string(kCosignedNote) + *line) == "cosignature_wrong");
}

TEST_CASE("lines of others are ignored, also under the witness's name or with its key") {
  CHECK(Outcome(std::string(kCosignedNote)) == "cosignature_missing");
  CHECK(Outcome(std::string(kCosignedNote) + LineAt(kTime, "witness.example/w2")) ==
        "cosignature_missing");
  CHECK(Outcome(std::string(kCosignedNote) + LineAt(kTime, kWitness, LogKey())) ==
        "cosignature_missing");
  CHECK(Outcome(kCosigned + LineAt(kTime, kWitness, LogKey())) == std::to_string(kTime));
  // An ordinary signature of the same key has another type, and so another key id.
  CHECK(Outcome(SignCheckpoint({std::string(kWitness), 1, {}}, OtherKey())) ==
        "cosignature_missing");
}

TEST_CASE("a second line of the witness must say the same") {
  CHECK(Outcome(kCosigned + std::string(kLine)) == std::to_string(kTime));
  CHECK(Outcome(kCosigned + LineAt(kTime + 1)) == "cosignature_conflicting");
  const std::string wrong = Changed(kLine, [](crypto::Bytes& blob) { blob.back() ^= 1; });
  CHECK(Outcome(kCosigned + wrong) == "cosignature_wrong");
  CHECK(Outcome(std::string(kCosignedNote) + wrong + std::string(kLine)) == "cosignature_wrong");
}

TEST_CASE("sixteen and more signatures are accepted") {
  std::string note(kCosignedNote);
  for (int i = 0; i < 40; ++i) note += LineAt(kTime, "witness.example/x" + std::to_string(i));
  note += kLine;
  CHECK(Outcome(note) == std::to_string(kTime));
  CHECK(VerifyCheckpoint(note, LogVerifier()));
}

TEST_CASE("what is no checkpoint is not cosigned or verified") {
  for (const std::string& note :
       {std::string(), std::string(kLine), "text\n\n" + std::string(kLine), kCosigned + "junk\n",
        kCosigned.substr(0, kCosigned.size() - 1)}) {
    CHECK(Outcome(note) == "checkpoint_malformed");
    CHECK(Cosign(note, kTime, kWitness, OtherKey()).error().reason == "checkpoint_malformed");
    CHECK(Added(note, kLine) == "checkpoint_malformed");
  }
}

TEST_CASE("a line is added once it is found right") {
  CHECK(Added(kCosignedNote, kLine) == kCosigned);
  CHECK(Added(kCosignedNote, kLine.substr(0, kLine.size() - 1)) == kCosigned);
  CHECK(Added(kCosigned, kLine) == kCosigned);
  CHECK(Added(kCosigned, LineAt(kTime + 1)) == "cosignature_conflicting");
  CHECK(Added(kCosignedNote, Changed(kLine, [](crypto::Bytes& blob) { blob.back() ^= 1; })) ==
        "cosignature_wrong");
  for (const std::string_view note : {kCosignedNote, std::string_view(kCosigned)}) {
    CHECK(Added(note, LineAt(kTime, "witness.example/w2")) == "cosignature_missing");
  }
  CHECK(Added(kCosignedNote, LineAt(kTime, kWitness, LogKey())) == "cosignature_missing");
  for (const std::string& line :
       {std::string(), std::string("\n"), "\n" + std::string(kLine), std::string(kLine) + "\n",
        std::string(kLine) + std::string(kLine), "x" + std::string(kLine)}) {
    CAPTURE(line);
    CHECK(Added(kCosignedNote, line) == "cosignature_missing");
  }
}

}  // namespace
}  // namespace coffer::audit
