// What a value is called in every layer.
#pragma once

#include <string>

namespace irplan {

// Numbers that are a part of a name by themselves give way: "model.layers.7.mlp.weight" is
// "model.layers.*.mlp.weight".
std::string layer_class(const std::string& id);

}  // namespace irplan
