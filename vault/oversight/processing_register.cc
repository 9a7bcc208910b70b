#include "vault/oversight/processing_register.h"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>

#include "vault/access/access_policy.h"
#include "vault/base/calendar.h"
#include "vault/catalog/role.h"

namespace coffer::vault {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 3> kOrders = {"gdpr", "ru-152fz", "pipl"};
// What discloses records.
constexpr Action kDisclosing[] = {Action::kRecordRead, Action::kClientExport,
                                  Action::kClientPackage};

constexpr std::string_view kDocumentRoute = "PUT /v1/processing/document";
constexpr std::string_view kPurposeRoute = "PUT /v1/purposes/{code}";
constexpr std::string_view kClassRoute = "PUT /v1/classes/{name}";
constexpr std::string_view kScheduleRoute = "PUT /v1/retention/schedule";

std::string_view NameOf(Sensitivity sensitivity) {
  switch (sensitivity) {
    case Sensitivity::kInternal:
      return "internal";
    case Sensitivity::kPersonal:
      return "personal";
    case Sensitivity::kSpecial:
      break;
  }
  return "special";
}

void PutWhereSaid(json& object, const char* name, std::string_view text) {
  if (!text.empty()) object[name] = text;
}

// Classes that are processed for the purpose.
std::vector<std::string> ClassesFor(const Purpose& purpose, const Catalog& catalog) {
  std::vector<std::string> classes;
  for (const auto& schema : catalog.NewestClasses()) {
    if (purpose.MayTouch(schema->name) && schema->AllowsPurpose(purpose.code)) {
      classes.push_back(schema->name);
    }
  }
  return classes;
}

json PurposesIn(const Catalog& catalog) {
  json purposes = json::array();
  for (const auto& [code, purpose] : catalog.purposes) {
    json one = {{"name", code},
                {"title", purpose.title},
                {"legal_basis", purpose.legal_basis},
                {"requires_consent", purpose.requires_consent},
                {"classes", ClassesFor(purpose, catalog)}};
    PutWhereSaid(one, "owner", purpose.owner);
    PutWhereSaid(one, "description", purpose.description);
    purposes.push_back(std::move(one));
  }
  return purposes;
}

json PolicyAsJson(const RetentionPolicy& policy) {
  json one = {{"name", policy.name}};
  PutWhereSaid(one, "jurisdiction", policy.jurisdiction);
  PutWhereSaid(one, "tag", policy.tag);
  if (policy.keeps()) {
    one["keep"] = policy.keep;
    return one;
  }
  one["trigger"] = vault::NameOf(policy.trigger);
  one["period"] = FormatPeriod(policy.period);
  one["action"] = vault::NameOf(policy.action);
  PutWhereSaid(one, "basis", policy.basis);
  return one;
}

json PoliciesOf(const Catalog& catalog, std::string_view class_name) {
  json policies = json::array();
  if (!catalog.retention) return policies;
  for (const RetentionPolicy& policy : catalog.retention->schedule.policies()) {
    if (policy.class_name == class_name) policies.push_back(PolicyAsJson(policy));
  }
  return policies;
}

json ClassesIn(const Catalog& catalog) {
  json classes = json::array();
  for (const auto& schema : catalog.NewestClasses()) {
    const json definition = json::parse(schema->definition, nullptr, false);
    const json words = definition.is_object() ? definition : json::object();
    json fields = json::array();
    for (const Field& field : schema->fields) {
      json one = {{"name", field.name},
                  {"sensitivity", NameOf(field.sensitivity)},
                  {"index", field.indexed}};
      const json::json_pointer at("/fields/" + field.name);
      for (const char* const member : {"title", "type", "third_person"}) {
        if (words.contains(at) && words.at(at).contains(member)) one[member] = words[at][member];
      }
      fields.push_back(std::move(one));
    }
    json one = {{"name", schema->name},
                {"version", schema->version},
                {"purposes", schema->purposes},
                {"fields", std::move(fields)},
                {"retention", PoliciesOf(catalog, schema->name)}};
    if (words.contains("title")) one["title"] = words["title"];
    PutWhereSaid(one, "keep", schema->keep);
    classes.push_back(std::move(one));
  }
  return classes;
}

// A denial that always holds. Others leave something to see, for somebody, at some time.
bool IsUnconditional(const Grant& grant) {
  const Conditions& conditions = grant.conditions;
  return grant.scope.kind == Scope::Kind::kAll && grant.purposes.empty() && !conditions.reason &&
         !conditions.ticket && conditions.networks.empty() && !conditions.hours &&
         !conditions.certificate && conditions.second_factor_minutes == 0;
}

// What a holder of the role can see at most: for some purpose, of some client, by some way.
std::vector<View> MostViews(const RoleDocument& role, const ClassSchema& schema) {
  std::vector<View> most(schema.fields.size(), View::kNone);
  for (const Action action : kDisclosing) {
    AccessDecision decision;
    bool denied = false;
    for (const Grant& grant : role.grants) {
      if (!grant.Covers(action) || !grant.CoversClass(schema.name)) continue;
      if (grant.deny && !IsUnconditional(grant)) continue;
      denied = denied || (grant.deny && grant.CoversEveryField());
      decision.grants.push_back(&grant);
    }
    if (denied || decision.grants.empty()) continue;
    const auto views = ViewsOf(decision, schema);
    for (std::size_t i = 0; i < most.size(); ++i) most[i] = std::max(most[i], views[i]);
  }
  return most;
}

json RolesIn(const Catalog& catalog) {
  json roles = json::array();
  const auto classes = catalog.NewestClasses();
  for (const auto& [name, role] : catalog.roles) {
    json sees = json::array();
    for (const auto& schema : classes) {
      const auto views = MostViews(*role, *schema);
      json plain = json::array(), masked = json::array();
      for (std::size_t i = 0; i < views.size(); ++i) {
        if (views[i] == View::kPlain) plain.push_back(schema->fields[i].name);
        if (views[i] == View::kMasked) masked.push_back(schema->fields[i].name);
      }
      if (plain.empty() && masked.empty()) continue;
      json one = {{"name", schema->name}};
      if (plain.size() == views.size()) {
        one["view"] = "plain";
      } else if (masked.size() == views.size()) {
        one["view"] = "masked";
      } else {
        one["plain"] = std::move(plain);
        one["masked"] = std::move(masked);
      }
      sees.push_back(std::move(one));
    }
    if (sees.empty()) continue;
    const bool everybody = std::ranges::any_of(role->grants, [](const Grant& grant) {
      return !grant.deny && grant.scope.kind == Scope::Kind::kAll &&
             std::ranges::any_of(kDisclosing, [&](Action one) { return grant.Covers(one); });
    });
    roles.push_back({{"name", name},
                     {"title", role->title},
                     {"clients", everybody ? "all" : "some"},
                     {"classes", std::move(sees)}});
  }
  return roles;
}

json ConsentTextsIn(const std::vector<ConsentText>& texts) {
  std::map<std::string, json> newest;  // the oldest version of each comes first
  for (const ConsentText& text : texts) {
    std::vector<std::string> languages;
    for (const ConsentWording& wording : text.wordings) languages.push_back(wording.language);
    newest[text.name] = {
        {"name", text.name}, {"version", text.version}, {"languages", std::move(languages)}};
  }
  json all = json::array();
  for (auto& [name, text] : newest) all.push_back(std::move(text));
  return all;
}

json SafeguardsIn(const ProcessingSafeguards& known) {
  const auto measure = [](std::string_view name, bool in_force, json details) {
    return json{{"name", name}, {"in_force", in_force}, {"details", std::move(details)}};
  };
  json two = json::array();
  for (const std::string_view action : kTwoPersonActions) two.push_back(action);
  const std::string destinations = std::to_string(known.backup_destinations);
  return json::array(
      {measure("encryption", true, json::array({"AES-256-GCM", "SQLCipher"})),
       measure("erasure", true, json::array()),
       measure("root-key", true, json::array({known.root_key})),
       measure("memory", known.memory_locked, json::array()),
       measure("access", true, json::array()),
       measure("two-persons", known.two_person, std::move(two)),
       measure("log", true, json::array({known.log_origin})),
       measure("transport", true, json::array({"TLS 1.3", "TLS 1.2"})),
       measure("backups", known.backup_destinations > 0, json::array({destinations}))});
}

json DocumentIn(const ProcessingFacts& facts) {
  json document = json::parse(facts.document, nullptr, false);
  return document.is_object() ? document : json::object();
}

json RecipientsIn(const ProcessingFacts& facts, const json& document) {
  json recipients = document.value("recipients", json::array());
  for (const RegisteredRecipient& one : facts.recipients) {
    json recipient = {{"name", one.name}, {"id", one.id}};
    PutWhereSaid(recipient, "description", one.description);
    PutWhereSaid(recipient, "country", one.country);
    recipients.push_back(std::move(recipient));
  }
  return recipients;
}

// An order's demand; an empty article: it has none.
struct Demand {
  std::string_view fact;
  std::array<std::string_view, 3> articles;  // of the orders
  bool may_be_none = false;
};
constexpr Demand kDemands[] = {
    {"controller", {"GDPR 30(1)(a)", "152-FZ 22(3)(1)", "PIPL 17(1)"}},
    {"address", {"GDPR 30(1)(a)", "152-FZ 22(3)(1)", ""}},
    {"contact", {"GDPR 30(1)(a)", "", "PIPL 17(1)"}},
    {"joint_controllers", {"GDPR 30(1)(a)", "", ""}, true},
    {"representative", {"GDPR 30(1)(a)", "", "PIPL 53"}, true},
    {"data_protection_officer", {"GDPR 30(1)(a)", "", "PIPL 52"}, true},
    // Whom 152-FZ has answer for the processing there must be, with where to reach them.
    {"responsible", {"", "152-FZ 22(3)(7.1)", ""}},
    {"responsible_contact", {"", "152-FZ 22(3)(7.1)", ""}},
    {"purposes", {"GDPR 30(1)(b)", "152-FZ 22(3)(2)", "PIPL 56(1)"}},
    {"data_subjects", {"GDPR 30(1)(c)", "152-FZ 22(3.1)", ""}},
    {"classes", {"GDPR 30(1)(c)", "152-FZ 22(3.1)", "PIPL 17(2)"}},
    {"classes_of_purpose", {"GDPR 30(1)(c)", "152-FZ 22(3.1)", "PIPL 17(2)"}},
    {"recipients", {"GDPR 30(1)(d)", "", "PIPL 55(3)"}, true},
    {"transfers", {"GDPR 30(1)(e)", "152-FZ 22(3)(10)", "PIPL 55(4)"}, true},
    {"transfer_country", {"GDPR 30(1)(e)", "152-FZ 22(3)(10)", "PIPL 55(4)"}},
    {"transfer_safeguards", {"GDPR 30(1)(e)", "", "PIPL 38"}},
    {"retention", {"GDPR 30(1)(f)", "152-FZ 22(3)(9)", "PIPL 17(2)"}},
    {"begun", {"", "152-FZ 22(3)(8)", ""}},
    {"database_location", {"", "152-FZ 22(3)(10.1)", ""}},
    {"impact_assessment", {"", "", "PIPL 55"}},
};

class Inquiry {
 public:
  Inquiry(const ProcessingFacts& facts, ProcessingOrder order)
      : facts_(facts), document_(DocumentIn(facts)), order_(static_cast<std::size_t>(order)) {}

