#include "tools/irplan-run/tensors.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "files/write.h"
#include "irplan/diagnostic.h"
#include "runtime/npy.h"
#include "runtime/safetensors.h"
#include "runtime/statistics.h"

namespace irplan::run {
namespace {

std::vector<std::string> output_names(const Plan& plan) {
  std::vector<std::string> names;
  for (const Plan::Output& output : plan.outputs) {
    if (std::find(names.begin(), names.end(), output.name) == names.end()) names.push_back(output.name);
  }
  return names;
}

float float_at(const HostArray& array, int64_t i) {
  return array.floats ? array.f[static_cast<size_t>(i)] : static_cast<float>(array.i[static_cast<size_t>(i)]);
}

// One line for a reader: extents, least, largest, mean.
void show(const std::string& name_of, const HostArray& array, DType dtype) {
  const Statistics of = statistics(array);
  std::printf("%s %s%s", name_of.c_str(), name(dtype), text(array.shape).c_str());
  if (of.finite() > 0) std::printf("  least %.6g  largest %.6g  mean %.6g", of.least, of.largest, of.mean);
  if (of.finite() < of.count)
    std::printf("  not finite: %lld", static_cast<long long>(of.count - of.finite()));
  std::printf("\n");
}

// How often the largest of a row of two or more is at the same place in both: "top-1 agrees in 31 of 32
// rows".
std::string top_agreement(const HostArray& a, const HostArray& b) {
  const int64_t width = a.shape.empty() ? 0 : a.shape.back();
  if (!a.floats || width < 2) return "";
  const int64_t rows = a.count() / width;
  int64_t same = 0;
  for (int64_t row = 0; row < rows; ++row) {
    const auto top = [&](const HostArray& array) {
      const float* first = array.f.data() + row * width;
      return std::max_element(first, first + width) - first;
    };
    same += top(a) == top(b);
  }
  return "; top-1 agrees in " + std::to_string(same) + " of " + std::to_string(rows) +
         (rows == 1 ? " row" : " rows");
}

// Where more positions are expected than the program gives: how its examples are asked for all of them.
std::string of_all_positions(const std::vector<int64_t>& got, const std::vector<int64_t>& want) {
  if (got.size() != want.size() || got.size() < 2 || got[1] >= want[1]) return "";
  for (size_t axis = 0; axis < got.size(); ++axis) {
    if (axis != 1 && got[axis] != want[axis]) return "";
  }
  return "; a program that gives the last position alone gives all of them with `--let every=true`, as the "
         "examples do";
}

// An --expect answered; a message on stderr where it does not hold.
bool agrees(const std::string& name_of, const HostArray& got, const StoredTensor& want, double tolerance) {
  if (got.shape != want.shape) {
    fail(kDiffers, name_of + ": is " + text(got.shape) + ", expected " + text(want.shape) +
                       of_all_positions(got.shape, want.shape));
    return false;
  }
  const HostArray expected = to_array(want);
  double worst = 0, largest = 0;
  int64_t at = 0, nans = 0;
  for (int64_t i = 0; i < got.count(); ++i) {
    const double a = float_at(got, i), b = float_at(expected, i);
    if (std::isfinite(b)) largest = std::max(largest, std::fabs(b));
    if (a == b || (std::isnan(a) && std::isnan(b))) continue;
    const double error = std::fabs(a - b);
    if (!std::isfinite(error)) ++nans;
    if (!std::isfinite(error) || error > worst) at = i;
    worst = std::isfinite(error) ? std::max(worst, error) : INFINITY;
  }
  const bool holds = nans == 0 && worst <= tolerance * largest;
  const std::string top = expected.floats ? top_agreement(got, expected) : "";
  if (holds) {
    std::fprintf(stderr, "%s: as expected: max|a - b| = %.3g, %.3g of max|b|, within --tol %g%s\n",
                 name_of.c_str(), worst, largest > 0 ? worst / largest : 0.0, tolerance, top.c_str());
    return true;
  }
  char line[400];
  std::snprintf(line, sizeof line,
                "max|a - b| = %.6g is above %g * max|b| = %.6g; at %s it is %.9g, expected %.9g", worst,
                tolerance, tolerance * largest, place_of(at, got.shape).c_str(), double{float_at(got, at)},
                double{float_at(expected, at)});
  fail(kDiffers, name_of + ": not as expected: " + line + top);
  return false;
}

}  // namespace

Result<TensorFile> TensorFile::open(const std::string& text) {
  const auto [path, key] = tensor_file(text);
  auto file = MappedFile::open(path);
  if (!file) return file.error();
  if (!key) {
    auto array = read_npy(file->bytes());
    if (!array) return Error{path + ": " + array.message()};
    return TensorFile(std::move(*file), std::move(*array));
  }
  const auto tensors = Safetensors::read(file->bytes());
  if (!tensors) return Error{path + ": " + tensors.message()};
  const StoredTensor* found = tensors->find(*key);
  if (!found) return Error{path + " holds no tensor `" + *key + "`"};
  return TensorFile(std::move(*file), *found);
}

Result<InputSpec> InputSpec::open(const std::string& text) {
  InputSpec spec;
  if (text.size() > 1 && text[0] == '@') {
    auto file = TensorFile::open(text.substr(1));
    if (!file) return file.error();
    spec.file_ = *std::move(file);
    return spec;
  }
  if (text.compare(0, 7, "random:") == 0) {
    const auto seed = whole_number(text.substr(7));
    if (seed && *seed >= 0) {
      spec.seed_ = static_cast<uint64_t>(*seed);
      return spec;
    }
  }
  if (text.compare(0, 6, "const:") == 0) {
    char* end = nullptr;
    spec.constant_ = std::strtod(text.c_str() + 6, &end);
    if (text.size() > 6 && !*end) return spec;
  }
  return Error{"`" + text + "` is none of @x.npy, @f.safetensors:key, random:SEED and const:V"};
}

std::optional<std::string> InputSpec::unlike(const Plan::Value& value) const {
  return file_ ? irplan::unlike(value, file_->tensor()) : std::nullopt;
}

Result<HostArray> InputSpec::array(const Plan::Value& value, const std::vector<int64_t>& shape,
                                   int64_t below) const {
  if (file_) return stored_input(value, file_->tensor());
  if (seed_) return random_input(value, shape, *seed_, below);
  return constant_input(value, shape, constant_);
}

bool Results::open(const Plan& plan, const Options& options) {
  const auto all = output_names(plan);
  const auto ask = [&](const char* option, const std::string& name_of) {
    if (std::find(all.begin(), all.end(), name_of) == all.end()) {
      fail(kFailed, std::string(option) + " " + name_of + ": the plan has no such output" +
                        command::did_you_mean(name_of, all));
      return false;
    }
    if (std::find(names_.begin(), names_.end(), name_of) == names_.end()) names_.push_back(name_of);
    return true;
  };
  for (const NamedText& output : options.outputs) {
    if (!ask("--output", output.name)) return false;
    if (auto failure = cannot_write(output.text)) return fail(kFailed, *failure), false;
  }
  for (const NamedText& expect : options.expects) {
    if (!ask("--expect", expect.name)) return false;
    auto file = TensorFile::open(expect.text);
    if (!file) return fail(kFailed, "--expect " + expect.name + ": " + file.message()), false;
    expects_.emplace_back(expect.name, std::move(*file));
  }
  outputs_ = options.outputs;
  tolerance_ = options.tolerance;
  quiet_ = !names_.empty() || options.generate;
  if (names_.empty()) names_ = all;
  return true;
}

Exit Results::finish(const std::map<std::string, HostArray>& arrays,
                     const std::map<std::string, DType>& dtypes) const {
  std::vector<FileToWrite> files;
  for (const NamedText& output : outputs_)
    files.push_back({output.text, npy_bytes(arrays.at(output.name), dtypes.at(output.name))});
  if (auto failure = write_files(files)) return fail(kFailed, *failure), kFailed;
  bool all = true;
  for (const auto& [name_of, file] : expects_)
    all = agrees(name_of, arrays.at(name_of), file.tensor(), tolerance_) && all;
  for (const auto& [name_of, array] : arrays) {
    if (!quiet_) show(name_of, array, dtypes.at(name_of));
  }
  return all ? kDone : kDiffers;
}

}  // namespace irplan::run
