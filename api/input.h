// What handlers take from requests, with refusals logged where client data was asked for.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/route.h"
#include "crypto/result.h"
#include "vault/vault.h"

namespace coffer::api {

// One request about `action`: its parsed ids, and the way to refuse it with an entry in the log.
class Input {
 public:
  Input(const Service& service, const Call& call, vault::Action action)
      : service_(service), call_(call), action_(action) {}

  Result<vault::ClientId> Client();  // the first captured segment
  Result<vault::RecordId> Record();  // the second

  // The body as a JSON object with only these members. Refusals carry pointers.
  Result<nlohmann::json> Object(std::initializer_list<std::string_view> members);
  // A member that must be text. Absent: `required` refuses, otherwise empty.
  Result<std::string> Text(const nlohmann::json& object, const char* name, bool required);
  Result<std::optional<std::uint64_t>> Number(const nlohmann::json& object, const char* name);
  // limit (1..most, else `otherwise`) and cursor of the query.
  Result<vault::PageRequest> Page();
  Result<std::optional<std::uint64_t>> QueryNumber(std::string_view name, std::uint64_t most);
  // The version in If-Match: one strong entity tag of ours. Errors: kPreconditionRequired when
  // absent and `required`; another form matches nothing and is kPreconditionFailed.
  Result<std::optional<std::uint64_t>> IfMatch(bool required);

  std::unexpected<Error> Refuse(Error error);

 private:
  const Service& service_;
  const Call& call_;
  vault::Action action_;
  std::optional<vault::ClientId> client_;
  std::optional<vault::RecordId> record_;
};

Result<std::uint64_t> ParseDecimal(std::string_view text, std::uint64_t most);

}  // namespace coffer::api
