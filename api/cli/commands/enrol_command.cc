// coffer enrol: a new user's password and second factor.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "api/cli/client/second_factor.h"
#include "api/cli/commands/commands.h"
#include "api/cli/commands/principal_view.h"
#include "api/cli/commands/run_with.h"
#include "api/cli/files/deferred_signals.h"
#include "api/cli/files/one_time_secret.h"
#include "api/cli/files/secret_text.h"
#include "api/cli/text/json_view.h"
#include "api/cli/text/passphrase.h"
#include "crypto/qr_code.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

struct EnrolOptions {
  ConnectionOptions connection;
  std::string login, code_file, password_file, recovery_codes_file;
  CodeOption totp;
  bool offer = false;
};

Outcome<json> FetchOffer(ApiClient& client, const EnrolOptions& options,
                         const crypto::SecretBytes& code) {
  SecretJson body;
  COFFER_TRY(body.Add("login", options.login));
  COFFER_TRY(body.Add("code", code));
  return client.PostSecret(Target("/v1/enrolments/offer"), body.Take());
}

Outcome<void> ShowOffer(Console& console, const json& offer) {
  std::string uri = Text(offer, "totp_uri");
  auto qr = crypto::EncodeQr(uri);
  if (!qr) return std::unexpected(FailureOf(qr.error(), "cannot draw the authenticator's secret"));
  std::string drawing = crypto::RenderQrAsText(*qr);
  console.out << "For " << Printable(Text(offer, "login")) << " (" << Printable(Text(offer, "name"))
              << "). Let an authenticator app read this:\n\n"
              << drawing << "\nor give it this, which is a secret like a password:\n  "
              << Printable(uri) << "\n\n"
              << std::flush;
  Forget(drawing);
  Forget(uri);
  // What cannot be shown now could not be shown once the code is used up.
  if (!console.out) return Failed(Exit::kFailed, "standard output could not be written");
  return {};
}

Outcome<crypto::SecretBytes> NewPassword(const EnrolOptions& options) {
  const Question question{"New password (at least 15 characters, 8 with a second factor): ",
                          "the new password", "Give it with --password-file FILE."};
  return options.password_file.empty() ? AskNewSecret(question)
                                       : ReadOrAsk(options.password_file, question);
}

// The secret is shown only to who is then asked for a code of it.
Outcome<std::string> EnrolmentBody(ApiClient& client, const EnrolOptions& options,
                                   const crypto::SecretBytes& code, Console& console) {
  if (!options.totp.given) {
    COFFER_ASSIGN(const json offer, FetchOffer(client, options, code));
    COFFER_TRY(ShowOffer(console, offer));
  }
  COFFER_ASSIGN(const auto password, NewPassword(options));
  COFFER_ASSIGN(
      const auto totp,
      CodeOrAsk(options.totp, "Code of the app (empty: no second factor): ",
                "Give it with --totp-file FILE, or --totp - on standard input; --totp none is "
                "to have no second factor."));
  SecretJson body;
  COFFER_TRY(body.Add("login", options.login));
  COFFER_TRY(body.Add("code", code));
  COFFER_TRY(body.Add("password", password));
  const bool none = totp.empty() || crypto::AsText(totp.ExposeSecret()) == "none";
  if (!none) COFFER_TRY(body.Add("totp", totp));
  return body.Take();
}

void DescribeDone(Console& console, const json& done) {
  DescribePrincipal(console, Member(done, "user"));
}

Outcome<Exit> Enrol(const EnrolOptions& options, Console& console) {
  COFFER_ASSIGN(OneTimeSecret recovery_codes, OneTimeSecret::PlacedIn(options.recovery_codes_file));
  COFFER_ASSIGN(ApiClient client, ConnectUnknown(options.connection, console));
  COFFER_ASSIGN(const auto code,
                ReadOrAsk(options.code_file, {"One-time code: ", "the one-time code",
                                              "Give it with --code-file FILE."}));
  if (options.offer) {
    COFFER_ASSIGN(const json offer, FetchOffer(client, options, code));
    if (options.connection.json) {
      PrintJson(console, offer);
    } else {
      COFFER_TRY(ShowOffer(console, offer));
    }
    return Exit::kOk;
  }
  COFFER_ASSIGN(std::string body, EnrolmentBody(client, options, code, console));
  const DeferredSignals until_handed_over;
  COFFER_ASSIGN(const json done, client.PostSecret(Target("/v1/enrolments"), std::move(body)));
  if (TextList(done, "recovery_codes").empty()) {
    ShowPrincipal(console, Member(done, "user"), options.connection.json);
    return Exit::kOk;
  }
  COFFER_TRY(recovery_codes.HandOver(
      console, done,
      {.member = "recovery_codes",
       .what = "Recovery codes, each of which replaces a code of the app once",
       .json = options.connection.json,
       .describe = DescribeDone,
       .left_over = "You are enrolled, and log in with password and app. Nobody got the recovery "
                    "codes: without the app, only a new code of an administrator lets you in "
                    "(coffer user enrol-again)."}));
  return Exit::kOk;
}

}  // namespace

void AddEnrolCommand(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<EnrolOptions>();
  CLI::App* command = app.add_subcommand(
      "enrol", "Set your password and second factor with the code you were given");
  command->add_option("--login", options->login, "What you will log in with")
      ->type_name("LOGIN")
      ->required();
  command
      ->add_option("--code-file", options->code_file,
                   "File whose first line is the one-time code; without it, it is asked for")
      ->type_name("FILE");
  command
      ->add_option("--password-file", options->password_file,
                   "File whose first line is the new password; without it, it is asked for")
      ->type_name("FILE");
  AddCodeOption(
      *command, "--totp", options->totp,
      "Code of the authenticator app (-: from standard input; other users of the machine can "
      "read what stands on a command line), none for no second factor; without it, the "
      "app's secret is shown and the code is asked for");
  command->add_flag("--offer", options->offer,
                    "Only show the authenticator app's secret, and change nothing");
  command
      ->add_option("--recovery-codes-file", options->recovery_codes_file,
                   "New file for the recovery codes, readable by you alone; without it they are "
                   "printed")
      ->type_name("FILE");
  AddServerOptions(*command, options->connection);
  command->footer("Example:\n  coffer enrol --login anna");
  RunWith(*command, chosen, options, Enrol);
}

}  // namespace coffer::cli
