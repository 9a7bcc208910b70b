#include "tests/support/running_vault.h"

#include <fcntl.h>
#include <httplib.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>

#include "audit/tlog/checkpoint.h"
#include "crypto/keyring.h"
#include "crypto/root_key_provider.h"
#include "crypto/secret_bytes.h"
#include "vault/vault.h"

namespace coffer::testing {
namespace {

using nlohmann::json;

// Under sanitizers, on a busy machine.
constexpr auto kReadyWithin = std::chrono::seconds(120);
constexpr auto kEndedWithin = std::chrono::seconds(120);

// COFFER_BIN_DIR names the programs of another build tree.
std::string Binary(const std::string& name) {
  const char* elsewhere = std::getenv("COFFER_BIN_DIR");
  return std::string(elsewhere != nullptr ? elsewhere : COFFER_BIN_DIR) + "/" + name;
}

// None of those that the system gives to who connects somewhere: a server that is started again, or
// a little later, finds its port still free.
int FreePort() {
  std::random_device random;
  std::uniform_int_distribution<int> ports(30'000, 32'767);
  for (int tries = 0; tries < 1000; ++tries) {
    const int port = ports(random);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    const bool is_free = bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    close(fd);
    if (is_free) return port;
  }
  FAIL("no port is free");
  return 0;
}

int ExitCodeOf(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

httplib::Headers HeadersOf(const std::string& token, const std::string& purpose,
                           const HeaderList& more) {
  httplib::Headers headers;
  if (!token.empty()) headers.emplace("Authorization", "Bearer " + token);
  if (!purpose.empty()) headers.emplace("Coffer-Purpose", purpose);
  for (const auto& [name, value] : more) headers.emplace(name, value);
  return headers;
}

HttpReply ReplyOf(const httplib::Result& result) {
  HttpReply reply;
  if (!result) return reply;
  reply.status = result->status;
  reply.body = result->body;
  for (const auto& [given, value] : result->headers) {
    std::string name = given;
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    reply.headers[name] = value;
  }
  return reply;
}

}  // namespace

std::string HttpReply::Code() const {
  const json parsed = Json();
  return parsed.is_object() ? parsed.value("code", "") : "";
}

std::string HttpReply::Header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

struct Caller::Connection {
  httplib::SSLClient client;
  Connection(int port, const std::string& ca_file, const std::string& certificate = {},
             const std::string& key = {})
      : client("127.0.0.1", port, certificate, key) {
    client.set_ca_cert_path(ca_file);
    client.enable_server_certificate_verification(true);
    client.set_keep_alive(true);
    client.set_tcp_nodelay(true);
    client.set_connection_timeout(5);
    client.set_read_timeout(60);
  }
};

Caller::Caller(int port, const std::string& ca_file, std::string token, std::string purpose)
    : connection_(std::make_unique<Connection>(port, ca_file)),
      token_(std::move(token)),
      purpose_(std::move(purpose)) {}
Caller::Caller(int port, const std::string& ca_file, std::string token, std::string purpose,
               const std::string& certificate, const std::string& key)
    : connection_(std::make_unique<Connection>(port, ca_file, certificate, key)),
      token_(std::move(token)),
      purpose_(std::move(purpose)) {}
Caller::~Caller() = default;
Caller::Caller(Caller&&) noexcept = default;

HttpReply Caller::Get(const std::string& path, const HeaderList& more) {
  return ReplyOf(connection_->client.Get(path, HeadersOf(token_, purpose_, more)));
}

HttpReply Caller::Delete(const std::string& path, const HeaderList& more) {
  return ReplyOf(connection_->client.Delete(path, HeadersOf(token_, purpose_, more)));
}

HttpReply Caller::Send(const std::string& method, const std::string& path, const std::string& body,
                       const std::string& media_type, const HeaderList& more) {
  httplib::Request request;
  request.method = method;
  request.path = path;
  request.headers = HeadersOf(token_, purpose_, more);
  request.body = body;
  if (!media_type.empty()) request.set_header("Content-Type", media_type);
  return ReplyOf(connection_->client.send(request));
}

HttpReply Caller::Post(const std::string& path, const json& body, const HeaderList& more) {
  return Send("POST", path, body.dump(), "application/json", more);
}
HttpReply Caller::Put(const std::string& path, const json& body, const HeaderList& more) {
  return Send("PUT", path, body.dump(), "application/json", more);
}
HttpReply Caller::Patch(const std::string& path, const json& body, const HeaderList& more) {
  return Send("PATCH", path, body.dump(), "application/json", more);
}

std::string ReadWholeFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

void WriteWholeFile(const std::string& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << content;
  REQUIRE(file.good());
}

ProgramResult RunProgram(const std::vector<std::string>& arguments,
                         const std::map<std::string, std::string>& environment,
                         const std::string& input) {
  const TemporaryDirectory work;
  WriteWholeFile(work / "in", input);
  std::vector<char*> argv;
  for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
    dup2(open((work / "in").c_str(), O_RDONLY), STDIN_FILENO);
    dup2(open((work / "out").c_str(), O_CREAT | O_WRONLY, 0600), STDOUT_FILENO);
    dup2(open((work / "err").c_str(), O_CREAT | O_WRONLY, 0600), STDERR_FILENO);
    execv(argv[0], argv.data());
    _exit(127);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return {ExitCodeOf(status), ReadWholeFile(work / "out"), ReadWholeFile(work / "err")};
}

RunningVault::RunningVault(const VaultSettings& settings) : settings_(settings) {
  REQUIRE(crypto::InitializeCrypto());
  signal(SIGPIPE, SIG_IGN);  // servers refuse bodies, and are killed, while requests are written
  const auto made =
      RunProgram({"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                  "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=Coffer test",
                  "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout",
                  work_ / "server.key", "-out", work_ / "server.crt"});
  REQUIRE(made.exit_code == 0);
  REQUIRE(crypto::CreateKeyFile(root_key_file()));
  auto root = crypto::OpenKeyFile(root_key_file());
  REQUIRE(root);
  const auto tokens = vault::InitializeVault({.directory = directory(),
                                              .anchor_path = {},
                                              .log_origin = "test.example/log",
                                              .passphrase = {},
                                              .two_person = settings.two_person},
                                             **root);
  REQUIRE(tokens);
  admin_token_ = tokens->administrator.secret;
  if (tokens->security_officer) tokens_["security-officer"] = tokens->security_officer->secret;
  tokens_["administrator"] = admin_token_;
  port_ = FreePort();
  WriteWholeFile(config_file(),
                 "[server]\nport = " + std::to_string(port_) + "\ncertificate = \"" +
                     (work_ / "server.crt") + "\"\nprivate_key = \"" + (work_ / "server.key") +
                     "\"\n" + settings.server_settings + "\n[vault]\ndirectory = \"" + directory() +
                     "\"\nroot_key_file = \"" + root_key_file() +
                     "\"\n[operator]\nname = \"Example Care Ltd\"\naddress = \"1 Example Street, "
                     "Exampletown\"\nsystem = \"Example CRM\"\n[engine]\n" +
                     settings.engine_settings + "\n[log]\n" + settings.log_settings + "\n");
  if (settings.start) Start();
  if (settings.start && settings.populate) Populate();
}

RunningVault::~RunningVault() {
  if (Alive()) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
}

void RunningVault::Spawn() {
  const std::string binary = Binary("cofferd");
  officer_.reset();
  pid_ = fork();
  REQUIRE(pid_ >= 0);
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // no server outlives its test
    for (const auto& [name, value] : settings_.environment) setenv(name.c_str(), value.c_str(), 1);
    const int log = open(log_file().c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    execl(binary.c_str(), "cofferd", "--config", config_file().c_str(),
          take_over_state_ ? "--take-over-state" : nullptr, nullptr);
    _exit(127);
  }
}

std::optional<ProgramResult> RunningVault::TryStart() {
  const auto said_before = ServerLog().size();
  Spawn();
  const auto until = std::chrono::steady_clock::now() + kReadyWithin;
  while (std::chrono::steady_clock::now() < until) {
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      return ProgramResult{ExitCodeOf(status), {}, ServerLog().substr(said_before)};
    }
    Caller stranger(port_, ca_file(), "", "");
    if (stranger.Get("/health/ready").status == 200) return std::nullopt;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  FAIL("cofferd neither became ready nor ended: " + ServerLog());
  return std::nullopt;
}

void RunningVault::Start() {
  if (const auto ended = TryStart()) {
    FAIL("cofferd ended at once, " + std::to_string(ended->exit_code) + ": " + ended->err);
  }
}

void RunningVault::StartTakingOver() {
  take_over_state_ = true;
  Start();
  take_over_state_ = false;
}

ProgramResult RunningVault::StartRefused() {
  const auto ended = TryStart();
  if (!ended) FAIL("cofferd should have refused to start");
  return *ended;
}

int RunningVault::Terminate() {
  REQUIRE(Alive());
  kill(pid_, SIGTERM);
  int status = 0;
  const auto until = std::chrono::steady_clock::now() + kEndedWithin;
  while (waitpid(pid_, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > until) {
      Kill();
      FAIL("cofferd did not end: " + ServerLog());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  pid_ = -1;
  return ExitCodeOf(status);
}

void RunningVault::Stop() {
  const int code = Terminate();
  INFO(ServerLog());
  REQUIRE(code == 0);
}

void RunningVault::Kill() {
  REQUIRE(Alive());
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

bool RunningVault::Alive() const { return pid_ > 0 && kill(pid_, 0) == 0; }

std::string RunningVault::ServerLog() const { return ReadWholeFile(log_file()); }

std::string RunningVault::LogKey() {
  const auto header = crypto::Keyring::ReadHeader(directory() + "/keyring.json");
  REQUIRE(header);
  return audit::FormatVerifierKey({header->log_origin, header->log_public_key});
}

Caller RunningVault::WithToken(const std::string& token, const std::string& purpose) {
  return Caller(port_, ca_file(), token, purpose);
}

std::string RunningVault::Token(const std::string& role) {
  if (const auto known = tokens_.find(role); known != tokens_.end()) return known->second;
  HeaderList headers;
  const bool privileged = role != "case-worker" && role != "auditor";
  if (settings_.two_person && privileged) {
    headers.emplace_back("Coffer-Approval",
                         Approved("administrator",
                                  {{"action", "role.give"},
                                   {"target", "service:test " + role},
                                   {"content", {{"role", role}, {"by", "token"}}}},
                                  "security-officer"));
  }
  const auto reply = WithToken(admin_token_, "")
                         .Post("/v1/tokens", {{"name", "test " + role}, {"role", role}}, headers);
  INFO(reply.body);
  REQUIRE(reply.status == 201);
  return tokens_[role] = reply.Json().at("token");
}

std::string RunningVault::Approved(const std::string& asker, const json& proposal,
                                   const std::string& approver) {
  const auto asked = As(asker).Post("/v1/approvals", proposal);
  INFO(asked.body);
  REQUIRE(asked.status == 201);
  const std::string id = asked.Json().at("id");
  const auto decided =
      As(approver).Post("/v1/approvals/" + id + "/decision", {{"decision", "approve"}});
  INFO(decided.body);
  REQUIRE(decided.status == 200);
  return id;
}

Caller RunningVault::As(const std::string& role, const std::string& purpose) {
  return WithToken(Token(role), purpose);
}

void RunningVault::Populate() {
  namespace fs = std::filesystem;
  auto admin = As("administrator", "");
  for (const auto& [folder, path] :
       {std::pair("purposes", "/v1/purposes/"), std::pair("classes", "/v1/classes/")}) {
    for (const auto& file :
         fs::directory_iterator(std::string(COFFER_SOURCE_DIR) + "/deploy/" + folder)) {
      const auto reply = admin.Send("PUT", path + file.path().stem().string(),
                                    ReadWholeFile(file.path()), "application/json");
      INFO(file.path().string() + ": " + reply.body);
      REQUIRE(reply.status == 200);
    }
  }
}

std::string RunningVault::NewClient(const std::string& external_ref) {
  const auto reply = As("crm-service").Post("/v1/clients", {{"external_ref", external_ref}});
  INFO(reply.body);
  REQUIRE(reply.status == 201);
  return reply.Json().at("id");
}

std::string RunningVault::NewContact(const std::string& client, const json& data) {
  const auto reply =
      As("crm-service")
          .Post("/v1/clients/" + client + "/records", {{"class", "contact"}, {"data", data}});
  INFO(reply.body);
  REQUIRE(reply.status == 201);
  return reply.Json().at("id");
}

std::vector<json> RunningVault::Entries(const std::string& query, std::uint64_t from) {
  if (!officer_) officer_ = std::make_unique<Caller>(As("security-officer", ""));
  std::vector<json> entries;
  std::string cursor = std::to_string(from);
  do {
    const auto reply = officer_->Get("/v1/log/entries?order=asc&limit=1000&cursor=" + cursor +
                                     (query.empty() ? "" : "&" + query));
    INFO(reply.body);
    REQUIRE(reply.status == 200);
    const json page = reply.Json();
    for (const auto& entry : page.at("items")) entries.push_back(entry);
    cursor = page.value("next_cursor", "");
  } while (!cursor.empty());
  return entries;
}

std::vector<json> RunningVault::EntriesOf(const std::string& request_id) {
  REQUIRE_FALSE(request_id.empty());
  return Entries("request=" + request_id);
}

json RunningVault::Counts() {
  const auto reply = As("administrator", "").Get("/v1/status");
  INFO(reply.body);
  REQUIRE(reply.status == 200);
  json counts;
  for (const char* name : {"clients", "records", "erasures", "classes", "purposes"}) {
    counts[name] = reply.Json().at(name);
  }
  return counts;
}

json RunningVault::Verify() {
  const auto reply = As("security-officer", "").Post("/v1/log/verify", {{"deep", true}});
  INFO(reply.body);
  REQUIRE(reply.status == 200);
  return reply.Json();
}

}  // namespace coffer::testing
