// SPDX-License-Identifier: Apache-2.0
#include "trainer/data/dataset.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status_macros.h"
#include "trainer/data/csv.h"
#include "trainer/data/idx.h"
#include "trainer/data/tensor_examples.h"

namespace entente::trainer {
namespace {

absl::string_view PartName(DatasetPart part) {
  switch (part) {
    case DatasetPart::kTrain:
      return "train";
    case DatasetPart::kHeldOut:
      return "held-out";
    case DatasetPart::kTest:
      return "test";
  }
  return "";
}

// The names a part's file may have, the preferred one first. `kind` is "images-idx3" or
// "labels-idx1", and empty for the formats with one file a part.
std::vector<std::string> FileNames(DatasetFormat format, DatasetPart part, absl::string_view kind) {
  switch (format) {
    case DatasetFormat::kIdx: {
      // The test files of MNIST and its relatives are called t10k.
      const absl::string_view prefix = part == DatasetPart::kTest ? "t10k" : PartName(part);
      const std::string name = absl::StrCat(prefix, "-", kind, "-ubyte");
      return {name, name + ".gz"};
    }
    case DatasetFormat::kCsv:
      return {absl::StrCat(PartName(part), ".csv")};
    case DatasetFormat::kSafetensors:
      return {absl::StrCat(PartName(part), ".safetensors")};
  }
  return {};
}

absl::StatusOr<std::string> FindFile(FileSystem& files, const DatasetSource& source,
                                     DatasetPart part, absl::string_view kind) {
  const std::vector<std::string> names = FileNames(source.format, part, kind);
  for (const std::string& name : names) {
    std::string path = absl::StrCat(source.directory, "/", name);
    if (files.Exists(path)) return path;
  }
  if (!files.Exists(source.directory)) {
    return absl::NotFoundError(
        absl::StrCat("the data folder ", source.directory, " does not exist"));
  }
  return absl::NotFoundError(
      absl::StrCat("the data folder ", source.directory, " has no ", absl::StrJoin(names, " or ")));
}

absl::StatusOr<Examples> ReadIdxPart(FileSystem& files, const DatasetSource& source,
                                     DatasetPart part) {
  ENTENTE_ASSIGN_OR_RETURN(const std::string images_path,
                           FindFile(files, source, part, "images-idx3"));
  ENTENTE_ASSIGN_OR_RETURN(const std::string labels_path,
                           FindFile(files, source, part, "labels-idx1"));
  ENTENTE_ASSIGN_OR_RETURN(const IdxArray images, ReadIdx(files, images_path, 2, 4));
  ENTENTE_ASSIGN_OR_RETURN(const IdxArray labels, ReadIdx(files, labels_path, 1, 1));
  if (images.shape[0] != labels.shape[0]) {
    return absl::InvalidArgumentError(
        absl::StrCat(images_path, " holds ", images.shape[0], " images and ", labels_path, " ",
                     labels.shape[0], " labels; there must be one label for each image"));
  }
  Examples examples;
  examples.count = images.shape[0];
  examples.shape.assign(images.shape.begin() + 1, images.shape.end());
  if (examples.shape.size() == 2) examples.shape.insert(examples.shape.begin(), 1);
  examples.inputs.reserve(images.elements.size());
  for (const uint8_t pixel : images.elements) {
    examples.inputs.push_back((static_cast<float>(pixel) / 255.0F - 0.5F) / 0.5F);
  }
  examples.classes.assign(labels.elements.begin(), labels.elements.end());
  return examples;
}

}  // namespace

absl::StatusOr<DatasetFormat> ParseDatasetFormat(absl::string_view text) {
  if (text == "idx") return DatasetFormat::kIdx;
  if (text == "csv") return DatasetFormat::kCsv;
  if (text == "safetensors") return DatasetFormat::kSafetensors;
  return absl::InvalidArgumentError(
      absl::StrCat("dataset format \"", text, "\" is unknown; use idx, csv or safetensors"));
}

absl::StatusOr<DatasetPart> ParseDatasetPart(absl::string_view text) {
  for (const DatasetPart part : {DatasetPart::kTrain, DatasetPart::kHeldOut, DatasetPart::kTest}) {
    if (text == PartName(part)) return part;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("dataset part \"", text, "\" is unknown; use train, held-out or test"));
}

bool HasPart(FileSystem& files, const DatasetSource& source, DatasetPart part) {
  for (const absl::string_view kind : {"images-idx3", "labels-idx1"}) {
    if (FindFile(files, source, part, kind).ok()) return true;
  }
  return false;
}

absl::StatusOr<Examples> ReadPart(FileSystem& files, const DatasetSource& source, DatasetPart part,
                                  LearningTask task) {
  switch (source.format) {
    case DatasetFormat::kIdx:
      if (task != LearningTask::kClassification) {
        return absl::InvalidArgumentError(
            "idx data has labels, which fit task classification only; use csv or safetensors");
      }
      return ReadIdxPart(files, source, part);
    case DatasetFormat::kCsv: {
      ENTENTE_ASSIGN_OR_RETURN(const std::string path, FindFile(files, source, part, ""));
      return ReadCsv(files, path, task);
    }
    case DatasetFormat::kSafetensors: {
      ENTENTE_ASSIGN_OR_RETURN(const std::string path, FindFile(files, source, part, ""));
      return ReadTensorExamples(files, path, task);
    }
  }
  return absl::InternalError("a dataset format without a reader");
}

}  // namespace entente::trainer
