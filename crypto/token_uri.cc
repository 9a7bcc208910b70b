#include "crypto/token_uri.h"

#include <p11-kit/pkcs11.h>

#include <algorithm>

#include "crypto/internal/p11_uri.h"
#include "crypto/internal/unicode.h"

namespace coffer::crypto {
namespace {

constexpr std::size_t kMaxUriBytes = 2048;
constexpr std::size_t kMaxTokenKeyLabel = 200;
constexpr std::size_t kMaxTokenKeyId = 64;

// The URI itself is not repeated: it may have a PIN, which is one of the reasons to refuse it.
std::unexpected<Error> BadUri(std::string_view what) {
  return Fail(Code::kInvalidArgument, "root_key_uri_invalid",
              "the root key's URI " + std::string(what));
}

ByteView ValueOf(const CK_ATTRIBUTE* attribute) {
  if (attribute == nullptr || attribute->pValue == nullptr) return {};
  return {static_cast<const std::uint8_t*>(attribute->pValue), attribute->ulValueLen};
}

bool HasControl(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; });
}

Status TakeKey(P11KitUri* parsed, TokenUri& uri) {
  uri.object = AsText(ValueOf(p11_kit_uri_get_attribute(parsed, CKA_LABEL)));
  if (uri.object.empty()) return BadUri("names no key: add object=LABEL");
  if (uri.object.size() > kMaxTokenKeyLabel || !internal::IsUtf8(uri.object) ||
      HasControl(uri.object)) {
    return BadUri("has an 'object' that is no text of at most 200 bytes");
  }
  const ByteView id = ValueOf(p11_kit_uri_get_attribute(parsed, CKA_ID));
  if (id.size() > kMaxTokenKeyId) return BadUri("has an 'id' of more than 64 bytes");
  uri.id.assign(id.begin(), id.end());
  const ByteView type = ValueOf(p11_kit_uri_get_attribute(parsed, CKA_CLASS));
  if (type.empty()) return {};
  CK_OBJECT_CLASS key_class = 0;
  if (type.size() != sizeof key_class) return BadUri("has a 'type' that cannot be read");
  std::copy_n(type.data(), sizeof key_class, reinterpret_cast<std::uint8_t*>(&key_class));
  if (key_class != CKO_SECRET_KEY && key_class != CKO_PRIVATE_KEY) {
    return BadUri("has a 'type' that is neither secret-key nor private");
  }
  uri.key_class = key_class == CKO_SECRET_KEY ? TokenKeyClass::kSecret : TokenKeyClass::kPrivate;
  return {};
}

Status TakePinSource(const char* source, TokenUri& uri) {
  if (source == nullptr) return {};
  uri.pin_source = source;
  if (uri.pin_source.starts_with("credential:")) return {};
  if (uri.pin_source.starts_with("file:")) uri.pin_source.erase(0, 5);
  if (uri.pin_source.starts_with("///")) uri.pin_source.erase(0, 2);  // file:///etc/pin
  if (!uri.pin_source.starts_with('/') || uri.pin_source.starts_with("//") ||
      HasControl(uri.pin_source)) {
    return BadUri("has a 'pin-source' that is neither file:/PATH nor credential:NAME");
  }
  return {};
}

}  // namespace

Result<TokenUri> ParseTokenUri(std::string_view text) {
  TokenUri uri;
  uri.text = text;
  if (!text.starts_with("pkcs11:")) return BadUri("must begin with 'pkcs11:'");
  if (text.size() > kMaxUriBytes || text.contains('\0')) return BadUri("is too long");
  const internal::P11Uri parsed(p11_kit_uri_new());
  if (const int fault = p11_kit_uri_parse(uri.text.c_str(), P11_KIT_URI_FOR_ANY, parsed.get());
      fault != P11_KIT_URI_OK) {
    return BadUri("cannot be read: RFC 7512 says how it is written");
  }
  if (p11_kit_uri_get_pin_value(parsed.get()) != nullptr) {
    return BadUri(
        "has a PIN in it, which others can see: put it into a file and name that with "
        "pin-source=file:/PATH");
  }
  if (p11_kit_uri_any_unrecognized(parsed.get()) != 0) {
    return BadUri("has an attribute that is not known");
  }
  const char* const module_path = p11_kit_uri_get_module_path(parsed.get());
  if (module_path == nullptr || *module_path != '/') {
    return BadUri("must name the token's module with ?module-path=/PATH");
  }
  if (p11_kit_uri_get_module_name(parsed.get()) != nullptr) {
    return BadUri("names a module twice: 'module-path' is enough");
  }
  uri.module_path = module_path;
  COFFER_TRY(TakeKey(parsed.get(), uri));
  COFFER_TRY(TakePinSource(p11_kit_uri_get_pin_source(parsed.get()), uri));
  return uri;
}

}  // namespace coffer::crypto
