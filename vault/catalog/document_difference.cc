#include "vault/catalog/document_difference.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

namespace coffer::vault {
namespace {

using nlohmann::json;

constexpr std::size_t kMostWords = 600;     // of one value
constexpr std::size_t kMostPairs = 20'000;  // of a role there are 100 grants

// What stands in a list or an object under such a name, in the singular.
struct Singular {
  std::string_view list, item;
};
constexpr Singular kSingulars[] = {
    {"fields", "field"},     {"grants", "grant"},           {"policies", "policy"},
    {"actions", "action"},   {"classes", "class"},          {"purposes", "purpose"},
    {"networks", "network"}, {"holidays", "holiday"},       {"approves", "approval of"},
    {"values", "value"},     {"sensitivity", "sensitivity"}};

std::string Spoken(std::string_view member) {
  std::string words(member);
  std::ranges::replace(words, '_', ' ');
  return words;
}

std::string OneOf(std::string_view list) {
  const auto* const found = std::ranges::find(kSingulars, list, &Singular::list);
  return found == std::end(kSingulars) ? Spoken(list) : std::string(found->item);
}

std::string WordsOf(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_array()) {
    std::string words;
    for (const json& item : value) words += (words.empty() ? "" : ", ") + WordsOf(item);
    return words.empty() ? "none" : words;
  }
  if (value.is_object()) {
    std::string words;
    for (const auto& [name, item] : value.items()) {
      words += (words.empty() ? "" : "; ") + Spoken(name) + " " +
               (item.is_object() ? "(" + WordsOf(item) + ")" : WordsOf(item));
    }
    return words.empty() ? "nothing" : words;
  }
  return value.dump();
}

// A whole character is left out where it does not fit.
std::string Cut(std::string words) {
  if (words.size() <= kMostWords) return words;
  std::size_t end = kMostWords;
  while (end > 0 && (static_cast<unsigned char>(words[end]) & 0xC0U) == 0x80U) --end;
  words.resize(end);
  return words + " ...";
}

bool AreNamed(const json& list) {
  std::set<std::string> names;
  return std::ranges::all_of(list, [&](const json& item) {
    const auto name = item.is_object() ? item.find("name") : item.end();
    return item.is_object() && name != item.end() && name->is_string() &&
           names.insert(name->get<std::string>()).second;
  });
}

bool AreObjects(const json& list) { return std::ranges::all_of(list, &json::is_object); }

json ByName(const json& list) {
  json named = json::object();
  for (const json& item : list) named[item.at("name").get<std::string>()] = item;
  return named;
}

class Comparison {
  using Items = std::set<json>;

 public:
  explicit Comparison(DocumentDifference& difference) : difference_(difference) {}

  void Compare(const std::string& where, std::string_view member, const json& before,
               const json& after) {
    if (before == after) return;
    if (before.is_object() && after.is_object()) return CompareObjects(where, before, after);
    if (before.is_array() && after.is_array()) return CompareLists(where, member, before, after);
    Add(ChangeKind::kChanged, where + ": from " + WordsOf(before) + " to " + WordsOf(after), before,
        after);
  }

  // `of`: what each member is one of ("field"); empty: the members' names say it.
  void CompareObjects(const std::string& where, const json& before, const json& after,
                      std::string_view of = {}) {
    for (const auto& [name, value] : before.items()) {
      const std::string there = Beside(where, of, name);
      const auto found = after.find(name);
      if (found == after.end()) {
        Add(ChangeKind::kRemoved, there + ": " + WordsOf(value), value, nullptr);
      } else if (IsMap(name, value) && IsMap(name, *found)) {
        CompareObjects(where, value, *found, OneOf(name));
      } else {
        Compare(there, of.empty() ? name : std::string_view(), value, *found);
      }
    }
    for (const auto& [name, value] : after.items()) {
      if (before.contains(name)) continue;
      Add(ChangeKind::kAdded, Beside(where, of, name) + ": " + WordsOf(value), nullptr, value);
    }
  }

 private:
  // The fields of a class, by their names.
  static bool IsMap(std::string_view name, const json& value) {
    return name == "fields" && value.is_object();
  }
  static std::string Beside(const std::string& where, std::string_view of, std::string_view name) {
    const std::string one = of.empty() ? Spoken(name) : std::string(of) + " " + std::string(name);
    return where.empty() ? one : where + ", " + one;
  }

