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

RequestStream::Body RequestStream::ReadBody(std::size_t limit, std::string& body) {
  while (!AtEnd()) {
    if (bytes_.Received().empty() && !bytes_.Fill()) return Body::kBroken;
    const auto content = TakeContent();
    if (!content) return Body::kBroken;
    if (body.size() + content->size() > limit) return Body::kTooLarge;
    body.append(*content);
  }
  return Body::kWhole;
}

std::optional<std::string_view> RequestStream::TakeContent() {
  const std::string_view bytes = bytes_.Received();
  std::size_t taken = 0, content = 0;
  if (request_.head.framing == Framing::kChunked) {
    if (!chunked_.Take(bytes, taken, content)) return std::nullopt;
  } else {
    taken = content = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
    left_ -= content;
  }
  bytes_.Take(taken);
  return bytes.substr(taken - content, content);
}

ssize_t RequestStream::read(char* data, size_t size) {
  const std::size_t count = std::min(size, stand_in_.size());
  std::ranges::copy(stand_in_.substr(0, count), data);
  stand_in_.remove_prefix(count);
  return static_cast<ssize_t>(count);
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
