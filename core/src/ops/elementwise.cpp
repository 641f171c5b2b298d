// add, sub, mul, div: of two tensors that broadcast, or of a tensor and a number.
#include "ops/rows.h"
#include "ops/rules.h"
#include "ops/semantics.h"

namespace irplan {
namespace {

using namespace rules;

bool binary_shape(OpCall& call) {
  if (!alike(call)) return false;
  const Attr& scalar = call.attrs["scalar"];
  if (call.has(1) != scalar.is_none()) {
    Fault f = fault(call, Code::SecondOperand);
    f.rule = std::string(call.row.name) + ": two tensors, or a tensor and a number";
    return call.fail(std::move(f));
  }
  const TensorType& a = call.operand(0);
  if (!call.has(1)) {
    if (!is_float(a.dtype) && scalar.get<double>()) {
      Fault f = fault(call, Code::IntegersMeetFloats);
      f.operand = 0;
      f.found = text(a);
      f.rule = "ints and floats do not mix; the number has a fraction";
      f.help = "convert the tensor first: cast(…, to=f32)";
      return call.fail(std::move(f));
    }
    call.result(a.dtype, a.shape);
    return true;
  }
  Shape shape;
  if (!broadcast(call, a.shape, call.operand(1).shape, 0, 1, shape)) return false;
  call.result(a.dtype, std::move(shape));
  return true;
}

enum class Binary : uint8_t { Add, Sub, Mul, Div };

template <Binary op>
float apply(float a, float b) {
  switch (op) {
    case Binary::Add: return a + b;
    case Binary::Sub: return a - b;
    case Binary::Mul: return a * b;
    case Binary::Div: return a / b;
  }
  return 0;
}

// Integers wrap; a quotient is cut towards zero, and that by zero is zero.
template <Binary op>
int64_t apply(int64_t a, int64_t b) {
  const auto x = static_cast<uint64_t>(a), y = static_cast<uint64_t>(b);
  switch (op) {
    case Binary::Add: return static_cast<int64_t>(x + y);
    case Binary::Sub: return static_cast<int64_t>(x - y);
    case Binary::Mul: return static_cast<int64_t>(x * y);
    case Binary::Div: return b == 0 ? 0 : b == -1 ? static_cast<int64_t>(0 - x) : a / b;
  }
  return 0;
}

template <Binary op, class T>
void with_number(const std::vector<T>& a, T number, bool first, std::vector<T>& y) {
  for (size_t i = 0; i < y.size(); ++i) y[i] = first ? apply<op>(number, a[i]) : apply<op>(a[i], number);
}

template <Binary op, class T>
void of_two(const HostArray& a, const std::vector<T>& x, const HostArray& b, const std::vector<T>& z,
            HostArray& out, std::vector<T>& y) {
  semantics::Broadcast left(out.shape, a.shape), right(out.shape, b.shape);
  for (T& result : y) {
    result = apply<op>(x[left.at()], z[right.at()]);
    left.next();
    right.next();
  }
}

template <Binary op>
void binary(HostCall& call) {
  const HostArray& a = *call.in[0];
  const HostArray* b = call.in.size() > 1 ? call.in[1] : nullptr;
  HostArray& y = call.out[0];
  const Attr& scalar = call.attrs["scalar"];
  const bool first = call.attrs["scalar_first"].boolean();
  if (!b) {
    if (a.floats) return with_number<op>(a.f, static_cast<float>(scalar.number()), first, y.f);
    return with_number<op>(a.i, scalar.integer(), first, y.i);
  }
  if (a.floats) return of_two<op>(a, a.f, *b, b->f, y, y.f);
  of_two<op>(a, a.i, *b, b->i, y, y.i);
}

OpRow binary_row(const char* name, Semantics evaluate, const char* doc) {
  return {.name = name,
          .operands = {{"a", false, true}, {"b", true, true}},
          .attributes = {{"scalar", AttrKind::Number, "none", nullptr, true},
                         {"scalar_first", AttrKind::Bool, "false", nullptr, true}},
          .shape = checked<binary_shape>,
          .flops = flops_of_result<1>,
          .evaluate = evaluate,
          .in_place = true,
          .operand_text = "a, b → y",
          .shape_text = "broadcast, aligned at the right",
          .doc = doc};
}

}  // namespace

OpRow add_row() { return binary_row("add", binary<Binary::Add>, "a + b; either may be a number"); }
OpRow sub_row() { return binary_row("sub", binary<Binary::Sub>, "a - b; either may be a number"); }
OpRow mul_row() { return binary_row("mul", binary<Binary::Mul>, "a * b; either may be a number"); }
OpRow div_row() { return binary_row("div", binary<Binary::Div>, "a / b; either may be a number"); }

}  // namespace irplan
