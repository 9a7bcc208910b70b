// The files inside an evidence bundle, between their values and the archive.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "audit/documents/evidence.h"
#include "audit/documents/evidence_manifest.h"
#include "audit/documents/zip_archive.h"

namespace coffer::audit {

// All but the manifest and its signature, in the archive's order. The signer's key is listed first.
std::vector<NamedFile> EvidenceFiles(const Evidence& evidence, const VerifierKey& signer);

// What a bundle's manifest says of it and its files. `log` and `checkpoint_size` are the caller's.
Manifest ManifestOf(const Evidence& evidence, const std::vector<NamedFile>& files);

NamedFile ManifestFileOf(const Manifest& manifest);
NamedFile SignatureFileOf(std::string note);

struct OpenedBundle {
  Manifest manifest;
  std::string manifest_text;
  std::string signature;  // unchecked
  Evidence evidence;
};

// Takes a bundle apart; what is wrong goes to `report`, and nothing is returned when there is no
// proper archive with a manifest. No signature or proof is checked.
std::optional<OpenedBundle> OpenBundle(crypto::ByteView bundle, EvidenceReport& report);

}  // namespace coffer::audit
