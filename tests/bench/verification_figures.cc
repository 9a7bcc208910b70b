// How fast a log is verified, and in how much memory: coffer_figures "[verification]" -s
#include <sys/resource.h>

#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <ctime>
#include <map>

#include "audit/verify/verify.h"
#include "tests/audit/tlog/test_keys.h"

namespace coffer::audit {
namespace {

// Of one core: what else the machine does is not counted.
struct CpuClock {
  using duration = std::chrono::nanoseconds;
  using time_point = std::chrono::time_point<CpuClock, duration>;
  static time_point now() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time_point(std::chrono::seconds(time.tv_sec) + duration(time.tv_nsec));
  }
};

constexpr std::uint64_t kSize = 1'000'000;
constexpr double kWantedPerSecond = 300'000;

// Written while it is read, a batch at a time; a tile is forgotten once it was asked for.
class GeneratedLog final : public LogSource {
 public:
  Result<std::uint64_t> Size() override { return kSize; }

  Status ReadEntries(std::uint64_t from, std::uint64_t to,
                     const std::function<Status(std::uint64_t, std::string_view)>& each) override {
    const auto start = CpuClock::now();
    std::vector<std::string> batch(to - from);
    for (std::string& bytes : batch) Write(bytes);
    writing_ += CpuClock::now() - start;
    for (std::uint64_t seq = from; seq < to; ++seq) COFFER_TRY(each(seq, batch[seq - from]));
    return {};
  }

  Result<crypto::Bytes> ReadTile(unsigned level, std::uint64_t n) override {
    const auto tile = tiles_.extract({level, n});
    if (!tile) return Fail(Code::kNotFound, "no_tile");
    return std::move(tile.mapped());
  }

  CpuClock::duration writing() const { return writing_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  // A person reads a record.
  static Entry Typical() {
    Entry entry;
    entry.action = "record.read";
    entry.actor = "usr_06bk4v0c5s3x9t7q2n8h1w6m4u";
    entry.actor_kind = ActorKind::kUser;
    entry.auth = "session";
    entry.address = "192.0.2.17";
    entry.request = "call_06bk4v0c5s3x9t7q2n8h1w6m4f";
    entry.client = "cli_06bk4v0c5s3x9t7q2n8h1w6m4g";
    entry.record = "rec_06bk4v0c5s3x9t7q2n8h1w6m4h";
    entry.class_name = "contact";
    entry.fields = {"email", "name", "phone"};
    entry.version = 3;
    entry.purpose = "support";
    entry.decision = Decision::kAllow;
    entry.rule = "role:support";
    entry.outcome = "ok";
    return entry;
  }

  void Write(std::string& bytes) {
    Entry entry = Typical();
    std::vector<FullTile> full;
    writer_.Append(entry, {1'767'323'045'000 + static_cast<std::int64_t>(writer_.head().size)},
                   bytes, full);
    bytes_ += bytes.size();
    for (FullTile& tile : full) tiles_[{tile.level, tile.n}] = std::move(tile.hashes);
  }

  LogWriter writer_{std::string(kOrigin), {}};
  std::map<std::pair<unsigned, std::uint64_t>, crypto::Bytes> tiles_;
  CpuClock::duration writing_{};
  std::uint64_t bytes_ = 0;
};

long PeakKib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

TEST_CASE("a million entries are verified fast and in little memory", "[verification]") {
  const long before_kib = PeakKib();
  GeneratedLog log;
  const auto start = CpuClock::now();
  const auto report = VerifyLog(log, {LogVerifier(), {}, true, {}});
  const std::chrono::duration<double> taken = CpuClock::now() - start - log.writing();
  REQUIRE(report);
  CHECK(report->ok());
  const double per_second = static_cast<double>(kSize) / taken.count();
  const double writing_s = std::chrono::duration<double>(log.writing()).count();
  WARN(per_second << " entries of " << log.bytes() / kSize << " bytes a second verified, "
                  << static_cast<double>(kSize) / writing_s << " written; "
                  << PeakKib() - before_kib << " KiB more memory");
  CHECK(per_second >= kWantedPerSecond);
  CHECK(PeakKib() - before_kib < 32 * 1024);
}

}  // namespace
}  // namespace coffer::audit
