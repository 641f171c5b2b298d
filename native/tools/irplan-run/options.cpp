#include "tools/irplan-run/options.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cmath>
#include <cstdlib>

#include "command_line/warnings.h"

namespace irplan::run {
namespace {

template <auto member>
Failure take_text(Options& o, const std::string& text) {
  o.*member = text;
  return std::nullopt;
}

template <auto member>
Failure take_texts(Options& o, const std::string& text) {
  (o.*member).push_back(text);
  return std::nullopt;
}

template <auto member>
Failure take_flag(Options& o, const std::string&) {
  o.*member = true;
  return std::nullopt;
}

template <auto member>
Failure take_named(Options& o, const std::string& text) {
  NamedText named;
  command::split(text, &named.name, &named.text);
  (o.*member).push_back(std::move(named));
  return std::nullopt;
}

template <auto member>
Failure take_file_of(Options& o, const std::string& text) {
  NamedText named;
  command::split(text, &named.name, &named.text);
  if (named.text.size() < 2 || named.text[0] != '@') return "takes NAME=@FILE, not `" + text + "`";
  named.text.erase(0, 1);
  (o.*member).push_back(std::move(named));
  return std::nullopt;
}

Failure take_dim(Options& o, const std::string& text) {
  NamedSizes sizes;
  std::string numbers;
  command::split(text, &sizes.name, &numbers);
  const auto read = whole_numbers(numbers);
  if (!read) return "takes DIM=N, or DIM=N,N,… for a ragged dim, not `" + text + "`";
  sizes.sizes = *read;
  o.dims.push_back(std::move(sizes));
  return std::nullopt;
}

Failure take_tolerance(Options& o, const std::string& text) {
  char* end = nullptr;
  o.tolerance = std::strtod(text.c_str(), &end);
  const bool good = !text.empty() && !*end && std::isfinite(o.tolerance) && o.tolerance >= 0;
  if (!good) return "takes a number that is not negative, not `" + text + "`";
  return std::nullopt;
}

Failure take_states(Options& o, const std::string& text) {
  o.states = text;
  if (text != "zeros" && text != "unset") return "takes zeros or unset, not `" + text + "`";
  return std::nullopt;
}

Failure take_chunks(Options& o, const std::string& text) {
  const auto read = whole_numbers(text);
  if (!read) return "takes whole numbers with commas between, not `" + text + "`";
  o.chunks = *read;
  for (const int64_t n : o.chunks) {
    if (n < 1) return "takes sizes of at least 1";
  }
  return std::nullopt;
}

// One of SamplingWords::kNames.
template <size_t name>
Failure take_sampling(Options& o, const std::string& text) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  const bool good = !text.empty() && !*end && !std::isspace(static_cast<unsigned char>(text[0]));
  const auto wrong = o.sampling.set(SamplingWords::kNames[name], good ? number : std::nan(""));
  if (wrong) return *wrong + ", not `" + text + "`";
  return std::nullopt;
}

Failure take_eos(Options& o, const std::string& text) {
  const auto ids = whole_numbers(text);
  if (!ids || *std::min_element(ids->begin(), ids->end()) < 0)
    return "takes token ids with commas between, not `" + text + "`";
  o.eos = *ids;
  return std::nullopt;
}

template <auto member, int64_t least>
Failure take_number(Options& o, const std::string& text) {
  const auto n = whole_number(text);
  if (!n || *n < least) return "takes a whole number from " + std::to_string(least) + ", not `" + text + "`";
  o.*member = *n;
  return std::nullopt;
}

// "200", in a unit of so many to a second.
template <double MeasureLimits::*member, int a_second>
Failure take_time(Options& o, const std::string& text) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  if (text.empty() || *end || !(number >= 0) || number > 86400.0 * a_second)
    return "takes a time in " + std::string(a_second == 1 ? "seconds" : "milliseconds") +
           " of at most a day, not `" + text + "`";
  o.limits.*member = number / a_second;
  o.limits_given = true;
  return std::nullopt;
}

