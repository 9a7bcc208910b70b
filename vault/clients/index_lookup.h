// Which records have a value in an indexed field, also while the field's index is made anew: by
// other rules (crypto/search_form.h), for a class that has another index, or without the key of the
// old one.
//
// Where the index is whole, that is one lookup. Where it is not, what the next generation has is
// looked up there, and the records behind that are opened and their values compared, each by the
// rules of today: the answer is what it will be once the index is whole, at each step of the
// rebuild and after a crash at any. Where more of them are left than may be opened for one search
// (VaultOptions::index_rows_compared), all are looked up by every token that the value has by the
// rules of before and of today, and what is found is opened and compared: nothing is found that
// should not be, and the answer says that it is not whole. Missed is what an index of rules between
// 1 and today's has by another form than today's: those rules were a library's, and are gone. Those
// of 1, of vaults from before there were numbers of rules, are crypto::Normalise.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vault/access/operations.h"

namespace coffer::vault {

class IndexLookup {
 public:
  // All are to outlive it. `form`: of `typed`, by the field.
  // While the index is made by other rules, so many records are opened that it has not come to.
  IndexLookup(const Operations& operations, std::size_t rows_compared, Transaction& transaction,
              const ClassSchema& newest, const Field& field, std::string_view typed,
              std::string_view form)
      : operations_(operations),
        rows_compared_(rows_compared),
        transaction_(transaction),
        newest_(newest),
        field_(field),
        typed_(typed),
        form_(form) {}

  // Before anything else. Errors: kConflict kIndexBuilding when nothing says where to look: many
  // records are left, and the index of before had not all of them or has lost its key.
  Status Start();
  // Row ids after `after`, in their order.
  Result<std::vector<std::int64_t>> Find(std::int64_t after, std::size_t limit);
  bool whole() const { return way_ != Way::kTokens; }

 private:
  enum class Way : std::uint8_t { kIndex, kCompared, kTokens };

  bool NoteTokens();
  Result<std::vector<std::int64_t>> FindCompared(std::int64_t after, std::size_t limit);
  Result<std::vector<std::int64_t>> FindByTokens(std::int64_t after, std::size_t limit);
  // Whether the record's value has the form. What cannot be opened has not.
  Result<bool> Has(std::int64_t record);

  const Operations& operations_;
  const std::size_t rows_compared_;
  Transaction& transaction_;
  const ClassSchema& newest_;
  const Field& field_;
  const std::string_view typed_, form_;
  Way way_ = Way::kIndex;
  std::vector<BlindToken> tokens_;  // the first one is the form's
  std::int64_t reached_ = 0;        // of kCompared: the index has the rows up to that one
};

}  // namespace coffer::vault
