// The threads that serve connections, all made when listening begins.
#pragma once

#include <httplib.h>

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <list>
#include <mutex>
#include <thread>
#include <vector>

namespace coffer::api {

class WorkerThreads final : public httplib::TaskQueue {
 public:
  // Throws std::system_error, with none of them left, where there cannot be so many: a server that
  // promised to serve 256 connections and serves 9 would be silent about its limits.
  WorkerThreads(std::size_t count, std::size_t most_waiting);
  ~WorkerThreads() override { Stop(); }
  WorkerThreads(const WorkerThreads&) = delete;
  WorkerThreads& operator=(const WorkerThreads&) = delete;

  // False when there is no room for it: the connection is closed then.
  bool enqueue(std::function<void()> connection) override;
  void shutdown() override { Stop(); }  // what waits is served first

 private:
  void Stop();
  void Work();

  const std::size_t most_waiting_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<std::function<void()>> waiting_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace coffer::api
