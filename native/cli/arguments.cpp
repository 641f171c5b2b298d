#include "cli/arguments.h"

#include <cstdio>
#include <cstring>

#include "irplan/diagnostic.h"

namespace irplan::cli {
namespace {

const Option* find_option(const Command& command, std::string_view name) {
  for (const Option* o : command.options) {
    if (name == o->name || (o->letter && name.size() == 2 && name[0] == '-' && name[1] == o->letter))
      return o;
  }
  return nullptr;
}

bool is_choice(const char* choices, std::string_view value) {
  const std::string all = std::string("|") + choices + "|";
  return value.find('|') == std::string_view::npos &&
         all.find("|" + std::string(value) + "|") != std::string::npos;
}

}  // namespace

int fail(Exit code, const std::string& message) {
  std::fprintf(stderr, "error: %s\n", message.c_str());
  return code;
}

const Command* find_command(std::string_view name) {
  for (const Command& c : commands()) {
    if (name == c.name) return &c;
  }
  return nullptr;
}

bool Arguments::unknown(const std::string& word) {
  std::vector<std::string> names;
  for (const Option* o : command_->options) names.push_back(o->name);
  const std::string near = nearest(word, names);
  std::string text = "`" + word + "` is no option of `irplan " + command_->name + "`";
  if (!near.empty()) text += "; did you mean `" + near + "`?";
  fail(kUsage, text + "\nirplan " + command_->name + " --help lists them");
  return false;
}

bool Arguments::take(const Option& option, std::string value) {
  auto& values = values_[option.name];
  if (option.value && option.choices && !is_choice(option.choices, value)) {
    fail(kUsage, std::string(option.name) + " takes " + option.choices + ", not `" + value + "`");
    return false;
  }
  if (!values.empty() && !option.repeats && option.value) {
    fail(kUsage, std::string(option.name) + " is given twice");
    return false;
  }
  values.push_back(std::move(value));
  return true;
}

bool Arguments::take_word(const std::vector<std::string>& words, size_t& i) {
  const std::string& word = words[i];
  const size_t equals = word[1] == '-' ? word.find('=') : std::string::npos;
  std::string name = word.substr(0, equals);
  std::string attached = equals == std::string::npos ? "" : word.substr(equals + 1);
  bool has_value = equals != std::string::npos;
  if (word[1] != '-' && word.size() > 2) {  // -oFILE
    name = word.substr(0, 2);
    attached = word.substr(2);
    has_value = true;
  }
  const Option* option = find_option(*command_, name);
  if (!option) return unknown(name);
  if (!option->value) {
    if (!has_value) return take(*option, "");
    fail(kUsage, std::string(option->name) + " takes no value");
    return false;
  }
  if (!has_value && i + 1 >= words.size()) {
    fail(kUsage, std::string(option->name) + " needs its " + option->value);
    return false;
  }
  return take(*option, has_value ? attached : words[++i]);
}

bool Arguments::parse(const Command& command, const std::vector<std::string>& words) {
  command_ = &command;
  bool options = true;
  for (size_t i = 0; i < words.size(); ++i) {
    if (options && words[i] == "--") {
      options = false;
    } else if (options && words[i].size() > 1 && words[i][0] == '-') {
      if (!take_word(words, i)) return false;
    } else {
      positional_.push_back(words[i]);
    }
  }
  if (help()) return true;
  // `--input FILE` is the long way to say FILE.
  for (const std::string& file : all("--input")) positional_.push_back(file);
  if (positional_.size() < command.least) {
    fail(kUsage, std::string("irplan ") + command.name + " needs " + command.positional + "\n" + "irplan " +
                     command.name + " --help shows how it is used");
    return false;
  }
  if (positional_.size() > command.most) {
    fail(kUsage, "`" + positional_[command.most] + "` is one argument too many for irplan " + command.name);
    return false;
  }
  return true;
}

std::string Arguments::value(std::string_view option, std::string_view otherwise) const {
  const auto found = values_.find(option);
  return std::string(found == values_.end() ? otherwise : found->second.back());
}

const std::vector<std::string>& Arguments::all(std::string_view option) const {
  static const std::vector<std::string> kNothing;
  const auto found = values_.find(option);
  return found == values_.end() ? kNothing : found->second;
}

}  // namespace irplan::cli
