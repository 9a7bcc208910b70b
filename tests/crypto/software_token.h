// Tokens of SoftHSM2 in a directory of a test's own. What is under test reads the environment, as
// the module does: one of these at a time.
#pragma once

#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/crypto/temporary_directory.h"

namespace coffer::crypto {

class SoftwareTokens {
 public:
  static constexpr const char* kPin = "pin-of-the-token-271828";

  // Nothing else makes sense where the module is not installed: SKIP.
  static std::string Module() {
    for (const char* const path :
         {"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so"}) {
      if (std::filesystem::exists(path)) return path;
    }
    return {};
  }
  // The module of tests/support/token_between.cc.
  static std::string Between() {
    return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "token_between.so")
        .string();
  }

  SoftwareTokens() {
    std::filesystem::create_directory(directory_ / "tokens");
    Set("SOFTHSM2_CONF",
        directory_.Put("softhsm2.conf", "directories.tokendir = " + (directory_ / "tokens") +
                                            "\nobjectstore.backend = file\n"
                                            "log.level = ERROR\n"));
    Set("TOKEN_BEHIND", Module());
    Set("TOKEN_LOGINS", directory_ / "logins");
    directory_.Put("pin", std::string(kPin) + "\n");
  }
  ~SoftwareTokens() {
    for (const auto& name : names_) unsetenv(name.c_str());
  }
  SoftwareTokens(const SoftwareTokens&) = delete;
  SoftwareTokens& operator=(const SoftwareTokens&) = delete;

  void Add(const std::string& label, const std::string& pin = kPin) const {
    Run("softhsm2-util --init-token --free --label '" + label + "' --so-pin 12345678 --pin '" +
        pin + "'");
  }
  // As when it is not plugged in; and back.
  void Pull() const {
    std::filesystem::rename(tokens(), directory_ / "pulled");
    std::filesystem::create_directory(tokens());
  }
  void Plug() const {
    std::filesystem::remove_all(tokens());
    std::filesystem::rename(directory_ / "pulled", tokens());
  }

  // "pkcs11:token=…;object=…?module-path=…&pin-source=…"
  std::string Uri(const std::string& attributes, const std::string& module = Module()) const {
    return "pkcs11:" + attributes + "?module-path=" + module + "&pin-source=file:" + pin_file();
  }
  std::string pin_file() const { return directory_ / "pin"; }
  std::string tokens() const { return directory_ / "tokens"; }
  const TemporaryDirectory& directory() const { return directory_; }
  std::size_t Logins() const { return directory_.Get("logins").size(); }

  void Set(const std::string& name, const std::string& value) {
    setenv(name.c_str(), value.c_str(), 1);
    names_.push_back(name);
  }
  void Misbehave(const std::string& mode) { Set("TOKEN_BETWEEN", mode); }

  static void Run(const std::string& command) {
    if (std::system((command + " >/dev/null 2>&1").c_str()) != 0) throw std::runtime_error(command);
  }

 private:
  TemporaryDirectory directory_;
  std::vector<std::string> names_;
};

}  // namespace coffer::crypto
