// coffer init: a new vault, its root key and the tokens of its first people.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <system_error>

#include "api/cli/commands/commands.h"
#include "api/cli/files/deferred_signals.h"
#include "api/cli/files/private_file.h"
#include "api/cli/files/root_key.h"
#include "api/cli/files/secret_text.h"
#include "audit/tlog/checkpoint.h"
#include "crypto/keyring.h"
#include "vault/vault.h"

namespace coffer::cli {
namespace {

namespace fs = std::filesystem;

struct InitCommandOptions {
  std::string directory, origin = "coffer.local/log", anchor;
  std::string admin_token_file, officer_token_file;
  bool single_person = false;
  RootKeyOptions root_key;
};

constexpr const char* kInitFooter = R"(Examples:
  coffer init --data /var/lib/coffer --root-key-file /etc/coffer/root.key \
      --origin vault.example/log --admin-token-file admin.token \
      --officer-token-file officer.token
  coffer init --data ./vault                      asks for a passphrase)";

constexpr const char* kNextForTwo =
    "  4. Give each token to another person: what needs two people, such as erasing a\n"
    "     client, is asked for by one and approved by the other (coffer approval).\n"
    "  5. As administrator, make a user for each person (coffer user create) and a\n"
    "     service for each program (coffer service create, coffer token create), and\n"
    "     register purposes and classes (coffer purpose put, coffer class put).\n";
constexpr const char* kNextAlone =
    "  4. As administrator, make a user for each person (coffer user create) and a\n"
    "     service for each program (coffer service create, coffer token create), and\n"
    "     register purposes and classes (coffer purpose put, coffer class put).\n"
    "  One person decides everything alone in this vault, for ever: its log and\n"
    "  coffer status say so.\n";

bool HoldsFiles(const fs::path& directory) {
  std::error_code ignored;
  return fs::exists(directory, ignored) && !fs::is_empty(directory, ignored);
}

bool LiesWithin(const fs::path& file, const fs::path& directory) {
  std::error_code ignored;
  const fs::path inner = fs::weakly_canonical(fs::absolute(file), ignored);
  const fs::path outer = fs::weakly_canonical(fs::absolute(directory), ignored);
  const auto relative = inner.lexically_relative(outer);
  return !relative.empty() && *relative.begin() != "..";
}

bool SamePlace(const fs::path& one, const fs::path& other) {
  std::error_code ignored;
  return fs::weakly_canonical(fs::absolute(one), ignored) ==
         fs::weakly_canonical(fs::absolute(other), ignored);
}

// Before a key is made or a passphrase asked for.
Outcome<void> CheckPlaces(const InitCommandOptions& options) {
  if (HoldsFiles(options.directory)) {
    return Failed(Exit::kFailed, "\"" + options.directory + "\" is not empty",
                  "Name a directory that does not exist yet; an existing vault is never replaced.");
  }
  if (options.single_person && !options.officer_token_file.empty()) {
    return Failed(Exit::kUsage, "a vault for a single person has no second token",
                  "Leave out --officer-token-file, or --single-person.");
  }
  if (!options.root_key.recovery_file.empty() && options.root_key.token_uri.empty()) {
    return Failed(Exit::kUsage, "a recovery passphrase stands beside a root key in a token",
                  "Name the token with --root-key.");
  }
  const std::string& key_file = options.root_key.key_file;
  if (!key_file.empty() && LiesWithin(key_file, options.directory)) {
    return Failed(Exit::kUsage, "the root key would lie inside the data directory",
                  "Keep it elsewhere: whoever gets a copy of the data would get the key with it.");
  }
  for (const std::string* token : {&options.admin_token_file, &options.officer_token_file}) {
    if (token->empty()) continue;
    if (LiesWithin(*token, options.directory)) {
      return Failed(Exit::kUsage, "a token would lie inside the data directory",
                    "Keep it elsewhere: it is given to a person, and no backup should hold it.");
    }
    for (const std::string* other : {&key_file, &options.anchor}) {
      if (!other->empty() && SamePlace(*token, *other)) {
        return Failed(Exit::kUsage, "the file \"" + *token + "\" is named for two things",
                      "Give each a file of its own.");
      }
    }
  }
  return {};
}

Outcome<std::string> ReadVerifierKey(const std::string& directory) {
  const auto header = crypto::Keyring::ReadHeader(KeyringFile(directory));
  if (!header) return std::unexpected(FailureOf(header.error(), "cannot read the new keyring"));
  return audit::FormatVerifierKey({header->log_origin, header->log_public_key});
}

void TellNextSteps(Console& console, const InitCommandOptions& options, const NewRootKey& root_key,
                   const std::string& verifier_key) {
  const std::string& key_file = options.root_key.key_file;
  console.out << "\nThe log's verifier key:\n  " << Printable(verifier_key)
              << "\n\nWhat to do next:\n"
                 "  1. Keep the verifier key away from this machine. It is no secret; auditors\n"
                 "     need it to see that the log was not rewritten:\n"
                 "     coffer verify --log-key KEY\n";
  if (!options.root_key.token_uri.empty()) {
    const crypto::TokenRoot& token = *root_key.provider->token();
    console.out
        << "  2. " << (root_key.made_token_key ? "A new key was made in the token. " : "")
        << "The vault opens with the key \"" << Printable(token.key_label)
        << "\" of\n     the token \"" << Printable(token.token_label) << "\" (" << token.mechanism
        << ").\n"
        << (token.recovery
                ? "     Lock the recovery passphrase away: where the token is lost, it alone\n"
                  "     opens the vault.\n"
                : "     There is no other way: where the token and its own backup are lost,\n"
                  "     nobody can read the vault again.\n");
  } else if (key_file.empty()) {
    console.out << "  2. Keep the passphrase safe: without it nobody can read the vault again.\n";
  } else {
    console.out << "  2. " << (root_key.made_key_file ? "A new root key was made. " : "")
                << "Keep a copy of " << Printable(key_file)
                << " apart from the data\n"
                   "     and its backups: without it nobody can read the vault again.\n";
  }
  console.out << "  3. Give the server a TLS certificate and start it: see cofferd(8).\n"
              << (options.single_person ? kNextAlone : kNextForTwo);
}

constexpr std::size_t kMostToken = 256;

// Where the first tokens go is settled before the vault is made: a vault whose only tokens are lost
// would be good for nothing.
Outcome<std::unique_ptr<NewFile>> PrepareTokenFile(const std::string& path) {
  if (path.empty()) return std::unique_ptr<NewFile>();
  COFFER_ASSIGN(auto file, NewFile::Create(path));
  COFFER_TRY(file->Reserve(kMostToken));
  return file;
}

// What this run made for a vault goes with it, when there is none in the end.
class FirstTokenFiles {
 public:
  static Outcome<FirstTokenFiles> Prepare(const InitCommandOptions& options) {
    FirstTokenFiles files;
    COFFER_ASSIGN(files.administrator_, PrepareTokenFile(options.admin_token_file));
    COFFER_ASSIGN(files.officer_, PrepareTokenFile(options.officer_token_file));
    return files;
  }
  void Retract() {
    if (administrator_) administrator_->Retract();
    if (officer_) officer_->Retract();
  }
  Outcome<void> HandOver(Console& console, const InitCommandOptions& options,
                         vault::FirstTokens& tokens) {
    COFFER_TRY(HandOverOne(console, administrator_.get(), options.admin_token_file,
                           "First administrator's", tokens.administrator));
    if (tokens.security_officer) {
      COFFER_TRY(HandOverOne(console, officer_.get(), options.officer_token_file,
                             "First security officer's", *tokens.security_officer));
    }
    return {};
  }

