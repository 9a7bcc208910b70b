#include "vault/clients/index_lookup.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "vault/catalog/catalog_state.h"
#include "vault/clients/blind_tokens.h"
#include "vault/clients/clients_state.h"
#include "vault/clients/record_operations.h"
#include "vault/clients/sealing_contexts.h"

namespace coffer::vault {
namespace {

constexpr std::size_t kComparedAtOnce = 200;

}  // namespace

Status IndexLookup::Start() {
  SearchIndex& index = transaction_.Of<ClientsState>().stores.index;
  tokens_ = {FieldToken(operations_.keyring(), newest_.name, field_.name, form_)};
  if (index.IsWhole(newest_.name, field_)) return {};
  reached_ = index.ReachedBy(newest_.name, field_);
  COFFER_ASSIGN(const bool many, transaction_.Of<ClientsState>().stores.records.HasMoreThan(
                                     rows_compared_, reached_));
  way_ = many ? Way::kTokens : Way::kCompared;
  if (many && (!index.state().live_usable || !NoteTokens())) {
    return Fail(Code::kConflict, kIndexBuilding);
  }
  return {};
}

// By the field of each version of the class, and by the rules from before there were numbers of
// them. False: some version did not index it.
bool IndexLookup::NoteTokens() {
  const auto versions = transaction_.Of<CatalogState>().current().classes.find(newest_.name);
  if (versions == transaction_.Of<CatalogState>().current().classes.end()) return true;
  const auto note = [&](const Result<std::string>& form) {
    if (!form) return;
    const BlindToken token = FieldToken(operations_.keyring(), newest_.name, field_.name, *form);
    if (std::ranges::find(tokens_, token) == tokens_.end()) tokens_.push_back(token);
  };
  for (const auto& schema : versions->second) {
    const Field* const then = schema->Find(field_.name);
    if (then == nullptr || !then->indexed) return false;
    note(crypto::SearchForm(then->normalisation, then->region, typed_));
    note(crypto::Normalise(LastingRule(*then), typed_));
  }
  return true;
}

Result<std::vector<std::int64_t>> IndexLookup::Find(std::int64_t after, std::size_t limit) {
  switch (way_) {
    case Way::kIndex:
      return transaction_.Of<ClientsState>().stores.index.Find(tokens_.front(), after, limit);
    case Way::kCompared:
      return FindCompared(after, limit);
    case Way::kTokens:
      return FindByTokens(after, limit);
  }
  return Fail(Code::kInternal, "internal_error");
}

Result<std::vector<std::int64_t>> IndexLookup::FindCompared(std::int64_t after, std::size_t limit) {
  std::vector<std::int64_t> found;
  if (after < reached_) {
    COFFER_ASSIGN(found, transaction_.Of<ClientsState>().stores.index.FindInNext(tokens_.front(),
                                                                                 after, limit));
  }
  std::int64_t last = std::max(after, reached_);
  while (found.size() < limit) {
    COFFER_ASSIGN(const auto rows, transaction_.Of<ClientsState>().stores.records.ListAllOf(
                                       newest_.name, last, kComparedAtOnce));
    for (const std::int64_t row : rows) {
      COFFER_ASSIGN(const bool has, Has(row));
      if (has) found.push_back(row);
      if (found.size() == limit) break;
      last = row;
    }
    if (rows.size() < kComparedAtOnce) break;
  }
  return found;
}

Result<std::vector<std::int64_t>> IndexLookup::FindByTokens(std::int64_t after, std::size_t limit) {
  std::vector<std::int64_t> found;
  for (;;) {
    std::vector<std::int64_t> rows;
    std::optional<std::int64_t> known;  // all rows up to that one are, and there may be more
    for (const BlindToken& token : tokens_) {
      COFFER_ASSIGN(const auto some,
                    transaction_.Of<ClientsState>().stores.index.Find(token, after, limit));
      rows.insert(rows.end(), some.begin(), some.end());
      if (some.size() == limit) known = std::min(known.value_or(some.back()), some.back());
    }
    std::ranges::sort(rows);
    rows.erase(std::ranges::unique(rows).begin(), rows.end());
    for (const std::int64_t row : rows) {
      if (found.size() == limit || (known && row > *known)) break;
      COFFER_ASSIGN(const bool has, Has(row));
      if (has) found.push_back(row);
    }
    if (found.size() == limit || !known) return found;
    after = *known;
  }
}

Result<bool> IndexLookup::Has(std::int64_t record) {
  COFFER_ASSIGN(const auto row, transaction_.Of<ClientsState>().stores.records.FindRow(record));
  if (!row) return false;
  COFFER_ASSIGN(const auto owner,
                transaction_.Of<ClientsState>().stores.clients.FindRow(row->client));
  if (!owner) return false;
  const auto key = transaction_.UnwrapKey({owner->id, owner->generation});
  if (!key && key.error().code == Code::kUnavailable) return std::unexpected(key.error());
  if (!key) return false;
  auto plain = key->Expose().Open(
      RecordContext(operations_.keyring(), owner->id, row->id, row->class_name, row->version),
      row->payload);
  if (!plain) return false;
  const auto document = nlohmann::json::parse(crypto::AsText(*plain), nullptr, false);
  crypto::Wipe(*plain);
  if (!document.is_object()) return false;
  const auto value = document.find(field_.name);
  if (value == document.end() || !value->is_string()) return false;
  const auto form =
      crypto::SearchForm(field_.normalisation, field_.region, value->get_ref<const std::string&>());
  return form && *form == form_;
}

}  // namespace coffer::vault
