// Who was shown how many clients.
#pragma once

#include <optional>

#include "crypto/result.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/base/timestamp.h"
#include "vault/oversight/log_reader.h"
#include "vault/oversight/reader_report.h"

namespace coffer::vault {

class ReaderReports {
 public:
  ReaderReports(const Operations& operations, LogReaders& readers)
      : operations_(operations), readers_(readers) {}

  // Who was shown how many different clients, in [from, to). Errors: kInvalidArgument
  // "filter_invalid"; kUnavailable "index_behind".
  Result<ReaderReport> CountReaders(const Caller& caller, std::optional<Timestamp> from,
                                    std::optional<Timestamp> to);

 private:
  const Operations& operations_;
  LogReaders& readers_;
};

}  // namespace coffer::vault
