#include "vault/rights/notices.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "crypto/hash.h"
#include "vault/access/access_state.h"
#include "vault/access/consent_store.h"
#include "vault/access/reason_rule.h"
#include "vault/base/words.h"
#include "vault/catalog/catalog_state.h"
#include "vault/clients/client_store.h"
#include "vault/clients/clients_state.h"
#include "vault/clients/tag_reach.h"
#include "vault/rights/notice_document.h"
#include "vault/rights/rights_state.h"

namespace coffer::vault {
namespace {

constexpr std::size_t kNoticeScan = 2000;  // one page looks at so many
constexpr std::size_t kTellingScan = 1000;
constexpr std::size_t kUntoldScan = 5000;  // beside the engine
constexpr std::uint64_t kMostNoticeSteps = 10'000;

Error InvalidNotice(std::vector<Issue> issues) {
  return {Code::kUnprocessable, "notice_invalid", {}, std::move(issues)};
}

// Some of a selection, in the order of rows.
struct Selected {
  std::vector<std::int64_t> rows;
  std::int64_t last = 0;  // that was looked at
  bool more = false;
};

// Rows after `after`. Those of a consent that stands no more are looked at, and left out.
Result<Selected> Select(ClientStore& clients, ConsentStore& consents,
                        const NoticeSelection& selection, std::int64_t after, std::size_t limit,
                        Timestamp now) {
  using enum NoticeSelection::Kind;
  Selected selected;
  std::size_t looked = 0;
  const auto take = [&](std::int64_t row, bool is_in) {
    ++looked;
    selected.last = row;
    if (is_in) selected.rows.push_back(row);
  };
  if (selection.kind == kAll || selection.kind == kTag) {
    COFFER_ASSIGN(const auto rows, clients.List(after, selection.of, limit));
    for (const std::int64_t row : rows) take(row, true);
  } else {
    const auto by =
        selection.kind == kPurpose ? ConsentStore::By::kPurpose : ConsentStore::By::kText;
    COFFER_ASSIGN(const auto rows, consents.ListStanding(by, selection.of, after, limit));
    for (const auto& [row, until] : rows) take(row, until > now);
  }
  selected.more = looked == limit;
  return selected;
}

// Who comes once it is in effect knows no other terms.
bool Concerns(const Notice& notice, Timestamp created) { return created < notice.form.effective; }

// Rows of the selection that were not told.
Status LeaveOutTold(NoticeStore& notices, std::int64_t notice, std::int64_t after,
                    Selected& selected) {
  if (selected.rows.empty()) return {};
  COFFER_ASSIGN(const auto told, notices.ListTold(notice, after, selected.last,
                                                  std::numeric_limits<std::int64_t>::max()));
  std::erase_if(selected.rows,
                [&](std::int64_t row) { return std::ranges::binary_search(told, row); });
  return {};
}

bool Reaches(const AccessDecision& decision, const NoticeSelection& selection) {
  if (selection.kind == NoticeSelection::Kind::kTag) return ReachesTag(decision, selection.of);
  return ReachesAll(decision);
}

Status RequireReach(Call& call, const NoticeSelection& selection) {
  if (Reaches(call.decision, selection)) return {};
  return Deny(call, "scope", Code::kPermissionDenied, "permission_denied");
}

Result<bool> MaySeeClient(const Operations& operations, Transaction& transaction, const Call& call,
                          const ClientId& client) {
  if (!call.role->scoped) return true;
  COFFER_ASSIGN(const auto decision, operations.DecisionOn(transaction, call, client, nullptr));
  return decision.allowed;
}

Result<Notice> FindNotice(Transaction& transaction, Call& call, const NoticeId& id, bool steps) {
  COFFER_ASSIGN(auto notice, transaction.Of<RightsState>().notices.Find(id, steps));
  if (!notice) return NotFound(call);
  return *std::move(notice);
}

// The step, into its row and into the notice.
Status AppendStep(Transaction& transaction, const Call& call, NoticeStepKind kind,
                  std::string document, Notice& notice) {
  NoticeStep step;
  step.number = notice.next_step++;
  step.kind = kind;
  step.at = transaction.now();
  step.by = call.actor;
  step.seq = transaction.NextSeq();
  step.document = std::move(document);
  COFFER_TRY(transaction.Of<RightsState>().notices.Append(notice.row, step));
  notice.told += ToldIn(step);
  notice.steps.push_back(std::move(step));
  return {};
}

std::string ToldInWords(const NoticeId& id) { return id.Text() + " told"; }

// What the text says, as it is stored.
Status ReadText(Transaction& transaction, NoticeText& text) {
  if (text.name.empty()) {
    text.sha256 = crypto::Sha256(crypto::AsBytes(text.words));
    return {};
  }
  std::optional<std::uint64_t> version;
  if (text.version != 0) version = text.version;
  COFFER_ASSIGN(const auto stored,
                transaction.Of<CatalogState>().consent_texts.Find(text.name, version));
  if (!stored) {
    return std::unexpected(InvalidNotice({{"/text", "was never stored"}}));
  }
  text.version = stored->version;
  for (const ConsentWording& wording : stored->wordings) {
    text.wordings.push_back({wording.language, wording.sha256});
  }
  return {};
}

}  // namespace

Result<Notice> Notices::CreateNotice(const Caller& caller, const NoticeForm& form) {
  const Operation operation{Action::kNoticeWrite, OperationKind::kWrite};
  if (auto issues =
          FaultsOf(form, *operations_.engine().Of<CatalogState>().Published(), operations_.Now());
      !issues.empty()) {
    return operations_.Refuse(caller, operation, InvalidNotice(std::move(issues)));
  }
  Call call = operations_.Start(caller, operation);
  call.reason_rule = ReasonRule::kVault;
  Notice notice;
  notice.id = NoticeId::New(operations_.Now());
  notice.form = form;
  AddDetail(call.entry, notice.id.Text() + " created");
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Notice> {
    COFFER_TRY(RequireReach(call, form.selection));
    COFFER_TRY(ReadText(transaction, notice.form.text));
    COFFER_ASSIGN(notice.row, transaction.Of<RightsState>().notices.Insert(notice));
    notice.created = transaction.now();
    notice.created_by = call.actor;
    std::string document = DocumentOf(notice.form);
    call.entry.payload_hash = crypto::Sha256(crypto::AsBytes(document));
    COFFER_TRY(
        AppendStep(transaction, call, NoticeStepKind::kCreated, std::move(document), notice));
    return std::move(notice);
  });
}

