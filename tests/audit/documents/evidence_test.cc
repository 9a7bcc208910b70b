// Honest bundles, and every way to change one.
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <iterator>

#include "audit/documents/evidence_bundle.h"
#include "audit/tlog/proof.h"
#include "tests/audit/documents/test_evidence.h"
#include "tests/audit/tlog/naive_tree.h"

namespace coffer::audit {
namespace {

using enum EvidenceReport::Completeness;

TEST_CASE("a bundle is read back as it was written, and verifies") {
  const Evidence evidence = ClientEvidence();
  const crypto::Bytes bundle = Pack(evidence);
  const auto read = ReadEvidence(bundle);
  REQUIRE(read);
  CHECK(read->kind == evidence.kind);
  CHECK(read->subject == evidence.subject);
  CHECK(read->checkpoint == evidence.checkpoint);
  CHECK(read->entries == evidence.entries);
  CHECK(read->created == evidence.created);
  CHECK(read->requested_by == evidence.requested_by);
  CHECK(read->reason == evidence.reason);
  CHECK(read->complete);
  CHECK(read->reasons_included);
  REQUIRE(read->keys.size() == 1);
  CHECK(read->keys[0].key == LogKey().public_key());

  const EvidenceReport report = VerifyEvidence(bundle, LogVerifier());
  for (const auto& finding : report.findings) UNSCOPED_INFO(finding.check + finding.message);
  CHECK(report.ok());
  CHECK(report.log == kOrigin);
  CHECK(report.subject == kClient);
  CHECK(report.entries == 7);
  CHECK(report.allowed == 6);
  CHECK(report.denied == 1);
  CHECK(report.reasons == 7);
  CHECK(report.first == At(0));
  CHECK(report.last == At(18));
  CHECK(report.checkpoint->size == 20);
  CHECK(report.completeness == kClaimed);
}

TEST_CASE("the same evidence gives the same bytes") {
  CHECK(Pack(ClientEvidence()) == Pack(ClientEvidence()));
}

TEST_CASE("a bundle may be empty, and of a log of one entry") {
  Evidence none = ClientEvidence();
  none.entries.clear();
  CHECK(Findings(Pack(none)).empty());
  CHECK(Findings(Pack(ClientEvidence(1))).empty());
}

TEST_CASE("what a principal did is a bundle, and times bound it") {
  Evidence evidence = ClientEvidence();
  evidence.kind = EvidenceKind::kPrincipal;
  evidence.subject = kActor;
  evidence.from = At(0);
  evidence.to = At(19);
  CHECK(Findings(Pack(evidence)).empty());
  evidence.to = At(18);
  CHECK(WriteEvidence(evidence, LogKey()).error().reason == "evidence_invalid");
}

TEST_CASE("each file is what formats.md says") {
  Files files = Unpack(Pack(ClientEvidence(4)));
  CHECK(files.size() == 13);
  CHECK(files.at("log.vkey") == FormatVerifierKey(LogVerifier()) + "\n");
  CHECK(files.at("reasons.ndjson") ==
        R"({"salt":"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f","seq":0,)"
        R"("text":"asked by phone"})"
        "\n"
        R"({"salt":"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f","seq":3,)"
        R"("text":"asked by phone"})"
        "\n");
  const auto proof = ParseProof(files.at("proofs/3.tlog-proof"));
  REQUIRE(proof);
  const std::string& entries = files.at("entries.ndjson");
  const std::string last = entries.substr(entries.find('\n') + 1);
  CHECK(VerifyProof(*proof, crypto::AsBytes(last.substr(0, last.size() - 1)), LogVerifier()));
  const std::string& manifest = files.at("MANIFEST.json");
  CHECK(manifest.starts_with(
      R"({"checkpoint_size":4,"complete":true,"created":"2026-01-03T06:50:45.000Z","entries":2,)"
      R"("files":{"VERIFY.txt":{"sha256":")"));
  CHECK(manifest.ends_with(
      R"(}},"format":"coffer-evidence-v1","kind":"client","log":"vault.example/audit",)"
      R"("reason":"request of the data subject","reasons":2,"reasons_included":true,)"
      R"("requested_by":"usr_06bk4v0c5s3x9t7q2n8h1w6m5u",)"
      R"("subject":"cli_06bk4v0c5s3x9t7q2n8h1w6m4g"})"));
  const auto signed_text = VerifyText(files.at("MANIFEST.sig"), LogVerifier());
  REQUIRE(signed_text);
  CHECK(*signed_text == ManifestStatement(kOrigin, manifest));
}

TEST_CASE("a bundle of the first version still verifies") {
  std::ifstream file(std::string(COFFER_SOURCE_DIR) + "/tests/golden/evidence-v1.zip",
                     std::ios::binary);
  const std::string bundle(std::istreambuf_iterator<char>(file), {});
  CHECK(Findings(crypto::AsBytes(bundle)).empty());
  const auto read = ReadEvidence(crypto::AsBytes(bundle));
  REQUIRE(read);
  CHECK(read->entries == ClientEvidence(4).entries);
}

TEST_CASE("a page in a language that the reader does not speak is a file like any other") {
  Files files = Unpack(Pack(ClientEvidence()));
  files["index.fr.html"] = files["index.html"];
  CHECK(Findings(Repack(files)) == Strings{"file"});
  SignAgain(files);
  CHECK(Findings(Repack(files)).empty());
}

TEST_CASE("the signed text is no checkpoint, and a checkpoint signs no manifest") {
  Files files = Unpack(Pack(ClientEvidence()));
  CHECK_FALSE(VerifyCheckpoint(files.at("MANIFEST.sig"), LogVerifier()));
  files["MANIFEST.sig"] = files["checkpoint"];
  CHECK(Findings(Repack(files)) == Strings{"signature"});
}

TEST_CASE("any byte changed in any file is found") {
  const Files whole = Unpack(Pack(ClientEvidence(5)));
  for (const auto& [name, bytes] : whole) {
    const std::size_t step = bytes.size() / 30 + 1;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      for (const char mask : {'\x01', '\x20', '\x80'}) {
        Files files = whole;
        files[name][at] = static_cast<char>(files[name][at] ^ mask);
        INFO(name << " at " << at);
        REQUIRE_FALSE(Findings(Repack(files)).empty());
      }
    }
  }
}

TEST_CASE("a file missing, added or renamed is found") {
  const Files whole = Unpack(Pack(ClientEvidence(5)));
  for (const auto& [name, bytes] : whole) {
    INFO(name);
    Files files = whole;
    files.erase(name);
    CHECK_FALSE(Findings(Repack(files)).empty());
    // Earlier versions' bundles lack the German page.
    if (!name.starts_with("MANIFEST.") && name != "index.de.html") {
      if (name != "reasons.ndjson") SignAgain(files);
      CHECK_FALSE(Findings(Repack(files)).empty());
    }
  }
  for (const char* name : {"extra.txt", "../checkpoint", "/checkpoint", "proofs/x.tlog-proof",
                           "proofs/007.tlog-proof", "checkpoint/", "index.", "index.html.html",
                           "index.DE.html", "index.deu.html", "index./.html", "index"}) {
    INFO(name);
    Files files = whole;
    files[name] = "x";
    CHECK(Findings(Repack(files)) == Strings{"archive"});
  }
  Files files = whole;
  files["proofs/4711.tlog-proof"] = files["proofs/0.tlog-proof"];
  CHECK_FALSE(Findings(Repack(files)).empty());
  SignAgain(files);
  CHECK(Findings(Repack(files)) == Strings{"file"});
}

TEST_CASE("another key's bundle is refused, whatever log.vkey says") {
  Files files = Unpack(Pack(ClientEvidence()));
  SignAgain(files, OtherKey());
  CHECK(Findings(Repack(files)) == Strings{"signature"});

  const VerifierKey other{std::string(kOrigin), OtherKey().public_key()};
  const EvidenceReport report = VerifyEvidence(Pack(ClientEvidence()), other);
  REQUIRE(report.findings.size() == 3);
  CHECK(report.findings[0].check == "signature");
  CHECK(report.findings[1].check == "key");
  CHECK(report.findings[2].check == "checkpoint");
  CHECK_FALSE(report.checkpoint);
}

TEST_CASE("a signed bundle about somebody else is found") {
  Files files = Unpack(Pack(ClientEvidence(1)));
  auto manifest = ParseManifest(files.at("MANIFEST.json"));
  REQUIRE(manifest);
  manifest->subject = "cli_00000000000000000000000000";
  files["MANIFEST.json"] = FormatManifest(*manifest);
  SignAgain(files);
  CHECK(Findings(Repack(files)) == Strings{"subject 0"});
  manifest->kind = EvidenceKind::kRange;
  files["MANIFEST.json"] = FormatManifest(*manifest);
  SignAgain(files);
  CHECK(Findings(Repack(files)) == Strings{"manifest"});
}

TEST_CASE("a forged entry is found although the manifest is signed") {
  Files files = Unpack(Pack(ClientEvidence()));
  std::string& entries = files["entries.ndjson"];
  const auto at = entries.find("T-3");
  REQUIRE(at != std::string::npos);
  entries[at] = 'X';
  SignAgain(files);
  CHECK(Findings(Repack(files)) == Strings{"proof 3"});
  entries[at] = '\n';
  SignAgain(files);
  CHECK(Findings(Repack(files)) == Strings{"canonical", "canonical", "file", "file", "manifest"});
}

TEST_CASE("entries out of order or twice are found") {
  Files files = Unpack(Pack(ClientEvidence(4)));
  std::string& entries = files["entries.ndjson"];
  const auto cut = entries.find('\n') + 1;
  const std::string first = entries.substr(0, cut);
  const std::string second = entries.substr(cut);
  files.erase("reasons.ndjson");
  auto manifest = ParseManifest(files.at("MANIFEST.json"));
  manifest->reasons_included = false;
  manifest->reasons = 0;
  files["MANIFEST.json"] = FormatManifest(*manifest);
  entries = second + first;
  SignAgain(files);
  CHECK(Findings(Repack(files)) == Strings{
                                       "sequence 0",
                                   });
  entries = first + first;
  files["proofs/1.tlog-proof"] = files["proofs/0.tlog-proof"];
  files.erase("proofs/3.tlog-proof");
  SignAgain(files);
  CHECK(Findings(Repack(files)) == Strings{"sequence 0"});
}

TEST_CASE("a reason with another text or salt, or of no entry, is found") {
  const Files whole = Unpack(Pack(ClientEvidence(4)));
  const auto with = [&](std::string_view from, std::string_view to) {
    Files files = whole;
    std::string& reasons = files["reasons.ndjson"];
    reasons.replace(reasons.find(from), from.size(), to);
    SignAgain(files);
    return Findings(Repack(files));
  };
  CHECK(with("asked by phone", "asked by Phone") == Strings{"note 0"});
  CHECK(with("0001", "0101") == Strings{"note 0"});
  CHECK(with("\"seq\":0", "\"seq\":2") == Strings{"file", "manifest"});
  CHECK(with("\"seq\":0", "\"seq\":3") == Strings{"file", "manifest"});
  CHECK(with("asked", "\\u0061sked") == Strings{"file", "manifest"});

  Evidence evidence = ClientEvidence();
  evidence.reasons_included = false;
  CHECK(WriteEvidence(evidence, LogKey()).error().detail.starts_with("note: "));
}

TEST_CASE("nothing is written that would not verify") {
  const auto refusal = [](const Evidence& evidence) {
    const auto bundle = WriteEvidence(evidence, LogKey());
    return bundle ? "" : bundle.error().detail.substr(0, bundle.error().detail.find(':'));
  };
  Evidence evidence = ClientEvidence();
  CHECK(refusal(evidence).empty());
  evidence.entries[2].proof[0][0] ^= 1;
  CHECK(refusal(evidence) == "proof");
  evidence = ClientEvidence();
  evidence.entries[2].bytes.push_back(' ');
  CHECK(refusal(evidence) == "canonical");
  evidence = ClientEvidence();
  evidence.checkpoint = SignCheckpoint({std::string(kOrigin), 20, Hash{}}, OtherKey());
  CHECK(refusal(evidence) == "checkpoint");
  evidence = ClientEvidence();
  evidence.keys.clear();
  CHECK(refusal(evidence) == "key");
  evidence = ClientEvidence();
  evidence.keys.push_back({"two\nlines", OtherKey().public_key()});
  CHECK(refusal(evidence) == "key");
  evidence = ClientEvidence();
  evidence.reason = "\xff";
  CHECK(refusal(evidence) == "manifest");
}

TEST_CASE("a manifest that counts otherwise is found under its signature too") {
  const auto with = [](const auto& change) {
    Files files = Unpack(Pack(ClientEvidence()));
    auto manifest = ParseManifest(files.at("MANIFEST.json"));
    REQUIRE(manifest);
    change(*manifest);
    files["MANIFEST.json"] = FormatManifest(*manifest);
    SignAgain(files);
    return Findings(Repack(files));
  };
  CHECK(with([](Manifest&) {}).empty());
  CHECK(with([](Manifest& manifest) { ++manifest.entries; }) == Strings{"manifest"});
  CHECK(with([](Manifest& manifest) { --manifest.reasons; }) == Strings{"manifest"});
  CHECK(with([](Manifest& manifest) { ++manifest.checkpoint_size; }) == Strings{"manifest"});
  CHECK(with([](Manifest& manifest) { manifest.log = "vault.example/other"; }) ==
        Strings{"manifest"});
}

TEST_CASE("a page that the manifest passes over is found under its signature too") {
  Files files = Unpack(Pack(ClientEvidence()));
  auto manifest = ParseManifest(files.at("MANIFEST.json"));
  REQUIRE(manifest);
  REQUIRE(std::erase_if(manifest->files,
                        [](const ManifestFile& file) { return file.name == "index.html"; }) == 1);
  files["MANIFEST.json"] = FormatManifest(*manifest);
  files["MANIFEST.sig"] =
      SignText(ManifestStatement(kOrigin, files["MANIFEST.json"]), kOrigin, LogKey());
  files["index.html"] = "<p>nobody looked at anything</p>";
  const auto report = VerifyEvidence(Repack(files), LogVerifier());
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].message == "index.html is not in the manifest");
}

