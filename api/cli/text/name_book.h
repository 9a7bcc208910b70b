// What the server called the ids in its answers, and how tables show an id and its name.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace coffer::cli {

class NameBook {
 public:
  // Ids in full, with their names behind them: on request, and where the output is not a terminal.
  bool full_ids = false;

  // The names that came with an answer.
  void Take(const nlohmann::json& answer);
  bool empty() const { return names_.empty(); }
  // The names of the ids in `text`, as an answer has them; an empty object for none.
  nlohmann::json NamesIn(std::string_view text) const;

  // The text with a name in the place of each id that has one: "bert", or in full "usr_... (bert)",
  // as also where several are called that.
  // Somebody who can do nothing any more is marked: "bert, disabled".
  std::string Show(std::string_view text, bool in_full) const;

 private:
  struct Name {
    std::string name;
    bool disabled = false;
  };
  bool IsOfSeveral(std::string_view name) const;

  std::map<std::string, Name, std::less<>> names_;
};

// A place in a text where an id stands.
struct IdPlace {
  std::size_t from = 0, to = 0;
};
std::vector<IdPlace> FindIds(std::string_view text);

}  // namespace coffer::cli
