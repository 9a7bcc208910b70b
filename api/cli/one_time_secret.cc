#include "api/cli/one_time_secret.h"

#include <nlohmann/json.hpp>
#include <ostream>

#include "api/cli/json_view.h"
#include "api/cli/secret_text.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

std::vector<std::string> LinesOf(const json& secret) {
  std::vector<std::string> lines;
  if (secret.is_string()) lines.push_back(TextOf(secret));
  if (!secret.is_array()) return lines;
  for (const json& item : secret) lines.push_back(TextOf(item));
  return lines;
}

}  // namespace

Outcome<OneTimeSecret> OneTimeSecret::PlacedIn(const std::string& file) {
  OneTimeSecret secret;
  secret.path_ = file;
  if (!file.empty()) {
    COFFER_ASSIGN(secret.file_, NewFile::Create(file));
  }
  return secret;
}

Outcome<void> OneTimeSecret::HandOver(Console& console, json answer, const Showing& showing) {
  std::vector<std::string> lines = LinesOf(Member(answer, showing.member));
  const auto forget = [&] {
    for (std::string& line : lines) Forget(line);
  };
  if (lines.empty()) {
    return Failed(Exit::kFailed,
                  "the server's answer holds no \"" + std::string(showing.member) + "\"");
  }
  if (file_ != nullptr) {
    answer.erase(std::string(showing.member));
    Outcome<void> written;
    for (std::string& line : lines) {
      if (written) written = file_->Write(line);
      if (written) written = file_->Write("\n");
    }
    forget();
    COFFER_TRY(written);
    COFFER_TRY(file_->Finish());
  }
  if (showing.json) {
    PrintJson(console, answer);
  } else {
    showing.describe(console, answer);
    if (file_ != nullptr) {
      console.out << showing.what << ": in " << Printable(path_) << "\n";
    } else {
      console.out << showing.what << ", shown this once (keep it like a password):\n";
      for (const std::string& line : lines) console.out << "  " << Printable(line) << '\n';
    }
  }
  forget();
  return {};
}

}  // namespace coffer::cli
