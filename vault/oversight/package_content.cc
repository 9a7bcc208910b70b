#include "vault/oversight/package_content.h"

#include <algorithm>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "crypto/encoding.h"
#include "vault/access/access_state.h"
#include "vault/access/restriction_bases.h"
#include "vault/base/word_list.h"
#include "vault/catalog/catalog_state.h"
#include "vault/catalog/page_names.h"
#include "vault/clients/client_operations.h"
#include "vault/clients/clients_state.h"
#include "vault/clients/record_operations.h"
#include "vault/clients/sealing_contexts.h"
#include "vault/deletion/deletion_state.h"
#include "vault/deletion/retention_decisions.h"
#include "vault/oversight/oversight_state.h"
#include "vault/rights/package_step.h"
#include "vault/rights/rights_state.h"

namespace coffer::vault {
namespace {

using nlohmann::json;

// Of a client's requests and packages, the newest.
constexpr std::size_t kPackageLists = 100;

std::string Dumped(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string TimeText(Timestamp time) { return audit::FormatTimestamp(time); }

void PutPackageTime(json& object, const char* name, const std::optional<Timestamp>& time) {
  if (time) object[name] = TimeText(*time);
}

json RuleOf(const RetentionPolicy& policy) {
  json rule = json::object();
  if (!policy.name.empty()) rule["name"] = policy.name;
  if (policy.keeps()) {
    rule["keep"] = policy.keep;
    return rule;
  }
  rule["from"] = NameOf(policy.trigger);
  rule["period"] = FormatPeriod(policy.period);
  rule["then"] = NameOf(policy.action);
  rule["basis"] = policy.basis;
  return rule;
}

json FieldsOf(const ClassSchema& schema, const audit::PageNames& names) {
  json fields = json::array();
  for (const Field& field : schema.fields) {
    json one = {{"name", field.name}};
    const auto title = names.OfField(schema.name, field.name);
    if (!title.empty()) one["title"] = title;
    if (field.third_person) one["third_person"] = true;
    fields.push_back(std::move(one));
  }
  return fields;
}

json PurposesOf(const ClassSchema& schema, const Catalog& catalog) {
  json purposes = json::array();
  for (const std::string& code : schema.purposes) {
    const auto found = catalog.purposes.find(code);
    if (found == catalog.purposes.end() || !found->second.MayTouch(schema.name)) continue;
    json one = {{"code", code}, {"title", found->second.title}};
    if (!found->second.legal_basis.empty()) one["legal_basis"] = found->second.legal_basis;
    purposes.push_back(std::move(one));
  }
  return purposes;
}

json ConsentItem(const Consent& consent, Timestamp now) {
  json item = {{"id", consent.id.Text()},
               {"purpose", consent.purpose},
               {"text", consent.text.name},
               {"text_version", consent.text.version},
               {"language", consent.text.language},
               {"sha256", crypto::HexEncode(consent.sha256)},
               {"given", TimeText(consent.given)},
               {"channel", Name(consent.channel)},
               {"by_client", consent.by_client},
               {"stands", consent.StandsAt(now)},
               {"entry", consent.seq}};
  PutPackageTime(item, "expires", consent.expires);
  if (consent.withdrawal) {
    item["withdrawn"] = TimeText(consent.withdrawal->withdrawn);
    item["withdrawn_entry"] = consent.withdrawal->seq;
  }
  return item;
}

json RestrictionItem(const Restriction& restriction) {
  const StoppedPurposes& stops = restriction.terms.stops;
  json item = {{"id", restriction.id.Text()},
               {"since", TimeText(restriction.since)},
               {"basis", restriction.terms.basis},
               {stops.all_but ? "all_but" : "purposes", stops.purposes}};
  if (!stops.legal_bases.empty()) item["legal_bases"] = stops.legal_bases;
  if (restriction.lifting) item["lifted"] = TimeText(restriction.lifting->lifted);
  if (!restriction.terms.class_name.empty()) item["class"] = restriction.terms.class_name;
  return item;
}

// As the recipient is called now.
json DisclosureItem(const DisclosureStore::OfClient& one, const RecipientFacts& recipient) {
  const Disclosure& disclosure = one.disclosure;
  json item = {{"id", disclosure.id.Text()},        {"given", TimeText(disclosure.given)},
               {"source", Name(disclosure.source)}, {"recipient", recipient.name},
               {"category", recipient.category},    {"entry", one.client.seq}};
  if (!recipient.country.empty()) item["country"] = recipient.country;
  if (!disclosure.purpose.empty()) item["purpose"] = disclosure.purpose;
  if (one.client.known) item["classes"] = one.client.classes;
  return item;
}

json RequestItem(const RequestRow& request) {
  json item = {{"id", request.id.Text()},        {"kind", NameOf(request.kind)},
               {"regime", request.regime},       {"received", TimeText(request.received)},
               {"state", NameOf(request.state)}, {"entry", request.seq}};
  PutPackageTime(item, "decided", request.decided);
  return item;
}

json PackageItem(const PackageRow& package, Timestamp now) {
  json item = {{"id", package.id.Text()},
               {"prepared", TimeText(package.prepared)},
               {"state", Name(StateOf(package, now))},
               {"entry", package.seq}};
  PutPackageTime(item, "handed_out", package.handed_out);
  return item;
}

// What no package has: said always, so that it shows nothing that it is said.
json NeverIn(const PackageRow& row) {
  json left_out = json::array({{{"what", "log"}, {"reason", "holds"}},
                               {{"what", "log"}, {"reason", "reasons_in_words"}},
                               {{"what", "requests"}, {"reason", "said_in_words"}},
                               {{"what", "consents"}, {"reason", "evidence"}}});
  if (!row.names_staff) left_out.push_back({{"what", "log"}, {"reason", "staff"}});
  return left_out;
}

// What is left out of a part, counted: class and field where they may be named.
class LeftOut {
 public:
  void Add(std::string_view what, const std::string& class_name, const std::string& field,
           std::string_view reason) {
    ++counts_[{what, class_name, field, reason}];
  }
  std::string Text() const {
    json items = json::array();
    for (const auto& [key, count] : counts_) {
      const auto& [what, class_name, field, reason] = key;
      json item = {{"what", what}, {"reason", reason}, {"count", count}};
      if (!class_name.empty()) item["class"] = class_name;
      if (!field.empty()) item["field"] = field;
      items.push_back(std::move(item));
    }
    return Dumped(items);
  }

 private:
  std::map<std::tuple<std::string_view, std::string, std::string, std::string_view>, std::uint64_t>
      counts_;
};

// The records of one part, version by version.
// Whether the role would show something of the class for some purpose.
Result<bool> MayKnowOf(const Operations& operations, Transaction& transaction, const Call& call,
                       const ClientId& client, const ClassSchema& schema) {
  for (const Action action : {Action::kRecordList, Action::kRecordRead}) {
    COFFER_ASSIGN(auto decision, operations.DecideFor(transaction, call, action, client, nullptr));
    decision.leases.clear();
    if (decision.allowed && !ShowsNothing(FieldViewsOf(decision, schema))) return true;
  }
  return false;
}

class RecordGatherer {
 public:
  RecordGatherer(const Operations& operations, Transaction& transaction, Call& call,
                 const PackageRow& row, const ClientRow& client, const PinnedKeys& key)
      : operations_(operations),
        transaction_(transaction),
        call_(call),
        row_(row),
        client_(client),
        key_(key),
        catalog_(transaction.Of<CatalogState>().current()),
        retention_client_{client.id, client.tags, client.relationship_end} {
    if (catalog_.retention) {
      decisions_.emplace(catalog_.retention, catalog_, transaction.now());
    }
  }

  // Stops at `place` where the part is full.
  Status Run(PackagePlace& place, std::uint64_t part) {
    auto& records = transaction_.Of<ClientsState>().stores.records;
    for (;;) {
      COFFER_ASSIGN(const auto rows,
                    records.ListOf(client_.id.Row(), {}, place.record - (place.number > 0 ? 1 : 0),
                                   kPackageVersions));
      for (const std::int64_t row : rows) {
        if (row != place.record) place.number = 0;
        place.record = row;
        COFFER_ASSIGN(auto found, records.FindRow(row));
        if (found) {
          COFFER_ASSIGN(const bool whole, TakeRecord(*std::move(found), place, part));
          if (!whole) return {};
        }
        place.number = 0;
        if (IsFull()) return {};
      }
      if (rows.size() < kPackageVersions) break;
    }
    place = {PackagePlace::Stage::kLog, 0, 0};
    return {};
  }

  std::string items() const { return "[" + items_ + "]"; }
  const LeftOut& left_out() const { return left_out_; }

 private:
  bool IsFull() const { return taken_ >= kPackageVersions || items_.size() >= kPackageBytes; }

  // False: the part is full, and `place` in the middle of it.
  Result<bool> TakeRecord(RecordRow current, PackagePlace& place, std::uint64_t part) {
    auto& records = transaction_.Of<ClientsState>().stores.records;
    call_.entry.record = current.id.Text();  // where anything of it fails
    COFFER_TRY(operations_.CheckWhole(current.id.value));
    audit::Entry entry;
    entry.action = Name(call_.action);
    entry.client = client_.id.Text();
    std::set<std::string> fields;
    bool shown = false, whole = true;
    COFFER_ASSIGN(const auto versions, records.ListVersions(current.id.Row()));
    for (std::size_t i = 0; i <= versions.size(); ++i) {
      const bool is_current = i == versions.size();
      const std::uint64_t version = is_current ? current.version : versions[i].version;
      if (version <= place.number) continue;
      if (IsFull()) {
        whole = false;
        break;
      }
      RecordRow one = current;
      if (!is_current) {
        COFFER_ASSIGN(auto old, records.FindVersion(current.id.Row(), version));
        if (!old) return Fail(Code::kCorrupted, "storage_corrupted", "a version without a row");
        one.version = old->version;
        one.class_version = old->class_version;
        one.updated = old->written;
        one.fields = old->fields;
        one.payload = std::move(old->payload);
      }
      place.number = version;
      ++taken_;
      COFFER_ASSIGN(const bool taken, TakeVersion(one, is_current, fields));
      if (taken) Describe(entry, one, nullptr);
      shown = shown || taken;
    }
    call_.entry.record.clear();
    if (!shown) return whole;
    entry.fields.assign(fields.begin(), fields.end());
    entry.detail = PackageDetail(row_.id, PackageStep::kPart, part);
    transaction_.Also(std::move(entry));
    return whole;
  }

  // False: it is left out.
  Result<bool> TakeVersion(const RecordRow& row, bool is_current, std::set<std::string>& fields) {
    COFFER_ASSIGN(const auto schema, ClassOf(transaction_, row.class_name, row.class_version));
    const auto purpose = catalog_.purposes.find(call_.caller.purpose);
    if (purpose == catalog_.purposes.end() || !schema->AllowsPurpose(call_.caller.purpose) ||
        !purpose->second.MayTouch(schema->name)) {
      COFFER_TRY(LeaveOut(*schema, "class_not_for_purpose"));
      return false;
    }
    AccessDecision own = call_.decision;
    if (call_.role->budgeted) {
      COFFER_ASSIGN(
          own, operations_.DecideFor(transaction_, call_, call_.action, client_.id, schema.get()));
    }
    if (!own.allowed && own.error.code == Code::kExhausted) {
      return Deny(call_, "budget", own.error.code, own.error.reason);
    }
    FieldViews views;
    if (own.allowed) views = FieldViewsOf(own, *schema);
    if (!own.allowed || ShowsNothing(views)) {
      COFFER_TRY(LeaveOut(*schema, "hidden_by_role"));
      return false;
    }
    if (call_.role->budgeted && SpendsBudget(own, *schema, views, row.fields)) ++call_.reveals;
    const FieldViews shown = WithoutThirdPersons(*schema, views, row.fields);
    for (auto& name : ShownFields(*schema, shown, row.fields)) fields.insert(std::move(name));
    COFFER_ASSIGN(const Bytes plain,
                  key_.Expose().Open(RecordContext(operations_.keyring(), client_.id, row.id,
                                                   row.class_name, row.version),
                                     row.payload));
    RecordInfo info = InfoOf(row, client_.id);
    Show(info, *schema, shown, plain, operations_.keyring());
    COFFER_TRY(Append(info, is_current));
    return true;
  }

  // Fields of third persons are there, and no more; what is less than plain is counted.
  FieldViews WithoutThirdPersons(const ClassSchema& schema, FieldViews views, std::int64_t fields) {
    const bool any = std::ranges::any_of(schema.fields, &Field::third_person);
    if (!views && !any) return views;
    if (!views) views.emplace(schema.fields.size(), View::kPlain);
    for (std::size_t i = 0; i < schema.fields.size(); ++i) {
      const Field& field = schema.fields[i];
      View& view = (*views)[i];
      const bool is_there = (fields >> i & 1) != 0;
      if (is_there && view == View::kNone)
        left_out_.Add("field", schema.name, {}, "hidden_by_role");
      if (view == View::kNone) continue;
      if (field.third_person) {
        view = View::kPresence;
        if (is_there) left_out_.Add("field", schema.name, field.name, "third_person");
      } else if (is_there && view == View::kMasked) {
        left_out_.Add("field", schema.name, field.name, "masked_by_role");
      } else if (is_there && view == View::kPresence) {
        left_out_.Add("field", schema.name, field.name, "hidden_by_role");
      }
    }
    return views;
  }

  // In which class the client has what is not shown, is named to whose role would show it for
  // another purpose.
  Status LeaveOut(const ClassSchema& schema, std::string_view reason) {
    auto known = known_.find(schema.name);
    if (known == known_.end()) {
      COFFER_ASSIGN(const bool may,
                    MayKnowOf(operations_, transaction_, call_, client_.id, schema));
      known = known_.emplace(schema.name, may).first;
    }
    left_out_.Add("version", known->second ? schema.name : std::string(), {}, reason);
    return {};
  }

  Status Append(const RecordInfo& info, bool is_current) {
    json item = {{"record", info.id.Text()},
                 {"class", info.class_name},
                 {"class_version", info.class_version},
                 {"version", info.version},
                 {"current", is_current},
                 {"created", TimeText(info.created)},
                 {"written", TimeText(info.updated)}};
    if (!info.masked.empty()) item["masked"] = info.masked;
    if (!info.present.empty()) item["left_out"] = info.present;
    if (is_current && decisions_) {
      COFFER_ASSIGN(item["kept"], KeptOf(info));
    }
    std::string text = Dumped(item);
    // The document is JSON already.
    text.back() = ',';
    text.append("\"data\":").append(info.data).push_back('}');
    if (!items_.empty()) items_.push_back(',');
    items_ += text;
    return {};
  }

  Result<json> KeptOf(const RecordInfo& info) {
    json kept = json::object();
    RetentionStore::Place before;
    before.client = client_.id.Row();
    before.class_name = info.class_name;
    before.record = info.id.Row() - 1;
    COFFER_TRY(transaction_.Of<DeletionState>().stores.retention.ScanAfter(
        before, [&](const RetentionSubject& subject) -> Result<bool> {
          if (subject.record != info.id.Row()) return false;
          const auto [policy, due] = decisions_->DueOf(subject, retention_client_);
          kept["rule"] = RuleOf(*policy);
          if (due.state == RetentionDue::State::kAt) kept["until"] = TimeText(due.at);
          return false;
        }));
    return kept;
  }

  const Operations& operations_;
  Transaction& transaction_;
  Call& call_;
  const PackageRow& row_;
  const ClientRow& client_;
  const PinnedKeys& key_;
  const Catalog& catalog_;
  const RetentionClient retention_client_;
  std::optional<RetentionDecisions> decisions_;
  std::map<std::string, bool, std::less<>> known_;
  LeftOut left_out_;
  std::string items_;
  std::size_t taken_ = 0;
};

}  // namespace

Result<std::string> PackageContent::About(const PackageTree& tree) {
  const Catalog& catalog = transaction_.Of<CatalogState>().current();
  const Timestamp now = transaction_.now();
  COFFER_ASSIGN(const Bytes profile, key_.Expose().Open(ClientContext(operations_.keyring(),
                                                                      client_.id, client_.version),
                                                        client_.profile));
  std::string reference(crypto::AsText(profile));
  const View view = ReferenceViewOf(call_.decision, false);
  if (!reference.empty() && view != View::kPlain) reference = view == View::kMasked ? "***" : "";
  json client = {{"id", client_.id.Text()},
                 {"tags", SplitWords(client_.tags)},
                 {"version", client_.version},
                 {"created", TimeText(client_.created)},
                 {"updated", TimeText(client_.updated)}};
  if (!reference.empty()) client["external_ref"] = reference;
  PutPackageTime(client, "relationship_end", client_.relationship_end);
  call_.entry.fields = ProfileFields();
  if (view < View::kMasked) std::erase(call_.entry.fields, "external_ref");
  call_.entry.version = client_.version;

  json about = {
      {"client", std::move(client)},
      {"recipient", row_.representative ? "representative" : "client"},
      {"prepared", TimeText(row_.prepared)},
      {"log", {{"size", row_.log_size}, {"checkpoint", tree.checkpoint}, {"keys", tree.keys}}},
      {"left_out", NeverIn(row_)}};
  RequestStore& requests = transaction_.Of<RightsState>().requests;
  if (row_.request) {
    about["request"] = row_.request->Text();
    COFFER_ASSIGN(const auto request, requests.Find(*row_.request));
    const auto regime =
        request ? transaction_.Of<RightsState>().FindRegime(request->regime) : nullptr;
    if (regime)
      about["regime"] = {
          {"name", regime->name}, {"title", regime->title}, {"source", regime->source}};
  }

  const auto names = PageNamesOf(catalog);
  json& classes = about["classes"] = json::array();
  COFFER_ASSIGN(const auto counts,
                transaction_.Of<ClientsState>().stores.records.CountByClass(client_.id.Row()));
  for (const auto& [name, count] : counts) {
    const auto schema = catalog.Newest(name);
    if (!schema) return Fail(Code::kCorrupted, "storage_corrupted", "a record names no class");
    const auto purpose = catalog.purposes.find(call_.caller.purpose);
    const bool touched = purpose != catalog.purposes.end() &&
                         schema->AllowsPurpose(call_.caller.purpose) &&
                         purpose->second.MayTouch(name);
    COFFER_ASSIGN(const auto own, operations_.DecideFor(transaction_, call_, call_.action,
                                                        client_.id, schema.get()));
    // What is left out is told where its records would stand.
    if (!touched || !own.allowed || ShowsNothing(FieldViewsOf(own, *schema))) continue;
    json one = {{"name", name},
                {"records", count},
                {"fields", FieldsOf(*schema, names)},
                {"purposes", PurposesOf(*schema, catalog)}};
    const auto title = names.OfClass(name);
    if (!title.empty()) one["title"] = title;
    if (catalog.retention) {
      one["retention"] = RuleOf(catalog.retention->schedule.PolicyFor(name, client_.tags));
    }
    classes.push_back(std::move(one));
  }
  json& purposes = about["purposes"] = json::object();
  for (const auto& [code, purpose] : catalog.purposes) {
    purposes[code] = {{"title", purpose.title}, {"legal_basis", purpose.legal_basis}};
  }

  json& consents = about["consents"] = json::array();
  COFFER_ASSIGN(const auto given,
                transaction_.Of<AccessState>().stores.consents.ListOf(client_.id));
  for (const auto& [consent, sealed] : given) consents.push_back(ConsentItem(consent, now));
  json& restrictions = about["restrictions"] = json::array();
  COFFER_ASSIGN(auto stops, RestrictionsOf(transaction_, client_.id, true));
  COFFER_TRY(OpenBases(operations_.keyring(), transaction_, client_.id, stops));
  for (const Restriction& restriction : stops) restrictions.push_back(RestrictionItem(restriction));
  constexpr std::int64_t kNewest = std::numeric_limits<std::int64_t>::max();
  json& asked = about["requests"] = json::array();
  COFFER_ASSIGN(const auto made, requests.List(kNewest, client_.id, kPackageLists));
  for (const RequestRow& request : made) asked.push_back(RequestItem(request));
  json& packages = about["packages"] = json::array();
  COFFER_ASSIGN(const auto others, transaction_.Of<OversightState>().packages.List(
                                       kNewest, client_.id, kPackageLists));
  for (const PackageRow& other : others) packages.push_back(PackageItem(other, now));
  json& given_to = about["disclosures"] = json::array();
  DisclosureStore& disclosures = transaction_.Of<AccessState>().stores.disclosures;
  COFFER_ASSIGN(const auto disclosed, disclosures.ListOf(client_.id, kNewest, kPackageLists));
  for (const DisclosureStore::OfClient& one : disclosed) {
    COFFER_ASSIGN(const auto recipient, transaction_.Of<AccessState>().stores.recipients.FindRow(
                                            one.disclosure.recipient_row));
    if (!recipient) return Fail(Code::kCorrupted, "storage_corrupted");
    given_to.push_back(DisclosureItem(one, recipient->facts));
  }
  return Dumped(about);
}

Result<ClassNamesOfPackage> ClassesToName(const Operations& operations, Transaction& transaction,
                                          const Call& call, const ClientId& client) {
  ClassNamesOfPackage names;
  for (const auto& schema : transaction.Of<CatalogState>().current().NewestClasses()) {
    COFFER_ASSIGN(const bool may, MayKnowOf(operations, transaction, call, client, *schema));
    if (may) names.insert(schema->name);
  }
  return names;
}

Result<PackageContent::Records> PackageContent::RecordsFrom(PackagePlace& place,
                                                            std::uint64_t part) {
  RecordGatherer gatherer(operations_, transaction_, call_, row_, client_, key_);
  COFFER_TRY(gatherer.Run(place, part));
  return Records{gatherer.items(), gatherer.left_out().Text()};
}

}  // namespace coffer::vault
