#include "vault/backup/s3_listing.h"

#include <expat.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>

#include "audit/text/clock.h"
#include "crypto/encoding.h"

namespace coffer::vault {
namespace {

constexpr std::size_t kMostDepth = 8;
constexpr std::size_t kMostTextBytes = 4096;
constexpr std::size_t kMostCodeBytes = 64;
constexpr std::size_t kBytesOfSeconds = 19;  // "2026-01-02T03:30:00"

using Parser = std::unique_ptr<XML_ParserStruct,
                               decltype([](XML_ParserStruct* parser) { XML_ParserFree(parser); })>;

// Walks through a document, and says of each element its path ("List/Contents/Key") and its text.
class XmlWalk {
 public:
  using Begin = std::function<void(const std::string& path)>;
  using End = std::function<bool(const std::string& path, const std::string& text)>;

  XmlWalk(Begin begin, End end) : begin_(std::move(begin)), end_(std::move(end)) {}

  bool Read(std::string_view xml) {
    parser_.reset(XML_ParserCreate("UTF-8"));
    if (!parser_) return false;
    XML_SetUserData(parser_.get(), this);
    XML_SetElementHandler(parser_.get(), OnBegin, OnEnd);
    XML_SetCharacterDataHandler(parser_.get(), OnText);
    XML_SetStartDoctypeDeclHandler(parser_.get(), OnDoctype);
    return XML_Parse(parser_.get(), xml.data(), static_cast<int>(xml.size()), 1) == XML_STATUS_OK &&
           !refused_;
  }

 private:
  void Refuse() {
    refused_ = true;
    XML_StopParser(parser_.get(), XML_FALSE);
  }
  static void XMLCALL OnBegin(void* self, const XML_Char* name, const XML_Char** /*attributes*/) {
    auto& walk = *static_cast<XmlWalk*>(self);
    if (walk.refused_) return;
    const std::string_view element(name);
    if (walk.lengths_.size() >= kMostDepth || element.size() > kMostTextBytes) {
      return walk.Refuse();
    }
    walk.lengths_.push_back(walk.path_.size());
    if (!walk.path_.empty()) walk.path_ += '/';
    walk.path_ += element;
    walk.text_.clear();
    walk.begin_(walk.path_);
  }
  static void XMLCALL OnEnd(void* self, const XML_Char* /*name*/) {
    auto& walk = *static_cast<XmlWalk*>(self);
    if (walk.refused_) return;
    if (!walk.end_(walk.path_, walk.text_)) return walk.Refuse();
    walk.path_.resize(walk.lengths_.back());
    walk.lengths_.pop_back();
    walk.text_.clear();
  }
  static void XMLCALL OnText(void* self, const XML_Char* text, int length) {
    auto& walk = *static_cast<XmlWalk*>(self);
    if (walk.refused_) return;
    if (walk.text_.size() + static_cast<std::size_t>(length) > kMostTextBytes) {
      return walk.Refuse();
    }
    walk.text_.append(text, static_cast<std::size_t>(length));
  }
  static void XMLCALL OnDoctype(void* self, const XML_Char* /*name*/, const XML_Char* /*system*/,
                                const XML_Char* /*pub*/, int /*internal*/) {
    static_cast<XmlWalk*>(self)->Refuse();
  }

  const Begin begin_;
  const End end_;
  Parser parser_;
  std::string path_, text_;
  std::vector<std::size_t> lengths_;  // of the path, without each element
  bool refused_ = false;
};

bool IsHexDigit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

int ValueOf(char digit) {
  if (digit <= '9') return digit - '0';
  return (digit | 0x20) - 'a' + 10;
}

std::optional<std::string> UrlDecoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    if (i + 2 >= text.size() || !IsHexDigit(text[i + 1]) || !IsHexDigit(text[i + 2])) {
      return std::nullopt;
    }
    decoded += static_cast<char>(ValueOf(text[i + 1]) * 16 + ValueOf(text[i + 2]));
    i += 2;
  }
  return decoded;
}

}  // namespace

Result<S3Listing> ParseS3Listing(std::string_view xml) {
  const auto malformed = [](const char* why) {
    return Fail(Code::kCorrupted, "listing_malformed", why);
  };
  S3Listing listing;
  bool encoded = false, said_truncated = false;
  const auto begin = [&](const std::string& path) {
    if (path == "ListBucketResult/Contents") listing.objects.emplace_back();
  };
  const auto end = [&](const std::string& path, const std::string& text) {
    static constexpr std::string_view kRoot = "ListBucketResult";
    if (!path.starts_with(kRoot)) return false;
    const std::string_view within = std::string_view(path).substr(kRoot.size());
    if (within == "/Contents/Key") listing.objects.back().key = text;
    if (within == "/Contents/LastModified") listing.objects.back().modified = ParseS3Time(text);
    if (within == "/NextContinuationToken") listing.next = text;
    if (within == "/EncodingType") encoded = text == "url";
    if (within != "/IsTruncated") return true;
    said_truncated = text == "true" || text == "false";
    listing.truncated = text == "true";
    return said_truncated;
  };
  if (!XmlWalk(begin, end).Read(xml)) return malformed("the list cannot be read");
  if (!said_truncated || (listing.truncated && listing.next.empty())) {
    return malformed("the list does not say whether it goes on");
  }
  for (auto& object : listing.objects) {
    if (!encoded) continue;
    auto key = UrlDecoded(object.key);
    if (!key) return malformed("a name in the list cannot be read");
    object.key = *std::move(key);
  }
  return listing;
}

std::string ParseS3ErrorCode(std::string_view xml) {
  std::string code;
  const auto end = [&](const std::string& path, const std::string& text) {
    if (path == "Error/Code") code = text;
    return path.starts_with("Error");
  };
  const bool read = XmlWalk([](const std::string&) {}, end).Read(xml);
  const bool word = code.size() <= kMostCodeBytes && std::ranges::all_of(code, [](char c) {
                      return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                             (c >= '0' && c <= '9') || c == '.';
                    });
  return read && word ? code : std::string();
}

std::optional<Timestamp> ParseS3Time(std::string_view text) {
  if (text.size() <= kBytesOfSeconds || text.back() != 'Z') return std::nullopt;
  const auto parsed = audit::ParseTimestamp(std::string(text.substr(0, kBytesOfSeconds)) + ".000Z");
  return parsed ? std::optional(*parsed) : std::nullopt;
}

std::string S3QueryEncode(std::string_view text) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      encoded += c;
      continue;
    }
    const std::size_t byte = static_cast<unsigned char>(c);
    encoded += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return encoded;
}

}  // namespace coffer::vault
