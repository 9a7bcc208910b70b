#include "api/cli/files/package_files.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace coffer::cli {
namespace {

using nlohmann::json;

Outcome<void> WriteTables(const json& lines, RecordTables& tables) {
  const bool has_client = std::any_of(lines.begin(), lines.end(),
                                      [](const json& line) { return line.contains("client"); });
  if (!has_client) return Failed(Exit::kFailed, "the server's answer names no client");
  for (const json& line : lines) COFFER_TRY(tables.Add(line));
  return tables.Finish();
}

}  // namespace

Outcome<PackageFiles> PackageFiles::PlacedIn(const std::string& path, Format format,
                                             bool byte_order_mark) {
  PackageFiles files;
  if (format == Format::kJson) {
    COFFER_ASSIGN(files.file_, NewFile::Create(path));
  } else {
    COFFER_ASSIGN(files.tables_, RecordTables::Create(path, "client.csv", byte_order_mark));
  }
  return files;
}

Outcome<void> PackageFiles::Write(const json& lines) {
  if (tables_) return WriteTables(lines, *tables_);
  for (const json& line : lines) COFFER_TRY(file_->Write(line.dump() + "\n"));
  return file_->Finish();
}

}  // namespace coffer::cli
