// The smallest honest scheduler: requests are admitted as long as the plan's budget holds their states,
// prefilled one by one, and decoded together. What happened is in the trace, and what ended is answered,
// before the next step. Of a file, time is the arrivals' and what the steps really took; nothing waits for a
// clock. Requests on standard input arrive when they are read, by the clock.
//
//     slots   [r1][r3][  ][r2]     rows of the states; a step runs on rows that lie side by side: here r1 and
//     r3, then r2
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <deque>
#include <memory>
#include <set>

#include "command_line/terminal.h"
#include "files/growing_file.h"
#include "files/write.h"
#include "runtime/trace.h"
#include "tools/irplan-run/request_input.h"
#include "tools/irplan-run/runner.h"
#include "tools/irplan-run/served.h"
#include "tools/irplan-run/slots.h"
#include "tools/irplan-run/tensors.h"
#include "tools/irplan-run/token_steps.h"

namespace irplan::run {
namespace {

constexpr int64_t kMostSlots = 4096;

using Held = std::shared_ptr<const Request>;

struct Active {
  Held request;                // null: the slot is free
  int64_t held = 0;            // tokens in the cache
  std::vector<int64_t> fresh;  // tokens that were generated
};

class Server {
 public:
  Server(const Plan& plan, Backend& backend, const Options& options)
      : plan_(plan),
        backend_(backend),
        options_(options),
        session_(plan, backend),
        live_(options.requests == "-"),
        begin_(Clock::now()) {}

  Exit run() {
    std::string why;
    std::vector<Request> requests;
    if (!live_) {
      auto read = read_requests_file(options_.requests, &why);
      if (!read) return fail(kFailed, why), kFailed;
      requests = std::move(*read);
    }
    if (!options_.trace.empty()) {
      if (auto failure = cannot_write(options_.trace)) return fail(kFailed, *failure), kFailed;
    }
    steps_ = TokenSteps::of(plan_, options_, &why);
    if (!steps_ || !steps_->holds_positions())
      return fail(kFailed, steps_ ? "--requests: the plan appends to no state" : why), kFailed;
    planner_.emplace(plan_, *steps_);
    capacity_ = planner_->capacity();
    const auto source = weights_for(plan_, options_);
    if (!source) return kFailed;
    for (Request& request : requests) receive(std::move(request));
    if (live_ || !waiting_.empty()) {
      if (!plan_slots()) return kFailed;
      if (!prepare(session_, slots_.widest, *source, backend_, options_)) return kFailed;
      std::fprintf(
          stderr,
          "slots: %lld, each of %lld tokens and %lld bytes of state; prompts in steps of up to %lld\n",
          static_cast<long long>(slots_.count), static_cast<long long>(demand_.longest),
          static_cast<long long>(slots_.state_bytes), static_cast<long long>(slots_.chunk));
    }
    if (!options_.trace.empty()) {
      auto file = GrowingFile::open(options_.trace, &why);
      if (!file) return fail(kFailed, why), kFailed;
      trace_.write_to([to = std::make_shared<GrowingFile>(std::move(*file))](const std::string& lines) {
        return to->add(lines);
      });
    }
    const Failure failure = serve();
    if (failure) fail(kFailed, *failure);
    flush_trace(!failure);
    const int64_t answered = tally_.served + tally_.rejected + tally_.failed;
    std::fputs(tally_.text(failure ? received_ - answered : 0).c_str(), stderr);
    if (failure || tally_.failed > 0 || trace_failed_ || tally_.malformed > 0) return kFailed;
    return tally_.rejected > 0 ? kDiffers : kDone;
  }

 private:
  using Clock = std::chrono::steady_clock;

  // Tokens that the cache holds when the request ends; the last token that is generated is not fed.
  static int64_t longest(const Request& r) {
    return static_cast<int64_t>(r.tokens.size()) + std::max<int64_t>(r.max_new_tokens, 1) - 1;
  }

  // Sizes only grow with positions: where its first, its last and its longest step are admitted, all are.
  std::optional<std::string> refuse(const Request& request) const {
    if (request.tokens.empty()) return "it has no tokens";
    if (request.max_new_tokens == 0) return "it asks for no new tokens";
    if (live_ && live_ids_.contains(request.id)) return "another of this req_id is being served";
    std::string why;
    const auto length = static_cast<int64_t>(request.tokens.size());
    if (capacity_ > 0 && longest(request) > capacity_)
      return "it asks for " + std::to_string(length) + " tokens of prompt and " +
             std::to_string(request.max_new_tokens) + " new ones, which keep " +
             std::to_string(longest(request)) + " tokens in the cache; the plan holds up to " +
             std::to_string(capacity_) + " of a sequence";
    for (const int64_t held : {int64_t{0}, length - 1, longest(request) - 1}) {
      const auto step = steps_->step(1, {held}, &why);
      if (!step) return why;
      if (auto over = planner_->over_budget({*step})) return over;
    }
    HostArray ids;
    ids.floats = false;
    ids.shape = {1, length};
    ids.i = request.tokens;
    return ids_outside(plan_, steps_->input(), ids, steps_->step(1, {0}, &why)->sizes.dims);
  }

