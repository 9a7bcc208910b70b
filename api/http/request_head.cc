#include "api/http/request_head.h"

#include <algorithm>
#include <optional>

namespace coffer::api {
namespace {

constexpr std::size_t kLengthDigits = 15;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool IsAlphanumeric(char c) { return IsDigit(c) || (Lower(c) >= 'a' && Lower(c) <= 'z'); }

// RFC 9110 section 5.6.2.
bool IsToken(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return IsAlphanumeric(c) ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool IsBlankChar(char c) { return c == ' ' || c == '\t'; }

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && IsBlankChar(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlankChar(text.back())) text.remove_suffix(1);
  return text;
}

// uri-host [ ":" port ] of RFC 9110 section 7.2, which https never leaves empty, and without the
// user that a URL could name.
bool IsAuthority(std::string_view text) {
  std::string_view host = text, port;
  const auto end = text.starts_with('[') ? text.find(']') : text.npos;
  const auto colon = text.find(':', end == text.npos ? 0 : end);
  if (colon != text.npos) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  if (text.starts_with('[')) {
    if (!host.ends_with(']')) return false;
    host = host.substr(1, host.size() - 2);
    return !host.empty() && port.size() <= 5 && std::ranges::all_of(port, IsDigit) &&
           std::ranges::all_of(host,
                               [](char c) { return IsAlphanumeric(c) || c == ':' || c == '.'; });
  }
  return !host.empty() && port.size() <= 5 && std::ranges::all_of(port, IsDigit) &&
         std::ranges::all_of(host, [](char c) {
           return IsAlphanumeric(c) ||
                  std::string_view("-._~%!$&'()*+,;=").find(c) != std::string_view::npos;
         });
}

std::optional<std::uint64_t> LengthOf(std::string_view text) {
  if (text.empty() || text.size() > kLengthDigits || !std::ranges::all_of(text, IsDigit)) {
    return std::nullopt;
  }
  std::uint64_t length = 0;
  for (const char c : text) length = length * 10 + static_cast<std::uint64_t>(c - '0');
  return length;
}

bool ListHas(std::string_view list, std::string_view wanted) {
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t end = std::min(list.find(',', at), list.size());
    if (EqualIgnoringCase(Trimmed(list.substr(at, end - at)), wanted)) return true;
    at = end + 1;
  }
  return false;
}

int HexValue(char c) {
  if (IsDigit(c)) return c - '0';
  const char lower = Lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, Lower, Lower);
}

std::string PercentDecoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool code = text[i] == '%' && i + 2 < text.size() && HexValue(text[i + 1]) >= 0 &&
                      HexValue(text[i + 2]) >= 0;
    out += code ? static_cast<char>(HexValue(text[i + 1]) * 16 + HexValue(text[i + 2])) : text[i];
    if (code) i += 2;
  }
  return out;
}

HeadReader::State HeadReader::Refuse(int status, Code code, std::string_view reason,
                                     std::vector<Issue> issues) {
  refusal_ = {status, {code, reason, {}, std::move(issues)}};
  return State::kRefused;
}

void HeadReader::End() { Refuse(400, Code::kInvalidArgument, "header_invalid"); }

HeadReader::State HeadReader::Take(std::string_view bytes, std::size_t& taken) {
  taken = 0;
  while (taken < bytes.size()) {
    const std::string_view rest = bytes.substr(taken);
    const std::size_t feed = rest.find('\n');
    const std::size_t size = feed == rest.npos ? rest.size() : feed + 1;
    taken += size;
    size_ += size;
    line_.append(rest, 0, size);
    if (line_.size() > kHeadLineLimit + 2 || size_ > kHeadLimit) {
      return has_request_line_ ? Refuse(431, Code::kTooLarge, "headers_too_large")
                               : Refuse(414, Code::kTooLarge, "path_too_long");
    }
    if (feed == rest.npos) return State::kMore;
    const State state = TakeLine();
    if (state != State::kMore) return state;
  }
  return State::kMore;
}

HeadReader::State HeadReader::TakeLine() {
  const std::string_view reason = has_request_line_ ? "header_invalid" : "request_line_invalid";
  // A bare line feed, and a bare carriage return, end a line for some readers and not for others;
  // so does U+0000.
  if (!line_.ends_with("\r\n")) return Refuse(400, Code::kInvalidArgument, reason);
  line_.resize(line_.size() - 2);
  if (line_.find_first_of(std::string_view("\r\0", 2)) != line_.npos) {
    return Refuse(400, Code::kInvalidArgument, reason);
  }
  State state = State::kMore;
  if (!has_request_line_) {
    // One empty line before a request is no fault (RFC 9112 section 2.2).
    if (!line_.empty() || size_ > 2) state = TakeRequestLine();
  } else {
    state = line_.empty() ? Finish() : TakeHeader();
  }
  line_.clear();
  return state;
}