// The range of a whole log of `count` entries whose last one was altered by whoever signs it: tree,
// proof and checkpoint are right.
Evidence SignedOver(std::size_t count, std::string_view from, std::string_view to) {
  TestLog log;
  WriteClientLog(log, count);
  log.Alter(count - 1, from, to);
  std::vector<Hash> leaves;
  for (const auto& row : log.stored().rows) leaves.push_back(LeafHash(crypto::AsBytes(*row)));
  NaiveTree tree(leaves);
  Evidence evidence = EvidenceOf(log, EvidenceKind::kRange, "");
  evidence.checkpoint = SignCheckpoint({std::string(kOrigin), count, tree.Root(count)}, LogKey());
  for (std::uint64_t seq = 0; seq < count; ++seq) {
    evidence.entries.push_back({seq, *log.stored().rows[seq], tree.Inclusion(seq, count), {}});
  }
  return evidence;
}

TEST_CASE("an entry that does not belong in its log is found under its own signature too") {
  const auto refusal = [](const Evidence& evidence) {
    const auto bundle = WriteEvidence(evidence, LogKey());
    return bundle ? std::string() : bundle.error().detail;
  };
  CHECK(refusal(SignedOver(20, "call_19", "call_20")).empty());
  CHECK(refusal(SignedOver(20, "\"seq\":19", "\"seq\":21")) ==
        "sequence: entry 19 says it is entry 21");
  CHECK(refusal(SignedOver(20, kOrigin, "vault.example/other")) ==
        "origin: entry 19 is not of the log vault.example/audit");
  CHECK(refusal(SignedOver(20, "T03:04:24", "T03:04:22")) ==
        "time: entry 19 is earlier than the entry before it");
  const std::string zeros(8, '0');
  CHECK(refusal(SignedOver(1, "\"prev\":\"" + zeros, "\"prev\":\"1" + zeros.substr(1))) ==
        "chain: entry 0 does not start a chain");
  const Evidence whole = SignedOver(20, "call_19", "call_20");
  const std::string& last = whole.entries.back().bytes;
  const std::string prev = last.substr(last.find("\"prev\":\""), 20);
  CHECK(refusal(SignedOver(20, prev, prev.substr(0, 12) + "00000000")) ==
        "chain: entry 19 was not chained to this entry before it");
}

