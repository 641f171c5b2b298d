#include "cpu/isa/vec_avx512.h"
// after the vectors
#include "cpu/isa/loops.h"
#include "cpu/isa/whole_loops.h"

namespace irplan::cpu {

const Simd kAvx512Vnni = row_of_loops("avx512vnni", "AVX-512 with VNNI", has_avx512vnni);

}  // namespace irplan::cpu
