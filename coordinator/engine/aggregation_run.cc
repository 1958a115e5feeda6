// SPDX-License-Identifier: Apache-2.0
#include "coordinator/engine/aggregation_run.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "common/base/check.h"
#include "common/base/limits.h"
#include "common/base/status_macros.h"
#include "common/codec/simd_kernels.h"
#include "common/codec/tensor_values.h"
#include "common/codec/value_codec.h"
#include "common/tensor/dtype.h"
#include "common/tensor/safetensors.h"
#include "coordinator/aggregation/block_plan.h"
#include "coordinator/aggregation/weighted_mean.h"
#include "coordinator/models/rounded_model.h"
#include "coordinator/optimizer/state_layout.h"

namespace entente::engine {
namespace {

using aggregation::Block;

// Up to so many updates stay open from block to block. With more of them a block opens each anew,
// so that their number is not limited by that of open files.
constexpr size_t kOpenUpdatesMax = 64;

template <typename T>
absl::Span<char> BytesOf(absl::Span<T> values) {
  return absl::MakeSpan(reinterpret_cast<char*>(values.data()), values.size() * sizeof(T));
}

template <typename T>
absl::string_view TextOf(const std::vector<T>& values) {
  return absl::string_view(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

// Written so that a NaN fails it.
bool IsFiniteFloat(double value) { return std::fabs(value) <= std::numeric_limits<float>::max(); }

absl::Status ChangedError(const WorkerId& worker, absl::string_view how) {
  return absl::DataLossError(
      absl::StrCat("the update of ", worker.value(), " changed after it was accepted: ", how));
}

// An accepted update and what is known of its file.
struct UpdateSource {
  const WorkerId& worker;
  const AggregationInput& input;
  const UpdateForm& form;              // One of Work::forms.
  std::unique_ptr<ReadableFile> file;  // Null: opened for each block.
};

// What all threads share. Readers and writers are thread-safe.
struct Work {
  const AggregationRequest& request;
  FileSystem& files;
  const SafetensorsReader& base;
  const std::vector<UpdateForm>& forms;
  const std::vector<UpdateSource> updates;
  const optimizer::ServerOptimizer& optimizer;
  const SafetensorsReader* const old_state;  // Null: the state starts at 0.
  const std::vector<Block> blocks;

  std::atomic<size_t> next_block{0};

  SafetensorsWriter& model;
  SafetensorsWriter* const new_state;  // Null: the optimizer has none.
  SafetensorsWriter* const rounded;    // Null: nobody wants it.

  absl::Mutex mu{};
  absl::Status status ABSL_GUARDED_BY(mu) = absl::OkStatus();
  size_t failed_block ABSL_GUARDED_BY(mu) = std::numeric_limits<size_t>::max();
};

// One thread's share of the work; its buffers are reused from block to block.
class BlockLoop {
 public:
  explicit BlockLoop(Work* work) : work_(*work), mean_(work->request.value_bound) {}

  // Takes blocks until there are none or one has failed.
  void Run() {
    while (true) {
      const size_t index = work_.next_block.fetch_add(1);
      if (index >= work_.blocks.size()) return;
      const Block& block = work_.blocks[index];
      absl::Status status = IsStopping()              ? absl::CancelledError("stopping")
                            : block.is_floating_point ? Move(block)
                                                      : Copy(block);
      if (status.ok()) continue;
      work_.next_block = work_.blocks.size();  // Nobody starts another.
      absl::MutexLock lock(&work_.mu);
      if (index < work_.failed_block) {
        work_.failed_block = index;
        work_.status = std::move(status);
      }
      return;
    }
  }

 private:
  bool IsStopping() const {
    return work_.request.is_stopping != nullptr && work_.request.is_stopping->load();
  }

  const TensorSpec& SpecOf(const Block& block) const {
    return work_.base.layout().tensors()[block.tensor];
  }

  // Integer tensors keep the base model's value.
  absl::Status Copy(const Block& block) {
    const uint64_t element_bytes = DtypeBytes(SpecOf(block).dtype);
    bytes_.resize(block.size * element_bytes);
    const uint64_t offset = block.first * element_bytes;
    ENTENTE_RETURN_IF_ERROR(work_.base.ReadAt(block.tensor, offset, absl::MakeSpan(bytes_)));
    ENTENTE_RETURN_IF_ERROR(work_.model.WriteAt(block.tensor, offset, TextOf(bytes_)));
    if (work_.rounded == nullptr) return absl::OkStatus();
    return work_.rounded->WriteAt(block.tensor, offset, TextOf(bytes_));
  }

  absl::Status Move(const Block& block) {
    ENTENTE_RETURN_IF_ERROR(Combine(block));
    ENTENTE_RETURN_IF_ERROR(ReadBase(block));
    ENTENTE_RETURN_IF_ERROR(ReadState(block));
    std::vector<absl::Span<double>> state;
    for (std::vector<double>& values : state_) state.push_back(absl::MakeSpan(values));
    work_.optimizer.Step(combined_, absl::MakeSpan(model_), state);
    ENTENTE_RETURN_IF_ERROR(Round(block));
    return Write(block);
  }

  absl::Status Combine(const Block& block) {
    mean_.Start(block.size);
    for (const UpdateSource& update : work_.updates) {
      ENTENTE_RETURN_IF_ERROR(ReadUpdate(update, block));
      mean_.Add(update.input.weight, values_);
    }
    combined_.resize(block.size);
    mean_.Finish(absl::MakeSpan(combined_));
    return absl::OkStatus();
  }

  // Everything about the update was checked when it was accepted; a disk may still rot.
  absl::Status ReadUpdate(const UpdateSource& update, const Block& block) {
    if (update.file != nullptr) return ReadFile(update, *update.file, block);
    ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<ReadableFile> file,
                             work_.files.OpenForRead(update.input.path));
    if (file->size_bytes() != update.form.file_bytes()) {
      return ChangedError(update.worker,
                          absl::StrCat("it has ", file->size_bytes(), " bytes instead of ",
                                       update.form.file_bytes()));
    }
    return ReadFile(update, *file, block);
  }

  absl::Status ReadFile(const UpdateSource& update, const ReadableFile& file, const Block& block) {
    const UpdateForm& form = update.form;
    const uint64_t offset = form.OffsetBytes(block.float_tensor, block.first);
    values_.resize(block.size);
    if (form.encoding.kind == EncodingKind::kFp32) {
      // The bytes are the floats.
      ENTENTE_RETURN_IF_ERROR(file.ReadAt(offset, BytesOf(absl::MakeSpan(values_))));
    } else {
      bytes_.resize(EncodedBytes(form.encoding, block.size));
      ENTENTE_RETURN_IF_ERROR(file.ReadAt(offset, absl::MakeSpan(bytes_)));
      const absl::Status decoded =
          DecodeValues(form.encoding, block.first, bytes_, absl::MakeSpan(values_));
      if (!decoded.ok()) return ChangedError(update.worker, decoded.message());
    }
    const absl::Status in_bounds =
        CheckValues(SpecOf(block).name, block.first, values_, work_.request.value_bound);
    return in_bounds.ok() ? absl::OkStatus() : ChangedError(update.worker, in_bounds.message());
  }

  absl::Status ReadBase(const Block& block) {
    values_.resize(block.size);
    ENTENTE_RETURN_IF_ERROR(work_.base.ReadAt(block.tensor, block.first * sizeof(float),
                                              BytesOf(absl::MakeSpan(values_))));
    model_.assign(values_.begin(), values_.end());
    return absl::OkStatus();
  }

  // Place of the block's tensor of state `s` in the state's file; see optimizer::StateLayout.
  size_t StateTensor(const Block& block, size_t s) const {
    return s * work_.forms.front().layout.tensors().size() + block.float_tensor;
  }

  absl::Status ReadState(const Block& block) {
    state_.resize(work_.optimizer.StateNames().size());
    for (size_t s = 0; s < state_.size(); ++s) {
      state_[s].assign(block.size, 0.0);
      if (work_.old_state == nullptr) continue;
      ENTENTE_RETURN_IF_ERROR(work_.old_state->ReadAt(
          StateTensor(block, s), block.first * sizeof(double), BytesOf(absl::MakeSpan(state_[s]))));
    }
    return absl::OkStatus();
  }

  // The one rounding from double to F32.
  absl::Status Round(const Block& block) {
    values_.resize(block.size);
    if (simd::RoundToFloats(model_, absl::MakeSpan(values_))) return absl::OkStatus();
    const size_t at =
        std::find_if_not(model_.begin(), model_.end(), IsFiniteFloat) - model_.begin();
    return absl::InvalidArgumentError(absl::StrCat(
        "the next model would not be finite: tensor \"", SpecOf(block).name, "\" would hold ",
        model_[at], " at index ", block.first + at, "; a smaller learning rate may help"));
  }

  absl::Status Write(const Block& block) {
    ENTENTE_RETURN_IF_ERROR(
        work_.model.WriteAt(block.tensor, block.first * sizeof(float), TextOf(values_)));
    for (size_t s = 0; s < state_.size(); ++s) {
      ENTENTE_RETURN_IF_ERROR(work_.new_state->WriteAt(
          StateTensor(block, s), block.first * sizeof(double), TextOf(state_[s])));
    }
    if (work_.rounded == nullptr) return absl::OkStatus();
    ENTENTE_RETURN_IF_ERROR(
        models::RoundValues(SpecOf(block).name, block.first, values_, &rounded_));
    return work_.rounded->WriteAt(block.tensor, EncodedBytes(UpdateEncoding::kBf16, block.first),
                                  rounded_);
  }

  Work& work_;
  aggregation::WeightedMean mean_;
  std::vector<char> bytes_;
  std::vector<float> values_;
  std::vector<double> combined_;
  std::vector<double> model_;
  std::vector<std::vector<double>> state_;
  std::string rounded_;
};

void RunThreads(Work& work, Executor& pool, int thread_count) {
  const int posted = static_cast<int>(std::min<size_t>(thread_count, work.blocks.size() + 1)) - 1;
  absl::BlockingCounter running(std::max(posted, 0));
  for (int i = 0; i < posted; ++i) {
    pool.Post([&work, &running] {
      BlockLoop(&work).Run();
      running.DecrementCount();
    });
  }
  BlockLoop(&work).Run();
  running.Wait();
}

absl::Status CheckRequest(const AggregationRequest& request, const Layout& base) {
  if (request.updates.empty() || request.updates.size() > limits::kUpdatesPerRoundMax) {
    return absl::InvalidArgumentError(absl::StrCat("1 to ", limits::kUpdatesPerRoundMax,
                                                   " updates can be aggregated, not ",
                                                   request.updates.size()));
  }
  const size_t alignment = AlignmentElements(request.encoding);
  if (request.block_elements == 0 || request.block_elements % alignment != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("a block of ", request.block_elements, " numbers would cut those of ",
                     EncodingName(request.encoding.kind), "; take a multiple of ", alignment));
  }
  for (const TensorSpec& tensor : base.tensors()) {
    if (IsFloatingPoint(tensor.dtype) && tensor.dtype != Dtype::kF32) {
      return absl::InvalidArgumentError(absl::StrCat("the base model's tensor \"", tensor.name,
                                                     "\" is ", DtypeName(tensor.dtype),
                                                     "; only F32 is aggregated"));
    }
  }
  return absl::OkStatus();
}

// Looks at each update's file, to tell in which of `forms` it is.
absl::StatusOr<std::vector<UpdateSource>> OpenUpdates(const AggregationRequest& request,
                                                      FileSystem& files,
                                                      const std::vector<UpdateForm>& forms) {
  std::vector<UpdateSource> updates;
  for (const auto& [worker, input] : request.updates) {
    ENTENTE_ASSIGN_OR_RETURN(std::unique_ptr<ReadableFile> file, files.OpenForRead(input.path));
    const absl::StatusOr<size_t> form = FindForm(*file, forms);
    if (absl::IsInvalidArgument(form.status())) {
      return ChangedError(worker, form.status().message());
    }
    if (!form.ok()) return form.status();
    if (request.updates.size() > kOpenUpdatesMax) file.reset();
    updates.push_back(
        {.worker = worker, .input = input, .form = forms[*form], .file = std::move(file)});
  }
  return updates;
}

// The optimizer's state after the last round; null if it starts at 0.
absl::StatusOr<std::unique_ptr<SafetensorsReader>> OpenState(const models::ModelStore& store,
                                                             const Digest& digest,
                                                             const Layout& expected) {
  if (expected.tensors().empty() || digest.IsNone()) return nullptr;
  ENTENTE_ASSIGN_OR_RETURN(std::unique_ptr<SafetensorsReader> state, store.OpenModel(digest));
  if (absl::Status status = CheckSameLayout(expected, state->layout()); !status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("optimizer state ", digest.ToHex(),
                                                   " does not fit the model: ", status.message()));
  }
  return state;
}

// What a run writes, and where until the store takes it.
struct OutputPaths {
  std::string model;
  std::string state;
  std::string rounded;
};
struct Output {
  std::unique_ptr<SafetensorsWriter> model;
  std::unique_ptr<SafetensorsWriter> state;    // Null: the optimizer has none.
  std::unique_ptr<SafetensorsWriter> rounded;  // Null: nobody wants it.
};

absl::Status CheckRoom(FileSystem& files, const models::ModelStore& store, uint64_t needed) {
  ENTENTE_ASSIGN_OR_RETURN(const uint64_t free, files.FreeBytes(store.folder()));
  if (free >= needed) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat("no room for the next model: ", needed,
                                                   " bytes are needed in ", store.folder(),
                                                   ", and ", free, " are free; free some space"));
}

