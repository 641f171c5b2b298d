// The smallest honest scheduler: requests are admitted as long as the plan's budget holds their states,
// prefilled one by one, and decoded together. What happened is in the trace, and what ended is answered,
// before the next step. Time is the arrivals' and what the steps really took; nothing waits for a clock.
//
//     slots   [r1][r3][  ][r2]     rows of the states; a step runs on rows that lie side by side: here r1 and
//     r3, then r2
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <deque>

#include "command_line/terminal.h"
#include "files/write.h"
#include "tools/irplan-run/requests.h"
#include "tools/irplan-run/runner.h"
#include "tools/irplan-run/tensors.h"
#include "tools/irplan-run/token_steps.h"

namespace irplan::run {
namespace {

constexpr int64_t kMostSlots = 4096;

struct Active {
  const Request* request = nullptr;  // null: the slot is free
  int64_t held = 0;                  // tokens in the cache
  std::vector<int64_t> fresh;        // tokens that were generated
};

class Server {
 public:
  Server(const Plan& plan, Backend& backend, const Options& options)
      : plan_(plan), backend_(backend), options_(options), session_(plan, backend) {}

  Exit run() {
    std::string why;
    auto requests = read_requests(options_.requests, &why);
    if (!requests) return fail(kFailed, why), kFailed;
    if (!options_.trace.empty()) {
      if (auto failure = cannot_write(options_.trace)) return fail(kFailed, *failure), kFailed;
    }
    steps_ = TokenSteps::of(plan_, options_, &why);
    if (!steps_ || !steps_->holds_positions())
      return fail(kFailed, steps_ ? "--requests: the plan appends to no state" : why), kFailed;
    const auto source = weights_for(plan_, options_);
    if (!source) return kFailed;
    for (const Request& request : *requests) receive(request);
    if (!waiting_.empty()) {
      if (!plan_slots()) return kFailed;
      if (!prepare(session_, widest_, *source, backend_, options_)) return kFailed;
    }
    if (!options_.trace.empty()) {
      auto file = GrowingFile::open(options_.trace, &why);
      if (!file) return fail(kFailed, why), kFailed;
      trace_.write_to(std::move(*file));
    }
    const Failure failure = serve();
    if (failure) fail(kFailed, *failure);
    flush_trace(!failure);
    std::fprintf(stderr, "served %lld requests, rejected %lld", static_cast<long long>(served_),
                 static_cast<long long>(rejected_));
    if (failed_ > 0) std::fprintf(stderr, ", failed %lld", static_cast<long long>(failed_));
    if (failure)
      std::fprintf(
          stderr, ", unanswered %lld",
          static_cast<long long>(requests->size()) - static_cast<long long>(served_ + rejected_ + failed_));
    std::fprintf(stderr, ", in %.3f s of steps\n", static_cast<double>(busy_us_) * 1e-6);
    return failure || failed_ > 0 || trace_failed_ ? kFailed : kDone;
  }

 private:
  // Tokens that the cache holds when the request ends; the last token that is generated is not fed.
  static int64_t longest(const Request& r) {
    return static_cast<int64_t>(r.tokens.size()) + std::max<int64_t>(r.max_new_tokens, 1) - 1;
  }

  std::optional<std::string> refuse(const Request& request) {
    if (request.tokens.empty()) return "it has no tokens";
    if (request.max_new_tokens == 0) return "it asks for no new tokens";
    std::string why;
    const int64_t length = static_cast<int64_t>(request.tokens.size());
    for (int64_t at = 0; at < length;) {
      int64_t taken = 0;
      auto step = steps_->largest(length - at, {at}, &taken, &why);
      if (!step) return why;
      at += taken;
      if (auto over = over_budget({*step})) return over;
      prefills_.push_back(std::move(*step));
    }
    if (longest(request) > length) {
      const auto last = steps_->step(1, {longest(request) - 1}, &why);
      if (!last) return why;
      if (auto over = over_budget({*last})) return over;
    }
    HostArray ids;
    ids.floats = false;
    ids.shape = {1, length};
    ids.i = request.tokens;
    return ids_outside(plan_, steps_->input(), ids, prefills_.back().sizes.dims);
  }

  void receive(const Request& request) {
    trace_.enqueue(request.arrival_us, request.id, request.max_new_tokens);
    if (auto reason = refuse(request)) {
      trace_.reject_on_arrival(request.arrival_us, request.id, *reason);
      ++rejected_;
      command::say("rejected " + request.id + ": " + *reason);
      return;
    }
    waiting_.push_back(&request);
    longest_ = std::max(longest_, longest(request));
  }

