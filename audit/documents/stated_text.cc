#include "audit/documents/stated_text.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "audit/documents/embedded_texts.h"
#include "audit/text/decimal.h"

namespace coffer::audit {
namespace {

struct StatementKey {
  Statement statement;
  std::string_view key;
};

constexpr StatementKey kStatementKeys[] = {
    {Statement::kBasisRequest, "stated.basis.request"},
    {Statement::kBasisConsentWithdrawn, "stated.basis.consent-withdrawn"},
    {Statement::kBasisPurposeReached, "stated.basis.purpose-reached"},
    {Statement::kBasisContractEnd, "stated.basis.contract-end"},
    {Statement::kBasisUnlawful, "stated.basis.unlawful"},
    {Statement::kBasisRetention, "stated.basis.retention"},
    {Statement::kBasisReplayed, "stated.basis.replayed"},
    {Statement::kClientWithoutRecords, "stated.client-itself"},
    {Statement::kOthers, "stated.others"},
    {Statement::kKeptRecords, "stated.kept.records"},
    {Statement::kKeptRecordsWhy, "stated.kept.records.why"},
    {Statement::kKeptOthers, "stated.kept.others"},
    {Statement::kKeptLog, "stated.kept.log"},
    {Statement::kKeptLogWhy, "stated.kept.log.why"},
    {Statement::kKeptIndex, "stated.kept.index"},
    {Statement::kKeptIndexWhy, "stated.kept.index.why"},
    {Statement::kKeptCopies, "stated.kept.copies"},
    {Statement::kKeptCopiesWhy, "stated.kept.copies.why"},
};

// The newest sentence first.
using Sentences = std::map<Statement, std::vector<std::string>>;

Sentences ParseSentences() {
  Sentences sentences;
  try {
    const auto document = nlohmann::json::parse(EmbeddedText("stated.json"));
    for (const auto& [statement, key] : kStatementKeys) {
      sentences[statement] = document.at(std::string(key)).get<std::vector<std::string>>();
      if (sentences[statement].empty()) std::abort();
    }
    if (document.size() != std::size(kStatementKeys)) std::abort();
  } catch (const std::exception&) {
    std::abort();
  }
  return sentences;
}

const Sentences& SignedSentences() {
  static const Sentences sentences = ParseSentences();
  return sentences;
}

bool IsOfClassName(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; }

// Takes the value of the placeholder {`name`} from the front of `text`.
bool TakeValue(std::string_view name, std::string_view& text, StatedValues& values) {
  if (name == "date") {
    const auto time = ParseTimestamp(text.substr(0, 24));
    if (!time) return false;
    values.date = *time;
    text.remove_prefix(24);
    return true;
  }
  const auto end = std::ranges::find_if_not(text, IsOfClassName) - text.begin();
  const std::string_view word = text.substr(0, static_cast<std::size_t>(end));
  if (name == "class") {
    values.class_name = word;
  } else {
    const auto number = ParseDecimal(word);
    if (!number) return false;
    values.n = *number;
  }
  text.remove_prefix(word.size());
  return !word.empty();
}

std::optional<StatedValues> Match(std::string_view sentence, std::string_view text) {
  StatedValues values;
  while (!sentence.empty()) {
    const auto open = std::min(sentence.find('{'), sentence.size());
    if (!text.starts_with(sentence.substr(0, open))) return std::nullopt;
    text.remove_prefix(open);
    sentence.remove_prefix(open);
    if (sentence.empty()) break;
    const auto close = sentence.find('}');
    if (!TakeValue(sentence.substr(1, close - 1), text, values)) return std::nullopt;
    sentence.remove_prefix(close + 1);
  }
  return text.empty() ? std::optional(std::move(values)) : std::nullopt;
}

}  // namespace

std::string Stated(Statement statement, const StatedValues& values) {
  std::string text = SignedSentences().at(statement).front();
  const auto fill = [&](std::string_view placeholder, const std::string& value) {
    if (const auto at = text.find(placeholder); at != text.npos) {
      text.replace(at, placeholder.size(), value);
    }
  };
  fill("{n}", std::to_string(values.n));
  fill("{class}", values.class_name);
  if (values.date) fill("{date}", FormatTimestamp(*values.date));
  return text;
}

std::optional<RecognisedStatement> RecogniseStatement(std::string_view text) {
  for (const auto& [statement, sentences] : SignedSentences()) {
    for (const std::string& sentence : sentences) {
      if (auto values = Match(sentence, text)) {
        return RecognisedStatement{statement, *std::move(values)};
      }
    }
  }
  return std::nullopt;
}

std::string_view KeyOf(Statement statement) {
  const auto* const found = std::ranges::find(kStatementKeys, statement, &StatementKey::statement);
  if (found == std::end(kStatementKeys)) std::abort();
  return found->key;
}

}  // namespace coffer::audit