  std::vector<MissingFact> Answer() {
    for (const Demand& demand : kDemands) {
      article_ = demand.articles[order_];
      if (!article_.empty()) Ask(demand);
    }
    return std::move(missing_);
  }

 private:
  void Miss(std::string_view fact, std::string subject, std::string_view route,
            std::string pointer) {
    missing_.push_back({fact, std::move(subject), article_, route, std::move(pointer)});
  }

  bool Has(const char* object, const char* member) const {
    const auto found = document_.find(object);
    return found != document_.end() && found->contains(member);
  }
  bool IsNone(std::string_view member) const {
    const auto none = document_.find("none");
    return none != document_.end() && none->contains(member);
  }

  void Ask(const Demand& demand) {
    const std::string_view fact = demand.fact;
    if (fact == "address" || fact == "contact") {
      AskMember(fact, "controller", fact == "address" ? "address" : "contact");
    } else if (fact == "responsible_contact") {
      AskMember(fact, "data_protection_officer", "contact");
    } else if (fact == "responsible") {
      AskDocument(fact, "data_protection_officer", false);
    } else if (fact == "purposes") {
      if (facts_.catalog->purposes.empty()) Miss(fact, "", kPurposeRoute, "");
    } else if (fact == "classes") {
      if (facts_.catalog->classes.empty()) Miss(fact, "", kClassRoute, "");
    } else if (fact == "classes_of_purpose") {
      AskPurposes(fact);
    } else if (fact == "retention") {
      AskRetention(fact);
    } else if (fact == "transfer_country") {
      AskTransfers(fact, "country");
    } else if (fact == "transfer_safeguards") {
      AskTransfers(fact, "safeguards");
    } else if (fact == "recipients") {
      if (facts_.recipients.empty()) AskDocument(fact, "recipients", true);
      // That there are none is not so.
      if (!facts_.recipients.empty()) MissWhereNone(fact, "recipients");
    } else if (fact == "transfers") {
      AskDocument(fact, "transfers", demand.may_be_none);
      if (std::ranges::any_of(facts_.recipients, &RegisteredRecipient::is_transfer)) {
        MissWhereNone(fact, "transfers");
      }
    } else {
      AskDocument(fact, std::string(fact).c_str(), demand.may_be_none);
    }
  }

