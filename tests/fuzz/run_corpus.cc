// fuzz_corpus TARGET DIRECTORY: runs one target on each file of a directory, as libFuzzer would.
// A broken property aborts; a directory without files is an error.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

extern "C" {
int FuzzEntry(const std::uint8_t*, std::size_t);
int FuzzCheckpoint(const std::uint8_t*, std::size_t);
int FuzzProof(const std::uint8_t*, std::size_t);
int FuzzBundle(const std::uint8_t*, std::size_t);
int FuzzTilePath(const std::uint8_t*, std::size_t);
int FuzzAnchor(const std::uint8_t*, std::size_t);
int FuzzRemembered(const std::uint8_t*, std::size_t);
int FuzzAct(const std::uint8_t*, std::size_t);
int FuzzRunReport(const std::uint8_t*, std::size_t);
int FuzzLedger(const std::uint8_t*, std::size_t);
}

namespace {

struct Target {
  std::string_view name;
  int (*run)(const std::uint8_t*, std::size_t);
};
constexpr Target kTargets[] = {
    {"entry", FuzzEntry},           {"checkpoint", FuzzCheckpoint},
    {"proof", FuzzProof},           {"bundle", FuzzBundle},
    {"tile_path", FuzzTilePath},    {"anchor", FuzzAnchor},
    {"remembered", FuzzRemembered}, {"act", FuzzAct},
    {"run_report", FuzzRunReport},  {"ledger", FuzzLedger},
};

int Run(const Target& target, const std::filesystem::path& directory) {
  int files = 0;
  for (const auto& file : std::filesystem::directory_iterator(directory)) {
    std::ifstream in(file.path(), std::ios::binary);
    const std::vector<char> bytes(std::istreambuf_iterator<char>(in), {});
    std::printf("%s\n", file.path().filename().c_str());
    std::fflush(stdout);
    const auto* const data = reinterpret_cast<const std::uint8_t*>(bytes.data());
    // Every beginning too: cheap, and where parsers read too far.
    for (std::size_t size = 0; size <= bytes.size(); size += 1 + size / 64) {
      target.run(std::vector<std::uint8_t>(data, data + size).data(), size);
    }
    target.run(data, bytes.size());
    ++files;
  }
  if (files == 0) std::fprintf(stderr, "fuzz_corpus: no files in %s\n", directory.c_str());
  return files == 0 ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3) {
    for (const Target& target : kTargets) {
      if (target.name == argv[1]) return Run(target, argv[2]);
    }
  }
  std::fprintf(stderr, "fuzz_corpus: use TARGET DIRECTORY\n");
  return 2;
}
