// Whatever is done to a stored object past the vault is found by one round of the scrub and by a
// deep verification, and refused from then on: every kind of object, every deed.
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <functional>
#include <thread>

#include "tests/vault/oversight/scrubbed_vault.h"

namespace coffer::vault {
namespace {

using enum Role;

const json kData = {{"last_name", "Roe"}};
const json kOther = {{"last_name", "Doe"}};

// Rows as they were, to be put back. The index of a new vault stands in the odd tables.
constexpr const char* kKept[] = {"clients",         "client_refs_odd", "records",
                                 "record_versions", "blind_index_odd", "index_arrivals"};

struct Subject {
  ClientId client;
  RecordId record;
};

class AlteredVault : public ScrubbedVault {
 public:
  // A client with a record of two versions.
  Subject New(const std::string& name, bool ended = false) {
    Subject subject;
    subject.client = ended ? NewEnded(name) : NewClient(name);
    subject.record = NewContact(subject.client, kData);
    REQUIRE((*this)->records().UpdateRecord(As(kCrmService), subject.client, subject.record, 1,
                                            kOther));
    return subject;
  }
  void Keep() {
    for (const std::string table : kKept) {
      Tamper("CREATE TABLE kept_" + table + " AS SELECT * FROM " + table);
    }
  }
  void PutBackRecord(const Subject& subject) {
    Tamper("INSERT INTO records SELECT * FROM kept_records WHERE id = ?", subject.record.Row());
    PutBackVersions(subject);
  }
  void PutBackVersions(const Subject& subject) {
    Tamper("INSERT INTO record_versions SELECT * FROM kept_record_versions WHERE record = ?",
           subject.record.Row());
  }
  void PutBackClient(const Subject& subject) {
    Tamper("INSERT INTO clients SELECT * FROM kept_clients WHERE id = ?", subject.client.Row());
    Tamper("INSERT INTO client_refs_odd SELECT * FROM kept_client_refs_odd WHERE client = ?",
           subject.client.Row());
    Tamper(
        "INSERT INTO index_arrivals SELECT * FROM kept_index_arrivals WHERE place = 3 AND owner = "
        "?",
        subject.client.Row());
  }
};

using Deed = std::function<void(AlteredVault&, const Subject&)>;

const Deed kNothing = [](AlteredVault&, const Subject&) {};

void DeleteRecord(AlteredVault& vault, const Subject& subject) {
  REQUIRE(vault->records().DeleteRecord(vault.As(kCrmService), subject.client, subject.record, {}));
}
void EraseRecord(AlteredVault& vault, const Subject& subject) {
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), subject.client,
                                  {ErasureBasis::kRequest, {}, {subject.record}}));
}
void EraseClass(AlteredVault& vault, const Subject& subject) {
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), subject.client,
                                  {ErasureBasis::kRequest, "contact", {}}));
}
void EraseClient(AlteredVault& vault, const Subject& subject) {
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), subject.client, {}));
}

// How what was done to the object takes it away first, and what is done past the vault then.
struct Taking {
  const char* name;
  Deed deed;
  bool with_client;
  bool ended = false;       // due by the schedule
  bool with_other = false;  // and something else of the client is not
};
const Taking kTakings[] = {
    {"record.delete", DeleteRecord, false},
    {"record.erase", EraseRecord, false},
    {"record.erase of a class", EraseClass, false},
    {"client.erase", EraseClient, true},
    {"retention of the record", kNothing, false, true, true},
    {"retention of the client", kNothing, true, true},
};

struct TamperedObject {
  std::string name;
  Deed before, tampering;
  bool ended = false, with_other = false;
  bool client = false;  // it is the client that is damaged,
  bool record = true;   // or, or and, the record
  const char* read_error = "integrity_failed";
};

void RemoveClient(AlteredVault& vault, const Subject& subject) {
  vault.Tamper("DELETE FROM clients WHERE id = ?", subject.client.Row());
}

