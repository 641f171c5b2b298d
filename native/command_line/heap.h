// What `new` takes its memory from, in both commands.
#pragma once

#include <cstddef>

namespace irplan::command {

// What this thread asked for when there was no memory.
size_t bytes_missing();

// For a command without threads that is over in some milliseconds, where pages that come one by one and the
// allocator would be a third of its time: takes so many bytes from the system at once, and small blocks from
// then on out of half of them, by size. Nothing goes back to the system before the end. What does not fit is
// allocated as ever.
void take_heap(size_t bytes);

}  // namespace irplan::command
