// Whether answers are what openapi.json says of them: the part of JSON Schema that it uses for
// problem documents.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/running_vault.h"

namespace coffer::testing {

class ProblemSchema {
 public:
  explicit ProblemSchema(RunningVault& vault);

  const nlohmann::json& document() const { return document_; }

  // A refusal: with an id, in the documented form, whatever made it.
  void Check(const HttpReply& reply, int status, const std::string& code);
  void Check(const HttpReply& reply);
  std::size_t checked() const { return checked_; }

 private:
  // Where the value is not what the schema says; empty when it is.
  std::string Fault(const nlohmann::json& value, const nlohmann::json& schema,
                    const std::string& at) const;
  std::string ItemsFault(const nlohmann::json& value, const nlohmann::json& schema,
                         const std::string& at) const;
  std::string MembersFault(const nlohmann::json& value, const nlohmann::json& schema,
                           const std::string& at) const;

  nlohmann::json document_;
  std::size_t checked_ = 0;
};

}  // namespace coffer::testing