std::vector<TamperedObject> CasesOfWhatIsThere() {
  std::vector<TamperedObject> cases;
  cases.push_back({"client removed", kNothing, RemoveClient});
  cases.back().client = true;
  cases.back().record = false;
  cases.push_back({"record removed", kNothing, [](AlteredVault& vault, const Subject& subject) {
                     vault.Tamper("DELETE FROM records WHERE id = ?", subject.record.Row());
                     vault.Tamper("DELETE FROM record_versions WHERE record = ?",
                                  subject.record.Row());
                   }});
  cases.push_back({"record removed, not its old version", kNothing,
                   [](AlteredVault& vault, const Subject& subject) {
                     vault.Tamper("DELETE FROM records WHERE id = ?", subject.record.Row());
                   }});
  cases.push_back(
      {"old version removed", kNothing, [](AlteredVault& vault, const Subject& subject) {
         vault.Tamper("DELETE FROM record_versions WHERE record = ?", subject.record.Row());
       }});
  cases.push_back(
      {"old version put back", kNothing, [](AlteredVault& vault, const Subject& subject) {
         vault.Tamper(
             "UPDATE records SET version = 1, payload = (SELECT payload FROM "
             "record_versions WHERE record = records.id) WHERE id = ?",
             subject.record.Row());
       }});
  cases.push_back({"old version added", kNothing, [](AlteredVault& vault, const Subject& subject) {
                     vault.Tamper(
                         "INSERT INTO record_versions SELECT record, 7, class_version, written, "
                         "fields, payload FROM record_versions WHERE record = ?",
                         subject.record.Row());
                   }});
  cases.push_back(
      {"record sealed since never", kNothing, [](AlteredVault& vault, const Subject& subject) {
         vault.Tamper("UPDATE records SET payload = zeroblob(100) WHERE id = ?",
                      subject.record.Row());
         vault.Tamper("UPDATE clients SET sealed_since = 1 << 60 WHERE id = ?",
                      subject.client.Row());
       }});
  cases.back().client = true;
  return cases;
}

std::vector<TamperedObject> CasesOfWhatIsGone() {
  std::vector<TamperedObject> cases;
  for (const Taking& taking : kTakings) {
    const std::string after = std::string(" returned after ") + taking.name;
    const auto add = [&](const std::string& what, Deed tampering, bool client, bool record) {
      cases.push_back({what + after, taking.deed, std::move(tampering), taking.ended,
                       taking.with_other, client, record});
    };
    add(
        "record", [](AlteredVault& vault, const Subject& subject) { vault.PutBackRecord(subject); },
        false, true);
    add(
        "old version",
        [](AlteredVault& vault, const Subject& subject) { vault.PutBackVersions(subject); }, false,
        true);
    if (!taking.with_client) continue;
    add(
        "client", [](AlteredVault& vault, const Subject& subject) { vault.PutBackClient(subject); },
        true, false);
    add(
        "client with record",
        [](AlteredVault& vault, const Subject& subject) {
          vault.PutBackClient(subject);
          vault.PutBackRecord(subject);
        },
        true, true);
  }
  return cases;
}

void CheckEach(const std::vector<TamperedObject>& cases) {
  AlteredVault vault;
  vault.RetainingVault::Keep({Policy("old", "contact", "relationship_end", "P1Y")});
  std::vector<Subject> subjects;
  for (const TamperedObject& each : cases) {
    subjects.push_back(vault.New(each.name.substr(0, 200), each.ended));
    if (each.with_other) vault.Interaction(subjects.back().client);
  }
  const Subject untouched = vault.New("untouched");
  vault.Close();
  vault.Keep();
  vault.Open();
  for (std::size_t i = 0; i < cases.size(); ++i) cases[i].before(vault, subjects[i]);
  const auto run = vault.Run();
  CHECK(run.state == "finished");
  // Alone each is found by the verification, which names so many things and no more.
  for (std::size_t i = 0; i < cases.size(); ++i) {
    INFO(cases[i].name);
    vault.Close();
    const std::string copy = vault.work() / ("copy-" + std::to_string(i));
    std::filesystem::copy(vault.directory(), copy, std::filesystem::copy_options::recursive);
    CHECK(vault.DeepFindings().empty());
    cases[i].tampering(vault, subjects[i]);
    const std::string found = vault.DeepFindings();
    INFO(found);
    if (cases[i].client && !cases[i].record) {
      CHECK(found.find(subjects[i].client.Text()) != std::string::npos);
    }
    if (cases[i].record) {
      // Of rows that are left alone there is only the number.
      CHECK((found.find(subjects[i].record.Text()) != std::string::npos ||
             found.find("row " + std::to_string(subjects[i].record.Row())) != std::string::npos));
    }
    std::filesystem::remove_all(vault.directory());
    std::filesystem::rename(copy, vault.directory());
  }
  for (std::size_t i = 0; i < cases.size(); ++i) cases[i].tampering(vault, subjects[i]);
  vault.Scrub();
  const auto alarms = vault.Alarms();
  const auto caller = [&] { return vault.As(kCrmService); };
  std::size_t damaged = 0;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    INFO(cases[i].name);
    const auto& [client, record] = subjects[i];
    CHECK(alarms.contains(client.Text() + "/") == cases[i].client);
    CHECK(alarms.contains(client.Text() + "/" + record.Text()) == cases[i].record);
    damaged += (cases[i].client ? 1U : 0U) + (cases[i].record ? 1U : 0U);
    if (cases[i].client) {
      CHECK(AnswerOf(vault->clients().GetClient(caller(), client)) == "integrity_failed");
      CHECK(AnswerOf(vault->clients().UpdateClient(caller(), client, 1, {{}, Strings{"x"}})) ==
            "integrity_failed");
      CHECK(AnswerOf(vault->records().CreateRecord(caller(), client, "contact", kData, {})) ==
            "integrity_failed");
    }
    if (cases[i].record) {
      CHECK(AnswerOf(vault->records().GetRecord(caller(), client, record)) == "integrity_failed");
      CHECK(AnswerOf(vault->records().GetRecordVersion(caller(), client, record, 1)) ==
            "integrity_failed");
      CHECK(AnswerOf(vault->records().ListVersions(caller(), client, record)) ==
            "integrity_failed");
      for (const std::uint64_t version : {1U, 2U}) {
        CHECK(AnswerOf(vault->records().UpdateRecord(caller(), client, record, version, kData)) ==
              "integrity_failed");
      }
      CHECK(AnswerOf(vault->records().DeleteRecord(caller(), client, record, {})) ==
            "integrity_failed");
    }
  }
  for (const auto& [object, times] : alarms) {
    INFO(object);
    CHECK((times == 1 || object == "/"));  // the latter is about rows without an owner
  }
  CHECK(AnswerOf(vault->records().GetRecord(caller(), untouched.client, untouched.record)) == "ok");
  CHECK_FALSE(alarms.contains(untouched.client.Text() + "/" + untouched.record.Text()));
  CHECK(vault.Scrub().damaged == damaged);
}

}  // namespace

