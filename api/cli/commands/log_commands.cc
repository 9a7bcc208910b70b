// coffer log: who did what, when and why.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "api/cli/client/class_titles.h"
#include "api/cli/client/client_lookup.h"
#include "api/cli/client/connection.h"
#include "api/cli/commands/commands.h"
#include "api/cli/files/private_file.h"
#include "api/cli/text/json_output.h"
#include "api/cli/text/json_view.h"
#include "api/cli/verify/log_reading.h"
#include "api/cli/verify/remote_log.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

struct LogOptions {
  ConnectionOptions connection;
  LogReadingOptions reading;
  bool csv = false;
};

struct SequenceOptions {
  ConnectionOptions connection;
  std::uint64_t seq = 0;
  std::string out;
  bool raw = false;
};

struct SummaryOptions {
  ConnectionOptions connection;
  LogFilterOptions filter;
  std::string by = "action", per = "day";
};

struct ExportOptions {
  ConnectionOptions connection;
  std::string out;
};

// The client's id in the place of its external reference.
Outcome<void> ResolveReference(ApiClient& client, const ConnectionOptions& connection,
                               LogFilterOptions& filter) {
  if (filter.client_ref.empty()) return {};
  if (connection.purpose.empty()) {
    return Failed(Exit::kUsage, "a client is not looked up without a purpose",
                  "Say what it is needed for with --stated-purpose CODE, or give its id.");
  }
  COFFER_ASSIGN(filter.client, ResolveClient(client, filter.client_ref, true));
  return {};
}

void AddStatedPurpose(CLI::App& command, ConnectionOptions& connection) {
  command
      .add_option("--stated-purpose", connection.purpose,
                  "What clients' external references are needed for: with it those that your role\n"
                  "may see are shown, each of which is logged")
      ->type_name("CODE");
}

Outcome<Exit> Show(const LogOptions& options, Console& console) {
  LogReadingOptions reading = options.reading;
  COFFER_ASSIGN(reading.filter, Normalised(reading.filter));
  if (options.connection.json) reading.form = LogForm::kJson;
  if (options.csv) reading.form = LogForm::kCsv;
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_TRY(ResolveReference(client, options.connection, reading.filter));
  COFFER_TRY(reading.follow ? FollowLog(client, reading, console)
                            : ShowLog(client, reading, console));
  return Exit::kOk;
}

Outcome<Exit> Summarise(const SummaryOptions& options, Console& console) {
  COFFER_ASSIGN(LogFilterOptions filter, Normalised(options.filter));
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_TRY(ResolveReference(client, options.connection, filter));
  Target target("/v1/log/summary");
  AddFilter(target, filter);
  target.With("by", options.by).With("per", options.per);
  COFFER_ASSIGN(const json answer, client.Get(target));
  if (options.connection.json) {
    PrintJson(console, answer);
    return Exit::kOk;
  }
  const json& items = Member(answer, "items");
  if (items.empty()) {
    console.out << "No entry matches. All that was asked for is known to the vault or its log.\n";
    return Exit::kOk;
  }
  Table table({"FROM", "VALUE", "ENTRIES", "REQUESTS", "RECORDS", "CLIENTS"});
  for (const json& item : items) {
    table.Add({Text(item, "from"), Text(item, "value"), Text(item, "count"), Text(item, "requests"),
               Text(item, "records"), Text(item, "clients")});
  }
  table.Print(console);
  console.out << "Entries: each request's own, and those of what it was about. Requests, records "
                 "and clients:\nhow many different ones these name; of different rows they may be "
                 "the same.\n";
  return Exit::kOk;
}

Target EntryTarget(std::uint64_t seq) {
  return Target("/v1/log/entries").Segment(std::to_string(seq));
}

// Where a document goes; null: to standard output.
Outcome<std::unique_ptr<NewFile>> PlaceDocument(const std::string& path) {
  if (path.empty()) return std::unique_ptr<NewFile>();
  return NewFile::Create(path);
}

