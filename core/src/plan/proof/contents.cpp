// What lies in the bytes: each read finds what its op wrote, whatever was written in between.
#include <algorithm>

#include "plan/proof/proof.h"

namespace irplan::proof {

class Contents {
 public:
  explicit Contents(Proof& proof)
      : proof_(proof),
        plan_(proof.plan_),
        source_(plan_.values.size(), kAbsent),
        since_(plan_.values.size(), 0),
        there_(plan_.values.size(), 0),
        left_(plan_.values.size(), 0),
        concat_of_(plan_.values.size(), kAbsent) {}

  bool run() {
    for (uint32_t v = 0; v < plan_.values.size(); ++v) find_source(v);
    for (uint32_t i = 0; i < plan_.ops.size() && !proof_.full(); ++i) {
      step(i);
      if (Proof::too_much(proof_.regions_.work(), proof_.regions_.most_work()))
        return proof_.refuse(Rule::Work, proof_.where_op(i),
                             "windows on windows take too many steps to follow");
      const uint32_t phase = proof_.phase_of_op(i);
      const bool last = phase != Proof::kAnyPhase && i + 1 == plan_.phases[phase].ops_end;
      if (last) check_outputs(phase);
    }
    for (uint32_t p = 0; p < plan_.phases.size(); ++p) {
      if (plan_.phases[p].ops_begin == plan_.phases[p].ops_end) check_outputs(p);
    }
    return proof_.clean();
  }

 private:
  const Plan::Value& value(uint32_t v) const { return plan_.values[v]; }
  uint32_t region(uint32_t v) const { return proof_.region_[v]; }

  // The value whose ops wrote what a window shows: itself, what it is a window on, or a concat of results.
  void find_source(uint32_t first) {
    uint32_t at = first;
    while (source_[at] == kAbsent && value(at).of.size() == 1) at = value(at).of[0];
    const uint32_t source = source_[at] == kAbsent ? at : source_[at];
    for (uint32_t v = first; source_[v] == kAbsent && v != at; v = value(v).of[0]) source_[v] = source;
    source_[at] = source;
    if (value(source).of.size() < 2 || left_[source] > 0) return;
    for (const uint32_t o : value(source).of) concat_of_[o] = source;
    left_[source] = value(source).of.size();
  }

  void step(uint32_t index) {
    const Plan::Op& op = plan_.ops[index];
    for (const uint32_t v : op.in) {
      if (v != kAbsent) check_read(v, index, proof_.where_op(index), Rule::Overwritten);
    }
    Facts& facts = proof_.facts(proof_.phase_of_op(index));
    for (const uint32_t v : op.out) {
      const uint32_t other = proof_.regions_.written_since(region(v), index, facts);
      if (other != Regions::kNone)
        proof_.refuse(Rule::OverResult, proof_.where_op(index),
                      "its results " + value(v).id + " and " + value(other).id + " may overlap");
      proof_.regions_.write(region(v), v, index + 1);
      there_[v] = 1, since_[v] = index + 1;
    }
    for (const uint32_t v : op.in) {
      if (v != kAbsent) check_operand(index, v, facts);
    }
    for (const uint32_t v : op.out) {
      const uint32_t whole = concat_of_[v];
      if (whole != kAbsent && --left_[whole] == 0) assemble(whole, index, facts);
    }
  }

  // Nothing else was written where it lies since its op, in this phase, or at load time, wrote it.
  void check_read(uint32_t v, uint32_t index, const std::string& where, Rule rule) {
    const uint32_t source = source_[v];
    const Plan::Value& from = value(source);
    const uint32_t phase = index < plan_.ops.size() ? proof_.phase_of_op(index) : Proof::kAnyPhase;
    const bool made = from.kind == Plan::Kind::Temp || from.kind == Plan::Kind::Folded;
    if (made && !there_[source]) {
      proof_.refuse(Rule::ReadEarly, where, "reads " + value(v).id + " before " + from.id + " is written");
      return;
    }
    const uint32_t begin = phase == Proof::kAnyPhase ? 0 : plan_.phases[phase].ops_begin;
    if (made && phase != Proof::kAnyPhase && since_[source] <= begin && from.kind == Plan::Kind::Temp) {
      proof_.refuse(Rule::ReadEarly, where, "reads " + value(v).id + " of another phase");
      return;
    }
    const uint32_t since = made ? since_[source] : begin;
    const uint32_t other = proof_.regions_.written_since(region(v), since, proof_.facts(phase));
    if (other != Regions::kNone)
      proof_.refuse(rule, where, "reads " + value(v).id + " after " + value(other).id + " was written there");
  }

  // What the op wrote lies beside the operand, or exactly over it where the operator may do that.
  void check_operand(uint32_t index, uint32_t v, Facts& facts) {
    const Plan::Op& op = plan_.ops[index];
    const uint32_t over = proof_.regions_.written_since(region(v), index, facts);
    if (over == Regions::kNone) return;
    if (proof_.is_append(op) && v == op.in[0]) return;
    const Frame &mine = proof_.frame_[v], &result = proof_.frame_[over];
    bool same = region(v) == region(over) && mine.offset == result.offset && mine.shape == result.shape &&
                info(value(v).dtype).bytes == info(value(over).dtype).bytes && !is_block(value(v).dtype) &&
                !is_block(value(over).dtype);
    for (size_t i = 0; i < mine.strides.size() && same; ++i)
      same = mine.shape[i].is(1) || mine.strides[i] == result.strides[i];
    if (!same || !op.row->in_place)
      proof_.refuse(Rule::OverOperand, proof_.where_op(index),
                    "writes " + value(over).id + " over its operand " + value(v).id);
  }

  void assemble(uint32_t whole, uint32_t index, Facts& facts) {
    for (const uint32_t o : value(whole).of) {
      const uint32_t other = proof_.regions_.written_since(region(o), since_[o], facts);
      if (other != Regions::kNone)
        proof_.refuse(
            Rule::Assembled, proof_.where_value(whole),
            value(other).id + " is written over its operand " + value(o).id + " before all are there");
    }
    there_[whole] = 1, since_[whole] = index + 1;
  }

  void check_outputs(uint32_t phase) {
    const uint32_t last = plan_.phases[phase].ops_end;
    for (const Plan::Output& output : plan_.outputs) {
      if (output.phase != plan_.phases[phase].name) continue;
      const uint32_t index = last > plan_.phases[phase].ops_begin ? last - 1 : kAbsent;
      check_read(output.value, index, "outputs " + output.name, Rule::OutputKept);
    }
  }

  Proof& proof_;
  const Plan& plan_;
  std::vector<uint32_t> source_;     // by value
  std::vector<uint32_t> since_;      // by value: one past the op that wrote it
  std::vector<uint8_t> there_;       // by value: whether it was written
  std::vector<size_t> left_;         // by concat: operands that are not there yet
  std::vector<uint32_t> concat_of_;  // by operand
};

bool Proof::contents() { return Contents(*this).run(); }

}  // namespace irplan::proof
