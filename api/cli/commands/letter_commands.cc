// coffer letter: letters to persons who ask for something, from templates.
#include <CLI/CLI.hpp>
#include <array>
#include <ctime>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "api/cli/commands/commands.h"
#include "api/cli/commands/run_with.h"
#include "api/cli/files/new_directory.h"
#include "api/cli/files/private_file.h"
#include "api/cli/text/json_output.h"
#include "api/cli/text/json_view.h"
#include "api/cli/text/letter.h"
#include "api/cli/text/mustache.h"
#include "audit/text/clock.h"
#include "crypto/encoding.h"
#include "crypto/hash.h"

namespace coffer::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t kMaxLetterValues = 64 * 1024;

struct LetterOptions {
  ConnectionOptions connection;
  std::string name, language = "en", templates, request, values, format = "text", out, directory;
  std::vector<std::string> said;
  bool json = false;
};

std::string FileNameOf(std::string_view name, std::string_view language) {
  return std::string(name) + "." + std::string(language) + ".txt";
}

// However an editor ends its lines.
Outcome<std::string> ReadTemplateFile(const std::string& path) {
  COFFER_ASSIGN(std::string text, ReadInputFile(path, kMaxTemplateBytes));
  if (text.starts_with("\xef\xbb\xbf")) text.erase(0, 3);
  for (auto at = text.find("\r\n"); at != text.npos; at = text.find("\r\n", at)) text.erase(at, 1);
  return text;
}

Outcome<std::string> LetterTemplateText(const LetterOptions& options) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  if (!std::ranges::all_of(options.name, is_plain)) {
    return Failed(Exit::kUsage, "A letter's name is of a-z, 0-9 and '-'.");
  }
  if (!options.templates.empty()) {
    return ReadTemplateFile(options.templates + "/" + FileNameOf(options.name, options.language));
  }
  const LetterTemplate* const found = FindBuiltInLetter(options.name, options.language);
  if (found == nullptr) {
    return Failed(Exit::kUsage,
                  "There is no letter \"" + options.name + "\" in \"" + options.language + "\".",
                  "coffer letter list shows those that there are.");
  }
  return std::string(found->text);
}

Outcome<Exit> ListLetters(const LetterOptions& options, Console& console) {
  json items = json::array();
  for (const LetterTemplate& letter : BuiltInLetters()) {
    items.push_back({{"letter", letter.name}, {"language", letter.language}});
  }
  if (options.json) {
    PrintJson(console, {{"items", items}});
    return Exit::kOk;
  }
  Table table({"LETTER", "LANGUAGE"});
  for (const json& item : items) table.Add({Text(item, "letter"), Text(item, "language")});
  table.Print(console);
  return Exit::kOk;
}

Outcome<Exit> ShowLetter(const LetterOptions& options, Console& console) {
  COFFER_ASSIGN(const std::string text, LetterTemplateText(options));
  if (options.json) {
    PrintJson(console,
              {{"letter", options.name}, {"language", options.language}, {"template", text}});
  } else {
    console.out << PrintableLines(text);
  }
  return Exit::kOk;
}

Outcome<Exit> ExportLetters(const LetterOptions& options, Console& console) {
  COFFER_ASSIGN(const auto directory, NewDirectory::Create(options.directory));
  for (const LetterTemplate& letter : BuiltInLetters()) {
    COFFER_TRY(WriteNewFile(directory->hidden() + "/" + FileNameOf(letter.name, letter.language),
                            letter.text));
  }
  COFFER_TRY(directory->Finish());
  const std::size_t count = BuiltInLetters().size();
  if (options.json) {
    PrintJson(console, {{"templates", count}, {"out", options.directory}});
  } else {
    console.out << count << " templates are in " << Printable(options.directory)
                << ". After an edit: coffer letter check " << Printable(options.directory) << '\n';
  }
  return Exit::kOk;
}

Outcome<json> SaidIn(const LetterOptions& options) {
  json said = json::object();
  if (!options.values.empty()) {
    COFFER_ASSIGN(const std::string text, ReadInputFile(options.values, kMaxLetterValues));
    said = json::parse(text, nullptr, false);
    if (!said.is_object()) {
      return Failed(Exit::kUsage, options.values + " is no JSON object of names and texts");
    }
  }
  for (const std::string& one : options.said) {
    const auto equals = one.find('=');
    if (equals == one.npos || equals == 0) {
      return Failed(Exit::kUsage, "\"" + one + "\" is no NAME=TEXT",
                    "Example: --set addressee='Maria Muster'");
    }
    said[one.substr(0, equals)] = one.substr(equals + 1);
  }
  return said;
}