HeadReader::State HeadReader::TakeRequestLine() {
  const std::string_view line = line_;
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  const auto invalid = [this] {
    return Refuse(400, Code::kInvalidArgument, "request_line_invalid");
  };
  if (first == line.npos || last == first) return invalid();
  const std::string_view version = line.substr(last + 1);
  if (version.size() != 8 || !version.starts_with("HTTP/") || !IsDigit(version[5]) ||
      version[6] != '.' || !IsDigit(version[7])) {
    return invalid();
  }
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return Refuse(505, Code::kInvalidArgument, "version_not_supported");
  }
  old_ = version == "HTTP/1.0";
  head_.last = old_;
  head_.method = line.substr(0, first);
  if (!IsToken(head_.method) || !TakeTarget(line.substr(first + 1, last - first - 1))) {
    return invalid();
  }
  has_request_line_ = true;
  return State::kMore;
}

// RFC 9112 section 3.2: origin form, absolute form of https, or the asterisk of OPTIONS.
bool HeadReader::TakeTarget(std::string_view target) {
  static constexpr std::string_view kScheme = "https://";
  if (target.empty() ||
      !std::ranges::all_of(target, [](char c) { return c > 0x20 && c < 0x7f && c != '#'; })) {
    return false;
  }
  if (EqualIgnoringCase(target.substr(0, kScheme.size()), kScheme)) {
    target.remove_prefix(kScheme.size());
    const std::size_t end = std::min(target.find_first_of("/?"), target.size());
    if (!IsAuthority(target.substr(0, end))) return false;
    target.remove_prefix(end);
    if (!target.starts_with('/')) {
      head_.target = target.empty() && head_.method == "OPTIONS" ? "*" : "/" + std::string(target);
      return true;
    }
  } else if (!target.starts_with('/') && (target != "*" || head_.method != "OPTIONS")) {
    return false;
  }
  head_.target = target;
  return true;
}

HeadReader::State HeadReader::TakeHeader() {
  const std::string_view line = line_;
  const std::size_t colon = line.find(':');
  // Also a line that begins with a blank, which continued the one before (RFC 9112 section 5.2),
  // and a blank before the colon.
  if (colon == line.npos || !IsToken(line.substr(0, colon))) {
    return Refuse(400, Code::kInvalidArgument, "header_invalid");
  }
  if (head_.headers.size() == kHeaderCountLimit) {
    return Refuse(431, Code::kTooLarge, "headers_too_large");
  }
  head_.headers.emplace_back(line.substr(0, colon), Trimmed(line.substr(colon + 1)));
  return State::kMore;
}

HeadReader::State HeadReader::Finish() {
  const auto invalid = [this](const char* name, const char* message) {
    return Refuse(400, Code::kInvalidArgument, "header_invalid",
                  {{std::string("header:") + name, message}});
  };
  int hosts = 0, lengths = 0, codings = 0;
  for (const auto& [name, value] : head_.headers) {
    if (EqualIgnoringCase(name, "Host")) {
      if (++hosts > 1 || !IsAuthority(value)) return invalid("Host", "must be one host");
    } else if (EqualIgnoringCase(name, "Content-Length")) {
      const auto length = LengthOf(value);
      if (++lengths > 1 || !length) return invalid("Content-Length", "must be one number of bytes");
      head_.framing = Framing::kLength;
      head_.length = *length;
    } else if (EqualIgnoringCase(name, "Transfer-Encoding")) {
      if (++codings > 1 || old_ || !EqualIgnoringCase(value, "chunked")) {
        return invalid("Transfer-Encoding", "must be chunked, or be left out");
      }
      head_.framing = Framing::kChunked;
    } else if (EqualIgnoringCase(name, "Connection")) {
      head_.last |= ListHas(value, "close");
    }
  }
  if (hosts == 0 && !old_) return invalid("Host", "is required");
  if (lengths + codings > 1) return invalid("Content-Length", "contradicts Transfer-Encoding");
  return State::kDone;
}

}  // namespace coffer::api
