// coffer consent: the texts that people agree to, and what clients agreed to and took back.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "api/cli/client/log_query.h"
#include "api/cli/commands/commands.h"
#include "api/cli/commands/run_with.h"
#include "api/cli/files/private_file.h"
#include "api/cli/text/consent_record.h"
#include "api/cli/text/json_output.h"
#include "api/cli/text/json_view.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxWordingFile = 32 * 1024;

struct ConsentTextOptions {
  ConnectionOptions connection;
  std::string name, shown_since, language;
  std::vector<std::string> wordings;  // LANGUAGE=FILE
  std::uint64_t minimum_age = 0, version = 0;
};

struct ConsentOptions {
  ConnectionOptions connection;
  std::string client, consent, purpose, text, language, channel, evidence, authority, given,
      expires, out;
  std::uint64_t version = 0;
  bool of_age = false, under_age = false;
};

std::string LanguagesOf(const json& text) {
  std::string languages;
  for (const json& wording : Member(text, "texts")) {
    languages += (languages.empty() ? "" : " ") + Text(wording, "language");
  }
  return languages;
}

Outcome<Exit> ShowText(const ConsentTextOptions& options, const json& text, Console& console) {
  if (options.connection.json) {
    PrintJson(console, text);
    return Exit::kOk;
  }
  PrintFields(console, {{"text", Text(text, "name")},
                        {"version", Text(text, "version")},
                        {"languages", LanguagesOf(text)},
                        {"minimum age", Text(text, "minimum_age")},
                        {"shown since", Text(text, "shown_since")},
                        {"put by", Text(text, "put_by")}});
  for (const json& wording : Member(text, "texts")) {
    const std::string language = Text(wording, "language");
    if (!options.language.empty() && language != options.language) continue;
    console.out << '\n'
                << Printable(language) << ", SHA-256 " << Printable(Text(wording, "sha256")) << '\n'
                << Printable(Text(wording, "text")) << '\n';
  }
  return Exit::kOk;
}

// All files are read before anything is sent.
Outcome<Exit> PutConsentText(const ConsentTextOptions& options, Console& console) {
  json body = {{"texts", json::array()}};
  for (const std::string& given : options.wordings) {
    const auto equals = given.find('=');
    if (equals == given.npos || equals == 0) {
      return Failed(Exit::kUsage, "\"" + given + "\" is no LANGUAGE=FILE",
                    "Example: de=text.de.txt");
    }
    COFFER_ASSIGN(const std::string wording,
                  ReadInputFile(given.substr(equals + 1), kMaxWordingFile));
    body["texts"].push_back({{"language", given.substr(0, equals)}, {"text", wording}});
  }
  if (options.minimum_age != 0) body["minimum_age"] = options.minimum_age;
  if (!options.shown_since.empty()) {
    COFFER_ASSIGN(body["shown_since"], NormalisedTime(options.shown_since, "--shown-since"));
  }
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  const Target target = Target("/v1/consent-texts").Segment(options.name);
  COFFER_ASSIGN(const json answer,
                client.Put(target, body.dump(-1, ' ', false, json::error_handler_t::replace)));
  if (options.connection.json) {
    PrintJson(console, answer);
  } else {
    console.out << Printable("consent text " + Text(answer, "name") + ", version " +
                             Text(answer, "version"))
                << '\n';
  }
  return Exit::kOk;
}

Outcome<Exit> ListConsentTexts(const ConsentTextOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json answer, client.Get(Target("/v1/consent-texts")));
  if (options.connection.json) {
    PrintJson(console, answer);
    return Exit::kOk;
  }
  Table table({"TEXT", "VERSION", "LANGUAGES", "MINIMUM AGE", "SHOWN SINCE"});
  for (const json& item : Member(answer, "items")) {
    table.Add({Text(item, "name"), Text(item, "version"), LanguagesOf(item),
               Text(item, "minimum_age"), Text(item, "shown_since")});
  }
  table.Print(console);
  return Exit::kOk;
}

