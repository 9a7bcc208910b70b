#include "vault/internal/erasure_ledger.h"

#include <algorithm>
#include <utility>

#include "crypto/encoding.h"

namespace coffer::vault {
namespace {

constexpr std::string_view kLedgerKeysSetting = "ledger-keys";  // verifier keys, a line each

}  // namespace

audit::ErasureScope LedgerScopeOf(const ErasureRow& row) {
  switch (row.scope) {
    case ErasureScope::kClass:
      return {audit::ScopeKind::kClass, row.class_name};
    case ErasureScope::kRecords:
      return {audit::ScopeKind::kRecords};
    case ErasureScope::kClient:
      break;
  }
  return {audit::ScopeKind::kClient};
}

Result<std::unique_ptr<ErasureLedger>> ErasureLedger::Open(const std::string& path,
                                                           const crypto::Keyring& keyring,
                                                           SettingStore& settings) {
  COFFER_ASSIGN(const auto stored, settings.Find(kLedgerKeysSetting));
  std::string known = stored.value_or("");
  for (const auto& key : keyring.log_keys()) {
    const std::string line =
        audit::FormatVerifierKey({keyring.log_origin(), key.key.public_key()}) + "\n";
    if (known.find(line) == std::string::npos) known += line;
  }
  if (known != stored) COFFER_TRY(settings.Put(kLedgerKeysSetting, known));
  std::vector<audit::VerifierKey> trusted;
  for (std::string_view rest = known; !rest.empty();) {
    const auto end = rest.find('\n');
    COFFER_ASSIGN(auto key, audit::ParseVerifierKey(rest.substr(0, end)));
    trusted.push_back(std::move(key));
    rest.remove_prefix(end + 1);
  }
  std::unique_ptr<ErasureLedger> ledger(new ErasureLedger(keyring));
  ledger->vault_ = crypto::Base32Encode(keyring.vault_id());
  COFFER_ASSIGN(ledger->file_,
                audit::LedgerFile::Open(path, std::move(trusted),
                                        [&](const auto& line) { return ledger->Take(line); }));
  return ledger;
}

Status ErasureLedger::Take(const audit::LedgerLine& line) {
  const audit::LedgerErasure& erasure = line.erasure;
  if (erasure.vault != vault_) {
    return Fail(Code::kCorrupted, "ledger_foreign",
                "it is the ledger of the vault " + erasure.vault);
  }
  COFFER_ASSIGN(const ErasureId id, ErasureId::Parse(erasure.erasure));
  const auto [found, made] = found_.try_emplace(id);
  ErasureRow& row = found->second;
  if (made) {
    row.id = id;
    COFFER_ASSIGN(row.client, ClientId::Parse(erasure.client));
    row.scope = erasure.scope.kind == audit::ScopeKind::kClient  ? ErasureScope::kClient
                : erasure.scope.kind == audit::ScopeKind::kClass ? ErasureScope::kClass
                                                                 : ErasureScope::kRecords;
    row.class_name = erasure.scope.class_name;
    row.erased = erasure.ts;
    row.seq = erasure.log_seq;
    row.ledger_seq = line.at.n;
  }
  for (const auto& text : erasure.records) {
    COFFER_ASSIGN(const RecordId record, RecordId::Parse(text));
    row.record_ids.push_back(record);
  }
  return {};
}

ErasureLedger::~ErasureLedger() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (writer_.joinable()) writer_.join();
}

audit::LedgerErasure ErasureLedger::ErasureOf(const ErasureRow& row) const {
  audit::LedgerErasure erasure{vault_, row.id.Text(), row.client.Text(), LedgerScopeOf(row),
                               {},     row.seq,       row.erased};
  for (const RecordId& record : row.record_ids) erasure.records.push_back(record.Text());
  return erasure;
}

void ErasureLedger::Prepare(const ErasureRow& row) {
  {
    const std::lock_guard lock(mutex_);
    if (!lines_) lines_.emplace(file_->head(), keyring_.log_origin(), keyring_.log_signing_key());
    waiting_.push_back(ErasureOf(row));
  }
  if (!writer_.joinable()) writer_ = std::thread([this] { WriteAhead(); });
  changed_.notify_all();
}

void ErasureLedger::WriteAhead() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    auto erasures = std::exchange(waiting_, {});
    writing_ = true;
    lock.unlock();
    for (auto& erasure : erasures) {
      // What is wrong with it is for Append to say, which finds it missing.
      if (!lines_->Add(erasure)) break;
      prepared_.push_back(std::move(erasure));
    }
    lock.lock();
    writing_ = false;
    changed_.notify_all();
  }
}

std::optional<audit::LedgerBatch> ErasureLedger::TakePrepared(
    std::span<const audit::LedgerErasure> erasures) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return waiting_.empty() && !writing_; });
  const auto prepared = std::exchange(prepared_, {});
  auto lines = std::exchange(lines_, std::nullopt);
  return std::ranges::equal(prepared, erasures) ? std::move(lines) : std::nullopt;
}

Status ErasureLedger::Append(std::span<ErasureRow> rows) {
  std::vector<audit::LedgerErasure> erasures;
  std::uint64_t n = file_->head().n;
  for (ErasureRow& row : rows) {
    // Of several lines a crash may have left the first ones: then all are written again.
    const auto found = found_.find(row.id);
    if (found != found_.end() && found->second.record_ids.size() >= row.record_ids.size()) {
      row.ledger_seq = found->second.ledger_seq;
      continue;
    }
    row.ledger_seq = n;
    audit::LedgerErasure erasure = ErasureOf(row);
    const std::size_t lines = std::max<std::size_t>(
        1, (erasure.records.size() + audit::kMaxLedgerRecords - 1) / audit::kMaxLedgerRecords);
    n += lines;
    erasures.push_back(std::move(erasure));
  }
  const auto prepared = TakePrepared(erasures);
  if (erasures.empty()) return {};
  COFFER_TRY(prepared ? file_->Append(*prepared)
                      : file_->Append(erasures, keyring_.log_origin(), keyring_.log_signing_key()));
  // What a start finishes before it compares must not be written once more then.
  if (opening_) {
    for (const ErasureRow& row : rows) found_.insert_or_assign(row.id, row);
  }
  return {};
}

}  // namespace coffer::vault
