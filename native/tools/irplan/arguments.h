// irplan's own table of commands and options.
#pragma once

#include "command_line/arguments.h"

namespace irplan::cli {

using namespace command;  // what a command reads its arguments with

const Program& program();

}  // namespace irplan::cli