absl::StatusOr<Output> OpenOutput(FileSystem& files, const OutputPaths& paths, const Layout& model,
                                  const Layout& state, bool rounds_model) {
  Output output;
  ENTENTE_ASSIGN_OR_RETURN(output.model,
                           SafetensorsWriter::CreateHashed(files, paths.model, model));
  if (!state.tensors().empty()) {
    ENTENTE_ASSIGN_OR_RETURN(output.state,
                             SafetensorsWriter::CreateHashed(files, paths.state, state));
  }
  if (rounds_model) {
    ENTENTE_ASSIGN_OR_RETURN(
        output.rounded,
        SafetensorsWriter::CreateHashed(files, paths.rounded, models::RoundedLayout(model)));
  }
  return output;
}

// Takes what was written into the store. The model comes last: where it is, its rounded copy and
// the optimizer's state are, too.
absl::StatusOr<AggregationOutcome> Adopt(models::ModelStore& store, const std::string& label,
                                         const OutputPaths& paths, const Output& output) {
  AggregationOutcome outcome;
  if (output.state != nullptr) {
    outcome.optimizer_state = output.state->digest();
    ENTENTE_RETURN_IF_ERROR(store.AdoptAs(paths.state, outcome.optimizer_state));
  }
  outcome.model = output.model->digest();
  if (output.rounded != nullptr) {
    const Digest rounded = output.rounded->digest();
    ENTENTE_RETURN_IF_ERROR(store.AdoptAs(paths.rounded, rounded));
    ENTENTE_RETURN_IF_ERROR(
        store.SetRounded(outcome.model, rounded, absl::StrCat(label, "-which")));
  }
  ENTENTE_RETURN_IF_ERROR(store.AdoptAs(paths.model, outcome.model));
  return outcome;
}

}  // namespace

