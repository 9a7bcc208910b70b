// Which client and record each line of a table named, and which keys only look like another. Keys
// are kept as hashes, for they may be names of people: less than 100 bytes a row.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace coffer::cli {

struct SeenBefore {
  std::optional<std::uint64_t> same;   // the earlier line of the same key
  std::optional<std::uint64_t> alike;  // that of another key, which reads the same; told once a key
};

// Whether keys read the same: without blanks, capitals and forms of characters (NFKC_Casefold).
class SeenTexts {
 public:
  // `second` may be empty. Precondition: valid UTF-8 without U+0000.
  SeenBefore Insert(std::string_view first, std::string_view second, std::uint64_t line);

 private:
  using Reading = std::array<std::uint64_t, 2>;
  struct Seen {
    std::size_t spelling;
    std::uint64_t line;
  };
  struct First {
    std::size_t operator()(const Reading& reading) const { return reading[0]; }
  };
  std::unordered_map<Reading, Seen, First> first_;                  // spelling of each reading
  std::map<std::pair<Reading, std::size_t>, std::uint64_t> other_;  // spellings, and their lines
  std::string buffer_;
};

class SeenKeys {
 public:
  // `record_key` is nothing where the table has no such column. Precondition as above.
  SeenBefore Insert(std::string_view key, std::optional<std::string_view> record_key,
                    std::uint64_t line);

 private:
  SeenTexts rows_;
  SeenTexts clients_;  // where several rows may be of one client
};

}  // namespace coffer::cli
