// Sentences of the vault's own in signed documents. A document has one language, English, and its
// bytes are for ever; pages say the same in the reader's language.
//
// audit/messages/stated.json has the signed sentences: of each, the one that is written now, then
// those of earlier versions, so that older documents are understood. None is ever changed or taken
// away. {n} stands for a number, {class} for a class, {date} for a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "audit/text/clock.h"

namespace coffer::audit {

enum class Statement {
  kBasisRequest,
  kBasisConsentWithdrawn,
  kBasisPurposeReached,
  kBasisContractEnd,
  kBasisUnlawful,
  kBasisRetention,
  kBasisReplayed,
  kClientWithoutRecords,  // what a client is without its records
  kOthers,                // {n} classes summed up
  kKeptRecords,           // {n} of {class}
  kKeptRecordsWhy,
  kKeptOthers,  // records of {n} classes summed up
  kKeptLog,
  kKeptLogWhy,
  kKeptIndex,
  kKeptIndexWhy,  // until {date}
  kKeptCopies,
  kKeptCopiesWhy,
};

struct StatedValues {
  std::uint64_t n = 0;
  std::string class_name = {};
  std::optional<Timestamp> date = {};
};

// As it is signed.
std::string Stated(Statement statement, const StatedValues& values = {});

struct RecognisedStatement {
  Statement statement = Statement::kBasisRequest;
  StatedValues values;
};

// Nothing for what somebody wrote in words of their own.
std::optional<RecognisedStatement> RecogniseStatement(std::string_view text);

// The catalogues' key.
std::string_view KeyOf(Statement statement);

}  // namespace coffer::audit