Outcome<void> Deliver(NewFile* file, const std::string& text, Console& console) {
  if (file != nullptr) {
    COFFER_TRY(file->Write(text));
    return file->Finish();
  }
  console.out << (console.out_is_terminal ? PrintableLines(text) : text);
  return {};
}

Outcome<std::string> FetchText(ApiClient& client, const Target& target) {
  HttpRequest request;
  request.target = target.text();
  request.headers = {{"Accept", "text/plain"}};
  COFFER_ASSIGN(HttpReply reply, client.Send(std::move(request)));
  return std::move(reply.body);
}

// The entry as it is hashed, which its JSON after a parser need not be.
Outcome<Exit> PrintRaw(ApiClient& client, const SequenceOptions& options, Console& console) {
  LogQuery query;
  query.oldest_first = true;
  query.start = options.seq;
  query.limit = 1;
  COFFER_ASSIGN(const EntriesPage page, ReadEntriesPage(client, query));
  if (options.seq >= page.size || page.entries.empty()) {
    return Failed(Exit::kFailed, "the log has no entry " + std::to_string(options.seq));
  }
  COFFER_TRY(Deliver(nullptr, page.entries.front() + "\n", console));
  return Exit::kOk;
}

Outcome<Exit> ShowEntry(const SequenceOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  if (options.raw) return PrintRaw(client, options, console);
  COFFER_ASSIGN(const json answer, client.Get(EntryTarget(options.seq)));
  if (options.connection.json) {
    PrintJson(console, answer);
    return Exit::kOk;
  }
  std::vector<std::pair<std::string, std::string>> fields;
  const json& entry = Member(answer, "entry");
  if (entry.is_object()) {
    const std::string class_name = Text(entry, "class");
    const ClassTitles titles = ClassTitles::Read(client, {class_name}, console);
    for (const auto& [name, value] : entry.items()) {
      fields.emplace_back(name, name == "class"    ? titles.Class(class_name)
                                : name == "fields" ? titles.Fields(class_name, value)
                                                   : TextOf(value));
    }
  }
  const json& note = Member(answer, "note");
  fields.emplace_back("reason given", Text(note, "text"));
  fields.emplace_back("salt of note_hash", Text(note, "salt"));
  PrintFields(console, fields);
  return Exit::kOk;
}

Outcome<Exit> FetchProof(const SequenceOptions& options, Console& console) {
  COFFER_ASSIGN(const auto file, PlaceDocument(options.out));
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const std::string proof,
                FetchText(client, EntryTarget(options.seq).Segment("proof")));
  COFFER_TRY(Deliver(file.get(), proof, console));
  return Exit::kOk;
}

Outcome<Exit> FetchCheckpoint(const ExportOptions& options, Console& console) {
  COFFER_ASSIGN(const auto file, PlaceDocument(options.out));
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const std::string note, ReadCheckpoint(client));
  COFFER_TRY(Deliver(file.get(), note, console));
  return Exit::kOk;
}

Failure FailureOfReading(const RemoteLog& log, const Error& error) {
  return log.failure().value_or(FailureOf(error, "cannot read the log"));
}

Outcome<std::uint64_t> WriteEntries(RemoteLog& log, NewFile& file) {
  const auto size = log.Size();
  if (!size) return std::unexpected(FailureOfReading(log, size.error()));
  std::optional<Failure> broken;
  std::uint64_t written = 0;
  const Status read =
      log.ReadEntries(0, *size, [&](std::uint64_t, std::string_view entry) -> Status {
        if (auto out = file.Write(std::string(entry) + "\n"); !out) {
          broken = std::move(out).error();
          return Fail(Code::kUnavailable, "file_not_written");
        }
        ++written;
        return {};
      });
  if (broken) return std::unexpected(*std::move(broken));
  if (!read) return std::unexpected(FailureOfReading(log, read.error()));
  if (written != *size) {
    return Failed(Exit::kDamaged,
                  "the server holds " + std::to_string(*size) + " entries and gave " +
                      std::to_string(written),
                  "Run coffer verify.");
  }
  return written;
}

