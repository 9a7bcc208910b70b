#include "vault/access/restriction_store.h"

#include <algorithm>

#include "vault/access/restriction.h"
#include "vault/base/word_list.h"

namespace coffer::vault {
namespace {

constexpr std::string_view kLoad =
    "SELECT rid, cid, class, all_but, purposes, legal_bases, since, placed_by "
    "FROM client_restrictions WHERE lifted IS NULL ORDER BY client, rid";
constexpr std::string_view kLifted =
    "SELECT rid, cid, class, all_but, purposes, legal_bases, since, placed_by, lifted, lifted_by, "
    "lifted_seq FROM client_restrictions WHERE client = ? AND lifted IS NOT NULL "
    "ORDER BY lifted_seq DESC LIMIT ?";
constexpr std::string_view kInsertRestriction =
    "INSERT INTO client_restrictions (client, rid, cid, class, basis, all_but, purposes, "
    "legal_bases, since, placed_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr std::string_view kLiftRestriction =
    "UPDATE client_restrictions SET lifted = ?, lifted_by = ?, lifted_seq = ? "
    "WHERE client = ? AND rid = ?";
constexpr std::string_view kDeleteOlder =
    "DELETE FROM client_restrictions WHERE client = ?1 AND lifted IS NOT NULL AND lifted_seq <= "
    "(SELECT lifted_seq FROM client_restrictions WHERE client = ?1 AND lifted IS NOT NULL "
    "ORDER BY lifted_seq DESC LIMIT 1 OFFSET ?2)";
constexpr std::string_view kCountRestrictions =
    "SELECT count(*) FROM client_restrictions WHERE client = ?";
constexpr std::string_view kDeleteOf = "DELETE FROM client_restrictions WHERE client = ?";
constexpr std::string_view kRestrictionBases =
    "SELECT rid, basis FROM client_restrictions WHERE client = ? ORDER BY rid";
constexpr std::string_view kResealRestriction =
    "UPDATE client_restrictions SET basis = ? WHERE client = ? AND rid = ?";
constexpr std::string_view kLoadUnsealed =
    "SELECT cid, class, basis, purposes, since, placed_by FROM restrictions ORDER BY client, class";
constexpr std::string_view kDeleteUnsealed =
    "DELETE FROM restrictions WHERE client = ? AND class = ?";
constexpr std::string_view kDeleteUnsealedOf = "DELETE FROM restrictions WHERE client = ?";

template <class IdType>
void CopyRestrictionId(IdType& id, ByteView bytes) {
  std::ranges::copy(bytes, id.value.begin());
}

Restriction RestrictionIn(Cursor& rows) {
  Restriction restriction;
  CopyRestrictionId(restriction.id, rows.Blob(0));
  CopyRestrictionId(restriction.client, rows.Blob(1));
  restriction.terms.class_name = rows.Text(2);
  restriction.terms.stops = {rows.Int(3) != 0, SplitWords(rows.Text(4)), SplitWords(rows.Text(5))};
  restriction.since = Timestamp{rows.Int(6)};
  if (!rows.IsNull(7)) CopyRestrictionId(restriction.placed_by.emplace(), rows.Blob(7));
  return restriction;
}

}  // namespace

bool StoppedPurposes::Include(std::string_view purpose, std::string_view legal_basis) const {
  const bool named = std::ranges::find(purposes, purpose) != purposes.end() ||
                     std::ranges::find(legal_bases, legal_basis) != legal_bases.end();
  return named != all_but;
}

std::string StopsInWords(const StoppedPurposes& stops) {
  if (stops.IncludeAll()) return "stops all purposes";
  if (stops.all_but) return "stops all but " + JoinWords(stops.purposes);
  // A long list ends in the middle: what was objected to stands before what rested on it.
  std::string words = "stops ";
  if (!stops.legal_bases.empty()) words += "all based on " + JoinWords(stops.legal_bases);
  if (!stops.legal_bases.empty() && !stops.purposes.empty()) words += ", and ";
  return words + JoinWords(stops.purposes);
}

Result<RestrictionStore> RestrictionStore::Open(Database& database) {
  RestrictionStore store;
  COFFER_ASSIGN(store.load_, Statement::Prepare(database, kLoad));
  COFFER_ASSIGN(store.lifted_, Statement::Prepare(database, kLifted));
  COFFER_ASSIGN(store.lift_, Statement::Prepare(database, kLiftRestriction));
  COFFER_ASSIGN(store.delete_older_, Statement::Prepare(database, kDeleteOlder));
  COFFER_ASSIGN(store.insert_, Statement::Prepare(database, kInsertRestriction));
  COFFER_ASSIGN(store.count_, Statement::Prepare(database, kCountRestrictions));
  COFFER_ASSIGN(store.delete_of_, Statement::Prepare(database, kDeleteOf));
  COFFER_ASSIGN(store.bases_, Statement::Prepare(database, kRestrictionBases));
  COFFER_ASSIGN(store.reseal_, Statement::Prepare(database, kResealRestriction));
  COFFER_ASSIGN(store.load_unsealed_, Statement::Prepare(database, kLoadUnsealed));
  COFFER_ASSIGN(store.delete_unsealed_, Statement::Prepare(database, kDeleteUnsealed));
  COFFER_ASSIGN(store.delete_unsealed_of_, Statement::Prepare(database, kDeleteUnsealedOf));
  return store;
}

Result<std::vector<Restriction>> RestrictionStore::Load() {
  std::vector<Restriction> restrictions;
  auto rows = load_.Query();
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return restrictions;
    restrictions.push_back(RestrictionIn(rows));
  }
}

