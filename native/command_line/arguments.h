// A command line as one table: parsing, --help, the manual and shell completion all read it.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace irplan::command {

// What a process answers with.
enum Exit : int {
  kDone = 0,
  kFailed = 1,   // the input is wrong, or it could not be read or written
  kUsage = 2,    // the command line is wrong
  kDiffers = 3,  // a check did not hold
  kInterrupted = 130,
};

// What a word of the command line is to the command, where it names a file.
enum class FileUse { None, Read, Written };

struct Option {
  const char* name;             // "--config"
  char letter = 0;              // 'o' for -o
  const char* value = nullptr;  // "FILE"; null: a flag
  const char* doc = "";
  bool repeats = false;
  const char* choices = nullptr;  // "text|json"
  bool open = false;              // there are other values than the choices
  bool named = false;             // of "NAME=VALUE": each name is given once
  const char* names = nullptr;    // then the names and their values, where there are few: for completion
  const char* values = nullptr;
  const char* asks = nullptr;  // for completion: what `PROGRAM completion WHAT WORDS…` prints, "phases"
  bool positional = false;     // its value stands for a positional argument
  bool alone = false;          // answers by itself, without positional arguments
  FileUse file = FileUse::None;
  // The path in a value that is more than one; empty where it holds none.
  std::string (*path_of)(const std::string& value) = nullptr;
};

struct Example {
  const char* line;
  const char* what;
};

class Arguments;

struct Command {
  const char* name;        // empty where it is all that the program does
  const char* summary;     // one line, for the list of commands
  const char* positional;  // "FILE|-"
  const char* description;
  size_t least, most;  // how many positional arguments
  std::vector<const Option*> options;
  std::vector<Example> examples;
  int (*run)(const Arguments&);
  FileUse files = FileUse::None;  // what the positional arguments are
  const char* words = nullptr;    // "add|append|…": what they are besides, or instead, for completion
};

struct Program {
  const char* name;     // "irplan"
  const char* summary;  // "compiles tensor programs to plans"
  const char* exit_codes;
  std::vector<Command> commands;  // in the order of --help; the first is meant where none is named

  bool single() const { return !*commands[0].name; }
  const Command* find(std::string_view command) const;
};

// One parsed command line.
class Arguments {
 public:
  // False after a message on stderr.
  bool parse(const Program& program, const Command& command, const std::vector<std::string>& words);

  const Command& command() const { return *command_; }
  const std::vector<std::string>& positional() const { return positional_; }
  bool has(std::string_view option) const { return values_.contains(std::string(option)); }
  // The last value given, or `otherwise`.
  std::string value(std::string_view option, std::string_view otherwise = "") const;
  // All values given, in order.
  const std::vector<std::string>& all(std::string_view option) const;
  bool json() const { return value("--format") == "json"; }
  bool help() const { return has("--help"); }
  // An output that is an input, or another output; none where every file has one use.
  std::optional<std::string> file_conflict() const;

 private:
  bool take(const Option& option, std::string value);
  bool take_word(const std::vector<std::string>& words, size_t& i);
  bool unknown(const std::string& word);
  bool fits(const Option& option, std::string& value);
  bool check_count();

  const Command* command_ = nullptr;
  std::string title_;  // "irplan plan"
  std::vector<std::string> positional_;
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
  bool alone_ = false;
};

// ---- what the table is printed as
std::string overview(const Program& program);                            // irplan --help
std::string help(const Program& program, const Command& command);        // irplan plan --help
std::string manual(const Program& program);                              // a troff page
std::string completion(const Program& program, std::string_view shell);  // empty for a shell that has none
constexpr const char* kShells = "bash|zsh|fish";

// "NAME=VALUE" in two; false where there is no `=`, or nothing before it.
bool split(const std::string& word, std::string* name, std::string* value);

// "; did you mean `cpu`?", or nothing where no candidate is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

// "error: …" on stderr, harmless for a terminal. Returns the exit code given, so that a command can end with
// it.
int fail(Exit code, const std::string& message);

}  // namespace irplan::command
