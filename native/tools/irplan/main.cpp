// irplan: the compiler at the command line.
#include <cstdio>
#include <string>
#include <vector>

#include "base/explanations.h"
#include "command_line/edge.h"
#include "command_line/terminal.h"
#include "files/paths.h"
#include "irplan/compile.h"
#include "tools/irplan/commands.h"

namespace irplan::cli {
namespace {

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const Command& c : program().commands) names.emplace_back(c.name);
  return names;
}

int unknown_command(const std::string& word) {
  return fail(kUsage, "`" + word + "` is not a command of irplan" + did_you_mean(word, command_names()) +
                          "\nirplan --help lists them");
}

// A mistyped command looks like a file that is not there; say what was probably meant.
bool mistyped(const std::string& word) {
  if (word[0] == '-' || word.find_first_of("./") != std::string::npos || exists(word)) return false;
  std::vector<std::string> names = command_names();
  names.emplace_back("help");
  const std::string near = word == "run"        ? "; did you mean `irplan-run`?"
                           : is_like_code(word) ? "; did you mean `irplan explain " + word + "`?"
                                                : did_you_mean(word, names);
  fail(kUsage, "`" + word + "` is neither a command nor a file" + near);
  return true;
}

int run(std::vector<std::string> words) {
  if (words.empty()) {
    std::fputs(overview(program()).c_str(), stderr);
    return kUsage;
  }
  if (words[0] == "--version") return print("irplan " + std::string(kVersion) + "\n") ? kDone : kFailed;
  if (words[0] == "--help" || words[0] == "-h" || (words[0] == "help" && words.size() == 1)) {
    return print(overview(program())) ? kDone : kFailed;
  }
  if (words[0] == "help") {
    words.erase(words.begin());
    if (!program().find(words[0])) return unknown_command(words[0]);
    words.resize(1);
    words.push_back("--help");
  }
  const Command* command = program().find(words[0]);
  if (command)
    words.erase(words.begin());
  else if (mistyped(words[0]))
    return kUsage;
  else
    command = &program().commands[0];
  Arguments arguments;
  if (!arguments.parse(program(), *command, words)) return kUsage;
  if (arguments.help()) return print(help(program(), *command)) ? kDone : kFailed;
  if (const auto conflict = arguments.file_conflict()) return fail(kUsage, *conflict);
  return command->run(arguments);
}

}  // namespace
}  // namespace irplan::cli

int main(int argc, char** argv) {
  const std::string program = std::string("irplan ") + std::string(irplan::kVersion);
  return irplan::command::guarded(program.c_str(), [&] { return irplan::cli::run({argv + 1, argv + argc}); });
}
