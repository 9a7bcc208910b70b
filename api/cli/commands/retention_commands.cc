// coffer retention, coffer clock: how long records are kept, and what becomes of them then.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "api/cli/client/class_titles.h"
#include "api/cli/client/connection.h"
#include "api/cli/commands/commands.h"
#include "api/cli/commands/run_with.h"
#include "api/cli/files/private_file.h"
#include "api/cli/text/json_output.h"
#include "api/cli/text/json_view.h"
#include "audit/documents/page_language.h"
#include "vault/base/strict_json.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxScheduleFile = 1024 * 1024;
constexpr std::chrono::minutes kPreviewPatience{10};

struct RetentionOptions {
  ConnectionOptions connection;
  std::string file, run, until, version, language = "en";
  int months = 12;
  bool ids = false, page = false;
};

Outcome<Exit> ShowSchedule(const RetentionOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json answer,
                client.Get(Target("/v1/retention/schedule").With("version", options.version)));
  if (options.connection.json) {
    PrintJson(console, answer);
    return Exit::kOk;
  }
  PrintFields(console, {{"version", Text(answer, "version")}, {"since", Text(answer, "created")}});
  PrintHeading(console, "Schedule");
  PrintJson(console, Member(answer, "definition"));
  return Exit::kOk;
}

Outcome<Exit> PutSchedule(const RetentionOptions& options, Console& console) {
  COFFER_ASSIGN(std::string text, ReadInputFile(options.file, kMaxScheduleFile));
  if (const auto parsed = vault::ParseStrictJson(text); !parsed) {
    return Failed(Exit::kUsage,
                  FailureOf(parsed.error(), options.file + " is not usable JSON").message);
  }
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json answer, client.Put(Target("/v1/retention/schedule"), std::move(text)));
  if (options.connection.json) {
    PrintJson(console, answer);
  } else {
    console.out << Printable("retention schedule, version " + Text(answer, "version")) << '\n';
  }
  return Exit::kOk;
}

std::string PolicyOf(const json& count) {
  const std::string policy = Text(count, "policy");
  return policy.empty() ? "(the class keeps)" : policy;
}

std::uint64_t Sum(const json& numbers) {
  std::uint64_t sum = 0;
  for (const json& number : numbers) {
    if (number.is_number_unsigned()) sum += number.get<std::uint64_t>();
  }
  return sum;
}

Outcome<Exit> Preview(const RetentionOptions& options, Console& console) {
  json body = {{"months", options.months}};
  if (!options.until.empty()) body["until"] = options.until;
  if (options.ids) body["ids"] = true;
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json answer,
                client.Post(Target("/v1/retention/preview"), body.dump(), kPreviewPatience));
  if (options.connection.json) {
    PrintJson(console, answer);
    return Exit::kOk;
  }
  PrintFields(console, {{"schedule", "version " + Text(answer, "schedule")},
                        {"as of", Text(answer, "at")},
                        {"records", Text(answer, "records")},
                        {"due", Text(answer, "due")},
                        {"held", Text(answer, "held")}});
  const ClassTitles titles =
      ClassTitles::Read(client, ClassesOf(Member(answer, "counts")), console);
  PrintHeading(console, "Policies");
  Table table({"CLASS", "POLICY", "ACTION", "RECORDS", "KEPT", "NOT BEGUN", "UNKNOWN", "DUE",
               "HELD", "WITHIN " + std::to_string(options.months) + " MONTHS", "LATER"});
  for (const json& count : Member(answer, "counts")) {
    const std::string action = Text(count, "action");
    table.Add({titles.Class(Text(count, "class")), PolicyOf(count),
               action.empty() ? "keep" : action, Text(count, "records"), Text(count, "kept"),
               Text(count, "not_begun"), Text(count, "unknown"), Text(count, "due"),
               Text(count, "held"), std::to_string(Sum(Member(count, "by_month"))),
               Text(count, "later")});
  }
  table.Print(console);
  if (!options.ids) return Exit::kOk;
  PrintHeading(console, "Due");
  Table due({"RECORD", "CLIENT", "CLASS", "POLICY", "ACTION", "HELD"});
  for (const json& record : Member(answer, "listed")) {
    due.Add({Text(record, "record"), Text(record, "client"), Text(record, "class"),
             Text(record, "policy"), Text(record, "action"),
             record.value("held", false) ? "held" : ""});
  }
  due.Print(console);
  return Exit::kOk;
}

