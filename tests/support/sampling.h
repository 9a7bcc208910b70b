// How many of many cases a tree takes. Whether an answer is right the fast tree asks of all of
// them; the sanitized ones, which take ten times as long, look for faults that each way through the
// code has.
#pragma once

namespace coffer::testing {

// Of generated cases each one, or each `nth`.
template <class Number>
constexpr Number Every([[maybe_unused]] Number nth) {
#ifdef COFFER_SANITIZED
  return nth;
#else
  return 1;
#endif
}

// So many cases of one kind, or `fewer`.
template <class Number>
constexpr Number Many([[maybe_unused]] Number all, [[maybe_unused]] Number fewer) {
#ifdef COFFER_SANITIZED
  return fewer;
#else
  return all;
#endif
}

// The tag of a case that the sanitized trees leave out: others go the same ways.
#ifdef COFFER_SANITIZED
inline constexpr const char* kPlainOnly = "[.]";
#else
inline constexpr const char* kPlainOnly = "";
#endif

}  // namespace coffer::testing
