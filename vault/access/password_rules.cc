#include "vault/access/password_rules.h"

#include <algorithm>
#include <functional>
#include <string>

#include "crypto/blind_index.h"
#include "crypto/bytes.h"
#include "crypto/secret_text.h"
#include "vault/access/common_passwords.h"

namespace coffer::vault {
namespace {

constexpr std::string_view kProductName = "coffer";
constexpr std::size_t kLeastNameCharacters = 3;
constexpr std::size_t kLeastCommonBytes = 8;        // shorter ones are refused for their length
constexpr std::size_t kMostRepeatedCharacters = 7;  // less than any password has

// Ways over English, German and French keyboards: row after row, and column after column.
constexpr std::string_view kWalks[] = {"1234567890qwertyuiopasdfghjklzxcvbnm",
                                       "qwertyuiop[]asdfghjkl;'zxcvbnm,./",
                                       "1234567890qwertzuiopasdfghjklyxcvbnm",
                                       "1234567890azertyuiopqsdfghjklmwxcvbn",
                                       "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/",
                                       "qazwsxedcrfvtgbyhnujmikolp",
                                       "1qay2wsx3edc4rfv5tgb6zhn7ujm",
                                       "1q2w3e4r5t6y7u8i9o0p",
                                       "q1w2e3r4t5y6u7i8o9p0",
                                       "1q2w3e4r5t6z7u8i9o0p",
                                       "1a2z3e4r5t6y7u8i9o0p",
                                       "!@#$%^&*()_+",
                                       "!\"$%&/()=?"};

// Bytes that begin a code point of valid UTF-8.
std::size_t CountCharacters(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

bool IsWalk(std::string_view text) {
  return std::ranges::any_of(kWalks, [text](std::string_view walk) {
    return walk.contains(text) ||
           std::search(walk.rbegin(), walk.rend(), text.begin(), text.end()) != walk.rend();
  });
}

// Each character follows the one before, all upwards or all downwards; after 9 comes 0.
bool IsSequence(std::string_view text) {
  auto follows = [](char before, char after) {
    return after == before + 1 || (before == '9' && after == '0');
  };
  return std::ranges::adjacent_find(text, std::not_fn(follows)) == text.end() ||
         std::ranges::adjacent_find(
             text, [&](char before, char after) { return !follows(after, before); }) == text.end();
}

bool IsOneOfTheCommonest(std::string_view text) {
  return text.size() >= kLeastCommonBytes &&
         (std::ranges::binary_search(CommonPasswords(), text) || IsWalk(text) || IsSequence(text));
}

// Without what is no letter at either end; letters of other scripts than ours are all kept.
std::string_view WithoutDecoration(std::string_view text) {
  auto is_decoration = [](char c) {
    return static_cast<unsigned char>(c) < 0x80 && (c < 'a' || c > 'z');
  };
  while (!text.empty() && is_decoration(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_decoration(text.back())) text.remove_suffix(1);
  return text;
}

// The shortest beginning that, written at least twice, the last time perhaps not to its end, gives
// the text; empty when there is none.
std::string_view RepeatedPart(std::string_view text) {
  for (std::size_t size = 1; size <= text.size() / 2; ++size) {
    if (text.substr(size) == text.substr(0, text.size() - size)) return text.substr(0, size);
  }
  return {};
}

bool IsCommon(std::string_view folded) {
  const std::string_view repeated = RepeatedPart(folded);
  if (!repeated.empty() && CountCharacters(repeated) <= kMostRepeatedCharacters) return true;
  for (const std::string_view part : {folded, repeated}) {
    if (IsOneOfTheCommonest(part) || IsOneOfTheCommonest(WithoutDecoration(part))) return true;
  }
  return false;
}

// `name` in the form that passwords are compared in; empty when it counts for nothing.
std::string FoldName(std::string_view name) {
  auto folded = crypto::Normalise(crypto::Normalisation::kText, name);
  if (!folded || CountCharacters(*folded) < kLeastNameCharacters) return {};
  return *std::move(folded);
}

bool ContainsName(std::string_view folded, std::string_view name) {
  const std::string folded_name = FoldName(name);
  return !folded_name.empty() && folded.contains(folded_name);
}

}  // namespace

std::vector<Issue> PasswordIssues(const crypto::SecretBytes& password, std::string_view account,
                                  SecondFactor second_factor) {
  std::vector<Issue> issues;
  auto refuse = [&issues](std::string message) {
    issues.push_back({"/password", std::move(message)});
  };
  if (password.size() > crypto::kMaxPasswordBytes) {
    refuse("must have at most " + std::to_string(crypto::kMaxPasswordBytes) + " bytes");
    return issues;
  }
  const auto normalised = crypto::NormaliseSecretText(password);
  const auto folded_secret = crypto::FoldSecretText(password);
  if (!normalised || !folded_secret) {
    refuse("must be valid UTF-8 without U+0000");
    return issues;
  }
  const std::size_t least = second_factor == SecondFactor::kRequired
                                ? kLeastPasswordCharactersWithSecondFactor
                                : kLeastPasswordCharacters;
  if (CountCharacters(crypto::AsText(normalised->ExposeSecret())) < least) {
    refuse("must have at least " + std::to_string(least) + " characters");
  }
  const std::string_view folded = crypto::AsText(folded_secret->ExposeSecret());
  if (IsCommon(folded)) refuse("is one of the first that would be guessed");
  if (ContainsName(folded, account) || ContainsName(folded, account.substr(0, account.find('@')))) {
    refuse("must not contain the name of the account");
  }
  if (folded.contains(kProductName)) refuse("must not contain the name of the product");
  return issues;
}

}  // namespace coffer::vault
