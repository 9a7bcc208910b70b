// cofferd: wiring only.
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <cstdio>
#include <exception>
#include <thread>

#include "api/config.h"
#include "api/http/server.h"
#include "api/http/version.h"
#include "api/operator_log.h"
#include "api/routes/routes.h"
#include "api/service_manager.h"
#include "crypto/secret_bytes.h"
#include "crypto/standard_streams.h"
#include "vault/base/file_account.h"
#include "vault/check.h"
#include "vault/vault.h"

namespace {

using coffer::api::WriteOperatorLog;
using coffer::vault::Severity;

enum ExitCode { kStopped = 0, kFailed = 1, kUsage = 64, kConfiguration = 78 };

int Fail(int code, const coffer::Error& error) {
  std::fprintf(stderr, "cofferd: %s (%s)\n", error.detail.c_str(),
               std::string(error.reason).c_str());
  return code;
}

// Of limits that the process was given (ulimit, systemd's Limit…): memory, threads. It takes no
// memory itself.
int FailFor(const char* what) noexcept {
  std::fprintf(
      stderr,
      "cofferd: there is not enough memory, or there are not enough threads: %s; raise the "
      "limits of the process (resources_exhausted)\n",
      what);
  return kFailed;
}

bool HasAddressSpace(std::size_t bytes) noexcept {
  void* const room =
      mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return room != MAP_FAILED && munmap(room, bytes) == 0;
}

// Whether this process may have the address space (RLIMIT_AS) that a server needs, before one that
// will not have it is begun: where memory ends in the middle, libraries end the process.
coffer::Status CheckAddressSpace(const coffer::api::Config& config) {
  constexpr std::size_t kMib = std::size_t{1} << 20, kBesideMib = 128;
  pthread_attr_t defaults;
  std::size_t stack = 0;
  pthread_attr_init(&defaults);
  pthread_attr_getstacksize(&defaults, &stack);
  pthread_attr_destroy(&defaults);
  const std::size_t bytes =
      config.server.workers * stack +
      (static_cast<std::size_t>(config.vault.page_cache_mib) + kBesideMib) * kMib;
  if (HasAddressSpace(bytes)) return {};
  return coffer::Fail(coffer::Code::kUnavailable, "resources_exhausted",
                      "there is no address space of " + std::to_string(bytes / kMib) +
                          " MiB, for the stacks of " + std::to_string(config.server.workers) +
                          " threads and the caches; raise the limits of the process, or set fewer "
                          "server.workers");
}

// The root key, read as whoever started this; then, where root did, for good the account that the
// vault's files belong to: what the server writes is of no use to it otherwise.
coffer::Result<std::unique_ptr<coffer::crypto::RootKeyProvider>> TakeRootKey(
    const coffer::api::Config& config) {
  COFFER_ASSIGN(auto root, coffer::api::OpenRootKey(config));
  COFFER_ASSIGN(const auto account, coffer::vault::AccountOfVault(config.vault.directory));
  if (account) COFFER_TRY(coffer::vault::Become(*account));
  return root;
}

// All that a start could refuse and that can be told without one, also beside a server that runs.
coffer::Status CheckStart(coffer::api::Config config) {
  COFFER_TRY(coffer::api::ResolveCredentials(config));
  COFFER_ASSIGN(const auto root, TakeRootKey(config));
  COFFER_TRY(coffer::api::CheckTlsFiles(config.server.tls));
  COFFER_ASSIGN(const bool served, coffer::vault::CheckDirectory(config.vault, *root));
  // The port is that server's.
  if (served) return {};
  return coffer::api::CheckPort(config.server.address, config.server.port);
}

// What can be changed while serving: certificates, client authorities, the level of this log.
void Reload(coffer::api::Server& server, const std::string& config_path) {
  const auto config = coffer::api::LoadConfig(config_path);
  const auto exchanged = config ? server.ExchangeCertificates(config->server.tls)
                                : coffer::Status(std::unexpected(config.error()));
  if (!exchanged) {
    WriteOperatorLog(Severity::kError,
                     "not reloaded, all is as it was: " + exchanged.error().detail + " (" +
                         std::string(exchanged.error().reason) + ")");
    return;
  }
  coffer::api::SetOperatorLogLevel(config->log_level);
  WriteOperatorLog(Severity::kInfo,
                   "reloaded: certificates, client authorities and log level; other settings "
                   "are read at a start only");
}

int Serve(coffer::api::Config config, const std::string& config_path, const sigset_t& signals) {
  using namespace coffer;
  if (auto room = CheckAddressSpace(config); !room) return Fail(kFailed, room.error());
  if (const auto resolved = api::ResolveCredentials(config); !resolved) {
    return Fail(kConfiguration, resolved.error());
  }
  auto root = TakeRootKey(config);
  // The service manager starts what failed again, but for what is wrong with the configuration.
  if (!root) {
    return Fail(api::MustNotBeTriedAgain(root.error()) ? kConfiguration : kFailed, root.error());
  }
  auto opened = vault::Vault::Open(config.vault, **root);
  if ((*root)->token() != nullptr && config.root_key.empty()) {
    WriteOperatorLog(Severity::kWarning,
                     "the vault was opened by its recovery passphrase, without its token");
  }
  root->reset();
  if (!opened) return Fail(kFailed, opened.error());
  auto server = api::Server::Create(**opened, api::Routes(), config.server);
  if (!server) return Fail(kFailed, server.error());

  // Signals are taken here, by a thread: stopping from a handler is not safe. Those that came while
  // the vault was opened wait for it.
  std::atomic<bool> ended{false};
  std::thread watcher([&] {
    for (int signal = 0; sigwait(&signals, &signal) == 0 && !ended;) {
      if (signal == SIGHUP) {
        api::NotifyReloading();
        Reload(**server, config_path);
        api::NotifyServiceManager("READY=1");  // with the old settings, where the new are refused
        continue;
      }
      api::NotifyServiceManager("STOPPING=1");
      WriteOperatorLog(Severity::kInfo, "stopping: running requests finish first");
      (*opened)->backups().Stop();  // takes minutes, and is begun anew
      (*server)->Stop();
      return;
    }
  });
  WriteOperatorLog(Severity::kInfo, "listening on https://" + config.server.address + ":" +
                                        std::to_string((*server)->port()));
  api::NotifyServiceManager("READY=1");
  const auto served = [&] {
    const api::Watchdog watchdog(api::WatchdogPatience(),
                                 [&] { return (*opened)->monitoring().AwaitEngine(); });
    return (*server)->Run();
  }();
  ended = true;
  pthread_kill(watcher.native_handle(), SIGTERM);
  watcher.join();
  server->reset();
  const auto sealed = (*opened)->Close();  // says how it went
  if (!served) return Fail(kFailed, served.error());
  if (!sealed) return Fail(kFailed, sealed.error());
  WriteOperatorLog(Severity::kInfo, "stopped");
  return kStopped;
}

int Main(int argc, char** argv) {
  CLI::App app{"cofferd, the Coffer vault server", "cofferd"};
  std::string config_path = "/etc/coffer/coffer.toml";
  bool check = false, take_over_state = false;
  app.add_option("--config", config_path, "configuration file")->capture_default_str();
  app.add_flag("--check", check, "tell whether a start would go well, and end");
  app.add_flag("--take-over-state", take_over_state,
               "start although people, tokens, roles, holds or settings are not what the log "
               "recorded");
  app.set_version_flag("--version", std::string(coffer::api::kVersion));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kStopped : kUsage;
  }

