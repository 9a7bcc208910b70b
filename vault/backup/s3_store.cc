#include "vault/backup/s3_store.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "vault/backup/s3_client.h"
#include "vault/backup/s3_listing.h"

namespace coffer::vault {
namespace {

using crypto::Bytes;
using crypto::ByteView;
using Method = S3Request::Method;

constexpr int kNotFound = 404, kPreconditionFailed = 412;
constexpr std::size_t kMostListingBytes = std::size_t{8} << 20;  // of 1,000 names

// What stores answer where they retain an object. That a key may not remove anything looks alike,
// and comes to the same.
constexpr std::array<std::string_view, 6> kRetained = {"AccessDenied",     "FileImmutable",
                                                       "InvalidRequest",   "ObjectLocked",
                                                       "MethodNotAllowed", "ObjectUnderRetention"};
// What they answer who do not know If-None-Match.
constexpr std::array<std::string_view, 3> kNoCondition = {"NotImplemented", "InvalidArgument",
                                                          "InvalidRequest"};

bool AnswersOneOf(const auto& codes, const std::string& code) {
  return std::ranges::find(codes, code) != codes.end();
}

class S3Store final : public BackupStore {
 public:
  S3Store(S3Address address, S3Options options, std::function<bool()> interrupted)
      : address_(std::move(address)),
        young_for_(options.young_for),
        most_listed_(options.most_listed),
        client_(address_.endpoint, std::move(options), std::move(interrupted)) {}

  const std::string& place() const override { return address_.url; }
  Status MakeFolder(const std::string& /*name*/) override { return {}; }
  Status SyncFolder(const std::string& /*name*/) override { return {}; }
  Status Replace(const std::string& name, ByteView content) override;
  Status Put(const std::string& name, ByteView content) override;
  Result<Bytes> Get(const std::string& name, std::size_t limit) override;
  Result<std::optional<Found>> Find(const std::string& name) override;
  Status List(const std::string& folder, const std::function<bool(const Entry&)>& each) override;
  Result<Removal> Remove(const std::string& name) override;
  Result<std::unique_ptr<Claim>> Take(const std::string& /*name*/) override { return nullptr; }

 private:
  std::string BucketPath() const { return "/" + address_.bucket; }
  std::string PathOf(const std::string& name) const {
    return BucketPath() + "/" + address_.prefix + name;
  }
  // Whether it is not there, which a bucket that is not there does not say.
  static bool IsMissing(const S3Answer& answer) {
    return answer.status == kNotFound && answer.code != "NoSuchBucket";
  }
  std::unexpected<Error> Refused(const std::string& name, const S3Answer& answer) const {
    return Fail(Code::kUnavailable, "destination_unavailable",
                address_.url + "/" + name + ": " + InWords(answer));
  }
  bool IsYoung(const S3Listing::Object& object, std::optional<Timestamp> now) const {
    // Whole seconds, of which one may be rounded up.
    const std::int64_t limit = young_for_.count() * 1000;
    return limit > 0 && (!now || !object.modified || now->ms - object.modified->ms < limit);
  }

