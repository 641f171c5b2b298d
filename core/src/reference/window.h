// One value of a plan at the sizes of one step: where its elements lie, and moving them to and from dense
// arrays.
//
// Rows of axis 0 may have own extents (ragged dims); a dense array is padded with zeros to the largest:
//
//     dim P[B], value [B, P + S, 2]            array
//     row 0: P = 1, S = 1                      a a   b b   0 0   0 0
//     row 1: P = 3, S = 1                      c c   d d   e e   f f
//
// In a ring of R rows, position p lies in row p mod R; the dense array has the oldest position first.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "irplan/result.h"
#include "reference/executor.h"

namespace irplan {

// The dims of a step, row by row.
class StepSizes {
 public:
  StepSizes(const Plan& plan, const StepBinding& step);
  // An expression's value in row b; of b < 0, or beyond the rows, as planned. 0 where it has none.
  int64_t value(Expr e, int64_t b) const;
  bool ragged(Expr e) const;
  // How many rows have own sizes, if axis 0 of this extent counts them; else 0.
  int64_t rows_of(Expr axis0) const;

 private:
  const Plan& plan_;
  const StepBinding& step_;
  std::vector<Binding> rows_;
  std::vector<bool> is_ragged_;  // by dim
  bool any_ragged_ = false;
};

class Window {
 public:
  // Fails where the value has no memory or no size at this step.
  static Result<Window> of(const Plan& plan, uint32_t value, const PlanMemory& memory,
                           const StepSizes& sizes);

  DType dtype() const { return dtype_; }
  const std::vector<int64_t>& shape() const { return shape_; }
  bool is_ring() const { return layout_ == Plan::Layout::Ring; }  // of a state itself

  HostArray empty_array() const;
  void gather(HostArray& array) const;
  void scatter(const HostArray& array) const;
  // Writes row `from` of axis 1 of the array's batch b into row `to` of this window (append).
  void put_row(const HostArray& array, int64_t b, int64_t from, int64_t to) const;

 private:
  struct Ring {
    int64_t rows = 0;
    std::vector<int64_t> first;  // of each batch row: position of its oldest row
  };
  void find_ring(const Plan& plan, uint32_t value, const StepSizes& sizes);
  template <class Line>
  void walk(const std::vector<int64_t>& extents, size_t axis, int64_t element, int64_t dense, int64_t b,
            const Line& line) const;
  template <class Line>
  void each_line(const Line& line) const;
  void load(int64_t element, int64_t stride, int64_t n, int64_t dense, HostArray& array) const;
  void store(int64_t element, int64_t stride, int64_t n, int64_t dense, const HostArray& array) const;

  DType dtype_ = DType::F32;
  Plan::Layout layout_ = Plan::Layout::None;
  std::byte* base_ = nullptr;
  std::vector<int64_t> shape_;
  std::vector<int64_t> strides_;                // elements, in memory
  std::vector<int64_t> dense_;                  // elements, in a dense array
  std::vector<std::vector<int64_t>> own_rows_;  // extents of each row of axis 0; empty unless ragged
  std::optional<Ring> ring_;
};

}  // namespace irplan
