// An open stdio file that closes itself.
#pragma once

#include <cstdio>
#include <memory>

namespace coffer::cli {

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using StdioFile = std::unique_ptr<std::FILE, FileCloser>;

}  // namespace coffer::cli
