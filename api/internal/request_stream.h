// One TLS connection as cpp-httplib reads requests from it. httplib decodes percent signs in
// headers before anybody can judge them, skips lines that it does not understand, and forgets what
// OpenSSL has read already when it waits for the next request. So it gets to see none of that: here
// every head is read and judged as its bytes came, httplib reads one that says nothing in its
// place, and a body ends where its framing says.
#pragma once

#include <httplib.h>

#include <chrono>
#include <optional>
#include <string>

#include "api/chunked_body.h"
#include "api/request_head.h"

namespace coffer::api {

// A request as it came: its head, or why that was refused.
struct ServedRequest {
  RequestHead head;
  std::optional<HeadRefusal> refusal;
};

class RequestStream : public httplib::Stream {
 public:
  struct Timeouts {
    std::chrono::milliseconds read;   // for the next byte of what was begun
    std::chrono::milliseconds write;  // for room for the next byte
  };
  // `ssl` is over a socket that does not block; it must outlive this.
  RequestStream(SSL* ssl, int socket, const Timeouts& timeouts)
      : ssl_(ssl), socket_(socket), timeouts_(timeouts) {}

  // Within `wait` there is something to read, or the peer's end.
  bool WaitForRequest(std::chrono::milliseconds wait) const;
  // Reads the next head. False when the peer ended the connection, or was silent, instead.
  bool ReadHead();
  const ServedRequest& request() const { return request_; }
  // The request was read to its end: what follows is the next one.
  bool AtEnd() const;

  // What httplib calls.
  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }
  ssize_t read(char* data, size_t size) override;
  ssize_t write(const char* data, size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  socket_t socket() const override;

 private:
  bool Fill();
  bool Await(int ssl_result, std::chrono::milliseconds within) const;
  std::string_view Buffered() const { return std::string_view(buffer_).substr(at_); }
  ssize_t ReadChunked(char* data, size_t size);

  SSL* const ssl_;
  const int socket_;
  const Timeouts timeouts_;
  std::string buffer_;  // received and, from at_ on, not yet taken
  std::size_t at_ = 0;
  ServedRequest request_;
  std::string_view stand_in_;  // of the head, what httplib has not read yet
  std::uint64_t left_ = 0;     // of a body of known length
  ChunkedBody chunked_;
};

}  // namespace coffer::api
