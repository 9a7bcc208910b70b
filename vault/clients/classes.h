// Classes of records, in their versions.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "crypto/result.h"
#include "vault/access/caller.h"
#include "vault/access/operations.h"
#include "vault/access/two_person_rule.h"
#include "vault/catalog/class_schema.h"

namespace coffer::vault {

class Classes {
 public:
  Classes(const Operations& operations, const TwoPersonRule& two_person)
      : operations_(operations), two_person_(two_person) {}

  bool HasClass(std::string_view name) const;  // no entry, no disclosure: for checks ahead
  Result<std::shared_ptr<const ClassSchema>> GetClass(const Caller& caller, std::string_view name,
                                                      std::optional<std::uint64_t> version);
  Result<std::vector<std::shared_ptr<const ClassSchema>>> ListClasses(const Caller& caller);
  // The stored schema, with a new version if the definition differs from the newest.
  Result<std::shared_ptr<const ClassSchema>> PutClass(const Caller& caller, std::string_view name,
                                                      std::string_view definition);

 private:
  const Operations& operations_;
  const TwoPersonRule& two_person_;
};

}  // namespace coffer::vault
