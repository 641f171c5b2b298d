// The table printed: --help and the manual.
#include <algorithm>

#include "command_line/arguments.h"
#include "irplan/version.h"

namespace irplan::command {
namespace {

constexpr size_t kColumns = 100;    // of a line of help
constexpr size_t kWidestName = 30;  // of an option with its value; the text of a wider one is further right

std::string spelling(const Option& option) {
  std::string out = option.letter ? std::string("-") + option.letter + ", " : "    ";
  out += option.name;
  if (option.value) out += std::string(" ") + option.value;
  return out;
}

std::string title(const Program& program, const Command& command) {
  return program.name + std::string(*command.name ? " " : "") + command.name;
}

std::string usage_line(const Program& program, const Command& command) {
  std::string out = title(program, command);
  if (*command.positional) out += std::string(" ") + command.positional;
  return out + " [OPTION...]";
}

// Of UTF-8: `…` is one column of three bytes.
size_t columns(std::string_view text) {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string padded(std::string text, size_t width) {
  const size_t used = columns(text);
  if (used < width) text.append(width - used, ' ');
  return text;
}

// The text in lines that begin at a column.
std::string wrapped(std::string_view text, size_t indent) {
  std::string out;
  size_t used = indent;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(' ', at), text.size());
    const std::string_view word = text.substr(at, end - at);
    if (used > indent && used + 1 + columns(word) > kColumns) {
      out += "\n" + std::string(indent, ' ');
      used = indent;
    } else if (used > indent) {
      out += ' ';
      ++used;
    }
    out += word;
    used += columns(word);
    at = end + 1;
  }
  return out;
}

std::string options_text(const Command& command) {
  size_t width = 0;
  for (const Option* o : command.options) {
    const size_t used = columns(spelling(*o));
    if (used <= kWidestName) width = std::max(width, used);
  }
  std::string out = "\nOptions:\n";
  for (const Option* o : command.options) {
    const size_t indent = 2 + std::max(width, columns(spelling(*o))) + 2;
    out += padded("  " + spelling(*o), indent) + wrapped(o->doc, indent) + "\n";
  }
  return out;
}

std::string examples_text(const Command& command) {
  std::string out = "\nExamples:\n";
  for (const Example& e : command.examples) {
    if (*e.what) out += std::string("  # ") + e.what + "\n";
    out += std::string("  ") + e.line + "\n";
  }
  return out;
}

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

std::string troff_options(const Command& command) {
  std::string out;
  for (const Option* o : command.options) {
    const std::string name = spelling(*o);
    out += ".TP\n.B " + troff(name.substr(name.find_first_not_of(' '))) + "\n" + troff(o->doc) + "\n";
  }
  return out;
}

std::string troff_examples(const Command& command) {
  std::string out = ".nf\n";
  for (const Example& e : command.examples) out += "    " + troff(e.line) + "\n";
  return out + ".fi\n";
}

std::string troff_commands(const Program& program) {
  std::string out = "[" + std::string(program.commands[0].name) + "] " +
                    troff(program.commands[0].positional) + " [OPTION...]\n.br\n.B " + program.name +
                    "\nCOMMAND ...\n.SH COMMANDS\n";
  for (const Command& c : program.commands) {
    out += ".SS " + troff(usage_line(program, c)) + "\n" + troff(c.description) + "\n" + troff_options(c) +
           ".PP\n" + troff_examples(c);
  }
  return out;
}

std::string troff_single(const Command& command) {
  return troff(command.positional) + std::string(" [OPTION...]\n.SH DESCRIPTION\n") +
         troff(command.description) + "\n.SH OPTIONS\n" + troff_options(command) + ".SH EXAMPLES\n" +
         troff_examples(command);
}

}  // namespace

std::string overview(const Program& program) {
  const std::string name = program.name;
  const Command& first = program.commands[0];
  std::string out = name + " " + kVersion + ": " + program.summary + "\n\nUsage: " + name + " [" +
                    first.name + "] " + first.positional + " [OPTION...]\n       " + name +
                    " --input FILE --output FILE\n       " + name + " COMMAND ...\n\nCommands:\n";
  for (const Command& c : program.commands) out += "  " + padded(c.name, 12) + c.summary + "\n";
  out += "\nOptions:\n  -h, --help      show this; " + name +
         " COMMAND --help shows the command's own\n      --version   print the version\n\nExamples:\n";
  for (const Example& e : first.examples) out += std::string("  ") + e.line + "\n";
  return out + "\n" + program.exit_codes;
}

std::string help(const Program& program, const Command& command) {
  return "Usage: " + usage_line(program, command) + "\n\n" + command.description + "\n" +
         options_text(command) + examples_text(command) + "\n" + program.exit_codes;
}

std::string manual(const Program& program) {
  std::string upper = program.name;
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  const std::string out = ".TH " + upper + " 1 \"\" \"irplan " + kVersion + "\"\n.SH NAME\n" +
                          troff(program.name) + " \\- " + program.summary + "\n.SH SYNOPSIS\n.B " +
                          troff(program.name) + "\n";
  return out + (program.single() ? troff_single(program.commands[0]) : troff_commands(program)) +
         ".SH EXIT STATUS\n" + troff(program.exit_codes);
}

}  // namespace irplan::command
