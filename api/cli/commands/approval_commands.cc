// coffer approval: what two people decide.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "api/cli/commands/commands.h"
#include "api/cli/commands/run_with.h"
#include "api/cli/files/private_file.h"
#include "api/cli/text/approval_view.h"
#include "api/cli/text/json_output.h"
#include "api/cli/text/json_view.h"
#include "vault/base/calendar.h"
#include "vault/base/strict_json.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxRole = 512 * 1024;
constexpr std::size_t kMaxSchedule = 1024 * 1024;

struct ApprovalOptions {
  ConnectionOptions connection;
  std::string id, target, role, by, owner, file, class_name, basis;
  std::vector<std::string> certificates, classes, records;
  bool enable = false, disable = false;
};

std::string WhatIsDone(const json& approval) {
  const std::string action = Text(approval, "action");
  if (action == "client.erase") return "erase a client and all its records for ever";
  if (action == "record.erase") return "erase a part of a client's records for ever";
  if (action == "client.export") return "export clients with their records, unencrypted";
  if (action == "hold.lift") return "lift a hold: what it covers can be erased again";
  if (action == "retention.write") return "change what is erased by itself, and when";
  if (action == "clock.confirm") return "confirm the clock, so that retention goes on by it";
  if (action == "role.give") return "give a role";
  if (action == "role.write") return "change what a role allows";
  return action;
}

// Exactly what will be done: whoever approves it answers for that.
void DescribeApproval(Console& console, const json& approval) {
  PrintFields(console, {{"id", Text(approval, "id")},
                        {"state", Text(approval, "state")},
                        {"to be done", WhatIsDone(approval)},
                        {"action", Text(approval, "action")},
                        {"target", Text(approval, "target")},
                        {"requested by", Text(approval, "requester")},
                        {"who is", WhoAsked(Member(approval, "question"))},
                        {"ticket", Text(Member(approval, "question"), "ticket")},
                        {"reason", Text(Member(approval, "question"), "reason")},
                        {"created", Text(approval, "created")},
                        {"expires", Text(approval, "expires")},
                        {"decided by", Text(approval, "decider")},
                        {"decided", Text(approval, "decided")},
                        {"done", Text(approval, "executed")},
                        {"ended", Text(approval, "ended")},
                        {"because", Text(approval, "end")},
                        {"withdrawn by", Text(approval, "ended_by")},
                        {"hash", Text(approval, "hash")}});
  const json& content = Member(approval, "content");
  if (!content.is_null()) {
    PrintHeading(console, "Content");
    PrintJson(console, content);
  }
  DescribePreview(console, Member(approval, "preview"));
  const json& account = Member(approval, "account");
  if (account.is_null()) return;
  PrintHeading(console, "The account, and the ways into it, as they are now");
  PrintJson(console, account);
}

Outcome<Exit> ShowApprovalOf(const ApprovalOptions& options, const json& approval,
                             Console& console) {
  if (options.connection.json) {
    PrintJson(console, approval);
  } else {
    DescribeApproval(console, approval);
  }
  return Exit::kOk;
}

Outcome<Exit> Request(const ApprovalOptions& options, const json& proposal, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json approval, client.Post(Target("/v1/approvals"), proposal.dump()));
  COFFER_TRY(ShowApprovalOf(options, approval, console));
  if (!options.connection.json) {
    const std::string id = Printable(Text(approval, "id"));
    console.out << "Let another person look at it and approve it:\n  coffer approval show " << id
                << "\n  coffer approval approve " << id << "\nThen do it yourself, with --approval "
                << id << ".\n";
  }
  return Exit::kOk;
}

Outcome<Exit> RequestErase(const ApprovalOptions& options, Console& console) {
  const bool whole = options.class_name.empty() && options.records.empty();
  json content = json::object();
  // Without one it is "request", which content does not name.
  if (!options.basis.empty() && options.basis != "request") content["basis"] = options.basis;
  if (!options.class_name.empty()) content["class"] = options.class_name;
  if (!options.records.empty()) content["records"] = options.records;
  json proposal = {{"action", whole ? "client.erase" : "record.erase"}, {"target", options.target}};
  if (!content.empty()) proposal["content"] = content;
  return Request(options, proposal, console);
}

Outcome<Exit> RequestLiftHold(const ApprovalOptions& options, Console& console) {
  return Request(options, {{"action", "hold.lift"}, {"target", options.target}}, console);
}

