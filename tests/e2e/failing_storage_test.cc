// The disk under a running vault fills up, or may not be written: nothing is served that cannot be
// logged, nothing that was answered is lost, and it goes on by itself when there is room again.
#include <sys/mount.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/support/running_vault.h"

using namespace coffer::testing;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

// A file system of the test's own; skipped, visibly, where it may not be mounted.
class Mount {
 public:
  Mount(const std::string& at, const char* type, const std::string& source, unsigned long flags,
        const char* options)
      : at_(at) {
    fs::create_directories(at);
    mounted_ = mount(source.c_str(), at.c_str(), type, flags, options) == 0;
    if (!mounted_) SKIP("cannot mount at " + at + " (run as root): " + std::strerror(errno));
  }
  ~Mount() {
    if (mounted_) umount2(at_.c_str(), MNT_DETACH);
  }
  Mount(const Mount&) = delete;
  Mount& operator=(const Mount&) = delete;
  const std::string& path() const { return at_; }

 private:
  const std::string at_;
  bool mounted_ = false;
};

// A real small file system in a file, which turns read-only as after an error of its disk.
class Ext4 {
 public:
  Ext4(std::string image, std::string at) : image_(std::move(image)), at_(std::move(at)) {
    fs::create_directories(at_);
    std::ofstream(image_).close();
    fs::resize_file(image_, std::uintmax_t{48} << 20);
    if (RunProgram({"/sbin/mkfs.ext4", "-q", "-F", image_}).exit_code != 0 || !Mount()) {
      SKIP("cannot mount an ext4 image (run as root, with loop devices)");
    }
  }
  ~Ext4() { umount2(at_.c_str(), MNT_DETACH); }
  Ext4(const Ext4&) = delete;
  Ext4& operator=(const Ext4&) = delete;
  const std::string& path() const { return at_; }

  void TurnReadOnly() {
    const auto device = RunProgram({"/bin/findmnt", "-no", "SOURCE", at_}).out;
    const std::string name = fs::path(device.substr(0, device.find('\n'))).filename();
    std::ofstream trigger("/sys/fs/ext4/" + name + "/trigger_fs_error");
    trigger << 1 << std::flush;
    REQUIRE(trigger);
  }
  void MountAgain() {
    REQUIRE(umount2(at_.c_str(), 0) == 0);
    REQUIRE(RunProgram({"/sbin/e2fsck", "-fy", image_}).exit_code <= 1);
    REQUIRE(Mount());
  }

 private:
  bool Mount() {
    return RunProgram({"/bin/mount", "-o", "loop,errors=remount-ro", image_, at_}).exit_code == 0;
  }

  const std::string image_, at_;
};

// Moves the stopped vault's directory to `directory`, and its configuration with it.
void MoveTo(RunningVault& vault, const std::string& directory) {
  fs::copy(vault.directory(), directory, fs::copy_options::recursive);
  std::string config = ReadWholeFile(vault.config_file());
  const auto at = config.find("directory = \"" + vault.directory());
  REQUIRE(at != std::string::npos);
  config.replace(at + 13, vault.directory().size(), directory);
  WriteWholeFile(vault.config_file(), config);
}

void FillDisk(const std::string& file) {
  std::ofstream out(file, std::ios::binary);
  for (std::size_t piece = 1 << 20; piece > 0; piece /= 2) {
    const std::string bytes(piece, 'f');
    while (out.write(bytes.data(), static_cast<std::streamsize>(piece)).flush()) {
    }
    out.clear();
  }
}

bool IsRefusalOfTheStore(const HttpReply& reply) {
  return reply.status == 503 &&
         (reply.Code() == "log_unavailable" || reply.Code() == "storage_full");
}

json Call(int number) {
  return {{"class", "interaction"},
          {"data",
           {{"occurred_at", "2026-01-02T10:00:00Z"},
            {"channel", "phone"},
            {"subject", "Call " + std::to_string(number)},
            {"summary", std::string(3000, 's')}}}};
}

struct Written {
  std::vector<std::string> paths;
  std::vector<std::string> requests;  // every one that was answered with data or a success
};

