// Users' enrolment, logging in and out, the second factor.
#include <nlohmann/json.hpp>

#include "api/http/input.h"
#include "api/routes/handlers.h"
#include "api/routes/render.h"
#include "crypto/password_hash.h"
#include "crypto/qr_code.h"

namespace coffer::api {
namespace {

using nlohmann::json;
using vault::Action;

constexpr std::size_t kQrPixelsPerModule = 6;

// Out of ordinary memory as soon as it can be.
Result<crypto::SecretBytes> Password(Input& input, json& object, const char* name) {
  COFFER_ASSIGN(std::string text, input.AnyText(object, name, crypto::kMaxPasswordBytes));
  auto password = crypto::SecretBytes::CopyOf(crypto::AsBytes(text));
  for (std::string* copy : {&text, object[name].get_ptr<std::string*>()}) {
    crypto::Wipe({reinterpret_cast<std::uint8_t*>(copy->data()), copy->size()});
  }
  return password;
}

}  // namespace

Result<Reply> ReadEnrolment(const Service& service, const Call& call) {
  Input input(service, call, Action::kEnrolmentRead);
  COFFER_ASSIGN(const json object, input.Object({"login", "code"}));
  COFFER_ASSIGN(const auto login, input.Text(object, "login", true, kMaxLogin));
  COFFER_ASSIGN(const auto code, input.Text(object, "code", true, kMaxCode));
  COFFER_ASSIGN(const auto offer, service.vault.sessions().ReadEnrolment(call.caller, login, code));
  COFFER_ASSIGN(const auto qr, crypto::EncodeQr(offer.totp_uri));
  const auto png = crypto::RenderQrAsPng(qr, kQrPixelsPerModule);
  Reply reply;
  reply.body = json{{"login", offer.login},
                    {"name", offer.name},
                    {"totp_uri", offer.totp_uri},
                    {"qr_svg", crypto::RenderQrAsSvg(qr)},
                    {"qr_png", crypto::Base64Encode(png)}}
                   .dump();
  return reply;
}

Result<Reply> CompleteEnrolment(const Service& service, const Call& call) {
  Input input(service, call, Action::kEnrolmentComplete);
  COFFER_ASSIGN(json object, input.Object({"login", "code", "password", "totp"}));
  COFFER_ASSIGN(const auto login, input.Text(object, "login", true, kMaxLogin));
  COFFER_ASSIGN(const auto code, input.Text(object, "code", true, kMaxCode));
  COFFER_ASSIGN(const auto password, Password(input, object, "password"));
  COFFER_ASSIGN(const auto totp, input.Text(object, "totp", false, kMaxCode));
  COFFER_ASSIGN(const auto done, service.vault.sessions().CompleteEnrolment(call.caller, login,
                                                                            code, password, totp));
  return RenderOne(done, 201);
}

Result<Reply> LogIn(const Service& service, const Call& call) {
  Input input(service, call, Action::kSessionCreate);
  COFFER_ASSIGN(json object, input.Object({"login", "password", "second_factor"}));
  COFFER_ASSIGN(const auto login, input.Text(object, "login", true, kMaxLogin));
  COFFER_ASSIGN(const auto password, Password(input, object, "password"));
  COFFER_ASSIGN(const auto second_factor, input.Text(object, "second_factor", false, kMaxCode));
  COFFER_ASSIGN(const auto session,
                service.vault.sessions().LogIn(call.caller, login, password, second_factor));
  return RenderOne(session, 201);
}

Result<Reply> LogOut(const Service& service, const Call& call) {
  COFFER_TRY(service.vault.sessions().LogOut(call.caller));
  return Reply{204, "", "", {}};
}

Result<Reply> StepUp(const Service& service, const Call& call) {
  Input input(service, call, Action::kSessionStepUp);
  COFFER_ASSIGN(const json object, input.Object({"second_factor"}));
  COFFER_ASSIGN(const auto second_factor, input.Text(object, "second_factor", true, kMaxCode));
  COFFER_ASSIGN(const auto session, service.vault.sessions().StepUp(call.caller, second_factor));
  return RenderOne(session);
}

Result<Reply> ChangePassword(const Service& service, const Call& call) {
  Input input(service, call, Action::kPasswordChange);
  COFFER_ASSIGN(json object, input.Object({"password", "new_password", "second_factor"}));
  COFFER_ASSIGN(const auto password, Password(input, object, "password"));
  COFFER_ASSIGN(const auto new_password, Password(input, object, "new_password"));
  COFFER_ASSIGN(const auto second_factor, input.Text(object, "second_factor", false, kMaxCode));
  COFFER_TRY(
      service.vault.sessions().ChangePassword(call.caller, password, new_password, second_factor));
  return Reply{204, "", "", {}};
}

Result<Reply> ListSessions(const Service& service, const Call& call) {
  COFFER_ASSIGN(const auto sessions, service.vault.sessions().ListSessions(call.caller));
  return RenderList(sessions);
}

Result<Reply> EndSession(const Service& service, const Call& call) {
  Input input(service, call, Action::kSessionRevoke);
  const auto id = vault::SessionId::Parse(call.segments[0]);
  if (!id) return input.Refuse(id.error());
  COFFER_ASSIGN(const auto session, service.vault.sessions().EndSession(call.caller, *id));
  return RenderOne(session);
}

}  // namespace coffer::api
