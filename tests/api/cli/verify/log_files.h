// The public files of a log, as tlog-tiles lays them out: made here from the entries alone, apart
// from the code that serves and reads them.
#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "tests/api/cli/verify/public_log.h"

namespace coffer::cli {

using LogFiles = std::map<std::string, std::string>;  // content by path

// N of the specification: groups of three digits, all but the last behind an x.
inline std::string GroupedNumber(std::uint64_t n) {
  std::string text;
  for (bool last = true; last || n > 0; last = false, n /= 1000) {
    std::string digits = std::to_string(n % 1000);
    digits.insert(0, 3 - digits.size(), '0');
    text.insert(0, last ? digits : "x" + digits + "/");
  }
  return text;
}

inline void AddInTiles(LogFiles& files, const std::string& prefix,
                       const std::vector<std::string>& parts) {
  for (std::size_t at = 0; at < parts.size(); at += 256) {
    const std::size_t width = std::min<std::size_t>(256, parts.size() - at);
    std::string& content = files[prefix + GroupedNumber(at / 256) +
                                 (width == 256 ? "" : ".p/" + std::to_string(width))];
    for (std::size_t i = at; i < at + width; ++i) content += parts[i];
  }
}

// Of the first `size` entries.
inline LogFiles FilesOf(const PublicLog& log, std::uint64_t size) {
  LogFiles files{{"checkpoint", log.Checkpoint(size)}};
  std::vector<std::string> bundled, hashes;
  for (std::uint64_t i = 0; i < size; ++i) {
    const std::string& entry = log.entries[static_cast<std::size_t>(i)];
    bundled.push_back({static_cast<char>(entry.size() >> 8), static_cast<char>(entry.size())});
    bundled.back() += entry;
    const auto leaf = audit::LeafHash(crypto::AsBytes(entry));
    hashes.emplace_back(crypto::AsText(leaf));
  }
  AddInTiles(files, "tile/entries/", bundled);
  for (unsigned level = 0; !hashes.empty(); ++level) {
    AddInTiles(files, "tile/" + std::to_string(level) + "/", hashes);
    std::vector<std::string> above;
    for (std::size_t at = 0; at + 256 <= hashes.size(); at += 256) {
      std::vector<audit::Hash> tile(256);
      for (std::size_t i = 0; i < 256; ++i) {
        std::ranges::copy(hashes[at + i], reinterpret_cast<char*>(tile[i].data()));
      }
      const auto root = audit::PerfectRoot(tile);
      above.emplace_back(crypto::AsText(root));
    }
    hashes = std::move(above);
  }
  return files;
}

inline void WriteFiles(const LogFiles& files, const std::filesystem::path& directory) {
  for (const auto& [path, content] : files) {
    std::filesystem::create_directories((directory / path).parent_path());
    std::ofstream(directory / path, std::ios::binary) << content;
  }
}

}  // namespace coffer::cli
