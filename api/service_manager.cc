#include "api/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <stop_token>
#include <string>
#include <system_error>
#include <utility>

namespace coffer::api {
namespace {

// Of a variable that holds nothing but a number.
std::optional<std::uint64_t> NumberInEnvironment(const char* name) {
  const char* const value = std::getenv(name);
  if (value == nullptr) return std::nullopt;
  const std::string_view text = value;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

void NotifyServiceManager(std::string_view state) {
  const char* const name = std::getenv("NOTIFY_SOCKET");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string_view path = name == nullptr ? "" : name;
  if (path.empty() || path.size() >= sizeof address.sun_path) return;
  std::ranges::copy(path, address.sun_path);
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';  // Linux's abstract names
  const int socket_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket_fd < 0) return;
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  (void)sendto(socket_fd, state.data(), state.size(), MSG_NOSIGNAL,
               reinterpret_cast<const sockaddr*>(&address), size);
  close(socket_fd);
}

void NotifyReloading() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  NotifyServiceManager("RELOADING=1\nMONOTONIC_USEC=" +
                       std::to_string(now.tv_sec * 1'000'000 + now.tv_nsec / 1000));
}

std::optional<std::chrono::microseconds> WatchdogPatience() {
  const auto patience = NumberInEnvironment("WATCHDOG_USEC");
  if (!patience || *patience == 0 || *patience > INT64_MAX) return std::nullopt;
  if (std::getenv("WATCHDOG_PID") != nullptr &&
      NumberInEnvironment("WATCHDOG_PID") != static_cast<std::uint64_t>(getpid())) {
    return std::nullopt;
  }
  return std::chrono::microseconds(static_cast<std::int64_t>(*patience));
}

Watchdog::Watchdog(std::optional<std::chrono::microseconds> patience,
                   std::function<bool()> answers) {
  if (!patience) return;
  // Four times within it: one that came late, or was not true, ends nothing yet.
  const auto pause = *patience / 4;
  thread_ = std::jthread([pause, answers = std::move(answers)](const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    while (!stop.stop_requested()) {
      if (answers()) NotifyServiceManager("WATCHDOG=1");
      stopped.wait_for(lock, stop, pause, [] { return false; });
    }
  });
}

Watchdog::~Watchdog() = default;

}  // namespace coffer::api
