// The command line as a whole: understands it, runs what it chose, tells what went wrong.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <exception>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>

#include "api/cli/commands/commands.h"
#include "api/cli/text/json_output.h"
#include "api/cli/text/typed_words.h"
#include "audit/text/plain_text.h"
#include "crypto/secret_bytes.h"

namespace coffer::cli {
namespace {

constexpr const char* kFooter = R"(Environment:
  COFFER_URL          address of the server, https://HOST:PORT
  COFFER_CA           PEM file of the certificate authority of the server's certificate
  COFFER_TOKEN        token, where no --token-file is given
  COFFER_CLIENT_CERT  PEM file of the certificate to show to the server
  COFFER_CLIENT_KEY   PEM file of its private key
  COFFER_LOG_KEY      the log's verifier key, for coffer verify

Exit codes:
  0  done                      3  some rows of an import were refused
  1  refused, or failed        4  a verification found damage
  2  wrong use                 5  no trustworthy connection to the server
  6  an import left out rows of clients that were erased before; all others were stored
  7  what was verified is whole, and ends before what was seen already
  8  every row of an import was stored, some without fields that did not fit
  9  what was verified is whole, and a successor: what was seen of the log before is lost
  10  something is missing of a register, or somebody is not told yet

Examples:
  coffer init --data /var/lib/coffer --root-key-file /etc/coffer/root.key
  coffer user create --login anna --name "Anna Berg" --role case-worker
  coffer service create --name crm --role crm-service
  coffer token create --name crm --principal svc_... --out crm.token
  coffer login --login anna
  coffer import customers.csv --class contact --key CustomerId --purpose client-care \
      --map last_name=LastName --map email=Email
  coffer log --client cli_... --follow
  coffer verify --log-key KEY

See coffer(1).)";

using audit::IsBlank;

Failure Empty(std::string_view name) {
  return {Exit::kUsage, std::string(name) + " must not be empty",
          "Leave it out where none is meant."};
}

// "--name=", which would take the next argument for its value.
std::optional<Failure> FindWithoutValue(std::span<const char* const> arguments) {
  for (const std::string_view argument : arguments) {
    if (argument == "--") break;
    if (!argument.starts_with("--") || argument.find('=') + 1 != argument.size()) continue;
    return Empty(argument.substr(0, argument.size() - 1));
  }
  return std::nullopt;
}

// An option that was given, and given nothing: taken for absent it would widen what is asked for.
std::optional<Failure> FindBlank(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& value : option->results()) {
      if (IsBlank(value)) return Empty(option->get_name());
    }
  }
  for (const CLI::App* used : app.get_subcommands()) {
    if (auto blank = FindBlank(*used)) return blank;
  }
  return std::nullopt;
}

// What the library would take for a number is more: signs, blanks, other bases, and -1 as the
// greatest of all.
std::string FaultOfNumber(std::string& typed) {
  std::uint64_t value = 0;
  const char* const end = typed.data() + typed.size();
  const auto read = std::from_chars(typed.data(), end, value);
  if (read.ec != std::errc() || read.ptr != end) return "must be a whole number";
  typed = std::to_string(value);  // with zeros in front it would be read as octal
  return {};
}

// Codes and ids of ours in whichever case and with whatever blanks they are typed, and numbers as
// nothing but digits, in every command.
void TakeAsTyped(CLI::App& app) {
  constexpr std::string_view kNumbers[] = {"ENTRY", "HOURS", "MIB", "N", "NUMBER", "YEARS"};
  for (CLI::Option* option : app.get_options()) {
    std::string type = option->get_type_name();
    type.resize(std::min(type.find(':'), type.size()));  // behind it stands what it is checked for
    const bool outcome = option->get_name() == "--outcome";  // whose codes have underscores
    if (type == "ID" || (type == "CODE" && outcome)) {
      option->transform([](const std::string& typed) { return IdOf(typed); });
    } else if (type == "CODE" || type == "BASIS") {
      option->transform([](const std::string& typed) { return PurposeCodeOf(typed); });
    } else if (std::ranges::find(kNumbers, type) != std::end(kNumbers)) {
      option->transform(
          CLI::Validator([](std::string& typed) { return FaultOfNumber(typed); }, ""));
    }
  }
  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) {
    TakeAsTyped(*command);
  }
}

// Whoever asked for JSON gets a failure in it too, as the last line of standard error.
bool WantsJson(std::span<const char* const> arguments) {
  for (const std::string_view argument : arguments) {
    if (argument == "--") break;
    if (argument == "--json") return true;
  }
  return false;
}

void TellAsJson(Console& console, const Failure& failure) {
  nlohmann::json error{{"exit", static_cast<int>(failure.exit)}, {"message", failure.message}};
  if (!failure.advice.empty()) error["advice"] = failure.advice;
  if (!failure.code.empty()) error["code"] = failure.code;
  console.err << OneLine({{"error", std::move(error)}}) << '\n';
}