TEST_CASE("whatever is done to an object that is there is found, named and refused") {
  CheckEach(CasesOfWhatIsThere());
}

TEST_CASE("an object that is gone is found, named and refused when it is there again") {
  CheckEach(CasesOfWhatIsGone());
}

TEST_CASE("a record that was moved to another client is refused at both") {
  AlteredVault vault;
  const Subject one = vault.New("one"), two = vault.New("two");
  vault.Close();
  vault.Tamper("UPDATE records SET client = ? WHERE id = ?", two.client.Row(), one.record.Row());
  CHECK(vault.DeepFindings().find(one.record.Text()) != std::string::npos);
  CHECK(vault.Scrub().damaged == 1);
  CHECK(vault.Alarms() ==
        std::map<std::string, int>{{one.client.Text() + "/" + one.record.Text(), 1}});
  for (const ClientId& client : {one.client, two.client}) {
    CHECK(AnswerOf(vault->records().GetRecord(vault.As(kCrmService), client, one.record)) ==
          "integrity_failed");
  }
}

TEST_CASE("rows that nobody wrote are found, refused, and forgotten when they are gone") {
  AlteredVault vault;
  const Subject subject = vault.New("one");
  const auto client = IdOfRow<ClientId>(4711);
  const auto record = IdOfRow<RecordId>(4712);
  vault.Close();
  vault.Tamper(
      "INSERT INTO clients (id, cid, state, version, created, updated, tags, profile) SELECT ?, ?, "
      "1, 1, 0, 0, '', profile FROM clients WHERE id = ?",
      client.Row(), client.bytes(), subject.client.Row());
  vault.Tamper(
      "INSERT INTO records (id, rid, client, class, class_version, version, created, updated, "
      "fields, tokens, payload) SELECT ?, ?, client, class, class_version, version, 0, 0, fields, "
      "x'', payload FROM records WHERE id = ?",
      record.Row(), record.bytes(), subject.record.Row());
  vault.Tamper("INSERT INTO blind_index_odd VALUES (zeroblob(16), 99)");
  vault.Tamper("INSERT INTO client_refs_odd VALUES (zeroblob(16), 98)");
  vault.Tamper("INSERT INTO client_tags VALUES ('vip', 97)");
  vault.Tamper("INSERT INTO index_arrivals VALUES (1000, 1, zeroblob(16), 95)");
  vault.Tamper("INSERT INTO index_arrivals VALUES (1001, 3, zeroblob(16), 94)");
  vault.Tamper(
      "INSERT INTO record_versions SELECT 96, version, class_version, written, fields, payload "
      "FROM record_versions LIMIT 1");
  const std::string found = vault.DeepFindings();
  INFO(found);
  CHECK(found.find(client.Text()) != std::string::npos);
  CHECK(found.find(record.Text()) != std::string::npos);
  for (const char* row : {"row 94)", "row 95)", "row 96)", "row 97)", "row 98)", "row 99)"}) {
    CHECK(found.find(row) != std::string::npos);
  }
  CHECK(vault.Scrub().damaged == 2);
  CHECK(vault.Alarms() ==
        std::map<std::string, int>{
            {client.Text() + "/", 1}, {subject.client.Text() + "/" + record.Text(), 1}, {"/", 6}});
  CHECK(AnswerOf(vault->clients().GetClient(vault.As(kCrmService), client)) == "integrity_failed");
  CHECK(AnswerOf(vault->records().GetRecord(vault.As(kCrmService), subject.client, record)) ==
        "integrity_failed");
  CHECK(AnswerOf(vault->records().ListRecords(vault.As(kCrmService), subject.client, {}, false,
                                              {})) == "integrity_failed");
  vault.Close();
  vault.Tamper("DELETE FROM clients WHERE id = ?", client.Row());
  vault.Tamper("DELETE FROM records WHERE id = ?", record.Row());
  CHECK(vault.Scrub().damaged == 0);
  const auto cleared = vault.SystemEntries("integrity.cleared");
  REQUIRE(cleared.size() == 2);
  CHECK(AnswerOf(vault->clients().GetClient(vault.As(kCrmService), client)) == "not_found");
}

