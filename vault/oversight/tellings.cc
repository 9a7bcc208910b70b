#include "vault/oversight/tellings.h"

#include <algorithm>
#include <limits>
#include <map>

#include "audit/entries/entry.h"
#include "vault/access/access_state.h"
#include "vault/access/call.h"
#include "vault/clients/tag_reach.h"
#include "vault/oversight/log_search.h"
#include "vault/oversight/scope_counter.h"
#include "vault/rights/disclosures.h"

namespace coffer::vault {
namespace {

constexpr std::size_t kSettledAtOnce = 200;
constexpr std::size_t kToldAtOnce = 1000;
constexpr std::size_t kTellingScan = 5000;  // of which those of one client are told
constexpr std::size_t kReadsLookedAt = 1000;
constexpr std::size_t kReadPages = 20;
// So many that the index does not have yet are read one by one.
constexpr std::uint64_t kEntriesBehind = 2000;

// What an act makes known once the index was asked.
struct Settled {
  ActToSettle act;
  std::vector<std::int64_t> recipients;
};

}  // namespace

Result<BoundReads> FindBoundReads(LogReader& reader, const ClientId& client,
                                  const RecipientBinding& binding, std::uint64_t end,
                                  std::string_view class_name, bool any) {
  BoundReads found;
  LogFilter filter;
  filter.client = client.Text();
  filter.actor = binding.principal.Text();
  filter.decision = "allow";
  end = std::min(end, binding.until.value_or(end));
  std::optional<std::uint64_t> at = binding.since;
  for (std::size_t i = 0; at && *at < end; ++i) {
    if (i == kReadPages || found.entries >= kReadsLookedAt) {
      found.more = true;
      return found;
    }
    LogPage page;
    COFFER_TRY(SearchLog(reader, filter, {kReadsLookedAt, true, at}, page));
    for (std::size_t j = 0; j < page.entries.size(); ++j) {
      if (page.seqs[j] >= end) return found;
      COFFER_ASSIGN(const auto entry, audit::ParseEntry(page.entries[j]));
      if (!ShowedData(entry) || (!class_name.empty() && entry.class_name != class_name)) continue;
      ++found.entries;
      if (!found.first) found.first = page.seqs[j];
      found.last = page.seqs[j];
      if (any) return found;
    }
    at = page.next;
  }
  return found;
}

// Acts that wait, about as far as the index goes; the rest waits on.
Status Tellings::Settle() {
  std::vector<ActToSettle> acts;
  std::vector<RecipientBinding> bindings;
  std::map<std::int64_t, bool> told;  // recipients
  COFFER_TRY(operations_.Look([&](Transaction& transaction) -> Status {
    auto& stores = transaction.Of<AccessState>().stores;
    COFFER_ASSIGN(acts, stores.disclosures.ListActs(kSettledAtOnce));
    if (acts.empty()) return {};
    COFFER_ASSIGN(bindings, stores.recipients.ListBindings(0));
    for (const RecipientBinding& binding : bindings) {
      if (told.contains(binding.recipient)) continue;
      COFFER_ASSIGN(const auto recipient, stores.recipients.FindRow(binding.recipient));
      told[binding.recipient] = recipient && recipient->IsTold();
    }
    return {};
  }));
  if (acts.empty()) return {};
  COFFER_ASSIGN(auto reader, readers_.Open());
  if (reader->index() == nullptr) return {};
  COFFER_ASSIGN(const std::uint64_t indexed, reader->index()->Size());
  std::vector<Settled> settled;
  for (const ActToSettle& act : acts) {
    if (act.seq > indexed + kEntriesBehind) continue;
    Settled one{act, {}};
    for (const RecipientBinding& binding : bindings) {
      if (!told[binding.recipient] ||
          std::ranges::find(one.recipients, binding.recipient) != one.recipients.end()) {
        continue;
      }
      COFFER_ASSIGN(const BoundReads reads,
                    FindBoundReads(*reader, act.client, binding, act.seq, act.class_name, true));
      // Where there are too many to look at, rather told once too often.
      if (reads.entries > 0 || reads.more) one.recipients.push_back(binding.recipient);
    }
    settled.push_back(std::move(one));
  }
  if (settled.empty()) return {};
  return operations_.Store([&](Transaction& transaction) -> Status {
    DisclosureStore& store = transaction.Of<AccessState>().stores.disclosures;
    for (const Settled& one : settled) {
      for (const std::int64_t recipient : one.recipients) {
        Telling telling;
        telling.client = one.act.client;
        telling.recipient_row = recipient;
        telling.act = one.act.act;
        telling.class_name = one.act.class_name;
        telling.act_seq = one.act.seq;
        telling.act_at = one.act.at;
        COFFER_TRY(store.InsertTelling(telling));
      }
      COFFER_TRY(store.DeleteAct(one.act.row));
    }
    return {};
  });
}

Result<TellingPage> Tellings::ListToTell(const Caller& caller,
                                         const std::optional<RecipientId>& recipient,
                                         const PageRequest& page) {
  const std::string list = "to-tell/" + (recipient ? recipient->Text() : std::string());
  Call call = operations_.Start(caller, {Action::kDisclosureRead});
  AddDetail(call.entry, "to tell");
  if (recipient) AddDetail(call.entry, recipient->Text());
  std::int64_t after = 0, of = 0;
  COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) -> Status {
    COFFER_ASSIGN(after, operations_.ReadCursor(call, list, page.cursor));
    if (!ReachesAll(call.decision)) {
      return Deny(call, "scope", Code::kPermissionDenied, "permission_denied");
    }
    if (!recipient) return {};
    COFFER_ASSIGN(const auto known,
                  transaction.Of<AccessState>().stores.recipients.Find(*recipient));
    if (!known) return NotFound(call);
    of = known->row;
    return {};
  }));
  if (auto done = Settle(); !done) {
    return std::unexpected(operations_.FailedLater(call, std::move(done).error()));
  }
  TellingPage result;
  COFFER_TRY(operations_.Look([&](Transaction& transaction) -> Status {
    DisclosureStore& store = transaction.Of<AccessState>().stores.disclosures;
    COFFER_ASSIGN(result.page.items, store.ListToTell(after, of, page.limit + 1));
    COFFER_ASSIGN(result.counts, store.Count());
    return {};
  }));
  if (result.page.items.size() > page.limit) {
    result.page.items.pop_back();
    result.page.next_cursor = operations_.MakeCursor(call, list, result.page.items.back().row);
  }
  return result;
}

