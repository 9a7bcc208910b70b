#include "api/http/query.h"

#include <algorithm>
#include <optional>
#include <string>

#include "crypto/encoding.h"

namespace coffer::api {
namespace {

constexpr std::size_t kMaxValue = 300;

// As forms are encoded; nothing where a % stands for no byte.
std::optional<std::string> Decode(std::string_view text) {
  std::string value;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      value += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    std::string digits(text.substr(i + 1, 2));
    std::ranges::transform(digits, digits.begin(), [](char c) {
      return c >= 'A' && c <= 'F' ? static_cast<char>(c + ('a' - 'A')) : c;
    });
    const auto byte = crypto::HexDecode(digits);
    if (!byte || byte->size() != 1) return std::nullopt;
    value += static_cast<char>(byte->front());
    i += 2;
  }
  return value;
}

std::unexpected<Error> Invalid(std::string_view name, std::string message) {
  return std::unexpected(Error{Code::kInvalidArgument,
                               "parameter_invalid",
                               {},
                               {{"query:" + std::string(name), std::move(message)}}});
}

}  // namespace

Status ReadQuery(const Route& route, std::string_view target, Call& call) {
  const auto mark = target.find('?');
  if (mark == target.npos) return {};
  for (auto rest = std::optional(target.substr(mark + 1)); rest;) {
    const auto end = rest->find('&');
    const std::string_view pair = rest->substr(0, end);
    rest = end == rest->npos ? std::nullopt : std::optional(rest->substr(end + 1));
    const std::string_view name = pair.substr(0, pair.find('='));
    if (name.empty()) return Invalid("", "has a parameter without a name");
    if (std::ranges::find(route.query, name) == route.query.end()) {
      return Fail(Code::kInvalidArgument, "parameter_unknown");
    }
    // Encoded, each byte has three.
    if (pair.size() > name.size() + 1 + 3 * kMaxValue) {
      return Invalid(name, "must be at most 300 bytes");
    }
    auto value = Decode(pair.substr(std::min(name.size() + 1, pair.size())));
    if (!value) return Invalid(name, "is not percent-encoded as it should be");
    if (IsBlank(*value)) return Invalid(name, "must not be empty");
    if (value->size() > kMaxValue) return Invalid(name, "must be at most 300 bytes");
    if (!call.Query(name).empty()) return Invalid(name, "must be given once");
    call.query.emplace_back(name, *std::move(value));
  }
  return {};
}

Error BlankHeader(std::string_view name) {
  return {Code::kInvalidArgument,
          "header_invalid",
          {},
          {{"header:" + std::string(name), "must not be empty"}}};
}

}  // namespace coffer::api
