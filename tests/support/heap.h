#pragma once
// What this process holds on its heap.

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
// Of AddressSanitizer's allocator interface, whose header GCC does not have.
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();
#else
#include <malloc.h>
#endif

namespace stox::test {

/// Allocated and not freed; the resident size says little under AddressSanitizer, which keeps what was freed for a while.
inline std::size_t heap_octets() {
#if defined(__SANITIZE_ADDRESS__)
    return __sanitizer_get_current_allocated_bytes();
#else
    return ::mallinfo2().uordblks;
#endif
}

}  // namespace stox::test
