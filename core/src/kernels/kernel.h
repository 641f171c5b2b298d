// The kernels that backends have for an operator: rows of one table a target, chosen before memory is
// planned.
//
// A row is a promise: what it admits it computes as the operator's row in core/src/ops says, and never in
// another way; a better kernel is the next version, with its own row, and plans that name the older one go on
// with that. What a kernel needs of memory stands in its row, so that the plan holds it and everybody can see
// it: bytes of scratch become a buffer that lives while the op runs, a weight that it reads in an order of
// its own is packed once when weights load.
//
//     irplan (passes/select.h)  the newest row that admits the op at all sizes of its phase -> plan.json
//     irplan-run                the row that the plan names -> its implementation in native/cpu, native/cuda
//
// A new version is a row here and its implementation there; tests/native/kernels_test.cpp holds that none is
// without the other.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "ops/op.h"
#include "ops/weight_layout.h"

namespace irplan {

// What is known of one op when its kernel is chosen: the types of operands and results, attributes, and
// ranges of the dims, as OpCall has them; `call.out` is filled. `weights` has a bit for each operand that is
// known when weights load.
struct KernelSite {
  const OpCall& call;
  std::string_view arch;  // "sm_90", "generic"
  unsigned weights = 0;
};

struct KernelRow {
  const char* target;  // as plans and `--target` name it
  const char* op;
  int version;
  const char* sentence;                         // what it does, or does better than the version before
  const char* admits_text = "";                 // which ops; empty: all of the operator
  bool (*admits)(const KernelSite&) = nullptr;  // null: all
  const char* scratch_text = "";                // as the plan's expressions have it
  Expr (*scratch)(const OpCall&) = nullptr;     // bytes besides operands and results; null: none
  int packed = -1;                              // the operand that it reads in a layout of its own; -1: none
  const char* layout = "";                      // of ops/weight_layout.h
  const char* epilogue = "";                    // operators that it applies to its result in one go

  std::string name() const;  // "cuda_attention_v2"
  const WeightLayout* weight_layout() const { return find_weight_layout(layout); }
  bool plain() const { return !scratch && packed < 0; }  // needs nothing of a plan
};

// All rows of all targets: by target, then in the order of op_table(), then by version.
std::span<const KernelRow> kernel_table();
std::span<const KernelRow> kernels_of(std::string_view target);  // empty where no target is called so
std::span<const KernelRow> kernels_of(std::string_view target, const OpRow& op);  // oldest first

const KernelRow* find_kernel(std::string_view target, const OpRow& op, int version);  // null where none
// The newest that admits the op and is wanted; null where there is none.
const KernelRow* newest_kernel(std::string_view target, const KernelSite& site,
                               bool (*wanted)(const KernelRow&) = nullptr);
// The newest that a plan of another target can be run with, since it needs no bytes of its own.
const KernelRow* newest_plain_kernel(std::string_view target, const OpRow& op);

// "cuda_attention_v2" taken apart, as a kernel of this target and operator; 0 where it is none.
int kernel_version(std::string_view name, std::string_view target, const OpRow& op);

}  // namespace irplan