Outcome<Exit> RequestConfirmClock(const ApprovalOptions& options, Console& console) {
  if (!vault::ParseDay(options.target)) {
    return Failed(Exit::kUsage, "\"" + options.target + "\" is not a date",
                  "Give the day that it is in UTC, as YYYY-MM-DD: look at a clock that is right.");
  }
  return Request(options, {{"action", "clock.confirm"}, {"target", options.target}}, console);
}

Outcome<Exit> RequestExport(const ApprovalOptions& options, Console& console) {
  json proposal = {{"action", "client.export"},
                   {"target", options.target.empty() ? "all" : "tag:" + options.target}};
  if (!options.classes.empty()) proposal["content"] = {{"classes", options.classes}};
  return Request(options, proposal, console);
}

Outcome<Exit> RequestGiveRole(const ApprovalOptions& options, Console& console) {
  json content = {{"role", options.role}, {"by", options.by}};
  if (options.by.empty()) content["by"] = options.target.starts_with("user:") ? "user" : "token";
  if (!options.owner.empty()) content["owner"] = options.owner;
  if (!options.certificates.empty()) content["certificates"] = options.certificates;
  if (options.enable || options.disable) content["disabled"] = options.disable;
  return Request(options,
                 {{"action", "role.give"}, {"target", options.target}, {"content", content}},
                 console);
}

Outcome<Exit> RequestChangeRole(const ApprovalOptions& options, Console& console) {
  COFFER_ASSIGN(const std::string text, ReadInputFile(options.file, kMaxRole));
  const auto role = vault::ParseStrictJson(text);
  if (!role) {
    return Failed(Exit::kUsage,
                  FailureOf(role.error(), options.file + " is not usable JSON").message);
  }
  return Request(
      options, {{"action", "role.write"}, {"target", options.target}, {"content", *role}}, console);
}

Outcome<Exit> RequestClass(const ApprovalOptions& options, Console& console) {
  COFFER_ASSIGN(const std::string text, ReadInputFile(options.file, kMaxSchedule));
  const auto schema = vault::ParseStrictJson(text);
  if (!schema) {
    return Failed(Exit::kUsage,
                  FailureOf(schema.error(), options.file + " is not usable JSON").message);
  }
  const std::string name = Text(*schema, "name");
  if (name.empty()) {
    return Failed(Exit::kUsage, options.file + " has no name", "Add the member \"name\".");
  }
  return Request(options,
                 {{"action", "retention.write"}, {"target", "class:" + name}, {"content", *schema}},
                 console);
}

Outcome<Exit> RequestSchedule(const ApprovalOptions& options, Console& console) {
  COFFER_ASSIGN(const std::string text, ReadInputFile(options.file, kMaxSchedule));
  const auto schedule = vault::ParseStrictJson(text);
  if (!schedule) {
    return Failed(Exit::kUsage,
                  FailureOf(schedule.error(), options.file + " is not usable JSON").message);
  }
  return Request(options,
                 {{"action", "retention.write"}, {"target", "schedule"}, {"content", *schedule}},
                 console);
}

Outcome<Exit> ListApprovals(const ApprovalOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  json answer = {{"items", json::array()}};
  for (std::string cursor;;) {
    Target target("/v1/approvals");
    target.With("limit", "200").With("cursor", cursor);
    COFFER_ASSIGN(const json page, client.Get(target));
    for (const json& approval : Member(page, "items")) answer["items"].push_back(approval);
    const std::string next = Text(page, "next_cursor");
    if (next.empty()) break;
    if (next == cursor) return Failed(Exit::kFailed, "the server's pages do not end");
    cursor = next;
  }
  if (options.connection.json) {
    PrintJson(console, answer);
    return Exit::kOk;
  }
  Table table({"APPROVAL", "STATE", "ACTION", "TARGET", "REQUESTED BY", "EXPIRES"});
  for (const json& approval : Member(answer, "items")) {
    table.Add({Text(approval, "id"), Text(approval, "state"), Text(approval, "action"),
               Text(approval, "target"), Text(approval, "requester"), Text(approval, "expires")});
  }
  table.Print(console);
  return Exit::kOk;
}

Outcome<Exit> ShowApproval(const ApprovalOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json approval, client.Get(Target("/v1/approvals").Segment(options.id)));
  return ShowApprovalOf(options, approval, console);
}

