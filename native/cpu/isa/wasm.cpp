#include "cpu/isa/vec_wasm.h"
// after the vectors
#include "cpu/isa/loops.h"
#include "cpu/isa/whole_loops.h"

namespace irplan::cpu {

static bool always() { return true; }

const Simd kWasm = row_of_loops("wasm", "WebAssembly SIMD", always);

}  // namespace irplan::cpu
