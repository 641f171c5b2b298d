// The compiler's one door for JavaScript: a string of JSON in, the bytes of one out (service/serve.h has the
// methods).
#include <emscripten/bind.h>
#include <emscripten/emscripten.h>

#include <string>

#include "base/decimal.h"
#include "ops/op.h"
#include "service/serve.h"

const bool irplan::kEvaluates = false;  // it compiles, and reads no numbers

// In place of strtod, whose one caller is nlohmann/json: the C library's own brings arithmetic of 128 bits, a
// seventieth of the module.
extern "C" double __wrap_strtod(const char* text, char** end) {
  const auto [number, length] = irplan::read_decimal(text);
  if (end) *end = const_cast<char*>(text) + length;
  return number;
}

// Tells `onPass` of load(), so that who waits for a long compilation sees that it goes on.
EM_JS(void, irplan_passed, (const char* pass), {
  if (Module["onPass"]) Module["onPass"](UTF8ToString(pass));
});

// The bytes of the reply, which hold until the next call. Embind's own strings are searched for their ends in
// JavaScript, byte by byte: a tenth of a compilation.
static emscripten::val call(const std::string& request) {
  static std::string reply;
  reply = irplan::serve(request, irplan_passed);
  return emscripten::val(
      emscripten::typed_memory_view(reply.size(), reinterpret_cast<const unsigned char*>(reply.data())));
}

EMSCRIPTEN_BINDINGS(irplan) { emscripten::function("call", call); }
