// `irplan fit`: whether a model fits into a memory, from its config.json alone: what weights, caches and
// steps take to the byte, what the memory admits, and which change would make it fit.
//
// The program is the example that serves the config, planned once with the length of its caches as a dim, so
// that every number is read off one plan's formulas: the same that a plan for these sizes has, and that
// irplan-run allocates.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "irplan/result.h"

namespace irplan {

struct FitOptions {
  std::string config_name = "config.json";
  std::string config;                     // its text
  std::optional<int64_t> memory;          // bytes; none: what it takes is told, and nothing is limited
  std::optional<int64_t> context, batch;  // tokens that a sequence may keep, sequences at once
  int64_t step = 8192;                    // the most tokens of one step, over all sequences
  std::vector<std::pair<std::string, std::string>> lets, retypes;  // as in CompileOptions
  std::vector<std::string> budgets;                                // beside `memory`
  std::string target = "cuda:sm_90";
};

struct FitBytes {
  int64_t weights = 0, state = 0, inputs = 0, arena = 0;
  int64_t total() const { return weights + state + inputs + arena; }
};

// A step of a phase: its sizes by name, and its arena.
struct FitStep {
  std::string phase;
  std::vector<std::pair<std::string, int64_t>> dims;
  int64_t arena = 0;
};

// What one choice of sizes takes.
struct FitPoint {
  int64_t context = 0, batch = 0, step = 0;
  FitBytes bytes;
  std::vector<FitStep> steps;  // the largest of each phase
  bool fits = false;
};

struct FitChange {
  std::string change;  // as it is written: "--retype state=f8e4m3", "--context 6144"
  std::string what;    // "states in 8 bits a number"
  int64_t bytes = 0;   // of all segments, with it
  bool fits = false;
};

struct Fit {
  std::string config_name, example;
  std::vector<std::pair<std::string, int64_t>> stored;  // bytes of weights by dtype, the most first
  std::optional<int64_t> memory;
  std::vector<std::string> budgets;
  std::optional<std::string> broken;  // the budget or memory that the point exceeds
  bool asked_context = false, asked_batch = false;
  std::optional<int64_t> published;  // context that the config is made for
  FitPoint point;
  int64_t state_per_token = 0;     // bytes by which a sequence's state grows for a token
  int64_t state_per_sequence = 0;  // and what it has of rings, however long it gets
  // 0 where not even one fits.
  // At the point's batch; at most the published one, or what was asked for beyond it.
  int64_t most_context = 0;
  int64_t most_batch = 0;                             // at the point's context
  std::vector<std::pair<int64_t, int64_t>> frontier;  // batch, and the most context with it
  std::vector<FitChange> changes;                     // where it does not fit: those that give up least first
  std::vector<std::string> assumptions;               // what is taken for granted
  std::vector<std::string> notes;                     // warnings of the compiler, and keys that nothing read
  std::vector<std::string> commands;                  // that make the plan with these numbers

  // Whether the context that was asked for is longer than the model is made for.
  bool beyond_published() const { return published && point.context > *published; }
};

// Fails where no example serves the config, or a size is none.
Result<Fit> fit(const FitOptions& options);

std::string fit_text(const Fit& fit);
std::string fit_json(const Fit& fit);

// "24GiB", "23.58GiB", "80 GB", "25769803776": a number of bytes, fractions of a byte dropped.
std::optional<int64_t> read_bytes(std::string_view text);
// "8192", "32K", "1M": tokens, K being 1024.
std::optional<int64_t> read_tokens(std::string_view text);

}  // namespace irplan
