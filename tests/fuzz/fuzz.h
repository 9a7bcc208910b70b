// One source per parser: FuzzX runs it on any bytes and aborts when one of its properties breaks.
// With -DCOFFER_FUZZ=ON each is a libFuzzer program; else one program runs all on their corpora.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace coffer::fuzz {

inline std::string_view Text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

inline void Require(bool holds, const char* property) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", property);
  std::abort();
}

}  // namespace coffer::fuzz

// The entry point: libFuzzer's own, or one that the corpus runner can tell from the others.
#ifdef COFFER_FUZZ_TARGET
#define COFFER_FUZZ(name) extern "C" int LLVMFuzzerTestOneInput
#else
#define COFFER_FUZZ(name) extern "C" int name
#endif
