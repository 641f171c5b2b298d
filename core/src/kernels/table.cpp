#include <algorithm>
#include <unordered_map>

#include "base/sort.h"
#include "kernels/rows.h"

namespace irplan {
namespace {

struct Table {
  std::vector<KernelRow> rows;
  std::unordered_map<std::string_view, std::span<const KernelRow>> by_target;
  // By target and place of the operator in op_table().
  std::unordered_map<std::string_view, std::vector<std::span<const KernelRow>>> by_op;

  Table() {
    for (auto make : {cpu_kernel_rows, cuda_kernel_rows}) {
      std::vector<KernelRow> own = make();
      sort_range(own.begin(), own.end(), [](const KernelRow& a, const KernelRow& b) {
        const OpRow *x = find_op(a.op), *y = find_op(b.op);
        return x != y ? x < y : a.version < b.version;
      });
      rows.insert(rows.end(), own.begin(), own.end());
    }
    for (size_t i = 0; i < rows.size();) {
      size_t end = i;
      while (end < rows.size() && std::string_view(rows[end].target) == rows[i].target) ++end;
      by_target[rows[i].target] = std::span<const KernelRow>(&rows[i], end - i);
      auto& ops = by_op[rows[i].target];
      ops.resize(op_table().size());
      while (i < end) {
        size_t last = i;
        while (last < end && std::string_view(rows[last].op) == rows[i].op) ++last;
        ops[static_cast<size_t>(find_op(rows[i].op) - op_table().data())] = {&rows[i], last - i};
        i = last;
      }
    }
  }
};

const Table& table() {
  static const Table all;
  return all;
}

}  // namespace

std::string KernelRow::name() const {
  return std::string(target) + "_" + op + "_v" + std::to_string(version);
}

std::span<const KernelRow> kernel_table() { return table().rows; }

std::span<const KernelRow> kernels_of(std::string_view target) {
  const auto found = table().by_target.find(target);
  return found == table().by_target.end() ? std::span<const KernelRow>() : found->second;
}

std::span<const KernelRow> kernels_of(std::string_view target, const OpRow& op) {
  const auto found = table().by_op.find(target);
  return found == table().by_op.end() ? std::span<const KernelRow>()
                                      : found->second[static_cast<size_t>(&op - op_table().data())];
}

const KernelRow* find_kernel(std::string_view target, const OpRow& op, int version) {
  for (const KernelRow& row : kernels_of(target, op)) {
    if (row.version == version) return &row;
  }
  return nullptr;
}

const KernelRow* newest_kernel(std::string_view target, const KernelSite& site,
                               bool (*wanted)(const KernelRow&)) {
  const auto rows = kernels_of(target, site.call.row);
  for (size_t i = rows.size(); i-- > 0;) {
    if ((!wanted || wanted(rows[i])) && (!rows[i].admits || rows[i].admits(site))) return &rows[i];
  }
  return nullptr;
}

const KernelRow* newest_plain_kernel(std::string_view target, const OpRow& op) {
  const auto rows = kernels_of(target, op);
  for (size_t i = rows.size(); i-- > 0;) {
    if (rows[i].plain() && !rows[i].admits) return &rows[i];
  }
  return nullptr;
}

int kernel_version(std::string_view name, std::string_view target, const OpRow& op) {
  constexpr size_t kMostDigits = 4;
  const std::string stem = std::string(target) + "_" + op.name + "_v";
  if (name.substr(0, stem.size()) != stem) return 0;
  const std::string_view digits = name.substr(stem.size());
  if (digits.empty() || digits.size() > kMostDigits || digits[0] == '0') return 0;
  int version = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return 0;
    version = version * 10 + (c - '0');
  }
  return version;
}

}  // namespace irplan
