// What every request goes through between its head and its answer.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "api/http/body_slots.h"
#include "api/http/connections.h"
#include "api/http/metrics.h"
#include "api/http/route.h"
#include "api/http/server_options.h"
#include "api/http/tls.h"
#include "crypto/result.h"
#include "vault/vault.h"

namespace httplib {
struct Request;
struct Response;
}  // namespace httplib

namespace coffer::api {

class TlsServer;

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
class Pipeline {
 public:
  // All of them live as long as the pipeline.
  Pipeline(vault::Vault& vault, std::span<const Route> routes, const ServerOptions& options,
           Connections& connections, const Tls& tls);
  // From then on the requests of `http`, which ends before the pipeline, go through it.
  void Attach(TlsServer& http);

 private:
  // What is kept of a request between its headers and its end.
  struct Pending {
    Call call;
    Match match;
    std::optional<std::size_t> length;  // of its body, where that is said
    std::chrono::steady_clock::time_point started;
  };

  bool CheckHeaders(const httplib::Request& request, httplib::Response& response, Pending& pending);
  // Whether whoever calls may send a body. What nobody known asks for is answered over it.
  bool AdmitBody(const httplib::Request& request, httplib::Response& response, Pending& pending);
  int AnswerExpectation(const httplib::Request& request, httplib::Response& response);
  void Serve(const httplib::Request& request, httplib::Response& response);
  void Dispatch(httplib::Response& response, Pending& pending);
  void Begin(httplib::Response& response, Pending& pending);
  void Answer(httplib::Response& response, const Pending& pending, Reply reply);
  void RefuseUnrouted(const httplib::Request& request, httplib::Response& response, int status,
                      std::string_view reason);
  void RefuseAndClose(const httplib::Request& request, httplib::Response& response,
                      const Pending& pending, int status, std::string_view reason);
  Error RefuseInput(const Pending& pending, Error error);
  void ReadAndDispatch(const httplib::Request& request, httplib::Response& response,
                       Pending& pending, bool here);
  void Abandon(httplib::Response& response);

  vault::Vault& vault_;
  const std::span<const Route> routes_;
  const ServerOptions& options_;
  Connections& connections_;
  const Tls& tls_;
  Metrics metrics_;
  BodySlots large_bodies_;
};

}  // namespace coffer::api
