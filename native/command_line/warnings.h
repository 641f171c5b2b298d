// The options that choose among the compiler's warnings, of every command that compiles.
#pragma once

#include "command_line/arguments.h"

namespace irplan::command {

Option deny_warnings_option();  // --deny-warnings
Option allow_option();          // --allow CODE
Option deny_option();           // --deny CODE

}  // namespace irplan::command