Failure take_iterations(Options& o, const std::string& text) {
  const auto n = whole_number(text);
  if (!n || *n < 1 || *n > 1000000000) return "takes a whole number from 1, not `" + text + "`";
  o.limits.least_iterations = *n;
  o.limits_given = true;
  return std::nullopt;
}

// ---- the file in an option's value, for Arguments::file_conflict

// "ids.npy" of "@ids.npy"
std::string after_at(const std::string& text) { return text[0] == '@' ? text.substr(1) : ""; }

// "y.npy" of "y=@y.npy", "f.safetensors" of "y=@f.safetensors:key"
std::string after_name(const std::string& text) {
  const std::string file = after_at(text.substr(text.find('=') + 1));
  return tensor_file(file).path;
}

std::string unless_random(const std::string& text) { return text.rfind("random:", 0) == 0 ? "" : text; }

constexpr const char* kBackends = "auto|cpu|cuda|reference";
constexpr const char* kStates = "zeros|unset";
constexpr const char* kIsas = "portable|avx2|avx512|avx512vnni|neon";

Failure taken_first(Options&, const std::string&) { return std::nullopt; }  // before a backend is made

struct Row {
  command::Option option;
  Failure (*take)(Options&, const std::string& text);  // null: the program answers by itself
};

const Row kRows[] = {
    {{.name = "--config",
      .letter = 'c',
      .value = "FILE",
      .doc = "config.json for a program, or a folder with one (default: the folder of --weights)",
      .file = command::FileUse::Read},
     take_text<&Options::config>},
    {{.name = "--let",
      .letter = 'l',
      .value = "NAME=VALUE",
      .doc = "replace a program's top-level `let`",
      .repeats = true,
      .named = true},
     take_named<&Options::lets>},
    {{.name = "--retype",
      .letter = 'r',
      .value = "WHAT=DTYPE",
      .doc =
          "store a program's states or weights in another dtype: state=f8e4m3, weights=q8_0; or let products "
          "quantise what they multiply: activations=i8",
      .repeats = true,
      .named = true},
     take_named<&Options::retypes>},
    {{.name = "--budget",
      .value = "LIMIT",
      .doc = "a further budget for a program: 'memory <= 23.58GiB', 'B * S <= 4096'",
      .repeats = true},
     take_texts<&Options::budgets>},
    {command::deny_warnings_option(), take_flag<&Options::deny_warnings>},
    {command::allow_option(), take_texts<&Options::allow>},
    {command::deny_option(), take_texts<&Options::deny>},
    {{.name = "--weights",
      .letter = 'w',
      .value = "PATH|random:N",
      .doc = "a safetensors file, a folder of them, or random numbers from seed N",
      .file = command::FileUse::Read,
      .path_of = unless_random},
     take_text<&Options::weights>},
    {{.name = "--phase", .value = "NAME", .doc = "which phase to run, if the sizes do not decide"},
     take_text<&Options::phase>},
    {{.name = "--dim",
      .letter = 'd',
      .value = "DIM=N[,N…]",
      .doc = "a dim's size; for a ragged dim one for all rows or one per row",
      .repeats = true,
      .named = true},
     take_dim},
    {{.name = "--backend",
      .letter = 'b',
      .value = "NAME",
      .doc = "auto (cuda if there is a device, else cpu), cpu, cuda, cuda:N or reference",
      .choices = kBackends,
      .open = true},
     take_text<&Options::backend>},
    {{.name = "--isa",
      .value = "NAME",
      .doc = "the cpu backend's vectors: portable, avx2, avx512, avx512vnni or neon (default: the widest of "
             "this machine)",
      .choices = kIsas,
      .open = true},
     taken_first},
    {{.name = "--threads", .value = "N", .doc = "threads of the cpu backend (default: one a processor)"},
     take_number<&Options::threads, 1>},
    {{.name = "--strict", .doc = "refuse a plan made for another target"}, take_flag<&Options::strict>},
    {{.name = "--input",
      .letter = 'i',
      .value = "NAME=SPEC",
      .doc = "an input's numbers: @x.npy, @f.safetensors:key, random:SEED or const:V",
      .repeats = true,
      .named = true,
      .file = command::FileUse::Read,
      .path_of = after_name},
     take_named<&Options::inputs>},
    {{.name = "--states",
      .value = "WHAT",
      .doc = "what states hold before a step: zeros, or unset, 0xff in every byte (default: unset)",
      .choices = kStates},
     take_states},
    {{.name = "--output",
      .letter = 'o',
      .value = "NAME=@FILE",
      .doc = "write an output as .npy",
      .repeats = true,
      .named = true,
      .file = command::FileUse::Written,
      .path_of = after_name},
     take_file_of<&Options::outputs>},
    {{.name = "--expect",
      .letter = 'e',
      .value = "NAME=@FILE",
      .doc = "compare an output with .npy or f.safetensors:key; exit 3 if it differs",
      .repeats = true,
      .named = true,
      .file = command::FileUse::Read,
      .path_of = after_name},
     take_file_of<&Options::expects>},
    {{.name = "--tol",
      .value = "T",
      .doc = "tolerance of --expect: max|a - b| <= T * max|b| (default: 1e-3)"},
     take_tolerance},
    {{.name = "--tokens",
      .value = "IDS",
      .doc = "token ids to run in steps: 1,2,3 or @ids.npy of i32[B, T]",
      .file = command::FileUse::Read,
      .path_of = after_at},
     take_text<&Options::tokens>},
    {{.name = "--chunks",
      .value = "N,N…",
      .doc = "sizes of these steps (default: as few steps as the ranges allow); with --requests one size, "
             "the longest step of a prompt"},
     take_chunks},
    {{.name = "--generate",
      .value = "N",
      .doc = "then generate N tokens; prints the new ids as they come, one line per sequence"},
     take_number<&Options::generate, 1>},
    {{.name = "--eos", .value = "ID[,ID…]", .doc = "end a sequence at any of these tokens"}, take_eos},
    {{.name = "--temperature",
      .value = "T",
      .doc = "sample: logits are divided by T; 0 takes the largest (default: 0, or 1 with a filter)"},
     take_sampling<0>},
    {{.name = "--top-k", .value = "K", .doc = "sample from the K largest logits alone"}, take_sampling<1>},
    {{.name = "--top-p",
      .value = "P",
      .doc = "of those, from the fewest whose probabilities come to P of all of them"},
     take_sampling<2>},
    {{.name = "--min-p",
      .value = "P",
      .doc = "of those, from the ones at least P times as likely as the likeliest"},
     take_sampling<3>},
    {{.name = "--seed",
      .value = "N",
      .doc = "what draws (default: 0): a seed gives the same ids on every machine, whatever runs beside it; "
             "row b "
             "of --tokens draws by N + b"},
     take_sampling<4>},
    {{.name = "--stream",
      .doc = "a line for each token as it comes: {\"row\": 0, \"token\": 7} with --generate, {\"req_id\": "
             "\"a\", "
             "\"token\": 7} with --requests"},
     take_flag<&Options::stream>},
    {{.name = "--requests",
      .value = "FILE",
      .doc = "serve requests.jsonl; - reads requests from stdin as they come",
      .file = command::FileUse::Read},
     take_text<&Options::requests>},
    {{.name = "--slots",
      .value = "N",
      .doc = "requests served at once (default: as many as the budgets allow; longer --chunks leave room for "
             "fewer)"},
     take_number<&Options::slots, 1>},
    {{.name = "--trace",
      .value = "FILE",
      .doc = "write the events of serving to this file, one JSON object per line",
      .file = command::FileUse::Written},
     take_text<&Options::trace>},
    {{.name = "--schedule",
      .doc = "show which kernels are launched on which bytes, and what prevents a phase from being captured"},
     take_flag<&Options::schedule>},
    {{.name = "--bench",
      .doc = "run one step again and again: times, tokens a second, GB/s, GFLOP/s; inputs that are not given "
             "are "
             "random"},
     take_flag<&Options::bench>},
    {{.name = "--warm-up", .value = "MS", .doc = "of --bench, before it measures (default: 200)"},
     take_time<&MeasureLimits::warm_up, 1000>},
    {{.name = "--iterations", .value = "N", .doc = "of --bench, at least (default: 10)"}, take_iterations},
    {{.name = "--duration", .value = "S", .doc = "of --bench, seconds at least (default: 3)"},
     take_time<&MeasureLimits::least_seconds, 1>},
    {{.name = "--export-times",
      .value = "FILE",
      .doc = "the figures of --bench and the time of each iteration, as JSON",
      .file = command::FileUse::Written},
     take_text<&Options::times_file>},
    {{.name = "--profile",
      .doc = "run op by op and show times by operator, kernel and layer, and the slowest ops; with --bench "
             "after it"},
     take_flag<&Options::profile>},
    {{.name = "--export-profile",
      .value = "FILE",
      .doc = "the profile as JSON",
      .file = command::FileUse::Written},
     take_text<&Options::profile_file>},
    {{.name = "--export-trace",
      .value = "FILE",
      .doc = "the profile as a trace for chrome://tracing and ui.perfetto.dev",
      .file = command::FileUse::Written},
     take_text<&Options::trace_file>},
    {{.name = "--verbose", .letter = 'v', .doc = "print more on stderr"}, take_flag<&Options::verbose>},
    {{.name = "--completion",
      .value = "SHELL",
      .doc = "print the completion script for bash, zsh or fish",
      .choices = command::kShells,
      .alone = true},
     nullptr},
    {{.name = "--list-backends",
      .doc = "the backends that can be had on this machine, or why not",
      .alone = true},
     nullptr},
    {{.name = "--list-kernels", .doc = "the kernels that this build's backends hold", .alone = true},
     nullptr},
    {{.name = "--selftest",
      .doc = "run small programs on --backend that use its kernels, against the reference",
      .alone = true},
     nullptr},
    {{.name = "--perf",
      .doc = "with --selftest: then each kernel's time, beside the least that the machine allows"},
     take_flag<&Options::perf>},
    {{.name = "--calibrate",
      .doc = "measure what this machine reads and computes at most, and keep it for --bench and --selftest "
             "--perf",
      .alone = true},
     nullptr},
    {{.name = "--man", .doc = "print the manual page as troff", .alone = true}, nullptr},
    {{.name = "--help", .letter = 'h', .doc = "show this", .alone = true}, nullptr},
    {{.name = "--version", .doc = "print the version", .alone = true}, nullptr},
};

