#include "run/options.h"

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "irplan/diagnostic.h"

namespace irplan::run {
namespace {

struct Option {
  const char* name;
  const char* value;  // null: a flag
  const char* doc;
  bool repeats;
  bool (*take)(Options&, const std::string& text, std::string* why);
};

bool split(const std::string& text, std::string* name, std::string* rest) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) return false;
  *name = text.substr(0, equals);
  *rest = text.substr(equals + 1);
  return true;
}

template <auto member>
bool take_text(Options& o, const std::string& text, std::string* why) {
  if (text.empty()) return *why = "is empty", false;
  o.*member = text;
  return true;
}

template <auto member>
bool take_flag(Options& o, const std::string&, std::string*) {
  return o.*member = true;
}

template <auto member>
bool take_named(Options& o, const std::string& text, std::string* why) {
  NamedText named;
  if (!split(text, &named.name, &named.text)) return *why = "takes NAME=…, not `" + text + "`", false;
  (o.*member).push_back(std::move(named));
  return true;
}

template <auto member>
bool take_file_of(Options& o, const std::string& text, std::string* why) {
  NamedText named;
  if (!split(text, &named.name, &named.text) || named.text.size() < 2 || named.text[0] != '@')
    return *why = "takes NAME=@FILE, not `" + text + "`", false;
  named.text.erase(0, 1);
  (o.*member).push_back(std::move(named));
  return true;
}

bool take_dim(Options& o, const std::string& text, std::string* why) {
  NamedSizes sizes;
  std::string numbers;
  const bool parts = split(text, &sizes.name, &numbers);
  const auto read = parts ? whole_numbers(numbers) : std::nullopt;
  if (!read) return *why = "takes NAME=N, or NAME=N,N,… for a ragged dim, not `" + text + "`", false;
  sizes.sizes = *read;
  o.dims.push_back(std::move(sizes));
  return true;
}

bool take_tolerance(Options& o, const std::string& text, std::string* why) {
  char* end = nullptr;
  o.tolerance = std::strtod(text.c_str(), &end);
  const bool good = !text.empty() && !*end && std::isfinite(o.tolerance) && o.tolerance >= 0;
  return good || (*why = "takes a number that is not negative, not `" + text + "`", false);
}

bool take_chunks(Options& o, const std::string& text, std::string* why) {
  const auto read = whole_numbers(text);
  if (!read) return *why = "takes whole numbers with commas between, not `" + text + "`", false;
  o.chunks = *read;
  for (const int64_t n : o.chunks) {
    if (n < 1) return *why = "takes sizes of at least 1", false;
  }
  return true;
}

template <auto member, int64_t least>
bool take_number(Options& o, const std::string& text, std::string* why) {
  const auto n = whole_number(text);
  if (!n || *n < least)
    return *why = "takes a whole number from " + std::to_string(least) + ", not `" + text + "`", false;
  o.*member = *n;
  return true;
}

const Option kOptions[] = {
    {"--config", "FILE", "config.json for a program", false, take_text<&Options::config>},
    {"--let", "NAME=VALUE", "replaces a program's top-level let", true, take_named<&Options::lets>},
    {"--retype", "WHAT=DTYPE", "a program's states or weights in another dtype: state=f8e4m3, weights=q8_0",
     true, take_named<&Options::retypes>},
    {"--weights", "F|DIR|random:N", "safetensors file, a folder of them, or random numbers of seed N", false,
     take_text<&Options::weights>},
    {"--phase", "NAME", "the phase to run, where several exist and nothing else tells", false,
     take_text<&Options::phase>},
    {"--dim", "NAME=N[,N…]", "a dim's size; of a ragged dim one for all rows or one for each", true,
     take_dim},
    {"--backend", "NAME", "auto (cuda where a device is, else cpu), cpu, cuda, cuda:N or reference", false,
     take_text<&Options::backend>},
    {"--strict", nullptr, "refuses a plan that is for another backend", false, take_flag<&Options::strict>},
    {"--input", "NAME=SPEC", "SPEC: @x.npy, @f.safetensors:key, random:SEED or const:V", true,
     take_named<&Options::inputs>},
    {"--output", "NAME=@FILE", "writes an output as .npy", true, take_file_of<&Options::outputs>},
    {"--expect", "NAME=@FILE",
     "compares an output with .npy or f.safetensors:key; exit code 3 where it differs", true,
     take_file_of<&Options::expects>},
    {"--tol", "T", "what --expect allows: max|a - b| <= T * max|b| (1e-3)", false, take_tolerance},
    {"--tokens", "IDS", "token ids, 1,2,3 or @ids.npy of i32[B, T]; runs them in steps", false,
     take_text<&Options::tokens>},
    {"--chunks", "N,N…", "the sizes of these steps (as few as the ranges admit)", false, take_chunks},
    {"--generate", "N", "then N greedy tokens; prints the new ids, a line a sequence", false,
     take_number<&Options::generate, 1>},
    {"--eos", "ID", "ends a sequence at this token", false, take_number<&Options::eos, 0>},
    {"--requests", "FILE", "serves requests.jsonl by the plan's budget", false,
     take_text<&Options::requests>},
    {"--trace", "FILE", "writes what was served as trace.jsonl", false, take_text<&Options::trace>},
    {"--profile", nullptr, "runs op by op and shows where the time goes", false,
     take_flag<&Options::profile>},
    {"-v", nullptr, "tells more on stderr", false, take_flag<&Options::verbose>},
    {"--help", nullptr, "this text", false, take_flag<&Options::help>},
    {"--version", nullptr, "the version", false, take_flag<&Options::version>},
};

