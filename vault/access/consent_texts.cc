#include "vault/access/consent_texts.h"

#include <algorithm>

#include "crypto/hash.h"
#include "vault/access/call.h"
#include "vault/catalog/catalog_state.h"

namespace coffer::vault {
namespace {

constexpr std::uint64_t kMaxConsentTexts = 2000;  // versions of all: they are listed together

bool SaysTheSame(const ConsentText& stored, const ConsentText& put, bool since_given) {
  return stored.minimum_age == put.minimum_age &&
         (!since_given || stored.shown_since == put.shown_since) &&
         std::ranges::equal(
             stored.wordings, put.wordings, [](const ConsentWording& a, const ConsentWording& b) {
               return a.language == b.language && a.sha256 == b.sha256 && a.text == b.text;
             });
}

std::string InWords(const ConsentText& text) {
  std::string words = text.name + " v" + std::to_string(text.version) + ":";
  for (const ConsentWording& wording : text.wordings) words += " " + wording.language;
  return words;
}

Error InvalidText(std::vector<Issue> issues) {
  return Error{Code::kUnprocessable, "consent_text_invalid", {}, std::move(issues)};
}

}  // namespace

Result<ConsentText> ConsentTexts::PutConsentText(const Caller& caller, std::string_view name,
                                                 const ConsentTextRequest& request) {
  constexpr Action kAction = Action::kConsentTextWrite;
  if (auto issues = FaultsOf(name, request); !issues.empty()) {
    return operations_.Refuse(caller, {kAction}, InvalidText(std::move(issues)));
  }
  ConsentText text;
  text.name = name;
  text.wordings = request.wordings;
  text.minimum_age = request.minimum_age;
  for (ConsentWording& wording : text.wordings) {
    wording.sha256 = crypto::Sha256(crypto::AsBytes(wording.text));
  }
  std::ranges::sort(text.wordings, {}, &ConsentWording::language);
  Call call = operations_.Start(caller, {kAction, OperationKind::kWrite});
  call.entry.detail = name;
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<ConsentText> {
    ConsentTextStore& store = transaction.Of<CatalogState>().consent_texts;
    text.created = transaction.now();
    text.shown_since = request.shown_since.value_or(text.created);
    text.put_by = call.actor;
    if (text.shown_since > text.created) {
      return std::unexpected(InvalidText({{"/shown_since", "must not be in the future"}}));
    }
    COFFER_ASSIGN(auto newest, store.Find(name, std::nullopt));
    if (newest && SaysTheSame(*newest, text, request.shown_since.has_value())) {
      call.entry.detail = InWords(*newest);
      call.entry.outcome = "unchanged";
      return *std::move(newest);
    }
    COFFER_ASSIGN(const std::uint64_t stored, store.Count());
    if (stored >= kMaxConsentTexts) return Fail(Code::kConflict, "too_many_consent_texts");
    text.version = newest ? newest->version + 1 : 1;
    call.entry.detail = InWords(text);
    call.entry.payload_hash = crypto::Sha256(crypto::AsBytes(StatementOf(text)));
    COFFER_TRY(store.Insert(text));
    return text;
  });
}

Result<std::vector<ConsentText>> ConsentTexts::ListConsentTexts(const Caller& caller) {
  Call call = operations_.Start(caller, {Action::kConsentTextRead});
  return operations_.Perform(call,
                             [&](Transaction& transaction) -> Result<std::vector<ConsentText>> {
                               return transaction.Of<CatalogState>().consent_texts.List();
                             });
}

Result<ConsentText> ConsentTexts::GetConsentText(const Caller& caller, std::string_view name,
                                                 std::optional<std::uint64_t> version) {
  Call call = operations_.Start(caller, {Action::kConsentTextRead});
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<ConsentText> {
    COFFER_ASSIGN(auto text, transaction.Of<CatalogState>().consent_texts.Find(name, version));
    if (!text) return NotFound(call);
    call.entry.detail = InWords(*text);
    return *std::move(text);
  });
}

}  // namespace coffer::vault
