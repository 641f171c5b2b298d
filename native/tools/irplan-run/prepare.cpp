#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "command_line/terminal.h"
#include "files/write.h"
#include "runtime/open_weights.h"
#include "tools/irplan-run/figures.h"
#include "tools/irplan-run/runner.h"

namespace irplan::run {
namespace {

constexpr double kQuietSeconds = 0.5;  // between two lines; a terminal is not told of loading that is faster
constexpr size_t kNamed = 6;           // of what a note is about, unless all are asked for

// On a terminal one line that changes; with -v elsewhere a line now and then, the first at once.
class Progress {
 public:
  explicit Progress(bool verbose)
      : terminal_(::isatty(STDERR_FILENO)),
        shown_(verbose || terminal_),
        last_(terminal_ ? 0 : -kQuietSeconds),
        begin_(std::chrono::steady_clock::now()) {}

  void operator()(int64_t done, int64_t total) {
    const double now = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
    if (!shown_ || now < last_ + kQuietSeconds) return;
    last_ = now;
    told_ = true;
    std::fprintf(stderr, "%sloading weights: %.1f of %.1f MiB, %.1f s%s", terminal_ ? "\r" : "",
                 static_cast<double>(done) / (1 << 20), static_cast<double>(total) / (1 << 20), now,
                 terminal_ ? "\33[K" : "\n");
  }
  ~Progress() {
    if (told_ && terminal_) std::fputc('\n', stderr);
  }

 private:
  bool terminal_, shown_, told_ = false;
  double last_;
  std::chrono::steady_clock::time_point begin_;
};

// "a, b and 7 more; -v names all"
std::string some_of(const std::vector<std::string>& names, bool all) {
  const size_t shown = all ? names.size() : std::min(names.size(), kNamed);
  std::string out;
  for (size_t i = 0; i < shown; ++i) out += (i ? ", " : "") + names[i];
  if (shown < names.size())
    out += " and " + std::to_string(names.size() - shown) + " more; -v names all of them";
  return out;
}

std::string three_digits(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", x);
  return text;
}

void tell(const WeightReport& report, bool all) {
  using command::say;
  if (!report.unread.empty())
    say("note: " + counted(static_cast<int64_t>(report.unread.size()), "tensor") + " of the weights " +
        (report.unread.size() == 1 ? "is" : "are") + " read by nothing: " + some_of(report.unread, all));
  if (!report.turned.empty())
    say("note: extents in another order, which loading does not transpose: " + some_of(report.turned, all));
  if (report.quantised.empty()) return;
  const WeightReport::Quantised* worst = &report.quantised[0];
  for (const auto& q : report.quantised) {
    if (q.error > worst->error) worst = &q;
    if (all)
      say("quantised " + q.id + " from " + q.from + " to " + name(q.to) + ": error " + three_digits(q.error) +
          " of its rms");
  }
  say("note: quantised " + counted(static_cast<int64_t>(report.quantised.size()), "weight") +
      "; the error is " + three_digits(report.error) + " of the rms over all, at most " +
      three_digits(worst->error) + ", in " + worst->id);
}

}  // namespace

void ScheduleReport::show(const Plan& plan, const Session& session, const Step& step) {
  if (!wanted_) return;
  const Schedule* schedule = session.schedule();
  if (!schedule) {
    std::fprintf(stderr, "phase %s: the reference executor runs the plan itself, without records\n",
                 step.phase.c_str());
    wanted_ = false;
    return;
  }
  if (std::find(shown_.begin(), shown_.end(), schedule) != shown_.end()) return;
  shown_.push_back(schedule);
  std::string sizes;
  for (size_t d = 0; d < plan.dims.size(); ++d)
    sizes += (d ? ", " : "") + plan.dims[d].name + "=" + std::to_string(step.sizes.dims[d]);
  std::fprintf(stderr, "phase %s at %s\n%s", step.phase.c_str(), sizes.c_str(),
               text(plan, *schedule).c_str());
}

Failure cannot_write_reports(const Options& options) {
  for (const std::string* path : {&options.times_file, &options.profile_file, &options.trace_file}) {
    if (path->empty()) continue;
    if (auto failure = cannot_write(*path)) return failure;
  }
  return std::nullopt;
}

std::optional<WeightSource> weights_for(const Plan& plan, const Options& options) {
  size_t params = 0;
  for (const Plan::Value& value : plan.values) params += value.kind == Plan::Kind::Param;
  if (options.weights.empty()) {
    if (params == 0) return WeightSource{};
    fail(kFailed,
         "the plan reads " + std::to_string(params) + " weights: say --weights FILE, DIR or random:SEED");
    return std::nullopt;
  }
  auto source = open_weights(options.weights);
  if (source) return *std::move(source);
  fail(kFailed, source.message());
  return std::nullopt;
}

bool prepare(Session& session, const std::vector<Step>& widest, const WeightSource& source,
             const Backend& backend, const Options& options) {
  {
    Progress progress(options.verbose);
    const auto tell_progress = [&](int64_t done, int64_t total) { progress(done, total); };
    if (auto failure = session.prepare(widest, source, tell_progress)) {
      fail(kFailed, *failure);
      return false;
    }
  }
  tell(session.weights(), options.verbose);
  const PerSegment& a = session.allocated();
  const PerSegment& p = session.predicted();
  std::fprintf(
      stderr,
      "memory: weights %lld + state %lld + inputs %lld + arena %lld bytes; predicted %lld, allocated %lld\n",
      static_cast<long long>(a.weights), static_cast<long long>(a.state), static_cast<long long>(a.inputs),
      static_cast<long long>(a.arena), static_cast<long long>(p.total().value_or(0)),
      static_cast<long long>(a.total().value_or(0)));
  if (options.verbose) {
    std::fprintf(stderr, "backend: %s, %s\n", backend.name(), backend.device().c_str());
    if (session.memory().loading_bytes() > 0)
      std::fprintf(stderr, "folding: %lld bytes, freed\n",
                   static_cast<long long>(session.memory().loading_bytes()));
  }
  if (a == p) return true;
  fail(kFailed, "allocated bytes are not the predicted ones");
  return false;
}

}  // namespace irplan::run