  // The most of each segment over the steps; of one phase alone where one is named. None where a number
  // exceeds 64 bits.
  std::optional<SegmentBytes> most_of(const std::vector<Step>& steps, const std::string& phase) const {
    SegmentBytes most;
    for (const Step& step : steps) {
      if (!phase.empty() && phase != step.phase) continue;
      const auto bytes = predicted_bytes(plan_, step.phase, step.sizes.dims);
      if (!bytes) return std::nullopt;
      most.weights = std::max(most.weights, bytes->weights);
      most.state = std::max(most.state, bytes->state);
      most.inputs = std::max(most.inputs, bytes->inputs);
      most.arena = std::max(most.arena, bytes->arena);
    }
    return most;
  }

  // A budget in bytes that these steps would break, in its own words.
  std::optional<std::string> over_budget(const std::vector<Step>& steps) const {
    for (const Plan::Budget& budget : plan_.budget) {
      if (!budget.limit) continue;
      const auto most = most_of(steps, budget.phase);
      const auto used = most ? counted_bytes(budget, *most) : std::nullopt;
      if (!used) return "its bytes exceed 64 bits";
      int64_t limit = INT64_MAX;
      for (const Step& step : steps)
        limit = std::min(limit, evaluate(*budget.limit, step.sizes.dims).value_or(0));
      if (*used <= limit) continue;
      return "over the budget `" + budget.expr + "`: " + std::to_string(*used) + " of " +
             std::to_string(limit) + " bytes";
    }
    return std::nullopt;
  }

  std::optional<std::vector<Step>> steps_for(int64_t slots) const {
    std::string why;
    const std::vector<int64_t> positions(static_cast<size_t>(slots), longest_ - 1);
    auto step = steps_->step(1, positions, &why);
    if (!step) return std::nullopt;
    std::vector<Step> steps = prefills_;
    steps.push_back(std::move(*step));
    if (over_budget(steps)) return std::nullopt;
    return steps;
  }

  // As many slots as requests can use and the budget admits.
  bool plan_slots() {
    int64_t low = 0, high = std::min<int64_t>(kMostSlots, static_cast<int64_t>(waiting_.size())) + 1;
    while (high - low > 1) {
      const int64_t middle = low + (high - low) / 2;
      auto steps = steps_for(middle);
      (steps ? low : high) = middle;
      if (steps) widest_ = std::move(*steps);
    }
    if (low == 0)
      return fail(kFailed, "--requests: the budget holds no sequence of " + std::to_string(longest_) +
                               " tokens, which the longest request needs"),
             false;
    for (const Step& step : widest_) {
      if (auto failure = check_step(plan_, step)) return fail(kFailed, *failure), false;
    }
    slots_.resize(static_cast<size_t>(low));
    std::string why;
    const auto one = steps_->step(1, {longest_ - 1}, &why);
    const auto bytes = one ? predicted_bytes(plan_, one->phase, one->sizes.dims) : std::nullopt;
    kv_bytes_ = bytes ? bytes->state : 0;
    return true;
  }

  Failure serve() {
    int64_t active = 0;
    while (active > 0 || !waiting_.empty()) {
      if (active == 0) now_us_ = std::max(now_us_, waiting_.front()->arrival_us);
      for (size_t slot = 0;
           slot < slots_.size() && !waiting_.empty() && waiting_.front()->arrival_us <= now_us_; ++slot) {
        if (slots_[slot].request) continue;
        slots_[slot] = {waiting_.front(), 0, {}};
        waiting_.pop_front();
        if (auto failure = prefill(static_cast<int64_t>(slot))) return failure;
        active += slots_[slot].request ? 1 : 0;
      }
      for (size_t begin = 0; begin < slots_.size();) {
        const size_t end = side_by_side(begin);
        if (end == begin) {
          ++begin;
          continue;
        }
        if (auto failure = decode(static_cast<int64_t>(begin), static_cast<int64_t>(end - begin)))
          return failure;
        for (size_t slot = begin; slot < end; ++slot) active -= slots_[slot].request ? 0 : 1;
        begin = end;
      }
    }
    return std::nullopt;
  }

  // One past the last slot from `begin` that can be decoded in one step; without ragged positions these are
  // equal ones.
  size_t side_by_side(size_t begin) const {
    size_t end = begin;
    while (end < slots_.size() && slots_[end].request &&
           (steps_->ragged() || slots_[end].held == slots_[begin].held))
      ++end;
    return end;
  }

  // A trace that cannot be written is told; the requests are answered all the same.
  void flush_trace(bool all = false) {
    const auto failure = trace_.flush(all);
    if (!failure) return;
    trace_failed_ = true;
    fail(kFailed, *failure);
  }

  Failure prefill(int64_t slot) {
    Active& a = slots_[static_cast<size_t>(slot)];
    const int64_t batch = batches_++, length = static_cast<int64_t>(a.request->tokens.size());
    trace_.schedule(now_us_, a.request->id, batch, kv_bytes_);
    flush_trace();
    int64_t latency = 0;
    while (a.held < length) {
      std::string why;
      int64_t taken = 0;
      auto step = steps_->largest(length - a.held, {a.held}, &taken, &why);
      if (!step) return why;
      HostArray ids;
      ids.floats = false;
      ids.shape = {1, taken};
      ids.i.assign(a.request->tokens.begin() + a.held, a.request->tokens.begin() + a.held + taken);
      if (auto failure = run_step(*step, slot, ids, &latency)) return failure;
      a.held += taken;
    }
    return take_tokens(slot, 1, batch, latency);
  }

