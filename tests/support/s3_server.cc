#include "tests/support/s3_server.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "crypto/atomic_file.h"
#include "crypto/encoding.h"
#include "crypto/random.h"
#include "crypto/secret_bytes.h"

extern char** environ;

namespace coffer::testing {
namespace {

std::string ContentOf(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return content.str();
}

}  // namespace

S3Server& S3Server::Get() {
  static S3Server server;
  return server;
}

S3Server::S3Server() : secret_(crypto::HexEncode(crypto::RandomBytes(20))) {
  if (!crypto::WriteFileAtomically(credentials_file(),
                                   crypto::AsBytes("test:coffer " + secret_ + "\n"))) {
    throw std::runtime_error("no credentials");
  }
  if (!crypto::InitializeCrypto()) throw std::runtime_error("no cryptography");
  int out[2];
  if (pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  std::string python = "/usr/bin/python3", script = COFFER_SOURCE_DIR "/tests/support/s3_server.py";
  std::string folder = work_.path();
  char* arguments[] = {python.data(), script.data(), folder.data(), nullptr};
  const int failed = posix_spawn(&process_, python.c_str(), &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  close(out[1]);
  std::string said;
  char c = 0;
  while (failed == 0 && read(out[0], &c, 1) == 1 && c != '\n') said += c;
  close(out[0]);
  if (said.empty()) {
    throw std::runtime_error("s3_server.py does not begin: is python3-swift installed?");
  }
  port_ = std::stoi(said);
}

S3Server::~S3Server() {
  kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
}

vault::StorePlace S3Server::Place(const std::string& bucket, const std::string& prefix) const {
  vault::S3Options options;
  options.credentials_file = credentials_file();
  options.tries = 3;
  options.first_pause = std::chrono::milliseconds(1);
  options.longest_pause = std::chrono::milliseconds(5);
  options.young_for = std::chrono::seconds(0);
  return {url() + "/" + bucket + "/" + prefix, options};
}

void S3Server::Fail(const nlohmann::json& faults) {
  const nlohmann::json said = {{"id", ++faults_}, {"faults", faults}};
  if (!crypto::WriteFileAtomically(work_ / "faults.json", crypto::AsBytes(said.dump()))) {
    throw std::runtime_error("no faults");
  }
}

void S3Server::FailNothing() { Fail(nlohmann::json::array()); }

std::string S3Server::Received() const { return ContentOf(work_ / "received"); }

std::vector<nlohmann::json> S3Server::Requests() const {
  std::vector<nlohmann::json> requests;
  std::istringstream lines(ContentOf(work_ / "requests"));
  for (std::string line; std::getline(lines, line);) {
    requests.push_back(nlohmann::json::parse(line));
  }
  return requests;
}

}  // namespace coffer::testing