void Tell(Console& console, const Failure& failure, bool as_json) {
  console.out << std::flush;
  if (as_json) {
    TellAsJson(console, failure);
    return;
  }
  console.err << "coffer: " << PrintableLines(failure.message) << '\n';
  if (!failure.advice.empty()) console.err << PrintableLines(failure.advice) << '\n';
}

// Output that did not arrive (a full disk, a closed pipe) is no success.
Exit Settle(Console& console, Exit exit, bool as_json) {
  console.out << std::flush;
  if (console.out || (exit != Exit::kOk && exit != Exit::kIncomplete)) return exit;
  Tell(console, {Exit::kFailed, "standard output could not be written", {}}, as_json);
  return Exit::kFailed;
}

Exit Execute(const Command& chosen, Console& console, bool as_json) {
  if (const Status ready = crypto::InitializeCrypto(); !ready) {
    Tell(console, FailureOf(ready.error(), "cannot start"), as_json);
    return Exit::kFailed;
  }
  const Outcome<Exit> outcome = chosen(console);
  if (outcome) return Settle(console, *outcome, as_json);
  Tell(console, outcome.error(), as_json);
  return outcome.error().exit;
}

}  // namespace

void Declare(CLI::App& app, Command& chosen) {
  app.require_subcommand(1);
  app.set_version_flag("-V,--version", "coffer " COFFER_VERSION, "Print the version and exit");
  app.set_help_all_flag("--help-all", "Print the help of every command and exit");
  app.footer(kFooter);
  AddInitCommand(app, chosen);
  AddStatusCommand(app, chosen);
  AddTodayCommand(app, chosen);
  AddUserCommands(app, chosen);
  AddServiceCommands(app, chosen);
  AddTeamCommands(app, chosen);
  AddEnrolCommand(app, chosen);
  AddLoginCommands(app, chosen);
  AddSessionCommands(app, chosen);
  AddWhoAmICommand(app, chosen);
  AddTokenCommands(app, chosen);
  AddApprovalCommands(app, chosen);
  AddEmergencyCommands(app, chosen);
  AddClassCommands(app, chosen);
  AddPurposeCommands(app, chosen);
  AddRoleCommands(app, chosen);
  AddAssignCommand(app, chosen);
  AddAssignmentCommands(app, chosen);
  AddLeaseCommands(app, chosen);
  AddExplainCommand(app, chosen);
  AddImportCommand(app, chosen);
  AddExportCommand(app, chosen);
  AddGetCommand(app, chosen);
  AddSearchCommand(app, chosen);
  AddEraseCommand(app, chosen);
  AddErasureCommands(app, chosen);
  AddWhereCommand(app, chosen);
  AddClientCommands(app, chosen);
  AddRecordCommands(app, chosen);
  AddHoldCommands(app, chosen);
  AddConsentCommands(app, chosen);
  AddBreachCommands(app, chosen);
  AddPackageCommands(app, chosen);
  AddRecipientCommands(app, chosen);
  AddDisclosureCommands(app, chosen);
  AddRequestCommands(app, chosen);
  AddLetterCommands(app, chosen);
  AddNoticeCommands(app, chosen);
  AddProcessingCommands(app, chosen);
  AddRegimeCommands(app, chosen);
  AddRetentionCommands(app, chosen);
  AddClockCommands(app, chosen);
  AddLogCommands(app, chosen);
  AddEvidenceCommand(app, chosen);
  AddVerifyCommand(app, chosen);
  AddBackupCommands(app, chosen);
  AddRestoreCommand(app, chosen);
  AddRecoverCommand(app, chosen);
  AddKeyCommands(app, chosen);
  TakeAsTyped(app);
}

int Run(int argc, const char* const* argv, Console& console) {
  Command chosen;
  const std::span<const char* const> arguments{argv + 1, argv + argc};
  const bool as_json = WantsJson(arguments);
  try {
    CLI::App app("Operator's and auditor's tool for a Coffer vault.", "coffer");
    Declare(app, chosen);
    if (const auto empty = FindWithoutValue(arguments)) {
      Tell(console, *empty, as_json);
      return static_cast<int>(empty->exit);
    }
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      // Asking for help is one of them, and the only one that is no mistake.
      const bool asked = error.get_exit_code() == 0;
      if (!asked && as_json) {
        Tell(console, {Exit::kUsage, error.what(), "Run it with --help."}, true);
        return static_cast<int>(Exit::kUsage);
      }
      app.exit(error, console.out, console.err);
      return static_cast<int>(Settle(console, asked ? Exit::kOk : Exit::kUsage, as_json));
    }
    if (const auto blank = FindBlank(app)) {
      Tell(console, *blank, as_json);
      return static_cast<int>(blank->exit);
    }
    return static_cast<int>(Execute(chosen, console, as_json));
  } catch (const std::exception& error) {
    Tell(console, {Exit::kFailed, std::string("unexpected: ") + error.what(), {}}, as_json);
    return static_cast<int>(Exit::kFailed);
  }
}

}  // namespace coffer::cli
