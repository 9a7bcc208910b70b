#include "tests/crash/crashing_vault.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch_get_random_seed.hpp>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "audit/documents/act_document.h"

namespace coffer::vault {
namespace {

namespace fs = std::filesystem;
using testing::Death;

constexpr std::string_view kCalls = "calls ";

std::vector<std::uint64_t> Chosen(std::uint64_t calls, std::uint64_t deaths) {
  std::vector<std::uint64_t> chosen;
  const bool all = std::getenv("COFFER_CRASH_EVERYWHERE") != nullptr;
  if (all) deaths = calls;
  const std::uint64_t seed = Catch::getSeed();
  for (std::uint64_t i = 0; i < deaths; ++i) {
    chosen.push_back(1 + (all ? i : (seed + i * calls / deaths) % calls));
  }
  return chosen;
}

}  // namespace

CrashingVault::Ended CrashingVault::RunChild(std::uint64_t before, Death death, const Work& work) {
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const Answered answered = [&](const std::string& answer) {
      const std::string line = answer + "\n";
      if (write(ends[1], line.data(), line.size()) != static_cast<ssize_t>(line.size())) _exit(5);
    };
    testing::DieOnStorage(directory(), before, death);
    if (!Begin()) _exit(3);
    if (!work(answered)) _exit(4);
    Close();
    answered(std::string(kCalls) + std::to_string(testing::CountedCalls()));
    _exit(0);
  }
  close(ends[1]);
  std::string text;
  char piece[4096];
  for (ssize_t got = 0; (got = read(ends[0], piece, sizeof piece)) > 0;) {
    text.append(piece, static_cast<std::size_t>(got));
  }
  close(ends[0]);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  Ended ended;
  ended.killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  INFO("the child ended with " << status);
  REQUIRE((ended.killed || (WIFEXITED(status) && WEXITSTATUS(status) == 0)));
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(line.size() + 1);
    if (line.starts_with(kCalls)) {
      std::from_chars(line.data() + kCalls.size(), line.data() + line.size(), ended.calls);
    } else {
      ended.answers.Put(std::string(line));
    }
  }
  return ended;
}

void CrashingVault::Restore() {
  Close();
  fs::remove_all(directory());
  fs::copy(prepared(), directory(), fs::copy_options::recursive);
}

void CrashingVault::DieAt(const Choice& choice, const Work& work, const Check& check) {
  Close();
  fs::remove_all(prepared());
  fs::rename(directory(), prepared());
  Restore();
  const Ended whole = RunChild(0, Death::kOfProcess, work);
  REQUIRE(!whole.killed);
  REQUIRE(whole.calls > 0);
  GoOn();
  check(whole.answers);

  int died = 0;
  for (const Death death : {Death::kOfProcess, Death::kOfMachine}) {
    for (const std::uint64_t before : Chosen(whole.calls, choice.deaths)) {
      INFO("call " << before << " of " << whole.calls << ", "
                   << (death == Death::kOfProcess ? "killed" : "without power"));
      Restore();
      const Ended ended = RunChild(before, death, work);
      died += ended.killed ? 1 : 0;
      // Every third dies once more while it is opened.
      if (before % 3 == 0) {
        RunChild(1 + before / 3 % 40, death, [](const Answered&) { return true; });
      }
      GoOn();
      check(ended.answers);
    }
  }
  CHECK(died > 0);
  Restore();
  GoOn();
}

std::size_t CrashingVault::LedgerLinesOf(const ErasureId& id) {
  std::ifstream ledger(directory() + "/erasures.ledger");
  std::size_t count = 0;
  for (std::string line; std::getline(ledger, line);) {
    if (line.find("\"" + id.Text() + "\"") != std::string::npos) ++count;
  }
  return count;
}

std::vector<Erasure> CrashingVault::ErasuresOf(const ClientId& client) {
  const auto page = (*this)->erasures().ListErasures(As(Role::kPrivacyOfficer), {200, {}});
  REQUIRE(page);
  std::vector<Erasure> found;
  for (const Erasure& erasure : page->items) {
    if (erasure.client == client) found.push_back(erasure);
  }
  return found;
}

void CrashingVault::CheckErasure(const Erasure& erasure) {
  CHECK(erasure.complete);
  CHECK(LedgerLinesOf(erasure.id) == 1);
  const auto act = (*this)->erasure_acts().ReadAct(As(Role::kAuditor), erasure.id, {});
  INFO(AnswerOf(act));
  REQUIRE(act);
  const auto key = audit::ParseVerifierKey(LogKey());
  const auto report = audit::VerifyAct(*act, {&*key, 1});
  for (const auto& finding : report.findings) FAIL_CHECK(finding.message);
  if (erasure.basis != ErasureBasis::kRetention) CHECK(report.missing.empty());
  int completed = 0;
  for (const auto& entry : WholeLog()) {
    completed += entry.action == "erasure.completed" && entry.detail == erasure.id.Text() ? 1 : 0;
  }
  CHECK(completed == 1);
}

std::string CrashingVault::Read(const ClientId& client, const RecordId& record,
                                std::uint64_t version) {
  if (version == 0) {
    const auto newest = (*this)->records().GetRecord(As(Role::kCrmService), client, record);
    if (!newest) CHECK(newest.error().reason == "not_found");
    return newest ? newest->data : "";
  }
  const auto old =
      (*this)->records().GetRecordVersion(As(Role::kCrmService), client, record, version);
  if (!old) CHECK(old.error().reason == "not_found");
  return old ? old->data : "";
}

}  // namespace coffer::vault
