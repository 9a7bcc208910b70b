#include "api/cli/files/s3_options.h"

#include <CLI/CLI.hpp>

namespace coffer::cli {

vault::StorePlace S3CommandOptions::PlaceOf(const std::string& where) const {
  vault::StorePlace place(where);
  place.s3.region = region;
  place.s3.credentials_file = credentials_file;
  place.s3.ca_file = ca_file;
  return place;
}

void AddS3Options(CLI::App& command, const std::string& which, S3CommandOptions& options) {
  command
      .add_option(which + "-credentials-file", options.credentials_file,
                  "Of a repository in an S3-compatible store: a file whose line has the access "
                  "key's id, the secret key and, where there is one, a session token")
      ->type_name("FILE");
  command.add_option(which + "-region", options.region, "Its region")
      ->type_name("NAME")
      ->capture_default_str();
  command
      .add_option(which + "-ca-file", options.ca_file,
                  "Whose certificates count there; else those of the system")
      ->type_name("FILE");
}

}  // namespace coffer::cli
