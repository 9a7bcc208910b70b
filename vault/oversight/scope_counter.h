// Adds up what entries of the log say of clients. Memory grows with the clients and records that
// are found, and not with the entries.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "audit/entries/entry.h"
#include "crypto/result.h"
#include "vault/oversight/breach_scope.h"

namespace coffer::vault {

// What an action does with a client. Null: nothing of one.
struct MeetingAction {
  std::string_view action;
  Way way;
  bool exact;  // see ScopeAction
};
const MeetingAction* FindMeetingAction(std::string_view action);
// Whether the entry says that its actor was shown something of a client's data.
bool ShowedData(const audit::Entry& entry);

class ScopeCounter {
 public:
  explicit ScopeCounter(BreachScope& scope);
  ~ScopeCounter();

  // An entry of whoever was asked for. `possible`: it may be of another token. Errors:
  // kUnprocessable "scope_too_large".
  Status Take(const audit::Entry& entry, bool possible);

  std::vector<ClientId> Clients() const;  // in their order
  ScopeClient Describe(const ClientId& client, bool record_ids) const;
  Ways WaysOf(const ClientId& client) const;
  // The counts that do not depend on what is stored of the clients now.
  void Finish();

 private:
  struct Memory;
  BreachScope& scope_;
  std::unique_ptr<Memory> memory_;
};

}  // namespace coffer::vault
