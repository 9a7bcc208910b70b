// What was given to whom, and what recipients are to be told of afterwards (GDPR 19; 152-FZ 20(3)).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/result.h"
#include "vault/access/recipient.h"
#include "vault/base/ids.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

struct DisclosureTag {
  static constexpr std::string_view kPrefix = "dsc_";
};
using DisclosureId = Id<DisclosureTag>;

enum class DisclosureSource : std::uint8_t {
  kExport,
  kPackage,
  kHand,  // told by somebody: it was given outside the vault
};
std::string_view Name(DisclosureSource source);
std::optional<DisclosureSource> DisclosureSourceFromName(std::string_view name);

// How it was given.
inline constexpr std::string_view kDisclosureChannels[] = {
    "api", "courier", "email", "in_person", "letter", "media", "phone", "portal", "other"};
inline constexpr std::string_view kDisclosureChannelRule =
    "must be one of api, courier, email, in_person, letter, media, phone, portal, other";

// What is said of it. Lines of at most 200 bytes; none of them is about one client.
struct DisclosureFacts {
  std::optional<Timestamp> given;  // absent: now
  std::string basis, purpose, channel, reference;
};

// Without its clients, of whom there may be millions.
struct Disclosure {
  DisclosureId id;
  std::int64_t row = 0;
  std::int64_t recipient_row = 0;
  RecipientId recipient;
  DisclosureSource source = DisclosureSource::kHand;
  Timestamp given, recorded;
  std::string basis, purpose, channel, reference;
  PrincipalId recorded_by;
  std::uint64_t seq = 0;      // of the entry that began it
  std::uint64_t clients = 0;  // different ones
};

// One client of one disclosure.
struct DisclosedClient {
  ClientId client;
  std::vector<std::string> classes;  // in their order
  bool known = false;                // false: nobody said which classes
  std::uint64_t seq = 0;             // of the entry that shows it
};

// What becomes of a client that others who have its data are told of.
enum class ToldAct : std::uint8_t {
  kErased,
  kRectified,  // as it had asked
  kRestricted,
  kWithdrawn,  // a consent
};
inline constexpr std::size_t kToldActs = 4;
std::string_view Name(ToldAct act);
std::optional<ToldAct> ToldActFromName(std::string_view name);

// How a recipient was told of something, or why it was not.
struct ToldHow {
  Timestamp at;
  PrincipalId by;
  std::uint64_t seq = 0;  // of its entry in the log
  std::string channel, reference;
  std::string not_told;  // why nobody could be told (GDPR 19)
};

// Of one act, with one recipient.
struct Telling {
  std::int64_t row = 0;
  ClientId client;
  std::int64_t recipient_row = 0;
  RecipientId recipient;
  ToldAct act = ToldAct::kErased;
  std::string class_name;  // empty: all of the client
  std::uint64_t act_seq = 0;
  Timestamp act_at;
  std::optional<ToldHow> told;
};

// That a recipient was told, or why it was not.
struct TellingFacts {
  // One of both at least: what arose since somebody looked is not told with the rest.
  std::optional<ClientId> client;      // absent: all that it is still to be told
  std::optional<std::uint64_t> until;  // acts by this entry of the log
  std::optional<Timestamp> at;         // acts by then; absent: now
  std::string channel, reference;
  std::string not_told;  // "impossible", "disproportionate"; with `reference` to why
};
inline constexpr std::string_view kNotTold[] = {"disproportionate", "impossible"};

// An act of which it is to be found out whether accounts of recipients were shown the client.
struct ActToSettle {
  std::int64_t row = 0;
  ClientId client;
  ToldAct act = ToldAct::kErased;
  std::string class_name;
  std::uint64_t seq = 0;
  Timestamp at;
};

struct TellingCounts {
  std::uint64_t open = 0, recipients = 0;  // tellings, and of how many recipients
  std::uint64_t to_settle = 0;             // acts that nobody looked at yet
};

// With pointers.
std::vector<Issue> FaultsOf(const DisclosureFacts& facts, Timestamp now);
std::vector<Issue> FaultsOf(const TellingFacts& facts, Timestamp now);

}  // namespace coffer::vault
