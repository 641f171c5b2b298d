// The outcome of what can fail: a value, or why there is none.
//
//   Result<Plan> read(text);          auto plan = read(text);
//   return Error{"no plan"};          if (!plan) return plan.error();
//   return plan;                      use(*plan);
//
//   Failure load(plan);               if (Failure failure = load(plan)) return failure;
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace irplan {

// The reason, ready to be shown behind "error: ".
struct Error {
  std::string message;
};

// Of what yields nothing: none where it went well, else the reason.
using Failure = std::optional<std::string>;

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  Result(Error error) : error_(std::move(error)) {}

  explicit operator bool() const { return value_.has_value(); }
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T&& operator*() && { return *std::move(value_); }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }
  // Of a failure; empty where there is a value.
  const Error& error() const { return error_; }
  const std::string& message() const { return error_.message; }

 private:
  std::optional<T> value_;
  Error error_;
};

}  // namespace irplan
