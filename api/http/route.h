// A route declares method, path, permission and handler together; "nobody needs to be known" must
// be spelled out (Permission::None()).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/result.h"
#include "vault/access/access_policy.h"
#include "vault/base/ids.h"
#include "vault/vault.h"

namespace coffer::api {

enum class Method { kGet, kPost, kPut, kPatch, kDelete };
std::string_view Name(Method method);
// HEAD is GET, of which the answer leaves out the body.
std::optional<Method> MethodFromName(std::string_view name);

// One HTTP request as every route needs it: checked headers, captured path segments, whole body.
struct Call {
  vault::Caller caller;
  std::vector<std::string> segments;  // captured, in the order of the path
  std::vector<std::pair<std::string, std::string>> query;
  std::string body;
  std::string content_type;  // without parameters, lower case
  std::string accept;
  std::string if_match;
  std::string idempotency_key;

  std::string_view Query(std::string_view name) const;  // empty: it was not given
};

struct Reply {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers = {};
};

class Permission {
 public:
  static constexpr Permission None() { return Permission(std::nullopt); }
  constexpr Permission(vault::Action action) : action_(action) {}  // NOLINT: reads as a table
  constexpr std::optional<vault::Action> action() const { return action_; }

 private:
  constexpr explicit Permission(std::optional<vault::Action> action) : action_(action) {}
  std::optional<vault::Action> action_;
};

// What handlers work on.
struct Service {
  vault::Vault& vault;
  std::function<std::string(const vault::EngineStatistics&)> render_metrics;
  std::int64_t certificate_expires = 0;  // of the server, Unix time in seconds
};

using Handler = Result<Reply> (*)(const Service&, const Call&);

enum class Body { kNone, kJson, kMergePatch, kNdjson };
std::string_view MediaTypeOf(Body body);  // empty of kNone

struct Route {
  Method method;
  std::string_view path;  // "/v1/clients/{client}"; "{path...}" at the end takes all that is left
  Permission permission;
  std::string_view operation_id;
  Body body;
  std::span<const std::string_view> query;  // known parameters; others are refused
  Handler handler;
};

inline constexpr std::size_t kJsonBodyLimit = 512 * 1024;
inline constexpr std::size_t kNdjsonBodyLimit = 8 * 1024 * 1024;
inline constexpr std::size_t kPathLimit = 512;
inline constexpr std::size_t BodyLimit(Body body) {
  return body == Body::kNone ? 0 : body == Body::kNdjson ? kNdjsonBodyLimit : kJsonBodyLimit;
}

// Of what nobody has to be known for: a login, an enrolment.
inline constexpr std::size_t kOpenBodyLimit = 16 * 1024;
inline std::size_t BodyLimit(const Route& route) {
  const bool open = route.permission.action() &&
                    vault::KindOf(*route.permission.action()) == vault::ActionKind::kOpen;
  return open ? std::min(kOpenBodyLimit, BodyLimit(route.body)) : BodyLimit(route.body);
}

struct Match {
  const Route* route = nullptr;  // null: no such path, or not with this method
  std::vector<std::string> segments;
  std::string allow;                   // methods that the path has, when only the method was wrong
  std::string_view accept_patch = {};  // then, where PATCH is one of them: what it takes (RFC 5789)
};
// `path` is the raw path of the request, without query. Percent-encoding is refused: ids and names
// need none, so there is one spelling of every resource. "*" is every resource (RFC 9112, 3.2.4).
// No method: one that no route has.
Match FindRoute(std::span<const Route> routes, std::optional<Method> method, std::string_view path);

}  // namespace coffer::api
