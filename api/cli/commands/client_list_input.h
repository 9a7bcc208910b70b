// Lists of clients on the command line: named one by one, in a file, or on standard input.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "api/cli/text/failure.h"

namespace coffer::cli {

// {"client": id} for what looks like one, else {"external_ref": text}.
nlohmann::json NamedClient(const std::string& name);

// Of each of `sources` the clients that it names: "-" has one a line on standard input, the name of
// a file has them in it, anything else is a client. Lines may end as on any system; empty ones say
// nothing. Then those of `names`. Each with where it stands ("list.txt:3"). Failure when a file
// cannot be read, or there is none at all.
struct ClientLine {
  std::string name, where;
};
Outcome<std::vector<ClientLine>> ReadClientLines(const std::vector<std::string>& sources,
                                                 const std::vector<std::string>& names);

}  // namespace coffer::cli
