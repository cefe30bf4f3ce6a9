// Memory of coroutine frames, kept for the next frame of the same size.
//
// A request makes and drops the same few frames in the same order, so the next one finds its memory in the cache, and
// without the general allocator's work. A thread keeps at most kKept frames of each size, and what it kept when it
// ends; frames are made and freed on one thread. Nothing is kept where every allocation has to be seen: in builds with
// AddressSanitizer, and in every build by clang, with which the fuzz targets are built.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>

namespace policyd {

class FramePool {
 public:
  static void* take(size_t size) {
    const size_t rank = rank_of(size);
    if (rank >= kSizes) return ::operator new(size);
    Shelf& shelf = shelves_[rank];
    if (!shelf.first) return ::operator new((rank + 1) * kStep);
    Free* const frame = shelf.first;
    shelf.first = frame->next;
    --shelf.count;
    return frame;
  }

  static void give(void* memory, size_t size) {
    const size_t rank = rank_of(size);
    if (rank >= kSizes || shelves_[rank].count >= kKept) return ::operator delete(memory);
    Shelf& shelf = shelves_[rank];
    shelf.first = ::new (memory) Free{shelf.first};
    ++shelf.count;
  }

 private:
  static constexpr size_t kStep = 64, kKept = 64;
#if defined(__SANITIZE_ADDRESS__) || defined(__clang__)  // clang does not define the former
  static constexpr size_t kSizes = 0;
#else
  static constexpr size_t kSizes = 32;
#endif
  struct Free {
    Free* next;
  };
  struct Shelf {
    Free* first;
    size_t count;
  };
  static size_t rank_of(size_t size) { return (size - 1) / kStep; }

  static constinit inline thread_local std::array<Shelf, kSizes> shelves_{};
};

}  // namespace policyd