Result<Notice> Notices::GetNotice(const Caller& caller, const NoticeId& id) {
  Call call = operations_.Start(caller, {Action::kNoticeRead});
  call.reason_rule = ReasonRule::kVault;
  AddDetail(call.entry, id.Text());
  return operations_.Perform(
      call, [&](Transaction& transaction) { return FindNotice(transaction, call, id, true); });
}

Result<Page<Notice>> Notices::ListNotices(const Caller& caller, NoticesAsked asked,
                                          const PageRequest& page) {
  const std::string list = "notices/" + std::to_string(static_cast<int>(asked));
  Call call = operations_.Start(caller, {Action::kNoticeRead});
  call.reason_rule = ReasonRule::kVault;
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Page<Notice>> {
    Page<Notice> result;
    COFFER_ASSIGN(std::int64_t last, operations_.ReadCursor(call, list, page.cursor));
    if (page.cursor.empty()) last = std::numeric_limits<std::int64_t>::max();
    COFFER_ASSIGN(auto notices, transaction.Of<RightsState>().notices.List(last, kNoticeScan));
    for (Notice& notice : notices) {
      if (result.items.size() == page.limit) {
        result.next_cursor = operations_.MakeCursor(call, list, last);
        return result;
      }
      last = notice.row;
      if (asked != NoticesAsked::kAll &&
          (asked == NoticesAsked::kClosed) != notice.closed.has_value()) {
        continue;
      }
      result.items.push_back(std::move(notice));
    }
    if (notices.size() == kNoticeScan) {
      result.next_cursor = operations_.MakeCursor(call, list, last);
    }
    return result;
  });
}

