// coffer login, logout, step-up, password, session, whoami: people and their sessions.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "api/cli/client/saved_session.h"
#include "api/cli/client/second_factor.h"
#include "api/cli/commands/commands.h"
#include "api/cli/commands/principal_view.h"
#include "api/cli/commands/run_with.h"
#include "api/cli/files/deferred_signals.h"
#include "api/cli/files/secret_text.h"
#include "api/cli/text/json_view.h"
#include "api/cli/text/passphrase.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr const char* kFactorPrompt = "Code of the app, or a recovery code (empty: none): ";
constexpr const char* kFactorAdvice =
    "Give it with --second-factor-file FILE, or --second-factor - on standard input.";

struct LoginOptions {
  ConnectionOptions connection;
  std::string login, out, password_file;
  CodeOption second_factor;
};

struct SessionOptions {
  ConnectionOptions connection;
  std::string id;
  CodeOption second_factor;
};

struct PasswordOptions {
  ConnectionOptions connection;
  std::string old_file, new_file;
  CodeOption second_factor;
};

void DescribeSession(Console& console, const json& session) {
  PrintFields(console, {{"session", Text(session, "id")},
                        {"user", Text(session, "principal")},
                        {"login", Text(session, "login")},
                        {"created", Text(session, "created")},
                        {"expires", Text(session, "expires")},
                        {"last seen", Text(session, "seen")},
                        {"second factor", Text(session, "second_factor")},
                        {"ended", Text(session, "ended")}});
}

void ShowSession(Console& console, const json& session, bool as_json) {
  if (as_json) {
    PrintJson(console, session);
  } else {
    DescribeSession(console, session);
  }
}

// A script that gives the password in a file has no second factor, or gives it too.
Outcome<crypto::SecretBytes> LoginFactor(const LoginOptions& options) {
  if (!options.password_file.empty() && !options.second_factor.given) return crypto::SecretBytes();
  return CodeOrAsk(options.second_factor, kFactorPrompt, kFactorAdvice);
}

Outcome<std::string> LoginBody(const LoginOptions& options) {
  COFFER_ASSIGN(const auto password,
                ReadOrAsk(options.password_file,
                          {"Password: ", "the password", "Give it with --password-file FILE."}));
  COFFER_ASSIGN(const auto second_factor, LoginFactor(options));
  SecretJson body;
  COFFER_TRY(body.Add("login", options.login));
  COFFER_TRY(body.Add("password", password));
  if (!second_factor.empty()) COFFER_TRY(body.Add("second_factor", second_factor));
  return body.Take();
}

// At the server that the connection is for.
Outcome<void> EndSessionOf(Connection connection, const Console& console,
                           crypto::SecretBytes token) {
  connection.https.token = std::make_shared<const crypto::SecretBytes>(std::move(token));
  connection.reach = console.reach;
  connection.declaration = {};
  COFFER_ASSIGN(ApiClient client, MakeClient(connection));
  COFFER_TRY(client.Remove(Target("/v1/me/session")));
  return {};
}

// A session that nobody has the token of would go on unseen until it expires.
Failure EndUnsaved(const Connection& connection, const Console& console, const std::string& token,
                   Failure failure) {
  const auto ended =
      EndSessionOf(connection, console, crypto::SecretBytes::CopyOf(crypto::AsBytes(token)));
  failure.advice = ended ? "The session was ended: nobody got its token. Log in again."
                         : "Nobody got the session's token. The session ends by itself, or with "
                           "coffer session end.";
  return failure;
}

// Nor would one whose file was replaced be anybody's.
void EndReplaced(Connection connection, Console& console, SavedSession replaced) {
  const std::string url = UrlOf(replaced.server);
  if (!(replaced.server == connection.https.server)) {
    // What is shown to one server is not for another.
    connection.https.client_certificate.clear();
    connection.https.client_key.clear();
    connection.https.server = replaced.server;
  }
  const auto ended = EndSessionOf(std::move(connection), console, std::move(replaced.token));
  if (ended || ended.error().code == "unauthenticated") return;
  console.err << "coffer: the session that was saved before could not be ended at "
              << Printable(url) << ": " << Printable(ended.error().message)
              << "\nIt ends by itself, or with coffer session end.\n";
}

