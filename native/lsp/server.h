// irplan lsp: a server of the Language Server Protocol over stdio.
#pragma once

namespace irplan::lsp {

// Answers until the client says `exit`, or is gone; then ends the process, with the code that the protocol
// has: 0 after `shutdown`, else 1.
[[noreturn]] void serve(int in, int out);

}  // namespace irplan::lsp
