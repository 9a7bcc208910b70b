#include "vault/access/disclosure_store.h"

#include <algorithm>

#include "audit/documents/erasure_scope.h"

namespace coffer::vault {
namespace {

constexpr std::string_view kInsertDisclosure =
    "INSERT INTO disclosures (did, recipient, source, given, basis, purpose, channel, reference, "
    "recorded, recorded_by, seq, run, clients) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0) "
    "RETURNING id";
constexpr std::string_view kDisclosureColumns =
    "SELECT d.id, d.did, d.recipient, r.rid, d.source, d.given, d.basis, d.purpose, d.channel, "
    "d.reference, d.recorded, d.recorded_by, d.seq, d.clients";
constexpr std::string_view kOfDisclosures =
    " FROM disclosures d JOIN recipients r ON r.id = d.recipient ";
constexpr std::string_view kFindDisclosure = "WHERE d.did = ?";
constexpr std::string_view kFindDisclosureRow = "WHERE d.id = ?";
constexpr std::string_view kFindRun =
    "WHERE d.run = ? "
    "ORDER BY d.id DESC LIMIT 1";
constexpr std::string_view kListDisclosures = "WHERE d.id < ? ORDER BY d.id DESC LIMIT ?";
constexpr std::string_view kListOfRecipient =
    "WHERE d.id < ? AND d.recipient = ? ORDER BY d.id DESC LIMIT ?";
constexpr std::string_view kListDisclosuresOf =
    ", c.classes, c.seq FROM disclosure_clients c JOIN disclosures d ON d.id = c.disclosure "
    "JOIN recipients r ON r.id = d.recipient "
    "WHERE c.client = ? AND c.disclosure < ? ORDER BY c.disclosure DESC LIMIT ?";
constexpr std::string_view kFindDisclosed =
    "SELECT classes FROM disclosure_clients WHERE client = ? AND disclosure = ?";
constexpr std::string_view kInsertDisclosed =
    "INSERT INTO disclosure_clients (client, disclosure, classes, seq) VALUES (?, ?, ?, ?)";
constexpr std::string_view kUpdateDisclosed =
    "UPDATE disclosure_clients SET classes = ? WHERE client = ? AND disclosure = ?";
constexpr std::string_view kAddToCount =
    "UPDATE disclosures SET clients = clients + ? WHERE id = ?";
constexpr std::string_view kDisclosedClients =
    "SELECT client, classes, seq FROM disclosure_clients INDEXED BY disclosure_clients_of "
    "WHERE disclosure = ? AND client > ? ORDER BY client LIMIT ?";
constexpr std::string_view kRecipientsOf =
    "SELECT DISTINCT d.recipient, s.classes FROM disclosure_clients c "
    "JOIN disclosures d ON d.id = c.disclosure JOIN class_sets s ON s.id = c.classes "
    "WHERE c.client = ? ORDER BY d.recipient";
constexpr std::string_view kFindSet = "SELECT id FROM class_sets WHERE classes = ?";
constexpr std::string_view kInsertSet = "INSERT INTO class_sets (classes) VALUES (?) RETURNING id";
constexpr std::string_view kReadSet = "SELECT classes FROM class_sets WHERE id = ?";
constexpr std::string_view kInsertTelling =
    "INSERT INTO tellings (client, recipient, act, class, act_seq, act_at) "
    "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
constexpr std::string_view kTellings =
    "SELECT t.id, t.client, t.recipient, r.rid, t.act, t.class, t.act_seq, t.act_at, t.told, "
    "t.told_by, t.told_seq, t.channel, t.reference, t.not_told FROM tellings t ";
constexpr std::string_view kOfAll = "INDEXED BY tellings_to_tell ";
constexpr std::string_view kOfOneRecipient = "INDEXED BY tellings_open ";
constexpr std::string_view kWithRecipient = "CROSS JOIN recipients r ON r.id = t.recipient ";
constexpr std::string_view kToTell = "WHERE t.told_seq IS NULL AND t.id > ? ORDER BY t.id LIMIT ?";
constexpr std::string_view kToTellRecipient =
    "WHERE t.told_seq IS NULL AND t.id > ? AND t.recipient = ? ORDER BY t.id LIMIT ?";
constexpr std::string_view kTellingsOf =
    "WHERE t.client = ? "
    "ORDER BY t.id DESC LIMIT ?";
constexpr std::string_view kMarkTold =
    "UPDATE tellings SET told = ?, told_by = ?, told_seq = ?, channel = ?, reference = ?, "
    "not_told = ? WHERE id = ?";
constexpr std::string_view kCountTellings =
    "SELECT ifnull(sum(n), 0), count(*) FROM (SELECT count(*) AS n FROM tellings "
    "INDEXED BY tellings_open WHERE told_seq IS NULL GROUP BY recipient)";
constexpr std::string_view kCountTellingsOf =
    "SELECT count(*) FROM tellings WHERE told_seq IS NULL AND recipient = ?";
constexpr std::string_view kCountActs = "SELECT count(*) FROM acts_to_settle";
constexpr std::string_view kInsertActToSettle =
    "INSERT INTO acts_to_settle (client, act, class, seq, at) VALUES (?, ?, ?, ?, ?)";
constexpr std::string_view kActsToSettle =
    "SELECT id, client, act, class, seq, at FROM acts_to_settle ORDER BY id LIMIT ?";
constexpr std::string_view kActsOfClient =
    "SELECT count(*) FROM acts_to_settle INDEXED BY acts_to_settle_of WHERE client = ?";
constexpr std::string_view kCountOfClient =
    "SELECT (SELECT count(*) FROM disclosure_clients WHERE client = ?1), "
    "(SELECT count(*) FROM tellings WHERE client = ?1)";
constexpr std::string_view kDeleteActToSettle = "DELETE FROM acts_to_settle WHERE id = ?";

constexpr ClientId kBeforeAllClients{};

template <class IdType>
void CopyDisclosureId(IdType& id, ByteView bytes) {
  std::ranges::copy(bytes, id.value.begin());
}

Result<Disclosure> DisclosureAt(const Cursor& rows) {
  Disclosure one;
  one.row = rows.Int(0);
  CopyDisclosureId(one.id, rows.Blob(1));
  one.recipient_row = rows.Int(2);
  CopyDisclosureId(one.recipient, rows.Blob(3));
  const auto source = DisclosureSourceFromName(rows.Text(4));
  if (!source) return Fail(Code::kCorrupted, "storage_corrupted", "a disclosure's source");
  one.source = *source;
  one.given = Timestamp{rows.Int(5)};
  one.basis = rows.Text(6);
  one.purpose = rows.Text(7);
  one.channel = rows.Text(8);
  one.reference = rows.Text(9);
  one.recorded = Timestamp{rows.Int(10)};
  CopyDisclosureId(one.recorded_by, rows.Blob(11));
  one.seq = static_cast<std::uint64_t>(rows.Int(12));
  one.clients = static_cast<std::uint64_t>(rows.Int(13));
  return one;
}

Result<std::optional<Disclosure>> OneDisclosure(Cursor rows) {
  COFFER_ASSIGN(const bool found, rows.Next());
  if (!found) return std::nullopt;
  COFFER_ASSIGN(auto one, DisclosureAt(rows));
  return one;
}

Result<ToldAct> ToldActAt(const Cursor& rows, int column) {
  const auto act = ToldActFromName(rows.Text(column));
  if (!act) return Fail(Code::kCorrupted, "storage_corrupted", "an act to be told");
  return *act;
}

Result<std::vector<Telling>> CollectTellings(Cursor rows) {
  std::vector<Telling> tellings;
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return tellings;
    Telling& one = tellings.emplace_back();
    one.row = rows.Int(0);
    CopyDisclosureId(one.client, rows.Blob(1));
    one.recipient_row = rows.Int(2);
    CopyDisclosureId(one.recipient, rows.Blob(3));
    COFFER_ASSIGN(one.act, ToldActAt(rows, 4));
    one.class_name = rows.Text(5);
    one.act_seq = static_cast<std::uint64_t>(rows.Int(6));
    one.act_at = Timestamp{rows.Int(7)};
    if (rows.IsNull(10)) continue;
    ToldHow& told = one.told.emplace();
    told.at = Timestamp{rows.Int(8)};
    CopyDisclosureId(told.by, rows.Blob(9));
    told.seq = static_cast<std::uint64_t>(rows.Int(10));
    told.channel = rows.Text(11);
    told.reference = rows.Text(12);
    told.not_told = rows.Text(13);
  }
}

std::string JoinedClasses(const ClassNames& classes) {
  std::string joined;
  for (const std::string& name : classes) (joined += joined.empty() ? "" : " ") += name;
  return joined;
}

ClassNames SplitClasses(std::string_view joined) {
  ClassNames classes;
  while (!joined.empty()) {
    const auto end = std::min(joined.find(' '), joined.size());
    classes.emplace(joined.substr(0, end));
    joined.remove_prefix(std::min(end + 1, joined.size()));
  }
  return classes;
}

// That it is a client is no class of its records.
void Tell(const ClassNames& classes, DisclosedClient& client) {
  client.known = !classes.empty();
  for (const std::string& name : classes) {
    if (name != audit::kClientItself) client.classes.push_back(name);
  }
}

}  // namespace

