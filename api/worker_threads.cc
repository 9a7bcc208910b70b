#include "api/internal/worker_threads.h"

#include <openssl/crypto.h>

#include <exception>
#include <new>
#include <utility>

namespace coffer::api {

WorkerThreads::WorkerThreads(std::size_t count, std::size_t most_waiting)
    : most_waiting_(most_waiting) {
  try {
    threads_.reserve(count);
    while (threads_.size() < count) threads_.emplace_back([this] { Work(); });
  } catch (const std::exception&) {
    Stop();
    throw;
  }
}

bool WorkerThreads::enqueue(std::function<void()> connection) {
  try {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= most_waiting_) return false;
    waiting_.push_back(std::move(connection));
  } catch (const std::bad_alloc&) {
    return false;
  }
  changed_.notify_one();
  return true;
}

void WorkerThreads::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void WorkerThreads::Work() {
  for (;;) {
    std::function<void()> serve;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return !waiting_.empty() || stopping_; });
      if (waiting_.empty()) break;
      serve = std::move(waiting_.front());
      waiting_.pop_front();
    }
    try {
      serve();
    } catch (const std::exception&) {
      // Out of memory between two requests: one connection is lost, and its deadline ends it.
    }
  }
  OPENSSL_thread_stop();
}

}  // namespace coffer::api
