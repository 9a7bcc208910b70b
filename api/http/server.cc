#include "api/http/server.h"

#include <httplib.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <new>
#include <system_error>
#include <thread>

#include "api/http/body_slots.h"
#include "api/http/problem.h"
#include "api/http/query.h"
#include "api/http/route.h"
#include "api/http/tls.h"
#include "api/http/tls_server.h"
#include "audit/text/clock.h"
#include "audit/text/plain_text.h"
#include "vault/base/names.h"

namespace coffer::api {
namespace {

constexpr int kContinue = 100;
constexpr int kTooSlow = 408;
constexpr std::size_t kMaxReason = 1000;
constexpr std::size_t kMaxHeaderValue = 2000;
constexpr std::string_view kNoToken = "none";  // a credential that nobody has

// So often in a row the socket may fail before the server gives up, and after so long it counts
// anew.
constexpr int kMaxListenFailures = 10;
constexpr std::chrono::minutes kListenedWell{1};
constexpr std::chrono::milliseconds kListenAgain{100};
constexpr std::chrono::milliseconds kStopAgain{5};
constexpr std::int64_t kExpiresSoonS = std::int64_t{14} * 24 * 3600;

std::unexpected<Error> PortTaken(const std::string& address, int port) {
  return Fail(Code::kConflict, "port_taken",
              "cannot listen on " + address + ":" + std::to_string(port) +
                  ": another process has the port, or the address is not this machine's");
}

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
  // The only one that is written as in URLs: words for people, which a header cannot hold else.
  std::string Reason() {
    std::string value = PercentDecoded(One("Coffer-Reason"));
    if (request.has_header("Coffer-Reason") && IsBlank(value)) blank = "Coffer-Reason";
    return value;
  }
  // What is not empty afterwards was given, and what is was not.
  std::string OneWithValue(const char* name) {
    std::string value = One(name);
    if (request.has_header(name) && IsBlank(value)) blank = name;
    return value;
  }
};

// Of what follows the scheme's word, which has no case (RFC 9110 section 11.1). Nothing: it is
// another scheme.
std::optional<std::string> BearerToken(std::string_view authorization) {
  static constexpr std::string_view kBearer = "bearer";
  const std::string_view scheme = authorization.substr(0, kBearer.size());
  const bool bearer = EqualIgnoringCase(scheme, kBearer);
  authorization.remove_prefix(scheme.size());
  const auto token = authorization.find_first_not_of(' ');
  if (!bearer || token == 0 || token == authorization.npos) return std::nullopt;
  return std::string(authorization.substr(token));
}

// The longest value of a header: encoded, a reason may have three times its length.
std::size_t MaxHeaderValue(std::string_view name) {
  return EqualIgnoringCase(name, "coffer-reason") ? 3 * kMaxReason : kMaxHeaderValue;
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
        tls(the_vault.principals().ClientAuthority()) {}

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
  BodySlots large_bodies;
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
  void ServeWithoutBody(const httplib::Request& request, httplib::Response& response);
  void ServeWithBody(const httplib::Request& request, httplib::Response& response,
                     const httplib::ContentReader& read);
  void Dispatch(httplib::Response& response, Pending& pending);
  void Begin(httplib::Response& response, Pending& pending);
  void Answer(httplib::Response& response, const Pending& pending, Reply reply);
  void RefuseUnrouted(const httplib::Request& request, httplib::Response& response, int status,
                      std::string_view reason);
  void RefuseAndClose(const httplib::Request& request, httplib::Response& response,
                      const Pending& pending, int status, std::string_view reason);
  Error RefuseInput(const Pending& pending, Error error);
  void ReadAndDispatch(const httplib::Request& request, httplib::Response& response,
                       const httplib::ContentReader& read, Pending& pending, bool here);
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
    Log(vault::Severity::kError, "an exception reached the server's edge");
    RefuseUnrouted(request, response, 500, "internal_error");
  });
  // What httplib refuses by itself has no body yet. It reads heads of ours alone, so nothing
  // should.
  http->set_error_handler([this](const httplib::Request& request, httplib::Response& response) {
    if (response.body.empty()) RefuseUnrouted(request, response, response.status, "header_invalid");
  });
  http->set_post_routing_handler(
      [this](const httplib::Request& request, httplib::Response& response) {
        if (!response.has_header("Cache-Control")) response.set_header("Cache-Control", "no-store");
        response.set_header("Strict-Transport-Security", "max-age=31536000");
        response.set_header("X-Content-Type-Options", "nosniff");
        response.headers.erase("Accept-Ranges");  // httplib's, of every HEAD
        if (response.status == 204) response.headers.erase("Content-Length");  // RFC 9110, 8.6
        SSL* ssl = Connections::OfThisThread();
        connections.StartReply(ssl);
        const ServedRequest* served = TlsServer::RequestOfThisThread();
        if (request.ssl == nullptr || served == nullptr || served->head.last) connections.Doom(ssl);
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
  if (!reply.body.empty()) response.set_content(std::move(reply.body), reply.content_type);
  ERR_clear_error();  // or httplib takes what is left for the connection's
}

void Server::Impl::Begin(httplib::Response& response, Pending& pending) {
  pending.started = std::chrono::steady_clock::now();
  pending.call.caller.call = vault::CallId::New(audit::SystemClock().Now());
  response.set_header("Coffer-Request-Id", pending.call.caller.call.Text());
}

// What went wrong before a request had a route, or where nobody knows its route any more.
void Server::Impl::RefuseUnrouted(const httplib::Request& request, httplib::Response& response,
                                  int status, std::string_view reason) {
  Pending pending;
  const auto given = vault::CallId::Parse(response.get_header_value("Coffer-Request-Id"));
  response.headers.clear();
  Begin(response, pending);
  if (given) {  // what the log may have of it is found by this
    pending.call.caller.call = *given;
    response.headers.erase("Coffer-Request-Id");
    response.set_header("Coffer-Request-Id", given->Text());
  }
  RefuseAndClose(request, response, pending, status, reason);
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
  return vault.operations().Refuse(pending.call.caller, *action, NamedClient(pending.call),
                                   std::nullopt, std::move(error));
}

bool Server::Impl::CheckHeaders(const httplib::Request& request, httplib::Response& response,
                                Pending& pending) {
  // Compression would let an attacker who chooses part of an answer learn the rest from its length;
  // ranges make no sense here. The object itself is not const, only httplib's view of it.
  auto& mutable_request = const_cast<httplib::Request&>(request);
  mutable_request.headers.erase("Accept-Encoding");
  mutable_request.ranges.clear();

  Begin(response, pending);
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
  const ServedRequest& served = *TlsServer::RequestOfThisThread();
  if (served.refusal) {
    connections.Doom(request.ssl);
    Answer(response, pending,
           RenderProblem(served.refusal->status, served.refusal->error,
                         pending.call.caller.call.Text()));
    return false;
  }
  const Framing framing = served.head.framing;
  const std::uint64_t length = served.head.length;
  if (framing == Framing::kLength) pending.length = length;

  const std::string_view path = PathOf(request.target);
  if (path.size() > kPathLimit) return refuse(414, "path_too_long");
  const bool has_body = framing == Framing::kChunked || length > 0;
  pending.match = FindRoute(MethodFromName(request.method), path);
  if (pending.match.route == nullptr) {
    const std::string& allow = pending.match.allow;
    const bool wrong_method = !allow.empty();
    Reply reply;
    if (wrong_method && request.method == "OPTIONS") {
      reply.status = 204;
    } else {
      reply =
          RenderProblem(wrong_method ? 405 : 404, wrong_method ? "method_not_allowed" : "not_found",
                        pending.call.caller.call.Text());
    }
    if (wrong_method) reply.headers.emplace_back("Allow", allow);
    if (!pending.match.accept_patch.empty()) {
      reply.headers.emplace_back("Accept-Patch", pending.match.accept_patch);
    }
    // What has no length and is no read may have a body nevertheless.
    const bool is_read = request.method == "GET" || request.method == "HEAD" ||
                         request.method == "OPTIONS" || request.method == "DELETE";
    if (has_body || (framing == Framing::kNone && !is_read)) connections.Doom(request.ssl);
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
  call.caller.reason = headers.Reason();
  call.caller.ticket = headers.OneWithValue("Coffer-Ticket");
  call.caller.approval = headers.OneWithValue("Coffer-Approval");
  call.caller.certificate = connections.ClientCertificateOf(request.ssl);
  call.if_match = headers.OneWithValue("If-Match");
  call.idempotency_key = headers.OneWithValue("Idempotency-Key");
  call.content_type = MediaType(headers.One("Content-Type"));
  call.accept = MediaType(headers.One("Accept"));
  bool clean = !headers.repeated && call.caller.reason.size() <= kMaxReason &&
               (call.caller.ticket.empty() || vault::IsTicket(call.caller.ticket)) &&
               call.idempotency_key.size() <= 200 &&
               audit::IsPlainText(call.caller.reason, audit::TextForm::kOneLine);
  bool too_long = false;
  for (const auto& [name, value] : request.headers) {
    clean &= !HasControl(value);
    too_long |= value.size() > MaxHeaderValue(name);
  }
  // Of two credentials neither counts: which one is first is the hash table's choice. What is no
  // token of ours is nobody's, and not left out: a client certificate does not stand in for it.
  if (request.headers.count("Authorization") == 1) {
    call.caller.token = BearerToken(authorization).value_or(std::string(kNoToken));
  }

  const auto refuse_input = [&](Error error) {
    if (has_body) connections.Doom(request.ssl);
    const Error told = RefuseInput(pending, std::move(error));
    const int status = told.reason == "headers_too_large" ? 431 : StatusOf(told.code);
    Reply reply = RenderProblem(status, told, call.caller.call.Text());
    if (route.method == Method::kPatch && told.code == Code::kUnsupportedMedia) {
      reply.headers.emplace_back("Accept-Patch", MediaTypeOf(route.body));  // RFC 5789 section 2.2
    }
    Answer(response, pending, std::move(reply));
    return false;
  };
  if (too_long) {
    call.caller.reason.clear();
    return refuse_input({Code::kTooLarge, "headers_too_large", {}, {}});
  }
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
  if (has_body &&
      (call.content_type != MediaTypeOf(route.body) || request.has_header("Content-Encoding"))) {
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
  const Status known = vault.operations().Authenticate(caller, *action, NamedClient(pending.call));
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
  response.headers.clear();
  return kContinue;
}

void Server::Impl::ServeWithoutBody(const httplib::Request& request, httplib::Response& response) {
  Pending pending;
  if (!connections.StartWork(request.ssl)) return Abandon(response);
  if (CheckHeaders(request, response, pending)) Dispatch(response, pending);
}

void Server::Impl::ServeWithBody(const httplib::Request& request, httplib::Response& response,
                                 const httplib::ContentReader& read) {
  Pending pending;
  if (!connections.StartWork(request.ssl)) return Abandon(response);
  if (!CheckHeaders(request, response, pending) || !AdmitBody(request, response, pending)) return;
  // What is here already is small, and nobody has looked at yet whose it is.
  const bool here = pending.length && connections.Holds(request.ssl, *pending.length);
  std::optional<BodySlots::Slot> slot;
  if (!here && BodyLimit(*pending.match.route) > kJsonBodyLimit) {
    slot = large_bodies.Take();
    if (!slot) return RefuseAndClose(request, response, pending, 503, "queue_full");
  }
  ReadAndDispatch(request, response, read, pending, here);
}

void Server::Impl::ReadAndDispatch(const httplib::Request& request, httplib::Response& response,
                                   const httplib::ContentReader& read, Pending& pending,
                                   bool here) {
  const std::size_t limit = BodyLimit(*pending.match.route);
  if (!here && !connections.StartBody(request.ssl, pending.length.value_or(limit))) {
    return Abandon(response);
  }
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
    Dispatch(response, pending);
  }
}

// The connection was cut to make room, or at a stop, before anything was done: there is nobody left
// to be told.
void Server::Impl::Abandon(httplib::Response& response) {
  connections.Doom(Connections::OfThisThread());
  response.status = 503;
  response.set_content(RenderProblem(503, "queue_full", "").body, "application/problem+json");
}

void Server::Impl::Dispatch(httplib::Response& response, Pending& pending) {
  const Service service{vault,
                        [this](const vault::VaultStatistics& engine) {
                          return metrics.Render(engine, connections.counters(),
                                                tls.certificate_expires());
                        },
                        tls.certificate_expires()};
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
  impl->http = std::make_unique<TlsServer>(impl->connections, [&](SSL_CTX& context) {
    ready = impl->tls.Begin(context, options.tls);
    return ready.has_value();
  });
  if (!ready) return std::unexpected(ready.error());
  impl->WarnOfExpiry();
  impl->Configure();
  const auto port = impl->http->Bind(options.address, options.port);
  if (!port) return PortTaken(options.address, options.port);
  impl->port = *port;
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

int Server::port() const { return impl_->port; }

Status CheckPort(const std::string& address, int port) {
  return TlsServer::CanBind(address, port) ? Status() : PortTaken(address, port);
}

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
  Status listened;
  try {
    impl.connections.Begin([&impl](Connection& connection) { impl.http->Serve(connection); });
    listened = listen();
  } catch (const std::system_error& error) {
    listened = Fail(Code::kUnavailable, "threads_not_available",
                    "there are no threads to serve " + std::to_string(impl.options.workers) +
                        " connections: " + error.what() +
                        "; allow more threads or memory, or set fewer server.workers");
  } catch (const std::bad_alloc&) {
    listened = Fail(Code::kUnavailable, "memory_exhausted", "there is no memory to listen with");
  }
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