Result<Told> Notices::Tell(const Caller& caller, const NoticeId& id, const TellingForm& form) {
  const Operation operation{Action::kNoticeWrite, OperationKind::kWrite};
  if (auto issues = FaultsOf(form, operations_.Now()); !issues.empty()) {
    return operations_.Refuse(caller, operation, InvalidNotice(std::move(issues)));
  }
  const std::string list = "notice/" + id.Text() + "/tell";
  Call call = operations_.Start(caller, operation);
  AddDetail(call.entry, ToldInWords(id));
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Told> {
    COFFER_ASSIGN(Notice notice, FindNotice(transaction, call, id, false));
    if (notice.next_step >= kMostNoticeSteps) return Fail(Code::kConflict, "notice_too_long");
    NoticeStore& store = transaction.Of<RightsState>().notices;
    ClientStore& clients = transaction.Of<ClientsState>().stores.clients;
    const Timestamp at = form.at.value_or(transaction.now());
    Told told;
    std::vector<ClientId> reached;
    if (form.all) {
      COFFER_ASSIGN(const std::int64_t after, operations_.ReadCursor(call, list, form.cursor));
      COFFER_ASSIGN(auto selected,
                    Select(clients, transaction.Of<AccessState>().stores.consents,
                           notice.form.selection, after, kTellingScan, operations_.latest()));
      const std::size_t all = selected.rows.size();
      COFFER_TRY(LeaveOutTold(store, notice.row, after, selected));
      // Of clients that are not the caller's to see not even how many were told.
      if (ReachesAll(call.decision)) told.already = all - selected.rows.size();
      for (const std::int64_t row : selected.rows) {
        COFFER_ASSIGN(const auto client, clients.FindRow(row));
        // Who came later was not told then.
        if (!client || client->created > at || !Concerns(notice, client->created)) continue;
        COFFER_ASSIGN(const bool seen, MaySeeClient(operations_, transaction, call, client->id));
        if (seen) reached.push_back(client->id);
      }
      if (selected.more) told.next_cursor = operations_.MakeCursor(call, list, selected.last);
    } else {
      std::vector<Issue> issues;
      for (std::size_t i = 0; i < form.clients.size(); ++i) {
        COFFER_ASSIGN(const auto client, transaction.Of<AccessState>().FindClient(form.clients[i]));
        bool seen = client.has_value();
        if (seen) {
          COFFER_ASSIGN(seen, MaySeeClient(operations_, transaction, call, form.clients[i]));
        }
        if (!seen) issues.push_back({"/clients/" + std::to_string(i), "is not there"});
      }
      if (!issues.empty()) return std::unexpected(InvalidNotice(std::move(issues)));
      reached = form.clients;
    }
    for (const ClientId& client : reached) {
      COFFER_ASSIGN(const bool is_new, store.Tell(notice.row, client.Row(), notice.next_step));
      if (!is_new) {
        ++told.already;
        continue;
      }
      ++told.told;
      audit::Entry entry;
      entry.action = Name(Action::kNoticeWrite);
      entry.client = client.Text();
      entry.detail = ToldInWords(id);
      transaction.Also(std::move(entry));
    }
    AddDetail(call.entry, std::to_string(told.told) + " clients by " + form.channel);
    if (told.told == 0) {
      call.entry.outcome = "unchanged";
      return told;
    }
    told.step = notice.next_step;
    COFFER_TRY(
        AppendStep(transaction, call, NoticeStepKind::kTold, DocumentOf(form, at, told), notice));
    return told;
  });
}

