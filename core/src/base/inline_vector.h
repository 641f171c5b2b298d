// A vector that keeps its first N elements inside itself: most lists of a program hold few things (axes,
// operands), and an allocation for each would cost more than all else that is done with them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <iterator>
#include <new>
#include <type_traits>
#include <vector>

namespace irplan {

// Of plain elements: they are copied by their bytes. Grows onto the heap beyond N; references do not outlive
// a growth.
template <class T, uint32_t N>
class InlineVector {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  using value_type = T;
  using iterator = T*;
  using const_iterator = const T*;
  using reverse_iterator = std::reverse_iterator<T*>;
  using const_reverse_iterator = std::reverse_iterator<const T*>;

  InlineVector() = default;
  explicit InlineVector(size_t count, T value = T()) { resize(count, value); }
  InlineVector(std::initializer_list<T> list) : InlineVector(list.begin(), list.end()) {}
  template <class Iterator, class = typename std::iterator_traits<Iterator>::iterator_category>
  InlineVector(Iterator first, Iterator last) {
    assign(first, last);
  }
  InlineVector(const std::vector<T>& list)
      : InlineVector(list.begin(), list.end()) {}  // NOLINT: a list is a list
  InlineVector(const InlineVector& other) { copy(other); }
  InlineVector(InlineVector&& other) noexcept { take(other); }
  InlineVector& operator=(const InlineVector& other) {
    if (this != &other) size_ = 0, copy(other);
    return *this;
  }
  InlineVector& operator=(InlineVector&& other) noexcept {
    if (this != &other) release(), take(other);
    return *this;
  }
  ~InlineVector() { release(); }

  template <class Iterator, class = typename std::iterator_traits<Iterator>::iterator_category>
  void assign(Iterator first, Iterator last) {
    size_ = 0;
    for (; first != last; ++first) push_back(*first);
  }

  T* data() { return heap_ ? heap_ : inside(); }
  const T* data() const { return heap_ ? heap_ : inside(); }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](size_t i) { return data()[i]; }
  const T& operator[](size_t i) const { return data()[i]; }
  T& front() { return data()[0]; }
  const T& front() const { return data()[0]; }
  T& back() { return data()[size_ - 1]; }
  const T& back() const { return data()[size_ - 1]; }
  T* begin() { return data(); }
  T* end() { return data() + size_; }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size_; }
  reverse_iterator rbegin() { return reverse_iterator(end()); }
  reverse_iterator rend() { return reverse_iterator(begin()); }
  const_reverse_iterator rbegin() const { return const_reverse_iterator(end()); }
  const_reverse_iterator rend() const { return const_reverse_iterator(begin()); }

  void clear() { size_ = 0; }
  void reserve(size_t count) {
    if (count > capacity_) grow(count);
  }
  void push_back(T value) {
    if (size_ == capacity_) grow(size_t{capacity_} * 2);
    data()[size_++] = value;
  }
  void pop_back() { --size_; }
  void resize(size_t count, T value = T()) {
    if (count > capacity_) grow(count > size_t{capacity_} * 2 ? count : size_t{capacity_} * 2);
    for (size_t i = size_; i < count; ++i) data()[i] = value;
    size_ = static_cast<uint32_t>(count);
  }
  T* insert(T* at, T value) {
    const auto index = static_cast<size_t>(at - data());
    push_back(value);
    std::memmove(static_cast<void*>(data() + index + 1), data() + index, (size_ - 1 - index) * sizeof(T));
    data()[index] = value;
    return data() + index;
  }
  T* erase(T* at) {
    std::memmove(static_cast<void*>(at), at + 1, static_cast<size_t>(end() - at - 1) * sizeof(T));
    --size_;
    return at;
  }

  friend bool operator==(const InlineVector& a, const InlineVector& b) {
    if (a.size_ != b.size_) return false;
    for (size_t i = 0; i < a.size_; ++i) {
      if (!(a[i] == b[i])) return false;
    }
    return true;
  }

 private:
  T* inside() { return reinterpret_cast<T*>(bytes_); }
  const T* inside() const { return reinterpret_cast<const T*>(bytes_); }

  void grow(size_t count) {
    T* wider = static_cast<T*>(::operator new(count * sizeof(T)));
    std::memcpy(static_cast<void*>(wider), data(), size_ * sizeof(T));
    release();
    heap_ = wider;
    capacity_ = static_cast<uint32_t>(count);
  }
  void copy(const InlineVector& other) {
    reserve(other.size_);
    std::memcpy(static_cast<void*>(data()), other.data(), other.size_ * sizeof(T));
    size_ = other.size_;
  }
  void take(InlineVector& other) {
    heap_ = other.heap_;
    size_ = other.size_;
    capacity_ = other.capacity_;
    if (!heap_) std::memcpy(bytes_, other.bytes_, other.size_ * sizeof(T));
    other.heap_ = nullptr;
    other.size_ = 0;
    other.capacity_ = N;
  }
  void release() {
    ::operator delete(heap_);
    heap_ = nullptr;
    capacity_ = N;
  }

  T* heap_ = nullptr;  // none: the elements are inside
  uint32_t size_ = 0;
  uint32_t capacity_ = N;
  alignas(T) unsigned char bytes_[N * sizeof(T)];
};

}  // namespace irplan
