#include "api/http/server.h"

#include <openssl/ssl.h>

#include <atomic>
#include <chrono>
#include <new>
#include <system_error>
#include <thread>

#include "api/http/connections.h"
#include "api/http/pipeline.h"
#include "api/http/tls_server.h"
#include "audit/text/clock.h"

namespace coffer::api {
namespace {

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

}  // namespace

struct Server::Impl {
  Impl(vault::Vault& vault, std::span<const Route> routes, const ServerOptions& given)
      : options(given),
        connections({.workers = given.workers,
                     .per_address = given.connections_per_address,
                     .pace = {.patience_ms = std::int64_t{given.patience_s} * 1000,
                              .bytes_per_s = given.min_bytes_per_s},
                     .idle_ms = std::int64_t{given.idle_timeout_s} * 1000}),
        tls(vault.principals().ClientAuthority()),
        pipeline(vault, routes, options, connections, tls) {}

  const ServerOptions options;
  Connections connections;
  Tls tls;
  Pipeline pipeline;
  std::unique_ptr<TlsServer> http;  // its context refers to `tls`; ends behind its connections
  int port = 0;
  std::atomic<bool> stopping{false}, ended{false};

  void Log(vault::Severity severity, const std::string& message) const {
    if (options.log) options.log(severity, message);
  }
  void WarnOfExpiry() const;
};

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

Result<std::unique_ptr<Server>> Server::Create(vault::Vault& vault, std::span<const Route> routes,
                                               const ServerOptions& options) {
  auto impl = std::make_unique<Impl>(vault, routes, options);
  Status ready = Fail(Code::kInternal, "internal_error", "no TLS context can be made");
  impl->http = std::make_unique<TlsServer>(impl->connections, [&](SSL_CTX& context) {
    ready = impl->tls.Begin(context, options.tls);
    return ready.has_value();
  });
  if (!ready) return std::unexpected(ready.error());
  impl->WarnOfExpiry();
  impl->pipeline.Attach(*impl->http);
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
