#include "vault/deletion/retention_days.h"

#include <nlohmann/json.hpp>

#include "audit/text/clock.h"
#include "crypto/aead.h"
#include "vault/access/operations.h"
#include "vault/base/operator_log.h"
#include "vault/catalog/catalog_state.h"
#include "vault/clients/clients_state.h"
#include "vault/clients/sealing_contexts.h"
#include "vault/deletion/deletion_state.h"

namespace coffer::vault {
namespace {

// Of one look at the index, and of what is opened at once: each holds nobody up for long.
constexpr std::size_t kMostLookedAt = 50'000;
constexpr std::size_t kMostBytes = 256 * 1024;

struct SealedDocument {
  RecordRow row;
  ClientId client;
  std::optional<PinnedKeys> key;
};

}  // namespace

Result<std::vector<OpenedDocument>> OpenDocuments(const Operations& operations,
                                                  std::span<const std::int64_t> records,
                                                  std::size_t& taken) {
  std::vector<SealedDocument> sealed;
  std::vector<std::int64_t> damaged;
  // With its key in one transaction: an erasure seals what stays anew.
  COFFER_TRY(operations.Look([&](Transaction& transaction) -> Status {
    auto& stores = transaction.Of<ClientsState>().stores;
    std::size_t bytes = 0;
    for (taken = 0; taken < records.size() && bytes < kMostBytes; ++taken) {
      auto row = stores.records.FindRow(records[taken]);
      if (!row && row.error().code == Code::kCorrupted) {
        damaged.push_back(records[taken]);
        continue;
      }
      if (!row) return std::unexpected(std::move(row).error());
      if (!*row) continue;
      COFFER_ASSIGN(const auto owner,
                    transaction.Of<DeletionState>().stores.retention.FindClient((*row)->client));
      if (!owner) continue;
      auto key = transaction.PinKey(owner->id);
      if (!key && key.error().code == Code::kExhausted && taken > 0) return {};
      if (!key && key.error().code != Code::kNotFound && key.error().code != Code::kCorrupted) {
        return std::unexpected(std::move(key).error());
      }
      bytes += (*row)->payload.size();
      SealedDocument& document = sealed.emplace_back(**std::move(row), owner->id);
      if (key) document.key = *std::move(key);
    }
    return {};
  }));
  std::vector<OpenedDocument> opened;
  for (const std::int64_t record : damaged) opened.emplace_back(record);
  for (SealedDocument& document : sealed) {
    const RecordRow& row = document.row;
    OpenedDocument& result =
        opened.emplace_back(row.id.Row(), row.version, row.class_name, std::nullopt);
    if (!document.key) continue;
    const auto plain = document.key->Expose().Open(
        RecordContext(operations.keyring(), document.client, row.id, row.class_name, row.version),
        row.payload);
    if (plain) result.document = crypto::AsText(*plain);
  }
  return opened;
}

void RetentionDays::Follow(const Catalog& catalog) {
  const std::size_t versions = RetentionDates::VersionsIn(catalog);
  if (versions == class_versions_) return;
  class_versions_ = versions;
  dates_ = RetentionDates(catalog);
  position_ = {};
  done_ = !dates_.AnyToBeRead();
}

Result<bool> RetentionDays::Step(RetentionStore& store, std::size_t records) {
  catalog_ = operations_.engine().Of<CatalogState>().Published();
  Follow(*catalog_);
  if (done_) return false;
  const RetentionStore::Place before = position_;
  std::vector<std::int64_t> found;
  auto done = LookFor(store, records, found);
  for (std::span<const std::int64_t> rest = found; done && !rest.empty();) {
    std::size_t taken = 0;
    done = ReadAnew(rest, taken);
    rest = rest.subspan(taken);
  }
  if (done && done_) done = FinishRound();
  if (!done) {
    position_ = before;
    done_ = false;
    return std::unexpected(std::move(done).error());
  }
  return !done_;
}

Status RetentionDays::LookFor(RetentionStore& store, std::size_t records,
                              std::vector<std::int64_t>& found) {
  std::size_t looked_at = 0;
  RetentionStore::Place last = position_;
  bool more = false;
  COFFER_TRY(store.ScanAfter(position_, [&](const RetentionSubject& subject) -> Result<bool> {
    if (found.size() >= records || looked_at >= kMostLookedAt) {
      more = true;
      return false;
    }
    ++looked_at;
    last.client = subject.client;
    if (last.class_name != subject.class_name) last.class_name = subject.class_name;
    last.record = subject.record;
    if (dates_.IsToBeRead(subject.class_name, subject.date_version)) {
      found.push_back(subject.record);
    }
    return true;
  }));
  position_ = std::move(last);
  done_ = !more;
  return {};
}

Status RetentionDays::ReadAnew(std::span<const std::int64_t> records, std::size_t& taken) {
  COFFER_ASSIGN(const auto opened, OpenDocuments(operations_, records, taken));
  struct ReadDay {
    const OpenedDocument* record;
    std::optional<Day> day;
    std::uint64_t date_version;
  };
  std::vector<ReadDay> days;
  for (const OpenedDocument& record : opened) {
    if (!record.document) {
      ++unreadable_;  // it begins no period
      continue;
    }
    const auto schema = catalog_->Newest(record.class_name);
    if (!schema) continue;
    days.push_back({&record, DayInStored(*schema, *record.document), schema->version});
  }
  if (days.empty()) return {};
  std::uint64_t stored = 0;
  COFFER_TRY(operations_.Store([&](Transaction& transaction) -> Status {
    stored = 0;
    for (const ReadDay& read : days) {
      // Right for the version that read it, whatever the newest one is by now.
      COFFER_ASSIGN(const bool is_same,
                    transaction.Of<ClientsState>().stores.records.PutDay(
                        read.record->record, read.record->version, read.day, read.date_version));
      if (is_same) ++stored;
    }
    return {};
  }));
  read_ += stored;
  return {};
}

Status RetentionDays::FinishRound() {
  const std::uint64_t read = std::exchange(read_, 0), unreadable = std::exchange(unreadable_, 0);
  if (read == 0 && unreadable == 0) return {};
  std::string detail = std::to_string(read) + " records";
  if (unreadable != 0) {
    detail += ", and " + std::to_string(unreadable) + " that cannot be opened";
    if (operations_.log()) {
      operations_.log()(Severity::kWarning,
                        std::to_string(unreadable) +
                            " records cannot be opened; retention does not begin their periods");
    }
  }
  return operations_.LogSystemEvent("retention.dates", "ok", detail);
}

}  // namespace coffer::vault
