#include "vault/oversight/processing_store.h"

#include <algorithm>
#include <limits>

namespace coffer::vault {
namespace {

constexpr std::string_view kInsertProcessingDocument =
    "INSERT INTO processing_documents (version, definition, sha256, created, put_by, seq) "
    "VALUES (?, ?, ?, ?, ?, ?)";
// The newest of those up to a version.
constexpr std::string_view kFindProcessingDocument =
    "SELECT version, definition, sha256, created, put_by, seq FROM processing_documents "
    "WHERE version <= ? ORDER BY version DESC LIMIT 1";
constexpr std::string_view kInsertProcessing =
    "INSERT INTO processing_versions (version, register, sha256, form, missing, published, "
    "published_by, seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
constexpr std::string_view kFindProcessing =
    "SELECT version, sha256, form, missing, published, published_by, seq, register "
    "FROM processing_versions WHERE version <= ? ORDER BY version DESC LIMIT 1";
constexpr std::string_view kListProcessing =
    "SELECT version, sha256, form, missing, published, published_by, seq "
    "FROM processing_versions WHERE version < ? ORDER BY version DESC LIMIT ?";

constexpr std::int64_t kNewestVersion = std::numeric_limits<std::int64_t>::max();

std::int64_t UpTo(std::optional<std::uint64_t> version) {
  return version ? static_cast<std::int64_t>(*version) : kNewestVersion;
}

Status CheckText(std::string_view text, const crypto::Hash& sha256) {
  if (crypto::Sha256(crypto::AsBytes(text)) == sha256) return {};
  return Fail(Code::kCorrupted, "storage_corrupted",
              "a version of the register of processing is not what its hash says");
}

Result<PublishedProcessing> PublishedAt(const Cursor& rows) {
  PublishedProcessing published;
  published.version = static_cast<std::uint64_t>(rows.Int(0));
  std::ranges::copy(rows.Blob(1), published.sha256.begin());
  const auto order = ProcessingOrderFromName(rows.Text(2));
  if (!order) return Fail(Code::kCorrupted, "storage_corrupted", "an order of processing");
  published.order = *order;
  published.missing = static_cast<std::uint64_t>(rows.Int(3));
  published.published = Timestamp{rows.Int(4)};
  std::ranges::copy(rows.Blob(5), published.published_by.value.begin());
  published.seq = static_cast<std::uint64_t>(rows.Int(6));
  return published;
}

}  // namespace

Result<ProcessingStore> ProcessingStore::Open(Database& database) {
  ProcessingStore store;
  COFFER_ASSIGN(store.insert_document_, Statement::Prepare(database, kInsertProcessingDocument));
  COFFER_ASSIGN(store.find_document_, Statement::Prepare(database, kFindProcessingDocument));
  COFFER_ASSIGN(store.insert_, Statement::Prepare(database, kInsertProcessing));
  COFFER_ASSIGN(store.find_, Statement::Prepare(database, kFindProcessing));
  COFFER_ASSIGN(store.list_, Statement::Prepare(database, kListProcessing));
  return store;
}

Status ProcessingStore::InsertDocument(const ProcessingDocument& document) {
  return insert_document_.Execute(document.version, std::string_view(document.definition),
                                  ByteView(document.sha256), document.created.ms,
                                  document.put_by.bytes(), document.seq);
}

Result<std::optional<ProcessingDocument>> ProcessingStore::FindDocument(
    std::optional<std::uint64_t> version) {
  auto rows = find_document_.Query(UpTo(version));
  COFFER_ASSIGN(const bool found, rows.Next());
  if (!found) return std::nullopt;
  ProcessingDocument document;
  document.version = static_cast<std::uint64_t>(rows.Int(0));
  if (version && *version != document.version) return std::nullopt;
  document.definition = rows.Text(1);
  std::ranges::copy(rows.Blob(2), document.sha256.begin());
  document.created = Timestamp{rows.Int(3)};
  std::ranges::copy(rows.Blob(4), document.put_by.value.begin());
  document.seq = static_cast<std::uint64_t>(rows.Int(5));
  COFFER_TRY(CheckText(document.definition, document.sha256));
  return document;
}

Status ProcessingStore::Insert(const PublishedProcessing& published) {
  return insert_.Execute(published.version, std::string_view(published.register_json),
                         ByteView(published.sha256), Name(published.order), published.missing,
                         published.published.ms, published.published_by.bytes(), published.seq);
}

Result<std::optional<PublishedProcessing>> ProcessingStore::Find(
    std::optional<std::uint64_t> version) {
  auto rows = find_.Query(UpTo(version));
  COFFER_ASSIGN(const bool is_there, rows.Next());
  if (!is_there) return std::nullopt;
  COFFER_ASSIGN(PublishedProcessing found, PublishedAt(rows));
  if (version && *version != found.version) return std::nullopt;
  found.register_json = rows.Text(7);
  COFFER_TRY(CheckText(found.register_json, found.sha256));
  return found;
}

Result<std::vector<PublishedProcessing>> ProcessingStore::List(std::int64_t before,
                                                               std::size_t limit) {
  std::vector<PublishedProcessing> listed;
  auto rows = list_.Query(before, static_cast<std::int64_t>(limit));
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return listed;
    COFFER_ASSIGN(auto published, PublishedAt(rows));
    listed.push_back(std::move(published));
  }
}

}  // namespace coffer::vault
