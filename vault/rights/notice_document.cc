#include "vault/rights/notice_document.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "audit/text/clock.h"
#include "crypto/encoding.h"
#include "vault/base/names.h"
#include "vault/base/words.h"
#include "vault/catalog/consent_text.h"

namespace coffer::vault {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 4> kSelections = {"all", "tag", "purpose", "text"};
constexpr std::array<std::string_view, 3> kNoticeSteps = {"created", "told", "closed"};
constexpr std::string_view kNoticeChannels[] = {"app",   "email", "in-person", "letter", "message",
                                                "other", "phone", "portal",    "website"};
constexpr std::size_t kMaxNoticeTitle = 200;
constexpr std::size_t kMaxNoticeWords = 32 * 1024;
constexpr std::size_t kMaxEvidence = 1000;
constexpr std::int64_t kTenYearsMs = std::int64_t{3653} * 24 * 3600 * 1000;

void AddFaultsOfSelection(const NoticeSelection& selection, const Catalog& catalog,
                          std::vector<Issue>& issues) {
  using enum NoticeSelection::Kind;
  const std::string at = "/selection/" + std::string(Name(selection.kind));
  const bool known = selection.kind == kAll || (selection.kind == kTag && IsTag(selection.of)) ||
                     (selection.kind == kPurpose && catalog.purposes.contains(selection.of)) ||
                     (selection.kind == kText && IsConsentTextName(selection.of));
  if (known) return;
  issues.push_back({at, selection.kind == kTag       ? "is no tag"
                        : selection.kind == kPurpose ? "is not in the register"
                                                     : "is no name of a text"});
}

Error DamagedNotice() {
  return {Code::kCorrupted, "storage_corrupted", "what was said of a notice", {}};
}

}  // namespace

std::string_view Name(NoticeSelection::Kind kind) {
  return kSelections[static_cast<std::size_t>(kind)];
}

std::optional<NoticeSelection::Kind> SelectionKindFromName(std::string_view name) {
  const auto* const found = std::ranges::find(kSelections, name);
  if (found == kSelections.end()) return std::nullopt;
  return static_cast<NoticeSelection::Kind>(found - kSelections.begin());
}

std::string_view Name(NoticeStepKind kind) { return kNoticeSteps[static_cast<std::size_t>(kind)]; }

std::optional<NoticeStepKind> NoticeStepFromName(std::string_view name) {
  const auto* const found = std::ranges::find(kNoticeSteps, name);
  if (found == kNoticeSteps.end()) return std::nullopt;
  return static_cast<NoticeStepKind>(found - kNoticeSteps.begin());
}

std::string DocumentOf(const NoticeForm& form) {
  json document = {{"title", form.title},
                   {"effective", audit::FormatTimestamp(form.effective)},
                   {"selection", {{Name(form.selection.kind), form.selection.of}}}};
  if (form.selection.kind == NoticeSelection::Kind::kAll) document["selection"] = {{"all", true}};
  const NoticeText& text = form.text;
  if (text.name.empty()) {
    document["words"] = text.words;
    document["sha256"] = crypto::HexEncode(text.sha256);
    return document.dump();
  }
  json wordings = json::object();
  for (const auto& wording : text.wordings) {
    wordings[wording.language] = crypto::HexEncode(wording.sha256);
  }
  document["text"] = {
      {"name", text.name}, {"version", text.version}, {"sha256", std::move(wordings)}};
  return document.dump();
}

std::string DocumentOf(const TellingForm& form, Timestamp at, const Told& told) {
  json document = {{"channel", form.channel},
                   {"evidence", form.evidence},
                   {"at", audit::FormatTimestamp(at)},
                   {"clients", told.told}};
  if (told.already > 0) document["already"] = told.already;
  if (form.all) document["all"] = true;
  return document.dump();
}

std::string DocumentOfClosing(std::string_view not_told, std::uint64_t untold) {
  json document = {{"untold", untold}};
  if (!not_told.empty()) document["not_told"] = not_told;
  return document.dump();
}

