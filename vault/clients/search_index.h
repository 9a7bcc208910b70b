// The search index: tokens of indexed fields, of imported records' keys and of external references,
// and whose they are. In generations, each under a key of its own and in tables of its own (even
// and odd numbers take turns), so that a key can be destroyed: whoever kept an older vault.db
// cannot ask it "is this one among them" any more.
//
//   token of generation g = BLAKE2b(key of g; "coffer-index-v1", token under the keyring's
//   key)[:16] and of generation 0 the token under the keyring's key itself, as all were once
//
// The keys are random, in keys.db, wrapped under a key derived from the keyring's; the state is in
// vault.db. Searches use the live generation. While the next one is built (index_builder.h), writes
// go to both, but for rows that the builder has not come to. What is new waits in order of arrival
// until it is merged into the sorted tables (index_arrivals.h). Engine thread only, but for Derive.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "audit/text/clock.h"
#include "vault/access/not_yet.h"
#include "vault/base/timestamp.h"
#include "vault/catalog/catalog_store.h"
#include "vault/catalog/class_schema.h"
#include "vault/clients/index_arrivals.h"
#include "vault/clients/index_terms.h"
#include "vault/engine/key_store.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {

using audit::Timestamp;

enum class IndexPhase { kIdle = 0, kClients = 1, kRecords = 2, kRetiring = 3, kClearing = 4 };

struct IndexState {
  std::uint64_t live = 0;
  std::optional<std::uint64_t> next;
  IndexPhase phase = IndexPhase::kIdle;
  std::int64_t position = 0;
  std::uint64_t done = 0;
  std::uint32_t rules = 0;  // of `live` when it became it; what it has by which: index_coverage
  std::optional<Timestamp> begun, exchanged, uncovered, uncovered_next;
  // Not stored.
  bool live_usable = true;  // its key is there
  bool next_usable = true;
  bool fields_whole = true;   // each indexed field's index has every record
  bool lacks_fields = false;  // some field's has not, and that of `next` will not either
  std::uint64_t newest_key = 0;

  bool building() const { return phase == IndexPhase::kClients || phase == IndexPhase::kRecords; }
  std::uint64_t parity() const { return live % 2; }
};

// What a field's index is made by: the rules of today (crypto::SearchRules), its own and its
// region. As index_coverage has it in `normalisation`, which before there were numbers of rules was
// the field's rule alone.
std::int64_t MadeBy(const Field& field);

// A generation's key from keys.db. Errors: kCorrupted.
Result<crypto::SecretBytes> UnwrapIndexKey(const crypto::Keyring& keyring, std::uint64_t generation,
                                           ByteView wrapped);

class SearchIndex {
 public:
  static Result<SearchIndex> Open(Database& database);
  // Of the key in use, and of the newest one that vault.db tells of; where the rest is not needed.
  struct Generations {
    std::uint64_t live = 0, newest = 0;
  };
  static Result<Generations> ReadGenerations(const Database& vault);
  // State and keys as they are stored. What is read of the catalog: which fields are indexed.
  Status Load(KeyStore& keys, const crypto::Keyring& keyring, const Catalog& catalog);
  // The same without keys.db: in a transaction that changed the state, or a class.
  Status Reload(const Catalog& catalog);
  const IndexState& state() const { return state_; }

  // Of one row, in every generation that must have it. `tokens`: of 16 bytes each, under the
  // keyring's key.
  Status Put(std::int64_t record, const IndexTerms& terms);
  Status Remove(std::int64_t record, const IndexTerms& terms);
  // Where the rows' own tokens cannot be opened. Goes through the whole index, once for all that
  // the operation has noted, at its end: what is noted must not be put in anew by the same one.
  void NoteUnread(std::span<const std::int64_t> records, std::optional<std::int64_t> client);
  Status RemoveUnread();
  bool has_unread() const { return !unread_records_.empty() || !unread_clients_.empty(); }
  void DropUnread() {  // of an operation that failed
    unread_records_.clear();
    unread_clients_.clear();
  }
  // Rows after `after` that have the token in the live generation; in the next one, as far as that
  // is built. None where its key is not there.
  Result<std::vector<std::int64_t>> Find(const BlindToken& token, std::int64_t after,
                                         std::size_t limit);
  Result<std::vector<std::int64_t>> FindInNext(const BlindToken& token, std::int64_t after,
                                               std::size_t limit);

