// What the log says was disclosed with a token, by a principal, from an address or in a time: whom
// a breach concerns.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vault/base/ids.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

// All that is given must be so; at least one has to be given.
struct ScopeCriteria {
  std::string token;                  // the id of a token or of a session
  std::string principal;              // its id, a login, or the name of a service
  std::string address;                // or a network
  std::optional<Timestamp> from, to;  // [from, to)
};

// How an entry says that somebody met a client.
enum class Way : std::uint8_t {
  kRead,      // values were shown
  kListed,    // in a list: its reference and tags, or that there are such records
  kFound,     // a search told that it has the value that was searched for
  kExported,  // values, in bulk
  kNamed,     // what is kept about it besides its data: holds, assignments, traces, the log
  kChanged,   // written or erased, and nothing shown that the caller did not give
};
inline constexpr std::size_t kWays = 6;
std::string_view Name(Way way);  // "read", "listed", ...

// A set of ways.
struct Ways {
  std::uint8_t bits = 0;
  void Add(Way way) { bits |= static_cast<std::uint8_t>(1U << static_cast<unsigned>(way)); }
  bool Has(Way way) const { return (bits >> static_cast<unsigned>(way) & 1U) != 0; }
  bool Discloses() const { return (bits & ~(1U << static_cast<unsigned>(Way::kChanged))) != 0; }
};

// One class of a client; empty: the client itself.
struct ScopeClass {
  std::string class_name;
  Ways ways;
  std::uint64_t entries = 0, records = 0;  // different ones
  std::vector<std::string> fields;         // by name
  std::vector<RecordId> record_ids;        // where they are asked for
};

struct ScopeClient {
  ClientId id;
  bool erased = false;
  std::vector<std::string> jurisdictions;  // of its tags, as they are now
  Ways ways;
  std::uint64_t entries = 0;
  std::uint64_t possible = 0;  // of them, those that may be of another token: see BreachScope
  Timestamp first, last;
  std::vector<ScopeClass> classes;
  std::vector<std::string> purposes;
};

// Entries of one action.
struct ScopeAction {
  std::string action;
  Way way = Way::kNamed;
  std::uint64_t entries = 0;         // that name a client
  std::uint64_t without_client = 0;  // those of whole requests
  // False: an answer can have named clients that its entry does not. True: each client that was in
  // an answer has an entry.
  bool exact = true;
};

struct ScopeCount {
  std::string name;
  std::uint64_t count = 0;
};

struct BreachScope {
  ScopeCriteria criteria;       // as they were understood: ids in the place of names
  std::uint64_t size = 0;       // entries before this one were there to be looked at
  std::uint64_t first_seq = 0;  // [first_seq, first_seq + searched) lie in the time
  std::uint64_t searched = 0;   // none: nothing was searched
  std::uint64_t matched = 0;    // of whoever was asked for, whatever they are about
  std::uint64_t denied = 0;     // of these, refused: they disclosed nothing
  std::uint64_t failed = 0;     // of these, those of requests that failed after they were allowed
  std::uint64_t entries = 0;    // that met a client
  // Of these, those from before entries said which token was shown: its principal's, while the
  // token could be used, so that they can be those of another of its tokens.
  std::uint64_t possible = 0;
  // In the time, without an address, where one was asked for: not counted in, and not known to be
  // from elsewhere.
  std::uint64_t without_address = 0;
  std::uint64_t unreadable = 0;  // damaged, or missing: what coffer verify names

  std::uint64_t clients = 0;    // all of them
  std::uint64_t disclosed = 0;  // of which something was disclosed
  std::uint64_t changed = 0;    // of which something was written or erased
  std::uint64_t erased = 0;     // erased since: no jurisdiction of theirs is known any more
  std::uint64_t without_jurisdiction = 0;
  std::vector<ScopeCount> jurisdictions;  // clients; one with two of them counts in both
  std::vector<ScopeCount> purposes;       // entries
  std::vector<ScopeAction> actions;
  std::optional<Timestamp> first, last;

  // Every client that an answer named is known: see ScopeAction.
  bool exact() const {
    return unreadable == 0 && std::ranges::all_of(actions, &ScopeAction::exact);
  }

  bool with_record_ids = false;
  std::vector<ScopeClient> page;  // of the clients, in the order of their ids
  std::string next;               // where to go on; empty at the end
};

struct ScopePage {
  std::size_t limit = 1000;  // 0..kMostScopeClients
  std::string after;         // BreachScope::next
  bool record_ids = false;
};
inline constexpr std::size_t kMostScopeClients = 10'000;

}  // namespace coffer::vault
