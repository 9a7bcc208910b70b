// SHA-256 (FIPS 180-4) of many messages: several at a time, where the processor's vectors allow it.
#pragma once

#include <memory>

#include "crypto/bytes.h"

namespace coffer::crypto {

// For public data only: copies of what is hashed may stay in memory. Not for two threads at once.
class HashBatch {
 public:
  HashBatch();
  ~HashBatch();
  HashBatch(HashBatch&&) noexcept;
  HashBatch& operator=(HashBatch&&) noexcept;

  // Precondition: both stay where they are until Finish(), which writes `hash`.
  void Add(ByteView message, Hash& hash);
  void Finish();

 private:
  class Lanes;
  std::unique_ptr<Lanes> lanes_;
};

}  // namespace coffer::crypto