  void MissWhereNone(std::string_view fact, const char* member) {
    if (IsNone(member)) Miss(fact, "", kDocumentRoute, std::string("/none/") + member);
  }
  void AskDocument(std::string_view fact, const char* member, bool may_be_none) {
    if (document_.contains(member) || (may_be_none && IsNone(member))) return;
    Miss(fact, "", kDocumentRoute, std::string("/") + member);
  }
  // Of what is not there at all, nothing more is asked.
  void AskMember(std::string_view fact, const char* object, const char* member) {
    if (!document_.contains(object) || Has(object, member)) return;
    Miss(fact, "", kDocumentRoute, std::string("/") + object + "/" + member);
  }
  void AskPurposes(std::string_view fact) {
    if (facts_.catalog->classes.empty()) return;
    for (const auto& [code, purpose] : facts_.catalog->purposes) {
      if (ClassesFor(purpose, *facts_.catalog).empty()) {
        Miss(fact, code, kClassRoute, "/purposes");
      }
    }
  }
  void AskRetention(std::string_view fact) {
    const auto& retention = facts_.catalog->retention;
    for (const auto& schema : facts_.catalog->NewestClasses()) {
      const bool said = !schema->keep.empty() ||
                        (retention && retention->schedule.IssuesOfClass(*schema).empty());
      if (!said) Miss(fact, schema->name, kScheduleRoute, "/policies");
    }
  }
  void AskTransfers(std::string_view fact, const char* member) {
    const auto transfers = document_.find("transfers");
    if (transfers == document_.end()) return;
    for (std::size_t i = 0; i < transfers->size(); ++i) {
      const json& one = (*transfers)[i];
      if (one.contains(member)) continue;
      Miss(fact, one.value("name", ""), kDocumentRoute,
           "/transfers/" + std::to_string(i) + "/" + member);
    }
  }

