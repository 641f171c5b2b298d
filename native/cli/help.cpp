// The table printed: --help, the manual, and completion for three shells.
#include <cstring>

#include "cli/arguments.h"
#include "irplan/compile.h"

namespace irplan::cli {
namespace {

std::string spelling(const Option& option) {
  std::string out = option.letter ? std::string("-") + option.letter + ", " : "    ";
  out += option.name;
  if (option.value) out += std::string(" ") + option.value;
  return out;
}

std::string usage_line(const Command& command) {
  std::string out = std::string("irplan ") + command.name;
  if (*command.positional) out += std::string(" ") + command.positional;
  return out + " [OPTION...]";
}

std::string padded(std::string text, size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

constexpr const char* kExitCodes =
    "Exit codes: 0 done; 1 the input is wrong; 2 the command line is wrong; 3 a check did not hold.\n";

// ---- the manual

std::string troff(std::string_view text) {
  std::string out;
  bool line_start = true;
  for (const char c : text) {
    if (line_start && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
    line_start = c == '\n';
  }
  return out;
}

// ---- completion

void add_options(std::string& out, const Command& command) {
  for (const Option* o : command.options) {
    out += ' ';
    out += o->name;
  }
}

std::string words(const char* choices) {
  std::string out = choices;
  for (char& c : out) {
    if (c == '|') c = ' ';
  }
  return out;
}

std::string names() {
  std::string out;
  for (const Command& c : commands()) out += (out.empty() ? "" : " ") + std::string(c.name);
  return out;
}

std::string bash() {
  std::string out =
      "# bash completion of irplan\n"
      "_irplan() {\n"
      "  local word=\"${COMP_WORDS[COMP_CWORD]}\" previous=\"${COMP_WORDS[COMP_CWORD-1]}\" command=plan "
      "options=\n"
      "  COMPREPLY=()\n"
      "  [ \"$COMP_CWORD\" -gt 1 ] && command=\"${COMP_WORDS[1]}\"\n"
      "  [ \"$previous\" = = ] && previous=\"${COMP_WORDS[COMP_CWORD-2]}\"\n"
      "  [ \"$word\" = = ] && { previous=\"${COMP_WORDS[COMP_CWORD-1]}\"; word=; }\n"
      "  case \"$previous\" in\n";
  std::string seen = "|";
  for (const Command& c : commands()) {
    for (const Option* o : c.options) {
      if (!o->choices || seen.find(std::string("|") + o->name + "|") != std::string::npos) continue;
      seen += std::string(o->name) + "|";
      out += std::string("    ") + o->name + ") mapfile -t COMPREPLY < <(compgen -W '" + words(o->choices) +
             "' -- \"$word\"); return ;;\n";
    }
  }
  out += "  esac\n  case \"$command\" in\n";
  for (const Command& c : commands()) {
    out += std::string("    ") + c.name + ") options='";
    std::string list;
    add_options(list, c);
    out += list.substr(1) + "' ;;\n";
  }
  out +=
      "  esac\n"
      "  case \"$word\" in\n"
      "    -*) mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$word\") ;;\n"
      "    *) mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
      "       [ \"$COMP_CWORD\" -eq 1 ] && mapfile -t -O \"${#COMPREPLY[@]}\" COMPREPLY < <(compgen -W '" +
      names() +
      "' -- \"$word\") ;;\n"
      "  esac\n"
      "}\n"
      "complete -o filenames -F _irplan irplan\n";
  return out;
}

std::string quoted(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'')
      out += "'\\''";
    else if (c == '[' || c == ']' || c == ':')
      out += std::string("\\") + c;
    else
      out += c;
  }
  return out;
}

std::string zsh() {
  std::string out = "#compdef irplan\n_irplan() {\n  local -a commands=(\n";
  for (const Command& c : commands()) out += std::string("    '") + c.name + ":" + quoted(c.summary) + "'\n";
  out +=
      "  )\n"
      "  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then\n"
      "    _describe command commands\n    _files\n    return\n  fi\n"
      "  case $words[2] in\n";
  for (const Command& c : commands()) {
    out += std::string("    ") + c.name + ") _arguments";
    for (const Option* o : c.options) {
      out += std::string(" \\\n      '") + (o->repeats ? "*" : "") + o->name + (o->value ? "=" : "") + "[" +
             quoted(o->doc) + "]";
      if (o->choices)
        out += std::string(":") + o->value + ":(" + words(o->choices) + ")";
      else if (o->value)
        out += std::string(":") + quoted(o->value) + ":_files";
      out += "'";
    }
    out += " \\\n      '*:file:_files' ;;\n";
  }
  return out + "  esac\n}\n_irplan \"$@\"\n";
}

std::string fish() {
  std::string out = "# fish completion of irplan\n";
  const auto plain = [](std::string_view text) {
    std::string s;
    for (const char c : text) s += c == '\'' ? std::string("\\'") : std::string(1, c);
    return s;
  };
  for (const Command& c : commands()) {
    out += std::string("complete -c irplan -n __fish_use_subcommand -a ") + c.name + " -d '" +
           plain(c.summary) + "'\n";
    for (const Option* o : c.options) {
      out += std::string("complete -c irplan -n '__fish_seen_subcommand_from ") + c.name + "' -l " +
             (o->name + 2);
      if (o->letter) out += std::string(" -s ") + o->letter;
      if (o->value) out += " -r";
      if (o->choices) out += " -x -a '" + words(o->choices) + "'";
      out += " -d '" + plain(o->doc) + "'\n";
    }
  }
  return out;
}

}  // namespace

std::string overview() {
  std::string out = std::string("irplan ") + kVersion +
                    ": compiles tensor programs to plans\n\n"
                    "Usage: irplan [plan] FILE|- [OPTION...]\n"
                    "       irplan --input FILE --output FILE\n"
                    "       irplan COMMAND ...\n\nCommands:\n";
  for (const Command& c : commands()) out += "  " + padded(c.name, 12) + c.summary + "\n";
  out +=
      "\nOptions:\n  -h, --help      show this; irplan COMMAND --help shows the command's own\n"
      "      --version   print the version\n\nExamples:\n";
  for (const Example& e : commands()[0].examples) out += std::string("  ") + e.line + "\n";
  return out + "\n" + kExitCodes;
}

std::string help(const Command& command) {
  std::string out = "Usage: " + usage_line(command) + "\n\n" + command.description + "\n\nOptions:\n";
  for (const Option* o : command.options) out += "  " + padded(spelling(*o), 26) + " " + o->doc + "\n";
  out += "\nExamples:\n";
  for (const Example& e : command.examples) {
    if (*e.what) out += std::string("  # ") + e.what + "\n";
    out += std::string("  ") + e.line + "\n";
  }
  return out + "\n" + kExitCodes;
}

std::string manual() {
  std::string out = std::string(".TH IRPLAN 1 \"\" \"irplan ") + kVersion +
                    "\"\n.SH NAME\nirplan \\- compiles tensor programs to plans\n.SH SYNOPSIS\n"
                    ".B irplan\n[plan] FILE|\\- [OPTION...]\n.br\n.B irplan\nCOMMAND ...\n.SH COMMANDS\n";
  for (const Command& c : commands()) {
    out += ".SS " + troff(usage_line(c)) + "\n" + troff(c.description) + "\n";
    for (const Option* o : c.options) {
      std::string name = spelling(*o);
      out += ".TP\n.B " + troff(name.substr(name.find_first_not_of(' '))) + "\n" + troff(o->doc) + "\n";
    }
    out += ".PP\n.nf\n";
    for (const Example& e : c.examples) out += "    " + troff(e.line) + "\n";
    out += ".fi\n";
  }
  out += ".SH EXIT STATUS\n";
  return out + troff(kExitCodes);
}

std::string completion(std::string_view shell) {
  if (shell == "bash") return bash();
  if (shell == "zsh") return zsh();
  if (shell == "fish") return fish();
  return {};
}

}  // namespace irplan::cli
