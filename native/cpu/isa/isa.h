// What the files of this folder share: one source file an instruction set, compiled with its own flags.
//
//     vec_avx2.h    what a vector is and can do there
//     loops.h       the loops, written once over such vectors
//     avx2.cpp      both of them: kAvx2, a row of functions
//     ../simd.cpp   chooses one row on the machine that runs
//
// A function of such a file may use instructions that the machine lacks, so nothing of it may be merged with
// a function of another file by the linker: all is in unnamed namespaces, and no inline function of a library
// is called (not even std::min). tests/native/isa_test.py holds the object files against that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "cpu/simd.h"

namespace irplan::cpu {

extern const Simd kPortable, kAvx2, kAvx512, kAvx512Vnni, kNeon, kWasm;

// What the machine has and its system saves; in simd.cpp, which any machine runs.
bool has_avx2();
bool has_avx512();
bool has_avx512vnni();

}  // namespace irplan::cpu