  void receive(Request request) {
    ++received_;
    trace_.enqueue(request.arrival_us, request.id, request.max_new_tokens);
    if (auto reason = refuse(request)) {
      trace_.reject_on_arrival(request.arrival_us, request.id, *reason);
      ++tally_.rejected;
      command::say("rejected " + request.id + ": " + *reason);
      if (live_) answer_error("\"req_id\": " + json_text(request.id), *reason);
      return;
    }
    if (live_) live_ids_.insert(request.id);
    demand_.longest_prompt = std::max(demand_.longest_prompt, static_cast<int64_t>(request.tokens.size()));
    demand_.longest = std::max(demand_.longest, longest(request));
    waiting_.push_back(std::make_shared<const Request>(std::move(request)));
  }

  // Who waits for an answer on standard output gets one: {"req_id": …, "error": …}.
  void answer_error(const std::string& who, const std::string& why) {
    if (auto failure = write_standard_output("{" + who + ", \"error\": " + json_text(why) + "}\n"))
      fail(kFailed, *failure);
  }

  // As many slots as requests can use and the budget admits; of requests that are still to come, for any that
  // the plan can hold.
  bool plan_slots() {
    std::string why;
    demand_.at_once = std::min<int64_t>(kMostSlots, static_cast<int64_t>(waiting_.size()));
    if (live_) {
      demand_ = {kMostSlots, capacity_, capacity_};
      if (capacity_ == 0)
        return fail(kFailed, "--requests: the plan has no phase for a step of one token"), false;
    }
    auto found = planner_->plan(demand_, options_, &why);
    if (!found) return fail(kFailed, (why.rfind("--", 0) == 0 ? "" : "--requests: ") + why), false;
    slots_ = std::move(*found);
    active_.resize(static_cast<size_t>(slots_.count));
    return true;
  }

  int64_t since_begin() const {
    return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin_).count();
  }

  // What came on standard input by now; with `wait`, until something does.
  void hear(bool wait) {
    if (!live_ || stream_.ended()) return;
    for (RequestLines::Line& line : stream_.take(wait)) {
      now_us_ = std::max(now_us_, since_begin());
      if (line.request && line.why.empty()) {
        line.request->arrival_us = now_us_;
        receive(std::move(*line.request));
        continue;
      }
      ++tally_.malformed;
      fail(kFailed, "standard input:" + std::to_string(line.number) + ": " + line.why);
      answer_error(line.request ? "\"req_id\": " + json_text(line.request->id)
                                : "\"line\": " + std::to_string(line.number),
                   line.why);
    }
    flush_trace();
  }

  Failure serve() {
    int64_t running = 0;
    while (true) {
      hear(running == 0 && waiting_.empty());
      if (running == 0 && waiting_.empty()) {
        if (!live_ || stream_.ended()) return std::nullopt;
        continue;
      }
      if (running == 0) now_us_ = std::max(now_us_, waiting_.front()->arrival_us);
      for (size_t slot = 0;
           slot < active_.size() && !waiting_.empty() && waiting_.front()->arrival_us <= now_us_; ++slot) {
        if (active_[slot].request) continue;
        active_[slot] = {waiting_.front(), 0, {}};
        waiting_.pop_front();
        tally_.most_at_once = std::max(tally_.most_at_once, running + 1);
        if (auto failure = prefill(static_cast<int64_t>(slot))) return failure;
        running += active_[slot].request ? 1 : 0;
      }
      for (size_t begin = 0; begin < active_.size();) {
        const size_t end = side_by_side(begin);
        if (end == begin) {
          ++begin;
          continue;
        }
        if (auto failure = decode(static_cast<int64_t>(begin), static_cast<int64_t>(end - begin)))
          return failure;
        for (size_t slot = begin; slot < end; ++slot) running -= active_[slot].request ? 0 : 1;
        begin = end;
      }
    }
  }