Result<ClientRecipients> Tellings::RecipientsOf(const Caller& caller, const ClientId& client) {
  Call call = operations_.Start(caller, {Action::kDisclosureRead});
  call.entry.client = client.Text();
  AddDetail(call.entry, "recipients");
  COFFER_TRY(operations_.Perform(call, [&](Transaction& transaction) -> Status {
    COFFER_ASSIGN(const bool seen, MaySeeDisclosed(operations_, transaction, call, client));
    if (!seen) return NotFound(call);
    COFFER_ASSIGN(const auto known, transaction.Of<AccessState>().FindClient(client));
    if (known) return {};
    COFFER_ASSIGN(const auto erasures, transaction.stores().erasures.ListOf(client));
    if (erasures.empty()) return NotFound(call);
    return {};
  }));
  auto found = CollectRecipients(client);
  if (!found) return std::unexpected(operations_.FailedLater(call, std::move(found).error()));
  return found;
}

Result<ClientRecipients> Tellings::CollectRecipients(const ClientId& client) {
  COFFER_TRY(Settle());
  ClientRecipients result;
  std::map<std::int64_t, ClientRecipient> all;
  std::vector<RecipientBinding> bindings;
  COFFER_TRY(operations_.Look([&](Transaction& transaction) -> Status {
    auto& stores = transaction.Of<AccessState>().stores;
    COFFER_ASSIGN(bindings, stores.recipients.ListBindings(0));
    COFFER_ASSIGN(const auto given,
                  stores.disclosures.ListOf(client, std::numeric_limits<std::int64_t>::max(),
                                            kMostDisclosuresOfClient + 1));
    result.more_disclosures = given.size() > kMostDisclosuresOfClient;
    for (const auto& one : given) ++all[one.disclosure.recipient_row].disclosures;
    COFFER_ASSIGN(auto acts, stores.disclosures.ListTellingsOf(client, kMostActsOfClient + 1));
    result.more_acts = acts.size() > kMostActsOfClient;
    if (result.more_acts) acts.pop_back();
    for (Telling& act : acts) all[act.recipient_row].acts.push_back(std::move(act));
    COFFER_ASSIGN(result.to_settle, stores.disclosures.CountActsOf(client));
    return {};
  }));
  if (!bindings.empty()) {
    COFFER_ASSIGN(auto reader, readers_.Open());
    result.reads_known = reader->index() != nullptr;
    for (const RecipientBinding& binding : bindings) {
      if (!result.reads_known) break;
      COFFER_ASSIGN(const BoundReads reads,
                    FindBoundReads(*reader, client, binding,
                                   std::numeric_limits<std::uint64_t>::max(), {}, false));
      if (reads.entries == 0 && !reads.more) continue;
      ClientRecipient& one = all[binding.recipient];
      one.reads += reads.entries;
      one.more_reads = one.more_reads || reads.more;
      if (reads.first)
        one.first_read = std::min(one.first_read.value_or(*reads.first), *reads.first);
      if (reads.last) one.last_read = std::max(one.last_read.value_or(*reads.last), *reads.last);
    }
  }
  COFFER_TRY(operations_.Look([&](Transaction& transaction) -> Status {
    for (auto& [row, one] : all) {
      COFFER_ASSIGN(auto recipient, transaction.Of<AccessState>().stores.recipients.FindRow(row));
      if (!recipient) return Fail(Code::kCorrupted, "storage_corrupted", "a recipient is gone");
      one.recipient = *std::move(recipient);
      result.recipients.push_back(std::move(one));
    }
    return {};
  }));
  return result;
}

