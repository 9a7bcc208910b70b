// Every option that takes a number: what is none is refused, and named.
#include <CLI/CLI.hpp>
#include <catch2/catch_test_macros.hpp>
#include <string>

#include "api/cli/commands/commands.h"

namespace coffer::cli {
namespace {

// Nothing: it is taken.
std::string FaultOf(CLI::Option& option, const std::string& typed) {
  option.clear();
  option.add_result(typed);
  try {
    option.run_callback();
  } catch (const CLI::Error& error) {
    return *error.what() == '\0' ? "refused" : error.what();
  }
  return {};
}

void CheckNumbers(CLI::App& app, const std::string& path, int& numbers) {
  for (CLI::Option* option : app.get_options()) {
    // Flags have no value, and what is refused together with others is asked for elsewhere.
    if (option->get_expected_max() == 0) continue;
    const bool number = FaultOf(*option, "5").empty() && !FaultOf(*option, "x").empty();
    if (!number) continue;
    ++numbers;
    const std::string ninth = FaultOf(*option, "9");
    CHECK(FaultOf(*option, "09") == ninth);
    CHECK(option->as<std::string>() == "9");
    for (const char* none : {"-1", "-18446744073709551615", "18446744073709551616", "5x", "5.5",
                             "1e3", "0x5", " 5", "+5", ""}) {
      INFO(path << " " << option->get_name() << " '" << none << "'");
      const std::string fault = FaultOf(*option, none);
      CHECK_FALSE(fault.empty());
      CHECK(fault.size() < 200);
    }
  }
  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) {
    CheckNumbers(*command, path + " " + command->get_name(), numbers);
  }
}

}  // namespace

TEST_CASE("what is no number is taken for none by any option") {
  CLI::App app;
  Command chosen;
  Declare(app, chosen);
  int numbers = 0;
  CheckNumbers(app, "coffer", numbers);
  CHECK(numbers > 20);
}

}  // namespace coffer::cli