std::string Because(const json& run) {
  const std::string detail = Text(run, "detail");
  return Text(run, "reason") + (detail.empty() ? "" : " (" + detail + ")");
}

Outcome<Exit> ShowRun(const RetentionOptions& options, const json& run, Console& console) {
  if (options.connection.json) {
    PrintJson(console, run);
    return Exit::kOk;
  }
  PrintFields(console,
              {{"id", Text(run, "id")},
               {"state", Text(run, "state")},
               {"because", Because(run)},
               {"schedule", "version " + Text(run, "schedule")},
               {"asked by", Text(run, "asked_by")},
               {"started", Text(run, "started")},
               {"finished", Text(run, "finished")},
               {"due", Text(run, "due")},
               {"erased", Text(run, "erased")},
               {"restricted", Text(run, "restricted")},
               {"for review", Text(run, "for_review")},
               {"held", Text(run, "held")},
               {"failed", Text(run, "failed")},
               {"waiting", Text(run, "waiting")},
               {"not reached", run.value("counted", true) ? Text(run, "unreached") : "not known"},
               {"calendar ended", Text(run, "unknown")}});
  return Exit::kOk;
}

Outcome<Exit> StartRun(const RetentionOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json run, client.PostNothing(Target("/v1/retention/runs")));
  COFFER_TRY(ShowRun(options, run, console));
  if (!options.connection.json) {
    console.out << "It is under way:\n  coffer retention runs " << Printable(Text(run, "id"))
                << '\n';
  }
  return Exit::kOk;
}

Outcome<Exit> ShowRuns(const RetentionOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  if (!options.run.empty()) {
    COFFER_ASSIGN(const json run, client.Get(Target("/v1/retention/runs").Segment(options.run)));
    return ShowRun(options, run, console);
  }
  COFFER_ASSIGN(json answer, client.Get(Target("/v1/retention/runs")));
  if (options.connection.json) {
    answer["more"] = IsCut(answer);
    PrintJson(console, answer);
    return Exit::kOk;
  }
  Table table({"RUN", "STATE", "STARTED", "SCHEDULE", "DUE", "ERASED", "REVIEW", "HELD", "WAITING",
               "NOT REACHED", "FAILED"});
  for (const json& run : Member(answer, "items")) {
    table.Add({Text(run, "id"), Text(run, "state"), Text(run, "started"), Text(run, "schedule"),
               Text(run, "due"), Text(run, "erased"), Text(run, "for_review"), Text(run, "held"),
               Text(run, "waiting"),
               run.value("counted", true) ? Text(run, "unreached") : "not known",
               Text(run, "failed")});
  }
  table.Print(console);
  TellIfCut(console, answer);
  return Exit::kOk;
}

Outcome<Exit> FetchReport(const RetentionOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const auto file, NewFile::Create(options.file));
  Target target = Target("/v1/retention/runs").Segment(options.run).Segment("report");
  if (options.page) target.With("format", "html").With("language", options.language);
  HttpRequest request;
  request.method = "GET";
  request.target = target.text();
  COFFER_ASSIGN(const HttpReply reply, client.Send(std::move(request)));
  COFFER_TRY(file->Write(reply.body));
  COFFER_TRY(file->Finish());
  console.out << "The report is in " << Printable(options.file);
  if (!options.page) {
    console.out << "; it is checked with\n  coffer verify --run-report " << Printable(options.file)
                << " --log-key KEY";
  }
  console.out << '\n';
  return Exit::kOk;
}

