// Whether the log, and what is stored, is what was written.
#pragma once

#include <string>
#include <utility>

#include "crypto/result.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/engine/log_publisher.h"
#include "vault/oversight/log_reader.h"
#include "vault/oversight/verify_directory.h"

namespace coffer::vault {

class Verification {
 public:
  Verification(const Operations& operations, LogReaders& readers, const LogPublisher& publisher,
               std::string directory)
      : operations_(operations),
        readers_(readers),
        publisher_(publisher),
        directory_(std::move(directory)) {}

  Result<DeepReport> VerifyLog(const Caller& caller, bool deep);

 private:
  const Operations& operations_;
  LogReaders& readers_;
  const LogPublisher& publisher_;
  const std::string directory_;
};

}  // namespace coffer::vault
