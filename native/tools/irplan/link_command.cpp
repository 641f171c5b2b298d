// irplan link: from a program to a link of the playground, and back.
#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "base/printable.h"
#include "command_line/files.h"
#include "command_line/terminal.h"
#include "files/paths.h"
#include "files/write.h"
#include "irplan/compile.h"
#include "link/link.h"
#include "tools/irplan/commands.h"

namespace irplan::cli {
namespace {

using Json = link::Json;

constexpr size_t kMostProgram = size_t{16} << 20;   // bytes, as for a compilation
constexpr const char* kUsualTarget = "cuda:sm_90";  // what a link need not say

std::string last_part(const std::string& path) { return path.substr(path.find_last_of('/') + 1); }

// A word as a shell takes it for one.
std::string quoted(const std::string& word) {
  const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '_' || c == '.' || c == '+' || c == '-' || c == '=' || c == ':' ||
           c == '/';
  });
  if (plain) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

// ---- encode

// {"C": "4096"} of --let C=4096; numbers where `numbers`. Null after a message on stderr.
Json named_values(const Arguments& arguments, const char* option, bool numbers) {
  Json out = Json::object();
  for (const std::string& word : arguments.all(option)) {
    std::string name, value;
    split(word, &name, &value);
    if (!numbers) {
      out[name] = value;
      continue;
    }
    value.erase(std::remove(value.begin(), value.end(), '_'), value.end());
    const bool digits =
        !value.empty() && value.size() <= 15 && value.find_first_not_of("0123456789") == std::string::npos;
    if (!digits) {
      fail(kUsage, std::string(option) + " " + word + ": `" + value + "` is not a whole number");
      return nullptr;
    }
    out[name] = std::stoll(value);
  }
  return out;
}

// None after a message on stderr, with the code to exit with.
std::optional<Json> record_of(const Arguments& arguments, const std::string& path, Exit* code) {
  *code = kFailed;
  const auto text = read_file(path, kMostProgram);
  if (!text) return std::nullopt;
  if (is_plan(*text)) {
    fail(kFailed, path + " is a plan; a link holds the program that it is made from");
    return std::nullopt;
  }
  Json record{{"file", path == "-" ? "program.irplan" : last_part(path)}, {"text", *text}};
  if (arguments.has("--config")) {
    const std::string config_path = config_file(arguments.value("--config"));
    const auto config = read_file(config_path, kMostProgram);
    if (!config) return std::nullopt;
    record["config"] = *config;
    if (last_part(config_path) != "config.json") record["configName"] = last_part(config_path);
  }
  Json options = Json::object();
  if (const std::string target = arguments.value("--target", kUsualTarget);
      target != kUsualTarget && target != "cuda")
    options["target"] = target;
  for (const auto& [option, key] : {std::pair{"--let", "lets"}, {"--dim", "dims"}, {"--retype", "retypes"}}) {
    Json values = named_values(arguments, option, std::string_view(key) == "dims");
    if (values.is_null()) {
      *code = kUsage;
      return std::nullopt;
    }
    if (!values.empty()) options[key] = std::move(values);
  }
  if (arguments.has("--keep-order")) options["keepOrder"] = true;
  if (const std::string strength = arguments.value("--strength", "portfolio"); strength != "portfolio")
    options["strength"] = strength;
  if (arguments.has("--deny-warnings")) options["denyWarnings"] = true;
  if (!options.empty()) record["options"] = std::move(options);
  return record;
}

int encode(const Arguments& arguments) {
  Exit code = kFailed;
  const auto record = record_of(arguments, arguments.positional()[1], &code);
  if (!record) return code;
  std::string site = arguments.value("--site");
  if (site.find('#') != std::string::npos)
    return fail(kUsage, "--site takes the address of a playground, without `#`");
  const std::string link = site + link::encode(*record, kVersion);
  return print(arguments.json() ? Json{{"link", link}}.dump() + "\n" : link + "\n") ? kDone : kFailed;
}

// ---- decode

std::string text_at(const Json& record, const char* key, const char* otherwise = "") {
  const auto found = record.find(key);
  return found != record.end() && found->is_string() ? found->get<std::string>() : otherwise;
}

const Json& record_at(const Json& record, const char* key) {
  static const Json kNone = Json::object();
  const auto found = record.find(key);
  return found != record.end() && found->is_object() ? *found : kNone;
}

// A link's names are anybody's: no folders, nothing hidden.
std::string file_at(const Json& record, const char* key, const char* otherwise, std::string_view ending) {
  std::string name = last_part(printable(text_at(record, key, otherwise)));
  name.erase(0, name.find_first_not_of(". -"));
  return name.size() > ending.size() && name.ends_with(ending) ? name : otherwise;
}

std::string program_file(const Json& record) { return file_at(record, "file", "program.irplan", ".irplan"); }
std::string config_name(const Json& record) { return file_at(record, "configName", "config.json", ".json"); }

// What the document is compared with, as a record whose files stand beside the document's own. Empty where it
// is alone.
Json against(const Json& record) {
  Json other = record_at(record, "against");
  if (other.empty()) return other;
  other["file"] = "against-" + program_file(other);
  other["configName"] = "against-" + config_name(other);
  if (!other.contains("sizes")) other["sizes"] = record_at(record, "sizes");
  return other;
}

// "B = 3, S = 1"
std::string sizes_text(const Json& sizes) {
  std::string out;
  for (const auto& [name, n] : sizes.items()) out += (out.empty() ? "" : ", ") + name + " = " + n.dump();
  return out;
}

std::string command_line(const Json& record) {
  const Json& options = record_at(record, "options");
  std::string out = "irplan plan " + quoted(program_file(record));
  if (!text_at(record, "config").empty()) out += " --config " + quoted(config_name(record));
  if (const std::string target = text_at(options, "target"); !target.empty())
    out += " --target " + quoted(target);
  for (const auto& [option, key] :
       {std::pair{" --let ", "lets"}, {" --dim ", "dims"}, {" --retype ", "retypes"}}) {
    for (const auto& [name, value] : record_at(options, key).items())
      out += option + quoted(name + "=" + (value.is_string() ? value.get<std::string>() : value.dump()));
  }
  if (options.value("keepOrder", Json(false)) == true) out += " --keep-order";
  if (const std::string strength = text_at(options, "strength"); !strength.empty())
    out += " --strength " + quoted(strength);
  if (options.value("denyWarnings", Json(false)) == true) out += " --deny-warnings";
  return out;
}

// The program, its config and its sizes, a line each.
std::string document_text(const Json& record, const char* heading) {
  const std::string text = text_at(record, "text");
  std::string out = heading + program_file(record) + ", " +
                    std::to_string(std::count(text.begin(), text.end(), '\n')) + " lines\n";
  if (!text_at(record, "config").empty()) out += "config   " + config_name(record) + "\n";
  if (const std::string sizes = sizes_text(record_at(record, "sizes")); !sizes.empty())
    out += "sizes    " + sizes + "\n";
  return out;
}

std::string summary(const link::Link& link) {
  const Json& record = link.record;
  std::string out = "made by IRPlanner " + link.version + "\n" + document_text(record, "program  ");
  for (const char* key : {"look", "fit"}) {
    if (const Json& part = record_at(record, key); !part.empty())
      out += std::string(key) + (key[0] == 'l' ? "     " : "      ") + part.dump() + "\n";
  }
  out += "command  " + command_line(record) + "\n";
  if (const Json other = against(record); !other.empty())
    out += document_text(other, "against  ") + "command  " + command_line(other) + "\n";
  return printable(out, Lines::Many);
}

int write_into(const std::string& folder, const link::Link& link) {
  if (!is_folder(folder)) return fail(kFailed, folder + " is no folder; -o names one that is there");
  std::vector<FileToWrite> files;
  for (const Json& record : {link.record, against(link.record)}) {
    if (record.empty()) continue;
    files.push_back({folder + "/" + program_file(record), text_at(record, "text")});
    if (const std::string config = text_at(record, "config"); !config.empty())
      files.push_back({folder + "/" + config_name(record), config});
  }
  for (const FileToWrite& file : files) {
    if (exists(file.path)) return fail(kFailed, file.path + " is there already and was not overwritten");
  }
  for (const FileToWrite& file : files) {
    if (const auto failure = create_file(file.path, file.bytes)) return fail(kFailed, *failure);
  }
  return kDone;
}

int decode(const Arguments& arguments) {
  std::string text = arguments.positional()[1];
  if (text == "-") {
    const auto read = read_file("-", link::kMostText + 1);
    if (!read) return kFailed;
    text = *read;
    text.erase(text.find_last_not_of(" \r\n\t") + 1);
  }
  const auto link = link::decode(text);
  if (!link) return fail(kFailed, link.message());
  if (arguments.has("--output")) {
    if (const int code = write_into(arguments.value("--output"), *link); code != kDone) return code;
  }
  if (!arguments.json()) return print(summary(*link)) ? kDone : kFailed;
  Json out{{"version", link->version}, {"command", command_line(link->record)}};
  if (const Json other = against(link->record); !other.empty()) out["against_command"] = command_line(other);
  out.update(link->record);
  return print(out.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n") ? kDone : kFailed;
}

}  // namespace

int run_link(const Arguments& arguments) {
  const std::string& what = arguments.positional()[0];
  // What only the other direction uses would change nothing.
  constexpr const char* kOfEncode[] = {"--config",   "--let",           "--dim",
                                       "--retype",   "--target",        "--keep-order",
                                       "--strength", "--deny-warnings", "--site"};
  constexpr const char* kOfDecode[] = {"--output"};
  const auto misplaced = [&](std::span<const char* const> options) {
    const auto given =
        std::find_if(options.begin(), options.end(), [&](const char* o) { return arguments.has(o); });
    return given == options.end() ? nullptr : *given;
  };
  if (const char* option = what == "encode"   ? misplaced(kOfDecode)
                           : what == "decode" ? misplaced(kOfEncode)
                                              : nullptr)
    return fail(kUsage, std::string(option) + " goes with `irplan link " +
                            (what == "encode" ? "decode" : "encode") + "`");
  if (what == "encode") return encode(arguments);
  if (what == "decode") return decode(arguments);
  return fail(kUsage, "`irplan link` takes encode or decode, not `" + what + "`");
}

}  // namespace irplan::cli
