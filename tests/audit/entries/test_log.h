// A log in memory with a writer in front of it and an attacker behind it:
//
//   TestLog log;
//   log.Write(300).Publish().Write(20);
//   log.Alter(7, "allow", "deny ");
//   CHECK(log.Findings() == Strings{"chain 7", "tile 7"});
//
// Logs that nobody attacked end in CheckInvariants().
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "audit/verify/verify.h"
#include "crypto/hash.h"
#include "tests/audit/tlog/test_keys.h"

namespace coffer::audit {

using Strings = std::vector<std::string>;

// Rows that may be lost, and full tiles.
class MemoryLog final : public LogSource {
 public:
  std::vector<std::optional<std::string>> rows;
  std::map<std::pair<unsigned, std::uint64_t>, crypto::Bytes> tiles;
  std::size_t tile_reads = 0;
  bool broken = false;        // every read fails
  bool tiles_broken = false;  // every read of a tile

  Result<std::uint64_t> Size() override { return rows.size(); }

  Status ReadEntries(std::uint64_t from, std::uint64_t to,
                     const std::function<Status(std::uint64_t, std::string_view)>& each) override {
    if (broken) return Fail(Code::kUnavailable, "disk_gone");
    for (std::uint64_t seq = from; seq < to; ++seq) {
      if (rows[seq]) COFFER_TRY(each(seq, *rows[seq]));
    }
    return {};
  }

  Result<crypto::Bytes> ReadTile(unsigned level, std::uint64_t n) override {
    ++tile_reads;
    if (tiles_broken) return Fail(Code::kUnavailable, "disk_gone");
    const auto tile = tiles.find({level, n});
    if (tile == tiles.end()) return Fail(Code::kNotFound, "no_tile");
    return tile->second;
  }
};

class TestLog {
 public:
  explicit TestLog(std::string origin = std::string(kOrigin)) : writer_(std::move(origin), {}) {}

  MemoryLog& stored() { return stored_; }
  LogWriter& writer() { return writer_; }
  const std::vector<std::string>& notes() const { return notes_; }

  static Entry Reading() {
    Entry entry;
    entry.action = "record.read";
    entry.actor = "p1";
    entry.actor_kind = ActorKind::kUser;
    entry.decision = Decision::kAllow;
    entry.rule = "desk";
    return entry;
  }

  TestLog& Write(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      now_.ms += 7;
      Append(Reading(), now_);
    }
    return *this;
  }

  Entry Append(Entry entry, Timestamp now) {
    std::vector<FullTile> full;
    std::string bytes;
    writer_.Append(entry, now, bytes, full);
    stored_.rows.emplace_back(bytes);
    for (FullTile& tile : full) stored_.tiles[{tile.level, tile.n}] = std::move(tile.hashes);
    return entry;
  }

  // An entry of the log about itself.
  TestLog& Say(std::string_view action, std::string detail) {
    Entry entry;
    entry.action = action;
    entry.decision = Decision::kAllow;
    entry.outcome = "ok";
    entry.detail = std::move(detail);
    Append(std::move(entry), now_);
    return *this;
  }

  Checkpoint Head() const {
    return {writer_.origin(), writer_.head().size, writer_.head().frontier.Root()};
  }

  // Signs the log as it is; every verification from here on has to find it again.
  TestLog& Publish() { return PublishBy(LogKey()); }
  TestLog& PublishBy(const crypto::SigningKey& key) { return Expect(SignCheckpoint(Head(), key)); }
  TestLog& Expect(std::string note) {
    notes_.push_back(std::move(note));
    return *this;
  }

  // The attacker's part: rows and tiles are changed as somebody with the database would.
  void Alter(std::size_t seq, std::string_view from, std::string_view to) {
    std::string& bytes = *stored_.rows[seq];
    const auto at = bytes.find(from);
    REQUIRE(at != std::string::npos);
    bytes = bytes.substr(0, at).append(to).append(bytes.substr(at + from.size()));
  }
  void Remove(std::size_t seq) {  // and renumbers the rows behind it
    stored_.rows.erase(stored_.rows.begin() + static_cast<std::ptrdiff_t>(seq));
  }
  void Lose(std::size_t seq) { stored_.rows[seq].reset(); }
  void Swap(std::size_t a, std::size_t b) { std::swap(stored_.rows[a], stored_.rows[b]); }
  void Cut(std::size_t size) { stored_.rows.resize(size); }
  void FlipTile(unsigned level, std::uint64_t n, std::size_t byte) {
    stored_.tiles.at({level, n}).at(byte) ^= 0x10;
  }
  // Writes the whole history anew with another actor at `seq`: numbers, links and tiles are right.
  void Rechain(std::size_t seq) {
    const MemoryLog before = std::exchange(stored_, {});
    writer_ = LogWriter(writer_.origin(), {});
    for (std::size_t i = 0; i < before.rows.size(); ++i) {
      auto entry = ParseEntry(*before.rows[i]);
      REQUIRE(entry);
      if (i == seq) entry->actor = "somebody-else";
      Append(*entry, entry->ts);
    }
  }

  Result<VerifyReport> TryVerify(const VerifyOptions& options) {
    return VerifyLog(stored_, options);
  }
  VerifyOptions Options() const { return {LogVerifier(), notes_, true, {}}; }
  VerifyReport Verify() {
    auto report = TryVerify(Options());
    REQUIRE(report);
    return *std::move(report);
  }

  // "check seq" of each finding, without the number where there is none.
  Strings Findings() { return Findings(Options()); }
  Strings Findings(const VerifyOptions& options) {
    const auto report = TryVerify(options);
    REQUIRE(report);
    Strings names;
    for (const auto& finding : report->findings) {
      names.push_back(finding.check);
      if (finding.seq) names.back().append(1, ' ').append(std::to_string(*finding.seq));
    }
    return names;
  }

  // Whole, and read back exactly as the writer holds it.
  void CheckInvariants() {
    const VerifyReport report = Verify();
    for (const auto& finding : report.findings) UNSCOPED_INFO(finding.message);
    CHECK(report.ok());
    CHECK(report.size == Head().size);
    CHECK(report.root == Head().root);
    CHECK(report.allowed + report.denied == report.size);
    CheckLoadedHead();
  }
  void CheckLoadedHead() {
    const auto loaded = LoadHead(stored_);
    REQUIRE(loaded);
    const LogHead& head = writer_.head();
    CHECK(loaded->size == head.size);
    CHECK(loaded->last_ts == head.last_ts);
    CHECK(loaded->prev == head.prev);
    CHECK(loaded->frontier.size() == head.frontier.size());
    CHECK(loaded->frontier.roots() == head.frontier.roots());
    CHECK(loaded->tile_levels == head.tile_levels);
  }

 private:
  MemoryLog stored_;
  LogWriter writer_;
  Timestamp now_{1'767'323'045'000};  // 2026-01-02T03:04:05Z
  std::vector<std::string> notes_;
};

}  // namespace coffer::audit
