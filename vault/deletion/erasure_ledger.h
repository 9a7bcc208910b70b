// The ledger (audit/documents/erasure_ledger.h) of this vault: what a later restore replays.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "audit/documents/ledger_completeness.h"
#include "audit/documents/ledger_file.h"
#include "crypto/keyring.h"
#include "vault/deletion/erasure.h"
#include "vault/engine/erasure_store.h"
#include "vault/engine/protective_act.h"
#include "vault/engine/setting_store.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {

// As ledger and act say it.
audit::ErasureScope LedgerScopeOf(const ErasureRow& row);
// Whether `row` names every record that `other` names.
bool NamesAllOf(const ErasureRow& row, const ErasureRow& other);

// For one thread at a time.
class ErasureLedger {
 public:
  // Verifies all of it, by the keys of the keyring, and has the newest one vouch for the end. What
  // keys of earlier signed holds where one of these vouches for it; at the first opening by a
  // version that does so, also at the end. Errors: those of LedgerFile; kCorrupted "ledger_foreign"
  // when it is another vault's.
  static Result<std::unique_ptr<ErasureLedger>> Open(const std::string& path,
                                                     const crypto::Keyring& keyring,
                                                     SettingStore& settings);
  // The same of a copy that is opened to see whether it can be: what Append is given is taken as if
  // it stood there, and nothing is signed, written or vouched for.
  static Result<std::unique_ptr<ErasureLedger>> OpenForRehearsal(const std::string& path,
                                                                 const crypto::Keyring& keyring,
                                                                 SettingStore& settings);
  // By these, too, the next opening reads it: keys of the log that came after the copy which is
  // opened. Then one of the keyring has vouched for all of it.
  static Status TrustOnce(SettingStore& settings, std::span<const audit::VerifierKey> keys);
  // Whether that would go well; changes nothing. A missing ledger is none: it would be made.
  // `served`: a server of this vault has it open. Errors: those of Open.
  static Status Check(const std::string& path, const crypto::Keyring& keyring,
                      SettingStore& settings, bool served);
  // The same, and that it has each erasure and each act that the vault has, but for what a crash
  // may have kept from it: another ledger, or an older one, is not the vault's. Errors: those of
  // Open; kConflict "ledger_older".
  static Status CheckIsNewest(const std::string& path, const crypto::Keyring& keyring,
                              Database& vault);
  ~ErasureLedger();

  // Begins to write the lines of an erasure that is about to be committed, beside the caller: to
  // sign one takes as long as to erase a record. Append uses them when it is given exactly what was
  // prepared since the last Append, in that order, and drops them otherwise.
  void Prepare(const ErasureRow& row);
  // Before preparing: what an operation that was undone has left, which may be tried again for
  // long.
  void DropPrepared() { (void)TakePrepared({}); }

  // Sets each row's ledger_seq. What it has already, with all of its records, is not written again.
  Status Append(std::span<ErasureRow> rows);

  // In their order, behind what erasures of the same batch append. What it has already is not
  // written again.
  Status AppendActs(std::span<const ActRow> rows);

  // `key`, which is about to be the newest of the keyring, vouches for all that is there: the one
  // before may be destroyed. In an operation of the engine. Errors: those of LedgerFile::Cover.
  Status CoverBy(const crypto::SigningKey& key);

  // Acts that it has, each once, in the order of their lines: for opening the vault, and dropped
  // then.
  const std::vector<ActRow>& found_acts() const { return found_acts_; }
  // What it has, with what was appended since: for opening the vault, and dropped then.
  const std::unordered_map<ErasureId, ErasureRow, IdHash>& found() const { return found_; }
  // Of which lines are missing, or may be.
  const audit::LedgerCompleteness& completeness() const { return completeness_; }
  void DropFound() {
    opening_ = false;
    found_.clear();
    completeness_ = {};
  }
  void DropFoundActs() {
    found_acts_.clear();
    acts_known_.clear();
  }
  std::uint64_t cut_bytes() const { return file_->cut_bytes(); }

 private:
  explicit ErasureLedger(const crypto::Keyring& keyring) : keyring_(keyring) {}
  static Result<std::unique_ptr<ErasureLedger>> Read(const std::string& path,
                                                     const crypto::Keyring& keyring,
                                                     const std::optional<std::string>& known);
  Status Take(const audit::LedgerLine& line);
  Status TakeAct(const audit::LedgerAct& act);
  audit::LedgerErasure ErasureOf(const ErasureRow& row) const;
  bool StartWriter();
  void WriteAhead();
  // The lines that were prepared, when they are these erasures'.
  std::optional<audit::LedgerBatch> TakePrepared(std::span<const audit::LedgerErasure> erasures);

  const crypto::Keyring& keyring_;
  std::string vault_;
  std::optional<audit::LedgerFile> file_;
  std::unordered_map<ErasureId, ErasureRow, IdHash> found_;
  audit::LedgerCompleteness completeness_;
  std::vector<ActRow> found_acts_;
  std::unordered_set<ActId, IdHash> acts_known_;
  bool opening_ = true;
  bool rehearsing_ = false;

  // Since something was prepared; without it Append writes what it is given.
  std::thread writer_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<audit::LedgerErasure> waiting_;  // prepared, and not begun with
  bool writing_ = false;
  bool stopping_ = false;
  // The writer's while writing_, but for whether there are lines.
  std::vector<audit::LedgerErasure> prepared_;
  std::optional<audit::LedgerBatch> lines_;  // of prepared_
  std::shared_ptr<const crypto::SigningKey> lines_signer_;
};

}  // namespace coffer::vault
