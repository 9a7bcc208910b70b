// What a service manager is told of the server, by the protocol of sd_notify(3): a datagram to the
// socket named in $NOTIFY_SOCKET. Without one nobody is told.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string_view>
#include <thread>

namespace coffer::api {

// "READY=1", "STOPPING=1". That nobody took it is not an error: the service goes on without.
void NotifyServiceManager(std::string_view state);
// Settings are read anew, until it is told "READY=1" again.
void NotifyReloading();

// How long the service manager waits for a sign of life before it ends the server
// ($WATCHDOG_USEC); absent where it does not, or waits for another process ($WATCHDOG_PID).
std::optional<std::chrono::microseconds> WatchdogPatience();

// Tells it "WATCHDOG=1" again and again, each time only after `answers` returned true. So a server
// that hangs where `answers` waits falls silent, though its threads and timers go on.
class Watchdog {
 public:
  // Without patience it does nothing.
  Watchdog(std::optional<std::chrono::microseconds> patience, std::function<bool()> answers);
  ~Watchdog();  // as soon as `answers` has returned

 private:
  std::jthread thread_;
};

}  // namespace coffer::api
