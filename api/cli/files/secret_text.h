// Texts that hold a secret for a moment, on their way to a server or to a file.
#pragma once

#include <string>
#include <string_view>

#include "api/cli/text/failure.h"
#include "crypto/secret_bytes.h"

namespace coffer::cli {

// Overwrites it and leaves it empty.
void Forget(std::string& secret);

// A JSON object of texts. What was written is overwritten with the object, unless it was taken.
class SecretJson {
 public:
  SecretJson();
  ~SecretJson() { Forget(text_); }
  SecretJson(const SecretJson&) = delete;
  SecretJson& operator=(const SecretJson&) = delete;

  // Exit::kUsage for what is not UTF-8 text, or longer than any of these may be (4 KiB).
  Outcome<void> Add(std::string_view name, std::string_view value);
  Outcome<void> Add(std::string_view name, const crypto::SecretBytes& value);
  std::string Take();  // whoever takes it forgets it

 private:
  std::string text_;
};

}  // namespace coffer::cli
