// What Prometheus scrapes. Labels are operation ids, statuses and ids of services only: no id of
// any client.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "api/http/connections.h"
#include "api/http/route.h"
#include "vault/vault.h"

namespace coffer::api {

class Metrics {
 public:
  Metrics();
  ~Metrics();
  // `route` null: the request matched none.
  void CountRequest(const Route* route, int status, std::int64_t microseconds);
  // `certificate_expires`: of the server's certificate, Unix time in seconds.
  std::string Render(const vault::VaultStatistics& engine, const Connections::Counters& connections,
                     std::int64_t certificate_expires);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace coffer::api
