// The outcome of what can fail: a value, or why there is none.
//
//   Result<Plan> read(text);          auto plan = read(text);
//   return Error{"no plan"};          if (!plan) return plan.error();
//   return plan;                      use(*plan);
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace irplan {

// The reason, ready to be shown behind "error: ".
struct Error {
  std::string message;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  Result(Error error) : error_(std::move(error)) {}

  explicit operator bool() const { return value_.has_value(); }
  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }
  // Of a failure alone.
  const Error& error() const { return error_; }
  const std::string& message() const { return error_.message; }

 private:
  std::optional<T> value_;
  Error error_;
};

// Of what yields nothing: `return {};` where it went well.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  explicit operator bool() const { return !error_; }
  const Error& error() const { return *error_; }
  const std::string& message() const { return error_->message; }

 private:
  std::optional<Error> error_;
};

}  // namespace irplan
