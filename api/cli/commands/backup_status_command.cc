// coffer backup status: how the backups stand, on a page, and what to do next.
#include "api/cli/commands/backup_status_command.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "api/cli/client/connection.h"
#include "api/cli/commands/run_with.h"
#include "api/cli/text/json_output.h"
#include "api/cli/text/json_view.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

struct BackupStatusOptions {
  ConnectionOptions connection;
};

// "3 copies, 2 media, 1 off site".
std::string RuleInWords(const json& rule) {
  const std::string copies = Text(rule, "copies");
  if (copies.empty()) return {};
  return copies + " copies, " + Text(rule, "media") + " media, " + Text(rule, "off_site") +
         " off site: " + (Text(rule, "met") == "true" ? "3-2-1" : "NOT 3-2-1");
}

void AddLacking(const json& rule, const std::string& kind, std::vector<std::string>& advice) {
  if (Text(rule, "met") != "false") return;
  std::string lacks;
  const auto add = [&](bool lacking, const char* what) {
    if (lacking) lacks += (lacks.empty() ? "" : ", ") + std::string(what);
  };
  add(Number(rule, "copies").value_or(0) < 3, "another copy");
  add(Number(rule, "media").value_or(0) < 2, "another medium (say it: medium = \"…\")");
  add(Number(rule, "off_site").value_or(0) < 1, "one off site (off_site = true)");
  advice.push_back("The " + kind + " want " + lacks + ".");
}

std::vector<std::string> AdviceOn(const json& backups, const json& items) {
  std::vector<std::string> advice;
  if (items.empty()) {
    return {"Name a destination in coffer.toml: [[backup.destination]]."};
  }
  for (const json& one : items) {
    const std::string name = Text(one, "name");
    const std::string problem = Text(one, "problem");
    if (problem.starts_with("repository_missing")) {
      advice.push_back(name + ": mount it, or make its repository: coffer backup init " + name);
    } else if (!problem.empty()) {
      advice.push_back(name + ": see to its problem: " + problem);
    } else if (Text(one, "newest").empty()) {
      advice.push_back(name + ": it has nothing yet: coffer backup run");
    }
    if (problem.empty() && Text(one, "verified").empty()) {
      advice.push_back(name + ": nobody has read it back: coffer backup verify --destination " +
                       name);
    }
  }
  if (Text(backups, "drill_failed") == "true") {
    advice.push_back("The last drill failed: read its findings (--json), and hold another.");
  } else if (Text(backups, "drilled").empty()) {
    advice.push_back("No restore was tried: coffer backup drill … --tell");
  } else if (Text(backups, "drill_overdue") == "true") {
    advice.push_back("A drill is overdue: coffer backup drill … --tell");
  }
  AddLacking(Member(backups, "data"), "data", advice);
  AddLacking(Member(backups, "keys"), "keys", advice);
  return advice;
}

Outcome<Exit> ShowBackups(const BackupStatusOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json status, client.Get(Target("/v1/status")));
  COFFER_ASSIGN(const json destinations, client.Get(Target("/v1/backup/destinations")));
  COFFER_ASSIGN(const json drills, client.Get(Target("/v1/backup/drills")));
  const json& backups = Member(status, "backups");
  const json& items = Member(destinations, "items");
  const auto advice = AdviceOn(backups, items);
  const Exit exit = advice.empty() ? Exit::kOk : Exit::kFailed;
  if (options.connection.json) {
    PrintJson(console, {{"backups", backups},
                        {"destinations", items},
                        {"drills", Member(drills, "items")},
                        {"advice", advice}});
    return exit;
  }
  Table table({"DESTINATION", "KIND", "MEDIUM", "OFF SITE", "NEWEST", "COMPLETE UNTIL", "VERIFIED",
               "PROBLEM"});
  for (const json& one : items) {
    table.Add({Text(one, "name"), Text(one, "kind"), Text(one, "medium"),
               Text(one, "off_site") == "true" ? "yes" : "no", Text(one, "newest_created"),
               Text(one, "until"), Text(one, "verified"), Text(one, "problem")});
  }
  if (!items.empty()) table.Print(console);
  const std::string drilled = Text(backups, "drilled");
  PrintFields(console, {{"complete until", Text(backups, "complete_until")},
                        {"data", RuleInWords(Member(backups, "data"))},
                        {"keys", RuleInWords(Member(backups, "keys"))},
                        {"restore drill", drilled.empty() ? "none has passed" : drilled}});
  for (const auto& one : advice) console.out << "Next: " << PrintableLines(one) << '\n';
  if (advice.empty()) console.out << "Nothing is to be done.\n";
  return exit;
}

}  // namespace

void AddBackupStatus(CLI::App& group, Command& chosen) {
  auto options = std::make_shared<BackupStatusOptions>();
  CLI::App* command =
      group.add_subcommand("status", "Show how the backups stand, and what to do next");
  command->footer(
      "Exit code 0: nothing is to be done; 1: something is. Example:\n"
      "  coffer backup status");
  RunOnline(*command, chosen, options, ShowBackups);
}

}  // namespace coffer::cli
