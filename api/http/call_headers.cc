#include "api/http/call_headers.h"

#include <httplib.h>

#include <algorithm>
#include <cctype>

#include "api/http/query.h"
#include "api/http/request_head.h"
#include "audit/text/plain_text.h"
#include "vault/base/names.h"

namespace coffer::api {
namespace {

constexpr std::size_t kMaxReason = 1000;
constexpr std::size_t kMaxHeaderValue = 2000;
constexpr std::string_view kNoToken = "none";  // a credential that nobody has

bool HasControl(std::string_view text) {
  return std::ranges::any_of(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
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

}  // namespace

std::optional<Error> ReadHeaders(const httplib::Request& request, Call& call) {
  Headers headers{request};
  const std::string authorization = headers.One("Authorization");
  call.caller.purpose = headers.OneWithValue("Coffer-Purpose");
  call.caller.reason = headers.Reason();
  call.caller.ticket = headers.OneWithValue("Coffer-Ticket");
  call.caller.approval = headers.OneWithValue("Coffer-Approval");
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
  if (too_long) return Error{Code::kTooLarge, "headers_too_large", {}, {}};
  if (headers.blank != nullptr) return BlankHeader(headers.blank);
  if (!clean) return Error{Code::kInvalidArgument, "header_invalid", {}, {}};
  return std::nullopt;
}

}  // namespace coffer::api
