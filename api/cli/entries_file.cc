#include "api/cli/entries_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "api/cli/stdio_file.h"
#include "audit/entry.h"

namespace coffer::cli {
namespace {

// One byte more than an entry may have: enough to see that it is too long.
constexpr std::size_t kMaxEntryLine = audit::kMaxEntryBytes + 1;

}  // namespace

struct EntriesFile::State {
  std::string path;
  StdioFile file;
  std::array<char, 64 * 1024> buffer{};
  std::string_view unread;
  std::string line;  // the one read last
};

EntriesFile::EntriesFile(std::unique_ptr<State> state, EntryProgress progress)
    : state_(std::move(state)), progress_(std::move(progress)) {}
EntriesFile::~EntriesFile() = default;

Outcome<std::unique_ptr<EntriesFile>> EntriesFile::Open(const std::string& path,
                                                        EntryProgress progress) {
  std::FILE* file = std::fopen(path.c_str(), "rbe");
  if (file == nullptr) {
    return Failed(Exit::kUsage, "cannot open " + path + ": " + std::strerror(errno));
  }
  auto state = std::make_unique<State>();
  state->path = path;
  state->file.reset(file);
  return std::unique_ptr<EntriesFile>(new EntriesFile(std::move(state), std::move(progress)));
}

Status EntriesFile::Rewind() {
  if (std::fseek(state_->file.get(), 0, SEEK_SET) != 0) {
    return Fail(Code::kUnavailable, "file_not_read", state_->path + " is no ordinary file");
  }
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
      const std::size_t size =
          std::fread(state.buffer.data(), 1, state.buffer.size(), state.file.get());
      if (size == 0 && std::ferror(state.file.get()) != 0) {
        return Fail(Code::kUnavailable, "file_not_read", state.path + ": " + std::strerror(errno));
      }
      if (size == 0) return any;
      state.unread = {state.buffer.data(), size};
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
