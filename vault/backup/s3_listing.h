// What an S3-compatible store answers in XML: lists of names, and why it refuses.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/result.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

struct S3Listing {
  struct Object {
    std::string key;
    std::optional<Timestamp> modified;  // absent: it cannot be read
  };
  std::vector<Object> objects;
  bool truncated = false;
  std::string next;  // where truncated: by which the rest is asked for
};

// An answer to ListObjectsV2. A document type, and with it entities, is refused before any of it is
// read. Errors: kCorrupted "listing_malformed".
Result<S3Listing> ParseS3Listing(std::string_view xml);

// The code of an error's answer ("AccessDenied"); empty where there is none. Its message is not
// looked at: it may say back what was signed.
std::string ParseS3ErrorCode(std::string_view xml);

// A time as lists and headers have it, to its second; absent: it cannot be read.
std::optional<Timestamp> ParseS3Time(std::string_view text);

// Names and tokens in a query: all but letters, digits and "-._~".
std::string S3QueryEncode(std::string_view text);

}  // namespace coffer::vault
