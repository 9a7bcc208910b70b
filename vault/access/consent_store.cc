#include "vault/access/consent_store.h"

#include <algorithm>

namespace coffer::vault {
namespace {

constexpr std::string_view kInsertConsent =
    "INSERT INTO consents (client, consent, cid, purpose, text, text_version, language, sha256, "
    "given, channel, by_client, expires, recorded, recorded_by, seq, details) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr std::string_view kWithdrawConsent =
    "UPDATE consents SET withdrawn = ?, withdrawn_how = ?, withdrawn_by = ?, withdrawn_seq = ? "
    "WHERE client = ? AND consent = ?";
constexpr std::string_view kDeleteConsentsOf = "DELETE FROM consents WHERE client = ?";
constexpr std::string_view kConsentsOf =
    "SELECT consent, cid, purpose, text, text_version, language, sha256, given, channel, "
    "by_client, expires, recorded, recorded_by, seq, details, withdrawn, withdrawn_how, "
    "withdrawn_by, withdrawn_seq FROM consents WHERE client = ? ORDER BY consent";
constexpr std::string_view kCountConsentsOf = "SELECT count(*) FROM consents WHERE client = ?";
constexpr std::string_view kResealConsent =
    "UPDATE consents SET details = ? WHERE client = ? AND consent = ?";
constexpr std::string_view kStandsUntil =
    "SELECT count(*), count(expires), max(expires) FROM consents "
    "WHERE purpose = ? AND client = ? AND withdrawn IS NULL";
constexpr std::string_view kLoadStanding =
    "SELECT client, expires FROM consents WHERE purpose = ? AND withdrawn IS NULL";
constexpr std::string_view kListStandingFor =
    "SELECT client, count(*), count(expires), max(expires) FROM consents "
    "WHERE purpose = ? AND client > ? AND withdrawn IS NULL GROUP BY client ORDER BY client "
    "LIMIT ?";
constexpr std::string_view kListStandingTo =
    "SELECT client, count(*), count(expires), max(expires) FROM consents "
    "WHERE text = ? AND client > ? AND withdrawn IS NULL GROUP BY client ORDER BY client LIMIT ?";

template <class Bytes16>
void CopyConsentBytes(Bytes16& value, ByteView bytes) {
  std::ranges::copy(bytes, value.begin());
}

Result<ConsentChannel> ChannelAt(const Cursor& rows, int column) {
  const auto channel = ConsentChannelFromName(rows.Text(column));
  if (!channel) return Fail(Code::kCorrupted, "storage_corrupted", "a consent's channel is none");
  return *channel;
}

}  // namespace

Result<ConsentStore> ConsentStore::Open(Database& database) {
  ConsentStore store;
  COFFER_ASSIGN(store.insert_, Statement::Prepare(database, kInsertConsent));
  COFFER_ASSIGN(store.withdraw_, Statement::Prepare(database, kWithdrawConsent));
  COFFER_ASSIGN(store.delete_of_, Statement::Prepare(database, kDeleteConsentsOf));
  COFFER_ASSIGN(store.list_of_, Statement::Prepare(database, kConsentsOf));
  COFFER_ASSIGN(store.count_of_, Statement::Prepare(database, kCountConsentsOf));
  COFFER_ASSIGN(store.reseal_, Statement::Prepare(database, kResealConsent));
  COFFER_ASSIGN(store.stands_until_, Statement::Prepare(database, kStandsUntil));
  COFFER_ASSIGN(store.load_standing_, Statement::Prepare(database, kLoadStanding));
  COFFER_ASSIGN(store.standing_for_, Statement::Prepare(database, kListStandingFor));
  COFFER_ASSIGN(store.standing_to_, Statement::Prepare(database, kListStandingTo));
  return store;
}

Status ConsentStore::Insert(const Consent& consent, ByteView sealed_details) {
  std::optional<std::int64_t> expires;
  if (consent.expires) expires = consent.expires->ms;
  return insert_.Execute(consent.client.Row(), consent.id.bytes(), consent.client.bytes(),
                         std::string_view(consent.purpose), std::string_view(consent.text.name),
                         consent.text.version, std::string_view(consent.text.language),
                         ByteView(consent.sha256), consent.given.ms, Name(consent.channel),
                         consent.by_client ? 1 : 0, expires, consent.recorded.ms,
                         consent.recorded_by.bytes(), consent.seq, sealed_details);
}

Status ConsentStore::Withdraw(const Consent& consent) {
  const ConsentWithdrawal& withdrawal = *consent.withdrawal;
  std::optional<std::string_view> channel;
  if (withdrawal.channel) channel = Name(*withdrawal.channel);
  return withdraw_.Execute(withdrawal.withdrawn.ms, channel, withdrawal.recorded_by.bytes(),
                           withdrawal.seq, consent.client.Row(), consent.id.bytes());
}

Status ConsentStore::DeleteOf(const ClientId& client) { return delete_of_.Execute(client.Row()); }

Result<std::vector<std::pair<Consent, Bytes>>> ConsentStore::ListOf(const ClientId& client) {
  std::vector<std::pair<Consent, Bytes>> consents;
  auto rows = list_of_.Query(client.Row());
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return consents;
    auto& [consent, details] = consents.emplace_back();
    CopyConsentBytes(consent.id.value, rows.Blob(0));
    CopyConsentBytes(consent.client.value, rows.Blob(1));
    consent.purpose = rows.Text(2);
    consent.text = {std::string(rows.Text(3)), static_cast<std::uint64_t>(rows.Int(4)),
                    std::string(rows.Text(5))};
    CopyConsentBytes(consent.sha256, rows.Blob(6));
    consent.given = Timestamp{rows.Int(7)};
    COFFER_ASSIGN(consent.channel, ChannelAt(rows, 8));
    consent.by_client = rows.Int(9) != 0;
    if (!rows.IsNull(10)) consent.expires = Timestamp{rows.Int(10)};
    consent.recorded = Timestamp{rows.Int(11)};
    CopyConsentBytes(consent.recorded_by.value, rows.Blob(12));
    consent.seq = static_cast<std::uint64_t>(rows.Int(13));
    const ByteView sealed = rows.Blob(14);
    details.assign(sealed.begin(), sealed.end());
    if (rows.IsNull(15)) continue;
    ConsentWithdrawal& withdrawal = consent.withdrawal.emplace();
    withdrawal.withdrawn = Timestamp{rows.Int(15)};
    if (!rows.IsNull(16)) {
      COFFER_ASSIGN(withdrawal.channel, ChannelAt(rows, 16));
    }
    CopyConsentBytes(withdrawal.recorded_by.value, rows.Blob(17));
    withdrawal.seq = static_cast<std::uint64_t>(rows.Int(18));
  }
}

