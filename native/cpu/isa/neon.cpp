#include "cpu/isa/vec_neon.h"
// after the vectors
#include "cpu/isa/loops.h"
#include "cpu/isa/whole_loops.h"

namespace irplan::cpu {

static bool always() { return true; }

const Simd kNeon = row_of_loops("neon", "NEON", always);

}  // namespace irplan::cpu
