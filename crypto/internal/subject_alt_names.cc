#include "crypto/internal/subject_alt_names.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace coffer::crypto::internal {
namespace {

constexpr std::size_t kMaxHostBytes = 253;  // RFC 1035 section 2.3.4, without the root's dot
constexpr std::size_t kMaxLabelBytes = 63;
constexpr std::size_t kMaxLocalPartBytes = 64;  // RFC 5321 section 4.5.3.1.1
constexpr std::size_t kMaxMailboxBytes = 254;   // RFC 5321 section 4.5.3.1.3, without its brackets
constexpr std::size_t kMaxUriBytes = 2048;      // SPIFFE ID section 2.3

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsHexDigit(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool IsLetterOrDigit(char c) { return IsLetter(c) || IsDigit(c); }

bool IsVisibleAscii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// The local part may be quoted and hold an '@', a domain never does. Empty without an '@'.
std::string_view DomainOf(std::string_view mailbox) {
  const std::size_t at = mailbox.rfind('@');
  return at == std::string_view::npos ? std::string_view() : mailbox.substr(at + 1);
}

std::string WithLowerCaseDomain(std::string_view mailbox) {
  const std::size_t local = mailbox.size() - DomainOf(mailbox).size();
  return std::string(mailbox.substr(0, local)) + LowerCase(mailbox.substr(local));
}

// Empty for what is neither 4 nor 16 bytes.
std::string AddressText(ByteView address) {
  if (address.size() != 4 && address.size() != 16) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = address.size() == 4 ? AF_INET : AF_INET6;
  Require(inet_ntop(family, address.data(), text.data(), text.size()) != nullptr,
          "the text of an address");
  return text.data();
}

ByteView BytesOf(const ASN1_STRING* string) {
  return {ASN1_STRING_get0_data(string), static_cast<std::size_t>(ASN1_STRING_length(string))};
}

// Empty for a name that is left out.
std::string TextOf(const GENERAL_NAME& name) {
  int type = 0;
  const auto* const value = static_cast<const ASN1_STRING*>(GENERAL_NAME_get0_value(&name, &type));
  if (type == GEN_IPADD) {
    const std::string address = AddressText(BytesOf(value));
    return address.empty() ? address : "ip:" + address;
  }
  if (type != GEN_DNS && type != GEN_EMAIL && type != GEN_URI) return {};
  const std::string_view text = AsText(BytesOf(value));
  if (text.empty() || !IsVisibleAscii(text)) return {};
  if (type == GEN_DNS) return "dns:" + LowerCase(text);
  if (type == GEN_URI) return "uri:" + std::string(text);
  return DomainOf(text).empty() ? std::string() : "email:" + WithLowerCaseDomain(text);
}

bool IsLabel(std::string_view label) {
  return !label.empty() && label.size() <= kMaxLabelBytes && label.front() != '-' &&
         label.back() != '-' &&
         std::ranges::all_of(label, [](char c) { return IsLetterOrDigit(c) || c == '-'; });
}

// RFC 1123 section 2.1: letters, digits and hyphens, and a last label that is no number, with which
// it could be read as an address. No wildcard: a client is one host.
bool IsHost(std::string_view host) {
  if (host.size() > kMaxHostBytes) return false;
  for (std::size_t start = 0;;) {
    const std::size_t dot = host.find('.', start);
    const std::string_view label = host.substr(start, dot - start);
    if (!IsLabel(label)) return false;
    if (dot == std::string_view::npos) return !std::ranges::all_of(label, IsDigit);
    start = dot + 1;
  }
}

// The Dot-string of RFC 5321 section 4.1.2, without the quoted form.
bool IsLocalPart(std::string_view text) {
  return !text.empty() && text.size() <= kMaxLocalPartBytes && text.front() != '.' &&
         text.back() != '.' && !text.contains("..") && std::ranges::all_of(text, [](char c) {
           return IsLetterOrDigit(c) || std::string_view("!#$%&'*+-/=?^_`{|}~.").contains(c);
         });
}

bool IsMailbox(std::string_view text) {
  const std::string_view domain = DomainOf(text);
  return text.size() <= kMaxMailboxBytes && IsHost(domain) &&
         IsLocalPart(text.substr(0, text.size() - domain.size() - 1));
}

// The characters of RFC 3986 appendix A behind a scheme; what they say is the scheme's affair.
bool IsAbsoluteUri(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (text.size() > kMaxUriBytes || colon == std::string_view::npos || !IsLetter(text.front()) ||
      colon + 1 == text.size()) {
    return false;
  }
  const auto in_scheme = [](char c) {
    return IsLetterOrDigit(c) || std::string_view("+-.").contains(c);
  };
  if (!std::ranges::all_of(text.substr(0, colon), in_scheme)) return false;
  for (std::size_t i = colon + 1; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size() || !IsHexDigit(text[i + 1]) || !IsHexDigit(text[i + 2]))
        return false;
    } else if (!IsLetterOrDigit(c) && !std::string_view("-._~:/?#[]@!$&'()*+,;=").contains(c)) {
      return false;
    }
  }
  return true;
}

