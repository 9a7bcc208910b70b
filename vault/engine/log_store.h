// The access log's tables: entries, full tiles, sealed notes, the last signed checkpoint.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "audit/entries/log_reader.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {

class LogStore : public audit::LogSource {
 public:
  static Result<std::unique_ptr<LogStore>> Open(Database& database);

  Status AppendEntry(std::uint64_t seq, std::string_view bytes);
  Status AppendTile(const audit::FullTile& tile);

  Result<std::uint64_t> Size() override;
  Status ReadEntries(std::uint64_t from, std::uint64_t to,
                     const std::function<Status(std::uint64_t, std::string_view)>& each) override;
  Result<Bytes> ReadTile(unsigned level, std::uint64_t n) override;
  // Entries from `start` downwards to 0; stops when `each` returns false.
  Status ReadBackwards(std::uint64_t start,
                       const std::function<bool(std::uint64_t, std::string_view)>& each);
  Result<std::optional<std::string>> ReadEntry(std::uint64_t seq);

  Status PutNote(std::int64_t client, std::uint64_t seq, ByteView sealed);
  Result<std::optional<Bytes>> ReadNote(std::int64_t client, std::uint64_t seq);
  Status DeleteNotesOf(std::int64_t client);
  // Of one client, with the entry that each belongs to, from `from` on, in the order of entries.
  Result<std::vector<std::pair<std::uint64_t, Bytes>>> ListNotes(
      std::int64_t client, std::uint64_t from = 0,
      std::size_t limit = std::numeric_limits<std::size_t>::max());
  Status DeleteNote(std::int64_t client, std::uint64_t seq);

  Status PutCheckpoint(std::string_view note);
  Result<std::optional<std::string>> ReadCheckpoint();

 private:
  Statement append_, append_tile_, size_, range_, backwards_, one_, tile_, put_note_, note_,
      delete_notes_, list_notes_, delete_note_, put_checkpoint_, checkpoint_;
};

}  // namespace coffer::vault