// While there is room.
void WriteSome(Caller& crm, const std::string& records, Written& written) {
  for (int i = 0; i < 20; ++i) {
    const auto reply = crm.Post(records, Call(static_cast<int>(written.paths.size())));
    INFO(reply.body);
    REQUIRE(reply.status == 201);
    written.paths.push_back(reply.Header("location"));
    written.requests.push_back(reply.Header("coffer-request-id"));
  }
}

// Writes until the disk is full; the last answer.
HttpReply WriteUntilRefused(Caller& crm, const std::string& records, Written& written) {
  for (int i = 0; i < 5000; ++i) {
    const auto reply = crm.Post(records, Call(static_cast<int>(written.paths.size())));
    if (reply.status != 201) return reply;
    written.paths.push_back(reply.Header("location"));
    written.requests.push_back(reply.Header("coffer-request-id"));
  }
  FAIL("the disk never got full");
  return {};
}

template <class Condition>
bool Within(std::chrono::seconds time, Condition&& condition) {
  const auto until = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < until) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return false;
}

void CheckAllThere(RunningVault& vault, const Written& written) {
  auto crm = vault.As("crm-service");
  for (std::size_t i = 0; i < written.paths.size(); ++i) {
    const auto reply = crm.Get(written.paths[i]);
    INFO(written.paths[i] << ": " << reply.body.substr(0, 200));
    REQUIRE(reply.status == 200);
    CHECK(reply.Json().at("data") == Call(static_cast<int>(i)).at("data"));
  }
  std::map<std::string, int> logged;
  for (const auto& entry : vault.Entries("decision=allow")) {
    if (entry.at("outcome") == "ok") ++logged[entry.value("request", "")];
  }
  for (const auto& request : written.requests) {
    INFO(request);
    CHECK(logged.contains(request));
  }
  const auto report = vault.Verify();
  INFO(report.dump());
  CHECK(report.at("ok") == true);
}

}  // namespace

TEST_CASE("on a full disk nothing is served, nothing is lost, and room is enough to go on") {
  RunningVault vault;
  const std::string client = vault.NewClient("A-1");
  const std::string records = "/v1/clients/" + client + "/records";
  const std::string record = records + "/" + vault.NewContact(client, {{"last_name", "Bergmann"}});
  (void)vault.Token("security-officer");
  (void)vault.Token("privacy-officer");
  vault.Stop();
  const Mount disk(vault.work() / "disk", "tmpfs", "tmpfs", 0, "size=16m");
  MoveTo(vault, disk.path() + "/data");
  const std::string filler = disk.path() + "/filler";

  vault.Start();
  Written written;
  for (int round = 0; round < 3; ++round) {
    INFO("round " << round);
    auto crm = vault.As("crm-service");
    auto privacy = vault.As("privacy-officer", "data-subject-request");
    WriteSome(crm, records, written);
    FillDisk(filler);
    const auto refused = WriteUntilRefused(crm, records, written);
    INFO(refused.status << " " << refused.body);
    CHECK(IsRefusalOfTheStore(refused));
    CHECK_FALSE(refused.Header("retry-after").empty());
    // Reads stop too: what cannot be logged is not disclosed. A few may still fit.
    HttpReply read;
    for (int i = 0; i < 200; ++i) {
      read = crm.Get(record);
      if (read.status != 200) break;
      written.requests.push_back(read.Header("coffer-request-id"));
    }
    INFO(read.status << " " << read.body);
    CHECK(IsRefusalOfTheStore(read));
    CHECK(read.body.find("Bergmann") == std::string::npos);
    CHECK(privacy.Delete("/v1/clients/" + client).status == 503);
    CHECK(vault.WithToken("", "").Get("/health/live").status == 200);
    // Its own housekeeping may have found a little room meanwhile.
    CHECK(Within(std::chrono::seconds(60), [&] {
      if (vault.WithToken("", "").Get("/health/ready").status == 503) return true;
      (void)WriteUntilRefused(crm, records, written);
      return false;
    }));

    fs::remove(filler);
    CHECK(Within(std::chrono::seconds(60),
                 [&] { return vault.WithToken("", "").Get("/health/ready").status == 200; }));
    const auto again = crm.Get(record);
    INFO(again.status << " " << again.body);
    CHECK(again.status == 200);
    if (round == 1) {  // and once it was killed while full
      FillDisk(filler);
      (void)WriteUntilRefused(crm, records, written);
      vault.Kill();
      fs::remove(filler);
      vault.Start();
    }
  }
  CheckAllThere(vault, written);
  vault.Stop();
}

