// Chooses each op's kernel for the target, before memory is planned, and puts what the kernel needs into the
// program: bytes of scratch, and weights packed in its layout.
//
// Needs types, folding and fusion. An op gets the newest kernel of core/src/kernels that admits it at all
// sizes of its phase. Where that reads a weight in a layout of its own, the weight is packed by an op at load
// time, and its rows are let go of like everything that only folding reads:
//
//     y = linear(x, w)      cpu_linear_v2 reads panels        load  w.packed = pack(w, layout="panels16")
//                                                             main  y = linear(x, w.packed)
//
// Unless something else reads the rows, so that they would stay beside the panels (a table that is embedding
// and head in one): then the op gets the newest kernel that takes them as they are. Does not reorder ops. The
// memory pass gives kernels to the copies that it adds, with `copy_kernel`.
#pragma once

#include "ir/graph.h"

namespace irplan {

void select_kernels(Graph& graph);

// Of an op that only moves elements, for the graph's target.
const KernelRow* copy_kernel(const Graph& graph, const OpRow& row);

// "cpu", "cuda", "cuda:sm_90"; none where no target is called so.
std::optional<Target> parse_target(std::string_view text);

}  // namespace irplan
