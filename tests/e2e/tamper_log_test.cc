// The access log and the files of a stopped vault are altered, cut, exchanged or taken back to an
// earlier state: the verification names the first bad entry, or the start refuses and says why.
#include <catch2/catch_test_macros.hpp>
#include <fstream>

#include "crypto/encoding.h"
#include "crypto/hash.h"
#include "tests/support/tampering.h"

using namespace coffer;
using namespace coffer::testing;
using nlohmann::json;

namespace {

// A log with two full tiles and more, stopped, and saved as "whole"; "earlier" is from before its
// last client.
struct Logged {
  RunningVault vault;
  Tampering tampering{vault};
  std::string anna, bert, whole, earlier;

  Logged() {
    anna = vault.NewClient("A-1");
    (void)vault.NewContact(anna, {{"last_name", "Anna"}});
    auto crm = vault.As("crm-service");
    for (int i = 0; i < 540; ++i) REQUIRE(crm.Get("/v1/me").status == 200);
    (void)vault.Token("security-officer");
    vault.Stop();
    earlier = tampering.Save("earlier");
    vault.Start();
    bert = vault.NewClient("B-2");
    (void)vault.NewContact(bert, {{"last_name", "Bert"}});
    vault.Stop();
    whole = tampering.Save("whole");
    REQUIRE(tampering.Findings().empty());
  }

