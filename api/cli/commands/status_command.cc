// coffer status: what the server says of itself.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "api/cli/client/connection.h"
#include "api/cli/commands/commands.h"
#include "api/cli/text/json_output.h"
#include "api/cli/text/json_view.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

std::string Count(const json& object, std::string_view member) {
  const auto number = Number(object, member);
  return number ? Grouped(*number) : std::string();
}

// The size in a signed checkpoint is its second line.
std::string CheckpointSize(const std::string& note) {
  const auto first = note.find('\n');
  if (first == note.npos) return {};
  return note.substr(first + 1, note.find('\n', first + 1) - first - 1);
}

std::string WhoDecides(const json& status) {
  const std::string two_person = Text(status, "two_person");
  if (two_person.empty()) return {};
  return two_person == "true" ? "two people" : "one person alone, for ever";
}

std::string Emergencies(const json& status) {
  const auto unreviewed = Number(status, "unreviewed_emergencies");
  if (!unreviewed) return {};
  const auto overdue = Number(status, "overdue_emergencies").value_or(0);
  return Grouped(*unreviewed) + " not reviewed yet" +
         (overdue > 0 ? ", " + Grouped(overdue) + " OVERDUE" : "");
}

std::string Holds(const json& status) {
  const auto holds = Number(status, "holds");
  if (!holds) return {};
  const auto overdue = Number(status, "overdue_holds").value_or(0);
  return Grouped(*holds) + (overdue > 0 ? ", " + Grouped(overdue) + " OVERDUE for review" : "");
}

std::string Requests(const json& status) {
  const json& requests = Member(status, "requests");
  const auto open = Number(requests, "open");
  if (!open) return {};
  const auto overdue = Number(requests, "overdue").value_or(0);
  const auto soon = Number(requests, "due_soon").value_or(0);
  return Grouped(*open) + " open" + (soon > 0 ? ", " + Grouped(soon) + " due soon" : "") +
         (overdue > 0 ? ", " + Grouped(overdue) + " OVERDUE" : "");
}

std::string Notices(const json& status) {
  const json& notices = Member(status, "notices");
  const auto open = Number(notices, "open");
  if (!open) return {};
  const auto due = Number(notices, "due").value_or(0);
  return Grouped(*open) + " open" + (due > 0 ? ", " + Grouped(due) + " DUE" : "");
}

std::string Tellings(const json& status) {
  const json& tellings = Member(status, "tellings");
  const auto open = Number(tellings, "open");
  if (!open) return {};
  const auto waiting = Number(tellings, "to_settle").value_or(0);
  return Grouped(*open) + " to tell to " + Grouped(Number(tellings, "recipients").value_or(0)) +
         " recipients" + (waiting > 0 ? ", " + Grouped(waiting) + " not looked at yet" : "");
}

std::string Damage(const json& status) {
  const json& scrub = Member(status, "scrub");
  const auto damaged = Number(scrub, "damaged");
  if (!damaged) return {};
  if (*damaged > 0) return Grouped(*damaged) + " DAMAGED, refused; see integrity.alarm in the log";
  const std::string completed = Text(scrub, "completed");
  return completed.empty() ? "first round not finished" : "as the log says, last " + completed;
}

std::string TokenExpiry(const json& status) {
  const json& expiry = Member(status, "token_expiry");
  const auto week = Number(expiry, "within_7_days");
  if (!week) return {};
  const std::string next = Text(expiry, "next");
  std::string text = next.empty() ? "none has any" : "the next " + next;
  const auto month = Number(expiry, "within_30_days").value_or(0);
  if (month > 0) {
    text += "; within 7 days " + Grouped(*week) + ", within 30 days " + Grouped(month);
  }
  return text;
}

// Of whom the last token ends soon.
std::string ServicesWithoutToken(const json& status) {
  std::string text;
  const json& services = Member(Member(status, "token_expiry"), "services");
  if (!services.is_array()) return text;
  for (const json& service : services) {
    text += (text.empty() ? "" : "; ") + Text(service, "name") + " (" + Text(service, "service") +
            ") " + Text(service, "last");
  }
  return text;
}

