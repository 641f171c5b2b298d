#include "cpu/isa/vec_avx512.h"
// after the vectors
#include "cpu/isa/loops.h"
#include "cpu/isa/whole_loops.h"

namespace irplan::cpu {

const Simd kAvx512 = row_of_loops("avx512", "AVX-512", has_avx512);

}  // namespace irplan::cpu
