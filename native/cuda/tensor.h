// The namespace of the kernels. The same sources are built twice: by nvcc for a GPU (namespace irplan::cuda),
// and by any C++ compiler with simt.h for tests on a CPU (namespace irplan::simt).
#pragma once

#include "runtime/calls.h"

#ifdef IRPLAN_GPU  // a test's own copy
#elif defined(IRPLAN_SIMT)
#define IRPLAN_GPU simt
#else
#define IRPLAN_GPU cuda
#endif