Outcome<Exit> ConfirmClock(const RetentionOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  HttpRequest request;
  request.method = "POST";
  request.target = "/v1/retention/clock";
  COFFER_TRY(client.Send(std::move(request)));
  console.out << "The clock is confirmed. Retention goes on.\n";
  return Exit::kOk;
}

void AddSchedule(CLI::App& group, Command& chosen) {
  CLI::App* schedule = group.add_subcommand("schedule", "Show the schedule, or put one in force");
  schedule->require_subcommand(1);
  {
    auto options = std::make_shared<RetentionOptions>();
    CLI::App* command = schedule->add_subcommand("show", "Show the schedule");
    command->add_option("--version", options->version, "An older version")->type_name("N");
    command->footer("Example:\n  coffer retention schedule show");
    RunOnline(*command, chosen, options, ShowSchedule);
  }
  auto options = std::make_shared<RetentionOptions>();
  CLI::App* command = schedule->add_subcommand("put", "Put a schedule in force");
  command->add_option("file", options->file, "File that holds it")
      ->type_name("FILE.json")
      ->required();
  command->footer(
      "Two people decide it: coffer approval request schedule. Example:\n"
      "  coffer retention schedule put schedule.json --approval apr_...");
  RunOnline(*command, chosen, options, PutSchedule);
}

void AddPreview(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<RetentionOptions>();
  CLI::App* command =
      group.add_subcommand("preview", "Show what the schedule will do; nothing is changed");
  command->add_option("--until", options->until, "What will be due by then (RFC 3339)")
      ->type_name("TIME");
  command->add_option("--months", options->months, "Months to forecast")
      ->type_name("N")
      ->check(CLI::Range(0, 600))
      ->capture_default_str();
  command->add_flag("--ids", options->ids, "List the first 1000 records that are due");
  command->footer("Example:\n  coffer retention preview --months 24");
  RunOnline(*command, chosen, options, Preview);
}

void AddReport(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<RetentionOptions>();
  CLI::App* command = group.add_subcommand("report", "Fetch the signed report of a run");
  command->add_option("run", options->run, "Run id (run_...)")->type_name("ID")->required();
  command->add_option("file", options->file, "New file for it")->type_name("FILE")->required();
  command->add_flag("--page", options->page, "A page for reading instead of the document");
  command->add_option("--language", options->language, "Of the page")
      ->type_name("LANG")
      ->check(CLI::IsMember(audit::PageLanguageNames()))
      ->capture_default_str();
  command->footer("Example:\n  coffer retention report run_... run.json");
  RunOnline(*command, chosen, options, FetchReport);
}

}  // namespace

void AddRetentionCommands(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("retention", "Keep records as long as the schedule says");
  group->require_subcommand(1);
  AddSchedule(*group, chosen);
  AddPreview(*group, chosen);
  {
    auto options = std::make_shared<RetentionOptions>();
    CLI::App* command = group->add_subcommand("run", "Erase now what is due");
    command->footer("Example:\n  coffer retention run --reason \"before the audit\"");
    RunOnline(*command, chosen, options, StartRun);
  }
  {
    auto options = std::make_shared<RetentionOptions>();
    CLI::App* command = group->add_subcommand("runs", "Show the runs, or one of them");
    command->add_option("run", options->run, "Run id (run_...)")->type_name("ID");
    command->footer("Example:\n  coffer retention runs");
    RunOnline(*command, chosen, options, ShowRuns);
  }
  AddReport(*group, chosen);
}

void AddClockCommands(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("clock", "Say that the server's clock is right");
  group->require_subcommand(1);
  auto options = std::make_shared<RetentionOptions>();
  CLI::App* command =
      group->add_subcommand("confirm", "Confirm the clock after it jumped; retention waits for it");
  command->footer(
      "Two people decide it, on the same day: coffer approval request confirm-clock. Example:\n"
      "  coffer clock confirm --approval apr_...");
  RunOnline(*command, chosen, options, ConfirmClock);
}

}  // namespace coffer::cli
