// One HTTPS connection. The HTTP library stays behind this header; commands and their tests know a
// Sender only.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/cli/client/target.h"
#include "api/cli/text/failure.h"
#include "crypto/secret_bytes.h"

namespace coffer::cli {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method = "GET";
  std::string target;  // encoded; begins with '/'
  Headers headers = {};
  std::string body = {};
  std::string content_type = {};  // empty: no body
  // For connecting, sending and the answer to begin, and for each pause within it. An answer that
  // comes more slowly than ExchangeWatch says is not waited for.
  std::chrono::seconds patience{60};
  bool secret_body = false;  // wiped once it was sent
  std::size_t largest_reply = std::size_t{256} << 20;
  std::chrono::seconds deadline{0};  // for the whole answer; 0: none
};

struct HttpReply {
  int status = 0;
  Headers headers;  // names in lower case
  std::string body;

  std::string_view Header(std::string_view lower_case_name) const;  // empty when absent
};

// Sends one request and waits for its answer, whatever its status. Not for use by two threads at
// once. Failures are those of the connection: Exit::kUnreachable.
using Sender = std::function<Outcome<HttpReply>(const HttpRequest&)>;

struct HttpsOptions {
  ServerAddress server;
  std::string ca_file;                         // empty: the system's certificate authorities
  std::string client_certificate, client_key;  // PEM files, both or none
  // Sent as bearer token and kept in locked memory between requests; null or empty: none is sent.
  std::shared_ptr<const crypto::SecretBytes> token;
};

// A sender over one kept-alive connection, opened with the first request. The server's certificate
// is always verified; redirects are not followed; answers larger than the request allows are not
// taken.
Outcome<Sender> MakeHttpsSender(const HttpsOptions& options);

}  // namespace coffer::cli
