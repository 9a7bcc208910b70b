#include "vault/engine/log_publisher.h"

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <filesystem>
#include <thread>

#include "crypto/atomic_file.h"
#include "tests/vault/faulty_storage.h"
#include "tests/vault/test_engine.h"

namespace coffer::vault {
namespace {

namespace fs = std::filesystem;

class TestPublisher : public TestEngine {
 public:
  TestPublisher() {
    FaultyStorage::Instance();
    fs::create_directory(work / "elsewhere");
    Start();
    CHECK(Put(0) == "ok");
    OpenPublisher();
  }
  ~TestPublisher() { publisher_.reset(); }

  void OpenPublisher(std::uint32_t interval_ms = 60'000, std::uint32_t heartbeat_s = 3600) {
    publisher_.reset();
    auto made = LogPublisher::Create(**this, keyring(), Reader(), {counter_, {}},
                                     {.anchor_path = anchor_path(),
                                      .interval_ms = interval_ms,
                                      .heartbeat_s = heartbeat_s,
                                      .log = [this](Severity, std::string_view text) {
                                        log.emplace_back(text);
                                        ++told;
                                      }});
    REQUIRE(made);
    publisher_ = *std::move(made);
  }
  LogPublisher& publisher() { return *publisher_; }
  std::string Publish(bool heartbeat = false) { return AnswerOf(publisher_->Publish(heartbeat)); }

