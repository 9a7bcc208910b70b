#include "api/cli/package_files.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "api/cli/deferred_signals.h"
#include "api/cli/json_view.h"
#include "audit/csv_cell.h"
#include "crypto/encoding.h"
#include "crypto/random.h"
#include "vault/names.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr const char* kClientColumns[] = {"id",      "external_ref", "tags",
                                          "created", "updated",      "relationship_end"};
constexpr const char* kRecordColumns[] = {"id", "version", "created", "updated"};

std::string Line(const std::vector<std::string>& cells) {
  std::string line;
  for (const std::string& cell : cells) audit::AppendCsvCell(cell, line);
  return line + "\n";
}

std::string ClientTable(const json& client) {
  std::vector<std::string> names(std::begin(kClientColumns), std::end(kClientColumns));
  std::vector<std::string> cells;
  for (const std::string& name : names) cells.push_back(Text(client, name));
  return Line(names) + Line(cells);
}

std::string RecordTable(const std::vector<const json*>& records) {
  std::set<std::string> fields;
  for (const json* record : records) {
    const json& data = Member(*record, "data");
    if (!data.is_object()) continue;
    for (const auto& [name, value] : data.items()) fields.insert(name);
  }
  std::vector<std::string> names(std::begin(kRecordColumns), std::end(kRecordColumns));
  names.insert(names.end(), fields.begin(), fields.end());
  std::string table = Line(names);
  for (const json* record : records) {
    std::vector<std::string> cells;
    for (const char* name : kRecordColumns) cells.push_back(Text(*record, name));
    for (const std::string& name : fields) cells.push_back(Text(Member(*record, "data"), name));
    table += Line(cells);
  }
  return table;
}

std::string ParentOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == path.npos ? "." : path.substr(0, slash + 1);
}

std::unexpected<Failure> CannotMake(const std::string& path) {
  return Failed(Exit::kFailed, "cannot make \"" + path + "\": " + std::strerror(errno));
}

Outcome<void> SyncDirectory(const std::string& path) {
  const int directory = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = directory >= 0 && fsync(directory) == 0;
  const int error = errno;
  if (directory >= 0) close(directory);
  if (synced) return {};
  return Failed(Exit::kFailed, "cannot write \"" + path + "\": " + std::strerror(error));
}

// Filled under a hidden name beside, which it loses when it is whole. Else it is removed again.
class NewDirectory {
 public:
  static Outcome<std::unique_ptr<NewDirectory>> Create(const std::string& path) {
    const std::string parent = ParentOf(path);
    std::string hidden = (parent == "." ? "./" : parent) + "." +
                         std::filesystem::path(path).filename().string() + "." +
                         crypto::HexEncode(crypto::RandomBytes(8)) + ".tmp";
    if (mkdir(hidden.c_str(), 0700) != 0) return CannotMake(path);
    return std::unique_ptr<NewDirectory>(new NewDirectory(path, std::move(hidden)));
  }
  NewDirectory(const NewDirectory&) = delete;
  NewDirectory& operator=(const NewDirectory&) = delete;
  ~NewDirectory() {
    std::error_code ignored;
    if (!finished_) std::filesystem::remove_all(hidden_, ignored);
  }

  const std::string& hidden() const { return hidden_; }

  Outcome<void> Finish() {
    COFFER_TRY(SyncDirectory(hidden_));
    int renamed = renameat2(AT_FDCWD, hidden_.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE);
    if (renamed != 0 && (errno == EINVAL || errno == ENOSYS)) {
      // Where the file system cannot refuse, an empty directory is all that could be replaced.
      COFFER_TRY(RefuseExisting(path_));
      renamed = rename(hidden_.c_str(), path_.c_str());
    }
    if (renamed != 0) return CannotMake(path_);
    finished_ = true;
    return SyncDirectory(ParentOf(path_));
  }

 private:
  NewDirectory(std::string path, std::string hidden)
      : path_(std::move(path)), hidden_(std::move(hidden)) {}
  std::string path_, hidden_;
  bool finished_ = false;
};

Outcome<void> WriteCsv(const json& lines, const std::string& path) {
  std::map<std::string, std::vector<const json*>> by_class;
  const json* client = nullptr;
  for (const json& line : lines) {
    if (line.contains("client")) client = &line["client"];
    if (!line.contains("record")) continue;
    const std::string class_name = Text(line["record"], "class");
    // It becomes a file's name.
    if (!vault::IsName(class_name, '-')) {
      return Failed(Exit::kFailed, "the server's answer names a class that cannot be one");
    }
    by_class[class_name].push_back(&line["record"]);
  }
  if (client == nullptr) return Failed(Exit::kFailed, "the server's answer names no client");
  const DeferredSignals until_whole;
  COFFER_ASSIGN(const auto directory, NewDirectory::Create(path));
  COFFER_TRY(WriteNewFile(directory->hidden() + "/client.csv", ClientTable(*client)));
  for (const auto& [name, records] : by_class) {
    COFFER_TRY(WriteNewFile(directory->hidden() + "/class-" + name + ".csv", RecordTable(records)));
  }
  return directory->Finish();
}

}  // namespace

Outcome<PackageFiles> PackageFiles::PlacedIn(const std::string& path, Format format) {
  PackageFiles files;
  files.path_ = path;
  while (format == Format::kCsv && files.path_.size() > 1 && files.path_.ends_with('/')) {
    files.path_.pop_back();
  }
  if (format == Format::kJson) {
    COFFER_ASSIGN(files.file_, NewFile::Create(path));
    return files;
  }
  COFFER_TRY(RefuseExisting(files.path_));
  if (access(ParentOf(files.path_).c_str(), W_OK | X_OK) != 0) return CannotMake(files.path_);
  return files;
}

Outcome<void> PackageFiles::Write(const json& lines) {
  if (file_ == nullptr) return WriteCsv(lines, path_);
  for (const json& line : lines) COFFER_TRY(file_->Write(line.dump() + "\n"));
  return file_->Finish();
}

}  // namespace coffer::cli
