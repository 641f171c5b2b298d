#include "command_line/edge.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <system_error>

#include "command_line/arguments.h"
#include "command_line/heap.h"
#include "files/new_file.h"

namespace irplan::command {
namespace {

const char* running = "irplan";

// Memory may be short where these speak: no string is made.
void tell(const char* text) {
  if (::write(STDERR_FILENO, text, std::strlen(text)) < 0) return;
}

// "20.0 MiB"
struct Size {
  explicit Size(double bytes) {
    const char* const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    for (; bytes >= 1024 && unit + 1 < std::size(units); bytes /= 1024) ++unit;
    std::snprintf(text, sizeof text, unit ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
  }
  char text[32];
};

// Bytes of the process's address space; 0 where nobody says.
double bytes_in_use() {
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (!file) return 0;
  unsigned long pages = 0;
  const bool read = std::fscanf(file, "%lu", &pages) == 1;
  std::fclose(file);
  return read ? static_cast<double>(pages) * static_cast<double>(::sysconf(_SC_PAGESIZE)) : 0;
}

int out_of_memory() {
  char text[256];
  rlimit limit{};
  std::snprintf(text, sizeof text, "error: out of memory: %s more are needed, with %s in use",
                Size(static_cast<double>(bytes_missing())).text, Size(bytes_in_use()).text);
  tell(text);
  if (::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    std::snprintf(text, sizeof text, "; this process may use %s (ulimit -v)",
                  Size(static_cast<double>(limit.rlim_cur)).text);
    tell(text);
  }
  tell("\n");
  return kFailed;
}

int fault(const char* what) {
  tell("error: ");
  tell(running);
  tell(" met a fault of its own: ");
  tell(what);
  tell(
      "\nplease report it, with the command and the files that it read (SECURITY.md where they are "
      "secret)\n");
  return kFailed;
}

// In a thread of its own, or where nothing may be thrown.
[[noreturn]] void thrown_nowhere() {
  remove_new_files();
  int code = kFailed;
  try {
    const std::exception_ptr thrown = std::current_exception();
    if (thrown) std::rethrow_exception(thrown);
    code = fault("terminated");
  } catch (const std::bad_alloc&) {
    code = out_of_memory();
  } catch (const std::exception& error) {
    code = fault(error.what());
  } catch (...) {
    code = fault("something was thrown");
  }
  ::_exit(code);
}

}  // namespace

int guarded(const char* program, const std::function<int()>& body) {
  running = program;
  std::set_terminate(thrown_nowhere);
  hold_standard_streams();
  watch_signals();
  try {
    const int code = body();
    if (std::fflush(stdout) == 0) return code;
    return fail(kFailed, std::string("cannot write standard output: ") + std::strerror(errno));
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  } catch (const std::system_error& error) {
    // A thread that cannot start is memory or a limit of the system, not a fault.
    if (error.code() == std::errc::resource_unavailable_try_again) return fail(kFailed, error.what());
    return fault(error.what());
  } catch (const std::exception& error) {
    return fault(error.what());
  } catch (...) {
    return fault("something was thrown");
  }
}

}  // namespace irplan::command
