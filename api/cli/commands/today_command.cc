// coffer today: what waits for who asks, by role.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "api/cli/client/client_lookup.h"
#include "api/cli/commands/commands.h"
#include "api/cli/commands/run_with.h"
#include "api/cli/text/json_output.h"
#include "api/cli/text/json_view.h"
#include "audit/text/clock.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr std::int64_t kDayMs = std::int64_t{24} * 3600 * 1000;

struct TodayOptions {
  ConnectionOptions connection;
  std::uint64_t days = 7;
};

// One kind of thing that can wait: read only where the role allows it, as a refusal would stand in
// the log as an attempt.
struct Waiting {
  const char* name;    // member of the JSON
  const char* action;  // that reads it
  const char* nothing;
  const char* heading;
};
constexpr Waiting kRequests{"requests", "request.read", "No request is due.", "Requests"};
constexpr Waiting kBreaches{"breaches", "breach.read", "No breach is open.", "Open breaches"};
constexpr Waiting kNotices{"notices", "notice.read", "No notice to clients is due.",
                           "Notices to clients"};
constexpr Waiting kTellings{"tellings", "disclosure.read",
                            "No recipient is to be told of anything.", "Recipients to be told"};
constexpr Waiting kApprovals{"approvals", "approval.read", "Nothing is to be approved.",
                             "To be approved"};
constexpr Waiting kHolds{"holds", "hold.read", "No hold is to be looked at again.",
                         "Holds to be looked at again"};
constexpr Waiting kEmergencies{"emergency_access", "emergency.read",
                               "No emergency access is to be reviewed.",
                               "Emergency access to be reviewed"};
constexpr Waiting kVault{"vault", "status.read", "The vault asks for nothing.", "The vault"};

class Today {
 public:
  Today(ApiClient& client, std::uint64_t days, json actions)
      : client_(client),
        days_(days),
        until_(audit::FormatTimestamp(
            {audit::SystemClock().Now().ms + static_cast<std::int64_t>(days) * kDayMs})),
        actions_(std::move(actions)) {}

  Outcome<json> Collect() {
    COFFER_TRY(Add(kRequests, &Today::Requests));
    COFFER_TRY(Add(kBreaches, &Today::Breaches));
    COFFER_TRY(Add(kNotices, &Today::Notices));
    COFFER_TRY(Add(kTellings, &Today::Tellings));
    COFFER_TRY(Add(kApprovals, &Today::Approvals));
    COFFER_TRY(Add(kHolds, &Today::Holds));
    COFFER_TRY(Add(kEmergencies, &Today::Emergencies));
    COFFER_TRY(Add(kVault, &Today::OfTheVault));
    return std::move(all_);
  }

 private:
  Outcome<void> Add(const Waiting& what, Outcome<json> (Today::*read)()) {
    if (std::ranges::find(actions_, json(what.action)) == actions_.end()) return {};
    COFFER_ASSIGN(all_[what.name], (this->*read)());
    return {};
  }

  Outcome<json> Requests() {
    Target target("/v1/requests");
    target.With("due", "soon").With("days", std::to_string(days_));
    return CollectPages(client_, target);
  }

  // Each with the authorities' clocks that run, whenever they end: they are of hours.
  Outcome<json> Breaches() {
    Target target("/v1/breaches");
    target.With("state", "open");
    COFFER_ASSIGN(const json all, CollectPages(client_, target));
    json open = json::array();
    for (const json& breach : all) {
      json clocks = Those(Member(breach, "clocks"), [](const json& clock) {
        return Text(clock, "state") != "done" && Text(clock, "state") != "done-late";
      });
      open.push_back({{"id", Text(breach, "id")},
                      {"aware", Text(breach, "aware")},
                      {"clocks", std::move(clocks)}});
    }
    return open;
  }

  // Until one is closed, clients may not have been told.
  Outcome<json> Notices() {
    Target target("/v1/notices");
    target.With("state", "open");
    COFFER_ASSIGN(const json all, CollectPages(client_, target));
    return Those(all, [this](const json& one) { return Text(one, "effective") <= until_; });
  }

  // One line for each recipient: there can be very many acts.
  Outcome<json> Tellings() {
    Target target("/v1/disclosures/to-tell");
    COFFER_ASSIGN(const json page, client_.Get(target.With("limit", "200")));
    json lines = json::array();
    for (const json& one : Member(page, "items")) {
      const std::string recipient = Text(one, "recipient");
      const auto known = std::ranges::find_if(
          lines, [&](const json& line) { return Text(line, "recipient") == recipient; });
      if (known != lines.end()) continue;
      lines.push_back({{"recipient", recipient}, {"since", Text(one, "at")}});
    }
    const auto recipients = Number(page, "recipients").value_or(0);
    const auto waiting = Number(page, "to_settle").value_or(0);
    if (recipients > lines.size()) lines.push_back({{"more", recipients - lines.size()}});
    if (waiting > 0) lines.push_back({{"to_settle", waiting}});
    return lines;
  }

  Outcome<json> Approvals() {
    COFFER_ASSIGN(const json all, CollectPages(client_, Target("/v1/approvals")));
    return Those(all, [](const json& one) { return Text(one, "state") == "pending"; });
  }

  Outcome<json> Holds() {
    COFFER_ASSIGN(const json all, CollectPages(client_, Target("/v1/holds")));
    return Those(all, [this](const json& one) { return Text(one, "review_due") <= until_; });
  }

