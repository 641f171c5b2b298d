// Continuous batching: requests are admitted as long as the plan's budget holds their states, and each step
// takes the sequences that do best together (batches.h); they join and leave at every step, and lie in any
// slots. What happened is in the trace, and what ended is answered, before the next step. Of a file, time is
// the arrivals' and what the steps really took; nothing waits for a clock. Requests on standard input arrive
// when they are read, by the clock.
//
//     slots   [r1][r3][  ][r2]     rows of the states; a step of r1, r3 and r2 names their rows
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <deque>
#include <memory>
#include <set>
#include <utility>

#include "command_line/arguments.h"
#include "command_line/terminal.h"
#include "files/growing_file.h"
#include "files/write.h"
#include "runtime/trace.h"
#include "tools/irplan-run/batches.h"
#include "tools/irplan-run/request_input.h"
#include "tools/irplan-run/runner.h"
#include "tools/irplan-run/served.h"
#include "tools/irplan-run/slots.h"
#include "tools/irplan-run/tensors.h"
#include "tools/irplan-run/token_steps.h"

namespace irplan::run {
namespace {

constexpr int64_t kMostSlots = 4096;
constexpr size_t kMostKeysTold = 8;  // unknown keys of requests

using Held = std::shared_ptr<const Request>;

struct Active {
  Held request;                // null: the slot is free
  int64_t order = 0;           // of admission
  int64_t held = 0;            // tokens in the cache
  std::vector<int64_t> fresh;  // tokens that were generated
  Sampler sampler;

  int64_t prompt() const { return static_cast<int64_t>(request->tokens.size()); }
  int64_t pending() const { return prompt() + static_cast<int64_t>(fresh.size()) - held; }
  int64_t token(int64_t at) const {
    return at < prompt() ? request->tokens[static_cast<size_t>(at)]
                         : fresh[static_cast<size_t>(at - prompt())];
  }
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
    std::vector<Request> requests;
    if (!live_) {
      auto read = read_requests_file(options_.requests);
      if (!read) return fail(kFailed, read.message()), kFailed;
      requests = std::move(*read);
    }
    if (!options_.trace.empty()) {
      if (auto failure = cannot_write(options_.trace)) return fail(kFailed, *failure), kFailed;
    }
    auto steps = TokenSteps::of(plan_, options_);
    if (!steps) return fail(kFailed, steps.message()), kFailed;
    steps_ = *std::move(steps);
    if (!steps_->holds_positions()) return fail(kFailed, "--requests: the plan appends to no state"), kFailed;
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
      auto file = GrowingFile::open(options_.trace);
      if (!file) return fail(kFailed, file.message()), kFailed;
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
    const auto length = static_cast<int64_t>(request.tokens.size());
    if (capacity_ > 0 && longest(request) > capacity_)
      return "it asks for " + std::to_string(length) + " tokens of prompt and " +
             std::to_string(request.max_new_tokens) + " new ones, which keep " +
             std::to_string(longest(request)) + " tokens in the cache; the plan holds up to " +
             std::to_string(capacity_) + " of a sequence";
    for (const int64_t held : {int64_t{0}, length - 1, longest(request) - 1}) {
      const auto step = steps_->step(1, {held});
      if (!step) return step.message();
      if (auto over = planner_->over_budget({*step})) return over;
    }
    HostArray ids;
    ids.floats = false;
    ids.shape = {1, length};
    ids.i = request.tokens;
    return ids_outside(plan_, steps_->input(), ids, steps_->step(1, {0})->sizes.dims);
  }

  // A misspelt `temperature` would change every answer without a word: each such key is told once.
  void tell_unread(const Request& request) {
    for (const std::string& key : request.unread) {
      if (told_keys_.size() == kMostKeysTold || !told_keys_.insert(key).second) continue;
      command::say("note: nothing reads `" + key + "` of a request" +
                   command::did_you_mean(key, Request::keys()));
    }
  }

