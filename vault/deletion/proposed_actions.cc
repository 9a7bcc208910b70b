#include "vault/deletion/proposed_actions.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "vault/access/approval.h"
#include "vault/access/call.h"
#include "vault/access/proposal_rules.h"
#include "vault/access/reason_rule.h"
#include "vault/access/role_giving.h"
#include "vault/base/calendar.h"
#include "vault/base/strict_json.h"
#include "vault/clients/export_selection.h"
#include "vault/deletion/approval_outlook.h"
#include "vault/deletion/deletion_state.h"
#include "vault/deletion/erase.h"
#include "vault/deletion/erasure.h"

namespace coffer::vault {
namespace {

using nlohmann::json;

constexpr std::int64_t kDayInMs = std::int64_t{24} * 3600 * 1000;

// {"classes": [...]}, with the purpose that the caller states.
std::string CanonicalExport(const Proposal& proposal, const Catalog& catalog,
                            std::string_view purpose, std::vector<Issue>& issues) {
  ExportSelection selection;
  if (proposal.target.starts_with(kTagTarget)) {
    selection.tag = proposal.target.substr(kTagTarget.size());
  } else if (proposal.target != kAllTarget) {
    issues.push_back({"/target", "must be \"all\" or \"tag:TAG\""});
  }
  const auto content = ParseStrictJson(proposal.content.empty() ? "{}" : proposal.content);
  if (!content || !content->is_object()) {
    issues.push_back({"/content", "must be an object"});
    return {};
  }
  for (const auto& [name, value] : content->items()) {
    const bool texts = value.is_array() && std::ranges::all_of(value, &json::is_string);
    if (name == "classes" && texts) {
      selection.classes = value.get<std::vector<std::string>>();
    } else if (name != "purpose" || value != purpose) {
      issues.push_back({PointerTo("/content", name), "has no place here, or is not valid"});
    }
  }
  for (Issue& issue : FaultsOf(selection, catalog)) {
    issues.push_back({(issue.pointer == "/tag" ? "/target" : "/content" + issue.pointer),
                      std::move(issue.message)});
  }
  return ProposalOf(selection, purpose).content;
}

// {"basis": B, "class": C, "records": [...]}: the basis where it is not "request"; a class or
// records for a part of the client.
std::string CanonicalErasure(const Proposal& proposal, const Catalog& catalog,
                             std::vector<Issue>& issues) {
  const auto client = ClientId::Parse(proposal.target);
  if (!client) issues.push_back({"/target", "must be a client's id"});
  const auto content = ParseStrictJson(proposal.content.empty() ? "{}" : proposal.content);
  if (!content || !content->is_object()) {
    issues.push_back({"/content", "must be an object"});
    return {};
  }
  const bool part = proposal.action == "record.erase";
  ErasureRequest request;
  const auto is_record = [](const json& item) {
    return item.is_string() && RecordId::Parse(item.get_ref<const std::string&>());
  };
  for (const auto& [name, value] : content->items()) {
    const std::string text = value.is_string() ? value.get<std::string>() : "";
    if (name == "basis" && ErasureBasisFromName(text)) {
      request.basis = *ErasureBasisFromName(text);
    } else if (name == "class" && part && catalog.Newest(text)) {
      request.class_name = text;
    } else if (name == "records" && part && value.is_array() && !value.empty() &&
               std::ranges::all_of(value, is_record)) {
      for (const json& item : value) {
        request.records.push_back(*RecordId::Parse(item.get_ref<const std::string&>()));
      }
    } else {
      issues.push_back({PointerTo("/content", name), "has no place here, or is not valid"});
    }
  }
  if (part && issues.empty() && request.class_name.empty() == request.records.empty()) {
    issues.push_back({"/content", "must name a class or records"});
  }
  if (!issues.empty()) return {};
  return ProposalOf(*client, request).content;
}

// What another day's approval would allow is to be had on that day alone. The day comes from who
// asks, not from the vault: only so do two clocks get compared.
void CheckDay(std::string_view target, Timestamp now, std::vector<Issue>& issues) {
  const std::string today = FormatDay(static_cast<Day>(now.ms / kDayInMs));
  if (!ParseDay(target)) {
    issues.push_back({"/target", "must be a day, YYYY-MM-DD"});
  } else if (target != today) {
    issues.push_back({"/target", "must be today in UTC, which is " + today +
                                     " by the server's clock; when that is wrong, set it right"});
  }
}

// A class as it is to be, of which due dates hang.
std::string CanonicalClass(const Proposal& proposal, const Catalog& catalog,
                           std::vector<Issue>& issues) {
  const std::string name = proposal.target.substr(kClassTarget.size());
  if (!catalog.Newest(name)) issues.push_back({"/target", "must name a class of this vault"});
  const auto schema = ParseClass(proposal.content.empty() ? "null" : proposal.content);
  if (schema && schema->name == name) return schema->definition;
  if (schema) {
    issues.push_back({"/content/name", "must be the name in the target"});
    return {};
  }
  for (const auto& issue : schema.error().issues) {
    issues.push_back({"/content" + issue.pointer, issue.message});
  }
  if (schema.error().issues.empty()) issues.push_back({"/content", "must be a class"});
  return {};
}

bool IsErasure(std::string_view action) {
  return action == "client.erase" || action == "record.erase";
}

}  // namespace

// The content as it will be hashed when the thing is done; issues when it could not be done.
std::string ProposedActions::CanonicalContent(const Proposal& proposal, const Catalog& catalog,
                                              std::string_view purpose, Timestamp now,
                                              std::vector<Issue>& issues) const {
  if (proposal.action == "client.export") {
    return CanonicalExport(proposal, catalog, purpose, issues);
  }
  if (proposal.action == "client.erase" || proposal.action == "record.erase") {
    return CanonicalErasure(proposal, catalog, issues);
  }
  if (proposal.action == "hold.lift" || proposal.action == "clock.confirm") {
    if (proposal.action == "hold.lift" && !HoldId::Parse(proposal.target)) {
      issues.push_back({"/target", "must be a hold's id"});
    }
    if (proposal.action == "clock.confirm") CheckDay(proposal.target, now, issues);
    if (!proposal.content.empty()) issues.push_back({"/content", "has no place here"});
    return {};
  }
  if (proposal.action == "retention.write" && proposal.target.starts_with(kClassTarget)) {
    return CanonicalClass(proposal, catalog, issues);
  }
  if (proposal.action == "retention.write") {
    if (proposal.target != kScheduleTarget)
      issues.push_back({"/target", "must be \"schedule\" or \"class:NAME\""});
    const auto schedule = ParseSchedule(proposal.content.empty() ? "null" : proposal.content,
                                        catalog.NewestClasses());
    if (schedule) return schedule->definition();
    for (const auto& issue : schedule.error().issues) {
      issues.push_back({"/content" + issue.pointer, issue.message});
    }
    if (schedule.error().issues.empty()) {
      issues.push_back({"/content", "must be a retention schedule"});
    }
    return {};
  }
  if (proposal.action == "role.write") {
    const auto role =
        ParseRole(proposal.target, proposal.content.empty() ? "null" : proposal.content);
    if (role) return role->definition;
    for (const auto& issue : role.error().issues) {
      issues.push_back({"/content" + issue.pointer, issue.message});
    }
    if (issues.empty()) issues.push_back({"/content", "must be a role document"});
    return {};
  }
  CheckGiving(proposal, catalog, issues);
  return proposal.content;
}

// The client that is proposed about, into the entry.
Status ProposedActions::NameSubject(Transaction& transaction, Call& call, std::string_view action,
                                    std::string_view target) const {
  if (IsErasure(action)) {
    call.entry.client = target;
    return {};
  }
  if (action == "hold.lift") {
    const auto id = HoldId::Parse(target);
    if (!id) return {};
    COFFER_ASSIGN(const auto hold, transaction.Of<DeletionState>().stores.holds.Find(*id));
    if (hold && hold->terms.client) call.entry.client = hold->terms.client->Text();
    if (!hold || hold->terms.client) return {};
  }
  call.reason_rule = ReasonRule::kVault;
  return {};
}

std::unique_ptr<ApprovalOutlook> ProposedActions::Outlook() const {
  return std::make_unique<ActionOutlook>(operations_, snapshots_);
}

}  // namespace coffer::vault
