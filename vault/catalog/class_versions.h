// How records of an older version of a class are treated: by what it said when they were written
// and by what the class says now, whichever is stricter. A class that protects more from today on
// protects what is there; one that protects less does not open what was given under another
// promise.
#pragma once

#include <memory>
#include <vector>

#include "vault/catalog/class_schema.h"

namespace coffer::vault {

using ClassVersions = std::vector<std::shared_ptr<const ClassSchema>>;

// `versions`: as each was defined, oldest first. Of each one but the last:
// - a field has also the sensitivity of the last version, as its later one: what a caller sees of
// it
//   is the less of both. A field that the last version does not have any more is held to the last
//   one that had it;
// - a mask that differs is none of both, but the constant; where one of both is no mask, the other;
// - a field is of a third person that one of both says is;
// - a purpose is allowed that both allow.
// What else a version says (types, index, dates) stays its own.
ClassVersions WithStricter(std::vector<ClassSchema> versions);

// The same with one more, of which the earlier ones were treated already.
ClassVersions WithNewVersion(const ClassVersions& earlier, const ClassSchema& newest);

}  // namespace coffer::vault