Outcome<Exit> ShowConsentText(const ConsentTextOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  Target target = Target("/v1/consent-texts").Segment(options.name);
  target.With("version", options.version == 0 ? "" : std::to_string(options.version));
  COFFER_ASSIGN(const json answer, client.Get(target));
  return ShowText(options, answer, console);
}

Target ConsentsOf(const std::string& client) {
  return Target("/v1/clients").Segment(client).Segment("consents");
}

std::string ShownOf(const json& consent) {
  const json& text = Member(consent, "text");
  return Text(text, "name") + " v" + Text(text, "version") + " " + Text(text, "language");
}

std::string StandingOf(const json& consent) {
  const std::string state = Text(consent, "state");
  if (state == "withdrawn") {
    return "withdrawn " + Text(Member(consent, "withdrawal"), "withdrawn");
  }
  const std::string expires = Text(consent, "expires");
  if (state == "expired") return "expired " + expires;
  return expires.empty() ? state : state + " until " + expires;
}

Outcome<Exit> ShowConsent(const ConsentOptions& options, const json& consent, Console& console) {
  if (options.connection.json) {
    PrintJson(console, consent);
    return Exit::kOk;
  }
  const json& withdrawal = Member(consent, "withdrawal");
  PrintFields(console, {{"consent", Text(consent, "id")},
                        {"client", Text(consent, "client")},
                        {"purpose", Text(consent, "purpose")},
                        {"state", StandingOf(consent)},
                        {"text", ShownOf(consent)},
                        {"SHA-256", Text(Member(consent, "text"), "sha256")},
                        {"given", Text(consent, "given")},
                        {"given by", Text(consent, "given_by")},
                        {"authority", Text(consent, "authority")},
                        {"of age", Text(consent, "of_age")},
                        {"channel", Text(consent, "channel")},
                        {"evidence", Text(consent, "evidence")},
                        {"recorded", Text(consent, "recorded")},
                        {"recorded by", Text(consent, "recorded_by")},
                        {"log entry", Text(consent, "entry")},
                        {"withdrawn by way of", Text(withdrawal, "channel")},
                        {"log entry of that", Text(withdrawal, "entry")}});
  return Exit::kOk;
}

Outcome<Exit> GiveConsent(const ConsentOptions& options, Console& console) {
  json body = {
      {"purpose", options.purpose},
      {"channel", options.channel},
      {"evidence", options.evidence},
      {"text",
       {{"name", options.text}, {"version", options.version}, {"language", options.language}}}};
  if (!options.authority.empty()) body["authority"] = options.authority;
  if (options.of_age || options.under_age) body["of_age"] = options.of_age;
  if (!options.given.empty()) {
    COFFER_ASSIGN(body["given"], NormalisedTime(options.given, "--given"));
  }
  if (!options.expires.empty()) {
    COFFER_ASSIGN(body["expires"], NormalisedTime(options.expires, "--expires"));
  }
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json consent, client.Post(ConsentsOf(options.client), body.dump()));
  return ShowConsent(options, consent, console);
}

Outcome<Exit> ListConsents(const ConsentOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json answer, client.Get(ConsentsOf(options.client)));
  if (options.connection.json) {
    PrintJson(console, answer);
    return Exit::kOk;
  }
  Table table({"ID", "PURPOSE", "STATE", "TEXT", "GIVEN", "CHANNEL", "ENTRY"});
  for (const json& item : Member(answer, "items")) {
    table.Add({Text(item, "id"), Text(item, "purpose"), StandingOf(item), ShownOf(item),
               Text(item, "given"), Text(item, "channel"), Text(item, "entry")});
  }
  table.Print(console);
  return Exit::kOk;
}

Outcome<Exit> ShowOneConsent(const ConsentOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json consent,
                client.Get(ConsentsOf(options.client).Segment(options.consent)));
  return ShowConsent(options, consent, console);
}

