#include "audit/entries/entry.h"
#include "tests/fuzz/fuzz.h"

using coffer::fuzz::Require;

COFFER_FUZZ(FuzzEntry)(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = coffer::fuzz::Text(data, size);
  const auto entry = coffer::audit::ParseEntry(bytes);
  if (!entry) {
    Require(entry.error().reason == "entry_malformed", "a refused entry is malformed");
    return 0;
  }
  std::string again;
  coffer::audit::AppendCanonical(*entry, again);
  Require(again == bytes, "an entry has one spelling");
  Require(again.size() <= coffer::audit::kMaxEntryBytes, "an entry is at most 8 KiB");
  return 0;
}