std::string Retention(const json& status) {
  const std::string version = Text(status, "retention_schedule");
  if (version.empty() || version == "0") return "no schedule";
  std::string text = "schedule " + version;
  if (Text(status, "waiting_for_clock") == "true") {
    text += ", WAITING until the server's clock is confirmed: coffer clock confirm";
  }
  if (const std::string zone = Text(status, "unknown_time_zone"); !zone.empty()) {
    text += ", PAUSED: this server has no time zone " + zone;
  }
  return text;
}

std::string BackupsOf(const json& status) {
  const json& backups = Member(status, "backups");
  const auto destinations = Number(backups, "destinations");
  if (!destinations) return {};
  if (*destinations == 0) return "NONE: the configuration has no destination";
  const auto with_problem = Number(backups, "with_problem").value_or(0);
  const std::string until = Text(backups, "complete_until");
  return Grouped(*destinations) + " destinations, " +
         (until.empty() ? "NOT complete yet" : "complete until " + until) +
         (with_problem > 0 ? ", " + Grouped(with_problem) + " with a PROBLEM: coffer backup list"
                           : "");
}

std::string Drill(const json& status) {
  const json& backups = Member(status, "backups");
  if (Text(backups, "drill_failed").empty()) return {};
  const std::string last = Text(backups, "drilled");
  std::string text = last.empty() ? "NONE has passed" : "the last that passed " + last;
  if (Text(backups, "drill_failed") == "true") text += ", the last one FAILED";
  if (Text(backups, "drill_overdue") == "true") text += ", OVERDUE: coffer backup drill";
  return text;
}

Outcome<Exit> ShowStatus(const ConnectionOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options, console));
  COFFER_ASSIGN(const json status, client.Get(Target("/v1/status")));
  if (options.json) {
    PrintJson(console, status);
    return Exit::kOk;
  }
  const json& log = Member(status, "log");
  PrintFields(console, {{"vault", Text(status, "vault")},
                        {"version", Text(status, "version")},
                        {"running since", Text(status, "started")},
                        {"memory locked", Text(status, "memory_locked")},
                        {"clients", Count(status, "clients")},
                        {"records", Count(status, "records")},
                        {"erasures", Count(status, "erasures")},
                        {"classes", Count(status, "classes")},
                        {"purposes", Count(status, "purposes")},
                        {"users", Count(status, "users")},
                        {"services", Count(status, "services")},
                        {"active tokens", Count(status, "active_tokens")},
                        {"tokens end", TokenExpiry(status)},
                        {"last token ends", ServicesWithoutToken(status)},
                        {"certificate ends", Text(status, "certificate_expires")},
                        {"decided by", WhoDecides(status)},
                        {"open approvals", Count(status, "open_approvals")},
                        {"emergency access", Emergencies(status)},
                        {"holds", Holds(status)},
                        {"restrictions", Count(status, "restrictions")},
                        {"requests", Requests(status)},
                        {"notices", Notices(status)},
                        {"recipients", Tellings(status)},
                        {"retention", Retention(status)},
                        {"stored data", Damage(status)},
                        {"backups", BackupsOf(status)},
                        {"restore drill", Drill(status)},
                        {"log", Text(log, "origin")},
                        {"log entries", Count(log, "size")},
                        {"signed entries", CheckpointSize(Text(log, "checkpoint"))},
                        {"verifier key", Text(log, "key")}});
  return Exit::kOk;
}

}  // namespace

void AddStatusCommand(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<ConnectionOptions>();
  CLI::App* command = app.add_subcommand("status", "Show the state of the vault and its log");
  AddConnectionOptions(*command, *options, PurposeUse::kNone);
  command->footer("Example:\n  coffer status --url https://vault.example:8443 --ca ca.pem");
  command->callback([options, &chosen] {
    chosen = [options](Console& console) { return ShowStatus(*options, console); };
  });
}

}  // namespace coffer::cli
