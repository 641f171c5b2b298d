// The compiler's one door for JavaScript: a string of JSON in, a string of JSON out (service/serve.h has the
// methods).
#include <emscripten/bind.h>

#include <string>

#include "service/serve.h"

EMSCRIPTEN_BINDINGS(irplan) {
  emscripten::function("call", emscripten::optional_override(
                                   [](const std::string& request) { return irplan::serve(request); }));
}
