#include "api/server.h"

#include <httplib.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <thread>

#include "api/internal/tls_server.h"
#include "api/problem.h"
#include "api/query.h"
#include "api/route.h"
#include "api/tls.h"
#include "audit/clock.h"
#include "vault/names.h"
#include "vault/strict_json.h"

namespace coffer::api {
namespace {

constexpr int kContinue = 100;
constexpr int kTooSlow = 408;
constexpr std::size_t kMaxReason = 1000;
constexpr std::size_t kMaxHeaderValue = 2000;
constexpr std::string_view kNoToken = "none";  // a credential that nobody has
// Imports hold up to 8 MiB each: a few at a time, so that memory stays bounded.
constexpr int kMaxLargeBodies = 4;

// So often in a row the socket may fail before the server gives up, and after so long it counts
// anew.
constexpr int kMaxListenFailures = 10;
constexpr std::chrono::minutes kListenedWell{1};
constexpr std::chrono::milliseconds kListenAgain{100};
constexpr std::chrono::milliseconds kStopAgain{5};
constexpr std::int64_t kExpiresSoonS = std::int64_t{14} * 24 * 3600;

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

std::optional<vault::ClientId> NamedClient(const Call& call) {
  if (call.segments.empty()) return std::nullopt;
  const auto id = vault::ClientId::Parse(call.segments[0]);
  return id ? std::optional(*id) : std::nullopt;
}

}  // namespace

struct Server::Impl {
  Impl(vault::Vault& the_vault, const ServerOptions& given)
      : vault(the_vault),
        options(given),
        connections({.workers = given.workers,
                     .per_address = given.connections_per_address,
                     .pace = {.patience_ms = std::int64_t{given.patience_s} * 1000,
                              .bytes_per_s = given.min_bytes_per_s},
                     .idle_ms = std::int64_t{given.idle_timeout_s} * 1000}),
        tls(the_vault.ClientAuthority()) {}

  // What is kept of a request between its headers and its end.
  struct Pending {
    Call call;
    Match match;
    std::optional<std::size_t> length;  // of its body, where that is said
    std::chrono::steady_clock::time_point started;
  };

  vault::Vault& vault;
  const ServerOptions options;
  Connections connections;
  Tls tls;
  Metrics metrics;
  std::atomic<int> large_bodies{0};
  std::unique_ptr<TlsServer> http;  // its context refers to `tls`; ends behind its connections
  int port = 0;
  std::atomic<bool> stopping{false}, ended{false};

