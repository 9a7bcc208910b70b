// What recipients are to be told of what became of data that they were given (GDPR 19; 152-FZ
// 20(3)), and that they were. What was given by export, package or by hand is known when the act is
// done (vault/access/telling.h). What accounts of recipients were shown is found here in the log's
// index, for acts that wait for it: no read costs anything.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "crypto/result.h"
#include "vault/access/caller.h"
#include "vault/access/disclosure.h"
#include "vault/access/operations.h"
#include "vault/access/recipient_store.h"
#include "vault/base/page.h"
#include "vault/oversight/log_reader.h"

namespace coffer::vault {

struct TellingPage {
  Page<Telling> page;
  TellingCounts counts;  // of all recipients
};

// What was told, and what is left of the same recipient.
struct TellingResult {
  std::uint64_t told = 0, left = 0;
};

// One recipient of one client's data.
struct ClientRecipient {
  Recipient recipient;
  std::uint64_t disclosures = 0;  // recorded ones
  std::uint64_t reads = 0;        // entries that showed something to its accounts
  bool more_reads = false;
  std::optional<std::uint64_t> first_read, last_read;  // entries
  std::vector<Telling> acts;                           // the newest first, told ones too
};

struct ClientRecipients {
  std::vector<ClientRecipient> recipients;  // in the order of their registration
  bool more_disclosures = false;            // than kMostDisclosuresOfClient: not all are counted
  bool more_acts = false;                   // than kMostActsOfClient
  bool reads_known = true;                  // false: the log's index cannot be asked now
  std::uint64_t to_settle = 0;              // acts of the client that nobody looked at yet
};
inline constexpr std::size_t kMostDisclosuresOfClient = 1000;
inline constexpr std::size_t kMostActsOfClient = 1000;

class Tellings {
 public:
  Tellings(const Operations& operations, LogReaders& readers)
      : operations_(operations), readers_(readers) {}

  // What is still to be told, the oldest first; for who may see all clients.
  Result<TellingPage> ListToTell(const Caller& caller, const std::optional<RecipientId>& recipient,
                                 const PageRequest& page);
  // Of one client, which may be erased.
  Result<ClientRecipients> RecipientsOf(const Caller& caller, const ClientId& client);
  // Of acts by `at` and `until`, at most 1000 at once, the oldest first, an entry for each. Errors:
  // kUnprocessable "telling_invalid" with issues; kConflict "nothing_to_tell".
  Result<TellingResult> TellRecipient(const Caller& caller, const RecipientId& recipient,
                                      const TellingFacts& facts);

 private:
  Status Settle();
  Result<ClientRecipients> CollectRecipients(const ClientId& client);

  const Operations& operations_;
  LogReaders& readers_;
};

// What accounts of a recipient were shown of one client.
struct BoundReads {
  std::uint64_t entries = 0;
  bool more = false;  // there were more entries than are looked at
  std::optional<std::uint64_t> first, last;
};
// By entries of [binding.since, end), of this class or any (empty); `any`: one is enough. Errors:
// of the log.
Result<BoundReads> FindBoundReads(LogReader& reader, const ClientId& client,
                                  const RecipientBinding& binding, std::uint64_t end,
                                  std::string_view class_name, bool any);

}  // namespace coffer::vault
