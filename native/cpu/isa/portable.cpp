#include "cpu/isa/vec_portable.h"
// after the vectors
#include "cpu/isa/loops.h"
#include "cpu/isa/whole_loops.h"

namespace irplan::cpu {

static bool always() { return true; }

const Simd kPortable = row_of_loops("portable", "portable vectors", always);

}  // namespace irplan::cpu