bool consistent(const Options& o) {
  const auto wrong = [](const char* what) {
    fail(kUsage, what);
    return false;
  };
  if (o.tokens.empty() && o.requests.empty() && !o.chunks.empty())
    return wrong("--chunks goes with --tokens, or with --requests");
  if (!o.requests.empty() && o.chunks.size() > 1)
    return wrong("--chunks takes one size with --requests: the longest step of a prompt");
  if (o.slots && o.requests.empty()) return wrong("--slots goes with --requests");
  if (o.requests == "-" && o.file == "-")
    return wrong("standard input cannot be the program and the requests");
  if (o.tokens.empty() && o.generate) return wrong("--generate goes with --tokens");
  const bool generates = o.generate || !o.requests.empty();
  if (!o.eos.empty() && !generates) return wrong("--eos goes with --generate, or with --requests");
  if (o.sampling.any() && !generates)
    return wrong(
        "--temperature, --top-k, --top-p, --min-p and --seed go with --generate, or with --requests");
  if (o.stream && !generates) return wrong("--stream goes with --generate, or with --requests");
  if (!o.states.empty() && (o.bench || !o.tokens.empty() || !o.requests.empty()))
    return wrong("--states goes with one step whose outputs are wanted; --bench has zeros");
  if (o.bench && (!o.tokens.empty() || !o.requests.empty()))
    return wrong("--bench goes with one step: say --phase and --dim, not --tokens or --requests");
  if (o.bench && (!o.outputs.empty() || !o.expects.empty()))
    return wrong("--bench measures; it has no outputs to write or compare");
  if (!o.times_file.empty() && !o.bench) return wrong("--export-times goes with --bench");
  if (o.limits_given && !o.bench) return wrong("--warm-up, --iterations and --duration go with --bench");
  if (o.profiles() && !o.requests.empty()) return wrong("--profile goes with one step or --tokens");
  if (o.perf) return wrong("--perf goes with --selftest");
  if (!o.trace.empty() && o.requests.empty()) return wrong("--trace goes with --requests");
  if (!o.requests.empty() && !o.tokens.empty()) return wrong("--requests and --tokens exclude each other");
  return true;
}

}  // namespace

