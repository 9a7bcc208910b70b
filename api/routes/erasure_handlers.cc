// Erasures of clients, classes and records, their acts, and what is left of a client.
#include <nlohmann/json.hpp>

#include "api/http/input.h"
#include "api/routes/handlers.h"
#include "api/routes/names.h"
#include "api/routes/render.h"

namespace coffer::api {
namespace {

using nlohmann::json;
using vault::Action;

struct ActForm {
  std::string_view name;
  vault::DocumentForm form;
  std::string_view media_type;
};
constexpr ActForm kActForms[] = {
    {"json", vault::DocumentForm::kDocument, "application/json"},
    {"html", vault::DocumentForm::kPage, "text/html; charset=utf-8"},
    {"log-json", vault::DocumentForm::kLogJson, "application/json"},
    {"log-csv", vault::DocumentForm::kLogCsv, "text/csv; charset=utf-8"},
};

Result<vault::ErasureBasis> BasisFrom(Input& input, std::string_view text) {
  if (text.empty()) return vault::ErasureBasis::kRequest;
  const auto basis = vault::ErasureBasisFromName(text);
  if (basis) return *basis;
  return input.Refuse({Code::kUnprocessable,
                       "erasure_invalid",
                       {},
                       {{"/basis",
                         "must be one of request, consent-withdrawn, purpose-reached, "
                         "contract-end, unlawful"}}});
}

}  // namespace

Result<Reply> EraseClient(const Service& service, const Call& call) {
  Input input(service, call, Action::kClientErase);
  COFFER_ASSIGN(const auto id, input.Client());
  vault::ErasureRequest request;
  COFFER_ASSIGN(request.basis, BasisFrom(input, call.Query("basis")));
  COFFER_ASSIGN(const auto erasure, service.vault.erasures().Erase(call.caller, id, request));
  return WithNames(service, call, RenderOne(erasure));
}

Result<Reply> EraseRecords(const Service& service, const Call& call) {
  Input input(service, call, Action::kRecordErase);
  COFFER_ASSIGN(const auto id, input.Client());
  COFFER_ASSIGN(const json object, input.Object({"basis", "class", "records"}));
  vault::ErasureRequest request;
  COFFER_ASSIGN(const std::string basis, input.Text(object, "basis", false));
  COFFER_ASSIGN(request.basis, BasisFrom(input, basis));
  COFFER_ASSIGN(request.class_name, input.Text(object, "class", false));
  COFFER_ASSIGN(const auto records, input.Texts(object, "records", false));
  for (const auto& text : records) {
    const auto record = vault::RecordId::Parse(text);
    if (!record) return input.Refuse(record.error());
    request.records.push_back(*record);
  }
  if (request.class_name.empty() && request.records.empty()) {
    return input.Refuse({Code::kUnprocessable,
                         "erasure_invalid",
                         {},
                         {{"", "must name a class or records; a client is erased with DELETE"}}});
  }
  COFFER_ASSIGN(const auto erasure, service.vault.erasures().Erase(call.caller, id, request));
  return WithNames(service, call, RenderOne(erasure));
}

Result<Reply> ListErasures(const Service& service, const Call& call) {
  Input input(service, call, Action::kErasureRead);
  COFFER_ASSIGN(const auto page, input.Page());
  COFFER_ASSIGN(const auto erasures, service.vault.erasures().ListErasures(call.caller, page));
  return WithClientNames(service, call, RenderList(erasures.items, erasures.next_cursor));
}

Result<Reply> GetErasure(const Service& service, const Call& call) {
  Input input(service, call, Action::kErasureRead);
  const auto id = vault::ErasureId::Parse(call.segments[0]);
  if (!id) return input.Refuse(id.error());
  COFFER_ASSIGN(const auto erasure, service.vault.erasures().GetErasure(call.caller, *id));
  return WithClientNames(service, call, RenderOne(erasure));
}

Result<Reply> GetErasureAct(const Service& service, const Call& call) {
  Input input(service, call, Action::kErasureRead);
  const auto id = vault::ErasureId::Parse(call.segments[0]);
  if (!id) return input.Refuse(id.error());
  const std::string_view wanted = call.Query("format").empty() ? "json" : call.Query("format");
  COFFER_ASSIGN(const auto language, input.Language());
  const auto* const form = std::ranges::find(kActForms, wanted, &ActForm::name);
  if (form == std::end(kActForms)) {
    return input.InvalidParameter("format", "must be one of json, html, log-json, log-csv");
  }
  COFFER_ASSIGN(auto document,
                service.vault.erasure_acts().ReadAct(call.caller, *id, {form->form, language}));
  return Reply{200, std::string(form->media_type), std::move(document), {}};
}

Result<Reply> FindTraces(const Service& service, const Call& call) {
  Input input(service, call, Action::kClientTrace);
  COFFER_ASSIGN(const auto id, input.Client());
  COFFER_ASSIGN(const auto traces, service.vault.traces().FindTraces(call.caller, id));
  return RenderList(traces);
}

}  // namespace coffer::api
