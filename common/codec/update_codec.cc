// SPDX-License-Identifier: Apache-2.0
#include "common/codec/update_codec.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/random_source.h"
#include "common/base/status_macros.h"
#include "common/codec/tensor_values.h"
#include "common/codec/value_codec.h"
#include "common/tensor/safetensors.h"

namespace entente {
namespace {

absl::string_view BytesOfValues(absl::Span<const float> values) {
  return absl::string_view(reinterpret_cast<const char*>(values.data()),
                           values.size() * sizeof(float));
}

// What is carried from one topk update to the next, read and written piece by piece.
class ErrorFeedback {
 public:
  // `layout` is the update's, as F32.
  static absl::StatusOr<ErrorFeedback> Open(FileSystem& files, const EncodeRequest& request,
                                            const Layout& layout) {
    ErrorFeedback feedback;
    if (!request.residual.empty()) {
      auto before = SafetensorsReader::Open(files, request.residual);
      absl::Status fits =
          before.ok() ? CheckSameLayout(layout, (*before)->layout()) : before.status();
      if (!fits.ok()) {
        return absl::FailedPreconditionError(absl::StrCat(
            "the residual of the earlier updates is not one of this update: ", fits.message()));
      }
      feedback.before_ = *std::move(before);
    }
    if (!request.next_residual.empty()) {
      ENTENTE_ASSIGN_OR_RETURN(feedback.after_,
                               SafetensorsWriter::Create(files, request.next_residual, layout));
    }
    feedback.bound_ = FloatBound(request.value_bound);
    return feedback;
  }

  // Fills `sent` with what is to be sent of the piece `values`.
  absl::Status Add(size_t index, uint64_t first, absl::Span<const float> values,
                   std::vector<float>* sent) {
    total_.assign(values.begin(), values.end());
    if (before_ != nullptr) {
      earlier_.resize(values.size());
      ENTENTE_RETURN_IF_ERROR(before_->ReadAt(
          index, first * sizeof(float),
          absl::MakeSpan(reinterpret_cast<char*>(earlier_.data()), values.size() * sizeof(float))));
      for (size_t i = 0; i < values.size(); ++i) {
        const float sum = values[i] + earlier_[i];
        // A residual that a disk has spoilt must not spoil the update: there it counts for nothing.
        if (std::isfinite(sum)) total_[i] = sum;
      }
    }
    sent->resize(values.size());
    for (size_t i = 0; i < values.size(); ++i) {
      (*sent)[i] = std::clamp(total_[i], -bound_, bound_);
    }
    return absl::OkStatus();
  }

  // Keeps what `encoded` does not have of the piece last added.
  absl::Status Keep(const UpdateEncoding& encoding, size_t index, uint64_t first,
                    const std::string& encoded) {
    if (after_ == nullptr) return absl::OkStatus();
    decoded_.resize(total_.size());
    const absl::Status decoded = DecodeValues(encoding, first, encoded, absl::MakeSpan(decoded_));
    ENTENTE_CHECK(decoded.ok());  // We have just made it.
    for (size_t i = 0; i < total_.size(); ++i) total_[i] -= decoded_[i];
    return after_->WriteAt(index, first * sizeof(float), BytesOfValues(total_));
  }

  absl::Status Finish() { return after_ == nullptr ? absl::OkStatus() : after_->Finish(); }

