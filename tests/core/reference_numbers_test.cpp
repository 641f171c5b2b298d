// Stored numbers: every format's rounding, and the bytes of block dtypes.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "catch.h"
#include "ops/float_formats.h"
#include "reference/executor.h"

using namespace irplan;

namespace {

uint32_t bits(DType dtype, float x) {
  std::byte raw[4] = {};
  store_float(dtype, raw, 0, x);
  uint32_t out = 0;
  std::memcpy(&out, raw, static_cast<size_t>(info(dtype).bytes));
  return out;
}

float value(DType dtype, uint32_t pattern) {
  std::byte raw[4];
  std::memcpy(raw, &pattern, 4);
  return load_float(dtype, raw, 0);
}

std::vector<float> through(DType dtype, const std::vector<float>& x) {
  std::vector<std::byte> blocks(x.size() / static_cast<size_t>(info(dtype).elements) *
                                static_cast<size_t>(info(dtype).bytes));
  quantise(dtype, x.data(), static_cast<int64_t>(x.size()), blocks.data());
  std::vector<float> out;
  for (size_t i = 0; i < x.size(); ++i)
    out.push_back(load_float(dtype, blocks.data(), static_cast<int64_t>(i)));
  return out;
}

}  // namespace

TEST_CASE("numbers: f16 rounds to nearest, ties to even") {
  CHECK(bits(DType::F16, 1.0f) == 0x3c00);
  CHECK(bits(DType::F16, -2.0f) == 0xc000);
  CHECK(bits(DType::F16, 1.0f + 0x1p-11f) == 0x3c00);      // half a step: to even
  CHECK(bits(DType::F16, 1.0f + 3 * 0x1p-11f) == 0x3c02);  // half a step: to even, upwards
  CHECK(bits(DType::F16, 1.0f + 0x1.2p-11f) == 0x3c01);
  CHECK(bits(DType::F16, 65504.0f) == 0x7bff);
  CHECK(bits(DType::F16, 65519.0f) == 0x7bff);
  CHECK(bits(DType::F16, 65520.0f) == 0x7c00);
  CHECK(bits(DType::F16, 1e30f) == 0x7c00);
  CHECK(bits(DType::F16, -INFINITY) == 0xfc00);
  CHECK(bits(DType::F16, 0x1p-24f) == 0x0001);
  CHECK(bits(DType::F16, 0x1p-25f) == 0x0000);
  CHECK(bits(DType::F16, 0x1.8p-25f) == 0x0001);
  CHECK(bits(DType::F16, 0x1.ffcp-15f) ==
        0x0400);  // the carry makes it normal: 0x1.ffcp-15 lies half-way below 2^-14
  CHECK(bits(DType::F16, 1e-30f) == 0);
  CHECK(std::isnan(value(DType::F16, bits(DType::F16, NAN))));
}

TEST_CASE("numbers: every f16, f8e4m3 and f8e5m2 comes back as it was") {
  for (const DType dtype : {DType::F16, DType::F8E4M3, DType::F8E5M2}) {
    const uint32_t count = dtype == DType::F16 ? 1u << 16 : 1u << 8;
    int wrong = 0;
    for (uint32_t pattern = 0; pattern < count; ++pattern) {
      const float x = value(dtype, pattern);
      if (!std::isnan(x) && bits(dtype, x) != pattern && !(dtype == DType::F8E4M3 && std::isinf(x))) ++wrong;
    }
    INFO(name(dtype));
    CHECK(wrong == 0);
  }
}

TEST_CASE("numbers: between two neighbours the nearer is taken") {
  for (const DType dtype : {DType::F16, DType::F8E4M3, DType::F8E5M2, DType::BF16}) {
    const uint32_t most = dtype == DType::F8E4M3   ? 0x7e
                          : dtype == DType::F8E5M2 ? 0x7b
                          : dtype == DType::F16    ? 0x7bff
                                                   : 0x7f7f;
    int wrong = 0;
    for (uint32_t pattern = 0; pattern < most; ++pattern) {
      const double a = value(dtype, pattern), b = value(dtype, pattern + 1);
      const float middle = static_cast<float>((a + b) / 2);
      if (bits(dtype, middle) != pattern + (pattern & 1)) ++wrong;
      if (bits(dtype, std::nextafter(middle, 0.0f)) != pattern) ++wrong;
      if (bits(dtype, std::nextafter(middle, INFINITY)) != pattern + 1) ++wrong;
    }
    INFO(name(dtype));
    CHECK(wrong == 0);
  }
}

TEST_CASE("numbers: f8e4m3 saturates, f8e5m2 has infinities") {
  CHECK(value(DType::F8E4M3, 0x7e) == 448);
  CHECK(bits(DType::F8E4M3, 1e9f) == 0x7e);
  CHECK(bits(DType::F8E4M3, -INFINITY) == 0xfe);
  CHECK(bits(DType::F8E4M3, NAN) == 0x7f);
  CHECK(std::isnan(value(DType::F8E4M3, 0xff)));
  CHECK(value(DType::F8E4M3, 0x01) == 0x1p-9f);
  CHECK(value(DType::F8E5M2, 0x7b) == 57344);
  CHECK(bits(DType::F8E5M2, 1e9f) == 0x7c);
  CHECK(value(DType::F8E5M2, 0xfc) == -INFINITY);
}

