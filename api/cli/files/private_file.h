// Files the tool writes, for their owner only. A file has its name only once it is whole and on the
// disk, and no name that somebody else gave is taken away.
#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/cli/files/taken_by_signals.h"
#include "api/cli/text/failure.h"

namespace coffer::cli {

// A file that did not exist before, mode 0600. It is written without a name, or under that of a
// hidden temporary file beside where the file system knows no other way, and gets its name in one
// step that refuses an existing one. Whatever ends the process before, there is no such file.
class NewFile {
 public:
  // Exit::kUsage when there is something of that name, or when another file that is being written
  // is to have it.
  static Outcome<std::unique_ptr<NewFile>> Create(const std::string& path);

  // The same, but a regular file is replaced whose beginning (4 KiB) says that the tool wrote it.
  // Until the new one is whole, the old one stays. Asked again before it is replaced.
  using IsOwn = bool (*)(std::string_view beginning);
  static Outcome<std::unique_ptr<NewFile>> CreateOrReplace(const std::string& path, IsOwn is_own);

  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  // Takes the place for so many bytes on the disk, so that a full one is found before somebody is
  // asked for what cannot be had twice. Before the first Write().
  Outcome<void> Reserve(std::size_t bytes);
  Outcome<void> Write(std::string_view text);
  Outcome<void> Finish();  // durable under its name; from here on the file stays
  void Retract();          // takes a finished file that replaced nothing away again

 private:
  struct Place;
  NewFile(std::unique_ptr<Place> place, IsOwn is_own);
  static Outcome<std::unique_ptr<NewFile>> Open(const std::string& path, IsOwn is_own);
  bool OpenUnnamed();
  bool OpenHidden();
  bool IsOwnThere() const;
  int Publish() const;
  Outcome<void> Sync();
  Failure Broken(std::string_view doing) const;

  std::unique_ptr<Place> place_;
  IsOwn is_own_;
  std::string hidden_;  // name of the temporary file; empty: it has none
  std::optional<TakenBySignals> until_named_;
  int descriptor_ = -1;
  std::size_t reserved_ = 0, written_ = 0;
  bool replaces_ = false, finished_ = false;
};

Outcome<void> WriteNewFile(const std::string& path, std::string_view text);

// All of them, or none.
Outcome<void> FinishAll(std::initializer_list<NewFile*> files);

// Exit::kUsage when there is something of that name already.
Outcome<void> RefuseExisting(const std::string& path);

// A file given on the command line, at most `limit` bytes; "-" is standard input. Exit::kUsage when
// it cannot be opened, and for a pipe that gives nothing.
Outcome<std::string> ReadInputFile(const std::string& path, std::size_t limit);

}  // namespace coffer::cli
