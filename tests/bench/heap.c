/* Counts the bytes that a process holds on the heap, for the table of peers: preloaded, then asked through ctypes. Sizes are those
   that the allocator hands out. What a library maps by itself is not seen. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stddef.h>

static _Atomic long live, peak;

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static void *born(void *p) {
  if (!p) return p;
  const long bytes = (long)malloc_usable_size(p);
  const long now = atomic_fetch_add(&live, bytes) + bytes;
  long most = atomic_load(&peak);
  while (now > most && !atomic_compare_exchange_weak(&peak, &most, now)) {
  }
  return p;
}

static void dies(void *p) {
  if (p) atomic_fetch_sub(&live, (long)malloc_usable_size(p));
}

void *malloc(size_t n) { return born(__libc_malloc(n)); }
void *calloc(size_t n, size_t m) { return born(__libc_calloc(n, m)); }
void free(void *p) {
  dies(p);
  __libc_free(p);
}
void *realloc(void *p, size_t n) {
  dies(p);
  return born(__libc_realloc(p, n));
}
void *memalign(size_t a, size_t n) { return born(__libc_memalign(a, n)); }
void *aligned_alloc(size_t a, size_t n) { return born(__libc_memalign(a, n)); }
int posix_memalign(void **out, size_t a, size_t n) {
  void *p = born(__libc_memalign(a, n));
  if (!p) return ENOMEM;
  *out = p;
  return 0;
}

long heap_live(void) { return atomic_load(&live); }
long heap_peak(void) { return atomic_load(&peak); }
void heap_reset_peak(void) { atomic_store(&peak, atomic_load(&live)); }
