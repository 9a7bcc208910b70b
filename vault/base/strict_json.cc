#include "vault/base/strict_json.h"

#include <nlohmann/json.hpp>
#include <vector>

namespace coffer::vault {
namespace {

using nlohmann::json;

// Builds the document and stops at the first duplicate key or at too great a depth, before memory
// is spent on what follows.
class StrictHandler : public nlohmann::json_sax<json> {
 public:
  bool null() override { return Put(json(nullptr)); }
  bool boolean(bool value) override { return Put(json(value)); }
  bool number_integer(number_integer_t value) override { return Put(json(value)); }
  bool number_unsigned(number_unsigned_t value) override { return Put(json(value)); }
  bool number_float(number_float_t value, const string_t&) override { return Put(json(value)); }
  bool string(string_t& value) override { return Put(json(std::move(value))); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return Open(json::object()); }
  bool end_object() override { return Close(); }
  bool start_array(std::size_t) override { return Open(json::array()); }
  bool end_array() override { return Close(); }
  bool key(string_t& name) override {
    if (open_.back()->contains(name)) {
      reason_ = "json_duplicate_key";
      return false;
    }
    key_ = std::move(name);
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

  std::string_view reason() const { return reason_; }
  json& document() { return document_; }

 private:
  json* Place(json&& value) {
    if (open_.empty()) {
      document_ = std::move(value);
      return &document_;
    }
    json& parent = *open_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    return &(parent[key_] = std::move(value));
  }
  bool Put(json&& value) {
    Place(std::move(value));
    return true;
  }
  bool Open(json&& value) {
    if (open_.size() == static_cast<std::size_t>(kMaxJsonDepth)) {
      reason_ = "json_too_deep";
      return false;
    }
    open_.push_back(Place(std::move(value)));
    return true;
  }
  bool Close() {
    open_.pop_back();
    return true;
  }

  json document_;
  std::vector<json*> open_;  // stable: a container grows only while it is the innermost one
  std::string key_;
  std::string_view reason_ = "json_invalid";
};

}  // namespace

Result<json> ParseStrictJson(std::string_view text) {
  if (!IsCleanUtf8(text)) return Fail(Code::kInvalidArgument, "json_not_utf8");
  // RFC 8259 section 8.1: no byte order mark. The library would skip it, and one document would
  // have two spellings.
  if (text.starts_with("\xef\xbb\xbf")) return Fail(Code::kInvalidArgument, "json_invalid");
  StrictHandler handler;
  try {
    if (!json::sax_parse(text.begin(), text.end(), &handler)) {
      return Fail(Code::kInvalidArgument, handler.reason());
    }
  } catch (const std::exception&) {
    return Fail(Code::kInvalidArgument, "json_invalid");
  }
  return std::move(handler.document());
}

bool IsCleanUtf8(std::string_view text) {
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  const auto* end = p + text.size();
  auto continues = [&](int n) {
    for (int i = 1; i <= n; ++i) {
      if (end - p <= i || (p[i] & 0xc0) != 0x80) return false;
    }
    return true;
  };
  while (p < end) {
    if (*p < 0x80) {
      if (*p == 0) return false;
      ++p;
    } else if (*p >= 0xc2 && *p <= 0xdf) {
      if (!continues(1)) return false;
      p += 2;
    } else if (*p >= 0xe0 && *p <= 0xef) {
      if (!continues(2)) return false;
      if (*p == 0xe0 && p[1] < 0xa0) return false;  // overlong
      if (*p == 0xed && p[1] > 0x9f) return false;  // surrogate
      p += 3;
    } else if (*p >= 0xf0 && *p <= 0xf4) {
      if (!continues(3)) return false;
      if (*p == 0xf0 && p[1] < 0x90) return false;
      if (*p == 0xf4 && p[1] > 0x8f) return false;
      p += 4;
    } else {
      return false;
    }
  }
  return true;
}

void AppendJsonString(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  std::size_t clean = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, clean, i - clean);
    clean = i + 1;
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += "\\u00";
        out += kHex[c >> 4];
        out += kHex[c & 15];
    }
  }
  out.append(text, clean);
  out += '"';
}

std::string PointerTo(std::string_view parent, std::string_view member) {
  std::string pointer(parent);
  pointer += '/';
  for (const char c : member) {
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer += c;
    }
  }
  return pointer;
}

}  // namespace coffer::vault