  const S3Address address_;
  const std::chrono::seconds young_for_;
  const std::uint64_t most_listed_;
  S3Client client_;
  bool knows_condition_ = true;  // If-None-Match, as far as the store said
};

bool Succeeded(const S3Answer& answer) { return answer.status >= 200 && answer.status < 300; }

Status S3Store::Replace(const std::string& name, ByteView content) {
  COFFER_ASSIGN(const auto answer,
                client_.Send({.method = Method::kPut, .path = PathOf(name), .body = content}));
  return Succeeded(answer) ? Status() : Refused(name, answer);
}

Status S3Store::Put(const std::string& name, ByteView content) {
  S3Request request{.method = Method::kPut, .path = PathOf(name), .body = content};
  request.only_new = knows_condition_;
  COFFER_ASSIGN(auto answer, client_.Send(request));
  if (request.only_new && (answer.status == 501 || answer.status == 400) &&
      AnswersOneOf(kNoCondition, answer.code)) {
    request.only_new = knows_condition_ = false;
    COFFER_ASSIGN(answer, client_.Send(request));
  }
  if (Succeeded(answer)) return {};
  if (answer.status != kPreconditionFailed) return Refused(name, answer);
  // A try before, whose answer was lost, may have put it.
  if (answer.tried_before) {
    COFFER_ASSIGN(const Bytes there, Get(name, content.size()));
    if (std::ranges::equal(there, content)) return {};
  }
  return Fail(Code::kConflict, "object_exists", address_.url + "/" + name);
}

Result<Bytes> S3Store::Get(const std::string& name, std::size_t limit) {
  COFFER_ASSIGN(auto answer, client_.Send({.path = PathOf(name), .most_bytes = limit}));
  const std::string object = address_.url + "/" + name;
  if (IsMissing(answer)) return Fail(Code::kNotFound, "object_missing", object);
  if (!Succeeded(answer)) return Refused(name, answer);
  if (answer.too_long) return Fail(Code::kCorrupted, "object_wrong", object);
  return std::move(answer.body);
}

Result<std::optional<BackupStore::Found>> S3Store::Find(const std::string& name) {
  COFFER_ASSIGN(const auto answer, client_.Send({.method = Method::kHead, .path = PathOf(name)}));
  if (Succeeded(answer)) return Found{answer.length};
  // Whether there is a bucket is in no answer without a body: what follows says so.
  if (IsMissing(answer)) return std::nullopt;
  return Refused(name, answer);
}

// By the order of names: a store that begins again and again is not followed for ever.
Status S3Store::List(const std::string& folder, const std::function<bool(const Entry&)>& each) {
  const std::string prefix = address_.prefix + (folder.empty() ? "" : folder + "/");
  const auto malformed = [&](const char* why) {
    return Fail(Code::kCorrupted, "listing_malformed", address_.url + "/" + folder + ": " + why);
  };
  std::string last, token;
  std::uint64_t listed = 0;
  for (bool more = true; more;) {
    std::string query = token.empty() ? "" : "continuation-token=" + S3QueryEncode(token) + "&";
    query += "encoding-type=url&list-type=2&max-keys=1000&prefix=" + S3QueryEncode(prefix);
    COFFER_ASSIGN(const auto answer, client_.Send({.path = BucketPath(),
                                                   .query = std::move(query),
                                                   .most_bytes = kMostListingBytes}));
    if (!Succeeded(answer)) return Refused(folder, answer);
    if (answer.too_long) return malformed("the list is too long");
    const auto listing = ParseS3Listing(crypto::AsText(answer.body));
    if (!listing) return malformed(listing.error().detail.c_str());
    more = listing->truncated;
    token = listing->next;
    if (more && listing->objects.empty()) return malformed("the list does not go on");
    for (const auto& object : listing->objects) {
      if (!object.key.starts_with(prefix) || object.key.size() == prefix.size() ||
          object.key <= last) {
        // The folder itself, as some tools make it.
        if (object.key == prefix && last.empty()) continue;
        return malformed("a name is not in its order");
      }
      last = object.key;
      if (++listed > most_listed_) return malformed("there are too many names");
      if (!each({object.key.substr(address_.prefix.size()), false, IsYoung(object, answer.date)})) {
        return {};
      }
    }
  }
  return {};
}

Result<BackupStore::Removal> S3Store::Remove(const std::string& name) {
  COFFER_ASSIGN(const auto answer, client_.Send({.method = Method::kDelete, .path = PathOf(name)}));
  if (IsMissing(answer)) return Removal{};
  if (Succeeded(answer)) return Removal{.kept = answer.delete_marker};
  if (!AnswersOneOf(kRetained, answer.code)) return Refused(name, answer);
  COFFER_ASSIGN(const auto about, client_.Send({.method = Method::kHead, .path = PathOf(name)}));
  if (IsMissing(about)) return Removal{};
  return Removal{.refused = true, .until = about.retain_until};
}

}  // namespace

std::shared_ptr<BackupStore> OpenS3Store(S3Address address, S3Options options,
                                         std::function<bool()> interrupted) {
  return std::make_shared<S3Store>(std::move(address), std::move(options), std::move(interrupted));
}

}  // namespace coffer::vault
