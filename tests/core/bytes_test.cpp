// Bytes as people read them, and by segment.
#include "base/bytes.h"

#include "base/times.h"
#include "catch.h"

using namespace irplan;

TEST_CASE("bytes have one decimal, and two from GiB on") {
  CHECK(bytes_text(0) == "0 B");
  CHECK(bytes_text(1023) == "1023 B");
  CHECK(bytes_text(1024) == "1.0 KiB");
  CHECK(bytes_text(1536) == "1.5 KiB");
  CHECK(bytes_text(int64_t{16} << 20) == "16.0 MiB");
  CHECK(bytes_text((int64_t{1} << 20) - 1) == "1.0 MiB");  // not 1024.0 KiB
  CHECK(bytes_text(16'063'178'015) == "14.96 GiB");
  CHECK(bytes_text((int64_t{1} << 30) - 1) == "1.00 GiB");
  CHECK(bytes_text(INT64_MAX) == "8.00 EiB");
}

TEST_CASE("a sum over segments that exceeds 64 bits is none") {
  CHECK(PerSegment{1, 2, 3, 4}.total() == 10);
  CHECK_FALSE(PerSegment{INT64_MAX, 1, 0, 0}.total());
  CHECK_FALSE(PerSegment{0, -1, 0, 0}.total());
  CHECK(align_up(257, 256) == 512);
  CHECK(align_up(256, 256) == 256);
}

TEST_CASE("times have three digits, in the unit that fits") {
  CHECK(time_text(0.783e-6) == "0.783 µs");
  CHECK(time_text(44e-6) == "44 µs");
  CHECK(time_text(0.01234) == "12.3 ms");
  CHECK(time_text(0.9999) == "1 s");  // not 1e+03 ms
  CHECK(time_text(59.94) == "59.9 s");
  CHECK(time_text(4321) == "4321 s");
  CHECK(time_text(0) == "0 µs");
}
