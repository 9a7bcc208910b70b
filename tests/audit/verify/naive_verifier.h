// The log's verification once more, from the description of the format alone: another JSON parser,
// another recursion for the tree, no thought for speed. What VerifyLog is checked against.
#pragma once

#include <bit>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "crypto/encoding.h"
#include "crypto/hash.h"
#include "crypto/sign.h"

namespace coffer::audit {

class NaiveVerifier {
 public:
  using Rows = std::vector<std::optional<std::string>>;

  struct Answer {
    bool whole = true;
    // The first bad entry is between these: where only a link is broken, either end may be it.
    std::optional<std::pair<std::size_t, std::size_t>> first_bad;
  };

  NaiveVerifier(std::string origin, crypto::PublicKey key)
      : origin_(std::move(origin)), key_(key) {}

  Answer Verify(const Rows& rows, std::span<const std::string> notes) const {
    Answer answer;
    std::string before;
    std::string time;
    for (std::size_t i = 0; i < rows.size() && !answer.first_bad; ++i) {
      const auto document = rows[i] ? Canonical(*rows[i]) : std::nullopt;
      if (!document || document->at("seq") != i) {
        answer.first_bad = {i, i};
      } else if (document->at("prev") != (i == 0 ? std::string(64, '0') : Hex(Sha({before})))) {
        answer.first_bad = {i == 0 ? 0 : i - 1, i};
      } else if (document->at("ts") < time || document->value("log", "") != origin_) {
        answer.first_bad = {i, i};
      } else {
        before = *rows[i];
        time = document->at("ts");
      }
    }
    answer.whole = !answer.first_bad;
    for (const std::string& note : notes) answer.whole = answer.whole && Holds(note, rows);
    return answer;
  }

 private:
  using Json = nlohmann::json;

  static std::string Sha(std::initializer_list<std::string> parts) {
    std::string all;
    for (const std::string& part : parts) all += part;
    return std::string(crypto::AsText(crypto::Sha256(crypto::AsBytes(all))));
  }
  static std::string Hex(const std::string& bytes) {
    return crypto::HexEncode(crypto::AsBytes(bytes));
  }

  // Sorted members without spaces, as Coffer's entries have them.
  static std::optional<Json> Canonical(const std::string& row) {
    static const std::vector<std::string> kTexts = {
        "action", "actor",   "address", "auth",   "class",   "client", "detail",
        "log",    "outcome", "purpose", "record", "request", "rule"};
    static const std::vector<std::string> kHashes = {"note_hash", "payload_hash", "prev",
                                                     "state_hash"};
    static const std::vector<std::string> kNumbers = {"seq", "skew_ms", "v", "version"};
    const auto among = [](const std::vector<std::string>& names, const std::string& name) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    Json json = Json::parse(row, nullptr, false);
    if (!json.is_object() || row.size() > 8192 || json.dump() != row) return std::nullopt;
    for (const auto& [name, value] : json.items()) {
      bool right = false;
      if (among(kTexts, name)) {
        right = value.is_string() && !value.get_ref<const std::string&>().empty();
      } else if (among(kHashes, name)) {
        right = value.is_string() && value.get_ref<const std::string&>().size() == 64 &&
                value.get_ref<const std::string&>().find_first_not_of("0123456789abcdef") ==
                    std::string::npos;
      } else if (among(kNumbers, name)) {
        right = value.is_number_unsigned() && value < (std::uint64_t{1} << 53) &&
                (name == "seq" || value > 0);
      } else if (name == "actor_kind") {
        right = value == "user" || value == "service" || value == "system";
      } else if (name == "decision") {
        right = value == "allow" || value == "deny";
      } else if (name == "fields") {
        right = value.is_array() && !value.empty();
        for (const Json& field : value) right = right && field.is_string();
      } else if (name == "ts") {
        right = value.is_string() && IsTime(value);
      }
      if (!right) return std::nullopt;
    }
    for (const char* name : {"decision", "prev", "seq", "ts", "v"}) {
      if (!json.contains(name)) return std::nullopt;
    }
    if (json["v"] != 1) return std::nullopt;
    return json;
  }

  // 2026-01-02T03:04:05.678Z
  static bool IsTime(const std::string& text) {
    static const std::string kForm = "dddd-dd-ddTdd:dd:dd.dddZ";
    if (text.size() != kForm.size()) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const bool digit = text[i] >= '0' && text[i] <= '9';
      if (kForm[i] == 'd' ? !digit : text[i] != kForm[i]) return false;
    }
    const int year = std::stoi(text.substr(0, 4));
    const int month = std::stoi(text.substr(5, 2));
    const int day = std::stoi(text.substr(8, 2));
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    const int days[] = {31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] &&
           text.substr(11, 2) < "24" && text.substr(14, 2) < "60" && text.substr(17, 2) < "60";
  }

  // RFC 6962 section 2.1.
  static std::string TreeHash(const Rows& rows, std::size_t begin, std::size_t end) {
    if (begin == end) return Sha({});
    if (end - begin == 1) return Sha({std::string(1, '\0'), *rows[begin]});
    const std::size_t middle = begin + std::bit_floor(end - begin - 1);
    return Sha({"\x01", TreeHash(rows, begin, middle), TreeHash(rows, middle, end)});
  }

  // Signed by the key, of this log, and the root of its first entries.
  bool Holds(const std::string& note, const Rows& rows) const {
    const auto blank = note.find("\n\n");
    const std::string text = note.substr(0, blank + 1);
    const auto blob =
        crypto::Base64Decode(note.substr(note.rfind(' ') + 1, note.size() - note.rfind(' ') - 2));
    if (!blob || blob->size() != 68 ||
        !crypto::VerifySignature(key_, crypto::AsBytes(text), std::span(*blob).subspan(4))) {
      return false;
    }
    const auto first = text.find('\n');
    const auto second = text.find('\n', first + 1);
    if (text.substr(0, first) != origin_) return false;
    const std::uint64_t size = std::stoull(text.substr(first + 1, second - first - 1));
    if (size > rows.size()) return false;
    for (std::size_t i = 0; i < size; ++i) {
      if (!rows[i]) return false;
    }
    const std::string root = TreeHash(rows, 0, size);
    return text.substr(second + 1) == crypto::Base64Encode(crypto::AsBytes(root)) + "\n";
  }

  std::string origin_;
  crypto::PublicKey key_;
};

}  // namespace coffer::audit
