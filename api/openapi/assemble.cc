// Puts the description of the interface together: api/openapi/ has a part for each file of
// api/routes/, of the same name and the shape of a whole document, and common.json, which has what
// belongs to none or to several of them.
//
//   assemble PARTS DOCUMENT       PARTS: the folder; DOCUMENT: the file that is written
//
// order.json says in which order the parts follow in each place of the document. "holds" stands for
// all that holds.json has there, "holds: HoldId" for one member that is not with the rest. A part
// that is not named there comes last, so that a new one needs its own file only.
#include <algorithm>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using json = nlohmann::ordered_json;
using Parts = std::map<std::string, json>;

// Of two members of one name the parser would keep the last.
json ReadJson(const fs::path& path) {
  std::vector<std::set<std::string>> names;
  const auto no_name_twice = [&](int, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::object_start) names.emplace_back();
    if (event == json::parse_event_t::object_end) names.pop_back();
    if (event == json::parse_event_t::key && !names.back().insert(parsed).second) {
      throw std::runtime_error(path.string() + " has " + parsed.dump() + " twice in one object");
    }
    return true;
  };
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(path.string() + " cannot be read");
  return json::parse(file, no_name_twice);
}

// Takes it out of the part, so that what is left at the end was named by nothing.
json Take(json& members, const std::string& name, const std::string& part) {
  const auto found = members.find(name);
  if (found == members.end()) throw std::runtime_error(part + ".json has no " + name);
  json value = std::move(*found);
  members.erase(found);
  return value;
}

void Add(json& section, const std::string& name, json value) {
  if (section.contains(name)) throw std::runtime_error("two parts have " + name);
  section[name] = std::move(value);
}

// What the parts have at `place`, in its order.
json Assemble(Parts& parts, const json& order, const json::json_pointer& place) {
  std::vector<std::string> sequence = order.at(place.back()).get<std::vector<std::string>>();
  // Each member that is named alone is taken before the rest of its part.
  std::map<std::string, json> alone;
  for (const std::string& item : sequence) {
    const auto colon = item.find(": ");
    const std::string part = item.substr(0, colon);
    if (!parts.contains(part)) throw std::runtime_error("order.json: there is no " + part);
    if (colon == item.npos) continue;
    alone[item] = Take(parts.at(part).at(place), item.substr(colon + 2), part);
  }
  for (const auto& [part, document] : parts) {
    if (std::ranges::find(sequence, part) == sequence.end()) sequence.push_back(part);
  }
  json section;
  for (const std::string& item : sequence) {
    if (const auto found = alone.find(item); found != alone.end()) {
      Add(section, item.substr(item.find(": ") + 2), std::move(found->second));
      continue;
    }
    json& document = parts.at(item);
    if (!document.contains(place)) continue;
    json& members = document.at(place);
    for (auto member = members.begin(); member != members.end(); ++member) {
      if (members.is_array()) {
        section.push_back(*member);
      } else {
        Add(section, member.key(), *member);
      }
    }
    document.at(place.parent_pointer()).erase(place.back());
  }
  return section;
}

json AssembleDocument(const fs::path& folder) {
  Parts parts;
  for (const auto& file : fs::directory_iterator(folder)) {
    const std::string name = file.path().stem().string();
    if (file.path().extension() == ".json" && name != "order") parts[name] = ReadJson(file.path());
  }
  const json order = ReadJson(folder / "order.json");
  json document;
  for (const char* member : {"openapi", "info", "servers", "security"}) {
    document[member] = Take(parts.at("common"), member, "common");
  }
  for (const char* member : {"tags", "paths"}) {
    document[member] = Assemble(parts, order, json::json_pointer() / member);
  }
  const auto components = json::json_pointer("/components");
  for (const char* kind : {"securitySchemes", "parameters", "headers", "responses", "schemas"}) {
    document["components"][kind] = Assemble(parts, order, components / kind);
  }
  for (auto& [name, part] : parts) {
    if (part.contains("components") && part["components"].empty()) part.erase("components");
    if (!part.empty()) {
      throw std::runtime_error(name + ".json has " + part.begin().key() + ", which has no place");
    }
  }
  return document;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    if (count != 3) throw std::runtime_error("assemble PARTS DOCUMENT");
    const std::string text = AssembleDocument(arguments[1]).dump(2, ' ', true) + '\n';
    std::ofstream file(arguments[2], std::ios::binary);
    file << text;
    file.close();
    if (!file) throw std::runtime_error(std::string(arguments[2]) + " cannot be written");
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "openapi: " << error.what() << '\n';
    return 1;
  }
}
