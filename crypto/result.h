// The one error type of Coffer and the alias every fallible function returns.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coffer {

// Canonical kinds of failure. The HTTP status derives from the code, never from the text.
enum class Code {
  kInvalidArgument,     // the input is malformed
  kUnprocessable,       // the input is well-formed and breaks a rule of its class or route
  kUnauthenticated,     // nobody, or nobody we know, is asking
  kPermissionDenied,    // known, and not allowed
  kNotFound,            // absent, or to be treated as absent
  kConflict,            // exists already, or the state forbids it
  kPreconditionFailed,  // If-Match named another version
  kPreconditionRequired,
  kTooLarge,
  kUnsupportedMedia,
  kExhausted,    // a rate or a bounded resource
  kUnavailable,  // not now: the log or the store cannot be written
  kCorrupted,    // stored data fails its own check
  kInternal,
};

// One thing wrong with the caller's input: an RFC 6901 JSON pointer and a message that never
// repeats a value.
struct Issue {
  std::string pointer;
  std::string message;
  bool operator==(const Issue&) const = default;
};

// `reason` is a stable machine-readable word ("purpose_required"), shown to the client and kept in
// the access log; it must be a string literal. `detail` is for the operator's log only and holds
// no client data and no secret.
struct Error {
  Code code = Code::kInternal;
  std::string_view reason = "internal_error";
  std::string detail = {};
  std::vector<Issue> issues = {};
  std::int64_t retry_after_s = 0;  // of kExhausted and kUnavailable, where it is known
};

template <class T>
using Result = std::expected<T, Error>;

using Status = Result<void>;

inline std::unexpected<Error> Fail(Code code, std::string_view reason, std::string detail = {}) {
  return std::unexpected(Error{code, reason, std::move(detail), {}});
}

}  // namespace coffer

// COFFER_ASSIGN(lhs, expr): evaluates `expr` (a Result); returns its error from the enclosing
// function, or binds its value. COFFER_TRY(expr): the same without a value. They nest, in lambdas.
#define COFFER_CONCAT_INNER(a, b) a##b
#define COFFER_CONCAT(a, b) COFFER_CONCAT_INNER(a, b)
#define COFFER_ASSIGN_IMPL(tmp, lhs, expr)                  \
  auto tmp = (expr);                                        \
  if (!tmp) return std::unexpected(std::move(tmp).error()); \
  lhs = *std::move(tmp)
#define COFFER_ASSIGN(lhs, expr) \
  COFFER_ASSIGN_IMPL(COFFER_CONCAT(coffer_result_, __COUNTER__), lhs, expr)
#define COFFER_TRY_IMPL(tmp, expr)                                               \
  do {                                                                           \
    if (auto tmp = (expr); !tmp) return std::unexpected(std::move(tmp).error()); \
  } while (false)
#define COFFER_TRY(expr) COFFER_TRY_IMPL(COFFER_CONCAT(coffer_status_, __COUNTER__), expr)
