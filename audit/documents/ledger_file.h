// The ledger of erasures (erasure_ledger.h) as the vault keeps it: one file, to which it appends.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audit/documents/erasure_ledger.h"
#include "crypto/result.h"
#include "crypto/sign.h"

namespace coffer::audit {

// Lines behind one another, made before they are appended.
class LedgerBatch {
 public:
  // `key` must outlive this.
  LedgerBatch(const LedgerHead& begin, std::string_view name, const crypto::SigningKey& key)
      : begin_(begin), end_(begin), name_(name), key_(&key) {}

  // On an error nothing was added: kInvalidArgument "ledger_line_invalid" (WriteLedgerLine), also
  // for another vault's than the one before.
  Status Add(const LedgerErasure& erasure);
  Status Add(const LedgerAct& act);

 private:
  friend class LedgerFile;
  LedgerHead begin_, end_;  // of the first line, and behind the last one
  std::string name_;
  const crypto::SigningKey* key_;
  std::string vault_, lines_;
};

// By one process at a time, which a lock sees to, and one thread.
class LedgerFile {
 public:
  // Opens the ledger, or creates an empty one (mode 0600) whose name is durable on return.
  // The whole chain is verified, with the signatures that cover it (LedgerSignatures); `each` is
  // called for each line, and may be empty. A line whose append a crash cut short is cut off.
  // Errors: kCorrupted "ledger_damaged" (LedgerReader; the file is left as it is), kConflict
  // "ledger_in_use", kUnavailable "ledger_not_opened", "ledger_not_written"; what `each` returned.
  static Result<LedgerFile> Open(const std::string& path, std::vector<VerifierKey> trusted,
                                 LedgerReader::Each each = {});
  // Whether Open would go well, and what `each` says to the lines; changes nothing, and makes no
  // file where there is none. `locked` is whether the lock has to be free. Errors: as Open.
  static Status Check(const std::string& path, std::vector<VerifierKey> trusted, bool locked,
                      const LedgerReader::Each& each);
  ~LedgerFile();
  LedgerFile(LedgerFile&& other) noexcept;
  LedgerFile& operator=(LedgerFile&& other) noexcept;

  // Durable on return, with one fdatasync for all. On an error nothing was appended:
  // kInvalidArgument "ledger_line_invalid", also for another vault's lines, for a key that is not
  // one of `trusted`, and for lines that do not begin at head(); kUnavailable "ledger_not_written".
  // When even that nothing was appended cannot be made sure of (a sync that failed), every further
  // append is refused: open the file again, which says what is in it.
  Status Append(const LedgerBatch& batch);
  Status Append(std::span<const LedgerErasure> erasures, std::string_view name,
                const crypto::SigningKey& key);

  // The last line once more, signed by `key`, where another key signed it: that one may be retired
  // then, and its lines hold all the same. Errors: as Append; kCorrupted
  // "ledger_damaged" where that line is another by now.
  Status Cover(std::string_view name, const crypto::SigningKey& key);

  // One more of `trusted`.
  void Trust(const VerifierKey& key);

  const LedgerHead& head() const { return head_; }  // the next line's
  // How many bytes of an unfinished line were cut off at opening. Mostly 0; more is worth a line in
  // the operator's log, and a look whether the log has an erasure that the ledger lacks.
  std::uint64_t cut_bytes() const { return cut_bytes_; }

 private:
  explicit LedgerFile(int descriptor, std::string path, std::vector<VerifierKey> trusted)
      : descriptor_(descriptor), path_(std::move(path)), trusted_(std::move(trusted)) {}
  Status CheckKind() const;
  Status Lock() const;
  Status ReadAll(const LedgerReader::Each& each);
  Result<LedgerReader> ReadLines(const LedgerReader::Each& each);
  Result<LedgerLine> ReadLast() const;
  Status Write(std::string_view lines);
  bool IsTrusted(std::string_view name, const crypto::PublicKey& key) const;

  int descriptor_ = -1;
  std::string path_;
  std::vector<VerifierKey> trusted_;
  LedgerHead head_;
  std::uint64_t size_ = 0;  // up to here the file is whole
  std::uint64_t cut_bytes_ = 0;
  std::string vault_;
  std::string last_signer_;  // of the last line, its verifier key; empty: none of `trusted_`
  bool broken_ = false;
};

}  // namespace coffer::audit
