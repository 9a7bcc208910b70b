// kill -9 at random moments under load, again and again. What was acknowledged is kept in a journal
// outside the server; after each restart everything in it must be there, exactly, and in the log.
//   COFFER_CRASH_ROUNDS=500 runs longer; a failure prints its seed for COFFER_CRASH_SEED.
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <map>
#include <random>
#include <thread>
#include <unordered_set>

#include "tests/support/running_vault.h"

using namespace coffer::testing;
using nlohmann::json;

namespace {

constexpr int kWorkers = 6;

int FromEnvironment(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoi(text);
}

// What is known of one record, and what the last, unanswered request may have made of it.
struct RecordState {
  std::string id, value;
  int version = 1;
  std::string maybe_value;  // of version + 1
  bool maybe_deleted = false;
};

struct ClientState {
  std::string id, external_ref;
  std::vector<RecordState> records;
  std::string maybe_record;  // value of one whose making was not answered
  std::string erasure;       // the answer, once acknowledged
  bool maybe_erased = false;
};

// One worker works on its own clients, so that each has one history; the server sees all at once.
class Worker {
 public:
  Worker(RunningVault& vault, int number, unsigned seed)
      : vault_(vault), number_(number), random_(seed) {}

  void Work(const std::atomic<bool>& go) {
    crm_.emplace(vault_.As("crm-service"));
    privacy_.emplace(vault_.As("privacy-officer", "data-subject-request"));
    touched_.clear();
    alive_ = true;
    while (go && alive_) Step();
  }

  // Compares the journal with the restarted vault; what the crash left open is settled by it.
  void Check(bool all) {
    crm_.emplace(vault_.As("crm-service"));
    privacy_.emplace(vault_.As("privacy-officer", "data-subject-request"));
    for (std::size_t i = 0; i < clients_.size(); ++i) {
      if (all || touched_.contains(i)) CheckClient(clients_[i]);
    }
    if (!maybe_client_.empty()) {
      const auto found = crm_->Post("/v1/clients/search", {{"external_ref", maybe_client_}});
      REQUIRE(found.status == 200);
      const auto items = found.Json().at("items");
      CHECK(items.size() <= 1);
      if (!items.empty()) {
        clients_.push_back({items[0].at("client"), maybe_client_, {}, {}, {}, false});
        CheckClient(clients_.back());
      }
      maybe_client_.clear();
    }
  }

  // Request ids whose answers came: each must be in the log.
  std::vector<std::string> TakeAnswered() { return std::exchange(answered_, {}); }
  const std::vector<std::string>& wrong() const { return wrong_; }

 private:
  int Below(std::size_t n) {
    return static_cast<int>(std::uniform_int_distribution<std::size_t>(0, n - 1)(random_));
  }
  std::string NewValue() {
    return std::to_string(number_) + "/" + std::to_string(++counter_) + " " +
           std::string(static_cast<std::size_t>(Below(900)), 'x');
  }
  static json Data(const std::string& value) {
    return {{"occurred_at", "2026-01-02T10:00:00Z"},
            {"channel", "phone"},
            {"subject", "A call"},
            {"summary", value}};
  }
  static std::string Path(const ClientState& client) { return "/v1/clients/" + client.id; }
  static std::string Path(const ClientState& client, const RecordState& record) {
    return Path(client) + "/records/" + record.id;
  }

  // True when the answer came and is `wanted`; no answer at all means that the server is gone.
  bool Answered(const HttpReply& reply, int wanted) {
    if (reply.status == 0) {
      alive_ = false;
      return false;
    }
    answered_.push_back(reply.Header("coffer-request-id"));
    if (reply.status == wanted) return true;
    wrong_.push_back("wanted " + std::to_string(wanted) + ", got " + std::to_string(reply.status) +
                     " " + reply.body);
    return false;
  }

