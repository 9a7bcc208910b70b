// What stays of a client, of which a part is erased, sealed again under its next key.
//
// Of a small client that is one operation with the erasure. Otherwise it would hold the engine for
// as long as the client is large, and is done before, in steps: the first makes the key, from then
// on the client's current one, and the older lives beside it until the erasure destroys it. Nothing
// is erased before, and what stops in between leaves a client that reads as before: the next
// erasure goes on with it.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "vault/access/client_row.h"
#include "vault/access/operations.h"
#include "vault/clients/client_store.h"
#include "vault/clients/record_store.h"
#include "vault/deletion/erasure.h"
#include "vault/deletion/erasure_order.h"
#include "vault/deletion/hold_store.h"

namespace coffer::vault {

// Records, old versions and reasons that one operation seals again, or looks at.
inline constexpr std::size_t kResealsAtOnce = 200;

// What stays of a client is sealed again under a new key: other bytes of the same version.
inline constexpr std::string_view kRecordReseal = "record.reseal";
inline constexpr std::string_view kClientReseal = "client.reseal";

class Resealing {
 public:
  static constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();

  // Under a key that it makes, of the next generation.
  static Result<Resealing> WithNewKey(const Operations& operations, Transaction& transaction,
                                      const ClientRow& client);
  // Under the newer of the client's two keys, `most` of what is not. Errors: kCorrupted
  // "client_key_missing" where the older one does not open.
  static Result<Resealing> GoOn(const Operations& operations, Transaction& transaction,
                                const ClientRow& client, std::size_t most);

  // With its old versions after `version`. False: the operation's share is used up, and `version`
  // says where the next one goes on.
  Result<bool> Record(RecordRow row, std::uint64_t& version);
  // Whether something of it is sealed under the key.
  Result<bool> HasAny(const RecordRow& row) const;
  // Whether its current version opens under the key, whichever its envelope names.
  bool Opens(const RecordRow& row) const;
  bool Has(ByteView sealed) const { return to().IsCurrent(sealed); }
  // The reasons given with what was done, but for those about what is gone.
  Status Notes(FunctionRef<bool(const audit::Entry&)> is_gone);
  // False: it does not open.
  Result<bool> Note(std::uint64_t seq, const audit::Entry& entry, ByteView sealed);
  Status Holds();
  Status Restrictions();
  Status Requests();
  // A profile that does not open stops an erasure, whose old key could still be of use to whoever
  // mends it; but none of what was erased before.
  Status Finish(bool whatever_the_profile);
  // The same, and the older key lives on: `who` takes the steps.
  Status FinishFirst(std::uint64_t who);

  // Takes one from the operation's share. False: it is used up.
  bool Look();
  std::uint64_t sealed() const { return sealed_; }
  std::uint64_t unopened() const { return unopened_; }
  // Records whose tokens do not open.
  const std::vector<std::int64_t>& unread() const { return unread_; }

 private:
  Resealing(const Operations& operations, Transaction& transaction, const ClientRow& client,
            PinnedKeys keys);
  ClientKeys to() const;
  Status Profile(bool whatever_it_is);
  Status Seal(const RecordId& record, std::string_view class_name, std::uint64_t version,
              ByteView sealed, FunctionRef<Status(ByteView)> store);

  const Operations& operations_;
  Transaction& transaction_;
  ClientRow client_;
  PinnedKeys from_;
  std::optional<crypto::SecretBytes> new_key_;
  std::uint64_t since_;
  std::size_t left_ = kAll;
  std::uint64_t sealed_ = 0;
  std::uint64_t unopened_ = 0;
  std::vector<std::int64_t> unread_;
};

// What the steps before an erasure left for it.
struct Resealed {
  std::vector<std::uint64_t> gone_notes;  // reasons about what goes, and what does not open
  std::uint64_t unopened = 0;             // records and old versions: they stay as they are
};

// Where an erasure is repeated: vault.db is from between the steps that were taken before it, and
// the older key is gone with it. Nothing of what goes is under the newer one, which the vault.db of
// afterwards needs. `class_name`: what goes is all of a class. None: it is not so.
Result<std::optional<Resealed>> FindLeftUnderGoneKey(const Operations& operations,
                                                     Transaction& transaction,
                                                     const ClientRow& client,
                                                     const std::set<std::int64_t>& going,
                                                     std::string_view class_name);

// The steps before one erasure, over several operations. What goes is left under the older key:
// once that is destroyed, no key is there for what older pages have of it. To be dropped when an
// operation failed.
class StepwiseResealing {
 public:
  explicit StepwiseResealing(const Operations& operations);

  // What stays is sealed again with the erasure, in one operation.
  static Result<bool> IsSmall(Transaction& transaction, const ClientRow& client);
  // One step. True: the erasure can be done, in this very operation.
  Result<bool> Advance(Transaction& transaction, const ClientRow& client,
                       const ErasureOrder& order);
  bool begun() const { return begun_; }
  // For EraseContent. Null: it seals again what stays, of a small client, or of one whose data that
  // goes was sealed again and again meanwhile.
  const Resealed* resealed() const { return ready_ ? &found_ : nullptr; }

 private:
  Status Follow(Transaction& transaction, const ErasureOrder& order);
  bool Goes(const RecordRow& row) const;
  bool Goes(const audit::Entry& entry) const;
  void StartRound();
  Status Begin(Transaction& transaction, const ClientRow& client);
  Status StepRecords(Transaction& transaction, const ClientRow& client, Resealing& resealing);
  Status StepNotes(Transaction& transaction, const ClientRow& client, Resealing& resealing);
  Result<bool> EndRound(Transaction& transaction, const ClientRow& client,
                        const Resealing& resealing);
  Result<bool> AnyMixed(Transaction& transaction, const ClientRow& client,
                        const Resealing& resealing) const;

  const Operations& operations_;
  const std::uint64_t who_;
  bool begun_ = false, ready_ = false;

  ErasureScope scope_ = ErasureScope::kClient;  // of what goes
  std::string class_name_;
  std::set<RecordId> records_;
  std::set<std::int64_t> rows_;
  std::set<std::string, std::less<>> texts_;  // ids of both

  // A round goes through all there is; one that finds nothing to seal is the last.
  enum class Stage : std::uint8_t { kRecords, kNotes, kEnd };
  Stage stage_ = Stage::kRecords;
  std::string at_class_;
  std::int64_t at_record_ = -1;
  std::int64_t at_partly_ = -1;  // the record of which versions up to this one are done
  std::uint64_t at_version_ = 0;
  std::uint64_t at_note_ = 0;
  bool sealed_any_ = false;
  // Some of what goes is under the newer key already. Then the rest of it is sealed under that too,
  // and another key is begun.
  bool mixed_ = false;
  int begins_ = 0, interrupted_ = 0;
  std::uint64_t generation_ = 0;
  Resealed found_;
};

}  // namespace coffer::vault
