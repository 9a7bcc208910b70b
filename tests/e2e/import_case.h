// Rows of the table that says what an import of each file in tests/cases comes to.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace coffer::testing {

// What a person types in search of a client, and whom that finds.
struct Search {
  std::string field, value, external_ref;
};

// Imports run in the order of the table, into one vault: a row may build on those before it.
struct ImportCase {
  std::string file;                  // in tests/cases
  std::vector<std::string> options;  // of coffer import, beside the file, --purpose and --json
  int exit = 0;
  // What the summary must hold, among other things. Without "rows", the file is refused as a whole
  // and nothing of the vault changes.
  nlohmann::json summary = nlohmann::json::object();
  // By the client's external reference: the data of its one record, whole.
  std::map<std::string, nlohmann::json> stored = {};
  std::vector<Search> found = {};
  std::vector<std::string> says = {};        // each is somewhere in what is printed
  std::vector<std::string> never_says = {};  // and none of these
};

// --class contact --key Id --map last_name=Last, and what is given.
inline std::vector<std::string> AsContacts(const std::vector<std::string>& more = {}) {
  std::vector<std::string> options = {"--class", "contact", "--key",
                                      "Id",      "--map",   "last_name=Last"};
  options.insert(options.end(), more.begin(), more.end());
  return options;
}

}  // namespace coffer::testing
