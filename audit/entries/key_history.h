// Which keys may sign the log, as its own entries say. Only entries of the system that were allowed
// and ended ok count; `detail` has a part (parts are separated by "; ") "key <verifier key>", whose
// name is the log's origin:
//
//   log.created          entry 0, where it has the part: the log's first key
//   log.key.announced    a further key, which may sign the sizes above the entry's number
//   log.key.retired      a key that may not sign these sizes any more; another one must remain
//
// Logs from before keys were announced do not name their first key: whichever key the verifier
// trusts is taken for it, until its retirement names it.
//
// What that is worth. The verifier brings one key that it trusts. Another key of the history is
// trusted once a checkpoint that holds covers the entry naming it and is signed, at a size that it
// may sign, by a key trusted already: a newer key vouches so for the older ones below it, an older
// one for its successors if a checkpoint from the overlap is at hand. So:
//   - The thief of a live key can fork the log, and in the fork announce keys of his own: the
//     history shows nothing. Only a checkpoint from before, or a witness, does.
//   - The thief of a retired key can do the same towards a verifier that still trusts that key and
//     remembers no checkpoint from behind the retirement; towards one that trusts a newer key he
//     can sign nothing beyond the retirement.
//   - The thief of the database alone can announce keys, but not cover the announcement.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/entries/entry.h"
#include "audit/entries/succession.h"
#include "audit/tlog/checkpoint.h"
#include "crypto/result.h"

namespace coffer::audit {

inline constexpr std::string_view kLogCreated = "log.created";
inline constexpr std::string_view kKeyAnnounced = "log.key.announced";
inline constexpr std::string_view kKeyRetired = "log.key.retired";

// "key <verifier key>". Errors: kInvalidArgument "key_detail_too_long" when an entry would cut it
// (names of up to 198 plain bytes fit).
Result<std::string> KeyDetail(const VerifierKey& key);

class KeyHistory {
 public:
  struct Epoch {
    VerifierKey key;
    std::uint64_t named_by = 0;          // the entry
    std::uint64_t from = 0;              // the smallest and
    std::optional<std::uint64_t> until;  // the largest size that it may sign; none: not retired
    bool MaySign(std::uint64_t size) const { return size >= from && (!until || size <= *until); }
  };
  // More are an error: the history must not outgrow the memory of who reads it.
  static constexpr std::size_t kMaxKeys = 256;

  // `origin`: any name of the log. Keys are the same under each (succession.h).
  explicit KeyHistory(std::string_view origin) : log_(FirstLogName(origin)) {}

  // To be called for each entry in order, at its place in the log. Nothing changes on an error:
  // kCorrupted "key_history_invalid" when the entry breaks a rule above.
  Status Take(std::uint64_t seq, const Entry& entry);

  // In the order in which they were named.
  const std::vector<Epoch>& epochs() const { return epochs_; }
  const Epoch* Find(const VerifierKey& key) const;
  // False for a log that does not (yet) say which key it began with.
  bool first_named() const { return first_named_; }
  std::vector<VerifierKey> MaySign(std::uint64_t size) const;

 private:
  Status Announce(std::uint64_t seq, VerifierKey key, std::uint64_t from);
  Status Retire(std::uint64_t seq, VerifierKey key);

  std::string log_;  // its first name
  std::vector<Epoch> epochs_;
  bool first_named_ = false;
};

}  // namespace coffer::audit
