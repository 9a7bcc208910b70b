#include "audit/documents/evidence_files.h"

#include <algorithm>
#include <functional>
#include <map>
#include <string_view>

#include "audit/documents/embedded_texts.h"
#include "audit/documents/evidence_check.h"
#include "audit/documents/evidence_page.h"
#include "audit/entries/entry.h"
#include "audit/text/decimal.h"
#include "audit/text/lines.h"
#include "audit/tlog/proof.h"
#include "crypto/hash.h"

namespace coffer::audit {
namespace {

constexpr std::string_view kManifestName = "MANIFEST.json";
constexpr std::string_view kSignatureName = "MANIFEST.sig";
constexpr std::string_view kCheckpointName = "checkpoint";
constexpr std::string_view kKeysName = "log.vkey";
constexpr std::string_view kEntriesName = "entries.ndjson";
constexpr std::string_view kReasonsName = "reasons.ndjson";
constexpr std::string_view kHowToName = "VERIFY.txt";
constexpr std::string_view kProofsFolder = "proofs/";
constexpr std::string_view kProofEnding = ".tlog-proof";

// A proof with a note of many signatures, or the keys.
constexpr std::uint64_t kMaxSmallFile = 128ULL * 1024;
constexpr std::uint64_t kMaxManifestBytes = 64ULL * 1024 * 1024;

std::string ProofName(std::uint64_t seq) {
  std::string name(kProofsFolder);
  AppendDecimal(seq, name);
  return name.append(kProofEnding);
}

bool IsProofName(std::string_view name) {
  if (!name.starts_with(kProofsFolder) || !name.ends_with(kProofEnding) ||
      name.size() < kProofsFolder.size() + kProofEnding.size()) {
    return false;
  }
  name.remove_prefix(kProofsFolder.size());
  name.remove_suffix(kProofEnding.size());
  return ParseDecimal(name).has_value();
}

// Also in a language that this version does not speak: "index.html", "index.de.html".
bool IsPageName(std::string_view name) {
  constexpr std::string_view kStart = "index.", kEnding = "html";
  if (!name.starts_with(kStart) || !name.ends_with(kEnding)) return false;
  name.remove_prefix(kStart.size());
  name.remove_suffix(std::min(name.size(), kEnding.size()));
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  return name.empty() ||
         (name.size() == 3 && is_letter(name[0]) && is_letter(name[1]) && name[2] == '.');
}

// 0 for names that no bundle has: there are no others, so no path leads out of a folder.
std::uint64_t MaxBytesOf(std::string_view name) {
  if (name == kSignatureName || name == kCheckpointName || name == kKeysName ||
      name == kHowToName || IsProofName(name)) {
    return kMaxSmallFile;
  }
  if (name == kManifestName) return kMaxManifestBytes;
  return IsPageName(name) || name == kEntriesName || name == kReasonsName ? kMaxEvidenceBytes : 0;
}

class BundleReader {
 public:
  explicit BundleReader(EvidenceReport& report) : report_(report) {}

  std::optional<OpenedBundle> Open(crypto::ByteView bundle);

 private:
  bool TakeFiles(crypto::ByteView bundle);
  const std::string* Find(std::string_view name) const;
  std::string_view Wanted(std::string_view name);
  void CompareWithManifest(const Manifest& manifest);
  void ReadKeys(Evidence& evidence);
  void ReadEntries(Evidence& evidence);
  void ReadProof(EvidenceEntry& entry, const std::string& checkpoint);
  void ReadReasons(Evidence& evidence);
  void CountFiles(const OpenedBundle& opened);

  void Bad(std::string_view name, std::string_view what) {
    AddFinding(report_, std::nullopt, "file", std::string(name) + " " + std::string(what));
  }

