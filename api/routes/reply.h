// The vault's values as JSON.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "api/http/route.h"
#include "vault/vault.h"

namespace coffer::api {

void Append(std::string& out, const vault::ClientInfo& client);
// With `data` and `masked` where the record's data was read.
void Append(std::string& out, const vault::RecordInfo& record);
// {"client": ...} or {"record": ...}
void Append(std::string& out, const std::variant<vault::ClientInfo, vault::RecordInfo>& line);
void Append(std::string& out, const vault::VersionInfo& version);
void Append(std::string& out, const vault::SearchHit& hit);
void Append(std::string& out, const vault::ClassSchema& schema);
void Append(std::string& out, const vault::TokenInfo& token);
void Append(std::string& out, const vault::NewToken& token);
void Append(std::string& out, const vault::PrincipalInfo& principal);
void Append(std::string& out, const vault::NewEnrolment& enrolment);
void Append(std::string& out, const vault::EnrolmentDone& done);
void Append(std::string& out, const vault::SessionInfo& session);
void Append(std::string& out, const vault::NewSession& session);
void Append(std::string& out, const vault::WhoIs& who);
void Append(std::string& out, const vault::IssuedCertificate& issued);
void Append(std::string& out, const vault::Team& team);
void Append(std::string& out, const vault::Approval& approval);
void Append(std::string& out, const vault::EmergencyAccess& emergency);
void Append(std::string& out, const vault::ApprovalQuestion& question);
void Append(std::string& out, const vault::ApprovalPreview& preview);
void Append(std::string& out, const vault::EmergencyReport& report);
void Append(std::string& out, const std::vector<vault::AssignedClient>& clients);
void Append(std::string& out, const vault::HandedOver& done);
void Append(std::string& out, const vault::ReaderReport& report);
// Of each field that is plain, what shows it so: a JSON object.
std::string PlainFields(const vault::AccessAnswer& answer);
void Append(std::string& out, const vault::Purpose& purpose);
void Append(std::string& out, const vault::RoleDocument& role);
void Append(std::string& out, const vault::Assignment& assignment);
void Append(std::string& out, const vault::Lease& lease);
void Append(std::string& out, const vault::AccessAnswer& answer);
void Append(std::string& out, const vault::Erasure& erasure);
void Append(std::string& out, const vault::Trace& trace);
void Append(std::string& out, const vault::Hold& hold);
void Append(std::string& out, const vault::Restriction& restriction);
void Append(std::string& out, const vault::StoredSchedule& schedule);
void Append(std::string& out, const vault::RetentionPreview& preview);
void Append(std::string& out, const vault::RetentionRun& run);
void Append(std::string& out, const vault::ClassPreview& preview);
void Append(std::string& out, const vault::DeepReport& report);
void Append(std::string& out, const vault::ConsistencyProof& proof);
void Append(std::string& out, const vault::LogSummary& summary);
// With what the server knows of itself: when its certificate ends, Unix time in seconds; 0:
// unknown.
struct ServerStatus {
  const vault::VaultStatus& vault;
  std::int64_t certificate_expires = 0;
};
void Append(std::string& out, const ServerStatus& status);

template <class T>
Reply RenderOne(const T& value, int status = 200) {
  Reply reply;
  reply.status = status;
  Append(reply.body, value);
  return reply;
}

void AppendNextCursor(std::string& out, std::string_view cursor);

template <class Items>
Reply RenderList(const Items& items, std::string_view next_cursor = {}) {
  Reply reply;
  reply.body = "{\"items\":[";
  bool first = true;
  for (const auto& item : items) {
    if (!first) reply.body += ',';
    first = false;
    if constexpr (requires { *item; }) {
      Append(reply.body, *item);
    } else {
      Append(reply.body, item);
    }
  }
  reply.body += ']';
  AppendNextCursor(reply.body, next_cursor);
  reply.body += '}';
  return reply;
}

// With what is not whole said of it.
Reply RenderSearch(const vault::SearchPage& page);

std::string EntityTag(std::uint64_t version);  // "\"3\""

}  // namespace coffer::api
