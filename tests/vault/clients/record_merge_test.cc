// A record changed by what is merged into it: by PATCH, and by imports. What is left out stays,
// null takes away, and nothing is changed or told of what the caller does not see.
#include <catch2/catch_test_macros.hpp>

#include "tests/vault/test_vault.h"
#include "vault/clients/record_view.h"

namespace coffer::vault {
namespace {

using enum Role;

json MergeClass(const json& fields) {
  return {{"name", "note"}, {"purposes", {"client-care"}}, {"fields", fields}};
}
const json kMergeFields = {
    {"text",
     {{"type", "string"}, {"required", true}, {"index", true}, {"sensitivity", "internal"}}},
    {"many", {{"type", "list"}, {"sensitivity", "internal"}}},
    {"count", {{"type", "integer"}, {"sensitivity", "internal"}}},
    {"hidden", {{"type", "string"}, {"sensitivity", "special"}}}};
const json kMergeStored = {
    {"text", "one"}, {"many", {"a", "b"}}, {"count", 1}, {"hidden", "secret"}};

// Both ways to merge, and both of those who may: one sees everything, one sees what is internal.
class MergingVault : public TestVault {
 public:
  enum class By { kPatch, kImport };

  MergingVault() {
    PutClass(MergeClass(kMergeFields));
    const char* actions = R"({"grants": [{"actions": ["record.create", "record.read",
        "record.update", "record.import"], "sensitivity": ["internal"]}]})";
    REQUIRE((*this)->roles().PutRole(As(kAdministrator), "partial", actions));
    REQUIRE((*this)->roles().PutRole(
        As(kAdministrator), "blind",
        R"({"grants": [{"actions": ["record.import", "record.update"]}]})"));
    for (const char* role : {"partial", "blind"}) {
      const auto made = NewTokenFor(role, 3600);
      REQUIRE(made);
      tokens_[role] = made->secret;
    }
  }
  Caller Holder(const std::string& role) { return Stranger(tokens_.at(role)); }

  void Make(const json& data = kMergeStored) {
    ref = "A-" + std::to_string(++made_);
    const auto imported = (*this)->imports().ImportRecord(As(kCrmService), {ref, "note", "", data});
    REQUIRE(imported);
    client = imported->client;
    record = imported->record;
  }
  json Stored() {
    const auto read = (*this)->records().GetRecord(As(kCrmService), client, record);
    REQUIRE(read);
    return json::parse(read->data);
  }
  std::uint64_t Version() {
    return (*this)->records().GetRecord(As(kCrmService), client, record)->version;
  }
  // The answer, and the issues behind it without the pointer's prefix.
  std::string Merge(By by, const Caller& caller, const json& patch) {
    issues.clear();
    if (by == By::kImport) {
      const auto done = (*this)->imports().ImportRecord(caller, {ref, "note", "", patch});
      issues = IssuesOf(done);
      return done ? std::string(Name(done->outcome)) : AnswerOf(done);
    }
    const std::uint64_t before = Version();
    const auto done = (*this)->records().UpdateRecord(caller, client, record, before, patch,
                                                      ChangeForm::kMergePatch);
    issues = IssuesOf(done);
    return done ? done->version == before ? "unchanged" : "updated" : AnswerOf(done);
  }

  std::string ref;
  ClientId client;
  RecordId record;
  Strings issues;

 private:
  std::map<std::string, std::string> tokens_;
  int made_ = 0;
};

constexpr MergingVault::By kWaysToMerge[] = {MergingVault::By::kPatch, MergingVault::By::kImport};

}  // namespace