Result<DisclosureStore> DisclosureStore::Open(Database& database) {
  DisclosureStore store;
  const auto of_disclosures = [](std::string_view rest) {
    return std::string(kDisclosureColumns) + std::string(kOfDisclosures) + std::string(rest);
  };
  const auto of_tellings = [](std::string_view rest, std::string_view index = {}) {
    return std::string(kTellings) + std::string(index) + std::string(kWithRecipient) +
           std::string(rest);
  };
  const std::pair<Statement*, std::string> all[] = {
      {&store.insert_, std::string(kInsertDisclosure)},
      {&store.find_, of_disclosures(kFindDisclosure)},
      {&store.find_row_, of_disclosures(kFindDisclosureRow)},
      {&store.find_run_, of_disclosures(kFindRun)},
      {&store.list_, of_disclosures(kListDisclosures)},
      {&store.list_of_recipient_, of_disclosures(kListOfRecipient)},
      {&store.list_of_, std::string(kDisclosureColumns) + std::string(kListDisclosuresOf)},
      {&store.find_client_, std::string(kFindDisclosed)},
      {&store.insert_client_, std::string(kInsertDisclosed)},
      {&store.update_client_, std::string(kUpdateDisclosed)},
      {&store.add_to_count_, std::string(kAddToCount)},
      {&store.clients_, std::string(kDisclosedClients)},
      {&store.recipients_of_, std::string(kRecipientsOf)},
      {&store.find_set_, std::string(kFindSet)},
      {&store.insert_set_, std::string(kInsertSet)},
      {&store.read_set_, std::string(kReadSet)},
      {&store.insert_telling_, std::string(kInsertTelling)},
      {&store.to_tell_, of_tellings(kToTell, kOfAll)},
      {&store.to_tell_recipient_, of_tellings(kToTellRecipient, kOfOneRecipient)},
      {&store.count_of_client_, std::string(kCountOfClient)},
      {&store.tellings_of_, of_tellings(kTellingsOf)},
      {&store.mark_told_, std::string(kMarkTold)},
      {&store.count_, std::string(kCountTellings)},
      {&store.count_of_, std::string(kCountTellingsOf)},
      {&store.count_acts_, std::string(kCountActs)},
      {&store.insert_act_, std::string(kInsertActToSettle)},
      {&store.acts_, std::string(kActsToSettle)},
      {&store.acts_of_, std::string(kActsOfClient)},
      {&store.delete_act_, std::string(kDeleteActToSettle)}};
  for (const auto& [statement, sql] : all) {
    COFFER_ASSIGN(*statement, Statement::Prepare(database, sql));
  }
  return store;
}

