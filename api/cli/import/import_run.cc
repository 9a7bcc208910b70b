#include "api/cli/import/import_run.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <queue>
#include <thread>
#include <utility>

#include "api/cli/import/seen_keys.h"

namespace coffer::cli {
namespace {

// Below the 8 MiB a request may have.
constexpr std::size_t kMaxBatchBytes = std::size_t{6} << 20;

constexpr std::size_t kMaxWarnings = 1000;  // that are kept
constexpr std::size_t kMaxFooter = 50;      // rows

using Batch = std::vector<PendingRow>;

// Bounded, so that a fast disk and a slow server do not fill the memory.
class BatchQueue {
 public:
  explicit BatchQueue(std::size_t limit) : limit_(limit) {}

  // False once the run was given up.
  bool Push(Batch batch) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return closed_ || batches_.size() < limit_; });
    if (closed_) return false;
    batches_.push(std::move(batch));
    changed_.notify_all();
    return true;
  }

  // Nothing once the queue is closed and, unless it was given up, empty.
  std::optional<Batch> Pop() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return closed_ || !batches_.empty(); });
    if (batches_.empty()) return std::nullopt;
    Batch batch = std::move(batches_.front());
    batches_.pop();
    changed_.notify_all();
    return batch;
  }

  void Close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

  void GiveUp() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    batches_ = {};
    changed_.notify_all();
  }

 private:
  const std::size_t limit_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::queue<Batch> batches_;
  bool closed_ = false;
};

// What all connections together have done.
class Ledger {
 public:
  void Add(ImportTally&& part) {
    const std::lock_guard lock(mutex_);
    tally_.created += part.created;
    tally_.updated += part.updated;
    tally_.unchanged += part.unchanged;
    tally_.erased += part.erased;
    tally_.shortened += part.shortened;
    tally_.removed += part.removed;
    tally_.checked += part.checked;
    tally_.needing_record += part.needing_record;
    std::ranges::move(part.refusals, std::back_inserter(tally_.refusals));
    std::ranges::move(part.left_out, std::back_inserter(tally_.left_out));
  }

  void Warn(Refusal warning) {
    const std::lock_guard lock(mutex_);
    if (++tally_.warned <= kMaxWarnings) tally_.warnings.push_back(std::move(warning));
  }

  void Stop(Failure failure) {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::move(failure);
  }

  std::pair<std::uint64_t, std::uint64_t> Counts() {
    const std::lock_guard lock(mutex_);
    return {tally_.settled(), tally_.refusals.size()};
  }

  // Precondition: no other thread uses it any more.
  ImportTally TakeTally() {
    std::ranges::stable_sort(tally_.refusals, {}, &Refusal::line);
    std::ranges::stable_sort(tally_.left_out, {}, &Refusal::line);
    return std::move(tally_);
  }
  std::optional<Failure> TakeFailure() { return std::move(failure_); }

 private:
  std::mutex mutex_;
  ImportTally tally_;
  std::optional<Failure> failure_;
};

class ImportRun {
 public:
  ImportRun(const ImportPlan& plan, const ImportRunOptions& options, const Connector& connect)
      : plan_(plan), options_(options), connect_(connect), queue_(2 * options.jobs) {}

  ImportRunResult Execute(CsvReader& reader, const ImportProgress& progress);

 private:
  Outcome<void> Produce(CsvReader& reader, const ImportProgress& progress);
  void ReadRow(const CsvRow& row, Batch& batch, std::size_t& bytes);
  bool IsSeen(const CsvRow& row);
  void TakeRow(const CsvRow& row, Batch& batch, std::size_t& bytes);
  void TakeShortRows(Batch& batch, std::size_t& bytes);
  void Work();
  Outcome<void> SendBatches();

  const ImportPlan& plan_;
  const ImportRunOptions& options_;
  const Connector& connect_;
  BatchQueue queue_;
  Ledger ledger_;
  SeenKeys seen_;
  std::uint64_t rows_ = 0;
  std::vector<CsvRow> short_rows_;  // of one cell, with nothing behind them yet
  bool too_long_for_footer_ = false;
};

// Refuses what an earlier row named, and warns of what reads like it.
bool ImportRun::IsSeen(const CsvRow& row) {
  std::optional<std::string> record_key;
  if (plan_.record_key_column) record_key = RecordKeyOf(plan_, row);
  const SeenBefore seen = seen_.Insert(KeyOf(plan_, row), record_key, row.line);
  if (seen.same) {
    ledger_.Add({.refusals = {plan_.Locate(row.line, {},
                                           "names the same client and record as line " +
                                               std::to_string(*seen.same) +
                                               " (--record-key tells records apart)")}});
  } else if (seen.alike) {
    ledger_.Warn(plan_.Locate(row.line, "/external_ref",
                              "differs from the key of line " + std::to_string(*seen.alike) +
                                  " by capitals or blanks alone: they are two"));
  }
  return seen.same.has_value();
}

