// The HTTPS API as the commands use it: JSON in, JSON out, refusals as failures.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "api/cli/client/http_client.h"
#include "api/cli/client/target.h"
#include "api/cli/text/failure.h"
#include "api/cli/text/name_book.h"

namespace coffer::cli {

// What is said with every request about why it is made. Empty: not said.
struct Declaration {
  std::string purpose = {};
  std::string reason = {};
  std::string ticket = {};
  std::string approval = {};
};

class ApiClient {
 public:
  ApiClient(Sender send, Declaration declaration)
      : send_(std::move(send)), declaration_(std::move(declaration)) {}

  // Any answer that came, whatever its status.
  Outcome<HttpReply> Exchange(HttpRequest request);
  // An answer of status 2xx; everything else is a failure.
  Outcome<HttpReply> Send(HttpRequest request);

  Outcome<nlohmann::json> Get(const Target& target);
  Outcome<nlohmann::json> Delete(const Target& target);
  // `body` is JSON text.
  Outcome<nlohmann::json> Post(const Target& target, std::string body,
                               std::chrono::seconds patience = std::chrono::seconds(60));
  Outcome<nlohmann::json> Put(const Target& target, std::string body);
  Outcome<nlohmann::json> Patch(const Target& target, std::string body);
  // A merge patch (RFC 7396) of the version that was seen.
  Outcome<nlohmann::json> MergePatch(const Target& target, std::string body,
                                     std::string_view version);
  Outcome<nlohmann::json> PutVersion(const Target& target, std::string body,
                                     std::string_view version);
  Outcome<nlohmann::json> PostNothing(const Target& target);  // without a body
  // `body` holds a secret and is wiped once it was sent.
  Outcome<nlohmann::json> PostSecret(const Target& target, std::string body);
  // For answers without content.
  Outcome<void> PutSecret(const Target& target, std::string body);
  Outcome<void> Remove(const Target& target);

  // What answers call their ids is kept there.
  void KeepNames(std::shared_ptr<NameBook> names) { names_ = std::move(names); }
  void TakeNames(const nlohmann::json& answer);

  // What follows is not what the approval was given for.
  void ForgetApproval() { declaration_.approval.clear(); }

 private:
  Outcome<nlohmann::json> SendForJson(HttpRequest request);

  Sender send_;
  Declaration declaration_;
  std::shared_ptr<NameBook> names_;
};

// The JSON of a successful answer.
Outcome<nlohmann::json> ParseAnswer(std::string_view body);

}  // namespace coffer::cli
