#include "api/http/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <mutex>

namespace coffer::api {
namespace {

constexpr std::size_t kClasses = 5;  // 1xx..5xx, by first digit - 1

double ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  double total = 0;
  double resident = 0;
  statm >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

}  // namespace

struct Metrics::Impl {
  std::span<const Route> routes;
  prometheus::Registry registry;
  // Resolved once: a label lookup per request would cost more than the count.
  std::vector<std::array<prometheus::Counter*, kClasses>> requests;
  prometheus::Histogram* duration = nullptr;

  prometheus::Family<prometheus::Gauge>* token_days = nullptr;
  prometheus::Family<prometheus::Gauge>* service_expiry = nullptr;
  std::vector<prometheus::Gauge*> shown_services;  // of the last answer
  std::mutex rendering;                            // several callers may ask at a time

  void Set(const char* name, const char* help, double value) {
    prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({}).Set(value);
  }
  // What only grows while the server runs, counted elsewhere: `so_far` since the start.
  void Count(const char* name, const char* help, double so_far) {
    Raise(prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({}), so_far);
  }
  static void Raise(prometheus::Counter& counter, double so_far) {
    counter.Increment(so_far - counter.Value());  // less than before is left as it is
  }
  void ShowTokens(const vault::TokenExpiry& tokens);
  void SetConnections(const Connections::Counters& counters);
};

void Metrics::Impl::SetConnections(const Connections::Counters& counters) {
  const auto count = [this](const char* name, const char* help, const char* label,
                            std::initializer_list<std::pair<const char*, std::uint64_t>> values) {
    auto& family = prometheus::BuildCounter().Name(name).Help(help).Register(registry);
    for (const auto& [value, so_far] : values) {
      Raise(family.Add({{label, value}}), static_cast<double>(so_far));
    }
  };
  count("coffer_connections_refused_total", "Connections refused since the start, by cause",
        "cause",
        {{"address", counters.refused_per_address},
         {"full", counters.refused_full},
         {"stopping", counters.refused_stopping}});
  count("coffer_connections_evicted_total", "Connections ended to make room, by what they were",
        "was",
        {{"unknown", counters.evicted_unknown},
         {"idle", counters.evicted_idle},
         {"slow", counters.evicted_slow}});
  count("coffer_connections_late_total",
        "Connections ended because their peer was too slow, by phase", "phase",
        {{"handshake", counters.late_handshake},
         {"headers", counters.late_headers},
         {"body", counters.late_body},
         {"answer", counters.late_answer},
         {"idle", counters.late_idle}});
}

Metrics::Metrics(std::span<const Route> routes) : impl_(std::make_unique<Impl>()) {
  impl_->routes = routes;
  auto& family = prometheus::BuildCounter()
                     .Name("coffer_requests_total")
                     .Help("Requests answered, by operation and status class")
                     .Register(impl_->registry);
  static constexpr const char* kStatus[kClasses] = {"1xx", "2xx", "3xx", "4xx", "5xx"};
  const auto add = [&](std::string operation) {
    std::array<prometheus::Counter*, kClasses> row{};
    for (std::size_t i = 0; i < kClasses; ++i) {
      row[i] = &family.Add({{"operation", operation}, {"status", kStatus[i]}});
    }
    impl_->requests.push_back(row);
  };
  for (const Route& route : routes) add(std::string(route.operation_id));
  add("none");
  impl_->duration = &prometheus::BuildHistogram()
                         .Name("coffer_request_seconds")
                         .Help("Time from the end of the request's headers to its answer")
                         .Register(impl_->registry)
                         .Add({}, prometheus::Histogram::BucketBoundaries{
                                      0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2});
  impl_->token_days = &prometheus::BuildGauge()
                           .Name("coffer_tokens_expiring")
                           .Help("Tokens of services that end within so many days")
                           .Register(impl_->registry);
  impl_->service_expiry = &prometheus::BuildGauge()
                               .Name("coffer_service_tokens_expiry_timestamp_seconds")
                               .Help("When the last token of a service ends, Unix time")
                               .Register(impl_->registry);
}

Metrics::~Metrics() = default;

void Metrics::CountRequest(const Route* route, int status, std::int64_t microseconds) {
  const std::size_t row = route == nullptr ? impl_->requests.size() - 1
                                           : static_cast<std::size_t>(route - impl_->routes.data());
  if (status >= 100 && status < 600) {
    impl_->requests[row][static_cast<std::size_t>(status / 100 - 1)]->Increment();
  }
  impl_->duration->Observe(static_cast<double>(microseconds) / 1e6);
}

void Metrics::Impl::ShowTokens(const vault::TokenExpiry& tokens) {
  token_days->Add({{"days", "7"}}).Set(static_cast<double>(tokens.within_7_days));
  token_days->Add({{"days", "30"}}).Set(static_cast<double>(tokens.within_30_days));
  Set("coffer_tokens_next_expiry_timestamp_seconds",
      "When the next token of a service ends, Unix time; 0: there is none",
      tokens.next ? static_cast<double>(tokens.next->ms) / 1e3 : 0);
  // A service that has none any more is not shown with what it had.
  for (prometheus::Gauge* const shown : shown_services) service_expiry->Remove(shown);
  shown_services.clear();
  for (const auto& service : tokens.services) {
    prometheus::Gauge& gauge = service_expiry->Add({{"service", service.service.Text()}});
    gauge.Set(static_cast<double>(service.last.ms) / 1e3);
    shown_services.push_back(&gauge);
  }
}

std::string Metrics::Render(const vault::VaultStatistics& engine,
                            const Connections::Counters& connections,
                            std::int64_t certificate_expires) {
  const auto number = [](std::uint64_t value) { return static_cast<double>(value); };
  Impl& m = *impl_;
  const std::lock_guard lock(m.rendering);
  m.Count("coffer_engine_operations_total", "Operations committed since the start",
          number(engine.operations));
  m.Count("coffer_engine_batches_total", "Commits since the start", number(engine.batches));
  m.Count("coffer_engine_commit_seconds_total", "Time spent in commits since the start",
          number(engine.commit_nanoseconds) / 1e9);
  m.Count("coffer_engine_commit_failures_total", "Batches that failed closed",
          number(engine.commit_failures));
  m.Count("coffer_engine_refused_full_total", "Operations refused because the queue was full",
          number(engine.refused_full));
  m.Set("coffer_engine_queue_length", "Operations waiting now", number(engine.queue_length));
  m.Set("coffer_engine_largest_batch", "Most operations in one commit",
        number(engine.largest_batch));
  m.Set("coffer_wal_frames", "Frames in the write-ahead log", number(engine.wal_frames));
  m.Set("coffer_keys_wal_frames", "Frames in the write-ahead log of keys.db",
        number(engine.keys_wal_frames));
  m.Set("coffer_wal_bytes", "Size of the write-ahead log, vault.db-wal", number(engine.wal_bytes));
  m.Set("coffer_keys_wal_bytes", "Size of keys.db-wal", number(engine.keys_wal_bytes));
  m.Set("coffer_key_cache_entries", "Unwrapped client keys in locked memory",
        number(engine.key_cache_entries));
  m.Count("coffer_keys_rewrites_total",
          "Times that keys.db was rewritten after erasures, since the start",
          number(engine.keys_rewrites));
  m.Set("coffer_keys_rewrite_pending",
        "1 when keys were destroyed since keys.db was last rewritten",
        engine.keys_rewrite_pending ? 1 : 0);
  m.Set("coffer_wal_truncation_pending",
        "1 when a long read keeps pages from before an erasure in the write-ahead log",
        engine.wal_truncation_pending ? 1 : 0);
  m.Set("coffer_index_generation", "Which key of the search index is in use",
        number(engine.index.generation));
  m.Set("coffer_index_building", "1 while the search index is made anew under another key",
        engine.index.building || engine.index.retiring ? 1 : 0);
  m.Set("coffer_index_built", "Clients and records that the index being made has",
        number(engine.index.built));
  m.Set("coffer_index_whole", "0 when some searches wait for the index to be made",
        engine.index.whole ? 1 : 0);
  m.Set("coffer_index_oldest_uncovered_timestamp_seconds",
        "When the oldest deletion was that the index's key has outlived, since 1970; 0: none",
        engine.index.oldest_uncovered ? static_cast<double>(engine.index.oldest_uncovered->ms) / 1e3
                                      : 0);
  m.Set("coffer_index_exchange_overdue",
        "1 when the index's key has outlived a deletion for longer than acts say",
        engine.index.overdue ? 1 : 0);
  m.Set("coffer_log_entries", "Entries in the access log", number(engine.log_size));
  m.Set("coffer_log_checkpoint_size", "Entries under the last published checkpoint",
        number(engine.checkpoint_size));
  m.Set("coffer_log_index_size", "Entries that the log's index has", number(engine.log_index_size));
  m.Set("coffer_scrub_position", "Entries of the log that this round of the scrub went through",
        number(engine.scrub.position));
  m.Count("coffer_scrub_rounds_total", "Whole rounds of the scrub since the start",
          number(engine.scrub.rounds));
  m.Set("coffer_damaged_objects", "Clients and records that are refused because they are damaged",
        number(engine.scrub.damaged));
  m.Set("coffer_approvals_open", "Approvals that wait to be decided or used",
        number(engine.open_approvals));
  m.Count("coffer_retention_erased_total", "Records erased by retention since the start",
          number(engine.retention_erased));
  m.Set("coffer_retention_running", "1 while a retention run is under way",
        engine.retention_running ? 1 : 0);
  m.Set("coffer_retention_waiting_for_clock",
        "1 while retention waits for the clock's confirmation", engine.waiting_for_clock ? 1 : 0);
  m.Set("coffer_retention_time_zone_unknown",
        "1 while retention is paused because the machine has no such time zone as the schedule's",
        engine.time_zone_unknown ? 1 : 0);
  const auto seconds = [](const std::optional<vault::Timestamp>& time) {
    return time ? static_cast<double>(time->ms) / 1e3 : 0;
  };
  m.Set("coffer_backup_destinations", "Destinations of backups",
        number(engine.backups.destinations));
  m.Set("coffer_backup_destinations_with_problem", "Those where the last try failed",
        number(engine.backups.with_problem));
  m.Set("coffer_backup_complete_until_timestamp_seconds",
        "All that was committed until then is in each destination, since 1970; 0: not known",
        seconds(engine.backups.until));
  m.Set("coffer_backup_generation_timestamp_seconds",
        "When the generation was made that each destination has, since 1970; 0: one has none",
        seconds(engine.backups.generation));
  m.Set("coffer_backup_verified_timestamp_seconds",
        "Since when each destination was read back whole, since 1970; 0: one never was",
        seconds(engine.backups.verified));
  m.Set("coffer_backup_drill_timestamp_seconds",
        "When the last drill ended that passed, since 1970; 0: none has",
        seconds(engine.backups.drilled));
  m.Set("coffer_backup_drill_failed", "1 when the last drill did not pass",
        engine.backups.drill_failed ? 1 : 0);
  m.Set("coffer_backup_drill_overdue", "1 when a drill is asked for and none has passed in time",
        engine.backups.drill_overdue ? 1 : 0);
  m.Set("coffer_backup_data_copies", "Copies of the data that count, the vault itself among them",
        number(engine.backups.data.copies));
  m.Set("coffer_backup_keys_copies", "Copies of the keys that count, the vault itself among them",
        number(engine.backups.keys.copies));
  m.Set("coffer_backup_data_rule_met",
        "1 when there are three copies of the data, on two media, one of them off site",
        engine.backups.data.met() ? 1 : 0);
  m.Set("coffer_backup_keys_rule_met",
        "1 when there are three copies of the keys, on two media, one of them off site",
        engine.backups.keys.met() ? 1 : 0);
  m.Set("coffer_emergencies_unreviewed", "Emergency accesses that nobody has reviewed",
        number(engine.unreviewed_emergencies));
  m.Set("coffer_emergencies_overdue", "Those of which the review is overdue",
        number(engine.overdue_emergencies));
  m.Set("coffer_holds", "Holds that are not lifted", number(engine.holds));
  m.Set("coffer_holds_overdue", "Those of which the review is overdue",
        number(engine.overdue_holds));
  m.Set("coffer_requests_open", "Requests of persons that wait for an answer",
        number(engine.requests.open));
  m.Set("coffer_requests_due_soon", "Those that are due within seven days",
        number(engine.requests.due_soon));
  m.Set("coffer_requests_overdue", "Those that are overdue", number(engine.requests.overdue));
  m.Set("coffer_notices_open", "Notices to clients that are not closed",
        number(engine.notices.open));
  m.Set("coffer_notices_due", "Those that take effect within seven days, or did",
        number(engine.notices.due));
  m.Set("coffer_tellings_open", "Acts that recipients of data are still to be told of",
        number(engine.tellings.open));
  m.Set("coffer_recipients_to_tell", "Recipients that are still to be told of something",
        number(engine.tellings.recipients));
  m.Set("coffer_acts_to_settle", "Acts of which it is not known yet which recipients they concern",
        number(engine.tellings.to_settle));
  m.Set("coffer_restrictions", "Restrictions of clients and classes", number(engine.restrictions));
  m.Set("coffer_connections_open", "TLS connections open", number(connections.open));
  m.Count("coffer_connections_accepted_total", "TLS connections since the start",
          number(connections.accepted));
  m.Count("coffer_connections_refused_per_address_total",
          "Connections refused, or ended, by the limit per address",
          number(connections.refused_per_address));
  m.Count("coffer_connections_timed_out_total", "Connections ended because their peer was too slow",
          number(connections.timed_out));
  m.SetConnections(connections);
  m.Set("coffer_tls_certificate_expiry_timestamp_seconds",
        "When the server's certificate ends, Unix time", static_cast<double>(certificate_expires));
  m.ShowTokens(engine.tokens);
  m.Set("process_resident_memory_bytes", "Resident memory", ResidentBytes());
  return prometheus::TextSerializer().Serialize(m.registry.Collect());
}

}  // namespace coffer::api
