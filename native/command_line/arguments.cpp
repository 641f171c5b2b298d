#include "command_line/arguments.h"

#include <algorithm>
#include <cctype>

#include "files/file_uses.h"
#include "irplan/diagnostic.h"

namespace irplan::command {
namespace {

const Option* find_option(const Command& command, std::string_view name) {
  for (const Option* o : command.options) {
    if (name == o->name || (o->letter && name.size() == 2 && name[0] == '-' && name[1] == o->letter))
      return o;
  }
  return nullptr;
}

std::vector<std::string> choices_of(const Option& option) {
  std::vector<std::string> out(1);
  for (const char* c = option.choices; *c; ++c) {
    if (*c == '|')
      out.emplace_back();
    else
      out.back() += *c;
  }
  return out;
}

// The one of the words that this is, however large its letters are, or null.
const std::string* meant(const std::string& word, const std::vector<std::string>& words) {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
  };
  for (const std::string& w : words) {
    if (std::equal(w.begin(), w.end(), word.begin(), word.end(), same)) return &w;
  }
  return nullptr;
}

// "portfolio, limited or exact"
std::string any_of(const std::vector<std::string>& words) {
  std::string out;
  for (size_t i = 0; i < words.size(); ++i)
    out += (i == 0 ? "" : i + 1 < words.size() ? ", " : " or ") + words[i];
  return out;
}

}  // namespace

bool split(const std::string& word, std::string* name, std::string* value) {
  const size_t equals = word.find('=');
  if (equals == std::string::npos || equals == 0) return false;
  *name = word.substr(0, equals);
  *value = word.substr(equals + 1);
  return true;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string near = nearest(word, candidates);
  return near.empty() ? "" : "; did you mean `" + near + "`?";
}

const Command* Program::find(std::string_view command) const {
  for (const Command& c : commands) {
    if (command == c.name) return &c;
  }
  return nullptr;
}

bool Arguments::unknown(const std::string& word) {
  std::vector<std::string> names;
  for (const Option* o : command_->options) names.emplace_back(o->name);
  fail(kUsage, "`" + word + "` is not an option of " + title_ + did_you_mean(word, names) + "\n" + title_ +
                   " --help lists them");
  return false;
}

// Whether a value is of the option's form, and no second of what is given once.
bool Arguments::fits(const Option& option, std::string& value) {
  const auto wrong = [&](const std::string& what) {
    fail(kUsage, std::string(option.name) + " " + what);
    return false;
  };
  const auto& given = all(option.name);
  if (option.choices && !option.open) {
    const auto choices = choices_of(option);
    const std::string* const choice = meant(value, choices);
    if (!choice)
      return wrong("takes " + any_of(choices) + ", not `" + value + "`" + did_you_mean(value, choices));
    value = *choice;
  }
  if (option.named) {
    std::string name, rest, other;
    if (!split(value, &name, &rest))
      return wrong(std::string("takes ") + option.value + ", not `" + value + "`");
    for (const std::string& earlier : given) {
      if (split(earlier, &other, &rest) && other == name) return wrong(name + " is given twice");
    }
  }
  if (option.value && value.empty()) return wrong(std::string("needs its ") + option.value);
  return given.empty() || option.repeats || !option.value || wrong("is given twice");
}

bool Arguments::take(const Option& option, std::string value) {
  if (!fits(option, value)) return false;
  alone_ |= option.alone;
  if (option.positional) positional_.push_back(value);
  values_[option.name].push_back(std::move(value));
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

bool Arguments::check_count() {
  if (positional_.size() < command_->least) {
    fail(kUsage, title_ + " needs " + command_->positional + "\n" + title_ + " --help shows how it is used");
    return false;
  }
  if (positional_.size() > command_->most) {
    fail(kUsage, "`" + positional_[command_->most] + "` is one argument too many for " + title_);
    return false;
  }
  return true;
}

bool Arguments::parse(const Program& program, const Command& command, const std::vector<std::string>& words) {
  command_ = &command;
  title_ = program.name + std::string(*command.name ? " " : "") + command.name;
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
  return alone_ || check_count();
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

std::optional<std::string> Arguments::file_conflict() const {
  FileUses uses;
  bool to_stdout = false;
  const auto add = [&](FileUse use, const std::string& as, const std::string& path) {
    if (use == FileUse::Read) uses.reads(as, path);
    if (use != FileUse::Written) return;
    uses.writes(as, path);
    to_stdout = to_stdout || path == "-";
  };
  const char* named = command_->files == FileUse::Read ? "the input" : "the new file";
  for (const std::string& path : positional_) add(command_->files, named, path);
  for (const Option* option : command_->options) {
    if (option->positional) continue;
    for (const std::string& value : all(option->name)) {
      const std::string path = option->path_of ? option->path_of(value) : value;
      if (!path.empty()) add(option->file, option->name, path);
    }
  }
  // Whatever else a command says goes there.
  if (!to_stdout) uses.writes("standard output", "-");
  return uses.conflict();
}

}  // namespace irplan::command
