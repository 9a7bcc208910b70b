// What a refusal is compared by: its code and reason.
#pragma once

#include <string_view>

#include "crypto/result.h"

namespace coffer::crypto {

template <class T>
bool FailsWith(const Result<T>& result, Code code, std::string_view reason) {
  return !result && result.error().code == code && result.error().reason == reason;
}

}  // namespace coffer::crypto
