#include "api/cli/verify/entries_file.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "audit/entries/entry.h"

namespace coffer::cli {
namespace {

// One byte more than an entry may have: enough to see that it is too long.
constexpr std::size_t kMaxEntryLine = audit::kMaxEntryBytes + 1;

std::unexpected<Error> NotRead(const Failure& failure) {
  return Fail(Code::kUnavailable, "file_not_read", failure.message);
}

}  // namespace

struct EntriesFile::State {
  std::unique_ptr<InputFile> file;
  std::array<char, 64 * 1024> buffer{};
  std::string_view unread;
  std::string line;  // the one read last
};

EntriesFile::EntriesFile(std::unique_ptr<InputFile> file, EntryProgress progress)
    : state_(std::make_unique<State>()), progress_(std::move(progress)) {
  state_->file = std::move(file);
}
EntriesFile::~EntriesFile() = default;

Status EntriesFile::Rewind() {
  if (const auto rewound = state_->file->Rewind(); !rewound) return NotRead(rewound.error());
  state_->unread = {};
  at_ = 0;
  return {};
}

// Into state_->line, without its line feed. False at the end of the file.
Result<bool> EntriesFile::NextLine() {
  State& state = *state_;
  state.line.clear();
  bool any = false;
  for (;;) {
    if (state.unread.empty()) {
      const auto size = state.file->Read(state.buffer);
      if (!size) return NotRead(size.error());
      if (*size == 0) return any;
      state.unread = {state.buffer.data(), *size};
    }
    any = true;
    const auto end = std::min(state.unread.find('\n'), state.unread.size());
    state.line.append(state.unread.substr(0, std::min(end, kMaxEntryLine - state.line.size())));
    const bool complete = end < state.unread.size();
    state.unread.remove_prefix(complete ? end + 1 : end);
    if (complete) return true;
  }
}

Result<std::uint64_t> EntriesFile::Size() {
  if (size_) return *size_;
  COFFER_TRY(Rewind());
  std::uint64_t lines = 0;
  for (;;) {
    COFFER_ASSIGN(const bool more, NextLine());
    if (!more) break;
    ++lines;
  }
  COFFER_TRY(Rewind());
  size_ = lines;
  return lines;
}

Status EntriesFile::ReadEntries(
    std::uint64_t from, std::uint64_t to,
    const std::function<Status(std::uint64_t, std::string_view)>& each) {
  if (from < at_) COFFER_TRY(Rewind());
  while (at_ < to) {
    COFFER_ASSIGN(const bool more, NextLine());
    if (!more) return {};
    const std::uint64_t seq = at_++;
    if (seq >= from) COFFER_TRY(each(seq, state_->line));
  }
  progress_(to, size_.value_or(to));
  return {};
}

Result<crypto::Bytes> EntriesFile::ReadTile(unsigned, std::uint64_t) {
  return Fail(Code::kNotFound, "tile_not_exported");
}

}  // namespace coffer::cli