TEST_CASE("of every subset of fields that is merged, what is left out stays and null takes away") {
  MergingVault vault;
  const std::vector<std::pair<std::string, json>> changes = {
      {"text", "two"}, {"many", {"c"}}, {"count", 2}, {"hidden", "other"}};
  // Each field is left out or sent as it is, put, or taken away.
  for (const auto by : kWaysToMerge) {
    for (int code = 0; code < 81; ++code) {
      vault.Make();
      json patch = json::object(), expected = kMergeStored;
      std::set<std::string> changed;
      int rest = code;
      bool whole = true;
      for (const auto& [name, value] : changes) {
        const int what = rest % 3;
        rest /= 3;
        if (what == 1) patch[name] = expected[name] = value;
        if (what == 2) patch[name] = nullptr, expected.erase(name), whole &= name != "text";
        if (what == 0 && code % 2 == 1) patch[name] = expected[name];
        if (what == 1 || what == 2) changed.insert(name);
      }
      INFO(patch.dump());
      const Caller caller = vault.As(kCrmService);
      const std::string answer = vault.Merge(by, caller, patch);
      if (!whole) {
        CHECK(answer == "document_invalid");
        CHECK(vault.issues == Strings{"/text is required"});
        CHECK(vault.Stored() == kMergeStored);
        continue;
      }
      CHECK(answer == (changed.empty() ? "unchanged" : "updated"));
      CHECK(vault.Stored() == expected);
      const json entry = vault.EntryOf(caller);
      if (changed.empty()) {
        CHECK(entry.at("outcome") == "unchanged");
      } else {
        CHECK(entry.at("fields") == json(changed));
      }
      CHECK(vault.Merge(by, vault.As(kCrmService), patch) == "unchanged");
    }
  }
  vault.CheckInvariants();
}

TEST_CASE("nobody changes, takes away or learns by merging what they do not see") {
  MergingVault vault;
  for (const auto by : kWaysToMerge) {
    std::vector<std::string> told;
    for (const bool has : {true, false}) {
      vault.Make(has ? kMergeStored : json{{"text", "one"}, {"many", {"a", "b"}}, {"count", 1}});
      const json before = vault.Stored();
      std::string answers;
      for (const json& hidden : {json("secret"), json("other"), json(nullptr)}) {
        for (const json& patch :
             {json{{"hidden", hidden}}, json{{"hidden", hidden}, {"text", "two"}}}) {
          answers += vault.Merge(by, vault.Holder("partial"), patch);
          for (const auto& issue : vault.issues) answers += " " + issue;
          answers += "\n";
          // Who writes everything and sees nothing merges nothing.
          CHECK(vault.Merge(by, vault.Holder("blind"), patch) == "field_not_writable");
        }
      }
      CHECK(vault.Stored() == before);
      CHECK(vault.Merge(by, vault.Holder("blind"), {{"text", "one"}}) == "field_not_writable");
      // What is theirs they change, and the rest stays.
      const Caller caller = vault.Holder("partial");
      CHECK(vault.Merge(by, caller, {{"text", "two"}, {"count", nullptr}}) == "updated");
      CHECK(vault.EntryOf(caller).at("fields") == json{"count", "text"});
      json after = before;
      after["text"] = "two";
      after.erase("count");
      CHECK(vault.Stored() == after);
      told.push_back(answers);
    }
    CHECK(told[0] == told[1]);
    CHECK(told[0].contains("field_not_writable"));
    CHECK_FALSE(told[0].contains("updated"));
  }
}

TEST_CASE("what is merged into a record of an older class is checked as a whole by the newest") {
  for (const auto by : kWaysToMerge) {
    MergingVault vault;
    vault.Make();
    json fields = kMergeFields;
    fields.erase("count");
    fields["many"] = {{"type", "string"}, {"sensitivity", "internal"}};
    fields["more"] = {{"type", "string"}, {"required", true}, {"sensitivity", "internal"}};
    vault.PutClass(MergeClass(fields));
    CHECK(vault.Merge(by, vault.As(kCrmService), {{"text", "two"}}) == "document_invalid");
    CHECK(vault.issues == Strings{"/count is not a field of this class", "/many must be text",
                                  "/more is required"});
    CHECK(vault.Merge(by, vault.As(kCrmService), {{"nonsense", nullptr}}) == "document_invalid");
    CHECK(vault.Stored() == kMergeStored);
    CHECK(vault.Merge(by, vault.As(kCrmService),
                      {{"count", nullptr}, {"many", "a"}, {"more", "m"}}) == "updated");
    CHECK(vault.Stored() ==
          json{{"text", "one"}, {"many", "a"}, {"more", "m"}, {"hidden", "secret"}});
    CHECK(vault->records()
              .GetRecord(vault.As(kCrmService), vault.client, vault.record)
              ->class_version == 2);
    const auto found =
        vault->searches().SearchByField(vault.As(kCrmService), "note", "text", "one", {});
    REQUIRE(found);
    CHECK(found->items.size() == 1);
    vault.CheckInvariants();
  }
}

