#include "vault/oversight/log_index.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "crypto/hash.h"
#include "vault/storage/dialect.h"

namespace coffer::vault {
namespace {

constexpr std::string_view kIndexVersion = "2";

// `words` are the texts of columns with few different values, and names of fields; `seen_in` says
// which members have had them (LogWord). The other columns have hashes.
constexpr const char* kIndexSchema = R"(
CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE words (
  id      INTEGER PRIMARY KEY,
  text    TEXT    NOT NULL UNIQUE,
  count   INTEGER NOT NULL,
  seen_in INTEGER NOT NULL
) STRICT;
CREATE TABLE entries (
  seq      INTEGER PRIMARY KEY,
  ts       INTEGER NOT NULL,
  actor    INTEGER, action INTEGER, class INTEGER, purpose INTEGER, decision INTEGER, rule INTEGER,
  outcome  INTEGER, address INTEGER,
  client   INTEGER, record INTEGER, request INTEGER
) STRICT;
CREATE INDEX entries_by_actor   ON entries (actor);
CREATE INDEX entries_by_action  ON entries (action);
CREATE INDEX entries_by_outcome ON entries (outcome);
CREATE INDEX entries_by_address ON entries (address);
CREATE INDEX entries_by_client  ON entries (client)  WHERE client IS NOT NULL;
CREATE INDEX entries_by_record  ON entries (record)  WHERE record IS NOT NULL;
CREATE INDEX entries_by_request ON entries (request) WHERE request IS NOT NULL;
)";
// Nothing is lost with it.
constexpr const char* kFast = "PRAGMA synchronous = NORMAL";
constexpr int kMaxWalFrames = 2000;
constexpr int kWriterCacheKib = 16 * 1024;
constexpr int kReaderCacheKib = 8 * 1024;

// A value that more entries have than this is looked for in a window of the log, not in all of it:
// to decrypt that much of the index takes most of what a page may take.
constexpr std::uint64_t kRare = 50'000;
constexpr std::uint64_t kWindow = 100'000;
constexpr std::size_t kMaxCounts = 10'000;

std::int64_t IndexHashOf(std::string_view text) {
  const auto hash = crypto::Sha256(crypto::AsBytes(text));
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) value = value << 8 | hash[i];
  return static_cast<std::int64_t>(value);
}

std::optional<std::int64_t> IndexHashIf(std::string_view text) {
  if (text.empty()) return std::nullopt;
  return IndexHashOf(text);
}

struct WordColumn {
  std::string_view name;
  LogWord member;
  std::string_view index;  // empty: none
  std::string_view (*of_entry)(const audit::Entry&);
  const std::string LogFilter::* of_filter;
};
constexpr WordColumn kWordColumns[] = {
    {"actor", LogWord::kActor, "entries_by_actor",
     [](const audit::Entry& e) -> std::string_view { return e.actor; }, &LogFilter::actor},
    {"action", LogWord::kAction, "entries_by_action",
     [](const audit::Entry& e) -> std::string_view { return e.action; }, &LogFilter::action},
    {"class", LogWord::kClass, "",
     [](const audit::Entry& e) -> std::string_view { return e.class_name; },
     &LogFilter::class_name},
    {"purpose", LogWord::kPurpose, "",
     [](const audit::Entry& e) -> std::string_view { return e.purpose; }, &LogFilter::purpose},
    {"decision", LogWord::kDecision, "",
     [](const audit::Entry& e) { return audit::Name(e.decision); }, &LogFilter::decision},
    {"rule", LogWord::kRule, "", [](const audit::Entry& e) -> std::string_view { return e.rule; },
     &LogFilter::rule},
    {"outcome", LogWord::kOutcome, "entries_by_outcome",
     [](const audit::Entry& e) -> std::string_view { return e.outcome; }, &LogFilter::outcome},
    {"address", LogWord::kAddress, "entries_by_address",
     [](const audit::Entry& e) -> std::string_view { return e.address; }, &LogFilter::address},
};
struct HashColumn {
  std::string_view name, index;
  std::string_view (*of_entry)(const audit::Entry&);
  const std::string LogFilter::* of_filter;
};
constexpr HashColumn kHashColumns[] = {
    {"client", "entries_by_client",
     [](const audit::Entry& e) -> std::string_view { return e.client; }, &LogFilter::client},
    {"record", "entries_by_record",
     [](const audit::Entry& e) -> std::string_view { return e.record; }, &LogFilter::record},
    {"request", "entries_by_request",
     [](const audit::Entry& e) -> std::string_view { return e.request; }, &LogFilter::request},
};