  const ProcessingFacts& facts_;
  const json document_;
  const std::size_t order_;
  std::string_view article_;
  std::vector<MissingFact> missing_;
};

}  // namespace

std::string_view Name(ProcessingOrder order) { return kOrders[static_cast<std::size_t>(order)]; }

std::optional<ProcessingOrder> ProcessingOrderFromName(std::string_view name) {
  const auto* const found = std::ranges::find(kOrders, name);
  if (found == kOrders.end()) return std::nullopt;
  return static_cast<ProcessingOrder>(found - kOrders.begin());
}

Result<std::string> RegisterOf(const ProcessingFacts& facts) {
  const Catalog& catalog = *facts.catalog;
  json whole = DocumentIn(facts);
  json recipients = RecipientsIn(facts, whole);
  if (!recipients.empty()) whole["recipients"] = std::move(recipients);
  whole["purposes"] = PurposesIn(catalog);
  whole["classes"] = ClassesIn(catalog);
  whole["clients_without_records"] = PoliciesOf(catalog, audit::kClientItself);
  whole["roles"] = RolesIn(catalog);
  whole["consent_texts"] = ConsentTextsIn(facts.consent_texts);
  whole["safeguards"] = SafeguardsIn(facts.safeguards);
  if (catalog.retention) {
    whole["retention"] = {{"version", catalog.retention->version},
                          {"time_zone", catalog.retention->schedule.time_zone()}};
  }
  std::string text = whole.dump(-1, ' ', false, json::error_handler_t::replace);
  if (text.size() > kMaxRegisterBytes) return Fail(Code::kUnprocessable, "processing_too_large");
  return text;
}

std::vector<MissingFact> MissingIn(const ProcessingFacts& facts, ProcessingOrder order) {
  return Inquiry(facts, order).Answer();
}

}  // namespace coffer::vault
