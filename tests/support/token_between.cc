// A PKCS#11 module that hands everything to a real one, but for what TOKEN_BETWEEN names:
//
//   crash            the process dies while it begins
//   exit             the process ends while it begins, as if all were well
//   hang             it begins, for ever
//   hang-at-end      it ends, for ever
//   pulled           the token is gone when it is to decrypt
//   locked           the PIN is locked, and says so before it is tried
//   locks            the PIN is locked, and says so when it is tried
//   extractable      every key says that it may leave
//   no-gcm           the mechanism is missing
//   careless         decrypts whatever it is given, altered or not
//   parameters       begins with the text of TOKEN_PARAMETERS, as the module of NSS wants it
//
// TOKEN_BEHIND is the real one. Each login adds a byte to the file TOKEN_LOGINS.
#include <dlfcn.h>
#include <fcntl.h>
#include <p11-kit/pkcs11.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string_view>

namespace {

CK_FUNCTION_LIST behind;
unsigned char last_plain[256];
unsigned long last_size = 0;

std::string_view Setting(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view() : value;
}
bool Mode(std::string_view mode) { return Setting("TOKEN_BETWEEN") == mode; }

[[noreturn]] void Hang() {
  for (;;) pause();
}

// CK_C_INITIALIZE_ARGS as NSS has it.
struct ArgumentsWithParameters {
  void* mutexes[4];
  CK_FLAGS flags;
  const char* parameters;
  void* reserved;
};

CK_RV Initialize(void* arguments) {
  if (Mode("crash")) std::abort();
  if (Mode("exit")) _exit(0);
  if (Mode("hang")) Hang();
  if (!Mode("parameters")) return behind.C_Initialize(arguments);
  ArgumentsWithParameters with{{}, CKF_OS_LOCKING_OK, std::getenv("TOKEN_PARAMETERS"), nullptr};
  return behind.C_Initialize(&with);
}

CK_RV Finalize(void* reserved) {
  if (Mode("hang-at-end")) Hang();
  return behind.C_Finalize(reserved);
}

CK_RV GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO* info) {
  const CK_RV status = behind.C_GetTokenInfo(slot, info);
  if (Mode("locked")) info->flags |= CKF_USER_PIN_LOCKED;
  return status;
}

CK_RV GetMechanismInfo(CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO* info) {
  if (Mode("no-gcm") && type == CKM_AES_GCM) return CKR_MECHANISM_INVALID;
  return behind.C_GetMechanismInfo(slot, type, info);
}

CK_RV GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                        CK_ATTRIBUTE* attributes, CK_ULONG count) {
  const CK_RV status = behind.C_GetAttributeValue(session, object, attributes, count);
  if (Mode("extractable") && attributes->type == CKA_EXTRACTABLE && attributes->pValue != nullptr) {
    *static_cast<CK_BBOOL*>(attributes->pValue) = CK_TRUE;
  }
  return status;
}

CK_RV Login(CK_SESSION_HANDLE session, CK_USER_TYPE user, unsigned char* pin, CK_ULONG size) {
  if (const char* const file = std::getenv("TOKEN_LOGINS"); file != nullptr) {
    const int count = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (count < 0 || write(count, ".", 1) != 1) std::abort();
    close(count);
  }
  if (Mode("locks")) return CKR_PIN_LOCKED;
  return behind.C_Login(session, user, pin, size);
}

CK_RV Encrypt(CK_SESSION_HANDLE session, unsigned char* data, CK_ULONG size, unsigned char* out,
              CK_ULONG* out_size) {
  if (Mode("careless") && size <= sizeof last_plain) {
    std::memcpy(last_plain, data, size);
    last_size = size;
  }
  return behind.C_Encrypt(session, data, size, out, out_size);
}

CK_RV Decrypt(CK_SESSION_HANDLE session, unsigned char* data, CK_ULONG size, unsigned char* out,
              CK_ULONG* out_size) {
  if (Mode("pulled")) return CKR_DEVICE_REMOVED;
  const CK_RV status = behind.C_Decrypt(session, data, size, out, out_size);
  if (!Mode("careless")) return status;
  std::memcpy(out, last_plain, last_size);
  *out_size = last_size;
  return CKR_OK;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST** list) {
  static CK_FUNCTION_LIST between;
  void* const module = dlopen(std::getenv("TOKEN_BEHIND"), RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr) return CKR_GENERAL_ERROR;
  const auto get =
      reinterpret_cast<CK_RV (*)(CK_FUNCTION_LIST**)>(dlsym(module, "C_GetFunctionList"));
  CK_FUNCTION_LIST* real = nullptr;
  if (get == nullptr || get(&real) != CKR_OK) return CKR_GENERAL_ERROR;
  behind = between = *real;
  between.C_GetFunctionList = C_GetFunctionList;
  between.C_Initialize = Initialize;
  between.C_Finalize = Finalize;
  between.C_GetTokenInfo = GetTokenInfo;
  between.C_GetMechanismInfo = GetMechanismInfo;
  between.C_GetAttributeValue = GetAttributeValue;
  between.C_Login = Login;
  between.C_Encrypt = Encrypt;
  between.C_Decrypt = Decrypt;
  *list = &between;
  return CKR_OK;
}
