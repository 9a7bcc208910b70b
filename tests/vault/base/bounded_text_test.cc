// Text that takes more than its length to be put into Unicode's forms is bounded before: what is
// counted is what ever got there.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>

#include "crypto/blind_index.h"
#include "crypto/internal/unicode.h"
#include "crypto/password_hash.h"
#include "crypto/secret_bytes.h"
#include "crypto/secret_text.h"
#include "tests/vault/test_vault.h"
#include "vault/access/password_rules.h"
#include "vault/catalog/mask.h"

namespace coffer::vault {
namespace {

using enum Role;

// As many of it as there is room for.
std::string Filled(std::string_view unit, std::size_t bytes) {
  std::string text;
  while (text.size() + unit.size() <= bytes) text += unit;
  return text;
}

// Combining marks alone and out of order, what decomposes to eighteen characters, what composes.
constexpr std::string_view kHostileUnits[] = {
    "\xcc\x80",                              // U+0300
    "\xcc\x96\xcc\x80",                      // U+0316 U+0300
    "\xef\xb7\xba",                          // U+FDFA
    "\xe1\x84\x80\xe1\x85\xa1\xe1\x86\xa8",  // U+1100 U+1161 U+11A8
    "\xce\x90",                              // U+0390, which folds to three
};

template <class Work>
std::uint64_t NormalisedBy(Work&& work) {
  const std::uint64_t before = crypto::internal::NormalisedBytes();
  work();
  return crypto::internal::NormalisedBytes() - before;
}

TEST_CASE("nothing longer than is let in reaches the normaliser, whoever gives it") {
  REQUIRE(crypto::InitializeCrypto());
  const std::string_view unit = GENERATE(Catch::Generators::from_range(kHostileUnits));
  using enum crypto::Normalisation;
  for (const auto rule : {kExact, kText, kEmail, kPhone}) {
    const std::string most = Filled(unit, crypto::kMaxNormalisedBytes);
    CHECK(NormalisedBy([&] { (void)crypto::Normalise(rule, most); }) <= most.size());
    for (const std::size_t bytes :
         {crypto::kMaxNormalisedBytes + unit.size(), std::size_t{480'000}}) {
      const std::string more = Filled(unit, bytes + unit.size());
      CHECK(NormalisedBy([&] {
              CHECK(AnswerOf(crypto::Normalise(rule, more)) == "value_not_normalisable");
            }) == 0);
    }
  }
  const auto secret = [&](std::size_t bytes) {
    return crypto::SecretBytes::CopyOf(crypto::AsBytes(Filled(unit, bytes)));
  };
  const auto too_long = secret(crypto::kMaxPasswordBytes + 10);
  CHECK(NormalisedBy([&] {
          CHECK(!crypto::HashPassword(too_long, {.passes = 1, .memory_kib = 8}));
          CHECK(PasswordIssues(too_long, "tamsin", SecondFactor::kNone).size() == 1);
        }) == 0);
  const auto fits = secret(crypto::kMaxPasswordBytes);
  CHECK(NormalisedBy([&] { (void)PasswordIssues(fits, "tamsin", SecondFactor::kNone); }) <
        4 * crypto::kMaxPasswordBytes);
}

TEST_CASE("masks of the longest text that is stored do no more than is let in") {
  REQUIRE(crypto::InitializeCrypto());
  const std::string_view unit = GENERATE(Catch::Generators::from_range(kHostileUnits));
  const auto key = crypto::SecretBytes::Random(32);
  using enum MaskRule;
  for (const auto rule :
       {kNone, kEmail, kPhone, kLastFour, kYear, kInitials, kConstant, MaskRule::kHash}) {
    Field field;
    field.name = "note";
    field.type = FieldType::kText;
    field.mask = rule;
    const std::string text = Filled(unit, 65'536 * 3);
    for (const json& value : {json(text), json("a@" + text), json("Jane " + text + " Doe")}) {
      CHECK(NormalisedBy([&] { CHECK(!MaskValue("file", field, value, key).is_null()); }) <=
            crypto::kMaxNormalisedBytes);
    }
  }
}

TEST_CASE("a stranger's search is refused before anything is normalised") {
  TestVault vault;
  const std::string_view unit = GENERATE(Catch::Generators::from_range(kHostileUnits));
  const std::string text = Filled(unit, 480'000);
  const Caller stranger = TestVault::Stranger();
  // The first makes the hash that the password of nobody is compared with.
  (void)vault->sessions().LogIn(stranger, "x", crypto::SecretBytes::CopyOf(crypto::AsBytes("y")),
                                "");
  CHECK(NormalisedBy([&] {
          CHECK(AnswerOf(vault->searches().SearchByField(stranger, "contact", "last_name", text,
                                                         {})) == "unauthenticated");
          CHECK(AnswerOf(vault->searches().SearchByReference(stranger, text)) == "unauthenticated");
          CHECK(AnswerOf(vault->clients().CreateClient(stranger, {.external_ref = text}, {})) ==
                "unauthenticated");
          const json data = {{"last_name", text}};
          CHECK(AnswerOf(vault->imports().ImportRecord(stranger, {"A-1", "contact", "", data})) ==
                "unauthenticated");
          CHECK(AnswerOf(vault->sessions().LogIn(
                    stranger, text, crypto::SecretBytes::CopyOf(crypto::AsBytes(text)), text)) ==
                "login_failed");
        }) == 0);
}

TEST_CASE("the largest text that a field with an index takes is found again") {
  TestVault vault;
  const std::string_view unit = GENERATE(Catch::Generators::from_range(kHostileUnits));
  std::string name = "x";
  // Of 100 characters, the field's own limit.
  for (std::size_t i = 0; i < 40; i += unit.size() / 2) name += unit;
  const ClientId client = vault.NewClient("A-1");
  const auto record = vault->records().CreateRecord(vault.As(kCrmService), client, "contact",
                                                    {{"last_name", name}}, {});
  INFO(AnswerOf(record));
  REQUIRE(record);
  const auto found =
      vault->searches().SearchByField(vault.As(kCrmService), "contact", "last_name", name, {});
  REQUIRE(found);
  CHECK(found->items.size() == 1);
}

}  // namespace
}  // namespace coffer::vault