  void Step() {
    if (clients_.empty() || Below(8) == 0) return MakeClient();
    const auto chosen = static_cast<std::size_t>(Below(std::min<std::size_t>(clients_.size(), 12)));
    const std::size_t at = clients_.size() - 1 - chosen;
    ClientState& client = clients_[at];
    touched_.insert(at);
    if (!client.erasure.empty()) return;
    if (client.records.empty() || Below(4) == 0) return MakeRecord(client);
    if (Below(20) == 0) return Erase(client);
    RecordState& record = client.records[static_cast<std::size_t>(Below(client.records.size()))];
    if (Below(2) == 0) return Read(client, record);
    if (Below(12) == 0) return Delete(client, record);
    Update(client, record);
  }

  void MakeClient() {
    maybe_client_ = "R-" + std::to_string(number_) + "-" + std::to_string(++counter_);
    const auto reply = crm_->Post("/v1/clients", {{"external_ref", maybe_client_}});
    if (!Answered(reply, 201)) return;
    touched_.insert(clients_.size());
    clients_.push_back({reply.Json().at("id"), maybe_client_, {}, {}, {}, false});
    maybe_client_.clear();
  }
  void MakeRecord(ClientState& client) {
    client.maybe_record = NewValue();
    const auto reply = crm_->Post(Path(client) + "/records",
                                  {{"class", "interaction"}, {"data", Data(client.maybe_record)}});
    if (!Answered(reply, 201)) return;
    client.records.push_back({reply.Json().at("id"), client.maybe_record, 1, {}, false});
    client.maybe_record.clear();
  }
  void Update(ClientState& client, RecordState& record) {
    record.maybe_value = NewValue();
    const auto reply = crm_->Put(Path(client, record), {{"data", Data(record.maybe_value)}},
                                 {{"If-Match", "\"" + std::to_string(record.version) + "\""}});
    if (!Answered(reply, 200)) return;
    ++record.version;
    record.value = std::exchange(record.maybe_value, {});
  }
  void Read(ClientState& client, RecordState& record) {
    const auto reply = crm_->Get(Path(client, record));
    if (!Answered(reply, 200)) return;
    if (reply.Json().at("data") != Data(record.value)) wrong_.push_back("read: " + reply.body);
  }
  void Delete(ClientState& client, RecordState& record) {
    record.maybe_deleted = true;
    if (!Answered(crm_->Delete(Path(client, record)), 204)) return;
    std::erase_if(client.records, [&](const RecordState& other) { return &other == &record; });
  }
  void Erase(ClientState& client) {
    client.maybe_erased = true;
    const auto reply = privacy_->Delete(Path(client));
    if (!Answered(reply, 200)) return;
    client.erasure = reply.body;
    client.maybe_erased = false;
    client.records.clear();
  }

  void CheckClient(ClientState& client) {
    INFO("client " << client.id << " " << client.external_ref);
    const auto reply = crm_->Get(Path(client));
    if (client.maybe_erased && reply.status == 404) {
      client.erasure = privacy_->Delete(Path(client)).body;
      client.maybe_erased = false;
    }
    if (!client.erasure.empty()) {
      CHECK(reply.status == 404);
      CHECK(crm_->Get(Path(client) + "/records?data=true").status == 404);
      const auto again = privacy_->Delete(Path(client));
      CHECK(again.status == 200);
      CHECK(again.body == client.erasure);
      return;
    }
    client.maybe_erased = false;
    REQUIRE(reply.status == 200);
    CHECK(reply.Json().at("external_ref") == client.external_ref);
    std::map<std::string, json> stored;
    std::string cursor;
    do {
      const auto page = crm_->Get(Path(client) + "/records?data=true&limit=200" + cursor);
      REQUIRE(page.status == 200);
      const json items = page.Json().at("items");
      for (const auto& item : items) stored[item.at("id")] = item;
      cursor = page.Json().contains("next_cursor")
                   ? "&cursor=" + page.Json().at("next_cursor").get<std::string>()
                   : "";
    } while (!cursor.empty());

    std::erase_if(client.records, [&](RecordState& record) {
      const bool gone = record.maybe_deleted && !stored.contains(record.id);
      record.maybe_deleted = false;
      return gone;
    });
    for (auto& record : client.records) {
      INFO("record " << record.id << " version " << record.version);
      if (!stored.contains(record.id)) {
        FAIL("it is gone: " << crm_->Get(Path(client, record)).body);
      }
      const json item = stored.at(record.id);
      if (!record.maybe_value.empty() && item.at("version") == record.version + 1) {
        ++record.version;
        record.value = record.maybe_value;
      }
      record.maybe_value.clear();
      CHECK(item.at("version") == record.version);
      CHECK(item.at("data") == Data(record.value));
      stored.erase(record.id);
    }
    // One more may be there, if its making was not answered.
    if (!client.maybe_record.empty() && stored.size() == 1) {
      const auto& [id, item] = *stored.begin();
      CHECK(item.at("data") == Data(client.maybe_record));
      client.records.push_back({id, client.maybe_record, 1, {}, false});
      stored.clear();
    }
    client.maybe_record.clear();
    CHECK(stored.empty());
  }