// What is wrong with a template; empty: nothing.
std::string FaultOf(const fs::path& file, const json& said) {
  const std::string name = file.filename().string();
  std::string_view language = std::string_view(name).substr(0, name.size() - 4);
  language.remove_prefix(std::min(language.find('.') + 1, language.size()));
  if (std::ranges::find(kLetterLanguages, language) == std::end(kLetterLanguages)) {
    return "its name is not LETTER.LANGUAGE.txt with en, de, ru or zh";
  }
  std::error_code error;
  if (!fs::is_regular_file(file, error)) return "it is no file";
  const auto text = ReadTemplateFile(file.string());
  if (!text) return text.error().message;
  const auto whole = CheckLetterTemplate(*text, language, said);
  return whole ? "" : whole.error().message;
}

Outcome<Exit> CheckLetters(const LetterOptions& options, Console& console) {
  COFFER_ASSIGN(const json said, SaidIn(options));
  std::error_code error;
  std::vector<fs::path> files;
  for (fs::directory_iterator at(options.directory, error), end; !error && at != end;
       at.increment(error)) {
    if (at->path().extension() == ".txt") files.push_back(at->path());
  }
  if (error) {
    return Failed(Exit::kUsage, "cannot read " + options.directory + ": " + error.message());
  }
  if (files.empty()) {
    return Failed(Exit::kFailed, options.directory + " has no template (LETTER.LANGUAGE.txt)");
  }
  std::ranges::sort(files);
  json faults = json::array();
  for (const fs::path& file : files) {
    if (const std::string fault = FaultOf(file, said); !fault.empty()) {
      faults.push_back({{"file", file.filename().string()}, {"fault", fault}});
    }
  }
  if (options.json) {
    PrintJson(console, {{"templates", files.size()}, {"faults", faults}});
  } else {
    for (const json& fault : faults) {
      console.out << Printable(Text(fault, "file") + ": " + Text(fault, "fault")) << '\n';
    }
    console.out << files.size() << " templates, " << faults.size() << " with a fault\n";
  }
  return faults.empty() ? Exit::kOk : Exit::kFailed;
}

// Here, where the letter is written.
Outcome<std::string> LocalDayOf(const std::string& time) {
  const auto parsed = audit::ParseTimestamp(time, true);
  if (!parsed) return Failed(Exit::kFailed, "the server's answer has no time where one belongs");
  const std::time_t seconds = parsed->ms / 1000;
  std::tm local{};
  localtime_r(&seconds, &local);
  std::array<char, 16> day{};
  const std::size_t size = std::strftime(day.data(), day.size(), "%Y-%m-%d", &local);
  return std::string(day.data(), size);
}

// What was written is named by its hash, so that the step can refer to it.
Outcome<Exit> WriteLetter(const LetterOptions& options, Console& console) {
  COFFER_ASSIGN(const std::string text, LetterTemplateText(options));
  COFFER_ASSIGN(const json said, SaidIn(options));
  COFFER_ASSIGN(const auto file, NewFile::Create(options.out));
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json request, client.Get(Target("/v1/requests").Segment(options.request)));
  COFFER_ASSIGN(const json regime,
                client.Get(Target("/v1/regimes").Segment(Text(request, "regime"))));
  COFFER_ASSIGN(const auto names, NamesInTemplate(text));
  for (const std::string& one : options.said) {
    const std::string name = one.substr(0, one.find('='));
    if (!names.contains(name) && !names.contains("has_" + name)) {
      return Failed(Exit::kUsage, "The letter has no place for \"" + name + "\".",
                    "coffer letter show " + options.name + " has its names.");
    }
  }
  json holds = json::array();
  for (const std::string& hold : TextList(request, "holds")) {
    if (!names.contains("holds") && options.name != "hold-certificate") break;
    COFFER_ASSIGN(const json one, client.Get(Target("/v1/holds").Segment(hold)));
    COFFER_ASSIGN(const std::string review, LocalDayOf(Text(one, "review_due")));
    holds.push_back({{"review", review}});
  }
  COFFER_ASSIGN(const std::string today,
                LocalDayOf(audit::FormatTimestamp(audit::SystemClock().Now())));
  COFFER_ASSIGN(const json values,
                LetterValues(request, regime, holds, options.language, today, said));
  COFFER_TRY(CheckLetterFits(options.name, request, values));
  auto letter = RenderTextMustache(text, values);
  if (!letter) {
    letter.error().advice = "Say it with --set NAME=TEXT, or take the step that says it first.";
    return std::unexpected(letter.error());
  }
  if (options.format == "html") {
    COFFER_ASSIGN(letter, LetterPage(*letter, options.language, Text(request, "id")));
  }
  COFFER_TRY(file->Write(*letter));
  COFFER_TRY(file->Finish());
  const std::string sha256 = crypto::HexEncode(crypto::Sha256(crypto::AsBytes(*letter)));
  const std::string reference = options.name + "." + options.language + " sha256:" + sha256;
  if (options.connection.json) {
    PrintJson(console, {{"letter", options.name},
                        {"language", options.language},
                        {"request", options.request},
                        {"sha256", sha256},
                        {"reference", reference},
                        {"out", options.out}});
    return Exit::kOk;
  }
  PrintFields(console, {{"letter", options.name + " in " + options.language},
                        {"of request", options.request},
                        {"written to", options.out},
                        {"reference", reference}});
  return Exit::kOk;
}

