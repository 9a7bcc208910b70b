#include "api/internal/request_stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>

namespace coffer::api {
namespace {

constexpr std::size_t kReadSize = 16384;  // a TLS record
constexpr std::string_view kStandIn = "GET / HTTP/1.1\r\n\r\n";

bool Poll(int socket, short events, std::chrono::milliseconds within) {
  pollfd wait{socket, events, 0};
  int ready = 0;
  do {
    ready = poll(&wait, 1, static_cast<int>(within.count()));
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

}  // namespace

bool RequestStream::WaitForRequest(std::chrono::milliseconds wait) const {
  return at_ < buffer_.size() || SSL_has_pending(ssl_) == 1 || Poll(socket_, POLLIN, wait);
}

// Whether to try again after OpenSSL could not go on.
bool RequestStream::Await(int ssl_result, std::chrono::milliseconds within) const {
  switch (SSL_get_error(ssl_, ssl_result)) {
    case SSL_ERROR_WANT_READ:
      return Poll(socket_, POLLIN, within);
    case SSL_ERROR_WANT_WRITE:
      return Poll(socket_, POLLOUT, within);
    default:
      return false;
  }
}

bool RequestStream::Fill() {
  buffer_.clear();
  at_ = 0;
  buffer_.resize(kReadSize);
  int got = 0;
  do {
    ERR_clear_error();
    got = SSL_read(ssl_, buffer_.data(), static_cast<int>(buffer_.size()));
  } while (got <= 0 && Await(got, timeouts_.read));
  buffer_.resize(static_cast<std::size_t>(std::max(got, 0)));
  return got > 0;
}

bool RequestStream::ReadHead() {
  request_ = {};
  stand_in_ = kStandIn;
  HeadReader reader;
  auto state = HeadReader::State::kMore;
  while (state == HeadReader::State::kMore) {
    if (at_ == buffer_.size() && !Fill()) {
      if (!reader.begun()) return false;
      reader.End();
      state = HeadReader::State::kRefused;
      break;
    }
    std::size_t taken = 0;
    state = reader.Take(Buffered(), taken);
    at_ += taken;
  }
  request_.head = reader.head();
  left_ = request_.head.length;
  chunked_ = ChunkedBody();
  if (state == HeadReader::State::kRefused) {
    request_.refusal = reader.refusal();
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
  if (at_ == buffer_.size() && !Fill()) return -1;
  const auto count = static_cast<std::size_t>(
      std::min<std::uint64_t>(left_, std::min(size, buffer_.size() - at_)));
  std::ranges::copy(Buffered().substr(0, count), data);
  at_ += count;
  left_ -= count;
  return static_cast<ssize_t>(count);
}

ssize_t RequestStream::ReadChunked(char* data, size_t size) {
  while (!chunked_.complete()) {
    if (at_ == buffer_.size() && !Fill()) return -1;
    std::size_t taken = 0, content = 0;
    // No more than fits: what is taken is handed over whole.
    const std::string_view bytes = Buffered().substr(0, size);
    if (!chunked_.Take(bytes, taken, content)) return -1;
    at_ += taken;
    if (content == 0) continue;
    std::ranges::copy(bytes.substr(taken - content, content), data);
    return static_cast<ssize_t>(content);
  }
  return 0;
}

ssize_t RequestStream::write(const char* data, size_t size) {
  std::size_t sent = 0;
  while (sent < size) {
    const std::size_t piece = std::min(size - sent, kReadSize);
    ERR_clear_error();
    const int wrote = SSL_write(ssl_, data + sent, static_cast<int>(piece));
    if (wrote > 0) {
      sent += static_cast<std::size_t>(wrote);
    } else if (!Await(wrote, timeouts_.write)) {
      return -1;
    }
  }
  return static_cast<ssize_t>(size);
}

// The server asks for addresses itself, and httplib's limit of a descriptor's number is that of
// select(), which is not called here.
void RequestStream::get_remote_ip_and_port(std::string&, int&) const {}
void RequestStream::get_local_ip_and_port(std::string&, int&) const {}
socket_t RequestStream::socket() const { return 0; }

}  // namespace coffer::api
