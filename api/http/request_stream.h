// One TLS connection as cpp-httplib reads requests from it. httplib decodes percent signs in
// headers before anybody can judge them, skips lines that it does not understand, and forgets what
// OpenSSL has read already when it waits for the next request. So it gets to see none of that: here
// every head is read and judged as its bytes came, httplib reads one that says nothing in its
// place, and no body: that is read here, and ends where its framing says.
#pragma once

#include <httplib.h>

#include <optional>
#include <string>

#include "api/http/chunked_body.h"
#include "api/http/request_head.h"
#include "api/http/tls_stream.h"

namespace coffer::api {

// A request as it came: its head, or why that was refused.
struct ServedRequest {
  RequestHead head;
  std::optional<HeadRefusal> refusal;
};

class RequestStream : public httplib::Stream {
 public:
  // `bytes` must outlive this.
  explicit RequestStream(TlsStream& bytes) : bytes_(bytes) {}

  // False when the peer ends the connection, or is silent, instead of sending another request.
  bool AwaitRequest() { return !bytes_.Received().empty() || bytes_.Fill(); }
  // Reads the next head. False when the peer ended the connection, or was silent, instead.
  bool ReadHead();
  const ServedRequest& request() const { return request_; }
  enum class Body : std::uint8_t { kWhole, kTooLarge, kBroken };
  // Reads the body to its end, behind what `body` has. It is broken when the peer ended the
  // connection, was silent or did not frame it as it said.
  Body ReadBody(std::size_t limit, std::string& body);
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
  // Takes bytes that are here: the content that comes first in them, nothing when they are wrong.
  std::optional<std::string_view> TakeContent();

  TlsStream& bytes_;
  ServedRequest request_;
  std::string_view stand_in_;  // of the head, what httplib has not read yet
  std::uint64_t left_ = 0;     // of a body of known length
  ChunkedBody chunked_;
};

}  // namespace coffer::api
