#include "api/cli/package_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "api/cli/json_view.h"
#include "api/cli/private_file.h"
#include "audit/csv_cell.h"
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

// A directory that is removed again unless it is kept.
class NewDirectory {
 public:
  static Outcome<NewDirectory> Create(const std::string& path) {
    if (mkdir(path.c_str(), 0700) == 0) return NewDirectory(path);
    if (errno == EEXIST) {
      return Failed(Exit::kUsage, "\"" + path + "\" exists already", "Name a new directory.");
    }
    return Failed(Exit::kFailed, "cannot make \"" + path + "\": " + std::strerror(errno));
  }
  NewDirectory(NewDirectory&& other) noexcept : path_(std::move(other.path_)) {
    other.path_.clear();
  }
  NewDirectory(const NewDirectory&) = delete;
  NewDirectory& operator=(const NewDirectory&) = delete;
  NewDirectory& operator=(NewDirectory&&) = delete;
  ~NewDirectory() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  void Keep() { path_.clear(); }

 private:
  explicit NewDirectory(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace

Outcome<void> WriteJsonPackage(const json& lines, const std::string& path) {
  std::string text;
  for (const json& line : lines) text += line.dump() + "\n";
  return WriteNewFile(path, text);
}

Outcome<void> WriteCsvPackage(const json& lines, const std::string& path) {
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
  COFFER_ASSIGN(NewDirectory directory, NewDirectory::Create(path));
  COFFER_TRY(WriteNewFile(path + "/client.csv", ClientTable(*client)));
  for (const auto& [name, records] : by_class) {
    COFFER_TRY(WriteNewFile(path + "/class-" + name + ".csv", RecordTable(records)));
  }
  directory.Keep();
  return {};
}

}  // namespace coffer::cli