  // A thread a connection would otherwise get up to eight arenas a core.
  mallopt(M_ARENA_MAX, 4);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  // A file that may not grow is a failed write, which is told; no reason to die without a word.
  signal(SIGXFSZ, SIG_IGN);

  if (auto ready = coffer::crypto::InitializeCrypto(); !ready) return Fail(kFailed, ready.error());
  auto config = coffer::api::LoadConfig(config_path);
  if (!config) return Fail(kConfiguration, config.error());
  config->vault.take_over_state = take_over_state;
  if (check) {
    if (auto fit = CheckStart(*config); !fit) return Fail(kConfiguration, fit.error());
    for (const std::string& sentence : coffer::api::LostTogether(*config)) {
      std::fprintf(stderr, "cofferd: warning: %s\n", sentence.c_str());
    }
    return std::printf("%s: ok\n", config_path.c_str()) > 0 && std::fflush(stdout) == 0 ? kStopped
                                                                                        : kFailed;
  }
  coffer::api::StartOperatorLog(config->log_level);
  config->vault.log = WriteOperatorLog;
  config->server.log = WriteOperatorLog;
  if (config->log_requests) config->server.on_request = coffer::api::WriteRequestLog;
  return Serve(*std::move(config), config_path, signals);
}

}  // namespace

int main(int argc, char** argv) {
  coffer::crypto::OccupyStandardStreams();
  // What reading the configuration takes, and to spare.
  if (!HasAddressSpace(std::size_t{64} << 20)) return FailFor("no address space is left");
  try {
    return Main(argc, argv);
  } catch (const std::exception& error) {
    return FailFor(error.what());
  }
}
