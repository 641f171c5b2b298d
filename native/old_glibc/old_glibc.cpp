// An executable that has libstdc++ in it asks its host for arc4random, which glibc has since 2.36: the
// library's std::random_device takes it, whether anything makes one or not. With this one beside main() it
// starts on hosts of glibc 2.35, as Ubuntu 22.04.
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

#ifdef __GLIBC__
extern "C" uint32_t arc4random() noexcept {
  uint32_t number = 0;
  if (::getentropy(&number, sizeof number) != 0) std::abort();  // as glibc's own does
  return number;
}
#endif
