#include "api/cli/verify/log_reading.h"

#include <algorithm>
#include <deque>
#include <ostream>
#include <thread>

#include "api/cli/client/problem.h"
#include "api/cli/text/log_view.h"
#include "audit/entries/entry.h"
#include "audit/entries/entry_csv.h"
#include "audit/text/csv_cell.h"

namespace coffer::cli {
namespace {

constexpr std::size_t kLargestLogPage = 1000;

// The columns of audit::AppendCsv(), and behind them what actor and client are called now.
void AppendNamedCsv(const audit::Entry& entry, const NameBook& names, std::string& out) {
  audit::AppendCsv(entry, out);
  out.pop_back();
  for (const std::string& id : {entry.actor, entry.client}) {
    const std::string name = names.Show(id, false);
    audit::AppendCsvCell(name == id ? std::string() : name, out);
  }
  out += '\n';
}

std::string NamedCsvHeader() {
  std::string header(audit::CsvHeader());
  header.pop_back();
  return header + ",\"actor_name\",\"client_ref\"\n";
}

void PrintEntry(const std::string& entry, LogForm form, Console& console) {
  switch (form) {
    case LogForm::kTable:
      console.out << EntryLine(entry, console) << '\n';
      break;
    case LogForm::kJson:
      console.out << (console.out_is_terminal ? Printable(entry) : entry) << '\n';
      break;
    case LogForm::kCsv:
      std::string line;
      if (const auto parsed = audit::ParseEntry(entry))
        AppendNamedCsv(*parsed, *console.names, line);
      console.out << line;
      break;
  }
}

void PrintHeadingLine(LogForm form, Console& console) {
  if (form == LogForm::kTable) PrintHeading(console, EntryHeading(console));
  if (form == LogForm::kCsv) console.out << NamedCsvHeader();
}

void PrintAll(const std::vector<std::string>& entries, LogForm form, Console& console) {
  if (entries.empty()) return;
  if (form == LogForm::kTable) {
    Table table(EntryHeadings());
    for (const std::string& entry : entries) table.Add(EntryCells(entry));
    table.Print(console);
    return;
  }
  PrintHeadingLine(form, console);
  for (const std::string& entry : entries) PrintEntry(entry, form, console);
}

// Beside the entries: standard output has these and nothing else, for programs and spreadsheets.
void TellExtent(const LogReadingOptions& options, std::size_t shown, bool more, Console& console) {
  if (shown != 0 && !more) return;
  console.out << std::flush;
  if (options.form == LogForm::kJson) {
    console.err << "{\"entries\":" << shown << ",\"more\":" << (more ? "true" : "false") << "}\n";
  } else if (more) {
    console.err << "There are more entries than these " << Grouped(shown)
                << ": narrow the search, or show more with --limit.\n";
  } else {
    console.err << "No entry matches. All that was asked for is known to the vault or its log.\n";
  }
}

// The request ids of our own latest readings.
class OwnReadings {
 public:
  void Add(const std::string& request) {
    if (request.empty()) return;
    requests_.push_back(request);
    if (requests_.size() > 64) requests_.pop_front();
  }
  bool Caused(const std::string& bytes) const {
    const auto entry = audit::ParseEntry(bytes);
    return entry && std::ranges::find(requests_, entry->request) != requests_.end();
  }

 private:
  std::deque<std::string> requests_;
};

// Goes through pages until `limit` entries were found. Returns where the log ended.
Outcome<std::uint64_t> ReadUpTo(ApiClient& client, const LogReadingOptions& options,
                                std::size_t limit, std::vector<std::string>& entries,
                                OwnReadings& own) {
  LogQuery query;
  query.filter = options.filter;
  query.oldest_first = options.oldest_first;
  query.with_names = options.form != LogForm::kJson;
  std::optional<std::uint64_t> end;
  while (entries.size() < limit) {
    query.limit = std::min(kLargestLogPage, limit - entries.size());
    COFFER_ASSIGN(EntriesPage page, ReadEntriesPage(client, query));
    own.Add(page.request);
    if (!end) end = page.size;
    std::ranges::move(page.entries, std::back_inserter(entries));
    if (!page.next || page.next == query.start) break;
    query.start = page.next;
  }
  return end.value_or(0);
}

class Follower {
 public:
  Follower(ApiClient& client, const LogReadingOptions& options, Console& console)
      : client_(client), options_(options), console_(console) {}

  Outcome<void> Run();

 private:
  Outcome<void> PrintRecent();
  Outcome<void> PrintNew();
  bool GoesOn() const { return !options_.goes_on || options_.goes_on(); }

  ApiClient& client_;
  const LogReadingOptions& options_;
  Console& console_;
  OwnReadings own_;
  std::uint64_t next_ = 0;
};

Outcome<void> Follower::PrintRecent() {
  LogReadingOptions recent = options_;
  recent.oldest_first = false;
  std::vector<std::string> entries;
  COFFER_ASSIGN(next_, ReadUpTo(client_, recent, recent.limit, entries, own_));
  PrintHeadingLine(options_.form, console_);
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    if (!own_.Caused(*entry)) PrintEntry(*entry, options_.form, console_);
  }
  console_.out << std::flush;
  return {};
}

Outcome<void> Follower::PrintNew() {
  LogQuery query;
  query.filter = options_.filter;
  query.oldest_first = true;
  query.start = next_;
  query.with_names = options_.form != LogForm::kJson;
  query.limit = kLargestLogPage;
  COFFER_ASSIGN(const EntriesPage page, ReadEntriesPage(client_, query));
  own_.Add(page.request);
  for (const std::string& entry : page.entries) {
    if (!own_.Caused(entry)) PrintEntry(entry, options_.form, console_);
  }
  console_.out << std::flush;
  next_ = std::max(next_, page.next.value_or(page.size));
  return {};
}

Outcome<void> Follower::Run() {
  COFFER_TRY(PrintRecent());
  while (console_.out && GoesOn()) {
    std::this_thread::sleep_for(options_.pause);
    auto printed = PrintNew();
    // A server that restarts is waited for; one that refuses is not.
    if (!printed && printed.error().exit != Exit::kUnreachable && !printed.error().may_pass) {
      return printed;
    }
  }
  return {};
}

}  // namespace

Outcome<void> ShowLog(ApiClient& client, const LogReadingOptions& options, Console& console) {
  std::vector<std::string> entries;
  OwnReadings own;
  // One more than is shown tells whether there are more.
  COFFER_TRY(ReadUpTo(client, options, options.limit + 1, entries, own));
  const bool more = entries.size() > options.limit;
  if (more) entries.pop_back();
  PrintAll(entries, options.form, console);
  TellExtent(options, entries.size(), more, console);
  return {};
}

Outcome<void> FollowLog(ApiClient& client, const LogReadingOptions& options, Console& console) {
  return Follower(client, options, console).Run();
}

}  // namespace coffer::cli