// The checkpoint is fetched first: the entries read after it then are at least those it covers.
Outcome<Exit> ExportLog(const ExportOptions& options, Console& console) {
  COFFER_ASSIGN(const auto file, NewFile::Create(options.out));
  const std::string checkpoint_path = options.out + ".checkpoint";
  COFFER_ASSIGN(const auto checkpoint_file, NewFile::Create(checkpoint_path));
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const std::string checkpoint, ReadCheckpoint(client));
  std::uint64_t written = 0;
  {
    ProgressLine line(console);
    RemoteLog log(client, [&](std::uint64_t done, std::uint64_t size) {
      line.Show(Grouped(done) + " of " + Grouped(size) + " entries");
    });
    COFFER_ASSIGN(written, WriteEntries(log, *file));
  }
  COFFER_TRY(checkpoint_file->Write(checkpoint));
  COFFER_TRY(FinishAll({checkpoint_file.get(), file.get()}));
  console.out << Grouped(written) << " entries are in " << Printable(options.out)
              << ", the checkpoint in " << Printable(checkpoint_path) << ".\n";
  return Exit::kOk;
}

void AddFilterOptions(CLI::App& command, LogFilterOptions& filter) {
  static const char* const kGroup = "Filters";
  const auto add = [&](const char* name, std::string& value, const char* type, const char* help) {
    command.add_option(name, value, help)->type_name(type)->group(kGroup);
  };
  add("--client", filter.client, "ID", "Entries about this client");
  add("--record", filter.record, "ID", "Entries about this record");
  add("--client-ref", filter.client_ref, "REF",
      "Entries about the client with this external reference; needs --stated-purpose");
  command.get_option("--client-ref")->excludes(command.get_option("--client"));
  add("--actor", filter.actor, "WHO",
      "Entries of this user or service: a login, the name of a service or an id");
  add("--action", filter.action, "NAME", "Entries of this action, such as record.read");
  add("--class", filter.class_name, "NAME", "Entries about records of this class");
  add("--field", filter.field, "NAME", "Entries that name this field");
  // The purpose of reading the log is never asked for, so the word is free to filter by; where
  // clients are looked up too there is another.
  add("--purpose", filter.purpose, "CODE", "Entries with this purpose");
  add("--outcome", filter.outcome, "CODE", "Entries that ended so: ok, or the code of a problem");
  add("--rule", filter.rule, "NAME", "Entries that this rule or check decided");
  add("--address", filter.address, "ADDRESS", "Entries from this network address");
  add("--request", filter.request, "ID", "Entries of this request (Coffer-Request-Id)");
  add("--from", filter.from, "TIME", "Entries from this time on (RFC 3339, or a day)");
  add("--to", filter.to, "TIME", "Entries before this time");
  command.add_option("--decision", filter.decision, "Entries that allowed, or that denied")
      ->type_name("allow|deny")
      ->check(CLI::IsMember({"allow", "deny"}))
      ->group(kGroup);
}

void AddSummary(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<SummaryOptions>();
  CLI::App* command = group.add_subcommand("summary", "Count entries by time and by a member");
  AddFilterOptions(*command, options->filter);
  command
      ->add_option("--by", options->by,
                   "Member whose values are told apart: action, actor, address, class, decision,\n"
                   "outcome, purpose or rule")
      ->type_name("MEMBER")
      ->capture_default_str();
  command->add_option("--per", options->per, "Time that is counted together")
      ->type_name("hour|day")
      ->check(CLI::IsMember({"hour", "day"}))
      ->capture_default_str();
  AddStatedPurpose(*command, options->connection);
  AddConnectionOptions(*command, options->connection, PurposeUse::kNone);
  command->footer(
      "Example:\n  coffer log summary --decision deny --by rule --from 2026-01-01 --per hour");
  command->callback([options, &chosen] {
    chosen = [options](Console& console) { return Summarise(*options, console); };
  });
}

void AddSequenceArgument(CLI::App& command, SequenceOptions& options) {
  command.add_option("entry", options.seq, "Number of the entry, from 0")
      ->type_name("ENTRY")
      ->required();
}