Result<std::int64_t> DisclosureStore::Insert(const Disclosure& disclosure, ByteView run) {
  std::optional<ByteView> found_by;
  if (!run.empty()) found_by = run;
  auto row = insert_.Query(
      disclosure.id.bytes(), disclosure.recipient_row, Name(disclosure.source), disclosure.given.ms,
      std::string_view(disclosure.basis), std::string_view(disclosure.purpose),
      std::string_view(disclosure.channel), std::string_view(disclosure.reference),
      disclosure.recorded.ms, disclosure.recorded_by.bytes(), disclosure.seq, found_by);
  COFFER_TRY(row.Next());
  const std::int64_t number = row.Int(0);
  COFFER_TRY(row.Next());  // to its end
  return number;
}

Result<std::optional<Disclosure>> DisclosureStore::Find(const DisclosureId& id) {
  return OneDisclosure(find_.Query(id.bytes()));
}
Result<std::optional<Disclosure>> DisclosureStore::FindRow(std::int64_t row) {
  return OneDisclosure(find_row_.Query(row));
}
Result<std::optional<Disclosure>> DisclosureStore::FindRun(ByteView run) {
  return OneDisclosure(find_run_.Query(run));
}

Result<std::vector<Disclosure>> DisclosureStore::List(std::int64_t before, std::int64_t recipient,
                                                      std::size_t limit) {
  std::vector<Disclosure> all;
  const auto most = static_cast<std::int64_t>(limit);
  auto rows = recipient == 0 ? list_.Query(before, most)
                             : list_of_recipient_.Query(before, recipient, most);
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return all;
    COFFER_ASSIGN(auto one, DisclosureAt(rows));
    all.push_back(std::move(one));
  }
}

