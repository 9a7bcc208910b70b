// A store that speaks S3, and all that goes wrong on the way to it.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "crypto/atomic_file.h"
#include "crypto/encoding.h"
#include "tests/support/open_vault.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/tls_server.h"
#include "tests/vault/backup/s3_faults.h"
#include "vault/backup/repository.h"

namespace coffer::vault {
namespace {

TEST_CASE("what is over with the next try is done, and done once") {
  const auto place = NewPlace();
  const auto store = StoreAt(place);
  const crypto::Bytes content(100'000, 7);
  const std::vector<json> errors = {
      Answering(500, ErrorBody("InternalError")),
      Answering(503, ErrorBody("SlowDown"), {{"headers", {{"Retry-After", "3600"}}}}),
      Answering(503, "no xml"),
      Answering(429, "", {{"headers", {{"Retry-After", "soon"}}}}),
      Answering(400, ErrorBody("RequestTimeout")),
      Doing("reset")};
  int n = 0;
  for (const std::string method : {"PUT", "GET", "HEAD", "DELETE"}) {
    std::vector<json> faults = errors;
    if (method == "PUT") {
      faults.push_back(Doing("half_up"));
      faults.push_back(Doing("lost"));
      faults.push_back(Answering(409, ErrorBody("ConditionalRequestConflict")));
    }
    if (method == "GET") faults.push_back(Doing("half_down"));
    if (method == "DELETE") faults.push_back(Doing("lost"));
    for (json fault : faults) {
      // Whose answer has no words, and so no code.
      if (method == "HEAD" && fault.value("status", 0) == 400) continue;
      fault["method"] = method;
      fault["times"] = 2;
      INFO(fault.dump());
      const std::string name = "n" + std::to_string(++n);
      if (method != "PUT") REQUIRE(store->Put(name, content));
      FailWith({fault});
      const std::size_t before = S3Server::Get().Requests().size();
      Status done;
      if (method == "PUT") {
        done = store->Put(name, content);
      } else if (method == "GET") {
        const auto got = store->Get(name, content.size());
        if (got) CHECK(*got == content);
        if (!got) done = std::unexpected(got.error());
      } else if (method == "HEAD") {
        CHECK(store->Has(name) == true);
      } else {
        CHECK(store->Remove(name));
      }
      INFO(DetailOf(done));
      CHECK(done);
      // One more, where it is compared with what an earlier try put.
      CHECK(S3Server::Get().Requests().size() - before >= 3);
      Server();
      CHECK(store->Has(name) == (method != "DELETE"));
      if (method == "PUT") CHECK(store->Get(name, content.size()) == content);
    }
  }
}

TEST_CASE("what no try mends is told in the store's words, and never in its messages or secrets") {
  const auto place = NewPlace();
  REQUIRE(Repository::Create(place, BackupKind::kData, {"vault.example/log", "00"}));
  struct Case {
    json fault;
    std::size_t requests;
    std::string words;
  };
  const std::string secret = S3Server::Get().secret();
  const std::vector<Case> cases = {
      {Answering(500, ErrorBody("InternalError", secret)), 3, "500 InternalError"},
      {Answering(503, ErrorBody("SlowDown", secret)), 3, "503 SlowDown"},
      {Doing("reset"), 3, ""},
      {Doing("half_down"), 3, ""},
      {Answering(403, ErrorBody("ExpiredToken", secret)), 1, "403 ExpiredToken"},
      {Answering(403, ErrorBody("InvalidAccessKeyId", secret)), 1, "403 InvalidAccessKeyId"},
      {Answering(403, ErrorBody("AccessDenied", secret)), 1, "403 AccessDenied"},
      {Answering(403, ErrorBody("RequestTimeTooSkewed", secret)), 1, "clocks"},
      {Answering(403, ErrorBody("SignatureDoesNotMatch", secret)), 1, "403 SignatureDoesNotMatch"},
      {Answering(404, ErrorBody("NoSuchBucket", secret)), 1, "404 NoSuchBucket"},
      {Answering(301, ErrorBody("PermanentRedirect", secret),
                 {{"headers", {{"Location", "http://192.0.2.1/"}}}}),
       1, "301 PermanentRedirect"},
      {Answering(403, "<Error><Code>" + secret + " </Code></Error>"), 1, "403"},
      {Answering(403, std::string(200'000, 'x')), 1, "403"},
  };
  for (const auto& [fault, requests, words] : cases) {
    INFO(fault.dump().substr(0, 200));
    FailWith({fault});
    const std::size_t before = S3Server::Get().Requests().size();
    const auto opened = Repository::Open(place);
    CHECK(testing::AnswerOf(opened) == "destination_unavailable");
    CHECK(DetailOf(opened).contains(words));
    CHECK(!DetailOf(opened).contains(secret));
    CHECK(S3Server::Get().Requests().size() - before == requests);
  }
  Server();
  CHECK(Repository::Open(place));
}

TEST_CASE("wrong credentials are refused by the store, and a file that is none or open by us") {
  auto place = NewPlace();
  testing::TemporaryDirectory work;
  place.s3.credentials_file = work / "credentials";
  const auto opened = [&](const std::string& line, unsigned mode = 0600) {
    REQUIRE(crypto::WriteFileAtomically(place.s3.credentials_file, crypto::AsBytes(line)));
    REQUIRE(chmod(place.s3.credentials_file.c_str(), mode) == 0);
    const auto tried = Repository::Open(place);
    CHECK(!DetailOf(tried).contains("SENTINEL"));
    return testing::AnswerOf(tried) + ": " + DetailOf(tried);
  };
  CHECK(opened("test:coffer " + S3Server::Get().secret() + "\n").starts_with("repository_missing"));
  CHECK(opened("\t test:coffer\t" + S3Server::Get().secret() + " ")
            .starts_with("repository_missing"));
  CHECK(opened("test:coffer SENTINEL\n").contains("403 SignatureDoesNotMatch"));
  CHECK(opened("SENTINEL:coffer SENTINEL\n").contains("403"));
  CHECK(opened("SENTINEL\n").contains("secret_file_malformed"));
  CHECK(opened("a b c SENTINEL\n").contains("secret_file_malformed"));
  CHECK(opened("a SENTINEL\n", 0644).contains("secret_file_exposed"));
  REQUIRE(unlink(place.s3.credentials_file.c_str()) == 0);
  CHECK(testing::AnswerOf(Repository::Open(place)) == "destination_unavailable");
  // A session token is signed with the rest.
  REQUIRE(crypto::WriteFileAtomically(
      place.s3.credentials_file,
      crypto::AsBytes("test:coffer " + S3Server::Get().secret() + " a-token\n")));
  CHECK(testing::AnswerOf(Repository::Open(place)) == "repository_missing");
  const json last = S3Server::Get().Requests().back();
  CHECK(last.at("headers").at("x-amz-security-token") == "a-token");
  CHECK(last.at("headers").at("authorization").get<std::string>().contains("x-amz-security-token"));
}

std::string ListOf(const std::string& objects, const std::string& more) {
  return "<?xml version='1.0' encoding='UTF-8'?><ListBucketResult "
         "xmlns='http://s3.amazonaws.com/doc/2006-03-01/'>" +
         objects + more + "</ListBucketResult>";
}

TEST_CASE("a store that lies is believed nothing that has a hash, and followed nowhere for ever") {
  auto place = NewPlace();
  place.s3.most_listed = 50;
  const auto created = Repository::Create(place, BackupKind::kData, {"vault.example/log", "00"});
  REQUIRE(created);
  bool written = false;
  const auto one = created->Put(crypto::AsBytes("one"), written);
  const auto two = created->Put(crypto::AsBytes("two"), written);
  REQUIRE((one && two));
  FailWith({Doing("other", {{"other", "/objects/"}, {"path", "/objects/"}})});
  CHECK(testing::AnswerOf(created->Get(*one)) == "object_wrong");
  CHECK(testing::AnswerOf(created->Get(*two)) == "object_wrong");
  FailWith({Answering(200, "one?")});
  CHECK(testing::AnswerOf(created->Get(*one)) == "object_wrong");
  CHECK(testing::AnswerOf(Repository::Open(place)) == "repository_malformed");
  FailWith({Answering(200, std::string(100'000, 'x'))});
  CHECK(testing::AnswerOf(Repository::Open(place)) == "repository_malformed");
  CHECK(testing::AnswerOf(created->GetManifest("bkp_01kdyahk904tff59tdwh9edd1r")) ==
        "manifest_malformed");

  const std::string prefix = ParseS3Address(place.where)->prefix + "generations/";
  const std::string end = "<IsTruncated>false</IsTruncated>";
  const std::string on =
      "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>";
  const auto object = [&](const std::string& name) {
    return "<Contents><Key>" + prefix + name + "</Key></Contents>";
  };
  std::string many;
  for (int i = 100; i < 200; ++i) many += object(std::to_string(i));
  const std::string generation = "bkp_01kdyahk904tff59tdwh9edd1r";
  const std::pair<std::string, std::string> lists[] = {
      {ListOf(object(generation), end), "ok"},
      {ListOf("", end), "ok"},
      {ListOf(object(generation), on), "listing_malformed"},  // the same again and again
      {ListOf("", on), "listing_malformed"},
      {ListOf(many, end), "listing_malformed"},
      {ListOf(object("b") + object("a"), end), "listing_malformed"},
      {ListOf("<Contents><Key>elsewhere</Key></Contents>", end), "listing_malformed"},
      {ListOf("<Contents></Contents>", end), "listing_malformed"},
      {ListOf(object(generation), ""), "listing_malformed"},
      {ListOf(object(generation), "<IsTruncated>perhaps</IsTruncated>"), "listing_malformed"},
      {ListOf(object(generation), "<IsTruncated>true</IsTruncated>"), "listing_malformed"},
      {ListOf(object(generation), end).substr(0, 150), "listing_malformed"},
      {ListOf(object(std::string(5000, 'x')), end), "listing_malformed"},
      {"<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]>" +
           ListOf(object("&b;"), end),
       "listing_malformed"},
      {"<!DOCTYPE x SYSTEM 'file:///etc/passwd'>" + ListOf("", end), "listing_malformed"},
      {ListOf(object("&unknown;"), end), "listing_malformed"},
      {"<a><a><a><a><a><a><a><a><a><a></a></a></a></a></a></a></a></a></a></a>",
       "listing_malformed"},
      {"<Other>" + end + "</Other>", "listing_malformed"},
      {ErrorBody("AccessDenied"), "listing_malformed"},
      {"", "listing_malformed"},
      {"no xml", "listing_malformed"},
      {ListOf(std::string(9U << 20, ' '), end), "listing_malformed"},
  };
  for (const auto& [list, expected] : lists) {
    INFO(list.substr(0, 300));
    FailWith({Answering(200, list, {{"query", "list-type=2"}})});
    CHECK(testing::AnswerOf(created->ListGenerations()) == expected);
  }
}

TEST_CASE("lists of several pages are put together, whatever the names and tokens are") {
  const auto place = NewPlace();
  const auto store = StoreAt(place);
  const std::string prefix = ParseS3Address(place.where)->prefix + "a/";
  const auto page = [&](const std::string& name, const std::string& token) {
    return ListOf("<Contents><Key>" + prefix + name +
                      "</Key><LastModified>2020-01-02T03:04:05.678Z</LastModified></Contents>",
                  token.empty() ? "<IsTruncated>false</IsTruncated>"
                                : "<IsTruncated>true</IsTruncated><NextContinuationToken>" + token +
                                      "</NextContinuationToken>");
  };
  FailWith({Answering(200, page("1", "a+b/c==&amp; d"), {{"times", 1}}),
            Answering(200, page("2", "t\xc3\xa4"), {{"times", 1}}), Answering(200, page("3", ""))});
  std::vector<std::string> names;
  REQUIRE(store->List("a", [&](const BackupStore::Entry& entry) {
    names.push_back(entry.name);
    return true;
  }));
  CHECK(names == std::vector<std::string>{"a/1", "a/2", "a/3"});
  const auto requests = S3Server::Get().Requests();
  CHECK(requests[requests.size() - 2].at("query").get<std::string>().starts_with(
      "continuation-token=a%2Bb%2Fc%3D%3D%26%20d&encoding-type=url&list-type=2&"));
  CHECK(requests.back().at("query").get<std::string>().starts_with("continuation-token=t%C3%A4&"));
  // The real store's, too.
  Server();
  for (int i = 0; i < 3; ++i) REQUIRE(store->Put("real/" + std::to_string(i), {}));
  names.clear();
  REQUIRE(store->List("real", [&](const BackupStore::Entry& entry) {
    names.push_back(entry.name);
    return true;
  }));
  CHECK(names == std::vector<std::string>{"real/0", "real/1", "real/2"});
}

TEST_CASE("nothing is written over where the store knows how, and a store that does not is taken") {
  const auto store = StoreAt(NewPlace());
  REQUIRE(store->Put("a", crypto::AsBytes("one")));
  CHECK(testing::AnswerOf(store->Put("a", crypto::AsBytes("two"))) == "object_exists");
  CHECK(testing::AnswerOf(store->Put("a", crypto::AsBytes("one"))) == "object_exists");
  CHECK(store->Get("a", 10) == crypto::Bytes{'o', 'n', 'e'});
  // One's own earlier try is none of somebody else's; somebody else's is.
  FailWith({Doing("lost", {{"method", "PUT"}, {"times", 1}})});
  CHECK(store->Put("b", crypto::AsBytes("one")));
  FailWith({Doing("reset", {{"method", "PUT"}, {"times", 1}})});
  CHECK(testing::AnswerOf(store->Put("b", crypto::AsBytes("two"))) == "object_exists");
  FailWith({Answering(501, ErrorBody("NotImplemented"), {{"method", "PUT"}, {"times", 1}})});
  CHECK(store->Put("c", crypto::AsBytes("one")));
  CHECK_FALSE(S3Server::Get().Requests().back().at("headers").contains("if-none-match"));
}

TEST_CASE("who waits for a store that does not answer is let go") {
  const auto place = NewPlace();
  FailWith({Doing("hang")});
  const std::size_t before = S3Server::Get().Requests().size();
  std::atomic<bool> stop{false};
  Status got;
  {
    const std::jthread waiting([&] {
      const auto store = OpenStore(place, [&] { return stop.load(); });
      const auto has = (*store)->Has("a");
      if (!has) got = std::unexpected(has.error());
    });
    WaitUntil([&] { return S3Server::Get().Requests().size() > before; });
    stop = true;
  }
  CHECK(testing::AnswerOf(got) == "destination_unavailable");
  CHECK(DetailOf(got).contains("stopping"));

  // And by itself, where nobody lets it go; also where a byte comes now and then.
  auto brief = place;
  brief.s3.tries = 1;
  brief.s3.total_limit = std::chrono::milliseconds(300);
  CHECK(DetailOf(Repository::Open(brief)).contains("timed out"));
  Server();
  REQUIRE(Repository::Create(place, BackupKind::kData, {"vault.example/log", "00"}));
  FailWith({Doing("drip")});
  CHECK(DetailOf(Repository::Open(brief)).contains("timed out"));
  Server();
}

TEST_CASE("a store is spoken to over TLS, with a certificate that counts") {
  S3Server::Get();
  testing::TlsServer server([](const std::string&, const testing::TlsServer::Write& write) {
    write("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  });
  StorePlace place = S3Server::Get().Place("coffer-data", "x");
  place.s3.tries = 1;
  place.where = server.url() + "/bucket/prefix";
  CHECK(testing::AnswerOf(Repository::Open(place)) == "destination_unavailable");
  CHECK(DetailOf(Repository::Open(place)).contains("certificate"));
  place.s3.ca_file = server.ca_file();
  CHECK(testing::AnswerOf(Repository::Open(place)) == "repository_missing");
  place.where = "https://localhost:" + std::to_string(server.port()) + "/bucket/prefix";
  CHECK(testing::AnswerOf(Repository::Open(place)) == "destination_unavailable");
}

TEST_CASE("an address is read in one way, or refused") {
  const auto read = [](const std::string& url) {
    const auto address = ParseS3Address(url);
    return address ? address->endpoint + " " + address->bucket + " " + address->prefix + " " +
                         address->url
                   : std::string(address.error().reason);
  };
  CHECK(read("https://s3.example/bucket") ==
        "https://s3.example bucket  https://s3.example/bucket");
  CHECK(read("https://s3.example:9000/bucket/a/b.c/") ==
        "https://s3.example:9000 bucket a/b.c/ https://s3.example:9000/bucket/a/b.c");
  CHECK(read("http://127.0.0.1:80/bucket/a") ==
        "http://127.0.0.1:80 bucket a/ http://127.0.0.1:80/bucket/a");
  CHECK(read("http://[::1]:80/bucket") == "http://[::1]:80 bucket  http://[::1]:80/bucket");
  for (const char* wrong : {"",
                            "s3.example/bucket",
                            "ftp://s3.example/bucket",
                            "https://",
                            "https:///bucket",
                            "https://s3.example",
                            "https://s3.example/",
                            "https://s3.example//bucket",
                            "https://s3.example/bucket//a",
                            "https://s3.example/bucket/../other",
                            "https://s3.example/bucket/.",
                            "https://s3.example/..",
                            "https://s3.example/bu",
                            "https://id:secret@s3.example/bucket",
                            "https://s3.example/bucket?x",
                            "https://S3.example/bucket",
                            "https://s3.example/bucket/a b",
                            "https://s3.example/bucket/a%2fb",
                            "https://s3.example/buck\n",
                            "https://s3.example:/bucket",
                            "https://s3.example:x/bucket",
                            "https://-s3/bucket",
                            "http://s3.example/bucket",
                            "http://127.0.0.1.example/bucket",
                            "http://127.0.0.2/bucket",
                            "http://localhost/bucket",
                            "https://[::2]/bucket",
                            "https://[::1]x/bucket"}) {
    INFO(wrong);
    CHECK(read(wrong) == "destination_malformed");
  }
  for (const char* region : {"", "eu west", "eu:s3", "EU"}) {
    StorePlace place("https://s3.example/bucket");
    place.s3.credentials_file = "/nowhere";
    place.s3.region = region;
    CHECK(testing::AnswerOf(OpenStore(place)) == "destination_malformed");
  }
  CHECK(testing::AnswerOf(OpenStore(StorePlace("https://s3.example/bucket"))) ==
        "destination_malformed");
}

}  // namespace
}  // namespace coffer::vault
