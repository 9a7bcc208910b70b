// The rows of the register of recipients: what was said is added to, and never altered.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "vault/access/recipient.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {

// An account of a recipient's: what it is shown by entries of [since, until) is disclosed to it.
struct RecipientBinding {
  PrincipalId principal;
  std::int64_t recipient = 0;  // a row
  std::uint64_t since = 0;
  std::optional<std::uint64_t> until;
};

class RecipientStore {
 public:
  static Result<RecipientStore> Open(Database& database);

  // The row of a new one.
  Result<std::int64_t> Insert(const RecipientId& id);
  Status Append(std::int64_t row, const RecipientEvent& event);
  // With its history.
  Result<std::optional<Recipient>> Find(const RecipientId& id);
  // Without: what counts now costs a few rows, however long the history is.
  Result<std::optional<Recipient>> FindRow(std::int64_t row);
  // The same of rows before `before`, the newest first: of all, or of those that ended or did not.
  Result<std::vector<Recipient>> List(std::int64_t before, std::optional<bool> ended,
                                      std::size_t limit);
  Result<std::uint64_t> Count();

  Status Bind(const RecipientBinding& binding);
  Status Unbind(const PrincipalId& principal, std::uint64_t until);
  // To whom it is bound now: a row.
  Result<std::optional<std::int64_t>> BoundTo(const PrincipalId& principal);
  Result<bool> AnyBinding();
  // Of one recipient, or of all (row 0); those that ended too.
  Result<std::vector<RecipientBinding>> ListBindings(std::int64_t recipient);

 private:
  Status ReadHistory(Recipient& recipient);
  Status ReadWhatCounts(Recipient& recipient);

  Statement insert_, append_, find_, find_row_, list_, list_by_end_, history_, counting_, versions_,
      bound_, count_, bind_, unbind_, bound_to_, any_binding_, bindings_;
};

}  // namespace coffer::vault