std::optional<int64_t> whole_number(const std::string& text) {
  const size_t digits = text.size() > 1 && text[0] == '-' ? 1 : 0;
  if (text.size() == digits || text.find_first_not_of("0123456789", digits) != std::string::npos)
    return std::nullopt;
  errno = 0;
  const int64_t n = std::strtoll(text.c_str(), nullptr, 10);
  if (errno != 0) return std::nullopt;
  return n;
}

std::optional<std::vector<int64_t>> whole_numbers(const std::string& text) {
  std::vector<int64_t> out;
  for (size_t at = 0; at <= text.size();) {
    size_t comma = text.find(',', at);
    if (comma == std::string::npos) comma = text.size();
    std::string word = text.substr(at, comma - at);
    word.erase(0, word.find_first_not_of(' '));
    const auto n = whole_number(word);
    if (!n) return std::nullopt;
    out.push_back(*n);
    at = comma + 1;
  }
  return out;
}

TensorPath tensor_file(const std::string& text) {
  constexpr std::string_view kEnd = ".safetensors:";
  const size_t colon = text.rfind(kEnd);
  if (colon == std::string::npos) return {text, std::nullopt};
  const size_t key = colon + kEnd.size();
  return {text.substr(0, key - 1), text.substr(key)};
}

std::optional<Options> read_options(const command::Arguments& arguments) {
  Options options;
  options.file = arguments.positional()[0];
  for (const Row& row : kRows) {
    if (!row.take) continue;
    for (const std::string& text : arguments.all(row.option.name)) {
      if (auto failure = row.take(options, text)) {
        fail(kUsage, std::string(row.option.name) + " " + *failure);
        return std::nullopt;
      }
    }
  }
  if (!consistent(options)) return std::nullopt;
  return options;
}

