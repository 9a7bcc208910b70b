// Runs of retention, what they left to people, and what they look at.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/documents/run_report.h"
#include "audit/text/clock.h"
#include "vault/base/calendar.h"
#include "vault/base/function_ref.h"
#include "vault/base/ids.h"
#include "vault/base/timestamp.h"
#include "vault/storage/sqlite.h"

namespace coffer::vault {

using audit::Timestamp;

// kRunning and kWaiting: open, of which there is one at most. A restart goes on with it.
enum class RunState { kRunning, kWaiting, kFinished, kFailed };

struct RunRow {
  RunId id;
  std::uint64_t schedule = 0;  // version
  RunState state = RunState::kRunning;
  audit::RunTrigger trigger = audit::RunTrigger::kScheduled;
  std::optional<PrincipalId> asked_by;
  Timestamp started;
  std::optional<Timestamp> finished;
  std::uint64_t first_seq = 0, last_seq = 0;
  std::int64_t position = -1;  // row of the last client that was gone through
  std::map<std::string, audit::RunClass, std::less<>> counts;
  std::string reason, detail;  // of a failure, or of what a waiting run waits for
  bool counted = true;         // false: what it did not come to could not be counted
  // Of its report: 1 for runs of before, whose counts leave out what waits and what is unknown.
  int report_version = audit::kNewestRunReport;

  audit::RunClass& CountOf(std::string_view class_name) {
    auto& count = counts[std::string(class_name)];
    if (count.class_name.empty()) count.class_name = class_name;
    return count;
  }
};

// A record as retention sees it. The class's name is valid within the call only.
struct RetentionSubject {
  std::int64_t client = 0, record = 0;  // rows
  std::string_view class_name;
  Timestamp created, updated;
  std::optional<Day> date_field;
  std::uint64_t date_version = 0;  // of the class: the one that read the day
};
struct RetentionClient {
  ClientId id;
  std::string tags;  // separated by single spaces
  std::optional<Timestamp> relationship_end;
};

// The tags are valid within the call only.
struct EndedClient {
  std::int64_t client = 0;  // row
  Timestamp relationship_end;
  std::string_view tags;
};

class RetentionStore {
 public:
  static Result<RetentionStore> Open(Database& database);

  Status Insert(const RunRow& row);
  Status Update(const RunRow& row);
  Result<std::optional<RunRow>> Find(const RunId& id);
  Result<std::optional<RunRow>> FindOpen();
  Result<std::vector<RunRow>> List(std::size_t limit);   // newest first
  Result<std::optional<Timestamp>> FindLastScheduled();  // its start
  Result<std::optional<std::string>> FindReport(const RunId& id);
  Status PutReport(const RunId& id, std::string_view report);

  // `run`: the first entry of the one that finds it. False: it was there already.
  Result<bool> AddReview(std::int64_t record, std::string_view policy, Timestamp now,
                         std::uint64_t run);
  // Where it is there, the run found it too.
  Result<bool> KeepReview(std::int64_t record, std::string_view policy, std::uint64_t run);
  Status PurgeReviews();  // of records that are gone
  // All that this run, which has come to its end, did not find.
  Status PurgeReviewsBut(std::uint64_t run);

  // Which version of the schedule restricted the class of the client last.
  Result<std::optional<std::uint64_t>> FindRestricted(std::int64_t client,
                                                      std::string_view class_name);
  Status PutRestricted(std::int64_t client, std::string_view class_name, std::uint64_t schedule);
  Status ForgetRestricted(std::int64_t client);

  // Records of clients after row `after`, client by client, until `each` says false.
  Status Scan(std::int64_t after, FunctionRef<Result<bool>(const RetentionSubject&)> each);
  Status ScanOf(std::int64_t client, FunctionRef<Status(const RetentionSubject&)> each);
  // Clients whose relationship has an end, with rows after `after` and up to `last`, until `each`
  // says false.
  Status ScanEnded(std::int64_t after, std::int64_t last,
                   FunctionRef<Result<bool>(const EndedClient&)> each);
  Result<std::optional<RetentionClient>> FindClient(std::int64_t client);
  Result<std::optional<RecordId>> FindRecordId(std::int64_t record);

  // Where a record stands in the order of records_by_client.
  struct Place {
    std::int64_t client = -1;
    std::string class_name = {};
    std::int64_t record = 0;
  };
  // Records behind `after`, until `each` says false.
  Status ScanAfter(const Place& after, FunctionRef<Result<bool>(const RetentionSubject&)> each);

 private:
  Statement insert_, update_, find_, find_open_, list_, last_scheduled_, find_report_, put_report_,
      add_review_, keep_review_, purge_reviews_, purge_reviews_but_, find_restricted_,
      put_restricted_, forget_restricted_, scan_, scan_of_, scan_ended_, scan_after_, find_client_,
      find_record_;
};

}  // namespace coffer::vault
