// What an erasure does to the stores, whoever asked for it.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "vault/access/approval.h"
#include "vault/access/call.h"
#include "vault/access/client_row.h"
#include "vault/access/operations.h"
#include "vault/clients/client_erasure.h"
#include "vault/clients/export_selection.h"
#include "vault/deletion/deletion_options.h"
#include "vault/deletion/erasure.h"
#include "vault/deletion/erasure_order.h"

namespace coffer::vault {

struct Resealed;

struct ClassCount {
  std::uint64_t records = 0, versions = 0;
};
struct GoneRecord {
  std::string class_name;
  std::uint64_t versions = 0;
};
struct ErasedContent {
  ErasureRow row;  // with the sequence that the next entry has, and without facts
  std::map<std::string, ClassCount, std::less<>> gone, kept;  // by class
  std::unordered_map<RecordId, GoneRecord, IdHash> records;   // gone, of scope kRecords
  std::uint64_t resealed = 0;  // records and old versions of what stays, in this operation
  std::uint64_t unopened = 0;  // of these, and the profile: they stay as they are
};

// Rows, old versions, index tokens, notes, idempotency residues; where something stays, a new key
// for it. Leaves an entry for each record that goes one by one, and for each that is sealed again.
// The caller stores the row (RegisterErasure) and leaves the entry about the erasure itself next.
// `resealed`: what stays was sealed again before, in steps (resealing.h).
Result<ErasedContent> EraseContent(const Operations& operations, Transaction& transaction,
                                   const ClientRow& client, const ErasureOrder& order,
                                   const Resealed* resealed = nullptr);
// One operation may take more records than an act can name: the share of some of them, as an
// erasure of its own, of the same key. Records that the content does not have are named and not
// counted, and each once however often it is named.
ErasedContent ShareOf(const ErasedContent& content, std::span<const RecordId> records);
// Who does what the call is about, then who approved it, if anybody had to.
std::vector<PrincipalId> PeopleOf(Transaction& transaction, const Call& call);
// As facts name them: a JSON array.
std::string PeopleText(Transaction& transaction, std::span<const PrincipalId> people);
// A JSON object without its braces.
std::string MembersOf(std::string_view object);
// What the act will be made from: a JSON object of what went and what stays, and `more` members
// (StandingFacts and others, not none).
std::string FactsOf(const ErasedContent& content, std::string_view more);
// The records and versions that facts say are gone.
std::map<std::string, ClassCount, std::less<>> GoneIn(std::string_view facts);
// What of an act's items the configuration lacks: nothing is erased without.
std::vector<Issue> MissingDetails(const OperatorDetails& details);
// The row is complete: from the commit on its key dies and the ledger has it.
Status RegisterErasure(Transaction& transaction, ErasureRow row);

// "client.erase" or "record.erase" of the client, with what goes and why.
Proposal ProposalOf(const ClientId& client, const ErasureRequest& request);

}  // namespace coffer::vault