CLI::App* AddNamed(CLI::App& group, LetterOptions& options, const char* name, const char* help) {
  CLI::App* command = group.add_subcommand(name, help);
  command->add_option("name", options.name, "Name of the letter: coffer letter list shows them")
      ->type_name("LETTER")
      ->required();
  return command;
}

void AddTemplateOptions(CLI::App& command, LetterOptions& options) {
  command.add_option("--language", options.language, "en, de, ru or zh")
      ->type_name("LANGUAGE")
      ->check(CLI::IsMember({"en", "de", "ru", "zh"}))
      ->capture_default_str();
  command
      .add_option("--templates", options.templates,
                  "Directory with templates of yours, LETTER.LANGUAGE.txt")
      ->type_name("DIR");
}

CLI::App* AddInDirectory(CLI::App& group, LetterOptions& options, const char* name,
                         const char* help, const char* what) {
  CLI::App* command = group.add_subcommand(name, help);
  command->add_option("directory", options.directory, what)->type_name("DIR")->required();
  command->add_flag("--json", options.json, "Print JSON");
  return command;
}

void AddValueOptions(CLI::App& command, LetterOptions& options) {
  command
      .add_option("--set", options.said,
                  "A value that the template asks for and the request does not say; repeatable")
      ->type_name("NAME=TEXT");
  command.add_option("--values", options.values, "JSON file with such values, as of a letterhead")
      ->type_name("FILE");
}

void AddWriteLetter(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<LetterOptions>();
  CLI::App* command = group.add_subcommand("write", "Write a letter about a request");
  command->add_option("request", options->request, "Request id (req_...)")
      ->type_name("REQUEST")
      ->required();
  command->add_option("name", options->name, "Name of the letter: coffer letter list shows them")
      ->type_name("LETTER")
      ->required();
  AddTemplateOptions(*command, *options);
  AddValueOptions(*command, *options);
  command->add_option("--format", options->format, "text, or html: a page to be printed")
      ->check(CLI::IsMember({"text", "html"}))
      ->capture_default_str();
  command->add_option("--out", options->out, "New file")->type_name("FILE")->required();
  command->footer(
      "It sends nothing. The reference that it prints is for --letter of the step.\n\n"
      "Example:\n  coffer letter write req_... acknowledgement --language de \\\n"
      "    --values letterhead.json --set addressee='Maria Muster' --out letter.txt");
  RunOnline(*command, chosen, options, WriteLetter);
}

}  // namespace

void AddLetterCommands(CLI::App& app, Command& chosen) {
  CLI::App* group =
      app.add_subcommand("letter", "Letters to persons who ask for something, from templates");
  group->require_subcommand(1);
  {
    auto options = std::make_shared<LetterOptions>();
    CLI::App* command = group->add_subcommand("list", "Show the letters that come with the tool");
    command->add_flag("--json", options->json, "Print JSON");
    command->footer("Example:\n  coffer letter list");
    RunWith(*command, chosen, options, ListLetters);
  }
  {
    auto options = std::make_shared<LetterOptions>();
    CLI::App* command = AddNamed(*group, *options, "show", "Show the template of a letter");
    AddTemplateOptions(*command, *options);
    command->add_flag("--json", options->json, "Print JSON");
    command->footer("Example:\n  coffer letter show refusal --language de");
    RunWith(*command, chosen, options, ShowLetter);
  }
  {
    auto options = std::make_shared<LetterOptions>();
    CLI::App* command = AddInDirectory(*group, *options, "export",
                                       "Write all templates, to be edited", "New directory");
    command->footer("Example:\n  coffer letter export our-letters");
    RunWith(*command, chosen, options, ExportLetters);
  }
  {
    auto options = std::make_shared<LetterOptions>();
    CLI::App* command =
        AddInDirectory(*group, *options, "check", "Tell which templates of a directory have faults",
                       "Directory with LETTER.LANGUAGE.txt");
    AddValueOptions(*command, *options);
    command->footer("Example:\n  coffer letter check our-letters");
    RunWith(*command, chosen, options, CheckLetters);
  }
  AddWriteLetter(*group, chosen);
}

}  // namespace coffer::cli
