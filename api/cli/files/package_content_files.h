// The files of an access package: its parts to the byte, tables, pages, a receipt, and their
// hashes. Their names say nothing of what is in them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "api/cli/text/failure.h"
#include "audit/documents/page_language.h"
#include "audit/documents/zip_archive.h"

namespace coffer::cli {

struct PackageMaterial {
  std::vector<std::string> parts;              // as they were handed out
  std::string receipt;                         // an evidence bundle
  std::vector<audit::PageLanguage> languages;  // of pages; the first one is index.html
  std::string contact;                         // who keeps the data; empty: not said
};

// part-0001.json …, receipt.zip, index.html …, records-01.csv … (a class each), client.csv,
// consents.csv, restrictions.csv, requests.csv, packages.csv, log.csv, left-out.csv, VERIFY.txt,
// MANIFEST.json, SHA256SUMS.
Outcome<std::vector<audit::NamedFile>> PackageContentFiles(const PackageMaterial& material);

}  // namespace coffer::cli
