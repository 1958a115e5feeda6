// SPDX-License-Identifier: Apache-2.0
#ifndef COMMON_CRYPTO_SHA256_H_
#define COMMON_CRYPTO_SHA256_H_

// SHA-256 (FIPS 180-4): the name of every model, update and recipe.

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/file_system.h"

namespace entente {

// 32 bytes that name a file by its content. A default one is all zeros and means "none".
class Digest {
 public:
  static constexpr size_t kBytes = 32;

  Digest() = default;
  explicit Digest(const std::array<uint8_t, kBytes>& bytes) : bytes_(bytes) {}

  // From 64 lower-case hexadecimal digits; INVALID_ARGUMENT otherwise.
  static absl::StatusOr<Digest> FromHex(absl::string_view hex);

  // From 32 bytes; INVALID_ARGUMENT otherwise.
  static absl::StatusOr<Digest> FromRaw(absl::string_view raw);

  std::string ToHex() const;
  std::string Raw() const;  // The 32 bytes.
  bool IsNone() const { return *this == Digest(); }

  friend auto operator<=>(const Digest&, const Digest&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Digest& d) { return out << d.ToHex(); }
  template <typename H>
  friend H AbslHashValue(H h, const Digest& digest) {
    return H::combine(std::move(h), digest.bytes_);
  }

 private:
  std::array<uint8_t, kBytes> bytes_ = {};
};

// A digest in the making. Not thread-safe.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void Update(absl::string_view data);

  // The digest of everything so far. Updates may go on afterwards.
  Digest Current() const;

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

Digest Sha256Of(absl::string_view data);

// Reads the file in pieces of 1 MiB.
absl::StatusOr<Digest> Sha256OfFile(FileSystem& files, const std::string& path);

// How the file at `path` is not the one that `expected` names, for a sentence about it: "is
// missing", "cannot be read (...)" or "is damaged: its SHA-256 is ..."; empty if it is the one.
// Reads it whole.
std::string FaultOfFile(FileSystem& files, const std::string& path, const Digest& expected);

}  // namespace entente

#endif  // COMMON_CRYPTO_SHA256_H_
