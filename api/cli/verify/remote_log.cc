#include "api/cli/verify/remote_log.h"

#include <algorithm>
#include <chrono>
#include <thread>

namespace coffer::cli {
namespace {

constexpr std::uint64_t kEntriesAtOnce = 1000;
constexpr int kAttempts = 6;

}  // namespace

Result<EntriesPage> RemoteLog::ReadPage(std::uint64_t start, std::uint64_t limit) {
  LogQuery query;
  query.oldest_first = true;
  query.start = start;
  query.limit = std::min(limit, kEntriesAtOnce);
  for (int attempt = 1;; ++attempt) {
    auto page = ReadEntriesPage(client_, query);
    if (page) return *std::move(page);
    failure_ = std::move(page).error();
    // A long reading is not lost to one busy moment of the server.
    if (!failure_->may_pass || attempt == kAttempts) {
      return Fail(Code::kUnavailable, "server_failed");
    }
    std::this_thread::sleep_for(std::chrono::seconds(attempt));
  }
}

Result<std::uint64_t> RemoteLog::Size() {
  if (!size_) {
    COFFER_ASSIGN(const EntriesPage page, ReadPage(0, 1));
    size_ = page.size;
  }
  return *size_;
}

// Which entry a line is follows from its place: what the server says it is may be the lie that is
// looked for. A page that ends early leaves a gap, which the verification reports.
Status RemoteLog::ReadEntries(std::uint64_t from, std::uint64_t to,
                              const std::function<Status(std::uint64_t, std::string_view)>& each) {
  std::uint64_t at = from;
  while (at < to) {
    COFFER_ASSIGN(const EntriesPage page, ReadPage(at, to - at));
    const std::uint64_t wanted = std::min<std::uint64_t>(page.entries.size(), to - at);
    for (std::uint64_t i = 0; i < wanted; ++i) {
      COFFER_TRY(each(at + i, page.entries[static_cast<std::size_t>(i)]));
    }
    const std::uint64_t after = at + wanted;
    progress_(after, size_.value_or(to));
    if (!page.next) return {};
    // A cursor that does not move on would be asked for again and again.
    if (*page.next <= at) return {};
    at = std::max(after, *page.next);
  }
  return {};
}

Result<crypto::Bytes> RemoteLog::ReadTile(unsigned, std::uint64_t) {
  return Fail(Code::kNotFound, "tile_not_served");
}

}  // namespace coffer::cli