Result<TellingResult> Tellings::TellRecipient(const Caller& caller, const RecipientId& recipient,
                                              const TellingFacts& facts) {
  const Operation operation{Action::kDisclosureWrite, OperationKind::kWrite};
  if (auto issues = FaultsOf(facts, operations_.Now()); !issues.empty()) {
    return operations_.Refuse(
        caller, operation, Error{Code::kUnprocessable, "telling_invalid", {}, std::move(issues)});
  }
  Call call = operations_.Start(caller, operation);
  AddDetail(call.entry, "told " + recipient.Text());
  if (!facts.not_told.empty()) AddDetail(call.entry, facts.not_told);
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<TellingResult> {
    auto& stores = transaction.Of<AccessState>().stores;
    COFFER_ASSIGN(const auto known, stores.recipients.Find(recipient));
    if (!known) return NotFound(call);
    if (!facts.client && !ReachesAll(call.decision)) {
      return Deny(call, "scope", Code::kPermissionDenied, "permission_denied");
    }
    std::vector<Telling> open;
    if (facts.client) {
      COFFER_ASSIGN(const bool seen,
                    MaySeeDisclosed(operations_, transaction, call, *facts.client));
      if (!seen) return NotFound(call);
      call.entry.client = facts.client->Text();
      COFFER_ASSIGN(open, stores.disclosures.ListTellingsOf(*facts.client, kTellingScan));
      std::erase_if(
          open, [&](const Telling& one) { return one.told || one.recipient_row != known->row; });
      std::ranges::reverse(open);
    } else {
      COFFER_ASSIGN(open, stores.disclosures.ListToTell(0, known->row, kTellingScan));
    }
    // Nobody is told of what did not happen yet.
    const Timestamp at = facts.at.value_or(transaction.now());
    std::erase_if(open, [&](const Telling& one) {
      return one.act_at > at || (facts.until && one.act_seq > *facts.until);
    });
    if (open.size() > kToldAtOnce) open.resize(kToldAtOnce);
    if (open.empty()) return Fail(Code::kConflict, "nothing_to_tell");
    TellingResult result;
    for (const Telling& one : open) {
      ToldHow told;
      told.at = at;
      told.by = call.actor;
      told.seq = transaction.NextSeq();
      told.channel = facts.channel;
      told.reference = facts.reference;
      told.not_told = facts.not_told;
      COFFER_TRY(stores.disclosures.MarkTold(one.row, told));
      audit::Entry entry;
      entry.action = Name(Action::kDisclosureWrite);
      entry.client = one.client.Text();
      entry.class_name = one.class_name;
      entry.detail = "told " + recipient.Text() + "; " + std::string(Name(one.act)) + " " +
                     std::to_string(one.act_seq);
      if (!facts.not_told.empty()) entry.detail += "; " + facts.not_told;
      transaction.Also(std::move(entry));
      ++result.told;
    }
    COFFER_ASSIGN(result.left, stores.disclosures.CountToTell(known->row));
    return result;
  });
}

}  // namespace coffer::vault