Result<std::uint64_t> ConsentStore::CountOf(const ClientId& client) {
  auto rows = count_of_.Query(client.Row());
  COFFER_TRY(rows.Next());
  return static_cast<std::uint64_t>(rows.Int(0));
}

Status ConsentStore::Reseal(const ClientId& client, const ConsentId& id, ByteView sealed_details) {
  return reseal_.Execute(sealed_details, client.Row(), id.bytes());
}

Result<std::optional<Timestamp>> ConsentStore::StandsUntil(const ClientId& client,
                                                           std::string_view purpose) {
  auto rows = stands_until_.Query(purpose, client.Row());
  COFFER_TRY(rows.Next());
  const std::int64_t all = rows.Int(0), expiring = rows.Int(1);
  if (all == 0) return std::nullopt;
  return all > expiring ? StandingConsents::kForever : Timestamp{rows.Int(2)};
}

Result<StandingConsents> ConsentStore::LoadStanding(std::string_view purpose) {
  StandingConsents standing;
  auto rows = load_standing_.Query(purpose);
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return standing;
    standing.Extend(rows.Int(0),
                    rows.IsNull(1) ? StandingConsents::kForever : Timestamp{rows.Int(1)});
  }
}

Result<std::vector<std::pair<std::int64_t, Timestamp>>> ConsentStore::ListStanding(
    By by, std::string_view name, std::int64_t after, std::size_t limit) {
  std::vector<std::pair<std::int64_t, Timestamp>> clients;
  auto rows = (by == By::kPurpose ? standing_for_ : standing_to_)
                  .Query(name, after, static_cast<std::int64_t>(limit));
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return clients;
    const bool ends = rows.Int(1) == rows.Int(2);
    clients.emplace_back(rows.Int(0), ends ? Timestamp{rows.Int(3)} : StandingConsents::kForever);
  }
}

}  // namespace coffer::vault
