// Where a repository lies, as a configuration or a command line says it.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "crypto/result.h"

namespace coffer::vault {

// How an S3-compatible store is spoken to.
struct S3Options {
  std::string region = "us-east-1";
  // Read for each request, so that it can be exchanged: one line with the access key's id, a blank,
  // the secret access key and, where there is one, a blank and the session token.
  std::string credentials_file = {};
  std::string ca_file = {};  // whose certificates count; empty: those of the system

  std::chrono::milliseconds connect_limit{10'000};
  std::chrono::milliseconds idle_limit{30'000};    // without progress
  std::chrono::milliseconds total_limit{300'000};  // a request
  std::uint32_t tries = 5;
  std::chrono::milliseconds first_pause{500};  // doubled with each try
  std::chrono::milliseconds longest_pause{30'000};
  std::uint64_t most_listed = 20'000'000;  // names in a folder
  // What is younger is not swept away: another process may be about to name it.
  std::chrono::seconds young_for{std::chrono::hours(24)};

  // For somebody who waits.
  S3Options Briefly() const;
};

struct StorePlace {
  std::string where;  // a directory, or https://HOST/BUCKET/PREFIX
  S3Options s3 = {};

  StorePlace() = default;
  // A directory needs nothing more.
  template <class Text>
    requires std::convertible_to<Text, std::string>
  StorePlace(Text&& text) : where(std::forward<Text>(text)) {}
  StorePlace(std::string text, S3Options options)
      : where(std::move(text)), s3(std::move(options)) {}

  bool in_s3() const { return where.contains("://"); }
};

// The parts of https://HOST[:PORT]/BUCKET[/PREFIX…], or of http:// to this machine itself.
struct S3Address {
  std::string endpoint;  // scheme, host and port
  std::string bucket;
  std::string prefix;  // ends in '/', or is empty
  std::string url;     // of the whole, without a slash at its end
};

// Errors: kInvalidArgument "destination_malformed".
Result<S3Address> ParseS3Address(const std::string& url);
// The same of what is said beside it.
Status CheckS3Options(const S3Options& options);

}  // namespace coffer::vault
