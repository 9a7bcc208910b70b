// What was said of a notice, as JSON: how it is stored, and what is wrong with it before.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "crypto/result.h"
#include "vault/catalog/catalog_store.h"
#include "vault/rights/notice.h"

namespace coffer::vault {

// Canonical: members in the order of their names, those without a value absent.
std::string DocumentOf(const NoticeForm& form);
std::string DocumentOf(const TellingForm& form, Timestamp at, const Told& told);
std::string DocumentOfClosing(std::string_view not_told, std::uint64_t untold);

// The first step of a notice. Errors: kCorrupted "storage_corrupted".
Result<NoticeForm> NoticeFormIn(std::string_view document);
// How many clients a step told.
std::uint64_t ToldIn(const NoticeStep& step);

// With pointers. What needs nothing that is stored, but for tags and purposes.
std::vector<Issue> FaultsOf(const NoticeForm& form, const Catalog& catalog, Timestamp now);
std::vector<Issue> FaultsOf(const TellingForm& form, Timestamp now);
inline constexpr std::size_t kMaxNotTold = 1000;

}  // namespace coffer::vault