const Option* find_option(const std::string& name) {
  if (name == "-h") return find_option("--help");
  if (name == "--verbose") return find_option("-v");
  for (const Option& o : kOptions) {
    if (name == o.name) return &o;
  }
  return nullptr;
}

bool unknown(const std::string& word) {
  std::vector<std::string> names;
  for (const Option& o : kOptions) names.emplace_back(o.name);
  const std::string near = nearest(word, names);
  fail(kUsage, "`" + word + "` is no option of irplan-run" +
                   (near.empty() ? "" : "; did you mean `" + near + "`?") + "\nirplan-run --help lists them");
  return false;
}

bool take_option(const std::vector<std::string>& words, size_t& i, std::vector<std::string>& seen,
                 Options* options) {
  const std::string& word = words[i];
  const size_t equals = word.compare(0, 2, "--") == 0 ? word.find('=') : std::string::npos;
  const std::string name = word.substr(0, equals);
  const Option* option = find_option(name);
  if (!option) return unknown(name);
  const auto wrong = [&](const std::string& what) {
    fail(kUsage, std::string(option->name) + " " + what);
    return false;
  };
  for (const std::string& earlier : seen) {
    if (earlier == option->name && !option->repeats && option->value) return wrong("is given twice");
  }
  seen.emplace_back(option->name);
  if (!option->value && equals != std::string::npos) return wrong("takes no value");
  std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
  if (option->value && equals == std::string::npos) {
    if (i + 1 >= words.size()) return wrong(std::string("needs its ") + option->value);
    value = words[++i];
  }
  std::string why;
  return option->take(*options, value, &why) || wrong(why);
}

bool consistent(const Options& o) {
  const auto wrong = [](const char* what) {
    fail(kUsage, what);
    return false;
  };
  if (o.file.empty())
    return wrong("irplan-run needs FILE.json or FILE.irplan\nirplan-run --help shows how it is used");
  if (o.tokens.empty() && (!o.chunks.empty() || o.generate || (o.eos && o.requests.empty())))
    return wrong("--chunks, --generate and --eos go with --tokens");
  if (o.eos && !o.generate && o.requests.empty()) return wrong("--eos goes with --generate");
  if (!o.trace.empty() && o.requests.empty()) return wrong("--trace goes with --requests");
  if (!o.requests.empty() && !o.tokens.empty()) return wrong("--requests and --tokens exclude each other");
  return true;
}

}  // namespace

int fail(Exit code, const std::string& message) {
  std::fprintf(stderr, "error: %s\n", message.c_str());
  return code;
}

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

bool parse(const std::vector<std::string>& words, Options* options) {
  std::vector<std::string> seen;
  bool only_files = false;
  for (size_t i = 0; i < words.size(); ++i) {
    if (!only_files && words[i] == "--") {
      only_files = true;
    } else if (!only_files && words[i].size() > 1 && words[i][0] == '-') {
      if (!take_option(words, i, seen, options)) return false;
    } else if (options->file.empty() && !words[i].empty()) {
      options->file = words[i];
    } else {
      fail(kUsage, "`" + words[i] + "` is one argument too many for irplan-run");
      return false;
    }
  }
  return options->help || options->version || consistent(*options);
}

std::string help() {
  std::string out =
      "Runs a plan, or a program that it compiles first.\n\n"
      "Usage: irplan-run FILE.(json|irplan) [options]\n\nOptions:\n";
  for (const Option& o : kOptions) {
    std::string left = std::string("  ") + o.name + (o.value ? std::string(" ") + o.value : "");
    left.resize(std::max<size_t>(left.size() + 2, 28), ' ');
    out += left + o.doc + "\n";
  }
  out +=
      "\nExamples:\n"
      "  irplan-run hotpath.irplan --weights random:1 --dim S=5 --dim D=80 --input x=random:2 --output "
      "out=@y.npy\n"
      "  irplan-run plan.json --weights model.safetensors --input x=@x.npy --expect out=@want.npy --tol "
      "2e-3\n"
      "  irplan-run llama.irplan --config config.json --weights DIR --tokens 1,2,3 --generate 20\n"
      "  irplan-run plan.json --weights DIR --tokens @ids.npy --chunks 17,1,1 --output logits=@all.npy\n"
      "  irplan-run plan.json --weights DIR --requests requests.jsonl --trace trace.jsonl\n"
      "\nExit codes: 0 done; 1 the input is wrong or the run failed; 2 wrong usage; 3 an --expect did not "
      "hold; 130, 143 "
      "interrupted.\n";
  return out;
}

}  // namespace irplan::run