  void receive(Request request) {
    ++received_;
    tell_unread(request);
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
  static std::string error_line(const std::string& who, const std::string& why) {
    return "{" + who + ", \"error\": " + json_text(why) + "}\n";
  }
  void answer_error(const std::string& who, const std::string& why) {
    if (auto failure = write_standard_output(error_line(who, why))) fail(kFailed, *failure);
  }

  // As many slots as requests can use and the budget admits; of requests that are still to come, for any that
  // the plan can hold.
  bool plan_slots() {
    demand_.at_once = std::min<int64_t>(kMostSlots, static_cast<int64_t>(waiting_.size()));
    if (live_) {
      demand_ = {kMostSlots, capacity_, capacity_};
      if (capacity_ == 0)
        return fail(kFailed, "--requests: the plan has no phase for a step of one token"), false;
    }
    auto found = planner_->plan(demand_, options_);
    if (!found)
      return fail(kFailed, (found.message().rfind("--", 0) == 0 ? "" : "--requests: ") + found.message()),
             false;
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
    while (true) {
      hear(running_ == 0 && waiting_.empty());
      if (running_ == 0 && waiting_.empty()) {
        if (!live_ || stream_.ended()) return std::nullopt;
        continue;
      }
      if (running_ == 0) now_us_ = std::max(now_us_, waiting_.front()->arrival_us);
      admit();
      const Batch prompts = next_prompts(pending(), slots_.most_tokens, steps_->mixed());
      if (auto failure = run(prompts)) return failure;
      // Whoever decodes waits for one step of prompts at most.
      Batch decodes = decoding(pending());
      remove(decodes, prompts.slots);
      if (auto failure = run(decodes)) return failure;
    }
  }

  void admit() {
    for (size_t slot = 0;
         slot < active_.size() && !waiting_.empty() && waiting_.front()->arrival_us <= now_us_; ++slot) {
      if (active_[slot].request) continue;
      const Held& next = waiting_.front();
      active_[slot] = {next, admitted_++, 0, {}, Sampler(next->sampling.over(options_.sampling))};
      trace_.schedule(now_us_, next->id, batches_, slots_.state_bytes);
      waiting_.pop_front();
      tally_.most_at_once = std::max(tally_.most_at_once, ++running_);
    }
  }

  std::vector<Pending> pending() const {
    std::vector<Pending> out;
    for (size_t slot = 0; slot < active_.size(); ++slot) {
      const Active& a = active_[slot];
      if (a.request) out.push_back({slot, std::min(a.pending(), slots_.chunk), a.order});
    }
    return out;
  }

  // Those that are in a step already; what a step of prompts left with one token waits for the next round.
  static void remove(Batch& from, const std::vector<size_t>& slots) {
    Batch rest;
    for (size_t i = 0; i < from.slots.size(); ++i) {
      if (std::find(slots.begin(), slots.end(), from.slots[i]) != slots.end()) continue;
      rest.slots.push_back(from.slots[i]);
      rest.counts.push_back(from.counts[i]);
    }
    from = std::move(rest);
  }

  std::vector<int64_t> positions(const Batch& batch) const {
    std::vector<int64_t> out;
    for (const size_t slot : batch.slots) out.push_back(active_[slot].held);
    return out;
  }

  // Whether a step of all of them is admitted, and fits into the memory that there is.
  Result<Step> step_of(const Batch& batch) const {
    auto step = steps_->step(batch.counts, positions(batch));
    if (!step) return step;
    const bool together = batch.slots.size() == 1 || session_.any_slots(step->phase) ||
                          batch.slots.back() - batch.slots[0] + 1 == batch.slots.size();
    const auto bytes = predicted_bytes(plan_, step->phase, step->sizes.dims);
    const bool fits =
        bytes && bytes->arena <= session_.allocated().arena && bytes->inputs <= session_.allocated().inputs;
    if (!together || !fits) return Error{"it is too large"};
    if (session_.any_slots(step->phase)) step->sizes.slots.assign(batch.slots.begin(), batch.slots.end());
    return step;
  }

  // In one step, or in as many as the plan needs: as many sequences in each as it admits.
  Failure run(const Batch& batch) {
    for (size_t begin = 0; begin < batch.slots.size();) {
      const auto first = static_cast<std::ptrdiff_t>(begin);
      const auto part = [&](size_t end) {
        const auto last = static_cast<std::ptrdiff_t>(end);
        return Batch{{batch.slots.begin() + first, batch.slots.begin() + last},
                     {batch.counts.begin() + first, batch.counts.begin() + last}};
      };
      size_t end = batch.slots.size();
      auto step = step_of(part(end));
      while (!step && end > begin + 1) step = step_of(part(--end));
      Batch now = part(end);
      if (!step) step = steps_->largest(now.counts[0], positions(now), &now.counts[0]);
      if (!step) return step.message();
      step->first_slot = static_cast<int64_t>(now.slots[0]);
      if (auto failure = run_step(now, *step)) return failure;
      begin = end;
    }
    return std::nullopt;
  }

  // A trace that cannot be written is told; the requests are answered all the same.
  void flush_trace(bool all = false) {
    const auto failure = trace_.flush(all);
    if (!failure) return;
    trace_failed_ = true;
    fail(kFailed, *failure);
  }

  Failure run_step(const Batch& batch, const Step& step) {
    const int64_t id = batches_++, count = batch.count();
    HostArray& ids = ids_;
    ids.floats = false;
    ids.shape = {static_cast<int64_t>(batch.slots.size()), count};
    ids.i.assign(batch.slots.size() * static_cast<size_t>(count), 0);
    last_.clear();
    for (size_t row = 0; row < batch.slots.size(); ++row) {
      Active& a = active_[batch.slots[row]];
      for (int64_t i = 0; i < batch.counts[row]; ++i)
        ids.i[row * static_cast<size_t>(count) + static_cast<size_t>(i)] = a.token(a.held + i);
      last_.push_back(batch.counts[row] - 1);
    }
    flush_trace();
    const auto begin = Clock::now();
    if (auto failure = session_.bind(step)) return failure;
    if (auto failure = session_.set_input(steps_->input(), ids)) return failure;
    if (auto failure = session_.run()) return failure;
    const Plan::Output* output = find_output(plan_, "logits", step.phase);
    if (!output) return "--requests needs an output `logits`, which phase " + step.phase + " lacks";
    if (auto failure = session_.read_rows(output->value, last_, &logits_, &width_)) return failure;
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin).count();
    const int64_t took = std::max<int64_t>(1, us);
    tally_.busy_us += took;
    now_us_ = live_ ? std::max(now_us_ + 1, since_begin()) : now_us_ + took;
    if (count == 1) tally_.step(took);
    return advance(batch, id, took);
  }