  std::string Entry(vault::Database& database, std::int64_t seq) {
    return std::string(
        crypto::AsText(*Blob(database, "SELECT entry FROM log_entries WHERE seq = ?", seq)));
  }
  void SetEntry(vault::Database& database, std::int64_t seq, const std::string& bytes) {
    CHECK(Change(database, "UPDATE log_entries SET entry = ? WHERE seq = ?", crypto::AsBytes(bytes),
                 seq) == 1);
  }
  std::int64_t Size(vault::Database& database) {
    auto count = vault::Statement::Prepare(database, "SELECT count(*) FROM log_entries");
    REQUIRE(count);
    auto row = count->Query();
    REQUIRE(row.Next());
    return row.Int(0);
  }
  // Refused with a message that names the matter and points to the way out, or started and named.
  void CheckRefusedOrNamed(const std::string& online) {
    if (const auto refused = vault.TryStart()) {
      INFO(refused->err);
      CHECK(refused->exit_code == 1);
      return;
    }
    const auto report = vault.Verify();
    INFO(report.dump());
    CHECK(report.at("ok") == false);
    CHECK(report.at("findings").dump().find(online) != std::string::npos);
    vault.Kill();
  }
  void CheckRefused(const std::string& reason) {
    const auto refused = vault.StartRefused();
    INFO(refused.err);
    CHECK(refused.exit_code == 1);
    CHECK(refused.err.find(reason) != std::string::npos);
  }
};

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("an altered entry is the first bad one, wherever it stands") {
  Logged l;
  for (const std::int64_t seq : {0, 100, 255, 256, 400, 530}) {
    INFO(seq);
    l.tampering.Restore(l.whole);
    {
      auto opened = l.tampering.Open();
      l.SetEntry(opened.vault, seq,
                 Replaced(l.Entry(opened.vault, seq), "\"outcome\":\"ok\"", "\"outcome\":\"no\""));
    }
    // The entry itself is well-formed; the next one's `prev` says that it is another.
    l.tampering.CheckFound(std::to_string(seq));
    l.CheckRefusedOrNamed(std::to_string(seq));
  }
}

TEST_CASE("entries that were deleted, cut off, exchanged or added are named") {
  Logged l;
  const auto alter = [&](const std::string& named, const std::string& online, auto&& change) {
    INFO(named);
    l.tampering.Restore(l.whole);
    {
      auto opened = l.tampering.Open();
      change(opened.vault);
    }
    l.tampering.CheckFound(named);
    l.CheckRefusedOrNamed(online);
  };
  alter("sequence at 300", "entry 300", [&](vault::Database& database) {
    CHECK(Change(database, "DELETE FROM log_entries WHERE seq = 300") == 1);
  });
  alter("sequence at 300", "entry 300", [&](vault::Database& database) {
    Change(database, "DELETE FROM log_entries WHERE seq = 300");
    Change(database, "UPDATE log_entries SET seq = seq - 1 WHERE seq > 300");
  });
  alter("at 310", "entry 310", [&](vault::Database& database) {
    const auto first = l.Entry(database, 310), second = l.Entry(database, 311);
    l.SetEntry(database, 310, second);
    l.SetEntry(database, 311, first);
  });
  alter("at 0", "entry 0", [&](vault::Database& database) { l.SetEntry(database, 0, "{}"); });
  alter("tile", "tile", [&](vault::Database& database) {
    auto tile = *Blob(database, "SELECT hashes FROM log_tiles WHERE level = 0 AND n = 1");
    tile[77] ^= 1;
    Change(database, "UPDATE log_tiles SET hashes = ? WHERE level = 0 AND n = 1",
           crypto::ByteView(tile));
  });
  alter("tile", "tile", [&](vault::Database& database) {
    CHECK(Change(database, "DELETE FROM log_tiles WHERE level = 0 AND n = 0") == 1);
  });
}

TEST_CASE("a log that was cut is behind its anchor") {
  Logged l;
  for (const std::int64_t keep : {1, 256, 512, 545}) {
    INFO(keep);
    l.tampering.Restore(l.whole);
    std::int64_t size = 0;
    {
      auto opened = l.tampering.Open();
      size = l.Size(opened.vault);
      CHECK(Change(opened.vault, "DELETE FROM log_entries WHERE seq >= ?", keep) > 0);
      Change(opened.vault, "DELETE FROM log_tiles WHERE level = 0 AND (n + 1) * 256 > ?", keep);
    }
    l.tampering.CheckFound("truncated at " + std::to_string(keep));
    l.CheckRefused("entries " + std::to_string(keep) + " to " + std::to_string(size - 1) +
                   " are missing");
    l.CheckRefused("log_behind_anchor");
  }
}

TEST_CASE("history written anew, with every hash right, is not what was signed") {
  Logged l;
  {
    auto opened = l.tampering.Open();
    // Hide that Anna's contact was made by whom it was: and chain everything after it again.
    const auto size = l.Size(opened.vault);
    std::int64_t at = 0;
    while (l.Entry(opened.vault, at).find("record.create") == std::string::npos) ++at;
    l.SetEntry(opened.vault, at,
               Replaced(l.Entry(opened.vault, at), "record.create", "record.forged"));
    for (std::int64_t seq = at + 1; seq < size; ++seq) {
      const auto before = crypto::Sha256(crypto::AsBytes(l.Entry(opened.vault, seq - 1)));
      std::string entry = l.Entry(opened.vault, seq);
      entry.replace(entry.find("\"prev\":\"") + 8, 64, crypto::HexEncode(before));
      l.SetEntry(opened.vault, seq, entry);
    }
    // Its tiles as well: the hashes of the leaves.
    for (std::int64_t n = 0; n < size / 256; ++n) {
      std::string hashes;
      for (std::int64_t i = 0; i < 256; ++i) {
        const std::string leaf = std::string(1, '\0') + l.Entry(opened.vault, n * 256 + i);
        hashes += crypto::AsText(crypto::Sha256(crypto::AsBytes(leaf)));
      }
      CHECK(Change(opened.vault, "UPDATE log_tiles SET hashes = ? WHERE level = 0 AND n = ?",
                   crypto::AsBytes(hashes), n) == 1);
    }
  }
  l.tampering.CheckFound("checkpoint");
  l.CheckRefused("anchor_mismatch");
  l.CheckRefused("history was altered");
}

TEST_CASE("the directory taken back to an earlier state is behind its anchor") {
  Logged l;
  const auto anchor = ReadWholeFile(l.whole + "/anchor");
  l.tampering.Restore(l.earlier);
  WriteWholeFile(l.vault.directory() + "/anchor", anchor);
  l.CheckRefused("log_behind_anchor");
  l.tampering.CheckFound("truncated");

  // The database alone, with everything else of today.
  l.tampering.Restore(l.whole);
  for (const char* suffix : {"-wal", "-shm"}) {
    std::filesystem::remove(l.vault.directory() + "/vault.db" + suffix);
  }
  std::filesystem::copy_file(l.earlier + "/vault.db", l.vault.directory() + "/vault.db",
                             std::filesystem::copy_options::overwrite_existing);
  l.CheckRefused("log_behind_anchor");

  // And with the right files again, it goes on as if nothing had been.
  l.tampering.Restore(l.whole);
  l.vault.Start();
  CHECK(l.vault.Verify().at("ok") == true);
}

TEST_CASE("keys taken back to an earlier state are noticed") {
  Logged l;
  std::filesystem::copy_file(l.earlier + "/keys.db", l.vault.directory() + "/keys.db",
                             std::filesystem::copy_options::overwrite_existing);
  l.tampering.CheckFound(l.bert);
  if (const auto refused = l.vault.TryStart()) {
    CHECK(refused->err.find("keys.db") != std::string::npos);
    return;
  }
  l.tampering.CheckAlarm(l.vault.As("crm-service").Get("/v1/clients/" + l.bert), l.bert);
}

TEST_CASE("an anchor that is missing, altered or another's stops the start") {
  Logged l;
  const std::string path = l.vault.directory() + "/anchor";
  const std::string whole = ReadWholeFile(path);
  std::filesystem::remove(path);
  l.CheckRefused("anchor_missing");
  for (std::size_t at = 0; at < whole.size(); at += 7) {
    INFO(at << " of " << whole.size());
    std::string altered = whole;
    altered[at] = altered[at] == 'A' ? 'B' : 'A';
    WriteWholeFile(path, altered);
    // Offline it is found as well, whatever was hit.
    CHECK_FALSE(l.tampering.Findings(false).empty());
    if (at % 35 == 0) {
      CHECK(l.vault.StartRefused().exit_code == 1);
    }
  }
  for (const std::string& other : {std::string(), std::string("\n"), whole + "x", whole + whole,
                                   whole.substr(0, whole.size() / 2), std::string(100'000, 'A')}) {
    WriteWholeFile(path, other);
    CHECK(l.vault.StartRefused().exit_code == 1);
  }
  // Another vault's anchor is signed, by another key.
  VaultSettings stopped;
  stopped.start = false;
  const RunningVault other(stopped);
  WriteWholeFile(path, ReadWholeFile(other.directory() + "/anchor"));
  CHECK(l.vault.StartRefused().exit_code == 1);
  WriteWholeFile(path, whole);
  l.vault.Start();
  CHECK(l.vault.Verify().at("ok") == true);
}

TEST_CASE("a flipped bit in a page of the database is never served as data") {
  Logged l;
  const std::string path = l.vault.directory() + "/vault.db";
  constexpr std::size_t kPage = 4096;
  const std::size_t pages = std::filesystem::file_size(path) / kPage;
  REQUIRE(pages > 20);
  std::size_t found = 0;
  for (std::size_t page = 0; page < pages; ++page) {
    l.tampering.Restore(l.whole);
    FlipBit(path, page * kPage + 1000 + page * 17 % 3000);
    const bool noticed = !l.tampering.Findings().empty();
    found += noticed;
    if (page % (pages / 8) != 0) continue;
    INFO("page " << page);
    if (const auto refused = l.vault.TryStart()) {
      INFO(refused->err);
      CHECK(refused->exit_code == 1);
      continue;
    }
    // It may have hit what no request of these needs. What is answered is right, or nothing is.
    auto crm = l.vault.As("crm-service");
    for (const std::string& client : {l.anna, l.bert}) {
      const auto reply = crm.Get("/v1/clients/" + client + "/records?data=true");
      INFO(reply.status << " " << reply.body);
      if (reply.status == 200) {
        CHECK(reply.Json().at("items")[0].at("data").at("last_name") ==
              (client == l.anna ? "Anna" : "Bert"));
      } else {
        CHECK(reply.status >= 500);
      }
    }
    l.vault.Kill();
  }
  INFO(found << " of " << pages << " pages noticed by the verification");
  CHECK(found * 2 > pages);
}

TEST_CASE("a refusal to start over damage names the file, and where to read on") {
  Logged l;
  const std::string anchor = l.vault.directory() + "/anchor";
  const auto refused = [&](const std::string& file) {
    const auto end = l.vault.StartRefused();
    INFO(end.err);
    CHECK(end.err.find(l.vault.directory() + "/" + file) != std::string::npos);
    CHECK(end.err.find("operator's guide") != std::string::npos);
    CHECK(end.err.find("SELECT") == std::string::npos);
    l.tampering.Restore(l.whole);
  };
  {
    auto opened = l.tampering.Open();
    Change(opened.vault, "DELETE FROM log_tiles WHERE level = 0 AND n = 0");
  }
  refused("vault.db");
  WriteWholeFile(anchor, "");
  refused("anchor");
  WriteWholeFile(anchor,
                 Replaced(ReadWholeFile(anchor), "test.example/log\n", "test.example/lag\n"));
  refused("anchor");
  FlipBit(anchor, ReadWholeFile(anchor).size() - 10);
  refused("anchor");
  // The root page of the tokens, which every start reads.
  std::size_t page = 0;
  {
    auto opened = l.tampering.Open();
    const auto root = Blob(
        opened.vault, "SELECT CAST(rootpage AS TEXT) FROM sqlite_schema WHERE name = 'tokens'");
    page = std::stoul(std::string(crypto::AsText(*root)));
  }
  FlipBit(l.vault.directory() + "/vault.db", (page - 1) * 4096 + 2000);
  refused("vault.db");
}

TEST_CASE("a damaged page that no look at the log needs is found by the deep verification") {
  Logged l;
  const std::string path = l.vault.directory() + "/vault.db";
  const std::size_t pages = std::filesystem::file_size(path) / 4096;
  std::string missed;
  for (std::size_t page = 0; page < pages; ++page) {
    l.tampering.Restore(l.whole);
    FlipBit(path, page * 4096 + 2000);
    if (l.tampering.Findings().empty()) missed += std::to_string(page) + " ";
  }
  INFO("of " << pages << " pages, not noticed: " << missed);
  CHECK(missed.empty());
}

TEST_CASE("a write-ahead log that was cut or damaged loses nothing unseen") {
  RunningVault vault;
  Tampering tampering(vault);
  const std::string client = vault.NewClient("A-1");
  std::vector<std::string> records;
  for (int i = 0; i < 40; ++i) {
    records.push_back(vault.NewContact(client, {{"last_name", "Number " + std::to_string(i)}}));
  }
  const auto covered = [&] {
    const auto status = vault.As("administrator", "").Get("/v1/status").Json();
    const std::string note = status.at("log").at("checkpoint");
    const auto line = note.find('\n') + 1;
    return std::stoull(note.substr(line)) + 4 > status.at("log").at("size").get<std::uint64_t>();
  };
  while (!covered()) usleep(20'000);
  vault.Kill();
  const std::string wal = vault.directory() + "/vault.db-wal";
  const auto size = std::filesystem::file_size(wal);
  REQUIRE(size > 32);
  const std::string whole = tampering.Save("whole");
  std::size_t refusals = 0;
  for (std::size_t at = 40; at < size; at += size / 10) {
    for (const bool cut : {false, true}) {
      INFO((cut ? "cut at " : "flipped at ") << at << " of " << size);
      tampering.Restore(whole);
      std::filesystem::remove(vault.directory() + "/vault.db-shm");
      cut ? std::filesystem::resize_file(wal, at) : FlipBit(wal, at);
      if (const auto refused = vault.TryStart()) {
        ++refusals;
        INFO(refused->err);
        CHECK(refused->exit_code == 1);
        CHECK(refused->err.find("log_behind_anchor") != std::string::npos);
        continue;
      }
      // It hit frames that were in the database already: nothing is missing.
      auto crm = vault.As("crm-service");
      for (std::size_t i = 0; i < records.size(); ++i) {
        CHECK(crm.Get("/v1/clients/" + client + "/records/" + records[i])
                  .Json()
                  .at("data")
                  .at("last_name") == "Number " + std::to_string(i));
      }
      CHECK(vault.Verify().at("ok") == true);
      vault.Kill();
    }
  }
  tampering.Restore(whole);
  vault.Start();
  CHECK(vault.Verify().at("ok") == true);
}
