// The command line as one table: parsing, --help, the manual and shell completion all read it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace irplan::cli {

// What a process answers with.
enum Exit : int {
  kDone = 0,
  kFailed = 1,   // the input is wrong, or it could not be read or written
  kUsage = 2,    // the command line is wrong
  kDiffers = 3,  // a check did not hold
  kInterrupted = 130,
};

struct Option {
  const char* name;             // "--config"
  char letter = 0;              // 'o' for -o
  const char* value = nullptr;  // "FILE"; null: a flag
  const char* doc = "";
  bool repeats = false;
  const char* choices = nullptr;  // "text|json"
};

struct Example {
  const char* line;
  const char* what;
};

class Arguments;

struct Command {
  const char* name;
  const char* summary;     // one line, for the list of commands
  const char* positional;  // "FILE|-"
  const char* description;
  size_t least, most;  // how many positional arguments
  std::vector<const Option*> options;
  std::vector<Example> examples;
  int (*run)(const Arguments&);
};

// All commands, in the order of --help.
const std::vector<Command>& commands();
const Command* find_command(std::string_view name);

// One parsed command line.
class Arguments {
 public:
  // False after a message on stderr.
  bool parse(const Command& command, const std::vector<std::string>& words);

  const Command& command() const { return *command_; }
  const std::vector<std::string>& positional() const { return positional_; }
  bool has(std::string_view option) const { return values_.contains(std::string(option)); }
  // The last value given, or `otherwise`.
  std::string value(std::string_view option, std::string_view otherwise = "") const;
  // All values given, in order.
  const std::vector<std::string>& all(std::string_view option) const;
  bool json() const { return value("--format") == "json"; }
  bool help() const { return has("--help"); }

 private:
  bool take(const Option& option, std::string value);
  bool take_word(const std::vector<std::string>& words, size_t& i);
  bool unknown(const std::string& word);

  const Command* command_ = nullptr;
  std::vector<std::string> positional_;
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

// ---- what the table is printed as
std::string overview();                          // irplan --help
std::string help(const Command& command);        // irplan plan --help
std::string manual();                            // a troff page
std::string completion(std::string_view shell);  // empty for a shell that has none

// "error: …" on stderr. Returns the exit code given, so that a command can end with it.
int fail(Exit code, const std::string& message);

}  // namespace irplan::cli
