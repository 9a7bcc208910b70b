// A root key that is gone in the middle.
#pragma once

#include <string_view>

#include "crypto/root_key_provider.h"

namespace coffer::crypto {

// Does as another one until its nth call.
class FailingRoot final : public RootKeyProvider {
 public:
  FailingRoot(RootKeyProvider& root, int good_calls) : root_(root), good_calls_(good_calls) {}
  std::string_view kind() const override { return root_.kind(); }
  Result<Bytes> Wrap(const SecretBytes& key, std::string_view context) override {
    if (good_calls_-- <= 0) return Fail(Code::kUnavailable, "token_absent");
    return root_.Wrap(key, context);
  }
  Result<SecretBytes> Unwrap(ByteView wrapped, std::string_view context) override {
    if (good_calls_-- <= 0) return Fail(Code::kUnavailable, "token_absent");
    return root_.Unwrap(wrapped, context);
  }

 private:
  RootKeyProvider& root_;
  int good_calls_;
};

}  // namespace coffer::crypto
