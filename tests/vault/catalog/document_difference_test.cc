#include "vault/catalog/document_difference.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <nlohmann/json.hpp>

namespace coffer::vault {
namespace {

using nlohmann::json;

std::vector<std::string> SaidOf(const json& before, const json& after) {
  std::vector<std::string> said;
  for (const auto& change : DifferenceOf(before.dump(), after.dump()).changes) {
    said.push_back(std::string(Name(change.kind)) + " " + change.words);
    // What was there before and what will be are said as they are.
    CHECK(change.before.empty() == (change.kind == ChangeKind::kAdded));
    CHECK(change.after.empty() == (change.kind == ChangeKind::kRemoved));
  }
  std::ranges::sort(said);
  return said;
}
using Said = std::vector<std::string>;

TEST_CASE("fields, rights and rules that come, go or change are told in words") {
  const json contact = {
      {"name", "contact"},
      {"purposes", {"client-care", "billing"}},
      {"fields", {{"email", {{"type", "email"}, {"index", true}}}, {"city", {{"type", "text"}}}}}};
  json changed = contact;
  changed["fields"]["email"]["index"] = false;
  changed["fields"]["email"]["sensitivity"] = "special";
  changed["fields"].erase("city");
  changed["fields"]["phone"] = {{"type", "phone"}};
  changed["purposes"] = {"billing", "marketing"};
  CHECK(SaidOf(contact, changed) ==
        Said{"added field email, sensitivity: special", "added field phone: type phone",
             "added purpose marketing", "changed field email, index: from yes to no",
             "removed field city: type text", "removed purpose client-care"});

  const json desk = {{"grants",
                      {{{"actions", {"record.read", "record.list"}}, {"view", "masked"}},
                       {{"actions", {"client.read"}}, {"scope", "assigned"}}}}};
  json wider = desk;
  wider["grants"][0]["view"] = "plain";
  wider["grants"][0]["actions"].push_back("record.update");
  wider["grants"].push_back({{"deny", true}, {"actions", {"client.search"}}});
  CHECK(SaidOf(desk, wider) == Said{"added grant 1, action record.update",
                                    "added grant 3: actions client.search; deny yes",
                                    "changed grant 1, view: from masked to plain"});

  const json schedule = {{"jurisdiction_order", {"de", "fr"}},
                         {"policies",
                          {{{"name", "contacts"}, {"class", "contact"}, {"period", "3 years"}},
                           {{"name", "notes"}, {"class", "note"}, {"period", "1 year"}}}}};
  json shorter = schedule;
  shorter["policies"] = {{{"name", "contacts"}, {"class", "contact"}, {"period", "1 year"}},
                         {{"name", "calls"}, {"class", "call"}, {"keep", "for ever"}}};
  shorter["jurisdiction_order"] = {"fr", "de"};
  CHECK(SaidOf(schedule, shorter) ==
        Said{"added policy calls: class call; keep for ever; name calls",
             "changed jurisdiction order, order: from de, fr to fr, de",
             "changed policy contacts, period: from 3 years to 1 year",
             "removed policy notes: class note; name notes; period 1 year"});
}

TEST_CASE("documents that say the same have no difference, whatever the order of their grants") {
  const json role = {{"grants", {{{"actions", {"record.read"}}}, {{"actions", {"client.read"}}}}}};
  json turned = role;
  std::swap(turned["grants"][0], turned["grants"][1]);
  CHECK(SaidOf(role, role).empty());
  CHECK(SaidOf(role, turned).empty());
  CHECK(SaidOf(json::object(), role) ==
        Said{"added grants: actions record.read, actions client.read"});
}

// Each single edit of a document, of every kind, is told, and only the same documents tell nothing.
TEST_CASE("no edit of a document goes untold") {
  const json document = {
      {"title", "a"},
      {"privileged", false},
      {"order", {"x", "y", "z"}},
      {"grants",
       {{{"actions", {"a", "b"}}, {"conditions", {{"budget", {{"hour", 1}}}}}},
        {{"actions", {"c"}}, {"deny", true}}}},
      {"policies", {{{"name", "p"}, {"period", "1 year"}}, {{"name", "q"}, {"keep", "why"}}}},
      {"fields", {{"f", {{"type", "text"}}}, {"g", {{"values", {"1", "2"}}}}}}};
  std::size_t edits = 0;
  const auto try_edit = [&](const json& edited) {
    if (edited == document) return;
    INFO(edited.dump());
    const auto forward = SaidOf(document, edited), back = SaidOf(edited, document);
    CHECK_FALSE(forward.empty());
    CHECK_FALSE(back.empty());
    ++edits;
  };
  const json flat = document.flatten();
  for (const auto& [pointer, value] : flat.items()) {
    json changed = flat;
    changed[pointer] = "another";
    try_edit(changed.unflatten());
    const json::json_pointer at(pointer);
    json removed = document;
    json& parent = removed[at.parent_pointer()];
    parent.is_array() ? parent.erase(std::stoul(at.back())) : void(parent.erase(at.back()));
    try_edit(removed);
    json added = document;
    json& list = added[at.parent_pointer()];
    list.is_array() ? list.push_back("more") : void(list["more"] = 1);
    try_edit(added);
  }
  CHECK(edits > 30);
}

TEST_CASE("of a difference without end the beginning is told, and that there is more") {
  json many = json::object();
  for (int i = 0; i < 3000; ++i) many["m" + std::to_string(i)] = i;
  const auto difference = DifferenceOf("{}", many.dump());
  CHECK(difference.changes.size() == DocumentDifference::kMost);
  CHECK(difference.more);
  const auto cut = DifferenceOf("{}", json{{"a", std::string(5000, 'x') + "\u00e4"}}.dump());
  CHECK(cut.changes[0].words.size() < 700);
}

}  // namespace
}  // namespace coffer::vault
