// What the server shows once: it goes to a new file, or to the console, or it is made undone.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "api/cli/files/private_file.h"
#include "api/cli/text/console.h"

namespace coffer::cli {

class OneTimeSecret {
 public:
  // To be called before the server is asked: what it then shows must have a place to go. Without a
  // file it is the console. From asking to handing over, DeferredSignals should live.
  static Outcome<OneTimeSecret> PlacedIn(const std::string& file);

  struct Showing {
    std::string_view member;  // of the answer: a text, or a list of texts
    std::string_view what;    // "The token"
    bool json = false;
    void (*describe)(Console&, const nlohmann::json&);
    // Takes back what the server made, when nobody gets the secret; empty: that cannot be done.
    std::function<Outcome<void>()> undo = {};
    std::string undone = {};     // said when that worked
    std::string left_over = {};  // said when it did not, or cannot be done
  };
  // Shows the answer. With a file the secret is written there and appears nowhere else. A failure
  // says what became of the secret that was not handed over.
  Outcome<void> HandOver(Console& console, nlohmann::json answer, const Showing& showing);

 private:
  Outcome<void> Place(Console& console, nlohmann::json& answer, const Showing& showing);

  std::string path_;
  std::unique_ptr<NewFile> file_;
};

}  // namespace coffer::cli