void AddShow(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<SequenceOptions>();
  CLI::App* command = group.add_subcommand("show", "Show one entry and, to officers, its reason");
  AddSequenceArgument(*command, *options);
  command->add_flag("--raw", options->raw, "Print the entry's exact bytes, as they are hashed");
  AddConnectionOptions(*command, options->connection, PurposeUse::kNone);
  command->footer("Example:\n  coffer log show 4711 --raw > entry.json");
  command->callback([options, &chosen] {
    chosen = [options](Console& console) { return ShowEntry(*options, console); };
  });
}

void AddProof(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<SequenceOptions>();
  CLI::App* command = group.add_subcommand("proof", "Fetch the proof that an entry is in the log");
  AddSequenceArgument(*command, *options);
  command->add_option("--out", options->out, "New file for the proof")->type_name("FILE");
  AddConnectionOptions(*command, options->connection, PurposeUse::kNone);
  command->footer(
      "Example:\n  coffer log proof 4711 --out entry.proof\n"
      "  coffer verify --proof entry.proof --entry entry.json --log-key KEY");
  command->callback([options, &chosen] {
    chosen = [options](Console& console) { return FetchProof(*options, console); };
  });
}

void AddCheckpoint(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<ExportOptions>();
  CLI::App* command = group.add_subcommand("checkpoint", "Fetch the newest signed checkpoint");
  command->add_option("--out", options->out, "New file for the checkpoint")->type_name("FILE");
  AddConnectionOptions(*command, options->connection, PurposeUse::kNone);
  command->footer(
      "Kept elsewhere, a checkpoint shows later that nothing before it was changed:\n"
      "  coffer log checkpoint --out 2026-01.checkpoint\n"
      "  coffer verify --log-key KEY --checkpoint 2026-01.checkpoint");
  command->callback([options, &chosen] {
    chosen = [options](Console& console) { return FetchCheckpoint(*options, console); };
  });
}

void AddExport(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<ExportOptions>();
  CLI::App* command =
      group.add_subcommand("export", "Write all entries, and a checkpoint, to files");
  command
      ->add_option("--out", options->out,
                   "New file for the entries, one a line; the checkpoint goes to FILE.checkpoint")
      ->type_name("FILE")
      ->required();
  AddConnectionOptions(*command, options->connection, PurposeUse::kNone);
  command->footer(
      "Example:\n  coffer log export --out log.ndjson\n"
      "  coffer verify --entries log.ndjson --checkpoint log.ndjson.checkpoint "
      "--log-key KEY");
  command->callback([options, &chosen] {
    chosen = [options](Console& console) { return ExportLog(*options, console); };
  });
}

}  // namespace

void AddLogCommands(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<LogOptions>();
  CLI::App* group = app.add_subcommand("log", "Read the access log");
  group->require_subcommand(0, 1);
  AddFilterOptions(*group, options->reading.filter);
  group->add_option("--limit", options->reading.limit, "Show at most so many entries")
      ->type_name("N")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 53))
      ->capture_default_str();
  group->add_flag("--oldest-first", options->reading.oldest_first,
                  "Begin with the oldest entry instead of the newest");
  group->add_flag("--follow", options->reading.follow,
                  "Show new entries as they come; looks once a second, which is logged too");
  group->add_flag("--csv", options->csv, "Print comma-separated values for a spreadsheet");
  AddStatedPurpose(*group, options->connection);
  AddConnectionOptions(*group, options->connection, PurposeUse::kNone);
  group->get_option("--csv")->excludes(group->get_option("--json"));
  group->footer(
      "With --json the exact bytes of the entries are printed, one a line.\n\n"
      "Examples:\n  coffer log --client cli_... --from 2026-01-01\n"
      "  coffer log --actor bert\n"
      "  coffer log --decision deny --follow");
  AddSummary(*group, chosen);
  AddLogReaders(*group, chosen);
  AddShow(*group, chosen);
  AddProof(*group, chosen);
  AddCheckpoint(*group, chosen);
  AddExport(*group, chosen);
  group->callback([options, group, &chosen] {
    if (!group->get_subcommands().empty()) return;
    chosen = [options](Console& console) { return Show(*options, console); };
  });
}

}  // namespace coffer::cli