Result<NoticeForm> NoticeFormIn(std::string_view document) {
  const json root = json::parse(document, nullptr, false);
  const json empty = json::object();
  if (!root.is_object()) return std::unexpected(DamagedNotice());
  const auto text_at = [](const json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  NoticeForm form;
  form.title = text_at(root, "title");
  const auto effective = audit::ParseTimestamp(text_at(root, "effective"));
  const json& selection = root.contains("selection") ? root["selection"] : empty;
  if (!effective || !selection.is_object() || selection.size() != 1) {
    return std::unexpected(DamagedNotice());
  }
  form.effective = *effective;
  const auto kind = SelectionKindFromName(selection.begin().key());
  if (!kind) return std::unexpected(DamagedNotice());
  form.selection.kind = *kind;
  form.selection.of = text_at(selection, selection.begin().key().c_str());
  form.text.words = text_at(root, "words");
  const auto hash_of = [](const std::string& hex, crypto::Hash& hash) {
    const auto bytes = crypto::HexDecode(hex);
    if (!bytes || bytes->size() != hash.size()) return false;
    std::ranges::copy(*bytes, hash.begin());
    return true;
  };
  if (!root.contains("text")) {
    if (!hash_of(text_at(root, "sha256"), form.text.sha256)) {
      return std::unexpected(DamagedNotice());
    }
    return form;
  }
  const json& text = root["text"];
  if (!text.is_object() || !text.contains("version") || !text["version"].is_number_unsigned() ||
      !text.contains("sha256")) {
    return std::unexpected(DamagedNotice());
  }
  form.text.name = text_at(text, "name");
  form.text.version = text["version"].get<std::uint64_t>();
  for (const auto& [language, hex] : text["sha256"].items()) {
    NoticeText::Wording& wording = form.text.wordings.emplace_back();
    wording.language = language;
    if (!hex.is_string() || !hash_of(hex.get<std::string>(), wording.sha256)) {
      return std::unexpected(DamagedNotice());
    }
  }
  return form;
}

std::uint64_t ToldIn(const NoticeStep& step) {
  if (step.kind != NoticeStepKind::kTold) return 0;
  const json root = json::parse(step.document, nullptr, false);
  return root.is_object() ? root.value("clients", std::uint64_t{0}) : 0;
}

std::vector<Issue> FaultsOf(const NoticeForm& form, const Catalog& catalog, Timestamp now) {
  std::vector<Issue> issues;
  if (!IsWords(form.title, kMaxNoticeTitle)) {
    issues.push_back({"/title", WordsRule(kMaxNoticeTitle)});
  }
  AddFaultsOfSelection(form.selection, catalog, issues);
  const NoticeText& text = form.text;
  if (text.name.empty() == text.words.empty()) {
    issues.push_back({"/text", "either text or words is required, and not both"});
  } else if (!text.name.empty() && !IsConsentTextName(text.name)) {
    issues.push_back({"/text/name", "is no name of a text"});
  } else if (!text.words.empty() && !IsWords(text.words, kMaxNoticeWords, TextForm::kLines)) {
    issues.push_back({"/words", WordsRule(kMaxNoticeWords, TextForm::kLines)});
  }
  if (form.effective.ms < now.ms - kTenYearsMs || form.effective.ms > now.ms + kTenYearsMs) {
    issues.push_back({"/effective", "must be within ten years of now"});
  }
  return issues;
}

std::vector<Issue> FaultsOf(const TellingForm& form, Timestamp now) {
  std::vector<Issue> issues;
  if (std::ranges::find(kNoticeChannels, form.channel) == std::end(kNoticeChannels)) {
    issues.push_back({"/channel",
                      "must be one of app, email, in-person, letter, message, other, phone, "
                      "portal, website"});
  }
  if (!IsWords(form.evidence, kMaxEvidence)) {
    issues.push_back({"/evidence", WordsRule(kMaxEvidence)});
  }
  if (form.at && *form.at > now) issues.push_back({"/at", "must not be in the future"});
  if (form.at && form.at->ms < now.ms - kTenYearsMs) {
    issues.push_back({"/at", "must not be more than ten years ago"});
  }
  if (form.all != form.clients.empty()) {
    issues.push_back({"/clients", "either clients or all is required, and not both"});
  }
  if (form.clients.size() > kMostTold) {
    issues.push_back({"/clients", "must be at most 1000 clients"});
  }
  std::set<ClientId> named;
  for (std::size_t i = 0; i < form.clients.size() && i < kMostTold; ++i) {
    if (!named.insert(form.clients[i]).second) {
      issues.push_back({"/clients/" + std::to_string(i), "is there already"});
    }
  }
  if (!form.all && !form.cursor.empty()) {
    issues.push_back({"/cursor", "goes with all"});
  }
  return issues;
}

}  // namespace coffer::vault
