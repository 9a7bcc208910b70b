// What goes wrong with an S3-compatible store: words of tests/support/s3_server.py.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "crypto/result.h"
#include "tests/support/s3_server.h"
#include "vault/backup/open_store.h"

namespace coffer::vault {

using nlohmann::json;
using testing::S3Server;

// Of which nothing goes wrong.
inline S3Server& Server() {
  S3Server::Get().FailNothing();
  return S3Server::Get();
}

inline StorePlace NewPlace() { return Server().Place("coffer-data", Server().NewPrefix()); }

inline std::shared_ptr<BackupStore> StoreAt(const StorePlace& place,
                                            std::function<bool()> interrupted = {}) {
  auto store = OpenStore(place, std::move(interrupted));
  REQUIRE(store);
  return *std::move(store);
}

inline std::string ErrorBody(const std::string& code, const std::string& message = "x") {
  return "<?xml version='1.0' encoding='UTF-8'?>\n<Error><Code>" + code + "</Code><Message>" +
         message + "</Message></Error>";
}

inline json Answering(int status, const std::string& body = {}, const json& more = json::object()) {
  json fault = {{"do", "answer"}, {"status", status}, {"body", body}};
  fault.update(more);
  return fault;
}

inline json Doing(const std::string& what, const json& more = json::object()) {
  json fault = {{"do", what}};
  fault.update(more);
  return fault;
}

inline void FailWith(const std::vector<json>& faults) {
  json list = json::array();
  for (const json& fault : faults) list.push_back(fault);
  S3Server::Get().Fail(list);
}

// For a minute at most.
inline void WaitUntil(const std::function<bool()>& there) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!there()) {
    REQUIRE(std::chrono::steady_clock::now() < end);
    std::this_thread::yield();
  }
}

inline std::string DetailOf(const auto& result) { return result ? "" : result.error().detail; }

}  // namespace coffer::vault