  EvidenceReport& report_;
  std::map<std::string, std::string, std::less<>> files_;
};

std::optional<OpenedBundle> BundleReader::Open(crypto::ByteView bundle) {
  if (!TakeFiles(bundle)) return std::nullopt;
  OpenedBundle opened;
  opened.manifest_text = Wanted(kManifestName);
  opened.signature = Wanted(kSignatureName);
  auto manifest = ParseManifest(opened.manifest_text);
  if (!manifest) {
    AddFinding(report_, std::nullopt, "manifest", "MANIFEST.json is not a manifest of version 1");
    return std::nullopt;
  }
  opened.manifest = *std::move(manifest);
  CompareWithManifest(opened.manifest);

  const Manifest& said = opened.manifest;
  Evidence& evidence = opened.evidence;
  evidence.kind = said.kind;
  evidence.subject = said.subject;
  evidence.from = said.from;
  evidence.to = said.to;
  evidence.created = said.created;
  evidence.requested_by = said.requested_by;
  evidence.reason = said.reason;
  evidence.complete = said.complete;
  evidence.reasons_included = said.reasons_included;
  evidence.checkpoint = Wanted(kCheckpointName);
  ReadKeys(evidence);
  ReadEntries(evidence);
  ReadReasons(evidence);
  CountFiles(opened);
  return opened;
}

bool BundleReader::TakeFiles(crypto::ByteView bundle) {
  auto files = ReadZip(
      bundle, {kMaxEvidenceEntries + 16, kMaxEvidenceBytes + kMaxManifestBytes, MaxBytesOf});
  if (!files) {
    AddFinding(report_, std::nullopt, "archive", files.error().detail);
    return false;
  }
  for (NamedFile& file : *files) files_.emplace(std::move(file.name), std::move(file.bytes));
  return true;
}

const std::string* BundleReader::Find(std::string_view name) const {
  const auto file = files_.find(name);
  return file == files_.end() ? nullptr : &file->second;
}

std::string_view BundleReader::Wanted(std::string_view name) {
  const std::string* const bytes = Find(name);
  if (bytes == nullptr) Bad(name, "is missing");
  return bytes == nullptr ? std::string_view() : *bytes;
}

void BundleReader::CompareWithManifest(const Manifest& manifest) {
  for (const ManifestFile& listed : manifest.files) {
    const std::string* const bytes = Find(listed.name);
    if (bytes == nullptr) {
      Bad(listed.name, "is missing");
    } else if (bytes->size() != listed.size ||
               crypto::Sha256(crypto::AsBytes(*bytes)) != listed.sha256) {
      Bad(listed.name, "is not the file of the manifest");
    }
  }
  for (const auto& [name, bytes] : files_) {
    if (name == kManifestName || name == kSignatureName) continue;
    if (!std::ranges::binary_search(manifest.files, name, {}, &ManifestFile::name)) {
      Bad(name, "is not in the manifest");
    }
  }
  Wanted(kHowToName);
  for (const PageLanguage language : kPageLanguages) {
    // Bundles of earlier versions have none.
    if (language != PageLanguage::kGerman) Wanted(PageFileName(language));
  }
}

void BundleReader::ReadKeys(Evidence& evidence) {
  std::string_view rest = Wanted(kKeysName);
  while (const auto line = TakeLine(rest)) {
    auto key = ParseVerifierKey(*line);
    if (!key || evidence.keys.size() == kMaxEvidenceKeys) {
      return Bad(kKeysName, "has a line that is not a verifier key, or too many");
    }
    evidence.keys.push_back(*std::move(key));
  }
  if (!rest.empty()) Bad(kKeysName, "does not end in a newline");
}

void BundleReader::ReadEntries(Evidence& evidence) {
  std::string_view rest = Wanted(kEntriesName);
  std::uint64_t number = 0;
  while (const auto line = TakeLine(rest)) {
    if (++number > kMaxEvidenceEntries) return Bad(kEntriesName, "has too many entries");
    const auto entry = ParseEntry(*line);
    if (!entry) {
      AddFinding(report_, std::nullopt, "canonical",
                 "entries.ndjson, line " + std::to_string(number) + ": " + entry.error().detail);
      continue;
    }
    EvidenceEntry& item = evidence.entries.emplace_back();
    item.seq = entry->seq;
    item.bytes = *line;
    ReadProof(item, evidence.checkpoint);
  }
  if (!rest.empty()) Bad(kEntriesName, "does not end in a newline");
}

void BundleReader::ReadProof(EvidenceEntry& entry, const std::string& checkpoint) {
  const std::string name = ProofName(entry.seq);
  auto proof = ParseProof(Wanted(name));
  if (!proof || proof->index != entry.seq) {
    AddFinding(report_, entry.seq, "proof", name + " is not a proof for this entry");
  } else if (proof->checkpoint != checkpoint) {
    AddFinding(report_, entry.seq, "proof", name + " leads to another checkpoint");
  } else {
    entry.proof = std::move(proof->hashes);
  }
}

void BundleReader::ReadReasons(Evidence& evidence) {
  if (!evidence.reasons_included) {
    if (Find(kReasonsName) != nullptr) Bad(kReasonsName, "is there although none are included");
    return;
  }
  std::string_view rest = Wanted(kReasonsName);
  auto entry = evidence.entries.begin();
  while (const auto line = TakeLine(rest)) {
    auto reason = ParseReason(*line);
    if (!reason) return Bad(kReasonsName, "has a line that is not a reason");
    entry = std::find_if(entry, evidence.entries.end(),
                         [&](const EvidenceEntry& item) { return item.seq == reason->seq; });
    if (entry == evidence.entries.end()) {
      return Bad(kReasonsName, "has a reason without its entry, or out of order");
    }
    (entry++)->note = std::move(reason->note);
  }
  if (!rest.empty()) Bad(kReasonsName, "does not end in a newline");
}

void BundleReader::CountFiles(const OpenedBundle& opened) {
  const auto& entries = opened.evidence.entries;
  const auto proofs =
      std::ranges::count_if(files_, [](const auto& file) { return IsProofName(file.first); });
  if (static_cast<std::size_t>(proofs) != entries.size()) {
    Bad(kProofsFolder, "has other proofs than one for each entry");
  }
  const auto reasons = std::ranges::count_if(
      entries, [](const EvidenceEntry& entry) { return entry.note.has_value(); });
  if (opened.manifest.entries != entries.size() ||
      opened.manifest.reasons != static_cast<std::uint64_t>(reasons)) {
    AddFinding(report_, std::nullopt, "manifest", "the manifest counts other entries or reasons");
  }
}

}  // namespace

std::vector<NamedFile> EvidenceFiles(const Evidence& evidence, const VerifierKey& signer) {
  std::string keys = FormatVerifierKey(signer) + "\n";
  for (const VerifierKey& key : evidence.keys) {
    if (key.key != signer.key) keys.append(FormatVerifierKey(key)).append("\n");
  }
  std::string entries;
  std::string reasons;
  for (const EvidenceEntry& entry : evidence.entries) {
    entries.append(entry.bytes).append("\n");
    if (entry.note) reasons.append(FormatReason({entry.seq, *entry.note})).append("\n");
  }
  std::vector<NamedFile> files;
  files.push_back({std::string(kHowToName), std::string(EmbeddedText(kHowToName))});
  for (const PageLanguage language : kPageLanguages) {
    files.push_back({std::string(PageFileName(language)), RenderEvidencePage(evidence, language)});
  }
  files.push_back({std::string(kCheckpointName), evidence.checkpoint});
  files.push_back({std::string(kKeysName), std::move(keys)});
  files.push_back({std::string(kEntriesName), std::move(entries)});
  if (evidence.reasons_included) {
    files.push_back({std::string(kReasonsName), std::move(reasons)});
  }
  for (const EvidenceEntry& entry : evidence.entries) {
    files.push_back(
        {ProofName(entry.seq), FormatProof({entry.seq, entry.proof, evidence.checkpoint})});
  }
  return files;
}

Manifest ManifestOf(const Evidence& evidence, const std::vector<NamedFile>& files) {
  Manifest manifest;
  manifest.complete = evidence.complete;
  manifest.created = evidence.created;
  manifest.entries = evidence.entries.size();
  for (const NamedFile& file : files) {
    manifest.files.push_back(
        {file.name, crypto::Sha256(crypto::AsBytes(file.bytes)), file.bytes.size()});
  }
  std::ranges::sort(manifest.files, {}, &ManifestFile::name);
  manifest.from = evidence.from;
  manifest.to = evidence.to;
  manifest.kind = evidence.kind;
  manifest.reason = evidence.reason;
  manifest.reasons = static_cast<std::uint64_t>(std::ranges::count_if(
      evidence.entries, [](const EvidenceEntry& entry) { return entry.note.has_value(); }));
  manifest.reasons_included = evidence.reasons_included;
  manifest.requested_by = evidence.requested_by;
  manifest.subject = evidence.subject;
  return manifest;
}

NamedFile ManifestFileOf(const Manifest& manifest) {
  return {std::string(kManifestName), FormatManifest(manifest)};
}

NamedFile SignatureFileOf(std::string note) {
  return {std::string(kSignatureName), std::move(note)};
}

std::optional<OpenedBundle> OpenBundle(crypto::ByteView bundle, EvidenceReport& report) {
  return BundleReader(report).Open(bundle);
}

}  // namespace coffer::audit
