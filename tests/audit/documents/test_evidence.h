// Evidence bundles in tests, and somebody who changes what is in them:
//
//   Evidence evidence = ClientEvidence();
//   auto files = Unpack(Pack(evidence));
//   files["checkpoint"].at(3) ^= 1;
//   CHECK(Findings(Repack(files)) == Strings{"file", "checkpoint"});
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "audit/documents/evidence_bundle.h"
#include "audit/documents/evidence_manifest.h"
#include "audit/documents/zip_archive.h"
#include "audit/tlog/signed_note.h"
#include "tests/audit/entries/test_log.h"

namespace coffer::audit {

inline constexpr std::string_view kClient = "cli_06bk4v0c5s3x9t7q2n8h1w6m4g";
inline constexpr std::string_view kActor = "usr_06bk4v0c5s3x9t7q2n8h1w6m4u";

inline const Hash& TestSalt() {
  static const Hash salt =
      HashFromHex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
  return salt;
}

inline Timestamp At(std::int64_t seconds) { return {1'767'323'045'000 + seconds * 1000}; }

// A log whose every third entry is about kClient, read by kActor, with a reason; one entry a
// second. The first of them is refused.
inline TestLog& WriteClientLog(TestLog& log, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    Entry entry = TestLog::Reading();
    entry.rule = "role:case-worker";
    entry.outcome = "ok";
    entry.request = "call_" + std::to_string(i);
    if (i % 3 == 0) {
      entry.client = kClient;
      entry.actor = kActor;
      entry.class_name = "contact";
      entry.fields = {"email", "phone"};
      entry.purpose = "client-care";
      entry.detail = "ticket T-" + std::to_string(i);
      entry.note_hash = NoteCommitment(TestSalt(), "asked by phone");
    }
    if (i == 0) {
      entry.decision = Decision::kDeny;
      entry.rule = "check:budget";
      entry.outcome = "permission_denied";
    }
    log.Append(entry, At(static_cast<std::int64_t>(i)));
  }
  return log;
}

inline Evidence EvidenceOf(TestLog& log, EvidenceKind kind, std::string_view subject) {
  Evidence evidence;
  evidence.kind = kind;
  evidence.subject = subject;
  evidence.checkpoint = SignCheckpoint(log.Head(), LogKey());
  evidence.keys = {LogVerifier()};
  evidence.created = At(100'000);
  evidence.requested_by = "usr_06bk4v0c5s3x9t7q2n8h1w6m5u";
  evidence.reason = "request of the data subject";
  evidence.complete = true;
  return evidence;
}

inline void AddEntry(Evidence& evidence, TestLog& log, std::uint64_t seq) {
  const HashReader reader = MakeHashReader(log.stored(), log.writer().head());
  auto proof = InclusionProof(seq, log.Head().size, reader);
  REQUIRE(proof);
  evidence.entries.push_back({seq, *log.stored().rows.at(seq), *std::move(proof), {}});
}

// Of the first `count` entries of a log, those of kClient, their reasons opened.
inline Evidence ClientEvidence(std::size_t count = 20) {
  TestLog log;
  WriteClientLog(log, count);
  Evidence evidence = EvidenceOf(log, EvidenceKind::kClient, kClient);
  evidence.reasons_included = true;
  for (std::uint64_t seq = 0; seq < count; seq += 3) {
    AddEntry(evidence, log, seq);
    evidence.entries.back().note = OpenedNote{TestSalt(), "asked by phone"};
  }
  return evidence;
}

// Entries [first, last] of a log of 20.
inline Evidence RangeEvidence(std::uint64_t first, std::uint64_t last) {
  TestLog log;
  WriteClientLog(log, 20);
  Evidence evidence = EvidenceOf(log, EvidenceKind::kRange, "");
  for (std::uint64_t seq = first; seq <= last; ++seq) AddEntry(evidence, log, seq);
  return evidence;
}

inline crypto::Bytes Pack(const Evidence& evidence) {
  auto bundle = WriteEvidence(evidence, LogKey());
  if (!bundle) FAIL(bundle.error().reason << " " << bundle.error().detail);
  return *std::move(bundle);
}

using Files = std::map<std::string, std::string>;

inline Files Unpack(crypto::ByteView bundle) {
  const auto files =
      ReadZip(bundle, {1'000'000, kMaxEvidenceBytes, [](std::string_view) { return 1ULL << 30; }});
  REQUIRE(files);
  Files unpacked;
  for (const NamedFile& file : *files) unpacked[file.name] = file.bytes;
  return unpacked;
}

inline crypto::Bytes Repack(const Files& files) {
  std::vector<NamedFile> list;
  for (const auto& [name, bytes] : files) list.push_back({name, bytes});
  auto bundle = WriteZip(list);
  REQUIRE(bundle);
  return *std::move(bundle);
}

// What the vault itself could do, or a thief of its key: the manifest is written for the files as
// they are, and signed.
inline void SignAgain(Files& files, const crypto::SigningKey& key = LogKey()) {
  auto manifest = ParseManifest(files.at("MANIFEST.json"));
  REQUIRE(manifest);
  manifest->files.clear();
  for (const auto& [name, bytes] : files) {
    if (name.starts_with("MANIFEST.")) continue;
    manifest->files.push_back({name, crypto::Sha256(crypto::AsBytes(bytes)), bytes.size()});
  }
  files["MANIFEST.json"] = FormatManifest(*manifest);
  files["MANIFEST.sig"] =
      SignText(ManifestStatement(kOrigin, files["MANIFEST.json"]), kOrigin, key);
}

// "check seq" of each finding.
inline Strings Findings(crypto::ByteView bundle) {
  Strings names;
  for (const auto& finding : VerifyEvidence(bundle, LogVerifier()).findings) {
    names.push_back(finding.check);
    if (finding.seq) names.back().append(" ").append(std::to_string(*finding.seq));
  }
  return names;
}

}  // namespace coffer::audit
