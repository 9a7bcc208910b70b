#include "api/http/chunked_body.h"

#include <algorithm>

namespace coffer::api {
namespace {

// Of a size with its extensions, and of all trailers.
constexpr std::size_t kMaxChunkLine = 1024;
constexpr std::size_t kMaxTrailers = 8192;
constexpr std::size_t kMaxSizeDigits = 8;

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool HasNoControl(std::string_view text) {
  return std::ranges::none_of(text, [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  });
}

}  // namespace

bool ChunkedBody::Take(std::string_view bytes, std::size_t& taken, std::size_t& content) {
  taken = content = 0;
  while (taken < bytes.size() && place_ != Place::kEnd) {
    const std::string_view rest = bytes.substr(taken);
    if (place_ == Place::kContent) {
      content = static_cast<std::size_t>(std::min<std::uint64_t>(left_, rest.size()));
      taken += content;
      left_ -= content;
      if (left_ == 0) place_ = Place::kAfterContent;
      return true;
    }
    const std::size_t feed = rest.find('\n');
    const std::size_t size = feed == rest.npos ? rest.size() : feed + 1;
    taken += size;
    line_.append(rest, 0, size);
    if (line_.size() > kMaxChunkLine) return false;
    if (feed != rest.npos && !TakeLine()) return false;
  }
  return true;
}

bool ChunkedBody::TakeLine() {
  if (!line_.ends_with("\r\n")) return false;
  const std::string line = line_.substr(0, line_.size() - 2);
  line_.clear();
  if (!HasNoControl(line)) return false;
  if (place_ == Place::kAfterContent) {
    place_ = Place::kSize;
    return line.empty();
  }
  if (place_ == Place::kTrailer) {
    trailers_ += line.size();
    if (line.empty()) place_ = Place::kEnd;
    return trailers_ <= kMaxTrailers;
  }
  std::size_t digits = 0;
  left_ = 0;
  for (; digits < line.size() && HexDigit(line[digits]) >= 0; ++digits) {
    left_ = left_ * 16 + static_cast<std::uint64_t>(HexDigit(line[digits]));
    if (digits == kMaxSizeDigits) return false;
  }
  const auto extension = line.find_first_not_of(" \t", digits);
  if (digits == 0 || (digits < line.size() && (extension == line.npos || line[extension] != ';'))) {
    return false;
  }
  place_ = left_ == 0 ? Place::kTrailer : Place::kContent;
  return true;
}

}  // namespace coffer::api
