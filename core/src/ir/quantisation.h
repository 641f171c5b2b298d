// How a quantiser stored a checkpoint's weights, as its record in the config says: `quantization_config` of
// Hugging Face, `quantization` of MLX, `compression_config`. One reader for refusals, warnings and `fit`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ir/config.h"
#include "irplan/dtype.h"

namespace irplan {

// `quantization_config` and its like, as a record.
bool is_quantisation(const ConfigNode& node);

struct Quantisation {
  const ConfigNode* record = nullptr;
  std::string method;                 // "gptq", "MLX"; empty: it is not named
  const ConfigNode* named = nullptr;  // the value that names it, where one does
  double bits = 0;                    // of a number; 0: the record does not say
  bool floats = false;                // of 8 bits: f8
  int64_t group = 0;                  // numbers that share a scale; 0: the record does not say, -1: a row
  bool in_blocks = false;             // scales of blocks of rows and columns

  // "the weights are stored as "gptq" does (`config.quantization_config.quant_method`): 4 bits, group_size
  // 128"
  std::string text() const;
  // What to do for the cache alone.
  std::string help() const;
  // The dtypes that take the nearest bytes, scales included, the nearest first: the next ones are for rows
  // that are no multiple of a block. Where the bits are not known, as for 4.
  std::vector<DType> counted_as() const;
  // "gptq, 4 bits a number"
  std::string named_with_bits() const;
};

Quantisation read_quantisation(const ConfigNode& record);
// Of a config as a whole, or of its text part.
std::optional<Quantisation> find_quantisation(const ConfigNode& config);

}  // namespace irplan
