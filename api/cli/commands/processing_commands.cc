// coffer processing: the register of processing, as an authority asks for it.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "api/cli/client/client_lookup.h"
#include "api/cli/commands/commands.h"
#include "api/cli/commands/run_with.h"
#include "api/cli/files/private_file.h"
#include "api/cli/text/json_output.h"
#include "api/cli/text/json_view.h"
#include "api/cli/text/processing_view.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr std::uint64_t kMostDocumentBytes = 256 * 1024;

struct ProcessingOptions {
  ConnectionOptions connection;
  std::string order = "gdpr", format = "text", language = "en", file, incomplete;
  std::optional<std::uint64_t> version, from, if_version;
};

Target ProcessingVersions() { return Target("/v1/processing/versions"); }

// The register as it is now, or as it was published.
Outcome<json> FetchRegister(const ProcessingOptions& options, ApiClient& client) {
  if (options.version) {
    return client.Get(ProcessingVersions().Segment(std::to_string(*options.version)));
  }
  Target target("/v1/processing");
  target.With("order", options.order);
  return client.Get(target);
}

Exit ExitOf(bool complete) { return complete ? Exit::kOk : Exit::kIncomplete; }

Outcome<Exit> ShowRegister(const ProcessingOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json answer, FetchRegister(options, client));
  const audit::PageLanguage language =
      audit::PageLanguageFromName(options.language).value_or(audit::PageLanguage::kEnglish);
  // What was published was judged by its own order.
  const std::string order = options.version ? Text(answer, "order") : options.order;
  const RegisterView view = ViewOfProcessing(answer, order, language);
  if (options.connection.json || options.format == "json") {
    PrintJson(console, answer);
  } else if (options.format == "csv") {
    console.out << ProcessingCsv(view);
  } else if (options.format == "html") {
    COFFER_ASSIGN(const std::string page, ProcessingPage(view, language));
    console.out << page;
  } else {
    PrintProcessing(view, language, console);
  }
  return ExitOf(view.complete);
}

Outcome<Exit> ShowMissing(const ProcessingOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json answer, FetchRegister(options, client));
  const audit::PageLanguage language =
      audit::PageLanguageFromName(options.language).value_or(audit::PageLanguage::kEnglish);
  const RegisterView view = ViewOfProcessing(answer, options.order, language);
  if (options.connection.json) {
    PrintJson(console, {{"order", Text(answer, "order")},
                        {"complete", view.complete},
                        {"missing", Member(answer, "missing")}});
    return ExitOf(view.complete);
  }
  if (view.complete) {
    console.out << "Nothing is missing: the register is complete for " << Printable(view.order)
                << ".\n";
    return Exit::kOk;
  }
  for (const RegisterSection& section : view.sections) {
    if (section.name != "missing") continue;
    Table table(section.columns);
    for (const auto& row : section.rows) table.Add(row);
    table.Print(console);
  }
  return Exit::kIncomplete;
}

Outcome<Exit> ShowDocument(const ProcessingOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  Target target("/v1/processing/document");
  if (options.version) target.With("version", std::to_string(*options.version));
  COFFER_ASSIGN(const json answer, client.Get(target));
  PrintJson(console, options.connection.json ? answer : Member(answer, "definition"));
  return Exit::kOk;
}

Outcome<Exit> SetDocument(const ProcessingOptions& options, Console& console) {
  COFFER_ASSIGN(const std::string text, ReadInputFile(options.file, kMostDocumentBytes));
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  const Target target("/v1/processing/document");
  COFFER_ASSIGN(const json answer,
                options.if_version
                    ? client.PutVersion(target, text, std::to_string(*options.if_version))
                    : client.Put(target, text));
  if (options.connection.json) {
    PrintJson(console, answer);
  } else {
    console.out << "Version " << Printable(Text(answer, "version"))
                << " of what is said of the processing is in force. What the register still needs: "
                   "coffer processing missing\n";
  }
  return Exit::kOk;
}

Outcome<Exit> PublishRegister(const ProcessingOptions& options, Console& console) {
  json body = {{"order", options.order}};
  if (!options.incomplete.empty()) {
    body["incomplete"] = true;
    body["reason"] = options.incomplete;
  }
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json answer, client.Post(ProcessingVersions(), body.dump()));
  const bool complete = Text(answer, "missing") == "0";
  if (options.connection.json) {
    PrintJson(console, answer);
    return ExitOf(complete);
  }
  PrintFields(console, {{"version", Text(answer, "version")},
                        {"order", Text(answer, "order")},
                        {"missing", Text(answer, "missing")},
                        {"published", Text(answer, "published")},
                        {"published by", Text(answer, "published_by")},
                        {"log entry", Text(answer, "entry")},
                        {"sha-256", Text(answer, "sha256")}});
  return ExitOf(complete);
}

Outcome<Exit> ListVersions(const ProcessingOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json versions, CollectPages(client, ProcessingVersions()));
  if (options.connection.json) {
    PrintJson(console, {{"items", versions}});
    return Exit::kOk;
  }
  if (versions.empty()) {
    console.out << "No version was published: coffer processing publish\n";
    return Exit::kOk;
  }
  Table table({"VERSION", "ORDER", "MISSING", "PUBLISHED", "BY", "LOG ENTRY"});
  for (const json& one : versions) {
    table.Add({Text(one, "version"), Text(one, "order"), Text(one, "missing"),
               Text(one, "published"), Text(one, "published_by"), Text(one, "entry")});
  }
  table.Print(console);
  return Exit::kOk;
}