 private:
  static Outcome<void> HandOverOne(Console& console, NewFile* file, const std::string& path,
                                   const char* whose, vault::NewToken& token) {
    std::string line = token.secret + "\n";
    Forget(token.secret);
    Outcome<void> done;
    if (file != nullptr) {
      done = file->Write(line);
      if (done) done = file->Finish();
      if (done) console.out << whose << " token: in " << Printable(path) << "\n";
    } else {
      console.out << whose << " token (shown this once; keep it like a password):\n  " << line;
      if (!console.out.flush())
        done = Failed(Exit::kFailed, "standard output could not be written");
    }
    Forget(line);
    return done;
  }

  std::unique_ptr<NewFile> administrator_, officer_;
};

Failure NoVault(const InitCommandOptions& options, const NewRootKey& root_key,
                FirstTokenFiles& files, Failure failure) {
  files.Retract();
  if (root_key.made_key_file) unlink(options.root_key.key_file.c_str());
  if (!failure.advice.empty()) failure.advice += '\n';
  failure.advice += root_key.made_token_key
                        ? "There is no vault. The key that was made in the token is there, and is "
                          "used by the next try."
                        : "There is no vault, and nothing else of it.";
  return failure;
}

Outcome<Exit> InitVault(const InitCommandOptions& options, Console& console) {
  COFFER_TRY(CheckPlaces(options));
  COFFER_ASSIGN(auto files, FirstTokenFiles::Prepare(options));
  COFFER_ASSIGN(const NewRootKey root_key, MakeRootKey(options.root_key));

  const DeferredSignals until_made;
  std::optional<Failure> not_handed_over;
  vault::InitOptions init;
  init.directory = options.directory;
  init.anchor_path = options.anchor;
  init.log_origin = options.origin;
  init.passphrase = root_key.parameters;
  init.two_person = !options.single_person;
  init.hand_over = [&](vault::FirstTokens& tokens) -> Status {
    auto done = files.HandOver(console, options, tokens);
    if (done) return {};
    not_handed_over = std::move(done).error();
    return Fail(Code::kUnavailable, "tokens_not_handed_over");
  };
  const auto made = vault::InitializeVault(init, *root_key.provider);
  if (!made) {
    return std::unexpected(NoVault(options, root_key, files,
                                   not_handed_over
                                       ? *std::move(not_handed_over)
                                       : FailureOf(made.error(), "cannot make the vault")));
  }
  console.out << "The vault was made in " << Printable(options.directory) << ".\n";
  COFFER_ASSIGN(const std::string verifier_key, ReadVerifierKey(options.directory));
  TellNextSteps(console, options, root_key, verifier_key);
  console.out.flush();
  return Exit::kOk;
}

}  // namespace

