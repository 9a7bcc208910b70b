#include "api/http/request_stream.h"

#include <algorithm>

namespace coffer::api {
namespace {

constexpr std::string_view kStandIn = "GET / HTTP/1.1\r\n\r\n";

}  // namespace

bool RequestStream::ReadHead() {
  request_ = {};
  stand_in_ = kStandIn;
  HeadReader reader;
  auto state = HeadReader::State::kMore;
  while (state == HeadReader::State::kMore) {
    if (bytes_.Received().empty() && !bytes_.Fill()) {
      if (!reader.begun()) return false;
      reader.End();
      state = HeadReader::State::kRefused;
      break;
    }
    std::size_t taken = 0;
    state = reader.Take(bytes_.Received(), taken);
    bytes_.Take(taken);
  }
  request_.head = reader.head();
  left_ = request_.head.length;
  chunked_ = ChunkedBody();
  if (state == HeadReader::State::kRefused) {
    request_.refusal = reader.refusal();
    if (bytes_.late())
      request_.refusal = HeadRefusal{408, {Code::kInvalidArgument, "request_too_slow", {}, {}}};
    request_.head.framing = Framing::kNone;
  }
  return true;
}

bool RequestStream::AtEnd() const {
  if (request_.refusal) return false;
  switch (request_.head.framing) {
    case Framing::kNone:
      return true;
    case Framing::kLength:
      return left_ == 0;
    case Framing::kChunked:
      return chunked_.complete();
  }
  return false;
}

ssize_t RequestStream::read(char* data, size_t size) {
  if (!stand_in_.empty()) {
    const std::size_t count = std::min(size, stand_in_.size());
    std::ranges::copy(stand_in_.substr(0, count), data);
    stand_in_.remove_prefix(count);
    return static_cast<ssize_t>(count);
  }
  if (request_.head.framing == Framing::kChunked) return ReadChunked(data, size);
  if (request_.head.framing == Framing::kNone || left_ == 0) return 0;
  if (bytes_.Received().empty() && !bytes_.Fill()) return -1;
  const auto count = static_cast<std::size_t>(
      std::min<std::uint64_t>(left_, std::min(size, bytes_.Received().size())));
  std::ranges::copy(bytes_.Received().substr(0, count), data);
  bytes_.Take(count);
  left_ -= count;
  return static_cast<ssize_t>(count);
}

ssize_t RequestStream::ReadChunked(char* data, size_t size) {
  while (!chunked_.complete()) {
    if (bytes_.Received().empty() && !bytes_.Fill()) return -1;
    std::size_t taken = 0, content = 0;
    // No more than fits: what is taken is handed over whole.
    const std::string_view bytes = bytes_.Received().substr(0, size);
    if (!chunked_.Take(bytes, taken, content)) return -1;
    bytes_.Take(taken);
    if (content == 0) continue;
    std::ranges::copy(bytes.substr(taken - content, content), data);
    return static_cast<ssize_t>(content);
  }
  return 0;
}

ssize_t RequestStream::write(const char* data, size_t size) {
  return bytes_.Write(data, size) ? static_cast<ssize_t>(size) : -1;
}

// The server asks for addresses itself, and httplib's limit of a descriptor's number is that of
// select(), which is not called here.
void RequestStream::get_remote_ip_and_port(std::string&, int&) const {}
void RequestStream::get_local_ip_and_port(std::string&, int&) const {}
socket_t RequestStream::socket() const { return 0; }

}  // namespace coffer::api
