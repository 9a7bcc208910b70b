// What is done in the transaction of an act or of an export itself: who is to be told of it, who
// was given something.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/result.h"
#include "vault/access/call.h"
#include "vault/access/disclosure.h"
#include "vault/access/disclosure_store.h"
#include "vault/engine/transaction.h"

namespace coffer::vault {

// Recipients that were given the client's data, of this class or any (empty), are to be told.
// `seq`: of the act's entry. Costs one lookup where nobody was given anything.
Status NoteAct(Transaction& transaction, const ClientId& client, ToldAct act,
               std::string_view class_name, std::uint64_t seq);

// An export that says to whom it goes: its pages add what they hand out.
class ExportRecord {
 public:
  // Begins with the first page, and goes on with the one that the pages before it made. `run`: what
  // is the same of all pages of this export, and of no other one's. Errors: kUnprocessable
  // "recipient_unknown"; kConflict "recipient_ended".
  static Result<ExportRecord> Begin(Transaction& transaction, Call& call,
                                    const RecipientId& recipient, DisclosureSource source,
                                    std::string_view run, bool first_page);

  // The client, and of it this class (empty: the client itself).
  void Add(const ClientId& client, std::string_view class_name, std::uint64_t seq);
  // Once, after all of the page.
  Status Store(Transaction& transaction);
  const DisclosureId& id() const { return disclosure_.id; }

 private:
  struct Given {
    ClassNames classes;
    std::uint64_t seq = 0;
  };
  Disclosure disclosure_;
  std::map<ClientId, Given> given_;
};

}  // namespace coffer::vault