TEST_CASE("a proof that says another place or leads elsewhere is found under the signature too") {
  const auto with = [](std::string_view from, std::string_view to) {
    Files files = Unpack(Pack(ClientEvidence()));
    std::string& proof = files["proofs/3.tlog-proof"];
    const auto at = proof.find(from);
    REQUIRE(at != std::string::npos);
    proof.replace(at, from.size(), to);
    SignAgain(files);
    const auto report = VerifyEvidence(Repack(files), LogVerifier());
    return report.ok() ? std::string() : report.findings.front().message;
  };
  CHECK(with("index 3\n", "index 3\n").empty());
  CHECK(with("index 3\n", "index 6\n") == "proofs/3.tlog-proof is not a proof for this entry");
  CHECK(with("\n20\n", "\n21\n") == "proofs/3.tlog-proof leads to another checkpoint");
}

TEST_CASE("a range proves that it is complete by its neighbours or the log's ends") {
  const auto judge = [](std::uint64_t first, std::uint64_t last, std::optional<Timestamp> from,
                        std::optional<Timestamp> to, bool claim) {
    Evidence evidence = RangeEvidence(first, last);
    evidence.from = from;
    evidence.to = to;
    evidence.complete = claim;
    const auto bundle = WriteEvidence(evidence, LogKey());
    return bundle ? std::optional(VerifyEvidence(*bundle, LogVerifier()).completeness)
                  : std::nullopt;
  };
  CHECK(judge(0, 19, {}, {}, true) == kProven);
  CHECK(judge(0, 19, {}, {}, false) == kProven);
  CHECK(judge(4, 9, At(5), At(9), true) == kProven);
  CHECK(judge(4, 19, At(5), At(1000), true) == kProven);
  CHECK(judge(0, 5, At(0), At(5), true) == kProven);
  CHECK(judge(5, 9, At(5), At(9), false) == kNotClaimed);
  CHECK(judge(5, 9, At(5), At(9), true) == std::nullopt);   // no neighbour in front
  CHECK(judge(4, 8, At(5), At(9), true) == std::nullopt);   // none behind
  CHECK(judge(3, 9, At(5), At(9), false) == std::nullopt);  // two in front
  CHECK(judge(4, 10, At(5), At(9), false) == std::nullopt);
  CHECK(judge(4, 5, At(5), At(5), true) == kProven);  // nothing happened
}

