// Notices: a change of terms, or of how data is processed, that clients are told (GDPR Art. 13(3)
// and 14(4), PIPL Art. 17, CCPA § 1798.100). What was said of one is never altered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/bytes.h"
#include "crypto/result.h"
#include "vault/base/ids.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

struct NoticeTag {
  static constexpr std::string_view kPrefix = "ntc_";
};
using NoticeId = Id<NoticeTag>;

// Whom a notice concerns.
struct NoticeSelection {
  enum class Kind : std::uint8_t {
    kAll,      // every client
    kTag,      // those with this tag
    kPurpose,  // those of whom a consent to this purpose stands
    kText,     // those of whom a consent to this text stands, in any version
  };
  Kind kind = Kind::kAll;
  std::string of;  // empty of kAll
};
std::string_view Name(NoticeSelection::Kind kind);  // "all", "tag", "purpose", "text"
std::optional<NoticeSelection::Kind> SelectionKindFromName(std::string_view name);

// What it says: a consent text that is stored, or words of its own.
struct NoticeText {
  std::string name;  // of a consent text; empty: `words`
  std::uint64_t version = 0;
  std::string words;
  struct Wording {
    std::string language;
    crypto::Hash sha256{};
  };
  std::vector<Wording> wordings = {};  // of the consent text
  crypto::Hash sha256{};               // of `words`
};

struct NoticeForm {
  std::string title;
  NoticeSelection selection;
  NoticeText text;
  Timestamp effective;
};

// That clients were told.
struct TellingForm {
  std::string channel;   // "app", "email", "in-person", "letter", "message", "phone", "portal",
                         // "website", "other"
  std::string evidence;  // where it is, in words
  std::optional<Timestamp> at;    // absent: now
  std::vector<ClientId> clients;  // 1 to kMostTold; or `all` of those that are there since `at`
  bool all = false;
  std::string cursor = {};  // of `all`: where to go on
};
inline constexpr std::size_t kMostTold = 1000;

enum class NoticeStepKind : std::uint8_t { kCreated, kTold, kClosed };
std::string_view Name(NoticeStepKind kind);
std::optional<NoticeStepKind> NoticeStepFromName(std::string_view name);

// One thing that was said, as it is stored.
struct NoticeStep {
  std::uint64_t number = 0;  // from 0
  NoticeStepKind kind = NoticeStepKind::kCreated;
  Timestamp at;
  PrincipalId by;
  std::uint64_t seq = 0;  // of its entry in the log
  std::string document;   // JSON: the members that were given, and counts
};

struct Notice {
  NoticeId id;
  std::int64_t row = 0;
  NoticeForm form;
  std::uint64_t told = 0;  // clients, ever: also such as were erased since
  std::uint64_t next_step = 0;
  std::vector<NoticeStep> steps;  // empty in lists
  Timestamp created;
  PrincipalId created_by;
  std::optional<Timestamp> closed;
};

// What became of one request to record a telling.
struct Told {
  std::uint64_t told = 0;     // clients that were not told before
  std::uint64_t already = 0;  // that were
  std::uint64_t step = 0;     // its number; nothing was told: 0
  std::string next_cursor;    // of `all`; empty at the end
};

struct NoticeObjection {
  ClientId client;
  RestrictionId restriction;
  Timestamp since;
  bool all_but = true;
  std::vector<std::string> purposes;
  std::vector<std::string> legal_bases = {};
};

// How many are open; of these how many are in effect, or will be within the days asked for.
struct NoticeCounts {
  std::uint64_t open = 0, due = 0;
};

}  // namespace coffer::vault
