// One session with one token, through its module. In the process coffer-token only.
#pragma once

#include <p11-kit/p11-kit.h>
#include <p11-kit/pkcs11.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crypto/result.h"
#include "crypto/secret_bytes.h"
#include "crypto/token_uri.h"

namespace coffer::crypto::token {

class Session {
 public:
  // Loads the module, finds the one token that the URI means, and logs in, once. `writing` for what
  // makes a key. Errors: those of token_root_key.h.
  static Result<std::unique_ptr<Session>> Open(const TokenUri& uri, SecretBytes pin, bool writing);

  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Logs out and ends the module, which may never return from it. Not done by a destructor: what
  // has to be said is said before.
  void End();

  const std::string& token_label() const { return token_label_; }
  const std::string& token_serial() const { return token_serial_; }

  std::vector<CK_OBJECT_HANDLE> Find(std::vector<CK_ATTRIBUTE> wanted, CK_RV& status);
  // Nothing where the object has no such attribute, or shows it to nobody.
  std::optional<Bytes> Attribute(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type);
  bool HasMechanism(CK_MECHANISM_TYPE type, CK_FLAGS uses);

  CK_FUNCTION_LIST* module() const { return module_; }
  CK_SESSION_HANDLE handle() const { return session_; }

  // The error for what a function of the module returned; `doing` is "made a key".
  static Error ErrorOf(CK_RV status, const std::string& doing);

 private:
  explicit Session(CK_FUNCTION_LIST* module) : module_(module) {}
  Status Choose(const TokenUri& uri);
  Status LogIn(const SecretBytes& pin);

  CK_FUNCTION_LIST* module_;
  CK_SLOT_ID slot_ = 0;
  CK_SESSION_HANDLE session_ = 0;
  std::string token_label_, token_serial_;
};

}  // namespace coffer::crypto::token
