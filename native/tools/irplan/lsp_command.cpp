// irplan lsp: the language for editors.
#include <unistd.h>

#include "lsp/server.h"
#include "tools/irplan/commands.h"

namespace irplan::cli {

int run_lsp(const Arguments&) { lsp::serve(STDIN_FILENO, STDOUT_FILENO); }

}  // namespace irplan::cli