  void CompareLists(const std::string& where, std::string_view member, const json& before,
                    const json& after) {
    const bool any = !before.empty() && !after.empty();
    if (any && AreNamed(before) && AreNamed(after)) {
      CompareObjects({}, ByName(before), ByName(after), OneOf(member));
      return CompareOrder(where, Names(before), Names(after));
    }
    if (AreObjects(before) && AreObjects(after)) return CompareGrants(member, before, after);
    const std::string one =
        where.substr(0, where.size() - std::min(where.size(), member.size())) + OneOf(member);
    const Items had(before.begin(), before.end()), has(after.begin(), after.end());
    for (const json& item : before) {
      if (!has.contains(item)) {
        Add(ChangeKind::kRemoved, one + " " + WordsOf(item), item, nullptr);
      }
    }
    for (const json& item : after) {
      if (!had.contains(item)) Add(ChangeKind::kAdded, one + " " + WordsOf(item), nullptr, item);
    }
    CompareOrder(where, before, after);
  }

  static json Names(const json& list) {
    json names = json::array();
    for (const json& item : list) names.push_back(item.at("name"));
    return names;
  }

  // What both have stands in another order, or not as often.
  void CompareOrder(const std::string& where, const json& before, const json& after) {
    const auto common = [](const json& list, const json& other) {
      const Items items(other.begin(), other.end());
      json kept = json::array();
      for (const json& item : list) {
        if (items.contains(item)) kept.push_back(item);
      }
      return kept;
    };
    const json first = common(before, after), second = common(after, before);
    if (first == second) return;
    Add(ChangeKind::kChanged, where + ", order: from " + WordsOf(first) + " to " + WordsOf(second),
        before, after);
  }

  // Objects without names: those that are in both are taken away first, and what is left is
  // compared in pairs that say most of the same.
  void CompareGrants(std::string_view member, const json& before, const json& after) {
    std::vector<std::size_t> gone, come;
    std::vector<bool> taken(after.size());
    for (std::size_t i = 0; i < before.size(); ++i) {
      std::size_t j = 0;
      while (j < after.size() && (taken[j] || after[j] != before[i])) ++j;
      j < after.size() ? void(taken[j] = true) : gone.push_back(i);
    }
    for (std::size_t j = 0; j < after.size(); ++j) {
      if (!taken[j]) come.push_back(j);
    }
    const std::string one = OneOf(member);
    const bool pair = gone.size() * come.size() <= kMostPairs;
    for (const std::size_t i : gone) {
      const auto like =
          pair ? std::ranges::max_element(
                     come, {}, [&](std::size_t j) { return Likeness(before[i], after[j]); })
               : come.end();
      const std::string there = one + " " + std::to_string(i + 1);
      if (like == come.end() || Likeness(before[i], after[*like]) == 0) {
        Add(ChangeKind::kRemoved, there + ": " + WordsOf(before[i]), before[i], nullptr);
        continue;
      }
      CompareObjects(there, before[i], after[*like]);
      come.erase(like);
    }
    for (const std::size_t j : come) {
      Add(ChangeKind::kAdded, one + " " + std::to_string(j + 1) + ": " + WordsOf(after[j]), nullptr,
          after[j]);
    }
  }

  static std::size_t Likeness(const json& one, const json& other) {
    const auto denies = [](const json& grant) {
      const auto found = grant.find("deny");
      return found != grant.end() && *found == true;
    };
    if (denies(one) != denies(other)) return 0;
    std::size_t same = 0;
    for (const auto& [name, value] : one.items()) {
      const auto found = other.find(name);
      if (found == other.end()) continue;
      if (*found == value) same += 2;
      if (!found->is_array() || !value.is_array()) continue;
      for (const json& item : value) {
        if (std::ranges::find(*found, item) != found->end()) ++same;
      }
    }
    return same;
  }

  void Add(ChangeKind kind, std::string words, const json& before, const json& after) {
    if (difference_.changes.size() == DocumentDifference::kMost) {
      difference_.more = true;
      return;
    }
    difference_.changes.push_back({kind, Cut(std::move(words)),
                                   kind == ChangeKind::kAdded ? "" : before.dump(),
                                   kind == ChangeKind::kRemoved ? "" : after.dump()});
  }

  DocumentDifference& difference_;
};

}  // namespace

std::string_view Name(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::kAdded:
      return "added";
    case ChangeKind::kRemoved:
      return "removed";
    case ChangeKind::kChanged:
      break;
  }
  return "changed";
}

DocumentDifference DifferenceOf(std::string_view before, std::string_view after) {
  const auto read = [](std::string_view text) {
    json document = json::parse(text.empty() ? "{}" : text, nullptr, false);
    return document.is_object() ? document : json::object();
  };
  DocumentDifference difference;
  Comparison(difference).CompareObjects({}, read(before), read(after));
  return difference;
}

}  // namespace coffer::vault
