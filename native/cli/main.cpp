// irplan: the compiler at the command line.
#include <cstdio>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/files.h"
#include "irplan/compile.h"
#include "irplan/diagnostic.h"

namespace irplan::cli {
namespace {

// A mistyped command looks like a file that is not there; say what was probably meant.
bool mistyped(const std::string& word) {
  if (word[0] == '-' || word.find_first_of("./") != std::string::npos || exists(word)) return false;
  std::vector<std::string> names = {"help"};
  for (const Command& c : commands()) names.push_back(c.name);
  const std::string near = nearest(word, names);
  fail(kUsage, "`" + word + "` is neither a command nor a file" +
                   (near.empty() ? "" : "; did you mean `" + near + "`?"));
  return true;
}

int run(std::vector<std::string> words) {
  if (words.empty()) {
    std::fputs(overview().c_str(), stderr);
    return kUsage;
  }
  if (words[0] == "--version") return print("irplan " + std::string(kVersion) + "\n") ? kDone : kFailed;
  if (words[0] == "--help" || words[0] == "-h" || (words[0] == "help" && words.size() == 1)) {
    return print(overview()) ? kDone : kFailed;
  }
  if (words[0] == "help") {
    words.erase(words.begin());
    words.resize(1);
    words.push_back("--help");
  }
  const Command* command = find_command(words[0]);
  if (command)
    words.erase(words.begin());
  else if (mistyped(words[0]))
    return kUsage;
  else
    command = &commands().front();
  Arguments arguments;
  if (!arguments.parse(*command, words)) return kUsage;
  if (arguments.help()) return print(help(*command)) ? kDone : kFailed;
  return command->run(arguments);
}

}  // namespace
}  // namespace irplan::cli

int main(int argc, char** argv) { return irplan::cli::run({argv + 1, argv + argc}); }
