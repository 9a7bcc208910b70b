// What a service manager is told of the server, by the protocol of sd_notify(3): a datagram to the
// socket named in $NOTIFY_SOCKET. Without one nobody is told.
#pragma once

#include <string_view>

namespace coffer::api {

// "READY=1", "STOPPING=1". That nobody took it is not an error: the service goes on without.
void NotifyServiceManager(std::string_view state);

}  // namespace coffer::api