  std::string anchor_path() const { return work / "elsewhere/anchor"; }
  bool HasAnchor() const { return fs::exists(anchor_path()); }
  audit::Anchor Anchor() const {
    const auto bytes = crypto::ReadFile(anchor_path(), 65'536);
    REQUIRE(bytes);
    const auto anchor = audit::ParseAnchor(crypto::AsText(*bytes));
    REQUIRE(anchor);
    return *anchor;
  }
  audit::Checkpoint Signed(const std::string& note) {
    const auto checkpoint = audit::VerifyCheckpoint(
        note, {keyring().log_origin(), keyring().log_signing_key()->public_key()});
    REQUIRE(checkpoint);
    return *checkpoint;
  }
  std::string Stored() {
    Database reader = Reader();
    auto store = LogStore::Open(reader);
    REQUIRE(store);
    const auto note = (*store)->ReadCheckpoint();
    REQUIRE(note);
    return note->value_or("");
  }
  // Changes the log behind the engine's back.
  void Tamper(const char* sql) {
    auto database = Database::Open(vault_path(), keyring().vault_db_key(), {});
    REQUIRE(database);
    REQUIRE(database->Execute(sql));
  }

  // What was published is signed, stored and anchored, and is the log as it is.
  void CheckPublished() {
    const std::string note = publisher_->published();
    CHECK(note == Anchor().note);
    CHECK(note == Stored());
    CHECK(Signed(note).size == publisher_->published_size());
    Database reader = Reader();
    auto store = LogStore::Open(reader);
    REQUIRE(store);
    const auto size = (*store)->Size();
    REQUIRE(size);
    CHECK(audit::RootAt(Signed(note).size, audit::MakeHashReader(**store, *size)) ==
          Signed(note).root);
    CheckInvariants();
  }

  Strings log;
  std::atomic<int> told = 0;  // counted by the thread that tells it

 private:
  std::uint64_t counter_ = 41;
  std::unique_ptr<LogPublisher> publisher_;
};

TEST_CASE("a log that grew is signed, stored, anchored and published") {
  TestPublisher log;
  CHECK(log.Publish() == "ok");
  CHECK(log.publisher().published_size() == 1);
  CHECK(log.Anchor().counter == 42);
  log.CheckPublished();
  for (int n = 1; n < 4; ++n) CHECK(log.Put(n) == "ok");
  CHECK(log.publisher().published_size() == 1);
  CHECK(log.Publish() == "ok");
  CHECK(log.publisher().published_size() == 4);
  CHECK(log.Anchor().counter == 43);
  log.CheckPublished();
}

TEST_CASE("a log that did not grow is signed again only as a heartbeat") {
  TestPublisher log;
  CHECK(log.Publish() == "ok");
  CHECK(log.Publish() == "ok");
  CHECK(log.Anchor().counter == 42);
  CHECK(log.Publish(true) == "ok");
  CHECK(log.Anchor().counter == 43);
  CHECK(log.publisher().published_size() == 1);
  log.CheckPublished();
}

TEST_CASE("a running publisher follows the log and beats when it rests") {
  TestPublisher log;
  log.OpenPublisher(10, 1);
  log.publisher().Start();
  const auto await = [&](auto condition) {
    for (int i = 0; i < 6000 && !condition(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    CHECK(condition());
  };
  await([&] { return log.publisher().published_size() == 1; });
  CHECK(log.Put(1) == "ok");
  await([&] { return log.publisher().published_size() == 2; });
  const std::uint64_t counter = log.Anchor().counter;
  await([&] { return log.Anchor().counter > counter; });
  log.publisher().Stop();
  CHECK(log.publisher().published_size() == 2);
  CHECK(log.log.empty());
  log.CheckPublished();
}

TEST_CASE("a stop is not held up by the interval") {
  TestPublisher log;
  log.OpenPublisher(60'000, 3600);
  log.publisher().Start();
  const auto begin = std::chrono::steady_clock::now();
  log.publisher().Stop();
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(10));
}

TEST_CASE("sizes that are published while the log grows never go down") {
  TestPublisher log;
  std::atomic<bool> done{false};
  std::vector<std::uint64_t> sizes;
  {
    const std::jthread writing([&] {
      for (int n = 1; n <= 300; ++n) log.Put(n);
      done = true;
    });
    const std::jthread publishing([&] {
      while (!done) {
        if (!log.publisher().Publish(true)) break;
        sizes.push_back(log.publisher().published_size());
      }
    });
    while (!done) {
      if (!log.publisher().Publish(false)) break;
    }
  }
  CHECK(std::ranges::is_sorted(sizes));
  CHECK(log.Publish() == "ok");
  CHECK(log.publisher().published_size() == 301);
  log.CheckPublished();
}

TEST_CASE("an entry that was altered before it was signed is never signed") {
  TestPublisher log;
  CHECK(log.Publish() == "ok");
  CHECK(log.Put(1) == "ok");
  CHECK(log.Put(2) == "ok");
  log.Tamper(
      "UPDATE log_entries SET entry = cast(replace(cast(entry AS TEXT), 'put.1', 'put.9') AS BLOB) "
      "WHERE seq = 1");
  const std::string before = log.publisher().published();
  CHECK(log.publisher().healthy());
  CHECK(log.Publish() == "log_mismatch");
  CHECK(!log.publisher().healthy());
  CHECK(log.publisher().published() == before);
  CHECK(log.Anchor().note == before);
  CHECK(log.Stored() == before);
  CHECK(log.Put(3) == "ok");
  CHECK(log.Publish() == "log_mismatch");
  CHECK(log.Anchor().counter == 42);
}

TEST_CASE("a log whose end was cut off is never signed, not even as a heartbeat") {
  TestPublisher log;
  CHECK(log.Publish() == "ok");
  CHECK(log.Put(1) == "ok");
  CHECK(log.Put(2) == "ok");
  log.Tamper("DELETE FROM log_entries WHERE seq = 2");
  CHECK(log.Publish() == "log_mismatch");
  CHECK(log.Publish(true) == "log_mismatch");
  CHECK(!log.publisher().healthy());
  CHECK(log.Anchor().counter == 42);
}

TEST_CASE("an entry that is missing in the middle stops the vault like one that was altered") {
  TestPublisher log;
  CHECK(log.Publish() == "ok");
  CHECK(log.Put(1) == "ok");
  CHECK(log.Put(2) == "ok");
  log.Tamper("DELETE FROM log_entries WHERE seq = 1");
  CHECK(log.Publish() != "ok");
  CHECK(log.Anchor().counter == 42);
  CHECK(!log.publisher().healthy());
}

TEST_CASE("an anchor that cannot be written publishes nothing, and the next one goes on") {
  TestPublisher log;
  CHECK(log.Publish() == "ok");
  const std::string before = log.publisher().published();
  CHECK(log.Put(1) == "ok");
  fs::rename(log.work / "elsewhere", log.work / "away");
  CHECK(log.Publish() == "file_not_written");
  CHECK(log.publisher().published() == before);
  CHECK(log.publisher().healthy());
  CHECK(log.Put(2) == "ok");
  fs::rename(log.work / "away", log.work / "elsewhere");
  CHECK(log.Publish() == "ok");
  CHECK(log.publisher().published_size() == 3);
  CHECK(log.Anchor().counter == 43);
  log.CheckPublished();
}

TEST_CASE("a failure to publish is told once, and again after it was mended") {
  TestPublisher log;
  log.OpenPublisher(5, 3600);
  const auto wait_for = [](auto condition) {
    for (int i = 0; i < 6000 && !condition(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return condition();
  };
  fs::rename(log.work / "elsewhere", log.work / "away");
  log.publisher().Start();
  REQUIRE(wait_for([&] { return log.told > 0; }));
  CHECK(!log.HasAnchor());
  std::this_thread::sleep_for(std::chrono::milliseconds(200));  // many intervals
  CHECK(log.told == 1);
  fs::rename(log.work / "away", log.work / "elsewhere");
  REQUIRE(wait_for([&] { return log.publisher().published_size() > 0; }));
  fs::rename(log.work / "elsewhere", log.work / "away");
  log.Put(1);
  REQUIRE(wait_for([&] { return log.told > 1; }));
  log.publisher().Stop();
  REQUIRE(log.log.size() == 2);
  for (const auto& line : log.log) CHECK(line.starts_with("no checkpoint could be published: "));
}

TEST_CASE("what cannot be stored is not anchored") {
  FaultyStorage::Instance();  // in front of every file that is opened from here on
  TestPublisher log;
  CHECK(log.Publish() == "ok");
  CHECK(log.Put(1) == "ok");
  FaultyStorage::Instance().Break("vault.db-wal", Fault::kFull);
  CHECK(log.Publish() == "log_unavailable");
  FaultyStorage::Instance().Mend();
  CHECK(log.Anchor().counter == 42);
  CHECK(log.Publish() == "ok");
  CHECK(log.publisher().published_size() == 2);
  log.CheckPublished();
}

TEST_CASE("a publisher that begins on a long log goes on from its tiles") {
  TestPublisher log;
  log.Hold();
  {
    std::vector<std::jthread> callers;
    for (int n = 1; n <= 600; ++n) callers.emplace_back([&log, n] { log.Put(n); });
    log.AwaitQueued(600);
    log.Release();
  }
  log.OpenPublisher();
  CHECK(log.Put(601) == "ok");
  CHECK(log.Publish() == "ok");
  CHECK(log.publisher().published_size() == 603);
  log.CheckPublished();
}

}  // namespace
}  // namespace coffer::vault
