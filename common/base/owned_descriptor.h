// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_BASE_OWNED_DESCRIPTOR_H_
#define COMMON_BASE_OWNED_DESCRIPTOR_H_

#include <unistd.h>

#include <utility>

namespace entente {

// A file descriptor, closed on destruction. Not thread-safe. A negative number: holds none.
class OwnedDescriptor {
 public:
  OwnedDescriptor() = default;
  explicit OwnedDescriptor(int descriptor) : descriptor_(descriptor) {}
  ~OwnedDescriptor() { Close(); }
  OwnedDescriptor(OwnedDescriptor&& other) noexcept : descriptor_(other.Release()) {}
  OwnedDescriptor& operator=(OwnedDescriptor&& other) noexcept {
    Close();
    descriptor_ = other.Release();
    return *this;
  }

  int get() const { return descriptor_; }
  bool is_open() const { return descriptor_ >= 0; }
  int Release() { return std::exchange(descriptor_, -1); }
  void Close() {
    if (is_open()) close(Release());
  }

 private:
  int descriptor_ = -1;
};

}  // namespace entente

#endif  // COMMON_BASE_OWNED_DESCRIPTOR_H_
