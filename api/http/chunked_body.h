// A body in the chunked coding (RFC 9112 section 7.1), decoded piece by piece and strictly: sizes
// are hexadecimal digits, lines end with CRLF. Extensions and trailers are read over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace coffer::api {

class ChunkedBody {
 public:
  // Takes bytes from the front of `bytes`: `taken` of them, of which the last `content` are the
  // body's. False when they are no chunked body.
  bool Take(std::string_view bytes, std::size_t& taken, std::size_t& content);
  bool complete() const { return place_ == Place::kEnd; }

 private:
  enum class Place { kSize, kContent, kAfterContent, kTrailer, kEnd };
  bool TakeLine();

  Place place_ = Place::kSize;
  std::string line_;
  std::uint64_t left_ = 0;  // of the chunk
  std::size_t trailers_ = 0;
};

}  // namespace coffer::api
