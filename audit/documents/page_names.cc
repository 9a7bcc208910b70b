#include "audit/documents/page_names.h"

namespace coffer::audit {
namespace {

std::string_view TitleIn(const PageNames::Titles& titles, std::string_view code) {
  const auto found = titles.find(code);
  return found == titles.end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace

std::string_view PageNames::OfClass(std::string_view name) const { return TitleIn(classes, name); }

std::string_view PageNames::OfField(std::string_view class_name, std::string_view field) const {
  const auto found = fields.find(class_name);
  return found == fields.end() ? std::string_view() : TitleIn(found->second, field);
}

std::string_view PageNames::OfPurpose(std::string_view code) const {
  return TitleIn(purposes, code);
}

}  // namespace coffer::audit
