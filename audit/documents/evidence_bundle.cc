#include "audit/documents/evidence_bundle.h"

#include <algorithm>
#include <utility>

#include "audit/documents/evidence_check.h"
#include "audit/documents/evidence_files.h"
#include "audit/documents/evidence_manifest.h"
#include "audit/documents/zip_archive.h"
#include "audit/tlog/signed_note.h"

namespace coffer::audit {
namespace {

std::unexpected<Error> InvalidEvidence(std::string detail) {
  return Fail(Code::kCorrupted, "evidence_invalid", std::move(detail));
}

std::unexpected<Error> EvidenceTooLarge() {
  return Fail(Code::kTooLarge, "evidence_too_large",
              "a bundle holds at most 200,000 entries and 512 MiB: choose a shorter time");
}

std::string FirstFinding(const EvidenceReport& report) {
  const auto& finding = report.findings.front();
  return finding.check + ": " + finding.message;
}

void CheckStatement(const OpenedBundle& opened, const VerifierKey& trusted,
                    EvidenceReport& report) {
  const auto text = VerifyText(opened.signature, trusted);
  if (!text) {
    AddFinding(report, std::nullopt, "signature",
               std::string(text.error().reason) + ": " + text.error().detail);
  } else if (*text != ManifestStatement(trusted.name, opened.manifest_text)) {
    AddFinding(report, std::nullopt, "signature", "MANIFEST.sig is not about this MANIFEST.json");
  }
}

}  // namespace

Result<crypto::Bytes> WriteEvidence(const Evidence& evidence, const crypto::SigningKey& key) {
  if (evidence.entries.size() > kMaxEvidenceEntries) return EvidenceTooLarge();
  const auto own = std::ranges::find(evidence.keys, key.public_key(), &VerifierKey::key);
  if (own == evidence.keys.end()) return InvalidEvidence("key: the signing key is not listed");
  EvidenceReport report;
  CheckEvidence(evidence, *own, report);
  if (!report.ok()) {
    auto invalid = InvalidEvidence(FirstFinding(report));
    for (const auto& finding : report.findings) {
      if (finding.seq) {
        invalid.error().issues.push_back(
            {"/entries/" + std::to_string(*finding.seq), finding.check + ": " + finding.message});
      }
    }
    return invalid;
  }

  std::vector<NamedFile> files = EvidenceFiles(evidence, *own);
  Manifest manifest = ManifestOf(evidence, files);
  manifest.log = own->name;
  manifest.checkpoint_size = report.checkpoint->size;
  std::uint64_t total = 0;
  for (const ManifestFile& file : manifest.files) total += file.size;
  if (total > kMaxEvidenceBytes) return EvidenceTooLarge();

  NamedFile manifest_file = ManifestFileOf(manifest);
  const std::string statement = ManifestStatement(manifest.log, manifest_file.bytes);
  NamedFile signature_file = SignatureFileOf(SignText(statement, manifest.log, key));
  files.insert(files.begin(), {std::move(manifest_file), std::move(signature_file)});
  return WriteZip(files);
}

Result<Evidence> ReadEvidence(crypto::ByteView bundle) {
  EvidenceReport report;
  auto opened = OpenBundle(bundle, report);
  if (!report.ok() || !opened) return InvalidEvidence(FirstFinding(report));
  return std::move(opened->evidence);
}

EvidenceReport VerifyEvidence(crypto::ByteView bundle, const VerifierKey& trusted) {
  EvidenceReport report;
  const auto opened = OpenBundle(bundle, report);
  if (!opened) return report;
  const Manifest& said = opened->manifest;
  report.kind = said.kind;
  report.log = said.log;
  report.subject = said.subject;
  report.from = said.from;
  report.to = said.to;
  report.created = said.created;
  report.requested_by = said.requested_by;
  report.reason = said.reason;
  CheckStatement(*opened, trusted, report);
  if (said.log != trusted.name) {
    AddFinding(report, std::nullopt, "manifest", "the manifest is of another log");
  }
  const bool opened_well = report.ok();
  CheckEvidence(opened->evidence, trusted, report);
  if (report.checkpoint && report.checkpoint->size != said.checkpoint_size) {
    AddFinding(report, std::nullopt, "manifest", "the manifest tells of another checkpoint");
  }
  // What could not be read was not looked at: then the chain of the rest proves nothing.
  if (!opened_well && report.completeness == EvidenceReport::Completeness::kProven) {
    report.completeness = EvidenceReport::Completeness::kNotClaimed;
  }
  return report;
}

}  // namespace coffer::audit
