// What SQL hands to functions of ours, and tells of rows.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <span>

#include "crypto/bytes.h"

namespace coffer::vault {

using crypto::Bytes;
using crypto::ByteView;

// What a statement hands to a function of ours. The numbers of the types are part of what is hashed
// of rows (docs/formats.md).
class SqlValue {
 public:
  enum class Type : std::uint8_t { kInteger = 1, kReal = 2, kText = 3, kBlob = 4, kNull = 5 };
  explicit SqlValue(sqlite3_value* value) : value_(value) {}
  Type type() const { return static_cast<Type>(sqlite3_value_type(value_)); }
  std::int64_t Int() const { return sqlite3_value_int64(value_); }
  ByteView Blob() const {
    const auto* data = static_cast<const std::uint8_t*>(sqlite3_value_blob(value_));
    return {data, static_cast<std::size_t>(sqlite3_value_bytes(value_))};
  }

 private:
  sqlite3_value* value_;
};

using SqlValues = std::span<sqlite3_value* const>;

enum class RowChange : std::uint8_t { kInserted, kUpdated, kDeleted };

}  // namespace coffer::vault