  // What each sequence has by the step: its cache, and a token where it knows no more.
  Failure advance(const Batch& batch, int64_t id, int64_t took) {
    std::string answers;
    for (size_t row = 0; row < batch.slots.size(); ++row) {
      Active& a = active_[batch.slots[row]];
      const int64_t before = a.held;
      a.held += batch.counts[row];
      tally_.read += std::max<int64_t>(0, std::min(a.held, a.prompt()) - before);
      if (a.pending() == 0)
        take_token(a, logits_.data() + static_cast<int64_t>(row) * width_, id, took, answers);
    }
    flush_trace();
    // The answers are out before the next step: they are nobody's to lose.
    if (!answers.empty()) {
      if (auto failure = write_standard_output(answers)) return failure;
    }
    tally_.served += std::exchange(finished_, 0);
    return std::nullopt;
  }

  void take_token(Active& a, const float* logits, int64_t id, int64_t took, std::string& answers) {
    const auto token = a.sampler.next(logits, width_);
    if (!token)
      return drop(a, "its " + token.message() + " after " + std::to_string(a.held) + " tokens", answers);
    a.fresh.push_back(*token);
    ++tally_.generated;
    if (a.fresh.size() == 1) tally_.first_token(now_us_ - a.request->arrival_us);
    trace_.decode(now_us_, a.request->id, id, static_cast<int64_t>(a.fresh.size()) - 1, took);
    if (options_.stream)
      answers +=
          "{\"req_id\": " + json_text(a.request->id) + ", \"token\": " + std::to_string(*token) + "}\n";
    const bool full = static_cast<int64_t>(a.fresh.size()) == a.request->max_new_tokens;
    if (full || a.request->ends(a.fresh, options_.eos)) complete(a, answers);
  }

  // One request that fails ends alone.
  void drop(Active& a, const std::string& reason, std::string& answers) {
    trace_.reject(now_us_, a.request->id, reason);
    fail(kFailed, "request " + json_text(a.request->id) + ": " + reason);
    if (live_) answers += error_line("\"req_id\": " + json_text(a.request->id), reason);
    ++tally_.failed;
    leave(a);
  }

  void complete(Active& a, std::string& answers) {
    trace_.complete(now_us_, a.request->id, a.prompt() + static_cast<int64_t>(a.fresh.size()),
                    now_us_ - a.request->arrival_us);
    answers += "{\"req_id\": " + json_text(a.request->id) + ", \"tokens\": [";
    for (size_t i = 0; i < a.fresh.size(); ++i) answers += (i ? ", " : "") + std::to_string(a.fresh[i]);
    answers += "]}\n";
    ++finished_;
    leave(a);
  }

  void leave(Active& a) {
    live_ids_.erase(a.request->id);
    a = {};
    --running_;
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
  std::set<std::string> told_keys_;
  std::set<std::string> live_ids_;  // of such requests, until they are answered
  std::deque<Held> waiting_;        // by arrival
  Demand demand_;
  Slots slots_;
  std::vector<Active> active_;  // by slot
  HostArray ids_;
  std::vector<int64_t> last_;  // of each sequence of a step the row of its last token
  std::vector<float> logits_;
  int64_t width_ = 0;  // of a row of logits
  Trace trace_;
  Served tally_;
  int64_t capacity_ = 0;  // tokens that a sequence can hold
  int64_t now_us_ = 0, batches_ = 0, received_ = 0, admitted_ = 0, running_ = 0;
  int64_t finished_ = 0;  // whose answers are not out yet
  bool trace_failed_ = false;
};

}  // namespace

Exit run_requests(const Plan& plan, Backend& backend, const Options& options) {
  return Server(plan, backend, options).run();
}

}  // namespace irplan::run
