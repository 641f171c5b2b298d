// Which set of loops runs: asked of the processor by its own registers (cpuid), since what compilers offer
// for it knows different names (Clang 14 none for F16C).
#include "cpu/simd.h"

#include "cpu/isa/isa.h"

#if defined(IRPLAN_ISA_AVX2) || defined(IRPLAN_ISA_AVX512)
#include <cpuid.h>
#endif

namespace irplan::cpu {
namespace {

#if defined(IRPLAN_ISA_AVX2) || defined(IRPLAN_ISA_AVX512)
// Intel's manual, volume 2, "CPUID", and volume 1, 13.3 for the registers that the system saves.
struct Features {
  unsigned ecx1 = 0, ebx7 = 0, ecx7 = 0, saved = 0;
  Features() {
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx)) return;
    ecx1 = ecx;
    constexpr unsigned kSavesRegisters = 1u << 27;
    if (ecx1 & kSavesRegisters) {
      unsigned high = 0;
      __asm__("xgetbv" : "=a"(saved), "=d"(high) : "c"(0));
    }
    if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) ebx7 = ebx, ecx7 = ecx;
  }
  bool avx2() const {
    constexpr unsigned kFma = 1u << 12, kF16c = 1u << 29, kAvx2Bit = 1u << 5, kYmm = 0x6;
    return (ecx1 & (kFma | kF16c)) == (kFma | kF16c) && (ebx7 & kAvx2Bit) && (saved & kYmm) == kYmm;
  }
  bool avx512() const {
    constexpr unsigned kParts = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31;  // F, DQ, BW, VL
    constexpr unsigned kZmm = 0xe6;
    return avx2() && (ebx7 & kParts) == kParts && (saved & kZmm) == kZmm;
  }
  bool avx512vnni() const { return avx512() && (ecx7 & 1u << 11); }
};

const Features& features() {
  static const Features kFeatures;
  return kFeatures;
}
#endif

// Those of this build, the widest last.
constexpr const Simd* kBuilt[] = {
    &kPortable,
#ifdef IRPLAN_ISA_NEON
    &kNeon,
#endif
#ifdef IRPLAN_ISA_WASM
    &kWasm,
#endif
#ifdef IRPLAN_ISA_AVX2
    &kAvx2,
#endif
#ifdef IRPLAN_ISA_AVX512
    &kAvx512,
#endif
#ifdef IRPLAN_ISA_AVX512VNNI
    &kAvx512Vnni,
#endif
};

const Simd*& chosen() {
  static const Simd* choice = all_simd().back();
  return choice;
}

}  // namespace

#ifdef IRPLAN_ISA_AVX2
bool has_avx2() { return features().avx2(); }
#endif
#ifdef IRPLAN_ISA_AVX512
bool has_avx512() { return features().avx512(); }
#endif
#ifdef IRPLAN_ISA_AVX512VNNI
bool has_avx512vnni() { return features().avx512vnni(); }
#endif

const Simd& simd() { return *chosen(); }

std::vector<const Simd*> all_simd() {
  std::vector<const Simd*> found;
  for (const Simd* simd : kBuilt) {
    if (simd->here()) found.push_back(simd);
  }
  return found;
}

Failure choose_isa(std::string_view name) {
  std::string there;
  for (const Simd* simd : all_simd()) {
    if (name == simd->name) return chosen() = simd, std::nullopt;
    there += (there.empty() ? "" : ", ") + std::string(simd->name);
  }
  bool built = false;
  for (const Simd* simd : kBuilt) built = built || name == simd->name;
  return built ? "this machine has no " + std::string(name) + "; it has " + there
               : "no kernels of this build are called `" + std::string(name) + "`; this machine has " + there;
}

}  // namespace irplan::cpu