TEST_CASE("where a hidden field does not go over, what is merged stays under the older class") {
  for (const auto by : kWaysToMerge) {
    MergingVault vault;
    vault.Make();
    json fields = kMergeFields;
    fields["hidden"]["type"] = "email";
    vault.PutClass(MergeClass(fields));
    CHECK(vault.Merge(by, vault.Holder("partial"), {{"text", "two"}}) == "updated");
    json expected = kMergeStored;
    expected["text"] = "two";
    CHECK(vault.Stored() == expected);
    CHECK(vault->records()
              .GetRecord(vault.As(kCrmService), vault.client, vault.record)
              ->class_version == 1);
    CHECK(vault.Merge(by, vault.Holder("partial"), {{"text", "two"}}) == "unchanged");
    const auto found =
        vault->searches().SearchByField(vault.As(kCrmService), "note", "text", "two", {});
    REQUIRE(found);
    CHECK(found->items.size() == 1);
    vault.CheckInvariants();
  }
}

TEST_CASE("a patch is of the version that it names, and of a document") {
  MergingVault vault;
  vault.Make();
  const auto patch = [&](std::uint64_t version, const json& data) {
    return AnswerOf(vault->records().UpdateRecord(vault.As(kCrmService), vault.client, vault.record,
                                                  version, data, ChangeForm::kMergePatch));
  };
  CHECK(patch(2, {{"text", "two"}}) == "version_mismatch");
  CHECK(patch(2, {{"text", 1}}) == "version_mismatch");
  for (const json& data : {json(1), json::array(), json(nullptr), json("text")}) {
    CHECK(patch(1, data) == "document_invalid");
  }
  CHECK(patch(1, {{"text", {{"deep", nullptr}}}}) == "document_invalid");
  CHECK(vault.Stored() == kMergeStored);
}

TEST_CASE("an import that replaces says how many fields went, of those that are seen") {
  MergingVault vault;
  vault.Make();
  const auto replace = [&](const Caller& caller, const json& data) {
    return vault->imports().ImportRecord(caller,
                                         {vault.ref, "note", "", data, false, ChangeForm::kWhole});
  };
  const auto merged = vault->imports().ImportRecord(vault.As(kCrmService),
                                                    {vault.ref, "note", "", {{"count", nullptr}}});
  REQUIRE(merged);
  CHECK(merged->removed == 1);
  const auto blind = replace(vault.Holder("blind"), {{"text", "one"}});
  REQUIRE(blind);
  CHECK(blind->outcome == ImportOutcome::kUpdated);
  CHECK(blind->removed == 0);
  CHECK(vault.Stored() == json{{"text", "one"}});
  vault.Make();
  const Caller caller = vault.As(kCrmService);
  const auto replaced = replace(caller, {{"text", "one"}, {"count", 2}});
  REQUIRE(replaced);
  CHECK(replaced->removed == 2);
  CHECK(vault.EntryOf(caller).at("fields") == json{"count", "hidden", "many"});
  CHECK(AnswerOf(replace(vault.As(kCrmService), {{"text", nullptr}})) == "document_invalid");
  const auto again = replace(vault.As(kCrmService), {{"text", "one"}, {"count", 2}});
  REQUIRE(again);
  CHECK(again->outcome == ImportOutcome::kUnchanged);
  CHECK(again->removed == 0);
}

TEST_CASE("a line that would only be whole beside a record is refused where there is none") {
  MergingVault vault;
  const Caller caller = vault.As(kCrmService);
  const auto refused = vault->imports().ImportRecord(caller, {"B-1", "note", "", {{"count", 1}}});
  CHECK(IssuesOf(refused) == Strings{"/text is required"});
  CHECK(vault.EntryOf(caller).at("rule") == "check:input");
  CHECK(vault.Number("SELECT count(*) FROM clients") == 0);
  const auto made = vault->imports().ImportRecord(
      vault.As(kCrmService), {"B-1", "note", "", {{"text", "t"}, {"count", nullptr}}});
  REQUIRE(made);
  CHECK(made->outcome == ImportOutcome::kCreated);
  // What is no field is told of, whether there is a record or not.
  for (const char* ref : {"B-1", "B-2"}) {
    const auto unknown = vault->imports().ImportRecord(
        vault.As(kCrmService), {ref, "note", "", {{"text", "t"}, {"txt", nullptr}}});
    CHECK(IssuesOf(unknown) == Strings{"/txt is not a field of this class"});
  }
  CHECK(vault.Number("SELECT count(*) FROM clients") == 1);
  vault.CheckInvariants();
}

}  // namespace coffer::vault