 private:
  std::unique_ptr<SafetensorsReader> before_;  // Null: nothing is left of earlier updates.
  std::unique_ptr<SafetensorsWriter> after_;   // Null: what is left is not wanted.
  float bound_ = 0;
  std::vector<float> total_;
  std::vector<float> earlier_;
  std::vector<float> decoded_;
};

absl::StatusOr<Digest> EncodeTensors(FileSystem& files, const EncodeRequest& request,
                                     const SafetensorsReader& source, SafetensorsWriter& target) {
  const UpdateEncoding& encoding = request.encoding;
  const bool has_feedback = UsesResidual(request);
  ErrorFeedback feedback;
  if (has_feedback) {
    ENTENTE_ASSIGN_OR_RETURN(feedback, ErrorFeedback::Open(files, request, source.layout()));
  }
  const double largest =
      has_feedback ? std::min(EncodableMax(encoding), request.value_bound) : EncodableMax(encoding);
  Sha256 hash;  // Pieces are written in the order of the file.
  hash.Update(SafetensorsHeader(target.layout()));
  std::vector<float> sent;
  std::string bytes;
  for (size_t index = 0; index < source.layout().tensors().size(); ++index) {
    const std::string& name = source.layout().tensors()[index].name;
    const uint64_t tensor_seed = DeriveSeed(request.seed, absl::StrCat("tensor ", index));
    const auto encode = [&](uint64_t first, absl::Span<const float> values) -> absl::Status {
      ENTENTE_RETURN_IF_ERROR(CheckValues(name, first, values, largest));
      if (has_feedback) {
        ENTENTE_RETURN_IF_ERROR(feedback.Add(index, first, values, &sent));
        values = sent;
      }
      EncodeValues(encoding, tensor_seed, first, values, &bytes);
      ENTENTE_RETURN_IF_ERROR(target.WriteAt(index, EncodedBytes(encoding, first), bytes));
      hash.Update(bytes);
      return has_feedback ? feedback.Keep(encoding, index, first, bytes) : absl::OkStatus();
    };
    ENTENTE_RETURN_IF_ERROR(VisitValues(source, PlainTensor(source, index), encode));
  }
  ENTENTE_RETURN_IF_ERROR(feedback.Finish());
  ENTENTE_RETURN_IF_ERROR(target.Finish());
  return hash.Current();
}

absl::StatusOr<Digest> EncodeFile(FileSystem& files, const EncodeRequest& request,
                                  const SafetensorsReader& source) {
  ENTENTE_ASSIGN_OR_RETURN(
      const std::unique_ptr<SafetensorsWriter> writer,
      SafetensorsWriter::Create(files, request.target,
                                UpdateFormOf(source.layout(), request.encoding).layout));
  return EncodeTensors(files, request, source, *writer);
}

// For a canonical source that is to be fp32: reads it once, and renames it.
absl::StatusOr<Digest> MoveFile(FileSystem& files, const EncodeRequest& request,
                                const SafetensorsReader& source) {
  Sha256 hash;
  hash.Update(SafetensorsHeader(source.layout()));
  for (size_t index = 0; index < source.layout().tensors().size(); ++index) {
    const std::string& name = source.layout().tensors()[index].name;
    const auto take = [&](uint64_t first, absl::Span<const float> values) -> absl::Status {
      hash.Update(BytesOfValues(values));
      return CheckValues(name, first, values, EncodableMax(request.encoding));
    };
    ENTENTE_RETURN_IF_ERROR(VisitValues(source, PlainTensor(source, index), take));
  }
  const auto written = files.OpenForWrite(request.source);
  // Its trainer made it read-only: it cannot be synced, so it is copied.
  if (!written.ok()) return EncodeFile(files, request, source);
  ENTENTE_RETURN_IF_ERROR((*written)->Sync());
  ENTENTE_RETURN_IF_ERROR(files.Rename(request.source, request.target));
  return hash.Current();
}

}  // namespace

bool UsesResidual(const EncodeRequest& request) {
  return request.encoding.kind == EncodingKind::kTopk || !request.residual.empty();
}

absl::StatusOr<Digest> EncodeUpdate(FileSystem& files, const EncodeRequest& request) {
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<SafetensorsReader> reader,
                           SafetensorsReader::Open(files, request.source));
  for (const TensorSpec& tensor : reader->layout().tensors()) {
    if (tensor.dtype != Dtype::kF32) {
      return absl::InvalidArgumentError(
          absl::StrCat("tensor \"", tensor.name, "\" of the update is ", DtypeName(tensor.dtype),
                       "; trainers write F32"));
    }
  }
  const bool is_done = request.may_move_source && reader->is_canonical() &&
                       request.encoding.kind == EncodingKind::kFp32 && !UsesResidual(request);
  absl::StatusOr<Digest> digest =
      is_done ? MoveFile(files, request, *reader) : EncodeFile(files, request, *reader);
  if (!digest.ok()) {
    // The first error is the one to report.
    files.Remove(request.target).IgnoreError();
    if (!request.next_residual.empty()) files.Remove(request.next_residual).IgnoreError();
  }
  return digest;
}

}  // namespace entente
