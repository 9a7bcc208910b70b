#include "api/cli/files/taken_by_signals.h"

#include <limits.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>

namespace coffer::cli {
namespace {

enum class Slot { kFree, kReserved, kTaken };

struct SignalledFile {
  std::atomic<Slot> state{Slot::kFree};
  int directory = -1;
  std::array<char, NAME_MAX + 1> name{};
};
static_assert(std::atomic<Slot>::is_always_lock_free);  // a handler may wait for nobody

std::array<SignalledFile, 64> signalled_files;

// Calls nothing but what may be called in a handler. The signal that is raised waits until this
// returns, and then does what it does by default.
void RemoveAll(int signal) {
  for (const SignalledFile& file : signalled_files) {
    if (file.state.load() == Slot::kTaken) unlinkat(file.directory, file.name.data(), 0);
  }
  raise(signal);
}

void HandleSignals() {
  struct sigaction action{};
  action.sa_handler = RemoveAll;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaddset(&action.sa_mask, signal);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    struct sigaction before{};
    if (sigaction(signal, nullptr, &before) == 0 && before.sa_handler == SIG_DFL) {
      sigaction(signal, &action, nullptr);
    }
  }
}

}  // namespace

TakenBySignals::TakenBySignals(int directory, const std::string& name) {
  HandleSignals();
  if (name.size() > NAME_MAX) return;
  for (std::size_t i = 0; i < signalled_files.size(); ++i) {
    Slot expected = Slot::kFree;
    if (!signalled_files[i].state.compare_exchange_strong(expected, Slot::kReserved)) continue;
    signalled_files[i].directory = directory;
    *std::ranges::copy(name, signalled_files[i].name.begin()).out = '\0';
    signalled_files[i].state.store(Slot::kTaken);
    slot_ = static_cast<int>(i);
    return;
  }
}

TakenBySignals::~TakenBySignals() {
  if (slot_ >= 0) signalled_files[static_cast<std::size_t>(slot_)].state.store(Slot::kFree);
}

}  // namespace coffer::cli