Result<Page<ClientId>> Notices::ListPending(const Caller& caller, const NoticeId& id,
                                            const PageRequest& page) {
  const std::string list = "notice/" + id.Text() + "/pending";
  Call call = operations_.Start(caller, {Action::kNoticeRead});
  AddDetail(call.entry, id.Text() + " pending");
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Page<ClientId>> {
    Page<ClientId> result;
    COFFER_ASSIGN(const Notice notice, FindNotice(transaction, call, id, false));
    COFFER_ASSIGN(const std::int64_t after, operations_.ReadCursor(call, list, page.cursor));
    ClientStore& clients = transaction.Of<ClientsState>().stores.clients;
    COFFER_ASSIGN(auto selected,
                  Select(clients, transaction.Of<AccessState>().stores.consents,
                         notice.form.selection, after, kNoticeScan, operations_.latest()));
    COFFER_TRY(LeaveOutTold(transaction.Of<RightsState>().notices, notice.row, after, selected));
    for (const std::int64_t row : selected.rows) {
      if (result.items.size() == page.limit) {
        result.next_cursor = operations_.MakeCursor(call, list, result.items.back().Row());
        return result;
      }
      COFFER_ASSIGN(const auto client, clients.FindRow(row));
      if (!client || !Concerns(notice, client->created)) continue;
      COFFER_ASSIGN(const bool seen, MaySeeClient(operations_, transaction, call, client->id));
      if (!seen) continue;
      audit::Entry entry;
      entry.action = Name(Action::kNoticeRead);
      entry.client = client->id.Text();
      transaction.Also(std::move(entry));
      result.items.push_back(client->id);
    }
    if (selected.more) result.next_cursor = operations_.MakeCursor(call, list, selected.last);
    return result;
  });
}

Result<Page<NoticeObjection>> Notices::ListObjections(const Caller& caller, const NoticeId& id,
                                                      const PageRequest& page) {
  const std::string list = "notice/" + id.Text() + "/objections";
  Call call = operations_.Start(caller, {Action::kNoticeRead});
  AddDetail(call.entry, id.Text() + " objections");
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Page<NoticeObjection>> {
    Page<NoticeObjection> result;
    COFFER_ASSIGN(const Notice notice, FindNotice(transaction, call, id, false));
    COFFER_ASSIGN(const std::int64_t after, operations_.ReadCursor(call, list, page.cursor));
    const RestrictionRegister& restrictions = transaction.Of<AccessState>().restrictions();
    if (restrictions.empty()) return result;
    COFFER_ASSIGN(const auto told,
                  transaction.Of<RightsState>().notices.ListTold(
                      notice.row, after, std::numeric_limits<std::int64_t>::max(), kNoticeScan));
    for (const std::int64_t row : told) {
      COFFER_ASSIGN(const auto client, transaction.Of<ClientsState>().stores.clients.FindRow(row));
      if (!client) continue;
      std::vector<NoticeObjection> placed;
      for (const Restriction& one : restrictions.Of(client->id)) {
        if (!one.placed_by || one.since < notice.created) continue;
        const auto& stops = one.terms.stops;
        placed.push_back(
            {client->id, one.id, one.since, stops.all_but, stops.purposes, stops.legal_bases});
      }
      if (placed.empty()) continue;
      COFFER_ASSIGN(
          const auto may,
          operations_.DecideFor(transaction, call, Action::kRestrictionRead, client->id, nullptr));
      if (!may.allowed) continue;
      // All of one client stand on one page.
      if (!result.items.empty() && result.items.size() + placed.size() > page.limit) {
        result.next_cursor = operations_.MakeCursor(call, list, result.items.back().client.Row());
        return result;
      }
      audit::Entry entry;
      entry.action = Name(Action::kNoticeRead);
      entry.client = client->id.Text();
      transaction.Also(std::move(entry));
      std::ranges::move(placed, std::back_inserter(result.items));
    }
    if (told.size() == kNoticeScan) {
      result.next_cursor = operations_.MakeCursor(call, list, told.back());
    }
    return result;
  });
}

