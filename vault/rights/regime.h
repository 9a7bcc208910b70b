// A regime: what a law asks of who is asked by a person, as a document.
//
//   {"title": "General Data Protection Regulation", "source": "Regulation (EU) 2016/679",
//    "time_zone": "Europe/Berlin", "calendar": {…}, "put_off": true, "identity": "suspends",
//    "clocks": [
//      {"kinds": ["complaint"], "answer": "P3M", "article": "77"},
//      {"answer": "P1M", "extension": "P2M", "article": "12(3)"}],
//    "refusals": ["12(5)", "17(3)(b)"], "keep": "P3Y"}
//
// docs/requests.md has the grammar and how ends are counted. Unknown members are refused.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/result.h"
#include "vault/base/calendar.h"
#include "vault/base/zone_days.h"

namespace coffer::vault {

// What somebody asks for.
enum class RequestKind : std::uint8_t {
  kAccess,
  kPortability,
  kRectification,
  kErasure,
  kRestriction,
  kObjection,
  kConsentWithdrawal,
  kStopProcessing,
  kComplaint,
  kQuestion,
};
inline constexpr std::size_t kRequestKinds = 10;

std::string_view NameOf(RequestKind kind);  // "consent_withdrawal", as in the documents
std::optional<RequestKind> RequestKindFromName(std::string_view name);

// What becomes of the time to answer while it is checked who asks.
enum class WhileIdentified : std::uint8_t {
  kRuns,      // nothing
  kSuspends,  // what the check took is added
  kRestarts,  // it begins when it is known who asks
};

struct ClockTerms {
  std::vector<RequestKind> kinds;  // none: all that no other clock of the regime names
  Period answer;
  std::optional<Period> extension;    // on top, once, with reasons told before the end
  std::optional<Period> acknowledge;  // until when the receipt is confirmed
  std::string article;
};

// Immutable: share it.
struct Regime {
  std::string name;           // [a-z][a-z0-9-]{0,63}
  std::uint64_t version = 0;  // 0: as it came with the vault
  std::string title, source;
  // Whose days count. None: those of the retention schedule, and where there is none, UTC.
  std::string time_zone;
  ZoneDays zone;
  // None: each day counts as a working day, so that an end comes too early rather than too late.
  std::optional<WorkCalendar> calendar;
  // An end on a day that is no working day is put off to the next one (Reg. 1182/71 Art. 3(4)).
  bool put_off = false;
  WhileIdentified identity = WhileIdentified::kRuns;
  std::vector<ClockTerms> clocks;
  std::vector<std::string> refusals;  // articles that refusals name; none: any
  Period keep;                        // how long a closed request stays in the register
  std::string definition;             // canonical JSON of what was given

  // Null: the regime knows no such request.
  const ClockTerms* For(RequestKind kind) const;
  bool MayRefuseBy(std::string_view article) const;
};

inline constexpr std::size_t kMaxRegimeBytes = 256 * 1024;

// Errors: those of ParseStrictJson; kTooLarge "document_too_large"; kUnavailable
// "time_zones_unavailable"; kUnprocessable "regime_invalid" with issues.
Result<Regime> ParseRegime(std::string_view name, std::string_view json);
// One that was stored. Where the machine has its time zone no more, it is without one.
Result<Regime> ReadStoredRegime(std::string_view name, std::string_view json);

// Those that come with the vault, in the order of their names.
std::vector<Regime> BuiltInRegimes();

}  // namespace coffer::vault