TEST_CASE("stopped or started on a full disk, it says so and damages nothing") {
  RunningVault vault;
  const std::string client = vault.NewClient("A-1");
  const std::string records = "/v1/clients/" + client + "/records";
  (void)vault.Token("security-officer");
  vault.Stop();
  const Mount disk(vault.work() / "disk", "tmpfs", "tmpfs", 0, "size=16m");
  MoveTo(vault, disk.path() + "/data");
  const std::string filler = disk.path() + "/filler";

  vault.Start();
  Written written;
  auto crm = vault.As("crm-service");
  WriteSome(crm, records, written);
  FillDisk(filler);
  (void)WriteUntilRefused(crm, records, written);
  (void)vault.Terminate();
  INFO(vault.ServerLog());
  const std::string said = vault.ServerLog();
  // Closing the log's index may leave room for the seal; what is said is what happened.
  const std::string stopped = said.substr(said.rfind("listening"));
  const bool sealed = stopped.find("the log is sealed") != std::string::npos;
  CHECK(sealed == (stopped.find("the log could not be sealed") == std::string::npos));

  FillDisk(filler);
  if (const auto refused = vault.TryStart()) {
    INFO(refused->err);
    CHECK(refused->exit_code != 0);
    CHECK(refused->err.find("the disk is full") != std::string::npos);
    CHECK(refused->err.find("SELECT") == std::string::npos);
  } else {
    vault.Kill();  // there was room in its own files
  }
  fs::remove(filler);
  vault.Start();
  CheckAllThere(vault, written);
}

TEST_CASE("a file system that turns read-only stops reads too, and loses nothing") {
  RunningVault vault;
  const std::string client = vault.NewClient("A-1");
  const std::string records = "/v1/clients/" + client + "/records";
  const std::string record = records + "/" + vault.NewContact(client, {{"last_name", "Bergmann"}});
  (void)vault.Token("security-officer");
  vault.Stop();
  Ext4 disk(vault.work() / "image", vault.work() / "disk");
  MoveTo(vault, disk.path() + "/data");
  ::sync();  // what was copied is not what is tested

  vault.Start();
  Written written;
  {
    auto crm = vault.As("crm-service");
    WriteSome(crm, records, written);
    disk.TurnReadOnly();
    // The kernel refuses each write from now on. What was written before may be answered yet.
    HttpReply read;
    CHECK(Within(std::chrono::seconds(60), [&] {
      read = crm.Get(record);
      return read.status != 200;
    }));
    INFO(read.status << " " << read.body);
    // Refused, or the process ended, as it does when a sync fails.
    CHECK((read.status == 0 || IsRefusalOfTheStore(read)));
    CHECK(read.body.find("Bergmann") == std::string::npos);
    CHECK(crm.Post(records, Call(1)).status != 201);
  }
  vault.Kill();
  disk.MountAgain();
  vault.Start();
  CheckAllThere(vault, written);
  vault.Stop();
}

TEST_CASE("a data directory that may not be written is refused at the start") {
  RunningVault vault;
  const std::string client = vault.NewClient("A-1");
  vault.Stop();
  const Mount disk(vault.work() / "disk", "tmpfs", "tmpfs", 0, "size=16m");
  MoveTo(vault, disk.path() + "/data");
  REQUIRE(mount("", disk.path().c_str(), "", MS_REMOUNT | MS_RDONLY, "") == 0);
  const auto refused = vault.StartRefused();
  INFO(refused.err);
  CHECK(refused.exit_code == 1);
  CHECK(refused.err.find("(directory_not_writable)") != std::string::npos);
  CHECK(refused.err.find(disk.path() + "/data") != std::string::npos);
  CHECK(refused.err.find("must exist and be writable") != std::string::npos);
  REQUIRE(mount("", disk.path().c_str(), "", MS_REMOUNT, "") == 0);
  vault.Start();
  CHECK(vault.As("crm-service").Get("/v1/clients/" + client).status == 200);
  CHECK(vault.Verify().at("ok") == true);
}
