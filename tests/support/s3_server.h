// A real S3-compatible store on this machine (tests/support/s3_server.py), one a test program, and
// what is to go wrong on the way to it.
#pragma once

#include <sys/types.h>

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "tests/support/temporary_directory.h"
#include "vault/backup/store_place.h"

namespace coffer::testing {

class S3Server {
 public:
  static S3Server& Get();  // begun with the first call
  S3Server(const S3Server&) = delete;
  S3Server& operator=(const S3Server&) = delete;

  // Below a bucket ("coffer-data", "coffer-keys"), tried three times with hardly a rest.
  vault::StorePlace Place(const std::string& bucket, const std::string& prefix) const;
  // One that nobody had before.
  std::string NewPrefix() { return "p" + std::to_string(++prefixes_); }

  // As s3_server.py says of a fault. Those of before are none any more.
  void Fail(const nlohmann::json& faults);
  void FailNothing();

  std::string Received() const;                  // all that ever left for it
  std::vector<nlohmann::json> Requests() const;  // one after the other
  const std::string& secret() const { return secret_; }
  std::string credentials_file() const { return work_ / "credentials"; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  S3Server();
  ~S3Server();

  TemporaryDirectory work_;
  std::string secret_;
  pid_t process_ = -1;
  int port_ = 0;
  int prefixes_ = 0, faults_ = 0;
};

}  // namespace coffer::testing