Result<std::vector<Restriction>> RestrictionStore::LiftedOf(const ClientId& client,
                                                            std::size_t limit) {
  std::vector<Restriction> restrictions;
  auto rows = lifted_.Query(client.Row(), static_cast<std::int64_t>(limit));
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return restrictions;
    Restriction restriction = RestrictionIn(rows);
    RestrictionLifting& lifting = restriction.lifting.emplace();
    lifting.lifted = Timestamp{rows.Int(8)};
    CopyRestrictionId(lifting.by, rows.Blob(9));
    lifting.seq = static_cast<std::uint64_t>(rows.Int(10));
    restrictions.push_back(std::move(restriction));
  }
}

Status RestrictionStore::Insert(const Restriction& restriction, ByteView sealed_basis) {
  const RestrictionRequest& terms = restriction.terms;
  const std::string purposes = JoinWords(terms.stops.purposes);
  const std::string legal_bases = JoinWords(terms.stops.legal_bases);
  std::optional<std::string_view> stored_bases;  // a row as it was before there were any
  if (!legal_bases.empty()) stored_bases = legal_bases;
  std::optional<ByteView> placed_by;
  if (restriction.placed_by) placed_by = restriction.placed_by->bytes();
  return insert_.Execute(restriction.client.Row(), restriction.id.bytes(),
                         restriction.client.bytes(), std::string_view(terms.class_name),
                         sealed_basis, terms.stops.all_but ? 1 : 0, std::string_view(purposes),
                         stored_bases, restriction.since.ms, placed_by);
}

Status RestrictionStore::Lift(const Restriction& restriction) {
  const RestrictionLifting& lifting = *restriction.lifting;
  COFFER_TRY(lift_.Execute(lifting.lifted.ms, lifting.by.bytes(),
                           static_cast<std::int64_t>(lifting.seq), restriction.client.Row(),
                           restriction.id.bytes()));
  return delete_older_.Execute(restriction.client.Row(), static_cast<std::int64_t>(kLiftedKept));
}

Result<std::uint64_t> RestrictionStore::CountOf(const ClientId& client) {
  auto rows = count_.Query(client.Row());
  COFFER_TRY(rows.Next());
  return static_cast<std::uint64_t>(rows.Int(0));
}

