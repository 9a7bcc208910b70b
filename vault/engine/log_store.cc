#include "vault/engine/log_store.h"

namespace coffer::vault {
namespace {

constexpr std::string_view kAppend = "INSERT INTO log_entries (seq, entry) VALUES (?, ?)";
constexpr std::string_view kAppendTile =
    "INSERT INTO log_tiles (level, n, hashes) VALUES (?, ?, ?)";
constexpr std::string_view kSize = "SELECT coalesce(max(seq) + 1, 0) FROM log_entries";
constexpr std::string_view kRange =
    "SELECT seq, entry FROM log_entries WHERE seq >= ? AND seq < ? ORDER BY seq";
constexpr std::string_view kBackwards =
    "SELECT seq, entry FROM log_entries WHERE seq <= ? ORDER BY seq DESC";
constexpr std::string_view kOne = "SELECT entry FROM log_entries WHERE seq = ?";
constexpr std::string_view kTile = "SELECT hashes FROM log_tiles WHERE level = ? AND n = ?";
constexpr std::string_view kPutNote = "INSERT INTO log_notes (client, seq, note) VALUES (?, ?, ?)";
constexpr std::string_view kNote = "SELECT note FROM log_notes WHERE client = ? AND seq = ?";
constexpr std::string_view kDeleteNotes = "DELETE FROM log_notes WHERE client = ?";
constexpr std::string_view kListNotes =
    "SELECT seq, note FROM log_notes WHERE client = ? AND seq >= ? ORDER BY seq LIMIT ?";
constexpr std::string_view kDeleteNote = "DELETE FROM log_notes WHERE client = ? AND seq = ?";
constexpr std::string_view kPutCheckpoint =
    "INSERT INTO log_checkpoint (id, note) VALUES (1, ?) "
    "ON CONFLICT (id) DO UPDATE SET note = excluded.note";
constexpr std::string_view kCheckpoint = "SELECT note FROM log_checkpoint WHERE id = 1";

}  // namespace

Result<std::unique_ptr<LogStore>> LogStore::Open(Database& database) {
  auto store = std::make_unique<LogStore>();
  COFFER_ASSIGN(store->append_, Statement::Prepare(database, kAppend));
  COFFER_ASSIGN(store->append_tile_, Statement::Prepare(database, kAppendTile));
  COFFER_ASSIGN(store->size_, Statement::Prepare(database, kSize));
  COFFER_ASSIGN(store->range_, Statement::Prepare(database, kRange));
  COFFER_ASSIGN(store->backwards_, Statement::Prepare(database, kBackwards));
  COFFER_ASSIGN(store->one_, Statement::Prepare(database, kOne));
  COFFER_ASSIGN(store->tile_, Statement::Prepare(database, kTile));
  COFFER_ASSIGN(store->put_note_, Statement::Prepare(database, kPutNote));
  COFFER_ASSIGN(store->note_, Statement::Prepare(database, kNote));
  COFFER_ASSIGN(store->delete_notes_, Statement::Prepare(database, kDeleteNotes));
  COFFER_ASSIGN(store->list_notes_, Statement::Prepare(database, kListNotes));
  COFFER_ASSIGN(store->delete_note_, Statement::Prepare(database, kDeleteNote));
  COFFER_ASSIGN(store->put_checkpoint_, Statement::Prepare(database, kPutCheckpoint));
  COFFER_ASSIGN(store->checkpoint_, Statement::Prepare(database, kCheckpoint));
  return store;
}

Status LogStore::AppendEntry(std::uint64_t seq, std::string_view bytes) {
  return append_.Execute(seq, crypto::AsBytes(bytes));
}

Status LogStore::AppendTile(const audit::FullTile& tile) {
  return append_tile_.Execute(static_cast<std::int64_t>(tile.level), tile.n, ByteView(tile.hashes));
}

Result<std::uint64_t> LogStore::Size() {
  auto row = size_.Query();
  COFFER_TRY(row.Next());
  return static_cast<std::uint64_t>(row.Int(0));
}

Status LogStore::ReadEntries(std::uint64_t from, std::uint64_t to,
                             const std::function<Status(std::uint64_t, std::string_view)>& each) {
  auto rows = range_.Query(from, to);
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return {};
    COFFER_TRY(each(static_cast<std::uint64_t>(rows.Int(0)), rows.Text(1)));
  }
}

Status LogStore::ReadBackwards(std::uint64_t start,
                               const std::function<bool(std::uint64_t, std::string_view)>& each) {
  auto rows = backwards_.Query(start);
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more || !each(static_cast<std::uint64_t>(rows.Int(0)), rows.Text(1))) return {};
  }
}

Result<std::optional<std::string>> LogStore::ReadEntry(std::uint64_t seq) {
  auto rows = one_.Query(seq);
  COFFER_ASSIGN(const bool found, rows.Next());
  if (!found) return std::nullopt;
  return std::string(rows.Text(0));
}

Result<Bytes> LogStore::ReadTile(unsigned level, std::uint64_t n) {
  auto rows = tile_.Query(static_cast<std::int64_t>(level), n);
  COFFER_ASSIGN(const bool found, rows.Next());
  if (!found) {
    return Fail(Code::kNotFound, "tile_missing",
                "tile " + std::to_string(level) + "/" + std::to_string(n) + " is not stored");
  }
  const auto hashes = rows.Blob(0);
  return Bytes(hashes.begin(), hashes.end());
}

Status LogStore::PutNote(std::int64_t client, std::uint64_t seq, ByteView sealed) {
  return put_note_.Execute(client, seq, sealed);
}

Result<std::optional<Bytes>> LogStore::ReadNote(std::int64_t client, std::uint64_t seq) {
  auto rows = note_.Query(client, seq);
  COFFER_ASSIGN(const bool found, rows.Next());
  if (!found) return std::nullopt;
  const auto sealed = rows.Blob(0);
  return Bytes(sealed.begin(), sealed.end());
}

Status LogStore::DeleteNotesOf(std::int64_t client) { return delete_notes_.Execute(client); }

Result<std::vector<std::pair<std::uint64_t, Bytes>>> LogStore::ListNotes(std::int64_t client,
                                                                         std::uint64_t from,
                                                                         std::size_t limit) {
  std::vector<std::pair<std::uint64_t, Bytes>> notes;
  auto rows = list_notes_.Query(client, from, static_cast<std::int64_t>(limit));
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return notes;
    const auto note = rows.Blob(1);
    notes.emplace_back(static_cast<std::uint64_t>(rows.Int(0)), Bytes(note.begin(), note.end()));
  }
}

Status LogStore::DeleteNote(std::int64_t client, std::uint64_t seq) {
  return delete_note_.Execute(client, seq);
}

Status LogStore::PutCheckpoint(std::string_view note) { return put_checkpoint_.Execute(note); }

Result<std::optional<std::string>> LogStore::ReadCheckpoint() {
  auto rows = checkpoint_.Query();
  COFFER_ASSIGN(const bool found, rows.Next());
  if (!found) return std::nullopt;
  return std::string(rows.Text(0));
}

}  // namespace coffer::vault
