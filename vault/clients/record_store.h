// Rows of records and their old versions; what the search index has of them goes with each change.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "audit/text/clock.h"
#include "vault/base/ids.h"
#include "vault/base/timestamp.h"
#include "vault/clients/index_terms.h"
#include "vault/clients/search_index.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {

struct RecordRow {
  RecordId id;
  std::int64_t client = 0;
  std::string class_name;
  std::uint64_t class_version = 0;
  std::uint64_t version = 0;
  Timestamp created, updated;
  std::int64_t fields = 0;
  Bytes tokens;                            // as stored: index_terms.h
  std::optional<BlindToken> import_token;  // as stored: none where `tokens` are sealed
  Bytes payload;                           // sealed
  // RetentionDay of its document. For writing only: what is read leaves it out.
  std::optional<std::int64_t> retention_day = {};
  // What `tokens` has, opened. Whoever changes or deletes a row fills it in before (OpenTermsOf).
  IndexTerms terms = {};
};

struct RecordVersionRow {
  std::uint64_t version = 0;
  std::uint64_t class_version = 0;
  Timestamp written;
  std::int64_t fields = 0;
  Bytes payload;
};

class RecordStore {
 public:
  static Result<RecordStore> Open(Database& database);
  // For looking only, also at a database that no newer version was opened with yet: Find, FindRow,
  // FindVersion, ListOf.
  static Result<RecordStore> OpenForReading(const Database& database);

  Status Insert(const RecordRow& row, SearchIndex& index);
  // Moves `before` to the old versions and puts `row` in its place.
  Status Update(const RecordRow& row, const RecordRow& before, SearchIndex& index);
  Result<std::optional<RecordRow>> Find(const RecordId& id);
  Result<std::optional<RecordRow>> FindRow(std::int64_t row);
  Result<std::optional<RecordVersionRow>> FindVersion(std::int64_t record, std::uint64_t version);
  // Old versions, oldest first, without payloads.
  Result<std::vector<RecordVersionRow>> ListVersions(std::int64_t record);
  // With its old versions; how many these were.
  Result<std::uint64_t> Delete(const RecordRow& row, SearchIndex& index);
  // The same bytes of content under another key.
  Status Reseal(std::int64_t record, ByteView payload, ByteView tokens);
  Status ResealVersion(std::int64_t record, std::uint64_t version, ByteView payload);
  // Row ids after `after`; one class, or all when `class_name` is empty.
  Result<std::vector<std::int64_t>> ListOf(std::int64_t client, std::string_view class_name,
                                           std::int64_t after, std::size_t limit);
  // Classes and row ids after these, in the order of both.
  Result<std::vector<std::pair<std::string, std::int64_t>>> ListByClass(std::int64_t client,
                                                                        std::string_view class_name,
                                                                        std::int64_t after,
                                                                        std::size_t limit);
  Result<std::map<std::string, std::uint64_t, std::less<>>> CountByClass(std::int64_t client);
  // Records and old versions, as far as `most`.
  Result<std::size_t> CountSealed(std::int64_t client, std::size_t most);
  Result<bool> ClientHasClass(std::int64_t client, std::string_view class_name);
  // Rows after `after` without their payloads, for the index; one payload of them.
  Result<std::vector<RecordRow>> ListIndexed(std::int64_t after, std::size_t limit);
  // Row ids of a class after `after`, of all clients; whether more than `count` rows of any follow.
  Result<std::vector<std::int64_t>> ListAllOf(std::string_view class_name, std::int64_t after,
                                              std::size_t limit);
  Result<bool> HasMoreThan(std::size_t count, std::int64_t after);
  Result<Bytes> ReadPayload(std::int64_t record);
  Status PutTerms(std::int64_t record, ByteView tokens);
  // Of the record, as long as it is this version of it: its day as the class's `date_version` reads
  // it. False: it is another version by now.
  Result<bool> PutDay(std::int64_t record, std::uint64_t version, std::optional<Day> day,
                      std::uint64_t date_version);
  Result<std::optional<std::int64_t>> FindRetentionDay(std::int64_t record);
  Result<std::uint64_t> Count();

 private:
  Statement insert_, update_, find_, insert_version_, find_version_, list_versions_,
      delete_versions_, delete_, reseal_, reseal_version_, list_of_, list_of_class_, has_class_,
      list_indexed_, read_payload_, put_terms_, retention_day_, put_day_, count_, list_by_class_,
      count_by_class_, count_sealed_, list_all_of_, has_more_;
};

}  // namespace coffer::vault
