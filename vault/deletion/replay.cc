// At the start: the ledger of erasures and the vault's register of them, compared record by record.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "vault/access/core.h"
#include "vault/clients/clients_state.h"
#include "vault/deletion/erase.h"
#include "vault/deletion/erasure_ledger.h"

namespace coffer::vault {
namespace {

using nlohmann::json;
using ErasuresByClient = std::map<ClientId, std::vector<ErasureRow>>;

// What an erasure is known for already, and what was missing of it.
void AddKnown(const ErasureRow& before, ErasedContent& share) {
  auto ids = before.record_ids;
  ids.insert(ids.end(), share.row.record_ids.begin(), share.row.record_ids.end());
  std::set<RecordId> seen;
  std::erase_if(ids, [&](const RecordId& id) { return !seen.insert(id).second; });
  share.row.record_ids = std::move(ids);
  share.row.generation = std::max(share.row.generation, before.generation);
  share.row.records += before.records;
  share.row.versions += before.versions;
  for (const auto& [name, count] : GoneIn(before.facts)) {
    share.gone[name].records += count.records;
    share.gone[name].versions += count.versions;
  }
}

// What of a client was to stay and can be read by nobody.
void AddUnopened(Transaction& transaction, const ErasureRow& row, std::uint64_t unopened) {
  audit::Entry entry;
  entry.action = "integrity.alarm";
  entry.outcome = "replay_incomplete";
  entry.client = row.client.Text();
  entry.detail = row.id.Text() + ": " + std::to_string(unopened) +
                 " of what stays of the client did not open, and was left as it is";
  transaction.Also(std::move(entry));
}

}  // namespace

Status Vault::Core::ReconcileLedger() {
  constexpr std::size_t kAtOnce = 1000;
  audit::Entry none;
  std::set<ErasureId> known;
  std::set<std::string> mended;
  ErasuresByClient again;
  std::uint64_t added = 0;
  for (std::int64_t after = 0;;) {
    std::size_t taken = 0;
    COFFER_TRY(engine->Run(
        OperationKind::kRead, EntryRule::kNever, none, [&](Transaction& transaction) -> Status {
          COFFER_ASSIGN(const auto rows, transaction.stores().erasures.ListForward(after, kAtOnce));
          taken = rows.size();
          std::vector<ErasureRow> lacking;
          for (const auto& [number, row] : rows) {
            after = number;
            known.insert(row.id);
            const auto found = ledger->found().find(row.id);
            const bool written = found != ledger->found().end();
            if (written && !NamesAllOf(row, found->second)) {
              again[row.client].push_back(found->second);
            }
            if (row.state != ErasureState::kCommitted &&
                !(written && NamesAllOf(found->second, row))) {
              lacking.push_back(row);
              mended.insert(row.id.Text());
            }
          }
          added += lacking.size();
          return ledger->Append(lacking);
        }));
    if (taken < kAtOnce) break;
  }
  if (added > 0 && options.log) {
    options.log(Severity::kWarning, "the ledger lacked " + std::to_string(added) +
                                        " erasures, or records of them: they were written to it "
                                        "again");
  }
  if (ledger->cut_bytes() > 0 && options.log) {
    options.log(Severity::kInfo, "the ledger ended in an unfinished line: it was cut off");
  }
  for (const auto& [id, row] : ledger->found()) {
    if (!known.contains(id)) again[row.client].push_back(row);
  }
  for (auto& [client, rows] : again) {
    // The client as a whole first: then there is nothing left of it to seal again.
    std::ranges::sort(rows, {}, [](const ErasureRow& row) {
      return std::tuple(static_cast<int>(row.scope), row.id);
    });
    for (std::span<const ErasureRow> rest = rows; !rest.empty();) {
      const bool together = rest.front().scope == ErasureScope::kRecords;
      const auto next = rest.first(together ? rest.size() : 1);
      COFFER_TRY(Replay(next));
      rest = rest.subspan(next.size());
    }
  }
  COFFER_TRY(NameIncomplete(known, mended));
  ledger->DropFound();
  return {};
}

// In the log once, when what is there of such an erasure is repeated; to the operator at each
// start.
Status Vault::Core::NameIncomplete(const std::set<ErasureId>& known,
                                   const std::set<std::string>& mended) const {
  const auto is_known = [&](const audit::IncompleteErasure& one) {
    const auto id = ErasureId::Parse(one.erasure);
    return id && known.contains(*id);
  };
  for (const auto& one : ledger->completeness().Incomplete()) {
    if (mended.contains(one.erasure)) continue;
    const std::string missing =
        "the ledger lacks " + audit::MissingParts(one) + " of the erasure " + one.erasure;
    if (options.log) {
      options.log(Severity::kWarning,
                  missing + " of " + one.client +
                      ": which records these were the vault does not know, and they may be "
                      "readable again; the erasure's act names them");
    }
    if (is_known(one)) continue;
    COFFER_TRY(LogSystemEvent("integrity.alarm", "ledger_incomplete", missing));
  }
  for (const auto& one : ledger->completeness().Uncertain()) {
    if (is_known(one) || !options.log) continue;
    options.log(Severity::kWarning, "lines of the erasure " + one.erasure + " of " + one.client +
                                        " may be missing in the ledger: an older version, which "
                                        "wrote them, did not say how many there were");
  }
  return {};
}

Status Vault::Core::Replay(std::span<const ErasureRow> found) {
  const ErasureRow& first = found.front();
  audit::Entry actor;
  actor.actor = "vault";
  actor.actor_kind = audit::ActorKind::kSystem;
  actor.decision = audit::Decision::kAllow;
  if (options.log) {
    options.log(Severity::kWarning, "an older state was opened: " + first.client.Text() +
                                        " is erased again, as the ledger says");
  }
  return engine->Run(
      OperationKind::kWrite, EntryRule::kAlways, actor, [&](Transaction& transaction) -> Status {
        Stores& stores = transaction.stores();
        transaction.LeaveNoOwnEntry();
        COFFER_ASSIGN(const auto client,
                      transaction.Of<ClientsState>().stores.clients.Find(first.client));
        ErasedContent content;
        content.row = first;
        content.row.erased = transaction.now();
        if (client) {
          ErasureOrder order;
          order.scope = first.scope;
          order.class_name = first.class_name;
          order.replayed = true;
          for (const ErasureRow& row : found) {
            order.records.insert(order.records.end(), row.record_ids.begin(), row.record_ids.end());
          }
          COFFER_ASSIGN(content, EraseContent(*this, transaction, *client, order));
          if (content.unopened > 0) AddUnopened(transaction, first, content.unopened);
        }
        for (const ErasureRow& row : found) {
          ErasedContent share =
              row.scope == ErasureScope::kRecords ? ShareOf(content, row.record_ids) : content;
          COFFER_ASSIGN(const auto before, stores.erasures.Find(row.id));
          if (before) AddKnown(*before, share);
          share.row.id = row.id;
          share.row.basis = ErasureBasis::kReplayed;
          share.row.state = ErasureState::kCommitted;
          share.row.seq = transaction.NextSeq();
          const json replayed = {{"replayed", {{"date", row.erased.ms}, {"log_seq", row.seq}}}};
          share.row.facts = FactsOf(share, StandingFacts() + "," + MembersOf(replayed.dump()));
          audit::Entry entry;
          entry.action = kErasureReplayed;
          entry.client = row.client.Text();
          entry.class_name = row.class_name;
          entry.detail = audit::ErasureDetail(row.id.Text(), LedgerScopeOf(row));
          transaction.Also(std::move(entry));
          if (!before) {
            COFFER_TRY(RegisterErasure(transaction, std::move(share.row)));
            continue;
          }
          COFFER_TRY(stores.erasures.Extend(share.row));
          transaction.Erased(std::move(share.row));
        }
        return {};
      });
}

}  // namespace coffer::vault
