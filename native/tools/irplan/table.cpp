// The table of commands and options.
#include <string>

#include "command_line/warnings.h"
#include "irplan/compile.h"
#include "irplan/dtype.h"
#include "irplan/gpus.h"
#include "irplan/pack.h"
#include "ops/op.h"
#include "tools/irplan/commands.h"
#include "tools/irplan/example_configs.h"

namespace irplan::cli {
namespace {

constexpr size_t kMany = 10000;
constexpr const char* kExitCodes =
    "Exit codes: 0 success; 1 wrong input, or a file that cannot be read or written; 2 wrong command line;\n"
    "3 a check failed; 129, 130, 143 ended by SIGHUP, SIGINT, SIGTERM: no file is left half-written.\n";

// "elaborate|shape|…"
const char* pass_names() {
  static const std::string names = [] {
    std::string out;
    for (const PassInfo& pass : passes()) out += (out.empty() ? "" : "|") + std::string(pass.name);
    return out;
  }();
  return names.c_str();
}

// "f32|f16|…": those of real numbers
const char* float_dtypes() {
  static const std::string names = [] {
    std::string out;
    for (int i = 0; i < kDTypes; ++i) {
      const auto dtype = static_cast<DType>(i);
      if (is_float(dtype)) out += (out.empty() ? "" : "|") + std::string(name(dtype));
    }
    return out;
  }();
  return names.c_str();
}

// "embed|positions|…"
const char* operator_names() {
  static const std::string names = [] {
    std::string out;
    for (const OpRow& row : op_table()) {
      if (!row.fused) out += (out.empty() ? "" : "|") + std::string(row.name);
    }
    return out;
  }();
  return names.c_str();
}

// "E0101|E0102|…"
const char* code_names() {
  static const std::string codes = [] {
    std::string out;
    for (const CodeInfo& code : all_codes()) out += (out.empty() ? "" : "|") + std::string(code.name);
    return out;
  }();
  return codes.c_str();
}

// "h100|h200|…"
const char* gpu_names() {
  static const std::string names = [] {
    std::string out;
    for (const Gpu& gpu : gpus()) out += (out.empty() ? "" : "|") + std::string(gpu.name);
    return out;
  }();
  return names.c_str();
}

// "llama-3-8b|…"
const char* example_names() {
  static const std::string names = [] {
    std::string out;
    for (const ExampleConfig& example : example_configs())
      out += (out.empty() ? "" : "|") + std::string(example.name);
    return out;
  }();
  return names.c_str();
}

const Option kHelp{.name = "--help", .letter = 'h', .doc = "show this", .alone = true};
const Option kColor{.name = "--color",
                    .value = "WHEN",
                    .doc = "colour diagnostics: auto (on a terminal), always or never",
                    .choices = "auto|always|never"};
const Option kFormat{
    .name = "--format", .value = "FORM", .doc = "text, or json for other programs", .choices = "text|json"};
const Option kConfig{.name = "--config",
                     .letter = 'c',
                     .value = "FILE",
                     .doc = "the config.json that the program reads as `config`, or its folder",
                     .file = FileUse::Read};
const Option kLet{.name = "--let",
                  .letter = 'l',
                  .value = "NAME=VALUE",
                  .doc = "replace a top-level `let`",
                  .repeats = true,
                  .named = true};
const Option kDim{.name = "--dim",
                  .letter = 'd',
                  .value = "DIM=N",
                  .doc = "the size at which the plan's numbers are evaluated",
                  .repeats = true,
                  .named = true};
const Option kRetype{.name = "--retype",
                     .letter = 'r',
                     .value = "WHAT=DTYPE",
                     .doc =
                         "store states, or the weights of products, in another dtype: state=f8e4m3, "
                         "weights=q8_0; or let products "
                         "quantise what they multiply: activations=i8",
                     .repeats = true,
                     .named = true,
                     .names = "state|weights|activations",
                     .values = float_dtypes()};
const Option kBudget{
    .name = "--budget",
    .letter = 'b',
    .value = "LIMIT",
    .doc = "a further budget: 'memory <= 23.58GiB', 'decode.arena <= 64MiB', 'B * S <= 4096'",
    .repeats = true};
const Option kTarget{.name = "--target",
                     .letter = 't',
                     .value = "TARGET",
                     .doc = "cpu, cuda or cuda:sm_90 (default: cuda)",
                     .choices = "cpu|cuda|cuda:sm_80|cuda:sm_90",
                     .open = true};
const Option kOutput{.name = "--output",
                     .letter = 'o',
                     .value = "FILE",
                     .doc = "where to write the result; - is stdout",
                     .file = FileUse::Written};
const Option kInput{.name = "--input",
                    .letter = 'i',
                    .value = "FILE",
                    .doc = "the program file, same as the positional FILE",
                    .repeats = true,
                    .positional = true};
const Option kStdio{.name = "--stdio",
                    .doc = "speak over stdin and stdout, as it does anyway: some editors say so"};
const Option kExplain{.name = "--explain", .doc = "print what `irplan explain` says about the plan"};
const Option kDenyAll = command::deny_warnings_option(), kAllow = command::allow_option(),
             kDeny = command::deny_option();
const Option kFix{.name = "--fix", .doc = "apply the suggested fixes and rewrite the file"};
const Option kDump{.name = "--dump-after",
                   .value = "PASS",
                   .doc = "print the program after this pass (see `irplan passes`)",
                   .repeats = true,
                   .choices = pass_names()};
const Option kKeepOrder{
    .name = "--keep-order",
    .doc = "keep the program's order of ops instead of looking for one that takes less memory"};
const Option kFmtCheck{.name = "--check", .doc = "write nothing; exit 3 if a file is not formatted"};
const Option kSvg{.name = "--svg",
                  .value = "FILE",
                  .doc = "draw the memory of a phase over its steps",
                  .file = FileUse::Written};
const Option kCompare{.name = "--compare",
                      .doc = "compare the arena with the placement rules of other systems"};
const Option kSizes{
    .name = "--sizes", .value = "DIM=N,N", .doc = "the sizes at which --compare compares", .repeats = true};
const Option kPhase{.name = "--phase",
                    .value = "NAME",
                    .doc = "the phase to draw (default: the one with the largest peak)",
                    .asks = "phases"};
const Option kExitCode{.name = "--exit-code", .doc = "exit 3 if the plans differ"};
const Option kTemplate{.name = "--template",
                       .value = "KIND",
                       .doc = "smallest, mlp or decoder",
                       .choices = "smallest|mlp|decoder"};
const Option kCapacity{.name = "--capacity",
                       .value = "BYTES",
                       .doc = "stop at the first placement that fits; if none does, say why"};
const std::string kStrengthDoc =
    "how hard to search for a placement. portfolio: several heuristics, then a local improvement of the "
    "best; "
    "limited: also a search with a limit of nodes; exact: a search without a limit, however long it takes "
    "(Ctrl-C stops it with the best so far, exit 130). Groups of more than " +
    std::to_string(kMostPackSearched) + " buffers with connected lifetimes are only searched with the limit";
const Option kStrength{
    .name = "--strength", .value = "HOW", .doc = kStrengthDoc.c_str(), .choices = "portfolio|limited|exact"};

const Option kMemory{.name = "--memory",
                     .letter = 'm',
                     .value = "BYTES",
                     .doc = "the memory that is available: 24GiB, 23.58GiB, 80GB, or a number of bytes"};
const Option kGpu{
    .name = "--gpu",
    .letter = 'g',
    .value = "NAME",
    .doc =
        "use the memory of a known GPU, less what driver and context are assumed to take: h200, "
        "a100-80gb, rtx4090",
    .choices = gpu_names(),
    .open = true};
const Option kContext{.name = "--context",
                      .value = "N",
                      .doc =
                          "the most tokens of each sequence: 8192 or 32K (default: 8192, or what the config "
                          "or its short rope factors are made for, if that is lower)"};
const Option kBatch{.name = "--batch", .value = "N", .doc = "sequences at once (default: 1)"};
const Option kStep{
    .name = "--step",
    .value = "N",
    .doc =
        "the most tokens of one step, over all sequences (default: 8192); the program limits each "
        "sequence as well"};

const Option kSite{
    .name = "--site", .value = "URL", .doc = "the address of a playground, before the link (encode)"};
const Option kInto{.name = "--output",
                   .letter = 'o',
                   .value = "FOLDER",
                   .doc = "write the program and its config into this folder (decode)"};

// The options of every command that compiles, behind its own.
std::vector<const Option*> with_compiling(std::vector<const Option*> own) {
  for (const Option* option : {&kConfig, &kLet, &kDim, &kRetype, &kBudget, &kTarget, &kDenyAll, &kAllow,
                               &kDeny, &kKeepOrder, &kStrength, &kFormat, &kColor, &kHelp})
    own.push_back(option);
  return own;
}

std::vector<Command> commands_on_programs() {
  return {
      {"plan",
       "compile a program to plan.json",
       "FILE|-",
       "Compiles a program to its plan: which ops run, in which order, with which kernels, at which memory "
       "offsets, and the\nlimits that hold. If compiling fails, an existing plan file is not changed. "
       "`irplan FILE` does the same.",
       1,
       1,
       with_compiling({&kInput, &kOutput, &kExplain, &kDump}),
       {{"irplan plan hotpath.irplan -o plan.json", "the plan of a program"},
        {"irplan plan llama.irplan --config config.json --dim B=8 --dim S=512 -o plan.json",
         "a model at a batch of 8"},
        {"irplan plan llama.irplan --config config.json --let C=131072 -o - | head",
         "with a longer cache, to stdout"},
        {"irplan plan llama.irplan --config config.json --retype state=f8e4m3 --retype weights=q8_0",
         "with an 8-bit cache and 8-bit weights"},
        {"irplan --input hotpath.irplan --output plan.json", "the form without a command"}},
       run_plan,
       FileUse::Read},
      {"check",
       "check a program for errors",
       "FILE|-...",
       "Compiles and prints the diagnostics; writes no plan. With --format=json they go to stdout. With "
       "--fix the "
       "suggested fixes\nare first applied to the files.",
       1,
       kMany,
       with_compiling({&kFix}),
       {{"irplan check llama.irplan --config config.json", ""},
        {"irplan check --fix draft.irplan", "apply the suggested fixes"},
        {"irplan check bad.irplan --format=json", "for an editor"},
        {"irplan check *.irplan --deny-warnings", "in continuous integration"}},
       run_check,
       FileUse::Read},
      {"fit",
       "check whether a model fits into memory",
       "CONFIG|FOLDER|NAME|-",
       "From a config.json, a folder with one, or the name of an example: the bytes of weights, state and "
       "arena, the longest\ncontext and the largest batch that fit, and what would make the model fit. All "
       "numbers come from the plan of the example\nthat serves the config. Without --memory, --gpu and "
       "--budget it reports what the model takes. Exit code 3 if it does not fit.",
       1,
       1,
       {&kMemory, &kGpu, &kContext, &kBatch, &kStep, &kLet, &kRetype, &kBudget, &kTarget, &kFormat, &kHelp},
       {{"irplan fit config.json --memory 24GiB", "does it fit, and with which context and batch"},
        {"irplan fit llama-3-8b --gpu rtx4090 --context 32K --batch 4", "an example on a known GPU"},
        {"irplan fit ./checkpoint --gpu h200 --retype state=f8e4m3 --format json", "for other programs"},
        {"irplan fit config.json --budget 'state <= 8GiB' --memory 24GiB",
         "with a limit on the cache as well"}},
       run_fit,
       FileUse::Read,
       example_names()},
      {"fmt",
       "format a program",
       "FILE|-...",
       "Rewrites the files in place; - reads stdin and writes stdout. Comments are kept.",
       1,
       kMany,
       {&kOutput, &kFmtCheck, &kFormat, &kColor, &kHelp},
       {{"irplan fmt llama.irplan", ""},
        {"irplan fmt - < in.irplan > out.irplan", ""},
        {"irplan fmt --check *.irplan", "exit 3 if a file would change"}},
       run_fmt,
       FileUse::Read},
  };
}

std::vector<Command> commands_that_show() {
  return {
      {"explain",
       "show where the bytes and the time of a plan go",
       "FILE.irplan|FILE.json|-|CODE",
       "Shows where the bytes are and what would lower them; for each phase its memory over the steps, the "
       "buffers at the peak,\nits work and the time limit on the target; for each budget the sizes it "
       "allows, "
       "and the changes that would meet it;\nconfig keys that nothing reads. The tokens of a step are the "
       "elements of the first two axes of the first input that has two;\na state's bytes per token are those "
       "of one row of one sequence. Options of `plan` need a program, not a finished plan.\n"
       "For the code of a diagnostic, E0301 or e0301: what it means and what to write instead.",
       1,
       1,
       with_compiling({&kPhase, &kSvg, &kCompare, &kSizes, &kOutput}),
       {{"irplan explain hotpath.irplan", ""},
        {"irplan explain E0301", "what a diagnostic means"},
        {"irplan explain plan.json --phase decode", "one phase of a plan"},
        {"irplan explain llama.irplan --config config.json --svg memory.svg", "the picture"},
        {"irplan explain plan.json --compare --sizes S=1,128,2048", "the arena under the rules of others"}},
       run_explain,
       FileUse::Read,
       code_names()},
      {"diff",
       "compare two plans",
       "A.json B.json",
       "Compares the contents of two plans, not their text.",
       2,
       2,
       {&kExitCode, &kFormat, &kHelp},
       {{"irplan diff before.json after.json", ""},
        {"irplan diff --exit-code a.json b.json", "exit 3 if they differ"}},
       run_diff,
       FileUse::Read},
      {"ops",
       "list the operators",
       "[NAME...]",
       "The operators of the language: operands, results, shape rules and attributes.",
       0,
       kMany,
       {&kFormat, &kHelp},
       {{"irplan ops", "all operators"}, {"irplan ops linear attention", "two of them in full"}},
       run_ops,
       FileUse::None,
       operator_names()},
      {"kernels",
       "list the kernels of a target",
       "[TARGET...]",
       "The kernels that plans name: what each does, or does better than the version before, which ops it "
       "takes, and the memory\nit needs: scratch bytes in the arena, or a weight packed in its own layout. "
       "An "
       "op gets the newest kernel that takes it at\nall sizes.",
       0,
       kMany,
       {&kFormat, &kHelp},
       {{"irplan kernels", "of all targets"}, {"irplan kernels cpu --format=json", "of one"}},
       run_kernels,
       FileUse::None,
       "cpu|cuda"},
      {"passes",
       "list the compiler's passes",
       "",
       "The passes in the order in which they run, each with what it does.",
       0,
       0,
       {&kFormat, &kHelp},
       {{"irplan passes", ""},
        {"irplan plan hotpath.irplan --dump-after=fuse -o /dev/null", "the program after one of them"}},
       run_passes},
  };
}

std::vector<Command> other_commands() {
  return {
      {"pack",
       "place buffers with given lifetimes",
       "FILE.csv|FILE.json|-",
       "Reads id,lower,upper,size (half-open lifetimes), writes the same with an offset for each buffer, and "
       "prints a verdict\n(optimal, infeasible, undecided, or feasible: within the capacity), the height "
       "reached and the lower bound. Optional columns:\n`alignment`, `offset` (fixed) and `gaps` (3-7 "
       "8-9@0:16: steps in which other buffers may use its bytes, or all but bytes 0 to\n16); others are "
       "refused. JSON is {\"capacity\": n, \"buffers\": [{\"id\", "
       "\"lower\",\n\"upper\", \"size\", \"alignment\", \"gaps\": [{\"lower\", \"upper\"}], \"offset\"}]}, "
       "and the output is JSON if the input is, or if the output is "
       "called\n*.json. If --capacity cannot be met, it names a small set of buffers that prevent it, and "
       "exits with 3. Ctrl-C ends a long\nsearch with the best placement so far, exit 130.",
       1,
       1,
       {&kCapacity, &kStrength, &kOutput, &kFormat, &kHelp},
       {{"irplan pack buffers.csv -o placed.csv", ""},
        {"irplan pack buffers.csv", "only the numbers"},
        {"irplan pack problem.json -o solved.json", "the same as JSON"},
        {"irplan pack buffers.csv --capacity 1MiB", "does it fit, and if not, why"},
        {"irplan pack - --strength=portfolio --format=json < buffers.csv", "heuristics only"}},
       run_pack,
       FileUse::Read},
      {"new",
       "start a program",
       "FILE.irplan",
       "Writes a program to start from: with --config the example that serves the model, else the small one "
       "of --template.\nAn existing file is not overwritten.",
       1,
       1,
       {&kConfig, &kTemplate, &kFormat, &kHelp},
       {{"irplan new first.irplan", ""},
        {"irplan new model.irplan --config config.json", "the program that fits a checkpoint"},
        {"irplan new decoder.irplan --template=decoder", "a decoder with a cache"}},
       run_new,
       FileUse::Written},
      {"link",
       "make or read a link of the playground",
       "encode FILE|- or decode LINK|-",
       "encode prints the link that opens a program in the playground, with its config and options; all of "
       "it "
       "stands in the link.\ndecode prints what a link holds and the command that makes its plan; with -o it "
       "writes program and config. Existing files are\nnot overwritten.",
       2,
       2,
       {&kConfig, &kLet, &kDim, &kRetype, &kTarget, &kKeepOrder, &kStrength, &kDenyAll, &kSite, &kInto,
        &kFormat, &kHelp},
       {{"irplan link encode llama.irplan --config config.json --let C=4096", ""},
        {"irplan link encode llama.irplan --site https://irplan.example/", "a whole address"},
        {"irplan link decode 'https://irplan.example/#1.0.1.0.b…'", "what it holds"},
        {"irplan link decode - -o . < link.txt", "its files"}},
       run_link,
       FileUse::None,
       "encode|decode"},
      {"lsp",
       "answer an editor",
       "",
       "Speaks the Language Server Protocol (3.17) over stdin and stdout: diagnostics, completion, hover "
       "with "
       "shapes and bytes,\nsignatures, inlay hints, definitions, references, renaming, symbols, folding, "
       "colours, "
       "quick fixes, layout. A program's\n`config` is the config.json beside it, or the file that the editor "
       "names: the setting irplan.config, or `config` in the\ninitialization options, a path in the "
       "workspace.",
       0,
       0,
       {&kStdio, &kHelp},
       {{"irplan lsp", "started by an editor: web/vscode is an extension for VS Code"}},
       run_lsp},
      {"completion",
       "print a completion script",
       kShells,
       "Prints a shell script that completes commands, options and their values. The script itself calls "
       "`completion phases\nWORD...`, which lists the phases of the programs and plans among the words.",
       1,
       kMany,
       {&kHelp},
       {{"source <(irplan completion bash)", ""},
        {"irplan completion fish > ~/.config/fish/completions/irplan.fish", ""}},
       run_completion},
      {"man",
       "print the manual page",
       "",
       "Prints the manual page as troff.",
       0,
       0,
       {&kHelp},
       {{"irplan man | man -l -", ""}},
       run_man},
  };
}

std::vector<Command> make() {
  std::vector<Command> out = commands_on_programs();
  for (const auto& more : {commands_that_show(), other_commands()})
    out.insert(out.end(), more.begin(), more.end());
  return out;
}

}  // namespace

const Program& program() {
  static const Program made{"irplan", "compiles tensor programs to plans", kExitCodes, make()};
  return made;
}

}  // namespace irplan::cli
