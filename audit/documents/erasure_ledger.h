// The ledger: a file outside the database that whoever restores a backup replays, so that what was
// erased stays erased, and what was protected otherwise stays protected. First it had erasures
// only, and is called after them; lines of other acts (ledger_act.h) stand among theirs in the same
// chain.
//
//   <canonical JSON> <base64(keyid ‖ Ed25519 signature over the JSON)>\n
//
// One line an erasure, or several where more than 200 records are named. Members: client, erasure,
// log_seq, n (from 0), part and parts (only of the scope "records": which of how many lines of the
// erasure this is, from 1), prev (SHA-256 of the line before, without its newline; 64 zeros in line
// 0), records (only of the scope "records"), scope ("client", "class:NAME", "records"), ts, v (1),
// vault. keyid is that of the log's verifier key (checkpoint.h). No member can hold a person's
// data: ids, a class's name, numbers. Older lines have no part and parts.
//
// An erasure is what all of its lines name together, as a set: a crash, or the key's exchange, may
// have had lines written twice (ledger_completeness.h).
//
// What it shows. No line can be changed, added, moved or taken out of the middle without the key.
// Lines at the end can be cut off by whoever can write the file: that the newest are there, only
// the log's entries of erasures show (`erasure_act.h`), or a copy elsewhere; that an erasure's
// lines are all there, part and parts show.
//
// A line's signature covers `prev`, and so every line in front of it. When the log's key is
// exchanged, the vault repeats the last line under the new key. So the last line is signed by a key
// of today, which stands for those of earlier keys, and what a retired key signs behind it holds
// nowhere.
//
// A line is appended with its newline last. So bytes behind the last newline are a line whose
// append a crash cut short; it was acknowledged to nobody, and is cut off. Anything wrong in front
// of a newline is damage.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/documents/erasure_scope.h"
#include "audit/documents/ledger_act.h"
#include "audit/text/clock.h"
#include "audit/tlog/checkpoint.h"
#include "crypto/result.h"
#include "crypto/sign.h"

namespace coffer::audit {

inline constexpr std::size_t kMaxLedgerRecords = 200;            // named by one line
inline constexpr std::size_t kMaxLedgerLineBytes = 64UZ * 1024;  // without its newline
inline constexpr std::size_t kMaxLedgerParts = 1000;             // lines of one erasure

// What the next line is written behind.
struct LedgerHead {
  std::uint64_t n = 0;  // its number
  Hash prev{};          // of the line before
  bool operator==(const LedgerHead&) const = default;
};

struct LedgerErasure {
  std::string vault;    // id
  std::string erasure;  // "era_…"
  std::string client;   // "cli_…"
  ErasureScope scope;
  std::vector<std::string> records;  // "rec_…"; of the scope kRecords, and only of it
  std::uint64_t log_seq = 0;         // the entry of the erasure
  Timestamp ts;
  bool operator==(const LedgerErasure&) const = default;
};

struct LedgerLine {
  LedgerHead at;
  LedgerErasure erasure;              // of several lines, each with its part of the records
  std::uint64_t part = 0, parts = 0;  // 0: the line does not say
  std::optional<LedgerAct> act = {};  // set: it is of that, and of no erasure

  const std::string& vault() const { return act ? act->vault : erasure.vault; }
  bool operator==(const LedgerLine&) const = default;
};

// The line, with its newline. Errors: kInvalidArgument "ledger_line_invalid" (ids, scope, numbers
// and times that do not fit, more than kMaxLedgerRecords).
Result<std::string> WriteLedgerLine(const LedgerLine& line, std::string_view name,
                                    const crypto::SigningKey& key);

// The lines of one erasure, as many as its records take; `head` moves behind them, and stays where
// it is on an error: as WriteLedgerLine.
Result<std::string> WriteLedgerLines(const LedgerErasure& erasure, LedgerHead& head,
                                     std::string_view name, const crypto::SigningKey& key);

// What a line says, its newline taken off; its signature and its place are not looked at. Errors:
// kCorrupted "ledger_damaged".
Result<LedgerLine> ParseLedgerLine(std::string_view line);

struct LedgerState {
  LedgerHead head;
  std::uint64_t whole_bytes = 0;  // of all whole lines with their newlines
  std::uint64_t torn_bytes = 0;   // behind them: a line that was not finished
};

// Which signatures are verified. Of lines by one key the last one's says as much as all of them, in
// a tenth of the time. What it does not tell is which line was wrong first. With kOfEachLine a key
// that another one followed may not sign again.
enum class LedgerSignatures : std::uint8_t { kOfEachLine, kOfEachKeysLast };

// Reads a ledger in pieces of any size, in constant memory.
class LedgerReader {
 public:
  using Each = std::function<Status(const LedgerLine&)>;

  // Lines are signed by any of `trusted`, or stand in front of one that is. `each` is called for
  // each line, in order, before all of that is known; it may be empty. What it was told counts when
  // Finish() did not fail.
  explicit LedgerReader(std::vector<VerifierKey> trusted, Each each = {},
                        LedgerSignatures signatures = LedgerSignatures::kOfEachLine)
      : trusted_(std::move(trusted)), each_(std::move(each)), signatures_(signatures) {}

  // Errors: kCorrupted "ledger_damaged", whose detail names the first bad line ("line 3: …", from
  // 1, as editors count); what `each` returned. Nothing more can be read after an error.
  Status Feed(std::string_view bytes);

  // That was all. Errors: as Feed.
  Status Finish() const;

  // Of what was fed so far.
  LedgerState state() const;

  // Of all lines one vault's id, once there is a line.
  const std::string& vault() const { return vault_; }
  // Whether this key is the one that the last line names as its signer.
  bool IsLastBy(const VerifierKey& key) const;

 private:
  Status TakeWhole(std::string_view line);
  Status CheckLine(std::string_view line);
  Status CheckSigner(std::string_view line);
  std::unexpected<Error> Damaged(std::string_view what) const;

  std::vector<VerifierKey> trusted_;
  Each each_;
  LedgerSignatures signatures_;
  std::string unverified_;                // the last line, when its signature was left for later
  std::array<std::uint8_t, 4> signer_{};  // the id of the key of the last line
  bool signer_trusted_ = false;
  std::vector<std::array<std::uint8_t, 4>> earlier_signers_;
  std::uint64_t uncovered_ = 0;  // the first of the last lines that no trusted key vouches for
  LedgerHead head_;
  std::uint64_t whole_bytes_ = 0;
  std::string vault_;
  std::string rest_;  // behind the last newline
};

}  // namespace coffer::audit
