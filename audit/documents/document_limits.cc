#include "audit/documents/document_limits.h"

#include <algorithm>
#include <string>

#include "audit/documents/act_json.h"
#include "audit/documents/stated_text.h"
#include "audit/text/visible_text.h"

namespace coffer::audit {
namespace {

// What a note may have, without its first lines and its signature.
constexpr std::size_t kMostActJson = 62UZ * 1024;
constexpr std::string_view kCut = "…";

struct ActLimits {
  std::size_t list = std::min(kMaxActCategories, kMaxActKept);
  std::size_t text = kMaxActText;
};

void Cut(std::string& text, std::size_t most) {
  if (!IsUtf8(text)) {
    std::erase_if(text, [](char c) { return static_cast<unsigned char>(c) > 0x7e; });
  }
  if (text.size() <= most) return;
  std::size_t end = most - kCut.size();
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  text.resize(end);
  text += kCut;
}

void SumCategories(std::vector<DestroyedCategory>& categories, std::size_t most) {
  if (categories.size() <= most) return;
  DestroyedCategory others{std::string(kOtherClasses), "", 0, 0};
  others.title = Stated(Statement::kOthers, {categories.size() - (most - 1)});
  for (std::size_t i = most - 1; i < categories.size(); ++i) {
    others.records += categories[i].records;
    others.versions += categories[i].versions;
  }
  categories.resize(most - 1);
  categories.push_back(std::move(others));
}

// The last one is about no class: the access log's entries.
void SumKept(std::vector<KeptData>& kept, std::size_t most) {
  if (kept.size() <= most) return;
  KeptData last = std::move(kept.back());
  const std::size_t listed = most - 2;
  KeptData others{Stated(Statement::kKeptOthers, {kept.size() - 1 - listed}), kept[listed].why};
  kept.resize(listed);
  kept.push_back(std::move(others));
  kept.push_back(std::move(last));
}

void Fit(ErasureAct& act, const ActLimits& limits) {
  SumCategories(act.categories, limits.list);
  SumKept(act.kept, limits.list);
  OperatorDetails& details = act.details;
  for (std::string* text :
       {&details.name, &details.address, &details.processor_name, &details.processor_address,
        &details.system, &act.reference, &act.reason.id, &act.reason.legal_basis}) {
    Cut(*text, limits.text);
  }
  if (act.destroyed_by.size() > kMaxActDestroyers) act.destroyed_by.resize(kMaxActDestroyers);
  for (Destroyer& destroyer : act.destroyed_by) {
    for (std::string* text : {&destroyer.id, &destroyer.name, &destroyer.position}) {
      Cut(*text, limits.text);
    }
  }
  for (DestroyedCategory& category : act.categories) Cut(category.title, limits.text);
  for (KeptData& kept : act.kept) {
    Cut(kept.what, limits.text);
    Cut(kept.why, limits.text);
  }
}

}  // namespace

void FitAct(ErasureAct& act) {
  const ErasureAct whole = act;
  ActLimits limits;
  Fit(act, limits);
  // Ids of 1,000 records, which are never cut, take half of a note.
  while (FormatActJson(act).size() > kMostActJson && limits.list > 4) {
    limits.list /= 2;
    limits.text /= 2;
    act = whole;
    Fit(act, limits);
  }
}

void FitRunReport(RunReport& report) {
  if (report.classes.size() <= kMaxRunClasses) return;
  RunClass others;
  others.class_name = kOtherClasses;
  for (std::size_t i = kMaxRunClasses - 1; i < report.classes.size(); ++i) {
    const RunClass& counts = report.classes[i];
    others.due += counts.due;
    others.erased += counts.erased;
    others.restricted += counts.restricted;
    others.review += counts.review;
    others.held += counts.held;
    others.failed += counts.failed;
    others.waiting += counts.waiting;
    others.unreached += counts.unreached;
    others.unknown += counts.unknown;
  }
  report.classes.resize(kMaxRunClasses - 1);
  report.classes.push_back(std::move(others));
}

}  // namespace coffer::audit
