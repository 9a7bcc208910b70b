#include "crypto/token/session.h"

#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "crypto/internal/p11_uri.h"
#include "crypto/internal/unicode.h"

namespace coffer::crypto::token {
namespace {

constexpr CK_ULONG kMostSlots = 256;
constexpr CK_ULONG kMostObjects = 16;

// Padded with blanks, and not to be believed.
std::string TextOf(const unsigned char* bytes, std::size_t size) {
  std::string text(reinterpret_cast<const char*>(bytes), size);
  text.erase(text.find_last_not_of(' ') + 1);
  if (!internal::IsUtf8(text)) return "?";
  for (char& c : text) {
    if ((c >= 0 && c < 0x20) || c == 0x7f) c = '?';
  }
  return text;
}

Result<CK_FUNCTION_LIST*> Load(const std::string& path) {
  if (access(path.c_str(), F_OK) != 0) {
    return Fail(Code::kNotFound, "token_module_missing",
                "the token's module " + path + " does not exist");
  }
  CK_FUNCTION_LIST* const module = p11_kit_module_load(path.c_str(), P11_KIT_MODULE_UNMANAGED);
  if (module == nullptr) {
    const char* const why = p11_kit_message();
    return Fail(Code::kInvalidArgument, "token_module_unusable",
                path + " is no module that can be loaded: " + (why == nullptr ? "?" : why));
  }
  if (const CK_RV status = p11_kit_module_initialize(module); status != CKR_OK) {
    return std::unexpected(Session::ErrorOf(status, "began the module " + path));
  }
  return module;
}

// What is left of tries, as the token says after a wrong PIN.
std::string_view Warning(CK_FLAGS flags) {
  if ((flags & CKF_USER_PIN_LOCKED) != 0) return "; it is locked now";
  if ((flags & CKF_USER_PIN_FINAL_TRY) != 0) return "; one more wrong one locks it";
  if ((flags & CKF_USER_PIN_COUNT_LOW) != 0) return "; several wrong ones lock it";
  return "";
}

std::unexpected<Error> PinLocked(const std::string& label) {
  return Fail(Code::kPermissionDenied, "token_pin_locked",
              "the PIN of the token '" + label +
                  "' is locked after too many wrong ones: its security officer unlocks it");
}

}  // namespace

Error Session::ErrorOf(CK_RV status, const std::string& doing) {
  char number[32];
  std::snprintf(number, sizeof number, "0x%08lx", status);
  const std::string detail =
      "when the token " + doing + ", it answered " + number + " (" + p11_kit_strerror(status) + ")";
  switch (status) {
    case CKR_DEVICE_REMOVED:
    case CKR_TOKEN_NOT_PRESENT:
      return {Code::kUnavailable, "token_removed", "the token was removed; " + detail, {}};
    case CKR_MECHANISM_INVALID:
    case CKR_MECHANISM_PARAM_INVALID:
    case CKR_FUNCTION_NOT_SUPPORTED:
      return {Code::kUnprocessable, "token_mechanism_missing", detail, {}};
    case CKR_KEY_FUNCTION_NOT_PERMITTED:
    case CKR_KEY_TYPE_INCONSISTENT:
      return {Code::kUnprocessable, "token_key_unsuitable", detail, {}};
    default:
      return {Code::kUnavailable, "token_failed", detail, {}};
  }
}

Result<std::unique_ptr<Session>> Session::Open(const TokenUri& uri, SecretBytes pin, bool writing) {
  COFFER_ASSIGN(CK_FUNCTION_LIST* const module, Load(uri.module_path));
  std::unique_ptr<Session> session(new Session(module));
  COFFER_TRY(session->Choose(uri));
  const CK_FLAGS flags = CKF_SERIAL_SESSION | (writing ? CKF_RW_SESSION : 0);
  if (const CK_RV status =
          module->C_OpenSession(session->slot_, flags, nullptr, nullptr, &session->session_);
      status != CKR_OK) {
    return std::unexpected(ErrorOf(status, "opened a session"));
  }
  COFFER_TRY(session->LogIn(pin));
  return session;
}

Status Session::Choose(const TokenUri& uri) {
  const internal::P11Uri wanted(p11_kit_uri_new());
  if (p11_kit_uri_parse(uri.text.c_str(), P11_KIT_URI_FOR_ANY, wanted.get()) != P11_KIT_URI_OK) {
    return Fail(Code::kInvalidArgument, "root_key_uri_invalid", "the root key's URI is malformed");
  }
  std::vector<CK_SLOT_ID> slots(kMostSlots);
  CK_ULONG count = kMostSlots;
  if (const CK_RV status = module_->C_GetSlotList(CK_TRUE, slots.data(), &count);
      status != CKR_OK) {
    return std::unexpected(ErrorOf(status, "listed its slots"));
  }
  slots.resize(count);
  const CK_SLOT_ID only = p11_kit_uri_get_slot_id(wanted.get());
  std::size_t found = 0;
  std::string serials;
  for (const CK_SLOT_ID slot : slots) {
    CK_SLOT_INFO place{};
    CK_TOKEN_INFO info{};
    if ((only != static_cast<CK_SLOT_ID>(-1) && only != slot) ||
        module_->C_GetSlotInfo(slot, &place) != CKR_OK ||
        module_->C_GetTokenInfo(slot, &info) != CKR_OK ||
        (info.flags & CKF_TOKEN_INITIALIZED) == 0 ||
        p11_kit_uri_match_slot_info(wanted.get(), &place) == 0 ||
        p11_kit_uri_match_token_info(wanted.get(), &info) == 0) {
      continue;
    }
    ++found;
    slot_ = slot;
    token_label_ = TextOf(info.label, sizeof info.label);
    token_serial_ = TextOf(info.serialNumber, sizeof info.serialNumber);
    serials += (serials.empty() ? "" : ", ") + token_serial_;
  }
  if (found == 0) {
    return Fail(Code::kNotFound, "token_missing",
                "none of the " + std::to_string(count) + " slots of " + uri.module_path +
                    " has the token that the URI means");
  }
  if (found == 1) return {};
  return Fail(
      Code::kConflict, "token_ambiguous",
      "the URI means " + std::to_string(found) + " tokens: add serial= with one of " + serials);
}

Status Session::LogIn(const SecretBytes& pin) {
  CK_TOKEN_INFO info{};
  if (const CK_RV status = module_->C_GetTokenInfo(slot_, &info); status != CKR_OK) {
    return std::unexpected(ErrorOf(status, "described itself"));
  }
  if ((info.flags & CKF_USER_PIN_LOCKED) != 0) return PinLocked(token_label_);
  const bool keypad = (info.flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0;
  if (pin.empty() && !keypad) {
    if ((info.flags & CKF_LOGIN_REQUIRED) == 0) return {};
    return Fail(Code::kInvalidArgument, "token_pin_missing",
                "the token '" + token_label_ +
                    "' asks for a PIN: name its file in the URI, with pin-source=file:/PATH");
  }
  auto* const text = const_cast<unsigned char*>(pin.ExposeSecret().data());
  const CK_RV status = module_->C_Login(session_, CKU_USER, text, pin.size());
  switch (status) {
    case CKR_OK:
    case CKR_USER_ALREADY_LOGGED_IN:
      return {};
    case CKR_PIN_LOCKED:
      return PinLocked(token_label_);
    case CKR_USER_PIN_NOT_INITIALIZED:
      return Fail(Code::kInvalidArgument, "token_pin_missing",
                  "the token '" + token_label_ + "' has no PIN yet: its security officer sets it");
    case CKR_PIN_INCORRECT:
    case CKR_PIN_INVALID:
    case CKR_PIN_LEN_RANGE:
    case CKR_PIN_EXPIRED: {
      // What the token says of itself can be of before; then nothing is said.
      if (module_->C_GetTokenInfo(slot_, &info) != CKR_OK) info.flags = 0;
      return Fail(Code::kUnauthenticated, "token_pin_wrong",
                  "the token '" + token_label_ + "' did not take the PIN (" +
                      p11_kit_strerror(status) + "), which was not tried again" +
                      std::string(Warning(info.flags)));
    }
    default:
      return std::unexpected(ErrorOf(status, "was logged in to"));
  }
}

void Session::End() {
  if (session_ != 0) {
    module_->C_Logout(session_);
    module_->C_CloseSession(session_);
  }
  p11_kit_module_finalize(module_);
}

std::vector<CK_OBJECT_HANDLE> Session::Find(std::vector<CK_ATTRIBUTE> wanted, CK_RV& status) {
  std::vector<CK_OBJECT_HANDLE> found(kMostObjects);
  CK_ULONG count = 0;
  status = module_->C_FindObjectsInit(session_, wanted.data(), wanted.size());
  if (status != CKR_OK) return {};
  status = module_->C_FindObjects(session_, found.data(), kMostObjects, &count);
  module_->C_FindObjectsFinal(session_);
  if (status != CKR_OK) return {};
  found.resize(count);
  return found;
}

std::optional<Bytes> Session::Attribute(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) {
  CK_ATTRIBUTE attribute{type, nullptr, 0};
  if (module_->C_GetAttributeValue(session_, object, &attribute, 1) != CKR_OK ||
      attribute.ulValueLen == CK_UNAVAILABLE_INFORMATION) {
    return std::nullopt;
  }
  Bytes value(attribute.ulValueLen);
  attribute.pValue = value.data();
  if (value.empty()) return value;
  if (module_->C_GetAttributeValue(session_, object, &attribute, 1) != CKR_OK ||
      attribute.ulValueLen > value.size()) {
    return std::nullopt;
  }
  value.resize(attribute.ulValueLen);
  return value;
}

bool Session::HasMechanism(CK_MECHANISM_TYPE type, CK_FLAGS uses) {
  CK_MECHANISM_INFO info{};
  return module_->C_GetMechanismInfo(slot_, type, &info) == CKR_OK && (info.flags & uses) == uses;
}

}  // namespace coffer::crypto::token
