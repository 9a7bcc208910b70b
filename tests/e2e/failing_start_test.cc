// Starts that must fail: each says what is wrong and what to do, ends with a code that is not 0,
// and leaves every file as it was; with the matter set right, the vault is whole.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sqlite3.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <filesystem>

#include "crypto/root_key_provider.h"
#include "crypto/secret_bytes.h"
#include "tests/support/running_vault.h"
#include "vault/vault.h"

using namespace coffer;
using namespace coffer::testing;
namespace fs = std::filesystem;

namespace {

// A vault with one record in it, stopped.
struct Stopped {
  RunningVault vault;
  std::string record_path;
  std::map<std::string, std::string> files;
  std::string config;

  Stopped() {
    const auto client = vault.NewClient("A-1");
    record_path = "/v1/clients/" + client + "/records/" +
                  vault.NewContact(client, {{"last_name", "Bergmann"}});
    (void)vault.Token("security-officer");
    vault.Stop();
    config = ReadWholeFile(vault.config_file());
    files = Files();
  }
  std::map<std::string, std::string> Files() const {
    std::map<std::string, std::string> all;
    for (const char* name : {"vault.db", "keys.db", "keyring.json", "anchor"}) {
      all[name] = ReadWholeFile(vault.directory() + "/" + name);
    }
    return all;
  }
  void PutBack() {
    WriteWholeFile(vault.config_file(), config);
    for (const auto& [name, content] : files) {
      for (const char* suffix : {"-wal", "-shm"})
        fs::remove(vault.directory() + "/" + name + suffix);
      WriteWholeFile(vault.directory() + "/" + name, content);
    }
  }
  void Configure(const std::string& from, const std::string& to) {
    std::string text = config;
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    WriteWholeFile(vault.config_file(), text.replace(at, from.size(), to));
  }
  // The start is refused for `reason`, in a message with all these words.
  void CheckRefused(const std::string& reason, const std::vector<std::string>& words,
                    int exit_code = 1) {
    const auto refused = vault.StartRefused();
    INFO(refused.err);
    CHECK(refused.exit_code == exit_code);
    CHECK(refused.err.find("(" + reason + ")") != std::string::npos);
    for (const auto& word : words) {
      INFO(word);
      CHECK(refused.err.find(word) != std::string::npos);
    }
  }
  void CheckWhole() {
    vault.Start();
    const auto read = vault.As("crm-service").Get(record_path);
    INFO(read.body);
    REQUIRE(read.status == 200);
    CHECK(read.Json().at("data").at("last_name") == "Bergmann");
    CHECK(vault.Verify().at("ok") == true);
    vault.Stop();
  }
};

}  // namespace

TEST_CASE("a root key that is missing, exposed, malformed or wrong stops the start") {
  Stopped s;
  const std::string path = s.vault.root_key_file();
  const std::string key = ReadWholeFile(path);
  fs::remove(path);
  s.CheckRefused("root_key_missing", {path});
  const auto put = [&](const std::string& content, mode_t mode) {
    WriteWholeFile(path, content);
    chmod(path.c_str(), mode);
  };
  for (const mode_t mode : {0644U, 0640U, 0604U, 0660U}) {
    put(key, mode);
    s.CheckRefused("root_key_exposed", {path, "0600"});
  }
  for (const std::string& wrong : {std::string(), key.substr(0, 63), key + key, "g" + key.substr(1),
                                   "-" + key, std::string(32, '\x80'), std::string(64, '0')}) {
    put(wrong, 0600);
    s.CheckRefused("root_key_malformed", {path});
  }
  put(std::string(64, '1') + "\n", 0600);
  s.CheckRefused("root_key_wrong", {"keyring.json"});
  CHECK(s.Files() == s.files);
  put(key, 0400);
  s.CheckWhole();
}

