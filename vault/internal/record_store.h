// Rows of records, their old versions and their blind index tokens.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "audit/clock.h"
#include "crypto/blind_index.h"
#include "vault/ids.h"
#include "vault/internal/sqlite.h"

namespace coffer::vault {

using audit::Timestamp;
using crypto::BlindToken;

struct RecordRow {
  RecordId id;
  std::int64_t client = 0;
  std::string class_name;
  std::uint64_t class_version = 0;
  std::uint64_t version = 0;
  Timestamp created, updated;
  std::int64_t fields = 0;
  Bytes tokens;  // of its indexed fields, 16 bytes each
  std::optional<BlindToken> import_token;
  Bytes payload;  // sealed
  // RetentionDay of its document. For writing only: what is read leaves it out.
  std::optional<std::int64_t> retention_day = {};
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

  Status Insert(const RecordRow& row);
  // Moves `before` to the old versions and puts `row` in its place.
  Status Update(const RecordRow& row, const RecordRow& before);
  Result<std::optional<RecordRow>> Find(const RecordId& id);
  Result<std::optional<RecordRow>> FindRow(std::int64_t row);
  Result<std::optional<RecordVersionRow>> FindVersion(std::int64_t record, std::uint64_t version);
  // Old versions, oldest first, without payloads.
  Result<std::vector<RecordVersionRow>> ListVersions(std::int64_t record);
  // With its old versions; how many these were.
  Result<std::uint64_t> Delete(const RecordRow& row);
  // The same bytes of content under another key.
  Status Reseal(std::int64_t record, ByteView payload);
  Status ResealVersion(std::int64_t record, std::uint64_t version, ByteView payload);
  // Row ids after `after`; one class, or all when `class_name` is empty.
  Result<std::vector<std::int64_t>> ListOf(std::int64_t client, std::string_view class_name,
                                           std::int64_t after, std::size_t limit);
  Result<bool> ClientHasClass(std::int64_t client, std::string_view class_name);
  // Row ids of records whose index holds the token.
  Result<std::vector<std::int64_t>> FindByToken(const BlindToken& token, std::int64_t after,
                                                std::size_t limit);
  Result<std::uint64_t> Count();

 private:
  Status WriteTokens(const RecordRow& row, Statement& statement);

  Statement insert_, update_, find_, insert_version_, find_version_, list_versions_,
      delete_versions_, delete_, reseal_, reseal_version_, list_of_, list_of_class_, has_class_,
      insert_token_, delete_token_, find_token_, count_;
};

}  // namespace coffer::vault