Outcome<Exit> LogIn(const LoginOptions& options, Console& console) {
  COFFER_ASSIGN(const Connection connection, OpenServer(options.connection));
  std::string file = options.out;
  if (file.empty()) {
    COFFER_ASSIGN(file, PrepareSessionFile(ProcessEnvironment()));
  }
  COFFER_ASSIGN(const auto place, PlaceSession(file, options.out.empty()));
  COFFER_ASSIGN(ApiClient client, ConnectUnknown(options.connection, console));
  COFFER_ASSIGN(std::string body, LoginBody(options));
  const DeferredSignals until_saved;
  COFFER_ASSIGN(json session, client.PostSecret(Target("/v1/sessions"), std::move(body)));
  std::string token = Text(session, "token");
  if (token.empty()) return Failed(Exit::kFailed, "the server's answer holds no token");
  if (auto* text = session["token"].get_ptr<std::string*>(); text != nullptr) Forget(*text);
  session.erase("token");
  auto replaced = SessionIn(file);
  auto saved = SaveSession(*place, token, connection.https.server);
  if (!saved) saved = std::unexpected(EndUnsaved(connection, console, token, saved.error()));
  Forget(token);
  COFFER_TRY(saved);
  if (replaced) EndReplaced(connection, console, *std::move(replaced));
  ShowSession(console, session, options.connection.json);
  if (!options.connection.json) {
    console.out << "The session is in " << Printable(file)
                << (options.out.empty() ? ", where the other commands find it.\n"
                                        : ": name it with --token-file.\n");
  }
  return Exit::kOk;
}

// The file that the session's token came from; empty when it came from the environment.
Outcome<std::string> FileOfSession(const ConnectionOptions& options) {
  if (!options.token_file.empty()) return options.token_file;
  COFFER_ASSIGN(const Connection connection, OpenConnection(options));
  return connection.session_file;
}

Outcome<Exit> LogOut(const SessionOptions& options, Console& console) {
  COFFER_ASSIGN(const std::string file, FileOfSession(options.connection));
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  const auto ended = client.Remove(Target("/v1/me/session"));
  const bool saved = options.connection.token_file.empty() && !file.empty();
  const bool was_over = !ended && ended.error().code == "unauthenticated" && saved;
  if (!ended && !was_over) return std::unexpected(ended.error());
  RemoveSession(file);
  if (!options.connection.json) {
    console.out << (was_over ? "The session was over already.\n" : "Logged out.\n");
  }
  return Exit::kOk;
}

Outcome<Exit> StepUp(const SessionOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const auto code, CodeOrAsk(options.second_factor,
                                           "Code of the app, or a recovery code: ", kFactorAdvice));
  SecretJson body;
  COFFER_TRY(body.Add("second_factor", code));
  COFFER_ASSIGN(const json session, client.PostSecret(Target("/v1/me/second-factor"), body.Take()));
  ShowSession(console, session, options.connection.json);
  return Exit::kOk;
}

Outcome<std::string> PasswordBody(const PasswordOptions& options) {
  static constexpr const char* kAdvice = "Give it with --old-password-file FILE.";
  COFFER_ASSIGN(const auto old_password,
                ReadOrAsk(options.old_file, {"Present password: ", "the password", kAdvice}));
  const Question fresh{"New password: ", "the new password",
                       "Give it with --new-password-file FILE."};
  COFFER_ASSIGN(const auto new_password, options.new_file.empty()
                                             ? AskNewSecret(fresh)
                                             : ReadOrAsk(options.new_file, fresh));
  crypto::SecretBytes factor;
  if (options.second_factor.given || options.old_file.empty()) {
    COFFER_ASSIGN(factor, CodeOrAsk(options.second_factor, kFactorPrompt, kFactorAdvice));
  }
  SecretJson body;
  COFFER_TRY(body.Add("password", old_password));
  COFFER_TRY(body.Add("new_password", new_password));
  if (!factor.empty()) COFFER_TRY(body.Add("second_factor", factor));
  return body.Take();
}

Outcome<Exit> ChangePassword(const PasswordOptions& options, Console& console) {
  COFFER_ASSIGN(const std::string file, FileOfSession(options.connection));
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(std::string body, PasswordBody(options));
  COFFER_TRY(client.PutSecret(Target("/v1/me/password"), std::move(body)));
  RemoveSession(file);
  if (!options.connection.json) {
    console.out << "The password was changed, and all your sessions have ended: log in again with "
                   "coffer login.\n";
  }
  return Exit::kOk;
}

Outcome<Exit> ListSessions(const SessionOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json answer, client.Get(Target("/v1/sessions")));
  if (options.connection.json) {
    PrintJson(console, answer);
    return Exit::kOk;
  }
  Table table({"SESSION", "USER", "LOGIN", "CREATED", "LAST SEEN", "EXPIRES", "SECOND FACTOR"});
  for (const json& session : Member(answer, "items")) {
    table.Add({Text(session, "id"), Text(session, "principal"), Text(session, "login"),
               Text(session, "created"), Text(session, "seen"), Text(session, "expires"),
               Text(session, "second_factor")});
  }
  table.Print(console);
  return Exit::kOk;
}

