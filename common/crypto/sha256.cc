// SPDX-License-Identifier: Apache-2.0
#include "common/crypto/sha256.h"

#include <openssl/evp.h>

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/status_macros.h"

namespace entente {
namespace {

constexpr uint64_t kPieceBytes = 1 << 20;

// OpenSSL looks an algorithm up by its name, under a lock, for every digest that is begun without
// it: half the time of a short one. Never freed: what is hashed while the program ends needs it.
const EVP_MD* Algorithm() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return algorithm;
}

}  // namespace

absl::StatusOr<Digest> Digest::FromHex(absl::string_view hex) {
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (hex.size() != 2 * kBytes || !std::all_of(hex.begin(), hex.end(), is_digit)) {
    return absl::InvalidArgumentError(
        absl::StrCat("a digest is 64 lower-case hexadecimal digits, not \"",
                     absl::CHexEscape(hex.substr(0, 80)), "\""));
  }
  return FromRaw(absl::HexStringToBytes(hex));
}

absl::StatusOr<Digest> Digest::FromRaw(absl::string_view raw) {
  if (raw.size() != kBytes) {
    return absl::InvalidArgumentError(absl::StrCat("a digest has 32 bytes, not ", raw.size()));
  }
  std::array<uint8_t, kBytes> bytes;
  std::copy(raw.begin(), raw.end(), bytes.begin());
  return Digest(bytes);
}

std::string Digest::ToHex() const { return absl::BytesToHexString(Raw()); }

std::string Digest::Raw() const { return std::string(bytes_.begin(), bytes_.end()); }

struct Sha256::Context {
  Context() : evp(EVP_MD_CTX_new()) { ENTENTE_CHECK(evp != nullptr); }
  ~Context() { EVP_MD_CTX_free(evp); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  EVP_MD_CTX* const evp;
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  ENTENTE_CHECK(EVP_DigestInit_ex(context_->evp, Algorithm(), nullptr) == 1);
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::Update(absl::string_view data) {
  ENTENTE_CHECK(EVP_DigestUpdate(context_->evp, data.data(), data.size()) == 1);
}

Digest Sha256::Current() const {
  const Context copy;
  std::array<uint8_t, Digest::kBytes> bytes;
  ENTENTE_CHECK(EVP_MD_CTX_copy_ex(copy.evp, context_->evp) == 1);
  ENTENTE_CHECK(EVP_DigestFinal_ex(copy.evp, bytes.data(), nullptr) == 1);
  return Digest(bytes);
}

Digest Sha256Of(absl::string_view data) {
  Sha256 hash;
  hash.Update(data);
  return hash.Current();
}

absl::StatusOr<Digest> Sha256OfFile(FileSystem& files, const std::string& path) {
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<ReadableFile> file, files.OpenForRead(path));
  Sha256 hash;
  std::string buffer(std::min<uint64_t>(kPieceBytes, file->size_bytes()), '\0');
  for (uint64_t offset = 0; offset < file->size_bytes();) {
    const size_t size = std::min<uint64_t>(buffer.size(), file->size_bytes() - offset);
    ENTENTE_RETURN_IF_ERROR(file->ReadAt(offset, absl::MakeSpan(buffer.data(), size)));
    hash.Update(absl::string_view(buffer.data(), size));
    offset += size;
  }
  return hash.Current();
}

std::string FaultOfFile(FileSystem& files, const std::string& path, const Digest& expected) {
  const absl::StatusOr<Digest> found = Sha256OfFile(files, path);
  if (absl::IsNotFound(found.status())) return "is missing";
  if (!found.ok()) return absl::StrCat("cannot be read (", found.status().message(), ")");
  if (*found == expected) return "";
  return absl::StrCat("is damaged: its SHA-256 is ", found->ToHex());
}

}  // namespace entente