  RunningVault& vault_;
  const int number_;
  std::mt19937 random_;
  std::optional<Caller> crm_, privacy_;
  std::vector<ClientState> clients_;
  std::unordered_set<std::size_t> touched_;  // in this round
  std::string maybe_client_;                 // external reference of one that was not answered
  std::vector<std::string> answered_, wrong_;
  std::uint64_t counter_ = 0;
  bool alive_ = true;
};

}  // namespace

TEST_CASE("killed at random moments under load, it keeps and has logged all it answered",
          "[long]") {
  const int rounds = FromEnvironment("COFFER_CRASH_ROUNDS", 20);
  const auto seed = static_cast<unsigned>(
      FromEnvironment("COFFER_CRASH_SEED", static_cast<int>(std::random_device()() >> 1)));
  INFO("COFFER_CRASH_SEED=" << seed);
  std::mt19937 random(seed);
  RunningVault vault;
  (void)vault.Token("crm-service");
  (void)vault.Token("privacy-officer");
  (void)vault.Token("security-officer");
  std::vector<std::unique_ptr<Worker>> workers;
  for (int i = 0; i < kWorkers; ++i) {
    workers.push_back(std::make_unique<Worker>(vault, i, static_cast<unsigned>(random())));
  }
  std::uint64_t log_seen = 0;
  std::size_t answers = 0;
  for (int round = 0; round < rounds; ++round) {
    INFO("round " << round);
    std::atomic<bool> go = true;
    std::vector<std::thread> threads;
    for (auto& worker : workers) threads.emplace_back([&] { worker->Work(go); });
    std::this_thread::sleep_for(std::chrono::milliseconds(50 + random() % 500));
    vault.Kill();
    go = false;
    for (auto& thread : threads) thread.join();
    // Sometimes it dies again while it recovers.
    for (auto again = random() % 3; again > 0; --again) {
      vault.Spawn();
      std::this_thread::sleep_for(std::chrono::milliseconds(random() % 150));
      if (vault.Alive()) vault.Kill();
    }
    const auto before = std::chrono::steady_clock::now();
    vault.Start();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - before;
    if (took.count() > 5) WARN("ready only after " << took.count() << " s");

    std::unordered_set<std::string> logged;
    for (const auto& entry : vault.Entries("", log_seen)) {
      log_seen = entry.at("seq").get<std::uint64_t>() + 1;
      logged.insert(entry.value("request", ""));
    }
    for (auto& worker : workers) {
      for (const auto& problem : worker->wrong()) FAIL_CHECK(problem);
      for (const auto& request : worker->TakeAnswered()) {
        ++answers;
        INFO("request " << request);
        if (!logged.contains(request)) FAIL_CHECK("answered, and not in the log");
      }
      worker->Check(round + 1 == rounds);
      (void)worker->TakeAnswered();
    }
    const auto report = vault.Verify();
    INFO(report.dump());
    REQUIRE(report.at("ok") == true);
  }
  vault.Stop();
  vault.Start();
  CHECK(vault.Verify().at("ok") == true);
  INFO(answers << " answers");
  CHECK(answers > static_cast<std::size_t>(rounds) * 10);
}