  // Errors: kConflict "external_ref_taken", kIndexBuilding.
  Status PutReference(std::int64_t client, const BlindToken& token);
  Status RemoveReference(std::int64_t client, const BlindToken& token);
  Result<std::optional<std::int64_t>> FindReference(const BlindToken& token);

  // Whether every record of the class is in the field's index, as its newest version has it.
  bool IsWhole(std::string_view class_name, const Field& field) const;
  // Up to which row the next generation has them; the least number there is: none.
  std::int64_t ReachedBy(std::string_view class_name, const Field& field) const;
  // In the operation that stores the class; Reload after it.
  Status ClassChanged(const ClassSchema* before, const ClassSchema& after);
  // Something is deleted that copies of the index may have; Reload where it says true.
  Result<bool> MarkUncovered(Timestamp now);

  // For the builder, in its operations: into the next generation, and what changes the state.
  Status PutNext(std::int64_t record, const IndexTerms& terms);
  Status PutNextReference(std::int64_t client, const BlindToken& token);
  Status Store(const IndexState& state);
  // Coverage: of the next generation at its beginning, and when it becomes the live one.
  Status BeginCoverage(const Catalog& catalog);
  Status EndCoverage();
  // Some rows of the generation that is not live; false: there were none.
  Result<bool> ClearSome(std::uint64_t parity, std::int64_t rows);

  // What waits is merged where it is more than that; where it is half as much again what comes pays
  // for that, and beside twice as much nothing more waits.
  void MergeAfter(std::size_t arrivals) { merge_after_ = arrivals; }
  std::size_t arrivals() const { return arrivals_.size(); }
  bool MergeIsDue() const { return run_ || arrivals_.size() > merge_after_; }
  // Some of what waits, into the sorted tables. False: nothing was to do.
  Result<bool> MergeSome(std::size_t most);
  // What it did in memory only stands or is undone.
  void EndOperation(bool succeeded);

  void AddKey(std::uint64_t generation, crypto::SecretBytes key);
  void KeepKeysOnly(std::uint64_t generation);

  static Bytes WrapKey(const crypto::Keyring& keyring, std::uint64_t generation, ByteView key);
  static BlindToken Derive(const crypto::SecretBytes& key, const BlindToken& token);

 private:
  struct Tables {  // of one parity
    Statement put, remove, find, put_ref, remove_ref, find_ref;
    Statement clear, clear_refs, remove_records, remove_clients;
  };
  using FieldKey = std::pair<std::string, std::string>;  // class, field

  const crypto::SecretBytes* KeyOf(std::uint64_t generation) const;
  BlindToken TokenOf(std::uint64_t generation, const BlindToken& token) const;
  Result<std::vector<std::int64_t>> FindIn(std::uint64_t generation, const BlindToken& token,
                                           std::int64_t after, std::size_t limit);
  Tables& TablesOf(std::uint64_t generation) { return tables_[generation % 2]; }
  Status PutToken(std::uint64_t generation, const BlindToken& token, std::int64_t record);
  Result<std::optional<std::int64_t>> FindReferenceIn(std::uint64_t generation,
                                                      const BlindToken& stored);
  bool HasRoomToWait() const { return arrivals_.size() < 2 * merge_after_; }
  Status PayForWaiting();
  Result<bool> ContinueRun(std::size_t most);
  // Whether the next generation has what this row says, as far as it is built.
  bool NextHasRecord(std::int64_t record) const;
  bool NextHasClient(std::int64_t client) const;
  template <class Apply>
  static Status ForEach(const IndexTerms& terms, Apply&& apply);

  IndexState state_;
  std::vector<std::int64_t> unread_records_, unread_clients_;
  std::map<std::uint64_t, crypto::SecretBytes> keys_;
  using Coverage = std::map<FieldKey, std::int64_t, std::less<>>;  // MadeBy
  static bool Has(const Coverage& coverage, std::string_view class_name, const Field& field);

  Coverage live_coverage_, next_coverage_;

  // Of what waits, what a merge is about.
  struct Run {
    std::int64_t last = 0;         // id
    std::optional<Arrival> after;  // what was merged last
    bool merged = false;           // and is being dropped
  };
  std::size_t merge_after_ = 0;
  std::optional<Run> run_, run_before_;  // the operation
  std::size_t owed_ = 0;                 // of a merge, by what came to wait
  bool merge_failed_ = false;            // the last time
  IndexArrivals arrivals_;
  Tables tables_[2];
  Statement read_state_, store_state_, mark_, read_coverage_, put_coverage_, begin_coverage_,
      drop_coverage_, drop_uncovered_, promote_coverage_;
};

}  // namespace coffer::vault