void ImportRun::TakeRow(const CsvRow& row, Batch& batch, std::size_t& bytes) {
  std::vector<Refusal> left_out, missing;
  auto line = BuildLine(plan_, row, &left_out, options_.dry_run ? &missing : nullptr);
  if (!line) {
    ledger_.Add({.refusals = {std::move(line).error()}});
    return;
  }
  if (IsSeen(row)) return;
  if (options_.dry_run) {
    const bool whole = missing.empty() && plan_.unfilled_required.empty();
    for (Refusal& field : missing) ledger_.Warn(std::move(field));
    ledger_.Add({.left_out = std::move(left_out),
                 .checked = whole ? 1U : 0U,
                 .needing_record = whole ? 0U : 1U});
    return;
  }
  bytes += line->size();
  batch.push_back({row.line, *std::move(line), std::move(left_out)});
}

// Whether a cell has as many parts as the header, at another sign: then it is a row of the table.
bool IsSplitElsewhere(const CsvRow& row, std::size_t columns) {
  return std::ranges::any_of(std::string_view(",;|\t"), [&](char sign) {
    return std::cmp_equal(std::ranges::count(row.cells[0], sign), columns - 1);
  });
}

void ImportRun::TakeShortRows(Batch& batch, std::size_t& bytes) {
  for (const CsvRow& earlier : std::exchange(short_rows_, {})) {
    ++rows_;
    TakeRow(earlier, batch, bytes);
  }
}

// Rows of one cell are a footer when no other row comes behind them, and when they are few.
void ImportRun::ReadRow(const CsvRow& row, Batch& batch, std::size_t& bytes) {
  if (plan_.footer && row.cells.size() == 1 && plan_.header.size() > 1) {
    short_rows_.push_back(row);
    if (short_rows_.size() > kMaxFooter) too_long_for_footer_ = true;
    if (too_long_for_footer_) TakeShortRows(batch, bytes);
    return;
  }
  too_long_for_footer_ = false;
  TakeShortRows(batch, bytes);
  ++rows_;
  TakeRow(row, batch, bytes);
}

Outcome<void> ImportRun::Produce(CsvReader& reader, const ImportProgress& progress) {
  Batch batch;
  std::size_t bytes = 0;
  CsvRow row;
  for (;;) {
    COFFER_ASSIGN(const bool more, reader.Next(row));
    if (more) ReadRow(row, batch, bytes);
    // A table without a row that has all columns may have been split at the wrong sign.
    if (!more && rows_ == 0 && std::ranges::any_of(short_rows_, [&](const CsvRow& one) {
          return IsSplitElsewhere(one, plan_.header.size());
        })) {
      TakeShortRows(batch, bytes);
    }
    if (batch.size() >= options_.batch_rows || bytes >= kMaxBatchBytes || !more) {
      if (!batch.empty() && !queue_.Push(std::exchange(batch, {}))) return {};
      bytes = 0;
      const auto [settled, refused] = ledger_.Counts();
      progress(settled, refused);
    }
    if (!more) return {};
  }
}

Outcome<void> ImportRun::SendBatches() {
  COFFER_ASSIGN(ApiClient client, connect_());
  while (auto batch = queue_.Pop()) {
    ImportTally tally;
    const auto sent = SendBatch(client, plan_, options_.class_name, *std::move(batch),
                                options_.patience, tally, options_.accept_erased, options_.replace);
    ledger_.Add(std::move(tally));
    if (!sent) return sent;
  }
  return {};
}

void ImportRun::Work() {
  Outcome<void> outcome;
  try {
    outcome = SendBatches();
  } catch (const std::exception& error) {
    outcome = Failed(Exit::kFailed, std::string("unexpected: ") + error.what());
  }
  if (outcome) return;
  ledger_.Stop(outcome.error());
  queue_.GiveUp();
}

ImportRunResult ImportRun::Execute(CsvReader& reader, const ImportProgress& progress) {
  std::vector<std::jthread> workers;
  // Whatever happens here, no worker waits for ever.
  const std::unique_ptr<BatchQueue, void (*)(BatchQueue*)> releases_workers(
      &queue_, [](BatchQueue* queue) { queue->GiveUp(); });
  const unsigned jobs = options_.dry_run ? 0 : options_.jobs;
  for (unsigned i = 0; i < jobs; ++i) workers.emplace_back([this] { Work(); });
  const auto produced = Produce(reader, progress);
  queue_.Close();
  workers.clear();  // joins

  ImportRunResult result;
  result.rows = rows_;
  for (const CsvRow& row : short_rows_) result.footer.push_back(row.line);
  result.passed_over.empty_rows = reader.empty_rows();
  result.tally = ledger_.TakeTally();
  if (!produced) result.outcome = std::unexpected(produced.error());
  if (auto failure = ledger_.TakeFailure()) result.outcome = std::unexpected(*std::move(failure));
  return result;
}

}  // namespace

ImportRunResult RunImport(CsvReader& reader, const ImportPlan& plan,
                          const ImportRunOptions& options, const Connector& connect,
                          const ImportProgress& progress) {
  return ImportRun(plan, options, connect).Execute(reader, progress);
}

}  // namespace coffer::cli