TEST_CASE("a passphrase that is missing, exposed, short or wrong stops the start") {
  Stopped s;
  const std::string directory = s.vault.work() / "by-passphrase";
  const std::string file = s.vault.work() / "passphrase";
  constexpr std::string_view kPassphrase = "correct horse battery staple";
  crypto::Argon2idParameters parameters;
  parameters.passes = 1;
  parameters.memory_kib = 8192;
  parameters.salt = crypto::Bytes(16, 7);
  {
    auto root = crypto::OpenPassphrase(crypto::SecretBytes::CopyOf(crypto::AsBytes(kPassphrase)),
                                       parameters);
    REQUIRE(root);
    REQUIRE(vault::InitializeVault({.directory = directory,
                                    .anchor_path = {},
                                    .log_origin = "test.example/other",
                                    .passphrase = parameters},
                                   **root));
  }
  std::string text = s.config;
  const auto at = text.find("directory = ");
  text = text.substr(0, at) + "directory = \"" + directory + "\"\npassphrase_file = \"" + file +
         "\"\n" + text.substr(text.find("[engine]"));
  WriteWholeFile(s.vault.config_file(), text);
  const auto put = [&](std::string_view content, mode_t mode) {
    WriteWholeFile(file, std::string(content));
    chmod(file.c_str(), mode);
  };
  s.CheckRefused("secret_file_missing", {file});
  put(kPassphrase, 0644);
  s.CheckRefused("secret_file_exposed", {file, "0600"});
  put("short\n", 0600);
  s.CheckRefused("passphrase_too_short", {"12"});
  put("incorrect horse battery staple\n", 0600);
  s.CheckRefused("root_key_wrong", {});
  put(std::string(kPassphrase) + "\n", 0600);
  s.vault.Start();
  s.vault.Stop();
  // The other vault's key file does not open it, and says so.
  const std::string by_key_file =
      text.replace(text.find("passphrase_file"), 15, "root_key_file")
          .replace(text.find(file), file.size(), s.vault.root_key_file());
  WriteWholeFile(s.vault.config_file(), by_key_file);
  s.CheckRefused("root_key_wrong", {"passphrase"});
  s.PutBack();
  s.CheckWhole();
}

