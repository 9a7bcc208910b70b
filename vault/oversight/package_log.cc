#include "vault/oversight/package_log.h"

#include <nlohmann/json.hpp>

#include "audit/entries/entry.h"
#include "audit/entries/log_reader.h"
#include "crypto/encoding.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "vault/oversight/log_search.h"
#include "vault/oversight/remembering_reader.h"

namespace coffer::vault {
namespace {

using nlohmann::json;

constexpr std::string_view kPersonLabel = "coffer-package-person-v1";
constexpr std::size_t kPersonBytes = 5;
constexpr std::string_view kHoldActions = "hold.";
constexpr std::string_view kRoleRule = "role:";

// What the person is called in this package, and in no other.
std::string PersonOf(const crypto::SecretBytes& key, const PackageId& package,
                     std::string_view actor) {
  const auto hash = crypto::KeyedHash(key, {package.bytes(), crypto::AsBytes(actor)});
  return crypto::HexEncode(ByteView(hash).first(kPersonBytes));
}

json WhoOf(const crypto::SecretBytes& key, const PackageRow& row, const audit::Entry& entry) {
  json who = {{"kind", audit::Name(entry.actor_kind)}};
  if (!entry.actor.empty()) who["person"] = PersonOf(key, row.id, entry.actor);
  if (entry.rule.starts_with(kRoleRule)) who["role"] = entry.rule.substr(kRoleRule.size());
  if (row.names_staff && !entry.actor.empty()) who["actor"] = entry.actor;
  return who;
}

void PutIfAny(json& item, const char* name, const std::string& text) {
  if (!text.empty()) item[name] = text;
}

bool TellsOfHolds(const audit::Entry& entry) {
  return entry.action.starts_with(kHoldActions) || entry.outcome == "held" ||
         entry.detail.contains(HoldTag::kPrefix) || entry.detail.contains(kHoldActions);
}

json ItemOf(const crypto::SecretBytes& key, const PackageRow& row, const audit::Entry& entry,
            bool is_named) {
  json item = {{"seq", entry.seq},
               {"at", audit::FormatTimestamp(entry.ts)},
               {"action", entry.action},
               {"who", WhoOf(key, row, entry)},
               {"decision", audit::Name(entry.decision)},
               {"outcome", entry.outcome}};
  PutIfAny(item, "purpose", entry.purpose);
  if (!is_named) {
    item["hidden_by_role"] = true;
    return item;
  }
  PutIfAny(item, "class", entry.class_name);
  PutIfAny(item, "record", entry.record);
  if (entry.version != 0) item["version"] = entry.version;
  if (!entry.fields.empty()) item["fields"] = entry.fields;
  return item;
}

}  // namespace

Result<PackageLog> ReadPackageLog(LogReader& reader, const audit::LogHead& head,
                                  const crypto::Keyring& keyring, const PackageRow& row,
                                  const ClassNamesOfPackage& classes, std::uint64_t from) {
  const auto key = crypto::DeriveKey(keyring.note_key(), kPersonLabel);
  const auto hashes = Remembering(audit::MakeHashReader(reader.log(), head));
  PackageLog result;
  json items = json::array();
  LogFilter filter;
  filter.client = row.client.Text();
  LogPageRequest page{kPackageEntries, true, from};
  // A page looks at so many entries, and may have found none.
  while (page.start && *page.start < row.log_size && items.size() < kPackageEntries) {
    page.limit = kPackageEntries - items.size();
    LogPage found;
    COFFER_TRY(SearchLog(reader, filter, page, found));
    for (std::size_t i = 0; i < found.entries.size() && found.seqs[i] < row.log_size; ++i) {
      COFFER_ASSIGN(const auto entry, audit::ParseEntry(found.entries[i]));
      if (TellsOfHolds(entry)) continue;
      const bool is_named = entry.class_name.empty() || classes.contains(entry.class_name);
      COFFER_ASSIGN(const auto proof, audit::InclusionProof(found.seqs[i], row.log_size, hashes));
      json item = ItemOf(key, row, entry, is_named);
      item["leaf_hash"] = crypto::Base64Encode(audit::LeafHash(crypto::AsBytes(found.entries[i])));
      json& path = item["proof"] = json::array();
      for (const auto& hash : proof) path.push_back(crypto::Base64Encode(hash));
      if (row.names_staff && is_named) item["entry"] = found.entries[i];
      items.push_back(std::move(item));
    }
    page.start = found.next;
  }
  if (page.start && *page.start < row.log_size) result.next = page.start;
  result.items = items.dump(-1, ' ', false, json::error_handler_t::replace);
  return result;
}

}  // namespace coffer::vault
