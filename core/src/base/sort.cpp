#include "base/sort.h"

#include <cstring>

namespace irplan::sorting {
namespace {

constexpr size_t kRun = 8;  // elements that are sorted by insertion

class Sorter {
 public:
  explicit Sorter(const Elements& elements) : e_(elements) {}

  // `order` holds the numbers 0, 1, …; `room` as many.
  void sort(uint32_t* order, uint32_t* room) const {
    for (size_t begin = 0; begin < e_.count; begin += kRun)
      insert(order + begin, std::min(kRun, e_.count - begin));
    for (size_t run = kRun; run < e_.count; run *= 2) {
      for (size_t begin = 0; begin + run < e_.count; begin += 2 * run)
        merge(order + begin, run, std::min(2 * run, e_.count - begin), room);
    }
  }

 private:
  bool before(uint32_t a, uint32_t b) const {
    const auto* first = static_cast<const std::byte*>(e_.first);
    return e_.before(e_.context, first + a * e_.size, first + b * e_.size);
  }
  void insert(uint32_t* order, size_t count) const {
    for (size_t i = 1; i < count; ++i) {
      const uint32_t own = order[i];
      size_t to = i;
      for (; to > 0 && before(own, order[to - 1]); --to) order[to] = order[to - 1];
      order[to] = own;
    }
  }
  // Two runs, [0, middle) and [middle, end), into one.
  void merge(uint32_t* order, size_t middle, size_t end, uint32_t* room) const {
    if (!before(order[middle], order[middle - 1])) return;
    std::copy_n(order, middle, room);
    size_t left = 0, right = middle;
    for (size_t to = 0; left < middle; ++to)
      order[to] = right < end && before(order[right], room[left]) ? order[right++] : room[left++];
  }

  const Elements& e_;
};

void fill_order(const Elements& elements, uint32_t* order, uint32_t* room) {
  for (size_t i = 0; i < elements.count; ++i) order[i] = static_cast<uint32_t>(i);
  Sorter(elements).sort(order, room);
}

}  // namespace

std::vector<uint32_t> order_of(const Elements& elements) {
  std::vector<uint32_t> order(2 * elements.count);
  fill_order(elements, order.data(), order.data() + elements.count);
  order.resize(elements.count);
  return order;
}

void sort_bytes(const Elements& elements, void* first) {
  constexpr size_t kFew = 32, kBytes = 512;  // what fits here without an allocation
  uint32_t few[2 * kFew];
  std::byte small[kBytes];
  std::vector<uint32_t> many;
  std::vector<std::byte> large;
  uint32_t* order = few;
  if (elements.count > kFew) {
    many.resize(2 * elements.count);
    order = many.data();
  }
  fill_order(elements, order, order + elements.count);
  const size_t bytes = elements.count * elements.size;
  std::byte* moved = small;
  if (bytes > kBytes) {
    large.resize(bytes);
    moved = large.data();
  }
  const auto* from = static_cast<const std::byte*>(elements.first);
  for (size_t i = 0; i < elements.count; ++i)
    std::memcpy(moved + i * elements.size, from + order[i] * elements.size, elements.size);
  std::memcpy(first, moved, bytes);
}

}  // namespace irplan::sorting
