// SPDX-License-Identifier: Apache-2.0
#include "common/tensor/dtype.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/base/check.h"

namespace entente {
namespace {

struct Row {
  Dtype dtype;
  absl::string_view name;
  uint64_t bytes;
  bool is_floating_point;
};

constexpr Row kRows[] = {{Dtype::kF64, "F64", 8, true},  {Dtype::kF32, "F32", 4, true},
                         {Dtype::kF16, "F16", 2, true},  {Dtype::kBf16, "BF16", 2, true},
                         {Dtype::kI64, "I64", 8, false}, {Dtype::kI32, "I32", 4, false},
                         {Dtype::kI16, "I16", 2, false}, {Dtype::kI8, "I8", 1, false},
                         {Dtype::kU8, "U8", 1, false},   {Dtype::kBool, "BOOL", 1, false}};

const Row& RowOf(Dtype dtype) {
  const Row& row = kRows[static_cast<size_t>(dtype)];
  ENTENTE_CHECK(row.dtype == dtype);
  return row;
}

}  // namespace

absl::string_view DtypeName(Dtype dtype) { return RowOf(dtype).name; }
uint64_t DtypeBytes(Dtype dtype) { return RowOf(dtype).bytes; }
bool IsFloatingPoint(Dtype dtype) { return RowOf(dtype).is_floating_point; }

absl::StatusOr<Dtype> ParseDtype(absl::string_view name) {
  for (const Row& row : kRows) {
    if (row.name == name) return row.dtype;
  }
  return absl::InvalidArgumentError(absl::StrCat("dtype \"", absl::CHexEscape(name.substr(0, 20)),
                                                 "\" is none that Entente reads"));
}

}  // namespace entente
