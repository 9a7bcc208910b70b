#include "api/cli/files/record_tables.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <nlohmann/json.hpp>
#include <vector>

#include "api/cli/files/deferred_signals.h"
#include "api/cli/files/new_directory.h"
#include "api/cli/text/json_view.h"
#include "api/cli/text/table_cell.h"
#include "vault/base/names.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr const char* kByteOrderMark = "\xef\xbb\xbf";
constexpr const char* kClientColumns[] = {"id",      "external_ref", "tags",
                                          "created", "updated",      "relationship_end"};
constexpr const char* kRecordColumns[] = {"id",      "version", "created",
                                          "updated", "client",  "external_ref"};

std::string ExportedLine(const json& client) {
  std::string line;
  for (const char* name : kClientColumns) {
    const json& value = Member(client, name);
    if (std::string_view(name) == "external_ref" && !TextOf(value).empty()) {
      AppendTableCell(value, line);
    } else {
      AppendPlainCell(TextOf(value), line);
    }
  }
  return line + "\n";
}

std::string ColumnOfField(const std::string& field) {
  return IsRecordColumn(field) ? "data." + field : field;
}

std::string RecordHeader(const std::set<std::string>& fields) {
  std::string line;
  for (const char* name : kRecordColumns) AppendPlainCell(name, line);
  for (const std::string& field : fields) AppendPlainCell(ColumnOfField(field), line);
  return line + "\n";
}

std::string RecordLine(const json& record, const std::string& reference,
                       const std::set<std::string>& fields) {
  std::string line;
  for (const char* name : {"id", "version", "created", "updated", "client"}) {
    AppendPlainCell(Text(record, name), line);
  }
  AppendPlainCell(reference, line);
  const json& data = Member(record, "data");
  for (const std::string& field : fields) AppendTableCell(Member(data, field), line);
  return line + "\n";
}

// Reads the lines of a spool.
class SpooledLines {
 public:
  explicit SpooledLines(SealedSpool& spool) : spool_(spool) {}

  // False at the end.
  Outcome<bool> Next(std::string& line) {
    line.clear();
    for (;;) {
      if (const auto end = unread_.find('\n'); end != unread_.npos) {
        line += unread_.substr(0, end);
        unread_.remove_prefix(end + 1);
        return true;
      }
      line += unread_;
      COFFER_ASSIGN(const std::size_t size, spool_.Read(at_, buffer_));
      at_ += size;
      unread_ = {buffer_.data(), size};
      if (size == 0) return false;
    }
  }

 private:
  SealedSpool& spool_;
  std::uint64_t at_ = 0;
  std::array<char, 16 * 1024> buffer_{};
  std::string_view unread_;
};

}  // namespace

bool IsRecordColumn(std::string_view name) {
  return std::ranges::find(kRecordColumns, name) != std::end(kRecordColumns);
}

RecordTables::RecordTables(std::string path, std::string clients, bool byte_order_mark,
                           std::unique_ptr<SealedSpool> spool)
    : path_(std::move(path)),
      clients_(std::move(clients)),
      byte_order_mark_(byte_order_mark),
      spool_(std::move(spool)) {}

Outcome<std::unique_ptr<RecordTables>> RecordTables::Create(const std::string& path,
                                                            std::string clients,
                                                            bool byte_order_mark) {
  std::string directory = path;
  while (directory.size() > 1 && directory.ends_with('/')) directory.pop_back();
  COFFER_TRY(RefuseExisting(directory));
  const std::string parent = ParentOf(directory);
  if (access(parent.c_str(), W_OK | X_OK) != 0) return CannotMake(directory);
  COFFER_ASSIGN(auto spool, SealedSpool::Create(parent));
  return std::unique_ptr<RecordTables>(new RecordTables(std::move(directory), std::move(clients),
                                                        byte_order_mark, std::move(spool)));
}

Outcome<void> RecordTables::Add(const json& line) {
  if (const json& client = Member(line, "client"); !client.is_null()) {
    references_[Text(client, "id")] = Text(client, "external_ref");
  } else {
    const json& record = Member(line, "record");
    const std::string class_name = Text(record, "class");
    // It becomes a file's name.
    if (!vault::IsName(class_name, '-')) {
      return Failed(Exit::kFailed, "the server's answer names a class that cannot be one");
    }
    std::set<std::string>& columns = columns_[class_name];
    const json& data = Member(record, "data");
    for (auto it = data.begin(); data.is_object() && it != data.end(); ++it)
      columns.insert(it.key());
  }
  return spool_->Append(line.dump() + "\n");
}

Outcome<void> RecordTables::Begin(NewFile& file, const std::string& header) const {
  if (byte_order_mark_) COFFER_TRY(file.Write(kByteOrderMark));
  return file.Write(header);
}

Outcome<void> RecordTables::WriteTables(const std::string& folder) {
  COFFER_ASSIGN(const auto clients, NewFile::Create(folder + clients_));
  std::string header;
  for (const char* name : kClientColumns) AppendPlainCell(name, header);
  COFFER_TRY(Begin(*clients, header + "\n"));
  std::map<std::string, std::unique_ptr<NewFile>> classes;
  for (const auto& [name, fields] : columns_) {
    COFFER_ASSIGN(classes[name], NewFile::Create(folder + "class-" + name + ".csv"));
    COFFER_TRY(Begin(*classes[name], RecordHeader(fields)));
  }
  SpooledLines lines(*spool_);
  for (std::string text;;) {
    COFFER_ASSIGN(const bool more, lines.Next(text));
    if (!more) break;
    const json line = json::parse(text);
    if (const json& client = Member(line, "client"); !client.is_null()) {
      COFFER_TRY(clients->Write(ExportedLine(client)));
      continue;
    }
    const json& record = Member(line, "record");
    const std::string name = Text(record, "class");
    COFFER_TRY(classes[name]->Write(
        RecordLine(record, references_[Text(record, "client")], columns_[name])));
  }
  COFFER_TRY(clients->Finish());
  for (const auto& [name, file] : classes) COFFER_TRY(file->Finish());
  return {};
}

Outcome<void> RecordTables::Finish() {
  const DeferredSignals until_whole;
  COFFER_ASSIGN(const auto directory, NewDirectory::Create(path_));
  COFFER_TRY(WriteTables(directory->hidden() + "/"));
  return directory->Finish();
}

}  // namespace coffer::cli