TEST_CASE("numbers: bf16") {
  CHECK(bits(DType::BF16, 1.0f) == 0x3f80);
  CHECK(bits(DType::BF16, 55.4256f) == 0x425e);
  CHECK(value(DType::BF16, 0x425e) == 55.5f);
  CHECK(bits(DType::BF16, 3.4e38f) == 0x7f80);
  CHECK(std::isnan(value(DType::BF16, bits(DType::BF16, NAN))));
}

TEST_CASE("numbers: integers wrap") {
  std::byte raw[8];
  store_int(DType::I8, raw, 0, 300);
  CHECK(load_int(DType::I8, raw, 0) == 44);
  store_int(DType::I32, raw, 0, int64_t{1} << 31);
  CHECK(load_int(DType::I32, raw, 0) == INT32_MIN);
  store_int(DType::I64, raw, 0, -5);
  CHECK(load_int(DType::I64, raw, 0) == -5);
  store_int(DType::Bool, raw, 3, 256);
  CHECK(load_int(DType::Bool, raw, 3) == 1);
}

TEST_CASE("numbers: q8_0") {
  std::vector<float> x(32);
  for (int i = 0; i < 32; ++i)
    x[static_cast<size_t>(i)] = static_cast<float>(i - 16) * 7.9375f;  // 127 / 16: d is 1
  std::vector<std::byte> block(34);
  quantise(DType::Q8_0, x.data(), 32, block.data());
  uint16_t d;
  std::memcpy(&d, block.data(), 2);
  CHECK(d == 0x3c00);
  CHECK(static_cast<int8_t>(block[2]) == -127);
  CHECK(static_cast<int8_t>(block[2 + 16]) == 0);
  CHECK(static_cast<int8_t>(block[2 + 20]) == 32);  // 31.75
  CHECK(load_float(DType::Q8_0, block.data(), 20) == 32.0f);
  CHECK(through(DType::Q8_0, std::vector<float>(64, 0.0f)) == std::vector<float>(64, 0.0f));
}

TEST_CASE("numbers: q4_0 and i4g128 differ in the order of nibbles") {
  std::vector<float> x(128, 0.0f);
  x[0] = -8;
  x[1] = 7;
  x[16] = 3;
  std::vector<std::byte> q4(18 * 4), i4(66);
  quantise(DType::Q4_0, x.data(), 32, q4.data());
  CHECK(q4[2] == std::byte{0xb0});  // element 0: q 0; element 16: q 11
  CHECK(q4[3] == std::byte{0x8f});  // element 1: q 15; element 17: q 8
  quantise(DType::I4G128, x.data(), 128, i4.data());
  CHECK(i4[2] == std::byte{0xf0});  // elements 0 and 1
  CHECK(i4[2 + 8] == std::byte{0x8b});
  CHECK(through(DType::I4G128, x) == x);
  CHECK(through(DType::Q4_0, x) == x);
  // The value of largest magnitude is met exactly whichever sign it has.
  x[0] = 8;
  x[1] = -7;
  CHECK(through(DType::Q4_0, x)[0] == 8);
  CHECK(through(DType::Q4_0, x)[1] == -7);
}

TEST_CASE("numbers: mxfp4") {
  std::byte block[17] = {std::byte{128}, std::byte{0x21}, std::byte{0xf7}};
  CHECK(load_float(DType::MXFP4, block, 0) == 1.0f);   // 2 * 0.5
  CHECK(load_float(DType::MXFP4, block, 1) == 2.0f);   // 2 * 1
  CHECK(load_float(DType::MXFP4, block, 2) == 12.0f);  // 2 * 6
  CHECK(load_float(DType::MXFP4, block, 3) == -12.0f);
  std::vector<float> x(32, 0.0f);
  const float exact[] = {0.25f, 0.5f, 0.75f, 1, 1.5f, 2, 3, -3, -0.25f};
  std::copy(std::begin(exact), std::end(exact), x.begin());
  CHECK(through(DType::MXFP4, x) == x);
  x[9] = 0.625f;  // half-way between 0.5 and 0.75: to the even code, 0.5
  x[10] = 2.5f;   // half-way between 2 and 3: to the even code, 2
  CHECK(through(DType::MXFP4, x)[9] == 0.5f);
  CHECK(through(DType::MXFP4, x)[10] == 2.0f);
  CHECK(through(DType::MXFP4, std::vector<float>(32, 7.0f)) ==
        std::vector<float>(32, 6.0f));  // saturates: the exponent is that of 4
  CHECK(through(DType::MXFP4, std::vector<float>(32, 0.0f)) == std::vector<float>(32, 0.0f));
}
