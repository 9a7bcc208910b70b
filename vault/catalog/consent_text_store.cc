#include "vault/catalog/consent_text_store.h"

#include <algorithm>

namespace coffer::vault {
namespace {

constexpr std::string_view kInsertText =
    "INSERT INTO consent_texts (name, version, minimum_age, shown_since, created, put_by) "
    "VALUES (?, ?, ?, ?, ?, ?)";
constexpr std::string_view kInsertWording =
    "INSERT INTO consent_wordings (name, version, language, sha256, wording) "
    "VALUES (?, ?, ?, ?, ?)";
constexpr std::string_view kNewestText =
    "SELECT name, version, minimum_age, shown_since, created, put_by FROM consent_texts "
    "WHERE name = ? ORDER BY version DESC LIMIT 1";
constexpr std::string_view kFindText =
    "SELECT name, version, minimum_age, shown_since, created, put_by FROM consent_texts "
    "WHERE name = ? AND version = ?";
constexpr std::string_view kWordings =
    "SELECT language, sha256, wording FROM consent_wordings WHERE name = ? AND version = ? "
    "ORDER BY language";
constexpr std::string_view kListTexts =
    "SELECT t.name, t.version, t.minimum_age, t.shown_since, t.created, t.put_by, w.language, "
    "w.sha256 FROM consent_texts AS t JOIN consent_wordings AS w ON w.name = t.name AND "
    "w.version = t.version ORDER BY t.name, t.version, w.language";
constexpr std::string_view kCountTexts = "SELECT count(*) FROM consent_texts";
constexpr std::string_view kShownText =
    "SELECT w.sha256, t.minimum_age, t.shown_since FROM consent_wordings AS w JOIN consent_texts "
    "AS t ON t.name = w.name AND t.version = w.version "
    "WHERE w.name = ? AND w.version = ? AND w.language = ?";

crypto::Hash HashAt(const Cursor& rows, int column) {
  crypto::Hash hash{};
  std::ranges::copy(rows.Blob(column), hash.begin());
  return hash;
}

std::optional<std::uint64_t> AgeAt(const Cursor& rows, int column) {
  if (rows.IsNull(column)) return std::nullopt;
  return static_cast<std::uint64_t>(rows.Int(column));
}

ConsentText TextAt(const Cursor& rows) {
  ConsentText text;
  text.name = rows.Text(0);
  text.version = static_cast<std::uint64_t>(rows.Int(1));
  text.minimum_age = AgeAt(rows, 2);
  text.shown_since = Timestamp{rows.Int(3)};
  text.created = Timestamp{rows.Int(4)};
  std::ranges::copy(rows.Blob(5), text.put_by.value.begin());
  return text;
}

}  // namespace

Result<ConsentTextStore> ConsentTextStore::Open(Database& database) {
  ConsentTextStore store;
  COFFER_ASSIGN(store.insert_, Statement::Prepare(database, kInsertText));
  COFFER_ASSIGN(store.insert_wording_, Statement::Prepare(database, kInsertWording));
  COFFER_ASSIGN(store.newest_, Statement::Prepare(database, kNewestText));
  COFFER_ASSIGN(store.find_, Statement::Prepare(database, kFindText));
  COFFER_ASSIGN(store.wordings_, Statement::Prepare(database, kWordings));
  COFFER_ASSIGN(store.list_, Statement::Prepare(database, kListTexts));
  COFFER_ASSIGN(store.count_, Statement::Prepare(database, kCountTexts));
  COFFER_ASSIGN(store.shown_, Statement::Prepare(database, kShownText));
  return store;
}

Status ConsentTextStore::Insert(const ConsentText& text) {
  COFFER_TRY(insert_.Execute(std::string_view(text.name), text.version, text.minimum_age,
                             text.shown_since.ms, text.created.ms, text.put_by.bytes()));
  for (const ConsentWording& wording : text.wordings) {
    COFFER_TRY(insert_wording_.Execute(std::string_view(text.name), text.version,
                                       std::string_view(wording.language), ByteView(wording.sha256),
                                       std::string_view(wording.text)));
  }
  return {};
}

Result<std::optional<ConsentText>> ConsentTextStore::Find(std::string_view name,
                                                          std::optional<std::uint64_t> version) {
  std::optional<ConsentText> text;
  {
    auto rows = version ? find_.Query(name, *version) : newest_.Query(name);
    COFFER_ASSIGN(const bool found, rows.Next());
    if (!found) return std::nullopt;
    text = TextAt(rows);
  }
  auto rows = wordings_.Query(name, text->version);
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return text;
    text->wordings.push_back(
        {std::string(rows.Text(0)), std::string(rows.Text(2)), HashAt(rows, 1)});
  }
}

Result<std::vector<ConsentText>> ConsentTextStore::List() {
  std::vector<ConsentText> texts;
  auto rows = list_.Query();
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return texts;
    ConsentText text = TextAt(rows);
    if (texts.empty() || texts.back().name != text.name || texts.back().version != text.version) {
      texts.push_back(std::move(text));
    }
    texts.back().wordings.push_back({std::string(rows.Text(6)), {}, HashAt(rows, 7)});
  }
}

Result<std::uint64_t> ConsentTextStore::Count() {
  auto rows = count_.Query();
  COFFER_TRY(rows.Next());
  return static_cast<std::uint64_t>(rows.Int(0));
}

Result<std::optional<ShownText>> ConsentTextStore::FindShown(std::string_view name,
                                                             std::uint64_t version,
                                                             std::string_view language) {
  auto rows = shown_.Query(name, version, language);
  COFFER_ASSIGN(const bool found, rows.Next());
  if (!found) return std::nullopt;
  return ShownText{HashAt(rows, 0), AgeAt(rows, 1), Timestamp{rows.Int(2)}};
}

}  // namespace coffer::vault