constexpr std::string_view kInsertIndexed =
    "INSERT INTO entries (seq, ts, actor, action, class, purpose, decision, rule, outcome, "
    "address, "
    "client, record, request) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr std::string_view kClientChanges =
    "SELECT seq FROM entries INDEXED BY entries_by_client WHERE client = ? AND seq < ? AND action "
    "IN (SELECT id FROM words WHERE text IN ('client.create', 'client.update', 'client.reseal', "
    "'client.erase', 'erasure.replayed', 'retention.erase')) ORDER BY seq";
constexpr std::string_view kRecordChanges =
    "SELECT seq FROM entries INDEXED BY entries_by_record WHERE record = ? AND seq < ? AND action "
    "IN (SELECT id FROM words WHERE text IN ('record.create', 'record.update', 'record.import', "
    "'record.reseal', 'record.delete', 'record.erase')) ORDER BY seq";
// What showed something of a client to somebody.
constexpr std::string_view kCountReaders =
    "SELECT text, count(*), count(DISTINCT client) FROM entries JOIN words ON words.id = actor "
    "WHERE seq >= ? AND seq < ? AND client IS NOT NULL AND +decision = (SELECT id FROM words WHERE "
    "text = 'allow') AND +action IN (SELECT id FROM words WHERE text IN ('client.read', "
    "'client.list', 'client.search', 'client.export', 'client.package', 'record.read', "
    "'record.list')) GROUP BY actor";
constexpr std::string_view kPutIndexState =
    "INSERT INTO state (name, value) VALUES (?, ?) "
    "ON CONFLICT (name) DO UPDATE SET value = excluded.value";
constexpr std::string_view kIndexedRow =
    "SELECT ts, actor, action, class, purpose, decision, rule, outcome, address, client, record, "
    "request FROM entries WHERE seq = ?";

constexpr std::string_view kAllWords = "SELECT id, text, count, seen_in FROM words";
constexpr std::string_view kWordsOf =
    "SELECT text FROM words WHERE seen_in & ? <> 0 ORDER BY text LIMIT ?";

Status CheckIndexVersion(const Database& index) {
  COFFER_ASSIGN(auto version,
                Statement::Prepare(index, "SELECT value FROM state WHERE name = 'version'"));
  auto row = version.Query();
  COFFER_ASSIGN(const bool found, row.Next());
  if (found && row.Text(0) == kIndexVersion) return {};
  return Fail(Code::kNotFound, "index_missing", "an index of another version");
}

}  // namespace

struct IndexCondition {
  std::string_view column, index;
  std::int64_t value = 0;
  std::uint64_t count = 0;  // of entries that have it, as far as is known
};

Result<std::unique_ptr<LogIndex>> LogIndex::Open(const std::string& path,
                                                 const crypto::SecretBytes& key, LogStore& log) {
  auto opened = TryOpen(path, key, log);
  if (opened || opened.error().reason == "storage_full" || IsBusy(opened.error())) return opened;
  Remove(path);
  return TryOpen(path, key, log);
}

void LogIndex::Remove(const std::string& path) {
  for (const char* suffix : {"", "-wal", "-shm"}) {
    std::error_code error;
    std::filesystem::remove(path + suffix, error);
  }
}

Result<std::unique_ptr<LogIndex>> LogIndex::TryOpen(const std::string& path,
                                                    const crypto::SecretBytes& key, LogStore& log) {
  auto index = std::make_unique<LogIndex>();
  const bool fresh = !std::filesystem::exists(path);
  COFFER_ASSIGN(index->database_,
                Database::Open(path, key, {.create = true, .cache_kib = kWriterCacheKib}));
  COFFER_TRY(index->database_.Execute(kFast));
  if (fresh) {
    // As one: a verification may read it meanwhile.
    COFFER_ASSIGN(auto transaction, DatabaseTransaction::Begin(index->database_));
    COFFER_TRY(index->database_.Execute(kIndexSchema));
    COFFER_ASSIGN(auto put, Statement::Prepare(index->database_, kPutIndexState));
    COFFER_TRY(put.Execute(std::string_view("version"), kIndexVersion));
    COFFER_TRY(transaction.Commit());
  }
  COFFER_ASSIGN(index->insert_, Statement::Prepare(index->database_, kInsertIndexed));
  COFFER_ASSIGN(index->put_word_,
                Statement::Prepare(index->database_,
                                   "INSERT INTO words (id, text, count, seen_in) "
                                   "VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET count = "
                                   "excluded.count, seen_in = excluded.seen_in"));
  COFFER_ASSIGN(index->put_state_, Statement::Prepare(index->database_, kPutIndexState));
  COFFER_TRY(index->Load());
  COFFER_ASSIGN(const bool fits, index->Fits(log));
  if (!fits) return Fail(Code::kCorrupted, "index_mismatch", path + " is of another log");
  return index;
}

