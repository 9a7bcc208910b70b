#include "vault/catalog/class_versions.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>

namespace coffer::vault {
namespace {

MaskRule StricterMask(MaskRule one, MaskRule other) {
  if (one == other || other == MaskRule::kNone) return one;
  return one == MaskRule::kNone ? other : MaskRule::kConstant;
}

void Restrict(ClassSchema& older, const std::vector<ClassSchema>& versions, std::size_t place) {
  for (Field& field : older.fields) {
    for (std::size_t later = versions.size() - 1; later > place; --later) {
      const Field* const found = versions[later].Find(field.name);
      if (found == nullptr) continue;
      if (found->sensitivity != field.sensitivity) field.later_sensitivity = found->sensitivity;
      field.mask = StricterMask(field.mask, found->mask);
      field.third_person = field.third_person || found->third_person;
      break;
    }
  }
  std::vector<std::string> both;
  std::ranges::set_intersection(older.purposes, versions.back().purposes, std::back_inserter(both));
  older.purposes = std::move(both);
}

}  // namespace

ClassVersions WithStricter(std::vector<ClassSchema> versions) {
  ClassVersions treated;
  for (std::size_t i = 0; i < versions.size(); ++i) {
    ClassSchema schema = versions[i];
    if (i + 1 < versions.size()) Restrict(schema, versions, i);
    treated.push_back(std::make_shared<const ClassSchema>(std::move(schema)));
  }
  return treated;
}

ClassVersions WithNewVersion(const ClassVersions& earlier, const ClassSchema& newest) {
  std::vector<ClassSchema> versions;
  for (const auto& schema : earlier) {
    // As it was defined.
    auto defined = ParseClass(schema->definition);
    if (!defined) std::abort();  // it was parsed from that
    defined->version = schema->version;
    versions.push_back(*std::move(defined));
  }
  versions.push_back(newest);
  return WithStricter(std::move(versions));
}

}  // namespace coffer::vault
