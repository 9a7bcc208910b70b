// Records of an older class version: the stricter of what it said and of what the class says now.
#include "vault/catalog/class_versions.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "tests/vault/access/made_roles.h"
#include "vault/access/role.h"

namespace coffer::vault {
namespace {

using enum Role;

constexpr std::string_view kSensitivities[] = {"internal", "personal", "special"};
constexpr std::string_view kMasks[] = {"none", "email", "constant", "hash"};

struct FieldSays {
  std::string_view sensitivity, mask;
};

ClassSchema Version(std::uint64_t version, std::optional<FieldSays> says, const json& purposes) {
  json fields = {{"other", {{"type", "string"}}}};
  if (says) {
    fields["email"] = {{"type", "email"}, {"sensitivity", says->sensitivity}, {"mask", says->mask}};
  }
  auto parsed =
      ParseClass(json{{"name", "contact"}, {"purposes", purposes}, {"fields", fields}}.dump());
  REQUIRE(parsed);
  parsed->version = version;
  return *std::move(parsed);
}

std::vector<FieldSays> AllSays() {
  std::vector<FieldSays> all;
  for (const auto sensitivity : kSensitivities) {
    for (const auto mask : kMasks) all.push_back({sensitivity, mask});
  }
  return all;
}

// A role that shows the fields of each sensitivity in a way of its own.
RoleDocument RoleShowing(const std::vector<std::string_view>& views) {
  json grants = json::array();
  for (std::size_t i = 0; i < std::size(kSensitivities); ++i) {
    if (views[i] == "none") continue;
    grants.push_back(
        {{"actions", {"record.read"}}, {"sensitivity", {kSensitivities[i]}}, {"view", views[i]}});
  }
  auto role = ParseRole("made-here", json{{"grants", grants}}.dump());
  REQUIRE(role);
  return *std::move(role);
}

View ViewOf(const RoleDocument& role, const ClassSchema& schema, std::string_view field) {
  AccessDecision decision;
  for (const Grant& grant : role.grants) decision.grants.push_back(&grant);
  const Field* const found = schema.Find(field);
  REQUIRE(found != nullptr);
  return ViewsOf(decision, schema)[static_cast<std::size_t>(found - schema.fields.data())];
}

TEST_CASE("of every sensitivity before and now a caller sees the less") {
  const json purposes = {"client-care"};
  constexpr std::string_view kViews[] = {"none", "presence", "masked", "plain"};
  for (const auto internal : kViews) {
    for (const auto personal : kViews) {
      for (const auto special : kViews) {
        const RoleDocument role = RoleShowing({internal, personal, special});
        for (const auto before : kSensitivities) {
          for (const auto now : kSensitivities) {
            const ClassSchema older = Version(1, FieldSays{before, "email"}, purposes);
            const ClassSchema newest = Version(2, FieldSays{now, "email"}, purposes);
            const auto treated = WithStricter({older, newest});
            CHECK(ViewOf(role, *treated[0], "email") ==
                  std::min(ViewOf(role, older, "email"), ViewOf(role, newest, "email")));
            CHECK(ViewOf(role, *treated[1], "email") == ViewOf(role, newest, "email"));
          }
        }
      }
    }
  }
}

TEST_CASE("of every mask before and now the one that shows less counts, or neither") {
  const json purposes = {"client-care"};
  for (const auto& before : AllSays()) {
    for (const auto& now : AllSays()) {
      const ClassSchema older = Version(1, before, purposes), newest = Version(2, now, purposes);
      const auto treated = WithStricter({older, newest});
      const MaskRule own = older.Find("email")->mask, later = newest.Find("email")->mask;
      const MaskRule mask = treated[0]->Find("email")->mask;
      if (own == later || later == MaskRule::kNone) {
        CHECK(mask == own);
      } else if (own == MaskRule::kNone) {
        CHECK(mask == later);
      } else {
        CHECK(mask == MaskRule::kConstant);
      }
      CHECK(treated[1]->Find("email")->mask == later);
    }
  }
}

TEST_CASE(
    "a field that was dropped is held to the last version that had it, an added one to none") {
  const json purposes = {"client-care"};
  for (const auto& first : AllSays()) {
    for (const auto& second : AllSays()) {
      const auto treated = WithStricter({Version(1, first, purposes), Version(2, second, purposes),
                                         Version(3, std::nullopt, purposes)});
      const auto without =
          WithStricter({Version(1, first, purposes), Version(2, second, purposes)});
      CHECK(treated[0]->Find("email")->later_sensitivity ==
            without[0]->Find("email")->later_sensitivity);
      CHECK(treated[0]->Find("email")->mask == without[0]->Find("email")->mask);
      CHECK(!treated[1]->Find("email")->later_sensitivity);
      CHECK(treated[1]->Find("email")->mask == Version(2, second, purposes).Find("email")->mask);
      const auto added =
          WithStricter({Version(1, std::nullopt, purposes), Version(2, second, purposes)});
      CHECK(added[0]->Find("email") == nullptr);
      CHECK(!added[1]->Find("email")->later_sensitivity);
    }
  }
}

TEST_CASE(
    "of the purposes before and now those of both are left, and the next version compares anew") {
  const auto purposes_of = [](const json& first, const json& second) {
    return WithStricter({Version(1, std::nullopt, first), Version(2, std::nullopt, second)})[0]
        ->purposes;
  };
  CHECK(purposes_of({"a", "b"}, {"b", "c"}) == Strings{"b"});
  CHECK(purposes_of({"a"}, {"a", "b"}) == Strings{"a"});
  CHECK(purposes_of({"a"}, {"b"}).empty());
  // Not the stricter of all there ever were: of the record's and the newest.
  const ClassSchema plain = Version(1, FieldSays{"internal", "none"}, {"a", "b"});
  const ClassSchema strict = Version(2, FieldSays{"special", "constant"}, {"b"});
  ClassSchema again = plain;
  again.version = 3;
  const auto treated = WithNewVersion(WithStricter({plain, strict}), again);
  REQUIRE(treated.size() == 3);
  CHECK(!treated[0]->Find("email")->later_sensitivity);
  CHECK(treated[0]->Find("email")->mask == MaskRule::kNone);
  CHECK(treated[0]->purposes == Strings{"a", "b"});
  CHECK(treated[1]->Find("email")->later_sensitivity == Sensitivity::kInternal);
  CHECK(treated[1]->purposes == Strings{"b"});
}

// A class of one field and others, in versions.
class Versions : public RoleVault {
 public:
  void Put(const json& field, const json& purposes = {"client-care", "marketing"}) {
    json fields = {{"title", {{"type", "string"}, {"index", true}}}};
    if (!field.is_null()) fields["value"] = field;
    PutClass({{"name", "case"}, {"purposes", purposes}, {"fields", fields}});
  }
  static json Says(std::string_view sensitivity, std::string_view mask) {
    return {{"type", "string"}, {"index", true}, {"sensitivity", sensitivity}, {"mask", mask}};
  }
};

// How the field of the record is shown, in each way there is: these must be one.
std::set<std::string> Shown(Versions& vault, const Caller& caller, const ClientId& client,
                            const RecordId& record) {
  std::set<std::string> shown;
  const auto take = [&](const RecordInfo& info) {
    const json data = json::parse(info.data);
    shown.insert(!data.contains("value") ? "none" : data["value"].get<std::string>());
  };
  const auto read = vault->records().GetRecord(vault.Again(caller), client, record);
  REQUIRE(read);
  take(*read);
  const auto old = vault->records().GetRecordVersion(vault.Again(caller), client, record, 1);
  REQUIRE(old);
  take(*old);
  const auto listed = vault->records().ListRecords(vault.Again(caller), client, "case", true, {});
  REQUIRE(listed->items.size() == 1);
  take(listed->items[0]);
  for (const auto& page : {vault->exports().Export(vault.Again(caller), {}, {}),
                           vault->exports().PackageClient(vault.Again(caller), client, {})}) {
    REQUIRE(page);
    for (const auto& line : page->lines) {
      if (const auto* const info = std::get_if<RecordInfo>(&line)) take(*info);
    }
  }
  return shown;
}

TEST_CASE("raising the sensitivity or the mask of a field protects the records that are there") {
  const std::pair<json, json> cases[] = {
      {Versions::Says("personal", "initials"), Versions::Says("special", "initials")},
      {Versions::Says("special", "initials"), Versions::Says("personal", "initials")},
      {Versions::Says("special", "none"), Versions::Says("special", "initials")},
      {Versions::Says("special", "initials"), Versions::Says("special", "none")},
      {Versions::Says("internal", "none"), Versions::Says("special", "initials")}};
  for (const auto& [before, now] : cases) {
    INFO(before.dump() << " " << now.dump());
    Versions vault;
    vault.Put(before);
    const ClientId client = vault.NewClient("A-1");
    const RecordId record =
        vault.NewRecord(client, "case", {{"title", "t"}, {"value", "Jane Doe"}});
    vault.Put(now);
    const auto caller = vault.With(R"([
        {"actions": ["record.read", "record.list", "client.export", "client.package"],
         "view": "masked"},
        {"actions": ["record.read", "record.list", "client.export", "client.package"],
         "sensitivity": ["internal", "personal"]},
        {"actions": ["client.search", "record.update", "record.delete", "record.import"]}])");
    const std::set<std::string> masked = {"J. D."};
    CHECK(Shown(vault, caller, client, record) == masked);
    const auto update = [&](const json& data) {
      return AnswerOf(vault->records().UpdateRecord(vault.Again(caller), client, record, 1, data));
    };
    CHECK(update({{"title", "t"}, {"value", "none"}}) == "field_not_writable");
    const auto search = [&](const char* field, const char* value) {
      const auto found =
          vault->searches().SearchByField(vault.Again(caller), "case", field, value, {});
      return found && found->items.size() == 1;
    };
    CHECK(search("title", "t"));
    CHECK(!search("value", "Jane Doe"));
    AccessQuestion question;
    question.principal = vault.principal;
    question.action = "record.read";
    question.client = client;
    question.class_name = "case";
    question.class_version = 1;
    question.purpose = "client-care";
    const auto explained =
        vault->access_explanations().ExplainAccess(vault.As(kSecurityOfficer), question);
    REQUIRE(explained);
    CHECK(explained->fields[1] == std::pair<std::string, View>{"value", View::kMasked});
    question.class_version = 3;
    CHECK(IssuesOf(
              vault->access_explanations().ExplainAccess(vault.As(kSecurityOfficer), question)) ==
          Strings{"/class_version is not a version of the class"});

    // What is hidden stays what it was, also through an update that leaves it out; and after a
    // start.
    CHECK(update({{"title", "u"}}) == "ok");
    vault.Close();
    vault.Open();
    const auto plain = vault->records().GetRecord(vault.As(kCrmService), client, record);
    CHECK(json::parse(plain->data) == json{{"title", "u"}, {"value", "Jane Doe"}});
    const auto old = vault->records().GetRecordVersion(vault.Again(caller), client, record, 1);
    CHECK(json::parse(old->data)["value"] == "J. D.");
  }
}

TEST_CASE("who may not write a field in both versions neither deletes nor imports over it") {
  Versions vault;
  vault.Put(Versions::Says("personal", "constant"));
  const ClientId client = vault.NewClient("A-1");
  const json data = {{"value", "x"}};
  const auto first =
      vault->imports().ImportRecord(vault.As(kCrmService), {"A-1", "case", "k", data});
  REQUIRE(first);
  vault.Put(Versions::Says("special", "constant"));
  const auto caller = vault.With(R"([
      {"actions": ["record.read", "record.delete", "record.import", "record.erase"],
       "sensitivity": ["internal", "personal"]}])");
  const json other = {{"title", "t"}};
  for (const json& over : {other, json{{"value", nullptr}}, json{{"value", "y"}}}) {
    for (const ChangeForm form : {ChangeForm::kWhole, ChangeForm::kMergePatch}) {
      const bool merges = form == ChangeForm::kMergePatch && over == other;
      const auto imported = vault->imports().ImportRecord(vault.Again(caller),
                                                          {"A-1", "case", "k", over, false, form});
      CHECK(AnswerOf(imported) ==
            (merges ? "ok"
             : form == ChangeForm::kWhole && over.contains("value") && over["value"].is_null()
                 ? "document_invalid"
                 : "field_not_writable"));
    }
  }
  const auto plain = vault->records().GetRecord(vault.As(kCrmService), client, first->record);
  CHECK(json::parse(plain->data) == json{{"title", "t"}, {"value", "x"}});
  CHECK(AnswerOf(vault->records().DeleteRecord(vault.Again(caller), client, first->record, {})) ==
        "field_not_writable");
  CHECK(AnswerOf(vault->erasures().Erase(vault.Again(caller), client,
                                         {ErasureBasis::kRequest, {}, {first->record}})) ==
        "field_not_writable");
}