Status LogIndex::Load() {
  COFFER_TRY(CheckIndexVersion(database_));
  COFFER_ASSIGN(auto words, Statement::Prepare(database_, kAllWords));
  auto rows = words.Query();
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) break;
    words_[std::string(rows.Text(1))] = {rows.Int(0), static_cast<std::uint64_t>(rows.Int(2)),
                                         static_cast<unsigned>(rows.Int(3)), false};
  }
  COFFER_ASSIGN(auto state, Statement::Prepare(database_, "SELECT name, value FROM state"));
  auto values = state.Query();
  for (;;) {
    COFFER_ASSIGN(const bool more, values.Next());
    if (!more) return {};
    if (values.Text(0) == "size")
      size_ = std::strtoull(std::string(values.Text(1)).c_str(), {}, 10);
  }
}

// A log that was put back to an earlier state, or another one, has another last entry.
Result<bool> LogIndex::Fits(LogStore& log) {
  if (size_ == 0) return true;
  COFFER_ASSIGN(auto last, Statement::Prepare(database_, "SELECT value FROM state WHERE name = ?"));
  auto row = last.Query(std::string_view("last"));
  COFFER_ASSIGN(const bool found, row.Next());
  COFFER_ASSIGN(const auto bytes, log.ReadEntry(size_ - 1));
  return found && bytes && row.Text(0) == std::to_string(IndexHashOf(*bytes));
}

LogIndex::Word& LogIndex::See(std::string_view text, LogWord member) {
  auto& word = words_[std::string(text)];
  if (word.id == 0) word.id = static_cast<std::int64_t>(words_.size());
  const unsigned seen_in = word.seen_in | static_cast<unsigned>(member);
  word.changed = word.changed || seen_in != word.seen_in;
  word.seen_in = seen_in;
  return word;
}

Status LogIndex::Add(std::uint64_t seq, const audit::Entry& entry) {
  std::array<std::optional<std::int64_t>, std::size(kWordColumns)> words;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto text = kWordColumns[i].of_entry(entry);
    if (text.empty()) continue;
    Word& word = See(text, kWordColumns[i].member);
    ++word.count;
    word.changed = true;
    words[i] = word.id;
  }
  for (const auto& field : entry.fields) See(field, LogWord::kField);
  return insert_.Execute(seq, entry.ts.ms, words[0], words[1], words[2], words[3], words[4],
                         words[5], words[6], words[7], IndexHashIf(entry.client),
                         IndexHashIf(entry.record), IndexHashIf(entry.request));
}

Status LogIndex::WriteWords() {
  for (auto& [text, word] : words_) {
    if (!word.changed) continue;
    COFFER_TRY(put_word_.Execute(word.id, std::string_view(text), word.count,
                                 static_cast<std::int64_t>(word.seen_in)));
    word.changed = false;
  }
  return {};
}

Result<std::uint64_t> LogIndex::Follow(LogStore& log, std::uint64_t limit) {
  COFFER_ASSIGN(const std::uint64_t end, log.Size());
  const std::uint64_t to = std::min(end, size_ + limit);
  if (to <= size_) return 0;
  COFFER_ASSIGN(auto transaction, DatabaseTransaction::Begin(database_));
  std::int64_t last = 0;
  COFFER_TRY(log.ReadEntries(size_, to, [&](std::uint64_t seq, std::string_view bytes) -> Status {
    if (seq + 1 == to) last = IndexHashOf(bytes);
    // What cannot be read is damage, which verifying the log names.
    const auto entry = audit::ParseEntry(bytes);
    return entry ? Add(seq, *entry) : Status{};
  }));
  COFFER_TRY(WriteWords());
  COFFER_TRY(put_state_.Execute(std::string_view("size"), std::string_view(std::to_string(to))));
  COFFER_TRY(put_state_.Execute(std::string_view("last"), std::string_view(std::to_string(last))));
  COFFER_TRY(transaction.Commit());
  const std::uint64_t taken = to - std::exchange(size_, to);
  COFFER_ASSIGN(const auto wal, database_.Checkpoint(false));
  if (wal.frames > kMaxWalFrames) {
    COFFER_TRY(database_.Checkpoint(true));
  }
  return taken;
}

