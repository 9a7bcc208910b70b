// Breaches as they stand in the register: what was said of each, by whom and when. What was said is
// never altered: it is said anew, and the history keeps both.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vault/base/ids.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

struct BreachTag {
  static constexpr std::string_view kPrefix = "brc_";
};
using BreachId = Id<BreachTag>;

// What is known of a breach. Empty members say nothing: those of the last time count on.
struct BreachFacts {
  std::optional<Timestamp> aware;  // from when the clocks run
  std::optional<Timestamp> occurred_from, occurred_to;
  std::vector<std::string> kinds;        // "confidentiality", "integrity", "availability"
  std::vector<std::string> taken;        // "answers", "disk", "backup", "keys": what left the vault
  std::vector<std::string> regimes;      // "gdpr", "ru-152fz", "pipl": whose clocks run
  std::string facts, effects, measures;  // in words
};

// Somebody was told.
struct BreachNotice {
  std::string whom;    // "authority", "subjects", "other"
  std::string regime;  // of an authority
  std::string stage;   // "notice" or "findings", of the authority of 152-FZ
  std::string name, reference;
  Timestamp at;
  std::string delay;  // why it was late
};

struct BreachClosing {
  std::string conclusion;
  std::string not_notified;  // why an authority whose clock ran was not told
};

// Whether what was taken can be read by who took it.
//   kPlain: answers of the API are plain text.
//   kUnreadable: files of the vault without the keys, which were elsewhere.
//   kUnknown: nobody said what was taken.
enum class Readable : std::uint8_t { kPlain, kUnreadable, kUnknown };
std::string_view Name(Readable readable);  // "plain", "unreadable-without-keys", "unknown"
Readable ReadableOf(const std::vector<std::string>& taken);

enum class BreachStep : std::uint8_t { kOpened, kNoted, kScoped, kNotified, kClosed };
std::string_view Name(BreachStep step);
std::optional<BreachStep> BreachStepFromName(std::string_view name);

// One thing that was said, as it is stored.
struct BreachEvent {
  std::uint64_t number = 0;  // from 0
  BreachStep step = BreachStep::kOpened;
  Timestamp at;
  PrincipalId by;
  std::uint64_t seq = 0;  // of its entry in the log
  std::string document;   // JSON: the members that were given
};

struct Breach {
  BreachId id;
  std::int64_t row = 0;
  std::vector<BreachEvent> history;  // never empty
  BreachFacts known;                 // what counts now
  std::vector<BreachNotice> notices;
  std::optional<Timestamp> closed;
  Timestamp now;  // by which its clocks stand
};

}  // namespace coffer::vault
