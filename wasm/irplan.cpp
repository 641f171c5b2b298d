// The compiler's one door for JavaScript: a string of JSON in, a string of JSON out (service/serve.h has the
// methods).
#include <emscripten/bind.h>
#include <emscripten/emscripten.h>

#include <string>

#include "service/serve.h"

// Tells `onPass` of load(), so that who waits for a long compilation sees that it goes on.
EM_JS(void, irplan_passed, (const char* pass), {
  if (Module["onPass"]) Module["onPass"](UTF8ToString(pass));
});

EMSCRIPTEN_BINDINGS(irplan) {
  emscripten::function("call", emscripten::optional_override([](const std::string& request) {
                         return irplan::serve(request, irplan_passed);
                       }));
}