Result<std::unique_ptr<LogIndexReader>> LogIndexReader::Open(const std::string& path,
                                                             const crypto::SecretBytes& key) {
  auto reader = std::make_unique<LogIndexReader>();
  COFFER_ASSIGN(reader->database_,
                Database::Open(path, key, {.read_only = true, .cache_kib = kReaderCacheKib}));
  const auto prepare = [&](std::string_view sql) {
    return Statement::Prepare(reader->database_, sql);
  };
  COFFER_ASSIGN(const bool made, HasTable(reader->database_, "state"));
  if (!made) return Fail(Code::kNotFound, "index_missing", path + " is just being made");
  COFFER_TRY(CheckIndexVersion(reader->database_));
  COFFER_ASSIGN(reader->word_, prepare("SELECT id, count, seen_in FROM words WHERE text = ?"));
  COFFER_ASSIGN(reader->time_,
                prepare("SELECT ts FROM entries WHERE seq >= ? ORDER BY seq LIMIT 1"));
  COFFER_ASSIGN(reader->size_, prepare("SELECT value FROM state WHERE name = 'size'"));
  COFFER_ASSIGN(reader->row_, prepare(kIndexedRow));
  COFFER_ASSIGN(reader->client_changes_, prepare(kClientChanges));
  COFFER_ASSIGN(reader->record_changes_, prepare(kRecordChanges));
  return reader;
}

Result<std::uint64_t> LogIndexReader::Size() {
  auto row = size_.Query();
  COFFER_ASSIGN(const bool found, row.Next());
  if (!found) return 0;
  return std::strtoull(std::string(row.Text(0)).c_str(), nullptr, 10);
}

// Nothing when a value that is looked for is in no entry.
Result<std::optional<std::vector<IndexCondition>>> LogIndexReader::ConditionsOf(
    const LogFilter& filter) {
  std::vector<IndexCondition> conditions;
  for (const HashColumn& column : kHashColumns) {
    const std::string& wanted = filter.*column.of_filter;
    if (!wanted.empty()) conditions.push_back({column.name, column.index, IndexHashOf(wanted), 0});
  }
  for (const WordColumn& column : kWordColumns) {
    const std::string& wanted = filter.*column.of_filter;
    if (wanted.empty()) continue;
    auto row = word_.Query(std::string_view(wanted));
    COFFER_ASSIGN(const bool found, row.Next());
    if (!found) return std::nullopt;
    conditions.push_back(
        {column.name, column.index, row.Int(0), static_cast<std::uint64_t>(row.Int(1))});
  }
  return conditions;
}

Result<LogIndexReader::Found> LogIndexReader::Find(const LogFilter& filter, std::uint64_t from,
                                                   std::uint64_t to, bool oldest_first,
                                                   std::size_t limit) {
  Found found;
  COFFER_ASSIGN(const auto conditions, ConditionsOf(filter));
  if (!conditions || from >= to) return found;
  // The rarest value that has an index.
  const IndexCondition* best = nullptr;
  for (const IndexCondition& condition : *conditions) {
    if (condition.index.empty() || condition.count > kRare) continue;
    if (best == nullptr || condition.count < best->count) best = &condition;
  }
  if (best == nullptr && to - from > kWindow) {
    (oldest_first ? to : from) = oldest_first ? from + kWindow : to - kWindow;
    found.stopped_at = oldest_first ? to : from;
  }
  std::string sql = "SELECT seq FROM entries ";
  sql += best == nullptr ? "NOT INDEXED" : "INDEXED BY " + std::string(best->index);
  sql += " WHERE seq >= ? AND seq < ?";
  for (const IndexCondition& condition : *conditions) {
    sql += " AND " + std::string(condition.column) + " = " + std::to_string(condition.value);
  }
  sql += oldest_first ? " ORDER BY seq LIMIT ?" : " ORDER BY seq DESC LIMIT ?";
  COFFER_ASSIGN(auto select, Statement::Prepare(database_, sql));
  auto rows = select.Query(from, to, static_cast<std::int64_t>(limit));
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) break;
    found.seqs.push_back(static_cast<std::uint64_t>(rows.Int(0)));
  }
  if (found.seqs.size() == limit) found.stopped_at.reset();
  return found;
}

Result<std::vector<std::uint64_t>> LogIndexReader::FindChanges(bool of_record, std::string_view id,
                                                               std::uint64_t to) {
  std::vector<std::uint64_t> seqs;
  auto rows = (of_record ? record_changes_ : client_changes_).Query(IndexHashOf(id), to);
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return seqs;
    seqs.push_back(static_cast<std::uint64_t>(rows.Int(0)));
  }
}

