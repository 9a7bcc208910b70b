// A log as its tiles and entry bundles: the source of a verification that needs nothing of the
// vault but these files.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "api/cli/verify/log_files.h"
#include "api/cli/verify/remote_log.h"
#include "audit/entries/log_reader.h"
#include "audit/tlog/tile.h"

namespace coffer::cli {

// The first `size` entries. Holds one bundle or one tile at a time.
class TilesLog : public audit::LogSource {
 public:
  TilesLog(FetchFile fetch, std::uint64_t size, EntryProgress progress)
      : fetch_(std::move(fetch)), size_(size), progress_(std::move(progress)) {}

  Result<std::uint64_t> Size() override { return size_; }
  // kNotFound "bundle_missing"; kCorrupted "bundle_malformed".
  Status ReadEntries(std::uint64_t from, std::uint64_t to,
                     const std::function<Status(std::uint64_t, std::string_view)>& each) override;
  Result<crypto::Bytes> ReadTile(unsigned level, std::uint64_t n) override;

  // The hashes of an unfinished tile, also from the full one where a log that grew has only that.
  // kNotFound.
  Result<crypto::Bytes> ReadUnfinishedTile(const audit::TilePath& path);

  // Why the last call failed, where it was the server or the file system.
  const std::optional<Failure>& failure() const { return failure_; }

 private:
  struct Fetched {
    std::string bytes;
    unsigned width = 0;  // of the file that was there
  };
  Result<Fetched> Fetch(audit::TilePath path);

  FetchFile fetch_;
  std::uint64_t size_;
  EntryProgress progress_;
  std::optional<Failure> failure_;
};

}  // namespace coffer::cli
