// Sources of entries for a verification that trusts nobody: the API, and a file of exported
// entries. Both hold one page or one buffer at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "api/cli/client/api_client.h"
#include "api/cli/client/log_query.h"
#include "audit/entries/log_reader.h"

namespace coffer::cli {

using EntryProgress = std::function<void(std::uint64_t done, std::uint64_t size)>;

// The log of a server, as it was when Size() was first asked. Reading it makes it grow, so that a
// later end would never be reached.
class RemoteLog : public audit::LogSource {
 public:
  RemoteLog(ApiClient& client, EntryProgress progress)
      : client_(client), progress_(std::move(progress)) {}

  Result<std::uint64_t> Size() override;
  Status ReadEntries(std::uint64_t from, std::uint64_t to,
                     const std::function<Status(std::uint64_t, std::string_view)>& each) override;
  Result<crypto::Bytes> ReadTile(unsigned level, std::uint64_t n) override;  // kNotFound

  // Why the last call failed, where it was the connection or the server.
  const std::optional<Failure>& failure() const { return failure_; }

 private:
  Result<EntriesPage> ReadPage(std::uint64_t start, std::uint64_t limit);

  ApiClient& client_;
  EntryProgress progress_;
  std::optional<std::uint64_t> size_;
  std::optional<Failure> failure_;
};

}  // namespace coffer::cli