Outcome<Exit> EndSession(const SessionOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json session, client.Delete(Target("/v1/sessions").Segment(options.id)));
  ShowSession(console, session, options.connection.json);
  return Exit::kOk;
}

Outcome<Exit> WhoAmI(const SessionOptions& options, Console& console) {
  COFFER_ASSIGN(ApiClient client, Connect(options.connection, console));
  COFFER_ASSIGN(const json who, client.Get(Target("/v1/me")));
  if (options.connection.json) {
    PrintJson(console, who);
    return Exit::kOk;
  }
  DescribePrincipal(console, Member(who, "principal"));
  const json& token = Member(who, "token");
  const json& session = Member(who, "session");
  if (token.is_null() && session.is_null()) {
    console.out << "Known by the client certificate.\n";
    return Exit::kOk;
  }
  const json& shown = session.is_null() ? token : session;
  PrintHeading(console, session.is_null() ? "Token" : "Session");
  PrintFields(console,
              {{"id", Text(shown, "id")},
               {"name", Text(shown, "name")},
               {"limits", Text(shown, "limits") == "{}" ? "" : Text(shown, "limits")},
               {"created", Text(shown, "created")},
               {"expires", Text(shown, "expires")},
               {"second factor given", Text(shown, "second_factor")}},
              "  ");
  return Exit::kOk;
}

void AddFactor(CLI::App& command, CodeOption& option) {
  AddCodeOption(command, "--second-factor", option,
                "Code of the authenticator app, or a recovery code; without it, it is asked for");
}

}  // namespace

void AddLoginCommands(CLI::App& app, Command& chosen) {
  {
    auto options = std::make_shared<LoginOptions>();
    CLI::App* command = app.add_subcommand("login", "Log in, for the commands after this one");
    command->add_option("--login", options->login, "What you log in with")
        ->type_name("LOGIN")
        ->required();
    command
        ->add_option("--password-file", options->password_file,
                     "File whose first line is the password, readable by you alone; without it, "
                     "password and second factor are asked for")
        ->type_name("FILE");
    AddFactor(*command, options->second_factor);
    command
        ->add_option("--out", options->out,
                     "File for the session, readable by you alone; without it, "
                     "$XDG_RUNTIME_DIR/coffer/session or ~/.config/coffer/session")
        ->type_name("FILE");
    AddServerOptions(*command, options->connection);
    command->footer("Example:\n  coffer login --login anna");
    RunWith(*command, chosen, options, LogIn);
  }
  {
    auto options = std::make_shared<SessionOptions>();
    CLI::App* command = app.add_subcommand("logout", "End your session and remove its file");
    command->footer("Example:\n  coffer logout");
    RunOnline(*command, chosen, options, LogOut);
  }
  {
    auto options = std::make_shared<SessionOptions>();
    CLI::App* command = app.add_subcommand(
        "step-up", "Give your second factor anew, for what asks for a fresh one");
    AddFactor(*command, options->second_factor);
    command->footer("Example:\n  coffer step-up");
    RunOnline(*command, chosen, options, StepUp);
  }
  {
    auto options = std::make_shared<PasswordOptions>();
    CLI::App* command =
        app.add_subcommand("password", "Change your password; ends all your sessions");
    command
        ->add_option("--old-password-file", options->old_file,
                     "File whose first line is the present password; without it, password and "
                     "second factor are asked for")
        ->type_name("FILE");
    command
        ->add_option("--new-password-file", options->new_file,
                     "File whose first line is the new password; without it, it is asked for")
        ->type_name("FILE");
    AddFactor(*command, options->second_factor);
    command->footer("Example:\n  coffer password");
    RunOnline(*command, chosen, options, ChangePassword);
  }
}

void AddSessionCommands(CLI::App& app, Command& chosen) {
  CLI::App* group = app.add_subcommand("session", "See who is logged in");
  group->require_subcommand(1);
  {
    auto options = std::make_shared<SessionOptions>();
    CLI::App* command = group->add_subcommand("list", "Show all sessions that go on");
    command->footer("Example:\n  coffer session list");
    RunOnline(*command, chosen, options, ListSessions);
  }
  {
    auto options = std::make_shared<SessionOptions>();
    CLI::App* command = group->add_subcommand("end", "End a session");
    command->add_option("session", options->id, "Session id (ses_...)")
        ->type_name("ID")
        ->required();
    command->footer("Example:\n  coffer session end ses_...");
    RunOnline(*command, chosen, options, EndSession);
  }
}

void AddWhoAmICommand(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<SessionOptions>();
  CLI::App* command = app.add_subcommand("whoami", "Show who the server takes you for");
  command->footer("Example:\n  coffer whoami");
  RunOnline(*command, chosen, options, WhoAmI);
}

}  // namespace coffer::cli
