// SPDX-License-Identifier: Apache-2.0
// entente model inspect FILE-or-DIGEST: what is inside a model.

#include <memory>

#include "absl/strings/str_cat.h"
#include "cli/commands/commands.h"
#include "cli/model_name.h"
#include "cli/text_layout.h"
#include "common/base/status_macros.h"
#include "common/config/proto_time.h"
#include "common/config/proto_to_json.h"
#include "common/config/quoted.h"
#include "common/crypto/sha256.h"
#include "common/tensor/layout.h"
#include "common/tensor/safetensors.h"

namespace entente::cli {
namespace {

// A local file told the way the coordinator tells of its own.
absl::StatusOr<v1::StoredModel> InspectFile(FileSystem& files, const std::string& path) {
  const absl::StatusOr<std::unique_ptr<SafetensorsReader>> reader =
      SafetensorsReader::Open(files, path);
  if (!reader.ok()) return AsInputFileError(reader.status());
  const absl::StatusOr<Digest> digest = Sha256OfFile(files, path);
  if (!digest.ok()) return AsInputFileError(digest.status());
  v1::StoredModel model;
  model.set_digest(digest->ToHex());
  model.set_total_bytes((*reader)->file_bytes());
  for (const TensorSpec& spec : (*reader)->layout().tensors()) {
    v1::Tensor* tensor = model.add_tensors();
    tensor->set_name(spec.name);
    tensor->set_dtype(std::string(DtypeName(spec.dtype)));
    for (const uint64_t size : spec.shape) tensor->add_shape(size);
  }
  return model;
}

uint64_t ElementCount(const v1::Tensor& tensor) {
  uint64_t count = 1;
  for (const uint64_t size : tensor.shape()) count *= size;
  return count;
}

uint64_t ElementCount(const v1::StoredModel& model) {
  uint64_t count = 0;
  for (const v1::Tensor& tensor : model.tensors()) count += ElementCount(tensor);
  return count;
}

std::string ModelText(const v1::StoredModel& model) {
  Table table({"TENSOR", "TYPE", "SHAPE", "ELEMENTS"});
  for (const v1::Tensor& tensor : model.tensors()) {
    table.AddRow({tensor.name(), tensor.dtype(),
                  ShapeText({tensor.shape().begin(), tensor.shape().end()}),
                  WithCommas(ElementCount(tensor))});
  }
  return absl::StrCat(
      Fields({{"digest", model.digest()},
              {"job", model.job_id()},
              {"rounds", model.job_id().empty() ? "" : absl::StrCat(model.rounds_committed())},
              {"committed", model.has_committed_at() ? TimeText(ToTime(model.committed_at())) : ""},
              {"size", BytesText(model.total_bytes())},
              {"elements",
               absl::StrCat(WithCommas(ElementCount(model)), " in ",
                            Plural(static_cast<uint64_t>(model.tensors_size()), "tensor"))}}),
      "\n", table.Text());
}

absl::StatusOr<v1::StoredModel> Inspect(const Invocation& invocation, const std::string& name) {
  if (invocation.files().Exists(name)) return InspectFile(invocation.files(), name);
  if (!LooksLikeDigest(name)) {
    return absl::InvalidArgumentError(absl::StrCat(
        Quoted(name), " is neither a file here nor a model's digest (8 to 64 hexadecimal digits)"));
  }
  ENTENTE_ASSIGN_OR_RETURN(const std::unique_ptr<CoordinatorClient> client, invocation.Connect());
  return client->GetModel(name);
}

absl::StatusOr<ExitCode> RunModelInspect(const Invocation& invocation, const std::string& name) {
  ENTENTE_ASSIGN_OR_RETURN(const v1::StoredModel model, Inspect(invocation, name));
  invocation.output().Print(JsonWithList(model, "tensors"), ModelText(model));
  return ExitCode::kOk;
}

}  // namespace

void AddModelInspect(CLI::App& model, Invocation& invocation) {
  const auto name = std::make_shared<std::string>();
  Verb verb = AddVerb(model, "inspect", "What is inside a model", invocation,
                      [&invocation, name] { return RunModelInspect(invocation, *name); });
  verb.Required("FILE-or-DIGEST", *name,
                "A safetensors file here, or the digest of one the coordinator has");
}

}  // namespace entente::cli