Outcome<Exit> WithdrawConsent(const ConsentOptions& options, Console& console) {
  json body = json::object();
  if (!options.channel.empty()) body["channel"] = options.channel;
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  const Target target = ConsentsOf(options.client).Segment(options.consent).Segment("withdrawal");
  COFFER_ASSIGN(const json consent, client.Post(target, body.dump()));
  return ShowConsent(options, consent, console);
}

// As others read them. Nothing is asked for that could not be written.
Outcome<Exit> ExportConsents(const ConsentOptions& options, Console& console) {
  std::unique_ptr<NewFile> file;
  if (!options.out.empty()) {
    COFFER_ASSIGN(file, NewFile::Create(options.out));
  }
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json consents, client.Get(ConsentsOf(options.client)));
  COFFER_ASSIGN(const json purposes, client.Get(Target("/v1/purposes")));
  const json& items = Member(consents, "items");
  const json records = ConsentRecords(items, Member(purposes, "items"));
  if (!file) {
    PrintJson(console, records);
    if (items.empty()) console.err << "The client agreed to nothing: there is no record.\n";
    return Exit::kOk;
  }
  COFFER_TRY(file->Write(records.dump(2) + "\n"));
  COFFER_TRY(file->Finish());
  if (options.connection.json) {
    PrintJson(console,
              {{"client", options.client}, {"records", items.size()}, {"out", options.out}});
  } else {
    console.out << Grouped(items.size()) << " consent records are in " << Printable(options.out)
                << ".\n";
  }
  return Exit::kOk;
}

CLI::App* AddOnText(CLI::App& group, ConsentTextOptions& options, const char* name,
                    const char* help) {
  CLI::App* command = group.add_subcommand(name, help);
  command->add_option("name", options.name, "Name of the text: small letters, digits, hyphens")
      ->type_name("NAME")
      ->required();
  return command;
}

void AddConsentTexts(CLI::App& consent, Command& chosen) {
  CLI::App* group = consent.add_subcommand("text", "Register what people are asked to agree to");
  group->require_subcommand(1);
  {
    auto options = std::make_shared<ConsentTextOptions>();
    CLI::App* command = AddOnText(*group, *options, "put", "Store a further version of a text");
    command
        ->add_option("wordings", options->wordings,
                     "A language, and the file with the text to the byte as it is shown")
        ->type_name("LANGUAGE=FILE")
        ->required();
    command
        ->add_option("--minimum-age", options->minimum_age,
                     "In years; each consent then says whether the client is as old")
        ->type_name("YEARS");
    command
        ->add_option("--shown-since", options->shown_since,
                     "Where people were shown it before it is registered")
        ->type_name("TIME");
    command->footer(
        "Example:\n  coffer consent text put newsletter en=newsletter.en.txt "
        "de=newsletter.de.txt");
    RunOnline(*command, chosen, options, PutConsentText);
  }
  {
    auto options = std::make_shared<ConsentTextOptions>();
    CLI::App* command = group->add_subcommand("list", "Show all versions of all texts");
    command->footer("Example:\n  coffer consent text list");
    RunOnline(*command, chosen, options, ListConsentTexts);
  }
  auto options = std::make_shared<ConsentTextOptions>();
  CLI::App* command = AddOnText(*group, *options, "show", "Show a text in its languages");
  command->add_option("--version", options->version, "Instead of the newest")->type_name("NUMBER");
  command->add_option("--language", options->language, "Only this one")->type_name("LANGUAGE");
  command->footer("Example:\n  coffer consent text show newsletter --language en");
  RunOnline(*command, chosen, options, ShowConsentText);
}

CLI::App* AddOnConsents(CLI::App& group, ConsentOptions& options, const char* name,
                        const char* help) {
  CLI::App* command = group.add_subcommand(name, help);
  command->add_option("client", options.client, "Client id (cli_...)")
      ->type_name("CLIENT")
      ->required();
  return command;
}

CLI::App* AddOnConsent(CLI::App& group, ConsentOptions& options, const char* name,
                       const char* help) {
  CLI::App* command = AddOnConsents(group, options, name, help);
  command->add_option("consent", options.consent, "Consent id (con_...)")
      ->type_name("CONSENT")
      ->required();
  return command;
}