TEST_CASE("a second server on the same directory, or on a port that is taken, stops at once") {
  Stopped s;
  s.vault.Start();
  const std::string other = s.vault.work() / "other.toml";
  std::string text = s.config;
  const std::string port = "port = " + std::to_string(s.vault.port());
  WriteWholeFile(other, text.replace(text.find(port), port.size(), "port = 0"));
  const auto second = RunProgram({std::string(COFFER_BIN_DIR) + "/cofferd", "--config", other});
  INFO(second.err);
  CHECK(second.exit_code == 1);
  CHECK(second.err.find("(vault_in_use)") != std::string::npos);
  CHECK(second.err.find(s.vault.directory()) != std::string::npos);
  CHECK(s.vault.As("crm-service").Get(s.record_path).status == 200);
  s.vault.Stop();

  const int taken = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(bind(taken, reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(listen(taken, 1) == 0);
  REQUIRE(getsockname(taken, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  const std::string number = std::to_string(ntohs(address.sin_port));
  s.Configure(port, "port = " + number);
  s.CheckRefused("port_taken", {"127.0.0.1:" + number});
  close(taken);
  s.Configure("[server]", "[server]\naddress = \"192.0.2.1\"");
  s.CheckRefused("port_taken", {"192.0.2.1"});
  WriteWholeFile(s.vault.config_file(), s.config);
  s.CheckWhole();
}

TEST_CASE("a certificate that cannot be used stops the start") {
  Stopped s;
  const std::string certificate = s.vault.work() / "server.crt";
  const std::string key = s.vault.work() / "server.key";
  s.Configure(certificate, certificate + ".missing");
  s.CheckRefused("certificate_unusable", {certificate + ".missing"});
  s.Configure(key, key + ".missing");
  s.CheckRefused("certificate_unusable", {key + ".missing"});
  s.Configure(certificate, key);  // not a certificate
  s.CheckRefused("certificate_unusable", {"PEM"});
  const std::string strange = s.vault.work() / "strange.key";
  REQUIRE(RunProgram({"/usr/bin/openssl", "genpkey", "-algorithm", "ED25519", "-out", strange})
              .exit_code == 0);
  s.Configure(key, strange);
  s.CheckRefused("certificate_unusable", {strange, "together"});
  WriteWholeFile(s.vault.config_file(), s.config);
  s.CheckWhole();
}

TEST_CASE("a configuration is refused at its first fault, with file and line") {
  Stopped s;
  const std::string file = s.vault.config_file();
  const std::vector<std::pair<std::string, std::string>> faults = {
      {"[engine]\nqueue_limit = \"many\"", "'engine.queue_limit'"},
      {"[engine]\nqueue_limit = 1", "'engine.queue_limit'"},
      {"[engine]\nqueue_limt = 100", "'engine.queue_limt' is not a known setting"},
      {"[engin]\n", "'engin' is not a known section"},
      {"[engine]\nrequire_locked_memory = 1", "true or false"},
      {"[engine\n", "line"},
      {"[engine]\n[engine]\n", "engine"},
  };
  for (const auto& [section, words] : faults) {
    s.Configure("[engine]", section);
    const auto refused = s.vault.StartRefused();
    INFO(refused.err);
    CHECK(refused.exit_code == 78);
    CHECK(refused.err.find("(config_invalid)") != std::string::npos);
    CHECK(refused.err.find(file + ":") != std::string::npos);
    if (words != "line") CHECK(refused.err.find(words) != std::string::npos);
  }
  s.Configure("root_key_file", "# root_key_file");
  s.CheckRefused("config_invalid", {file, "vault.root_key_file", "vault.passphrase_file"}, 78);
  s.Configure("certificate", "# certificate");
  s.CheckRefused("config_invalid", {file, "server.certificate"}, 78);
  s.Configure("root_key_file = \"", "root_key_file = \"credential:root\" # \"");
  s.CheckRefused("config_invalid", {"LoadCredential=root"});
  fs::remove(file);
  s.CheckRefused("config_invalid", {file}, 78);
  WriteWholeFile(file, s.config);
  CHECK(RunProgram({std::string(COFFER_BIN_DIR) + "/cofferd", "--config", file, "--check"})
            .exit_code == 0);
  CHECK(RunProgram({std::string(COFFER_BIN_DIR) + "/cofferd", "--verbose"}).exit_code == 64);
  CHECK(s.Files() == s.files);
  s.CheckWhole();
}

TEST_CASE("a directory without a vault, or with a part of one, is not served") {
  Stopped s;
  const std::string empty = s.vault.work() / "empty";
  fs::create_directory(empty);
  s.Configure(s.vault.directory(), empty);
  s.CheckRefused("vault_missing", {empty, "coffer init"});
  CHECK(fs::is_empty(empty));
  s.Configure(s.vault.directory(), empty + "/nowhere");
  s.CheckRefused("vault_missing", {empty + "/nowhere"});
  s.PutBack();
  for (const auto& [name, reason] :
       {std::pair("vault.db", "database_missing"), std::pair("keys.db", "database_missing"),
        std::pair("keyring.json", "vault_missing"), std::pair("anchor", "anchor_missing")}) {
    fs::remove(s.vault.directory() + "/" + name);
    s.CheckRefused(reason, {s.vault.directory()});
    CHECK_FALSE(fs::exists(s.vault.directory() + "/" + std::string(name)));
    s.PutBack();
  }
  for (const std::string& wrong : {std::string(), std::string("{}"), std::string("{"),
                                   s.files["keyring.json"].substr(0, 300)}) {
    WriteWholeFile(s.vault.directory() + "/keyring.json", wrong);
    s.CheckRefused("keyring_malformed", {s.vault.directory() + "/keyring.json"});
  }
  s.PutBack();
  s.CheckWhole();
}

TEST_CASE("a database that is cut, foreign, plaintext or garbage is refused and left alone") {
  Stopped s;
  sqlite3* plain = nullptr;
  const std::string plaintext = s.vault.work() / "plain.db";
  REQUIRE(sqlite3_open(plaintext.c_str(), &plain) == SQLITE_OK);
  REQUIRE(sqlite3_exec(plain, "CREATE TABLE clients (id)", nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(plain);
  VaultSettings stopped;
  stopped.start = false;
  const RunningVault other(stopped);

  for (const std::string& name : {std::string("vault.db"), std::string("keys.db")}) {
    const std::string path = s.vault.directory() + "/" + name;
    const std::string& whole = s.files[name];
    const auto refused = [&](const char* why, const std::string& content,
                             const std::string& reason) {
      INFO(name << " " << why);
      WriteWholeFile(path, content);
      const auto end = s.vault.StartRefused();
      INFO(end.err);
      CHECK(end.exit_code == 1);
      if (!reason.empty()) {
        CHECK(end.err.find("(" + reason + ")") != std::string::npos);
        CHECK(end.err.find(path) != std::string::npos);
        CHECK(ReadWholeFile(path) == content);
      }
      s.PutBack();
    };
    refused("plaintext", ReadWholeFile(plaintext), "database_plaintext");
    refused("of another vault", ReadWholeFile(other.directory() + "/" + name),
            "database_unreadable");
    refused("the other file", s.files[name == "vault.db" ? "keys.db" : "vault.db"],
            "database_unreadable");
    refused("garbage", std::string(65'536, 'x'), "database_unreadable");
    refused("cut within the first page", whole.substr(0, 1000), "database_unreadable");
    if (name == "vault.db") {
      refused("cut after the first page", whole.substr(0, 4096), "");
      refused("cut in half", whole.substr(0, whole.size() / 2), "");
      refused("cut by a page", whole.substr(0, whole.size() - 4096), "");
    }
  }
  s.CheckWhole();
}

TEST_CASE("an empty file in a database's place is not taken for a new one") {
  Stopped s;
  for (const char* name : {"vault.db", "keys.db"}) {
    INFO(name);
    WriteWholeFile(s.vault.directory() + "/" + name, "");
    if (const auto refused = s.vault.TryStart()) {
      INFO(refused->err);
      CHECK(refused->err.find(s.vault.directory() + "/" + name) != std::string::npos);
      CHECK(ReadWholeFile(s.vault.directory() + "/" + name).empty());
    } else {
      CHECK(std::string("started") == "refused");
      s.vault.Kill();
    }
    s.PutBack();
  }
  s.CheckWhole();
}
