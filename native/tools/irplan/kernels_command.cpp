// irplan kernels: the rows of core/src/kernels.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "command_line/terminal.h"
#include "kernels/kernel.h"
#include "tools/irplan/commands.h"

namespace irplan::cli {
namespace {

using Json = nlohmann::ordered_json;
using command::name_column;

Json kernel_json(const KernelRow& row) {
  const auto text_or_null = [](const char* text) { return *text ? Json(text) : Json(); };
  return {{"name", row.name()},
          {"target", row.target},
          {"op", row.op},
          {"version", row.version},
          {"does", row.sentence},
          {"admits", text_or_null(row.admits_text)},
          {"scratch", text_or_null(row.scratch_text)},
          {"packs",
           row.packed < 0 ? Json() : Json(find_op(row.op)->operands[static_cast<size_t>(row.packed)].name)},
          {"layout", text_or_null(row.layout)},
          {"epilogue", text_or_null(row.epilogue)}};
}

std::string kernel_text(const KernelRow& row) {
  std::string out = name_column(row.name()) + row.sentence + "\n";
  const std::string indent = name_column("");
  if (*row.admits_text) out += indent + "admits   " + row.admits_text + "\n";
  if (*row.scratch_text) out += indent + "scratch  " + row.scratch_text + " bytes\n";
  if (row.packed >= 0)
    out += indent + "packs    " + find_op(row.op)->operands[static_cast<size_t>(row.packed)].name + " as " +
           row.layout + ": " + row.weight_layout()->doc + "\n";
  if (*row.epilogue) out += indent + "then     " + row.epilogue + "\n";
  return out;
}

std::vector<std::string> targets() {
  std::vector<std::string> names;
  for (const KernelRow& row : kernel_table()) {
    if (names.empty() || names.back() != row.target) names.emplace_back(row.target);
  }
  return names;
}

}  // namespace

int run_kernels(const Arguments& arguments) {
  std::string text;
  Json list = Json::array();
  const std::vector<std::string> all = targets();
  const std::vector<std::string>& wanted = arguments.positional().empty() ? all : arguments.positional();
  for (const std::string& target : wanted) {
    const auto rows = kernels_of(target);
    if (rows.empty()) {
      std::string known;
      for (const std::string& name : all) known += (known.empty() ? "" : " and ") + name;
      return fail(kFailed, "unknown target `" + target + "`; there are kernels for " + known +
                               did_you_mean(target, all));
    }
    for (const KernelRow& row : rows) {
      list.push_back(kernel_json(row));
      text += kernel_text(row);
    }
  }
  return print(arguments.json() ? list.dump(2) + "\n" : text) ? kDone : kFailed;
}

}  // namespace irplan::cli
