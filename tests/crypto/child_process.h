// Runs a piece of a test in a child process: for what must abort, and for limits that could not be
// raised again.
#pragma once

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>

namespace coffer::crypto {

// The wait status of a child that ran `body` and exited with its result. stderr is dropped.
template <class Body>
int StatusOfChild(Body body) {
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("fork");
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);  // past Catch2's own handler
    const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null < 0 || dup2(null, STDERR_FILENO) < 0) _exit(99);
    _exit(body());
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child) throw std::runtime_error("waitpid");
  return status;
}

template <class Body>
bool Aborts(Body body) {
  const int status = StatusOfChild([&] {
    body();
    return 0;
  });
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

template <class Body>
bool SucceedsInChild(Body body) {
  const int status = StatusOfChild([&] { return body() ? 0 : 1; });
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// Takes root's powers away from the rest of a child's life; nothing to take from another user.
inline bool DropPrivileges() { return geteuid() != 0 || seteuid(65534) == 0; }

}  // namespace coffer::crypto
