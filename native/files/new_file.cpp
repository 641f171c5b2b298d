#include "files/new_file.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <utility>

#include "files/paths.h"

namespace irplan {
namespace {

constexpr int kMostTries = 100;     // of names that are taken
constexpr size_t kNameBytes = 200;  // of the target's name in the new one's: a name has 255 at most
constexpr int kWatched[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGXCPU};

// Not std::random_device: linked statically it asks for a C library that hosts with a GPU may not have yet
// (glibc 2.36). A number that is taken costs another try.
unsigned random_number() {
  unsigned number = 0;
  if (::getentropy(&number, sizeof number) != 0) number = static_cast<unsigned>(std::clock());
  return number;
}

// New files without their name, as a signal handler can read them: empty where a place is free.
constexpr size_t kMostNewFiles = 64;
char new_files[kMostNewFiles][PATH_MAX];

// While it lives no signal is handled, so that what exists is what the table says.
class Undisturbed {
 public:
  Undisturbed() {
    sigset_t watched;
    sigemptyset(&watched);
    for (const int signal : kWatched) sigaddset(&watched, signal);
    pthread_sigmask(SIG_BLOCK, &watched, &before_);
  }
  ~Undisturbed() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  Undisturbed(const Undisturbed&) = delete;

 private:
  sigset_t before_;
};

void remember(const std::string& path) {
  if (path.size() >= PATH_MAX) return;
  for (auto& place : new_files) {
    if (place[0]) continue;
    std::memcpy(place, path.c_str(), path.size() + 1);
    return;
  }
}

void forget(const std::string& path) {
  for (auto& place : new_files) {
    if (path == place) place[0] = '\0';
  }
}

pthread_t main_thread;

// Another thread hands it on: the main thread is the one that makes files.
void signalled(int signal) {
  if (!pthread_equal(pthread_self(), main_thread))
    pthread_kill(main_thread, signal);
  else
    end_by_signal(signal);
}

}  // namespace

void remove_new_files() {
  for (const auto& place : new_files) {
    if (place[0]) ::unlink(place);
  }
}

void end_by_signal(int signal) {
  remove_new_files();
  if (signal == SIGINT || signal == SIGTERM || signal == SIGHUP) ::_exit(128 + signal);
  ::signal(signal, SIG_DFL);
  sigset_t self;
  sigemptyset(&self);
  sigaddset(&self, signal);
  ::raise(signal);
  pthread_sigmask(SIG_UNBLOCK, &self, nullptr);
}

void watch_signals() {
  main_thread = pthread_self();
  struct sigaction before {
  }, action{};
  action.sa_handler = signalled;
  for (const int signal : kWatched) {
    if (sigaction(signal, nullptr, &before) == 0 && before.sa_handler != SIG_IGN)
      sigaction(signal, &action, nullptr);
  }
  ::signal(SIGXFSZ, SIG_IGN);
}

void hold_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(stream, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest free number is this one.
    if (::open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY) != stream) return;
  }
}

int write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(file, bytes.data(), std::min<size_t>(bytes.size(), size_t{1} << 30));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return 0;
}

std::optional<NewFile> NewFile::beside(const std::string& path) {
  const std::string target = link_target(path);
  const size_t slash = target.rfind('/');
  const std::string name = slash == std::string::npos ? target : target.substr(slash + 1);
  struct stat status {};
  const bool there = ::stat(target.c_str(), &status) == 0;
  if (!there && errno != ENOENT) return std::nullopt;  // a ring of links, a name that is too long
  if (there && S_ISDIR(status.st_mode)) return errno = EISDIR, std::nullopt;
  const mode_t mode = there ? status.st_mode & 0777 : 0666;
  for (int i = 0; i < kMostTries; ++i) {
    char number[24];
    std::snprintf(number, sizeof number, ".%08x%08x.new", random_number(), static_cast<unsigned>(::getpid()));
    const std::string part = folder_of(target) + "/." + name.substr(0, kNameBytes) + number;
    const Undisturbed undisturbed;
    const int file = ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, mode);
    if (file < 0 && errno == EEXIST) continue;
    if (file < 0) return std::nullopt;
    if (there) ::fchmod(file, mode);  // the umask is for files that are new
    remember(part);
    return NewFile(target, part, file);
  }
  return std::nullopt;
}

NewFile::NewFile(NewFile&& other) noexcept
    : target_(std::move(other.target_)),
      part_(std::exchange(other.part_, "")),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

NewFile& NewFile::operator=(NewFile&& other) noexcept {
  std::swap(target_, other.target_);
  std::swap(part_, other.part_);
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

NewFile::~NewFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (part_.empty()) return;
  const Undisturbed undisturbed;
  ::unlink(part_.c_str());
  forget(part_);
}

int NewFile::close() { return ::close(std::exchange(descriptor_, -1)) == 0 ? 0 : errno; }

int NewFile::take_name(bool keep) {
  const Undisturbed undisturbed;
  // A link takes a name only where it is free; file systems without links replace it.
  if (keep && ::link(part_.c_str(), target_.c_str()) == 0)
    ::unlink(part_.c_str());
  else if (keep && errno == EEXIST)
    return EEXIST;
  else if (::rename(part_.c_str(), target_.c_str()) != 0)
    return errno;
  forget(part_);
  part_.clear();
  return 0;
}

}  // namespace irplan