Result<std::vector<DisclosureStore::OfClient>> DisclosureStore::ListOf(const ClientId& client,
                                                                       std::int64_t before,
                                                                       std::size_t limit) {
  std::vector<OfClient> all;
  std::vector<std::int64_t> sets;
  {
    auto rows = list_of_.Query(client.bytes(), before, static_cast<std::int64_t>(limit));
    for (;;) {
      COFFER_ASSIGN(const bool more, rows.Next());
      if (!more) break;
      OfClient& one = all.emplace_back();
      COFFER_ASSIGN(one.disclosure, DisclosureAt(rows));
      one.client.client = client;
      sets.push_back(rows.Int(14));
      one.client.seq = static_cast<std::uint64_t>(rows.Int(15));
    }
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    COFFER_ASSIGN(const auto classes, ClassesOf(sets[i]));
    Tell(classes, all[i].client);
  }
  return all;
}

Result<std::int64_t> DisclosureStore::SetOf(const ClassNames& classes) {
  const std::string joined = JoinedClasses(classes);
  {
    auto rows = find_set_.Query(std::string_view(joined));
    COFFER_ASSIGN(const bool found, rows.Next());
    if (found) return rows.Int(0);
  }
  auto row = insert_set_.Query(std::string_view(joined));
  COFFER_TRY(row.Next());
  const std::int64_t number = row.Int(0);
  COFFER_TRY(row.Next());  // to its end
  return number;
}

Result<ClassNames> DisclosureStore::ClassesOf(std::int64_t set) {
  auto rows = read_set_.Query(set);
  COFFER_ASSIGN(const bool found, rows.Next());
  if (!found) return Fail(Code::kCorrupted, "storage_corrupted", "a set of classes");
  return SplitClasses(rows.Text(0));
}

Result<bool> DisclosureStore::PutClient(std::int64_t disclosure, const ClientId& client,
                                        const ClassNames& classes, std::uint64_t seq) {
  std::optional<std::int64_t> known;
  {
    auto rows = find_client_.Query(client.bytes(), disclosure);
    COFFER_ASSIGN(const bool found, rows.Next());
    if (found) known = rows.Int(0);
  }
  if (!known) {
    COFFER_ASSIGN(const std::int64_t set, SetOf(classes));
    COFFER_TRY(insert_client_.Execute(client.bytes(), disclosure, set, seq));
    return true;
  }
  COFFER_ASSIGN(auto all, ClassesOf(*known));
  // Of one that was given everything, a class is nothing more.
  if (all.empty()) return false;
  if (classes.empty()) all.clear();
  all.insert(classes.begin(), classes.end());
  COFFER_ASSIGN(const std::int64_t set, SetOf(all));
  if (set != *known) COFFER_TRY(update_client_.Execute(set, client.bytes(), disclosure));
  return false;
}

Status DisclosureStore::AddToCount(std::int64_t disclosure, std::uint64_t clients) {
  if (clients == 0) return {};
  return add_to_count_.Execute(clients, disclosure);
}

Result<std::vector<DisclosedClient>> DisclosureStore::ListClients(
    std::int64_t disclosure, const std::optional<ClientId>& after, std::size_t limit) {
  std::vector<DisclosedClient> all;
  std::vector<std::int64_t> sets;
  const ClientId behind = after.value_or(kBeforeAllClients);
  {
    auto rows = clients_.Query(disclosure, behind.bytes(), static_cast<std::int64_t>(limit));
    for (;;) {
      COFFER_ASSIGN(const bool more, rows.Next());
      if (!more) break;
      DisclosedClient& one = all.emplace_back();
      CopyDisclosureId(one.client, rows.Blob(0));
      sets.push_back(rows.Int(1));
      one.seq = static_cast<std::uint64_t>(rows.Int(2));
    }
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    COFFER_ASSIGN(const auto classes, ClassesOf(sets[i]));
    Tell(classes, all[i]);
  }
  return all;
}