// To people not all of the content again, which they had before them when they decided.
Outcome<Exit> ShowDecided(const ApprovalOptions& options, json approval, Console& console) {
  if (!options.connection.json) approval.erase("content");
  COFFER_TRY(ShowApprovalOf(options, approval, console));
  if (!options.connection.json && Text(approval, "state") == "approved") {
    console.out << "Whoever asked can do it now, once, with --approval "
                << Printable(Text(approval, "id")) << ".\n";
  }
  return Exit::kOk;
}

Outcome<Exit> Decide(const ApprovalOptions& options, const char* decision, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json approval,
                client.Post(Target("/v1/approvals").Segment(options.id).Segment("decision"),
                            json{{"decision", decision}}.dump()));
  return ShowDecided(options, approval, console);
}

Outcome<Exit> Approve(const ApprovalOptions& options, Console& console) {
  return Decide(options, "approve", console);
}

Outcome<Exit> Reject(const ApprovalOptions& options, Console& console) {
  return Decide(options, "reject", console);
}

Outcome<Exit> Withdraw(const ApprovalOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(
      const json approval,
      client.PostNothing(Target("/v1/approvals").Segment(options.id).Segment("withdraw")));
  return ShowDecided(options, approval, console);
}

void AddRequestErase(CLI::App& request, Command& chosen) {
  auto options = std::make_shared<ApprovalOptions>();
  CLI::App* command =
      request.add_subcommand("erase", "To erase a client, a class of it or single records");
  command->add_option("client", options->target, "Client id (cli_...)")
      ->type_name("CLIENT")
      ->required();
  auto* class_option =
      command->add_option("--class", options->class_name, "Only the records of this class");
  class_option->type_name("NAME");
  command->add_option("--record", options->records, "Only this record; may be given again")
      ->type_name("ID")
      ->allow_extra_args(false)  // what follows may be the client
      ->excludes(class_option);
  command
      ->add_option("--basis", options->basis,
                   "Why: request, consent-withdrawn, purpose-reached, contract-end or unlawful")
      ->type_name("BASIS");
  command->footer(
      "Examples:\n  coffer approval request erase cli_... --purpose data-subject-request\n"
      "  coffer approval request erase cli_... --class contact --basis consent-withdrawn "
      "--purpose data-subject-request");
  RunOnline(*command, chosen, options, RequestErase, PurposeUse::kRequired);
}