CLI::Option* AddChannel(CLI::App& command, ConsentOptions& options) {
  return command
      .add_option("--channel", options.channel,
                  "How: app, email, in-person, message, paper, phone or website")
      ->type_name("CHANNEL");
}

void AddGiveConsent(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<ConsentOptions>();
  CLI::App* command = AddOnConsents(group, *options, "give", "Record that a client agreed");
  command->add_option("code", options->purpose, "Purpose that the client agreed to")
      ->type_name("CODE")
      ->required();
  command->add_option("--text", options->text, "Name of the text that was shown")
      ->type_name("NAME")
      ->required();
  command->add_option("--version", options->version, "Its version")
      ->type_name("NUMBER")
      ->required();
  command->add_option("--language", options->language, "The language in which it was shown")
      ->type_name("LANGUAGE")
      ->required();
  AddChannel(*command, *options)->required();
  command
      ->add_option("--evidence", options->evidence,
                   "Where the evidence is, in words; they are not in the log")
      ->type_name("TEXT")
      ->required();
  command
      ->add_option("--authority", options->authority,
                   "Where somebody agreed in the client's name: who, and by what authority")
      ->type_name("TEXT");
  command->add_option("--given", options->given, "When; now, where it is not said")
      ->type_name("TIME");
  command->add_option("--expires", options->expires, "Until when it stands")->type_name("TIME");
  CLI::Option* const of_age =
      command->add_flag("--of-age", options->of_age, "The client is as old as the text asks");
  command
      ->add_flag("--under-age", options->under_age,
                 "The client is not, and a representative agreed")
      ->excludes(of_age);
  command->footer(
      "Example:\n  coffer consent give cli_... marketing --text newsletter --version 1 \\\n"
      "    --language en --channel paper --evidence \"form of 3 May, folder 12\"");
  RunOnline(*command, chosen, options, GiveConsent);
}

}  // namespace

void AddConsentCommands(CLI::App& app, Command& chosen) {
  CLI::App* group =
      app.add_subcommand("consent", "Record what clients agree to, and what they take back");
  group->require_subcommand(1);
  AddConsentTexts(*group, chosen);
  AddGiveConsent(*group, chosen);
  {
    auto options = std::make_shared<ConsentOptions>();
    CLI::App* command = AddOnConsents(*group, *options, "list",
                                      "Show what a client agreed to; withdrawn and expired too");
    command->footer("Example:\n  coffer consent list cli_...");
    RunOnline(*command, chosen, options, ListConsents);
  }
  {
    auto options = std::make_shared<ConsentOptions>();
    CLI::App* command =
        AddOnConsent(*group, *options, "show", "Show what was agreed, when, to which text");
    command->footer("Example:\n  coffer consent show cli_... con_...");
    RunOnline(*command, chosen, options, ShowOneConsent);
  }
  {
    auto options = std::make_shared<ConsentOptions>();
    CLI::App* command = AddOnConsents(
        *group, *options, "export", "Write what a client agreed to as consent records for others");
    command->add_option("--out", options->out, "New file; standard output, where it is not said")
        ->type_name("FILE");
    command->footer(
        "ISO/IEC TS 27560 as JSON-LD. The client is named by the SHA-256 of its id.\n\n"
        "Example:\n  coffer consent export cli_... --out consents.jsonld");
    RunOnline(*command, chosen, options, ExportConsents);
  }
  auto options = std::make_shared<ConsentOptions>();
  CLI::App* command =
      AddOnConsent(*group, *options, "withdraw",
                   "Withdraw a consent, and with it all that the client gave to the same purpose");
  AddChannel(*command, *options);
  command->footer(
      "It counts from the next request on.\n\n"
      "Example:\n  coffer consent withdraw cli_... con_... --channel email");
  RunOnline(*command, chosen, options, WithdrawConsent);
}

}  // namespace coffer::cli
