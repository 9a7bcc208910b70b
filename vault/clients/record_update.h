// Which version of its class an update of a record is made under, and which fields are the
// caller's to write, where the record was written under an older version than the newest.
//
// A field is the caller's when each of the two versions that has it lets them read and write it
// plainly. The newest version is taken where all that is not the caller's goes over into it as it
// is, whatever a record may have there; otherwise the record stays under its own version. That is
// decided by the two classes and the caller's rights, never by what is stored: it tells nothing of
// it, and no hidden value is lost, refused or named.
#pragma once

#include <string>
#include <vector>

#include "vault/clients/record_view.h"

namespace coffer::vault {

struct UpdateTerms {
  bool newest = true;   // else the version that the record was written under
  FieldViews writable;  // of the fields of that version: plain, or not the caller's
  bool operator==(const UpdateTerms&) const = default;
};

// `written_views`, `newest_views`: what the caller may write under each of them.
UpdateTerms UpdateTermsOf(const ClassSchema& written, const FieldViews& written_views,
                          const ClassSchema& newest, const FieldViews& newest_views);

// Names of the members that one of the documents has and the other has not, or otherwise; sorted.
std::vector<std::string> ChangedFields(const nlohmann::json& before, const nlohmann::json& after);

}  // namespace coffer::vault
