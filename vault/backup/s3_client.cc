#include "vault/backup/s3_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <ctime>
#include <string_view>
#include <thread>
#include <utility>

#include "crypto/encoding.h"
#include "crypto/hash.h"
#include "crypto/root_key_provider.h"
#include "crypto/secret_bytes.h"
#include "vault/backup/s3_listing.h"

namespace coffer::vault {
namespace {

using crypto::Bytes;
using crypto::ByteView;
using crypto::SecretBytes;
using std::chrono::milliseconds;

constexpr std::size_t kMostErrorBytes = 64 * 1024;
constexpr milliseconds kLookAtInterruptionEvery{50};
constexpr long kUploadBufferBytes = 512 * 1024;

std::unexpected<Error> NoAnswer(const std::string& detail) {
  return Fail(Code::kUnavailable, "destination_unavailable", detail);
}

// Where the memory of a copy of a secret is given back, nothing of it stays there.
class Wiped {
 public:
  explicit Wiped(std::string text) : text_(std::move(text)) {}
  ~Wiped() { crypto::Wipe({reinterpret_cast<std::uint8_t*>(text_.data()), text_.size()}); }
  Wiped(const Wiped&) = delete;
  Wiped& operator=(const Wiped&) = delete;
  const char* c_str() const { return text_.c_str(); }
  bool empty() const { return text_.empty(); }