  Outcome<json> Emergencies() {
    COFFER_ASSIGN(const json answer, client_.Get(Target("/v1/emergency-access")));
    return Those(Member(answer, "items"),
                 [](const json& one) { return Text(one, "reviewed").empty(); });
  }

  // What of the vault's standing is for somebody to do.
  Outcome<json> OfTheVault() {
    COFFER_ASSIGN(const json status, client_.Get(Target("/v1/status")));
    json asks = json::array();
    const auto ask = [&](bool does, const std::string& what) {
      if (does) asks.push_back(what);
    };
    const json& backups = Member(status, "backups");
    ask(Text(status, "waiting_for_clock") == "true",
        "the clock has jumped: nothing is deleted until two people confirm it");
    ask(Number(status, "classes_without_policy").value_or(0) > 0,
        Text(status, "classes_without_policy") +
            " classes have no policy: nothing says how long their records are kept");
    ask(!Text(status, "unknown_time_zone").empty(),
        "the retention schedule's time zone is not known to this machine");
    ask(Number(Member(status, "scrub"), "damaged").value_or(0) > 0,
        "stored data is damaged: coffer status");
    ask(Number(backups, "with_problem").value_or(0) > 0,
        "backups have a problem: coffer backup status");
    ask(Text(backups, "drill_failed") == "true", "the last restore drill failed");
    ask(Text(backups, "drill_overdue") == "true", "a restore drill is overdue");
    const std::string ends = Text(status, "certificate_expires");
    ask(!ends.empty() && ends <= until_, "the server's certificate ends at " + ends);
    return asks;
  }

  template <class Keep>
  static json Those(const json& all, const Keep& keep) {
    json those = json::array();
    std::ranges::copy_if(all, std::back_inserter(those), keep);
    return those;
  }

  ApiClient& client_;
  const std::uint64_t days_;
  const std::string until_;
  const json actions_;
  json all_ = json::object();
};

std::string LineOf(const Waiting& what, const json& item) {
  if (what.name == kRequests.name) {
    const std::string client = Text(item, "client");
    const bool receipt = Text(item, "next_due") != Text(item, "due");
    return Text(item, "id") + "  " + Text(item, "kind") + " of " +
           (client.empty() ? "somebody not known yet" : client) + ", " + Text(item, "standing") +
           (receipt ? ", its receipt is to be confirmed before " : ", to be answered before ") +
           Text(item, "next_due");
  }
  if (what.name == kBreaches.name) {
    std::string line = Text(item, "id") + "  known since " + Text(item, "aware");
    for (const json& clock : Member(item, "clocks")) {
      line +=
          "; " + Text(clock, "regime") + " " + Text(clock, "stage") + " " + Text(clock, "state");
      if (const std::string due = Text(clock, "due"); !due.empty()) line += ", before " + due;
    }
    return line;
  }
  if (what.name == kNotices.name) {
    return Text(item, "id") + "  " + Text(item, "title") + ", in effect from " +
           Text(item, "effective") + ": tell who is pending, and close it";
  }
  if (what.name == kTellings.name) {
    if (item.contains("more")) return Text(item, "more") + " more: coffer disclosure to-tell";
    if (item.contains("to_settle")) {
      return Text(item, "to_settle") + " acts wait for the log's index: ask again";
    }
    return Text(item, "recipient") + "  since " + Text(item, "since") +
           ": coffer disclosure to-tell --recipient " + Text(item, "recipient");
  }
  if (what.name == kApprovals.name) {
    return Text(item, "id") + "  " + Text(item, "action") + " of " + Text(item, "target") +
           ", asked by " + Text(item, "requester") + ", until " + Text(item, "expires");
  }
  if (what.name == kHolds.name) {
    return Text(item, "id") + "  case " + Text(item, "case_number") + ", by " +
           Text(item, "review_due");
  }
  if (what.name == kEmergencies.name) {
    return Text(item, "id") + "  of " + Text(item, "client") + " by " + Text(item, "principal") +
           ", until " + Text(item, "review_due");
  }
  return TextOf(item);
}

Outcome<Exit> ShowToday(const TodayOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json me, client.Get(Target("/v1/me")));
  COFFER_ASSIGN(const json all, Today(client, options.days, Member(me, "actions")).Collect());
  if (options.connection.json) {
    PrintJson(console, all);
    return Exit::kOk;
  }
  if (all.empty()) {
    console.out << "For the role " << Printable(Text(Member(me, "principal"), "role"))
                << " nothing is kept that could wait.\n";
    return Exit::kOk;
  }
  for (const Waiting* what : {&kRequests, &kBreaches, &kNotices, &kTellings, &kApprovals, &kHolds,
                              &kEmergencies, &kVault}) {
    if (!all.contains(what->name)) continue;
    const json& items = all.at(what->name);
    if (items.empty()) {
      console.out << what->nothing << '\n';
      continue;
    }
    console.out << what->heading << ":\n";
    for (const json& item : items) console.out << "  " << Printable(LineOf(*what, item)) << '\n';
  }
  return Exit::kOk;
}

}  // namespace

void AddTodayCommand(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<TodayOptions>();
  CLI::App* command = app.add_subcommand(
      "today", "Show what waits for you: what is due, to be decided or reviewed");
  command->add_option("--days", options->days, "Also what is due within so many days")
      ->check(CLI::Range(0, 3660))
      ->type_name("N")
      ->capture_default_str();
  command->footer("What your role may not read is left out.\n\nExample:\n  coffer today");
  RunOnline(*command, chosen, options, ShowToday);
}

}  // namespace coffer::cli
