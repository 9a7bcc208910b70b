#include "audit/tlog/proof.h"

#include <catch2/catch_test_macros.hpp>

#include "crypto/encoding.h"
#include "tests/audit/entries/test_log.h"
#include "tests/audit/tlog/naive_tree.h"

namespace coffer::audit {
namespace {

constexpr std::string_view kHash = "och3qCTSUz777hlgt/L+QiRFD2nDsOPT6crMdZzizvM=";

// The published proof of entry 257 among 300.
constexpr std::string_view kPublished =
    "c2sp.org/tlog-proof@v1\n"
    "index 257\n"
    "och3qCTSUz777hlgt/L+QiRFD2nDsOPT6crMdZzizvM=\n"
    "2weeEv1ePZMy8exWWKzE6FpvDpAzz2A1iesE6ylmbLA=\n"
    "7A6bpI1GmR6NGFgFuj/BgvreGpnnWjMh7jpUpfFX/9Y=\n"
    "j5skCCcPLx74uhIGjb2eVcJW3MNaAyitOgRkyFHQZow=\n"
    "v0dikrucGz5rXeXt96RtXdQFP3sKvfT+qOw4RgGnaMA=\n"
    "2NT2AO7LLoXzveZkQaIJHqJC72yUTyHkuXtq8nXuqsc=\n"
    "2mWW2VNp9f7zIquOTg2jsLUCNqqcijsdJG90Ecni4y4=\n"
    "\n"
    "vault.example/audit\n"
    "300\n"
    "yjk9Apa+xeC43KuYO9H7fRRh9RLnJny4ljGtJv1m2Eg=\n"
    "\n"
    "— vault.example/audit bFu674DqJLf2hesKu7Dy+gsIomxP2Po71Vx+U4M8AkTEFzePb8pNN/r+jXgSIiVvD4HnTc/"
    "1nT1zEPqshT6jfQGNfgk=\n";

std::string Replaced(std::string_view from, std::string_view to) {
  const auto at = kPublished.find(from);
  REQUIRE(at != std::string_view::npos);
  std::string text(kPublished.substr(0, at));
  return text.append(to).append(kPublished.substr(at + from.size()));
}

bool Refused(std::string_view text) {
  const auto proof = ParseProof(text);
  return !proof && proof.error().code == Code::kCorrupted &&
         proof.error().reason == "proof_malformed";
}

TEST_CASE("the published proof is read, written alike and verified") {
  const auto proof = ParseProof(kPublished);
  REQUIRE(proof);
  CHECK(proof->index == 257);
  CHECK(proof->hashes.size() == 7);
  CHECK(FormatProof(*proof) == kPublished);
  auto tree = NaiveTree::OfSize(300);
  CHECK(proof->hashes == tree.Inclusion(257, 300));
  const auto checkpoint = VerifyProof(*proof, crypto::AsBytes("entry 257"), LogVerifier());
  REQUIRE(checkpoint);
  CHECK(checkpoint->size == 300);
}

TEST_CASE("a proof verifies no other entry, place or key") {
  auto proof = *ParseProof(kPublished);
  const auto reason = [&](std::string_view entry, const VerifierKey& key) {
    const auto checkpoint = VerifyProof(proof, crypto::AsBytes(entry), key);
    return checkpoint ? std::string("verified") : std::string(checkpoint.error().reason);
  };
  CHECK(reason("entry 257", LogVerifier()) == "verified");
  CHECK(reason("entry 258", LogVerifier()) == "inclusion_proof_invalid");
  CHECK(reason("entry 257", {std::string(kOrigin), OtherKey().public_key()}) ==
        "checkpoint_signature_missing");
  proof.index = 256;
  CHECK(reason("entry 257", LogVerifier()) == "inclusion_proof_invalid");
  proof.index = 300;
  CHECK(VerifyProof(proof, crypto::AsBytes("entry 257"), LogVerifier()).error().detail ==
        "index beyond size");
  proof.index = 257;
  proof.hashes.pop_back();
  CHECK(reason("entry 257", LogVerifier()) == "inclusion_proof_invalid");
  proof.hashes.resize(8);
  CHECK(reason("entry 257", LogVerifier()) == "inclusion_proof_invalid");
}

TEST_CASE("a log of one entry is proved without hashes") {
  TestLog log;
  log.Write(1).Publish();
  const TlogProof proof{0, {}, log.notes()[0]};
  const std::string text = FormatProof(proof);
  CHECK(text == "c2sp.org/tlog-proof@v1\nindex 0\n\n" + log.notes()[0]);
  const auto parsed = ParseProof(text);
  REQUIRE(parsed);
  CHECK(VerifyProof(*parsed, crypto::AsBytes(*log.stored().rows[0]), LogVerifier()));
}

TEST_CASE("hashes of 31 or 33 bytes and junk in base64 are refused") {
  CHECK_FALSE(Refused(Replaced(kHash, kHash)));
  CHECK(Refused(Replaced(kHash, "och3qCTSUz777hlgt/L+QiRFD2nDsOPT6crMdZzizg==")));
  CHECK(Refused(Replaced(kHash, "och3qCTSUz777hlgt/L+QiRFD2nDsOPT6crMdZzizvMA")));
  CHECK(Refused(Replaced(kHash, "och3qCTSUz777hlgt/L+QiRFD2nDsOPT6crMdZzizvN=")));
  CHECK(Refused(Replaced(kHash, "och3qCTSUz777hlgt/L+QiRFD2nDsOPT6crMdZzizvM")));
  CHECK(Refused(Replaced(kHash, " och3qCTSUz777hlgt/L+QiRFD2nDsOPT6crMdZzizvM=")));
  CHECK(Refused(Replaced(kHash, "och3qCTSUz777hlgt/L+QiRFD2nDsOPT6crMdZzizvM=\r")));
  CHECK(Refused(Replaced(kHash, "och3qCTSUz77!hlgt/L+QiRFD2nDsOPT6crMdZzizvM=")));
  CHECK(Refused(Replaced(kHash, "och3qCTSUz77_hlgt_L+QiRFD2nDsOPT6crMdZzizvM=")));
}

TEST_CASE("what somebody added in an extra line is read, written alike, and vouches for nothing") {
  for (const std::string extra : {"AAAA", "YWdlLXYxLjI=", ""}) {
    CAPTURE(extra);
    const std::string text = Replaced("index 257", "extra " + extra + "\nindex 257");
    const auto proof = ParseProof(text);
    REQUIRE(proof);
    CHECK(crypto::Base64Encode(proof->extra) == extra);
    if (!extra.empty()) CHECK(FormatProof(*proof) == text);
    CHECK(VerifyProof(*proof, crypto::AsBytes("entry 257"), LogVerifier()));
    CHECK_FALSE(VerifyProof(*proof, crypto::AsBytes("entry 258"), LogVerifier()));
  }
  const std::string longest = crypto::Base64Encode(crypto::Bytes(100'000, 7));
  CHECK_FALSE(Refused(Replaced("index 257", "extra " + longest + "\nindex 257")));
  for (const char* wrong :
       {"extra\n", "extra A\n", "extra AAA\n", "extra AAAA\r\n", "extra  AAAA\n", "Extra AAAA\n",
        "extra AAAA\nextra AAAA\n", "extra AAAA", "extra AB==\n", "\n"}) {
    CAPTURE(wrong);
    CHECK(Refused(Replaced("index 257", std::string(wrong) + "index 257")));
  }
  CHECK(Refused(Replaced("index 257", "index 257\nextra AAAA")));
}

TEST_CASE("proofs of another form are refused") {
  CHECK(Refused(""));
  CHECK(Refused(Replaced("@v1", "@v2")));
  CHECK(Refused(Replaced("index 257\n", "")));
  for (const std::string_view index : {"0257", "+257", "-1", "", "2 57", "18446744073709551616"}) {
    CAPTURE(index);
    CHECK(Refused(Replaced("257", index)));
  }
  CHECK(Refused(kPublished.substr(0, kPublished.find("\n\n") + 1)));
  CHECK(Refused(kPublished.substr(0, kPublished.find("\n\n") + 2)));
  CHECK(Refused(Replaced("\n\nvault", "\nvault")));
}

TEST_CASE("a proof with junk before, in or behind it proves nothing") {
  const auto proves = [](const std::string& text) {
    const auto proof = ParseProof(text);
    return proof && VerifyProof(*proof, crypto::AsBytes("entry 257"), LogVerifier());
  };
  CHECK(proves(std::string(kPublished)));
  for (const std::string junk : {"junk\n", "\n", "\x1b[2J\n", "och3qCTSUz777hlgt\n", "x"}) {
    CAPTURE(junk);
    CHECK_FALSE(proves(junk + std::string(kPublished)));
    CHECK_FALSE(proves(Replaced("index 257\n", "index 257\n" + junk)));
    CHECK_FALSE(proves(Replaced("\n\nvault", "\n" + junk + "\nvault")));
    CHECK_FALSE(proves(std::string(kPublished) + junk));
  }
}

TEST_CASE("more hashes than any tree needs are refused") {
  TlogProof proof{0, std::vector<Hash>(63), "checkpoint\n"};
  CHECK(ParseProof(FormatProof(proof)));
  proof.hashes.emplace_back();
  CHECK(Refused(FormatProof(proof)));
  CHECK(Refused(std::string(kPublished).append(kMaxProofBytes, 'x')));
}

}  // namespace
}  // namespace coffer::audit
