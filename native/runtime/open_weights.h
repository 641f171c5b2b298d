// Weights from files: what --weights says.
#pragma once

#include <string>

#include "irplan/result.h"
#include "runtime/weights.h"

namespace irplan {

// "F", "DIR" or "random:SEED": a safetensors file; the files that a folder's model.safetensors.index.json
// lists, or its model.safetensors; or numbers of a seed. The files stay mapped as long as the source. None
// with the reason, which names the file.
Result<WeightSource> open_weights(const std::string& text);

}  // namespace irplan