Result<std::vector<std::int64_t>> DisclosureStore::RecipientsOf(const ClientId& client,
                                                                std::string_view class_name) {
  std::vector<std::int64_t> recipients;
  auto rows = recipients_of_.Query(client.bytes());
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return recipients;
    const ClassNames classes = SplitClasses(rows.Text(1));
    if (!class_name.empty() && !classes.empty() && !classes.contains(class_name)) continue;
    if (recipients.empty() || recipients.back() != rows.Int(0)) recipients.push_back(rows.Int(0));
  }
}

Status DisclosureStore::InsertTelling(const Telling& telling) {
  return insert_telling_.Execute(telling.client.bytes(), telling.recipient_row, Name(telling.act),
                                 std::string_view(telling.class_name), telling.act_seq,
                                 telling.act_at.ms);
}

Result<std::vector<Telling>> DisclosureStore::ListToTell(std::int64_t after, std::int64_t recipient,
                                                         std::size_t limit) {
  const auto most = static_cast<std::int64_t>(limit);
  return CollectTellings(recipient == 0 ? to_tell_.Query(after, most)
                                        : to_tell_recipient_.Query(after, recipient, most));
}

Result<std::vector<Telling>> DisclosureStore::ListTellingsOf(const ClientId& client,
                                                             std::size_t limit) {
  return CollectTellings(tellings_of_.Query(client.bytes(), static_cast<std::int64_t>(limit)));
}

Result<DisclosureStore::OfOne> DisclosureStore::CountOf(const ClientId& client) {
  auto rows = count_of_client_.Query(client.bytes());
  COFFER_TRY(rows.Next());
  return OfOne{static_cast<std::uint64_t>(rows.Int(0)), static_cast<std::uint64_t>(rows.Int(1))};
}

Status DisclosureStore::MarkTold(std::int64_t row, const ToldHow& told) {
  return mark_told_.Execute(told.at.ms, told.by.bytes(), told.seq, std::string_view(told.channel),
                            std::string_view(told.reference), std::string_view(told.not_told), row);
}

Result<TellingCounts> DisclosureStore::Count() {
  TellingCounts counts;
  {
    auto rows = count_.Query();
    COFFER_TRY(rows.Next());
    counts.open = static_cast<std::uint64_t>(rows.Int(0));
    counts.recipients = static_cast<std::uint64_t>(rows.Int(1));
  }
  auto rows = count_acts_.Query();
  COFFER_TRY(rows.Next());
  counts.to_settle = static_cast<std::uint64_t>(rows.Int(0));
  return counts;
}

Result<std::uint64_t> DisclosureStore::CountToTell(std::int64_t recipient) {
  auto rows = count_of_.Query(recipient);
  COFFER_TRY(rows.Next());
  return static_cast<std::uint64_t>(rows.Int(0));
}

Status DisclosureStore::InsertAct(const ActToSettle& act) {
  return insert_act_.Execute(act.client.bytes(), Name(act.act), std::string_view(act.class_name),
                             act.seq, act.at.ms);
}

Result<std::vector<ActToSettle>> DisclosureStore::ListActs(std::size_t limit) {
  std::vector<ActToSettle> acts;
  auto rows = acts_.Query(static_cast<std::int64_t>(limit));
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return acts;
    ActToSettle& one = acts.emplace_back();
    one.row = rows.Int(0);
    CopyDisclosureId(one.client, rows.Blob(1));
    COFFER_ASSIGN(one.act, ToldActAt(rows, 2));
    one.class_name = rows.Text(3);
    one.seq = static_cast<std::uint64_t>(rows.Int(4));
    one.at = Timestamp{rows.Int(5)};
  }
}

Result<std::uint64_t> DisclosureStore::CountActsOf(const ClientId& client) {
  auto rows = acts_of_.Query(client.bytes());
  COFFER_TRY(rows.Next());
  return static_cast<std::uint64_t>(rows.Int(0));
}

Status DisclosureStore::DeleteAct(std::int64_t row) { return delete_act_.Execute(row); }

}  // namespace coffer::vault
