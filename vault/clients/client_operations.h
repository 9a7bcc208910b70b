// What the operations on clients, and the export, share.
#pragma once

#include <string>
#include <vector>

#include "vault/access/call.h"
#include "vault/access/operations.h"
#include "vault/base/timestamp.h"
#include "vault/clients/client.h"
#include "vault/clients/client_store.h"

namespace coffer::vault {

// A client row that was logged as disclosed, with the pinned key that opens it after the commit.
struct SealedClient {
  ClientRow row;
  PinnedKeys key;
};

ClientInfo InfoOf(const ClientRow& row, std::string external_ref);
// Errors: kCorrupted when the profile is not what was sealed.
Result<ClientInfo> OpenClient(const Operations& operations, const SealedClient& client);

// The same of one of several that `call` disclosed: what does not open raises the alarm.
Result<ClientInfo> OpenDisclosed(const Operations& operations, Call& call,
                                 const SealedClient& client);

inline constexpr std::string_view kErasedBefore = "erased_before";
// What is known of the external reference of a client that is about to be erased; nothing where it
// has none, or cannot be read any more.
Result<std::optional<BlindToken>> TokenOfErased(const Operations& operations,
                                                Transaction& transaction, const ClientRow& client);
// Passes where the reference, which no client has, was no erased client's either, or `accepted`
// says that this is known: then the entry has it. Errors: kConflict "erased_before", which names
// the erasure to callers who may know of it.
Status RequireNotErasedBefore(const Operations& operations, Transaction& transaction, Call& call,
                              std::string_view external_ref, bool accepted);

// Who has records of a class is for whoever may list or read some of what such records hold, of
// this client or (nullopt) of any. As in a search, a lease opens no list.
Result<bool> MayKnowOfRecords(const Operations& operations, Transaction& transaction,
                              const Call& call, const std::optional<ClientId>& client,
                              const ClassSchema& schema,
                              std::optional<Timestamp> at = std::nullopt);

// What an entry about a client names when its profile was read or written.
std::vector<std::string> ProfileFields();

}  // namespace coffer::vault