const command::Program& program() {
  static const command::Program made = [] {
    std::vector<const command::Option*> options;
    for (const Row& row : kRows) options.push_back(&row.option);
    return command::Program{
        "irplan-run",
        "runs plans and programs",
        "Exit codes: 0 success; 1 wrong input, a line that is no request among it, or the run failed; 2 "
        "wrong command line; 3 an --expect "
        "failed, or "
        "a request was\nrejected; 129, 130, 143 ended by SIGHUP, SIGINT, SIGTERM: no file is left "
        "half-written.\n",
        {{"",
          "run a plan or a program",
          "FILE.json|FILE.irplan|-",
          "Runs a plan, or compiles a program and runs it: one step of one phase; with --tokens a text in "
          "steps,\nand generated tokens after it; with --requests many texts at once.\n\n"
          "A token is the one of the largest logit, the lowest id of equal ones. With --temperature, "
          "--top-k, "
          "--top-p or --min-p it is\ndrawn: logits are divided by the temperature, then the filters apply in "
          "this order, and SplitMix64(--seed) gives number i for\ntoken i of a sequence, so that ids depend "
          "on "
          "logits and seed alone.\n\n"
          "A request is one line: {\"req_id\": \"a\", \"arrival_us\": 0, \"tokens\": [1, 2, 3], "
          "\"max_new_tokens\": 16}. "
          "Its answer is a line on\nstdout when it ends, {\"req_id\": \"a\", \"tokens\": [7, 8]}; with "
          "--requests - arrival_us is not "
          "needed, and a request that cannot be\nserved is answered with {\"req_id\": \"a\", \"error\": "
          "\"…\"}. A request may say temperature, top_k, top_p, min_p and seed, which\ncount more than the "
          "options; "
          "eos, a token id or several, instead of --eos; and stop, ids and lists of ids that end it "
          "when\nthey are "
          "the last that were generated. With --stream each token is a line before the answer, {\"req_id\": "
          "\"a\", "
          "\"token\": 7}.\n"
          "--trace writes one line per "
          "event as it happens: ts_us, event and req_id;\nenqueue adds tokens_requested; schedule batch_id "
          "and kv_alloc_bytes; decode batch_id, step and latency_us; complete\ntotal_tokens and latency_us; "
          "reject reason. batch_id is the number of a step; schedule's is that of the step that follows. "
          "Requests "
          "join and leave at\nevery step, in as many slots as the budgets allow: prompts of one length are "
          "read "
          "together, a step of --chunks at a time, and\nbetween two such steps all that decode do; where new "
          "tokens "
          "are a ragged dim (`dim S[B]`) and logits have a row for each, both\nshare a step. At the end "
          "stderr has counts, tokens per second, and percentiles of the time "
          "to the first token and of decode\nsteps.\n\n"
          "--bench shows the least, median and mean time of a step and its percentiles, the rates, and their "
          "share "
          "of what --calibrate\nmeasured; a note says why figures cannot be trusted: too few iterations, a "
          "busy "
          "machine, a low clock, uneven times, ops too short to time.",
          1,
          1,
          options,
          {{"irplan-run hotpath.irplan --weights random:1 --dim S=5 --dim D=80 --input x=random:2 --output "
            "out=@y.npy",
            "one step"},
           {"irplan-run plan.json --weights model.safetensors --input x=@x.npy --expect out=@want.npy --tol "
            "2e-3",
            "compared with what is known"},
           {"irplan-run llama.irplan --config config.json --weights DIR --tokens 1,2,3 --generate 20",
            "a model that goes on with a text"},
           {"irplan-run llama.irplan --weights DIR --tokens 1,2,3 --generate 200 --temperature 0.7 --top-p "
            "0.9 --seed 1",
            "sampled, to the same ids each time"},
           {"irplan-run plan.json --weights DIR --tokens @ids.npy --chunks 17,1,1 --output logits=@all.npy",
            "a text in steps of given sizes"},
           {"irplan-run llama.irplan --config config.json --weights random:1 --bench --phase decode --dim "
            "B=1 --dim "
            "P=128",
            "how long a token takes, and how much of the machine that is"},
           {"irplan-run plan.json --weights DIR --tokens 1,2,3 --generate 20 --export-trace trace.json",
            "where the time goes, for ui.perfetto.dev"},
           {"irplan-run plan.json --weights DIR --requests requests.jsonl --trace trace.jsonl",
            "requests, as many at once as the budgets allow"},
           {"scheduler | irplan-run plan.json --weights DIR --requests - --slots 8 --chunks 512 | scheduler",
            "driven by another process"}},
          nullptr,
          command::FileUse::Read}}};
  }();
  return made;
}

}  // namespace irplan::run
