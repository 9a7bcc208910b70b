// A real cofferd on a free port of 127.0.0.1, with its own data directory, certificate and tokens.
// The small language of the end-to-end tests:
//
//   RunningVault vault;                       // made, started, ready; sample class and purposes
//   auto reply = vault.As("crm-service").Post("/v1/clients", {{"external_ref", "A-1"}});
//   vault.Kill();  vault.Start();  vault.Stop();
#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/temporary_directory.h"

namespace coffer::testing {

struct HttpReply {
  int status = 0;  // 0: no answer (connection refused, reset)
  std::string body;
  std::map<std::string, std::string> headers;  // names in lower case

  nlohmann::json Json() const { return nlohmann::json::parse(body, nullptr, false); }
  std::string Code() const;  // of a problem document
  std::string Header(const std::string& name) const;
};

using HeaderList = std::vector<std::pair<std::string, std::string>>;

// One caller over a keep-alive TLS connection that trusts only the vault's own CA.
class Caller {
 public:
  Caller(int port, const std::string& ca_file, std::string token, std::string purpose);
  // With a client certificate: PEM files.
  Caller(int port, const std::string& ca_file, std::string token, std::string purpose,
         const std::string& certificate, const std::string& key);
  ~Caller();
  Caller(Caller&&) noexcept;

  HttpReply Get(const std::string& path, const HeaderList& more = {});
  HttpReply Delete(const std::string& path, const HeaderList& more = {});
  HttpReply Post(const std::string& path, const nlohmann::json& body, const HeaderList& more = {});
  HttpReply Put(const std::string& path, const nlohmann::json& body, const HeaderList& more = {});
  HttpReply Patch(const std::string& path, const nlohmann::json& body, const HeaderList& more = {});
  // Any method, any body, any media type.
  HttpReply Send(const std::string& method, const std::string& path, const std::string& body,
                 const std::string& media_type, const HeaderList& more = {});

  const std::string& token() const { return token_; }

 private:
  struct Connection;
  std::unique_ptr<Connection> connection_;
  std::string token_, purpose_;
};

// How a program ended: its exit code (128 + signal when killed) and what it wrote.
struct ProgramResult {
  int exit_code = 0;
  std::string out, err;
};

struct VaultSettings {
  std::string engine_settings;                     // lines for [engine]
  std::string server_settings;                     // lines for [server]
  std::string log_settings;                        // lines for [log]
  std::map<std::string, std::string> environment;  // of the server, beside the test's own
  bool start = true;
  bool populate = true;  // purposes and the shipped classes
  bool two_person = false;
};

class RunningVault {
 public:
  explicit RunningVault(const VaultSettings& settings = {});
  ~RunningVault();

  void Start();            // waits until ready; fails the test when it is not
  void StartTakingOver();  // once, with what was changed past the vault
  void Spawn();            // starts and does not wait
  // Nothing when it became ready, else the exit code and what it said.
  std::optional<ProgramResult> TryStart();
  ProgramResult StartRefused();  // fails the test when it became ready
  void Stop();                   // SIGTERM; fails the test when it does not end with 0
  int Terminate();               // SIGTERM; the exit code
  void Kill();                   // SIGKILL
  bool Alive() const;

  Caller As(const std::string& role, const std::string& purpose = "client-care");
  Caller WithToken(const std::string& token, const std::string& purpose = "client-care");
  std::string Token(const std::string& role);  // made once a role
  // The body of a request for an approval, asked by the one and approved by the other role: the id.
  std::string Approved(const std::string& asker, const nlohmann::json& proposal,
                       const std::string& approver);

  // Short cuts that must succeed.
  std::string NewClient(const std::string& external_ref);
  std::string NewContact(const std::string& client, const nlohmann::json& data);

  // What the log says of one request, oldest first, as a security officer reads it.
  std::vector<nlohmann::json> EntriesOf(const std::string& request_id);
  // Every page of a filter, from the entry numbered `from` on.
  std::vector<nlohmann::json> Entries(const std::string& query, std::uint64_t from = 0);
  nlohmann::json Counts();  // of everything stored but the log
  nlohmann::json Verify();  // the whole log and every live record; the report

  std::string directory() const { return work_ / "data"; }
  std::string root_key_file() const { return work_ / "root.key"; }
  std::string ca_file() const { return work_ / "server.crt"; }
  std::string config_file() const { return work_ / "coffer.toml"; }
  std::string log_file() const { return work_ / "cofferd.log"; }  // stderr of every run
  std::string ServerLog() const;
  std::string LogKey();  // verifier key, from the keyring's header
  int port() const { return port_; }
  pid_t pid() const { return pid_; }
  const TemporaryDirectory& work() const { return work_; }

 private:
  void Populate();

  TemporaryDirectory work_;
  VaultSettings settings_;
  std::string admin_token_;
  std::map<std::string, std::string> tokens_;
  std::unique_ptr<Caller> officer_;  // reads the log, over one connection
  int port_ = 0;
  bool take_over_state_ = false;
  pid_t pid_ = -1;
};

// Runs a program to its end.
ProgramResult RunProgram(const std::vector<std::string>& arguments,
                         const std::map<std::string, std::string>& environment = {},
                         const std::string& input = {});

std::string ReadWholeFile(const std::string& path);
void WriteWholeFile(const std::string& path, const std::string& content);

}  // namespace coffer::testing