TEST_CASE("a damaged record is overwritten by nothing, made whole by nothing, and can be erased") {
  AlteredVault vault;
  const auto import = [&](const json& data) {
    return vault->imports().ImportRecord(vault.As(kCrmService), {"imported", "contact", "k", data});
  };
  Subject subject;
  subject.client = import(kData)->client;
  subject.record = import(kOther)->record;
  const RecordId other = vault.NewContact(subject.client, kData);
  vault.Close();
  vault.Tamper(
      "UPDATE records SET version = 1, payload = (SELECT payload FROM record_versions WHERE record "
      "= records.id) WHERE id = ?",
      subject.record.Row());
  vault.Tamper("DELETE FROM record_versions WHERE record = ?", subject.record.Row());
  CHECK(vault.Scrub().damaged == 1);
  for (const json& data : {kData, kOther}) CHECK(AnswerOf(import(data)) == "integrity_failed");
  CHECK(AnswerOf(vault->searches().SearchByField(vault.As(kCrmService), "contact", "last_name",
                                                 "Doe", {})) == "integrity_failed");
  CHECK(AnswerOf(vault->exports().PackageClient(vault.As(kPrivacyOfficer, "data-subject-request"),
                                                subject.client, {})) == "integrity_failed");
  // Sealing it again with what stays does not make a later version of it.
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), subject.client,
                                  {ErasureBasis::kRequest, {}, {other}}));
  CHECK(vault.Scrub().damaged == 1);
  CHECK(AnswerOf(vault->records().GetRecord(vault.As(kCrmService), subject.client,
                                            subject.record)) == "integrity_failed");
  REQUIRE(vault->erasures().Erase(vault.As(kPrivacyOfficer), subject.client,
                                  {ErasureBasis::kRequest, {}, {subject.record}}));
  CHECK(vault.Scrub().damaged == 0);
  CHECK(vault.SystemEntries("integrity.cleared").size() == 1);
}

TEST_CASE("a round beside writers, deletions and erasures says nothing that is not so") {
  ScrubbedVault vault;
  std::atomic<bool> done{false};
  std::vector<std::jthread> writers;
  for (int t = 0; t < 2; ++t) {
    writers.emplace_back([&vault, &done, t] {
      for (int i = 0; !done; ++i) {
        const auto made = vault->clients().CreateClient(
            vault.As(kCrmService), {"W-" + std::to_string(t) + "-" + std::to_string(i), {}}, {});
        if (!made) return;
        const auto record =
            vault->records().CreateRecord(vault.As(kCrmService), made->id, "contact", kData, {});
        if (!record) return;
        (void)vault->records().CreateRecord(vault.As(kCrmService), made->id, "contact", kData, {});
        (void)vault->records().UpdateRecord(vault.As(kCrmService), made->id, record->id, 1, kOther);
        if (i % 4 == 0) (void)vault->erasures().Erase(vault.As(kPrivacyOfficer), made->id, {});
        if (i % 4 == 1) {
          (void)vault->records().DeleteRecord(vault.As(kCrmService), made->id, record->id, {});
        }
        if (i % 4 == 2) {
          (void)vault->erasures().Erase(vault.As(kPrivacyOfficer), made->id,
                                        {ErasureBasis::kRequest, {}, {record->id}});
        }
      }
    });
  }
  for (int i = 0; i < 400; ++i) {
    const auto state = vault->monitoring().ReadStatus(vault.As(kAdministrator));
    REQUIRE(state);
    CHECK(state->scrub.damaged == 0);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  done = true;
  writers.clear();
  CHECK(vault.Scrub().damaged == 0);
  CHECK(vault.Alarms().empty());
}

}  // namespace coffer::vault
