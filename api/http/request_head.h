// The head of an HTTP/1.1 request (RFC 9112), read from its bytes as they came. What two readers
// could understand differently is refused: a proxy before this server must not see other requests
// in a connection than the server does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/result.h"

namespace coffer::api {

// Of ASCII letters, whatever the locale: names of headers, schemes.
bool EqualIgnoringCase(std::string_view a, std::string_view b);

inline constexpr std::size_t kHeadLineLimit = 8192;  // of the request line and of each header
inline constexpr std::size_t kHeadLimit = 64 * 1024;
inline constexpr std::size_t kHeaderCountLimit = 100;

enum class Framing { kNone, kLength, kChunked };  // how the body arrives

struct RequestHead {
  std::string method;  // any token
  std::string target;  // "/path?query" or "*"; what an absolute form says of the host is left out
  std::vector<std::pair<std::string, std::string>> headers;  // as they came, trimmed
  Framing framing = Framing::kNone;
  std::uint64_t length = 0;  // of a body of kLength
  bool last = false;         // the peer wants no other request on this connection
};

struct HeadRefusal {
  int status = 400;
  Error error;
};

// Takes lines as they arrive, so that what is wrong is known before the peer has sent the rest.
class HeadReader {
 public:
  enum class State { kMore, kDone, kRefused };
  // Takes bytes from the front of `bytes` up to the end of the head, or all of them. To be called
  // until it says other than kMore, with what follows what was `taken`.
  State Take(std::string_view bytes, std::size_t& taken);
  // What came so far is all that comes.
  void End();

  bool begun() const { return has_request_line_ || !line_.empty(); }  // more than an empty line
  const RequestHead& head() const { return head_; }
  const HeadRefusal& refusal() const { return refusal_; }

 private:
  State TakeLine();
  State TakeRequestLine();
  bool TakeTarget(std::string_view target);
  State TakeHeader();
  State Finish();
  State Refuse(int status, Code code, std::string_view reason, std::vector<Issue> issues = {});

  std::string line_;
  std::size_t size_ = 0;
  bool has_request_line_ = false, old_ = false;  // HTTP/1.0
  RequestHead head_;
  HeadRefusal refusal_;
};

// `%` and two hexadecimal digits are the byte that they encode; other percent signs stand for
// themselves.
std::string PercentDecoded(std::string_view text);

}  // namespace coffer::api
