#include "api/cli/files/one_time_secret.h"

#include <nlohmann/json.hpp>
#include <ostream>

#include "api/cli/files/secret_text.h"
#include "api/cli/text/json_output.h"
#include "api/cli/text/json_view.h"

namespace coffer::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kMostSecret = 4096;

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
    COFFER_TRY(secret.file_->Reserve(kMostSecret));
  }
  return secret;
}

// As far as the secret itself: what else is shown may fail without harm.
Outcome<void> OneTimeSecret::Place(Console& console, json& answer, const Showing& showing) {
  std::vector<std::string> lines = LinesOf(Member(answer, showing.member));
  if (lines.empty()) {
    return Failed(Exit::kFailed,
                  "the server's answer holds no \"" + std::string(showing.member) + "\"");
  }
  Outcome<void> placed;
  if (file_ != nullptr) {
    answer.erase(std::string(showing.member));
    for (const std::string& line : lines) {
      if (placed) placed = file_->Write(line);
      if (placed) placed = file_->Write("\n");
    }
    if (placed) placed = file_->Finish();
  }
  if (placed && showing.json) {
    PrintJson(console, answer);
  } else if (placed) {
    showing.describe(console, answer);
    if (file_ != nullptr) {
      console.out << showing.what << ": in " << Printable(path_) << "\n";
    } else {
      console.out << showing.what << ", shown this once (keep it like a password):\n";
      for (const std::string& line : lines) console.out << "  " << Printable(line) << '\n';
    }
  }
  for (std::string& line : lines) Forget(line);
  if (placed && file_ == nullptr && !console.out.flush()) {
    return Failed(Exit::kFailed, "standard output could not be written");
  }
  return placed;
}

Outcome<void> OneTimeSecret::HandOver(Console& console, json answer, const Showing& showing) {
  auto placed = Place(console, answer, showing);
  if (placed) return placed;
  Failure failure = std::move(placed).error();
  const auto undone = showing.undo ? showing.undo() : Failed(Exit::kFailed, {});
  if (undone) {
    failure.advice = showing.undone;
  } else {
    failure.advice = showing.left_over;
    if (showing.undo) failure.advice += "\n" + undone.error().message;
  }
  return std::unexpected(std::move(failure));
}

}  // namespace coffer::cli