void AddInitCommand(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<InitCommandOptions>();
  CLI::App* command = app.add_subcommand("init", "Make a new vault on this machine");
  command->add_option("--data", options->directory, "Directory to make; must not hold anything yet")
      ->type_name("DIR")
      ->required();
  AddRootKeyOptions(
      *command, options->root_key,
      "Root key file; made when it does not exist. Keep it outside the data directory");
  command
      ->add_option("--recovery-passphrase-file", options->root_key.recovery_file,
                   "With --root-key: file whose first line is a passphrase that opens the vault as "
                   "well, for the day when the token is lost")
      ->type_name("FILE");
  command
      ->add_option("--origin", options->origin,
                   "Name of the access log, fixed for ever: best a name of yours that no other log "
                   "has, such as vault.example/log")
      ->type_name("NAME")
      ->capture_default_str();
  command
      ->add_option("--anchor", options->anchor,
                   "Where the newest signed checkpoint is kept; best on another disk. Without it: "
                   "the file anchor in the data directory")
      ->type_name("FILE");
  command
      ->add_option("--admin-token-file", options->admin_token_file,
                   "New file for the first administrator's token; without it the token is printed")
      ->type_name("FILE");
  command
      ->add_option("--officer-token-file", options->officer_token_file,
                   "New file for the first security officer's token, who approves what needs two "
                   "people; without it the token is printed")
      ->type_name("FILE");
  command->add_flag("--single-person", options->single_person,
                    "One person decides alone, for ever: no second person is asked, and the log "
                    "and coffer status say so");
  command->footer(kInitFooter);
  command->callback([options, &chosen] {
    chosen = [options](Console& console) { return InitVault(*options, console); };
  });
}

}  // namespace coffer::cli
