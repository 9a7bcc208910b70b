// Storage that a process dies on: libc's writing calls are defined here, so that those of SQLCipher
// and of the vault go through it, are counted, and one of them comes no more.
//
// What a crash leaves is one of two things, and what the vault promises holds after both:
//   kOfProcess  kill -9: every call that returned has reached the files
//   kOfMachine  a power failure at its worst: nothing reached them since they were last synced, and
//               no name since its directory was
#pragma once

#include <cstdint>
#include <string>

namespace coffer::testing {

enum class Death : std::uint8_t { kOfProcess, kOfMachine };

// Counts from now on what is written to the files of `folder`, and kills this process before the
// `before`th call, from 1; 0: never. Once a process: in a child, for whose death the parent waits.
// The WAL's index is left out: who opens a database first makes it anew.
void DieOnStorage(const std::string& folder, std::uint64_t before, Death death);

// How many there were so far.
std::uint64_t CountedCalls();

}  // namespace coffer::testing