Result<std::vector<LogCount>> LogIndexReader::Count(const LogFilter& filter, std::uint64_t from,
                                                    std::uint64_t to, std::string_view column,
                                                    std::int64_t bucket_ms) {
  std::vector<LogCount> counts;
  COFFER_ASSIGN(const auto conditions, ConditionsOf(filter));
  if (!conditions || from >= to) return counts;
  std::string sql = "SELECT ts / " + std::to_string(bucket_ms) +
                    " AS bucket, text, n, requests, records, clients FROM (SELECT ts / " +
                    std::to_string(bucket_ms) + " * " + std::to_string(bucket_ms) + " AS ts, " +
                    std::string(column) +
                    " AS word, count(*) AS n, count(DISTINCT request) AS requests, "
                    "count(DISTINCT record) AS records, count(DISTINCT client) AS clients "
                    "FROM entries WHERE seq >= ? AND seq < ?";
  for (const IndexCondition& condition : *conditions) {
    sql += " AND " + std::string(condition.column) + " = " + std::to_string(condition.value);
  }
  sql += " GROUP BY 1, 2) LEFT JOIN words ON id = word ORDER BY bucket, text LIMIT ?";
  COFFER_ASSIGN(auto select, Statement::Prepare(database_, sql));
  auto rows = select.Query(from, to, static_cast<std::int64_t>(kMaxCounts + 1));
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return counts;
    if (counts.size() == kMaxCounts) return Fail(Code::kUnprocessable, "summary_too_large");
    const auto number = [&](int i) { return static_cast<std::uint64_t>(rows.Int(i)); };
    counts.push_back({Timestamp{rows.Int(0) * bucket_ms}, std::string(rows.Text(1)), number(2),
                      number(3), number(4), number(5)});
  }
}

Result<std::vector<LogIndexReader::Reader>> LogIndexReader::CountReaders(std::uint64_t from,
                                                                         std::uint64_t to) {
  std::vector<Reader> readers;
  COFFER_ASSIGN(auto select, Statement::Prepare(database_, kCountReaders));
  auto rows = select.Query(from, to);
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return readers;
    readers.push_back({std::string(rows.Text(0)), static_cast<std::uint64_t>(rows.Int(1)),
                       static_cast<std::uint64_t>(rows.Int(2))});
  }
}

Result<bool> LogIndexReader::Has(LogWord member, std::string_view value) {
  auto row = word_.Query(value);
  COFFER_ASSIGN(const bool found, row.Next());
  return found && (row.Int(2) & static_cast<std::int64_t>(member)) != 0;
}

Result<std::vector<std::string>> LogIndexReader::Words(LogWord member, std::size_t limit) {
  COFFER_ASSIGN(auto select, Statement::Prepare(database_, kWordsOf));
  std::vector<std::string> words;
  auto rows = select.Query(static_cast<std::int64_t>(member), static_cast<std::int64_t>(limit));
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return words;
    words.emplace_back(rows.Text(0));
  }
}

Result<std::uint64_t> LogIndexReader::FirstSince(Timestamp time) {
  // No entry is earlier than the one before it.
  std::uint64_t low = 0;
  COFFER_ASSIGN(std::uint64_t high, Size());
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    auto row = time_.Query(middle);
    COFFER_ASSIGN(const bool found, row.Next());
    if (!found || row.Int(0) >= time.ms) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

Status LogIndexReader::Check(std::uint64_t seq, const audit::Entry& entry) {
  const auto mismatch = [&](std::string_view column) {
    return Fail(Code::kCorrupted, "index_mismatch",
                "the index of the log says another " + std::string(column) + " of entry " +
                    std::to_string(seq));
  };
  auto row = row_.Query(seq);
  COFFER_ASSIGN(const bool found, row.Next());
  if (!found || row.Int(0) != entry.ts.ms) return mismatch("time");
  int at = 1;
  for (const WordColumn& column : kWordColumns) {
    const auto text = column.of_entry(entry);
    std::optional<std::int64_t> word;
    if (!text.empty()) {
      auto known = word_.Query(text);
      COFFER_ASSIGN(const bool is_known, known.Next());
      if (!is_known || (known.Int(2) & static_cast<std::int64_t>(column.member)) == 0) {
        return mismatch(column.name);
      }
      word = known.Int(0);
    }
    if (word ? row.Int(at) != *word : !row.IsNull(at)) return mismatch(column.name);
    ++at;
  }
  for (const auto& field : entry.fields) {
    COFFER_ASSIGN(const bool is_known, Has(LogWord::kField, field));
    if (!is_known) return mismatch("field");
  }
  for (const HashColumn& column : kHashColumns) {
    const auto hash = IndexHashIf(column.of_entry(entry));
    if (hash ? row.Int(at) != *hash : !row.IsNull(at)) return mismatch(column.name);
    ++at;
  }
  return {};
}

}  // namespace coffer::vault
