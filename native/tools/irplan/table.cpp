// The table of commands and options.
#include <string>

#include "irplan/compile.h"
#include "irplan/dtype.h"
#include "irplan/pack.h"
#include "ops/op.h"
#include "tools/irplan/commands.h"

namespace irplan::cli {
namespace {

constexpr size_t kMany = 10000;
constexpr const char* kExitCodes =
    "Exit codes: 0 done; 1 the input is wrong, or it could not be read or written; 2 the command line is "
    "wrong;\n"
    "3 a check did not hold; 129, 130, 143 ended by SIGHUP, SIGINT, SIGTERM: nothing half-written is left.\n";

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

// "W0201|W0202|…"
const char* warning_codes() {
  static const std::string codes = [] {
    std::string out;
    for (const CodeInfo& code : all_codes()) {
      if (code.severity == Severity::Warning) out += (out.empty() ? "" : "|") + std::string(code.name);
    }
    return out;
  }();
  return codes.c_str();
}

const Option kHelp{.name = "--help", .letter = 'h', .doc = "show this", .alone = true};
const Option kColor{.name = "--color",
                    .value = "WHEN",
                    .doc = "colour the diagnostics: auto (on a terminal), always or never",
                    .choices = "auto|always|never"};
const Option kFormat{.name = "--format",
                     .value = "FORM",
                     .doc = "text, or json for a program to read",
                     .choices = "text|json"};
const Option kConfig{.name = "--config",
                     .letter = 'c',
                     .value = "FILE",
                     .doc = "the config.json that `config` means in the program",
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
                  .doc = "the size at which plain numbers of the plan hold",
                  .repeats = true,
                  .named = true};
const Option kRetype{
    .name = "--retype",
    .letter = 'r',
    .value = "WHAT=DTYPE",
    .doc = "keep states, or the weights of products, in another dtype: state=f8e4m3, weights=q8_0",
    .repeats = true,
    .named = true,
    .names = "state|weights",
    .values = float_dtypes()};
const Option kBudget{
    .name = "--budget",
    .letter = 'b',
    .value = "LIMIT",
    .doc =
        "a budget beside the program's own: 'memory <= 23.58GiB', 'decode.arena <= 64MiB', 'B * S <= 4096'",
    .repeats = true};
const Option kTarget{.name = "--target",
                     .letter = 't',
                     .value = "TARGET",
                     .doc = "cpu, cuda or cuda:sm_90 (cuda unless told)",
                     .choices = "cpu|cuda|cuda:sm_80|cuda:sm_90",
                     .open = true};
const Option kOutput{.name = "--output",
                     .letter = 'o',
                     .value = "FILE",
                     .doc = "where the result goes; - is stdout",
                     .file = FileUse::Written};
const Option kInput{.name = "--input",
                    .letter = 'i',
                    .value = "FILE",
                    .doc = "the program, instead of naming it alone",
                    .repeats = true,
                    .positional = true};
const Option kStdio{.name = "--stdio",
                    .doc = "speak over stdin and stdout, as it does anyway: some editors say so"};
const Option kExplain{.name = "--explain", .doc = "print what `irplan explain` says about the plan"};
const Option kDenyAll{.name = "--deny-warnings", .doc = "a warning is an error"};
const Option kAllow{.name = "--allow",
                    .value = "CODE",
                    .doc = "leave the warnings of a code out: W0203",
                    .repeats = true,
                    .choices = warning_codes()};
const Option kDeny{.name = "--deny",
                   .value = "CODE",
                   .doc = "the warnings of a code are errors",
                   .repeats = true,
                   .choices = warning_codes()};
const Option kFix{.name = "--fix",
                  .doc = "make the changes that are proposed, where there is one, and rewrite the file"};
const Option kDump{.name = "--dump-after",
                   .value = "PASS",
                   .doc = "print the program as it is after a pass (see `irplan passes`)",
                   .repeats = true,
                   .choices = pass_names()};
const Option kKeepOrder{.name = "--keep-order",
                        .doc = "run ops as they are written, not in the order of least memory"};
const Option kFmtCheck{.name = "--check",
                       .doc = "write nothing; exit 3 where a file is laid out differently"};
const Option kSvg{.name = "--svg",
                  .value = "FILE",
                  .doc = "draw the memory of a phase over its steps as a picture",
                  .file = FileUse::Written};
const Option kCompare{.name = "--compare",
                      .doc = "what the placement rules of other compilers would need for the same arena"};
const Option kSizes{.name = "--sizes",
                    .value = "DIM=N,N",
                    .doc = "the sizes at which --compare compares; goes with it alone",
                    .repeats = true};
const Option kPhase{.name = "--phase",
                    .value = "NAME",
                    .doc = "the phase to draw (the one with the largest peak unless told)",
                    .asks = "phases"};
const Option kExitCode{.name = "--exit-code", .doc = "exit 3 where the plans differ"};
const Option kTemplate{.name = "--template",
                       .value = "KIND",
                       .doc = "smallest, mlp or decoder",
                       .choices = "smallest|mlp|decoder"};
const Option kCapacity{
    .name = "--capacity", .value = "BYTES", .doc = "stop at a placement that fits; say why where none does"};
const std::string kStrengthDoc =
    "place by portfolio: placements by rules, the best of them mended; limited: then a search under a limit "
    "of nodes; exact: without one, "
    "however long it takes (Ctrl-C ends it with the best so far, exit 130); more than " +
    std::to_string(kMostPackSearched) + " buffers of connected lifetimes are only searched under the limit";
const Option kStrength{
    .name = "--strength", .value = "HOW", .doc = kStrengthDoc.c_str(), .choices = "portfolio|limited|exact"};

const Option kMemory{.name = "--memory",
                     .letter = 'm',
                     .value = "BYTES",
                     .doc = "how much there is: 24GiB, 23.58GiB, 80GB, or a number of bytes"};
const Option kGpu{.name = "--gpu",
                  .letter = 'g',
                  .value = "NAME",
                  .doc =
                      "the memory of a known GPU, less what driver and context are taken to keep: h200, "
                      "a100-80gb, rtx4090"};
const Option kContext{
    .name = "--context",
    .value = "N",
    .doc = "tokens that each sequence may keep, 8192 or 32K (8192, or fewer where the config names fewer)"};
const Option kBatch{.name = "--batch", .value = "N", .doc = "sequences at once (1)"};
const Option kStep{.name = "--step",
                   .value = "N",
                   .doc =
                       "the most tokens of one step, over all sequences (8192); a program has a limit for "
                       "each sequence as well"};

std::vector<Command> make() {
  const std::vector<const Option*> compile = {&kConfig,   &kLet,     &kDim,   &kRetype, &kBudget,
                                              &kTarget,   &kDenyAll, &kAllow, &kDeny,   &kKeepOrder,
                                              &kStrength, &kFormat,  &kColor, &kHelp};
  const auto with = [&](std::vector<const Option*> first) {
    first.insert(first.end(), compile.begin(), compile.end());
    return first;
  };
  return {
      {"plan",
       "compile a program to plan.json",
       "FILE|-",
       "Compiles a program to its plan: what runs, in which order, with which kernel, in which bytes of "
       "memory, under which\n"
       "limits. A failed compile leaves the old plan as it was. `irplan FILE` is the same.",
       1,
       1,
       with({&kInput, &kOutput, &kExplain, &kDump}),
       {{"irplan plan hotpath.irplan -o plan.json", "the plan of a program"},
        {"irplan plan llama.irplan --config config.json --dim B=8 --dim S=512 -o plan.json",
         "a model at a batch of 8"},
        {"irplan plan llama.irplan --config config.json --let C=131072 -o - | head",
         "with a longer cache, to stdout"},
        {"irplan plan llama.irplan --config config.json --retype state=f8e4m3 --retype weights=q8_0",
         "with a cache of 8 bits a number, and weights of as many"},
        {"irplan --input hotpath.irplan --output plan.json", "the form without a command"}},
       run_plan,
       FileUse::Read},
      {"check",
       "say what is wrong with a program",
       "FILE|-...",
       "Compiles, writes nothing, and prints the diagnostics. With --format=json they are the result, on "
       "stdout. With --fix the\nchanges that they propose are made in the files first.",
       1,
       kMany,
       with({&kFix}),
       {{"irplan check llama.irplan --config config.json", ""},
        {"irplan check --fix draft.irplan", "make the changes that are proposed"},
        {"irplan check bad.irplan --format=json", "for an editor"},
        {"irplan check *.irplan --deny-warnings", "in continuous integration"}},
       run_check,
       FileUse::Read},
      {"fit",
       "say whether a model fits into a memory",
       "CONFIG|FOLDER|NAME|-",
       "From a config.json alone, a folder that has one, or the name of an example: what weights, state and "
       "arena take to the "
       "byte,\nthe most context and the largest batch that fit, and what would make it fit. Every number is "
       "one of the plan of "
       "the example\nthat serves the config. Without --memory, --gpu and --budget it says what the model "
       "takes. Exit code 3 "
       "where it does not fit.",
       1,
       1,
       {&kMemory, &kGpu, &kContext, &kBatch, &kStep, &kLet, &kRetype, &kBudget, &kTarget, &kFormat, &kHelp},
       {{"irplan fit config.json --memory 24GiB",
         "does it fit, and how much context and how many sequences do"},
        {"irplan fit llama-3-8b --gpu rtx4090 --context 32K --batch 4", "an example on a known GPU"},
        {"irplan fit ./checkpoint --gpu h200 --retype state=f8e4m3 --format json", "for a program to read"},
        {"irplan fit config.json --budget 'state <= 8GiB' --memory 24GiB", "with a limit on a part"}},
       run_fit,
       FileUse::Read},
      {"fmt",
       "lay a program out as all programs are",
       "FILE|-...",
       "Rewrites the files in place; - reads stdin and writes stdout. Comments are kept.",
       1,
       kMany,
       {&kOutput, &kFmtCheck, &kFormat, &kColor, &kHelp},
       {{"irplan fmt llama.irplan", ""},
        {"irplan fmt - < in.irplan > out.irplan", ""},
        {"irplan fmt --check *.irplan", "exit 3 where a file would change"}},
       run_fmt,
       FileUse::Read},
      {"explain",
       "show where the bytes and the time of a plan go",
       "FILE.irplan|FILE.json|-|CODE",
       "Where the bytes lie and what would lower them; for each phase the memory over its steps, the buffers "
       "at the peak,\nwork and its limit on the target; what each budget admits, what no placement could, "
       "and "
       "which change would make it fit;\nkeys of the config that nothing read. A step's tokens are the "
       "elements of the first two axes of the first input that has\ntwo; a state's bytes for a token are "
       "those of one row of one sequence. A plan is made already: options that compile go with a program.\n"
       "Of a diagnostic's code: what it means, and what to write instead.",
       1,
       1,
       with({&kPhase, &kSvg, &kCompare, &kSizes, &kOutput}),
       {{"irplan explain hotpath.irplan", ""},
        {"irplan explain E0301", "what a diagnostic means"},
        {"irplan explain plan.json --phase decode", "one phase of a plan"},
        {"irplan explain llama.irplan --config config.json --svg memory.svg", "the picture"},
        {"irplan explain plan.json --compare --sizes S=1,128,2048", "the arena under the rules of others"}},
       run_explain,
       FileUse::Read},
      {"diff",
       "say what differs between two plans",
       "A.json B.json",
       "Compares two plans by what they mean, not by their text.",
       2,
       2,
       {&kExitCode, &kFormat, &kHelp},
       {{"irplan diff before.json after.json", ""},
        {"irplan diff --exit-code a.json b.json", "exit 3 where they differ"}},
       run_diff,
       FileUse::Read},
      {"ops",
       "list the operators",
       "[NAME...]",
       "Operands, results, shape rule and attributes of the operators of the language.",
       0,
       kMany,
       {&kFormat, &kHelp},
       {{"irplan ops", "all of them"}, {"irplan ops linear attention", "two of them, whole"}},
       run_ops,
       FileUse::None,
       operator_names()},
      {"kernels",
       "list the kernels of a target",
       "[TARGET...]",
       "The kernels that plans name: what each does, or does better than the version before, which ops it "
       "admits, and what it\nneeds of memory: bytes of scratch in the arena, a weight packed in an order of "
       "its own. An op gets the newest that\nadmits it at all sizes.",
       0,
       kMany,
       {&kFormat, &kHelp},
       {{"irplan kernels", "of all targets"}, {"irplan kernels cpu --format=json", "of one"}},
       run_kernels},
      {"passes",
       "list the compiler's passes",
       "",
       "The passes in their order, each with what it promises.",
       0,
       0,
       {&kFormat, &kHelp},
       {{"irplan passes", ""},
        {"irplan plan hotpath.irplan --dump-after=fuse -o /dev/null", "look at the program after one"}},
       run_passes},
      {"pack",
       "place buffers of given lifetimes",
       "FILE.csv|FILE.json|-",
       "Reads id,lower,upper,size (half-open lifetimes), writes the same with an offset for each buffer, and "
       "prints a verdict\n(optimal, infeasible, undecided; feasible: within the capacity), the height "
       "reached and the lower bound: the packer alone,\nfor anyone to check. Columns `alignment`, `offset` "
       "(fixed) and `gaps` (3-7 8-9@0:16: steps in which others may have its\nbytes, or all but bytes 0 to "
       "16) are honoured; another column is refused. JSON is {\"capacity\": n, \"buffers\": [{\"id\", "
       "\"lower\",\n\"upper\", \"size\", \"alignment\", \"gaps\": [{\"lower\", \"upper\"}], \"offset\"}]}, "
       "and is written where it was read or FILE.json\nis asked for. Where --capacity cannot be met "
       "it names buffers\nthat prevent it, as few as it can, and exits with 3. Ctrl-C ends a long search "
       "with the best "
       "placement so far, exit 130.",
       1,
       1,
       {&kCapacity, &kStrength, &kOutput, &kFormat, &kHelp},
       {{"irplan pack buffers.csv -o placed.csv", ""},
        {"irplan pack buffers.csv", "the numbers alone"},
        {"irplan pack problem.json -o solved.json", "the same as JSON"},
        {"irplan pack buffers.csv --capacity 1048576", "does it fit, and if not, why"},
        {"irplan pack - --strength=portfolio --format=json < buffers.csv", "placements by rules alone"}},
       run_pack,
       FileUse::Read},
      {"new",
       "start a program",
       "FILE.irplan",
       "Writes a program to start from: with --config the example that serves the model, else the small one "
       "of --template. A "
       "file that exists is\n"
       "left alone.",
       1,
       1,
       {&kConfig, &kTemplate, &kFormat, &kHelp},
       {{"irplan new first.irplan", ""},
        {"irplan new model.irplan --config config.json", "the program that fits a checkpoint"},
        {"irplan new decoder.irplan --template=decoder", "a decoder with a cache"}},
       run_new,
       FileUse::Written},
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
       "Prints the script that completes commands, options and their values. The script itself asks for "
       "`completion phases\nWORD...`: the names of the phases of what programs and plans are among the "
       "words.",
       1,
       kMany,
       {&kHelp},
       {{"source <(irplan completion bash)", ""},
        {"irplan completion fish > ~/.config/fish/completions/irplan.fish", ""}},
       run_completion},
      {"man",
       "print the manual page",
       "",
       "Prints the manual as a troff page.",
       0,
       0,
       {&kHelp},
       {{"irplan man | man -l -", ""}},
       run_man},
  };
}

}  // namespace

const Program& program() {
  static const Program made{"irplan", "compiles tensor programs to plans", kExitCodes, make()};
  return made;
}

}  // namespace irplan::cli
