#include "runtime/npy.h"

#include <cstring>
#include <utility>

#include "reference/executor.h"

namespace irplan {
namespace {

constexpr std::string_view kMagic("\x93NUMPY", 6);
constexpr size_t kMaxRank = 32;
constexpr size_t kMaxHeader = size_t{1} << 20;  // bytes; numpy itself writes some hundred

// Reads the one form of Python literal that numpy writes: {'descr': '<f4', 'fortran_order': False, 'shape':
// (2, 3), }
class ArrayReader {
 public:
  explicit ArrayReader(std::string_view text) : text_(text) {}

  bool read(std::string* descr, bool* fortran, std::vector<int64_t>* shape) {
    bool seen[3] = {};
    if (!take('{')) return false;
    while (!take('}')) {
      std::string key;
      if (!word(&key) || !take(':')) return false;
      bool good = false;
      if (key == "descr") good = !std::exchange(seen[0], true) && word(descr);
      if (key == "fortran_order") good = !std::exchange(seen[1], true) && boolean(fortran);
      if (key == "shape") good = !std::exchange(seen[2], true) && extents(shape);
      if (!good) return false;
      if (!take(',') && peek() != '}') return false;
    }
    return seen[0] && seen[1] && seen[2];
  }

 private:
  char peek() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  bool word(std::string* out) {
    const char quote = peek();
    if (quote != '\'' && quote != '"') return false;
    const size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) return false;
    *out = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return true;
  }
  bool boolean(bool* out) {
    peek();
    *out = text_.substr(at_, 4) == "True";
    if (!*out && text_.substr(at_, 5) != "False") return false;
    at_ += *out ? 4 : 5;
    return true;
  }
  bool extents(std::vector<int64_t>* shape) {
    if (!take('(')) return false;
    while (!take(')')) {
      int64_t n = 0;
      const size_t begin = (peek(), at_);
      while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') {
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, text_[at_] - '0', &n))
          return false;
        ++at_;
      }
      if (at_ == begin || shape->size() == kMaxRank) return false;
      shape->push_back(n);
      if (!take(',') && peek() != ')') return false;
    }
    return true;
  }

  std::string_view text_;
  size_t at_ = 0;
};

// Reads the header; returns where the data begins.
Result<size_t> read_header(std::span<const std::byte> file, StoredTensor& tensor) {
  const auto byte = [&](size_t i) { return std::to_integer<size_t>(file[i]); };
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  if (file.size() < 10 || text.substr(0, kMagic.size()) != kMagic) return Error{"no npy file"};
  const bool wide = byte(6) >= 2;
  if (byte(6) < 1 || byte(6) > 3)
    return Error{"npy version " + std::to_string(byte(6)) + "; 1 to 3 are read"};
  const size_t begin = wide ? 12 : 10;
  if (file.size() < begin) return Error{"cut in its header"};
  size_t length = byte(8) | byte(9) << 8;
  if (wide) length |= byte(10) << 16 | byte(11) << 24;
  if (length > kMaxHeader)
    return Error{"a header of " + std::to_string(length) + " bytes, more than " + std::to_string(kMaxHeader)};
  if (length > file.size() - begin) return Error{"cut in its header"};
  std::string descr;
  bool fortran = false;
  if (!ArrayReader(text.substr(begin, length)).read(&descr, &fortran, &tensor.shape))
    return Error{"a header that is not numpy's"};
  const auto type = find_npy(descr);
  if (!type) {
    return Error{"elements of type `" + descr.substr(0, 20) +
                 "`; little-endian f2 f4 f8, i1 i2 i4 i8, u1 u2 u4 u8 and b1 are read"};
  }
  if (fortran && tensor.shape.size() > 1) return Error{"columns first; save numpy.ascontiguousarray of it"};
  tensor.type = *type;
  return begin + length;
}

}  // namespace

Result<StoredTensor> read_npy(std::span<const std::byte> file) {
  StoredTensor tensor;
  const auto header = read_header(file, tensor);
  if (!header) return header.error();
  const size_t begin = *header;
  const auto count = checked_count(tensor.shape);
  int64_t bytes = 0;
  const auto held = static_cast<int64_t>(file.size() - begin);
  if (!count || __builtin_mul_overflow(*count, info(tensor.type).bytes, &bytes) || bytes != held) {
    return Error{"holds " + std::to_string(held) + " bytes of data, but its shape " + text(tensor.shape) +
                 " needs " + (count && bytes ? std::to_string(bytes) : "another number of them")};
  }
  tensor.data = file.data() + begin;
  tensor.bytes = static_cast<size_t>(bytes);
  return tensor;
}

std::string npy_bytes(const HostArray& array, DType dtype) {
  const DType written = !array.floats || dtype == DType::F16 ? dtype : DType::F32;
  const StoredInfo& type = info(*stored_as(written));
  std::string shape;
  for (const int64_t extent : array.shape) shape += std::to_string(extent) + ", ";
  if (array.shape.size() > 1) shape.resize(shape.size() - 2);
  if (array.shape.size() == 1) shape.resize(shape.size() - 1);
  std::string header =
      std::string("{'descr': '") + type.npy + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  const size_t total = (10 + header.size() + 1 + 63) / 64 * 64;  // data starts at a multiple of 64
  header.resize(total - 10 - 1, ' ');
  header += '\n';
  std::string out(kMagic);
  out += {'\x01', '\x00', static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
  out += header;
  const size_t begin = out.size();
  const int64_t count = array.count();
  out.resize(begin + static_cast<size_t>(count) * static_cast<size_t>(type.bytes));
  auto* data = reinterpret_cast<std::byte*>(out.data() + begin);
  if (array.floats && written == DType::F32) {
    std::memcpy(data, array.f.data(), static_cast<size_t>(count) * 4);
  } else {
    for (int64_t i = 0; i < count; ++i) {
      const auto at = static_cast<size_t>(i);
      array.floats ? store_float(written, data, i, array.f[at]) : store_int(written, data, i, array.i[at]);
    }
  }
  return out;
}

}  // namespace irplan
