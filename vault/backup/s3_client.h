// Requests to an S3-compatible store: signed (Signature Version 4), bounded, tried again where that
// may help.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "crypto/bytes.h"
#include "crypto/result.h"
#include "vault/backup/store_place.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

struct S3Request {
  enum class Method { kGet, kHead, kPut, kDelete };
  Method method = Method::kGet;
  std::string path;            // from the endpoint on, of letters that a URL takes as they are
  std::string query = {};      // in the order of its names, encoded
  crypto::ByteView body = {};  // of kPut
  bool only_new = false;       // of kPut: what is there already is not written over
  std::size_t most_bytes = 0;  // of the answer's body, where it succeeds
};

struct S3Answer {
  int status = 0;    // whatever it is, but for those that were tried again in vain
  std::string code;  // of an error, as the store calls it
  crypto::Bytes body;
  bool too_long = false;          // the body was not taken to its end
  bool tried_before = false;      // an earlier try may have done it
  std::optional<Timestamp> date;  // of the store's clock
  bool delete_marker = false;
  std::optional<std::uint64_t> length;  // of what was asked for, as the store tells it
  std::optional<Timestamp> retain_until;
};

// "403 AccessDenied"
std::string InWords(const S3Answer& answer);

// Of one thread at a time.
class S3Client {
 public:
  S3Client(std::string endpoint, S3Options options, std::function<bool()> interrupted);
  ~S3Client();
  S3Client(const S3Client&) = delete;
  S3Client& operator=(const S3Client&) = delete;

  // Errors: kUnavailable "destination_unavailable": no answer, or none but that it cannot now;
  // those of ReadSecretFile in the same reason.
  Result<S3Answer> Send(const S3Request& request);

 private:
  struct Try;
  struct Handle;
  Result<Try> SendOnce(const S3Request& request);
  Status Pause(std::chrono::milliseconds pause) const;

  const std::string endpoint_;
  const S3Options options_;
  const std::function<bool()> interrupted_;
  std::unique_ptr<Handle> handle_;
};

}  // namespace coffer::vault
