// Where in the log something is said: what an officer filters by, in columns. Derived from the
// entries, in a database of its own (log-index.db) with a writer of its own, so that no request
// waits for it: it follows the log within seconds, and whoever searches reads the entries behind it
// one by one. It may be deleted at any time and is then made again. What it finds is compared with
// the entry's bytes, so that an index that was tampered with shows nothing that is not there; that
// it leaves nothing out is what verifying a directory checks.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "audit/entries/entry.h"
#include "crypto/secret_bytes.h"
#include "vault/base/timestamp.h"
#include "vault/engine/log_store.h"
#include "vault/oversight/log_page.h"
#include "vault/oversight/log_summary.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {

// Members whose values the index has as words: which of them a word was seen in.
enum class LogWord : std::uint16_t {
  kActor = 1 << 0,
  kAction = 1 << 1,
  kClass = 1 << 2,
  kPurpose = 1 << 3,
  kDecision = 1 << 4,
  kRule = 1 << 5,
  kOutcome = 1 << 6,
  kAddress = 1 << 7,
  kField = 1 << 8,  // in no column of an entry
};

// The writing side; one thread.
class LogIndex {
 public:
  // Opens or makes the file; one that does not belong to `log` is made anew.
  static Result<std::unique_ptr<LogIndex>> Open(const std::string& path,
                                                const crypto::SecretBytes& key, LogStore& log);

  static void Remove(const std::string& path);  // nothing is lost with it

  // Takes the next entries of the log, at most `limit`; how many there were.
  Result<std::uint64_t> Follow(LogStore& log, std::uint64_t limit);
  std::uint64_t size() const { return size_; }

 private:
  struct Word {
    std::int64_t id = 0;
    std::uint64_t count = 0;
    unsigned seen_in = 0;  // LogWord
    bool changed = false;
  };

  static Result<std::unique_ptr<LogIndex>> TryOpen(const std::string& path,
                                                   const crypto::SecretBytes& key, LogStore& log);
  Status Load();
  Result<bool> Fits(LogStore& log);
  Word& See(std::string_view text, LogWord member);
  Status Add(std::uint64_t seq, const audit::Entry& entry);
  Status WriteWords();

  Database database_;
  Statement insert_, put_word_, put_state_;
  std::unordered_map<std::string, Word> words_;
  std::uint64_t size_ = 0;
};

// What one column of the index must be for an entry to be found.
struct IndexCondition;

// The reading side: a connection of its own.
class LogIndexReader {
 public:
  // Errors: kNotFound "index_missing" while there is none yet, or one of another version, and what
  // Database::Open says.
  static Result<std::unique_ptr<LogIndexReader>> Open(const std::string& path,
                                                      const crypto::SecretBytes& key);

  Result<std::uint64_t> Size();  // entries before this one are in the index

  struct Found {
    std::vector<std::uint64_t> seqs;
    // Where the search stopped, exclusively, before it had `limit`: not all of the range was seen.
    std::optional<std::uint64_t> stopped_at;
  };
  // Entries of [from, to) that may match, in the order asked for.
  Result<Found> Find(const LogFilter& filter, std::uint64_t from, std::uint64_t to,
                     bool oldest_first, std::size_t limit);
  // What changed one client or record: entries before `to` that may be about it and have an action
  // that writes or erases such, oldest first.
  Result<std::vector<std::uint64_t>> FindChanges(bool of_record, std::string_view id,
                                                 std::uint64_t to);
  // How many there are in each bucket of `bucket_ms` for each value of a column, and of how many
  // requests, records and clients. Errors:
  // kUnprocessable "summary_too_large".
  Result<std::vector<LogCount>> Count(const LogFilter& filter, std::uint64_t from, std::uint64_t to,
                                      std::string_view column, std::int64_t bucket_ms);

  // Of each actor, entries that showed it something of a client, and of how many clients.
  struct Reader {
    std::string actor;
    std::uint64_t reads = 0, clients = 0;
  };
  Result<std::vector<Reader>> CountReaders(std::uint64_t from, std::uint64_t to);

  // Whether an entry has, or had at any time, this value of the member.
  Result<bool> Has(LogWord member, std::string_view value);
  // Values of the member, at most `limit`, in their order.
  Result<std::vector<std::string>> Words(LogWord member, std::size_t limit);

  // The first entry that is not older than `time`, of those in the index.
  Result<std::uint64_t> FirstSince(Timestamp time);

  // Recomputes the columns of the entry and compares. Errors: kCorrupted "index_mismatch".
  Status Check(std::uint64_t seq, const audit::Entry& entry);

 private:
  Result<std::optional<std::vector<IndexCondition>>> ConditionsOf(const LogFilter& filter);

  Database database_;
  Statement word_, time_, size_, row_, client_changes_, record_changes_;
};

}  // namespace coffer::vault
