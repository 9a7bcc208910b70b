#include "vault/engine/log_length.h"

#include "audit/documents/act_document.h"
#include "audit/entries/entry.h"
#include "audit/entries/log_reader.h"
#include "audit/entries/succession.h"
#include "vault/engine/log_claim_store.h"
#include "vault/engine/log_keys.h"

namespace coffer::vault {
namespace {

constexpr std::string_view kGuide = "; see 'Recovery' in the operator's guide";

std::string Missing(std::uint64_t size, std::uint64_t covered) {
  return "entries " + std::to_string(size) + " to " + std::to_string(covered - 1) +
         " are missing. The database was rolled back or cut";
}

Status CheckCheckpoint(LogStore& log, const audit::Checkpoint& checkpoint, std::string_view place) {
  COFFER_ASSIGN(const std::uint64_t size, log.Size());
  if (size < checkpoint.size) {
    return Fail(Code::kCorrupted, "log_behind_checkpoint",
                "the access log ends before entry " + std::to_string(size) + ", but " +
                    std::string(place) + " covers entries up to " +
                    std::to_string(checkpoint.size - 1) + ": " + Missing(size, checkpoint.size) +
                    std::string(kGuide));
  }
  const auto read = audit::MakeHashReader(log, size);
  COFFER_ASSIGN(const auto root, audit::RootAt(checkpoint.size, read));
  if (root == checkpoint.root) return {};
  return Fail(Code::kCorrupted, "checkpoint_mismatch",
              "the access log's first " + std::to_string(checkpoint.size) +
                  " entries are not the ones that " + std::string(place) +
                  " signed: history was altered" + std::string(kGuide));
}

}  // namespace

Status CheckLogName(LogStore& log, const crypto::Keyring& keyring) {
  COFFER_ASSIGN(const std::uint64_t size, log.Size());
  if (size == 0) return {};
  COFFER_ASSIGN(const auto bytes, log.ReadEntry(size - 1));
  const auto last = audit::ParseEntry(bytes.value_or(""));
  const std::string& name = keyring.log_origin();
  if (!last || last->log == name) return {};  // what is no entry is found by who reads them all
  if (audit::IsOrSucceeds(last->log, name)) {
    return Fail(Code::kCorrupted, "recovery_unfinished",
                "the access log is " + last->log + ", and keyring.json is still of " + name +
                    ": 'coffer recover' did not end; run it again");
  }
  if (!audit::IsOrSucceeds(name, last->log)) return {};
  return Fail(Code::kCorrupted, "log_behind_keyring",
              "the access log is " + last->log + ", and keyring.json is of its successor " + name +
                  ": the database was rolled back" + std::string(kGuide));
}

Status CheckAnchor(LogStore& log, const audit::Checkpoint& checkpoint, const std::string& name) {
  if (checkpoint.origin != name) {
    return Fail(Code::kCorrupted, "anchor_of_closed_log",
                "the anchor is of " + checkpoint.origin + ", and the access log is its successor " +
                    name + ": 'coffer recover' with --anchor writes a new one there");
  }
  COFFER_ASSIGN(const std::uint64_t size, log.Size());
  if (size < checkpoint.size) {
    return Fail(Code::kCorrupted, "log_behind_anchor",
                "the access log ends before entry " + std::to_string(size) +
                    ", but its signed anchor covers entries up to " +
                    std::to_string(checkpoint.size - 1) + ": " + Missing(size, checkpoint.size) +
                    std::string(kGuide));
  }
  const auto read = audit::MakeHashReader(log, size);
  COFFER_ASSIGN(const auto root, audit::RootAt(checkpoint.size, read));
  if (root != checkpoint.root) {
    return Fail(Code::kCorrupted, "anchor_mismatch",
                "the access log's first " + std::to_string(checkpoint.size) +
                    " entries are not the ones that the anchor signed: history was altered" +
                    std::string(kGuide));
  }
  return {};
}

Status CheckLogLength(const Database& vault, LogStore& log, const crypto::Keyring& keyring) {
  COFFER_ASSIGN(const auto note, log.ReadCheckpoint());
  if (note) {
    COFFER_ASSIGN(const auto checkpoint, VerifyByAnyKey(*note, keyring));
    COFFER_TRY(CheckCheckpoint(log, checkpoint, "the last signed checkpoint in vault.db"));
  }
  COFFER_ASSIGN(auto store, LogClaimStore::Open(vault));
  COFFER_ASSIGN(const auto claims, store.Load());
  COFFER_ASSIGN(const std::uint64_t size, log.Size());
  for (const LogClaim& claim : claims) {
    if (claim.size <= size) continue;
    return Fail(Code::kCorrupted, "log_behind_state",
                "the access log ends before entry " + std::to_string(size) + ", but " +
                    claim.place + " in vault.db knew of entry " + std::to_string(claim.size - 1) +
                    ": " + Missing(size, claim.size) + std::string(kGuide));
  }
  const auto keys = VerifierKeysOf(keyring);
  COFFER_ASSIGN(const auto acts, store.LoadActs());
  for (const std::string& act : acts) {
    // One by a key that is retired proves nothing any more.
    const auto report = audit::VerifyAct(act, keys);
    if (!report.checkpoint || !report.act) continue;
    COFFER_TRY(CheckCheckpoint(log, *report.checkpoint,
                               "the checkpoint in the act of " + report.act->erasure));
  }
  return {};
}

}  // namespace coffer::vault
