#include "audit/tlog/checkpoint.h"

#include <catch2/catch_test_macros.hpp>

#include "crypto/encoding.h"
#include "crypto/hash.h"
#include "tests/audit/tlog/test_keys.h"

namespace coffer::audit {
namespace {

constexpr std::string_view kKey =
    "vault.example/audit+6c5bbaef+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";
constexpr std::string_view kNote =
    "vault.example/audit\n300\nyjk9Apa+xeC43KuYO9H7fRRh9RLnJny4ljGtJv1m2Eg=\n\n"
    "— vault.example/audit "
    "bFu674DqJLf2hesKu7Dy+gsIomxP2Po71Vx+U4M8AkTEFzePb8pNN/r+jXgSIiVvD4HnTc/"
    "1nT1zEPqshT6jfQGNfgk=\n";
constexpr std::string_view kWitnessLine =
    "— witness.example/w1 "
    "BNLYMwAAAABkGFDLTcMYmVH2pGlHPgJkp7t4onkmFf+nUdPzxXCkrQydILSR/"
    "pPv+CaSQA9nVEue5QUGv1cRUfnVCHHpS3HUEKhOAA==\n";
constexpr std::string_view kRoot = "yjk9Apa+xeC43KuYO9H7fRRh9RLnJny4ljGtJv1m2Eg=";

Checkpoint Published() {
  return {std::string(kOrigin), 300,
          HashFromHex("ca393d0296bec5e0b8dcab983bd1fb7d1461f512e7267cb89631ad26fd66d848")};
}

// A signature line as anybody could compute it from the specification.
std::string LineSigned(std::string_view text, std::string_view name,
                       const crypto::SigningKey& key) {
  crypto::Bytes named(name.begin(), name.end());
  named.push_back('\n');
  named.push_back(1);
  named.insert(named.end(), key.public_key().begin(), key.public_key().end());
  const Hash id = crypto::Sha256(named);
  crypto::Bytes blob(id.begin(), id.begin() + 4);
  const crypto::Signature signature = key.Sign(crypto::AsBytes(text));
  blob.insert(blob.end(), signature.begin(), signature.end());
  std::string line = "— ";
  return line.append(name).append(" ").append(crypto::Base64Encode(blob)).append("\n");
}

std::string TextSigned(std::string text) {
  const std::string line = LineSigned(text, kOrigin, LogKey());
  return text.append("\n").append(line);
}

std::string Text(std::string_view origin, std::string_view size, std::string_view root) {
  std::string text(origin);
  return text.append("\n").append(size).append("\n").append(root).append("\n");
}

// The reason of the refusal, or "verified".
std::string Outcome(std::string_view note, const VerifierKey& key = LogVerifier()) {
  const auto checkpoint = VerifyCheckpoint(note, key);
  if (checkpoint) return "verified";
  CHECK(checkpoint.error().code == Code::kCorrupted);
  return std::string(checkpoint.error().reason);
}

TEST_CASE("a checkpoint is signed as published") {
  CHECK(SignCheckpoint(Published(), LogKey()) == kNote);
  CHECK(CheckpointText(Published()) == kNote.substr(0, kNote.find("\n\n") + 1));
}

TEST_CASE("a published checkpoint is verified") {
  const auto checkpoint = VerifyCheckpoint(kNote, LogVerifier());
  REQUIRE(checkpoint);
  CHECK(*checkpoint == Published());
}

TEST_CASE("a witness's line beside the log's is ignored in any order") {
  CHECK(Outcome(std::string(kNote).append(kWitnessLine)) == "verified");
  std::string note(kNote);
  note.insert(note.find("\n\n") + 2, kWitnessLine);
  CHECK(Outcome(note) == "verified");
}

TEST_CASE("a verifier key is written and read as published") {
  CHECK(FormatVerifierKey(LogVerifier()) == kKey);
  const auto key = ParseVerifierKey(kKey);
  REQUIRE(key);
  CHECK(key->name == kOrigin);
  CHECK(key->key == LogKey().public_key());
}

TEST_CASE("a verifier key of another form, algorithm or id is refused") {
  const auto refused = [](std::string_view from, std::string_view to) {
    std::string text(kKey);
    const auto at = text.find(from);
    text = text.substr(0, at).append(to).append(text.substr(at + from.size()));
    const auto key = ParseVerifierKey(text);
    return !key && key.error().reason == "verifier_key_malformed";
  };
  CHECK(refused("vault.example/audit", ""));
  CHECK(refused("vault.example/audit", "vault.example/other"));
  CHECK(refused("vault.example", "vault example"));
  CHECK(refused("vault.example", "vault\u00A0example"));
  CHECK(refused("vault.example", "vault\nexample"));
  CHECK(refused("vault.example", "vault\xff"));
  CHECK(refused("6c5bbaef", "6c5bbaee"));
  CHECK(refused("6c5bbaef", "6C5BBAEF"));
  CHECK(refused("6c5bbaef+", ""));
  CHECK(refused("B1Ea", "B1Eb"));
  CHECK(refused("B1Ea", "B1E="));
  CHECK(refused("B1Ea", "B1Ea\n"));
  CHECK(refused("+Add", "+Bdd"));  // algorithm 05
  CHECK_FALSE(ParseVerifierKey(""));
  CHECK_FALSE(ParseVerifierKey("++"));
}

TEST_CASE("no byte of a signed checkpoint can be changed") {
  for (std::size_t i = 0; i < kNote.size(); ++i) {
    for (const unsigned flip : {0x01U, 0x20U, 0x80U}) {
      std::string note(kNote);
      note[i] = static_cast<char>(static_cast<unsigned char>(note[i]) ^ flip);
      CAPTURE(i, flip);
      REQUIRE(Outcome(note) != "verified");
    }
    REQUIRE(Outcome(kNote.substr(0, i)) != "verified");
    REQUIRE(Outcome(kNote.substr(i + 1)) != "verified");
  }
}

TEST_CASE("a checkpoint by another key is not the log's") {
  CHECK(Outcome(SignCheckpoint(Published(), OtherKey())) == "checkpoint_signature_missing");
  // The other key's signature under the log's own name and key id.
  std::string line = LineSigned(CheckpointText(Published()), kOrigin, OtherKey());
  auto blob = *crypto::Base64Decode(line.substr(line.rfind(' ') + 1, 92));
  const std::uint8_t id[] = {0x6c, 0x5b, 0xba, 0xef};
  std::copy(std::begin(id), std::end(id), blob.begin());
  line = line.substr(0, line.rfind(' ') + 1).append(crypto::Base64Encode(blob)).append("\n");
  CHECK(Outcome(CheckpointText(Published()).append("\n").append(line)) ==
        "checkpoint_signature_wrong");
  // A right line before or behind does not mend it.
  CHECK(Outcome(std::string(kNote).append(line)) == "checkpoint_signature_wrong");
  std::string note(kNote);
  note.insert(note.find("\n\n") + 2, line);
  CHECK(Outcome(note) == "checkpoint_signature_wrong");
}

TEST_CASE("a checkpoint of another origin is refused even when the log's key signed it") {
  Checkpoint other = Published();
  other.origin = "vault.example/other";
  CHECK(Outcome(SignCheckpoint(other, LogKey())) == "checkpoint_origin_wrong");
  CHECK(Outcome(TextSigned(CheckpointText(other))) == "checkpoint_origin_wrong");
}

TEST_CASE("a truncated signature is wrong") {
  const std::string text = CheckpointText(Published());
  std::string line = LineSigned(text, kOrigin, LogKey());
  auto blob = *crypto::Base64Decode(line.substr(line.rfind(' ') + 1, 92));
  blob.pop_back();
  line = line.substr(0, line.rfind(' ') + 1).append(crypto::Base64Encode(blob)).append("\n");
  CHECK(Outcome(text + "\n" + line) == "checkpoint_signature_wrong");
}

TEST_CASE("extension lines are signed and otherwise ignored") {
  const std::string text = CheckpointText(Published());
  const std::string note = TextSigned(text + "extension one\nextension two\n");
  const auto checkpoint = VerifyCheckpoint(note, LogVerifier());
  REQUIRE(checkpoint);
  CHECK(*checkpoint == Published());
  std::string changed = note;
  changed[changed.find("one")] = 'O';
  CHECK(Outcome(changed) == "checkpoint_signature_wrong");
  CHECK(Outcome(TextSigned(text + "one\n\ntwo\n")) == "checkpoint_malformed");
  CHECK(Outcome(TextSigned(text + "\n")) == "checkpoint_malformed");
}

TEST_CASE("signed texts that are no checkpoint are malformed") {
  CHECK(Outcome(TextSigned(Text(kOrigin, "300", kRoot))) == "verified");
  CHECK(Outcome(TextSigned(Text(kOrigin, "18446744073709551615", kRoot))) == "verified");
  for (const std::string_view size :
       {"", "0300", "+300", "-300", "300 ", "3e2", "0x12c", "18446744073709551616"}) {
    CAPTURE(size);
    CHECK(Outcome(TextSigned(Text(kOrigin, size, kRoot))) == "checkpoint_malformed");
  }
  for (const std::string_view root : {
           "",
           "yjk9Apa+xeC43KuYO9H7fRRh9RLnJny4ljGtJv1m2A==",  // 31 bytes
           "yjk9Apa+xeC43KuYO9H7fRRh9RLnJny4ljGtJv1m2EgA",  // 33 bytes
           "yjk9Apa+xeC43KuYO9H7fRRh9RLnJny4ljGtJv1m2Eh=",  // trailing bits
           "yjk9Apa+xeC43KuYO9H7fRRh9RLnJny4ljGtJv1m2Eg",   // no padding
           "yjk9Apa-xeC43KuYO9H7fRRh9RLnJny4ljGtJv1m2Eg=",  // another alphabet
           "yjk9Apa+xeC43KuYO9H7fRRh9RLnJny4ljGtJv1m2Eg= ",
           "yjk9Apa+xeC43KuYO9H7\rRRh9RLnJny4ljGtJv1m2Eg=",
       }) {
    CAPTURE(root);
    CHECK(Outcome(TextSigned(Text(kOrigin, "300", root))) == "checkpoint_malformed");
  }
  CHECK(Outcome(TextSigned("")) == "checkpoint_malformed");
  CHECK(Outcome(TextSigned("vault.example/audit\n300\n")) == "checkpoint_malformed");
  CHECK(Outcome(TextSigned(Text("", "300", kRoot))) == "checkpoint_malformed");
}

TEST_CASE("a signed text that is no note's is malformed") {
  const std::string text = CheckpointText(Published());
  CHECK(Outcome(TextSigned(text + "größe\n")) == "verified");
  for (const std::string_view extension : {"tab\t", "\r", "\x01", "\x1f", "\xff", "\xc3"}) {
    CAPTURE(extension);
    CHECK(Outcome(TextSigned(text + std::string(extension) + "\n")) == "checkpoint_malformed");
  }
}

TEST_CASE("notes without proper signature lines are malformed") {
  const std::string text = CheckpointText(Published());
  for (const std::string_view lines :
       {"", "\n", "- vault.example/audit AAAAAAA=\n", "— vault.example/audit\n",
        "— vault.example/audit \n", "— vault.example/audit AAAAAA==\n",
        "— vault.example/audit ????\n", "— vault.example/audit AAAAAAA=", "—  AAAAAAA=\n",
        "— a+b AAAAAAA=\n", "— a\tb AAAAAAA=\n", "— a\xff AAAAAAA=\n",
        "— vault.example/audit AAAAAAA= x\n"}) {
    CAPTURE(lines);
    CHECK(Outcome(text + "\n" + std::string(lines)) == "checkpoint_malformed");
  }
  CHECK(Outcome(text + "\n— someone.else AAAAAAA=\n") == "checkpoint_signature_missing");
  CHECK(Outcome(std::string(kNote) + "trailing junk\n") == "checkpoint_malformed");
  CHECK(Outcome("") == "checkpoint_malformed");
}

TEST_CASE("an unknown key that shares the log's name is ignored") {
  std::string note(kNote);
  note.append("— vault.example/audit AAAAAAA=\n");
  CHECK(Outcome(note) == "verified");
}

TEST_CASE("the same signature twice is one signature") {
  std::string note(kNote);
  const std::string line = note.substr(note.find("\n\n") + 2);
  for (int i = 0; i < 3; ++i) CHECK(Outcome(note += line) == "verified");
}

TEST_CASE("a signature of another type is not the log's, under its own name and key too") {
  const std::string text = CheckpointText(Published());
  for (const int type : {0x00, 0x02, 0x03, 0x04, 0x05, 0x06, 0x7f, 0xff}) {
    CAPTURE(type);
    crypto::Bytes named(kOrigin.begin(), kOrigin.end());
    named.push_back('\n');
    named.push_back(static_cast<std::uint8_t>(type));
    const auto key = LogKey().public_key();
    named.insert(named.end(), key.begin(), key.end());
    const Hash id = crypto::Sha256(named);
    crypto::Bytes blob(id.begin(), id.begin() + 4);
    const crypto::Signature signature = LogKey().Sign(crypto::AsBytes(text));
    blob.insert(blob.end(), signature.begin(), signature.end());
    const std::string line =
        std::string("— ").append(kOrigin).append(" ").append(crypto::Base64Encode(blob)) + "\n";
    CHECK(Outcome(text + "\n" + line) == "checkpoint_signature_missing");
    CHECK(Outcome(std::string(kNote) + line) == "verified");
  }
}

// The specification: at least 16 signatures, of which each can have nearly 5 kB.
TEST_CASE("a note with 16 long signatures of unknown kinds beside the log's is verified") {
  std::string before, behind;
  for (int i = 0; i < 16; ++i) {
    const crypto::Bytes signature(4 + 4995, static_cast<std::uint8_t>(i + 1));
    const std::string line = "\u2014 witness" + std::to_string(i) + ".example/quantum " +
                             crypto::Base64Encode(signature) + "\n";
    (i % 2 == 0 ? before : behind) += line;
  }
  const std::string_view note(kNote);
  const auto signatures = note.rfind("\n\n") + 2;
  const std::string all = std::string(note.substr(0, signatures)) + before +
                          std::string(note.substr(signatures)) + behind;
  CHECK(all.size() > 100'000);
  CHECK(Outcome(all) == "verified");
  CHECK(Outcome(std::string(note.substr(0, signatures)) + before + behind) ==
        "checkpoint_signature_missing");
  const auto anchor = ParseAnchor(FormatAnchor({7, all}));
  REQUIRE(anchor);
  CHECK(anchor->note == all);
}

TEST_CASE("a note of more than 256 KiB is refused before it is read") {
  std::string note(kNote);
  while (note.size() + kWitnessLine.size() <= kMaxNoteBytes) note.append(kWitnessLine);
  CHECK(Outcome(note) == "verified");
  note.append(kWitnessLine);
  CHECK(Outcome(note) == "checkpoint_malformed");
}

TEST_CASE("an anchor keeps its counter and note") {
  const Anchor anchor{42, std::string(kNote)};
  const std::string text = FormatAnchor(anchor);
  CHECK(text == "coffer-anchor-v1\ncounter 42\n\n" + std::string(kNote));
  const auto parsed = ParseAnchor(text);
  REQUIRE(parsed);
  CHECK(parsed->counter == 42);
  CHECK(parsed->note == kNote);
}

TEST_CASE("an anchor of another form is refused") {
  const std::string note(kNote);
  for (const std::string& text :
       {std::string(), std::string("coffer-anchor-v1\n"), "coffer-anchor-v2\ncounter 1\n\n" + note,
        "coffer-anchor-v1\ncounter 01\n\n" + note, "coffer-anchor-v1\ncounter -1\n\n" + note,
        "coffer-anchor-v1\ncounter \n\n" + note, "coffer-anchor-v1\ncounter 1\n" + note,
        "coffer-anchor-v1\ncounter 18446744073709551616\n\n" + note,
        std::string("coffer-anchor-v1\ncounter 1\n\n"),
        "coffer-anchor-v1\ncounter 1\n\n" + note.substr(0, note.size() - 1)}) {
    CAPTURE(text);
    const auto anchor = ParseAnchor(text);
    REQUIRE_FALSE(anchor);
    CHECK(anchor.error().reason == "anchor_malformed");
  }
}

}  // namespace
}  // namespace coffer::audit
