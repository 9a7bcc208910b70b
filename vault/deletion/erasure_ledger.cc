#include "vault/deletion/erasure_ledger.h"

#include <algorithm>
#include <new>
#include <system_error>
#include <unordered_set>
#include <utility>

#include "crypto/encoding.h"
#include "vault/deletion/erasure.h"
#include "vault/engine/log_keys.h"

namespace coffer::vault {
namespace {

// Verifier keys of the log, a line each: all there ever were, before the newest key vouched for the
// end of the ledger, or those of TrustOnce. Empty since then.
constexpr std::string_view kLedgerKeysSetting = "ledger-keys";

Status AddKnownKeys(std::string_view known, std::vector<audit::VerifierKey>& trusted) {
  while (!known.empty()) {
    const auto end = known.find('\n');
    COFFER_ASSIGN(auto key, audit::ParseVerifierKey(known.substr(0, end)));
    if (std::ranges::find(trusted, key.key, &audit::VerifierKey::key) == trusted.end()) {
      trusted.push_back(std::move(key));
    }
    known.remove_prefix(std::min(end, known.size() - 1) + 1);
  }
  return {};
}

// By whom lines may be signed.
Result<std::vector<audit::VerifierKey>> TrustedKeys(const crypto::Keyring& keyring,
                                                    const std::optional<std::string>& known) {
  auto trusted = VerifierKeysOf(keyring);
  if (known) COFFER_TRY(AddKnownKeys(*known, trusted));
  return trusted;
}

// Lines may have been written twice: an erasure is a set.
void DropRepeated(std::vector<RecordId>& ids) {
  std::unordered_set<RecordId, IdHash> seen;
  std::erase_if(ids, [&](const RecordId& id) { return !seen.insert(id).second; });
}

}  // namespace

bool NamesAllOf(const ErasureRow& row, const ErasureRow& other) {
  const std::unordered_set<RecordId, IdHash> named(row.record_ids.begin(), row.record_ids.end());
  return std::ranges::all_of(other.record_ids,
                             [&](const RecordId& id) { return named.contains(id); });
}

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

Result<std::unique_ptr<ErasureLedger>> ErasureLedger::Read(
    const std::string& path, const crypto::Keyring& keyring,
    const std::optional<std::string>& known) {
  COFFER_ASSIGN(auto trusted, TrustedKeys(keyring, known));
  std::unique_ptr<ErasureLedger> ledger(new ErasureLedger(keyring));
  ledger->vault_ = crypto::Base32Encode(keyring.vault_id());
  COFFER_ASSIGN(ledger->file_,
                audit::LedgerFile::Open(path, std::move(trusted),
                                        [&](const auto& line) { return ledger->Take(line); }));
  for (auto& [id, row] : ledger->found_) DropRepeated(row.record_ids);
  return ledger;
}

Result<std::unique_ptr<ErasureLedger>> ErasureLedger::Open(const std::string& path,
                                                           const crypto::Keyring& keyring,
                                                           SettingStore& settings) {
  COFFER_ASSIGN(const auto stored, settings.Find(kLedgerKeysSetting));
  COFFER_ASSIGN(auto ledger, Read(path, keyring, stored));
  COFFER_TRY(ledger->file_->Cover(keyring.log_origin(), *keyring.log_signing_key()));
  if (stored != "") COFFER_TRY(settings.Put(kLedgerKeysSetting, ""));
  return ledger;
}

Result<std::unique_ptr<ErasureLedger>> ErasureLedger::OpenForRehearsal(
    const std::string& path, const crypto::Keyring& keyring, SettingStore& settings) {
  COFFER_ASSIGN(const auto stored, settings.Find(kLedgerKeysSetting));
  COFFER_ASSIGN(auto ledger, Read(path, keyring, stored));
  ledger->rehearsing_ = true;
  return ledger;
}

Status ErasureLedger::TrustOnce(SettingStore& settings, std::span<const audit::VerifierKey> keys) {
  if (keys.empty()) return {};
  std::string lines;
  for (const auto& key : keys) lines += audit::FormatVerifierKey(key) + "\n";
  return settings.Put(kLedgerKeysSetting, lines);
}

Status ErasureLedger::Check(const std::string& path, const crypto::Keyring& keyring,
                            SettingStore& settings, bool served) {
  COFFER_ASSIGN(const auto stored, settings.Find(kLedgerKeysSetting));
  COFFER_ASSIGN(auto trusted, TrustedKeys(keyring, stored));
  ErasureLedger ledger(keyring);
  ledger.vault_ = crypto::Base32Encode(keyring.vault_id());
  return audit::LedgerFile::Check(path, std::move(trusted), !served,
                                  [&](const auto& line) { return ledger.Take(line); });
}

Status ErasureLedger::CheckIsNewest(const std::string& path, const crypto::Keyring& keyring,
                                    Database& vault) {
  constexpr std::size_t kRowsAtOnce = 1000;
  COFFER_ASSIGN(auto settings, SettingStore::Open(vault));
  COFFER_ASSIGN(const auto stored, settings.Find(kLedgerKeysSetting));
  COFFER_ASSIGN(auto trusted, TrustedKeys(keyring, stored));
  ErasureLedger ledger(keyring);
  ledger.vault_ = crypto::Base32Encode(keyring.vault_id());
  COFFER_TRY(audit::LedgerFile::Check(path, std::move(trusted), true,
                                      [&](const auto& line) { return ledger.Take(line); }));
  for (auto& [id, row] : ledger.found_) DropRepeated(row.record_ids);
  std::uint64_t lacking = 0;
  COFFER_ASSIGN(auto erasures, ErasureStore::Open(vault));
  for (std::int64_t after = 0;;) {
    COFFER_ASSIGN(const auto rows, erasures.ListForward(after, kRowsAtOnce));
    for (const auto& [number, row] : rows) {
      after = number;
      if (row.state == ErasureState::kCommitted) continue;
      const auto found = ledger.found_.find(row.id);
      if (found == ledger.found_.end() || !NamesAllOf(found->second, row)) ++lacking;
    }
    if (rows.size() < kRowsAtOnce) break;
  }
  COFFER_ASSIGN(auto acts, ActStore::Open(vault));
  for (std::int64_t after = 0;;) {
    COFFER_ASSIGN(const auto rows, acts.ListForward(after, kRowsAtOnce));
    for (const auto& [number, row] : rows) {
      after = number;
      if (!ledger.acts_known_.contains(row.id)) ++lacking;
    }
    if (rows.size() < kRowsAtOnce) break;
  }
  if (lacking == 0) return {};
  return Fail(Code::kConflict, "ledger_older",
              "the ledger " + path + " lacks " + std::to_string(lacking) +
                  " erasures or acts that the vault has: name the one that the server has. Where "
                  "that is it, a start writes to it what it lacks");
}

Status ErasureLedger::Take(const audit::LedgerLine& line) {
  if (line.vault() != vault_) {
    return Fail(Code::kCorrupted, "ledger_foreign",
                "it is the ledger of the vault " + line.vault());
  }
  if (line.act) return TakeAct(*line.act);
  const audit::LedgerErasure& erasure = line.erasure;
  COFFER_TRY(completeness_.Take(line));
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

// The last line may be there twice, of which the first says as much.
Status ErasureLedger::TakeAct(const audit::LedgerAct& act) {
  ActRow row;
  COFFER_ASSIGN(row.id, ActId::Parse(act.act));
  if (!acts_known_.insert(row.id).second) return {};
  row.kind = act.kind;
  row.object = act.object;
  if (!act.client.empty()) {
    COFFER_ASSIGN(row.client, ClientId::Parse(act.client));
  }
  row.seq = act.log_seq;
  row.acted = act.ts;
  row.sealed = act.sealed;
  found_acts_.push_back(std::move(row));
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
  if (rehearsing_) return;
  {
    const std::lock_guard lock(mutex_);
    if (!lines_) {
      lines_signer_ = keyring_.log_signing_key();
      lines_.emplace(file_->head(), keyring_.log_origin(), *lines_signer_);
    }
    waiting_.push_back(ErasureOf(row));
  }
  if (!writer_.joinable() && !StartWriter()) {
    const std::lock_guard lock(mutex_);
    waiting_.clear();
    return;
  }
  changed_.notify_all();
}

bool ErasureLedger::StartWriter() {
  try {
    writer_ = std::thread([this] { WriteAhead(); });
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

void ErasureLedger::WriteAhead() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    auto erasures = std::exchange(waiting_, {});
    writing_ = true;
    lock.unlock();
    try {
      for (auto& erasure : erasures) {
        // What is wrong with it is for Append to say, which finds it missing.
        if (!lines_->Add(erasure)) break;
        prepared_.push_back(std::move(erasure));
      }
    } catch (const std::bad_alloc&) {
      prepared_.clear();  // so that Append takes nothing of what was written
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

Status ErasureLedger::CoverBy(const crypto::SigningKey& key) {
  // Lines that were prepared are another key's, and their place is taken now.
  DropPrepared();
  lines_signer_.reset();
  if (rehearsing_) return {};
  file_->Trust({keyring_.log_origin(), key.public_key()});
  return file_->Cover(keyring_.log_origin(), key);
}

Status ErasureLedger::Append(std::span<ErasureRow> rows) {
  std::vector<audit::LedgerErasure> erasures;
  std::uint64_t n = file_->head().n;
  for (ErasureRow& row : rows) {
    // A crash, or whoever cut the file, may have left some of its lines: then all are written
    // again.
    const auto found = found_.find(row.id);
    if (found != found_.end() && NamesAllOf(found->second, row)) {
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
  if (!rehearsing_) {
    COFFER_TRY(prepared
                   ? file_->Append(*prepared)
                   : file_->Append(erasures, keyring_.log_origin(), *keyring_.log_signing_key()));
  }
  // What a start finishes before it compares must not be written once more then.
  if (!opening_) return {};
  for (const ErasureRow& row : rows) {
    const auto [found, made] = found_.try_emplace(row.id, row);
    if (made) continue;
    auto& ids = found->second.record_ids;
    ids.insert(ids.end(), row.record_ids.begin(), row.record_ids.end());
    DropRepeated(ids);
  }
  return {};
}

Status ErasureLedger::AppendActs(std::span<const ActRow> rows) {
  // Lines that were prepared have a place that is taken now.
  DropPrepared();
  if (rehearsing_) return {};
  const auto signer = keyring_.log_signing_key();
  audit::LedgerBatch batch(file_->head(), keyring_.log_origin(), *signer);
  for (const ActRow& row : rows) {
    if (acts_known_.contains(row.id)) continue;
    COFFER_TRY(batch.Add({vault_, row.id.Text(), row.client ? row.client->Text() : std::string(),
                          row.kind, row.object, row.sealed, row.seq, row.acted}));
  }
  return file_->Append(batch);
}

}  // namespace coffer::vault
