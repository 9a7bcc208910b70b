// What handlers take from requests, with refusals logged where client data was asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/http/route.h"
#include "audit/documents/page_language.h"
#include "audit/text/clock.h"
#include "crypto/result.h"
#include "vault/vault.h"

namespace coffer::api {

// Bytes of a text in a body, before anything else looks at it. Most routes say less.
inline constexpr std::size_t kMaxText = 4096;
inline constexpr std::size_t kMaxTexts = 1000;  // in a list of them
inline constexpr std::size_t kMaxLogin = 256;
inline constexpr std::size_t kMaxCode = 128;  // of an enrolment, an app or a recovery
inline constexpr std::size_t kMaxCertificateRequest = 64 * 1024;

// One request about `action`: its parsed ids, and the way to refuse it with an entry in the log.
class Input {
 public:
  Input(const Service& service, const Call& call, vault::Action action)
      : service_(service), call_(call), action_(action) {}

  Result<vault::ClientId> Client();  // the first captured segment
  Result<vault::RecordId> Record();  // the second

  // The body as a JSON object with only these members. Refusals carry pointers.
  Result<nlohmann::json> Object(std::initializer_list<std::string_view> members);
  // A member that must be text, not blank, and of at most `most` bytes. Absent: `required` refuses,
  // otherwise empty.
  Result<std::string> Text(const nlohmann::json& object, const char* name, bool required,
                           std::size_t most = kMaxText);
  Result<std::optional<std::uint64_t>> Number(const nlohmann::json& object, const char* name);
  // The same of text that may be anything: of secrets, and where "" takes something away.
  Result<std::string> AnyText(const nlohmann::json& object, const char* name,
                              std::size_t most = kMaxText);
  // A list of texts, none of them blank. Not `required`: absent means any, so that one that is
  // given has an item.
  Result<std::vector<std::string>> Texts(const nlohmann::json& object, const char* name,
                                         bool required);
  Result<bool> Flag(const nlohmann::json& object, const char* name);  // absent: false
  Result<std::optional<audit::Timestamp>> Time(const nlohmann::json& object, const char* name);
  // A lifetime in seconds; absent: `otherwise`, 0 where it must be given.
  Result<std::int64_t> Seconds(const nlohmann::json& object, const char* name,
                               std::int64_t otherwise);
  Result<vault::PrincipalId> Principal(const nlohmann::json& object, const char* name);
  Result<std::optional<vault::ClientId>> ClientIn(const nlohmann::json& object, bool required);
  // limit (1..most, else `otherwise`) and cursor of the query.
  Result<vault::PageRequest> Page();
  Result<std::optional<std::uint64_t>> QueryNumber(std::string_view name, std::uint64_t most);
  Result<bool> QueryFlag(std::string_view name);  // absent: false
  Result<std::optional<audit::Timestamp>> QueryTime(std::string_view name);
  Result<audit::PageLanguage> Language();  // of the query; English when it says nothing
  // The version in If-Match: one strong entity tag of ours. Errors: kPreconditionRequired when
  // absent and `required`; another form matches nothing and is kPreconditionFailed.
  Result<std::optional<std::uint64_t>> IfMatch(bool required);

  std::unexpected<Error> Refuse(Error error);
  std::unexpected<Error> Invalid(std::string pointer, std::string message);
  std::unexpected<Error> InvalidParameter(std::string_view name, std::string message);

 private:
  const Service& service_;
  const Call& call_;
  vault::Action action_;
  std::optional<vault::ClientId> client_;
  std::optional<vault::RecordId> record_;
};

// The vault names a filter as a member; here it is a parameter.
template <class T>
Result<T> AtQuery(Result<T> result) {
  if (result) return result;
  for (Issue& issue : result.error().issues) {
    if (issue.pointer.starts_with('/')) issue.pointer = "query:" + issue.pointer.substr(1);
  }
  return result;
}

Result<std::uint64_t> ParseDecimal(std::string_view text, std::uint64_t most);

}  // namespace coffer::api