void AddRequests(CLI::App& group, Command& chosen) {
  CLI::App* request = group.add_subcommand("request", "Ask for the approval of another person");
  request->require_subcommand(1);
  AddRequestErase(*request, chosen);
  {
    auto options = std::make_shared<ApprovalOptions>();
    CLI::App* command = request->add_subcommand("lift-hold", "To lift a hold");
    command->add_option("hold", options->target, "Hold id (hold_...)")
        ->type_name("HOLD")
        ->required();
    command->footer("Example:\n  coffer approval request lift-hold hold_...");
    RunOnline(*command, chosen, options, RequestLiftHold);
  }
  {
    auto options = std::make_shared<ApprovalOptions>();
    CLI::App* command =
        request->add_subcommand("confirm-clock", "To confirm the clock, for retention");
    command->add_option("date", options->target, "The day that it is in UTC (YYYY-MM-DD)")
        ->type_name("DATE")
        ->required();
    command->footer("Example:\n  coffer approval request confirm-clock 2026-07-01");
    RunOnline(*command, chosen, options, RequestConfirmClock);
  }
  {
    auto options = std::make_shared<ApprovalOptions>();
    CLI::App* command = request->add_subcommand("export", "To export clients with their records");
    command->add_option("--tag", options->target, "Only clients with this tag")->type_name("TAG");
    command->add_option("--class", options->classes, "Only records of this class; repeatable")
        ->type_name("NAME");
    command->footer(
        "Example:\n  coffer approval request export --tag vip --purpose data-subject-request");
    RunOnline(*command, chosen, options, RequestExport, PurposeUse::kRequired);
  }
  {
    auto options = std::make_shared<ApprovalOptions>();
    CLI::App* command = request->add_subcommand(
        "give-role", "To give somebody a privileged role, or a token or a new code to who has one");
    command
        ->add_option("target", options->target,
                     "Principal id (usr_..., svc_...); for a new one user:LOGIN or service:NAME")
        ->type_name("TARGET")
        ->required();
    command->add_option("role", options->role, "The role")->type_name("ROLE")->required();
    command
        ->add_option("--by", options->by,
                     "How it is given: user, token, rotation, certificate, enrolment, change (of\n"
                     "the principal) or service; without it user for user:LOGIN, else token")
        ->type_name("HOW");
    command
        ->add_option("--owner", options->owner,
                     "With --by service: the principal that will answer for it")
        ->type_name("ID");
    command
        ->add_option("--certificate", options->certificates,
                     "With --by service or change: a binding that it will be known by; repeatable")
        ->type_name("BINDING");
    auto* const enable =
        command->add_flag("--enable", options->enable, "With --by change: the account is enabled");
    command
        ->add_flag("--disable", options->disable, "With --by change: the account will be disabled")
        ->excludes(enable);
    command->footer("Example:\n  coffer approval request give-role user:anna privacy-officer");
    RunOnline(*command, chosen, options, RequestGiveRole);
  }
  {
    auto options = std::make_shared<ApprovalOptions>();
    CLI::App* command =
        request->add_subcommand("change-role", "To change a role (coffer role put)");
    command->add_option("name", options->target, "Name of the role")->type_name("NAME")->required();
    command->add_option("file", options->file, "File that holds it, as for coffer role put")
        ->type_name("FILE.json")
        ->required();
    command->footer(
        "Example:\n  coffer approval request change-role billing-desk billing-desk.json");
    RunOnline(*command, chosen, options, RequestChangeRole);
  }
  {
    auto options = std::make_shared<ApprovalOptions>();
    CLI::App* command = request->add_subcommand("schedule", "To put a retention schedule in force");
    command->add_option("file", options->file, "File that holds it")
        ->type_name("FILE.json")
        ->required();
    command->footer("Example:\n  coffer approval request schedule schedule.json");
    RunOnline(*command, chosen, options, RequestSchedule);
  }
  {
    auto options = std::make_shared<ApprovalOptions>();
    CLI::App* command = request->add_subcommand(
        "class", "To change the date that records of a class are kept by (coffer class put)");
    command->add_option("file", options->file, "File that holds it, as for coffer class put")
        ->type_name("FILE.json")
        ->required();
    command->footer(
        "See first what it does: coffer class put --preview. Example:\n"
        "  coffer approval request class contact.json");
    RunOnline(*command, chosen, options, RequestClass);
  }
}

void AddOne(CLI::App& group, Command& chosen, const char* name, const char* help,
            Outcome<Exit> (*run)(const ApprovalOptions&, Console&)) {
  auto options = std::make_shared<ApprovalOptions>();
  CLI::App* command = group.add_subcommand(name, help);
  command->add_option("id", options->id, "Approval id (apr_...)")->type_name("ID")->required();
  command->footer(std::string("Example:\n  coffer approval ") + name + " apr_...");
  RunOnline(*command, chosen, options, run);
}

}  // namespace

void AddApprovalCommands(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("approval", "Let two people decide together");
  group->require_subcommand(1);
  AddRequests(*group, chosen);
  {
    auto options = std::make_shared<ApprovalOptions>();
    CLI::App* command = group->add_subcommand("list", "Show what was asked for");
    command->footer("Example:\n  coffer approval list");
    RunOnline(*command, chosen, options, ListApprovals, PurposeUse::kForNames);
  }
  {
    auto options = std::make_shared<ApprovalOptions>();
    CLI::App* command = group->add_subcommand(
        "show", "Show exactly what will be done, and what it would do at this moment");
    command->add_option("id", options->id, "Approval id (apr_...)")->type_name("ID")->required();
    command
        ->add_option("--purpose", options->connection.purpose,
                     "Why; with one, a client that you may read is shown with its reference")
        ->type_name("CODE");
    command->footer("Example:\n  coffer approval show apr_... --purpose data-subject-request");
    RunOnline(*command, chosen, options, ShowApproval);
  }
  AddOne(*group, chosen, "approve", "Approve it; whoever asked for it then does it", Approve);
  AddOne(*group, chosen, "reject", "Reject it", Reject);
  AddOne(*group, chosen, "withdraw",
         "Take back what you asked for or approved; what was approved takes --reason", Withdraw);
}

}  // namespace coffer::cli
