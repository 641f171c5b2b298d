// Alone in its file: a program that evaluates nothing defines it itself, and this is not linked.
#include "ops/op.h"

namespace irplan {

const bool kEvaluates = true;

}  // namespace irplan
