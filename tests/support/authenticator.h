// An authenticator app: codes from the URI of its QR code, by liboath alone.
#pragma once

#include <string>
#include <string_view>

#include "audit/text/clock.h"

namespace coffer::testing {

class Authenticator {
 public:
  explicit Authenticator(std::string_view otpauth_uri);
  std::string CodeAt(audit::Timestamp time) const;
  const std::string& base32() const { return base32_; }
  const std::string& raw() const { return raw_; }

 private:
  std::string base32_, raw_;
};

}  // namespace coffer::testing