  Failure decode(int64_t first, int64_t count) {
    std::vector<int64_t> positions;
    HostArray ids;
    ids.floats = false;
    ids.shape = {count, 1};
    for (int64_t slot = first; slot < first + count; ++slot) {
      const Active& a = slots_[static_cast<size_t>(slot)];
      positions.push_back(a.held);
      ids.i.push_back(a.fresh.back());
    }
    std::string why;
    const auto step = steps_->step(1, positions, &why);
    if (!step) return why;
    int64_t latency = 0;
    if (auto failure = run_step(*step, first, ids, &latency)) return failure;
    for (int64_t slot = first; slot < first + count; ++slot) ++slots_[static_cast<size_t>(slot)].held;
    return take_tokens(first, count, batches_++, latency);
  }

  Failure run_step(Step step, int64_t first_slot, const HostArray& ids, int64_t* latency) {
    const auto begin = std::chrono::steady_clock::now();
    step.first_slot = first_slot;
    if (auto failure = session_.bind(step)) return failure;
    if (auto failure = session_.set_input(steps_->input(), ids)) return failure;
    if (auto failure = session_.run()) return failure;
    const Plan::Output* output = find_output(plan_, "logits", step.phase);
    if (!output) return "--requests needs an output `logits`, which phase " + step.phase + " lacks";
    std::string why;
    auto logits = session_.read(output->value, &why);
    if (!logits) return why;
    logits_ = std::move(*logits);
    const auto us =
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin)
            .count();
    const int64_t took = std::max<int64_t>(1, us);
    *latency += took;
    busy_us_ += took;
    now_us_ += took;
    return std::nullopt;
  }

  // The next token of each row, and what ends with it.
  Failure take_tokens(int64_t first, int64_t count, int64_t batch, int64_t latency) {
    if (!logits_.floats || logits_.shape.empty() || logits_.shape[0] != count || logits_.count() == 0)
      return "logits are " + text(logits_.shape) + ", not [B, S, V] of floats";
    const int64_t width = logits_.shape.back(), row = logits_.count() / count;
    for (int64_t i = 0; i < count; ++i) {
      Active& a = slots_[static_cast<size_t>(first + i)];
      const float* values = logits_.f.data() + (i + 1) * row - width;
      if (std::any_of(values, values + width, [](float x) { return std::isnan(x); })) {
        drop(a, "its logits hold NaN after " + std::to_string(a.held) + " tokens");
        continue;
      }
      a.fresh.push_back(std::max_element(values, values + width) - values);
      trace_.decode(now_us_, a.request->id, batch, static_cast<int64_t>(a.fresh.size()) - 1, latency);
      const bool full = static_cast<int64_t>(a.fresh.size()) == a.request->max_new_tokens;
      if (!full && options_.eos != a.fresh.back()) continue;
      if (auto failure = complete(a)) return failure;
    }
    flush_trace();
    return std::nullopt;
  }

  // One request that fails ends alone.
  void drop(Active& a, const std::string& reason) {
    trace_.reject(now_us_, a.request->id, reason);
    fail(kFailed, "request " + json_text(a.request->id) + ": " + reason);
    ++failed_;
    a = {};
  }

  // The answer is out before the next step: it is nobody's to lose.
  Failure complete(Active& a) {
    const auto total = static_cast<int64_t>(a.request->tokens.size() + a.fresh.size());
    trace_.complete(now_us_, a.request->id, total, now_us_ - a.request->arrival_us);
    std::string answer = "{\"req_id\": " + json_text(a.request->id) + ", \"tokens\": [";
    for (size_t i = 0; i < a.fresh.size(); ++i) answer += (i ? ", " : "") + std::to_string(a.fresh[i]);
    answer += "]}\n";
    a = {};
    flush_trace();
    if (auto failure = write_standard_output(answer)) return failure;
    ++served_;
    return std::nullopt;
  }

  const Plan& plan_;
  Backend& backend_;
  const Options& options_;
  Session session_;
  std::optional<TokenSteps> steps_;
  std::deque<const Request*> waiting_;  // by arrival
  std::vector<Active> slots_;
  std::vector<Step> prefills_, widest_;
  HostArray logits_;
  Trace trace_;
  int64_t longest_ = 1, kv_bytes_ = 0, now_us_ = 0, busy_us_ = 0, batches_ = 0;
  int64_t served_ = 0, rejected_ = 0, failed_ = 0;  // requests
  bool trace_failed_ = false;
};

}  // namespace

Exit run_requests(const Plan& plan, Backend& backend, const Options& options) {
  return Server(plan, backend, options).run();
}

}  // namespace irplan::run