TEST_CASE("an entry dropped from a range is found, even by the signer") {
  Evidence evidence = RangeEvidence(0, 19);
  evidence.entries.erase(evidence.entries.begin() + 7);
  CHECK(WriteEvidence(evidence, LogKey()).error().detail.starts_with("sequence: 1 entries"));

  Files files = Unpack(Pack(RangeEvidence(0, 19)));
  std::string& entries = files["entries.ndjson"];
  std::size_t start = 0;
  for (int line = 0; line < 7; ++line) start = entries.find('\n', start) + 1;
  entries.erase(start, entries.find('\n', start) + 1 - start);
  files.erase("proofs/7.tlog-proof");
  auto manifest = ParseManifest(files.at("MANIFEST.json"));
  manifest->entries = 19;
  files["MANIFEST.json"] = FormatManifest(*manifest);
  SignAgain(files);
  CHECK(Findings(Repack(files)) == Strings{"sequence 7"});
  CHECK(VerifyEvidence(Repack(files), LogVerifier()).completeness == kClaimed);
}

TEST_CASE("a manifest has one spelling") {
  const Files whole = Unpack(Pack(ClientEvidence(1)));
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string text = whole.at("MANIFEST.json");
    text.replace(text.find(from), from.size(), to);
    return ParseManifest(text).has_value();
  };
  CHECK(with("\"entries\":1", "\"entries\":1"));
  CHECK_FALSE(with("\"entries\":1", "\"entries\": 1"));
  CHECK_FALSE(with("\"entries\":1", "\"entries\":01"));
  CHECK_FALSE(with("\"entries\":1", "\"entries\":18446744073709551616"));
  CHECK_FALSE(with("-v1", "-v2"));
  CHECK_FALSE(with("\"kind\":\"client\"", "\"kind\":\"clients\""));
  CHECK_FALSE(with("request of", "request\\u0020of"));
  CHECK_FALSE(with("\"VERIFY.txt\"", "\"zERIFY.txt\""));  // not sorted
  CHECK_FALSE(with("\"subject\":", "\"subject\":\"\",\"subject\":"));
  CHECK_FALSE(ParseManifest(""));
  CHECK_FALSE(ParseManifest(whole.at("MANIFEST.json") + "\n"));
}

}  // namespace
}  // namespace coffer::audit