TEST_CASE("a field that the class has no more stays as protected as it was last") {
  Versions vault;
  vault.Put(Versions::Says("personal", "none"));
  const ClientId client = vault.NewClient("A-1");
  const RecordId record = vault.NewRecord(client, "case", {{"title", "t"}, {"value", "x"}});
  vault.Put(Versions::Says("special", "constant"));
  vault.Put(nullptr);
  const auto caller = vault.With(R"([
      {"actions": ["record.read", "record.list", "client.export", "client.package"],
       "view": "masked"},
      {"actions": ["record.read", "record.list", "client.export", "client.package"],
       "sensitivity": ["internal", "personal"]}])");
  CHECK(Shown(vault, caller, client, record) == std::set<std::string>{"***"});
}

TEST_CASE(
    "a purpose that a class allows no more reads none of its records, and a new one only new") {
  Versions vault;
  vault.Put(Versions::Says("personal", "none"), {"client-care", "marketing"});
  const ClientId client = vault.NewClient("A-1");
  const RecordId before = vault.NewRecord(client, "case", {{"title", "t"}});
  vault.Put(Versions::Says("personal", "none"), {"billing", "client-care"});
  const RecordId after = vault.NewRecord(client, "case", {{"title", "t"}});
  const auto read = [&](const char* purpose, const RecordId& record) {
    return AnswerOf(vault->records().GetRecord(vault.As(kCrmService, purpose), client, record));
  };
  const auto found = [&](const char* purpose) {
    const auto hits =
        vault->searches().SearchByField(vault.As(kCrmService, purpose), "case", "title", "t", {});
    const auto listed =
        vault->records().ListRecords(vault.As(kCrmService, purpose), client, "", false, {});
    const std::size_t in_list = listed ? listed->items.size() : 0;
    CHECK((hits ? hits->items.size() : 0) == in_list);
    return in_list;
  };
  CHECK(read("client-care", before) == "ok");
  CHECK(read("client-care", after) == "ok");
  CHECK(found("client-care") == 2);
  CHECK(read("marketing", before) == "purpose_not_allowed");
  CHECK(found("marketing") == 0);
  CHECK(read("billing", before) == "purpose_not_allowed");
  CHECK(read("billing", after) == "ok");
  CHECK(found("billing") == 1);
}

}  // namespace
}  // namespace coffer::vault
