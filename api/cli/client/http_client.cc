#include "api/cli/client/http_client.h"

#include <httplib.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <algorithm>

#include "api/cli/client/exchange_watch.h"
#include "api/cli/files/secret_text.h"
#include "crypto/bytes.h"

namespace coffer::cli {
namespace {

constexpr std::chrono::seconds kConnecting{10};

class HttpsConnection {
 public:
  explicit HttpsConnection(const HttpsOptions& options)
      : options_(options),
        client_(options.server.host, options.server.port, options.client_certificate,
                options.client_key) {}

  Status Configure();
  Outcome<HttpReply> Send(const HttpRequest& request);

 private:
  httplib::Request Translate(const HttpRequest& request) const;
  Failure Explain(httplib::Error error) const;

  HttpsOptions options_;
  ExchangeWatch watch_;
  httplib::SSLClient client_;
};

Status HttpsConnection::Configure() {
  if (client_.ssl_context() == nullptr && !options_.client_certificate.empty()) {
    return Fail(Code::kInvalidArgument, "client_certificate_unusable");
  }
  if (client_.ssl_context() == nullptr ||
      SSL_CTX_set_min_proto_version(client_.ssl_context(), TLS1_2_VERSION) != 1) {
    return Fail(Code::kInternal, "tls_not_available");
  }
  if (!options_.ca_file.empty()) client_.set_ca_cert_path(options_.ca_file);
  client_.enable_server_certificate_verification(true);
  client_.enable_server_hostname_verification(true);
  client_.set_follow_location(false);  // a token is for one server only
  client_.set_url_encode(false);       // targets come encoded
  client_.set_decompress(false);
  client_.set_keep_alive(true);
  client_.set_tcp_nodelay(true);
  client_.set_socket_options([this](int socket) { watch_.Connected(socket); });
  return {};
}

httplib::Request HttpsConnection::Translate(const HttpRequest& request) const {
  httplib::Request out;
  out.method = request.method;
  out.path = request.target;
  for (const auto& [name, value] : request.headers) out.headers.emplace(name, value);
  out.headers.emplace("Accept-Encoding", "identity");
  if (options_.token != nullptr && !options_.token->empty()) {
    std::string value = "Bearer ";
    value += crypto::AsText(options_.token->ExposeSecret());
    out.headers.emplace("Authorization", std::move(value));
  }
  if (!request.content_type.empty()) {
    out.headers.emplace("Content-Type", request.content_type);
    out.body = request.body;
  }
  return out;
}

Outcome<HttpReply> HttpsConnection::Send(const HttpRequest& request) {
  client_.set_connection_timeout(std::min<std::chrono::seconds>(kConnecting, request.patience));
  client_.set_read_timeout(request.patience);
  client_.set_write_timeout(request.patience);
  httplib::Request translated = Translate(request);
  HttpReply reply;
  bool too_large = false;
  translated.content_receiver = [&](const char* data, std::size_t size, std::uint64_t,
                                    std::uint64_t) {
    too_large = size > request.largest_reply - reply.body.size();
    if (!too_large) reply.body.append(data, size);
    watch_.Received(size);
    return !too_large;
  };
  watch_.Begin({request.patience, request.deadline, translated.body.size()},
               client_.is_socket_open() != 0 ? static_cast<int>(client_.socket()) : -1);
  const httplib::Result result = client_.send(translated);
  const ExchangeWatch::Bound bound = watch_.End();
  if (request.secret_body) Forget(translated.body);
  // What was cut off at a bound may look like an answer that ended there.
  if (too_large || bound == ExchangeWatch::Bound::kSize) {
    return Failed(Exit::kFailed, "the server's answer is too large to be taken",
                  "Check that a Coffer server listens there, and not another program.");
  }
  if (bound == ExchangeWatch::Bound::kTime) {
    return Failed(Exit::kUnreachable, "the server's answer takes too long",
                  "What was asked may have been done: look before you repeat it.");
  }
  if (!result) return std::unexpected(Explain(result.error()));
  reply.status = result->status;
  for (const auto& [name, value] : result->headers) {
    std::string lower = name;
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) {
      return static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    });
    reply.headers.emplace_back(std::move(lower), value);
  }
  return reply;
}

Failure HttpsConnection::Explain(httplib::Error error) const {
  const std::string server = options_.server.host + ":" + std::to_string(options_.server.port);
  switch (error) {
    case httplib::Error::SSLServerVerification:
      return {Exit::kUnreachable,
              "the certificate of " + server + " is not trusted: " +
                  X509_verify_cert_error_string(client_.get_openssl_verify_result()),
              "Name the certificate authority that signed it with --ca FILE (or COFFER_CA)."};
    case httplib::Error::SSLServerHostnameVerification:
      return {Exit::kUnreachable, "the certificate of " + server + " was made for another name",
              "Use a name or an address in --url that the server's certificate lists."};
    case httplib::Error::SSLLoadingCerts:
      return {Exit::kUsage, "\"" + options_.ca_file + "\" holds no certificate that can be read",
              "Give a PEM file of the certificate authority with --ca FILE."};
    case httplib::Error::SSLConnection:
    case httplib::Error::SSLPeerCouldBeClosed_:
      return {Exit::kUnreachable, "no TLS connection with " + server,
              "Check that a Coffer server listens there, and not another program."};
    case httplib::Error::Read:
    case httplib::Error::Write:
      // TLS 1.3 tells a client only after the handshake that its certificate is not taken.
      if (!options_.client_certificate.empty()) {
        return {Exit::kUnreachable, "the connection to " + server + " broke before the answer came",
                "The server may not accept the client certificate. Otherwise, what was asked may "
                "have been done: look before you repeat it."};
      }
      return {Exit::kUnreachable, "the connection to " + server + " broke before the answer came",
              "What was asked may have been done: look before you repeat it."};
    case httplib::Error::Success:
    case httplib::Error::Unknown:
    case httplib::Error::Connection:
    case httplib::Error::ConnectionTimeout:
    case httplib::Error::BindIPAddress:
    case httplib::Error::ExceedRedirectCount:
    case httplib::Error::Canceled:
    case httplib::Error::UnsupportedMultipartBoundaryChars:
    case httplib::Error::Compression:
    case httplib::Error::ProxyConnection:
      break;
  }
  return {Exit::kUnreachable, "cannot connect to " + server,
          "Check --url (or COFFER_URL), that cofferd runs there, and that no firewall is between."};
}

}  // namespace

std::string_view HttpReply::Header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_case_name) return value;
  }
  return {};
}

Outcome<Sender> MakeHttpsSender(const HttpsOptions& options) {
  // The library would report an unreadable file only with the first connection.
  if (!options.ca_file.empty() && access(options.ca_file.c_str(), R_OK) != 0) {
    return Failed(Exit::kUsage, "the file \"" + options.ca_file + "\" cannot be read",
                  "Give a PEM file of the certificate authority with --ca FILE.");
  }
  auto connection = std::make_shared<HttpsConnection>(options);
  if (const Status configured = connection->Configure(); !configured) {
    if (configured.error().code == Code::kInvalidArgument) {
      return Failed(Exit::kUsage,
                    "\"" + options.client_certificate + "\" and \"" + options.client_key +
                        "\" are no certificate and its key",
                    "Give PEM files that belong together with --client-cert and --client-key.");
    }
    return std::unexpected(FailureOf(configured.error(), "cannot prepare TLS"));
  }
  return Sender([connection](const HttpRequest& request) { return connection->Send(request); });
}

}  // namespace coffer::cli
