// Identifiers: a prefix and 128 bits in lower-case Crockford base32. 48 bits of milliseconds, then
// a 15-bit sequence, then 65 random bits; never derived from a person. Distinct types, so that a
// record's id is never taken for a client's.
#pragma once

#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>

#include "audit/text/clock.h"
#include "crypto/encoding.h"
#include "crypto/result.h"
#include "vault/base/timestamp.h"

namespace coffer::vault {

using crypto::Id128;

// Strictly increasing in its first 63 bits within the process, so that RowOf() never repeats and
// new rows are appended at the right edge of their B-tree. Thread-safe.
Id128 NewId(audit::Timestamp now);

template <class Tag>
struct Id {
  Id128 value{};

  static Id New(audit::Timestamp now) { return {NewId(now)}; }

  // Errors: kNotFound "not_found": a malformed id names nothing that exists, and answers so.
  static Result<Id> Parse(std::string_view text) {
    if (!text.starts_with(Tag::kPrefix)) return Fail(Code::kNotFound, "not_found");
    auto decoded = crypto::Base32Decode(text.substr(Tag::kPrefix.size()));
    if (!decoded) return Fail(Code::kNotFound, "not_found");
    return Id{*decoded};
  }

  std::string Text() const {
    std::string text(Tag::kPrefix);
    text.resize(text.size() + 26);
    crypto::Base32EncodeTo(value, text.data() + Tag::kPrefix.size());
    return text;
  }

  // The first 63 bits: the row id in vault.db.
  std::int64_t Row() const {
    std::uint64_t high = 0;
    for (int i = 0; i < 8; ++i) high = high << 8 | value[static_cast<std::size_t>(i)];
    return static_cast<std::int64_t>(high >> 1);
  }

  crypto::ByteView bytes() const { return value; }
  auto operator<=>(const Id&) const = default;
};

struct ClientTag {
  static constexpr std::string_view kPrefix = "cli_";
};
struct RecordTag {
  static constexpr std::string_view kPrefix = "rec_";
};
struct TokenTag {
  static constexpr std::string_view kPrefix = "tok_";
};
struct LeaseTag {
  static constexpr std::string_view kPrefix = "lease_";
};
struct ApprovalTag {
  static constexpr std::string_view kPrefix = "apr_";
};
struct EmergencyTag {
  static constexpr std::string_view kPrefix = "emg_";
};
struct SessionTag {
  static constexpr std::string_view kPrefix = "ses_";
};
struct ActTag {
  static constexpr std::string_view kPrefix = "act_";
};
struct ErasureTag {
  static constexpr std::string_view kPrefix = "era_";
};
struct HoldTag {
  static constexpr std::string_view kPrefix = "hold_";
};
struct RequestTag {
  static constexpr std::string_view kPrefix = "req_";
};
struct PackageTag {
  static constexpr std::string_view kPrefix = "pkg_";
};
struct RestrictionTag {
  static constexpr std::string_view kPrefix = "rst_";
};
struct ConsentTag {
  static constexpr std::string_view kPrefix = "con_";
};
struct RunTag {
  static constexpr std::string_view kPrefix = "run_";
};
struct BackupTag {
  static constexpr std::string_view kPrefix = "bkp_";
};
struct CallTag {
  static constexpr std::string_view kPrefix = "call_";
};

using ClientId = Id<ClientTag>;
using RecordId = Id<RecordTag>;
using TokenId = Id<TokenTag>;
using LeaseId = Id<LeaseTag>;
using ApprovalId = Id<ApprovalTag>;
using EmergencyId = Id<EmergencyTag>;
using SessionId = Id<SessionTag>;
using ActId = Id<ActTag>;  // that protects, or takes that back
using ErasureId = Id<ErasureTag>;
using HoldId = Id<HoldTag>;
using RequestId = Id<RequestTag>;  // of a person, to whoever keeps its data
using PackageId = Id<PackageTag>;  // what a client is handed of all that is kept about it
using RestrictionId = Id<RestrictionTag>;
using ConsentId = Id<ConsentTag>;
using BackupId = Id<BackupTag>;
using RunId = Id<RunTag>;    // of retention
using CallId = Id<CallTag>;  // one request, as in Coffer-Request-Id and in the log

enum class PrincipalKind : std::uint8_t { kService, kUser, kTeam };

// A service ("svc_"), a user ("usr_") or a team ("team_"). Which of them is in the last of the 16
// bytes, so that what is stored of an id says it too.
struct PrincipalId {
  Id128 value{};

  static PrincipalId New(audit::Timestamp now, PrincipalKind kind);
  // Errors: kNotFound "not_found", also for a prefix that the last byte contradicts.
  static Result<PrincipalId> Parse(std::string_view text);

  PrincipalKind kind() const;
  std::string Text() const;
  crypto::ByteView bytes() const { return value; }
  auto operator<=>(const PrincipalId&) const = default;
};

struct IdHash {
  template <class AnyId>
  std::size_t operator()(const AnyId& id) const {
    std::size_t tail = 0;
    std::memcpy(&tail, id.value.data() + 8, sizeof tail);  // random bits
    return tail;
  }
};

}  // namespace coffer::vault
