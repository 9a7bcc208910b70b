// A server that answers from a function and remembers what it was asked.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "api/cli/client/api_client.h"
#include "api/cli/client/http_client.h"

namespace coffer::cli {

class FakeServer {
 public:
  using Answer = std::function<Outcome<HttpReply>(const HttpRequest&)>;
  explicit FakeServer(Answer answer) : state_(std::make_shared<State>(std::move(answer))) {}

  cli::Sender Sender() const {
    return [state = state_](const HttpRequest& request) {
      const std::lock_guard lock(state->mutex);
      state->requests.push_back(request);
      return state->answer(request);
    };
  }
  ApiClient Client(Declaration declaration = {}) const {
    return {Sender(), std::move(declaration)};
  }
  const std::vector<HttpRequest>& requests() const { return state_->requests; }

 private:
  struct State {
    explicit State(Answer given) : answer(std::move(given)) {}
    std::mutex mutex;
    Answer answer;
    std::vector<HttpRequest> requests;
  };
  std::shared_ptr<State> state_;
};

inline HttpReply Reply(int status, std::string body, Headers headers = {}) {
  return {status, std::move(headers), std::move(body)};
}

// An answer after the other; the last one stays.
inline FakeServer::Answer InTurn(std::vector<Outcome<HttpReply>> replies) {
  auto at = std::make_shared<std::size_t>(0);
  return [replies = std::move(replies), at](const HttpRequest&) {
    const std::size_t now = std::min(*at, replies.size() - 1);
    ++*at;
    return replies[now];
  };
}

inline std::string HeaderOf(const HttpRequest& request, std::string_view name) {
  for (const auto& [header, value] : request.headers) {
    if (header == name) return value;
  }
  return {};
}

}  // namespace coffer::cli
