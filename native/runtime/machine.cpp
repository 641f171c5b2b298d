#include "runtime/machine.h"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <sstream>

namespace irplan {
namespace {

std::optional<double> number_in(const std::string& path) {
  std::ifstream file(path);
  double number = 0;
  return file >> number ? std::optional(number) : std::nullopt;
}

}  // namespace

size_t machine_bytes() {
  const long pages = ::sysconf(_SC_PHYS_PAGES), page = ::sysconf(_SC_PAGESIZE);
  return pages > 0 && page > 0 ? static_cast<size_t>(pages) * static_cast<size_t>(page) : SIZE_MAX;
}

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("model name", 0) != 0 && line.rfind("CPU part", 0) != 0) continue;
    const size_t at = line.find(": ");
    return at == std::string::npos ? "" : line.substr(at + 2);
  }
  return "";
}

// The first line of /proc/stat: user nice system idle iowait irq softirq steal, in ticks.
ProcessorTimes processor_times() {
  ProcessorTimes out;
  std::ifstream file("/proc/stat");
  std::string line;
  if (!std::getline(file, line)) return out;
  std::istringstream words(line.substr(std::min<size_t>(line.size(), 4)));
  const double tick = 1.0 / static_cast<double>(std::max<long>(1, ::sysconf(_SC_CLK_TCK)));
  double ticks = 0;
  for (int i = 0; i < 8 && words >> ticks; ++i) {
    out.all += ticks * tick;
    if (i == 3 || i == 4) out.idle += ticks * tick;
    if (i == 7) out.stolen = ticks * tick;
  }
  timespec own{};
  if (::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own) == 0)
    out.own = static_cast<double>(own.tv_sec) + static_cast<double>(own.tv_nsec) * 1e-9;
  return out;
}

std::optional<double> clock_share() {
  std::optional<double> least;
  for (int cpu = 0;; ++cpu) {
    const std::string folder = "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/cpufreq/";
    const auto now = number_in(folder + "scaling_cur_freq"), most = number_in(folder + "cpuinfo_max_freq");
    if (!now || !most || *most <= 0) return least;
    least = std::min(least.value_or(1), *now / *most);
  }
}

}  // namespace irplan