Outcome<Exit> ShowDifference(const ProcessingOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  Target target("/v1/processing/difference");
  if (options.from) target.With("from", std::to_string(*options.from));
  COFFER_ASSIGN(const json answer, client.Get(target));
  if (options.connection.json) {
    PrintJson(console, answer);
    return Exit::kOk;
  }
  const std::string from = Printable(Text(answer, "from"));
  const json& changes = Member(answer, "changes");
  if (changes.empty()) {
    console.out << "Nothing has changed since version " << from << " was published.\n";
    return Exit::kOk;
  }
  console.out << "Since version " << from << " was published:\n";
  for (const json& one : changes) {
    console.out << "  " << Printable(Text(one, "change") + "  " + Text(one, "words")) << '\n';
  }
  if (Text(answer, "more") == "true") console.out << "  and more than these.\n";
  return Exit::kOk;
}

void AddOrder(CLI::App& command, ProcessingOptions& options) {
  command
      .add_option("--order", options.order,
                  "Which authority asks: gdpr (Art. 30), ru-152fz (Art. 22) or pipl (Art. 55)")
      ->check(CLI::IsMember(
          std::vector<std::string>(std::begin(kProcessingOrders), std::end(kProcessingOrders))))
      ->type_name("ORDER")
      ->capture_default_str();
}

void AddLanguage(CLI::App& command, ProcessingOptions& options) {
  command.add_option("--language", options.language, "Of the words")
      ->check(CLI::IsMember(audit::PageLanguageNames()))
      ->type_name("LANGUAGE")
      ->capture_default_str();
}

void AddShowAndMissing(CLI::App& group, Command& chosen) {
  auto shown = std::make_shared<ProcessingOptions>();
  CLI::App* show = group.add_subcommand("show", "Show the register as it is now, or as published");
  AddOrder(*show, *shown);
  AddLanguage(*show, *shown);
  show->add_option("--format", shown->format, "text, html (a page on its own), csv or json")
      ->check(CLI::IsMember({"text", "html", "csv", "json"}))
      ->type_name("FORMAT")
      ->capture_default_str();
  show->add_option("--version", shown->version, "A published version, rather than what is now")
      ->type_name("N");
  show->footer(
      "Exit code 10: the register is shown, and something is missing. Example:\n"
      "  coffer processing show --format html --language de > register.html");
  RunOnline(*show, chosen, shown, ShowRegister);

  auto missed = std::make_shared<ProcessingOptions>();
  CLI::App* missing =
      group.add_subcommand("missing", "Tell what the register needs, by which article, and where");
  AddOrder(*missing, *missed);
  AddLanguage(*missing, *missed);
  missing->footer("Exit code 10: something is missing.\n\nExample:\n  coffer processing missing");
  RunOnline(*missing, chosen, missed, ShowMissing);
}

void AddDocumentCommands(CLI::App& group, Command& chosen) {
  auto read = std::make_shared<ProcessingOptions>();
  CLI::App* document =
      group.add_subcommand("document", "Show what was said of the processing, to be changed");
  document->add_option("--version", read->version, "This version, rather than the newest")
      ->type_name("N");
  document->footer("Example:\n  coffer processing document > processing.json");
  RunOnline(*document, chosen, read, ShowDocument);

  auto said = std::make_shared<ProcessingOptions>();
  CLI::App* set = group.add_subcommand(
      "set", "Say what the vault cannot know: who the controller is, who gets data outside, ...");
  set->add_option("file", said->file, "JSON file (docs/registers.md); \"-\" is standard input")
      ->type_name("FILE")
      ->required();
  set->add_option("--if-version", said->if_version, "Only if this is the newest version")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  set->footer("Example:\n  coffer processing set processing.json");
  RunOnline(*set, chosen, said, SetDocument);
}

}  // namespace

void AddProcessingCommands(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand(
      "processing", "The register of processing: what is processed, why, and who sees it");
  group->require_subcommand(1);
  AddShowAndMissing(*group, chosen);
  AddDocumentCommands(*group, chosen);

  auto publishing = std::make_shared<ProcessingOptions>();
  CLI::App* publish =
      group->add_subcommand("publish", "Keep the register as it is now, as a version that stays");
  AddOrder(*publish, *publishing);
  publish
      ->add_option("--incomplete", publishing->incomplete, "Although something is missing, and why")
      ->type_name("WHY");
  publish->footer(
      "Exit code 10: it is published, and incomplete.\n\nExample:\n"
      "  coffer processing publish --order gdpr");
  RunOnline(*publish, chosen, publishing, PublishRegister);

  auto listed = std::make_shared<ProcessingOptions>();
  CLI::App* versions = group->add_subcommand("versions", "List the published versions");
  versions->footer("Example:\n  coffer processing versions");
  RunOnline(*versions, chosen, listed, ListVersions);

  auto compared = std::make_shared<ProcessingOptions>();
  CLI::App* difference =
      group->add_subcommand("difference", "Tell what has changed since a version was published");
  difference->add_option("--from", compared->from, "Since this version, rather than the last")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  difference->footer("Example:\n  coffer processing difference");
  RunOnline(*difference, chosen, compared, ShowDifference);
}

}  // namespace coffer::cli
