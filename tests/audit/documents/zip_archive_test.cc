// Archives that attack whoever opens them.
#include "audit/documents/zip_archive.h"

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <ctime>

#include "audit/documents/evidence_bundle.h"
#include "tests/audit/documents/test_evidence.h"

namespace coffer::audit {
namespace {

ZipLimits Limits(std::size_t files, std::uint64_t total, std::uint64_t each) {
  return {files, total, [each](std::string_view) { return each; }};
}

std::string_view Refusal(crypto::ByteView bytes, const ZipLimits& limits) {
  const auto files = ReadZip(bytes, limits);
  return files ? "" : files.error().reason;
}

TEST_CASE("files come back in their order") {
  const std::vector<NamedFile> files = {
      {"b", "two"}, {"a", ""}, {"c/d", std::string(100'000, 'x')}};
  const auto bytes = WriteZip(files);
  REQUIRE(bytes);
  const auto read = ReadZip(*bytes, Limits(3, 100'003, 100'000));
  REQUIRE(read);
  REQUIRE(read->size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK((*read)[i].name == files[i].name);
    CHECK((*read)[i].bytes == files[i].bytes);
  }
}

TEST_CASE("an archive does not tell the time zone that it was made in") {
  const std::vector<NamedFile> files = {{"a", "1"}};
  const char* const zone = std::getenv("TZ");
  const std::string before = zone == nullptr ? "" : zone;
  const auto in_zone = [&](const char* name) {
    REQUIRE(setenv("TZ", name, 1) == 0);
    tzset();
    return WriteZip(files);
  };
  CHECK(*in_zone("UTC0") == *in_zone("JST-9"));
  CHECK(*in_zone("UTC0") == *in_zone("HST10"));
  if (zone == nullptr) {
    unsetenv("TZ");
  } else {
    setenv("TZ", before.c_str(), 1);
  }
  tzset();
}

TEST_CASE("an archive that unpacks to too much is refused while it is read") {
  const auto bomb = WriteZip(std::vector<NamedFile>{{"a", std::string(5'000'000, '\0')}});
  REQUIRE(bomb);
  CHECK(bomb->size() < 10'000);
  CHECK(Refusal(*bomb, Limits(1, 1'000'000, 1ULL << 40)) == "archive_too_large");
  CHECK(Refusal(*bomb, Limits(1, 1ULL << 40, 1'000'000)) == "archive_too_large");
  const auto many = WriteZip(std::vector<NamedFile>{{"a", "1"}, {"b", "2"}, {"c", "3"}});
  CHECK(Refusal(*many, Limits(2, 100, 100)) == "archive_too_large");
  CHECK(Refusal(*many, Limits(3, 2, 100)) == "archive_too_large");
  CHECK(Refusal(*many, Limits(3, 100, 100)).empty());
  CHECK(Refusal(*many, Limits(3, 100, 0)) == "archive_malformed");
}

TEST_CASE("a name twice is refused") {
  const auto bytes = WriteZip(std::vector<NamedFile>{{"a", "1"}, {"a", "1"}});
  REQUIRE(bytes);
  CHECK(Refusal(*bytes, Limits(9, 100, 100)) == "archive_malformed");
}

TEST_CASE("a link is refused") {
  auto bytes = WriteZip(std::vector<NamedFile>{{"a", "target"}});
  REQUIRE(bytes);
  // The mode in the directory's record, at its byte 40: 0100644 becomes 0120644.
  const std::string_view text = crypto::AsText(*bytes);
  const auto record = text.find("PK\x01\x02");
  REQUIRE(record != std::string_view::npos);
  REQUIRE((*bytes)[record + 41] == 0x81);
  (*bytes)[record + 41] = 0xA1;
  CHECK(Refusal(*bytes, Limits(9, 100, 100)) == "archive_malformed");
}

TEST_CASE("an archive cut short anywhere is refused") {
  const crypto::Bytes whole = Pack(ClientEvidence(4));
  REQUIRE(Findings(whole).empty());
  for (std::size_t size = 0; size < whole.size(); size += whole.size() / 200 + 1) {
    INFO(size);
    CHECK_FALSE(Findings(crypto::ByteView(whole).first(size)).empty());
  }
  CHECK_FALSE(Findings(crypto::ByteView(whole).first(whole.size() - 1)).empty());
}

TEST_CASE("a byte changed in an archive is found, or changes nothing of its files") {
  const crypto::Bytes whole = Pack(ClientEvidence(2));
  const Files files = Unpack(whole);
  for (std::size_t at = 0; at < whole.size(); at += 5) {
    crypto::Bytes changed = whole;
    changed[at] ^= 0x04;
    if (!Findings(changed).empty()) continue;
    INFO(at);
    REQUIRE(Unpack(changed) == files);
  }
}

TEST_CASE("what is no archive is refused") {
  const auto findings = [](std::string_view text) { return Findings(crypto::AsBytes(text)); };
  CHECK(findings("") == Strings{"archive"});
  CHECK(findings("PK") == Strings{"archive"});
  CHECK(findings(std::string(100'000, 'P')) == Strings{"archive"});
  CHECK(findings("{\"format\":\"coffer-evidence-v1\"}") == Strings{"archive"});
  CHECK_FALSE(ReadEvidence({}));
}

}  // namespace
}  // namespace coffer::audit