Result<std::uint64_t> Notices::CountUntold(const Notice& notice) const {
  const Timestamp now = operations_.Now();
  COFFER_ASSIGN(auto reader, snapshots_.Open());
  COFFER_ASSIGN(auto clients, ClientStore::Open(reader->database()));
  COFFER_ASSIGN(auto consents, ConsentStore::Open(reader->database()));
  COFFER_ASSIGN(auto notices, NoticeStore::Open(reader->database()));
  std::uint64_t untold = 0;
  for (std::int64_t after = 0;;) {
    COFFER_ASSIGN(auto selected,
                  Select(clients, consents, notice.form.selection, after, kUntoldScan, now));
    COFFER_TRY(LeaveOutTold(notices, notice.row, after, selected));
    for (const std::int64_t row : selected.rows) {
      COFFER_ASSIGN(const auto created, clients.FindCreated(row));
      if (created && Concerns(notice, *created)) ++untold;
    }
    if (!selected.more) return untold;
    after = selected.last;
  }
}

Result<Notice> Notices::CloseNotice(const Caller& caller, const NoticeId& id,
                                    std::string_view not_told) {
  constexpr Action kAction = Action::kNoticeWrite;
  if (!not_told.empty() && !IsWords(not_told, kMaxNotTold)) {
    return operations_.Refuse(caller, {kAction},
                              InvalidNotice({{"/not_told", WordsRule(kMaxNotTold)}}));
  }
  const auto find_open = [&](Transaction& transaction, Call& call, bool steps) -> Result<Notice> {
    COFFER_ASSIGN(Notice notice, FindNotice(transaction, call, id, steps));
    COFFER_TRY(RequireReach(call, notice.form.selection));
    if (notice.closed) return Fail(Code::kConflict, "notice_closed");
    return notice;
  };
  // Whoever may not close it has nothing counted.
  Call asking = operations_.Start(caller, {.action = kAction, .entry = EntryRule::kOnRefusal});
  asking.reason_rule = ReasonRule::kVault;
  AddDetail(asking.entry, id.Text() + " closed");
  COFFER_ASSIGN(const Notice open, operations_.Perform(asking, [&](Transaction& transaction) {
    return find_open(transaction, asking, false);
  }));
  const auto counted = CountUntold(open);
  if (!counted) return operations_.Refuse(caller, {kAction}, counted.error());
  const std::uint64_t untold = *counted;
  Call call = operations_.Start(caller, {kAction, OperationKind::kWrite});
  call.reason_rule = ReasonRule::kVault;
  AddDetail(call.entry, id.Text() + " closed");
  return operations_.Perform(call, [&](Transaction& transaction) -> Result<Notice> {
    COFFER_ASSIGN(Notice notice, find_open(transaction, call, true));
    if (untold > 0 && not_told.empty()) {
      return std::unexpected(Error{
          Code::kConflict,
          "notice_untold",
          {},
          {{"/not_told", "is required: " + std::to_string(untold) + " clients were not told"}}});
    }
    if (untold == 0 && !not_told.empty()) {
      return std::unexpected(InvalidNotice({{"/not_told", "has no place: every client was told"}}));
    }
    notice.closed = transaction.now();
    COFFER_TRY(transaction.Of<RightsState>().notices.Close(notice.row, *notice.closed));
    if (untold > 0) AddDetail(call.entry, std::to_string(untold) + " clients not told");
    COFFER_TRY(AppendStep(transaction, call, NoticeStepKind::kClosed,
                          DocumentOfClosing(not_told, untold), notice));
    return notice;
  });
}

}  // namespace coffer::vault
