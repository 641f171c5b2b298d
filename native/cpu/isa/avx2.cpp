#include "cpu/isa/vec_avx2.h"
// after the vectors
#include "cpu/isa/loops.h"
#include "cpu/isa/whole_loops.h"

namespace irplan::cpu {

const Simd kAvx2 = row_of_loops("avx2", "AVX2", has_avx2);

}  // namespace irplan::cpu
