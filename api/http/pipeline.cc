#include "api/http/pipeline.h"

#include <httplib.h>
#include <openssl/err.h>

#include "api/http/call_headers.h"
#include "api/http/problem.h"
#include "api/http/query.h"
#include "api/http/tls_server.h"
#include "audit/text/clock.h"

namespace coffer::api {
namespace {

constexpr int kContinue = 100;
constexpr int kTooSlow = 408;

std::string_view PathOf(std::string_view target) { return target.substr(0, target.find('?')); }

std::optional<vault::ClientId> NamedClient(const Call& call) {
  if (call.segments.empty()) return std::nullopt;
  const auto id = vault::ClientId::Parse(call.segments[0]);
  return id ? std::optional(*id) : std::nullopt;
}

}  // namespace

Pipeline::Pipeline(vault::Vault& vault, std::span<const Route> routes, const ServerOptions& options,
                   Connections& connections, const Tls& tls)
    : vault_(vault),
      routes_(routes),
      options_(options),
      connections_(connections),
      tls_(tls),
      metrics_(routes) {}

void Pipeline::Attach(TlsServer& http) {
  http.set_keep_alive_max_count(1'000'000'000);
  // All of them, before httplib looks for a route of its own or for a body.
  http.set_pre_routing_handler(
      [this](const httplib::Request& request, httplib::Response& response) {
        Serve(request, response);
        return httplib::Server::HandlerResponse::Handled;
      });
  http.set_expect_100_continue_handler(
      [this](const httplib::Request& request, httplib::Response& response) {
        return AnswerExpectation(request, response);
      });
  http.set_exception_handler([this](const httplib::Request& request, httplib::Response& response,
                                    const std::exception_ptr&) {
    // Out of memory, or a defect: the text of the exception stays inside.
    if (options_.log)
      options_.log(vault::Severity::kError, "an exception reached the server's edge");
    RefuseUnrouted(request, response, 500, "internal_error");
  });
  // What httplib refuses by itself has no body yet. It reads heads of ours alone, so nothing
  // should.
  http.set_error_handler([this](const httplib::Request& request, httplib::Response& response) {
    if (response.body.empty()) RefuseUnrouted(request, response, response.status, "header_invalid");
  });
  http.set_post_routing_handler(
      [this](const httplib::Request& request, httplib::Response& response) {
        if (!response.has_header("Cache-Control")) response.set_header("Cache-Control", "no-store");
        response.set_header("Strict-Transport-Security", "max-age=31536000");
        response.set_header("X-Content-Type-Options", "nosniff");
        response.headers.erase("Accept-Ranges");  // httplib's, of every HEAD
        if (response.status == 204) response.headers.erase("Content-Length");  // RFC 9110, 8.6
        SSL* ssl = Connections::OfThisThread();
        connections_.StartReply(ssl);
        const RequestStream* stream = TlsServer::StreamOfThisThread();
        if (request.ssl == nullptr || stream == nullptr || stream->request().head.last)
          connections_.Doom(ssl);
        if (connections_.IsDoomed(ssl) || connections_.stopping()) {
          response.set_header("Connection", "close");
        }
      });
}

void Pipeline::Answer(httplib::Response& response, const Pending& pending, Reply reply) {
  const auto elapsed = std::chrono::duration_cast<std::chrono::microseconds>(
                           std::chrono::steady_clock::now() - pending.started)
                           .count();
  if (pending.call.caller.authenticated || reply.status == 401) {
    connections_.SetKnown(Connections::OfThisThread(), pending.call.caller.authenticated);
  }
  metrics_.CountRequest(pending.match.route, reply.status, elapsed);
  const std::string request_id = pending.call.caller.call.Text();
  if (options_.on_request) {
    options_.on_request(request_id,
                        pending.match.route ? pending.match.route->operation_id : "none",
                        reply.status, elapsed);
  }
  response.status = reply.status;
  for (auto& [name, value] : reply.headers) response.set_header(name, value);
  if (!reply.body.empty()) response.set_content(std::move(reply.body), reply.content_type);
  ERR_clear_error();  // or httplib takes what is left for the connection's
}

void Pipeline::Begin(httplib::Response& response, Pending& pending) {
  pending.started = std::chrono::steady_clock::now();
  pending.call.caller.call = vault::CallId::New(audit::SystemClock().Now());
  response.set_header("Coffer-Request-Id", pending.call.caller.call.Text());
}

// What went wrong before a request had a route, or where nobody knows its route any more.
void Pipeline::RefuseUnrouted(const httplib::Request& request, httplib::Response& response,
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

void Pipeline::RefuseAndClose(const httplib::Request& request, httplib::Response& response,
                              const Pending& pending, int status, std::string_view reason) {
  connections_.Doom(request.ssl);
  Answer(response, pending, RenderProblem(status, reason, pending.call.caller.call.Text()));
}

// A refusal of a known route is an entry of the log, like every other.
Error Pipeline::RefuseInput(const Pending& pending, Error error) {
  const auto action = pending.match.route->permission.action();
  if (!action) return error;
  return vault_.operations().Refuse(pending.call.caller, *action, NamedClient(pending.call),
                                    std::nullopt, std::move(error));
}

bool Pipeline::CheckHeaders(const httplib::Request& request, httplib::Response& response,
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
      vault::ClientAddress(request.remote_addr, forwarded, options_.trusted_proxies);
  pending.call.caller.address = address.value_or(request.remote_addr);
  pending.call.caller.address_known = address.has_value();
  const auto refuse = [&](int status, std::string_view reason) {
    RefuseAndClose(request, response, pending, status, reason);
    return false;
  };
  if (connections_.IsDoomed(request.ssl)) return refuse(400, "header_invalid");
  const ServedRequest& served = TlsServer::StreamOfThisThread()->request();
  if (served.refusal) {
    connections_.Doom(request.ssl);
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
  pending.match = FindRoute(routes_, MethodFromName(request.method), path);
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
    if (has_body || (framing == Framing::kNone && !is_read)) connections_.Doom(request.ssl);
    Answer(response, pending, std::move(reply));
    return false;
  }
  const Route& route = *pending.match.route;
  if (route.body != Body::kNone && framing == Framing::kNone) return refuse(411, "length_required");

  Call& call = pending.call;
  call.segments = std::move(pending.match.segments);
  call.caller.certificate = connections_.ClientCertificateOf(request.ssl);
  std::optional<Error> wrong = ReadHeaders(request, call);

  const auto refuse_input = [&](Error error) {
    if (has_body) connections_.Doom(request.ssl);
    const Error told = RefuseInput(pending, std::move(error));
    const int status = told.reason == "headers_too_large" ? 431 : StatusOf(told.code);
    Reply reply = RenderProblem(status, told, call.caller.call.Text());
    if (route.method == Method::kPatch && told.code == Code::kUnsupportedMedia) {
      reply.headers.emplace_back("Accept-Patch", MediaTypeOf(route.body));  // RFC 5789 section 2.2
    }
    Answer(response, pending, std::move(reply));
    return false;
  };
  if (wrong) {
    call.caller.reason.clear();
    return refuse_input(*std::move(wrong));
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
bool Pipeline::AdmitBody(const httplib::Request& request, httplib::Response& response,
                         Pending& pending) {
  const auto action = pending.match.route->permission.action();
  if (!action || vault::KindOf(*action) == vault::ActionKind::kOpen) return true;
  const vault::Caller& caller = pending.call.caller;
  const bool shows_something = !caller.token.empty() || caller.certificate;
  if (shows_something && pending.length && connections_.Holds(request.ssl, *pending.length)) {
    return true;
  }
  const Status known = vault_.operations().Authenticate(caller, *action, NamedClient(pending.call));
  if (!known) {
    connections_.Doom(request.ssl);
    Answer(response, pending, RenderProblem(known.error(), caller.call.Text()));
    return false;
  }
  connections_.SetKnown(request.ssl, true);
  return true;
}

// Who is refused now has sent no body, and is not asked for it. Who is not is looked at once more
// when the body is read, as what was decided here is not kept.
int Pipeline::AnswerExpectation(const httplib::Request& request, httplib::Response& response) {
  const auto method = MethodFromName(request.method);
  if (!method || !connections_.StartWork(request.ssl)) return kContinue;
  Pending pending;
  if (!CheckHeaders(request, response, pending) || !AdmitBody(request, response, pending)) {
    connections_.Doom(request.ssl);
    return response.status;
  }
  response.headers.clear();
  return kContinue;
}

void Pipeline::Serve(const httplib::Request& request, httplib::Response& response) {
  Pending pending;
  if (!connections_.StartWork(request.ssl)) return Abandon(response);
  if (!CheckHeaders(request, response, pending)) return;
  const Method method = pending.match.route->method;
  if (method == Method::kGet || method == Method::kDelete) return Dispatch(response, pending);
  if (!AdmitBody(request, response, pending)) return;
  // What is here already is small, and nobody has looked at yet whose it is.
  const bool here = pending.length && connections_.Holds(request.ssl, *pending.length);
  std::optional<BodySlots::Slot> slot;
  if (!here && BodyLimit(*pending.match.route) > kJsonBodyLimit) {
    slot = large_bodies_.Take();
    if (!slot) return RefuseAndClose(request, response, pending, 503, "queue_full");
  }
  ReadAndDispatch(request, response, pending, here);
}

void Pipeline::ReadAndDispatch(const httplib::Request& request, httplib::Response& response,
                               Pending& pending, bool here) {
  const std::size_t limit = BodyLimit(*pending.match.route);
  if (!here && !connections_.StartBody(request.ssl, pending.length.value_or(limit))) {
    return Abandon(response);
  }
  const RequestStream::Body read =
      TlsServer::StreamOfThisThread()->ReadBody(limit, pending.call.body);
  if (!here && !connections_.StartWork(request.ssl)) return Abandon(response);
  if (read == RequestStream::Body::kTooLarge) {
    connections_.Doom(request.ssl);
    const Error told = RefuseInput(pending, {Code::kTooLarge, "body_too_large", {}, {}});
    Answer(response, pending, RenderProblem(told, pending.call.caller.call.Text()));
  } else if (read == RequestStream::Body::kBroken && connections_.IsLate(request.ssl)) {
    RefuseAndClose(request, response, pending, kTooSlow, "request_too_slow");
  } else if (read == RequestStream::Body::kBroken) {
    RefuseAndClose(request, response, pending, 400, "header_invalid");
  } else {
    Dispatch(response, pending);
  }
}

// The connection was cut to make room, or at a stop, before anything was done: there is nobody left
// to be told.
void Pipeline::Abandon(httplib::Response& response) {
  connections_.Doom(Connections::OfThisThread());
  response.status = 503;
  response.set_content(RenderProblem(503, "queue_full", "").body, "application/problem+json");
}

void Pipeline::Dispatch(httplib::Response& response, Pending& pending) {
  const Service service{vault_,
                        [this](const vault::VaultStatistics& engine) {
                          return metrics_.Render(engine, connections_.counters(),
                                                 tls_.certificate_expires());
                        },
                        tls_.certificate_expires()};
  auto reply = pending.match.route->handler(service, pending.call);
  if (!reply) {
    const Error& error = reply.error();
    if (options_.log && (error.code == Code::kInternal || error.code == Code::kCorrupted)) {
      options_.log(vault::Severity::kError, "request " + pending.call.caller.call.Text() + ": " +
                                                std::string(error.reason) + ": " + error.detail);
    }
    reply = RenderProblem(error, pending.call.caller.call.Text());
  }
  Answer(response, pending, *std::move(reply));
}

}  // namespace coffer::api
