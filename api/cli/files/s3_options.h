// How a command says what a repository in an S3-compatible store needs.
#pragma once

#include <string>

#include "vault/backup/store_place.h"

namespace CLI {
class App;
}  // namespace CLI

namespace coffer::cli {

struct S3CommandOptions {
  std::string region = vault::S3Options().region;
  std::string credentials_file, ca_file;

  // A directory, or the address of bucket and prefix.
  vault::StorePlace PlaceOf(const std::string& where) const;
};

// `which`: "--s3" or "--keys-s3".
void AddS3Options(CLI::App& command, const std::string& which, S3CommandOptions& options);

}  // namespace coffer::cli
