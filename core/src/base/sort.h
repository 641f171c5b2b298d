// Sorting whose code is there once, where std::sort and std::stable_sort bring theirs along for each type and
// each order: a tenth of the WebAssembly module.
//
//     elements   d b c a      sorted as numbers, by a call of `before` for each comparison
//     numbers    3 1 2 0  ->  the elements are moved there, each once
//
// Stable: equal elements keep their order. Where a sort is part of a step that is repeated much
// (dims/expr.cpp) std::sort is faster.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace irplan {
namespace sorting {

// Elements of one size side by side, and whether one comes before another.
struct Elements {
  const void* first;
  size_t count, size;
  const void* context;
  bool (*before)(const void* context, const void* a, const void* b);
};
// The numbers of the elements in their order.
std::vector<uint32_t> order_of(const Elements& elements);
// Sorts elements that may be moved as bytes.
void sort_bytes(const Elements& elements, void* first);

}  // namespace sorting

// Elements [begin, end) of an array or vector.
template <class Iterator, class Before = std::less<>>
void sort_range(Iterator begin, Iterator end, const Before& before = {}) {
  using T = std::iter_value_t<Iterator>;
  const auto count = static_cast<size_t>(end - begin);
  if (count < 2) return;
  T* const first = std::to_address(begin);
  const sorting::Elements elements{
      first, count, sizeof(T), &before, [](const void* context, const void* a, const void* b) -> bool {
        return (*static_cast<const Before*>(context))(*static_cast<const T*>(a), *static_cast<const T*>(b));
      }};
  // Which std::pair is, though not by name.
  if constexpr (std::is_trivially_copy_constructible_v<T> && std::is_trivially_destructible_v<T>) {
    sorting::sort_bytes(elements, first);
  } else {
    std::vector<T> sorted;
    sorted.reserve(count);
    for (const uint32_t i : sorting::order_of(elements)) sorted.push_back(std::move(first[i]));
    for (size_t i = 0; i < count; ++i) first[i] = std::move(sorted[i]);
  }
}

}  // namespace irplan
