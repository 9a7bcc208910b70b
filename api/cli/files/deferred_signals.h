// What must not be broken off in the middle.
#pragma once

#include <pthread.h>
#include <signal.h>

#include <initializer_list>

namespace coffer::cli {

// While it lives, SIGINT, SIGTERM, SIGHUP and SIGQUIT wait: between the moment a server is asked
// for a secret that it shows once and the moment that secret has reached a file or a person. What
// is waited for has a deadline. A signal that came meanwhile then ends the tool as it always does.
class DeferredSignals {
 public:
  DeferredSignals() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaddset(&signals, signal);
    pthread_sigmask(SIG_BLOCK, &signals, &before_);
  }
  ~DeferredSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  DeferredSignals(const DeferredSignals&) = delete;
  DeferredSignals& operator=(const DeferredSignals&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace coffer::cli