  void Log(vault::Severity severity, const std::string& message) const {
    if (options.log) options.log(severity, message);
  }
  void WarnOfExpiry() const;
  void Configure();
  bool CheckHeaders(const httplib::Request& request, httplib::Response& response, Pending& pending);
  // Whether whoever calls may send a body. What nobody known asks for is answered over it.
  bool AdmitBody(const httplib::Request& request, httplib::Response& response, Pending& pending);
  int AnswerExpectation(const httplib::Request& request, httplib::Response& response);
  std::string LateAnswer();
  void ServeWithoutBody(const httplib::Request& request, httplib::Response& response);
  void ServeWithBody(const httplib::Request& request, httplib::Response& response,
                     const httplib::ContentReader& read);
  void Dispatch(const httplib::Request& request, httplib::Response& response, Pending& pending);
  void Answer(httplib::Response& response, const Pending& pending, Reply reply);
  void RefuseAndClose(const httplib::Request& request, httplib::Response& response,
                      const Pending& pending, int status, std::string_view reason);
  Error RefuseInput(const Pending& pending, Error error);
  void ReadAndDispatch(const httplib::Request& request, httplib::Response& response,
                       const httplib::ContentReader& read, Pending& pending);
  void Abandon(httplib::Response& response);
};

// The pipeline, in order, and why each step stands where it does:
//   1. patience          from the handshake on: nobody may hold a worker by being slow, and who is
//                        not known yet makes room for others (connections.h)
//   2. doomed?           what follows a refused body may not be taken for a request
//   3. framing           before any byte of a body is read: no smuggling, no unbounded read
//   4. path and method   cheap, says 404/405/414 without touching the vault
//   5. headers           single, clean, bounded; query parameters known
//   6. who it is         before a body that is not here yet is waited for, or asked for
//   7. body              bounded by the route, at a least speed
//   8. handler           one vault call; the vault authenticates, decides, logs, commits
//   9. answer            only after that commit
void Server::Impl::Configure() {
  http->set_keep_alive_max_count(1'000'000'000);
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
  http->set_expect_100_continue_handler(
      [this](const httplib::Request& request, httplib::Response& response) {
        return AnswerExpectation(request, response);
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
  http->set_error_handler([this](const httplib::Request&, httplib::Response& response) {
    if (!response.body.empty()) return;
    if (connections.IsLate(Connections::OfThisThread())) response.status = kTooSlow;
    const std::string_view reason = response.status == kTooSlow ? "request_too_slow"
                                    : response.status == 413    ? "body_too_large"
                                    : response.status == 414    ? "path_too_long"
                                    : response.status == 404    ? "not_found"
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
        if (connections.IsDoomed(ssl) || connections.stopping()) {
          response.set_header("Connection", "close");
        }
      });
}

void Server::Impl::Answer(httplib::Response& response, const Pending& pending, Reply reply) {
  const auto elapsed = std::chrono::duration_cast<std::chrono::microseconds>(
                           std::chrono::steady_clock::now() - pending.started)
                           .count();
  if (pending.call.caller.authenticated || reply.status == 401) {
    connections.SetKnown(Connections::OfThisThread(), pending.call.caller.authenticated);
  }
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
  return vault.Refuse(pending.call.caller, *action, NamedClient(pending.call), std::nullopt,
                      std::move(error));
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
  if (framing == Framing::kLength) pending.length = length;
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
  if (length > BodyLimit(route) || (has_body && route.body == Body::kNone)) {
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

// What is here already is not waited for, so the vault's own look at it is early enough: what it is
// asked for beside comes before bodies that somebody could send for hours.
bool Server::Impl::AdmitBody(const httplib::Request& request, httplib::Response& response,
                             Pending& pending) {
  const auto action = pending.match.route->permission.action();
  if (!action || vault::KindOf(*action) == vault::ActionKind::kOpen) return true;
  const vault::Caller& caller = pending.call.caller;
  const bool shows_something = !caller.token.empty() || caller.certificate;
  if (shows_something && pending.length && connections.Holds(request.ssl, *pending.length)) {
    return true;
  }
  const Status known = vault.Authenticate(caller, *action, NamedClient(pending.call));
  if (!known) {
    connections.Doom(request.ssl);
    Answer(response, pending, RenderProblem(known.error(), caller.call.Text()));
    return false;
  }
  connections.SetKnown(request.ssl, true);
  return true;
}

// Who is refused now has sent no body, and is not asked for it. Who is not is looked at once more
// when the body is read, as what was decided here is not kept.
int Server::Impl::AnswerExpectation(const httplib::Request& request, httplib::Response& response) {
  const auto method = MethodFromName(request.method);
  if (!method || !connections.StartWork(request.ssl)) return kContinue;
  Pending pending;
  if (!CheckHeaders(request, response, pending) || !AdmitBody(request, response, pending)) {
    connections.Doom(request.ssl);
    return response.status;
  }
  return kContinue;
}

// As httplib writes it: of a peer that was too slow for its request line.
std::string Server::Impl::LateAnswer() {
  Pending pending;
  pending.started = std::chrono::steady_clock::now();
  pending.call.caller.call = vault::CallId::New(audit::SystemClock().Now());
  httplib::Response response;
  Answer(response, pending,
         RenderProblem(kTooSlow, "request_too_slow", pending.call.caller.call.Text()));
  std::string text =
      "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nCache-Control: no-store\r\n";
  for (const auto& [name, value] : response.headers) text += name + ": " + value + "\r\n";
  return text + "Content-Length: " + std::to_string(response.body.size()) + "\r\n\r\n" +
         response.body;
}

void Server::Impl::ServeWithoutBody(const httplib::Request& request, httplib::Response& response) {
  Pending pending;
  if (!connections.StartWork(request.ssl)) return Abandon(response);
  if (CheckHeaders(request, response, pending)) Dispatch(request, response, pending);
}

void Server::Impl::ServeWithBody(const httplib::Request& request, httplib::Response& response,
                                 const httplib::ContentReader& read) {
  Pending pending;
  if (!connections.StartWork(request.ssl)) return Abandon(response);
  if (!CheckHeaders(request, response, pending) || !AdmitBody(request, response, pending)) return;
  const std::size_t limit = BodyLimit(*pending.match.route);
  const bool large = limit > kJsonBodyLimit;
  if (large && large_bodies.fetch_add(1) >= kMaxLargeBodies) {
    large_bodies.fetch_sub(1);
    return RefuseAndClose(request, response, pending, 503, "queue_full");
  }
  ReadAndDispatch(request, response, read, pending);
  if (large) large_bodies.fetch_sub(1);
}

void Server::Impl::ReadAndDispatch(const httplib::Request& request, httplib::Response& response,
                                   const httplib::ContentReader& read, Pending& pending) {
  const std::size_t limit = BodyLimit(*pending.match.route);
  const bool here = pending.length && connections.Holds(request.ssl, *pending.length);
  if (!here && !connections.StartBody(request.ssl)) return Abandon(response);
  bool too_large = false;
  const bool complete = read([&](const char* data, std::size_t size) {
    too_large = pending.call.body.size() + size > limit;
    if (!too_large) pending.call.body.append(data, size);
    return !too_large;
  });
  if (!here && !connections.StartWork(request.ssl)) return Abandon(response);
  if (too_large) {
    connections.Doom(request.ssl);
    const Error told = RefuseInput(pending, {Code::kTooLarge, "body_too_large", {}, {}});
    Answer(response, pending, RenderProblem(told, pending.call.caller.call.Text()));
  } else if (!complete && connections.IsLate(request.ssl)) {
    RefuseAndClose(request, response, pending, kTooSlow, "request_too_slow");
  } else if (!complete) {
    RefuseAndClose(request, response, pending, 400, "header_invalid");
  } else {
    Dispatch(request, response, pending);
  }
}

// The connection was cut to make room, or at a stop, before anything was done: there is nobody left
// to be told.
void Server::Impl::Abandon(httplib::Response& response) {
  connections.Doom(Connections::OfThisThread());
  response.status = 503;
}

void Server::Impl::Dispatch(const httplib::Request&, httplib::Response& response,
                            Pending& pending) {
  const Service service{vault, [this](const vault::EngineStatistics& engine) {
                          return metrics.Render(engine, connections.counters(),
                                                tls.certificate_expires());
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

void Server::Impl::WarnOfExpiry() const {
  const std::int64_t left = tls.certificate_expires() - audit::SystemClock().Now().ms / 1000;
  if (left > kExpiresSoonS) return;
  Log(vault::Severity::kWarning,
      left <= 0 ? "the server's certificate has expired: callers will refuse it"
                : "the server's certificate expires in " + std::to_string(left / (24 * 3600)) +
                      " days: renew it, then 'systemctl reload cofferd'");
}

Result<std::unique_ptr<Server>> Server::Create(vault::Vault& vault, const ServerOptions& options) {
  auto impl = std::make_unique<Impl>(vault, options);
  Status ready = Fail(Code::kInternal, "internal_error", "no TLS context can be made");
  impl->http = std::make_unique<TlsServer>(
      impl->connections,
      [&](SSL_CTX& context) {
        ready = impl->tls.Begin(context, options.tls);
        return ready.has_value();
      },
      [self = impl.get()] { return self->LateAnswer(); });
  if (!ready) return std::unexpected(ready.error());
  impl->WarnOfExpiry();
  impl->Configure();
  const auto port = impl->http->Bind(options.address, options.port);
  if (!port) {
    return Fail(Code::kConflict, "port_taken",
                "cannot listen on " + options.address + ":" + std::to_string(options.port) +
                    ": another process has the port, or the address is not this machine's");
  }
  impl->port = *port;
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

int Server::port() const { return impl_->port; }

// httplib ends its loop at any error of accept() but two, as if it had been stopped. A connection
// that its peer gave up meanwhile, or a machine short of descriptors or memory for a moment, must
// not end a vault.
Status Server::Run() {
  Impl& impl = *impl_;
  const auto listen = [&]() -> Status {
    for (int failures = 0; !impl.stopping;) {
      const auto since = std::chrono::steady_clock::now();
      impl.http->listen_after_bind();
      if (impl.stopping) break;
      if (std::chrono::steady_clock::now() - since > kListenedWell) failures = 0;
      if (++failures > kMaxListenFailures) {
        return Fail(Code::kUnavailable, "listening_failed",
                    "connections cannot be accepted any more: the listening socket failed again "
                    "and again");
      }
      impl.Log(vault::Severity::kWarning,
               "the listening socket failed: connections are accepted again in a moment");
      std::this_thread::sleep_for(kListenAgain * failures);
      impl.http->stop();  // forgets the failure
      if (!impl.http->Bind(impl.options.address, impl.port)) {
        return Fail(Code::kUnavailable, "listening_failed",
                    "cannot listen on " + impl.options.address + ":" + std::to_string(impl.port) +
                        " again after its socket failed");
      }
    }
    return {};
  };
  impl.connections.Begin([&impl](Connection& connection) { impl.http->Serve(connection); });
  const Status listened = listen();
  impl.ended = true;
  impl.connections.End();
  return listened;
}

// httplib forgets a stop that comes before it listens.
void Server::Stop() {
  impl_->stopping = true;
  impl_->connections.BeginStop();
  while (!impl_->ended && !impl_->http->is_running()) std::this_thread::sleep_for(kStopAgain);
  if (!impl_->ended) impl_->http->stop();
}

Status Server::ExchangeCertificates(const TlsFiles& files) {
  COFFER_TRY(impl_->tls.Exchange(files));
  impl_->WarnOfExpiry();
  return {};
}

}  // namespace coffer::api