// An erasure may be done again by the ledger before the restrictions of the format before are
// moved.
Status RestrictionStore::DeleteOf(const ClientId& client) {
  COFFER_TRY(delete_of_.Execute(client.Row()));
  return delete_unsealed_of_.Execute(client.Row());
}

Result<std::vector<std::pair<RestrictionId, Bytes>>> RestrictionStore::BasesOf(
    const ClientId& client) {
  std::vector<std::pair<RestrictionId, Bytes>> bases;
  auto rows = bases_.Query(client.Row());
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return bases;
    auto& [id, basis] = bases.emplace_back();
    CopyRestrictionId(id, rows.Blob(0));
    const ByteView sealed = rows.Blob(1);
    basis.assign(sealed.begin(), sealed.end());
  }
}

Status RestrictionStore::Reseal(const ClientId& client, const RestrictionId& id,
                                ByteView sealed_basis) {
  return reseal_.Execute(sealed_basis, client.Row(), id.bytes());
}

Result<std::vector<Restriction>> RestrictionStore::LoadUnsealed() {
  std::vector<Restriction> restrictions;
  auto rows = load_unsealed_.Query();
  for (;;) {
    COFFER_ASSIGN(const bool more, rows.Next());
    if (!more) return restrictions;
    Restriction restriction;
    CopyRestrictionId(restriction.client, rows.Blob(0));
    restriction.terms.class_name = rows.Text(1);
    restriction.terms.basis = rows.Text(2);
    restriction.terms.stops = {true, SplitWords(rows.Text(3)), {}};
    restriction.since = Timestamp{rows.Int(4)};
    if (!rows.IsNull(5)) CopyRestrictionId(restriction.placed_by.emplace(), rows.Blob(5));
    restrictions.push_back(std::move(restriction));
  }
}

Status RestrictionStore::DeleteUnsealed(const Restriction& restriction) {
  return delete_unsealed_.Execute(restriction.client.Row(),
                                  std::string_view(restriction.terms.class_name));
}

void RestrictionRegister::Put(Restriction restriction) {
  restriction.terms.basis.clear();
  by_client_[restriction.client].push_back(std::move(restriction));
}

void RestrictionRegister::Remove(const ClientId& client, const RestrictionId& id) {
  const auto found = by_client_.find(client);
  if (found == by_client_.end()) return;
  std::erase_if(found->second,
                [&](const Restriction& restriction) { return restriction.id == id; });
  if (found->second.empty()) by_client_.erase(found);
}

std::size_t RestrictionRegister::Count() const {
  std::size_t count = 0;
  for (const auto& [client, restrictions] : by_client_) count += restrictions.size();
  return count;
}

bool RestrictionRegister::Stops(const ClientId& client, std::string_view class_name,
                                std::string_view purpose, std::string_view legal_basis) const {
  if (by_client_.empty()) return false;
  const auto found = by_client_.find(client);
  return found != by_client_.end() &&
         std::ranges::any_of(found->second, [&](const Restriction& restriction) {
           const RestrictionRequest& terms = restriction.terms;
           return (terms.class_name.empty() || terms.class_name == class_name) &&
                  terms.stops.Include(purpose, legal_basis);
         });
}

bool RestrictionRegister::HasPeoples(const ClientId& client, std::string_view class_name) const {
  const auto found = by_client_.find(client);
  return found != by_client_.end() &&
         std::ranges::any_of(found->second, [&](const Restriction& restriction) {
           const std::string& name = restriction.terms.class_name;
           return restriction.placed_by && restriction.terms.stops.all_but &&
                  (class_name.empty() || name.empty() || name == class_name);
         });
}

std::vector<Restriction> RestrictionRegister::Of(const ClientId& client) const {
  const auto found = by_client_.find(client);
  if (found == by_client_.end()) return {};
  std::vector<Restriction> restrictions = found->second;
  std::ranges::sort(restrictions, {}, &Restriction::id);
  return restrictions;
}

}  // namespace coffer::vault