uint64_t OutputBytes(const SafetensorsReader& base,
                     const optimizer::ServerOptimizerSettings& optimizer, bool rounds_model) {
  const uint64_t floats = base.layout().FloatElementCount();
  const uint64_t states = optimizer::MakeServerOptimizer(optimizer)->StateNames().size();
  const uint64_t rounded = rounds_model ? base.file_bytes() - floats * DtypeBytes(Dtype::kBf16) : 0;
  return base.file_bytes() + states * floats * DtypeBytes(Dtype::kF64) + rounded;
}

absl::StatusOr<AggregationOutcome> RunAggregation(const AggregationRequest& request,
                                                  models::ModelStore& store, FileSystem& files,
                                                  Executor& pool, int thread_count) {
  ENTENTE_CHECK(thread_count >= 1);
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<SafetensorsReader> base,
                           store.OpenModel(request.base_model));
  ENTENTE_RETURN_IF_ERROR(CheckRequest(request, base->layout()));
  const auto optimizer = optimizer::MakeServerOptimizer(request.optimizer);
  ENTENTE_ASSIGN_OR_RETURN(const Layout state_layout,
                           optimizer::StateLayout(base->layout(), optimizer->StateNames()));
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<SafetensorsReader> old_state,
                           OpenState(store, request.optimizer_state, state_layout));

  const OutputPaths paths{.model = store.TemporaryPath(absl::StrCat(request.label, "-model")),
                          .state = store.TemporaryPath(absl::StrCat(request.label, "-state")),
                          .rounded = store.TemporaryPath(absl::StrCat(request.label, "-rounded"))};
  // Whatever was not adopted goes; what was is no longer there, and then this does nothing.
  const absl::Cleanup remove_temporary_files = [&] {
    for (const std::string& path : {paths.model, paths.state, paths.rounded}) {
      files.Remove(path).IgnoreError();
    }
  };
  ENTENTE_RETURN_IF_ERROR(
      CheckRoom(files, store, OutputBytes(*base, request.optimizer, request.rounds_model)));
  ENTENTE_ASSIGN_OR_RETURN(const Output output, OpenOutput(files, paths, base->layout(),
                                                           state_layout, request.rounds_model));

  const std::vector<UpdateForm> forms = AcceptedForms(base->layout(), request.encoding);
  ENTENTE_ASSIGN_OR_RETURN(std::vector<UpdateSource> updates, OpenUpdates(request, files, forms));
  Work work{.request = request,
            .files = files,
            .base = *base,
            .forms = forms,
            .updates = std::move(updates),
            .optimizer = *optimizer,
            .old_state = old_state.get(),
            .blocks = aggregation::PlanBlocks(base->layout(), request.block_elements),
            .model = *output.model,
            .new_state = output.state.get(),
            .rounded = output.rounded.get()};
  RunThreads(work, pool, thread_count);
  {
    absl::MutexLock lock(&work.mu);
    ENTENTE_RETURN_IF_ERROR(work.status);
  }
  return Adopt(store, request.label, paths, output);
}

}  // namespace entente::engine
