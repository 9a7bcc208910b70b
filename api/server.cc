#include "api/server.h"

#include <httplib.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>
#include <chrono>

#include "api/problem.h"
#include "api/query.h"
#include "api/route.h"
#include "audit/clock.h"
#include "vault/names.h"
#include "vault/strict_json.h"

namespace coffer::api {
namespace {

constexpr int kAcceptBacklog = 1024;
constexpr std::size_t kWaitingConnections = 128;
constexpr std::size_t kMaxReason = 1000;
constexpr std::size_t kMaxHeaderValue = 2000;
constexpr std::string_view kNoToken = "none";  // a credential that nobody has
// Imports hold up to 8 MiB each: a few at a time, so that memory stays bounded.
constexpr int kMaxLargeBodies = 4;

// httplib listens with a backlog of 5, which a burst of honest connections overflows.
class TlsServer : public httplib::SSLServer {
 public:
  using SSLServer::SSLServer;
  void WidenBacklog() { ::listen(svr_sock_, kAcceptBacklog); }
};

bool HasControl(std::string_view text) {
  return std::ranges::any_of(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::string_view PathOf(std::string_view target) { return target.substr(0, target.find('?')); }

bool IsPlainPath(std::string_view target) {
  const auto path = PathOf(target);
  return path.size() <= kPathLimit && path.find('%') == path.npos;
}

// The value of a header that may appear once.
struct Headers {
  const httplib::Request& request;
  bool repeated = false;
  const char* blank = nullptr;  // one that was given without a value

  std::string One(const char* name) {
    const auto [first, last] = request.headers.equal_range(name);
    if (first == last) return {};
    if (std::next(first) != last) repeated = true;
    return first->second;
  }
  // What is not empty afterwards was given, and what is was not.
  std::string OneWithValue(const char* name) {
    std::string value = One(name);
    if (request.has_header(name) && IsBlank(value)) blank = name;
    return value;
  }
};

// How the body arrives. Anything that two readers could understand differently is refused.
enum class Framing { kNone, kLength, kChunked, kAmbiguous };

Framing FramingOf(const httplib::Request& request, std::size_t& length) {
  const auto lengths = request.headers.count("Content-Length");
  const auto encodings = request.headers.count("Transfer-Encoding");
  length = 0;
  if (encodings == 0 && lengths == 0) return Framing::kNone;
  if (encodings + lengths > 1) return Framing::kAmbiguous;
  if (encodings == 1) {
    return request.headers.find("Transfer-Encoding")->second == "chunked" ? Framing::kChunked
                                                                          : Framing::kAmbiguous;
  }
  const std::string& text = request.headers.find("Content-Length")->second;
  if (text.empty() || text.size() > 15) return Framing::kAmbiguous;
  for (const char c : text) {
    if (c < '0' || c > '9') return Framing::kAmbiguous;
    length = length * 10 + static_cast<std::size_t>(c - '0');
  }
  return Framing::kLength;
}

std::string MediaType(std::string value) {
  value.erase(std::min(value.find(';'), value.size()));
  while (!value.empty() && value.back() == ' ') value.pop_back();
  std::ranges::transform(value, value.begin(), [](unsigned char c) { return std::tolower(c); });
  return value;
}

// Client certificates are asked for, and none is needed: what a caller may do without one is the
// vault's decision. One that no authority of ours signed ends the handshake.
bool TrustClients(SSL_CTX& context, const ServerOptions& options, const std::string& authority) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> pem(
      BIO_new_mem_buf(authority.data(), static_cast<int>(authority.size())), BIO_free);
  const std::unique_ptr<X509, decltype(&X509_free)> own(
      PEM_read_bio_X509(pem.get(), nullptr, nullptr, nullptr), X509_free);
  X509_STORE* const store = SSL_CTX_get_cert_store(&context);
  if (own == nullptr || X509_STORE_add_cert(store, own.get()) != 1 ||
      SSL_CTX_add_client_CA(&context, own.get()) != 1) {
    return false;
  }
  if (!options.client_authorities.empty()) {
    if (SSL_CTX_load_verify_file(&context, options.client_authorities.c_str()) != 1) return false;
    // The list takes its certificates over.
    STACK_OF(X509_NAME)* names = SSL_CTX_get_client_CA_list(&context);
    if (SSL_add_file_cert_subjects_to_stack(names, options.client_authorities.c_str()) != 1) {
      return false;
    }
  }
  // A resumed session would bring a certificate back that has expired since.
  SSL_CTX_set_session_cache_mode(&context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(&context, 0);
  SSL_CTX_set_verify(&context, SSL_VERIFY_PEER, nullptr);
  return true;
}

bool SetUpTls(SSL_CTX& context, const ServerOptions& options, Connections& connections,
              const std::string& client_authority) {
  SSL_CTX_set_min_proto_version(&context, TLS1_2_VERSION);
  SSL_CTX_set_options(&context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                    SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_TICKET);
  connections.Attach(&context);
  return TrustClients(context, options, client_authority) &&
         SSL_CTX_set_cipher_list(&context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
         SSL_CTX_use_certificate_chain_file(&context, options.certificate.c_str()) == 1 &&
         SSL_CTX_use_PrivateKey_file(&context, options.private_key.c_str(), SSL_FILETYPE_PEM) ==
             1 &&
         SSL_CTX_check_private_key(&context) == 1;
}

}  // namespace

struct Server::Impl {
  Impl(vault::Vault& the_vault, const ServerOptions& given)
      : vault(the_vault),
        options(given),
        connections({.workers = given.workers,
                     .per_address = given.connections_per_address,
                     .idle = std::chrono::seconds(given.idle_timeout_s)}) {}

  // What is kept of a request between its headers and its end.
  struct Pending {
    Call call;
    Match match;
    std::chrono::steady_clock::time_point started;
  };

  vault::Vault& vault;
  const ServerOptions options;
  Connections connections;
  Metrics metrics;
  std::atomic<int> large_bodies{0};
  std::unique_ptr<TlsServer> http;  // its context refers to `connections`
  int port = 0;

  void Configure();
  bool CheckHeaders(const httplib::Request& request, httplib::Response& response, Pending& pending);
  void ServeWithoutBody(const httplib::Request& request, httplib::Response& response);
  void ServeWithBody(const httplib::Request& request, httplib::Response& response,
                     const httplib::ContentReader& read);
  void Dispatch(const httplib::Request& request, httplib::Response& response, Pending& pending);
  void Answer(httplib::Response& response, const Pending& pending, Reply reply);
  void RefuseAndClose(const httplib::Request& request, httplib::Response& response,
                      const Pending& pending, int status, std::string_view reason);
  Error RefuseInput(const Pending& pending, Error error);
};

// The pipeline, in order, and why each step stands where it does:
//   1. watchdog          from the handshake on: nothing unauthenticated may hold a worker for long
//   2. doomed?           what follows a refused body may not be taken for a request
//   3. framing           before any byte of a body is read: no smuggling, no unbounded read
//   4. path and method   cheap, says 404/405/414 without touching the vault
//   5. headers           single, clean, bounded; query parameters known
//   6. body              bounded by the route, within a deadline
//   7. handler           one vault call; the vault authenticates, decides, logs, commits
//   8. answer            only after that commit
void Server::Impl::Configure() {
  http->new_task_queue = [this]() -> httplib::TaskQueue* {
    return new httplib::ThreadPool(options.workers, kWaitingConnections);
  };
  http->set_tcp_nodelay(true);
  http->set_keep_alive_max_count(1'000'000'000);
  http->set_keep_alive_timeout(static_cast<time_t>(options.idle_timeout_s));
  http->set_read_timeout(10);
  http->set_write_timeout(10);
  http->set_payload_max_length(kNdjsonBodyLimit);
  http->set_pre_routing_handler(
      [this](const httplib::Request& request, httplib::Response& response) {
        const bool may_have_body =
            request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
        // Only plain, short paths go on to httplib's matching, which is a std::regex.
        if (may_have_body && !connections.IsDoomed(request.ssl) && IsPlainPath(request.target)) {
          return httplib::Server::HandlerResponse::Unhandled;
        }
        ServeWithoutBody(request, response);
        return httplib::Server::HandlerResponse::Handled;
      });
  const auto with_body = [this](const httplib::Request& request, httplib::Response& response,
                                const httplib::ContentReader& read) {
    ServeWithBody(request, response, read);
  };
  http->Post(".*", with_body);
  http->Put(".*", with_body);
  http->Patch(".*", with_body);
  http->set_exception_handler([this](const httplib::Request& request, httplib::Response& response,
                                     const std::exception_ptr&) {
    // Out of memory, or a defect: the text of the exception stays inside.
    connections.Doom(request.ssl);
    if (options.log) options.log(vault::Severity::kError, "an exception reached the server's edge");
    const Reply reply = RenderProblem(500, "internal_error", "");
    response.status = reply.status;
    response.set_content(reply.body, reply.content_type);
  });
  // What httplib refuses by itself has no body yet.
  http->set_error_handler([](const httplib::Request&, httplib::Response& response) {
    if (!response.body.empty()) return;
    const std::string_view reason = response.status == 413   ? "body_too_large"
                                    : response.status == 414 ? "path_too_long"
                                    : response.status == 404 ? "not_found"
                                                             : "header_invalid";
    response.set_content(RenderProblem(response.status, reason, "").body,
                         "application/problem+json");
  });
  http->set_post_routing_handler(
      [this](const httplib::Request& request, httplib::Response& response) {
        if (!response.has_header("Cache-Control")) response.set_header("Cache-Control", "no-store");
        response.set_header("Strict-Transport-Security", "max-age=31536000");
        response.set_header("X-Content-Type-Options", "nosniff");
        SSL* ssl = Connections::OfThisThread();
        connections.StartReply(ssl);
        // Without `ssl`, httplib itself refused what it could not read as a request, and would look
        // for the next one in the middle of this one.
        if (request.ssl == nullptr) connections.Doom(ssl);
        if (connections.IsDoomed(ssl)) response.set_header("Connection", "close");
      });
  http->set_logger([this](const httplib::Request&, const httplib::Response&) {
    SSL* ssl = Connections::OfThisThread();
    if (ssl == nullptr) return;
    if (connections.IsDoomed(ssl)) {
      connections.Linger(ssl);
    } else {
      connections.StartIdle(ssl);
    }
  });
}

void Server::Impl::Answer(httplib::Response& response, const Pending& pending, Reply reply) {
  const auto elapsed = std::chrono::duration_cast<std::chrono::microseconds>(
                           std::chrono::steady_clock::now() - pending.started)
                           .count();
  metrics.CountRequest(pending.match.route, reply.status, elapsed);
  const std::string request_id = pending.call.caller.call.Text();
  if (options.on_request) {
    options.on_request(request_id, pending.match.route ? pending.match.route->operation_id : "none",
                       reply.status, elapsed);
  }
  response.status = reply.status;
  for (auto& [name, value] : reply.headers) response.set_header(name, value);
  response.set_header("Coffer-Request-Id", request_id);
  if (!reply.body.empty()) response.set_content(std::move(reply.body), reply.content_type);
  ERR_clear_error();  // or httplib takes what is left for the connection's
}

void Server::Impl::RefuseAndClose(const httplib::Request& request, httplib::Response& response,
                                  const Pending& pending, int status, std::string_view reason) {
  connections.Doom(request.ssl);
  Answer(response, pending, RenderProblem(status, reason, pending.call.caller.call.Text()));
}

// A refusal of a known route is an entry of the log, like every other.
Error Server::Impl::RefuseInput(const Pending& pending, Error error) {
  const auto action = pending.match.route->permission.action();
  if (!action) return error;
  std::optional<vault::ClientId> client;
  if (!pending.call.segments.empty()) {
    if (auto id = vault::ClientId::Parse(pending.call.segments[0])) client = *id;
  }
  return vault.Refuse(pending.call.caller, *action, client, std::nullopt, std::move(error));
}

bool Server::Impl::CheckHeaders(const httplib::Request& request, httplib::Response& response,
                                Pending& pending) {
  // Compression would let an attacker who chooses part of an answer learn the rest from its length;
  // ranges make no sense here. The object itself is not const, only httplib's view of it.
  auto& mutable_request = const_cast<httplib::Request&>(request);
  mutable_request.headers.erase("Accept-Encoding");
  mutable_request.ranges.clear();

  pending.started = std::chrono::steady_clock::now();
  pending.call.caller.call = vault::CallId::New(audit::SystemClock().Now());
  std::vector<std::string> forwarded;
  const auto [first, last] = request.headers.equal_range("X-Forwarded-For");
  for (auto header = first; header != last; ++header) forwarded.push_back(header->second);
  // Of several lines the order is the hash table's choice: nothing can be said of them.
  if (forwarded.size() > 1) forwarded = {""};
  const auto address =
      vault::ClientAddress(request.remote_addr, forwarded, options.trusted_proxies);
  pending.call.caller.address = address.value_or(request.remote_addr);
  pending.call.caller.address_known = address.has_value();
  const auto refuse = [&](int status, std::string_view reason) {
    RefuseAndClose(request, response, pending, status, reason);
    return false;
  };
  if (connections.IsDoomed(request.ssl)) return refuse(400, "header_invalid");
  std::size_t length = 0;
  const Framing framing = FramingOf(request, length);
  if (framing == Framing::kAmbiguous) return refuse(400, "header_invalid");

  const std::string_view path = PathOf(request.target);
  if (path.size() > kPathLimit) return refuse(414, "path_too_long");
  const auto method = MethodFromName(request.method);
  const bool has_body = framing == Framing::kChunked || length > 0;
  if (method) pending.match = FindRoute(*method, path);
  if (pending.match.route == nullptr) {
    const bool wrong_method = !pending.match.allow.empty() || !method;
    Reply reply =
        RenderProblem(wrong_method ? 405 : 404, wrong_method ? "method_not_allowed" : "not_found",
                      pending.call.caller.call.Text());
    if (wrong_method) {
      reply.headers.emplace_back("Allow", pending.match.allow.empty()
                                              ? "GET, POST, PUT, PATCH, DELETE"
                                              : pending.match.allow);
    }
    if (has_body || framing == Framing::kNone) connections.Doom(request.ssl);
    Answer(response, pending, std::move(reply));
    return false;
  }
  const Route& route = *pending.match.route;
  if (route.body != Body::kNone && framing == Framing::kNone) return refuse(411, "length_required");

  Headers headers{request};
  Call& call = pending.call;
  call.segments = std::move(pending.match.segments);
  const std::string authorization = headers.One("Authorization");
  call.caller.purpose = headers.OneWithValue("Coffer-Purpose");
  call.caller.reason = headers.OneWithValue("Coffer-Reason");
  call.caller.ticket = headers.OneWithValue("Coffer-Ticket");
  call.caller.approval = headers.OneWithValue("Coffer-Approval");
  call.caller.certificate = connections.ClientCertificateOf(request.ssl);
  call.if_match = headers.OneWithValue("If-Match");
  call.idempotency_key = headers.OneWithValue("Idempotency-Key");
  call.content_type = MediaType(headers.One("Content-Type"));
  call.accept = MediaType(headers.One("Accept"));
  bool clean = !headers.repeated && call.caller.reason.size() <= kMaxReason &&
               (call.caller.ticket.empty() || vault::IsTicket(call.caller.ticket)) &&
               call.idempotency_key.size() <= 200 && vault::IsCleanUtf8(call.caller.reason);
  for (const auto& [name, value] : request.headers) {
    if (HasControl(value) || value.size() > kMaxHeaderValue) clean = false;
  }
  static constexpr std::string_view kBearer = "Bearer ";
  // Of two credentials neither counts: which one is first is the hash table's choice. What is no
  // token of ours is nobody's, and not left out: a client certificate does not stand in for it.
  if (request.headers.count("Authorization") == 1) {
    if (authorization.starts_with(kBearer)) {
      call.caller.token = authorization.substr(kBearer.size());
    }
    if (call.caller.token.empty()) call.caller.token = kNoToken;
  }

  const auto refuse_input = [&](Error error) {
    if (has_body) connections.Doom(request.ssl);
    const Error told = RefuseInput(pending, std::move(error));
    Answer(response, pending, RenderProblem(told, call.caller.call.Text()));
    return false;
  };
  if (!clean || headers.blank != nullptr) {
    call.caller.reason.clear();
    return refuse_input(headers.blank != nullptr
                            ? BlankHeader(headers.blank)
                            : Error{Code::kInvalidArgument, "header_invalid", {}, {}});
  }
  if (length > BodyLimit(route.body) || (has_body && route.body == Body::kNone)) {
    return refuse_input({Code::kTooLarge, "body_too_large", {}, {}});
  }
  if (auto read = ReadQuery(route, request.target, call); !read) {
    call.query.clear();
    return refuse_input(std::move(read).error());
  }
  const std::string_view wanted =
      route.body == Body::kNdjson ? "application/x-ndjson" : "application/json";
  if (has_body && (call.content_type != wanted || request.has_header("Content-Encoding"))) {
    return refuse_input({Code::kUnsupportedMedia, "media_type_unsupported", {}, {}});
  }
  return true;
}

void Server::Impl::ServeWithoutBody(const httplib::Request& request, httplib::Response& response) {
  Pending pending;
  connections.StartWork(request.ssl);
  if (CheckHeaders(request, response, pending)) Dispatch(request, response, pending);
}

void Server::Impl::ServeWithBody(const httplib::Request& request, httplib::Response& response,
                                 const httplib::ContentReader& read) {
  Pending pending;
  connections.StartBody(request.ssl);
  if (!CheckHeaders(request, response, pending)) return;
  const std::size_t limit = BodyLimit(pending.match.route->body);
  const bool large = limit > kJsonBodyLimit;
  if (large && large_bodies.fetch_add(1) >= kMaxLargeBodies) {
    large_bodies.fetch_sub(1);
    return RefuseAndClose(request, response, pending, 503, "queue_full");
  }
  bool too_large = false;
  const bool complete = read([&](const char* data, std::size_t size) {
    too_large = pending.call.body.size() + size > limit;
    if (!too_large) pending.call.body.append(data, size);
    return !too_large;
  });
  if (too_large) {
    connections.Doom(request.ssl);
    const Error told = RefuseInput(pending, {Code::kTooLarge, "body_too_large", {}, {}});
    Answer(response, pending, RenderProblem(told, pending.call.caller.call.Text()));
  } else if (!complete) {
    RefuseAndClose(request, response, pending, 400, "header_invalid");
  } else {
    connections.StartWork(request.ssl);
    Dispatch(request, response, pending);
  }
  if (large) large_bodies.fetch_sub(1);
}

void Server::Impl::Dispatch(const httplib::Request&, httplib::Response& response,
                            Pending& pending) {
  const Service service{vault, [this](const vault::EngineStatistics& engine) {
                          return metrics.Render(engine, connections.counters());
                        }};
  auto reply = pending.match.route->handler(service, pending.call);
  if (!reply) {
    const Error& error = reply.error();
    if (options.log && (error.code == Code::kInternal || error.code == Code::kCorrupted)) {
      options.log(vault::Severity::kError, "request " + pending.call.caller.call.Text() + ": " +
                                               std::string(error.reason) + ": " + error.detail);
    }
    reply = RenderProblem(error, pending.call.caller.call.Text());
  }
  Answer(response, pending, *std::move(reply));
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::Create(vault::Vault& vault, const ServerOptions& options) {
  auto impl = std::make_unique<Impl>(vault, options);
  impl->http = std::make_unique<TlsServer>([&](SSL_CTX& context) {
    return SetUpTls(context, options, impl->connections, vault.ClientAuthority());
  });
  if (!impl->http->is_valid()) {
    return Fail(Code::kInvalidArgument, "certificate_unusable",
                "cannot use the certificate " + options.certificate + " with the key " +
                    options.private_key + ": check that both are PEM files and belong together" +
                    (options.client_authorities.empty()
                         ? ""
                         : ", and that " + options.client_authorities + " holds certificates"));
  }
  impl->Configure();
  impl->port = options.port == 0 ? impl->http->bind_to_any_port(options.address)
               : impl->http->bind_to_port(options.address, options.port) ? options.port
                                                                         : -1;
  if (impl->port < 0) {
    return Fail(Code::kConflict, "port_taken",
                "cannot listen on " + options.address + ":" + std::to_string(options.port) +
                    ": another process has the port, or the address is not this machine's");
  }
  impl->http->WidenBacklog();
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

int Server::port() const { return impl_->port; }

void Server::Run() { impl_->http->listen_after_bind(); }

void Server::Stop() { impl_->http->stop(); }

}  // namespace coffer::api