  // One past the last slot from `begin` that can be decoded in one step; without ragged positions these are
  // equal ones.
  size_t side_by_side(size_t begin) const {
    size_t end = begin;
    while (end < active_.size() && active_[end].request &&
           (steps_->ragged() || active_[end].held == active_[begin].held))
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
    Active& a = active_[static_cast<size_t>(slot)];
    const int64_t batch = batches_++, length = static_cast<int64_t>(a.request->tokens.size());
    trace_.schedule(now_us_, a.request->id, batch, slots_.state_bytes);
    flush_trace();
    int64_t latency = 0;
    while (a.held < length) {
      std::string why;
      int64_t taken = 0;
      auto step = steps_->largest(std::min(slots_.chunk, length - a.held), {a.held}, &taken, &why);
      if (!step) return why;
      HostArray ids;
      ids.floats = false;
      ids.shape = {1, taken};
      ids.i.assign(a.request->tokens.begin() + a.held, a.request->tokens.begin() + a.held + taken);
      if (auto failure = run_step(*step, slot, ids, &latency)) return failure;
      a.held += taken;
    }
    tally_.read += length;
    return take_tokens(slot, 1, batch, latency);
  }

  Failure decode(int64_t first, int64_t count) {
    std::vector<int64_t> positions;
    HostArray ids;
    ids.floats = false;
    ids.shape = {count, 1};
    for (int64_t slot = first; slot < first + count; ++slot) {
      const Active& a = active_[static_cast<size_t>(slot)];
      positions.push_back(a.held);
      ids.i.push_back(a.fresh.back());
    }
    std::string why;
    const auto step = steps_->step(1, positions, &why);
    if (!step) return why;
    int64_t latency = 0;
    if (auto failure = run_step(*step, first, ids, &latency)) return failure;
    tally_.step(latency);
    for (int64_t slot = first; slot < first + count; ++slot) ++active_[static_cast<size_t>(slot)].held;
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
    tally_.busy_us += took;
    now_us_ = live_ ? std::max(now_us_ + 1, since_begin()) : now_us_ + took;
    return std::nullopt;
  }

  // The next token of each row, and what ends with it.
  Failure take_tokens(int64_t first, int64_t count, int64_t batch, int64_t latency) {
    if (!logits_.floats || logits_.shape.empty() || logits_.shape[0] != count || logits_.count() == 0)
      return "logits are " + text(logits_.shape) + ", not [B, S, V] of floats";
    const int64_t width = logits_.shape.back(), row = logits_.count() / count;
    for (int64_t i = 0; i < count; ++i) {
      Active& a = active_[static_cast<size_t>(first + i)];
      const float* values = logits_.f.data() + (i + 1) * row - width;
      if (std::any_of(values, values + width, [](float x) { return std::isnan(x); })) {
        drop(a, "its logits hold NaN after " + std::to_string(a.held) + " tokens");
        continue;
      }
      a.fresh.push_back(std::max_element(values, values + width) - values);
      ++tally_.generated;
      if (a.fresh.size() == 1) tally_.first_token(now_us_ - a.request->arrival_us);
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
    if (live_) answer_error("\"req_id\": " + json_text(a.request->id), reason);
    ++tally_.failed;
    live_ids_.erase(a.request->id);
    a = {};
  }

  // The answer is out before the next step: it is nobody's to lose.
  Failure complete(Active& a) {
    const auto total = static_cast<int64_t>(a.request->tokens.size() + a.fresh.size());
    trace_.complete(now_us_, a.request->id, total, now_us_ - a.request->arrival_us);
    std::string answer = "{\"req_id\": " + json_text(a.request->id) + ", \"tokens\": [";
    for (size_t i = 0; i < a.fresh.size(); ++i) answer += (i ? ", " : "") + std::to_string(a.fresh[i]);
    answer += "]}\n";
    live_ids_.erase(a.request->id);
    a = {};
    flush_trace();
    if (auto failure = write_standard_output(answer)) return failure;
    ++tally_.served;
    return std::nullopt;
  }

  const Plan& plan_;
  Backend& backend_;
  const Options& options_;
  Session session_;
  std::optional<TokenSteps> steps_;
  std::optional<SlotPlanner> planner_;
  bool live_;  // requests come on standard input
  Clock::time_point begin_;
  RequestInput stream_;
  std::set<std::string> live_ids_;  // of such requests, until they are answered
  std::deque<Held> waiting_;        // by arrival
  Demand demand_;
  Slots slots_;
  std::vector<Active> active_;  // by slot
  HostArray logits_;
  Trace trace_;
  Served tally_;
  int64_t capacity_ = 0;  // tokens that a sequence can hold
  int64_t now_us_ = 0, batches_ = 0, received_ = 0;
  bool trace_failed_ = false;
};

}  // namespace

Exit run_requests(const Plan& plan, Backend& backend, const Options& options) {
  return Server(plan, backend, options).run();
}

}  // namespace irplan::run
