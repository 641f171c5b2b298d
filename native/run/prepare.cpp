#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "run/runner.h"

namespace irplan::run {
namespace {

constexpr double kQuietSeconds = 0.5;  // loading that is faster is not told

class Progress {
 public:
  explicit Progress(bool verbose)
      : shown_(verbose || ::isatty(STDERR_FILENO)), begin_(std::chrono::steady_clock::now()) {}
  void operator()(int64_t done, int64_t total) {
    const double now = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
    if (!shown_ || now < last_ + kQuietSeconds) return;
    last_ = now;
    told_ = true;
    std::fprintf(stderr, "\rloading weights: %.1f of %.1f MiB", static_cast<double>(done) / (1 << 20),
                 static_cast<double>(total) / (1 << 20));
  }
  ~Progress() {
    if (told_) std::fputc('\n', stderr);
  }

 private:
  bool shown_, told_ = false;
  double last_ = 0;
  std::chrono::steady_clock::time_point begin_;
};

void tell(const WeightReport& report) {
  constexpr size_t kNamed = 6;
  if (!report.unread.empty()) {
    std::string names;
    for (size_t i = 0; i < report.unread.size() && i < kNamed; ++i)
      names += (i ? ", " : "") + report.unread[i];
    if (report.unread.size() > kNamed) names += ", …";
    std::fprintf(stderr, "note: %zu tensors of the weights are read by nothing: %s\n", report.unread.size(),
                 names.c_str());
  }
  if (report.quantised.empty()) return;
  const WeightReport::Quantised* worst = &report.quantised[0];
  for (const auto& q : report.quantised) {
    if (q.error > worst->error) worst = &q;
  }
  std::fprintf(stderr, "note: quantised %zu weights; the largest error is %.3g of the rms, in %s\n",
               report.quantised.size(), worst->error, worst->id.c_str());
}

}  // namespace

std::optional<WeightSource> weights_for(const Plan& plan, const Options& options) {
  size_t params = 0;
  for (const Plan::Value& value : plan.values) params += value.kind == Plan::Kind::Param;
  if (options.weights.empty()) {
    if (params == 0) return WeightSource{};
    fail(kFailed,
         "the plan reads " + std::to_string(params) + " weights: say --weights FILE, DIR or random:SEED");
    return std::nullopt;
  }
  std::string why;
  auto source = open_weights(options.weights, &why);
  if (!source) fail(kFailed, why);
  return source;
}

bool prepare(Session& session, const std::vector<Step>& widest, const WeightSource& source,
             const Backend& backend, const Options& options) {
  {
    Progress progress(options.verbose);
    if (auto failure = session.prepare(widest, source,
                                       [&](int64_t done) { progress(done, session.predicted().weights); })) {
      fail(kFailed, *failure);
      return false;
    }
  }
  tell(session.weights());
  const SegmentBytes& a = session.allocated();
  const SegmentBytes& p = session.predicted();
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
