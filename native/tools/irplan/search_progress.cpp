#include "tools/irplan/search_progress.h"

#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "files/new_file.h"

namespace irplan::cli {
namespace {

constexpr double kSecondsBetween = 5;  // lines

volatile std::sig_atomic_t interrupted = 0;

}  // namespace

void end_search_on_interrupt() {
  struct sigaction action {};
  action.sa_handler = [](int signal) {
    if (interrupted) end_by_signal(signal);
    interrupted = 1;
  };
  sigaction(SIGINT, &action, nullptr);
}

bool search_interrupted() { return interrupted != 0; }

bool SearchProgress::operator()(const PackProgress& at) {
  if (!::isatty(STDERR_FILENO)) return interrupted == 0;  // a log has no use for it
  const double seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
  if (seconds - said_ >= kSecondsBetween) {
    said_ = seconds;
    std::fprintf(stderr,
                 "%6.0f s  %lld nodes; the lowest so far is %lld, trying %lld; Ctrl-C takes what is there\n",
                 seconds, static_cast<long long>(at.nodes), static_cast<long long>(at.height),
                 static_cast<long long>(at.tried));
  }
  return interrupted == 0;
}

}  // namespace irplan::cli