 private:
  std::string text_;
};

// Id, secret key, session token.
using Credentials = std::array<std::string_view, 3>;

// On one line, blanks between them. Errors: as those of a secret file.
Result<Credentials> ParseCredentials(std::string_view line, const std::string& file) {
  Credentials credentials;
  std::size_t count = 0;
  while (!line.empty()) {
    const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
    if (end > 0) {
      if (count == credentials.size()) break;
      credentials[count++] = line.substr(0, end);
    }
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  if (count < 2 || !line.empty()) {
    return NoAnswer(file +
                    ": secret_file_malformed: it has the access key's id, a blank, the secret "
                    "key and, where there is one, a blank and the session token");
  }
  return credentials;
}

class Headers {
 public:
  ~Headers() { curl_slist_free_all(list_); }
  Headers() = default;
  Headers(const Headers&) = delete;
  Headers& operator=(const Headers&) = delete;
  void Add(const char* line) {
    if (curl_slist* const longer = curl_slist_append(list_, line)) list_ = longer;
  }
  curl_slist* list() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

// What libcurl calls back with.
struct Exchange {
  const S3Request& request;
  const std::function<bool()>& interrupted;
  CURL* curl;
  std::size_t sent = 0;
  Bytes body;
  bool too_long = false;

  bool succeeds() const {
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    return status >= 200 && status < 300;
  }
};

std::size_t TakeBody(char* data, std::size_t one, std::size_t count, void* with) {
  auto& exchange = *static_cast<Exchange*>(with);
  const std::size_t bytes = one * count;
  const bool succeeds = exchange.succeeds();
  const std::size_t most = succeeds ? exchange.request.most_bytes : kMostErrorBytes;
  if (exchange.body.size() + bytes > most) {
    exchange.too_long = true;
    return 0;
  }
  exchange.body.insert(exchange.body.end(), data, data + bytes);
  return bytes;
}

std::size_t GiveBody(char* data, std::size_t one, std::size_t count, void* with) {
  auto& exchange = *static_cast<Exchange*>(with);
  const ByteView rest = exchange.request.body.subspan(exchange.sent);
  const std::size_t bytes = std::min(one * count, rest.size());
  if (bytes > 0) std::memcpy(data, rest.data(), bytes);
  exchange.sent += bytes;
  return bytes;
}

int SeekBody(void* with, curl_off_t offset, int origin) {
  auto& exchange = *static_cast<Exchange*>(with);
  if (origin != SEEK_SET || offset < 0 ||
      static_cast<std::size_t>(offset) > exchange.request.body.size()) {
    return CURL_SEEKFUNC_FAIL;
  }
  exchange.sent = static_cast<std::size_t>(offset);
  return CURL_SEEKFUNC_OK;
}

int GoOnTransfer(void* with, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const auto& exchange = *static_cast<const Exchange*>(with);
  return exchange.interrupted && exchange.interrupted() ? 1 : 0;
}

std::optional<std::string> HeaderOf(CURL* curl, const char* name) {
  curl_header* header = nullptr;
  if (curl_easy_header(curl, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK) return std::nullopt;
  return std::string(header->value);
}

std::optional<Timestamp> DateOf(CURL* curl) {
  const auto text = HeaderOf(curl, "Date");
  const std::time_t seconds = text ? curl_getdate(text->c_str(), nullptr) : -1;
  if (seconds < 0) return std::nullopt;
  return Timestamp{std::int64_t{seconds} * 1000};
}

std::optional<Timestamp> RetainUntil(CURL* curl) {
  const auto text = HeaderOf(curl, "x-amz-object-lock-retain-until-date");
  return text ? ParseS3Time(*text) : std::nullopt;
}

// What the other end, or the way there, may be over in a moment.
bool MayHelpAgain(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_HTTP2:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:  // a status line that is none
      return true;
    default:
      return false;
  }
}

bool MayHelpAgain(const S3Answer& answer) {
  switch (answer.status) {
    case 408:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
      return true;
    default:
      // Half a body came there; or two at once, of which neither counts.
      return answer.code == "RequestTimeout" || answer.code == "IncompleteBody" ||
             answer.code == "BadDigest" || answer.code == "XAmzContentSHA256Mismatch" ||
             answer.code == "ConditionalRequestConflict" || answer.code == "OperationAborted";
  }
}

// A process that never speaks to such a store begins nothing.
bool Begun() {
  static const CURLcode begun = curl_global_init(CURL_GLOBAL_DEFAULT);
  return begun == CURLE_OK;
}

}  // namespace

std::string InWords(const S3Answer& answer) {
  std::string words = std::to_string(answer.status);
  if (!answer.code.empty()) words += " " + answer.code;
  if (answer.code == "RequestTimeTooSkewed") {
    words += ": the clocks of this machine and of the store differ by too much";
  }
  return words;
}

struct S3Client::Handle {
  std::unique_ptr<CURL, decltype([](CURL* curl) { curl_easy_cleanup(curl); })> curl;
};

struct S3Client::Try {
  S3Answer answer;
  std::string problem;    // empty: there is an answer that says what became of it
  milliseconds after{0};  // as the store asks
};

S3Client::S3Client(std::string endpoint, S3Options options, std::function<bool()> interrupted)
    : endpoint_(std::move(endpoint)),
      options_(std::move(options)),
      interrupted_(std::move(interrupted)),
      handle_(std::make_unique<Handle>()) {}

S3Client::~S3Client() = default;

Status S3Client::Pause(milliseconds pause) const {
  const auto end = std::chrono::steady_clock::now() + pause;
  for (;;) {
    if (interrupted_ && interrupted_()) return NoAnswer(endpoint_ + ": stopping");
    const auto rest = end - std::chrono::steady_clock::now();
    if (rest <= rest.zero()) return {};
    std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(rest, kLookAtInterruptionEvery));
  }
}

Result<S3Answer> S3Client::Send(const S3Request& request) {
  milliseconds pause = options_.first_pause;
  for (std::uint32_t n = 1;; ++n) {
    COFFER_TRY(Pause(milliseconds(0)));
    COFFER_ASSIGN(auto attempt, SendOnce(request));
    if (attempt.problem.empty()) {
      attempt.answer.tried_before = n > 1;
      return std::move(attempt.answer);
    }
    if (n >= options_.tries) return NoAnswer(endpoint_ + request.path + ": " + attempt.problem);
    COFFER_TRY(Pause(std::min(options_.longest_pause, std::max(pause, attempt.after))));
    pause *= 2;
  }
}

// Errors: of what no other try mends.
Result<S3Client::Try> S3Client::SendOnce(const S3Request& request) {
  using Verb = S3Request::Method;
  auto line = crypto::ReadSecretFile(options_.credentials_file);
  if (!line) {
    return NoAnswer(std::string(line.error().reason) + ": " + line.error().detail);
  }
  COFFER_ASSIGN(const auto credentials,
                ParseCredentials(crypto::AsText(line->ExposeSecret()), options_.credentials_file));
  if (!handle_->curl) handle_->curl.reset(Begun() ? curl_easy_init() : nullptr);
  CURL* const curl = handle_->curl.get();
  if (curl == nullptr) return NoAnswer("libcurl cannot be begun");

  Exchange exchange{request, interrupted_, curl, 0, {}, false};
  const bool put = request.method == Verb::kPut;
  const auto hash = crypto::Sha256(request.body);
  Headers headers;
  headers.Add(("x-amz-content-sha256: " + crypto::HexEncode(hash)).c_str());
  if (put) {
    headers.Add(("x-amz-checksum-sha256: " + crypto::Base64Encode(hash)).c_str());
    headers.Add("Content-Type: application/octet-stream");
    if (request.only_new) headers.Add("If-None-Match: *");
  }
  if (!credentials[2].empty()) {
    headers.Add(Wiped("x-amz-security-token: " + std::string(credentials[2])).c_str());
  }
  const std::string url =
      endpoint_ + request.path + (request.query.empty() ? "" : "?" + request.query);
  const bool secure = url.starts_with("https://");
  bool set = true;
  const auto option = [&](CURLoption name, auto value) {
    set = set && curl_easy_setopt(curl, name, value) == CURLE_OK;
  };
  option(CURLOPT_URL, url.c_str());
  option(CURLOPT_PATH_AS_IS, 1L);
  option(CURLOPT_PROTOCOLS_STR, secure ? "https" : "http");
  if (!secure) option(CURLOPT_NOPROXY, "*");
  option(CURLOPT_FOLLOWLOCATION, 0L);
  option(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  option(CURLOPT_NOSIGNAL, 1L);
  option(CURLOPT_QUICK_EXIT, 1L);
  option(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  option(CURLOPT_SSL_VERIFYPEER, 1L);
  option(CURLOPT_SSL_VERIFYHOST, 2L);
  if (!options_.ca_file.empty()) {
    option(CURLOPT_CAINFO, options_.ca_file.c_str());
    option(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }
  option(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_limit.count()));
  option(CURLOPT_TIMEOUT_MS, static_cast<long>(options_.total_limit.count()));
  option(CURLOPT_LOW_SPEED_LIMIT, 1000L);
  option(CURLOPT_LOW_SPEED_TIME,
         std::max(1L, static_cast<long>(options_.idle_limit.count() / 1000)));
  option(CURLOPT_AWS_SIGV4, ("aws:amz:" + options_.region + ":s3").c_str());
  const Wiped id{std::string(credentials[0])}, secret{std::string(credentials[1])};
  option(CURLOPT_USERNAME, id.c_str());
  option(CURLOPT_PASSWORD, secret.c_str());
  option(CURLOPT_HTTPHEADER, headers.list());
  option(CURLOPT_NOPROGRESS, 0L);
  option(CURLOPT_XFERINFOFUNCTION, &GoOnTransfer);
  option(CURLOPT_XFERINFODATA, &exchange);
  option(CURLOPT_WRITEFUNCTION, &TakeBody);
  option(CURLOPT_WRITEDATA, &exchange);
  std::array<char, CURL_ERROR_SIZE> why{};
  option(CURLOPT_ERRORBUFFER, why.data());
  switch (request.method) {
    case Verb::kGet:
      option(CURLOPT_HTTPGET, 1L);
      break;
    case Verb::kHead:
      option(CURLOPT_NOBODY, 1L);
      break;
    case Verb::kPut:
      option(CURLOPT_UPLOAD, 1L);
      option(CURLOPT_UPLOAD_BUFFERSIZE, kUploadBufferBytes);
      option(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
      option(CURLOPT_READFUNCTION, &GiveBody);
      option(CURLOPT_READDATA, &exchange);
      option(CURLOPT_SEEKFUNCTION, &SeekBody);
      option(CURLOPT_SEEKDATA, &exchange);
      break;
    case Verb::kDelete:
      option(CURLOPT_CUSTOMREQUEST, "DELETE");
      break;
  }
  if (!set) return NoAnswer("libcurl lacks what a request needs");

  // Nothing of here is left in the handle, which lives longer.
  const struct Reset {
    ~Reset() { curl_easy_reset(curl); }
    CURL* curl;
  } reset{curl};
  const CURLcode done = curl_easy_perform(curl);
  if (done == CURLE_ABORTED_BY_CALLBACK) return NoAnswer(endpoint_ + ": stopping");
  Try attempt;
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  attempt.answer.status = static_cast<int>(status);
  attempt.answer.too_long = exchange.too_long;
  if (done != CURLE_OK && !exchange.too_long) {
    attempt.problem = why[0] != '\0' ? why.data() : curl_easy_strerror(done);
    if (!MayHelpAgain(done)) return NoAnswer(endpoint_ + request.path + ": " + attempt.problem);
    return attempt;
  }
  attempt.answer.date = DateOf(curl);
  attempt.answer.retain_until = RetainUntil(curl);
  curl_off_t length = -1;
  curl_easy_getinfo(curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  if (length >= 0) attempt.answer.length = static_cast<std::uint64_t>(length);
  attempt.answer.delete_marker = HeaderOf(curl, "x-amz-delete-marker") == "true";
  if (exchange.succeeds()) {
    attempt.answer.body = std::move(exchange.body);
    return attempt;
  }
  attempt.answer.code = ParseS3ErrorCode(crypto::AsText(exchange.body));
  if (!MayHelpAgain(attempt.answer)) return attempt;
  attempt.problem = InWords(attempt.answer);
  if (const auto after = HeaderOf(curl, "Retry-After")) {
    std::int64_t seconds = 0;
    const auto read = std::from_chars(after->data(), after->data() + after->size(), seconds);
    constexpr std::int64_t kLongest = 3600;
    if (read.ec == std::errc() && seconds >= 0) {
      attempt.after = std::chrono::seconds(std::min(seconds, kLongest));
    }
  }
  return attempt;
}

}  // namespace coffer::vault