GeneralNameHandle MakeName(int type, ByteView value) {
  StringHandle string(
      ASN1_STRING_type_new(type == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING));
  GeneralNameHandle name(GENERAL_NAME_new());
  Require(string != nullptr && name != nullptr &&
              ASN1_STRING_set(string.get(), value.data(), static_cast<int>(value.size())) == 1,
          "memory for a subjectAltName");
  GENERAL_NAME_set0_value(name.get(), type, string.release());
  return name;
}

// `text` has no NUL, so that inet_pton reads all of it.
GeneralNameHandle ParseAddress(const std::string& text) {
  std::array<std::uint8_t, 16> address{};
  if (inet_pton(AF_INET, text.c_str(), address.data()) == 1) {
    return MakeName(GEN_IPADD, ByteView(address).first(4));
  }
  if (inet_pton(AF_INET6, text.c_str(), address.data()) == 1) return MakeName(GEN_IPADD, address);
  return nullptr;
}

// Null for what is no name. Built piece by piece: OpenSSL's own notation, "DNS:a,IP:b", would let
// one name carry others.
GeneralNameHandle ParseName(std::string_view name) {
  const std::size_t colon = name.find(':');
  if (colon == std::string_view::npos || !IsVisibleAscii(name)) return nullptr;
  const std::string_view kind = name.substr(0, colon);
  const std::string value(name.substr(colon + 1));
  if (kind == "dns" && IsHost(value)) return MakeName(GEN_DNS, AsBytes(LowerCase(value)));
  if (kind == "email" && IsMailbox(value)) {
    return MakeName(GEN_EMAIL, AsBytes(WithLowerCaseDomain(value)));
  }
  if (kind == "uri" && IsAbsoluteUri(value)) return MakeName(GEN_URI, AsBytes(value));
  if (kind == "ip") return ParseAddress(value);
  return nullptr;
}

}  // namespace

std::optional<std::vector<std::string>> NamesOf(const X509& certificate) {
  std::vector<std::string> texts;
  const int at = X509_get_ext_by_NID(&certificate, NID_subject_alt_name, -1);
  if (at < 0) return texts;
  if (X509_get_ext_by_NID(&certificate, NID_subject_alt_name, at) >= 0) return std::nullopt;
  const ByteView der = BytesOf(X509_EXTENSION_get_data(X509_get_ext(&certificate, at)));
  const std::uint8_t* end = der.data();
  const GeneralNamesHandle names(d2i_GENERAL_NAMES(nullptr, &end, static_cast<long>(der.size())));
  if (names == nullptr || end != der.data() + der.size()) return std::nullopt;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    std::string text = TextOf(*sk_GENERAL_NAME_value(names.get(), i));
    if (!text.empty()) texts.push_back(std::move(text));
  }
  return texts;
}

GeneralNamesHandle ParseNames(std::span<const std::string> names) {
  GeneralNamesHandle parsed(GENERAL_NAMES_new());
  Require(parsed != nullptr, "memory for subjectAltNames");
  for (const std::string& text : names) {
    GeneralNameHandle name = ParseName(text);
    if (name == nullptr) return nullptr;
    Require(sk_GENERAL_NAME_push(parsed.get(), name.get()) > 0, "memory for subjectAltNames");
    static_cast<void>(name.release());  // the list owns it
  }
  return parsed;
}

}  // namespace coffer::crypto::internal
